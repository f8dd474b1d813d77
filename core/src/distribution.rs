//! Job distribution as Apache StreamPark's high availability describes it, and hardened.
//!
//! Several equal servers poll one table of jobs. A [`HashRing`] over the members says which server takes which job, and an
//! external [`Cluster`] runs them: instances outlive the servers that started them. Servers never speak to each other.
//!
//! - A [`JobServer`] holds a session by the election of [`crate::election`], follows the [`Members`] in a [`MemberView`],
//!   owns rows of [`Jobs`] and works on each as [`Work`] says.
//! - A [`Submitter`] asks for actions on jobs, at any server. What a job is made of it brings to the [`resources`] center
//!   first; servers fetch it from there.
//! - [`Rules`] says which of the published decisions, and which of the hardened ones, apply.
//!
//! Source: apache/streampark, the high availability proposal and `ConsistentHash.java`.

mod cluster;
mod config;
mod hash;
mod jobs;
mod members;
mod message;
pub mod resources;
mod ring;
mod rings;
mod rules;
mod server;
mod submitter;
mod supplies;
#[cfg(test)]
mod tests;
mod view;
mod work;

pub use cluster::{Cluster, ClusterInput};
pub use config::{ServerConfig, SubmitterConfig};
pub use hash::{hash64, hash64_of_number};
pub use jobs::{Effect, Jobs, JobsConfig, Row, WAITING_MAX, expire, seat};
pub use members::{Members, News};
pub use message::{
    Action, CHANGES_MAX, Change, InstanceState, JobId, Kind, MemberChange, Message, Name, Operation, Outcome, Owner,
    Phase, ROWS_MAX, Request, Result, RowId, RowView, Said, Scope, Spec, Verb, Verdict, What,
};
pub use ring::{HashRing, Moved, PointNames, RingError, RingRules, SharedPoint, VNODES_PER_NODE};
pub use rings::{RingChange, RingSource};
pub use rules::{Claiming, Fencing, Handover, Identity, Membership, Poll, Progress, Rules, TaskKey};
pub use server::{JobServer, ServerInput};
pub use submitter::{Submitter, SubmitterInput};
pub use supplies::{Supplies, SuppliesConfig};
pub use view::MemberView;
pub use work::{Step, Surroundings, Work};

use crate::election::Event;
use crate::id::Host;
use crate::time::Duration;

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The database: sessions, members and jobs.
    Store,
    /// The cluster that jobs run on.
    Cluster,
    /// The resource center.
    Center,
    /// The server on this machine.
    Server(Host),
    /// The submitter with this number.
    Submitter(u16),
    /// Whoever asked: how the store answers.
    Asker,
}

/// What a machine asks of its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Send a message now.
    Send(Target, Message),
    /// Call the cluster: it was decided now, the message leaves so much later, whatever happens meanwhile.
    Effect(Message, Duration),
    /// Tell what became of the session.
    Event(Event),
}
