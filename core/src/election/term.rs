//! The arithmetic of a lease: how long a primary may trust an accepted heartbeat, and how long a failover may take.
//!
//! All in integer microseconds, rounded to the safe side. Source: the hardened rules' own derivation; the shape of the
//! safe term is that of Gray and Cheriton 1989, section 2.

use crate::time::Duration;

/// What is assumed of clocks, timers, the network and the store. Outside these bounds belief is not owed, effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Bounds {
    /// r: every clock's rate lies within one ± this many parts per million. Less than a million.
    pub drift_ppm: u32,
    /// d: the largest one-way latency. It enters progress only, never safety.
    pub latency_us_max: Duration,
    /// δ: how late a timer may fire.
    pub timer_late_us_max: Duration,
    /// σ: how long a primary needs to stop its work.
    pub stop_us_max: Duration,
    /// g: the step of the store's clock. At least one microsecond.
    pub granularity_us: Duration,
}

const MILLION: u128 = 1_000_000;

impl Bounds {
    /// `span / (1 + ρ)` with `1 + ρ = (1 + r) / (1 − r)`, rounded down.
    fn shrink(&self, span: Duration) -> Duration {
        let r = u128::from(self.drift_ppm).min(MILLION - 1);
        from_u128(u128::from(span.as_micros()) * (MILLION - r) / (MILLION + r))
    }

    /// `span · (1 + ρ)`, rounded up.
    fn grow(&self, span: Duration) -> Duration {
        let r = u128::from(self.drift_ppm).min(MILLION - 1);
        from_u128((u128::from(span.as_micros()) * (MILLION + r)).div_ceil(MILLION - r))
    }

    /// `span · (1 + r)`: what the fastest clock shows of a true `span`, rounded up.
    #[must_use]
    pub fn fastest(&self, span: Duration) -> Duration {
        let r = u128::from(self.drift_ppm).min(MILLION - 1);
        from_u128((u128::from(span.as_micros()) * (MILLION + r)).div_ceil(MILLION))
    }

    /// `span / (1 − r)`: the longest true time in which the slowest clock shows `span`, rounded up.
    #[must_use]
    pub fn slowest(&self, span: Duration) -> Duration {
        let r = u128::from(self.drift_ppm).min(MILLION - 1);
        from_u128((u128::from(span.as_micros()) * MILLION).div_ceil(MILLION - r))
    }
}

fn from_u128(us: u128) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or(u64::MAX))
}

/// `(T − g) / (1 + ρ) − δ − σ`: how long, on its own clock and from the first sending of an accepted heartbeat, a
/// primary may work. Zero when the assumptions eat it all. Latency does not enter.
///
/// One microsecond is given away for the rounding of integer clocks.
#[must_use]
pub fn safe_term(timeout: Duration, bounds: &Bounds) -> Duration {
    let granularity = bounds.granularity_us.max(Duration::from_micros(1));
    bounds.shrink(timeout - granularity) - bounds.timer_late_us_max - bounds.stop_us_max - Duration::from_micros(1)
}

/// `(term + δ + σ)(1 + ρ)`: the least time for which a candidate must have seen a version unchanged, on its own clock,
/// before it may take that version over.
#[must_use]
pub fn observer_age(term: Duration, bounds: &Bounds) -> Duration {
    bounds.grow(term + bounds.timer_late_us_max + bounds.stop_us_max + Duration::from_micros(2))
}

/// `(m + 1)(I + δ) + 2d`: the least term with which a primary survives `lost` heartbeats in a row.
///
/// Units and clock: the node's own, as the term. `δ` and `d` are true times, of which the fastest clock shows `1 + r`
/// times as much; one microsecond a round is added for the rounding of integer clocks.
#[must_use]
pub fn no_false_step_down(heartbeat_interval: Duration, lost: u32, bounds: &Bounds) -> Duration {
    let round = heartbeat_interval + bounds.fastest(bounds.timer_late_us_max) + Duration::from_micros(1);
    round.times(u64::from(lost) + 1) + bounds.fastest(bounds.latency_us_max.times(2))
}

/// `F = (T + g + I + δ) / (1 − r) + 6d`: the longest true time from a primary's crash until a rival knows that its own
/// heartbeat was accepted, when nothing else is wrong. A hardened rival works `2d` later (the seal); a published one
/// confirms first, `(I + δ) / (1 − r) + 2d` later.
#[must_use]
pub fn crash_to_acceptance(timeout: Duration, heartbeat_interval: Duration, bounds: &Bounds) -> Duration {
    let waits = timeout + bounds.granularity_us + heartbeat_interval + bounds.timer_late_us_max;
    bounds.slowest(waits) + bounds.latency_us_max.times(6)
}
