//! Clocks of simulated machines: piecewise-linear integer functions of true time, each with an exact inverse.
//!
//! True (nominal) time is unsigned microseconds since the start of the run. It exists only in the world and in records;
//! a protocol sees its machine's clock.

use failproof_core::Instant;

/// The rate of a clock that runs true, in local microseconds per million true ones.
pub const NOMINAL: u64 = 1_000_000;

/// The longest run, in true microseconds, for which the arithmetic below cannot overflow: 2,000 hours.
pub const RUN_US_MAX: u64 = 2_000 * 3_600 * 1_000_000;

/// One clock of one machine.
///
/// Invariant: between two changes, `when(read(t)) <= t` and `read(when(l)) >= l`; both are non-decreasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    changed_us: u64,
    shown: u64,
    rate: u64,
}

impl Clock {
    /// A clock that shows `shown` at true time zero and runs at `rate` (see [`NOMINAL`]; at most twice that).
    #[must_use]
    pub const fn new(shown: Instant, rate: u64) -> Self {
        Self { changed_us: 0, shown: shown.as_micros(), rate }
    }

    /// What the clock shows at true time `at_us`, which is not before its last change.
    #[must_use]
    pub const fn read(&self, at_us: u64) -> Instant {
        let passed = at_us.saturating_sub(self.changed_us);
        let local = if self.rate == NOMINAL { passed } else { passed * self.rate / NOMINAL };
        Instant::from_micros(self.shown + local)
    }

    /// The least true time, not before its last change, at which the clock shows `local` or more. `None` if it never
    /// does, because it is frozen.
    #[must_use]
    pub const fn when(&self, local: Instant) -> Option<u64> {
        let ahead = local.as_micros().saturating_sub(self.shown);
        if ahead == 0 {
            return Some(self.changed_us);
        }
        if self.rate == NOMINAL {
            return self.changed_us.checked_add(ahead);
        }
        if self.rate == 0 {
            return None;
        }
        match ahead.checked_mul(NOMINAL) {
            Some(scaled) => self.changed_us.checked_add(scaled.div_ceil(self.rate)),
            None => None,
        }
    }

    /// Lets the clock run at `rate` from `at_us` on; zero freezes it.
    pub const fn set_rate(&mut self, at_us: u64, rate: u64) {
        self.shown = self.read(at_us).as_micros();
        self.changed_us = at_us;
        self.rate = rate;
    }

    /// Steps the clock by `by_us` at `at_us`. It never shows less than zero.
    pub const fn step(&mut self, at_us: u64, by_us: i64) {
        self.shown = self.read(at_us).as_micros().saturating_add_signed(by_us);
        self.changed_us = at_us;
    }

    /// The rate now.
    #[must_use]
    pub const fn rate(&self) -> u64 {
        self.rate
    }
}
