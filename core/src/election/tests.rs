//! Small facts about a candidate, each on its own: messages go in by hand, outputs are looked at.

use super::*;
use crate::id::{Epoch, Host, Incarnation, Utype};
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::vec;
use alloc::vec::Vec;

const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(5);
const ME: u64 = 7;
const FIRST: Epoch = Epoch { generation: 0, counter: 1 };

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1_000)
}

const CALM: Bounds = Bounds {
    drift_ppm: 0,
    latency_us_max: Duration::ZERO,
    timer_late_us_max: Duration::ZERO,
    stop_us_max: Duration::ZERO,
    granularity_us: ms(1),
};

fn config(rules: Rules) -> Config {
    Config {
        utype: Utype(0),
        host: Host(1),
        heartbeat_interval: INTERVAL,
        heartbeat_timeout: TIMEOUT,
        bounds: CALM,
        rules,
        affinity: None,
        work: Work { every_us: Duration::ZERO, takes_us: Duration::ZERO },
    }
}

fn candidate(config: Config) -> Candidate {
    Candidate::new(config.checked().expect("a sound configuration"), Start { entropy: ME, image: ME })
}

fn feed(candidate: &mut Candidate, now: Instant, input: Input<'_>) -> Vec<Output> {
    let mut outputs = Vec::new();
    candidate.handle(now, input, &mut outputs);
    outputs
}

fn tick(candidate: &mut Candidate, now: Instant) -> Vec<Output> {
    feed(candidate, now, Input::Timer)
}

/// A row that names `mint`, or nobody.
fn row(mint: Option<u64>, seq: u32, version: u64) -> Row {
    let incarnation = mint.map(|mint| Incarnation { mint, life: 1 });
    Row { incarnation, host: Host(1), epoch: FIRST, seq, version, stamp: at(1), term: TIMEOUT }
}

/// The undamaged answer to a request.
fn reply(to: &Output, row: Row) -> Message {
    let (to_heartbeat, tag, sent_at) = match to {
        Output::Send(Target::Table, Message::Query(query)) => (false, query.tag, query.sent_at),
        Output::Send(Target::Table, Message::Heartbeat(claim)) => (true, claim.seq, claim.sent_at),
        other => panic!("no request to the table: {other:?}"),
    };
    let mut answer = Answer { utype: Utype(0), to_heartbeat, tag, sent_at, row, digest: 0 };
    answer.digest = answer.expected_digest();
    Message::Answer(answer)
}

fn answer(candidate: &mut Candidate, now: Instant, to: &Output, row: Row) -> Vec<Output> {
    feed(candidate, now, Input::Message(&reply(to, row)))
}

fn is_heartbeat(output: &Output) -> bool {
    matches!(output, Output::Send(Target::Table, Message::Heartbeat(_)))
}

fn is_query(output: &Output) -> bool {
    matches!(output, Output::Send(Target::Table, Message::Query(_)))
}

fn events(outputs: &[Output]) -> Vec<Event> {
    let event = |output: &Output| match output {
        Output::Event(event) => Some(*event),
        Output::Send(..) | Output::Effect { .. } => None,
    };
    outputs.iter().filter_map(event).collect()
}

fn claimed(outputs: Vec<Output>) -> Output {
    outputs.into_iter().find(is_heartbeat).expect("it claims")
}

/// A published primary: it queried and claimed at 0, and stepped up by the query that it sent at 1 s.
fn published_primary() -> Candidate {
    let mut candidate = candidate(config(Rules::published()));
    let query = tick(&mut candidate, at(0)).remove(0);
    let claim = claimed(answer(&mut candidate, at(0), &query, row(None, 0, 0)));
    answer(&mut candidate, at(0), &claim, row(Some(ME), 2, 1));
    let query = tick(&mut candidate, at(1_000)).remove(0);
    let outputs = answer(&mut candidate, at(1_000), &query, row(Some(ME), 2, 1));
    assert_eq!(events(&outputs), [Event::SteppedUp(FIRST)]);
    candidate
}

/// Queries at 0 and claims at 100 ms; the claim has the number 2. Returns the candidate and its claim.
fn hardened_claimant(config: Config) -> (Candidate, Output) {
    let mut candidate = candidate(config);
    let query = tick(&mut candidate, at(0)).remove(0);
    let claim = claimed(answer(&mut candidate, at(100), &query, row(None, 0, 0)));
    (candidate, claim)
}

/// A hardened primary whose term runs from 100 ms. It works from 300 ms on.
fn hardened_primary(config: Config) -> Candidate {
    let (mut candidate, claim) = hardened_claimant(config);
    answer(&mut candidate, at(200), &claim, row(Some(ME), 2, 1));
    let sealed = Message::Sealed { utype: Utype(0), epoch: FIRST, last: 0 };
    let outputs = feed(&mut candidate, at(300), Input::Message(&sealed));
    assert_eq!(events(&outputs), [Event::SteppedUp(FIRST)]);
    candidate
}

#[test]
fn fresh_candidate_wants_its_first_timer_at_once() {
    assert_eq!(candidate(config(Rules::hardened())).deadline(), Some(Instant::ZERO));
}

#[test]
fn standby_claims_only_after_an_empty_answer() {
    for rules in [Rules::published(), Rules::hardened(), Rules::shedlock()] {
        let mut candidate = candidate(config(rules));
        let outputs = tick(&mut candidate, at(0));
        assert!(outputs.iter().all(is_query), "{outputs:?}");
        let outputs = answer(&mut candidate, at(10), &outputs[0], row(Some(9), 1, 1));
        assert_eq!(outputs, []);
        assert_eq!(tick(&mut candidate, at(1_009)), [], "it waits an interval after the answer");
        let query = tick(&mut candidate, at(1_010)).remove(0);
        let outputs = answer(&mut candidate, at(1_020), &query, row(None, 1, 1));
        assert_eq!(outputs.len(), 1);
        assert!(is_heartbeat(&outputs[0]), "{outputs:?}");
    }
}

#[test]
fn standby_without_an_answer_asks_again_and_never_claims() {
    let mut candidate = candidate(config(Rules::hardened()));
    let mut now = at(0);
    for _ in 0..10 {
        let outputs = tick(&mut candidate, now);
        assert!(outputs.iter().all(is_query), "{outputs:?}");
        now = candidate.deadline().expect("it waits for something");
    }
}

#[test]
fn claim_carries_the_row_it_was_based_on() {
    let mut candidate = candidate(config(Rules::published()));
    let query = tick(&mut candidate, at(0)).remove(0);
    let empty = row(None, 3, 8);
    let Output::Send(_, Message::Heartbeat(claim)) = claimed(answer(&mut candidate, at(0), &query, empty)) else {
        panic!("it claims");
    };
    assert_eq!((claim.token, claim.epoch, claim.host), (Some(empty.token()), Epoch::NONE, Host(1)));
}

#[test]
fn published_primary_steps_up_at_the_earliest_one_interval_after_the_winning_heartbeat() {
    let mut candidate = candidate(config(Rules::published()));
    let query = tick(&mut candidate, at(0)).remove(0);
    let claim = claimed(answer(&mut candidate, at(0), &query, row(None, 0, 0)));
    let outputs = answer(&mut candidate, at(0), &claim, row(Some(ME), 2, 1));
    assert_eq!(events(&outputs), [Event::HeartbeatAnswered(Duration::ZERO)], "it reads nothing from this answer");
    assert_eq!(tick(&mut candidate, at(999)), []);
    let query = tick(&mut candidate, at(1_000)).remove(0);
    let outputs = answer(&mut candidate, at(1_000), &query, row(Some(ME), 2, 1));
    assert_eq!(events(&outputs), [Event::SteppedUp(FIRST)]);
    assert_eq!(candidate.phase(), Phase::Primary);
}

#[test]
fn older_reply_by_sending_time_is_dropped() {
    let mut candidate = published_primary();
    let older = tick(&mut candidate, at(2_000)).into_iter().find(is_query).expect("a query");
    let newer = tick(&mut candidate, at(3_000)).into_iter().find(is_query).expect("a query");
    answer(&mut candidate, at(3_100), &newer, row(Some(ME), 2, 1));
    let believed = candidate.refined().anchor_tag;
    answer(&mut candidate, at(3_200), &older, row(Some(9), 2, 1));
    assert_eq!(candidate.refined().anchor_tag, believed);
    assert!(candidate.may_act(at(3_200)));
    assert!(tick(&mut candidate, at(4_000)).iter().any(is_heartbeat), "it still works");
}

#[test]
fn read_anchored_primary_stops_at_its_tick_when_the_last_good_read_is_timeout_less_interval_old() {
    let mut candidate = published_primary();
    // Its last good read was sent at 1 s; from here on nothing is answered.
    for second in [2_000, 3_000, 4_000] {
        let outputs = tick(&mut candidate, at(second));
        assert!(outputs.iter().any(is_heartbeat) && outputs.iter().any(is_query), "{outputs:?}");
    }
    assert!(candidate.may_act(at(4_999)));
    assert!(!candidate.may_act(at(5_000)), "the comparison is strict");
    assert_eq!(tick(&mut candidate, at(4_999)), []);
    assert_eq!(events(&tick(&mut candidate, at(5_000))), [Event::TermEnded]);
    assert_eq!(candidate.phase(), Phase::Standby);
}

#[test]
fn published_primary_reacts_to_another_name_only_at_its_tick() {
    let mut candidate = published_primary();
    let query = tick(&mut candidate, at(2_000)).into_iter().find(is_query).expect("a query");
    assert_eq!(events(&answer(&mut candidate, at(2_100), &query, row(Some(9), 1, 2))), []);
    assert_eq!(candidate.phase(), Phase::Primary);
    assert_eq!(events(&tick(&mut candidate, at(3_000))), [Event::Deposed]);
}

#[test]
fn hardened_primary_reacts_to_another_name_at_once() {
    let mut candidate = hardened_primary(config(Rules::hardened()));
    let heartbeat = tick(&mut candidate, at(1_200)).into_iter().find(is_heartbeat).expect("a heartbeat");
    let outputs = answer(&mut candidate, at(1_250), &heartbeat, row(Some(9), 1, 2));
    assert!(events(&outputs).contains(&Event::Deposed), "{outputs:?}");
}

#[test]
fn heartbeat_anchored_primary_stops_by_timer_at_the_safe_term_from_the_first_sending() {
    let mut candidate = hardened_primary(config(Rules::hardened()));
    // The claim left at 100 ms. Later heartbeats stay unanswered and prove nothing.
    let end = at(100) + safe_term(TIMEOUT, &CALM);
    for second in [1_200, 2_200, 3_200, 4_200] {
        assert!(tick(&mut candidate, at(second)).iter().any(is_heartbeat));
    }
    assert_eq!(candidate.deadline(), Some(end), "it asks to be woken before its next tick");
    let before = Instant::from_micros(end.as_micros() - 1);
    assert!(candidate.may_act(before));
    assert!(!candidate.may_act(end));
    assert_eq!(tick(&mut candidate, before), []);
    assert_eq!(events(&tick(&mut candidate, end)), [Event::TermEnded]);
}

#[test]
fn answer_that_shows_an_earlier_heartbeat_extends_the_term_from_that_one_only() {
    let mut candidate = hardened_primary(config(Rules::hardened()));
    let first = tick(&mut candidate, at(1_200)).remove(0);
    let Output::Send(_, Message::Heartbeat(first_sent)) = first else { panic!("a heartbeat first") };
    let outputs = tick(&mut candidate, at(2_200));
    let second = outputs.iter().find(|output| is_heartbeat(output)).expect("a heartbeat");
    // The second was refused; its answer shows the first accepted.
    answer(&mut candidate, at(2_300), second, row(Some(ME), first_sent.seq, 2));
    assert!(candidate.may_act(Instant::from_micros((at(1_200) + safe_term(TIMEOUT, &CALM)).as_micros() - 1)));
    assert!(!candidate.may_act(at(1_200) + safe_term(TIMEOUT, &CALM)));
}

#[test]
fn damaged_answer_is_ignored_under_validate_and_believed_under_trust() {
    for (check, claims) in [(ReplyCheck::Validate, false), (ReplyCheck::Trust, true)] {
        let mut candidate = candidate(config(Rules { validate_reply: check, ..Rules::hardened() }));
        let query = tick(&mut candidate, at(0)).remove(0);
        let Message::Answer(mut damaged) = reply(&query, row(Some(9), 1, 1)) else { panic!("an answer") };
        damaged.row.incarnation = None;
        let outputs = feed(&mut candidate, at(10), Input::Message(&Message::Answer(damaged)));
        assert_eq!(outputs.iter().any(is_heartbeat), claims, "{check:?}");
        // Ignored means: it waits for an answer as before, and gives up after the interval.
        assert_eq!(candidate.deadline(), Some(if claims { at(1_010) } else { at(1_000) }), "{check:?}");
    }
}

#[test]
fn resignation_is_sent_only_after_work_stopped() {
    let bounds = Bounds { stop_us_max: ms(500), ..CALM };
    let mut candidate = hardened_primary(Config { bounds, ..config(Rules::hardened()) });
    let outputs = feed(&mut candidate, at(600), Input::Resign);
    assert_eq!(outputs, [Output::Event(Event::Resigned)]);
    assert_eq!(candidate.phase(), Phase::Stopping);
    assert!(candidate.refined().works, "work goes on while it stops");
    assert_eq!(tick(&mut candidate, at(1_099)), []);
    let resign = Resign { utype: Utype(0), incarnation: Incarnation { mint: ME, life: 1 }, epoch: FIRST };
    assert_eq!(tick(&mut candidate, at(1_100)), [Output::Send(Target::Table, Message::Resign(resign))]);
    assert_eq!(candidate.phase(), Phase::Standby);
    assert!(!candidate.may_act(at(1_100)));
    assert_eq!(candidate.deadline(), Some(at(4_100)), "the others get the first chance");
}

#[test]
fn standby_does_not_resign() {
    let mut candidate = candidate(config(Rules::hardened()));
    assert_eq!(feed(&mut candidate, at(0), Input::Resign), []);
}

#[test]
fn fenced_primary_seals_before_it_works() {
    let (mut candidate, claim) = hardened_claimant(config(Rules::hardened()));
    let outputs = answer(&mut candidate, at(200), &claim, row(Some(ME), 2, 1));
    let seal = Output::Send(Target::Resource, Message::Seal { utype: Utype(0), epoch: FIRST });
    assert!(outputs.contains(&seal), "{outputs:?}");
    assert_eq!(candidate.phase(), Phase::Sealing);
    assert!(!candidate.refined().works);
    let other = Epoch { generation: 0, counter: 9 };
    let sealed = |epoch| Message::Sealed { utype: Utype(0), epoch, last: 0 };
    assert_eq!(feed(&mut candidate, at(300), Input::Message(&sealed(other))), [], "that was another epoch's seal");
    assert!(tick(&mut candidate, at(1_200)).contains(&seal), "a lost seal is sent again");
    assert_eq!(
        feed(&mut candidate, at(1_300), Input::Message(&sealed(FIRST))),
        [Output::Event(Event::SteppedUp(FIRST))]
    );
    assert!(candidate.refined().works);
}

#[test]
fn seal_that_comes_back_after_the_term_is_worth_nothing() {
    let (mut candidate, claim) = hardened_claimant(config(Rules::hardened()));
    answer(&mut candidate, at(200), &claim, row(Some(ME), 2, 1));
    let sealed = Message::Sealed { utype: Utype(0), epoch: FIRST, last: 0 };
    assert_eq!(feed(&mut candidate, at(5_100), Input::Message(&sealed)), []);
    assert_ne!(candidate.phase(), Phase::Primary);
}

#[test]
fn unfenced_primary_works_as_soon_as_its_heartbeat_is_proven() {
    let rules = Rules { fencing: Fencing::None, ..Rules::hardened() };
    let (mut candidate, claim) = hardened_claimant(config(rules));
    let outputs = answer(&mut candidate, at(200), &claim, row(Some(ME), 2, 1));
    assert!(events(&outputs).contains(&Event::SteppedUp(FIRST)));
}

#[test]
fn losing_begins_a_new_life_under_fresh_identities_and_not_under_reused_ones() {
    for (source, life) in [(IdentitySource::Fresh, 2), (IdentitySource::Reused, 1)] {
        let mut candidate = hardened_primary(config(Rules { fresh_incarnation: source, ..Rules::hardened() }));
        assert_eq!(candidate.incarnation(), Incarnation { mint: ME, life: 1 });
        let refused = Message::Refused { utype: Utype(0), epoch: FIRST };
        assert_eq!(events(&feed(&mut candidate, at(400), Input::Message(&refused))), [Event::Deposed]);
        assert_eq!(candidate.incarnation(), Incarnation { mint: ME, life }, "{source:?}");
        assert_eq!(candidate.refined().life, 2, "the spec counts starts, whatever the incarnation says");
        assert_eq!(candidate.epoch(), Epoch::NONE, "nothing is remembered");
    }
}

#[test]
fn observer_waits_for_the_timeout_from_the_first_sight_of_a_version() {
    let mut candidate = candidate(config(Rules::client_go()));
    let mut now = at(0);
    let mut look = |candidate: &mut Candidate, received: Instant, version| {
        let query = tick(candidate, now).into_iter().find(is_query).expect("a query");
        let outputs = answer(candidate, received, &query, row(Some(9), 1, version));
        now = candidate.deadline().expect("a tick");
        outputs.iter().any(is_heartbeat)
    };
    assert!(!look(&mut candidate, at(500), 1), "first sight, at its receipt");
    assert!(!look(&mut candidate, at(1_500), 1));
    assert!(!look(&mut candidate, at(2_500), 2), "another version: the wait begins anew");
    for second in 3..7 {
        assert!(!look(&mut candidate, at(second * 1_000 + 500), 2));
    }
    assert!(look(&mut candidate, at(7_500), 2), "unchanged for 5 s");
}

#[test]
fn observer_claims_by_the_version_it_observed() {
    let mut candidate = candidate(config(Rules { age: StoreAge::Observer, ..Rules::hardened() }));
    for second in 0..5 {
        let query = tick(&mut candidate, at(second * 1_000)).remove(0);
        assert_eq!(answer(&mut candidate, at(second * 1_000), &query, row(Some(9), 1, 4)), []);
    }
    let query = tick(&mut candidate, at(5_000)).remove(0);
    let Output::Send(_, Message::Heartbeat(claim)) =
        claimed(answer(&mut candidate, at(5_000), &query, row(Some(9), 1, 4)))
    else {
        panic!("it claims");
    };
    assert_eq!(claim.token.map(|token| token.version), Some(4));
}

#[test]
fn primary_operates_only_while_it_works() {
    let work = Work { every_us: ms(250), takes_us: ms(20) };
    let mut candidate = hardened_primary(Config { work, ..config(Rules::hardened()) });
    let operate =
        |number| Output::Effect { message: Message::Operate { utype: Utype(0), epoch: FIRST, number }, after: ms(20) };
    assert_eq!(tick(&mut candidate, at(549)), []);
    assert_eq!(tick(&mut candidate, at(550)), [operate(1)]);
    assert_eq!(tick(&mut candidate, at(800)), [operate(2)]);
    feed(&mut candidate, at(810), Input::Resign);
    assert!(!tick(&mut candidate, at(1_050)).contains(&operate(3)));
}

#[test]
fn follower_claims_only_after_it_saw_its_leader_on_its_own_host() {
    for (host, claims) in [(Host(1), true), (Host(2), false)] {
        let mut candidate = candidate(Config { affinity: Some(Utype(1)), ..config(Rules::published()) });
        let queries = tick(&mut candidate, at(0));
        let utypes: Vec<Utype> = queries
            .iter()
            .map(|output| match output {
                Output::Send(Target::Table, Message::Query(query)) => query.utype,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(utypes, vec![Utype(1), Utype(0)]);
        let Message::Answer(mut leader) = reply(&queries[0], Row { host, ..row(Some(9), 1, 1) }) else {
            panic!("an answer");
        };
        leader.utype = Utype(1);
        feed(&mut candidate, at(0), Input::Message(&Message::Answer(leader)));
        let outputs = answer(&mut candidate, at(0), &queries[1], row(None, 0, 0));
        assert_eq!(outputs.iter().any(is_heartbeat), claims, "{host:?}");
    }
}

#[test]
fn configuration_is_refused_when_its_times_do_not_fit() {
    let good = config(Rules::hardened());
    assert!(good.checked().is_ok());
    let timeout = INTERVAL.times(2);
    let short = Config { heartbeat_timeout: timeout, ..good };
    assert_eq!(short.checked(), Err(ConfigError::TimeoutTooShort { timeout, interval: INTERVAL }));
    let barely = Config { heartbeat_timeout: timeout + Duration::from_micros(1), ..good };
    assert!(barely.checked().is_ok());
    let zero = Config { heartbeat_interval: Duration::ZERO, ..good };
    assert_eq!(zero.checked(), Err(ConfigError::IntervalZero));
    let eaten = Config { bounds: Bounds { stop_us_max: TIMEOUT, ..CALM }, ..good };
    assert!(matches!(eaten.checked(), Err(ConfigError::TermNotPositive { .. })));
    let wild = Config { bounds: Bounds { drift_ppm: 1_000_000, ..CALM }, ..good };
    assert_eq!(wild.checked(), Err(ConfigError::DriftTooLarge { drift_ppm: 1_000_000 }));
    let beyond = Config { utype: Utype(1024), ..good };
    assert_eq!(beyond.checked(), Err(ConfigError::UtypeOutOfRange { utype: Utype(1024), kinds: 1024 }));
    let selfish = Config { affinity: Some(Utype(0)), ..good };
    assert_eq!(selfish.checked(), Err(ConfigError::AffinityCycle { utype: Utype(0) }));
}

#[test]
fn affinity_that_leads_back_is_refused() {
    let cycle = |links: &[(u16, u16)]| {
        let links: Vec<(Utype, Utype)> = links.iter().map(|(from, to)| (Utype(*from), Utype(*to))).collect();
        matches!(Affinity::new(&links), Err(ConfigError::AffinityCycle { .. }))
    };
    assert!(cycle(&[(0, 0)]));
    assert!(cycle(&[(0, 1), (1, 0)]));
    assert!(cycle(&[(4, 0), (0, 1), (1, 2), (2, 0)]));
    assert!(!cycle(&[]));
    assert!(!cycle(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]), "the longest chain");
    assert!(!cycle(&[(1, 0), (2, 0)]), "two followers of one leader");
    assert_eq!(Affinity::new(&[(Utype(0), Utype(8))]), Err(ConfigError::UtypeOutOfRange { utype: Utype(8), kinds: 8 }));
    let affinity = Affinity::new(&[(Utype(1), Utype(0))]).expect("no cycle");
    assert_eq!((affinity.of(Utype(1)), affinity.of(Utype(0))), (Some(Utype(0)), None));
    assert_eq!(affinity.of(Utype(Affinity::KINDS as u16)), None, "kinds beyond follow nobody");
    assert_eq!(affinity.followers(Utype(0)).collect::<Vec<_>>(), [Utype(1)]);
}

#[test]
fn table_is_refused_when_its_grace_is_shorter_than_a_term() {
    let config = TableConfig {
        utypes: 1,
        heartbeat_timeout: TIMEOUT,
        longest_term: ms(4_999),
        rules: Rules::hardened(),
        dialect: Dialect::InMemory,
        affinity: Affinity::none(),
    };
    let error = ConfigError::LongestTermTooShort { longest: ms(4_999), timeout: TIMEOUT };
    assert_eq!(HeartbeatTable::new(config).err(), Some(error));
    let many = TableConfig { longest_term: TIMEOUT, utypes: 1025, ..config };
    assert_eq!(HeartbeatTable::new(many).err(), Some(ConfigError::UtypeOutOfRange { utype: Utype(1024), kinds: 1024 }));
}

/// The SQL server compares minute hands besides ages. That never cuts a term short; it only disowns entries from the
/// future, which a store clock that stepped back leaves behind.
/// What makes the store forget who was granted last.
#[derive(Clone, Copy, Debug)]
enum Forgets {
    Resignation,
    Restart,
    Promotion,
}

/// A claim that is under way while another one is granted, and the store then forgets that. What becomes of it when it
/// arrives, and of a claim that is sent then.
fn late_and_fresh_claim(rules: Rules, forgets: Forgets) -> [Outcome; 2] {
    let now = |ms| StoreNow { wall: at(100_000 + ms), steady: at(ms) };
    let who = |mint| Incarnation { mint, life: 1 };
    let claim = |table: &mut HeartbeatTable, mint, ms| {
        let query = Query { utype: Utype(0), asker: who(mint), tag: 1, sent_at: at(ms) };
        let token = Some(table.query(&query, now(ms)).row.token());
        let (utype, incarnation, host) = (Utype(0), who(mint), Host(mint as u16));
        Claim { utype, incarnation, host, seq: 2, sent_at: at(ms), epoch: Epoch::NONE, token }
    };
    let config = TableConfig {
        utypes: 1,
        heartbeat_timeout: TIMEOUT,
        longest_term: TIMEOUT,
        rules,
        dialect: Dialect::InMemory,
        affinity: Affinity::default(),
    };
    let mut table = HeartbeatTable::new(config).expect("a sound configuration");
    let former = table.clone();
    let (late, other) = (claim(&mut table, 1, 0), claim(&mut table, 2, 0));
    let (outcome, _) = table.heartbeat(&other, now(10));
    let Outcome::Granted(epoch) = outcome else { panic!("{outcome:?}") };
    match forgets {
        Forgets::Resignation => {
            assert!(table.resign(&Resign { utype: Utype(0), incarnation: who(2), epoch }));
        }
        Forgets::Restart => table.restart_empty(now(20), 1),
        Forgets::Promotion => table.promote(former, now(20), 1),
    }
    let (outcome, _) = table.heartbeat(&late, now(6_000));
    let fresh = claim(&mut table, 3, 12_000);
    [outcome, table.heartbeat(&fresh, now(12_000)).0]
}

#[test]
fn claim_from_before_the_store_forgot_is_never_granted() {
    for forgets in [Forgets::Resignation, Forgets::Restart, Forgets::Promotion] {
        let [late, fresh] = late_and_fresh_claim(Rules::hardened(), forgets);
        assert_eq!(late, Outcome::Refused, "{forgets:?}");
        assert!(matches!(fresh, Outcome::Granted(_)), "{forgets:?}: {fresh:?}");
        let believing = Rules {
            renew_by_seq: RenewalMatch::ExactEntry,
            empty_is_final: EmptyAnswer::Renewable,
            ..Rules::hardened()
        };
        let [late, _] = late_and_fresh_claim(believing, forgets);
        assert!(matches!(late, Outcome::Granted(_)), "{forgets:?}: {late:?}");
    }
}

#[test]
fn minute_hand_of_the_sql_server_disowns_only_entries_from_the_future() {
    for timeout in [ms(5_000), ms(59_999), ms(60_000), ms(60_001), ms(90_000), ms(150_000)] {
        let rules = Rules::published();
        let dialect = Dialect::Sql;
        let affinity = Affinity::none();
        let config =
            TableConfig { utypes: 1, heartbeat_timeout: timeout, longest_term: timeout, rules, dialect, affinity };
        for second in 0..60 {
            let mut table = HeartbeatTable::new(config).expect("a sound configuration");
            let stamp = at(600_000 + second * 1_000);
            let now = |wall| StoreNow { wall, steady: wall };
            let claim = Claim {
                utype: Utype(0),
                incarnation: Incarnation { mint: ME, life: 1 },
                host: Host(1),
                seq: 1,
                sent_at: at(0),
                epoch: Epoch::NONE,
                token: None,
            };
            table.heartbeat(&claim, now(stamp));
            let last = Instant::from_micros((stamp + timeout).as_micros() - 1);
            assert!(table.is_valid(Utype(0), now(last)), "{timeout}, {second}");
            assert!(!table.is_valid(Utype(0), now(stamp + timeout)), "{timeout}, {second}");
            let before = |minutes: u64| Instant::from_micros(stamp.as_micros() - minutes * 60_000_000);
            let hands = timeout.as_micros().div_ceil(60_000_000);
            assert!(table.is_valid(Utype(0), now(before(hands))), "{timeout}, {second}");
            assert!(!table.is_valid(Utype(0), now(before(hands + 1))), "{timeout}, {second}");
        }
    }
}

/// The published table of parameters: I, T, d, r; then δ, σ and g, which it takes along silently; then the safe term in
/// whole milliseconds and F in tenths of one.
#[test]
fn formulas_give_the_published_values() {
    let table = [
        (1_000, 5_000, 50, 1_000, (10, 0, 1), 4_979, 63_170),
        (1_000, 5_000, 400, 10_000, (50, 200, 1), 4_650, 85_121),
        (200, 1_000, 20, 200, (8, 0, 1), 991, 13_292),
        (2_000, 15_000, 100, 100, (20, 1_000, 1), 13_976, 176_227),
        (1_000, 3_000, 200, 50_000, (100, 0, 20), 2_596, 55_368),
    ];
    for (interval, timeout, latency, drift_ppm, (late, stop, granularity), term_ms, failover) in table {
        let bounds = Bounds {
            drift_ppm,
            latency_us_max: ms(latency),
            timer_late_us_max: ms(late),
            stop_us_max: ms(stop),
            granularity_us: ms(granularity),
        };
        let term = safe_term(ms(timeout), &bounds).as_micros();
        assert_eq!((term + 500) / 1_000, term_ms, "the safe term for T = {timeout} ms is {term} us");
        let worst = crash_to_acceptance(ms(timeout), ms(interval), &bounds).as_micros();
        assert_eq!((worst + 50) / 100, failover, "F for T = {timeout} ms is {worst} us");
        assert!(observer_age(Duration::from_micros(term), &bounds) <= ms(timeout), "an observer may wait for T");
    }
}

#[test]
fn timeout_over_twice_the_interval_does_not_tolerate_a_loss() {
    let bounds = Bounds { drift_ppm: 1_000, latency_us_max: ms(50), timer_late_us_max: ms(10), ..CALM };
    let term = safe_term(ms(2_050), &bounds);
    assert_eq!((term.as_micros() + 500) / 1_000, 2_035);
    assert_eq!(no_false_step_down(INTERVAL, 1, &bounds), Duration::from_micros(2_120_122));
    assert!(no_false_step_down(INTERVAL, 0, &bounds) <= term);
}

#[test]
fn latency_does_not_enter_the_safe_term() {
    let slow = Bounds { latency_us_max: Duration::from_secs(9), ..CALM };
    assert_eq!(safe_term(TIMEOUT, &slow), safe_term(TIMEOUT, &CALM));
}

#[test]
fn resolver_names_the_host_of_the_newest_answer_while_it_is_young() {
    let mut resolver = Resolver::new(Utype(0), INTERVAL, Rules::hardened());
    let feed = |resolver: &mut Resolver, now, input: Input<'_>| {
        let mut outputs = Vec::new();
        resolver.handle(now, input, &mut outputs);
        outputs
    };
    assert_eq!(resolver.deadline(), Some(Instant::ZERO));
    assert_eq!(resolver.primary(at(0), TIMEOUT), None);
    let first = feed(&mut resolver, at(0), Input::Timer).remove(0);
    assert_eq!(feed(&mut resolver, at(999), Input::Timer), []);
    let second = feed(&mut resolver, at(1_000), Input::Timer).remove(0);
    feed(&mut resolver, at(1_100), Input::Message(&reply(&second, Row { host: Host(4), ..row(Some(9), 1, 1) })));
    feed(&mut resolver, at(1_200), Input::Message(&reply(&first, Row { host: Host(3), ..row(Some(8), 1, 1) })));
    assert_eq!(resolver.primary(at(6_000), TIMEOUT), Some(Host(4)), "the newer question counts, and its sending time");
    assert_eq!(resolver.primary(at(6_001), TIMEOUT), None);
    let third = feed(&mut resolver, at(2_000), Input::Timer).remove(0);
    let Message::Answer(mut damaged) = reply(&third, row(Some(9), 1, 1)) else { panic!("an answer") };
    damaged.row.host = Host(5);
    feed(&mut resolver, at(2_100), Input::Message(&Message::Answer(damaged)));
    assert_eq!(resolver.primary(at(2_100), TIMEOUT), Some(Host(4)), "damage is not believed");
    feed(&mut resolver, at(2_200), Input::Message(&reply(&third, row(None, 1, 1))));
    assert_eq!(resolver.primary(at(2_200), TIMEOUT), None, "nobody is primary");
}
