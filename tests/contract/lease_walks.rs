//! Random walks of one lease, each step asked of table, formula, oracle and history.

use failproof_spec::{
    Action, ActorId, Change, Finding, Labels, LeaseContract, LeaseOracle, PairCode, PairState, Property, Side, Token,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;

use super::{Formulas, Kept, Tables, Tally};
use crate::contract_compiler::Spelled;

/// How many steps a walk is asked about before another one begins.
const LENGTH: usize = 60;
/// What a step takes.
const STEP_US: u64 = 1_000;

/// A step that was taken.
struct Event {
    action: Action,
    side: Option<Side>,
    /// Whose open token it fenced.
    fences: [bool; 2],
    /// Whether its actor's token was below the resource's epoch afterwards.
    fenced: bool,
}

/// Asks about so many steps, in walks of the strict contract or of the permissive one. `sees` says of whom the history is
/// told.
///
/// # Errors
/// Two judges disagree.
pub(super) fn walk(
    tables: &Tables<PairCode>,
    strict: bool,
    asked: usize,
    sees: &dyn Fn(Option<Side>) -> bool,
) -> Result<Tally, String> {
    let mut formulas = Formulas::<PairCode>::load();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut below = |bound: usize| random.next_u32() as usize % bound;
    let walked = if strict { LeaseContract::strict() } else { LeaseContract::permissive() };
    let mut out: BTreeMap<PairCode, Vec<(PairCode, Labels)>> = BTreeMap::new();
    for (from, to, labels) in walked.edges() {
        out.entry(from).or_default().push((to, labels));
    }
    let each: Vec<_> = Labels::each().collect();
    let mut tally = Tally::default();
    while tally.asked < asked {
        let (mut state, mut stains) = (PairState::default(), [false; 2]);
        let mut oracle = LeaseOracle::new();
        let mut found: Vec<Finding> = Vec::new();
        let mut history: Vec<Event> = Vec::new();
        let (mut together_us, mut longest_us) = (0, 0);
        let mut at_us = 0;
        for _ in 0..LENGTH.min(asked - tally.asked) {
            tally.asked += 1;
            let edges = &out[&state.code()];
            let (to, labels) = edges[below(edges.len())];
            let fitting: Vec<_> = each.iter().filter(|(action, side)| labels.meets(action.label(*side))).collect();
            let (mut action, mut side) = *fitting[below(fitting.len())];
            let mut to = to.state();
            if below(2) == 0 {
                to = PairCode::perturbed(to, below(256), below(256));
            }
            if below(4) == 0 {
                (action, side) = each[below(each.len())];
            }
            let label = action.label(side);
            let step = (state.code(), to.code());
            let [kept, permitted] = formulas.agreed(tables, step, step)?;
            let (kept, permitted) = (kept.meets(label), permitted.meets(label));
            let before = state;
            let story = || format!("{label} from {before} to {to}");
            let actor = action.has_actor().then_some(side);
            let mut judged = oracle.clone();
            let mut new = Vec::new();
            let stains_after = stained(state, to, stains, actor);
            if let Some(stains_after) = stains_after {
                told(&mut judged, action, actor, (state, to), stains_after, at_us, &mut new);
                if oracle.is_strict() && judged.is_strict() != kept {
                    return Err(format!("{}: the oracle says {}, the table {kept}", story(), judged.is_strict()));
                }
                let mapping = new.iter().any(|finding| finding.property == Property::RefinementHolds);
                if !judged.is_strict() && mapping == permitted {
                    return Err(format!("{}: the oracle finds {new:?}, the table permits it: {permitted}", story()));
                }
            }
            let legal = if strict { kept } else { permitted };
            let Some(stains_after) = stains_after.filter(|_| legal) else { continue };
            tally.taken += 1;
            let fences = [0, 1].map(|at| state.token[at] == Token::Open && to.token[at] == Token::Fenced);
            let fenced = actor.is_some_and(|side| to.token[side as usize] == Token::Fenced);
            history.push(Event { action, side: actor, fences, fenced });
            found.append(&mut new);
            (state, stains, oracle) = (to, stains_after, judged);
            at_us += STEP_US;

            let remembered: Vec<&Event> = history.iter().filter(|event| sees(event.side)).collect();
            let said = [trusted(&remembered).len() > 1, is_stale(&remembered), is_unsealed(&remembered)];
            together_us =
                if trusted(&history.iter().collect::<Vec<_>>()).len() > 1 { together_us + STEP_US } else { 0 };
            longest_us = longest_us.max(together_us);
            let variable = |name: &str| PairCode::write(state, name);
            for (invariant, said) in PairCode::INVARIANTS.iter().zip(said) {
                let holds = formulas.strict.holds(invariant, None, &variable, &variable)?;
                if holds == said {
                    return Err(format!(
                        "{}: {invariant} is {holds} of the state, the history says {}",
                        story(),
                        !said
                    ));
                }
                if said && !found.iter().any(|finding| finding.property.name() == *invariant) {
                    return Err(format!("{}: the history breaks {invariant}, the oracle finds {found:?}", story()));
                }
            }
            tally.convicted += usize::from(said.contains(&true));
        }
        oracle.finish(at_us);
        if oracle.longest_overlap_us() != longest_us {
            return Err(format!("an overlap of {} us, the history says {longest_us} us", oracle.longest_overlap_us()));
        }
    }
    Ok(tally)
}

/// Whose operations are stale after a step, if the oracle can be told of it: one actor moves, and tokens change.
fn stained(from: PairState, to: PairState, stains: [bool; 2], actor: Option<Side>) -> Option<[bool; 2]> {
    let mut after = stains;
    for side in [Side::A, Side::B] {
        let at = side as usize;
        if actor == Some(side) {
            let other = stains[1 - at];
            after[at] = if from.stained == to.stained { stains[at] } else { to.stained };
            if !to.stained && other {
                return None;
            }
        } else if from.works[at] != to.works[at] || from.doubted[at] != to.doubted[at] {
            return None;
        }
    }
    (actor.is_some() || from.stained == to.stained).then_some(after)
}

/// Tells the oracle of a step.
fn told(
    oracle: &mut LeaseOracle,
    action: Action,
    actor: Option<Side>,
    (from, to): (PairState, PairState),
    stains: [bool; 2],
    at_us: u64,
    findings: &mut Vec<Finding>,
) {
    let id = |side: Side| ActorId(side as u32);
    let sides = [Side::A, Side::B].into_iter();
    let tokens: Vec<_> = sides
        .filter(|side| from.token[*side as usize] != to.token[*side as usize])
        .map(|side| (id(side), to.token[side as usize]))
        .collect();
    let idle = Change { tokens: &tokens, ..Change::idle(to.owner.map(id)) };
    let change = match actor.map(|side| side as usize) {
        Some(at) => Change { works: to.works[at], doubted: to.doubted[at], stained: stains[at], ..idle },
        None => idle,
    };
    oracle.step(action, actor.map(id), change, at_us, findings);
}

/// Whether what `begins` came later than what `ends`, for one actor.
fn is_on(history: &[&Event], side: Side, begins: Action, ends: Action) -> bool {
    let last = history.iter().rev().find(|event| event.side == Some(side) && [begins, ends].contains(&event.action));
    last.is_some_and(|event| event.action == begins)
}

/// Who works and is trusted, by what was done.
fn trusted(history: &[&Event]) -> Vec<Side> {
    let works = |side: &Side| is_on(history, *side, Action::StepUp, Action::StepDown);
    let doubted = |side: &Side| is_on(history, *side, Action::Doubt, Action::Trust);
    [Side::A, Side::B].into_iter().filter(|side| works(side) && !doubted(side)).collect()
}

/// Whether an actor has an epoch, and whether somebody newer was accepted since, or it was old when it was granted.
fn epoch(history: &[&Event], side: Side) -> (bool, bool) {
    let own = |event: &&Event| event.side == Some(side) && matches!(event.action, Action::Grant | Action::Retire);
    let Some(at) = history.iter().rposition(own).filter(|at| history[*at].action == Action::Grant) else {
        return (false, false);
    };
    (true, history[at].fenced || history[at + 1..].iter().any(|event| event.fences[side as usize]))
}

/// Whether an operation was ever accepted after one of a newer epoch.
fn is_stale(history: &[&Event]) -> bool {
    history.iter().enumerate().any(|(at, event)| match (event.action, event.side) {
        (Action::Accept, Some(side)) => epoch(&history[..at], side) == (true, true),
        _ => false,
    })
}

/// Whether somebody works as the last one that was granted the lease, trusted, while another one's epoch is open.
fn is_unsealed(history: &[&Event]) -> bool {
    let named = history.iter().rev().find(|event| matches!(event.action, Action::Grant | Action::Leave));
    let owner = named.filter(|event| event.action == Action::Grant).and_then(|event| event.side);
    let open = |side: Side| epoch(history, side) == (true, false);
    let other = |side: Side| if side == Side::A { Side::B } else { Side::A };
    trusted(history).into_iter().any(|side| owner == Some(side) && open(other(side)))
}
