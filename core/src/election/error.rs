//! What a constructor refuses, and why. Nothing is built when it does.

use crate::id::Utype;
use crate::time::Duration;

/// A relation between times or kinds that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The timeout must tolerate at least one late heartbeat.
    #[error(
        "heartbeat_timeout ({timeout}) must be more than twice heartbeat_interval ({interval}); \
         raise the timeout or shorten the interval"
    )]
    TimeoutTooShort {
        /// T.
        timeout: Duration,
        /// I.
        interval: Duration,
    },
    /// A heartbeat interval of zero would never let time pass.
    #[error("heartbeat_interval must be more than zero")]
    IntervalZero,
    /// The clock assumptions leave no time to work in.
    #[error(
        "the safe term is not positive: heartbeat_timeout ({timeout}) is eaten up by drift ({drift_ppm} ppm), granularity \
         ({granularity}), timer lateness ({timer_late}) and stop time ({stop}); raise the timeout or tighten the bounds"
    )]
    TermNotPositive {
        /// T.
        timeout: Duration,
        /// r.
        drift_ppm: u32,
        /// g.
        granularity: Duration,
        /// δ.
        timer_late: Duration,
        /// σ.
        stop: Duration,
    },
    /// A rate of zero or below.
    #[error("drift_ppm ({drift_ppm}) must be below 1000000")]
    DriftTooLarge {
        /// r.
        drift_ppm: u32,
    },
    /// The table promises terms longer than the one it remembers to wait for.
    #[error("longest_term ({longest}) must be at least heartbeat_timeout ({timeout})")]
    LongestTermTooShort {
        /// The longest term ever promised.
        longest: Duration,
        /// T.
        timeout: Duration,
    },
    /// Affinity that leads back to where it started can never be satisfied.
    #[error("affinity of utype {} leads back to itself; remove one of its links", .utype.0)]
    AffinityCycle {
        /// A kind on the cycle.
        utype: Utype,
    },
    /// A kind can share its host with one other kind only.
    #[error("utype {} follows two others; expected one at most", .utype.0)]
    AffinityTwice {
        /// The kind.
        utype: Utype,
    },
    /// A kind that a table has no room for, or that cannot follow another one.
    #[error("utype {} is out of range; expected 0 to {}", .utype.0, .kinds - 1)]
    UtypeOutOfRange {
        /// The kind.
        utype: Utype,
        /// How many kinds there can be.
        kinds: usize,
    },
}
