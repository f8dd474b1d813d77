//! What is known of a check beyond one controller: how it failed, for how long, and who saw it. It is told in
//! durations, because a time of one controller's clock means nothing to another.

use crate::id::{Epoch, Host};
use crate::time::Duration;

/// How an execution failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Failure {
    /// The connection was refused: the machine answers, the instance does not listen.
    Refused,
    /// It answered, or reported, that it is not well.
    Unwell,
    /// No answer came in time.
    TimedOut,
    /// No report came within an interval.
    Missed,
}

/// One execution of a check: it counts once, however often it is told.
///
/// Shape: ordered by the epoch of the prober, then by number; numbers skip starts that nobody made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScheduledStart {
    /// Of the prober: raised whenever another controller becomes the prober of this check.
    pub epoch: Epoch,
    /// From 1 within the epoch.
    pub number: u64,
}

/// The controllers that saw a check fail: as many as a removal needs, the first ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Witnesses([Option<Host>; 2]);

impl Witnesses {
    /// Whether a controller is one of them.
    #[must_use]
    pub fn contains(&self, host: Host) -> bool {
        self.0.contains(&Some(host))
    }

    /// Adds one. Returns whether it was missing.
    pub fn insert(&mut self, host: Host) -> bool {
        if self.contains(host) {
            return false;
        }
        match self.0.iter_mut().find(|witness| witness.is_none()) {
            Some(witness) => {
                *witness = Some(host);
                true
            }
            None => false,
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Host> {
        self.0.iter().copied().flatten()
    }

    /// Whether there are enough for a removal.
    #[must_use]
    pub fn suffice(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }
}

/// A check that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Failing {
    /// How, the last time.
    pub failure: Failure,
    /// For how long it was seen to fail, in spans between executions that failed one after the other.
    pub failing_for: Duration,
    /// Who saw it.
    pub witnesses: Witnesses,
}

impl Failing {
    /// Whether that is enough to take the instance off the list: the whole critical interval, and two controllers.
    #[must_use]
    pub fn suffices(&self, deregister_after: Duration) -> bool {
        self.failing_for > deregister_after && self.witnesses.suffice()
    }
}

/// What the log says of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Health {
    /// The newest execution that was told.
    pub last: ScheduledStart,
    /// How it fails, if it does.
    pub failing: Option<Failing>,
}

impl Health {
    /// Takes in that a controller saw an execution end: `None` if it passed. What is older than what is known changes
    /// nothing. A second controller may confirm the newest failure. Returns whether anything changed.
    pub fn tell(&mut self, start: ScheduledStart, by: Host, failure: Option<(Failure, Duration)>) -> bool {
        if start < self.last {
            return false;
        }
        if start == self.last {
            return match (&mut self.failing, failure) {
                (Some(failing), Some(_)) => failing.witnesses.insert(by),
                _ => false,
            };
        }
        self.last = start;
        match failure {
            None => self.failing = None,
            Some((failure, failing_for)) => {
                let new = Failing { failure, failing_for, witnesses: Witnesses::default() };
                let failing = self.failing.get_or_insert(new);
                failing.failure = failure;
                failing.failing_for = failing.failing_for.max(failing_for);
                failing.witnesses.insert(by);
            }
        }
        true
    }
}
