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

    /// The nominal time.
    #[must_use]
    pub const fn at_us(self) -> u64 {
        (self.0 >> 72) as u64
    }
}

/// Pending events.
///
/// Shape: keys are kept sorted, earliest last; bodies stay where they are, in slots that are used again, so that nothing
/// is allocated once the queue has seen its largest size. Each actor has one timer at most that counts; with few actors
/// those stand in a list of their own, where a timer that is set anew costs one store and leaves nothing behind.
#[derive(Debug)]
pub struct Queue<M, C> {
    keys: Vec<(Key, u32)>,
    slots: Vec<Option<Event<M, C>>>,
    free: Vec<u32>,
    timers: Vec<(Key, Option<Event<M, C>>)>,
    next_timer: usize,
}

impl<M: Copy, C: Copy> Queue<M, C> {
    /// An empty queue for a cast of `actors`.
    #[must_use]
    pub fn new(actors: usize) -> Self {
        let timers = if actors <= FEW { vec![(Key::NEVER, None); actors] } else { Vec::new() };
        Self { keys: Vec::new(), slots: Vec::new(), free: Vec::new(), timers, next_timer: 0 }
    }

    /// Adds an event. A timer takes the place of the one that its actor had.
    pub fn push(&mut self, event: Event<M, C>) {
        let target = usize::from(event.target);
        if matches!(event.body, Body::Timer { .. }) && target < self.timers.len() {
            let key = event.key();
            self.timers[target] = (key, Some(event));
            self.timer_changed(target, key);
            return;
        }
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
        let timer = self.timers.get(self.next_timer).map_or(Key::NEVER, |(key, _)| *key);
        let key = self.keys.last().map_or(timer, |(key, _)| timer.min(*key));
        (key != Key::NEVER).then_some(key.at_us())
    }

    /// Takes the earliest event.
    pub fn pop(&mut self) -> Option<Event<M, C>> {
        let queued = self.keys.last().map_or(Key::NEVER, |(key, _)| *key);
        if let Some((timer, event)) = self.timers.get_mut(self.next_timer)
            && *timer < queued
        {
            *timer = Key::NEVER;
            let event = event.take();
            self.timer_changed(self.next_timer, Key::NEVER);
            return event;
        }
        let (_, slot) = self.keys.pop()?;
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    /// Finds the earliest timer again after one was set to `key`.
    fn timer_changed(&mut self, actor: usize, key: Key) {
        if actor == self.next_timer {
            let earliest = self.timers.iter().enumerate().min_by_key(|(_, (key, _))| *key);
            self.next_timer = earliest.map_or(0, |(at, _)| at);
        } else if key < self.timers[self.next_timer].0 {
            self.next_timer = actor;
        }
    }
}

/// Up to this many, a walk finds a place faster than bisection, or the earliest timer faster than a queue.
const FEW: usize = 64;
