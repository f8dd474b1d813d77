//! Consistent hashing: a ring that says which server owns a key, and what changes its owner when a server comes or goes.
//!
//! Each server has many points in the hash space. A key belongs to the server whose point comes first from the key's hash
//! on, around the end if need be.

mod points;
mod rules;
#[cfg(test)]
mod tests;

pub use rules::{PointNames, RingRules, SharedPoint};

use super::hash::{Decimal, hash64};
use super::rings::RingChange;
use crate::id::Host;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::num::NonZeroU32;
use points::{Points, Splice};
use thiserror::Error;

/// How many points a server has in the original.
pub const VNODES_PER_NODE: NonZeroU32 = NonZeroU32::new(2 << 16).expect("not zero");

/// A part of the hash space whose owner a change of the members changed.
///
/// Shape: from `first` to `last`, both included; `first <= last`, so a part that goes around the end is in two pieces.
/// Units: hashes of keys, as of [`hash64`].
/// Invariant: `from` and `to` differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moved {
    /// Who owned it; `None` if the ring was empty.
    pub from: Option<Host>,
    /// Who owns it now; `None` if the ring is empty.
    pub to: Option<Host>,
    /// The first hash in it.
    pub first: i64,
    /// The last hash in it.
    pub last: i64,
}

impl Moved {
    /// Whether a key of this hash changed its owner.
    #[must_use]
    pub const fn contains(&self, hash: i64) -> bool {
        self.first <= hash && hash <= self.last
    }
}

/// Why a server was not inserted. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RingError {
    /// The server is there under another name.
    #[error("host {} is on the ring under another name", .0.0)]
    Renamed(Host),
    /// Another server has the name: both would have the same points, and one of them nothing.
    #[error("host {} is on the ring under this name", .0.0)]
    NameTaken(Host),
}

/// Which server owns a key.
///
/// Under [`RingRules::hardened`] owners are a function of the members, whatever was inserted and removed before. Under
/// [`RingRules::published`] they are what the original answers, point by point: its ring is a sorted map in which a server
/// that comes puts its points, and a server that goes removes the points that its name stands for, whoever has them.
///
/// A server's points are hashes of names that consist of the server's name and a number. Hardened names are the length of
/// the server's name in 8 bytes, the name, and the number in 4 bytes, both little-endian: the length says where the name
/// ends, so that different points always have different names, and their hashes meet only by chance. For a million points
/// the chance that any two meet is below one in ten million, and if two do, identities decide.
///
/// Shape: [`vnodes_per_node`](Self::vnodes_per_node) points per server; at most 11 bytes a point (8 for the point, 2 for its
/// owner, 1 for the index into both), and the servers' names. A change of the members makes new lists beside the old ones,
/// in one pass, and is the only thing that allocates.
/// Spec: `OwnerIsFunctionOfMembers`, `MinimalMovement`. Source: `ConsistentHash.java`; hardened against defect J7.
///
/// ```
/// use failproof_core::Host;
/// use failproof_core::distribution::{HashRing, RingRules, VNODES_PER_NODE, hash64_of_number};
///
/// let mut ring = HashRing::new(RingRules::hardened(), VNODES_PER_NODE);
/// ring.insert(Host(1), b"10.0.0.1:10000")?;
/// let moved = ring.insert(Host(2), b"10.0.0.2:10000")?;
/// let job = hash64_of_number(100_001);
/// let has_moved = moved.iter().any(|moved| moved.contains(job));
/// assert_eq!(ring.owner_of(job), Some(if has_moved { Host(2) } else { Host(1) }));
/// # Ok::<(), failproof_core::distribution::RingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashRing {
    rules: RingRules,
    vnodes_per_node: NonZeroU32,
    members: Members,
    points: Points,
}

/// By its members: equal rings have the same, and rings with the same members are equal but for shared points.
impl Hash for HashRing {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.members.hash(state);
    }
}

impl HashRing {
    /// A ring without servers.
    #[must_use]
    pub fn new(rules: RingRules, vnodes_per_node: NonZeroU32) -> Self {
        Self { rules, vnodes_per_node, members: Vec::new(), points: Points::default() }
    }

    /// A ring of many servers: as if each had been inserted in this order, but sorted once.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn with_members<'n>(
        rules: RingRules,
        vnodes_per_node: NonZeroU32,
        members: impl IntoIterator<Item = (Host, &'n [u8])>,
    ) -> Result<Self, RingError> {
        let mut ring = Self::new(rules, vnodes_per_node);
        let mut pairs = Vec::new();
        for (server, name) in members {
            admit(&mut ring.members, server, name)?;
            pairs.extend(ring.points_of(name).map(|point| (point, server)));
        }
        ring.points = Points::collect(pairs, rules.shared_point);
        Ok(ring)
    }

    /// The decisions.
    #[must_use]
    pub const fn rules(&self) -> RingRules {
        self.rules
    }

    /// The owner of a key with this hash; `None` if there is no server.
    ///
    /// Takes O(log n) for n points at worst; constant time for hashes, which are spread evenly.
    #[must_use]
    pub fn owner_of(&self, hash: i64) -> Option<Host> {
        self.points.owner_of(hash)
    }

    /// Adds a server. Returns what changed its owner, in order of the hash space.
    ///
    /// A server that is there already changes nothing, except that under [`SharedPoint::LastInserted`] it is now the one
    /// that was inserted last.
    ///
    /// # Errors
    /// [`RingError::Renamed`] if the server is there under another name, [`RingError::NameTaken`] if another server has
    /// this name. Nothing has changed then.
    pub fn insert(&mut self, server: Host, name: &[u8]) -> Result<Vec<Moved>, RingError> {
        let mut members = self.members.clone();
        admit(&mut members, server, name)?;
        Ok(self.become_spliced(members, server, name, Splice::Insert))
    }

    /// Removes a server. Returns what changed its owner, in order of the hash space; nothing if it was not there.
    pub fn remove(&mut self, server: Host) -> Vec<Moved> {
        let Ok(index) = index_of(&self.members, server) else { return Vec::new() };
        let mut members = self.members.clone();
        let (_, name) = members.remove(index);
        self.become_spliced(members, server, &name, Splice::Remove)
    }

    /// The ring after a change, beside this one: one pass through the points, however many servers come and go, if it follows
    /// from its members.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn changed(&self, change: RingChange<'_>) -> Result<Self, RingError> {
        match change {
            RingChange::Members(members) => {
                Self::with_members(self.rules, self.vnodes_per_node, members.iter().copied())
            }
            RingChange::Changes(changes) if self.follows_from_members() => {
                let mut members = self.members.clone();
                for (server, name) in changes {
                    match (name, index_of(&members, *server)) {
                        (Some(name), _) => admit(&mut members, *server, name)?,
                        (None, Ok(index)) => drop(members.remove(index)),
                        (None, Err(_)) => {}
                    }
                }
                Ok(self.spliced(members))
            }
            RingChange::Changes(changes) => {
                let mut ring = self.clone();
                for (server, name) in changes {
                    let _ = match name {
                        Some(name) => ring.insert(*server, name)?,
                        None => ring.remove(*server),
                    };
                }
                Ok(ring)
            }
        }
    }

    /// Whether its owners are a function of its members, whatever the order in which they came.
    #[must_use]
    pub fn follows_from_members(&self) -> bool {
        self.rules.shared_point == SharedPoint::LowestIdentity
    }

    /// Whether both are of one kind: under the same rules, with as many points for a server.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        (self.rules, self.vnodes_per_node) == (other.rules, other.vnodes_per_node)
    }

    /// The servers with their names, by identity.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (Host, &[u8])> {
        self.members.iter().map(|(server, name)| (*server, &**name))
    }

    /// How many points a server has, if it shares none.
    #[must_use]
    pub fn vnodes_per_node(&self) -> NonZeroU32 {
        self.vnodes_per_node
    }

    /// How many points there are.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points.len()
    }

    /// The points of a server, in the order of their numbers.
    fn points_of(&self, name: &[u8]) -> impl Iterator<Item = i64> {
        let names = self.rules.point_names;
        let mut text = Vec::with_capacity(name.len() + 20);
        if names == PointNames::LengthPrefixed {
            text.extend_from_slice(&(name.len() as u64).to_le_bytes());
        }
        text.extend_from_slice(name);
        let prefix = text.len();
        (0..self.vnodes_per_node.get()).map(move |number| {
            text.truncate(prefix);
            match names {
                PointNames::Concatenated => text.extend_from_slice(Decimal::new(i64::from(number)).text()),
                PointNames::LengthPrefixed => text.extend_from_slice(&number.to_le_bytes()),
            }
            hash64(&text)
        })
    }

    /// The ring of these members instead.
    fn spliced(&self, members: Members) -> Self {
        let is_in = |list: &Members, (server, name): &(Host, Box<[u8]>)| {
            index_of(list, *server).is_ok_and(|index| list[index].1 == *name)
        };
        let left = self.members.iter().filter(|member| !is_in(&members, member));
        let joined = members.iter().filter(|member| !is_in(&self.members, member));
        let mut changed: Vec<(i64, Host, Splice)> = Vec::new();
        for (part, splice) in [(left.collect::<Vec<_>>(), Splice::Remove), (joined.collect(), Splice::Insert)] {
            for (server, name) in part {
                changed.extend(self.points_of(name).map(|point| (point, *server, splice)));
            }
        }
        changed.sort_unstable();
        changed.dedup();
        let points = self.points.spliced(&changed, self.rules.shared_point);
        Self { members, points, ..*self }
    }

    fn become_spliced(&mut self, members: Members, server: Host, name: &[u8], splice: Splice) -> Vec<Moved> {
        let mut changed: Vec<i64> = self.points_of(name).collect();
        changed.sort_unstable();
        changed.dedup();
        let list: Vec<_> = changed.iter().map(|point| (*point, server, splice)).collect();
        let points = self.points.spliced(&list, self.rules.shared_point);
        let before = core::mem::replace(self, Self { members, points, ..*self });
        movement(&before.points, &self.points, &changed)
    }
}

/// Servers with their names, by identity.
type Members = Vec<(Host, Box<[u8]>)>;

fn index_of(members: &Members, server: Host) -> Result<usize, usize> {
    members.binary_search_by_key(&server, |(member, _)| *member)
}

/// Writes a server down as a member.
fn admit(members: &mut Members, server: Host, name: &[u8]) -> Result<(), RingError> {
    match index_of(members, server) {
        Ok(index) if *members[index].1 == *name => {}
        Ok(_) => return Err(RingError::Renamed(server)),
        Err(index) => {
            if let Some((other, _)) = members.iter().find(|(_, taken)| **taken == *name) {
                return Err(RingError::NameTaken(*other));
            }
            members.insert(index, (server, name.into()));
        }
    }
    Ok(())
}

/// What changed its owner when `changed`, in order, were put in or taken out.
///
/// Whoever owns a place owns all places back to the point before it. Where the next point of both rings is not one of the
/// changed ones, they agree. So it is enough to ask at each changed point, and at the end of the hash space, whose owner is
/// that of its beginning.
fn movement(before: &Points, after: &Points, changed: &[i64]) -> Vec<Moved> {
    let mut moved: Vec<Moved> = Vec::new();
    let end = (changed.last() != Some(&i64::MAX)).then_some(i64::MAX);
    let mut asked = None;
    for last in changed.iter().copied().chain(end) {
        let (from, to) = (before.owner_of(last), after.owner_of(last));
        // A changed point may be in neither ring: a published server that goes takes points of others along, who then
        // take out what is no longer there. `None` is less than any point.
        let previous = asked.replace(last).max(before.last_before(last)).max(after.last_before(last));
        if from == to {
            continue;
        }
        let first = previous.map_or(i64::MIN, |point| point + 1);
        match moved.last_mut() {
            Some(piece) if (piece.from, piece.to) == (from, to) && piece.last + 1 == first => piece.last = last,
            _ => moved.push(Moved { from, to, first, last }),
        }
    }
    moved
}
