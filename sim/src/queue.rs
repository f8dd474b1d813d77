//! The pending events of a run, in the one order that both engines keep.

use crate::event::{Body, Event};

/// Where an event stands in the order: nominal time, target, kind, source, link counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u128);

impl Key {
    /// Later than any event.
    const NEVER: Self = Self(u128::MAX);

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

    /// Whom it is for.
    const fn target(self) -> u16 {
        (self.0 >> 56) as u16
    }

    /// The nominal time.
    #[must_use]
    pub const fn at_us(self) -> u64 {
        (self.0 >> 72) as u64
    }
}

/// Pending events.
///
/// Shape: keys are kept sorted, earliest last; bodies stay where they are, in slots that are used again, so that nothing
/// is allocated once the queue has seen its largest size. Each actor has one timer at most that counts: those stand in
/// `Timers`, where a timer that is set anew leaves nothing behind. So the sorted keys are those of messages under way.
#[derive(Debug)]
pub struct Queue<M, C> {
    keys: Vec<(Key, u32)>,
    slots: Vec<Event<M, C>>,
    free: Vec<u32>,
    taken: Option<u32>,
    timers: Timers,
    armed: Vec<Option<Event<M, C>>>,
}

/// The timer of each actor in a tournament: who wins is due first.
///
/// Shape: a binary tree in one list. The root stands at 1, the children of `n` at `2n` and `2n + 1`, and the leaves, one
/// for each actor, from `leaves` on; a node holds the lesser of its children. Setting one costs the height of the tree.
#[derive(Debug)]
struct Timers {
    tree: Vec<Key>,
    leaves: usize,
}

impl Timers {
    fn new(actors: usize) -> Self {
        let leaves = actors.next_power_of_two();
        Self { tree: vec![Key::NEVER; 2 * leaves], leaves }
    }

    fn set(&mut self, actor: usize, key: Key) {
        let mut node = self.leaves + actor;
        let mut least = key;
        self.tree[node] = key;
        while node > 1 {
            least = least.min(self.tree[node ^ 1]);
            node /= 2;
            self.tree[node] = least;
        }
    }

    /// The earliest, or [`Key::NEVER`].
    fn earliest(&self) -> Key {
        self.tree[1]
    }
}

impl<M: Copy, C: Copy> Queue<M, C> {
    /// An empty queue for a cast of `actors`.
    #[must_use]
    pub fn new(actors: usize) -> Self {
        Self {
            keys: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            taken: None,
            timers: Timers::new(actors),
            armed: vec![None; actors],
        }
    }

    /// Adds an event. A timer takes the place of the one that its actor had.
    pub fn push(&mut self, event: &Event<M, C>) {
        let key = event.key();
        if matches!(event.body, Body::Timer { .. }) {
            let target = usize::from(event.target);
            self.armed[target] = Some(*event);
            self.timers.set(target, key);
            return;
        }
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = *event;
                slot
            }
            None => {
                self.slots.push(*event);
                (self.slots.len() - 1) as u32
            }
        };
        let mut at = self.keys.len();
        if at <= FEW {
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
        let timer = self.timers.earliest();
        let key = self.keys.last().map_or(timer, |(key, _)| timer.min(*key));
        (key != Key::NEVER).then_some(key.at_us())
    }

    /// Takes the earliest event. It stays where it is until the next one is taken.
    pub fn pop(&mut self) -> Option<&Event<M, C>> {
        self.free.extend(self.taken.take());
        let timer = self.timers.earliest();
        if timer < self.keys.last().map_or(Key::NEVER, |(key, _)| *key) {
            let target = usize::from(timer.target());
            self.timers.set(target, Key::NEVER);
            return self.armed[target].as_ref();
        }
        let (_, slot) = self.keys.pop()?;
        self.taken = Some(slot);
        Some(&self.slots[slot as usize])
    }
}

/// Up to this many, a walk finds a place faster than bisection.
const FEW: usize = 64;
