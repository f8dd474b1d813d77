//! What a subscriber knows of a service, from the updates that reached it.

use super::catalog::{Became, Instance};
use super::identity::{Place, ServiceKey};
use super::subscription::{Cursor, Update};
use alloc::collections::BTreeMap;

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taken {
    /// It replaced everything.
    Replaced,
    /// Its changes were made.
    Changed,
    /// It is one of another service, or it follows another cursor: something is missing, or it came before. Nothing is
    /// changed. To go on, the subscriber names its cursor again.
    Gap,
}

/// The list of a service, as a subscriber knows it.
///
/// Invariant: under hardened rules, it is the list of any catalog at its cursor. Spec: `CursorNeverSkips`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ListView {
    key: ServiceKey,
    cursor: Option<Cursor>,
    listed: BTreeMap<Place, Instance>,
    incomplete: bool,
}

impl ListView {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new(key: ServiceKey) -> Self {
        Self { key, cursor: None, listed: BTreeMap::new(), incomplete: false }
    }

    /// How far it came.
    #[must_use]
    pub const fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Whom it knows, by place.
    pub fn iter(&self) -> impl Iterator<Item = Instance> {
        self.listed.values().copied()
    }

    /// Whether something may be missing, as the controller said.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Takes an update in. One that follows another position is refused; so each change is made once, and none is left
    /// out. By timestamps nobody can tell: whatever comes is taken.
    pub fn take(&mut self, update: &Update) -> Taken {
        let replaces = update.from.is_none();
        let follows = match update.to {
            Cursor::Since(_) => true,
            Cursor::At(_) => update.from == self.cursor,
        };
        if update.key != self.key || !(replaces || follows) {
            return Taken::Gap;
        }
        if replaces {
            self.listed.clear();
        }
        for change in &update.changes {
            match change.became {
                Became::Listed(instance) => {
                    self.listed.insert(instance.place, instance);
                }
                Became::Removed(place, _) => {
                    self.listed.remove(&place);
                }
            }
        }
        self.cursor = Some(update.to);
        self.incomplete = update.incomplete;
        if replaces { Taken::Replaced } else { Taken::Changed }
    }
}
