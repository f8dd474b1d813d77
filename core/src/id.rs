//! Identities as `Copy` integers. Uuids, machine names and addresses are interned at the border, never carried inside.

/// A kind of leader; each has its own independent election. At most [`Utype::MAX`] of them share a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Utype(pub u16);

impl Utype {
    /// How many kinds of leader one table serves.
    pub const MAX: usize = 1024;

    /// Where this kind stands in a list of all kinds.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The machine a candidate runs on: `uname` in the HPC Pack HA table. Names that differ only in case are one host, so
/// intern them lower-cased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Host(pub u16);

/// Who speaks: `uuid` in the HPC Pack HA table. One value per start of a candidate, if it is minted as it should be.
///
/// Shape: `mint` identifies the process start (or, under reused identities, the disk image); `life` counts the times
/// that the candidate gave up and started over within that process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Incarnation {
    /// Minted once per process start.
    pub mint: u64,
    /// Starts of the candidate within the process, from 1.
    pub life: u32,
}

/// A fencing token: raised at each change of owner, never repeated.
///
/// Shape: ordered by store generation first, so that a store which forgot its counter still issues larger ones.
/// Spec: `token` in `Lease.tla`, kept there only relative to the resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Epoch {
    /// Raised whenever the store may have forgotten something: it restarted empty, or a replica was promoted.
    pub generation: u32,
    /// Raised at each change of owner within a generation.
    pub counter: u32,
}

impl Epoch {
    /// Below every epoch that a store grants.
    pub const NONE: Self = Self { generation: 0, counter: 0 };

    /// Both parts in one integer with the same order.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        ((self.generation as u64) << 32) | self.counter as u64
    }
}
