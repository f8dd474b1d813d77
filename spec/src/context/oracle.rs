//! The oracle of all contexts of a run: judges every step, seat by seat.
//!
//! A seat is enough because each guard of `Context.tla` speaks about the row and the server that moves, and the contract
//! of many servers, seen by one of them, is the contract of one (`Seat.tla`). The server that moves is judged by the name
//! of its step. Every other one whose view the step changed is judged by `Elsewhere`.

use super::ContextContract;
use super::action::{ContextAction, ContextLabels};
use super::guards;
use super::seat::SeatState;
use super::state::{ContextState, Write};
use crate::contract::LabelSet;
use crate::coverage::{ContractName, Coverage};
use crate::finding::{ActorId, Charge, Finding, NO_ACTION};
use crate::landmark::{Landmark, Marks};
use crate::property::{Property, PropertySet};

/// Judges all contexts of one run: one coverage, one set of marks, at most one finding for each property.
///
/// Shape: contexts and servers are numbered from zero. After warm-up it allocates nothing.
/// Units and clock: every `at_us` is true time in microseconds.
/// Spec: `Context.tla`, for each context strict until the first step that is no strict edge, permissive from then on.
#[derive(Debug, Clone)]
pub struct ContextOracle {
    strict: &'static ContextContract,
    objects: Vec<Object>,
    servers: u8,
    found: PropertySet,
    coverage: Coverage,
    marks: Marks,
}

/// One context.
#[derive(Debug, Clone, Copy, Default)]
struct Object {
    state: ContextState,
    broken: bool,
}

/// A step on its way through the judge.
#[derive(Clone, Copy)]
struct Step {
    action: ContextAction,
    server: Option<u8>,
    at_us: u64,
    before: ContextState,
    after: ContextState,
    /// The context was broken by an earlier step.
    broken: bool,
    /// Becomes true with the first seat that refuses the step.
    refused: bool,
}

impl ContextOracle {
    /// Contexts without a row, as many as `objects`, and idle servers.
    ///
    /// # Panics
    /// When there are more servers than [`ContextState::SERVERS`].
    #[must_use]
    pub fn new(objects: usize, servers: usize) -> Self {
        assert!(servers <= ContextState::SERVERS, "at most {} servers, not {servers}", ContextState::SERVERS);
        Self {
            strict: ContextContract::strict(),
            objects: vec![Object::default(); objects],
            servers: servers as u8,
            found: PropertySet::default(),
            coverage: Coverage::new(ContractName::Context),
            marks: Marks::default(),
        }
    }

    /// Takes more contexts in, up to `objects` in all.
    pub fn grow(&mut self, objects: usize) {
        self.objects.resize(objects.max(self.objects.len()), Object::default());
    }

    /// Forgets the run, and keeps the memory for the next one.
    pub fn reset(&mut self) {
        self.objects.fill(Object::default());
        self.found = PropertySet::default();
        self.coverage.clear();
        self.marks.clear();
    }

    /// Judges one step on one context, and appends what it broke to `findings`.
    ///
    /// `server` takes the step; none for [`ContextAction::Expire`] and [`ContextAction::Renew`], and for an
    /// [`ContextAction::Elsewhere`] that nobody in particular caused. `after` is the state after it. Cost: one look-up for
    /// the server and for each one that sees a change.
    ///
    /// # Panics
    /// When there is no such context or server.
    pub fn step(
        &mut self,
        action: ContextAction,
        object: usize,
        server: Option<u8>,
        after: ContextState,
        at_us: u64,
        findings: &mut Vec<Finding>,
    ) {
        assert!(server.is_none_or(|server| server < self.servers), "{} servers, and none is {server:?}", self.servers);
        let Object { state: before, broken } = self.objects[object];
        let mut step = Step { action, server, at_us, before, after, broken, refused: false };
        self.coverage.count_action(action.index());
        self.judge(&mut step, findings);
        self.check_invariants(&step, findings);
        self.objects[object] = Object { state: after, broken: broken || step.refused };
        if before != after {
            self.marks.reach(Landmark::state(after.digest()), at_us);
        }
    }

    /// What is known of a context.
    ///
    /// # Panics
    /// When there is no such context.
    #[must_use]
    pub fn state(&self, object: usize) -> &ContextState {
        &self.objects[object].state
    }

    /// Whether every step so far on a context was a strict one.
    ///
    /// # Panics
    /// When there is no such context.
    #[must_use]
    pub fn is_strict(&self, object: usize) -> bool {
        !self.objects[object].broken
    }

    /// What was visited of the strict contract.
    #[must_use]
    pub const fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// What was reached, of the strict contract and of the states of the refinement.
    #[must_use]
    pub const fn marks(&self) -> &Marks {
        &self.marks
    }

    fn judge(&mut self, step: &mut Step, findings: &mut Vec<Finding>) {
        let Step { action, before, after, .. } = *step;
        let mover = step.server.filter(|_| action.has_server());
        if let Some(mover) = mover {
            self.judge_seat(step, mover, action.label(), findings);
        }
        // What no seat can tell alone: that the step does not act on others behind the back of the one that takes it, and
        // that there is one.
        let names = |state: &ContextState| (state.main, state.backup);
        if names(&before) != names(&after) && !action.may_rename() {
            self.report(step, NO_ACTION, None, findings);
            step.refused = true;
        }
        let mut seen = false;
        if before != after {
            let label = if action.has_server() { ContextAction::Elsewhere.label() } else { action.label() };
            for server in (0..self.servers).filter(|server| Some(*server) != mover) {
                if before.seen_by(server) != after.seen_by(server) {
                    seen = true;
                    self.judge_seat(step, server, label, findings);
                }
            }
        }
        if seen && mover.is_some() {
            self.coverage.count_action(ContextAction::Elsewhere.index());
        }
        let happens = action.has_server() == mover.is_some() && (before != after || !action.changes_something());
        if !happens || seen && !action.is_seen_by_others() {
            self.report(step, NO_ACTION, None, findings);
            step.refused = true;
        }
    }

    /// Judges a step as it is seen from the seat of `server`.
    #[inline]
    fn judge_seat(&mut self, step: &mut Step, server: u8, label: ContextLabels, findings: &mut Vec<Finding>) {
        let (from, to) = (step.before.seen_by(server), step.after.seen_by(server));
        if !step.broken
            && let Some(edge) = self.strict.edge(from.code(), to.code())
            && edge.labels.meets(label)
        {
            if let Some(landmark) = self.coverage.visit(self.strict, edge, label) {
                self.marks.reach(landmark, step.at_us);
            }
            return;
        }
        self.refuse(step, server, label, (from, to), findings);
    }

    /// Goes on with a step that is no strict one. Asked late: a run that keeps the contract never reads the permissive
    /// table.
    #[cold]
    fn refuse(
        &mut self,
        step: &mut Step,
        server: u8,
        label: ContextLabels,
        (from, to): (SeatState, SeatState),
        findings: &mut Vec<Finding>,
    ) {
        let (loose_from, loose_to) = (from.unfollowed(), to.unfollowed());
        // What a step of somebody else changed may be all in what is left out.
        let unseen = loose_from == loose_to && label.meets(ContextAction::Elsewhere.label());
        let labels = ContextContract::permissive().labels(loose_from.code(), loose_to.code());
        let permitted = unseen || labels.meets(label);
        // The one that takes the step answers for it; what others see of a refused one convicts nobody else.
        if permitted && (step.broken || step.refused) {
            return;
        }
        let own = step.server == Some(server) && step.action.has_server();
        let charge = match (permitted, own) {
            (false, _) => NO_ACTION,
            (true, true) => guards::failed(step.action, from, to),
            (true, false) => guards::failed_elsewhere(from, to),
        };
        self.report(step, charge, (!own).then_some(server), findings);
        step.refused = true;
    }

    /// Says what is broken besides the guard that failed first, and what is after that, when the permissive contract
    /// refuses nothing.
    #[inline]
    fn check_invariants(&mut self, step: &Step, findings: &mut Vec<Finding>) {
        let ContextState { split, wrote, write, .. } = step.after;
        if split && !self.found.contains(Property::OneOwnerPerEpoch) {
            self.report(step, guards::ONE_OWNER, wrote.filter(|wrote| Some(*wrote) != step.server), findings);
        }
        if write == Write::Lost && !self.found.contains(Property::NoLostAcknowledgedWrite) {
            self.report(step, guards::NO_LOST_WRITE, None, findings);
        }
        // Without a finding, the table has said so of these.
        if (step.broken || step.refused)
            && let Some(server) = step.server
        {
            for charge in guards::wrongs(step.action, step.before.seen_by(server)) {
                self.report(step, charge, None, findings);
            }
        }
    }

    fn report(&mut self, step: &Step, (property, guard): Charge, rival: Option<u8>, findings: &mut Vec<Finding>) {
        if self.found.insert(property) {
            let actor = |server: u8| ActorId(server.into());
            findings.push(Finding {
                property,
                at_us: step.at_us,
                actor: step.server.map(actor),
                rival: rival.map(actor),
                action: step.action.name(),
                guard,
            });
        }
    }
}

#[cfg(test)]
mod mirror;
#[cfg(test)]
mod tests;
