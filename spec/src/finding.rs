//! What is said of a step that broke a property.

use core::fmt;

use crate::property::Property;

/// Who moved: of an election one incarnation, with a new number for each start of a process; of a context or a job one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(pub u32);

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "actor {}", self.0)
    }
}

/// What a step is accused of: a property, and the sentence of the contract.
pub type Charge = (Property, &'static str);

/// A step outside both the strict and the permissive contract.
pub const NO_ACTION: Charge =
    (Property::RefinementHolds, "the step from the old state to the new one is the action that the record names");

/// A broken property, with the step that broke it. There is at most one for each property of a run.
///
/// Units and clock: `at_us` is true time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What was broken.
    pub property: Property,
    /// When.
    pub at_us: u64,
    /// Who moved.
    pub actor: Option<ActorId>,
    /// Against whom, when there was a second one.
    pub rival: Option<ActorId>,
    /// The step, by the name it was given.
    pub action: &'static str,
    /// The guard or invariant that did not hold, in the words of the contract.
    pub guard: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} us: {}", self.property, self.at_us, self.action)?;
        if let Some(actor) = self.actor {
            write!(f, " of {actor}")?;
        }
        if let Some(rival) = self.rival {
            write!(f, " against {rival}")?;
        }
        write!(f, ": {}", self.guard)
    }
}
