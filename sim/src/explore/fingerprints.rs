//! The states that were seen, by fingerprint.

use super::intern::fingerprint;

/// How many tables there are. Each grows by itself, so that little is there twice while one does.
const TABLES: usize = 64;

/// A set of fingerprints: open addressing, at most three quarters full, grown by half.
///
/// Two states with one fingerprint would count as one. Among `n` states that happens with a chance of about n² / 2^65.
#[derive(Debug)]
pub(super) struct Fingerprints {
    tables: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    slots: Vec<u64>,
    used: usize,
}

impl Fingerprints {
    pub(super) fn new() -> Self {
        Self { tables: (0..TABLES).map(|_| Table { slots: vec![0; 64], used: 0 }).collect() }
    }

    /// Adds a packed state; false if it was there.
    pub(super) fn add(&mut self, state: &[u32]) -> bool {
        let print = fingerprint(state);
        let table = &mut self.tables[(print >> 58) as usize];
        if (table.used + 1) * 4 > table.slots.len() * 3 {
            table.grow();
        }
        table.add(print)
    }

    pub(super) fn bytes(&self) -> usize {
        self.tables.iter().map(|table| table.slots.capacity() * 8).sum()
    }
}

impl Table {
    fn add(&mut self, print: u64) -> bool {
        // The share of the table that the lower half names.
        let mut at = (((print & 0xffff_ffff) * self.slots.len() as u64) >> 32) as usize;
        loop {
            let slot = self.slots[at];
            if slot == print {
                return false;
            }
            if slot == 0 {
                self.slots[at] = print;
                self.used += 1;
                return true;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    fn grow(&mut self) {
        let size = self.slots.len() + self.slots.len() / 2;
        let old = std::mem::replace(&mut self.slots, vec![0; size]);
        self.used = 0;
        for print in old.into_iter().filter(|print| *print != 0) {
            self.add(print);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_new_once() {
        let mut seen = Fingerprints::new();
        for round in 0..2 {
            for state in 0..100_000_u32 {
                assert_eq!(seen.add(&[state % 300, state / 300, 0]), round == 0, "{state}");
            }
        }
        assert!(seen.bytes() < 100_000 * 18, "{} bytes", seen.bytes());
    }
}
