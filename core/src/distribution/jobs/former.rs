//! From a table of tasks to a table of jobs: what becomes of the rows, and of servers that still know the former table.
//!
//! A row of the former table says what is to be done, and nothing of what was done before. So a first start counts as about
//! to be started: whoever takes the row asks the cluster first, which knows the instance by its name if it was started. Of a
//! later action it is assumed that the action before it started something, which is stopped first. An action that a later one
//! on its job has overtaken is not done any more.

use super::{Jobs, Row, Rules, WAITING_MAX};
use crate::distribution::message::{Action, Change, JobId, Name, Phase, RowId, RowView, What};
use crate::distribution::rules::TaskKey;
use crate::id::Host;
use alloc::collections::BTreeMap;

impl Jobs {
    /// Lets `rules` decide from now on. If that makes a row of a job what was a row of a task, rows of one job are put together,
    /// and the former table is there no more: whoever asks for it finds nothing.
    ///
    /// Rows of jobs do not become rows of tasks again: the queue of a job has no place there.
    pub fn upgrade(&mut self, rules: Rules) {
        let before = core::mem::replace(&mut self.config.rules, rules);
        if (before.task_key, rules.task_key) != (TaskKey::Task, TaskKey::Job) {
            return;
        }
        self.former = true;
        self.due.clear();
        self.held.clear();
        let rows = core::mem::take(&mut self.rows);
        let executed = |(_, id): &(&(JobId, u16), &RowId)| !rows.contains_key(id);
        let overtaking: BTreeMap<JobId, u16> = self.tasks.iter().filter(executed).map(|(task, _)| *task).collect();
        // By number, which is the order in which they were written down.
        for row in rows.values() {
            let RowView { job, action, epoch, .. } = row.view;
            if overtaking.get(&job).is_some_and(|later| *later > action) {
                continue;
            }
            let id = RowId(job.0);
            let Some(known) = self.rows.get_mut(&id) else {
                self.rows.insert(id, Row::of_former(id, row));
                continue;
            };
            known.view.epoch = known.view.epoch.max(epoch);
            if action > known.newest && known.queue.len() < WAITING_MAX && !row.view.phase.is_over() {
                known.newest = action;
                known.queue.push_back((action, row.view.kind));
                known.view.waiting += 1;
            }
        }
        self.due = self.rows.values().filter_map(Row::due).collect();
    }

    /// Whether there was a table of tasks before, and servers may be about that know nothing else.
    #[must_use]
    pub const fn follows_former(&self) -> bool {
        self.former
    }

    /// Whether an operation is about a row of the former table: whoever does not claim names no epoch.
    pub(super) const fn is_about_former(&self, what: &What) -> bool {
        match what {
            What::Change { epoch: 0, change, .. } => self.former && !matches!(change, Change::Forward { .. }),
            _ => false,
        }
    }

    /// Whether the former table had this action.
    pub(super) fn had(&self, job: JobId, action: u16) -> bool {
        self.former && self.tasks.contains_key(&(job, action))
    }
}

impl Row {
    /// The row of a job of which the former table has this row.
    fn of_former(id: RowId, row: &Self) -> Self {
        let Self { view, newest, .. } = row;
        let action = Action { job: view.job, number: view.action, kind: view.kind, spec: view.spec };
        let mut new = Self { newest: *newest, orphan: true, ..Self::after_former(id, &action, view.home) };
        (new.view.attempt, new.view.epoch) = (view.attempt, view.epoch);
        if view.phase.is_over() {
            new.view.phase = view.phase;
        } else if view.kind.starts() && view.action == 1 {
            (new.view.phase, new.view.last) = (Phase::Starting, Some(view.name()));
        }
        new
    }

    /// The row of a job whose earlier actions the former table had, and has no more.
    pub(super) fn after_former(id: RowId, action: &Action, home: Host) -> Self {
        let mut row = Self::new(id, action, home);
        let before = Name { job: action.job, action: action.number.saturating_sub(1), attempt: 1 };
        row.view.last = (action.number > 1).then_some(before);
        row
    }
}
