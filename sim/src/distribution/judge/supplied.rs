//! What servers have of the resources that jobs are made of.

use crate::event::ActorId;
use failproof_core::distribution::Supplies;
use failproof_core::distribution::resources::{ContentId, ResourceError};
use std::collections::BTreeSet;

/// How fetches ended.
#[derive(Debug, Default)]
pub(super) struct Supplied {
    /// What each server has fetched since its process began.
    fetched_by: BTreeSet<(ActorId, ContentId)>,
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
    /// Whether a server has fetched this, if anything is needed.
    pub(super) fn is_ready(&self, server: ActorId, resource: Option<ContentId>) -> bool {
        resource.is_none_or(|id| self.fetched_by.contains(&(server, id)))
    }

    /// The process of a server ended.
    pub(super) fn forget(&mut self, server: ActorId) {
        self.fetched_by.retain(|(by, _)| *by != server);
    }

    /// A server stepped.
    pub(super) fn count(&mut self, server: ActorId, supplies: &Supplies) {
        for (id, how) in supplies.ended() {
            match how {
                Ok(()) => {
                    self.fetched += 1;
                    self.fetched_by.insert((server, *id));
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
