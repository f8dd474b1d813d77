//! The members as one server knows them, and the ring that follows from them.

use super::members::News;
use super::message::{MemberChange, Message};
use super::ring::HashRing;
use super::rings::{RingChange, RingSource};
use super::rules::{Identity, Membership, Rules};
use crate::id::Host;
use crate::time::{Duration, Instant};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::NonZeroU32;

/// A ring at a version of the members.
///
/// Units and clock: every [`Instant`] is microseconds on the server's own clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MemberView {
    #[cfg_attr(feature = "serde", serde(skip))]
    own: Host,
    #[cfg_attr(feature = "serde", serde(skip))]
    rules: Rules,
    #[cfg_attr(feature = "serde", serde(skip))]
    rings: RingSource,
    #[cfg_attr(feature = "serde", serde(skip))]
    ring: Arc<HashRing>,
    version: u32,
    changed_at: Instant,
    /// Under [`Identity::PathThenName`]: the ring holds bare names by now.
    renamed: bool,
    /// Under [`Membership::Frozen`]: an answer did not come, and no further one is asked for.
    frozen: bool,
    asked: Option<(u32, Instant)>,
    /// The members that it was told so far, of which version, while it is told all of them.
    told: Vec<Host>,
    told_version: u32,
}

impl MemberView {
    /// A view that knows of no member.
    #[must_use]
    pub fn new(own: Host, rules: Rules, vnodes_per_node: NonZeroU32, rings: RingSource) -> Self {
        Self {
            own,
            rules,
            rings,
            ring: RingSource::empty(rules.ring(), vnodes_per_node),
            version: 0,
            changed_at: Instant::ZERO,
            renamed: false,
            frozen: false,
            asked: None,
            told: Vec::new(),
            told_version: 0,
        }
    }

    /// The version that it knows; 0 for none.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The ring.
    #[must_use]
    pub const fn ring(&self) -> &Arc<HashRing> {
        &self.ring
    }

    /// Whose a hash is, as far as it knows.
    #[must_use]
    pub fn home_of(&self, hash: i64) -> Option<Host> {
        self.ring.owner_of(hash)
    }

    /// Whether a hash is its server's own.
    #[must_use]
    pub fn is_own(&self, hash: i64) -> bool {
        let finds_itself = match self.rules.identity {
            Identity::PathThenName => !self.renamed,
            Identity::One => true,
        };
        finds_itself && self.home_of(hash) == Some(self.own)
    }

    /// Whether the ring has stood still for so long at `now`.
    #[must_use]
    pub fn is_calm(&self, now: Instant, calm: Duration) -> bool {
        now.since(self.changed_at) >= calm
    }

    /// The next question about the members, unless an answer is waited for; `tag` is its number.
    pub fn ask(&mut self, now: Instant, tag: u32, patience: Duration) -> Option<Message> {
        let lost = match self.asked {
            Some((_, since)) if now.since(since) < patience => return None,
            asked => asked.is_some(),
        };
        self.frozen |= lost && self.rules.membership == Membership::Frozen;
        if self.frozen {
            return None;
        }
        if lost {
            self.told.clear();
        }
        self.asked = Some((tag, now));
        Some(Message::Follow { by: self.own, tag, since: self.version, after: self.told.last().copied() })
    }

    /// Takes an answer in. `names` are those of all servers. Says whether there may be rows now that nobody is to take, and
    /// whether there is more to ask.
    pub fn on_news(&mut self, now: Instant, tag: u32, news: &News, names: &[Box<str>]) -> (bool, bool) {
        // One that an earlier process asked for may bear the number of a question of this one, but only what was asked fits.
        let fits = (news.since, news.after) == (self.version, self.told.last().copied());
        if self.asked.is_none_or(|(asked, _)| asked != tag) || !fits {
            return (false, false);
        }
        self.asked = None;
        let version = self.version;
        let orphans = if news.all { self.on_all(news, names) } else { self.on_changes(news, names) };
        if self.version != version {
            self.changed_at = now;
        }
        (orphans, news.more)
    }

    fn on_all(&mut self, news: &News, names: &[Box<str>]) -> bool {
        if news.version != self.told_version {
            // Those that were told before were members of another version. If some are missing now, it begins again.
            let began = !self.told.is_empty();
            self.told.clear();
            self.told_version = news.version;
            if began {
                return false;
            }
        }
        self.told.extend(news.changes.iter().flatten().map(|change| match change {
            MemberChange::Joined(server) | MemberChange::Left(server) => *server,
        }));
        if news.more || news.version == self.version {
            return false;
        }
        let members: Vec<_> = self.told.iter().filter_map(|server| Some((*server, name(*server, names)?))).collect();
        let is_first = self.version == 0;
        self.told.clear();
        if !self.change(RingChange::Members(&members), news.version) {
            return false;
        }
        self.renamed |= !is_first;
        true
    }

    /// A server that leaves leaves rows behind; one that comes back may have left some before.
    fn on_changes(&mut self, news: &News, names: &[Box<str>]) -> bool {
        let mut orphans = false;
        let mut changes = Vec::with_capacity(news.changes.len());
        for change in news.changes.iter().flatten() {
            match *change {
                MemberChange::Joined(server) => {
                    changes.extend(name(server, names).map(|name| (server, Some(name))));
                    orphans |= server == self.own;
                }
                MemberChange::Left(server) => {
                    changes.push((server, None));
                    orphans = true;
                }
            }
        }
        if !self.change(RingChange::Changes(&changes), news.version) {
            return false;
        }
        self.renamed |= !changes.is_empty();
        orphans
    }

    /// Follows the members to a version. Names are told apart by whoever configures them; where they are not, there is no such
    /// ring, and the view stays at the version that it knows, by which nothing is claimed.
    fn change(&mut self, change: RingChange<'_>, version: u32) -> bool {
        let Ok(ring) = self.rings.make(&self.ring, change) else { return false };
        (self.ring, self.version) = (ring, version);
        true
    }
}

fn name(server: Host, names: &[Box<str>]) -> Option<&[u8]> {
    names.get(usize::from(server.0)).map(|name| name.as_bytes())
}
