//! The pending events of a run, in the one order that both engines keep.

use crate::event::{ActorId, Event, Key, Kind};
use crate::letters::Letter;
use crate::world::Pending;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Pending events.
///
/// Shape: kept sorted, earliest last. Each actor has one timer at most that counts: those stand in `Timers`, where a
/// timer that is set anew leaves nothing behind. So the sorted ones are messages under way, and rarely commands. If there
/// are many, only the earliest are sorted, and the others wait in a heap: to put one in its place among the sorted ones
/// costs time in proportion to those that are earlier.
/// Invariant: what is in the heap comes after all that is sorted, and `far_from` is the earliest of it.
#[derive(Debug)]
pub struct Queue {
    sorted: Vec<Event>,
    far: BinaryHeap<Reverse<ByKey>>,
    far_from: Key,
    timers: Timers,
}

/// An event in order of its key, which no other one shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ByKey(Event);

impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.key.cmp(&other.0.key)
    }
}

impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Queue {
    /// An empty queue for a cast of `actors`.
    #[must_use]
    pub fn new(actors: usize) -> Self {
        Self { sorted: Vec::new(), far: BinaryHeap::new(), far_from: Key::LAST, timers: Timers::new(actors) }
    }

    /// When the earliest event is due.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        let timer = self.timers.earliest().map(|timer| timer.key.at_us());
        self.sorted.last().map(|event| event.key.at_us()).into_iter().chain(timer).min()
    }

    /// Takes the earliest event.
    pub fn pop(&mut self) -> Option<Event> {
        let next = self.sorted.last();
        // One comparison decides nearly always: only a timer of the same time and target needs the rest of the key.
        let (timer, other) = (self.timers.winner, next.map_or(NEVER, |event| event.key.when()));
        if timer > other {
            return self.pop_sorted();
        }
        let timer = self.timers.earliest()?;
        if next.is_some_and(|event| event.key < timer.key) {
            return self.pop_sorted();
        }
        self.timers.clear(timer.key.target());
        Some(timer)
    }

    fn pop_sorted(&mut self) -> Option<Event> {
        let event = self.sorted.pop();
        if self.sorted.is_empty() && !self.far.is_empty() {
            self.come_near();
        }
        event
    }

    /// There are too many: the later half of the sorted ones waits elsewhere.
    #[cold]
    fn go_far(&mut self) {
        let later = self.sorted.len() / 2;
        self.far.extend(self.sorted.drain(..later).map(|event| Reverse(ByKey(event))));
        self.update_far();
    }

    /// Those are at an end: the next ones are sorted.
    #[cold]
    fn come_near(&mut self) {
        while self.sorted.len() < NEAR_MAX / 2
            && let Some(Reverse(ByKey(event))) = self.far.pop()
        {
            self.sorted.push(event);
        }
        self.sorted.reverse();
        self.update_far();
    }

    fn update_far(&mut self) {
        self.far_from = self.far.peek().map_or(Key::LAST, |Reverse(ByKey(event))| event.key);
    }
}

impl Pending for Queue {
    // Both inlined: an event that is handed over in memory is read in other pieces than it was written in, and that waits.
    #[inline(always)]
    fn add(&mut self, event: Event) {
        if event.key > self.far_from {
            return self.far.push(Reverse(ByKey(event)));
        }
        let mut at = self.sorted.len();
        if at <= FEW {
            while at > 0 && self.sorted[at - 1].key < event.key {
                at -= 1;
            }
        } else {
            at = self.sorted.partition_point(|other| other.key > event.key);
        }
        self.sorted.insert(at, event);
        if self.sorted.len() > NEAR_MAX {
            self.go_far();
        }
    }

    #[inline(always)]
    fn set_timer(&mut self, timer: Event) {
        self.timers.set(timer);
    }
}

/// The timer of each actor in a tournament: who wins is due first.
///
/// Shape: a tree of groups of eight in one list. A group holds the first words of the keys of eight actors' timers, which
/// no two of them share, or the least words of the eight groups below it. The root stands at 0, the groups below `n` at
/// `8n + 1` to `8n + 8`, and those of actors from `leaves` on. Setting a timer costs the height of the tree.
#[derive(Debug)]
struct Timers {
    tree: Vec<[u64; WIDTH]>,
    leaves: usize,
    /// The first word of the earliest key, or [`NEVER`].
    winner: u64,
    /// The timer that each actor had last.
    armed: Vec<Event>,
}

/// How many compete in one group.
const WIDTH: usize = 8;

/// Later than any timer.
const NEVER: u64 = u64::MAX;

impl Timers {
    fn new(actors: usize) -> Self {
        let (mut leaves, mut wide) = (0, 1);
        while wide * WIDTH < actors {
            leaves += wide;
            wide *= WIDTH;
        }
        let none = Event { key: Key::new(0, 0, Kind::Timer, 0, 0), boot: 0, life: 0, letter: Letter::NONE };
        Self { tree: vec![[NEVER; WIDTH]; leaves + wide], leaves, winner: NEVER, armed: vec![none; actors] }
    }

    fn set(&mut self, timer: Event) {
        let actor = usize::from(timer.key.target());
        self.armed[actor] = timer;
        self.put(actor, timer.key.when());
    }

    fn clear(&mut self, actor: ActorId) {
        self.put(usize::from(actor), NEVER);
    }

    fn put(&mut self, actor: usize, when: u64) {
        let (mut group, mut seat) = (self.leaves + actor / WIDTH, actor % WIDTH);
        let mut least = when;
        loop {
            let seats = &mut self.tree[group];
            seats[seat] = least;
            // What was just stored is not loaded again: that would take longer than all the rest.
            let pair = |other: usize| seats[seat ^ other].min(seats[seat ^ other ^ 1]);
            least = least.min(seats[seat ^ 1]).min(pair(2).min(pair(4)).min(pair(6)));
            if group == 0 {
                self.winner = least;
                return;
            }
            (group, seat) = ((group - 1) / WIDTH, (group - 1) % WIDTH);
        }
    }

    fn earliest(&self) -> Option<Event> {
        (self.winner != NEVER).then(|| self.armed[usize::from(self.winner as ActorId)])
    }
}

/// Up to this many, a walk finds a place faster than bisection.
const FEW: usize = 64;

/// How many events are sorted at most.
const NEAR_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Concern, Stream};
    use std::collections::BTreeMap;

    /// Whatever is added when, and however much of it: what comes out is the least of what is in.
    #[test]
    fn events_come_in_the_order_of_their_keys() {
        for (seed, most) in [(1, 10), (2, 600), (3, 5_000)] {
            let mut stream = Stream::new(seed, Concern::Link, 0, 0);
            let (mut queue, mut model) = (Queue::new(4), BTreeMap::new());
            let mut now_us = 0;
            for counter in 0..40_000 {
                let grows = stream.below(100) < if model.len() < most { 60 } else { 40 };
                if grows {
                    let at_us = now_us + stream.below(1_000);
                    let key = Key::new(at_us, stream.below(4) as ActorId, Kind::Message, 1, counter);
                    let event = Event { key, boot: counter, life: 0, letter: Letter::NONE };
                    queue.add(event);
                    model.insert(key, event);
                } else {
                    let expected = model.pop_first().map(|(_, event)| event);
                    assert_eq!(queue.next_us(), expected.map(|event| event.key.at_us()));
                    assert_eq!(queue.pop(), expected);
                    now_us = expected.map_or(now_us, |event| event.key.at_us());
                }
            }
            assert!(model.len() >= most / 2, "{} of {most}", model.len());
        }
    }
}
