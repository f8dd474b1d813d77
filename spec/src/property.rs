//! What a run can break.

use core::fmt;

use crate::coverage::ContractName;

/// A statement that can be false.
///
/// Of the election, the first three are invariants of `Lease.tla`; the next four are guards of its actions whose failure
/// need not break an invariant at once; then come properties that a transition table cannot say, judged elsewhere. Of the
/// routing, the first five are invariants of `Context.tla`; the others are judged elsewhere too. Of the distribution, the
/// second is about all attempts of a job, the other six of the first seven are invariants of `Job.tla`, as is
/// `NoStaleEffect`; the last five are judged elsewhere. The last one of all accuses the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// At most one trusted actor works as primary. Belief: owed while actors are trusted.
    AtMostOneWorkingPrimary,
    /// No operation of an older epoch is accepted after one of a newer epoch: of an election by the resource, of a job by
    /// the cluster that runs it. Effect: owed always.
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
    /// An instance name is started once, for ever. Effect: owed always.
    StartedOnce,
    /// At most one instance of a job lives, whatever its attempt. Effect: owed always.
    AtMostOneLiveInstance,
    /// In an epoch of a job's row, one server alone calls the cluster: the one that the row names. Belief: a doubted server
    /// calls in the epoch of its own claim, which is fenced.
    AtMostOneExecutorPerEpoch,
    /// Of an attempt that is over, nothing lives, ever again. Effect: owed always.
    DoneIsQuiet,
    /// The row of a job tells of whatever was sent to the cluster, so that a job ends as done or is reported as failed.
    NoLostJob,
    /// The row of a job tells of a start only after its owner has verified the resource.
    StartsOnlyWithResources,
    /// A row is claimed only when nobody owns it, or its owner's session is over. Effect: owed always.
    ClaimWaitsForOwner,
    /// No server sends a message to another one.
    NoServerToServerMessage,
    /// When all is quiet, no instance lives that no row tells of, and each unfinished job is on its owner by the ring.
    NoOrphanAfterQuiet,
    /// Servers that read the same version of the members name the same owner of a job.
    OwnerIsFunctionOfMembers,
    /// A change of the members moves only jobs of the server that left, or to the one that joined.
    MinimalMovement,
    /// The actions on a job take effect in the order in which they were inserted.
    PerJobOrder,
    /// Every step of the run is a step of the permissive contract. When this fails, the mapping is wrong, not the protocol.
    RefinementHolds,
}

impl Property {
    /// Every property, in the order of the enumeration.
    pub const ALL: [Self; 35] = [
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
        Self::StartedOnce,
        Self::AtMostOneLiveInstance,
        Self::AtMostOneExecutorPerEpoch,
        Self::DoneIsQuiet,
        Self::NoLostJob,
        Self::StartsOnlyWithResources,
        Self::ClaimWaitsForOwner,
        Self::NoServerToServerMessage,
        Self::NoOrphanAfterQuiet,
        Self::OwnerIsFunctionOfMembers,
        Self::MinimalMovement,
        Self::PerJobOrder,
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
            Self::StartedOnce => "StartedOnce",
            Self::AtMostOneLiveInstance => "AtMostOneLiveInstance",
            Self::AtMostOneExecutorPerEpoch => "AtMostOneExecutorPerEpoch",
            Self::DoneIsQuiet => "DoneIsQuiet",
            Self::NoLostJob => "NoLostJob",
            Self::StartsOnlyWithResources => "StartsOnlyWithResources",
            Self::ClaimWaitsForOwner => "ClaimWaitsForOwner",
            Self::NoServerToServerMessage => "NoServerToServerMessage",
            Self::NoOrphanAfterQuiet => "NoOrphanAfterQuiet",
            Self::OwnerIsFunctionOfMembers => "OwnerIsFunctionOfMembers",
            Self::MinimalMovement => "MinimalMovement",
            Self::PerJobOrder => "PerJobOrder",
            Self::RefinementHolds => "RefinementHolds",
        }
    }

    /// The contracts whose runs can break it.
    #[must_use]
    pub const fn contracts(self) -> &'static [ContractName] {
        match self {
            Self::AtMostOneWorkingPrimary
            | Self::SealedBeforeWork
            | Self::GrantWaitsForRivals
            | Self::GrantIsNewest
            | Self::OnlyOwnersStepUp
            | Self::OnlyPrimariesIssue
            | Self::EmptyAnswerIsFinal
            | Self::RunsOnlyWhereItsTypeRuns
            | Self::ForeignAnswerStops
            | Self::OwnerIsNotStarved => &[ContractName::Lease],
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
            | Self::AliasIsNotStarved => &[ContractName::Context],
            Self::StartedOnce
            | Self::AtMostOneLiveInstance
            | Self::AtMostOneExecutorPerEpoch
            | Self::DoneIsQuiet
            | Self::NoLostJob
            | Self::StartsOnlyWithResources
            | Self::ClaimWaitsForOwner
            | Self::NoServerToServerMessage
            | Self::NoOrphanAfterQuiet
            | Self::OwnerIsFunctionOfMembers
            | Self::MinimalMovement
            | Self::PerJobOrder => &[ContractName::Job],
            Self::NoStaleEffect => &[ContractName::Lease, ContractName::Job],
            Self::RefinementHolds => &[ContractName::Lease, ContractName::Context, ContractName::Job],
        }
    }

    /// The properties that runs judged by `contract` can break, in the order of the enumeration.
    pub fn of(contract: ContractName) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |property| property.contracts().contains(&contract))
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
pub struct PropertySet(u64);

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
