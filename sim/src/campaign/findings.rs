//! What runs were found to break: all are counted, those of the first runs are kept with their plans.

use crate::defence::Defence;
use crate::plan::{Found, Plan};
use crate::run_id::RunId;
use crate::shrink::Shrunk;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of a property. An alias, because `serde` would borrow a plain reference from what it reads.
pub type PropertyName = &'static str;

/// How many findings are kept for each property.
pub const KEPT_MAX: usize = 20;

/// One property broken in one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The run.
    pub run: RunId,
    /// The property.
    #[serde(deserialize_with = "super::saved::property")]
    pub property: PropertyName,
    /// When, in true microseconds.
    pub at_us: u64,
    /// What happened, in words.
    pub story: String,
    /// The hash of the run's trace; a run that panicked has none.
    #[serde(with = "super::saved::hash")]
    pub trace_hash: Option<u128>,
    /// What was run.
    pub plan: Arc<Plan>,
    /// Whether the other engine took the same steps and found the same; `None` if it was not asked.
    pub confirmed: Option<bool>,
    /// The single defences that prevent it, if that was examined.
    #[serde(with = "super::saved::defences")]
    pub prevented_by: Option<Vec<&'static Defence>>,
    /// Where the plan was written to.
    pub file: Option<PathBuf>,
    /// The smallest plan that fails likewise, if that was sought: for the first finding of each property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunk: Option<Shrunk>,
}

/// Findings of one kind. Shape: at most one for each run; the [`KEPT_MAX`] first runs are kept, by their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    count: u64,
    kept: BTreeMap<RunId, Finding>,
    /// How many of the first ones were withdrawn. Their places stay empty, so that it does not matter when that happens.
    withdrawn: usize,
}

/// The same property at the same time of the same run.
impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        (self.run, self.property, self.at_us, self.trace_hash)
            == (other.run, other.property, other.at_us, other.trace_hash)
    }
}

impl Eq for Finding {}

impl Finding {
    /// Says that its plans lie in `folder`, wherever they were written to.
    pub(crate) fn at_home(&mut self, folder: &Path) {
        for file in std::iter::once(&mut self.file).chain(self.shrunk.as_mut().map(|shrunk| &mut shrunk.file)) {
            *file = file.take().and_then(|file| file.file_name().map(|name| folder.join(name)));
        }
    }

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

    /// Those that were kept, by run.
    pub fn kept(&self) -> impl Iterator<Item = &Finding> {
        self.kept.values()
    }

    pub(crate) fn kept_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
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
        let run = plan.run_id();
        if !self.has_room_for(run) {
            self.count += 1;
            return;
        }
        let (at_us, story) = tell();
        let plan = Arc::clone(plan);
        let (confirmed, prevented_by, file, shrunk) = (None, None, None, None);
        self.insert(Finding { run, property, at_us, story, trace_hash, plan, confirmed, prevented_by, file, shrunk });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.withdrawn += other.withdrawn;
        other.kept.into_values().for_each(|finding| self.keep(finding));
        // Each part has shrunk its first one. Of the whole only the first would be.
        self.kept.values_mut().filter(|finding| finding.shrunk.is_some()).skip(1).for_each(|finding| {
            finding.shrunk = None;
        });
    }

    /// Counts a finding, and keeps it if its run is among the first.
    pub(super) fn insert(&mut self, finding: Finding) {
        self.count += 1;
        self.keep(finding);
    }

    /// Puts a finding that was kept in its place again.
    pub(super) fn replace(&mut self, finding: Finding) {
        self.kept.insert(finding.run, finding);
    }

    /// Takes back a finding that was kept.
    pub(super) fn withdraw(&mut self, run: RunId) {
        if self.kept.remove(&run).is_some() {
            self.count -= 1;
            self.withdrawn += 1;
        }
    }

    /// Whether no more is kept than can be, and no more than was counted.
    pub(super) fn is_sound(&self) -> bool {
        self.kept.len() as u64 <= self.count.min(self.room() as u64)
            && self.kept.iter().all(|(run, finding)| *run == finding.run)
    }

    const fn room(&self) -> usize {
        KEPT_MAX.saturating_sub(self.withdrawn)
    }

    fn has_room_for(&self, run: RunId) -> bool {
        self.kept.len() < self.room() || self.kept.last_key_value().is_some_and(|(last, _)| run < *last)
    }

    fn keep(&mut self, finding: Finding) {
        self.kept.insert(finding.run, finding);
        while self.kept.len() > self.room() {
            self.kept.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::election::Options;

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
    fn the_first_runs_are_kept_in_any_order_and_all_are_counted() {
        let whole = findings(0..50);
        let mut parts = findings((0..50).rev().filter(|seed| seed % 3 == 0));
        parts.merge(findings((0..50).filter(|seed| seed % 3 != 0)));
        assert_eq!(parts, whole);
        assert_eq!(whole.count(), 50);
        assert_eq!(
            whole.kept().map(|finding| finding.run).collect::<Vec<_>>(),
            (0..20).map(RunId::Seed).collect::<Vec<_>>()
        );
    }
}
