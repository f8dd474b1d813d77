//! One seed, one plan, one trace.

use failproof::campaign::Campaign;
use failproof::engine::Engine;
use failproof::fault::FaultClass;
use failproof::generate::generate;
use failproof::options::Options;
use failproof::{distribution, election, routing};
use failproof_spec::CampaignHash;
use std::ops::Range;
use std::sync::Arc;

/// Pinned, so that debug and release builds, and every machine, are compared with the same value.
const PINNED: &str = include_str!("determinism.hash");

fn hash_of(options: &Options, seeds: Range<u64>) -> CampaignHash {
    let mut hash = CampaignHash::new();
    for seed in seeds {
        let plan = Arc::new(generate(seed, options, &FaultClass::ALL));
        let (report, _) = Engine::Fast.run(&plan, false).expect("no panic");
        hash.add(&[seed], report.trace_hash);
    }
    hash
}

/// The hash of a guided campaign, on as many threads as there are.
fn guided_hash_of(options: &Options, seeds: Range<u64>) -> CampaignHash {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    Campaign { guided: true, jobs, ..Campaign::plain(options.clone(), seeds) }.run().hash
}

fn election() -> Options {
    election::Options::default().into()
}

/// Small, because each seed has 32 children.
fn routing() -> Options {
    let small = routing::Options { gateways: 2, servers: 3, clients: 5, contexts: 40, ..routing::Options::default() };
    small.into()
}

/// Small, for the same reason.
fn distribution() -> Options {
    let usual = distribution::Options::default();
    distribution::Options { servers: 3, clients: 2, jobs: 40, time_us: 120_000_000, ..usual }.into()
}

#[test]
fn a_campaign_has_the_same_hash_on_every_machine_and_in_every_profile() {
    let hashes = [
        ("plain", hash_of(&election(), 0..20)),
        ("guided", guided_hash_of(&election(), 0..20)),
        ("routing plain", hash_of(&routing(), 0..20)),
        ("routing guided", guided_hash_of(&routing(), 0..20)),
        ("distribution plain", hash_of(&distribution(), 0..20)),
        ("distribution guided", guided_hash_of(&distribution(), 0..20)),
    ];
    let hashes: String = hashes.map(|(name, hash)| format!("{name:<6} {:032x}\n", hash.finish())).concat();
    assert_eq!(hashes, PINNED, "if the change is meant, write the new hashes to tests/determinism.hash and say why");
}

#[test]
fn readme_shows_the_hash_of_the_default_campaign() {
    let readme = include_str!("../README.md");
    let hash = format!("trace hash    {:032x}", guided_hash_of(&election(), 0..1_000).finish());
    assert!(readme.contains(&hash), "README does not show `{hash}`; refresh its first run");
}

#[test]
fn the_same_seed_gives_the_same_trace_twice_and_on_other_threads() {
    for options in [election(), routing(), distribution()] {
        let whole = hash_of(&options, 0..12);
        let halves = [0..6, 6..12].map(|seeds| {
            let options = options.clone();
            std::thread::spawn(move || hash_of(&options, seeds))
        });
        let mut merged = CampaignHash::new();
        for half in halves {
            merged.merge(half.join().expect("no panic"));
        }
        assert_eq!(whole.finish(), merged.finish(), "{}", options.protocol());
    }
}

/// What a campaign reports does not depend on how many threads run it.
#[test]
fn a_campaign_of_jobs_has_the_same_hash_on_one_thread_and_on_two() {
    let hash = |jobs| Campaign { jobs, ..Campaign::plain(distribution(), 0..24) }.run().hash.finish();
    assert_eq!(hash(1), hash(2));
}

#[test]
fn recording_changes_nothing() {
    let all = [election(), routing(), distribution()];
    for (options, seed) in all.iter().flat_map(|options| (0..5).map(move |seed| (options, seed))) {
        let plan = Arc::new(generate(seed, options, &FaultClass::ALL));
        let (silent, none) = Engine::Fast.run(&plan, false).expect("no panic");
        let (recorded, records) = Engine::Fast.run(&plan, true).expect("no panic");
        assert_eq!(silent, recorded);
        assert!(none.is_empty() && !records.is_empty());
    }
}
