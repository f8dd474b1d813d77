//! What a run can break, and the finding that says so.

use core::fmt;

use crate::action::Action;
use crate::lease::ActorId;

/// A statement that can be false.
///
/// The first three are invariants of `Lease.tla`; the next four are guards of its actions whose failure need not break
/// an invariant at once; then come properties that a transition table cannot say, judged elsewhere; the last one accuses
/// the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// At most one trusted actor works as primary. Belief: owed while actors are trusted.
    AtMostOneWorkingPrimary,
    /// No operation of an older epoch is accepted after one of a newer epoch. Effect: owed always.
    NoStaleEffect,
    /// Who works as the named owner finds everything older sealed out.
    SealedBeforeWork,
    /// The store names a new owner only while no trusted rival works.
    GrantWaitsForRivals,
    /// Every grant brings an epoch above all that the resource has seen.
    GrantIsNewest,
    /// Only the named owner begins to work, unless its time is disturbed.
    OnlyOwnersStepUp,
    /// Only actors that were granted the lease send operations.
    OnlyPrimariesIssue,
    /// An empty answer of the store counts only when nothing can arrive after it.
    EmptyAnswerIsFinal,
    /// A utype runs only on nodes that offer its type.
    RunsOnlyWhereItsTypeRuns,
    /// An answer that names somebody else stops a primary.
    ForeignAnswerStops,
    /// A healthy owner keeps its lease.
    OwnerIsNotStarved,
    /// Every step of the run is a step of the permissive contract. When this fails, the mapping is wrong, not the protocol.
    RefinementHolds,
}

impl Property {
    /// Every property, in the order of the enumeration.
    pub const ALL: [Self; 12] = [
        Self::AtMostOneWorkingPrimary,
        Self::NoStaleEffect,
        Self::SealedBeforeWork,
        Self::GrantWaitsForRivals,
        Self::GrantIsNewest,
        Self::OnlyOwnersStepUp,
        Self::OnlyPrimariesIssue,
        Self::EmptyAnswerIsFinal,
        Self::RunsOnlyWhereItsTypeRuns,
        Self::ForeignAnswerStops,
        Self::OwnerIsNotStarved,
        Self::RefinementHolds,
    ];

    /// The name in TLA+ and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtMostOneWorkingPrimary => "AtMostOneWorkingPrimary",
            Self::NoStaleEffect => "NoStaleEffect",
            Self::SealedBeforeWork => "SealedBeforeWork",
            Self::GrantWaitsForRivals => "GrantWaitsForRivals",
            Self::GrantIsNewest => "GrantIsNewest",
            Self::OnlyOwnersStepUp => "OnlyOwnersStepUp",
            Self::OnlyPrimariesIssue => "OnlyPrimariesIssue",
            Self::EmptyAnswerIsFinal => "EmptyAnswerIsFinal",
            Self::RunsOnlyWhereItsTypeRuns => "RunsOnlyWhereItsTypeRuns",
            Self::ForeignAnswerStops => "ForeignAnswerStops",
            Self::OwnerIsNotStarved => "OwnerIsNotStarved",
            Self::RefinementHolds => "RefinementHolds",
        }
    }

    /// The property with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|property| property.name() == name)
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of properties, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PropertySet(u32);

impl PropertySet {
    /// Puts a property in; `true` when it was not there.
    pub fn insert(&mut self, property: Property) -> bool {
        let before = self.0;
        self.0 |= 1 << property as u32;
        self.0 != before
    }

    /// Whether the property is in the set.
    #[must_use]
    pub const fn contains(self, property: Property) -> bool {
        self.0 & (1 << property as u32) != 0
    }
}

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
    pub action: Action,
    /// The guard or invariant that did not hold, in the words of the contract.
    pub guard: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} us: {}", self.property, self.at_us, self.action.name())?;
        if let Some(actor) = self.actor {
            write!(f, " of {actor}")?;
        }
        if let Some(rival) = self.rival {
            write!(f, " against {rival}")?;
        }
        write!(f, ": {}", self.guard)
    }
}
