//! The subscriptions that one controller keeps, and who is told of a change.

use super::catalog::{Catalog, Change};
use super::identity::ServiceKey;
use super::rules::{Rules, Subscribing};
use super::subscription::{Cursor, Subscription, Update};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Who subscribes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct SubscriberId(pub u32);

/// One connection's subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Kept {
    /// Which of the controller's connections it came by.
    connection: u64,
    subscription: Subscription,
}

/// All subscriptions of a controller.
///
/// Shape: keyed by service, then subscriber; so a change costs as much as its service has subscribers. Under
/// [`Subscribing::State`] there is one for each pair. Under [`Subscribing::Connection`] each connection has its own,
/// and keeps it after it was closed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Subscribers {
    subscribing: Subscribing,
    kept: BTreeMap<(ServiceKey, SubscriberId), Vec<Kept>>,
    connections: u64,
}

impl Subscribers {
    /// Nobody yet.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self { subscribing: rules.subscribing, kept: BTreeMap::new(), connections: 0 }
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// A client subscribes, by a new connection, and names its cursor. Returns the number of the connection.
    pub fn open(&mut self, subscriber: SubscriberId, key: ServiceKey, cursor: Option<Cursor>) -> u64 {
        self.connections += 1;
        let new = Kept { connection: self.connections, subscription: Subscription::new(key, cursor) };
        let kept = self.kept.entry((key, subscriber)).or_default();
        if self.subscribing == Subscribing::State {
            kept.clear();
        }
        kept.push(new);
        self.connections
    }

    /// A connection closed. One that was replaced already takes nothing with it.
    pub fn close(&mut self, subscriber: SubscriberId, key: ServiceKey, connection: u64) {
        if self.subscribing == Subscribing::Connection {
            return;
        }
        if let Some(kept) = self.kept.get_mut(&(key, subscriber)) {
            kept.retain(|kept| kept.connection != connection);
            if kept.is_empty() {
                self.kept.remove(&(key, subscriber));
            }
        }
    }

    /// The catalog was loaded anew: all first updates are owed again.
    pub fn begin_again(&mut self) {
        self.kept.values_mut().flatten().for_each(|kept| kept.subscription.begin_again());
    }

    /// The first updates that are owed and can be given.
    pub fn begin(&mut self, catalog: &Catalog) -> Vec<(SubscriberId, Update)> {
        let all = self.kept.iter_mut().flat_map(|((_, subscriber), kept)| kept.iter_mut().map(|it| (*subscriber, it)));
        all.filter_map(|(subscriber, kept)| Some((subscriber, kept.subscription.begin(catalog)?))).collect()
    }

    /// Who is told of a change that the catalog has just folded. `own` says whether it came in at this controller:
    /// under [`Subscribing::Connection`] nobody is told of any other.
    pub fn push(
        &mut self,
        catalog: &Catalog,
        key: ServiceKey,
        change: Change,
        own: bool,
    ) -> Vec<(SubscriberId, Update)> {
        if self.subscribing == Subscribing::Connection && !own {
            return Vec::new();
        }
        let of_key = (key, SubscriberId(0))..=(key, SubscriberId(u32::MAX));
        let all = self.kept.range_mut(of_key);
        let all = all.flat_map(|((_, subscriber), kept)| kept.iter_mut().map(|it| (*subscriber, it)));
        all.filter_map(|(subscriber, kept)| Some((subscriber, kept.subscription.push(catalog, change)?))).collect()
    }
}
