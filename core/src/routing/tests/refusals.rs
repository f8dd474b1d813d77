//! HAIDs that are malformed, respelled, forged or relabelled: who refuses them, how, and that nothing changes.

use super::*;
use alloc::format;
use alloc::string::ToString;

/// What is no canonical HAID of an instance and a context here, and why.
const MALFORMED: [(&[u8], &str); 16] = [
    (b"", "empty"),
    (b"4-4--cs_0cs_1", "truncated before the id"),
    (b"4-4--cs_0cs", "truncated within an alias"),
    (b"4-4-", "truncated within the lengths"),
    (b"04-4--cs_0cs_11", "respelled with a zero"),
    (b"+4-4--cs_0cs_11", "respelled with a sign"),
    (b"4-4--cs_0cs_101", "respelled so that the backup is cs_1 and the id 01"),
    (b"4-4--cs_0cs_11--", "followed by a separator"),
    (b"4-4--cs_0cs_11~k~00", "followed by what looks like a tag"),
    (b"4-4-4--cs_0cs_1cs_21", "with a third instance"),
    (b"4-4--cs_0cs_1\xd9\xa1", "with a digit of another script"),
    (b"4-4--cs_0cs_1\xff", "no UTF-8 at the end"),
    (b"4-4--\xffs_0cs_11", "no UTF-8 within an alias"),
    (b"4-4--ab_0cs_11", "with an alias that nobody has here"),
    (b"6-4--cs_256cs_11", "with an alias out of range"),
    (b"4-4--cs_0cs_14294967297", "with an id out of range"),
];

fn verbs(haid: HaidText) -> [Verb; 2] {
    [Verb::Read { haid }, Verb::Change { haid, key: 0, seq: 1 }]
}

/// Two servers, a context of the first, and a gateway that sees both.
fn world(rules: Rules) -> (Gateway, ContextServer, Store) {
    let mut store = Store::new(rules);
    holder(rules, 1, &mut store);
    let mut server = holder(rules, 0, &mut store);
    settle(&mut server, &mut store, at(0), ServerInput::Message(&request(1, Verb::Create)));
    let mut gateway = Gateway::new(GatewayConfig { gateway: 2, servers: SERVERS, refresh: INTERVAL, rules }, 7);
    gateway.handle(at(0), GatewayInput::Timer, &mut Vec::new());
    let view = store.answer(at(0), &Message::Look { tag: 1, alias: None });
    gateway.handle(at(0), GatewayInput::Message(&view), &mut Vec::new());
    (gateway, server, store)
}

fn route(gateway: &mut Gateway, message: &Message) -> Vec<Output> {
    let mut outputs = Vec::new();
    gateway.handle(at(0), GatewayInput::Message(message), &mut outputs);
    outputs
}

#[test]
fn malformed_haids_are_refused_by_gateway_and_server_and_change_nothing() {
    let (mut gateway, mut server, _) = world(Rules::hardened());
    let before = format!("{gateway:?} {server:?}");
    for (bytes, why) in MALFORMED {
        for verb in verbs(HaidText::new(bytes).expect("short")) {
            let message = request(9, verb);
            let reply = Message::Reply(Reply { client: 4, number: 9, answer: Answer::Refused });
            let (routed, served) =
                (route(&mut gateway, &message), feed(&mut server, at(0), ServerInput::Message(&message)));
            assert_eq!(routed, [Output::Send(Target::Client(4), reply)], "{why}");
            assert_eq!(served, [Output::Send(Target::Gateway(2), reply)], "{why}");
        }
        assert_eq!(format!("{gateway:?} {server:?}"), before, "{why}");
    }
    let canonical = route(&mut gateway, &request(9, Verb::Read { haid: haid(0, 1, 0) }));
    assert!(matches!(canonical[..], [Output::Send(Target::Server(Host(0)), Message::Request(_))]), "{canonical:?}");
}

#[test]
fn published_rules_accept_other_spellings() {
    let (mut gateway, mut server, mut store) = world(Rules::published());
    let mut accepted = Vec::new();
    for (bytes, why) in MALFORMED {
        let message = request(9, Verb::Read { haid: HaidText::new(bytes).expect("short") });
        if answers(&route(&mut gateway, &message)).is_empty() {
            let outputs = settle(&mut server, &mut store, at(0), ServerInput::Message(&message));
            assert!(matches!(answers(&outputs)[..], [Answer::Value(..)]), "{why}: {outputs:?}");
            accepted.push(why);
        }
    }
    assert_eq!(
        accepted,
        [
            "respelled with a zero",
            "respelled with a sign",
            "respelled so that the backup is cs_1 and the id 01",
            "followed by a separator",
            "with a third instance",
        ]
    );
}

/// Longer than what a message carries, and than what a HAID can be.
#[test]
fn oversized_haids_are_refused_before_they_are_looked_at() {
    let long = format!("4-4--cs_0cs_1{}", "1".repeat(HAID_LENGTH_MAX));
    assert_eq!(Codec::HARDENED.decode(long.as_bytes()).unwrap_err(), HaidError::TooLong { length: long.len() });
    assert_eq!(HaidText::new(long.as_bytes()), None);
    assert!(HaidText::new(&long.as_bytes()[..HaidText::CAPACITY]).is_some());
}

/// A HAID can be made up by anybody who knows its form: it is as good as the row behind it.
#[test]
fn a_forged_haid_of_no_context_is_refused_and_changes_nothing() {
    let (_, mut server, mut store) = world(Rules::hardened());
    let (rows, cached) = (format!("{store:?}"), server.remembered(ContextId(7)).copied());
    for verb in verbs(haid(0, 1, 7)) {
        let outputs = settle(&mut server, &mut store, at(0), ServerInput::Message(&request(9, verb)));
        assert_eq!(answers(&outputs), [Answer::Refused]);
    }
    assert_eq!((format!("{store:?}"), server.remembered(ContextId(7)).copied()), (rows, cached));
}

#[test]
fn a_forged_tag_is_refused_by_a_codec_with_keys() {
    let ring = || Keyring::new(alloc::vec![Key::new("k", b"sixteen bytes or more").unwrap()]).unwrap();
    let codec = Codec::tagged(ring());
    let genuine = codec.encode("cs_0", "cs_1", "1").unwrap();
    let refused = |haid: &str| codec.decode(haid.as_bytes()).map(|_| ()).unwrap_err();
    assert_eq!(refused(&genuine.replace("cs_0cs_1", "cs_1cs_0")), HaidError::Forged);
    assert_eq!(refused(&haid(0, 1, 0).to_string()), HaidError::TagMissing);
}

/// R6: a caller that puts another instance in the place of main is told what the row says, and has moved nothing.
#[test]
fn a_relabelled_haid_is_answered_by_the_row_and_changes_nothing() {
    for (rules, moved) in [(Rules::hardened(), true), (Rules::published(), false)] {
        let (mut gateway, mut owner, mut store) = world(rules);
        let mut stranger = holder(rules, 2, &mut store);
        settle(&mut owner, &mut store, at(0), ServerInput::Message(&request(2, Verb::Read { haid: haid(0, 1, 0) })));
        let view = store.answer(at(1), &Message::Look { tag: 2, alias: None });
        gateway.handle(at(1_000), GatewayInput::Timer, &mut Vec::new());
        gateway.handle(at(1_000), GatewayInput::Message(&view), &mut Vec::new());
        let relabelled = Binding::relabelled(&haid(0, 1, 0), SERVERS).expect("there is a third");
        assert_eq!(relabelled, haid(2, 1, 0));

        let before = format!("{:?}", store.contexts);
        for verb in verbs(relabelled) {
            let routed = route(&mut gateway, &request(9, verb));
            let [Output::Send(Target::Server(Host(2)), message)] = routed[..] else { panic!("{routed:?}") };
            let outputs = settle(&mut stranger, &mut store, at(1), ServerInput::Message(&message));
            let told = answers(&outputs);
            if moved {
                let [Answer::Moved(current)] = told[..] else { panic!("{outputs:?}") };
                assert_eq!((current.haid, current.generation), (haid(0, 1, 0), 1));
            } else {
                assert!(matches!(told[..], [Answer::Value(..) | Answer::Changed(_)]), "{outputs:?}");
            }
        }
        assert_eq!(format!("{:?}", store.contexts) == before, moved);
        assert_eq!(stranger.remembered(ContextId(0)).is_none(), moved);
    }
}
