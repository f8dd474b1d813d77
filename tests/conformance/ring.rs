//! What the original StreamPark hash ring answered, case by case.
//!
//! Goal: the published [`HashRing`] is the original, point by point. Method: each hash, each owner, each distribution of
//! keys and each fact of the vectors is asked for. A case that cannot be read fails the test by name; wrong ones are
//! convicted.

use crate::vectors;
use failproof_core::Host;
use failproof_core::distribution::{HashRing, Moved, RingRules, hash64, hash64_of_number};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "source")]
    _source: String,
    params: Params,
    #[serde(default)]
    hash64: Vec<Value>,
    #[serde(default)]
    vectors: Vec<Value>,
    #[serde(default)]
    distribution: Vec<Value>,
    facts: Option<Value>,
}

/// What the cases were taken with. Numbers are taken over; texts must be the ones that we know how to follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    virtual_nodes_per_server: NonZeroU32,
    seed: u64,
    hash: String,
    vnode_key: String,
    ring_order: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HashCase {
    input: String,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnerCase {
    servers: Vec<String>,
    key: String,
    key_type: KeyType,
    owner: String,
    hash: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyType {
    Long,
    String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DistributionCase {
    servers: Vec<String>,
    /// The first key and the last.
    keys: String,
    ring_size: usize,
    counts: BTreeMap<String, u64>,
}

/// Rings of the published rules, by their servers in order of arrival: a large one takes a while to make.
struct Rings {
    vnodes: NonZeroU32,
    made: BTreeMap<Vec<String>, HashRing>,
}

impl Rings {
    fn new(params: &Params) -> Self {
        let Params { virtual_nodes_per_server: vnodes, seed, hash, vnode_key, ring_order } = params;
        assert_eq!(*hash, format!("Murmur3Hash.hash64(bytes(UTF-8), seed {seed})"), "another hash");
        assert_eq!(*seed, 104_729, "another seed");
        assert_eq!(*vnode_key, format!("server + decimal i, i=0..{}", vnodes.get() - 1), "other virtual nodes");
        let known = "signed 64-bit ascending; owner = first vnode with hash >= key hash, wrapping to smallest";
        assert_eq!(ring_order, known, "another order");
        Self { vnodes: *vnodes, made: BTreeMap::new() }
    }

    /// A server's identity is its place in the list.
    fn of(&mut self, servers: &[String]) -> Result<&mut HashRing, String> {
        if !self.made.contains_key(servers) {
            let mut ring = HashRing::new(RingRules::published(), self.vnodes);
            for (index, server) in servers.iter().enumerate() {
                ring.insert(host(index), server.as_bytes()).map_err(|error| error.to_string())?;
            }
            self.made.insert(servers.to_vec(), ring);
        }
        Ok(self.made.get_mut(servers).expect("it was just made"))
    }

    /// How many of `keys` each server owns.
    fn counts(&mut self, servers: &[String], keys: impl Iterator<Item = i64>) -> Result<BTreeMap<String, u64>, String> {
        let ring = self.of(servers)?;
        let mut counts: BTreeMap<_, _> = servers.iter().map(|server| (server.clone(), 0)).collect();
        for key in keys {
            let owner = owner_name(ring, servers, hash64_of_number(key))?;
            *counts.get_mut(owner).expect("one of the servers") += 1;
        }
        Ok(counts)
    }
}

fn host(index: usize) -> Host {
    Host(u16::try_from(index).expect("few servers"))
}

fn owner_name<'s>(ring: &HashRing, servers: &'s [String], hash: i64) -> Result<&'s String, String> {
    let owner = ring.owner_of(hash).ok_or("nobody owns it")?;
    Ok(&servers[usize::from(owner.0)])
}

fn read() -> Vectors {
    vectors::read("hash_ring.json")
}

#[test]
fn conformance_of_the_hash_of_the_ring() {
    let Vectors { hash64: cases, params, .. } = read();
    // Its seed and name are part of the params.
    Rings::new(&params);
    let played = play_all(&cases, play_hash);
    println!("conformance: {played} hashes");
    assert!(vectors::complete(played, 12));
}

#[test]
fn conformance_of_the_owners_on_the_published_ring() {
    let Vectors { vectors: cases, params, .. } = read();
    let mut rings = Rings::new(&params);
    let played = play_all(&cases, |case| play_owner(&mut rings, case));
    println!("conformance: {played} owners on {} rings", rings.made.len());
    assert!(vectors::complete(played, 261));
}

#[test]
fn conformance_of_the_distribution_of_keys() {
    let Vectors { distribution: cases, params, .. } = read();
    let mut rings = Rings::new(&params);
    let played = play_all(&cases, |case| play_distribution(&mut rings, case));
    println!("conformance: {played} distributions of keys");
    assert!(vectors::complete(played, 6));
}

#[test]
fn conformance_of_what_is_told_of_the_published_ring() {
    let Vectors { facts, params, .. } = read();
    let mut rings = Rings::new(&params);
    let Some(Value::Object(facts)) = facts else { panic!("the vectors tell no facts") };
    let mut played = 0;
    for (name, fact) in facts {
        play_fact(&mut rings, &name, &fact).unwrap_or_else(|differs| panic!("{name}, {fact}: {differs}"));
        played += 1;
    }
    println!("conformance: {played} facts");
    assert!(vectors::complete(played, 5));
}

/// A judge that cannot convict proves nothing: each kind of case, with one thing wrong.
#[test]
fn conformance_of_the_ring_fails_on_a_wrong_or_unreadable_case() {
    let params = read().params;
    let mut rings = Rings::new(&params);
    let hash = |hash: &str| json!({"input": "0", "hash": hash});
    assert_eq!(play_hash(&hash("1506875962709441675")), Ok(()));
    for case in [hash("1506875962709441676"), hash("x"), json!({"input": "0"})] {
        assert!(play_hash(&case).is_err(), "{case}");
    }
    let servers = ["A", "B"].map(String::from);
    let hash = hash64_of_number(0);
    let owner = owner_name(rings.of(&servers).expect("two names"), &servers, hash).expect("two servers").clone();
    let other = if owner == "A" { "B" } else { "A" };
    let right = json!({"servers": servers, "key": "0", "key_type": "long", "owner": owner, "hash": hash.to_string()});
    assert_eq!(play_owner(&mut rings, &right), Ok(()));
    for (field, value) in [
        ("owner", other),
        ("owner", "C"),
        ("hash", "7"),
        ("key", "1"),
        ("key", "x"),
        ("key_type", "int"),
        ("size", "1"),
    ] {
        let case = altered(&right, field, value.into());
        assert!(play_owner(&mut rings, &case).is_err(), "{case}");
    }
    let right = json!({"servers": ["A"], "keys": "0..99", "ring_size": rings.vnodes, "counts": {"A": 100}});
    assert_eq!(play_distribution(&mut rings, &right), Ok(()));
    for (field, value) in [
        ("keys", json!("0..98")),
        ("keys", json!("0-99")),
        ("ring_size", json!(1)),
        ("counts", json!({"A": 99})),
        ("counts", json!({"A": 100, "B": 0})),
        ("servers", json!(["A", "A"])),
    ] {
        let case = altered(&right, field, value);
        assert!(play_distribution(&mut rings, &case).is_err(), "{case}");
    }
    for (name, fact) in [
        ("add_Server-D_moved_of_300000", json!(74_978)),
        ("moved_to_other_than_D", json!(1)),
        ("after_remove_Server-D_differs", json!(1)),
        ("moved_to_other_than_E", json!(0)),
        (
            "registry_id_bug",
            json!({"serverId": "/a", "zk_children": ["a"], "local_of_1000_after_init": 1_000,
            "local_of_1000_after_handleNodeChanges": 1_000}),
        ),
        ("registry_id_bug", json!({"serverId": "/a"})),
    ] {
        assert!(play_fact(&mut rings, name, &fact).is_err(), "{name}: {fact}");
    }
    let collide = read().facts.expect("facts")["collide_node1_node11"].clone();
    for (field, value) in collide.as_object().expect("an object") {
        let wrong = match value {
            Value::Number(number) => json!(number.as_u64().expect("a count") + 1),
            text => json!(text.as_str().expect("a text").replace("=4", "=5")),
        };
        let fact = altered(&collide, field, wrong);
        assert!(play_fact(&mut rings, "collide_node1_node11", &fact).is_err(), "{fact}");
    }
}

fn altered(case: &Value, field: &str, value: Value) -> Value {
    let mut case = case.clone();
    case[field] = value;
    case
}

/// Plays each case, and fails with the first that is not as expected. Returns how many were played.
fn play_all(cases: &[Value], mut play: impl FnMut(&Value) -> Result<(), String>) -> usize {
    let mut played = 0;
    for case in cases {
        play(case).unwrap_or_else(|differs| panic!("case {case}: {differs}"));
        played += 1;
    }
    played
}

fn parse<C: DeserializeOwned>(case: &Value) -> Result<C, String> {
    C::deserialize(case).map_err(|error| format!("cannot be read: {error}"))
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|error| format!("{text:?} is no number: {error}"))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, actual: &T, expected: &T) -> Result<(), String> {
    if actual == expected { Ok(()) } else { Err(format!("{what} is {actual:?} instead of {expected:?}")) }
}

fn play_hash(case: &Value) -> Result<(), String> {
    let case: HashCase = parse(case)?;
    same("the hash", &hash64(case.input.as_bytes()), &number(&case.hash)?)
}

fn play_owner(rings: &mut Rings, case: &Value) -> Result<(), String> {
    let case: OwnerCase = parse(case)?;
    let hash = match case.key_type {
        KeyType::Long => hash64_of_number(number(&case.key)?),
        KeyType::String => hash64(case.key.as_bytes()),
    };
    same("the hash", &hash, &number(&case.hash)?)?;
    same("the owner", owner_name(rings.of(&case.servers)?, &case.servers, hash)?, &case.owner)
}

fn play_distribution(rings: &mut Rings, case: &Value) -> Result<(), String> {
    let case: DistributionCase = parse(case)?;
    let (first, last) = case.keys.split_once("..").ok_or("its keys are no range")?;
    same("the number of points", &rings.of(&case.servers)?.points(), &case.ring_size)?;
    same("the distribution", &rings.counts(&case.servers, number(first)?..=number(last)?)?, &case.counts)
}

fn play_fact(rings: &mut Rings, name: &str, fact: &Value) -> Result<(), String> {
    match name {
        "add_Server-D_moved_of_300000" => same("what moved", &server_d(rings)?.moved, &parse(fact)?),
        "moved_to_other_than_D" => same("what moved elsewhere", &server_d(rings)?.elsewhere, &parse(fact)?),
        "after_remove_Server-D_differs" => same("what differs", &server_d(rings)?.differs, &parse(fact)?),
        "collide_node1_node11" => play_collision(rings, &parse(fact)?),
        "registry_id_bug" => play_registry(rings, &parse(fact)?),
        other => Err(format!("nobody here knows {other:?}")),
    }
}

/// What came of it when a fourth server came and went.
struct ServerD {
    moved: usize,
    elsewhere: usize,
    differs: usize,
}

fn server_d(rings: &mut Rings) -> Result<ServerD, String> {
    let servers = ["Server-A", "Server-B", "Server-C"].map(String::from);
    let mut ring = rings.of(&servers)?.clone();
    let d = host(servers.len());
    let hashes: Vec<i64> = (0..300_000).map(hash64_of_number).collect();
    let owners = |ring: &HashRing| -> Vec<_> { hashes.iter().map(|hash| ring.owner_of(*hash)).collect() };
    let differing = |one: &[_], other: &[_]| -> Vec<usize> {
        (0..hashes.len()).filter(|&index| one[index] != other[index]).collect()
    };
    let before = owners(&ring);
    let pieces = ring.insert(d, b"Server-D").map_err(|error| error.to_string())?;
    let with_d = owners(&ring);
    let moved = differing(&before, &with_d);
    same("what is said to move", &said_to_move(&pieces, &hashes), &moved)?;
    let elsewhere = moved.iter().filter(|&&index| with_d[index] != Some(d)).count();
    ring.remove(d);
    Ok(ServerD { moved: moved.len(), elsewhere, differs: differing(&before, &owners(&ring)).len() })
}

fn said_to_move(pieces: &[Moved], hashes: &[i64]) -> Vec<usize> {
    let holds = |hash: i64| {
        let index = pieces.partition_point(|piece| piece.last < hash);
        pieces.get(index).is_some_and(|piece| piece.contains(hash))
    };
    (0..hashes.len()).filter(|&index| holds(hashes[index])).collect()
}

/// J7: two names of which points collide.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Collision {
    ring_size: usize,
    collided_vnodes: usize,
    disagree_owner_of_100000_by_insertion_order: usize,
    counts_order_ab: String,
    counts_order_ba: String,
    ring_size_after_removing_second: usize,
}

fn play_collision(rings: &mut Rings, fact: &Collision) -> Result<(), String> {
    let (ab, ba) = (["node1", "node11"].map(String::from), ["node11", "node1"].map(String::from));
    let vnodes = rings.vnodes.get() as usize;
    let keys = 0..100_000;
    for (order, counts) in [(&ab, &fact.counts_order_ab), (&ba, &fact.counts_order_ba)] {
        let size = rings.of(order)?.points();
        same("the number of points", &size, &fact.ring_size)?;
        same("the number of collisions", &(2 * vnodes - size), &fact.collided_vnodes)?;
        let found = rings.counts(order, keys.clone())?;
        let text: Vec<_> = found.iter().map(|(server, count)| format!("{server}={count}")).collect();
        same("the distribution", &format!("{{{}}}", text.join(", ")), counts)?;
    }
    let (one, mut other) = (rings.of(&ab)?.clone(), rings.of(&ba)?.clone());
    let mut disagreed = 0;
    for key in keys {
        let hash = hash64_of_number(key);
        disagreed += usize::from(owner_name(&one, &ab, hash)? != owner_name(&other, &ba, hash)?);
    }
    same("the disagreement", &disagreed, &fact.disagree_owner_of_100000_by_insertion_order)?;
    other.remove(host(1));
    same("the number of points that are left", &other.points(), &fact.ring_size_after_removing_second)
}

/// J1: a ring that first holds a path in the registry, then what the registry lists.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    #[serde(rename = "serverId")]
    server_id: String,
    zk_children: Vec<String>,
    local_of_1000_after_init: usize,
    #[serde(rename = "local_of_1000_after_handleNodeChanges")]
    local_of_1000_after_changes: usize,
}

fn play_registry(rings: &mut Rings, fact: &Registry) -> Result<(), String> {
    let mut ring = rings.of(std::slice::from_ref(&fact.server_id))?.clone();
    let this = host(0);
    let local = |ring: &HashRing| (0..1_000).filter(|key| ring.owner_of(hash64_of_number(*key)) == Some(this)).count();
    same("what is local at first", &local(&ring), &fact.local_of_1000_after_init)?;
    // What is new is added, and what is not in the list is removed.
    for (index, child) in fact.zk_children.iter().filter(|child| **child != fact.server_id).enumerate() {
        ring.insert(host(index + 1), child.as_bytes()).map_err(|error| error.to_string())?;
    }
    if !fact.zk_children.contains(&fact.server_id) {
        ring.remove(this);
    }
    same("what is local afterwards", &local(&ring), &fact.local_of_1000_after_changes)
}
