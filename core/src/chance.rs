//! Chance inside a machine: a sequence that follows from the number it was started with.

/// A sequence of words (SplitMix64: Steele, Lea and Flood 2014). Equal starts give equal sequences.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chance(u64);

impl Chance {
    /// Begins a sequence.
    #[must_use]
    pub const fn new(entropy: u64) -> Self {
        Self(entropy)
    }

    /// The next word.
    pub const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number in `0..n`, zero for an `n` of zero. One word.
    pub const fn below(&mut self, n: u64) -> u64 {
        ((self.word() as u128 * n as u128) >> 64) as u64
    }
}
