//! Random walks of one context and two servers, each step asked of tables, formulas, oracle and history.
//!
//! The formulas are asked twice: about each seat, as the tables are, and about the whole, of which there is no table.

use failproof_spec::context::SeatCode;
use failproof_spec::contract::LabelSet;
use failproof_spec::seat::SeatAction;
use failproof_spec::{Cache, ContextAction, ContextOracle, ContextState, Property, Token, Write};
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
    action: ContextAction,
    server: Option<u8>,
    /// Whether it began another epoch.
    renews: bool,
    /// Whether an accepted write covered one that a client was told of, or a client was told of one that is gone.
    loses: bool,
    /// Whether the write that was accepted is the marked one from then on.
    marks: bool,
    /// What else it did wrong, by the name in `wrongs`.
    wrongs: BTreeSet<&'static str>,
}

/// Asks about so many steps, in walks of the strict contract or of the permissive one.
///
/// # Errors
/// Two judges disagree.
pub(super) fn walk(tables: &Tables<SeatCode>, strict: bool, asked: usize) -> Result<Tally, String> {
    let mut formulas = Formulas::<SeatCode>::load();
    let of_two = |cfg: String| SeatCode::model(&cfg.replace("Server = {a}", "Server = {a, b}"));
    let whole_strict = of_two(SeatCode::strict_cfg());
    let whole_permissive = of_two(SeatCode::permissive_cfg().replace("Follows = FALSE", "Follows = TRUE"));
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut tally = Tally::default();
    while tally.asked < asked {
        let mut oracle = ContextOracle::new(1, SERVERS.into());
        let (mut found, mut history) = (Vec::new(), Vec::<Event>::new());
        let mut state = ContextState::default();
        let mut wrongs: BTreeSet<&'static str> = BTreeSet::new();
        for at_us in 0..LENGTH.min(asked - tally.asked) as u64 {
            tally.asked += 1;
            // The last action is the outsiders', of whom there are none.
            let action = ContextAction::ALL[random.next_u32() as usize % (ContextAction::ALL.len() - 1)];
            let server = (random.next_u32() % u32::from(SERVERS)) as u8;
            let to = attempt(&mut random, action, server, &state);
            let mover = action.has_server().then_some(server);
            let story = || format!("{action:?} of {mover:?} from {state:?} to {to:?}");

            let mut seats_allow = true;
            for seat in 0..SERVERS {
                let (from, to) = (state.seen_by(seat), to.seen_by(seat));
                let loose = (from.unfollowed().code(), to.unfollowed().code());
                let [kept, _] = formulas.agreed(tables, (from.code(), to.code()), loose)?;
                let seen = if mover.is_none() { action.label() } else { ContextAction::Elsewhere.label() };
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
            let renews = match action {
                // Who is granted it once more may keep its epoch.
                ContextAction::Grant => state != to,
                ContextAction::Take | ContextAction::Give => true,
                _ => false,
            };
            let loses = state.write != Write::Lost && to.write == Write::Lost;
            let marks = action == ContextAction::Apply && to.write == Write::Applied;
            history.push(Event { action, server: mover, renews, loses, marks, wrongs: done });
            found.append(&mut new);
            (state, wrongs, oracle) = (to, wrongs_after, judged);

            let did = |what: &str| history.iter().any(|event| event.wrongs.contains(what));
            let lost = history.iter().rev().find(|event| event.loses || event.marks).is_some_and(|event| event.loses);
            let said = [is_split(&history), lost, did("stale"), did("stranger"), did("haste")];
            let variable = |name: &str| value(&state, &wrongs, name);
            for (invariant, said) in SeatCode::INVARIANTS.iter().zip(said) {
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

/// Whether writes of two servers were accepted, and no epoch began between them.
fn is_split(history: &[Event]) -> bool {
    let writes = |event: &Event| event.action == ContextAction::Apply;
    history.iter().enumerate().filter(|(_, event)| writes(event)).any(|(at, first)| {
        let same_epoch = history[at + 1..].iter().take_while(|event| !event.renews);
        same_epoch.filter(|event| writes(event)).any(|second| second.server != first.server)
    })
}

/// What a step does wrong that leaves no other trace.
fn wrong(action: ContextAction, server: u8, from: &ContextState) -> BTreeSet<&'static str> {
    let seat = &from.seats[usize::from(server)];
    let stranger = ![from.main, from.backup].contains(&Some(server));
    let (reads, takes) = (action == ContextAction::Read && !seat.doubted, action == ContextAction::Take);
    let wrongs = [
        (reads && seat.cache == Cache::Stale, "stale"),
        ((reads || takes) && stranger, "stranger"),
        (takes && !from.expired, "haste"),
    ];
    wrongs.into_iter().filter(|(done, _)| *done).map(|(_, what)| what).collect()
}

/// The value of a variable of `Context.tla` for two servers.
fn value(state: &ContextState, wrongs: &BTreeSet<&'static str>, variable: &str) -> Value {
    let seats = || (0..SERVERS).map(|at| (place(Some(at)), &state.seats[usize::from(at)]));
    match variable {
        "main" => place(state.main),
        "backup" => place(state.backup),
        "expired" => Value::Bool(state.expired),
        "token" => Value::func(seats().map(|(name, seat)| (name, string(seat.token.name()))).collect()),
        "cache" => Value::func(seats().map(|(name, seat)| (name, string(seat.cache.name()))).collect()),
        "doubted" => Value::set(seats().filter(|(_, seat)| seat.doubted).map(|(name, _)| name).collect()),
        "write" => string(state.write.name()),
        "wrote" => place(state.wrote),
        "split" => Value::Bool(state.split),
        "wrongs" => Value::set(wrongs.iter().map(|what| string(what)).collect()),
        other => panic!("Context.tla has no variable {other}"),
    }
}

fn place(server: Option<u8>) -> Value {
    model_value(server.map_or("Nobody", |at| ["a", "b"][usize::from(at)]))
}

/// What an action of a server usually leads to, and sometimes something else besides.
fn attempt(random: &mut ChaCha8Rng, action: ContextAction, server: u8, from: &ContextState) -> ContextState {
    let mut below = |bound: usize| random.next_u32() as usize % bound;
    let mut to = *from;
    let (name, at) = (Some(server), usize::from(server));
    let fence = |to: &mut ContextState| {
        to.seats.iter_mut().filter(|seat| seat.token == Token::Open).for_each(|seat| seat.token = Token::Fenced);
        to.wrote = None;
    };
    match action {
        ContextAction::Create | ContextAction::Take => {
            (to.main, to.backup) = (name, Some(below(2) as u8));
            to.expired = below(4) == 0;
            if action == ContextAction::Take {
                fence(&mut to);
            }
            to.seats[at].token = Token::Open;
        }
        ContextAction::Grant if below(4) == 0 => {}
        ContextAction::Grant => {
            fence(&mut to);
            to.seats[at].token = Token::Open;
        }
        ContextAction::Give => {
            (to.main, to.backup) = (from.backup, name);
            fence(&mut to);
        }
        ContextAction::Repair => to.backup = Some(below(2) as u8),
        ContextAction::Load => to.seats[at].cache = Cache::ALL[1 + usize::from(below(4) == 0)],
        ContextAction::Apply => {
            to.write = [Write::Applied, from.write, Write::ALL[below(4)]][below(3)];
            to.wrote = from.wrote.or(name);
            to.split |= to.wrote != name;
        }
        ContextAction::Ack => {
            let told = matches!(from.write, Write::Applied | Write::Acked);
            to.write = if told { Write::Acked } else { Write::Lost };
            for (at, seat) in to.seats.iter_mut().enumerate().filter(|(_, seat)| seat.cache == Cache::Current) {
                let owns = from.main == Some(at as u8) && seat.token == Token::Open;
                if !owns || below(2) == 0 {
                    seat.cache = Cache::Stale;
                }
            }
            to.seats[at].cache = Cache::ALL[below(3)];
        }
        ContextAction::Forget => to.seats[at].cache = Cache::None,
        ContextAction::Doubt => to.seats[at].doubted = true,
        ContextAction::Trust => to.seats[at].doubted = false,
        ContextAction::Expire => to.expired = true,
        ContextAction::Renew => to.expired = false,
        ContextAction::Read | ContextAction::Elsewhere => {}
    }
    if below(6) == 0 {
        let other = below(2);
        match below(7) {
            0 if from.main.is_some() => to.main = Some(other as u8),
            1 if from.main.is_some() => to.backup = Some(other as u8),
            2 => to.seats[other].token = Token::ALL[below(3)],
            3 => to.seats[other].cache = Cache::ALL[below(3)],
            4 => to.seats[other].doubted ^= true,
            5 => to.expired ^= true,
            _ => to.write = Write::ALL[below(4)],
        }
    }
    to
}
