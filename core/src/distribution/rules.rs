//! Every decision that separates published job distribution from the hardened one, as data.
//!
//! Each field of [`Rules`] is one decision and defends against one defect (J1 to J9 in `spec/defences.toml`). The first
//! variant of each enum is what the published design does.

use super::message::Name;
use super::ring::{PointNames, RingRules};
use crate::decisions::decisions;

decisions! {
    /// J1: by what name a server looks for itself in the ring.
    Identity {
        /// By its registry path. The ring holds paths until the members change for the first time, bare names after that.
        PathThenName,
        /// By the one name that the ring holds.
        One,
    }
    /// J2: what a row of the table is, and is hashed by.
    TaskKey {
        /// One action, under a number of its own: two actions on one job may be on different servers, in either order.
        Task,
        /// One job, with its actions in their order.
        Job,
    }
    /// J3: which rows a server reads.
    Poll {
        /// Those of some engines. Rows of the others are inserted all the same.
        SomeEngines,
        /// All.
        All,
    }
    /// J4: what a server does before it works on a row.
    Claiming {
        /// Nothing: whoever believes that the row is his works on it.
        None,
        /// It is written down as the owner, in a new epoch, by compare-and-set. Each later change asks for that epoch.
        CompareAndSet,
    }
    /// J5: how the table follows what becomes of a row.
    Progress {
        /// Not at all: the row is deleted once the cluster was called, whatever came of it.
        DeleteAfterRun,
        /// By states, each written down before the step that it announces. Attempts are counted, and end in a verdict.
        States,
    }
    /// J6: how a server follows who is a member, and whether its own membership ends.
    Membership {
        /// By watches, which are lost with the first answer that does not come. Its own expiry stops nothing.
        Frozen,
        /// By version, and nothing is claimed by an older one. When its own term ends, its work ends.
        Versioned,
    }
    /// J8: whether the cluster looks at epochs.
    Fencing {
        /// No: what a former owner sent takes effect whenever it arrives.
        None,
        /// What is older than the newest epoch that it saw of the job is refused.
        Epoch,
    }
    /// J9: how a row comes to another server while its owner lives.
    Handover {
        /// The new owner takes it as soon as its ring says so.
        AtOnce,
        /// The former owner releases it, after the ring has stood still for a while; then it is claimed.
        ReleaseFirst,
    }
}

/// The rules of job distribution: one field per defence, named as in `spec/defences.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Rules {
    /// J1: by what name a server looks for itself in the ring.
    pub identity: Identity,
    /// J2: what a row of the table is, and is hashed by.
    pub task_key: TaskKey,
    /// J3: which rows a server reads.
    pub poll: Poll,
    /// J4: what a server does before it works on a row.
    pub claiming: Claiming,
    /// J5: how the table follows what becomes of a row.
    pub progress: Progress,
    /// J6: how a server follows who is a member.
    pub membership: Membership,
    /// J7: how virtual nodes are named.
    pub point_names: PointNames,
    /// J8: whether the cluster looks at epochs.
    pub fencing: Fencing,
    /// J9: how a row comes to another server while its owner lives.
    pub handover: Handover,
}

impl Rules {
    /// Whose owners an epoch counts: the row that an instance is started for, by the instance that it would start first.
    #[must_use]
    pub const fn fenced(&self, name: Name) -> Name {
        let action = match self.task_key {
            TaskKey::Task => name.action,
            TaskKey::Job => 0,
        };
        Name { action, attempt: 0, ..name }
    }

    /// The design as published, and where its text is silent, what the original code does.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            identity: Identity::PathThenName,
            task_key: TaskKey::Task,
            poll: Poll::SomeEngines,
            claiming: Claiming::None,
            progress: Progress::DeleteAfterRun,
            membership: Membership::Frozen,
            point_names: PointNames::Concatenated,
            fencing: Fencing::None,
            handover: Handover::AtOnce,
        }
    }

    /// The same protocol with every defence on.
    #[must_use]
    pub const fn hardened() -> Self {
        Self {
            identity: Identity::One,
            task_key: TaskKey::Job,
            poll: Poll::All,
            claiming: Claiming::CompareAndSet,
            progress: Progress::States,
            membership: Membership::Versioned,
            point_names: PointNames::LengthPrefixed,
            fencing: Fencing::Epoch,
            handover: Handover::ReleaseFirst,
        }
    }

    /// The rule sets that have names.
    pub const NAMED: [(&'static str, Self); 2] = [("hardened", Self::hardened()), ("published", Self::published())];

    /// The name of these rules; `custom` if they have none.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, named)| *named == self).map_or("custom", |(name, _)| name)
    }

    /// Those of the ring.
    #[must_use]
    pub const fn ring(self) -> RingRules {
        match self.point_names {
            PointNames::Concatenated => RingRules::published(),
            PointNames::LengthPrefixed => RingRules::hardened(),
        }
    }

    /// Whether rows have owners.
    #[must_use]
    pub fn claims(self) -> bool {
        self.claiming == Claiming::CompareAndSet
    }
}
