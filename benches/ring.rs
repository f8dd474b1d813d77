//! What the hash ring of 1,000 servers costs: a lookup, a change of the members, and the keys that move with it.
//!
//! Lookups ask for hashes in no order, so that each finds the memory cold that it needs. Beside the time of a lookup stands
//! that of a search through all points, and beside the keys that move all keys asked anew. At last a table: how much more
//! than its share the busiest server has, by the number of virtual nodes. Without `--bench` it is small.

use criterion::{BatchSize, Criterion, Throughput, criterion_group};
use failproof_core::Host;
use failproof_core::distribution::{HashRing, RingRules, hash64, hash64_of_number};
use std::hint::black_box;
use std::num::NonZeroU32;

const SERVERS: u16 = 1_000;
const VNODES: NonZeroU32 = NonZeroU32::new(1_024).expect("not zero");
const KEYS: i64 = 1_000_000;
/// Lookups in one iteration.
const LOOKUPS: usize = 100_000;

fn name(server: u16) -> String {
    format!("10.0.{}.{}:10000", server / 256, server % 256)
}

fn ring_of(servers: u16, vnodes: NonZeroU32) -> HashRing {
    let names: Vec<String> = (0..servers).map(name).collect();
    let members = (0..).map(Host).zip(names.iter().map(String::as_bytes));
    HashRing::with_members(RingRules::hardened(), vnodes, members).expect("names differ")
}

/// The points of [`ring_of`], in order: what a search without an index goes through.
fn points_of(servers: u16) -> Vec<i64> {
    let mut points: Vec<i64> = (0..servers)
        .flat_map(|server| {
            let name = name(server);
            let prefix = [&(name.len() as u64).to_le_bytes(), name.as_bytes()].concat();
            (0..VNODES.get()).map(move |number| hash64(&[&prefix[..], &number.to_le_bytes()].concat()))
        })
        .collect();
    points.sort_unstable();
    points
}

fn lookup(c: &mut Criterion) {
    let (ring, points) = (ring_of(SERVERS, VNODES), points_of(SERVERS));
    assert_eq!(points.len(), ring.points());
    // As many hashes as points, asked in turns: an iteration does not find what the one before has left in the cache.
    let hashes: Vec<i64> = (0..KEYS).map(hash64_of_number).collect();
    let mut group = c.benchmark_group("HashRing::owner_of, 1,024,000 points");
    group.throughput(Throughput::Elements(LOOKUPS as u64));
    let mut parts = hashes.chunks_exact(LOOKUPS).cycle();
    group.bench_function("by buckets", |b| {
        b.iter(|| {
            parts.next().expect("a part").iter().map(|hash| ring.owner_of(*hash).map_or(0, |owner| owner.0)).max()
        });
    });
    group.bench_function("beside: a binary search of the points", |b| {
        b.iter(|| {
            let part = parts.next().expect("a part");
            part.iter().map(|hash| points.partition_point(|point| point < hash)).max()
        });
    });
    group.finish();
}

fn changes(c: &mut Criterion) {
    let ring = ring_of(SERVERS, VNODES);
    let newcomer = (Host(SERVERS), name(SERVERS));
    let with = {
        let mut ring = ring.clone();
        ring.insert(newcomer.0, newcomer.1.as_bytes()).expect("a new name");
        ring
    };
    let mut group = c.benchmark_group("HashRing, 1,000 servers of 1,024 virtual nodes");
    group.sample_size(10);
    group.bench_function("build", |b| b.iter(|| ring_of(SERVERS, VNODES)));
    // The ring is handed back, so that giving its memory free is not measured.
    group.bench_function("a server comes", |b| {
        b.iter_batched(
            || ring.clone(),
            |mut ring| (ring.insert(newcomer.0, newcomer.1.as_bytes()), ring),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("a server goes", |b| {
        b.iter_batched(|| with.clone(), |mut ring| (ring.remove(newcomer.0), ring), BatchSize::PerIteration);
    });
    // A million keys in order of their hashes, each with its owner.
    let mut keys: Vec<i64> = (0..KEYS).map(hash64_of_number).collect();
    keys.sort_unstable();
    let owners: Vec<Option<Host>> = keys.iter().map(|hash| ring.owner_of(*hash)).collect();
    group.bench_function("a server comes, and of 1,000,000 keys those that move", |b| {
        b.iter_batched(
            || (ring.clone(), owners.clone()),
            |(mut ring, mut owners)| {
                for piece in ring.insert(newcomer.0, newcomer.1.as_bytes()).expect("a new name") {
                    let mut index = keys.partition_point(|hash| *hash < piece.first);
                    while keys.get(index).is_some_and(|hash| piece.contains(*hash)) {
                        owners[index] = piece.to;
                        index += 1;
                    }
                }
                (ring, owners)
            },
            BatchSize::PerIteration,
        );
    });
    // In their own order, as whoever does not sort them by their hashes has them.
    let hashes: Vec<i64> = (0..KEYS).map(hash64_of_number).collect();
    group.bench_function("beside: a server comes, and 1,000,000 keys are asked anew", |b| {
        b.iter_batched(
            || (ring.clone(), owners.clone()),
            |(mut ring, mut owners)| {
                ring.insert(newcomer.0, newcomer.1.as_bytes()).expect("a new name");
                for (owner, hash) in owners.iter_mut().zip(&hashes) {
                    *owner = ring.owner_of(*hash);
                }
                (ring, owners)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Prints how evenly ten servers share a million keys.
fn loads(measured: bool) {
    let (servers, keys) = (10_u16, if measured { KEYS } else { KEYS / 100 });
    let hashes: Vec<i64> = (0..keys).map(hash64_of_number).collect();
    println!("\n{servers} servers, {keys} keys: the largest load and the least, in times the mean");
    println!("{:>13}  {:>10}  {:>10}  {:>10}", "virtual nodes", "points", "max/mean", "min/mean");
    for vnodes in [1, 16, 128, 1_024, 16_384, 131_072] {
        let vnodes = NonZeroU32::new(vnodes).expect("not zero");
        let ring = ring_of(servers, vnodes);
        let mut loads = vec![0_u64; usize::from(servers)];
        for hash in &hashes {
            loads[usize::from(ring.owner_of(*hash).expect("ten servers").0)] += 1;
        }
        let mean = keys as f64 / f64::from(servers);
        let times = |load: Option<&u64>| *load.expect("ten servers") as f64 / mean;
        let (max, min) = (times(loads.iter().max()), times(loads.iter().min()));
        println!("{vnodes:>13}  {:>10}  {max:>10.3}  {min:>10.3}", ring.points());
    }
    println!();
    black_box(hashes);
}

criterion_group!(benches, lookup, changes);

fn main() {
    benches();
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    loads(has("--bench") && !has("--test"));
    Criterion::default().configure_from_args().final_summary();
}
