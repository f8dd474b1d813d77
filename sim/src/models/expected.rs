//! What a manifest expects of a model, and what a checker found.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;

/// What is expected of a model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expected {
    /// Whatever is asked of it holds in every state.
    #[serde(rename_all = "snake_case")]
    Holds {
        /// Distinct states.
        states: usize,
        /// States of the longest of the shortest ways, the initial one counted.
        depth: usize,
    },
    /// A property fails, and no other one fails sooner.
    #[serde(rename_all = "snake_case")]
    Violates {
        /// The invariant; the alias of the refined module; or `Deadlock`.
        property: String,
        /// States of a shortest way there.
        states: usize,
    },
    /// A temporal property fails: some fair behaviour ends in a loop that keeps it unfulfilled for ever.
    ///
    /// Of the temporal properties in the configuration this one alone is asked for, because TLC does not tell which one
    /// failed. The way into the loop is not compared: no checker looks for the shortest one.
    #[serde(rename_all = "snake_case")]
    Loops {
        /// The temporal property.
        property: String,
        /// Distinct states of the model, all of which are seen first.
        states: usize,
    },
}

impl Expected {
    /// How much work it is, roughly: distinct states.
    pub(super) const fn size(&self) -> usize {
        match self {
            Self::Holds { states, .. } | Self::Loops { states, .. } => *states,
            Self::Violates { .. } => 0,
        }
    }
}

/// What a checker found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether it holds.
    pub verdict: Verdict,
    /// Distinct states; those that were reached, if a property is violated.
    pub states: usize,
    /// States of the longest of the shortest ways, the initial one counted.
    pub depth: usize,
    /// The actions that never fired, if that was looked at and all states were seen.
    pub never: Option<BTreeSet<String>>,
}

/// Whether a model holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Holds,
    /// It does not.
    Violates {
        /// The invariant; the alias of the refined module; or `Deadlock`.
        property: String,
        /// A shortest way there, with the initial state.
        trace: Vec<Step>,
    },
    /// A temporal property fails.
    Loops {
        /// The temporal property.
        property: String,
        /// A fair behaviour up to the last state before it repeats itself, with the initial state.
        trace: Vec<Step>,
        /// The state, from 1, with which the trace goes on for ever; if it is the last one, nothing happens any more.
        back_to: usize,
    },
}

/// What is violated when no step is possible.
pub(super) const DEADLOCK: &str = "Deadlock";

/// A state of a trace, and what led to it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// The action; none for the initial state.
    pub action: Option<String>,
    /// Each variable with its value, in the order of the module.
    pub state: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.action.as_deref().unwrap_or("Init"), self.state)
    }
}
