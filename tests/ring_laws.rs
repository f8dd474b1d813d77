//! Laws of the hash ring, whatever its members are called and in whatever order they come and go.
//!
//! Method: random servers come and go on a real [`HashRing`]; each change becomes one [`Step`], each law is a judge of
//! steps. Owners are compared with a search through all points, which are named and hashed here anew. The published ring
//! breaks the laws of the hardened one, and each judge is shown a step that it must convict.

use crate::settings::fixed;
use failproof_core::Host;
use failproof_core::distribution::{
    HashRing, Moved, PointNames, RingChange, RingRules, SharedPoint, hash64, hash64_of_number,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// Names of which concatenated points collide, of which one begins with another, and unlike ones.
const NAMES: [&str; 8] = ["node1", "node11", "node", "", "1", "10.0.0.1:10000", "node2", "主"];

/// Every rule set: each decision either way.
const RULES: [RingRules; 4] = [
    RingRules::hardened(),
    RingRules::published(),
    RingRules { point_names: PointNames::Concatenated, shared_point: SharedPoint::LowestIdentity },
    RingRules { point_names: PointNames::LengthPrefixed, shared_point: SharedPoint::LastInserted },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Insert(usize),
    Remove(usize),
}

/// One change of the members, and what the ring says before and after.
#[derive(Clone, Debug)]
struct Step {
    change: Change,
    before: HashRing,
    after: HashRing,
    moved: Vec<Moved>,
}

type Judgement = Result<(), String>;

fn host(index: usize) -> Host {
    Host(u16::try_from(index).expect("few servers"))
}

fn vnodes(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("at least one")
}

fn any_changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (0..NAMES.len()).prop_map(Change::Insert),
        2 => (0..NAMES.len()).prop_map(Change::Remove),
    ];
    prop::collection::vec(change, 1..24)
}

/// How many points a server has: one, few, and enough for names to collide.
fn any_vnodes() -> impl Strategy<Value = NonZeroU32> {
    select(&[1, 2, 7, 32, 150][..]).prop_map(vnodes)
}

fn play(rules: RingRules, vnodes: NonZeroU32, changes: &[Change]) -> Vec<Step> {
    let mut ring = HashRing::new(rules, vnodes);
    changes
        .iter()
        .map(|change| {
            let before = ring.clone();
            let moved = match *change {
                Change::Insert(index) => ring.insert(host(index), NAMES[index].as_bytes()).expect("names differ"),
                Change::Remove(index) => ring.remove(host(index)),
            };
            Step { change: *change, before, after: ring.clone(), moved }
        })
        .collect()
}

/// The points of the members with their owners, by the hardened rules: written down here once more.
fn hardened_points(ring: &HashRing) -> Vec<(i64, Host)> {
    let mut points = Vec::new();
    for (server, name) in ring.members() {
        for number in 0..ring.vnodes_per_node().get() {
            let text = [&(name.len() as u64).to_le_bytes(), name, &number.to_le_bytes()].concat();
            points.push((hash64(&text), server));
        }
    }
    points
}

/// Places at which an error of one would show, and some others.
fn places(step: &Step) -> Vec<i64> {
    let points = hardened_points(&step.before).into_iter().chain(hardened_points(&step.after)).map(|(point, _)| point);
    let ends = step.moved.iter().flat_map(|piece| [piece.first, piece.last]);
    let near = points.chain(ends).flat_map(|place| [place.saturating_sub(1), place, place.saturating_add(1)]);
    near.chain([i64::MIN, 0, i64::MAX]).chain((0..64).map(hash64_of_number)).collect()
}

/// Judges `OwnerIsFunctionOfMembers`: whatever came before, owners are those of the members' points, each its own, and of
/// two at one place the lower identity's.
fn owner_is_function_of_members(step: &Step) -> Judgement {
    let points = hardened_points(&step.after);
    for place in places(step) {
        let from_there = points.iter().filter(|(point, _)| *point >= place).min();
        let expected = from_there.or(points.iter().min()).map(|(_, server)| *server);
        let owner = step.after.owner_of(place);
        if owner != expected {
            return Err(format!("{place} is owned by {owner:?}, not {expected:?}, after {:?}", step.change));
        }
    }
    Ok(())
}

/// Judges `MinimalMovement`: a server that comes gets keys, one that goes gives its own, and nothing else moves.
fn minimal_movement(step: &Step) -> Judgement {
    for place in places(step) {
        let (from, to) = (step.before.owner_of(place), step.after.owner_of(place));
        let allowed = match step.change {
            Change::Insert(index) => to == Some(host(index)),
            Change::Remove(index) => from == Some(host(index)),
        };
        if from != to && !allowed {
            return Err(format!("{place} moved from {from:?} to {to:?} by {:?}", step.change));
        }
    }
    Ok(())
}

/// Judges that what is said to have moved is what has: each place once, with its owners, in order, in as few pieces as can be.
fn moved_is_exact(step: &Step) -> Judgement {
    for pair in step.moved.windows(2) {
        let joined = pair[0].last.checked_add(1) == Some(pair[1].first);
        if pair[0].last >= pair[1].first || joined && (pair[0].from, pair[0].to) == (pair[1].from, pair[1].to) {
            return Err(format!("{pair:?} are out of order, or one piece"));
        }
    }
    if let Some(piece) = step.moved.iter().find(|piece| piece.first > piece.last || piece.from == piece.to) {
        return Err(format!("{piece:?} is no move"));
    }
    for place in places(step) {
        let (from, to) = (step.before.owner_of(place), step.after.owner_of(place));
        let said = step.moved.iter().find(|piece| piece.contains(place)).map(|piece| (piece.from, piece.to));
        let moved = (from != to).then_some((from, to));
        if said != moved {
            return Err(format!("{place} is said to move {said:?}, and has moved {moved:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(128))]

    #[test]
    fn owners_are_a_function_of_the_members(vnodes in any_vnodes(), changes in any_changes()) {
        let steps = play(RingRules::hardened(), vnodes, &changes);
        for step in &steps {
            prop_assert_eq!(owner_is_function_of_members(step), Ok(()));
        }
        let last = &steps.last().expect("a change").after;
        let again = HashRing::with_members(RingRules::hardened(), vnodes, last.members()).expect("names differ");
        prop_assert_eq!(&again, last);
    }

    /// Whatever the rules: one pass for all of them, or one after another.
    #[test]
    fn many_changes_at_once_are_as_one_after_another(
        rules in select(&RULES[..]), vnodes in any_vnodes(), changes in any_changes(), first in 0_usize..24,
    ) {
        let steps = play(rules, vnodes, &changes);
        let first = first % changes.len();
        let at_once: Vec<_> = changes[first..].iter().map(|change| match *change {
            Change::Insert(index) => (host(index), Some(NAMES[index].as_bytes())),
            Change::Remove(index) => (host(index), None),
        }).collect();
        let after = steps[first].before.changed(RingChange::Changes(&at_once));
        prop_assert_eq!(after.as_ref(), Ok(&steps.last().expect("a change").after));
    }

    #[test]
    fn movement_is_minimal(vnodes in any_vnodes(), changes in any_changes()) {
        for step in play(RingRules::hardened(), vnodes, &changes) {
            prop_assert_eq!(minimal_movement(&step), Ok(()));
        }
    }

    /// Whatever the rules: what moves is said by the published ring too, where it moves without need.
    #[test]
    fn what_is_said_to_move_moves(rules in select(&RULES[..]), vnodes in any_vnodes(), changes in any_changes()) {
        for step in play(rules, vnodes, &changes) {
            prop_assert_eq!(moved_is_exact(&step), Ok(()), "{:?}", rules);
        }
    }

    /// Who goes and comes back leaves no trace.
    #[test]
    fn a_change_taken_back_is_no_change(vnodes in any_vnodes(), changes in any_changes(), index in 0..NAMES.len()) {
        let steps = play(RingRules::hardened(), vnodes, &changes);
        let before = &steps.last().expect("a change").after;
        let mut ring = before.clone();
        let there = ring.members().any(|(server, _)| server == host(index));
        let name = NAMES[index].as_bytes();
        let (first, second) = if there {
            (ring.remove(host(index)), ring.insert(host(index), name).expect("names differ"))
        } else {
            (ring.insert(host(index), name).expect("names differ"), ring.remove(host(index)))
        };
        prop_assert_eq!(&ring, before);
        let back = |piece: &Moved| Moved { from: piece.to, to: piece.from, ..*piece };
        prop_assert_eq!(first.iter().map(back).collect::<Vec<_>>(), second);
    }
}

/// J7: `node1` and `node11`, each inserted first on one of two rings of `rules`.
fn in_either_order(rules: RingRules) -> [HashRing; 2] {
    let members = [(Host(1), &b"node1"[..]), (Host(2), b"node11")];
    let ring = |members| HashRing::with_members(rules, failproof_core::distribution::VNODES_PER_NODE, members);
    [ring(members), ring([members[1], members[0]])].map(|ring| ring.expect("names differ"))
}

/// Of the keys 0 to 99,999, how many have different owners.
fn disagreed([one, other]: &[HashRing; 2]) -> usize {
    (0..100_000).map(hash64_of_number).filter(|hash| one.owner_of(*hash) != other.owner_of(*hash)).count()
}

#[test]
fn servers_with_one_view_disagree_on_the_published_ring_only() {
    let published = in_either_order(RingRules::published());
    assert_eq!(published.each_ref().map(HashRing::points), [2 * 131_072 - 31_072; 2]);
    assert_eq!(disagreed(&published), 13_392);
    let hardened = in_either_order(RingRules::hardened());
    assert_eq!(hardened.each_ref().map(HashRing::points), [2 * 131_072; 2]);
    assert_eq!(disagreed(&hardened), 0);
    assert_eq!(hardened[0], hardened[1]);
}

/// Each of the two decisions alone lets servers agree; only together do they also leave each server its share.
#[test]
fn either_decision_brings_agreement_and_names_bring_even_shares() {
    let share = |ring: &HashRing| {
        (0..100_000).map(hash64_of_number).filter(|hash| ring.owner_of(*hash) == Some(Host(1))).count()
    };
    for (rules, even) in [(RULES[0], true), (RULES[2], false), (RULES[3], true)] {
        let rings = in_either_order(rules);
        assert_eq!(disagreed(&rings), 0, "{rules:?}");
        assert_eq!((49_000..51_000).contains(&share(&rings[0])), even, "{rules:?}: {}", share(&rings[0]));
    }
}

#[test]
fn judge_of_owners_convicts_the_published_ring() {
    let [one, other] = in_either_order(RingRules::published());
    assert_ne!(one, other);
    let changes = [Change::Insert(0), Change::Insert(1)];
    let published = play(RingRules::published(), vnodes(32), &changes);
    assert!(published.iter().any(|step| owner_is_function_of_members(step).is_err()));
    let hardened = play(RingRules::hardened(), vnodes(32), &changes);
    assert!(hardened.iter().all(|step| owner_is_function_of_members(step).is_ok()));
}

#[test]
fn judge_of_movement_convicts_a_removal_that_takes_the_points_of_others_along() {
    let changes = [Change::Insert(0), Change::Insert(1), Change::Insert(5), Change::Remove(0)];
    let judge = |rules| play(rules, vnodes(150), &changes).iter().map(minimal_movement).collect::<Vec<_>>();
    let judged = judge(RingRules::published());
    assert!(judged[..3].iter().all(Result::is_ok) && judged[3].is_err(), "{judged:?}");
    assert!(judge(RingRules::hardened()).iter().all(Result::is_ok));
}

#[test]
fn judge_of_moves_convicts_any_other_list() {
    let changes = [Change::Insert(0), Change::Insert(1), Change::Insert(5)];
    let right = play(RingRules::hardened(), vnodes(32), &changes).pop().expect("a step");
    assert_eq!(moved_is_exact(&right), Ok(()));
    let count = right.moved.len();
    assert!(count > 8);
    type Alteration = fn(&mut Vec<Moved>);
    let alterations: [Alteration; 8] = [
        |moved| _ = moved.pop(),
        |moved| _ = moved.remove(0),
        |moved| moved[3].first += 1,
        |moved| moved[3].first -= 1,
        |moved| moved[3].last += 1,
        |moved| moved[3].last -= 1,
        |moved| moved[3].from = moved[3].to,
        |moved| moved.swap(2, 3),
    ];
    for (number, alter) in alterations.iter().enumerate() {
        let mut step = right.clone();
        alter(&mut step.moved);
        assert!(moved_is_exact(&step).is_err(), "alteration {number}");
    }
}

/// How much of the hash space `moved` is.
fn share(moved: &[Moved]) -> f64 {
    moved.iter().map(|piece| (i128::from(piece.last) - i128::from(piece.first) + 1) as f64).sum::<f64>()
        / 2_f64.powi(64)
}

/// How much each of 64 changes of `members` servers moves, in times the share of one server: 32 come, and as many go.
fn relative_shares(members: usize, vnodes: NonZeroU32) -> Vec<f64> {
    let name = |index: usize| format!("10.0.{}.{}:10000", index / 256, index % 256);
    let names: Vec<String> = (0..members - 1).map(name).collect();
    let there = names.iter().enumerate().map(|(index, name)| (host(index), name.as_bytes()));
    let mut ring = HashRing::with_members(RingRules::hardened(), vnodes, there).expect("names differ");
    let mut shares = Vec::new();
    for change in 0..32 {
        let comes = members + change;
        shares.push(share(&ring.insert(host(comes), name(comes).as_bytes()).expect("a new name")));
        // Not always the new one, which would only give what it just got.
        let goes = ring.members().nth(change % members).expect("one of them").0;
        shares.push(share(&ring.remove(goes)));
    }
    shares.iter().map(|share| share * members as f64).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Judges that a change moves about the share of one server.
fn about_one(relative: f64) -> Judgement {
    if (0.9..=1.1).contains(&relative) { Ok(()) } else { Err(format!("{relative:.3} of 1/n moves")) }
}

#[test]
fn a_change_moves_the_share_of_one_server() {
    for members in [2, 3, 10, 100] {
        let shares = relative_shares(members, vnodes(1_024));
        assert_eq!(shares.len(), 64);
        println!("{members} servers, 1,024 virtual nodes: {:.3} of 1/n moves", mean(&shares));
        assert_eq!(about_one(mean(&shares)), Ok(()), "{members} servers");
        assert!(shares.iter().all(|share| (0.8..1.2).contains(share)), "{members} servers: {shares:?}");
    }
}

/// What is measured can be otherwise: servers with one point each have very different shares, and keys that are dealt out by
/// the remainder of their hashes move almost all.
#[test]
fn judge_of_shares_convicts_one_point_a_server_and_remainders() {
    let single = relative_shares(10, vnodes(1));
    assert!(single.iter().any(|share| *share < 0.5) && single.iter().any(|share| *share > 2.0), "{single:?}");
    assert!(about_one(single[0]).is_err() || about_one(single[1]).is_err());
    let moved = (0..10_000).map(hash64_of_number).filter(|hash| hash.rem_euclid(9) != hash.rem_euclid(10)).count();
    assert!(about_one(moved as f64 / 10_000.0 * 10.0).is_err());
}

/// Whoever holds keys in order of their hashes touches only those that move, and has then what asking for each key gives.
#[test]
fn keys_in_order_of_their_hashes_are_moved_piece_by_piece() {
    let mut ring = HashRing::new(RingRules::hardened(), vnodes(128));
    let mut owners: BTreeMap<i64, Option<Host>> = (0..10_000).map(|key| (hash64_of_number(key), None)).collect();
    let mut touched = 0;
    let changes = (0..NAMES.len()).map(Change::Insert).chain([2, 5, 0].map(Change::Remove));
    for change in changes {
        let moved = match change {
            Change::Insert(index) => ring.insert(host(index), NAMES[index].as_bytes()).expect("names differ"),
            Change::Remove(index) => ring.remove(host(index)),
        };
        for piece in &moved {
            for (_, owner) in owners.range_mut(piece.first..=piece.last) {
                assert_eq!(*owner, piece.from);
                *owner = piece.to;
                touched += 1;
            }
        }
        assert!(owners.iter().all(|(hash, owner)| *owner == ring.owner_of(*hash)), "{change:?}");
    }
    // All keys move to the first server, then a half, a third, and so on; an eighth, a seventh and a sixth at the end.
    let expected: f64 = (1..=8).chain([8, 7, 6]).map(|members| 10_000.0 / f64::from(members)).sum();
    assert!((0.8 * expected..1.2 * expected).contains(&f64::from(touched)), "{touched} keys, not {expected}");
}
