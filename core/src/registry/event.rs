//! What the log holds: registrations, deregistrations, and what checks came to.

use super::check::{CheckSpec, Failure, ScheduledStart};
use super::identity::InstanceId;
use super::position::Offset;
use crate::id::{Host, Incarnation};
use crate::time::{Duration, Instant};

/// Why an instance is deregistered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Cause {
    /// It asked for it.
    Asked,
    /// Its check failed during the whole critical interval.
    Failed,
    /// A lookup found it unchecked for longer than that.
    Stale,
}

/// Something that happened to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Event {
    /// It is there, and is to be checked like this. `ControllerRegisterEvent`.
    Registered {
        /// The instance.
        instance: InstanceId,
        /// How it is checked, if at all.
        check: Option<CheckSpec>,
    },
    /// It is to be checked like this: the second message of the published design.
    CheckDefined {
        /// The instance.
        instance: InstanceId,
        /// How it is checked.
        check: CheckSpec,
    },
    /// It is gone. `ControllerDeregisterEvent`.
    Deregistered {
        /// The instance, with the start that whoever deregisters it saw.
        instance: InstanceId,
        /// Why.
        cause: Cause,
    },
    /// Its check failed, or passes again.
    Checked {
        /// The instance.
        instance: InstanceId,
        /// The record that listed it: what was seen before it left counts no more once it is listed again.
        listed_at: Offset,
        /// The execution.
        start: ScheduledStart,
        /// The controller that saw it.
        by: Host,
        /// How it failed, and for how long so far; none if it passed.
        failure: Option<(Failure, Duration)>,
    },
}

/// What a record holds, for whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Entry {
    /// An event.
    Event(Event),
    /// Bytes that no reader of any version can decode: it is skipped, by all alike.
    Undecodable,
    /// An event of a kind that this reader does not know, and a newer one may. What it folds from here on is
    /// incomplete.
    Unknown(u16),
}

/// One record of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Record {
    /// Where it stands.
    pub offset: Offset,
    /// Who appended it.
    pub producer: Incarnation,
    /// Which of that producer's records it is, from 1.
    pub number: u64,
    /// When, as its producer's clock showed it.
    pub stamped_at: Instant,
    /// What it holds.
    pub entry: Entry,
}
