//! How long heartbeats take, and how many fail. Kept beside the machine, never inside: averages decide nothing.

use crate::time::Duration;

/// Latency of one candidate's heartbeats.
///
/// Source: the statistics of the HPC Pack HA client; averages are exponentially weighted with 0.2 and 0.01.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencyStatistics {
    /// Of the last answered heartbeat.
    pub last: Duration,
    /// The largest so far.
    pub max: Duration,
    /// Weighted 0.2 towards the newest, in microseconds.
    pub average_short_us: f64,
    /// Weighted 0.01 towards the newest, in microseconds.
    pub average_long_us: f64,
    /// Heartbeats answered.
    pub answered: u64,
    /// Heartbeats that were not answered in time.
    pub failed: u64,
    /// Of these, in a row up to now.
    pub failed_consecutive: u64,
    /// The longest such row.
    pub failed_consecutive_max: u64,
}

impl LatencyStatistics {
    /// Takes note of a heartbeat answered after `latency`.
    pub fn answered(&mut self, latency: Duration) {
        let us = latency.as_micros() as f64;
        if self.answered == 0 {
            self.average_short_us = us;
            self.average_long_us = us;
        } else {
            self.average_short_us += 0.2 * (us - self.average_short_us);
            self.average_long_us += 0.01 * (us - self.average_long_us);
        }
        self.answered += 1;
        self.last = latency;
        self.max = self.max.max(latency);
        self.failed_consecutive = 0;
    }

    /// Takes note of a heartbeat without an answer.
    pub fn failed(&mut self) {
        self.failed += 1;
        self.failed_consecutive += 1;
        self.failed_consecutive_max = self.failed_consecutive_max.max(self.failed_consecutive);
    }

    /// Whether the last latency is one to warn about: more than a tenth of `heartbeat_interval`.
    #[must_use]
    pub fn warns(&self, heartbeat_interval: Duration) -> bool {
        self.last.times(10) > heartbeat_interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_follow_their_weights_and_failures_count_in_rows() {
        let mut statistics = LatencyStatistics::default();
        statistics.answered(Duration::from_millis(100));
        statistics.answered(Duration::from_millis(200));
        assert!((statistics.average_short_us - 120_000.0).abs() < 1e-6);
        assert!((statistics.average_long_us - 101_000.0).abs() < 1e-6);
        assert_eq!(statistics.max, Duration::from_millis(200));
        statistics.failed();
        statistics.failed();
        statistics.answered(Duration::from_millis(1));
        statistics.failed();
        assert_eq!((statistics.failed, statistics.failed_consecutive, statistics.failed_consecutive_max), (3, 1, 2));
        assert!(!statistics.warns(Duration::from_secs(1)));
        statistics.answered(Duration::from_millis(101));
        assert!(statistics.warns(Duration::from_secs(1)));
    }
}
