//! The oracle of all objects of a run: judges every step, seat by seat.
//!
//! The server that moves is judged by the name of its step. Every other one whose view the step changed is judged by
//! `Elsewhere`, or by the name of the step if nobody moves. What no seat can tell alone is asked of the whole.

use super::{SeatAction, SeatLabels, Seated};
use crate::contract::{Contract, LabelSet};
use crate::coverage::Coverage;
use crate::finding::{ActorId, Charge, Finding, NO_ACTION};
use crate::landmark::{Landmark, Marks};
use crate::property::PropertySet;

/// Judges all objects of one run: one coverage, one set of marks, at most one finding for each property.
///
/// Shape: objects and servers are numbered from zero. After warm-up it allocates nothing.
/// Units and clock: every `at_us` is true time in microseconds.
/// Spec: the module of the contract, for each object strict until the first step that is no strict edge, permissive from
/// then on.
#[derive(Debug, Clone)]
pub struct SeatOracle<S: Seated> {
    strict: &'static Contract<S>,
    objects: Vec<Object<S::Whole>>,
    servers: u8,
    found: PropertySet,
    coverage: Coverage,
    marks: Marks,
}

/// What the contract is about, once.
#[derive(Debug, Clone, Copy, Default)]
struct Object<W> {
    state: W,
    broken: bool,
}

/// A step on its way through the judge.
#[derive(Clone, Copy)]
struct Step<S: Seated> {
    action: S::Action,
    server: Option<u8>,
    at_us: u64,
    before: S::Whole,
    after: S::Whole,
    /// The object was broken by an earlier step.
    broken: bool,
    /// Becomes true with the first seat that refuses the step.
    refused: bool,
}

impl<S: Seated> SeatOracle<S> {
    /// Objects in their initial state, as many as `objects`, and idle servers.
    ///
    /// # Panics
    /// When there are more servers than [`Seated::SERVERS`].
    #[must_use]
    pub fn new(objects: usize, servers: usize) -> Self {
        assert!(servers <= S::SERVERS, "at most {} servers, not {servers}", S::SERVERS);
        Self {
            strict: S::strict(),
            objects: vec![Object::default(); objects],
            servers: servers as u8,
            found: PropertySet::default(),
            coverage: Coverage::new(S::CONTRACT),
            marks: Marks::default(),
        }
    }

    /// Takes more objects in, up to `objects` in all.
    pub fn grow(&mut self, objects: usize) {
        self.objects.resize(objects.max(self.objects.len()), Object::default());
    }

    /// Lets an object begin in the middle: where its predecessor left what they share. Judged permissively, if no seat of
    /// the strict contract looks like that.
    ///
    /// # Panics
    /// When there is no such object.
    pub fn begin(&mut self, object: usize, state: S::Whole) {
        let is_strict = |server| self.strict.has_state(S::of(S::seen_by(&state, server)));
        let broken = !(0..self.servers).all(is_strict);
        self.objects[object] = Object { state, broken };
    }

    /// Forgets the run, and keeps the memory for the next one.
    pub fn reset(&mut self) {
        self.objects.fill(Object::default());
        self.found = PropertySet::default();
        self.coverage.clear();
        self.marks.clear();
    }

    /// Judges one step on one object, and appends what it broke to `findings`.
    ///
    /// `server` takes the step; none for an action without a server, and for an `Elsewhere` that nobody in particular
    /// caused. `after` is the state after it. Cost: one look-up for the server and for each one that sees a change.
    ///
    /// # Panics
    /// When there is no such object or server.
    pub fn step(
        &mut self,
        action: S::Action,
        object: usize,
        server: Option<u8>,
        after: S::Whole,
        at_us: u64,
        findings: &mut Vec<Finding>,
    ) {
        assert!(server.is_none_or(|server| server < self.servers), "{} servers, and none is {server:?}", self.servers);
        let Object { state: before, broken } = self.objects[object];
        let mut step = Step::<S> { action, server, at_us, before, after, broken, refused: false };
        self.coverage.count_action(action.index());
        self.judge(&mut step, findings);
        self.check_invariants(&step, findings);
        self.objects[object] = Object { state: after, broken: broken || step.refused };
        if before != after {
            self.marks.reach(Landmark::state(S::digest(&after)), at_us);
        }
    }

    /// What is known of an object.
    ///
    /// # Panics
    /// When there is no such object.
    #[must_use]
    pub fn state(&self, object: usize) -> &S::Whole {
        &self.objects[object].state
    }

    /// Whether every step so far on an object was a strict one.
    ///
    /// # Panics
    /// When there is no such object.
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

    fn judge(&mut self, step: &mut Step<S>, findings: &mut Vec<Finding>) {
        let Step { action, before, after, .. } = *step;
        let mover = step.server.filter(|_| action.has_server());
        if let Some(mover) = mover {
            self.judge_seat(step, mover, label_of(action), findings);
        }
        if !S::may_happen(action, step.server, &before, &after) {
            self.report(step, NO_ACTION, None, findings);
            step.refused = true;
        }
        let mut seen = false;
        if before != after {
            let label = label_of(if action.has_server() { S::Action::ELSEWHERE } else { action });
            for server in (0..self.servers).filter(|server| Some(*server) != mover) {
                if S::seen_by(&before, server) != S::seen_by(&after, server) {
                    seen = true;
                    self.judge_seat(step, server, label, findings);
                }
            }
        }
        if seen && mover.is_some() {
            self.coverage.count_action(S::Action::ELSEWHERE.index());
        }
        let happens = action.has_server() == mover.is_some() && (before != after || !action.changes_something());
        if !happens || seen && !action.is_seen_by_others() {
            self.report(step, NO_ACTION, None, findings);
            step.refused = true;
        }
    }

    /// Judges a step as it is seen from the seat of `server`.
    #[inline]
    fn judge_seat(
        &mut self,
        step: &mut Step<S>,
        server: u8,
        label: SeatLabels<S::Action>,
        findings: &mut Vec<Finding>,
    ) {
        let (from, to) = (S::seen_by(&step.before, server), S::seen_by(&step.after, server));
        if !step.broken
            && let Some(edge) = self.strict.edge(S::of(from), S::of(to))
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
        step: &mut Step<S>,
        server: u8,
        label: SeatLabels<S::Action>,
        (from, to): (S::State, S::State),
        findings: &mut Vec<Finding>,
    ) {
        let (loose_from, loose_to) = (S::unfollowed(from), S::unfollowed(to));
        // What a step of somebody else changed may be all in what is left out.
        let unseen = loose_from == loose_to && label.meets(label_of(S::Action::ELSEWHERE));
        let labels = S::permissive().labels(S::of(loose_from), S::of(loose_to));
        let permitted = unseen || labels.meets(label);
        // The one that takes the step answers for it; what others see of a refused one convicts nobody else.
        if permitted && (step.broken || step.refused) {
            return;
        }
        let own = step.server == Some(server) && step.action.has_server();
        let charge = match (permitted, own) {
            (false, _) => NO_ACTION,
            (true, true) => S::failed(step.action, from, to),
            (true, false) => S::failed_elsewhere(from, to),
        };
        self.report(step, charge, (!own).then_some(server), findings);
        step.refused = true;
    }

    /// Says what is broken besides the guard that failed first, and what is after that, when the permissive contract
    /// refuses nothing.
    #[inline]
    fn check_invariants(&mut self, step: &Step<S>, findings: &mut Vec<Finding>) {
        for (charge, rival) in S::invariants(&step.after) {
            self.report(step, charge, rival.filter(|rival| Some(*rival) != step.server), findings);
        }
        // Without a finding, the table has said so of these.
        if (step.broken || step.refused)
            && let Some(server) = step.server
        {
            for charge in S::wrongs(step.action, S::seen_by(&step.before, server)) {
                self.report(step, charge, None, findings);
            }
        }
    }

    fn report(&mut self, step: &Step<S>, (property, guard): Charge, rival: Option<u8>, findings: &mut Vec<Finding>) {
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

/// The label of an action in the table of one server: its own step, or one without a server.
fn label_of<A: SeatAction>(action: A) -> SeatLabels<A> {
    SeatLabels::of_index(action.index())
}
