//! How often which size occurred, in memory that does not grow.

use serde::{Deserialize, Serialize};

/// Sizes up to this are told exactly.
const EXACT: u64 = 32;
/// One bucket for each exact size, then 32 for each power of two.
const BUCKETS: usize = 60 * EXACT as usize;

/// A histogram of whole numbers. A quantile that it tells is at most a 32nd too large, and never beyond the largest
/// number that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    largest: Option<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, largest: None }
    }
}

impl Histogram {
    /// Adds a number.
    pub fn add(&mut self, value: u64) {
        self.buckets[bucket_of(value)] += 1;
        self.count += 1;
        self.largest = self.largest.max(Some(value));
    }

    /// Whether it has the buckets that it should have, with as many numbers as it counts.
    pub(super) fn is_sound(&self) -> bool {
        self.buckets.len() == BUCKETS && self.buckets.iter().sum::<u64>() == self.count
    }

    /// Adds all numbers of another one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.largest = self.largest.max(other.largest);
    }

    /// How many numbers were added.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The largest number, exactly.
    #[must_use]
    pub const fn largest(&self) -> Option<u64> {
        self.largest
    }

    /// The number that at least `percent` of a hundred numbers do not exceed.
    #[must_use]
    pub fn quantile(&self, percent: u64) -> Option<u64> {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut below = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            below += u128::from(*count);
            if below >= rank {
                return self.largest.map(|largest| top_of(bucket).min(largest));
            }
        }
        None
    }
}

fn bucket_of(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let power = value.ilog2() - EXACT.ilog2();
    ((u64::from(power) + 1) * EXACT + (value >> power) - EXACT) as usize
}

/// The largest number of a bucket.
fn top_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let power = bucket / EXACT - 1;
    let above = u128::from(bucket % EXACT + EXACT + 1) << power;
    (above - 1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_lie_side_by_side_and_reach_the_largest_number() {
        for bucket in 1..BUCKETS {
            assert_eq!(bucket_of(top_of(bucket)), bucket);
            assert_eq!(bucket_of(top_of(bucket - 1) + 1), bucket);
        }
        assert_eq!(top_of(BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn quantiles_are_close_and_merging_is_adding() {
        let (mut whole, mut even, mut odd) = (Histogram::default(), Histogram::default(), Histogram::default());
        for value in 1..=10_000_u64 {
            whole.add(value * 1_000);
            if value % 2 == 0 { even.add(value * 1_000) } else { odd.add(value * 1_000) }
        }
        even.merge(&odd);
        assert_eq!(even, whole);
        for percent in [1, 50, 99] {
            let exact = percent * 100_000;
            let told = whole.quantile(percent).unwrap();
            assert!((exact..=exact + exact / 32).contains(&told), "{percent} %: {told}");
        }
        assert_eq!((whole.quantile(100), whole.largest()), (Some(10_000_000), Some(10_000_000)));
        assert_eq!(Histogram::default().quantile(50), None);
    }
}
