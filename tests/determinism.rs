//! One seed, one plan, one trace.

use failproof::campaign::Campaign;
use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::FaultClass;
use failproof::generate::generate;
use failproof_spec::CampaignHash;
use std::sync::Arc;

/// Pinned, so that debug and release builds, and every machine, are compared with the same value.
const PINNED: &str = include_str!("determinism.hash");

fn hash_of(seeds: std::ops::Range<u64>) -> CampaignHash {
    let mut hash = CampaignHash::new();
    for seed in seeds {
        let plan = Arc::new(generate(seed, &Options::default().into(), &FaultClass::ALL));
        let (report, _) = Engine::Fast.run(&plan, false).expect("no panic");
        hash.add(&[seed], report.trace_hash);
    }
    hash
}

/// The hash of a guided campaign, on as many threads as there are.
fn guided_hash_of(seeds: std::ops::Range<u64>) -> CampaignHash {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    Campaign { guided: true, jobs, ..Campaign::plain(Options::default(), seeds) }.run().hash
}

#[test]
fn a_campaign_has_the_same_hash_on_every_machine_and_in_every_profile() {
    let hashes = [hash_of(0..20), guided_hash_of(0..20)].map(CampaignHash::finish);
    let hashes = format!("plain  {:032x}\nguided {:032x}\n", hashes[0], hashes[1]);
    assert_eq!(hashes, PINNED, "if the change is meant, write the new hashes to tests/determinism.hash and say why");
}

#[test]
fn readme_shows_the_hash_of_the_default_campaign() {
    let readme = include_str!("../README.md");
    let hash = format!("trace hash    {:032x}", guided_hash_of(0..1_000).finish());
    assert!(readme.contains(&hash), "README does not show `{hash}`; refresh its first run");
}

#[test]
fn the_same_seed_gives_the_same_trace_twice_and_on_other_threads() {
    let whole = hash_of(0..12);
    let halves = [0..6, 6..12].map(|seeds| std::thread::spawn(move || hash_of(seeds)));
    let mut merged = CampaignHash::new();
    for half in halves {
        merged.merge(half.join().expect("no panic"));
    }
    assert_eq!(whole.finish(), merged.finish());
}

#[test]
fn recording_changes_nothing() {
    for seed in 0..5 {
        let plan = Arc::new(generate(seed, &Options::default().into(), &FaultClass::ALL));
        let (silent, none) = Engine::Fast.run(&plan, false).expect("no panic");
        let (recorded, records) = Engine::Fast.run(&plan, true).expect("no panic");
        assert_eq!(silent, recorded);
        assert!(none.is_empty() && !records.is_empty());
    }
}
