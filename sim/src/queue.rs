//! The pending events of a run, in the one order that both engines keep.

use crate::event::Event;

/// Where an event stands in the order: nominal time, target, kind, source, link counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u128);

impl Key {
    /// Packs the parts so that one comparison of integers orders events.
    #[must_use]
    pub const fn new(at_us: u64, target: u16, kind: u8, source: u16, counter: u32) -> Self {
        Self(
            (at_us as u128) << 72
                | (target as u128) << 56
                | (kind as u128) << 48
                | (source as u128) << 32
                | counter as u128,
        )
    }

    /// The nominal time.
    #[must_use]
    pub const fn at_us(self) -> u64 {
        (self.0 >> 72) as u64
    }
}

/// Pending events. Keys are kept sorted, earliest last; bodies stay where they are, in slots that are used again, so that
/// nothing is allocated once the queue has seen its largest size.
#[derive(Debug)]
pub struct Queue<M, C> {
    keys: Vec<(Key, u32)>,
    slots: Vec<Option<Event<M, C>>>,
    free: Vec<u32>,
}

impl<M, C> Default for Queue<M, C> {
    fn default() -> Self {
        Self { keys: Vec::new(), slots: Vec::new(), free: Vec::new() }
    }
}

impl<M: Copy, C: Copy> Queue<M, C> {
    /// Adds an event.
    pub fn push(&mut self, event: Event<M, C>) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(event);
                slot
            }
            None => {
                self.slots.push(Some(event));
                (self.slots.len() - 1) as u32
            }
        };
        let key = event.key();
        let mut at = self.keys.len();
        if at <= LINEAR {
            while at > 0 && self.keys[at - 1].0 < key {
                at -= 1;
            }
        } else {
            at = self.keys.partition_point(|(other, _)| *other > key);
        }
        self.keys.insert(at, (key, slot));
    }

    /// When the earliest event is due.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        self.keys.last().map(|(key, _)| key.at_us())
    }

    /// Takes the earliest event.
    pub fn pop(&mut self) -> Option<Event<M, C>> {
        let (_, slot) = self.keys.pop()?;
        self.free.push(slot);
        self.slots[slot as usize].take()
    }
}

/// Up to this many pending events a linear walk from the early end finds the place faster than bisection.
const LINEAR: usize = 64;
