//! What a server of the original finds of its own after the members change.
//!
//! Goal: the published identity loses every key with the first change, and the hardened one only what moves. Method:
//! the keys that two servers call their own, before and after the second one joined.

use failproof_core::distribution::{
    Identity, MemberChange, MemberView, Members, Message, RingSource, Rules, hash64_of_number,
};
use failproof_core::{Duration, Host, Instant};
use std::num::NonZeroU32;

const KEYS: i64 = 1000;
const NAMES: [&str; 2] = ["10.0.0.1:10000", "10.0.0.2:10000"];

fn own(view: &MemberView) -> usize {
    (0..KEYS).filter(|key| view.is_own(hash64_of_number(*key))).count()
}

/// Lets a view ask the store what became of the members.
fn follow(view: &mut MemberView, members: &Members) {
    let names = NAMES.map(Box::from);
    let asked = view.ask(Instant::ZERO, 1, Duration::from_secs(1));
    let Some(Message::Follow { since, after, .. }) = asked else { panic!("nothing is waited for: {asked:?}") };
    let (_, more) = view.on_news(Instant::ZERO, 1, &members.news(since, after), &names);
    assert!(!more, "so few members fit into one answer");
}

/// How many keys the first server calls its own while it is alone, and how many each does once there are two.
fn local(identity: Identity) -> (usize, [usize; 2]) {
    let rules = Rules { identity, ..Rules::published() };
    let vnodes = NonZeroU32::new(2 << 16).expect("not zero");
    let view = |server| MemberView::new(Host(server), rules, vnodes, RingSource::OWN);
    let (mut first, mut second) = (view(0), view(1));
    let mut members = Members::default();
    members.change(MemberChange::Joined(Host(0)));
    follow(&mut first, &members);
    let alone = own(&first);
    members.change(MemberChange::Joined(Host(1)));
    follow(&mut first, &members);
    follow(&mut second, &members);
    (alone, [own(&first), own(&second)])
}

#[test]
fn the_published_identity_is_lost_with_the_first_change_of_the_members() {
    let (alone, [first, second]) = local(Identity::PathThenName);
    assert_eq!((alone, first), (1000, 0), "every key is local, then none");
    assert!((400..600).contains(&second), "whoever has seen no change still finds itself: {second}");
}

#[test]
fn one_identity_shares_the_keys_and_leaves_none_to_nobody() {
    let (alone, [first, second]) = local(Identity::One);
    assert_eq!((alone, first + second), (1000, 1000), "each key is local to one server");
    assert!(first > 400 && second > 400, "{first} and {second}");
}
