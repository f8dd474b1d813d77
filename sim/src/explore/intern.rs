//! Values by number: equal values get one number, and numbers are given in the order in which values are first seen.

use std::hash::{Hash, Hasher};

/// A hash that is the same in each process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FixedHasher(u64);

const STIR: u64 = 0x9e37_79b9_7f4a_7c15;
const SALT: u64 = 0xd6e8_feb8_6659_fd93;

/// Both halves of a product: each bit of `a` and `b` reaches each bit of it.
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    product as u64 ^ (product >> 64) as u64
}

impl Hasher for FixedHasher {
    fn finish(&self) -> u64 {
        fold(self.0 ^ STIR, SALT)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(STIR);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// The fingerprint of a packed state. Never zero.
pub(super) fn fingerprint(words: &[u32]) -> u64 {
    let mut sum = SALT ^ words.len() as u64;
    for pair in words.chunks(2) {
        let word = u64::from(pair[0]) << 32 | u64::from(pair.get(1).copied().unwrap_or(0));
        sum = fold(sum ^ word, STIR).wrapping_add(SALT);
    }
    fold(sum, SALT).max(1)
}

/// Where numbers are found by hash: open addressing, at most three quarters full.
///
/// Shape: a slot holds the upper half of the hash and the number plus one; zero is free.
#[derive(Debug, Default)]
struct Slots {
    slots: Vec<u64>,
    used: usize,
}

impl Slots {
    /// The number of a value with this hash that `is_it`.
    fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if slot >> 32 == hash >> 32 && is_it(slot as u32 - 1) {
                return Some(slot as u32 - 1);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a number. When it has to grow it asks for the hash of each number.
    fn add(&mut self, hash: u64, number: u32, rehash: impl Fn(u32) -> u64) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            let size = (self.slots.len() * 2).max(64);
            let old = std::mem::replace(&mut self.slots, vec![0; size]);
            for slot in old.into_iter().filter(|slot| *slot != 0) {
                self.put(rehash(slot as u32 - 1), slot as u32 - 1);
            }
        }
        self.put(hash, number);
        self.used += 1;
    }

    fn put(&mut self, hash: u64, number: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = hash & !0xffff_ffff | u64::from(number + 1);
    }

    fn bytes(&self) -> usize {
        self.slots.capacity() * 8
    }
}

/// Values by number, from 0.
#[derive(Debug)]
pub(super) struct Interner<T> {
    values: Vec<T>,
    slots: Slots,
}

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn new() -> Self {
        Self { values: Vec::new(), slots: Slots::default() }
    }

    /// The number of a value; a new one if it was not seen before.
    pub(super) fn put(&mut self, value: T) -> u32 {
        match self.find(&value) {
            Ok(number) => number,
            Err(hash) => {
                let number = number(self.values.len());
                grow(&mut self.values);
                self.values.push(value);
                let values = &self.values;
                self.slots.add(hash, number, |number| hash_of(&values[number as usize]));
                number
            }
        }
    }

    /// The number of a value that was seen before; else its hash.
    pub(super) fn find(&self, value: &T) -> Result<u32, u64> {
        let hash = hash_of(value);
        self.slots.find(hash, |number| self.values[number as usize] == *value).ok_or(hash)
    }

    pub(super) fn get(&self, number: u32) -> &T {
        &self.values[number as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Without what the values themselves keep elsewhere.
    pub(super) fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<T>() + self.slots.bytes()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }
}

/// Sorted lists of numbers by number. The empty one is 0.
#[derive(Debug)]
pub(super) struct Lists {
    items: Vec<u32>,
    ends: Vec<u32>,
    slots: Slots,
}

impl Lists {
    pub(super) fn new() -> Self {
        let mut lists = Self { items: Vec::new(), ends: Vec::new(), slots: Slots::default() };
        lists.put(&[]);
        lists
    }

    /// The number of a list, which is sorted.
    pub(super) fn put(&mut self, list: &[u32]) -> u32 {
        let hash = fingerprint(list);
        if let Some(number) = self.slots.find(hash, |number| self.get(number) == list) {
            return number;
        }
        let number = number(self.ends.len());
        for item in list {
            grow(&mut self.items);
            self.items.push(*item);
        }
        grow(&mut self.ends);
        self.ends.push(self::number(self.items.len()));
        let (items, ends) = (&self.items, &self.ends);
        self.slots.add(hash, number, |number| fingerprint(list_at(items, ends, number)));
        number
    }

    pub(super) fn get(&self, number: u32) -> &[u32] {
        list_at(&self.items, &self.ends, number)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        (self.items.capacity() + self.ends.capacity()) * 4 + self.slots.bytes()
    }
}

fn list_at<'a>(items: &'a [u32], ends: &[u32], number: u32) -> &'a [u32] {
    let start = number.checked_sub(1).map_or(0, |before| ends[before as usize]);
    &items[start as usize..ends[number as usize] as usize]
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = FixedHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A number, of which there are fewer than 2^32: more would not fit into memory.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or_else(|_| panic!("more than 2^32 values"))
}

/// Makes room for one more, by a quarter at a time: by twice, half of the memory would often lie idle.
pub(super) fn grow<T>(values: &mut Vec<T>) {
    if values.len() == values.capacity() {
        values.reserve_exact(values.len() / 4 + 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_number() {
        let mut interner = Interner::new();
        for round in 0..2 {
            for value in 0..5_000_u64 {
                assert_eq!(interner.put(value * value), value as u32, "round {round}");
            }
        }
        assert_eq!((interner.len(), *interner.get(70)), (5_000, 4_900));
        assert_eq!(interner.find(&49), Ok(7));
        assert!(interner.find(&50).is_err());
    }

    #[test]
    fn lists_are_told_apart() {
        let mut lists = Lists::new();
        assert_eq!(lists.put(&[]), 0);
        let numbers: Vec<_> = (0..3_000).map(|n| lists.put(&[n / 60, n % 60, n / 7][..(n as usize % 3) + 1])).collect();
        for (n, number) in numbers.iter().enumerate() {
            let n = n as u32;
            assert_eq!(lists.get(*number), &[n / 60, n % 60, n / 7][..(n as usize % 3) + 1]);
        }
    }
}
