//! What runs were found to break: all are counted, those of the lowest seeds are kept with their plans.

use crate::defence::Defence;
use crate::plan::{Found, Plan};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// How many findings are kept for each property.
pub const KEPT_MAX: usize = 20;

/// One property broken in one run.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The run's seed.
    pub seed: u64,
    /// The property.
    pub property: &'static str,
    /// When, in true microseconds.
    pub at_us: u64,
    /// What happened, in words.
    pub story: String,
    /// The hash of the run's trace; a run that panicked has none.
    pub trace_hash: Option<u128>,
    /// What was run.
    pub plan: Arc<Plan>,
    /// The single defences that prevent it, if that was examined.
    pub prevented_by: Option<Vec<&'static Defence>>,
    /// Where the plan was written to.
    pub file: Option<PathBuf>,
}

/// Findings of one kind. Shape: at most one for each run; the [`KEPT_MAX`] lowest seeds are kept, by seed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    count: u64,
    kept: BTreeMap<u64, Finding>,
}

/// The same property at the same time of the same run.
impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        (self.seed, self.property, self.at_us, self.trace_hash)
            == (other.seed, other.property, other.at_us, other.trace_hash)
    }
}

impl Eq for Finding {}

impl Finding {
    /// The plan with what was found in it.
    #[must_use]
    pub fn plan_found(&self) -> Plan {
        let mut plan = Plan::clone(&self.plan);
        plan.found = Some(Found {
            property: self.property.to_owned(),
            at_us: self.at_us,
            trace_hash: self.trace_hash.map(hex).unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        });
        plan
    }
}

/// A trace hash as it is written: 32 hex digits.
#[must_use]
pub(crate) fn hex(hash: u128) -> String {
    format!("{hash:032x}")
}

impl Findings {
    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Those that were kept, by seed.
    pub fn kept(&self) -> impl Iterator<Item = &Finding> {
        self.kept.values()
    }

    pub(super) fn kept_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.kept.values_mut()
    }

    /// Counts a finding in a run of `plan`. `tell` says when and what, if it is kept.
    pub(super) fn add(
        &mut self,
        plan: &Arc<Plan>,
        property: &'static str,
        trace_hash: Option<u128>,
        tell: impl FnOnce() -> (u64, String),
    ) {
        self.count += 1;
        if self.has_room_for(plan.seed) {
            let (at_us, story) = tell();
            let (seed, plan) = (plan.seed, Arc::clone(plan));
            self.keep(Finding { seed, property, at_us, story, trace_hash, plan, prevented_by: None, file: None });
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        other.kept.into_values().for_each(|finding| self.keep(finding));
    }

    fn has_room_for(&self, seed: u64) -> bool {
        self.kept.len() < KEPT_MAX || self.kept.last_key_value().is_some_and(|(last, _)| seed < *last)
    }

    fn keep(&mut self, finding: Finding) {
        self.kept.insert(finding.seed, finding);
        if self.kept.len() > KEPT_MAX {
            self.kept.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn findings(seeds: impl Iterator<Item = u64>) -> Findings {
        let mut findings = Findings::default();
        for seed in seeds {
            let mut plan = Plan::calm(Options::default());
            plan.seed = seed;
            findings.add(&Arc::new(plan), "P", Some(1), || (seed, String::new()));
        }
        findings
    }

    #[test]
    fn the_lowest_seeds_are_kept_in_any_order_and_all_are_counted() {
        let whole = findings(0..50);
        let mut parts = findings((0..50).rev().filter(|seed| seed % 3 == 0));
        parts.merge(findings((0..50).filter(|seed| seed % 3 != 0)));
        assert_eq!(parts, whole);
        assert_eq!(whole.count(), 50);
        assert_eq!(whole.kept().map(|finding| finding.seed).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    }
}
