//! Which kind of leader may run only where another kind's leader runs.

use super::error::ConfigError;
use crate::id::Utype;

/// A map from each of the first [`Affinity::KINDS`] kinds to the kind that it must share a host with. No kind leads back to
/// itself, and kinds beyond those follow nobody.
///
/// Source: affinity in the HPC Pack HA README; empty means off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Affinity {
    to: [Option<Utype>; Self::KINDS],
}

impl Affinity {
    /// How many kinds can follow each other.
    pub const KINDS: usize = 8;

    /// Every kind on its own.
    #[must_use]
    pub const fn none() -> Self {
        Self { to: [None; Self::KINDS] }
    }

    /// `links` as pairs (kind, the kind it follows).
    ///
    /// # Errors
    /// [`ConfigError::UtypeOutOfRange`] for a kind beyond those, [`ConfigError::AffinityTwice`] for a kind
    /// that follows two, [`ConfigError::AffinityCycle`] for one that follows itself, directly or through others: such an
    /// election deadlocks.
    pub fn new(links: &[(Utype, Utype)]) -> Result<Self, ConfigError> {
        let mut affinity = Self::none();
        for &(from, to) in links {
            for utype in [from, to] {
                if utype.index() >= Self::KINDS {
                    return Err(ConfigError::UtypeOutOfRange { utype, kinds: Self::KINDS });
                }
            }
            if affinity.to[from.index()].replace(to).is_some_and(|former| former != to) {
                return Err(ConfigError::AffinityTwice { utype: from });
            }
        }
        for start in 0..Self::KINDS {
            let mut at = affinity.to[start];
            for _ in 0..Self::KINDS {
                at = at.and_then(|utype| affinity.to[utype.index()]);
            }
            if let Some(utype) = at {
                return Err(ConfigError::AffinityCycle { utype });
            }
        }
        Ok(affinity)
    }

    /// The kind that `utype` follows, if any.
    #[must_use]
    pub const fn of(&self, utype: Utype) -> Option<Utype> {
        if utype.index() < Self::KINDS { self.to[utype.index()] } else { None }
    }

    /// The kinds that follow `utype`.
    pub fn followers(&self, utype: Utype) -> impl Iterator<Item = Utype> {
        let kinds = self.to.iter().enumerate();
        kinds.filter(move |(_, to)| **to == Some(utype)).map(|(kind, _)| Utype(kind as u16))
    }
}
