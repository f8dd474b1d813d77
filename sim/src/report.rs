//! What a run, and a campaign of runs, has to tell.

pub mod human;
pub mod json;
pub mod junit;
pub mod size;
pub mod text;

use failproof_spec::{Coverage, Marks};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One property that a run broke. There is at most one for each property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property, as the spec names it.
    pub property: &'static str,
    /// When, in true microseconds.
    pub at_us: u64,
    /// What happened, in words.
    pub story: String,
}

/// Times in which more than one worked although the assumptions did not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// How many.
    pub count: u64,
    /// The longest, in true microseconds.
    pub longest_us: u64,
}

/// How a run came back after its last fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convergence {
    /// The longest time without a trusted primary at work once all faults were over, of any kind of leader, in true
    /// microseconds; zero if there was one all the time. `None` if there was none when the run ended.
    pub after_us: Option<u64>,
    /// What that time may be at most.
    pub bound_us: u64,
    /// Whether the run was long enough to tell.
    pub told: bool,
}

impl Convergence {
    /// Whether it did not come back in time although the run was long enough to tell.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.told && self.after_us.is_none_or(|after_us| after_us > self.bound_us)
    }
}

/// What one run has to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// The plan's seed.
    pub seed: u64,
    /// How long it was, in true microseconds.
    pub simulated_us: u64,
    /// How many steps were taken.
    pub events: u64,
    /// Over the whole trace.
    pub trace_hash: u128,
    /// What it broke.
    pub violations: Vec<Violation>,
    /// Overlaps outside the assumptions.
    pub exposure: Exposure,
    /// The longest overlap within the assumptions, in true microseconds.
    pub longest_overlap_us: u64,
    /// How often each kind of fault began.
    pub faults: BTreeMap<String, u64>,
    /// What else a protocol counts, by name.
    pub counters: BTreeMap<String, u64>,
    /// Which actions and edges of the contract were taken.
    pub coverage: Option<Coverage>,
    /// What was reached, and when: what guidance goes by.
    pub marks: Marks,
    /// The least time between a primary's stop at the end of its term and the next grant, in true microseconds.
    pub margin_smallest_us: Option<u64>,
    /// Time worked by trusted primaries, in true microseconds.
    pub trusted_us: u64,
    /// Time worked by primaries outside the assumptions.
    pub doubted_us: u64,
    /// Time in which nobody worked, summed over the kinds of leader.
    pub without_primary_us: u64,
    /// Times all kinds of leader could have been led, in true microseconds.
    pub led_us: u64,
    /// How often a primary stopped although no fault was near.
    pub false_step_downs: u64,
    /// How it came back after the last fault.
    pub convergence: Option<Convergence>,
}
