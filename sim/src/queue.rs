//! The pending events of a run, in the one order that both engines keep.

use crate::event::{ActorId, Event, Key, Kind};
use crate::letters::Letter;

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

    /// Adds an event. A timer takes the place of the one that its actor had.
    pub fn push(&mut self, event: Event) {
        if event.is_timer() {
            self.timers.set(event);
            return;
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
        let (timer, other) = (self.timers.winner(), next.map_or(NEVER, |event| event.key.when()));
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

/// The timer of each actor in a tournament: who wins is due first.
///
/// Shape: a binary tree in one list. The root stands at 1, the children of `n` at `2n` and `2n + 1`, and the leaves, one
/// for each actor, from `leaves` on; a node holds the lesser of its children, as the first word of a key. No two timers
/// share that word. Setting one costs the height of the tree.
#[derive(Debug)]
struct Timers {
    tree: Vec<u64>,
    leaves: usize,
    /// The timer that each actor had last.
    armed: Vec<Event>,
}

/// Later than any timer.
const NEVER: u64 = u64::MAX;

impl Timers {
    fn new(actors: usize) -> Self {
        let leaves = actors.next_power_of_two();
        let none = Event { key: Key::new(0, 0, Kind::Timer, 0, 0), boot: 0, life: 0, letter: Letter::NONE };
        Self { tree: vec![NEVER; 2 * leaves], leaves, armed: vec![none; actors] }
    }

    fn set(&mut self, timer: Event) {
        let actor = timer.key.target();
        self.armed[usize::from(actor)] = timer;
        self.put(actor, timer.key.when());
    }

    fn clear(&mut self, actor: ActorId) {
        self.put(actor, NEVER);
    }

    fn put(&mut self, actor: ActorId, when: u64) {
        let tree = self.tree.as_mut_slice();
        let mut node = self.leaves + usize::from(actor);
        let mut least = when;
        tree[node] = when;
        while node > 1 {
            least = least.min(tree[node ^ 1]);
            node /= 2;
            tree[node] = least;
        }
    }

    /// The first word of the earliest key, or [`NEVER`].
    fn winner(&self) -> u64 {
        self.tree[1]
    }

    fn earliest(&self) -> Option<Event> {
        let winner = self.winner();
        (winner != NEVER).then(|| self.armed[usize::from(winner as ActorId)])
    }
}

/// Up to this many, a walk finds a place faster than bisection.
const FEW: usize = 64;
