//! Random walks of one object and two servers, each step asked of tables, formulas, oracle and history: for every contract
//! that is judged seat by seat.
//!
//! The formulas are asked twice: about each seat, as the tables are, and about the whole, of which there is no table.

use failproof_spec::Property;
use failproof_spec::contract::LabelSet;
use failproof_spec::seat::{SeatAction, SeatLabels, SeatOracle, Seated};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;
use tla_checker::ast::Value;

use super::{Formulas, Kept, Tables, Tally};
use crate::contract_compiler::{model_value, string};

/// How many steps a walk is asked about before another one begins.
const LENGTH: usize = 60;
pub(super) const SERVERS: u8 = 2;

/// A contract whose object walks.
pub(super) trait Walked: Kept + Seated {
    /// What the history of a walk keeps of a step, as far as it cannot be read off the action.
    type Did;

    /// Where chance begins.
    const SEED: u64;

    /// What an action of a server usually leads to, and sometimes something else besides.
    fn attempt(random: &mut ChaCha8Rng, action: Self::Action, server: u8, from: &Self::Whole) -> Self::Whole;

    /// What a step does wrong that leaves no other trace, by the name in `wrongs`.
    fn wrong(action: Self::Action, server: u8, from: &Self::Whole) -> BTreeSet<&'static str>;

    /// What a step did.
    fn did(action: Self::Action, server: u8, from: &Self::Whole, to: &Self::Whole) -> Self::Did;

    /// Of each invariant, in their order, whether the history of a walk breaks it. Only what a history cannot know is read off
    /// the state.
    fn said(history: &[Event<Self>], state: &Self::Whole) -> Vec<bool>;

    /// The value of a variable of the module for two servers; `wrongs` is known to the walk.
    fn value(state: &Self::Whole, variable: &str) -> Value;
}

/// A step that was taken.
pub(super) struct Event<S: Walked> {
    pub(super) action: S::Action,
    pub(super) server: Option<u8>,
    pub(super) did: S::Did,
    /// What it did wrong, by the name in `wrongs`.
    wrongs: BTreeSet<&'static str>,
}

impl<S: Walked> Event<S> {
    /// Whether it did this wrong.
    pub(super) fn is_wrong(&self, what: &str) -> bool {
        self.wrongs.contains(what)
    }
}

/// Asks about so many steps, in walks of the strict contract or of the permissive one.
///
/// # Errors
/// Two judges disagree.
pub(super) fn walk<S: Walked>(tables: &Tables<S>, strict: bool, asked: usize) -> Result<Tally, String> {
    let mut formulas = Formulas::<S>::load();
    let of_two = |cfg: String| S::model(&cfg.replace("Server = {a}", "Server = {a, b}"));
    let whole_strict = of_two(S::strict_cfg());
    let whole_permissive = of_two(S::permissive_cfg().replace("Follows = FALSE", "Follows = TRUE"));
    let mut random = ChaCha8Rng::seed_from_u64(S::SEED);
    let mut tally = Tally::default();
    while tally.asked < asked {
        let mut oracle = SeatOracle::<S>::new(1, SERVERS.into());
        let (mut found, mut history) = (Vec::new(), Vec::<Event<S>>::new());
        let mut state = S::Whole::default();
        let mut wrongs: BTreeSet<&'static str> = BTreeSet::new();
        for at_us in 0..LENGTH.min(asked - tally.asked) as u64 {
            tally.asked += 1;
            // The last action is the outsiders', of whom there are none.
            let action = S::Action::ALL[random.next_u32() as usize % (S::Action::ALL.len() - 1)];
            let server = (random.next_u32() % u32::from(SERVERS)) as u8;
            let to = S::attempt(&mut random, action, server, &state);
            let mover = action.has_server().then_some(server);
            let story = || format!("{action:?} of {mover:?} from {state:?} to {to:?}");

            let mut seats_allow = true;
            for seat in 0..SERVERS {
                let (from, to) = (S::seen_by(&state, seat), S::seen_by(&to, seat));
                let loose = (S::of(S::unfollowed(from)), S::of(S::unfollowed(to)));
                let [kept, _] = formulas.agreed(tables, (S::of(from), S::of(to)), loose)?;
                let seen = if mover.is_none() { label(action) } else { label(S::Action::ELSEWHERE) };
                let label = if mover == Some(seat) { label(action) } else { seen };
                seats_allow &= (from == to && mover != Some(seat)) || kept.meets(label);
            }

            let done = S::wrong(action, server, &state);
            let wrongs_after: BTreeSet<_> = wrongs.union(&done).copied().collect();
            let from_var = |name: &str| value::<S>(&state, &wrongs, name);
            let to_var = |name: &str| value::<S>(&to, &wrongs_after, name);
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
            let did = S::did(action, server, &state, &to);
            history.push(Event { action, server: mover, did, wrongs: done });
            found.append(&mut new);
            (state, wrongs, oracle) = (to, wrongs_after, judged);

            let said = S::said(&history, &state);
            let variable = |name: &str| value::<S>(&state, &wrongs, name);
            for (invariant, said) in S::INVARIANTS.iter().zip(&said) {
                let holds = whole_strict.holds(invariant, None, &variable, &variable)?;
                if holds == *said {
                    return Err(format!("{action:?}: {invariant} is {holds} of {state:?}, the history says {}", !said));
                }
                if *said && !found.iter().any(|finding| finding.property.name() == *invariant) {
                    return Err(format!("{state:?}: the history breaks {invariant}, the oracle finds {found:?}"));
                }
            }
            tally.convicted += usize::from(said.contains(&true));
        }
    }
    Ok(tally)
}

fn value<S: Walked>(state: &S::Whole, wrongs: &BTreeSet<&'static str>, variable: &str) -> Value {
    match variable {
        "wrongs" => Value::set(wrongs.iter().map(|what| string(what)).collect()),
        variable => S::value(state, variable),
    }
}

fn label<A: SeatAction>(action: A) -> SeatLabels<A> {
    SeatLabels::of_index(action.index())
}

/// A server, or nobody, as models name them.
pub(super) fn place(server: Option<u8>) -> Value {
    model_value(server.map_or("Nobody", |at| ["a", "b"][usize::from(at)]))
}
