//! Where rings come from: whoever runs many servers in one process lets those that know the same members share one ring.

use super::ring::{HashRing, RingError, RingRules};
use crate::id::Host;
use alloc::sync::Arc;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::num::NonZeroU32;

/// What becomes of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingChange<'a> {
    /// It is made anew, of these servers with their names.
    Members(&'a [(Host, &'a [u8])]),
    /// Servers come, under these names, or go, one after another.
    Changes(&'a [(Host, Option<&'a [u8]>)]),
}

/// Makes the ring that follows from another one.
///
/// Invariant: what it returns equals [`RingSource::OWN`] of the same arguments; only who else has it may differ. Two sources
/// are equal for the same reason.
#[derive(Clone, Copy)]
pub struct RingSource(pub fn(&Arc<HashRing>, RingChange<'_>) -> Result<Arc<HashRing>, RingError>);

impl RingSource {
    /// Every server makes its own.
    pub const OWN: Self = Self(|ring, change| ring.changed(change).map(Arc::new));

    /// A ring without servers.
    #[must_use]
    pub fn empty(rules: RingRules, vnodes_per_node: NonZeroU32) -> Arc<HashRing> {
        Arc::new(HashRing::new(rules, vnodes_per_node))
    }

    /// The ring that follows.
    ///
    /// # Errors
    /// As [`HashRing::changed`].
    pub fn make(self, ring: &Arc<HashRing>, change: RingChange<'_>) -> Result<Arc<HashRing>, RingError> {
        (self.0)(ring, change)
    }
}

impl fmt::Debug for RingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RingSource")
    }
}

impl PartialEq for RingSource {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RingSource {}

impl Hash for RingSource {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
