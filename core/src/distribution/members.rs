//! Who is a member: a numbered history of servers that came and went, as the database keeps it.

use super::message::{CHANGES_MAX, MemberChange};
use crate::id::Host;
use alloc::collections::{BTreeSet, VecDeque};

/// How many changes are remembered. Who asks for older ones is told all members instead.
const REMEMBERED: usize = 1024;

/// The members, and what changed them.
///
/// Shape: version v is the state after the v-th change. Invariant: a change is a join of a server that is no member, or
/// the leave of one that is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Members {
    version: u32,
    servers: BTreeSet<Host>,
    /// The newest changes, the last of which made the present version.
    changes: VecDeque<MemberChange>,
}

/// What one answer tells of the members, and what was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct News {
    /// The version that the asker knew.
    pub since: u32,
    /// The last member that it had been told, while it is told all of them.
    pub after: Option<Host>,
    /// The version after these changes.
    pub version: u32,
    /// Whether they are the members of that version, and not what changed since another one.
    pub all: bool,
    /// Whether there is more to tell.
    pub more: bool,
    /// The changes, in their order; members are told as joined, by identity.
    pub changes: [Option<MemberChange>; CHANGES_MAX],
}

impl Members {
    /// How many changes there were.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Whether a server is a member.
    #[must_use]
    pub fn contains(&self, server: Host) -> bool {
        self.servers.contains(&server)
    }

    /// All of them, by identity.
    pub fn iter(&self) -> impl Iterator<Item = Host> {
        self.servers.iter().copied()
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.servers.len() * size_of::<Host>() + self.changes.capacity() * size_of::<MemberChange>()
    }

    /// Writes a change down. Returns whether it is one.
    pub fn change(&mut self, change: MemberChange) -> bool {
        let news = match change {
            MemberChange::Joined(server) => self.servers.insert(server),
            MemberChange::Left(server) => self.servers.remove(&server),
        };
        if news {
            self.version += 1;
            if self.changes.len() == REMEMBERED {
                self.changes.pop_front();
            }
            self.changes.push_back(change);
        }
        news
    }

    /// What changed since a version; or the members after a server, if that version is 0 or too long ago.
    #[must_use]
    pub fn news(&self, since: u32, after: Option<Host>) -> News {
        let missing = self.version.saturating_sub(since) as usize;
        if since == 0 || missing > self.changes.len() {
            let mut others = self.servers.iter().filter(|server| after.is_none_or(|after| **server > after));
            let changes = core::array::from_fn(|_| others.next().map(|server| MemberChange::Joined(*server)));
            return News { since, after, version: self.version, all: true, more: others.next().is_some(), changes };
        }
        let mut newer = self.changes.iter().skip(self.changes.len() - missing);
        let changes = core::array::from_fn(|_| newer.next().copied());
        let told = changes.iter().flatten().count();
        News { since, after, version: since + told as u32, all: false, more: missing > told, changes }
    }
}
