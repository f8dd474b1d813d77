//! What is written down of a run that is recorded, beside the steps of its machines: the actions of the contract with the
//! state after each, who believes what, which row names whom, faults, clocks, and what was found broken.
//!
//! A run without records keeps no notes. All that a timeline shows comes from here and from the steps.

pub mod state;

use crate::fault::Place;
use serde::{Serialize, Serializer};
use std::fmt;

pub use state::{Field, LeaseState, State, Value};

/// An actor of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// Where it runs.
    pub place: Place,
    /// Which life of that place it is, where the contract counts lives.
    pub life: Option<u32>,
}

/// An action of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Action {
    /// As TLA+ calls it.
    pub name: &'static str,
    /// Which of the things that the contract is about: the number of a kind of leader, of a key of a context.
    pub subject: u32,
    /// Who took it; nobody if the environment did.
    pub who: Option<Who>,
    /// The variables of the contract after it.
    pub state: State,
}

/// A property that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// As the spec names it.
    pub property: &'static str,
    /// About what: see [`Action::subject`].
    pub subject: Option<u32>,
    /// Who moved.
    pub who: Option<Who>,
    /// Against whom.
    pub rival: Option<Who>,
    /// By which action.
    pub action: &'static str,
    /// The guard or invariant that did not hold, in the words of the contract.
    pub guard: &'static str,
}

/// A place, as the world knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Its processes do not run.
    pub down: bool,
    /// They stand still.
    pub paused: bool,
    /// The machine sleeps; it is paused too.
    pub suspended: bool,
}

/// One thing that is worth a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// An action of the contract was taken.
    Action(Action),
    /// A property was broken.
    Broken(Broken),
    /// What the process at a place believes of itself, and whether that is to be doubted, changed.
    Belief {
        /// Where.
        place: Place,
        /// Of which kind of leader; zero where there is one.
        utype: u16,
        /// Whether it believes that it is the one that works.
        believes: bool,
        /// Whether there is reason to doubt it.
        doubted: bool,
    },
    /// A place changed.
    Condition {
        /// Where.
        place: Place,
        /// What it is like now.
        #[serde(flatten)]
        condition: Condition,
    },
    /// A clock was set, or runs at another rate from now on.
    Clock {
        /// Where.
        place: Place,
        /// What it shows now, in microseconds: the clock that machines read there.
        shows_us: u64,
        /// How many microseconds it counts in a million true ones.
        rate: u64,
        /// What the wall clock shows there.
        wall_us: u64,
        /// How many microseconds that one counts in a million true ones.
        wall_rate: u64,
    },
    /// A fault began or ended.
    Fault {
        /// Its number in the plan.
        id: u32,
        /// Whether it began.
        begins: bool,
        /// What it is, with its values.
        what: String,
        /// Where it strikes, if it names places.
        places: Vec<Place>,
    },
    /// An operator acted.
    Task {
        /// Where.
        place: Place,
        /// What the operator asked for.
        what: String,
    },
}

/// The notes of a run, if they are kept.
#[derive(Debug, Default)]
pub struct Notes(Option<Vec<Note>>);

impl Notes {
    /// From now on they are kept.
    pub fn keep(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Writes something down, if notes are kept; `note` is not asked otherwise.
    #[inline(always)]
    pub fn add(&mut self, note: impl FnOnce() -> Note) {
        if let Some(notes) = &mut self.0 {
            notes.push(note());
        }
    }

    /// Those since the last call.
    pub fn take(&mut self) -> Vec<Note> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.life {
            Some(life) => write!(f, "{}#{life}", self.place),
            None => self.place.fmt(f),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
