//! Who is listed: a pure fold of the log. Two catalogs at one position are equal, however they came there.

use super::check::{CheckSpec, Health};
use super::event::{Cause, Entry, Event, Record};
use super::identity::{InstanceId, Place, ServiceKey, StartId};
use super::log::Page;
use super::position::{Lineage, LogId, Misplaced, Offset, Position};
use super::rules::{CheckOwner, CheckSource, Expiry, Removal, Rules};
use crate::time::Instant;
use alloc::collections::BTreeMap;
use core::ops::RangeInclusive;

/// An instance as it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Listing {
    /// Which start of the instance.
    pub start: StartId,
    /// How it is checked, if at all.
    pub check: Option<CheckSpec>,
    /// What its check came to.
    pub health: Health,
    /// The record that put it where it stands in the list.
    pub registered_at: Offset,
    /// The newest record that changed what subscribers are told.
    pub changed_at: Offset,
    /// When that was, as that record's producer's clock showed it.
    pub stamped_at: Instant,
}

/// What is remembered of an instance that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Tombstone {
    /// Which start of the instance.
    pub start: StartId,
    /// The record with which it left.
    pub removed_at: Offset,
    /// When that was, as that record's producer's clock showed it.
    pub stamped_at: Instant,
}

/// An instance as subscribers and lookups are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Instance {
    /// Where it is reached.
    pub place: Place,
    /// Which start of it.
    pub start: StartId,
    /// Whether its check fails.
    pub critical: bool,
}

/// What became of a place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Became {
    /// This instance is listed there.
    Listed(Instance),
    /// This start of an instance is listed there no more.
    Removed(Place, StartId),
}

/// A change of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    /// The record that made it.
    pub at: Offset,
    /// When that was, as that record's producer's clock showed it.
    pub stamped_at: Instant,
    /// What it made.
    pub became: Became,
}

/// All lists, at one position of the log.
///
/// Shape: keyed by service, then place. Tombstones are kept for the last `kept` records; a place that is listed has
/// none.
/// Invariant: equal positions, rules and `kept` give equal catalogs.
/// Spec: `EqualOffsetEqualCatalog`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Catalog {
    rules: Rules,
    lineage: Lineage,
    offset: Offset,
    listed: BTreeMap<ServiceKey, BTreeMap<Place, Listing>>,
    tombstones: BTreeMap<(ServiceKey, Place), Tombstone>,
    /// The places of tombstones, by the record that removed them.
    removals: BTreeMap<Offset, (ServiceKey, Place)>,
    kept: u64,
    /// Under [`CheckOwner::Place`]: what checks came to whose instances left.
    ghosts: BTreeMap<(ServiceKey, Place), Health>,
    incomplete_from: Option<Offset>,
    undecodable: u64,
}

impl Catalog {
    /// Nobody is listed at the begin of the log. Tombstones are kept for the last `kept` records.
    #[must_use]
    pub fn new(rules: Rules, log: LogId, kept: u64) -> Self {
        Self {
            rules,
            lineage: Lineage::new(log),
            offset: Offset(0),
            listed: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            removals: BTreeMap::new(),
            kept,
            ghosts: BTreeMap::new(),
            incomplete_from: None,
            undecodable: 0,
        }
    }

    /// The rules that it folds by.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// The next record that it takes in.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        self.offset
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.lineage.at(self.offset)
    }

    /// Whether all that stands before a position is in this catalog too.
    ///
    /// # Errors
    /// Why not, as [`Misplaced`] says.
    pub fn place(&self, position: Position) -> Result<(), Misplaced> {
        self.lineage.place(position, self.offset)
    }

    /// Up to where what stood before a position is in the log still.
    #[must_use]
    pub fn kept(&self, position: Position) -> Offset {
        self.lineage.kept(position)
    }

    /// The first record from which on all removals are remembered.
    #[must_use]
    pub const fn horizon(&self) -> Offset {
        Offset(self.offset.0.saturating_sub(self.kept))
    }

    /// The first record of a kind that this version does not know: from there on something may be missing.
    #[must_use]
    pub const fn incomplete_from(&self) -> Option<Offset> {
        self.incomplete_from
    }

    /// How many records were skipped because nobody can decode them.
    #[must_use]
    pub const fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// How many instances are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listed.values().map(BTreeMap::len).sum()
    }

    /// Whether nobody is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The services that somebody is listed for.
    pub fn keys(&self) -> impl Iterator<Item = ServiceKey> {
        self.listed.keys().copied()
    }

    /// What is listed for a service, by place.
    pub fn listings(&self, key: ServiceKey) -> impl Iterator<Item = (Place, &Listing)> {
        self.listed.get(&key).into_iter().flatten().map(|(place, listing)| (*place, listing))
    }

    /// What is listed for a service at a place.
    #[must_use]
    pub fn listing(&self, key: ServiceKey, place: Place) -> Option<&Listing> {
        self.listed.get(&key)?.get(&place)
    }

    /// The tombstones of a service, by place.
    pub fn tombstones(&self, key: ServiceKey) -> impl Iterator<Item = (Place, &Tombstone)> {
        self.tombstones.range(of(key)).map(|((_, place), tombstone)| (*place, tombstone))
    }

    /// Takes in what the log tells of its epochs. The catalog must be a part of that log.
    pub fn adopt(&mut self, lineage: &Lineage) {
        debug_assert_eq!(lineage.place(self.position(), self.offset), Ok(()), "the log lost what was folded");
        self.lineage.clone_from(lineage);
    }

    /// Takes a page in; `told` hears of each change of a list.
    pub fn fold_page(&mut self, page: &Page, told: &mut dyn FnMut(ServiceKey, Change)) {
        self.adopt(&page.lineage);
        for record in &page.records {
            if let Some((key, change)) = self.fold(record) {
                told(key, change);
            }
        }
    }

    /// Takes the next record in; any other is ignored. Tells what subscribers are to hear of it.
    pub fn fold(&mut self, record: &Record) -> Option<(ServiceKey, Change)> {
        if record.offset != self.offset {
            return None;
        }
        self.offset = record.offset.next();
        let became = match record.entry {
            Entry::Event(Event::Registered { instance, check }) => self.on_registered(record, instance, check),
            Entry::Event(Event::CheckDefined { instance, check }) => self.on_check_defined(instance, check),
            Entry::Event(Event::Deregistered { instance, cause }) => self.on_deregistered(record, instance, cause),
            Entry::Event(Event::Checked { instance, listed_at, start, by, failure }) => {
                self.change(instance, Some(listed_at), |listing| {
                    let critical = listing.health.failing.is_some();
                    listing.health.tell(start, by, failure);
                    if listing.health.failing.is_some() != critical {
                        listing.changed_at = record.offset;
                        listing.stamped_at = record.stamped_at;
                    }
                })
            }
            Entry::Undecodable => {
                self.undecodable += 1;
                None
            }
            Entry::Unknown(_) => {
                self.incomplete_from.get_or_insert(record.offset);
                None
            }
        };
        self.forget();
        let (key, became) = became?;
        Some((key, Change { at: record.offset, stamped_at: record.stamped_at, became }))
    }

    fn on_registered(
        &mut self,
        record: &Record,
        instance: InstanceId,
        check: Option<CheckSpec>,
    ) -> Option<(ServiceKey, Became)> {
        let InstanceId { key, place, start } = instance;
        let before = self.listing(key, place).copied();
        let same = before.filter(|listing| listing.start == start);
        let check = match self.rules.check_source {
            CheckSource::Message => before.and_then(|listing| listing.check),
            CheckSource::Event => check,
        };
        let health = match self.rules.check_owner {
            CheckOwner::Place => before.map(|listing| listing.health).or_else(|| self.ghosts.remove(&(key, place))),
            CheckOwner::Start => same.map(|listing| listing.health),
        };
        let (registered_at, changed_at, stamped_at) = match (self.rules.removal, same) {
            // Nothing changes for anybody: who registers each minute causes no news.
            (Removal::Start, Some(same)) => (same.registered_at, same.changed_at, same.stamped_at),
            _ => (record.offset, record.offset, record.stamped_at),
        };
        let health = health.unwrap_or_default();
        let listing = Listing { start, check, health, registered_at, changed_at, stamped_at };
        self.listed.entry(key).or_default().insert(place, listing);
        if let Some(tombstone) = self.tombstones.remove(&(key, place)) {
            self.removals.remove(&tombstone.removed_at);
        }
        (changed_at == record.offset).then(|| (key, Became::Listed(told(place, &listing))))
    }

    fn on_check_defined(&mut self, instance: InstanceId, check: CheckSpec) -> Option<(ServiceKey, Became)> {
        if self.rules.check_source == CheckSource::Message {
            self.change(instance, None, |listing| listing.check = Some(check));
        }
        None
    }

    fn on_deregistered(&mut self, record: &Record, instance: InstanceId, cause: Cause) -> Option<(ServiceKey, Became)> {
        let InstanceId { key, place, start } = instance;
        let listing = *self.listing(key, place)?;
        if self.rules.removal == Removal::Start && listing.start != start {
            return None;
        }
        // The log itself must tell why, so that nobody removes on what he alone believes.
        let proven = match (self.rules.expiry, cause) {
            (Expiry::Unchecked, _) | (_, Cause::Asked) => true,
            (Expiry::Witnessed, Cause::Stale) => false,
            (Expiry::Witnessed, Cause::Failed) => listing
                .check
                .zip(listing.health.failing)
                .is_some_and(|(check, failing)| failing.suffices(check.deregister_after)),
        };
        if !proven {
            return None;
        }
        if self.rules.check_owner == CheckOwner::Place {
            self.ghosts.insert((key, place), listing.health);
        }
        let list = self.listed.get_mut(&key)?;
        list.remove(&place);
        if list.is_empty() {
            self.listed.remove(&key);
        }
        let tombstone = Tombstone { start: listing.start, removed_at: record.offset, stamped_at: record.stamped_at };
        self.tombstones.insert((key, place), tombstone);
        self.removals.insert(record.offset, (key, place));
        Some((key, Became::Removed(place, listing.start)))
    }

    /// Changes the listing of an instance, if it is the one that is meant; tells it if subscribers are to hear of it.
    fn change(
        &mut self,
        instance: InstanceId,
        listed_at: Option<Offset>,
        change: impl FnOnce(&mut Listing),
    ) -> Option<(ServiceKey, Became)> {
        let InstanceId { key, place, start } = instance;
        let listing = self.listed.get_mut(&key)?.get_mut(&place)?;
        let meant = listing.start == start && listed_at.is_none_or(|at| at == listing.registered_at);
        if self.rules.check_owner == CheckOwner::Start && !meant {
            return None;
        }
        let before = listing.changed_at;
        change(listing);
        (listing.changed_at != before).then(|| (key, Became::Listed(told(place, listing))))
    }

    /// Drops the tombstones that are older than the horizon.
    fn forget(&mut self) {
        let horizon = self.horizon();
        while let Some(entry) = self.removals.first_entry().filter(|entry| *entry.key() < horizon) {
            self.tombstones.remove(&entry.remove());
        }
    }
}

/// A listing as subscribers and lookups are told of it.
pub(super) fn told(place: Place, listing: &Listing) -> Instance {
    Instance { place, start: listing.start, critical: listing.health.failing.is_some() }
}

fn of(key: ServiceKey) -> RangeInclusive<(ServiceKey, Place)> {
    let (least, greatest) = Place::BOUNDS;
    (key, least)..=(key, greatest)
}
