//! Whose each job is, by the members alone: what servers believe is compared with it.

use super::super::Options;
use super::super::rings::SHARED;
use crate::event::ActorId;
use failproof_core::Host;
use failproof_core::distribution::{HashRing, MemberView, Members, RingChange, RingRules, RingSource};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many places in the hash space two rings are compared at.
const SAMPLES: u64 = 64;
/// How many versions of the members are remembered for that.
const VERSIONS: usize = 16;

type Owners = Vec<Option<Host>>;

/// The members as the store has them, and what servers make of each version.
#[derive(Debug)]
pub(super) struct Rings {
    names: Vec<Box<str>>,
    version: u32,
    ring: Arc<HashRing>,
    /// What the first server that knew a version made of it: the ring, and who owns what by it. By whether it names points as
    /// the former design does: in a fleet of both kinds the owner is a function of the members for each kind.
    seen: BTreeMap<(u32, bool), (ActorId, Arc<HashRing>, Owners)>,
    /// The version that each server was compared at last.
    compared: BTreeMap<ActorId, u32>,
}

impl Rings {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            names: options.names(),
            version: 0,
            ring: RingSource::empty(RingRules::hardened(), options.vnodes_per_node),
            seen: BTreeMap::new(),
            compared: BTreeMap::new(),
        }
    }

    /// Takes the members over from the store. Whether they changed.
    pub(super) fn follow(&mut self, members: &Members) -> bool {
        if members.version() == self.version {
            return false;
        }
        self.version = members.version();
        let known: BTreeSet<Host> = self.ring.members().map(|(server, _)| server).collect();
        let left = known.iter().filter(|server| !members.contains(**server)).map(|server| (*server, None));
        let joined = members.iter().filter(|server| !known.contains(server));
        let joined = joined.map(|server| (server, Some(self.names[usize::from(server.0)].as_bytes())));
        let changes: Vec<_> = left.chain(joined).collect();
        let ring = SHARED.make(&self.ring, RingChange::Changes(&changes));
        self.ring = ring.unwrap_or_else(|error| panic!("names are told apart: {error}"));
        true
    }

    /// Whose a job of this hash is.
    pub(super) fn home_of(&self, hash: i64) -> Option<Host> {
        self.ring.owner_of(hash)
    }

    /// How many members there are.
    pub(super) fn members(&self) -> usize {
        self.ring.members().len()
    }

    /// The process of a server ended.
    pub(super) fn forget(&mut self, server: ActorId) {
        self.compared.remove(&server);
    }

    /// Compares a server's ring with that of the first one that knew the same version, and says which that is if they
    /// differ.
    pub(super) fn compare(&mut self, server: ActorId, view: &MemberView) -> Option<ActorId> {
        let version = view.version();
        if version == 0 || self.compared.insert(server, version) == Some(version) {
            return None;
        }
        let key = (version, view.ring().rules() == RingRules::published());
        let known = self.seen.get(&key);
        if known.is_some_and(|(_, ring, _)| Arc::ptr_eq(ring, view.ring())) {
            return None;
        }
        let hash = |n: u64| n.wrapping_mul(u64::MAX / SAMPLES).wrapping_add(0x0123_4567_89ab_cdef).cast_signed();
        let owners: Owners = (0..SAMPLES).map(|n| view.home_of(hash(n))).collect();
        if self.seen.len() == VERSIONS && !self.seen.contains_key(&key) {
            self.seen.pop_first();
        }
        let fresh = || (server, Arc::clone(view.ring()), owners.clone());
        let (first, _, expected) = self.seen.entry(key).or_insert_with(fresh);
        (*expected != owners).then_some(*first)
    }
}
