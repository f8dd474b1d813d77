//! Names: which texts are told apart.

use super::*;

fn text(identity: Identity, service: &str, tag: Option<&str>, address: &str, port: u16) -> String {
    let key = key_text(identity, service, tag);
    check_text(identity, &key, Protocol::Https, address, port, StartId(0x2a))
}

#[test]
fn published_texts_are_those_of_the_original() {
    let joined = Identity::Joined;
    assert_eq!(key_text(joined, "com.networknt.petstore-1.0.0", None), "com.networknt.petstore-1.0.0");
    assert_eq!(key_text(joined, "petstore", Some("dev")), "petstore|dev");
    assert_eq!(text(joined, "petstore", Some("dev"), "10.0.0.1", 8443), "petstore|dev:https:10.0.0.1:8443");
}

/// Pairs of instances that published texts take for one.
#[test]
fn hardened_texts_tell_apart_what_published_ones_confuse() {
    let pairs = [
        (("a|b", None, "h", 1), ("a", Some("b"), "h", 1)),
        (("a", Some("b:https:x"), "h", 1), ("a", Some("b"), "x:https:h", 1)),
        (("a", Some(""), "h", 1), ("a|", None, "h", 1)),
    ];
    for ((service, tag, address, port), (other_service, other_tag, other_address, other_port)) in pairs {
        let texts = |identity| {
            let one = text(identity, service, tag, address, port);
            (one, text(identity, other_service, other_tag, other_address, other_port))
        };
        let (one, other) = texts(Identity::Joined);
        assert_eq!(one, other, "a confusion");
        let (one, other) = texts(Identity::Full);
        assert_ne!(one, other, "told apart");
    }
}

/// Split at its colons, as the original does it, the text of an IPv6 address has another port; hardened, it has four
/// fields.
#[test]
fn an_ipv6_address_keeps_its_port() {
    let fields = |identity| text(identity, "a", None, "fe80::1", 8443).split(':').count();
    assert_eq!((fields(Identity::Joined), fields(Identity::Full)), (6, 4));
    assert_eq!(text(Identity::Full, "a", None, "fe80::1", 8443), "a:https:fe80%3a%3a1:8443#2a");
}

#[test]
fn names_get_numbers_in_order_and_keep_them() {
    let mut joined = Names::new(Identity::Joined);
    assert_eq!((joined.key("a", None), joined.key("b", None), joined.key("a", None)), (WEB, MAIL, WEB));
    assert_eq!(joined.key("a|t", None), joined.key("a", Some("t")));
    let mut full = Names::new(Identity::Full);
    assert_ne!(full.key("a|t", None), full.key("a", Some("t")));
    assert_eq!((full.address("::1"), full.address("::2"), full.address("::1")), (Address(0), Address(1), Address(0)));
}
