//! How long primaries worked, and how long they worked side by side.

/// Measures intervals of true time in which something is the case.
///
/// Units and clock: true time in microseconds, fed in order. An interval of no length does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stopwatch {
    since_us: Option<u64>,
    longest_us: u64,
    total_us: u64,
    intervals: u64,
}

impl Stopwatch {
    /// Says whether it is the case from `at_us` on.
    #[inline]
    pub fn set(&mut self, running: bool, at_us: u64) {
        match (self.since_us, running) {
            (None, true) => self.since_us = Some(at_us),
            (Some(since_us), false) => {
                self.since_us = None;
                let length_us = at_us - since_us;
                if length_us > 0 {
                    self.longest_us = self.longest_us.max(length_us);
                    self.total_us += length_us;
                    self.intervals += 1;
                }
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    /// Since when it is the case, if it is.
    #[must_use]
    pub const fn since_us(&self) -> Option<u64> {
        self.since_us
    }

    /// The longest interval that has ended.
    #[must_use]
    pub const fn longest_us(&self) -> u64 {
        self.longest_us
    }

    /// All intervals that have ended, together.
    #[must_use]
    pub const fn total_us(&self) -> u64 {
        self.total_us
    }

    /// How many intervals have ended.
    #[must_use]
    pub const fn intervals(&self) -> u64 {
        self.intervals
    }
}

/// What a lease's primaries did, over time.
///
/// Units and clock: true time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overlap {
    now_us: u64,
    trusted: u32,
    doubted: u32,
    trusted_primary_us: u64,
    doubted_primary_us: u64,
    together: Stopwatch,
    exposure: Stopwatch,
}

/// How many actors work at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Working {
    /// Believe that they are primary, trusted.
    pub(crate) trusted: u32,
    /// The same, doubted.
    pub(crate) doubted: u32,
    /// Of both, those that are not paused.
    pub(crate) running: u32,
    /// Of the doubted, those that are not paused.
    pub(crate) running_doubted: u32,
}

impl Overlap {
    /// Accounts for the time up to `at_us`, then lets `working` begin.
    #[inline]
    pub(crate) fn change(&mut self, working: Working, at_us: u64) {
        self.elapse(at_us);
        self.trusted = working.trusted;
        self.doubted = working.doubted;
        self.together.set(working.trusted >= 2, at_us);
        self.exposure.set(working.running >= 2 && working.running_doubted >= 1, at_us);
    }

    /// Closes open intervals.
    pub(crate) fn finish(&mut self, at_us: u64) {
        self.elapse(at_us);
        self.together.set(false, at_us);
        self.exposure.set(false, at_us);
    }

    fn elapse(&mut self, at_us: u64) {
        debug_assert!(at_us >= self.now_us, "steps come in the order of true time");
        let passed_us = at_us - self.now_us;
        self.trusted_primary_us += passed_us * u64::from(self.trusted);
        self.doubted_primary_us += passed_us * u64::from(self.doubted);
        self.now_us = at_us;
    }

    /// Two or more trusted actors work: a violation.
    #[must_use]
    pub const fn together(&self) -> &Stopwatch {
        &self.together
    }

    /// Two or more actors work, none of them counted while paused, at least one of them doubted: an exposure, which is
    /// reported and excused.
    #[must_use]
    pub const fn exposure(&self) -> &Stopwatch {
        &self.exposure
    }

    /// Time that trusted actors worked, summed over actors.
    #[must_use]
    pub const fn trusted_primary_us(&self) -> u64 {
        self.trusted_primary_us
    }

    /// Time that doubted actors worked, summed over actors.
    #[must_use]
    pub const fn doubted_primary_us(&self) -> u64 {
        self.doubted_primary_us
    }
}
