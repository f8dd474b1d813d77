//! What a run can break.

use core::fmt;

use crate::coverage::ContractName;

/// A statement that can be false.
///
/// Of the election, the first three are invariants of `Lease.tla`; the next four are guards of its actions whose failure
/// need not break an invariant at once; then come properties that a transition table cannot say, judged elsewhere. Of the
/// routing, the first five are invariants of `Context.tla`; the others are judged elsewhere too. The last one accuses the
/// simulation.
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
    /// In an epoch of a context, writes of its owner alone are accepted. Effect: owed always. Charged also when the store
    /// accepts a write of a server that is not owner, before a second one has written.
    OneOwnerPerEpoch,
    /// A write that a client was told of stays in the row. Effect: owed always.
    NoLostAcknowledgedWrite,
    /// A read that a trusted server answers shows every write that was acknowledged before.
    NoStaleRead,
    /// Only the two servers that a context's row names take it over, or answer for it while they are trusted.
    OnlyNamedServersServe,
    /// The backup takes over only after the main's heartbeat row has expired. Effect: owed always.
    TakeWaitsForExpiry,
    /// At any time one trusted process holds an alias, and while a context refers to the alias, it stays on one machine.
    AliasNamesOneInstance,
    /// Whoever asks gets the same HAID of a context and its generation.
    OneHaidPerContext,
    /// A creation makes one context, however often it is retried.
    OneContextPerCreate,
    /// A HAID that is accepted is what its parts encode to.
    HaidRoundTrips,
    /// The backup is the least loaded of the rest, in the view that was used to choose it.
    BackupIsLeastLoaded,
    /// An alias whose holder is dead is open to its own machine after the longest term.
    AliasIsNotStarved,
    /// Every step of the run is a step of the permissive contract. When this fails, the mapping is wrong, not the protocol.
    RefinementHolds,
}

impl Property {
    /// Every property, in the order of the enumeration.
    pub const ALL: [Self; 23] = [
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
        Self::OneOwnerPerEpoch,
        Self::NoLostAcknowledgedWrite,
        Self::NoStaleRead,
        Self::OnlyNamedServersServe,
        Self::TakeWaitsForExpiry,
        Self::AliasNamesOneInstance,
        Self::OneHaidPerContext,
        Self::OneContextPerCreate,
        Self::HaidRoundTrips,
        Self::BackupIsLeastLoaded,
        Self::AliasIsNotStarved,
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
            Self::OneOwnerPerEpoch => "OneOwnerPerEpoch",
            Self::NoLostAcknowledgedWrite => "NoLostAcknowledgedWrite",
            Self::NoStaleRead => "NoStaleRead",
            Self::OnlyNamedServersServe => "OnlyNamedServersServe",
            Self::TakeWaitsForExpiry => "TakeWaitsForExpiry",
            Self::AliasNamesOneInstance => "AliasNamesOneInstance",
            Self::OneHaidPerContext => "OneHaidPerContext",
            Self::OneContextPerCreate => "OneContextPerCreate",
            Self::HaidRoundTrips => "HaidRoundTrips",
            Self::BackupIsLeastLoaded => "BackupIsLeastLoaded",
            Self::AliasIsNotStarved => "AliasIsNotStarved",
            Self::RefinementHolds => "RefinementHolds",
        }
    }

    /// The contract whose runs can break it; `None` if those of any contract can.
    #[must_use]
    pub const fn contract(self) -> Option<ContractName> {
        match self {
            Self::AtMostOneWorkingPrimary
            | Self::NoStaleEffect
            | Self::SealedBeforeWork
            | Self::GrantWaitsForRivals
            | Self::GrantIsNewest
            | Self::OnlyOwnersStepUp
            | Self::OnlyPrimariesIssue
            | Self::EmptyAnswerIsFinal
            | Self::RunsOnlyWhereItsTypeRuns
            | Self::ForeignAnswerStops
            | Self::OwnerIsNotStarved => Some(ContractName::Lease),
            Self::OneOwnerPerEpoch
            | Self::NoLostAcknowledgedWrite
            | Self::NoStaleRead
            | Self::OnlyNamedServersServe
            | Self::TakeWaitsForExpiry
            | Self::AliasNamesOneInstance
            | Self::OneHaidPerContext
            | Self::OneContextPerCreate
            | Self::HaidRoundTrips
            | Self::BackupIsLeastLoaded
            | Self::AliasIsNotStarved => Some(ContractName::Context),
            Self::RefinementHolds => None,
        }
    }

    /// The properties that runs judged by `contract` can break, in the order of the enumeration.
    pub fn of(contract: ContractName) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |property| property.contract().is_none_or(|of| of == contract))
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
