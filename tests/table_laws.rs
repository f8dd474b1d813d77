//! Laws of the heartbeat table, whatever is asked of it and whatever its clocks do.
//!
//! Method: random requests, restarts, promotions and clock steps are played on a real [`HeartbeatTable`] under every
//! rule set that ships and every one that differs from published or hardened rules in a single decision. Each request
//! becomes one [`Record`]; each law is a judge of records. Below each law stands a sequence that its judge must
//! convict.

use crate::settings::fixed;
use failproof_core::election::{
    Affinity, AffinityCheck, Answer, Claim, Dialect, EmptyAnswer, Entry, Grace, HeartbeatTable, Outcome, Query, Resign,
    Rules, StoreAge, StoreNow, TableConfig, TermSource, Token,
};
use failproof_core::{Duration, Epoch, Host, Incarnation, Instant, Utype};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

const UTYPES: usize = 3;
const ACTORS: u8 = 4;
const A: Utype = Utype(0);
const B: Utype = Utype(1);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// T of the table at first, and what it can be changed to.
const TIMEOUT: Duration = ms(5_000);
const LONGEST: Duration = ms(8_000);

/// Times around the table's own limits, in milliseconds: a step far from every limit tells nothing.
const SPANS: [i64; 13] = [0, 1, 500, 1_000, 4_000, 4_999, 5_000, 5_001, 7_999, 8_000, 8_001, 60_000, 3_600_000];

/// One thing that happens to the table. Actors 0 and 2 are on host 0, actors 1 and 3 on host 1.
#[derive(Clone, Debug)]
enum Op {
    Query {
        actor: u8,
        utype: Utype,
    },
    Heartbeat {
        actor: u8,
        utype: Utype,
        token: TokenKind,
        held: bool,
        again: bool,
    },
    Resign {
        actor: u8,
        utype: Utype,
    },
    Restart {
        steady_anew: bool,
    },
    RestartEmpty,
    Snapshot,
    Promote {
        snapshot: Index,
    },
    SetTimeout {
        ms: u64,
    },
    /// The actor starts over as somebody new.
    NewLife {
        actor: u8,
    },
    /// Time passes on the steady clock; the wall clock steps by `wall_ms` on top of that.
    Pass {
        ms: i64,
        wall_ms: i64,
    },
}

/// What a heartbeat presents as the entry last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    None,
    Default,
    /// As the actor's last answer about this kind showed it.
    Remembered,
    /// As an answer would show it now.
    Shown,
    /// The entry itself.
    Exact,
    /// Nobody, with the entry's time and version.
    EmptyExact,
}

const TOKENS: [TokenKind; 6] = [
    TokenKind::None,
    TokenKind::Default,
    TokenKind::Remembered,
    TokenKind::Shown,
    TokenKind::Exact,
    TokenKind::EmptyExact,
];

/// A request and what it did.
#[derive(Clone, Debug)]
struct Record {
    now: StoreNow,
    utype: Utype,
    claim: Option<Claim>,
    outcome: Option<Outcome>,
    answer: Option<Answer>,
    before: HeartbeatTable,
    after: HeartbeatTable,
}

/// The table with its clocks, and what the actors remember.
struct Play {
    table: HeartbeatTable,
    now: StoreNow,
    generation: u32,
    snapshots: Vec<HeartbeatTable>,
    actors: Vec<Actor>,
}

#[derive(Clone, Copy, Default)]
struct Actor {
    life: u32,
    seq: u32,
    seen: [Option<Token>; UTYPES],
    held: [Epoch; UTYPES],
}

impl Play {
    fn new(rules: Rules, dialect: Dialect, affinity: &[(Utype, Utype)]) -> Self {
        let config = TableConfig {
            utypes: UTYPES,
            heartbeat_timeout: TIMEOUT,
            longest_term: LONGEST,
            rules,
            dialect,
            affinity: Affinity::new(affinity).expect("no cycle"),
        };
        let start = Instant::from_micros(1_000_000_000_000);
        Self {
            table: HeartbeatTable::new(config).expect("the longest term is the longest"),
            now: StoreNow { wall: start, steady: start },
            generation: 0,
            snapshots: Vec::new(),
            actors: vec![Actor { life: 1, ..Actor::default() }; usize::from(ACTORS)],
        }
    }

    fn run(mut self, ops: &[Op]) -> Vec<Record> {
        ops.iter().filter_map(|op| self.step(op)).collect()
    }

    fn step(&mut self, op: &Op) -> Option<Record> {
        match *op {
            Op::Query { actor, utype } => {
                let (before, now) = (self.table.clone(), self.now);
                let answer = ask(&mut self.table, utype, now);
                self.actors[usize::from(actor)].seen[utype.index()] = Some(answer.row.token());
                let (answer, after) = (Some(answer), self.table.clone());
                Some(Record { now, utype, claim: None, outcome: None, answer, before, after })
            }
            Op::Heartbeat { actor, utype, token, held, again } => {
                let (before, now) = (self.table.clone(), self.now);
                let claim = self.claim(actor, utype, token, held, again);
                let (outcome, answer) = self.table.heartbeat(&claim, now);
                let actor = &mut self.actors[usize::from(actor)];
                actor.seen[utype.index()] = Some(answer.row.token());
                if let Outcome::Granted(epoch) | Outcome::Renewed(epoch) = outcome {
                    actor.held[utype.index()] = epoch;
                }
                let (claim, outcome, answer) = (Some(claim), Some(outcome), Some(answer));
                Some(Record { now, utype, claim, outcome, answer, before, after: self.table.clone() })
            }
            Op::Resign { actor, utype } => {
                let (before, now) = (self.table.clone(), self.now);
                let epoch = self.actors[usize::from(actor)].held[utype.index()];
                self.table.resign(&Resign { utype, incarnation: self.incarnation(actor), epoch });
                Some(Record { now, utype, claim: None, outcome: None, answer: None, before, after: self.table.clone() })
            }
            Op::Restart { steady_anew } => {
                if steady_anew {
                    self.now.steady = Instant::ZERO;
                }
                self.table.restart(self.now);
                None
            }
            Op::RestartEmpty => {
                self.generation += 1;
                self.table.restart_empty(self.now, self.generation);
                None
            }
            Op::Snapshot => {
                self.snapshots.push(self.table.clone());
                None
            }
            Op::Promote { ref snapshot } => {
                if !self.snapshots.is_empty() {
                    self.generation += 1;
                    let former = snapshot.get(&self.snapshots).clone();
                    self.table.promote(former, self.now, self.generation);
                }
                None
            }
            Op::SetTimeout { ms } => {
                self.table.set_timeout(Duration::from_millis(ms));
                None
            }
            Op::NewLife { actor } => {
                let actor = &mut self.actors[usize::from(actor)];
                *actor = Actor { life: actor.life + 1, seq: actor.seq, ..Actor::default() };
                None
            }
            Op::Pass { ms, wall_ms } => {
                self.now.steady = shifted(self.now.steady, ms);
                self.now.wall = shifted(self.now.wall, ms + wall_ms);
                None
            }
        }
    }

    fn incarnation(&self, actor: u8) -> Incarnation {
        Incarnation { mint: u64::from(actor) + 1, life: self.actors[usize::from(actor)].life }
    }

    fn claim(&mut self, actor: u8, utype: Utype, token: TokenKind, held: bool, again: bool) -> Claim {
        let incarnation = self.incarnation(actor);
        let token = token_of(&self.table, utype, token, self.now, &self.actors[usize::from(actor)]);
        let actor_state = &mut self.actors[usize::from(actor)];
        actor_state.seq += u32::from(!again);
        Claim {
            utype,
            incarnation,
            host: Host(u16::from(actor % 2)),
            seq: actor_state.seq,
            sent_at: Instant::ZERO,
            epoch: if held { actor_state.held[utype.index()] } else { Epoch::NONE },
            token,
        }
    }
}

fn token_of(table: &HeartbeatTable, utype: Utype, kind: TokenKind, now: StoreNow, actor: &Actor) -> Option<Token> {
    let entry = table.entry(utype);
    let exact = |incarnation| entry.map(|entry| Token { incarnation, stamp: entry.stamp, version: entry.version });
    match kind {
        TokenKind::None => None,
        TokenKind::Default => Some(Token::default()),
        TokenKind::Remembered => actor.seen[utype.index()],
        TokenKind::Shown => Some(ask(&mut table.clone(), utype, now).row.token()),
        TokenKind::Exact => exact(entry.map(|entry| entry.incarnation)),
        TokenKind::EmptyExact => exact(None),
    }
}

fn ask(table: &mut HeartbeatTable, utype: Utype, now: StoreNow) -> Answer {
    table.query(&Query { utype, asker: Incarnation::default(), tag: 0, sent_at: Instant::ZERO }, now)
}

fn shifted(instant: Instant, ms: i64) -> Instant {
    Instant::from_micros(instant.as_micros().saturating_add_signed(ms * 1_000))
}

/// Every rule set that ships, and every one that differs from published or hardened rules in one decision.
fn rule_sets() -> Vec<(String, Rules)> {
    let published = serde_json::to_value(Rules::published()).expect("rules are data");
    let hardened = serde_json::to_value(Rules::hardened()).expect("rules are data");
    let mut sets = vec![
        ("published".to_owned(), Rules::published()),
        ("hardened".to_owned(), Rules::hardened()),
        ("client_go".to_owned(), Rules::client_go()),
        ("shedlock".to_owned(), Rules::shedlock()),
        ("observed".to_owned(), Rules { age: StoreAge::Observer, ..Rules::hardened() }),
    ];
    let rules = |value: Value| serde_json::from_value::<Rules>(value).expect("a switched rule set is a rule set");
    for field in published.as_object().expect("rules are an object").keys() {
        let mut with = published.clone();
        with[field] = hardened[field].clone();
        sets.push((format!("published with {field}"), rules(with)));
        let mut without = hardened.clone();
        without[field] = published[field].clone();
        sets.push((format!("hardened without {field}"), rules(without)));
    }
    sets
}

const DIALECTS: [Dialect; 3] = [Dialect::DesignText, Dialect::InMemory, Dialect::Sql];

fn any_rules() -> impl Strategy<Value = (String, Rules)> {
    select(rule_sets())
}

fn any_op(utypes: u16) -> impl Strategy<Value = Op> {
    let actor = || 0..ACTORS;
    let utype = move || (0..utypes).prop_map(Utype);
    prop_oneof![
        4 => (actor(), utype()).prop_map(|(actor, utype)| Op::Query { actor, utype }),
        8 => (actor(), utype(), select(&TOKENS[..]), any::<bool>(), prop::bool::weighted(0.1)).prop_map(
            |(actor, utype, token, held, again)| Op::Heartbeat { actor, utype, token, held, again }
        ),
        1 => (actor(), utype()).prop_map(|(actor, utype)| Op::Resign { actor, utype }),
        1 => any::<bool>().prop_map(|steady_anew| Op::Restart { steady_anew }),
        1 => Just(Op::RestartEmpty),
        1 => Just(Op::Snapshot),
        1 => any::<Index>().prop_map(|snapshot| Op::Promote { snapshot }),
        1 => select(&[2_500, 5_000, 8_000][..]).prop_map(|ms| Op::SetTimeout { ms }),
        1 => actor().prop_map(|actor| Op::NewLife { actor }),
        6 => (select(&SPANS[..]), select(&[0, 0, 0, 0, 50_000, -50_000, 3_600_000, -3_600_000][..]))
            .prop_map(|(ms, wall_ms)| Op::Pass { ms, wall_ms }),
    ]
}

fn any_ops(utypes: u16) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(any_op(utypes), 1..60)
}

/// `ops` without the restarts and promotions after which these rules let the store forget what it granted.
fn remembered(ops: Vec<Op>, rules: Rules) -> Vec<Op> {
    let remembers = |op: &Op| match op {
        Op::RestartEmpty => rules.grace == Grace::LongestTerm,
        Op::Promote { .. } => rules.grace_on_promotion == Grace::LongestTerm,
        _ => true,
    };
    ops.into_iter().filter(remembers).collect()
}

type Judgement = Result<(), String>;

fn convict(evidence: String) -> Judgement {
    Err(evidence)
}

/// Judges that no entry is valid and granted to a stranger at once, whatever token the stranger holds; and that the
/// table's own words for both, `is_valid` and `is_open`, agree with what it does.
fn never_valid_and_takeable(records: &[Record]) -> Judgement {
    for record in records {
        let Record { now, utype, after, .. } = record;
        let stranger = Incarnation { mint: 99, life: 1 };
        for kind in TOKENS {
            let host =
                after.config().affinity.of(*utype).and_then(|other| after.entry(other)).map_or(Host(0), |e| e.host);
            let claim = Claim {
                utype: *utype,
                incarnation: stranger,
                host,
                seq: 1,
                sent_at: Instant::ZERO,
                epoch: Epoch::NONE,
                token: token_of(after, *utype, kind, *now, &Actor::default()),
            };
            let (outcome, _) = after.clone().heartbeat(&claim, *now);
            if outcome != Outcome::Refused && after.is_valid(*utype, *now) {
                return convict(format!("{:?} is valid and goes to a stranger with {kind:?}", after.entry(*utype)));
            }
            if outcome != Outcome::Refused && !after.is_open(*utype, *now) {
                return convict(format!("{:?} is not open and goes to a stranger", after.entry(*utype)));
            }
        }
        if after.is_valid(*utype, *now) && after.is_open(*utype, *now) {
            return convict(format!("{:?} is valid and open", after.entry(*utype)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    /// Under observation the store calls every entry valid: there a takeover is a compare-and-set on the version.
    #[test]
    fn an_entry_is_never_valid_and_takeable_at_once(
        (name, rules) in any_rules(), dialect in select(&DIALECTS[..]), ops in any_ops(UTYPES as u16),
    ) {
        let records = Play::new(rules, dialect, &[]).run(&ops);
        let verdict = match rules.age {
            StoreAge::Observer => takes_over_by_version_only(&records),
            StoreAge::Wall | StoreAge::Steady => never_valid_and_takeable(&records),
        };
        prop_assert_eq!(verdict, Ok(()), "{}, {:?}", name, dialect);
    }
}

/// Judges that an entry that exists changes hands only by a claim that names its version.
fn takes_over_by_version_only(records: &[Record]) -> Judgement {
    for Record { utype, claim, outcome, before, .. } in records {
        if let (Some(claim), Some(Outcome::Granted(_)), Some(entry)) = (claim, outcome, before.entry(*utype))
            && claim.token.map(|token| token.version) != Some(entry.version)
        {
            return convict(format!("{claim:?} took over version {}", entry.version));
        }
    }
    Ok(())
}

const fn beat(actor: u8, utype: Utype, token: TokenKind) -> Op {
    Op::Heartbeat { actor, utype, token, held: false, again: false }
}

const fn pass(ms: i64) -> Op {
    Op::Pass { ms, wall_ms: 0 }
}

#[test]
fn judge_of_takeability_convicts_observation() {
    let ops = [beat(0, A, TokenKind::None)];
    let observed = Play::new(Rules::client_go(), Dialect::Sql, &[]).run(&ops);
    assert!(never_valid_and_takeable(&observed).is_err());
    let published = Play::new(Rules::published(), Dialect::Sql, &[]).run(&ops);
    assert_eq!(never_valid_and_takeable(&published), Ok(()));
}

#[test]
fn judge_of_takeover_by_version_convicts_the_design_text() {
    let ops = [beat(0, A, TokenKind::None), pass(5_001), beat(1, A, TokenKind::None)];
    let records = Play::new(Rules::published(), Dialect::DesignText, &[]).run(&ops);
    assert!(takes_over_by_version_only(&records).is_err());
}

/// Judges that epochs of one kind never decrease and never belong to two incarnations.
fn epochs_name_one_owner(records: &[Record]) -> Judgement {
    let mut last: [Option<(Epoch, Incarnation)>; UTYPES] = [None; UTYPES];
    for Record { utype, claim, outcome, .. } in records {
        let (Some(claim), Some(Outcome::Granted(epoch) | Outcome::Renewed(epoch))) = (claim, outcome) else { continue };
        let last = &mut last[utype.index()];
        if let Some((former, owner)) = *last {
            if *epoch < former {
                return convict(format!("{epoch:?} after {former:?}"));
            }
            if *epoch == former && owner != claim.incarnation {
                return convict(format!("{epoch:?} belongs to {owner:?} and {:?}", claim.incarnation));
            }
        }
        *last = Some((*epoch, claim.incarnation));
    }
    Ok(())
}

/// Judges that each grant begins an epoch of its own.
fn each_grant_begins_an_epoch(records: &[Record]) -> Judgement {
    let mut highest = [Epoch::NONE; UTYPES];
    for Record { utype, outcome, .. } in records {
        match outcome {
            Some(Outcome::Granted(epoch)) if *epoch <= highest[utype.index()] => {
                return convict(format!("{epoch:?} granted after {:?}", highest[utype.index()]));
            }
            Some(Outcome::Granted(epoch)) => highest[utype.index()] = *epoch,
            Some(Outcome::Renewed(_) | Outcome::Refused) | None => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    /// A store that may forget without a new generation is allowed to repeat itself, so there it does not forget.
    #[test]
    fn epochs_never_repeat_or_decrease(
        (name, rules) in any_rules(), dialect in select(&DIALECTS[..]), ops in any_ops(UTYPES as u16),
    ) {
        let ops = remembered(ops, rules);
        let records = Play::new(rules, dialect, &[]).run(&ops);
        prop_assert_eq!(epochs_name_one_owner(&records), Ok(()), "{}, {:?}", name, dialect);
        prop_assert_eq!(each_grant_begins_an_epoch(&records), Ok(()), "{}, {:?}", name, dialect);
    }
}

#[test]
fn judges_of_epochs_convict_a_store_that_forgets_them() {
    let restarted = [beat(0, A, TokenKind::Shown), Op::RestartEmpty, beat(1, A, TokenKind::Shown)];
    let promoted =
        [Op::Snapshot, beat(0, A, TokenKind::Shown), Op::Promote { snapshot: first() }, beat(1, A, TokenKind::Shown)];
    for ops in [&restarted[..], &promoted[..]] {
        let records = Play::new(Rules::published(), Dialect::InMemory, &[]).run(ops);
        assert!(epochs_name_one_owner(&records).is_err(), "{ops:?}");
        assert!(each_grant_begins_an_epoch(&records).is_err(), "{ops:?}");
        let mut patient = ops.to_vec();
        patient.insert(ops.len() - 1, pass(8_000));
        let records = Play::new(Rules::hardened(), Dialect::InMemory, &[]).run(&patient);
        assert_eq!(
            records.last().and_then(|record| record.outcome),
            Some(Outcome::Granted(Epoch { generation: 1, counter: 1 + u32::from(ops.len() == 3) }))
        );
        assert_eq!(epochs_name_one_owner(&records), Ok(()));
    }
}

/// The first of any list.
fn first() -> Index {
    let mut tree = any::<Index>().new_tree(&mut TestRunner::deterministic()).expect("no filter");
    while tree.simplify() {}
    tree.current()
}

/// Judges that a refused heartbeat changes nothing. Only this may be noted: that its answer read empty, because a
/// client that reads answers to heartbeats learns from it what a query would have told.
fn refused_changes_nothing(records: &[Record]) -> Judgement {
    for Record { utype, outcome, answer, before, after, .. } in records {
        if *outcome != Some(Outcome::Refused) {
            continue;
        }
        let mut expected = before.clone();
        let empty = answer.is_some_and(|answer| answer.row.incarnation.is_none());
        if let Some(entry) = before.entry(*utype) {
            let answered_empty = entry.answered_empty || empty;
            expected.put(*utype, Some(Entry { answered_empty, ..*entry }));
        }
        // All that the table holds, seen or not.
        let (expected, after) = (format!("{expected:?}"), format!("{after:?}"));
        if expected != after {
            return convict(format!("refused, but\n{expected}\nbecame\n{after}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_refused_heartbeat_changes_nothing(
        (name, rules) in any_rules(), dialect in select(&DIALECTS[..]), ops in any_ops(UTYPES as u16),
    ) {
        let records = Play::new(rules, dialect, &[(B, A)]).run(&ops);
        prop_assert_eq!(refused_changes_nothing(&records), Ok(()), "{}, {:?}", name, dialect);
    }
}

/// No rule breaks this law, so the records are altered: an accepted heartbeat is told as a refused one, and a refused
/// one that read a name as one that was noted as read empty.
#[test]
fn judge_of_refusals_convicts_altered_records() {
    let ops = [beat(0, A, TokenKind::Shown), beat(1, A, TokenKind::Shown)];
    let records = Play::new(Rules::hardened(), Dialect::InMemory, &[]).run(&ops);
    assert_eq!(records[1].outcome, Some(Outcome::Refused));
    assert_eq!(refused_changes_nothing(&records), Ok(()));
    let mut told = records.clone();
    told[0].outcome = Some(Outcome::Refused);
    assert!(refused_changes_nothing(&told).is_err());
    let mut noted = records;
    let entry = *noted[1].after.entry(A).expect("granted");
    noted[1].after.put(A, Some(Entry { answered_empty: true, ..entry }));
    assert!(refused_changes_nothing(&noted).is_err());
}

/// Judges that an epoch about which somebody was answered empty is never renewed. It keeps its own list of such epochs.
fn empty_answer_is_final(records: &[Record]) -> Judgement {
    let mut answered_empty: Vec<(Utype, Epoch)> = Vec::new();
    for Record { utype, outcome, answer, after, .. } in records {
        if let Some(Outcome::Renewed(epoch)) = outcome
            && answered_empty.contains(&(*utype, *epoch))
        {
            return convict(format!("{epoch:?} of {utype:?} was answered empty, then renewed"));
        }
        if let (Some(answer), Some(entry)) = (answer, after.entry(*utype))
            && answer.row.incarnation.is_none()
        {
            answered_empty.push((*utype, entry.epoch));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    /// A store that forgets epochs, or is rolled back behind an answer, forgets its answers too; there it does neither.
    #[test]
    fn an_entry_answered_empty_is_never_renewed(
        (name, rules) in any_rules(), dialect in select(&DIALECTS[..]), ops in any_ops(UTYPES as u16),
    ) {
        let rules = Rules { empty_is_final: EmptyAnswer::Final, ..rules };
        let ops = remembered(ops, rules);
        let records = Play::new(rules, dialect, &[]).run(&ops);
        prop_assert_eq!(empty_answer_is_final(&records), Ok(()), "{}, {:?}", name, dialect);
    }
}

#[test]
fn judge_of_empty_answers_convicts_a_late_renewal() {
    let ops =
        [beat(0, A, TokenKind::None), pass(5_001), Op::Query { actor: 1, utype: A }, beat(0, A, TokenKind::Exact)];
    for dialect in DIALECTS {
        let published = Play::new(Rules::published(), dialect, &[]).run(&ops);
        assert!(empty_answer_is_final(&published).is_err(), "{dialect:?}");
        let hardened = Play::new(Rules::hardened(), dialect, &[]).run(&ops);
        assert_eq!(empty_answer_is_final(&hardened), Ok(()), "{dialect:?}");
    }
}

/// An own claim with a takeover token is no renewal either.
#[test]
fn an_owner_whose_entry_was_answered_empty_gets_a_new_epoch() {
    let ops =
        [beat(0, A, TokenKind::None), pass(5_001), Op::Query { actor: 0, utype: A }, beat(0, A, TokenKind::EmptyExact)];
    for dialect in DIALECTS {
        let rules = Rules { empty_is_final: EmptyAnswer::Final, ..Rules::published() };
        let records = Play::new(rules, dialect, &[]).run(&ops);
        let outcome = records.last().and_then(|record| record.outcome);
        assert_eq!(outcome, Some(Outcome::Granted(Epoch { generation: 0, counter: 2 })), "{dialect:?}");
    }
}

/// Judges that kinds do not touch each other: a request about one leaves the others' entries alone, and `alone`, the
/// same play without the requests about other kinds, tells the same about `utype`. Versions count the whole table's
/// acceptances, so they are left out.
fn kinds_are_independent(records: &[Record], alone: &[Record], utype: Utype) -> Judgement {
    for record in records {
        for other in (0..UTYPES).map(|other| Utype(other as u16)).filter(|other| *other != record.utype) {
            if record.before.entry(other) != record.after.entry(other) {
                return convict(format!("a request about {:?} changed {other:?}", record.utype));
            }
        }
    }
    let told = |records: &[Record]| -> Vec<_> {
        let unversioned = |entry: &Entry| Entry { version: 0, ..*entry };
        let about = records.iter().filter(|record| record.utype == utype);
        about.map(|record| (record.outcome, record.after.entry(utype).map(unversioned))).collect()
    };
    let (together, alone) = (told(records), told(alone));
    match together == alone {
        true => Ok(()),
        false => convict(format!("{utype:?} in company:\n{together:?}\nand alone:\n{alone:?}")),
    }
}

/// `ops` without requests about other kinds than `utype`.
fn projected(ops: &[Op], utype: Utype) -> Vec<Op> {
    let about = |op: &&Op| match op {
        Op::Query { utype: other, .. } | Op::Heartbeat { utype: other, .. } | Op::Resign { utype: other, .. } => {
            *other == utype
        }
        _ => true,
    };
    ops.iter().filter(about).cloned().collect()
}

/// Gives each actor one kind: actor `n` speaks about kind `n % UTYPES` only, so that its numbering is not shared.
fn one_kind_each(ops: Vec<Op>) -> Vec<Op> {
    let kind = |actor: u8| Utype(u16::from(actor) % UTYPES as u16);
    let assign = |op| match op {
        Op::Query { actor, .. } => Op::Query { actor, utype: kind(actor) },
        Op::Heartbeat { actor, token, held, again, .. } => {
            Op::Heartbeat { actor, utype: kind(actor), token, held, again }
        }
        Op::Resign { actor, .. } => Op::Resign { actor, utype: kind(actor) },
        other => other,
    };
    ops.into_iter().map(assign).collect()
}

proptest! {
    #![proptest_config(fixed(256))]

    /// Kinds share the count of versions. A store that forgets it can meet an old token by accident, so here it does
    /// not.
    #[test]
    fn kinds_of_leader_are_independent_without_affinity(
        (name, rules) in any_rules(), dialect in select(&DIALECTS[..]), ops in any_ops(UTYPES as u16),
        utype in (0..UTYPES as u16).prop_map(Utype),
    ) {
        let ops = remembered(one_kind_each(ops), rules);
        let records = Play::new(rules, dialect, &[]).run(&ops);
        let alone = Play::new(rules, dialect, &[]).run(&projected(&ops, utype));
        prop_assert_eq!(kinds_are_independent(&records, &alone, utype), Ok(()), "{}, {:?}", name, dialect);
    }
}

#[test]
fn judge_of_independence_convicts_affinity() {
    let ops = [beat(0, A, TokenKind::Shown), beat(2, B, TokenKind::Shown)];
    let play =
        |affinity: &[(Utype, Utype)], ops: &[Op]| Play::new(Rules::hardened(), Dialect::InMemory, affinity).run(ops);
    let (together, alone) = (play(&[(B, A)], &ops), play(&[(B, A)], &projected(&ops, B)));
    assert!(kinds_are_independent(&together, &alone, B).is_err());
    let (together, alone) = (play(&[], &ops), play(&[], &projected(&ops, B)));
    assert_eq!(kinds_are_independent(&together, &alone, B), Ok(()));
    let mut altered = together.clone();
    altered[1].after.put(A, None);
    assert!(kinds_are_independent(&altered, &alone, B).is_err());
}

/// Judges that each accepted heartbeat of B found A valid on the same host, and that B is not valid one instant longer
/// than A if nothing else happens.
fn follower_stays_with_its_leader(records: &[Record]) -> Judgement {
    for Record { now, utype, claim, outcome, before, after, .. } in records {
        let (Some(claim), Some(Outcome::Granted(_) | Outcome::Renewed(_))) = (claim, outcome) else { continue };
        if *utype != B {
            continue;
        }
        match before.entry(A) {
            Some(leader) if leader.host == claim.host && before.is_valid(A, *now) => {}
            leader => return convict(format!("B accepted on {:?} with A at {leader:?}", claim.host)),
        }
        let (Some(leader), Some(follower)) = (after.entry(A), after.entry(B)) else {
            return convict("B accepted, but an entry is missing".to_owned());
        };
        let (a_until, b_until) = (leader.accepted_at + leader.term, follower.accepted_at + follower.term);
        if b_until > a_until && follower.term > Duration::ZERO {
            return convict(format!("B's term ends at {b_until:?}, A's at {a_until:?}"));
        }
        if outlives(after, *now) {
            return convict(format!("B is valid longer than A: {follower:?}, {leader:?}"));
        }
    }
    Ok(())
}

/// Whether the table, left alone from `now` on, ever calls B valid when A is not. Acceptances happen on whole
/// milliseconds and terms are whole milliseconds, so looking at each one misses nothing.
fn outlives(table: &HeartbeatTable, now: StoreNow) -> bool {
    (0..=LONGEST.as_micros() / 1_000).any(|later_ms| {
        let later = ms(later_ms);
        let then = StoreNow { wall: now.wall + later, steady: now.steady + later };
        table.is_valid(B, then) && !table.is_valid(A, then)
    })
}

/// The law speaks of terms in rows and of a clock that does not step: that is what makes an end comparable.
fn transactional(rules: Rules) -> Rules {
    Rules {
        affinity_in_transaction: AffinityCheck::Transaction,
        age: StoreAge::Steady,
        term_in_row: TermSource::Row,
        ..rules
    }
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_follower_is_accepted_only_with_its_leader_and_for_no_longer(
        (name, rules) in any_rules(), dialect in select(&DIALECTS[..]), ops in any_ops(2),
    ) {
        let records = Play::new(transactional(rules), dialect, &[(B, A)]).run(&ops);
        prop_assert_eq!(follower_stays_with_its_leader(&records), Ok(()), "{}, {:?}", name, dialect);
    }
}

#[test]
fn judge_of_affinity_convicts_clients_that_check_for_themselves() {
    let alone = [beat(0, B, TokenKind::Shown)];
    let elsewhere = [beat(0, A, TokenKind::Shown), beat(1, B, TokenKind::Shown)];
    let longer = [beat(0, A, TokenKind::Shown), pass(4_900), beat(2, B, TokenKind::Shown)];
    for ops in [&alone[..], &elsewhere[..], &longer[..]] {
        let rules = Rules { affinity_in_transaction: AffinityCheck::ClientRead, ..Rules::hardened() };
        let records = Play::new(rules, Dialect::InMemory, &[(B, A)]).run(ops);
        assert!(follower_stays_with_its_leader(&records).is_err(), "{ops:?}");
        let records = Play::new(Rules::hardened(), Dialect::InMemory, &[(B, A)]).run(ops);
        assert_eq!(follower_stays_with_its_leader(&records), Ok(()), "{ops:?}");
    }
    let records = Play::new(Rules::hardened(), Dialect::InMemory, &[(B, A)]).run(&longer);
    let accepted = records.last().and_then(|record| record.outcome);
    assert!(matches!(accepted, Some(Outcome::Granted(_))), "the law is not kept by refusing everything");
}

/// Judges that a renewal never ends a term earlier than promised before: the owner may never hear of the shorter one.
fn promises_are_kept(records: &[Record]) -> Judgement {
    for Record { utype, outcome, before, after, .. } in records {
        let (Some(Outcome::Renewed(_)), Some(former), Some(entry)) =
            (outcome, before.entry(*utype), after.entry(*utype))
        else {
            continue;
        };
        if entry.accepted_at + entry.term < former.accepted_at + former.term {
            return convict(format!("{former:?} was cut short by {entry:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_renewal_never_shortens_a_promised_term(
        (name, rules) in any_rules(), dialect in select(&DIALECTS[..]), ops in any_ops(2),
    ) {
        let rules = Rules { age: StoreAge::Steady, term_in_row: TermSource::Row, ..rules };
        let records = Play::new(rules, dialect, &[]).run(&remembered(ops, rules));
        prop_assert_eq!(promises_are_kept(&records), Ok(()), "{}, {:?}", name, dialect);
    }
}

#[test]
fn judge_of_promises_convicts_a_timeout_lowered_under_local_terms() {
    let ops = [
        Op::SetTimeout { ms: 8_000 },
        beat(0, A, TokenKind::Shown),
        Op::SetTimeout { ms: 2_500 },
        pass(1_000),
        beat(0, A, TokenKind::Exact),
    ];
    let play = |term_in_row| Play::new(Rules { term_in_row, ..Rules::hardened() }, Dialect::InMemory, &[]).run(&ops);
    assert!(promises_are_kept(&play(TermSource::Local)).is_err());
    assert_eq!(promises_are_kept(&play(TermSource::Row)), Ok(()));
}

/// The random sequences reach what the laws speak of; else the laws would hold by idleness.
#[test]
fn sequences_reach_what_the_laws_speak_of() {
    let mut runner = TestRunner::deterministic();
    let strategy = (any_rules(), select(&DIALECTS[..]), any_ops(2));
    let [mut grants, mut takeovers, mut renewals, mut followers, mut empty_refusals, mut late_claims] = [0; 6];
    for _ in 0..256 {
        let ((_, rules), dialect, ops) = strategy.new_tree(&mut runner).expect("no filter").current();
        for record in Play::new(transactional(rules), dialect, &[(B, A)]).run(&ops) {
            let (Some(claim), Some(outcome)) = (record.claim, record.outcome) else { continue };
            let empty = record.answer.is_some_and(|answer| answer.row.incarnation.is_none());
            let former = record.before.entry(record.utype);
            grants += u32::from(matches!(outcome, Outcome::Granted(_)));
            takeovers += u32::from(matches!(outcome, Outcome::Granted(_)) && former.is_some());
            renewals += u32::from(matches!(outcome, Outcome::Renewed(_)));
            followers += u32::from(outcome != Outcome::Refused && claim.utype == B);
            empty_refusals += u32::from(outcome == Outcome::Refused && empty && former.is_some());
            late_claims += u32::from(former.is_some_and(|f| f.answered_empty && f.incarnation == claim.incarnation));
        }
    }
    let reached = [grants, takeovers, renewals, followers, empty_refusals, late_claims];
    println!("grants, takeovers, renewals, followers, refusals that read empty, late claims: {reached:?}");
    assert!(reached.iter().all(|count| *count >= 20), "{reached:?}");
}

/// The rule sets differ as they should, so that a law over all of them is a law over many.
#[test]
fn rule_sets_are_all_different() {
    let sets = rule_sets();
    assert_eq!(sets.len(), 5 + 2 * 14);
    for (index, (name, rules)) in sets.iter().enumerate() {
        for (other, others) in &sets[..index] {
            assert!(rules != others, "{name} and {other} are the same rules");
        }
    }
}
