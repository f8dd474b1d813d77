//! Rings that the servers of a run share: each is made once, however many servers come to know it.
//!
//! Nothing of a run depends on it: what is remembered equals what a server would have made by itself.

use failproof_core::Host;
use failproof_core::distribution::{HashRing, RingChange, RingSource};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many points the rings have together that are remembered: some half a gigabyte at most.
const POINTS_MAX: usize = 1 << 25;
/// How many rings are remembered. Servers that know older members than that make their own.
const RINGS_MAX: usize = 64;

/// What became of a ring.
#[derive(Debug)]
struct Made {
    from: Arc<HashRing>,
    what: What,
    to: Arc<HashRing>,
}

/// A [`RingChange`] that owns what it is about.
#[derive(Debug, PartialEq, Eq)]
enum What {
    Members(Vec<(Host, Box<[u8]>)>),
    Join(Host, Box<[u8]>),
    Leave(Host),
}

thread_local! {
    static MADE: RefCell<VecDeque<Made>> = const { RefCell::new(VecDeque::new()) };
}

/// Rings as this thread remembers them.
pub(super) const SHARED: RingSource = RingSource(|ring, change| {
    MADE.with_borrow_mut(|made| {
        let known = made.iter().rev().find(|made| made.is(ring, change));
        if let Some(known) = known {
            return Arc::clone(&known.to);
        }
        let to = RingSource::OWN.make(ring, change);
        made.push_back(Made { from: Arc::clone(ring), what: What::of(change), to: Arc::clone(&to) });
        let mut points: usize = made.iter().map(|made| made.to.points()).sum();
        while made.len() > RINGS_MAX || made.len() > 1 && points > POINTS_MAX {
            points -= made.pop_front().map_or(0, |made| made.to.points());
        }
        to
    })
});

impl Made {
    /// Whether it is what becomes of `ring`. One that is made anew takes nothing but its rules over.
    fn is(&self, ring: &Arc<HashRing>, change: RingChange<'_>) -> bool {
        let same = match change {
            RingChange::Members(_) => self.from.is_alike(ring),
            RingChange::Join(..) | RingChange::Leave(_) => Arc::ptr_eq(&self.from, ring),
        };
        same && self.what.is(change)
    }
}

impl What {
    fn of(change: RingChange<'_>) -> Self {
        match change {
            RingChange::Members(members) => {
                Self::Members(members.iter().map(|(server, name)| (*server, (*name).into())).collect())
            }
            RingChange::Join(server, name) => Self::Join(server, name.into()),
            RingChange::Leave(server) => Self::Leave(server),
        }
    }

    fn is(&self, change: RingChange<'_>) -> bool {
        match (self, change) {
            (Self::Members(own), RingChange::Members(other)) => {
                own.len() == other.len() && own.iter().zip(other).all(|(own, other)| (own.0, &*own.1) == *other)
            }
            (Self::Join(server, name), RingChange::Join(other, other_name)) => {
                *server == other && **name == *other_name
            }
            (Self::Leave(server), RingChange::Leave(other)) => *server == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use failproof_core::distribution::RingRules;
    use std::num::NonZeroU32;

    const A: (Host, &[u8]) = (Host(0), b"a");
    const B: (Host, &[u8]) = (Host(1), b"b");

    fn empty(rules: RingRules) -> Arc<HashRing> {
        RingSource::empty(rules, NonZeroU32::new(16).expect("not zero"))
    }

    #[test]
    fn servers_that_know_the_same_members_share_a_ring() {
        let known = |rules| SHARED.make(&empty(rules), RingChange::Members(&[A, B]));
        let ring = known(RingRules::hardened());
        assert!(Arc::ptr_eq(&ring, &known(RingRules::hardened())));
        assert!(!Arc::ptr_eq(&ring, &known(RingRules::published())), "by other rules it is another ring");
        let changes = [RingChange::Leave(A.0), RingChange::Join(Host(2), b"c"), RingChange::Members(&[B])];
        for change in changes {
            let (one, other) = (SHARED.make(&ring, change), SHARED.make(&ring, change));
            assert!(Arc::ptr_eq(&one, &other));
            assert_eq!(one, RingSource::OWN.make(&ring, change), "{change:?}");
        }
    }

    #[test]
    fn what_cannot_be_leaves_the_ring_as_it_is() {
        let ring = SHARED.make(&empty(RingRules::hardened()), RingChange::Members(&[A]));
        assert!(Arc::ptr_eq(&ring, &SHARED.make(&ring, RingChange::Join(Host(5), A.1))), "the name is taken");
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let ring = empty(RingRules::hardened());
        let rings: Vec<_> =
            (0..200).map(|n: u16| SHARED.make(&ring, RingChange::Join(Host(n), &n.to_le_bytes()))).collect();
        MADE.with_borrow(|made| assert_eq!(made.len(), RINGS_MAX));
        let again = SHARED.make(&ring, RingChange::Join(Host(0), &0_u16.to_le_bytes()));
        assert!(!Arc::ptr_eq(&rings[0], &again));
        assert_eq!(rings[0], again);
    }
}
