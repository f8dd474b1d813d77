//! Lookups: who offers a service, as one controller knows it.

use super::catalog::{Catalog, Instance, told};
use super::event::{Cause, Event};
use super::identity::{InstanceId, ServiceKey};
use super::position::{Offset, Position};
use super::rules::{Expiry, Identity, Reading};
use alloc::vec::Vec;

/// What a lookup answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Lookup {
    /// The instances, in the order in which they were registered.
    pub instances: Vec<Instance>,
    /// Where the catalog stands.
    pub at: Position,
    /// From which record on something may be missing. Under [`Reading::Share`] nobody is told.
    pub incomplete_from: Option<Offset>,
    /// What the controller appends to the log because somebody looked. Under [`Expiry::Witnessed`] nothing: reads are
    /// pure.
    pub appends: Vec<Event>,
}

/// Looks up a service. `stale` are the instances, of any service, whose checks are stale as
/// [`Check::is_stale`](super::Check::is_stale) says.
///
/// Spec: `ReadsArePure`.
#[must_use]
pub fn look_up(catalog: &Catalog, key: ServiceKey, stale: &[InstanceId]) -> Lookup {
    let rules = catalog.rules();
    let stale = match rules.expiry {
        Expiry::Unchecked => stale,
        Expiry::Witnessed => &[],
    };
    let hidden = |instance: InstanceId| stale.iter().any(|stale| is_same(rules.identity, *stale, instance));
    let mut listings: Vec<_> = catalog
        .listings(key)
        .filter(|(place, listing)| !hidden(InstanceId { key, place: *place, start: listing.start }))
        .collect();
    listings.sort_unstable_by_key(|(_, listing)| listing.registered_at);
    Lookup {
        instances: listings.into_iter().map(|(place, listing)| told(place, listing)).collect(),
        at: catalog.position(),
        incomplete_from: match rules.reading {
            Reading::Share => None,
            Reading::Whole => catalog.incomplete_from(),
        },
        appends: stale
            .iter()
            .map(|instance| Event::Deregistered { instance: *instance, cause: Cause::Stale })
            .collect(),
    }
}

/// Whether a lookup takes two instances for one.
fn is_same(identity: Identity, one: InstanceId, other: InstanceId) -> bool {
    match identity {
        Identity::Joined => (one.place.address, one.place.port) == (other.place.address, other.place.port),
        Identity::Full => one == other,
    }
}
