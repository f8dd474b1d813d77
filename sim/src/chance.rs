//! The only source of chance: sequential ChaCha8 streams, one per concern and link or node.
//!
//! Every draw takes a fixed number of words, so that what one concern draws never shifts what another one sees.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is drawn for. The number is part of the plan format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Concern {
    /// Generating a plan from a seed.
    Plan = 1,
    /// The fate of the messages of a link.
    Link = 2,
    /// How late the timers of an actor fire.
    Timer = 3,
    /// What a process start is given as entropy.
    Start = 4,
    /// Drawing a child from a plan that reached something new.
    Child = 5,
}

/// One stream.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of `concern` for the place (`a`, `b`), such as a link.
    #[must_use]
    pub fn new(seed: u64, concern: Concern, a: u16, b: u16) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream((concern as u64) << 32 | u64::from(a) << 16 | u64::from(b));
        Self(rng)
    }

    /// The next 64 bits.
    #[inline(always)]
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..n`, zero for an `n` of zero. One word.
    pub fn below(&mut self, n: u64) -> u64 {
        scale(self.word(), n)
    }

    /// A number in `low..=high`. One word.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `ppm` of a million cases. One word.
    pub fn chance(&mut self, ppm: u64) -> bool {
        self.below(1_000_000) < ppm
    }

    /// One of `choices`, which is not empty. One word.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// Maps a word evenly onto `0..n`.
#[must_use]
pub const fn scale(word: u64, n: u64) -> u64 {
    ((word as u128 * n as u128) >> 64) as u64
}
