//! What servers call the cluster for, and what the cluster makes of it.

use crate::event::ActorId;
use failproof_core::distribution::{Cluster, JobId, Name, RowId};
use std::collections::BTreeMap;

/// A call of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Which server.
    pub(super) by: ActorId,
    /// For which row.
    pub(super) row: RowId,
    /// For which action on its job.
    pub(super) action: u16,
    /// In which epoch of the row.
    pub(super) epoch: u32,
    /// For which instance.
    pub(super) name: Name,
}

/// A job at the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AtCluster {
    /// The newest epoch that was seen.
    pub(super) epoch: u32,
    /// How many instances were started.
    pub(super) starts: u32,
    /// How many run.
    pub(super) live: u32,
    /// The newest action that took effect.
    action: u16,
}

/// A call that took effect.
#[derive(Clone, Copy, Debug)]
struct Landed {
    call: Call,
    /// The how-manieth call it is, by when it was decided.
    decided: u64,
}

/// Of one run.
#[derive(Debug, Default)]
pub(super) struct Calls {
    decided: u64,
    by_tag: BTreeMap<(ActorId, u32), (Call, u64)>,
    /// Of each action in a row, the call that was decided last of those that took effect.
    landed: BTreeMap<(RowId, u16), Landed>,
    executors: BTreeMap<(RowId, u16, u32), ActorId>,
    jobs: BTreeMap<JobId, AtCluster>,
    starts: BTreeMap<Name, u32>,
}

impl Calls {
    /// A server decided to call. Another one that called for the same row, action and epoch, if there is one.
    pub(super) fn add(&mut self, tag: u32, call: Call) -> Option<ActorId> {
        self.decided += 1;
        self.by_tag.insert((call.by, tag), (call, self.decided));
        let executor = *self.executors.entry((call.row, call.action, call.epoch)).or_insert(call.by);
        (executor != call.by).then_some(executor)
    }

    /// The call that a request about an instance was sent for. A process numbers its calls anew.
    pub(super) fn of(&self, by: ActorId, tag: u32, name: Name, epoch: u32) -> Option<Call> {
        self.number(by, tag).map(|(call, _)| call).filter(|call| call.name == name && call.epoch == epoch)
    }

    fn number(&self, by: ActorId, tag: u32) -> Option<(Call, u64)> {
        self.by_tag.get(&(by, tag)).copied()
    }

    /// A call took effect. Who decided a later one for the same action in the same epoch, if that took effect before:
    /// where nobody claims, all epochs are equal.
    pub(super) fn lands(&mut self, tag: u32, call: Call) -> Option<ActorId> {
        let (_, decided) = self.number(call.by, tag)?;
        let newest = *self.landed.entry((call.row, call.action)).or_insert(Landed { call, decided });
        let later = newest.decided > decided;
        if !later {
            self.landed.insert((call.row, call.action), Landed { call, decided });
        }
        (later && newest.call.by != call.by && newest.call.epoch == call.epoch).then_some(newest.call.by)
    }

    /// The rows are others from now on.
    pub(super) fn forget_rows(&mut self) {
        self.landed.clear();
        self.executors.clear();
    }

    /// A job as it was seen last.
    pub(super) fn at_cluster(&self, job: JobId) -> AtCluster {
        self.jobs.get(&job).copied().unwrap_or_default()
    }

    /// Takes over how a job is at the cluster after a request of this epoch about an instance.
    pub(super) fn see(&mut self, name: Name, epoch: u32, cluster: &Cluster) -> AtCluster {
        let job = self.jobs.entry(name.job).or_default();
        let known = self.starts.entry(name).or_default();
        let starts = cluster.count(name).0;
        job.starts += starts - *known;
        *known = starts;
        job.live = cluster.live(name.job);
        job.epoch = job.epoch.max(epoch);
        *job
    }

    /// An action on a job took effect. Whether a later one did before.
    pub(super) fn effects_out_of_order(&mut self, job: JobId, action: u16) -> bool {
        let job = self.jobs.entry(job).or_default();
        let late = action < job.action;
        job.action = job.action.max(action);
        late
    }

    /// Whether an instance was ever started.
    pub(super) fn was_started(&self, name: Name) -> bool {
        self.starts.get(&name).is_some_and(|starts| *starts > 0)
    }

    /// Who called for an instance.
    pub(super) fn last_for(&self, name: Name) -> Option<ActorId> {
        self.by_tag.values().find(|(call, _)| call.name == name).map(|(call, _)| call.by)
    }
}
