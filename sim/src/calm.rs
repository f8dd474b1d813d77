//! Whether a fault is near: who stops by mistake in calm times is counted.

use failproof_core::Duration;

/// The faults of a run, as far as they are near.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calm {
    spacing_us: u64,
    active: u32,
    ended_us: u64,
}

impl Calm {
    /// No fault was injected yet. One is felt until each term that it may have cut short, and the heartbeats after it, are over.
    pub(crate) fn new(longest_term: Duration, heartbeat_interval: Duration) -> Self {
        Self { spacing_us: (longest_term + heartbeat_interval.times(3)).as_micros(), active: 0, ended_us: 0 }
    }

    /// A fault begins or ends.
    pub(crate) fn fault(&mut self, at_us: u64, begins: bool) {
        if begins {
            self.active += 1;
        } else {
            self.active -= 1;
            self.ended_us = at_us;
        }
    }

    /// Whether none is near.
    pub(crate) fn is_calm(&self, at_us: u64) -> bool {
        self.active == 0 && at_us >= self.ended_us + self.spacing_us
    }
}
