//! Rings that the servers of a run share: those that know the same members have one between them.
//!
//! Nothing of a run depends on it: a shared ring equals what a server would have made by itself.

use failproof_core::Host;
use failproof_core::distribution::{HashRing, RingChange, RingSource};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// Servers with their names, by identity.
type Members = Vec<(Host, Box<[u8]>)>;

thread_local! {
    /// The rings that this thread's servers have, by their members; for as long as one of them has it.
    static ALIVE: RefCell<BTreeMap<Members, Vec<Weak<HashRing>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Rings that somebody else may have already. A ring that does not follow from its members is nobody else's.
pub(super) const SHARED: RingSource = RingSource(|ring, change| {
    if !ring.follows_from_members() {
        return RingSource::OWN.make(ring, change);
    }
    ALIVE.with_borrow_mut(|alive| {
        let members = after(ring, change);
        let known = alive.get(&members).into_iter().flatten().filter_map(Weak::upgrade);
        if let Some(known) = known.into_iter().find(|known| known.is_alike(ring)) {
            return Ok(known);
        }
        let made = RingSource::OWN.make(ring, change)?;
        alive.retain(|_, rings| {
            rings.retain(|ring| ring.strong_count() > 0);
            !rings.is_empty()
        });
        alive.entry(members).or_default().push(Arc::downgrade(&made));
        Ok(made)
    })
});

/// The members after a change.
fn after(ring: &HashRing, change: RingChange<'_>) -> Members {
    let mut members = BTreeMap::new();
    match change {
        RingChange::Members(all) => members.extend(all.iter().copied()),
        RingChange::Changes(changes) => {
            members.extend(ring.members());
            for (server, name) in changes {
                match name {
                    Some(name) => members.insert(*server, *name),
                    None => members.remove(server),
                };
            }
        }
    }
    members.into_iter().map(|(server, name)| (server, name.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use failproof_core::distribution::RingRules;
    use std::num::NonZeroU32;

    const A: (Host, &[u8]) = (Host(0), b"a");
    const B: (Host, &[u8]) = (Host(1), b"b");

    fn empty(rules: RingRules, vnodes: u32) -> Arc<HashRing> {
        RingSource::empty(rules, NonZeroU32::new(vnodes).expect("not zero"))
    }

    #[test]
    fn servers_that_know_the_same_members_share_a_ring_while_they_have_it() {
        let made = |ring: &Arc<HashRing>, change| SHARED.make(ring, change).expect("names differ");
        let known = |vnodes| made(&empty(RingRules::hardened(), vnodes), RingChange::Members(&[A, B]));
        let ring = known(16);
        assert!(Arc::ptr_eq(&ring, &known(16)));
        assert!(!Arc::ptr_eq(&ring, &known(8)), "with fewer points it is another ring");
        let left = made(&ring, RingChange::Changes(&[(A.0, None)]));
        let back = made(&left, RingChange::Changes(&[(A.0, Some(A.1))]));
        assert!(Arc::ptr_eq(&ring, &back), "however it came about");
        assert_eq!(Ok(&left), RingSource::OWN.make(&ring, RingChange::Changes(&[(A.0, None)])).as_ref());
        drop((left, back, ring));
        known(32);
        ALIVE.with_borrow(|alive| {
            assert!(alive.values().flatten().all(|ring| ring.strong_count() <= 1) && alive.len() == 1)
        });
    }

    #[test]
    fn a_ring_that_depends_on_who_came_first_is_not_shared() {
        let known =
            || SHARED.make(&empty(RingRules::published(), 16), RingChange::Members(&[A, B])).expect("names differ");
        let (one, other) = (known(), known());
        assert!(!Arc::ptr_eq(&one, &other));
        assert_eq!(one, other);
    }
}
