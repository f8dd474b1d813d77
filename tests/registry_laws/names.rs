//! Law of names: hardened texts are equal only if all their parts are; published ones are not.

use crate::settings::fixed;
use failproof_core::registry::{Identity, Protocol, StartId, check_text, key_text};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    service: String,
    tag: Option<String>,
    protocol: Protocol,
    address: String,
    port: u16,
    start: u64,
}

impl Parts {
    fn text(&self, identity: Identity) -> String {
        let key = key_text(identity, &self.service, self.tag.as_deref());
        check_text(identity, &key, self.protocol, &self.address, self.port, StartId(self.start))
    }
}

/// Short names of what texts are joined with.
fn any_parts() -> impl Strategy<Value = Parts> {
    let name = || "[a|:%#7]{0,3}";
    let protocol = prop_oneof![Just(Protocol::Http), Just(Protocol::Https)];
    (name(), prop::option::of(name()), protocol, name(), 0..2_u16, 0..2_u64).prop_map(
        |(service, tag, protocol, address, port, start)| Parts { service, tag, protocol, address, port, start },
    )
}

/// Pairs, among some random parts, that are taken for one.
fn confused(identity: Identity) -> usize {
    let (mut runner, strategy) = (TestRunner::new(fixed(256)), any_parts());
    let all: Vec<_> = (0..2_000).map(|_| strategy.new_tree(&mut runner).expect("parts").current()).collect();
    let mut texts: Vec<_> = all.iter().map(|parts| (parts.text(identity), parts)).collect();
    texts.sort_by(|one, other| one.0.cmp(&other.0));
    texts.windows(2).filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1).count()
}

#[test]
fn hardened_texts_are_equal_only_if_their_parts_are() {
    assert_eq!(confused(Identity::Full), 0);
    assert!(confused(Identity::Joined) > 0, "published texts are joined without care");
}
