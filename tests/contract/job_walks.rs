//! Random walks of one attempt of a job and two servers, each step asked of tables, formulas, oracle and history.
//!
//! The formulas are asked twice: about each seat, as the tables are, and about the whole, of which there is no table.

use failproof_spec::contract::LabelSet;
use failproof_spec::job::JobSeatCode;
use failproof_spec::seat::SeatAction;
use failproof_spec::{Flight, Instance, JobAction, JobOracle, JobState, JobToken, Property, Row};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;
use tla_checker::ast::Value;

use super::{Formulas, Kept, Tables, Tally};
use crate::contract_compiler::{model_value, string};

/// How many steps a walk is asked about before another one begins.
const LENGTH: usize = 60;
const SERVERS: u8 = 2;

/// A step that was taken.
struct Event {
    action: JobAction,
    server: Option<u8>,
    /// How many more instances live afterwards.
    begins: bool,
    /// How many end: by themselves, or stopped.
    ends: u8,
    /// Whether a server's epoch, older than the newest that the cluster saw, changed the instance.
    stale: bool,
    /// What else it did wrong, by the name in `wrongs`.
    wrongs: BTreeSet<&'static str>,
}

/// Asks about so many steps, in walks of the strict contract or of the permissive one.
///
/// # Errors
/// Two judges disagree.
pub(super) fn walk(tables: &Tables<JobSeatCode>, strict: bool, asked: usize) -> Result<Tally, String> {
    let mut formulas = Formulas::<JobSeatCode>::load();
    let of_two = |cfg: String| JobSeatCode::model(&cfg.replace("Server = {a}", "Server = {a, b}"));
    let whole_strict = of_two(JobSeatCode::strict_cfg());
    let whole_permissive = of_two(JobSeatCode::permissive_cfg().replace("Follows = FALSE", "Follows = TRUE"));
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut tally = Tally::default();
    while tally.asked < asked {
        let mut oracle = JobOracle::new(1, SERVERS.into());
        let (mut found, mut history) = (Vec::new(), Vec::<Event>::new());
        let mut state = JobState::default();
        let mut wrongs: BTreeSet<&'static str> = BTreeSet::new();
        for at_us in 0..LENGTH.min(asked - tally.asked) as u64 {
            tally.asked += 1;
            // The last action is the outsiders', of whom there are none.
            let action = JobAction::ALL[random.next_u32() as usize % (JobAction::ALL.len() - 1)];
            let server = (random.next_u32() % u32::from(SERVERS)) as u8;
            let to = attempt(&mut random, action, server, &state);
            let mover = action.has_server().then_some(server);
            let story = || format!("{action:?} of {mover:?} from {state:?} to {to:?}");

            let mut seats_allow = true;
            for seat in 0..SERVERS {
                let (from, to) = (state.seen_by(seat), to.seen_by(seat));
                let loose = (from.unfollowed().code(), to.unfollowed().code());
                let [kept, _] = formulas.agreed(tables, (from.code(), to.code()), loose)?;
                let seen = if mover.is_none() { action.label() } else { JobAction::Elsewhere.label() };
                let label = if mover == Some(seat) { action.label() } else { seen };
                seats_allow &= (from == to && mover != Some(seat)) || kept.meets(label);
            }

            let done = wrong(action, server, &state);
            let wrongs_after: BTreeSet<_> = wrongs.union(&done).copied().collect();
            let from_var = |name: &str| value(&state, &wrongs, name);
            let to_var = |name: &str| value(&to, &wrongs_after, name);
            let actor = mover.map(|server| place(Some(server)));
            let permitted = whole_permissive.holds(action.name(), actor.clone(), &from_var, &to_var)?;
            let mut judged = oracle.clone();
            let mut new = Vec::new();
            judged.step(action, 0, mover, to, at_us, &mut new);
            if oracle.is_strict(0) {
                let kept = whole_strict.holds(action.name(), actor, &from_var, &to_var)?;
                if judged.is_strict(0) != kept {
                    return Err(format!("{}: the oracle says {}, the formula {kept}", story(), judged.is_strict(0)));
                }
                if kept && !seats_allow {
                    return Err(format!("{}: the whole allows it, and a seat does not", story()));
                }
            }
            let mapping = new.iter().any(|finding| finding.property == Property::RefinementHolds);
            if permitted && mapping {
                return Err(format!("{}: the formula permits it, the oracle finds {new:?}", story()));
            }
            if if strict { !judged.is_strict(0) } else { !permitted || mapping } {
                continue;
            }
            tally.taken += 1;
            let (before, after) = (state.instance, to.instance);
            let begins = after.starts > before.starts;
            history.push(Event {
                action,
                server: mover,
                begins,
                ends: (before.live + u8::from(begins)).saturating_sub(after.live),
                stale: state.seats[usize::from(server)].token == JobToken::Fenced
                    && action == JobAction::Land
                    && before != after,
                wrongs: done,
            });
            found.append(&mut new);
            (state, wrongs, oracle) = (to, wrongs_after, judged);

            let said = said(&history, &state);
            let variable = |name: &str| value(&state, &wrongs, name);
            for (invariant, said) in JobSeatCode::INVARIANTS.iter().zip(said) {
                let holds = whole_strict.holds(invariant, None, &variable, &variable)?;
                if holds == said {
                    return Err(format!("{action:?}: {invariant} is {holds} of {state:?}, the history says {}", !said));
                }
                if said && !found.iter().any(|finding| finding.property.name() == *invariant) {
                    return Err(format!("{state:?}: the history breaks {invariant}, the oracle finds {found:?}"));
                }
            }
            tally.convicted += usize::from(said.contains(&true));
        }
    }
    Ok(tally)
}

/// Of each invariant, in their order, whether the history of a walk breaks it. Only what a history cannot know is read off
/// the state: where the row stands.
fn said(history: &[Event], state: &JobState) -> [bool; 7] {
    let did = |what: &str| history.iter().any(|event| event.wrongs.contains(what));
    let begun = history.iter().filter(|event| event.begins).count();
    let ended: usize = history.iter().map(|event| usize::from(event.ends)).sum();
    let is_over = history.iter().any(|event| event.action == JobAction::Close);
    let (callers, sent) = (callers(history, state), calls(history).next().is_some());
    let strangers = match state.owner {
        Some(owner) => callers.iter().any(|caller| *caller != owner),
        None => callers.len() > 1,
    };
    [
        begun > 1,
        !is_over && strangers,
        history.iter().any(|event| event.stale),
        is_over && begun > ended,
        sent && !state.is_intended() || state.row == Row::Running && begun == 0 || did("unasked"),
        did("unready"),
        did("haste"),
    ]
}

/// The calls of the cluster that may still arrive: of each server, since its newest claim.
fn calls(history: &[Event]) -> impl Iterator<Item = &Event> {
    let claims =
        |server| history.iter().rposition(move |event| event.action == JobAction::Claim && event.server == server);
    let sends = |event: &Event| matches!(event.action, JobAction::SendStart | JobAction::SendStop);
    let newest = move |event: &Event, at: usize| claims(event.server).is_none_or(|claim| claim < at);
    history.iter().enumerate().filter(move |(at, event)| sends(event) && newest(event, *at)).map(|(_, event)| event)
}

/// Who called the cluster in the row's epoch, or in none.
fn callers(history: &[Event], state: &JobState) -> BTreeSet<u8> {
    let in_epoch = |server: &u8| matches!(state.seats[usize::from(*server)].token, JobToken::None | JobToken::Current);
    calls(history).filter_map(|event| event.server).filter(in_epoch).collect()
}

/// What a step does wrong that leaves no other trace.
fn wrong(action: JobAction, server: u8, from: &JobState) -> BTreeSet<&'static str> {
    let wrongs = [
        (action == JobAction::Claim && from.owner.is_some() && !from.expired, "haste"),
        (action == JobAction::Intend && !from.seats[usize::from(server)].ready, "unready"),
        (action == JobAction::SendStop && !from.cancel && from.row != Row::Over, "unasked"),
    ];
    wrongs.into_iter().filter(|(done, _)| *done).map(|(_, what)| what).collect()
}

/// The value of a variable of `Job.tla` for two servers.
fn value(state: &JobState, wrongs: &BTreeSet<&'static str>, variable: &str) -> Value {
    let seats = || (0..SERVERS).map(|at| (place(Some(at)), &state.seats[usize::from(at)]));
    match variable {
        "owner" => place(state.owner),
        "row" => string(state.row.name()),
        "expired" => Value::Bool(state.expired),
        "token" => Value::func(seats().map(|(name, seat)| (name, string(seat.token.name()))).collect()),
        "flight" => Value::func(seats().map(|(name, seat)| (name, string(seat.flight.name()))).collect()),
        "ready" => Value::set(seats().filter(|(_, seat)| seat.ready).map(|(name, _)| name).collect()),
        "cancel" => Value::Bool(state.cancel),
        "doubted" => Value::set(seats().filter(|(_, seat)| seat.doubted).map(|(name, _)| name).collect()),
        "used" => Value::Bool(state.instance.used),
        "starts" => Value::Int(state.instance.starts.into()),
        "live" => Value::Int(state.instance.live.into()),
        "stale" => Value::Bool(state.stale),
        "wrongs" => Value::set(wrongs.iter().map(|what| string(what)).collect()),
        other => panic!("Job.tla has no variable {other}"),
    }
}

fn place(server: Option<u8>) -> Value {
    model_value(server.map_or("Nobody", |at| ["a", "b"][usize::from(at)]))
}

/// What an action of a server usually leads to, and sometimes something else besides.
fn attempt(random: &mut ChaCha8Rng, action: JobAction, server: u8, from: &JobState) -> JobState {
    let mut below = |bound: usize| random.next_u32() as usize % bound;
    let mut to = *from;
    let at = usize::from(server);
    match action {
        JobAction::Claim => {
            to.owner = Some(server);
            to.expired = false;
            to.row = if from.row == Row::Pending { Row::Claimed } else { from.row };
            for seat in to.seats.iter_mut().filter(|seat| seat.token == JobToken::Current) {
                seat.token = if below(8) == 0 { JobToken::Current } else { JobToken::Old };
            }
            to.seats.iter_mut().for_each(|seat| seat.ready = false);
            to.seats[at].ready = matches!(from.row, Row::Pending | Row::Claimed) && below(2) == 0;
            (to.seats[at].token, to.seats[at].flight) = (JobToken::Current, Flight::None);
        }
        JobAction::Release => {
            (to.owner, to.expired) = (None, false);
            to.row = if from.row == Row::Claimed { Row::Pending } else { from.row };
            to.seats.iter_mut().for_each(|seat| seat.ready = false);
        }
        JobAction::Intend => {
            to.row = Row::Starting;
            to.seats.iter_mut().for_each(|seat| seat.ready = false);
        }
        JobAction::Adopt => to.row = Row::Running,
        // Rare, because a walk goes nowhere after it.
        JobAction::Close if below(3) > 0 => {}
        JobAction::Close => {
            (to.owner, to.expired, to.row, to.cancel) = (None, false, Row::Over, false);
            to.seats.iter_mut().for_each(|seat| (seat.token, seat.ready) = (JobToken::None, false));
        }
        JobAction::Ask | JobAction::Land => {
            let own = from.seats[at].token;
            for seat in to.seats.iter_mut().filter(|seat| seat.token == JobToken::Old) {
                let fenced = own == JobToken::Current || own != JobToken::Fenced && below(2) == 0;
                seat.token = if fenced { JobToken::Fenced } else { JobToken::Old };
            }
            if own == JobToken::Old {
                to.seats[at].token = own;
            }
            let Instance { used, starts, live } = from.instance;
            let refused = own == JobToken::Fenced && below(4) > 0;
            if action == JobAction::Land && !refused {
                to.instance = match from.seats[at].flight {
                    Flight::Stop if below(2) == 0 => {
                        Instance { used: true, starts, live: if below(3) == 0 { live } else { 0 } }
                    }
                    _ if starts < 2 && (!used || below(4) == 0) => {
                        Instance { used: true, starts: starts + 1, live: live + 1 }
                    }
                    _ => from.instance,
                };
                to.stale |= own == JobToken::Fenced && to.instance != from.instance;
            }
        }
        JobAction::Fetch => to.seats[at].ready = true,
        JobAction::SendStart if from.seats[at].flight == Flight::None => to.seats[at].flight = Flight::Start,
        JobAction::SendStop => to.seats[at].flight = Flight::Stop,
        JobAction::Doubt => to.seats[at].doubted = true,
        JobAction::Trust => to.seats[at].doubted = false,
        JobAction::Expire => to.expired = true,
        JobAction::Renew => to.expired = false,
        JobAction::Cancel => to.cancel = true,
        JobAction::Exit => to.instance.live = from.instance.live.saturating_sub(1),
        JobAction::SendStart | JobAction::Elsewhere => {}
    }
    if below(6) == 0 {
        let other = below(2);
        match below(9) {
            0 => to.owner = [None, Some(0), Some(1)][below(3)],
            1 => to.row = Row::ALL[below(5)],
            2 => to.seats[other].token = JobToken::ALL[below(4)],
            3 => to.seats[other].flight = Flight::ALL[below(3)],
            4 => to.seats[other].ready ^= true,
            5 => to.seats[other].doubted ^= true,
            6 => to.instance = Instance::ALL[below(7)],
            7 => to.cancel ^= true,
            _ => to.stale ^= true,
        }
    }
    to
}
