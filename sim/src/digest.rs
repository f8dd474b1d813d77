//! A word for each message, from all that it holds.

use std::hash::{Hash, Hasher};

/// All that matters of `value`, mixed into one word: the same on every machine.
pub(crate) fn digest(value: &impl Hash) -> u64 {
    let mut mix = Mix(0);
    value.hash(&mut mix);
    mix.0
}

/// Mixes numbers by their value, whatever the order of their bytes in memory.
struct Mix(u64);

impl Mix {
    #[inline(always)]
    const fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.add(u64::from(*byte)));
    }

    fn write_u8(&mut self, number: u8) {
        self.add(u64::from(number));
    }

    fn write_u16(&mut self, number: u16) {
        self.add(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }

    fn write_i64(&mut self, number: i64) {
        self.add(number.cast_unsigned());
    }

    fn write_isize(&mut self, number: isize) {
        self.add((number as i64).cast_unsigned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_value_counts() {
        let values = [(1_u8, Some(2_u32), [3_i64; 2]), (1, Some(2), [3, 4]), (1, None, [3; 2]), (2, Some(2), [3; 2])];
        for (at, one) in values.iter().enumerate() {
            for other in &values[at + 1..] {
                assert_ne!(digest(one), digest(other));
            }
            assert_eq!(digest(one), digest(&one.clone()));
        }
        assert_eq!(digest(&7_u64), 0x093d_84b2_49a9_c22a, "the same on every machine");
    }
}
