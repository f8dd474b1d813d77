//! Every decision that separates the published service registry from the hardened one, as data.
//!
//! Each field of [`Rules`] is one decision and defends against one defect (C1 to C12). The first variant of each enum
//! is what the published design does.

use crate::decisions::decisions;

decisions! {
    /// C1: what takes an instance off the list that did not ask for it.
    Expiry {
        /// Time: a lookup deregisters each instance that was not checked for long, and so does the failure that one
        /// controller saw.
        Unchecked,
        /// Failures, seen by two controllers, during the whole critical interval. Lookups change nothing, and what was
        /// not checked expires nothing.
        Witnessed,
    }
    /// C2: since when a check that never ran is overdue.
    CheckStart {
        /// Since ever: it is stale before its first execution.
        FirstExecution,
        /// Since the instance was registered.
        Registration,
    }
    /// C3: whose the state of a check is.
    CheckOwner {
        /// The place's: it survives the instance, and whoever is registered there next inherits it.
        Place,
        /// The start's: it ends with the listing, and another start of the instance has a state of its own.
        Start,
    }
    /// C4: whom a deregistration takes off the list.
    Removal {
        /// Whoever is at that place when it arrives.
        Place,
        /// Only the start that it names.
        Start,
    }
    /// C5: where the check of an instance comes from.
    CheckSource {
        /// A second message, which may be lost while the first is not.
        Message,
        /// The registration itself.
        Event,
    }
    /// C6: what an execution of a check is.
    Probing {
        /// Whatever runs when enough time went by since the last one: the interval doubles with each failure, without a
        /// cap. What runs twice counts twice, and a new prober knows nothing.
        Elapsed,
        /// A start with a number, in the epoch of its prober; it counts once. The log tells how long a check has
        /// failed, and a new prober goes on from there.
        Scheduled,
    }
    /// C7: how a subscriber says how far it came.
    CursorKind {
        /// By the timestamp of the last update that it saw, as some controller's clock showed it.
        Timestamp,
        /// By log, epoch of the log, and offset.
        Offset,
    }
    /// C8: what is told of the instances that left.
    Deltas {
        /// Nothing: a delta is taken from a snapshot, in which they are missing.
        Additions,
        /// That they left, as long as their tombstones are kept; after that, a snapshot replaces what was known.
        Tombstones,
    }
    /// C9: what a subscription is.
    Subscribing {
        /// A connection, told only by the controller that took the change in; one that closed is kept, and one that
        /// subscribes again is told twice.
        Connection,
        /// State of the controller: one for each subscriber and service.
        State,
    }
    /// C10: what a read answers while others are out of reach.
    Reading {
        /// Its own share, and that of whoever answers.
        Share,
        /// The fold of the whole log; what may be missing is said.
        Whole,
    }
    /// C11: by what instances are told apart.
    Identity {
        /// By texts joined with `|` and `:`, and in lookups by address and port alone, across services.
        Joined,
        /// By service, tag, protocol, address, port and start.
        Full,
    }
    /// C12: how many probes a controller has in flight.
    Probes {
        /// One: the next begins when it ended.
        One,
        /// Several, up to a bound.
        Several,
    }
}

/// The rules of the service registry: one field per defence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Rules {
    /// C1: what takes an instance off the list that did not ask for it.
    pub expiry: Expiry,
    /// C2: since when a check that never ran is overdue.
    pub check_start: CheckStart,
    /// C3: whose the state of a check is.
    pub check_owner: CheckOwner,
    /// C4: whom a deregistration takes off the list.
    pub removal: Removal,
    /// C5: where the check of an instance comes from.
    pub check_source: CheckSource,
    /// C6: what an execution of a check is.
    pub probing: Probing,
    /// C7: how a subscriber says how far it came.
    pub cursor: CursorKind,
    /// C8: what is told of the instances that left.
    pub deltas: Deltas,
    /// C9: what a subscription is.
    pub subscribing: Subscribing,
    /// C10: what a read answers while others are out of reach.
    pub reading: Reading,
    /// C11: by what instances are told apart.
    pub identity: Identity,
    /// C12: how many probes a controller has in flight.
    pub probes: Probes,
}

impl Rules {
    /// The design as published, and where its text is silent, what the original code does.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            expiry: Expiry::Unchecked,
            check_start: CheckStart::FirstExecution,
            check_owner: CheckOwner::Place,
            removal: Removal::Place,
            check_source: CheckSource::Message,
            probing: Probing::Elapsed,
            cursor: CursorKind::Timestamp,
            deltas: Deltas::Additions,
            subscribing: Subscribing::Connection,
            reading: Reading::Share,
            identity: Identity::Joined,
            probes: Probes::One,
        }
    }

    /// The same protocol with every defence on.
    #[must_use]
    pub const fn hardened() -> Self {
        Self {
            expiry: Expiry::Witnessed,
            check_start: CheckStart::Registration,
            check_owner: CheckOwner::Start,
            removal: Removal::Start,
            check_source: CheckSource::Event,
            probing: Probing::Scheduled,
            cursor: CursorKind::Offset,
            deltas: Deltas::Tombstones,
            subscribing: Subscribing::State,
            reading: Reading::Whole,
            identity: Identity::Full,
            probes: Probes::Several,
        }
    }

    /// The rule sets that have names.
    pub const NAMED: [(&'static str, Self); 2] = [("hardened", Self::hardened()), ("published", Self::published())];

    /// The name of these rules; `custom` if they have none.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, named)| *named == self).map_or("custom", |(name, _)| name)
    }
}
