//! Subscriptions: how a client follows the list of a service, and goes on at another controller where it stopped.
//!
//! A client names its [`Cursor`] and gets an [`Answer`]. What follows a cursor is taken from the catalog, not from
//! records: the net changes, each in its newest form. Under hardened rules:
//!
//! | cursor | answer |
//! |---|---|
//! | none | a snapshot |
//! | up to the controller's position, not before the horizon | a delta, with removals |
//! | before the horizon of the tombstones | a snapshot that replaces |
//! | in a part of the log that was lost, or of another log | a snapshot that replaces |
//! | in the future, as the controller lags; or it is behind what was told and is not lost | nothing yet |
//!
//! "Nothing yet" is answered as soon as the controller came so far: no subscriber goes back further than the log did.
//!
//! Published, a cursor is the timestamp of the last update. Each is answered with what has a later one: what was
//! stamped by a slow clock, or in the same instant, is never seen, and nor are removals.

use super::catalog::{Became, Catalog, Change, told};
use super::identity::ServiceKey;
use super::position::{Misplaced, Position};
use super::rules::{CursorKind, Deltas};
use crate::time::Instant;
use alloc::vec::Vec;

/// How far a subscriber came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Cursor {
    /// Everything before this position was told.
    At(Position),
    /// The last update was stamped then, by the clock of whoever appended it.
    Since(Instant),
}

/// Why a subscriber gets a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Reason {
    /// It had no cursor, or none of the kind that counts here.
    First,
    /// Its cursor is one of another log.
    OtherLog,
    /// It was told what the log lost since.
    Diverged,
    /// Removals after its cursor are forgotten.
    Forgotten,
}

/// What a subscriber is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Update {
    /// The service.
    pub key: ServiceKey,
    /// The cursor that it follows; none if it replaces whatever was known.
    pub from: Option<Cursor>,
    /// Why it replaces what was known, if it does.
    pub reason: Option<Reason>,
    /// The changes, in the order of the log. A snapshot tells of listed instances only.
    pub changes: Vec<Change>,
    /// The cursor after it.
    pub to: Cursor,
    /// Whether the controller does not understand the log, so that something may be missing.
    pub incomplete: bool,
}

/// What a controller answers to a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Answer {
    /// This.
    Update(Update),
    /// Nothing until it has come so far itself.
    NotYet(Position),
}

/// What this catalog tells a subscriber with this cursor.
#[must_use]
pub fn answer(catalog: &Catalog, key: ServiceKey, cursor: Option<Cursor>) -> Answer {
    let reason = match (catalog.rules().cursor, cursor) {
        (CursorKind::Timestamp, Some(Cursor::Since(since))) => return Answer::Update(delta_since(catalog, key, since)),
        (CursorKind::Offset, Some(Cursor::At(position))) => match catalog.place(position) {
            Ok(()) if position.offset >= catalog.horizon() => return Answer::Update(delta(catalog, key, position)),
            // Without tombstones no cursor is too old.
            Ok(()) if catalog.rules().deltas == Deltas::Additions => {
                return Answer::Update(delta(catalog, key, position));
            }
            Ok(()) => Reason::Forgotten,
            Err(Misplaced::OtherLog) => Reason::OtherLog,
            Err(Misplaced::Diverged) => {
                // What is known and was not lost is not taken away for a while.
                let kept = catalog.kept(position);
                if catalog.offset() < kept {
                    return Answer::NotYet(Position { offset: kept, ..catalog.position() });
                }
                Reason::Diverged
            }
            Err(Misplaced::Future) => return Answer::NotYet(position),
        },
        _ => Reason::First,
    };
    Answer::Update(snapshot(catalog, key, reason))
}

fn snapshot(catalog: &Catalog, key: ServiceKey, reason: Reason) -> Update {
    let changes = in_order(listed(catalog, key));
    let to = cursor_of(catalog, changes.iter().map(|change| change.stamped_at).max());
    Update { key, from: None, reason: Some(reason), changes, to, incomplete: is_incomplete(catalog) }
}

fn delta(catalog: &Catalog, key: ServiceKey, from: Position) -> Update {
    let newer = listed(catalog, key).chain(removed(catalog, key)).filter(|change| change.at >= from.offset);
    let (changes, to) = (in_order(newer), Cursor::At(catalog.position()));
    let incomplete = is_incomplete(catalog);
    Update { key, from: Some(Cursor::At(from)), reason: None, changes, to, incomplete }
}

fn delta_since(catalog: &Catalog, key: ServiceKey, since: Instant) -> Update {
    let newer = listed(catalog, key).chain(removed(catalog, key)).filter(|change| change.stamped_at > since);
    let changes = in_order(newer);
    let to = changes.last().map_or(since, |change| change.stamped_at);
    let incomplete = is_incomplete(catalog);
    Update { key, from: Some(Cursor::Since(since)), reason: None, changes, to: Cursor::Since(to), incomplete }
}

fn cursor_of(catalog: &Catalog, stamped_at: Option<Instant>) -> Cursor {
    match catalog.rules().cursor {
        CursorKind::Timestamp => Cursor::Since(stamped_at.unwrap_or(Instant::ZERO)),
        CursorKind::Offset => Cursor::At(catalog.position()),
    }
}

fn listed(catalog: &Catalog, key: ServiceKey) -> impl Iterator<Item = Change> {
    catalog.listings(key).map(|(place, listing)| Change {
        at: listing.changed_at,
        stamped_at: listing.stamped_at,
        became: Became::Listed(told(place, listing)),
    })
}

fn removed(catalog: &Catalog, key: ServiceKey) -> impl Iterator<Item = Change> {
    let told = catalog.rules().deltas == Deltas::Tombstones;
    catalog.tombstones(key).filter(move |_| told).map(|(place, tombstone)| Change {
        at: tombstone.removed_at,
        stamped_at: tombstone.stamped_at,
        became: Became::Removed(place, tombstone.start),
    })
}

fn in_order(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut changes: Vec<_> = changes.collect();
    changes.sort_unstable_by_key(|change| change.at);
    changes
}

fn is_incomplete(catalog: &Catalog) -> bool {
    catalog.incomplete_from().is_some()
}

/// A subscription that a controller keeps: one subscriber's, to one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Subscription {
    key: ServiceKey,
    /// Where the last update ended; none while the first is owed.
    told: Option<Cursor>,
    /// What the subscriber named, while the first answer is owed.
    asked: Option<Cursor>,
}

impl Subscription {
    /// A client subscribes, and names its cursor.
    #[must_use]
    pub const fn new(key: ServiceKey, cursor: Option<Cursor>) -> Self {
        Self { key, told: None, asked: cursor }
    }

    /// The service.
    #[must_use]
    pub const fn key(&self) -> ServiceKey {
        self.key
    }

    /// The first update, if it is owed and can be given: snapshot and subscription are at one position. To be asked
    /// whenever the catalog has moved.
    pub fn begin(&mut self, catalog: &Catalog) -> Option<Update> {
        if self.told.is_some() {
            return None;
        }
        match answer(catalog, self.key, self.asked) {
            Answer::Update(update) => {
                self.told = Some(update.to);
                Some(update)
            }
            Answer::NotYet(_) => None,
        }
    }

    /// The catalog was loaded anew: what changed meanwhile was not pushed, and what was pushed may be lost. So the
    /// first update is owed again, and follows what was told.
    pub const fn begin_again(&mut self) {
        if let Some(told) = self.told.take() {
            self.asked = Some(told);
        }
    }

    /// What follows from a change that the catalog has just folded. The work does not depend on how many are listed.
    /// Each change of the service has to be pushed, in its order.
    pub fn push(&mut self, catalog: &Catalog, change: Change) -> Option<Update> {
        let from = self.told?;
        let to = match from {
            Cursor::Since(_) => Cursor::Since(change.stamped_at),
            Cursor::At(position) if position.offset > change.at => return None,
            Cursor::At(_) => Cursor::At(Position { offset: change.at.next(), ..catalog.position() }),
        };
        self.told = Some(to);
        let changes = Vec::from([change]);
        Some(Update { key: self.key, from: Some(from), reason: None, changes, to, incomplete: is_incomplete(catalog) })
    }
}
