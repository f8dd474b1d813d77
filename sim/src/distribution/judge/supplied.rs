//! What servers have of the resources that jobs are made of.

use crate::event::ActorId;
use failproof_core::Epoch;
use failproof_core::distribution::Supplies;
use failproof_core::distribution::resources::{ContentId, ResourceError};
use std::collections::{BTreeMap, BTreeSet};

/// How fetches ended.
#[derive(Debug, Default)]
pub(super) struct Supplied {
    /// What each process of a server has fetched.
    fetched_by: BTreeSet<(ActorId, u32, ContentId)>,
    /// How many processes of a server have ended.
    ended: BTreeMap<ActorId, u32>,
    /// Which process holds or held a session.
    process: BTreeMap<(ActorId, Epoch), u32>,
    fetched: u64,
    missing: u64,
    corrupt: u64,
    too_large: u64,
    cut: u64,
}

/// Whether a server has what a job is made of: bytes with that digest, whatever it believes about them.
pub(super) fn has(supplies: &Supplies, resource: Option<ContentId>) -> bool {
    resource.is_none_or(|id| supplies.content(id).is_some_and(|bytes| ContentId::of(bytes) == id))
}

impl Supplied {
    /// Whether a server has fetched this, if anything is needed, in the process that held this session: what it asked for
    /// may be done after that process ended.
    pub(super) fn is_ready(&self, server: ActorId, term: Epoch, resource: Option<ContentId>) -> bool {
        let process = self.process.get(&(server, term)).copied().unwrap_or_default();
        resource.is_none_or(|id| self.fetched_by.contains(&(server, process, id)))
    }

    /// The process of a server ended.
    pub(super) fn forget(&mut self, server: ActorId) {
        *self.ended.entry(server).or_default() += 1;
    }

    /// A server stepped.
    pub(super) fn count(&mut self, server: ActorId, term: Epoch, supplies: &Supplies) {
        let process = self.ended.get(&server).copied().unwrap_or_default();
        self.process.insert((server, term), process);
        for (id, how) in supplies.ended() {
            match how {
                Ok(()) => {
                    self.fetched += 1;
                    self.fetched_by.insert((server, process, *id));
                }
                Err(ResourceError::Missing) => self.missing += 1,
                Err(ResourceError::Corrupt) => self.corrupt += 1,
                Err(ResourceError::TooLarge { .. }) => self.too_large += 1,
                Err(ResourceError::Cut { .. }) => self.cut += 1,
                // Only uploads end so.
                Err(ResourceError::Full { .. } | ResourceError::Differs) => {}
            }
        }
    }

    /// As reports count them.
    pub(super) fn counts(&self) -> [(&'static str, u64); 5] {
        [
            ("resources fetched", self.fetched),
            ("fetches of a missing resource", self.missing),
            ("fetches of a corrupt resource", self.corrupt),
            ("fetches of a resource that is too large", self.too_large),
            ("fetches that were cut", self.cut),
        ]
    }
}
