//! Where names and keys lie in the hash space: one function from bytes to 64 bits.
//!
//! The original uses a variant of MurmurHash3 that is no standard one: one lane of the 128-bit function with the 32-bit
//! function's addend, whose last bytes are mixed in without the step that ends a block. No published crate computes it, so
//! it is written out here. It has no key: whoever may choose names can make them collide.

/// What the original starts from.
const SEED: u64 = 104_729;

/// The hash of `bytes`, in the signed order that the original compares by.
///
/// Units: a place in the hash space, from [`i64::MIN`] to [`i64::MAX`].
/// Source: `Murmur3Hash.hash64`.
#[must_use]
pub fn hash64(bytes: &[u8]) -> i64 {
    let mut hash = SEED;
    let (blocks, tail) = bytes.as_chunks::<8>();
    for block in blocks {
        hash ^= mix(u64::from_le_bytes(*block));
        hash = hash.rotate_left(27).wrapping_mul(5).wrapping_add(0x52dc_e729);
    }
    if !tail.is_empty() {
        let mut block = [0; 8];
        block[..tail.len()].copy_from_slice(tail);
        hash ^= mix(u64::from_le_bytes(block));
    }
    hash ^= bytes.len() as u64;
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash ^ (hash >> 33)).cast_signed()
}

/// The hash of a key that is a number: of its decimal text, as the original has it.
#[must_use]
pub fn hash64_of_number(number: i64) -> i64 {
    hash64(Decimal::new(number).text())
}

const fn mix(block: u64) -> u64 {
    block.wrapping_mul(0x87c3_7b91_1142_53d5).rotate_left(31).wrapping_mul(0x4cf5_ad43_2745_937f)
}

/// The decimal text of a number, without an allocation.
pub(super) struct Decimal {
    digits: [u8; 20],
    first: usize,
}

impl Decimal {
    pub(super) fn new(number: i64) -> Self {
        let mut text = Self { digits: [0; 20], first: 20 };
        let mut rest = number.unsigned_abs();
        loop {
            text.push(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            text.push(b'-');
        }
        text
    }

    /// Puts a character in front.
    fn push(&mut self, character: u8) {
        self.first -= 1;
        self.digits[self.first] = character;
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.digits[self.first..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn decimal_text_is_what_the_language_prints() {
        for number in [0, 1, 9, 10, -1, -10, 131_071, i64::MAX, i64::MIN] {
            assert_eq!(Decimal::new(number).text(), number.to_string().as_bytes());
        }
    }

    /// Each number of bytes in the last block, and none: a byte that is not mixed in, or mixed in twice, shows.
    #[test]
    fn each_byte_counts_and_so_does_the_length() {
        let text = b"abcdefghijklmnopq";
        for length in 0..=text.len() {
            let hash = hash64(&text[..length]);
            for changed in 0..length {
                let mut other = *text;
                other[changed] ^= 1;
                assert_ne!(hash, hash64(&other[..length]), "byte {changed} of {length}");
            }
        }
        assert_ne!(hash64(b""), hash64(b"\0"));
        assert_ne!(hash64(b"\0\0\0\0\0\0\0"), hash64(b"\0\0\0\0\0\0\0\0"));
    }
}
