//! How job distribution spreads its load: eight servers share a thousand jobs as evenly as the points of their ring do.

use failproof::distribution::{Distribution, Options, Part};
use failproof::engine::fast;
use failproof::plan::Plan;
use failproof_core::distribution::{HashRing, RingRules, RowView, hash64_of_number};
use failproof_core::{Duration, Host};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

const SERVERS: u16 = 8;
const JOBS: u32 = 1_000;
/// The busiest server has at most so many hundredths of the mean: what 512 points promise for each server, and the chance
/// of 125 jobs on top.
const MOST_PERCENT: usize = 140;

fn options(vnodes_per_node: u32) -> Options {
    Options {
        servers: SERVERS,
        clients: 100,
        jobs: JOBS,
        vnodes_per_node: NonZeroU32::new(vnodes_per_node).expect("not zero"),
        time_us: 40_000_000,
        every_us: Duration::from_secs(1),
        runs_us_max: Duration::from_secs(1_000),
        ..Options::default()
    }
}

/// What each server owns at the end of a calm run, and the most that one server has in hundredths of the mean.
fn shares(options: &Options) -> (BTreeMap<Host, usize>, usize) {
    let plan = Plan::calm(options.clone()).noise_seed(1);
    plan.check().unwrap_or_else(|error| panic!("{error}"));
    let mut rows: Vec<RowView> = Vec::new();
    let (report, _) = fast::watch::<Distribution>(Arc::new(plan), false, |at_us, machine| match machine.part() {
        Part::Store(store) if at_us > 39_000_000 => rows = store.jobs().rows().map(|row| *row.view()).collect(),
        _ => {}
    });
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    assert_eq!(rows.len(), JOBS as usize, "all are submitted");
    let mut shares: BTreeMap<Host, usize> = (0..SERVERS).map(|n| (Host(n), 0)).collect();
    for row in rows.iter().filter(|row| !row.phase.is_over()) {
        let owner = row.owner.map(|owner| owner.server);
        assert_eq!(owner, ring(options).owner_of(row.hash), "{row:?}");
        *shares.entry(owner.expect("compared")).or_default() += 1;
    }
    let all: usize = shares.values().sum();
    let most = shares.values().max().copied().unwrap_or_default();
    (shares, most * 100 * usize::from(SERVERS) / all)
}

fn ring(options: &Options) -> HashRing {
    let names = options.names();
    let named = (0..SERVERS).map(|n| (Host(n), names[usize::from(n)].as_bytes()));
    HashRing::with_members(RingRules::hardened(), options.vnodes_per_node, named).expect("names differ")
}

#[test]
fn eight_servers_share_a_thousand_jobs() {
    let (shares, most) = shares(&options(512));
    println!("{shares:?}: the busiest has {most} % of the mean");
    assert!(shares.values().sum::<usize>() > 800, "most jobs still run: {shares:?}");
    assert!(most <= MOST_PERCENT, "{shares:?}: the busiest has {most} % of the mean");
}

/// The bound can be missed: one point for each server spreads nothing.
#[test]
fn a_single_point_for_each_server_is_told_from_many() {
    let few = ring(&options(1));
    let mut shares = [0_usize; SERVERS as usize];
    for job in 0..JOBS {
        let owner = few.owner_of(hash64_of_number(job.into())).expect("there are members");
        shares[usize::from(owner.0)] += 1;
    }
    let most = shares.iter().max().copied().unwrap_or_default() * 100 * usize::from(SERVERS) / JOBS as usize;
    assert!(most > MOST_PERCENT, "{shares:?}: {most} %");
}
