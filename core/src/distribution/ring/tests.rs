use super::*;
use alloc::collections::BTreeMap;
use alloc::vec;

const A: Host = Host(1);
const B: Host = Host(2);
const FEW: NonZeroU32 = NonZeroU32::new(64).expect("not zero");
const ALL: [RingRules; 4] = [
    RingRules::published(),
    RingRules::hardened(),
    RingRules { point_names: PointNames::Concatenated, shared_point: SharedPoint::LowestIdentity },
    RingRules { point_names: PointNames::LengthPrefixed, shared_point: SharedPoint::LastInserted },
];

/// Both points at each end of the hash space, and one in the middle.
/// All of these points of one owner.
fn at(points: &[i64], owner: Host, splice: Splice) -> Vec<(i64, Host, Splice)> {
    points.iter().map(|point| (*point, owner, splice)).collect()
}

fn ends(owner: Host, shared_point: SharedPoint) -> Points {
    Points::collect(vec![(i64::MIN, owner), (0, owner), (i64::MAX, owner)], shared_point)
}

#[test]
fn an_empty_ring_has_no_owner_and_the_first_server_gets_all() {
    for rules in ALL {
        let mut ring = HashRing::new(rules, FEW);
        assert_eq!((ring.owner_of(0), ring.points()), (None, 0));
        let all = |from, to| vec![Moved { from, to, first: i64::MIN, last: i64::MAX }];
        assert_eq!(ring.insert(A, b"a"), Ok(all(None, Some(A))));
        assert_eq!((ring.owner_of(0), ring.points()), (Some(A), 64));
        assert_eq!(ring.remove(A), all(Some(A), None));
        assert_eq!(ring, HashRing::new(rules, FEW));
        assert_eq!(ring.remove(A), []);
    }
}

#[test]
fn a_server_has_one_name_and_a_name_one_server() {
    for rules in ALL {
        let mut ring = HashRing::new(rules, FEW);
        ring.insert(A, b"a").expect("a new name");
        let kept = ring.clone();
        assert_eq!(ring.insert(A, b"b"), Err(RingError::Renamed(A)));
        assert_eq!(ring.insert(B, b"a"), Err(RingError::NameTaken(A)));
        assert_eq!(ring.insert(A, b"a"), Ok(vec![]));
        assert_eq!(ring, kept);
        let twice = [(A, &b"a"[..]), (B, b"a")];
        assert_eq!(HashRing::with_members(rules, FEW, twice), Err(RingError::NameTaken(A)));
    }
}

#[test]
fn a_place_belongs_to_the_first_point_from_there_on_around_the_end() {
    let points = Points::collect(vec![(10, A), (20, B)], SharedPoint::LowestIdentity);
    for (place, owner) in [(i64::MIN, A), (10, A), (11, B), (20, B), (21, A), (i64::MAX, A)] {
        assert_eq!(points.owner_of(place), Some(owner), "{place}");
    }
}

/// Buckets beside a search through all points: few points and many, evenly spread, all in one bucket, at the ends.
#[test]
fn a_search_by_buckets_is_a_search() {
    for count in [0, 1, 2, 15, 16, 17, 1_000] {
        for spread in [1_i64, 3, i64::MAX / 1_001 * 2] {
            let start = if spread > 3 { i64::MIN } else { -7 };
            let mut all: Vec<i64> =
                (0..count).map(|index: i64| start.wrapping_add(spread.wrapping_mul(index))).collect();
            if count > 2 {
                all.extend([i64::MIN, i64::MAX]);
            }
            all.sort_unstable();
            let points = Points::collect(all.iter().map(|point| (*point, A)).collect(), SharedPoint::LastInserted);
            all.dedup();
            let near = all.iter().flat_map(|point| [point.saturating_sub(1), *point, point.saturating_add(1)]);
            for place in near.chain([i64::MIN, -1, 0, i64::MAX]) {
                let found = points.first_from(place);
                assert_eq!(found, all.partition_point(|point| *point < place), "{count} {spread} {place}");
            }
        }
    }
}

#[test]
fn what_moves_reaches_the_ends_of_the_hash_space() {
    for shared_point in [SharedPoint::LastInserted, SharedPoint::LowestIdentity] {
        let before = ends(B, shared_point);
        // A is the lower identity and is inserted last: it gets what it shares.
        let changed = [i64::MIN, 7, i64::MAX];
        let after = before.spliced(&at(&changed, A, Splice::Insert), shared_point);
        let piece = |first, last| Moved { from: Some(B), to: Some(A), first, last };
        let moved = [piece(i64::MIN, i64::MIN), piece(1, 7), piece(8, i64::MAX)];
        // Two pieces side by side are one.
        let joined = [moved[0], piece(1, i64::MAX)];
        assert_eq!(movement(&before, &after, &changed), joined);
        let again = after.spliced(&at(&changed, A, Splice::Remove), shared_point);
        let back = movement(&after, &again, &changed);
        match shared_point {
            // The shared points are gone, and yet all is B's again.
            SharedPoint::LastInserted => assert_eq!(again.len(), 1),
            SharedPoint::LowestIdentity => assert_eq!(again, before),
        }
        assert!(back.iter().all(|moved| (moved.from, moved.to) == (Some(A), Some(B))));
        assert_eq!(back.len(), joined.len());
    }
}

/// Under the published rules a server may go whose points another one has taken along.
#[test]
fn points_that_are_gone_already_move_nothing_twice() {
    let shared_point = SharedPoint::LastInserted;
    let before = Points::collect(vec![(30, A), (100, B)], shared_point);
    let changed = [10, 20, 30];
    let after = before.spliced(&at(&changed, A, Splice::Remove), shared_point);
    let piece = |first, last| Moved { from: Some(A), to: Some(B), first, last };
    assert_eq!(movement(&before, &after, &changed), [piece(i64::MIN, 30), piece(101, i64::MAX)]);
}

#[test]
fn a_shared_point_is_of_the_lower_identity_whoever_came_first() {
    let shared_point = SharedPoint::LowestIdentity;
    for (first, second) in [(A, B), (B, A)] {
        let empty = Points::default();
        let one = empty.spliced(&at(&[5], first, Splice::Insert), shared_point);
        let both = one.spliced(&at(&[5], second, Splice::Insert), shared_point);
        assert_eq!((both.len(), both.owner_of(5)), (2, Some(A)));
        let left = both.spliced(&at(&[5], A, Splice::Remove), shared_point);
        assert_eq!((left.len(), left.owner_of(5)), (1, Some(B)));
        let left = both.spliced(&at(&[5], B, Splice::Remove), shared_point);
        assert_eq!((left.len(), left.owner_of(5)), (1, Some(A)));
    }
}

/// The published ring beside a sorted map, which is what the original is made of: insertions, one repeated, and removals,
/// with names of which points collide.
#[test]
fn the_published_ring_is_a_sorted_map() {
    let vnodes = NonZeroU32::new(2_000).expect("not zero");
    let names: [&[u8]; 4] = [b"node1", b"node11", b"node", b"other"];
    let mut map = BTreeMap::new();
    let mut ring = HashRing::new(RingRules::published(), vnodes);
    let steps = [(1, true), (0, true), (2, true), (1, true), (0, false), (3, true), (2, false), (0, true), (1, false)];
    let mut collisions = 0;
    for (index, inserted) in steps {
        let (server, name) = (Host(index as u16), names[index]);
        for point in ring.points_of(name).collect::<Vec<_>>() {
            let previous = if inserted { map.insert(point, server) } else { map.remove(&point) };
            collisions += usize::from(previous.is_some_and(|previous| previous != server));
        }
        let moved = if inserted { ring.insert(server, name).expect("a new name") } else { ring.remove(server) };
        assert!(!moved.is_empty());
        assert_eq!(
            ring.points,
            Points::collect(map.iter().map(|(p, s)| (*p, *s)).collect(), SharedPoint::LastInserted)
        );
    }
    assert!(collisions > 1_000, "only {collisions} points collided");
}

#[test]
fn many_servers_at_once_are_the_same_ring() {
    let names: [&[u8]; 4] = [b"node11", b"node1", b"node", b"other"];
    for rules in ALL {
        let members = names.iter().enumerate().map(|(index, name)| (Host(9 - index as u16), *name));
        let at_once = HashRing::with_members(rules, FEW, members.clone()).expect("different names");
        let mut ring = HashRing::new(rules, FEW);
        for (server, name) in members {
            ring.insert(server, name).expect("different names");
        }
        assert_eq!(at_once, ring, "{rules:?}");
        assert_eq!(ring.members().len(), 4);
    }
}
