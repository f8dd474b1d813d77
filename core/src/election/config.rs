//! The parameters of a candidate, checked once.

use super::error::ConfigError;
use super::rules::Rules;
use super::term::{Bounds, safe_term};
use crate::id::{Host, Utype};
use crate::time::Duration;

/// What a primary does for a living: one operation on the resource every so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Work {
    /// From one operation to the next, on the primary's clock. Zero: it works without operating on the resource.
    pub every_us: Duration,
    /// From the check of the term to the sending of the operation. A pause can fall in between.
    pub takes_us: Duration,
}

/// The parameters of one candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The kind of leader it wants to be.
    pub utype: Utype,
    /// The machine it runs on.
    pub host: Host,
    /// I: from one query or heartbeat to the next, and the longest wait for an answer.
    pub heartbeat_interval: Duration,
    /// T: more than twice `heartbeat_interval`. Choose it by the longest failover that users bear.
    pub heartbeat_timeout: Duration,
    /// What is assumed of clocks, timers, network and store.
    pub bounds: Bounds,
    /// The decisions.
    pub rules: Rules,
    /// The kind of leader that must run on the same host, if any.
    pub affinity: Option<Utype>,
    /// What it does as primary.
    pub work: Work,
}

impl Config {
    /// Checks the relations between the fields.
    ///
    /// # Errors
    /// `T <= 2·I`, an interval of zero, a drift of a million ppm or more, a kind beyond the table, affinity to itself,
    /// or a safe term that is not positive.
    pub fn checked(self) -> Result<Self, ConfigError> {
        let (interval, timeout) = (self.heartbeat_interval, self.heartbeat_timeout);
        if self.utype.index() >= Utype::MAX {
            return Err(ConfigError::UtypeOutOfRange { utype: self.utype, kinds: Utype::MAX });
        }
        if self.affinity == Some(self.utype) {
            return Err(ConfigError::AffinityCycle { utype: self.utype });
        }
        if interval == Duration::ZERO {
            return Err(ConfigError::IntervalZero);
        }
        if timeout <= interval.times(2) {
            return Err(ConfigError::TimeoutTooShort { timeout, interval });
        }
        if self.bounds.drift_ppm >= 1_000_000 {
            return Err(ConfigError::DriftTooLarge { drift_ppm: self.bounds.drift_ppm });
        }
        if safe_term(timeout, &self.bounds) == Duration::ZERO {
            return Err(ConfigError::TermNotPositive {
                timeout,
                drift_ppm: self.bounds.drift_ppm,
                granularity: self.bounds.granularity_us,
                timer_late: self.bounds.timer_late_us_max,
                stop: self.bounds.stop_us_max,
            });
        }
        Ok(self)
    }
}
