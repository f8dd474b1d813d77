//! One number for a run, one for a campaign.
//!
//! Two runs with the same hash took the same steps, as far as anybody will ever notice; a campaign adds the hashes of
//! its runs, so that shards can be merged in any order. Not a cryptographic hash: nobody forges a run.

/// First lane: fractional digits of pi, made odd.
const K0: u64 = 0x243f_6a88_85a3_08d3;
/// Second lane.
const K1: u64 = 0x1319_8a2e_0370_7345;
/// Where the lanes start, and what the last step adds.
const K2: u64 = 0xa409_3822_299f_31d1;
/// The same for the second lane.
const K3: u64 = 0x082e_fa98_ec4e_6c89;

/// A running 128-bit hash over words of 64 bits.
///
/// Shape: two lanes, each folding a 64 by 64 bit product; constants are fixed, so every platform agrees. The order of
/// words matters, the way in which they are grouped into calls does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceHash {
    lanes: [u64; 2],
    words: u64,
}

impl TraceHash {
    /// The hash of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { lanes: [K2, K3], words: 0 }
    }

    /// Takes in more words.
    #[inline]
    pub fn update(&mut self, words: &[u64]) {
        let [mut first, mut second] = self.lanes;
        for word in words {
            // Rotating the old lane back in keeps a lane alive when a product folds to zero.
            first = fold(first ^ word, K0).wrapping_add(first.rotate_left(23));
            second = fold(second.wrapping_add(*word), K1) ^ second.rotate_left(41);
        }
        self.lanes = [first, second];
        self.words = self.words.wrapping_add(words.len() as u64);
    }

    /// The hash of all words so far; more may follow.
    #[must_use]
    pub fn finish(&self) -> u128 {
        let [first, second] = self.lanes;
        let high = fold(first ^ self.words, K2 ^ second.rotate_left(32));
        let low = fold(second ^ self.words.wrapping_mul(K1), K3 ^ first.rotate_left(17));
        let high = high ^ fold(low ^ K0, K1);
        (u128::from(high) << 64) | u128::from(low ^ fold(high ^ K3, K2))
    }
}

impl Default for TraceHash {
    fn default() -> Self {
        Self::new()
    }
}

/// The hash of a campaign: the wrapping sum of one number for each (name of a run, its hash).
///
/// Constant memory, any order, any number of shards. A run counted twice shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CampaignHash(u128);

impl CampaignHash {
    /// The hash of no runs.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds a run, by the words of its name.
    pub fn add(&mut self, name: &[u64], run: u128) {
        let mut hash = TraceHash::new();
        hash.update(name);
        hash.update(&[run as u64, (run >> 64) as u64]);
        self.0 = self.0.wrapping_add(hash.finish());
    }

    /// Adds the runs of another shard.
    pub fn merge(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    /// The hash so far.
    #[must_use]
    pub const fn finish(self) -> u128 {
        self.0
    }

    /// What [`CampaignHash::finish`] returned, to go on from.
    #[must_use]
    pub const fn resumed(sum: u128) -> Self {
        Self(sum)
    }
}

/// The two halves of the product, one upon the other.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128) * (b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(words: &[u64]) -> u128 {
        let mut hash = TraceHash::new();
        hash.update(words);
        hash.finish()
    }

    #[test]
    fn vectors_are_the_same_everywhere() {
        assert_eq!(hash(&[]), 0xc9ba_90d1_b174_2d6d_ec83_6eb4_6f72_9db4);
        assert_eq!(hash(&[0]), 0xea78_0160_bf02_e6ae_c262_aa05_04d8_92c1);
        assert_eq!(hash(&[1, 2, 3]), 0x60d2_6330_3edf_dfd2_e2a6_1115_582a_a12f);
        assert_eq!(hash(&[u64::MAX; 5]), 0x39b8_38c1_b952_dff6_c95b_2ab6_31a2_9338);
        let mut campaign = CampaignHash::new();
        campaign.add(&[7], hash(&[1, 2, 3]));
        assert_eq!(campaign.finish(), 0xdec6_f9dc_03b5_cbf4_88bd_fbf0_4224_10e0);
    }

    #[test]
    fn order_and_length_matter_and_grouping_does_not() {
        assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
        assert_ne!(hash(&[]), hash(&[0]));
        assert_ne!(hash(&[0]), hash(&[0, 0]));
        let mut grouped = TraceHash::new();
        grouped.update(&[1]);
        grouped.update(&[]);
        grouped.update(&[2, 3]);
        assert_eq!(grouped.finish(), hash(&[1, 2, 3]));
    }

    #[test]
    fn one_changed_bit_changes_about_half_of_the_result() {
        for bit in 0..64 {
            let changed = (hash(&[5, 1 << bit, 9]) ^ hash(&[5, 0, 9])).count_ones();
            assert!((36..=92).contains(&changed), "bit {bit} changed {changed}");
        }
    }

    #[test]
    fn campaigns_merge_in_any_order() {
        let shard = |seeds: std::ops::Range<u64>| {
            let mut campaign = CampaignHash::new();
            seeds.for_each(|seed| campaign.add(&[seed], hash(&[seed])));
            campaign
        };
        let whole = shard(0..10);
        let (mut first, mut second) = (shard(0..4), shard(4..10));
        first.merge(second);
        second.merge(shard(0..4));
        assert_eq!((first, second), (whole, whole));
        assert_ne!(shard(0..9), whole);
    }
}
