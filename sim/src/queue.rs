//! The pending events of a run, in the one order that both engines keep.

use crate::event::{ActorId, Event, Key, Kind};
use crate::letters::Letter;
use crate::world::Pending;

/// Pending events.
///
/// Shape: kept sorted, earliest last. Each actor has one timer at most that counts: those stand in `Timers`, where a
/// timer that is set anew leaves nothing behind. So the sorted ones are messages under way, and rarely commands.
#[derive(Debug)]
pub struct Queue {
    sorted: Vec<Event>,
    timers: Timers,
}

impl Queue {
    /// An empty queue for a cast of `actors`.
    #[must_use]
    pub fn new(actors: usize) -> Self {
        Self { sorted: Vec::new(), timers: Timers::new(actors) }
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
            return self.sorted.pop();
        }
        let timer = self.timers.earliest()?;
        if next.is_some_and(|event| event.key < timer.key) {
            return self.sorted.pop();
        }
        self.timers.clear(timer.key.target());
        Some(timer)
    }
}

impl Pending for Queue {
    // Both inlined: an event that is handed over in memory is read in other pieces than it was written in, and that waits.
    #[inline(always)]
    fn add(&mut self, event: Event) {
        let mut at = self.sorted.len();
        if at <= FEW {
            while at > 0 && self.sorted[at - 1].key < event.key {
                at -= 1;
            }
        } else {
            at = self.sorted.partition_point(|other| other.key > event.key);
        }
        self.sorted.insert(at, event);
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
