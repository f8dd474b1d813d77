//! A shortest way to a broken property: in words, and as a plan that breaks it again in the simulator.
//!
//! The moves of one quantum become events some microseconds apart: `replica` places them.
//!
//! The words of the search differ from those of a run in little: a message that is never delivered is lost, a process that
//! starts late is one that is down from the beginning. Whether a plan breaks the property is not argued, but tried.

use super::replica::plans_of;
use super::space::{Move, Space};
use super::{Explored, Outcome, Search, Stopped};
use crate::engine::Engine;
use crate::event::ActorId;
use crate::plan::{Found, Plan};
use failproof_spec::Property;
use serde::Serialize;
use std::sync::Arc;

/// One move in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// When, in true microseconds; whole quanta.
    pub at_us: u64,
    /// Who: a place, or `time`.
    pub who: String,
    /// What happens.
    pub what: String,
    /// What it changes; empty if nothing that a reader would ask for.
    pub changed: String,
}

/// A shortest way to a state that breaks a property.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The property.
    pub property: Property,
    /// How many of the moves are the opening, which comes before the search.
    pub opening: usize,
    /// The moves, those of the opening first.
    pub moves: Vec<Told>,
    /// A plan that breaks the same property in the reference engine, with what was found; `None` if none of the ways that
    /// were tried does.
    pub plan: Option<Plan>,
    /// How many ways were tried.
    pub tried: usize,
}

/// How many ways are tried until one replays.
const TRIED_MAX: usize = 256;

impl Counterexample {
    /// The first of the shortest ways that replays; else the first one.
    pub(super) fn of<P: Explored>(search: &mut Search<'_, P>, outcome: &Outcome) -> Option<Self> {
        let Stopped::Broken(property) = outcome.stopped else { return None };
        let mut first = None;
        let mut tried = 0;
        let opening = search.space().opening();
        for state in outcome.broken.iter().take(TRIED_MAX) {
            tried += 1;
            let way = [opening.clone(), search.way(*state)].concat();
            if let Some(plan) = plans_of(search.space(), &way).into_iter().find_map(|plan| confirmed(plan, property)) {
                let moves = tell(search.space(), &way);
                return Some(Self { property, opening: opening.len(), moves, plan: Some(plan), tried });
            }
            first.get_or_insert(way);
        }
        let moves = tell(search.space(), &first?);
        Some(Self { property, opening: opening.len(), moves, plan: None, tried })
    }
}

/// The plan with what it was found to break, if it does break it.
fn confirmed(mut plan: Plan, property: Property) -> Option<Plan> {
    plan.check().ok()?;
    let shared = Arc::new(plan.clone());
    let (report, _) = Engine::Fast.run(&shared, false).ok()?;
    let violation = report.violations.iter().find(|violation| violation.property == property.name())?;
    plan.found = Some(Found {
        property: property.name().to_owned(),
        at_us: violation.at_us,
        trace_hash: format!("{:032x}", report.trace_hash),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    Some(plan)
}

fn tell<P: Explored>(space: &mut Space<'_, P>, way: &[(Move, Vec<u32>)]) -> Vec<Told> {
    let quantum_us = space.instance().bounds().quantum.as_micros();
    let mut before = space.zero();
    let mut told = Vec::new();
    for (what, after) in way {
        let sent = space.sent_by(&before, *what);
        let place = |actor: ActorId| space.cast()[usize::from(actor)].place;
        let message = |id: u32| P::say(space.flight(id).1);
        let (who, text) = match *what {
            Move::Start(actor) => (Some(actor), "starts".to_owned()),
            Move::Fire(actor) => (Some(actor), "its timer fires".to_owned()),
            Move::Settle(actor) => (Some(actor), "has caught up".to_owned()),
            Move::Resume(actor) => (Some(actor), "goes on".to_owned()),
            Move::Pause(actor) => (Some(actor), "is paused".to_owned()),
            Move::Crash(actor) => (Some(actor), "crashes".to_owned()),
            Move::Wipe => (Some(0), "restarts empty".to_owned()),
            Move::Tick => (None, "passes".to_owned()),
            Move::Deliver(id) => {
                let flight = space.flight(id).0;
                (Some(flight.to), format!("gets {} from {}", message(id), place(flight.from)))
            }
            Move::Leave(id) => (Some(space.flight(id).0.from), format!("{} leaves it", message(id))),
        };
        let mut changed = Vec::new();
        if let Some(actor) = who {
            let describe = |state: &[u32]| space.unpack(state).machines[usize::from(actor)].map(P::describe);
            let (former, present) = (describe(&before), describe(after));
            if former != present {
                changed.extend(present);
            }
        }
        for id in sent {
            let flight = space.flight(id).0;
            let verb = if flight.held { "prepares" } else { "sends" };
            changed.push(format!("{verb} {} to {}", message(id), place(flight.to)));
        }
        if ghost_changed(space, &before, after) {
            changed.push(P::recall(space.unpack(after).ghost));
        }
        told.push(Told {
            at_us: u64::from(space.unpack(after).now) * quantum_us,
            who: who.map_or_else(|| "time".to_owned(), |actor| place(actor).to_string()),
            what: text,
            changed: changed.join("; "),
        });
        before.clone_from(after);
    }
    told
}

fn ghost_changed<P: Explored>(space: &Space<'_, P>, before: &[u32], after: &[u32]) -> bool {
    space.unpack(before).ghost != space.unpack(after).ghost
}
