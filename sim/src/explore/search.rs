//! Breadth-first search: level by level, until all is seen, a property is broken, or a limit is reached.
//!
//! Of a state that was seen, its fingerprint stays, its parent, and which of the parent's moves led to it. The state itself
//! stays only until what follows from it is known.

use super::fingerprints::Fingerprints;
use super::intern::{grow, number};
use super::space::{Distinct, Edge, Move, Space, Successors};
use super::{Explored, Instance};
use failproof_spec::Property;
use std::sync::atomic::{AtomicBool, Ordering};

/// When a search ends before it is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// With so many distinct states.
    pub states_max: u64,
    /// With so much memory, in bytes.
    pub memory_max: usize,
}

impl Default for Limits {
    /// As many states as can be numbered, in as much memory as it takes.
    fn default() -> Self {
        Self { states_max: u64::from(u32::MAX) - 1, memory_max: usize::MAX }
    }
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All states were seen, and none breaks a property.
    Exhausted,
    /// A state breaks this property. Its level was searched to its end, and none before it breaks one.
    Broken(Property),
    /// There are more states than the limit.
    States,
    /// More memory is needed than the limit.
    Memory,
    /// It was asked to stop.
    Interrupted,
}

/// What memory a search took, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Fingerprints of the states that were seen.
    pub fingerprints: usize,
    /// Their parents, and which move led to them.
    pub parents: usize,
    /// States whose successors are not known yet, at most.
    pub frontier: usize,
    /// Distinct values, and the steps that were looked up.
    pub values: usize,
}

impl Memory {
    /// All of it.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.fingerprints + self.parents + self.frontier + self.values
    }
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Distinct states.
    pub states: u64,
    /// Moves to the states that are looked at now.
    pub depth: u32,
    /// True time of the state that is looked at now, in quanta.
    pub now: u8,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Why it ended.
    pub stopped: Stopped,
    /// Distinct states.
    pub states: u64,
    /// States that were generated, those that were seen before included, and the first one.
    pub generated: u64,
    /// The most moves that a state is away from the first one.
    pub depth: u32,
    /// What memory it took.
    pub memory: Memory,
    /// How many distinct values there are.
    pub distinct: Distinct,
    /// The states that break the property, by number, in the order in which they were found.
    pub broken: Vec<u32>,
}

impl Outcome {
    /// Memory for each state, in bytes.
    #[must_use]
    pub fn bytes_per_state(&self) -> f64 {
        self.memory.total() as f64 / self.states as f64
    }
}

/// Sees the graph while it is searched.
pub trait Visitor<P: Explored> {
    /// A state, when it is found for the first time; packed, as [`Space::unpack`] reads it.
    fn state(&mut self, _space: &Space<'_, P>, _state: &[u32]) {}
    /// A move, also to a state that was seen before.
    fn edge(&mut self, _space: &Space<'_, P>, _edge: Edge<'_>) {}
}

/// Sees nothing.
impl<P: Explored> Visitor<P> for () {}

/// What is outside of a search.
pub struct Outside<'a> {
    /// Ends the search when it becomes true.
    pub stop: &'a AtomicBool,
    /// Is told now and then how far the search has come.
    pub progress: &'a dyn Fn(Progress),
}

/// A search of one instance.
pub struct Search<'a, P: Explored> {
    space: Space<'a, P>,
    properties: Vec<Property>,
    limits: Limits,
    seen: Fingerprints,
    parents: Vec<u32>,
    /// Which of the parent's moves it was.
    moves: Vec<u16>,
}

impl<P: Explored> std::fmt::Debug for Search<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("states", &self.parents.len()).finish_non_exhaustive()
    }
}

/// How many states are looked at between two looks at the outside.
const BREATH: usize = 4_096;
/// How many states that break a property are kept.
const BROKEN_MAX: usize = 4_096;

impl<'a, P: Explored> Search<'a, P> {
    /// A search for states that break one of these properties.
    #[must_use]
    pub fn new(instance: &'a Instance, properties: &[Property], limits: Limits) -> Self {
        Self {
            space: Space::new(instance),
            properties: properties.to_vec(),
            limits,
            seen: Fingerprints::new(),
            parents: Vec::new(),
            moves: Vec::new(),
        }
    }

    /// What is searched.
    pub const fn space(&mut self) -> &mut Space<'a, P> {
        &mut self.space
    }

    /// Searches until all is seen, a property is broken, or a limit is reached. To be called once.
    pub fn run(&mut self, outside: &Outside<'_>) -> Outcome {
        self.walk(&mut (), outside)
    }

    /// The same, and shows the graph.
    pub fn walk(&mut self, visitor: &mut impl Visitor<P>, outside: &Outside<'_>) -> Outcome {
        let mut level = self.space.initial();
        let width = level.len();
        let (mut next, mut successors) = (Vec::new(), Successors::default());
        let mut outcome = Outcome {
            stopped: Stopped::Exhausted,
            states: 1,
            generated: 1,
            depth: 0,
            memory: Memory::default(),
            distinct: Distinct::default(),
            broken: Vec::new(),
        };
        self.seen.add(&level);
        visitor.state(&self.space, &level);
        self.parents.push(0);
        self.moves.push(0);
        let mut first = 0;
        'levels: loop {
            for (at, state) in level.chunks_exact(width).enumerate() {
                if at % BREATH == BREATH - 1 {
                    outcome.memory.frontier = outcome.memory.frontier.max((level.capacity() + next.capacity()) * 4);
                    if let Some(stopped) = self.stops(&outcome, outside) {
                        outcome.stopped = stopped;
                        break 'levels;
                    }
                    let states = self.parents.len() as u64;
                    (outside.progress)(Progress { states, depth: outcome.depth, now: state[0] as u8 });
                }
                self.space.successors(state, &mut successors);
                outcome.generated += successors.moves().len() as u64;
                for (which, what) in successors.moves().iter().enumerate() {
                    let to = successors.state(which);
                    let new = self.seen.add(to);
                    if new {
                        let index = number(self.parents.len());
                        grow(&mut self.parents);
                        self.parents.push(first + at as u32);
                        grow(&mut self.moves);
                        self.moves.push(which as u16);
                        visitor.state(&self.space, to);
                        if let Some(property) = self.space.broken(to, &self.properties) {
                            if outcome.broken.is_empty() {
                                outcome.stopped = Stopped::Broken(property);
                            }
                            if outcome.stopped == Stopped::Broken(property) && outcome.broken.len() < BROKEN_MAX {
                                outcome.broken.push(index);
                            }
                        }
                        if next.len() + width > next.capacity() {
                            next.reserve_exact(next.len() / 4 + 256 * width);
                        }
                        next.extend_from_slice(to);
                    }
                    visitor.edge(&self.space, Edge { from: state, what: *what, to });
                }
                if self.parents.len() as u64 >= self.limits.states_max && outcome.broken.is_empty() {
                    outcome.stopped = Stopped::States;
                    break 'levels;
                }
            }
            outcome.memory.frontier = outcome.memory.frontier.max((level.capacity() + next.capacity()) * 4);
            if next.is_empty() {
                break;
            }
            outcome.depth += 1;
            if !outcome.broken.is_empty() {
                break;
            }
            first += (level.len() / width) as u32;
            std::mem::swap(&mut level, &mut next);
            next.clear();
        }
        outcome.states = self.parents.len() as u64;
        outcome.distinct = self.space.distinct();
        outcome.memory = Memory { values: outcome.distinct.bytes, ..self.memory(outcome.memory.frontier) };
        outcome
    }

    fn memory(&self, frontier: usize) -> Memory {
        let parents = self.parents.capacity() * 4 + self.moves.capacity() * 2;
        Memory { fingerprints: self.seen.bytes(), parents, frontier, values: 0 }
    }

    /// Whether something from outside, or the memory, ends the search.
    fn stops(&self, outcome: &Outcome, outside: &Outside<'_>) -> Option<Stopped> {
        if outside.stop.load(Ordering::Relaxed) {
            return Some(Stopped::Interrupted);
        }
        if !outcome.broken.is_empty() || self.limits.memory_max == usize::MAX {
            return None;
        }
        let taken = self.memory(outcome.memory.frontier).total() + self.space.distinct().bytes;
        (taken > self.limits.memory_max).then_some(Stopped::Memory)
    }

    /// A shortest way to a state, by its number: each move, and the packed state that it leads to. It begins in
    /// [`Space::initial`], after the opening.
    pub fn way(&mut self, state: u32) -> Vec<(Move, Vec<u32>)> {
        let mut which = Vec::new();
        let mut at = state as usize;
        while at != 0 {
            which.push(self.moves[at]);
            at = self.parents[at] as usize;
        }
        let (mut here, mut successors, mut way) = (self.space.initial(), Successors::default(), Vec::new());
        for which in which.into_iter().rev() {
            self.space.successors(&here, &mut successors);
            let which = usize::from(which);
            here = successors.state(which).to_vec();
            way.push((successors.moves()[which], here.clone()));
        }
        way
    }
}
