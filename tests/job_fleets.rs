//! Job distribution by more servers than the contract has seats: the judge seats those that have to do with a row.

use failproof::distribution::{Distribution, Options, Part};
use failproof::engine::{Engine, fast};
use failproof::fault::{FaultClass, FaultKind, Place};
use failproof::generate::generate;
use failproof::plan::Plan;
use failproof_core::Duration;
use failproof_core::Host;
use failproof_core::distribution::{Claiming, HashRing, Progress, RingRules, Rules, hash64_of_number};
use failproof_spec::job::JobState;
use std::collections::BTreeSet;
use std::sync::Arc;

const SERVERS: u16 = 30;
const SEEDS: u64 = 12;

fn fleet() -> Options {
    Options { servers: SERVERS, clients: 8, jobs: 200, time_us: 200_000_000, ..Options::default() }
}

fn broken(seed: u64, options: &Options) -> Vec<(&'static str, String)> {
    let plan = Arc::new(generate(seed, &options.clone().into(), &FaultClass::ALL));
    let (report, _) = Engine::Fast.run(&plan, false).unwrap_or_else(|panicked| panic!("seed {seed}: {panicked:?}"));
    report.violations.into_iter().map(|violation| (violation.property, violation.story)).collect()
}

#[test]
fn hardened_fleets_hold_under_swarm_faults() {
    for seed in 0..SEEDS {
        assert_eq!(broken(seed, &fleet()), [], "seed {seed}");
    }
}

/// Each of these makes two servers work on one row, or one on a row that is not its own: without its defence the judge
/// convicts some server that has a seat only because it had to do with that row.
#[test]
fn a_server_beyond_the_seats_is_convicted() {
    let unclaimed = Rules { claiming: Claiming::None, ..Rules::hardened() };
    let deleted = Rules { progress: Progress::DeleteAfterRun, ..Rules::hardened() };
    for (rules, property) in [(unclaimed, "AtMostOneExecutorPerEpoch"), (deleted, "NoLostJob")] {
        let options = Options { rules, ..fleet() };
        let stories: Vec<String> = (0..SEEDS)
            .flat_map(|seed| broken(seed, &options))
            .filter(|(name, _)| *name == property)
            .map(|(_, story)| story)
            .collect();
        let beyond = |story: &&String| {
            let numbers =
                story.split(|letter: char| !letter.is_ascii_alphanumeric()).filter_map(|word| word.strip_prefix('s'));
            numbers.filter_map(|number| number.parse::<usize>().ok()).any(|number| number >= JobState::SERVERS)
        };
        assert!(stories.iter().any(|story| beyond(&story)), "{property}: {stories:?}");
    }
}

/// Whoever has a row crashes, one server after another, and stays away: the seats do not suffice for all that had it.
#[test]
fn a_row_may_have_more_owners_than_there_are_seats() {
    let options =
        Options { servers: 12, clients: 1, jobs: 1, runs_us_max: Duration::from_secs(10_000), ..Options::default() };
    let names = options.names();
    let named = (0..options.servers).map(|n| (Host(n), names[usize::from(n)].as_bytes()));
    let mut ring = HashRing::with_members(RingRules::hardened(), options.vnodes_per_node, named).expect("names differ");
    let mut plan = Plan::calm(Options { time_us: 400_000_000, ..options });
    for at_s in (20..).step_by(30).take(11) {
        let owner = ring.owner_of(hash64_of_number(0)).expect("there are members");
        ring.remove(owner);
        let crash = FaultKind::Crash { node: Place::Server(owner.0), durable: true };
        plan = plan.fault(crash, at_s * 1_000_000, 390_000_000 - at_s * 1_000_000);
    }
    plan.check().unwrap_or_else(|error| panic!("{error}"));
    let mut owners = BTreeSet::new();
    let (report, _) = fast::watch::<Distribution>(Arc::new(plan), false, |_, machine| {
        if let Part::Store(store) = machine.part() {
            owners.extend(store.jobs().rows().filter_map(|row| row.view().owner).map(|owner| owner.server));
        }
    });
    assert_eq!(report.violations.len(), 0, "{:?}", report.violations);
    assert!(owners.len() > JobState::SERVERS, "{owners:?}");
}
