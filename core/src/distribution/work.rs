//! A row that a server works on, and what is to be done next about it.

use super::message::{Change, InstanceState, Kind, Name, Owner, Phase, RowView, Verb, Verdict};
use super::resources::{ContentId, ResourceError};
use super::rules::{Handover, Progress, Rules};
use crate::id::Host;
use crate::time::Instant;

/// What the server knows of a row beside what the store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Work {
    /// The row, as last seen.
    pub row: RowView,
    /// Whether an answer to the server's own request said so. A list of rows may be older than what was released since.
    pub confirmed: bool,
    /// How the last instance is, as the cluster said in this epoch.
    pub state: Option<InstanceState>,
    /// Whether the server itself wrote down, in this epoch, that the instance is about to be started.
    pub intended: bool,
    /// Under [`Progress::DeleteAfterRun`]: the cluster was called, whatever came of it.
    pub executed: bool,
    /// Whether the resource is here and verified.
    pub fetched: bool,
    /// Why this attempt did not get the resource, if so.
    pub unsupplied: Option<ResourceError>,
    /// Whether it was found among those that nobody is to take.
    pub orphan: bool,
    /// Whether it was decided to release it: nothing else is done about it any more.
    pub releasing: bool,
    /// What is waited for: the number of a request, and until when.
    pub asked: Option<(u32, Instant)>,
    /// When to look at it again.
    pub due: Instant,
}

/// What the decision depends on beside the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// Who works.
    pub me: Owner,
    /// Whether the row is the server's own, by its ring.
    pub own: bool,
    /// Whose it is by the ring.
    pub home: Option<Host>,
    /// Whether the ring has stood still for long enough to hand rows over.
    pub calm: bool,
    /// The decisions.
    pub rules: Rules,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing for now.
    Wait,
    /// Nothing any more.
    Forget,
    /// Ask to own it.
    Claim,
    /// Get the resource.
    Fetch(ContentId),
    /// Change the row.
    Change(Change),
    /// Call the cluster.
    Call(Verb, Name),
}

impl Work {
    /// Work on a row of which nothing else is known.
    #[must_use]
    pub const fn new(row: RowView) -> Self {
        Self {
            row,
            confirmed: false,
            state: None,
            intended: false,
            executed: false,
            fetched: false,
            unsupplied: None,
            orphan: false,
            releasing: false,
            asked: None,
            due: Instant::ZERO,
        }
    }

    /// Takes a newer state of the row in. What was known of an instance holds for that instance, in that epoch.
    pub fn see(&mut self, row: &RowView) {
        if (row.epoch, row.last) != (self.row.epoch, self.row.last) {
            self.state = None;
            self.intended = false;
        }
        if row.epoch != self.row.epoch {
            self.releasing = false;
            self.confirmed = false;
        }
        if row.action != self.row.action {
            self.executed = false;
        }
        if (row.epoch, row.name()) != (self.row.epoch, self.row.name()) {
            self.unsupplied = None;
        }
        self.orphan = false;
        self.row = *row;
    }

    /// Whether the server works on it as its executor: it owns it, as far as it knows.
    #[must_use]
    pub fn is_owned(&self, me: Owner, rules: Rules) -> bool {
        !rules.claims() || (self.confirmed && self.row.owner == Some(me))
    }

    /// What is to be done next.
    #[must_use]
    pub fn next(&self, around: &Surroundings) -> Step {
        let Surroundings { me, own, home, calm, rules } = *around;
        let row = &self.row;
        if row.phase.is_over() {
            return Step::Forget;
        }
        if !self.is_owned(me, rules) {
            let misplaced = self.orphan || row.home == me.server;
            return match home {
                _ if own => Step::Claim,
                Some(home) if misplaced && home != me.server => Step::Change(Change::Forward { home }),
                _ => Step::Forget,
            };
        }
        if !rules.claims() && !own && !self.executed {
            return Step::Forget;
        }
        let moves = rules.claims() && !own && calm && rules.handover == Handover::ReleaseFirst;
        if let Some(home) = home
            && (moves || self.releasing)
        {
            return Step::Change(Change::Release { home });
        }
        match (rules.progress, row.phase) {
            (Progress::DeleteAfterRun, _) => self.execute(),
            (Progress::States, Phase::Pending) if row.kind.starts() => self.prepare(),
            (Progress::States, Phase::Pending) => self.stop(),
            (Progress::States, Phase::Starting) => self.start(),
            (Progress::States, _) => self.follow(),
        }
    }

    /// Calls the cluster once, and deletes the row.
    fn execute(&self) -> Step {
        match self.row.kind {
            _ if self.executed => Step::Change(Change::Delete),
            Kind::Start | Kind::Restart => self.supply().unwrap_or(self.call_start(self.row.name())),
            Kind::Revoke | Kind::Cancel | Kind::Abort | Kind::ForcedStop => Step::Call(Verb::StopAll, self.row.name()),
        }
    }

    fn call_start(&self, name: Name) -> Step {
        let spec = &self.row.spec;
        Step::Call(Verb::Start { runs: spec.runs, fails: name.attempt <= spec.fails }, name)
    }

    /// The resource, if it is needed and not here.
    fn lacks(&self) -> Option<ContentId> {
        self.row.spec.resource.filter(|_| !self.fetched)
    }

    /// What is to be done because the resource is not here. An attempt that does not get it has failed.
    fn supply(&self) -> Option<Step> {
        let id = self.lacks()?;
        Some(if self.unsupplied.is_some() { Step::Change(Change::Retry) } else { Step::Fetch(id) })
    }

    fn is_last_over(&self) -> bool {
        self.state.is_some_and(InstanceState::is_over)
    }

    /// Before an instance is started, the one before it is over, and the resource is here.
    fn prepare(&self) -> Step {
        if let Some(last) = self.row.last
            && !self.is_last_over()
        {
            return Step::Call(Verb::Stop, last);
        }
        self.supply().unwrap_or(Step::Change(Change::Intend))
    }

    /// The row says that the instance is about to be started. Who did not write that asks first how it is, and may have to get
    /// the resource, however long that takes: the start of the one before may be under way, so the attempt cannot be given up.
    fn start(&self) -> Step {
        let Some(last) = self.row.last else { return Step::Change(Change::Retry) };
        match self.state {
            None if !self.intended => Step::Call(Verb::Ask, last),
            None | Some(InstanceState::Never) => self.lacks().map_or(self.call_start(last), Step::Fetch),
            Some(InstanceState::Running | InstanceState::Succeeded | InstanceState::Failed) => {
                Step::Change(Change::Run)
            }
            Some(InstanceState::Stopped) => Step::Change(Change::Retry),
            Some(InstanceState::Refused) => Step::Forget,
        }
    }

    /// An instance was seen: follow it to its end, unless there is more to do.
    fn follow(&self) -> Step {
        let Some(last) = self.row.last else { return Step::Change(Change::Retry) };
        match self.state {
            Some(InstanceState::Succeeded) => Step::Change(Change::End(Verdict::Done)),
            Some(InstanceState::Failed | InstanceState::Stopped) => Step::Change(Change::Retry),
            Some(InstanceState::Refused) => Step::Forget,
            Some(InstanceState::Running | InstanceState::Never) | None if self.row.waiting > 0 => {
                Step::Change(Change::Advance)
            }
            Some(InstanceState::Running | InstanceState::Never) | None => Step::Call(Verb::Ask, last),
        }
    }

    /// Nothing of the job is to run when this is over; except that what was started is not revoked, and followed again.
    fn stop(&self) -> Step {
        let verdict = if self.row.kind == Kind::Abort { Verdict::Failed } else { Verdict::Cancelled };
        let Some(last) = self.row.last else { return Step::Change(Change::End(verdict)) };
        match self.state {
            Some(InstanceState::Refused) => Step::Forget,
            _ if self.row.kind == Kind::Revoke => Step::Change(Change::Run),
            state if state.is_some_and(InstanceState::is_over) => Step::Change(Change::End(verdict)),
            _ => Step::Call(Verb::Stop, last),
        }
    }
}
