//! The job table: a row for each job, or for each task, as the database keeps it.

mod former;

use super::hash::hash64_of_number;
use super::members::Members;
use super::message::{
    Action, Change, JobId, Kind, Operation, Outcome, Owner, Phase, ROWS_MAX, Result, RowId, RowView, Scope, Verdict,
    What,
};
use super::rules::{Claiming, Handover, Membership, Progress, Rules, TaskKey};
use crate::election::{HeartbeatTable, Query, StoreNow};
use crate::id::{Host, Incarnation, Utype};
use crate::time::Instant;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::ops::Bound;

/// How many actions of a job can wait.
pub const WAITING_MAX: usize = 4;

/// The parameters of a job table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobsConfig {
    /// The decisions.
    pub rules: Rules,
    /// How many attempts an action has.
    pub attempts_max: u8,
}

/// What an operation did, in words of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    None,
    /// An action was written down.
    Inserted,
    /// A row got an owner. Spec: `Claim`.
    Claimed {
        /// Who owned it before.
        from: Option<Owner>,
        /// Whether the session of that owner is over for good.
        expired: bool,
    },
    /// The row changed.
    Changed(Change),
    /// The last attempt failed. Spec: `Close`.
    GivenUp,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Row {
    view: RowView,
    /// What waits for the present action to be over.
    queue: VecDeque<(u16, Kind)>,
    /// The newest action that was written down.
    newest: u16,
    /// Whether the server that owns it has left since.
    abandoned: bool,
    /// Whether the server that was to take it has left since.
    orphan: bool,
}

impl Row {
    fn new(id: RowId, action: &Action, home: Host) -> Self {
        let view = RowView {
            id,
            job: action.job,
            hash: hash64_of_number(i64::from(id.0)),
            spec: action.spec,
            home,
            owner: None,
            epoch: 0,
            version: 1,
            action: action.number,
            kind: action.kind,
            attempt: 1,
            phase: Phase::Pending,
            last: None,
            waiting: 0,
        };
        Self { view, queue: VecDeque::new(), newest: action.number, abandoned: false, orphan: false }
    }

    /// As answers show it.
    #[must_use]
    pub const fn view(&self) -> &RowView {
        &self.view
    }

    /// The number of the newest action that was written down.
    #[must_use]
    pub const fn newest(&self) -> u16 {
        self.newest
    }

    /// Whether the server that owns it has left since.
    #[must_use]
    pub const fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// Whether the server that was to take it has left since.
    #[must_use]
    pub const fn is_orphan(&self) -> bool {
        self.orphan
    }

    /// Under whom it is found by those who look for work, if it needs anybody.
    fn due(&self) -> Option<(Option<Host>, i64, RowId)> {
        let needs = self.view.owner.is_none() || self.view.waiting > 0 || self.abandoned;
        let home = (!self.orphan).then_some(self.view.home);
        (needs && !self.view.phase.is_over()).then_some((home, self.view.hash, self.view.id))
    }

    fn held(&self) -> Option<(Host, RowId)> {
        self.view.owner.map(|owner| (owner.server, self.view.id))
    }

    /// Writes a further action down.
    fn wait(&mut self, action: &Action, home: Host) {
        self.newest = action.number;
        self.queue.push_back((action.number, action.kind));
        self.view.waiting += 1;
        if self.view.phase.is_over() {
            self.view.home = home;
            self.orphan = false;
            self.advance();
        }
    }

    /// Begins the next action. Returns whether there is one.
    fn advance(&mut self) -> bool {
        let Some((number, kind)) = self.queue.pop_front() else { return false };
        self.view.waiting -= 1;
        (self.view.action, self.view.kind, self.view.attempt) = (number, kind, 1);
        self.view.phase = Phase::Pending;
        true
    }

    fn end(&mut self, verdict: Verdict) {
        self.view.phase = match verdict {
            Verdict::Done => Phase::Done,
            Verdict::Failed => Phase::Failed,
            Verdict::Cancelled => Phase::Cancelled,
        };
        if !self.advance() {
            self.view.owner = None;
        }
    }
}

/// All rows, and where those that need somebody are found.
///
/// Shape: rows by number; beside them, those that need somebody, by (who is to take them, hash), and those that somebody
/// owns, by owner. A change of a row costs O(log n).
/// Invariant: an operation that is not carried out changes nothing; epochs and versions of a row only grow; with
/// [`Claiming::CompareAndSet`] a row changes in the epoch of its owner only.
/// Spec: `Job.tla`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Jobs {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: JobsConfig,
    rows: BTreeMap<RowId, Row>,
    #[cfg_attr(feature = "serde", serde(skip))]
    due: BTreeSet<(Option<Host>, i64, RowId)>,
    #[cfg_attr(feature = "serde", serde(skip))]
    held: BTreeSet<(Host, RowId)>,
    /// Which task each action is, where tasks have numbers of their own.
    #[cfg_attr(feature = "serde", serde(skip))]
    tasks: BTreeMap<(JobId, u16), RowId>,
    /// The epochs of rows that were deleted: one that is written down again goes on from there, so that no epoch has two owners.
    #[cfg_attr(feature = "serde", serde(skip))]
    deleted: BTreeMap<RowId, u32>,
    /// Whether there was a table of tasks before: its actions are those in `tasks`, and servers may still ask for it.
    #[cfg_attr(feature = "serde", serde(skip))]
    former: bool,
}

impl Jobs {
    /// An empty table.
    #[must_use]
    pub const fn new(config: JobsConfig) -> Self {
        Self {
            config,
            rows: BTreeMap::new(),
            due: BTreeSet::new(),
            held: BTreeSet::new(),
            tasks: BTreeMap::new(),
            deleted: BTreeMap::new(),
            former: false,
        }
    }

    /// The decisions.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.config.rules
    }

    /// A row.
    #[must_use]
    pub fn row(&self, id: RowId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// All rows, by number.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Where rows that need somebody are found: by (who is to take them, hash). For tests of the index.
    #[doc(hidden)]
    pub fn due(&self) -> impl Iterator<Item = (Option<Host>, i64, RowId)> {
        self.due.iter().copied()
    }

    /// Whose rows are whose, by owner. For tests of the index.
    #[doc(hidden)]
    pub fn held(&self) -> impl Iterator<Item = (Host, RowId)> {
        self.held.iter().copied()
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows.len() * size_of::<(RowId, Row)>()
            + self.due.len() * size_of::<(Option<Host>, i64, RowId)>()
            + self.held.len() * size_of::<(Host, RowId)>()
            + self.tasks.len() * size_of::<((JobId, u16), RowId)>()
            + self.deleted.len() * size_of::<(RowId, u32)>()
    }

    /// The row that an action is in, if it was written down.
    #[must_use]
    pub fn row_of(&self, job: JobId, action: u16) -> Option<RowId> {
        match self.config.rules.task_key {
            TaskKey::Job => {
                let id = RowId(job.0);
                self.rows.get(&id).filter(|row| action <= row.newest).map(|_| id)
            }
            TaskKey::Task => self.tasks.get(&(job, action)).copied(),
        }
    }

    /// Rows that need somebody, after a place in their order: by hash, or by number if all are asked for. O(log n) for
    /// each.
    #[must_use]
    pub fn list(&self, by: Host, scope: Scope, after: Option<(i64, RowId)>) -> [Option<RowView>; ROWS_MAX] {
        let (home, first, last) = match scope {
            Scope::All if self.former => return [None; ROWS_MAX],
            Scope::All => {
                let from = after.map_or(Bound::Unbounded, |(_, row)| Bound::Excluded(row));
                let rows = self.rows.range((from, Bound::Unbounded));
                let mut rows = rows.filter(|(_, row)| !row.view.phase.is_over());
                return core::array::from_fn(|_| rows.next().map(|(_, row)| row.view));
            }
            Scope::Home => (Some(by), i64::MIN, i64::MAX),
            Scope::Orphans { first, last } => (None, first, last),
        };
        // Whoever asks, nobody is shown what lies before the part, or after it.
        let after = after.filter(|(hash, _)| *hash >= first);
        let from = match after {
            Some((hash, row)) => Bound::Excluded((home, hash, row)),
            None => Bound::Included((home, first, RowId(0))),
        };
        if after.map_or(first, |(hash, _)| hash) > last {
            return [None; ROWS_MAX];
        }
        let mut due = self.due.range((from, Bound::Included((home, last, RowId(u32::MAX)))));
        core::array::from_fn(|_| due.next().and_then(|(_, _, id)| self.rows.get(id)).map(|row| row.view))
    }

    /// Takes note that a server left: what it was to take, and what it owns, is for whoever the ring names now. Costs
    /// time in proportion to those rows.
    pub fn left(&mut self, server: Host) {
        let due = self.due.range((Some(server), i64::MIN, RowId(0))..=(Some(server), i64::MAX, RowId(u32::MAX)));
        let due: Vec<RowId> = due.map(|(_, _, row)| *row).collect();
        let held = self.held.range((server, RowId(0))..=(server, RowId(u32::MAX)));
        let held: Vec<RowId> = held.map(|(_, row)| *row).collect();
        for row in held {
            self.update(row, |row| (row.abandoned, row.orphan) = (true, true));
        }
        for row in due {
            self.update(row, |row| row.orphan = true);
        }
    }

    /// Changes a row, and where it is found.
    fn update(&mut self, id: RowId, change: impl FnOnce(&mut Row)) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let before = (row.due(), row.held());
        change(row);
        let after = (row.due(), row.held());
        if before.0 != after.0 {
            before.0.map(|due| self.due.remove(&due));
            after.0.map(|due| self.due.insert(due));
        }
        if before.1 != after.1 {
            before.1.map(|held| self.held.remove(&held));
            after.1.map(|held| self.held.insert(held));
        }
    }

    /// Carries an operation out, if it may be, and says what it did. `sessions` says whose session runs at `now`,
    /// `members` who is a member.
    pub fn operate(
        &mut self,
        operation: &Operation,
        sessions: &mut HeartbeatTable,
        members: &Members,
        now: StoreNow,
    ) -> (Outcome, Effect) {
        let by = operation.by;
        if self.is_about_former(&operation.what) {
            return (Outcome { to: by, tag: operation.tag, result: Result::Missing, row: None }, Effect::None);
        }
        let old = self.config.rules.membership == Membership::Versioned && operation.members != members.version();
        let ((result, effect), row) = match operation.what {
            What::Insert { action, home } => {
                let done = self.insert(&action, home, old);
                (done, self.row_of(action.job, action.number))
            }
            What::Claim { row, version } => (self.claim(by, row, version, old, sessions, now), Some(row)),
            What::Change { row, epoch, version, change } => {
                (self.change(by, row, (epoch, version), change, old), Some(row))
            }
        };
        let row = row.and_then(|row| self.rows.get(&row)).map(|row| row.view);
        (Outcome { to: by, tag: operation.tag, result, row }, effect)
    }

    fn insert(&mut self, action: &Action, home: Host, old: bool) -> (Result, Effect) {
        if self.row_of(action.job, action.number).is_some() || self.had(action.job, action.number) {
            return (Result::Done, Effect::None);
        }
        if old {
            return (Result::OldMembers, Effect::None);
        }
        let id = match self.config.rules.task_key {
            TaskKey::Task => RowId(self.tasks.len() as u32),
            TaskKey::Job => RowId(action.job.0),
        };
        if let Some(row) = self.rows.get(&id) {
            if action.number != row.newest + 1 || row.queue.len() == WAITING_MAX {
                return (Result::NotYet, Effect::None);
            }
            self.update(id, |row| {
                row.view.version += 1;
                row.wait(action, home);
            });
            return (Result::Done, Effect::Inserted);
        }
        let follows = self.had(action.job, action.number.wrapping_sub(1));
        if self.config.rules.task_key == TaskKey::Task {
            self.tasks.insert((action.job, action.number), id);
        } else if action.number != 1 && self.config.rules.progress == Progress::States && !follows {
            return (Result::NotYet, Effect::None);
        }
        let mut row = if follows { Row::after_former(id, action, home) } else { Row::new(id, action, home) };
        row.view.epoch = row.view.epoch.max(self.deleted.remove(&id).unwrap_or_default());
        self.due.extend(row.due());
        self.rows.insert(id, row);
        (Result::Done, Effect::Inserted)
    }

    fn claim(
        &mut self,
        by: Owner,
        id: RowId,
        version: u32,
        old: bool,
        sessions: &mut HeartbeatTable,
        now: StoreNow,
    ) -> (Result, Effect) {
        let Some(Row { view, .. }) = self.rows.get(&id) else { return (Result::Missing, Effect::None) };
        let from = view.owner;
        if from == Some(by) {
            return (Result::Done, Effect::None);
        }
        if !runs(by, sessions, now) {
            return (Result::NoSession, Effect::None);
        }
        if old {
            return (Result::OldMembers, Effect::None);
        }
        if view.version != version || view.phase.is_over() {
            return (Result::Changed, Effect::None);
        }
        let expired = from.is_some_and(|owner| ends(owner, sessions, now));
        if from.is_some() && !expired && self.config.rules.handover == Handover::ReleaseFirst {
            return (Result::Owned, Effect::None);
        }
        self.update(id, |row| {
            row.view.owner = Some(by);
            row.view.home = by.server;
            row.view.epoch += 1;
            row.view.version += 1;
            (row.abandoned, row.orphan) = (false, false);
        });
        (Result::Done, Effect::Claimed { from, expired })
    }

    fn change(
        &mut self,
        by: Owner,
        id: RowId,
        (epoch, version): (u32, u32),
        change: Change,
        old: bool,
    ) -> (Result, Effect) {
        let Some(Row { view, abandoned, .. }) = self.rows.get(&id) else { return (Result::Missing, Effect::None) };
        let owns = match self.config.rules.claiming {
            Claiming::None => true,
            Claiming::CompareAndSet => match change {
                Change::Forward { .. } => view.owner.is_none() || *abandoned,
                _ => view.owner == Some(by) && view.epoch == epoch,
            },
        };
        if !owns || view.version != version || !is_legal(view, change, self.config.rules.progress) {
            return (Result::Changed, Effect::None);
        }
        if old && matches!(change, Change::Release { .. } | Change::Forward { .. }) {
            return (Result::OldMembers, Effect::None);
        }
        if change == Change::Delete {
            self.delete(id);
            return (Result::Done, Effect::Changed(change));
        }
        let gives_up = change == Change::Retry && view.attempt >= self.config.attempts_max;
        self.update(id, |row| {
            row.view.version += 1;
            match change {
                Change::Intend => {
                    row.view.phase = Phase::Starting;
                    row.view.last = Some(row.view.name());
                }
                Change::Run => row.view.phase = Phase::Running,
                Change::Retry if gives_up => row.end(Verdict::Failed),
                Change::Retry => {
                    row.view.attempt += 1;
                    row.view.phase = Phase::Pending;
                }
                Change::End(verdict) => row.end(verdict),
                Change::Advance => {
                    row.advance();
                }
                Change::Release { home } => {
                    row.view.owner = None;
                    row.view.home = home;
                }
                Change::Forward { home } => {
                    row.view.home = home;
                    row.orphan = false;
                }
                Change::Delete => {}
            }
        });
        (Result::Done, if gives_up { Effect::GivenUp } else { Effect::Changed(change) })
    }

    /// Forgets what was executed: the row, unless a further action waits in it.
    fn delete(&mut self, id: RowId) {
        let waits = |row: &Row| row.view.waiting > 0;
        if self.rows.get(&id).is_some_and(waits) {
            self.update(id, |row| {
                row.view.version += 1;
                row.view.owner = None;
                row.advance();
            });
            return;
        }
        let Some(row) = self.rows.remove(&id) else { return };
        if row.view.epoch > 0 {
            self.deleted.insert(id, row.view.epoch);
        }
        row.due().map(|due| self.due.remove(&due));
        row.held().map(|held| self.held.remove(&held));
    }
}

/// Whether a change follows from where the row stands.
fn is_legal(row: &RowView, change: Change, progress: Progress) -> bool {
    match change {
        Change::Intend => row.phase == Phase::Pending && row.kind.starts(),
        Change::Run => {
            let goes_on = row.phase == Phase::Pending && row.kind == Kind::Revoke && row.last.is_some();
            row.phase == Phase::Starting || goes_on
        }
        Change::Retry | Change::End(_) => !row.phase.is_over(),
        Change::Advance => row.phase == Phase::Running && row.waiting > 0,
        Change::Release { .. } | Change::Forward { .. } => !row.phase.is_over(),
        Change::Delete => progress == Progress::DeleteAfterRun,
    }
}

/// The seat that a server holds its session by.
#[must_use]
pub const fn seat(server: Host) -> Utype {
    Utype(server.0)
}

/// Whether a session runs.
fn runs(owner: Owner, sessions: &HeartbeatTable, now: StoreNow) -> bool {
    let seat = seat(owner.server);
    sessions.entry(seat).is_some_and(|entry| entry.epoch == owner.term) && sessions.is_valid(seat, now)
}

/// Whether a session is over for good: asking is an answer, after which it is never renewed.
fn ends(owner: Owner, sessions: &mut HeartbeatTable, now: StoreNow) -> bool {
    let seat = seat(owner.server);
    match sessions.entry(seat) {
        Some(entry) if entry.epoch != owner.term => entry.epoch > owner.term,
        _ => expire(seat, sessions, now),
    }
}

/// Finds the session of a seat expired, if it is. It stays so.
pub fn expire(seat: Utype, sessions: &mut HeartbeatTable, now: StoreNow) -> bool {
    let query = Query { utype: seat, asker: Incarnation::default(), tag: 0, sent_at: Instant::ZERO };
    !sessions.is_valid(seat, now) && !sessions.in_grace(now) && sessions.query(&query, now).row.incarnation.is_none()
}
