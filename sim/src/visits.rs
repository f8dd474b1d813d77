//! What the runs of a fixed campaign do to the contract of their protocol: which kinds of its edges they take, and what
//! they break.
//!
//! An edge is told by its action and by what it changes: `StepUp(a) works=-->a`. Steps that differ only in what they leave
//! alone are one kind. The seeds are fixed, so that the same program finds the same.

use crate::campaign::Campaign;
use crate::defence;
use crate::options::Options;
use crate::protocols;
use failproof_spec::{ContractName, Coverage, Taken};
use std::collections::{BTreeMap, BTreeSet};

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// How many steps of the kind were judged.
    pub visited: usize,
    /// How many there are.
    pub total: usize,
}

/// What the runs of a protocol did to its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visits {
    /// The contract.
    pub contract: ContractName,
    /// How many runs there were.
    pub runs: u64,
    /// Each kind of edge of the strict contract.
    pub kinds: BTreeMap<String, Times>,
    /// The properties that were broken.
    pub broken: BTreeSet<&'static str>,
}

/// How many seeds are run under hardened rules, under published ones, and without each defence.
const SEEDS: [u64; 3] = [24, 12, 6];

/// What the runs of each protocol do, under hardened rules, under published ones, and without each defence, with all
/// faults. Some seconds, on so many threads.
#[must_use]
pub fn all(jobs: usize) -> Vec<Visits> {
    protocols::names().filter_map(|name| Options::usual(name).ok()).map(|usual| of(&usual, jobs)).collect()
}

/// What runs of the protocol of `usual` do.
fn of(usual: &Options, jobs: usize) -> Visits {
    let contract = protocols::contract(usual);
    let mut coverage = Coverage::new(contract);
    let (mut runs, mut broken) = (0, BTreeSet::new());
    let [hardened, published, ablated] = SEEDS;
    let mut rules =
        vec![(usual.clone().decided_by("hardened"), hardened), (usual.clone().decided_by("published"), published)];
    rules.extend(defence::of(usual.protocol()).map(|row| (row.removed_from(usual.clone()), ablated)));
    for (options, seeds) in rules {
        // Runs of the election are short enough for children, of which there are many.
        let guided = usual.protocol() == protocols::USUAL;
        let report = Campaign { jobs, guided, ..Campaign::plain(options, 0..seeds) }.run();
        runs += report.runs;
        broken.extend(report.violations.keys().copied());
        if let Some(visited) = &report.coverage {
            coverage.merge(visited);
        }
    }
    let mut kinds: BTreeMap<String, Times> = BTreeMap::new();
    for (step, visited) in coverage.steps() {
        let times = kinds.entry(kind(&step)).or_default();
        times.visited += usize::from(visited);
        times.total += 1;
    }
    Visits { contract, runs, kinds, broken }
}

/// The action, and each variable that it changes.
fn kind(step: &Taken) -> String {
    let changes = step.from.split(' ').zip(step.to.split(' ')).filter(|(from, to)| from != to).map(|(from, to)| {
        let value = to.split_once('=').map_or(to, |(_, value)| value);
        format!(" {from}->{value}")
    });
    let changes: String = changes.collect();
    format!("{}{}", step.label, if changes.is_empty() { " (nothing)" } else { &changes })
}
