//! The state of the simulated machines: up or down, running or paused, and what their clocks show.

use crate::clock::{Clock, NOMINAL};
use failproof_core::{Duration, Instant};

/// What every wall clock shows when a run begins, if it is not ahead: far from zero, at a full minute.
const WALL_START_US: u64 = 12 * 3_600 * 1_000_000;

/// One machine of the simulated world.
#[derive(Clone, Debug)]
pub(crate) struct PlaceState {
    /// Counts reasons to be down.
    pub(crate) down: u32,
    /// Counts reasons to stand still.
    pub(crate) paused: u32,
    /// Counts reasons to be asleep; each also counts in `paused`.
    pub(crate) suspended: u32,
    /// Counts reasons for the wall clock (at a node: the clock it reads) to stand still.
    pub(crate) frozen: u32,
    /// The rate beside true time, in parts per million, from the options.
    own_ppm: i64,
    /// What faults add to it.
    pub(crate) fault_ppm: i64,
    /// The clock that the machines of this place read.
    pub(crate) clock: Clock,
    /// The wall clock.
    pub(crate) wall: Clock,
    /// What its disk image identifies itself by.
    pub(crate) image: u64,
    /// T as configured here now.
    pub(crate) timeout: Duration,
    /// When it last resumed.
    pub(crate) resumed_us: u64,
    /// Whether another version is installed, as which its processes start.
    pub(crate) upgraded: bool,
    is_store: bool,
    counts_suspended: bool,
}

impl PlaceState {
    pub(crate) fn new(
        timeout: Duration,
        is_store: bool,
        ahead_us: u64,
        ppm: i32,
        counts_suspended: bool,
        image: u64,
    ) -> Self {
        let rate = NOMINAL.saturating_add_signed(i64::from(ppm));
        Self {
            down: 0,
            paused: 0,
            suspended: 0,
            frozen: 0,
            own_ppm: i64::from(ppm),
            fault_ppm: 0,
            clock: Clock::new(Instant::from_micros(ahead_us), rate),
            wall: Clock::new(Instant::from_micros(WALL_START_US + ahead_us), rate),
            image,
            timeout,
            resumed_us: 0,
            upgraded: false,
            is_store,
            counts_suspended,
        }
    }

    /// Lets both clocks run as the present faults say, from `at_us` on.
    pub(crate) fn set_rates(&mut self, at_us: u64) {
        let ppm = (self.own_ppm + self.fault_ppm).clamp(-1_000_000, 1_000_000);
        let rate = NOMINAL.saturating_add_signed(ppm);
        let asleep = self.suspended > 0 && !self.counts_suspended;
        // At the store only the wall clock freezes: its steady clock is what hardened rules rely on.
        let frozen = self.frozen > 0;
        self.clock.set_rate(at_us, if asleep || (frozen && !self.is_store) { 0 } else { rate });
        self.wall.set_rate(at_us, if frozen { 0 } else { rate });
    }

    /// Steps the clock that the fault vocabulary names: the wall clock of the store, the clock of a node.
    pub(crate) fn step_clock(&mut self, at_us: u64, by_us: i64) {
        self.wall.step(at_us, by_us);
        if !self.is_store {
            self.clock.step(at_us, by_us);
        }
    }

    /// Whether the clock that machines here read runs outside `drift_ppm`. Sleep does not count: a clock that counts
    /// suspended time is to be had on every system, so a protocol that reads another one answers for it.
    pub(crate) fn clock_out(&self, drift_ppm: u32) -> bool {
        (self.own_ppm + self.fault_ppm).unsigned_abs() > u64::from(drift_ppm) || (self.frozen > 0 && !self.is_store)
    }
}
