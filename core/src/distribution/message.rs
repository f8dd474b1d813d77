//! What submitters, servers, the store and the cluster say to each other.

use super::members::News;
use super::resources::{self, ContentId, Holder};
use crate::election;
use crate::id::{Epoch, Host};
use crate::time::Duration;

/// A job, as its submitter numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct JobId(pub u32);

impl JobId {
    /// Who refers to the job's resource for the sake of one action. A job that is restarted refers to it anew, so the end of
    /// one action takes nothing from the next.
    #[must_use]
    pub const fn holder(self, action: u16) -> Holder {
        Holder((self.0 as u64) << 16 | action as u64)
    }
}

/// A row of the job table: the number of a job, or of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RowId(pub u32);

/// What is to be done with a job. Spec: the actions of `t_distributed_task`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Kind {
    /// Start it.
    Start,
    /// Stop what runs, and start it anew.
    Restart,
    /// Withdraw it if it was not started yet; else let it go on.
    Revoke,
    /// Stop it.
    Cancel,
    /// Stop it, and call it failed.
    Abort,
    /// Stop it, whatever it does.
    ForcedStop,
}

impl Kind {
    /// Whether an instance is to run because of it.
    #[must_use]
    pub const fn starts(self) -> bool {
        matches!(self, Self::Start | Self::Restart)
    }
}

/// What an instance is called at the cluster: an attempt of an action on a job. A name is used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Name {
    /// The job.
    pub job: JobId,
    /// The number of the action that starts it, from 1.
    pub action: u16,
    /// Which attempt, from 1.
    pub attempt: u8,
}

/// What a job needs and does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Spec {
    /// Which engine runs it.
    pub engine: u8,
    /// What it is made of, if anything.
    pub resource: Option<ContentId>,
    /// How long an instance runs.
    pub runs: Duration,
    /// How many attempts of each action fail. One that always does is a poison job.
    pub fails: u8,
}

/// An action on a job, as its submitter asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Action {
    /// The job.
    pub job: JobId,
    /// Its number among the actions on that job, from 1.
    pub number: u16,
    /// What is to be done.
    pub kind: Kind,
    /// The job.
    pub spec: Spec,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Phase {
    /// Its action is to be done. With an owner, the contract calls it claimed.
    Pending,
    /// The cluster is called, or is about to be.
    Starting,
    /// An instance was seen.
    Running,
    /// The last action is over: an instance ended well.
    Done,
    /// The last action is over: it was reported as failed.
    Failed,
    /// The last action is over: nothing runs, as was asked.
    Cancelled,
}

impl Phase {
    /// Whether nothing is left to do.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// Whose a row is: a server, and the epoch in which it holds its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Owner {
    /// The server.
    pub server: Host,
    /// Its session.
    pub term: Epoch,
}

/// A row, as answers show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RowView {
    /// Which.
    pub id: RowId,
    /// Its job.
    pub job: JobId,
    /// Where it stands in the ring.
    pub hash: i64,
    /// The job.
    pub spec: Spec,
    /// Who is to take it, if nobody owns it.
    pub home: Host,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Counts the owners: the fencing token of what is done for the row.
    pub epoch: u32,
    /// Counts the changes.
    pub version: u32,
    /// The number of the action.
    pub action: u16,
    /// What is to be done.
    pub kind: Kind,
    /// The attempt of that action, from 1.
    pub attempt: u8,
    /// Where it stands.
    pub phase: Phase,
    /// The last instance that was to be started.
    pub last: Option<Name>,
    /// How many actions wait.
    pub waiting: u8,
}

impl RowView {
    /// The instance that the present attempt is to start.
    #[must_use]
    pub const fn name(&self) -> Name {
        Name { job: self.job, action: self.action, attempt: self.attempt }
    }
}

/// What a server asks of the job table, in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Operation {
    /// Who asks, in its session.
    pub by: Owner,
    /// The server's number for it.
    pub tag: u32,
    /// The version of the members that it knows.
    pub members: u32,
    /// What.
    pub what: What,
}

/// The operations of the job table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum What {
    /// Writes an action down.
    Insert {
        /// The action.
        action: Action,
        /// Who is to take it.
        home: Host,
    },
    /// Asks to own a row.
    Claim {
        /// Which.
        row: RowId,
        /// Its version, as last seen.
        version: u32,
    },
    /// Changes a row that the asker owns.
    Change {
        /// Which.
        row: RowId,
        /// The epoch in which the asker owns it.
        epoch: u32,
        /// Its version, as last seen.
        version: u32,
        /// How.
        change: Change,
    },
}

impl What {
    /// The row that it is about, if it exists already.
    #[must_use]
    pub const fn row(&self) -> Option<RowId> {
        match *self {
            Self::Insert { .. } => None,
            Self::Claim { row, .. } | Self::Change { row, .. } => Some(row),
        }
    }
}

/// Changes of a row by its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Change {
    /// An instance is about to be started. Spec: `Intend`.
    Intend,
    /// The cluster has started it, now or before it was to be revoked. Spec: `Adopt`.
    Run,
    /// The attempt failed; there is to be another one. At the last attempt, the row ends as failed instead.
    Retry,
    /// The action is over.
    End(Verdict),
    /// The instance goes on, and the next action is begun.
    Advance,
    /// The asker no longer owns it. Spec: `Release`.
    Release {
        /// Who is to take it.
        home: Host,
    },
    /// Another server is to take a row that nobody owns, or whose owner has left.
    Forward {
        /// Who.
        home: Host,
    },
    /// The row is forgotten, whatever became of it.
    Delete,
}

/// How an action ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Verdict {
    /// An instance ended well.
    Done,
    /// It is given up.
    Failed,
    /// Nothing runs, as was asked.
    Cancelled,
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Outcome {
    /// Whom it answers.
    pub to: Owner,
    /// Its number.
    pub tag: u32,
    /// What came of it.
    pub result: Result,
    /// The row as it is now, if there is one.
    pub row: Option<RowView>,
}

/// Whether an operation was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Result {
    /// It was, now or before.
    Done,
    /// The row is no longer as the asker saw it, or it is not the asker's.
    Changed,
    /// Somebody else owns the row, and lives.
    Owned,
    /// The asker knows an older version of the members.
    OldMembers,
    /// The asker's session is over.
    NoSession,
    /// An action came before the one that precedes it, or there is no room for it now.
    NotYet,
    /// There is no such row.
    Missing,
}

/// How many rows one answer shows.
pub const ROWS_MAX: usize = 2;
/// How many changes of the members one answer shows.
pub const CHANGES_MAX: usize = 32;

/// Which rows a server asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Scope {
    /// Those that it is to take, or owns in an earlier session.
    Home,
    /// Those of this part of the hash space, both ends included, that nobody is to take: their server has left.
    Orphans {
        /// Where it begins.
        first: i64,
        /// Where it ends.
        last: i64,
    },
    /// All.
    All,
}

/// A change of the members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum MemberChange {
    /// A server is a member.
    Joined(Host),
    /// It is none any more.
    Left(Host),
}

/// What a server asks of the cluster about an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Request {
    /// Who asks.
    pub by: Host,
    /// Its number for it.
    pub tag: u32,
    /// The epoch of the row.
    pub epoch: u32,
    /// The instance.
    pub name: Name,
    /// What.
    pub verb: Verb,
}

/// What can be asked of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Verb {
    /// How it is.
    Ask,
    /// Start it.
    Start {
        /// How long it runs.
        runs: Duration,
        /// Whether it fails then.
        fails: bool,
    },
    /// Stop it, and let it never start.
    Stop,
    /// Stop whatever runs of the job.
    StopAll,
}

/// What the cluster says of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Said {
    /// Whom it answers.
    pub to: Host,
    /// The number of the request.
    pub tag: u32,
    /// The epoch of the request.
    pub epoch: u32,
    /// The instance.
    pub name: Name,
    /// How it is.
    pub state: InstanceState,
}

/// How an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum InstanceState {
    /// It was never started.
    Never,
    /// It runs.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It was stopped, or will never start.
    Stopped,
    /// The request came from a former owner, and changed nothing.
    Refused,
}

impl InstanceState {
    /// Whether the instance neither runs nor ever will.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Stopped)
    }
}

/// All that travels in job distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Message {
    /// To a server: an action, and who asks for it.
    Submit(u16, Action),
    /// To a submitter: its action is written down.
    Accepted(JobId, u16),
    /// Between a server and the heartbeat table.
    Session(election::Message),
    /// To the store: what became of the members since a version.
    Follow {
        /// Who asks.
        by: Host,
        /// Its number for it.
        tag: u32,
        /// The version that it knows; 0 for none.
        since: u32,
        /// The last member that it was told, when it is told all of them.
        after: Option<Host>,
    },
    /// From the store.
    Members {
        /// The number of the request.
        tag: u32,
        /// What became of them.
        news: News,
    },
    /// To the store: rows after a place in the order of hashes.
    List {
        /// Who asks, in its session.
        by: Owner,
        /// Its number for it.
        tag: u32,
        /// Which.
        scope: Scope,
        /// The last row that was seen.
        after: Option<(i64, RowId)>,
    },
    /// From the store.
    Rows {
        /// The number of the request.
        tag: u32,
        /// The rows; fewer than there is room for if these are the last.
        rows: [Option<RowView>; ROWS_MAX],
    },
    /// To the store.
    Operation(Operation),
    /// From the store.
    Outcome(Outcome),
    /// To the cluster.
    Request(Request),
    /// From the cluster.
    Said(Said),
    /// Between a server or a submitter and the resource center.
    Resource(resources::Message),
}
