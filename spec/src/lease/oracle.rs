//! The oracle of one lease: judges every step, in pairs of actors.
//!
//! A pair is enough because each guard of `Lease.tla` speaks about one rival at a time, and the contract of many actors,
//! seen through two of them, is the contract of two (`Pair.tla`). The actor that moves is judged with every other actor
//! that works, is doubted, holds a token or is named as owner, and with an idle phantom when there is none. A pair that
//! does not include it is judged when the step changed what that pair sees: its owner left, or a token was fenced.

use super::LeaseContract;
use super::action::{Action, Labels};
use super::guards;
use super::overlap::{Overlap, Working};
use super::pair::{PairCode, Side, actor_code, pair_code};
use crate::coverage::{ContractName, Coverage};
use crate::finding::{ActorId, Charge, Finding, NO_ACTION};
use crate::landmark::{Landmark, Marks};
use crate::property::{Property, PropertySet};
use crate::token::Token;

/// The refined state after a step, as the world sees it.
///
/// The world reads it off its machines, its store and its resource, never off the name of the action: the oracle
/// compares the two. Without an actor, the fields about the actor are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// Whom the store names.
    pub owner: Option<ActorId>,
    /// Whether the actor believes that it is primary, paused or not; `false` once it has crashed.
    pub works: bool,
    /// Whether the actor is paused or suspended, or its clock or the store's is out of its bound.
    pub doubted: bool,
    /// Whether the actor is not paused. Measures exposure; no part of the contract.
    pub running: bool,
    /// Whether the resource has ever accepted an operation of the actor below its highest epoch.
    pub stained: bool,
    /// The tokens that changed, of any actors.
    pub tokens: &'a [(ActorId, Token)],
}

impl Change<'_> {
    /// What is true of an actor that has done nothing, under this owner.
    #[must_use]
    pub const fn idle(owner: Option<ActorId>) -> Self {
        Self { owner, works: false, doubted: false, running: true, stained: false, tokens: &[] }
    }
}

/// Judges one lease over one run.
///
/// Shape: keeps only actors of which something is left; the others are idle. After warm-up it allocates nothing.
/// Units and clock: every `at_us` is true time in microseconds, and never goes back.
/// Spec: `Lease.tla`, strict until the first step that is no strict edge, permissive from then on.
#[derive(Debug, Clone)]
pub struct LeaseOracle {
    strict: &'static LeaseContract,
    broken: bool,
    owner: Option<ActorId>,
    /// In the order of their ids.
    actors: Vec<Standing>,
    /// The same actors before the step that is being judged.
    before: Vec<Standing>,
    found: PropertySet,
    /// Whose Accept was the last step, when it changed nothing.
    settled: Option<ActorId>,
    overlap: Overlap,
    coverage: Coverage,
    marks: Marks,
}

/// What an actor is to the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    id: ActorId,
    works: bool,
    doubted: bool,
    running: bool,
    stained: bool,
    token: Token,
}

/// A step on its way through the judge.
#[derive(Clone, Copy)]
struct Step {
    action: Action,
    actor: Option<ActorId>,
    at_us: u64,
    owner_before: Option<ActorId>,
    /// Becomes true with the first pair that refuses the step.
    refused: bool,
}

impl LeaseOracle {
    /// A lease that nobody holds, at time zero.
    #[must_use]
    pub fn new() -> Self {
        let strict = LeaseContract::strict();
        Self {
            strict,
            broken: false,
            owner: None,
            actors: Vec::new(),
            before: Vec::new(),
            found: PropertySet::default(),
            settled: None,
            overlap: Overlap::default(),
            coverage: Coverage::new(ContractName::Lease),
            marks: Marks::default(),
        }
    }

    /// Forgets the run, and keeps the memory for the next one.
    pub fn reset(&mut self) {
        self.broken = false;
        self.owner = None;
        self.actors.clear();
        self.found = PropertySet::default();
        self.settled = None;
        self.overlap = Overlap::default();
        self.coverage.clear();
        self.marks.clear();
    }

    /// Judges one step, and appends what it broke to `findings`.
    ///
    /// `actor` is the one that acts, and the one that `change` describes; none for [`Action::Leave`] and
    /// [`Action::Elsewhere`]. Cost: one look-up for each other actor of which something is left.
    pub fn step(
        &mut self,
        action: Action,
        actor: Option<ActorId>,
        change: Change<'_>,
        at_us: u64,
        findings: &mut Vec<Finding>,
    ) {
        let mut step = Step { action, actor, at_us, owner_before: self.owner, refused: false };
        self.coverage.count_action(action.index());
        self.take(actor, change);
        self.judge(&mut step, findings);
        self.broken |= step.refused;
        self.overlap.change(self.working(), at_us);
        self.check_invariants(step, findings);
        let unchanged = step.owner_before == self.owner && self.before == self.actors;
        if !unchanged {
            self.marks.reach(self.landmark(), at_us);
        }
        self.settled = actor.filter(|_| action == Action::Accept && unchanged && !step.refused);
        self.forget_idle();
    }

    /// Counts an Accept that repeats the last step and changes nothing; `false` when it must go through
    /// [`LeaseOracle::step`].
    ///
    /// For the common case: a primary works on, and no other step has been judged since its last operation. The caller
    /// vouches that the resource's highest epoch is still the actor's own.
    #[inline]
    pub fn accept_again(&mut self, actor: ActorId) -> bool {
        let repeats = self.settled == Some(actor);
        if repeats {
            self.coverage.count_action(Action::Accept.index());
        }
        repeats
    }

    /// Says that an actor was paused or resumed. No action of the contract, but exposure excludes paused actors.
    pub fn set_running(&mut self, actor: ActorId, running: bool, at_us: u64) {
        let at = self.place(actor);
        self.actors[at].running = running;
        self.overlap.change(self.working(), at_us);
        self.forget_idle();
    }

    /// Ends the run: closes open intervals.
    pub fn finish(&mut self, at_us: u64) {
        self.overlap.finish(at_us);
    }

    /// Whether every step so far was a strict one.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        !self.broken
    }

    /// The longest time that two trusted actors worked.
    #[must_use]
    pub const fn longest_overlap_us(&self) -> u64 {
        self.overlap.together().longest_us()
    }

    /// The longest time that two actors worked of which one was doubted, paused ones not counted.
    #[must_use]
    pub const fn longest_exposure_us(&self) -> u64 {
        self.overlap.exposure().longest_us()
    }

    /// How often that happened.
    #[must_use]
    pub const fn exposures(&self) -> u64 {
        self.overlap.exposure().intervals()
    }

    /// All that was measured over time.
    #[must_use]
    pub const fn overlap(&self) -> &Overlap {
        &self.overlap
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

    /// How many actors are followed at the moment.
    #[must_use]
    pub const fn active(&self) -> usize {
        self.actors.len()
    }

    /// Takes the state after the step over, and keeps the one before it.
    fn take(&mut self, actor: Option<ActorId>, change: Change<'_>) {
        for id in actor.into_iter().chain(change.owner).chain(change.tokens.iter().map(|(id, _)| *id)) {
            self.place(id);
        }
        self.before.clone_from(&self.actors);
        if let Some(actor) = actor {
            let at = self.place(actor);
            let Change { works, doubted, running, stained, .. } = change;
            self.actors[at] = Standing { works, doubted, running, stained, ..self.actors[at] };
        }
        for (id, token) in change.tokens {
            let at = self.place(*id);
            self.actors[at].token = *token;
        }
        self.owner = change.owner;
    }

    /// Where an actor stands; it is taken in when it is not followed yet.
    fn place(&mut self, id: ActorId) -> usize {
        match self.actors.binary_search_by_key(&id, |actor| actor.id) {
            Ok(at) => at,
            Err(at) => {
                self.actors.insert(at, Standing::idle(id));
                at
            }
        }
    }

    fn judge(&mut self, step: &mut Step, findings: &mut Vec<Finding>) {
        // An action without an actor is seen from outside by everybody, whoever caused it.
        let mover = step.actor.filter(|_| step.action.has_actor());
        let mover = mover.and_then(|id| self.actors.binary_search_by_key(&id, |actor| actor.id).ok());
        let count = self.actors.len();
        if let Some(mover) = mover {
            let label = step.action.label(Side::A);
            for rival in (0..count).filter(|rival| *rival != mover) {
                self.judge_pair(step, label, mover, Some(rival), findings);
            }
            if count == 1 {
                self.judge_pair(step, label, mover, None, findings);
            }
        } else if step.action.has_actor() {
            self.report(step, NO_ACTION, None, findings);
            step.refused = true;
        }

        // Beside a mover these pairs convict nobody new, since each bystander stands in a pair with the mover too; they
        // say how the step looks from outside, which coverage counts. Without a mover they are all there is.
        let label = step.action.seen_from_outside();
        let mut changed = false;
        let (seen, mut outside) = (step.action.as_seen_from_outside(), false);
        for first in 0..count {
            if Some(first) == mover || !self.is_changed(first, step) {
                continue;
            }
            changed = true;
            let mut alone = true;
            for second in 0..count {
                if Some(second) == mover || second == first {
                    continue;
                }
                alone = false;
                if second > first || !self.is_changed(second, step) {
                    outside = true;
                    self.judge_pair(step, label, first, Some(second), findings);
                }
            }
            // Beside a mover, its pair with the mover has said everything.
            if alone && mover.is_none() {
                self.judge_pair(step, label, first, None, findings);
            }
        }
        if outside && let Some(seen) = seen.filter(|seen| *seen != step.action) {
            self.coverage.count_action(seen.index());
        }
        if !changed && !step.action.has_actor() {
            self.report(step, NO_ACTION, None, findings);
            step.refused = true;
        }
    }

    /// Whether the step changed what is known of an actor.
    fn is_changed(&self, at: usize, step: &Step) -> bool {
        let id = Some(self.actors[at].id);
        self.before[at] != self.actors[at] || (step.owner_before == id) != (self.owner == id)
    }

    /// Judges a step in the pair of actors at `first` and `second`, or at `first` and a phantom that is always idle.
    fn judge_pair(
        &mut self,
        step: &mut Step,
        label: Labels,
        first: usize,
        second: Option<usize>,
        findings: &mut Vec<Finding>,
    ) {
        let from = pair_at(&self.before, step.owner_before, first, second);
        let to = pair_at(&self.actors, self.owner, first, second);
        if !self.broken
            && let Some(edge) = self.strict.edge(from, to)
            && edge.labels.meets(label)
        {
            if let Some(landmark) = self.coverage.visit(self.strict, edge, label) {
                self.marks.reach(landmark, step.at_us);
            }
            return;
        }
        // Asked late: a run that keeps the contract never reads the permissive table.
        let permitted = LeaseContract::permissive().labels(from, to).meets(label);
        if self.broken && permitted {
            return;
        }
        let outside = step.actor != Some(self.actors[first].id) || !step.action.has_actor();
        let charge = if permitted { guards::failed(step.action, outside, from.state(), to.state()) } else { NO_ACTION };
        let rival = if outside { Some(first) } else { second };
        let rival = rival.map(|at| self.actors[at].id);
        self.report(step, charge, rival, findings);
        step.refused = true;
    }

    fn check_invariants(&mut self, step: Step, findings: &mut Vec<Finding>) {
        let other = |wanted: &dyn Fn(&Standing) -> bool| {
            self.actors.iter().find(|actor| Some(actor.id) != step.actor && wanted(actor)).map(|actor| actor.id)
        };
        let mut broken: [Option<(Charge, Option<ActorId>)>; 3] = [None; 3];
        if !self.found.contains(Property::AtMostOneWorkingPrimary)
            && self.actors.iter().filter(|actor| actor.is_trusted_primary()).count() > 1
        {
            broken[0] = Some((guards::AT_MOST_ONE, other(&Standing::is_trusted_primary)));
        }
        if !self.found.contains(Property::NoStaleEffect) && self.actors.iter().any(|actor| actor.stained) {
            broken[1] = Some((guards::NO_STALE, other(&|actor| Some(actor.id) == self.owner)));
        }
        if !self.found.contains(Property::SealedBeforeWork)
            && self.actors.iter().any(|actor| Some(actor.id) == self.owner && actor.is_trusted_primary())
        {
            let open = |actor: &Standing| Some(actor.id) != self.owner && actor.token == Token::Open;
            if self.actors.iter().any(open) {
                broken[2] = Some((guards::SEALED, other(&open).or(self.owner)));
            }
        }
        for (charge, rival) in broken.into_iter().flatten() {
            self.report(&step, charge, rival, findings);
        }
    }

    fn report(&mut self, step: &Step, charge: Charge, rival: Option<ActorId>, findings: &mut Vec<Finding>) {
        let (property, guard) = charge;
        if self.found.insert(property) {
            findings.push(Finding {
                property,
                at_us: step.at_us,
                actor: step.actor,
                rival,
                action: step.action.name(),
                guard,
            });
        }
    }

    /// The state as a landmark: a sum over the actors, so that it does not matter who is who.
    fn landmark(&self) -> Landmark {
        let digest = self.actors.iter().fold(0_u64, |digest, actor| {
            let code =
                u64::from(actor.code()) | u64::from(actor.stained) << 4 | u64::from(self.owner == Some(actor.id)) << 5;
            digest.wrapping_add(
                (code + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xd6e8_feb8_6659_fd93),
            )
        });
        Landmark::state(digest)
    }

    fn working(&self) -> Working {
        let mut working = Working::default();
        for actor in self.actors.iter().filter(|actor| actor.works) {
            working.trusted += u32::from(!actor.doubted);
            working.doubted += u32::from(actor.doubted);
            working.running += u32::from(actor.running);
            working.running_doubted += u32::from(actor.running && actor.doubted);
        }
        working
    }

    fn forget_idle(&mut self) {
        let owner = self.owner;
        self.actors.retain(|actor| !actor.is_idle() || owner == Some(actor.id));
    }
}

impl Default for LeaseOracle {
    fn default() -> Self {
        Self::new()
    }
}

impl Standing {
    const fn idle(id: ActorId) -> Self {
        Self { id, works: false, doubted: false, running: true, stained: false, token: Token::None }
    }

    const fn is_trusted_primary(&self) -> bool {
        self.works && !self.doubted
    }

    /// Nothing is left of it. A stain stays, because operations of a stained actor may go on landing.
    fn is_idle(&self) -> bool {
        *self == Self::idle(self.id)
    }

    const fn code(&self) -> u16 {
        actor_code(self.works, self.doubted, self.token)
    }
}

/// The state of a pair; a missing second actor is idle.
fn pair_at(actors: &[Standing], owner: Option<ActorId>, first: usize, second: Option<usize>) -> PairCode {
    let first = &actors[first];
    let second = second.map(|at| &actors[at]);
    let side = match owner {
        None => None,
        Some(id) if id == first.id => Some(Side::A),
        Some(id) => second.filter(|second| second.id == id).map(|_| Side::B),
    };
    let (code, stained) = second.map_or((0, false), |second| (second.code(), second.stained));
    pair_code(side, first.code(), code, first.stained || stained)
}

#[cfg(test)]
mod mirror;
#[cfg(test)]
mod tests;
