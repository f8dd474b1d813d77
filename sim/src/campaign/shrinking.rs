//! What a campaign found, made small: the first finding of each property.
//!
//! It comes after the campaign and changes nothing else in its report. Each finding is shrunk on one thread, by the
//! reference engine and with a budget in steps, so that the result depends neither on how many threads there are nor on how
//! fast they are.

use super::{CampaignReport, ENGINES_AGREE, Finding, PropertyName, Runner, on_threads};
use crate::engine::Engine;
use crate::plan::Plan;
use crate::shrink::{Budget, Goal, Shrunk, Size, shrink};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How the findings of a campaign are shrunk, and what that has to do with the outside.
pub struct Shrinking<'a> {
    /// How a plan is run.
    pub runner: &'a Runner<'a>,
    /// Once it is set, what was reached is kept.
    pub stop: &'a AtomicBool,
    /// Called before each run, from any thread, with what is being shrunk and how many runs that took.
    pub progress: &'a (dyn Fn(PropertyName, u64) + Sync),
    /// Keeps the smaller plan of a finding, such as in a file. From any thread.
    pub keep: &'a (dyn Fn(&Finding, &mut Shrunk) + Sync),
    /// On how many threads; at least 1.
    pub jobs: usize,
    /// For each finding.
    pub budget: Budget,
}

impl Shrinking<'_> {
    /// A few seconds for each finding. What takes more is left to `failproof shrink`.
    pub const USUAL: Budget = Budget::Steps(40_000_000);

    /// Shrinks the first finding of each property. One about which the engines disagree is left as it is, because neither
    /// can be believed; one of which no smaller plan is found gets none.
    pub fn shrink(&self, report: &mut CampaignReport) {
        let firsts: VecDeque<_> = report.all_mut().filter_map(|findings| findings.kept_mut().next()).collect();
        let firsts = Mutex::new(firsts);
        on_threads(self.jobs, &|| {
            while let Some(finding) = self.next(&firsts) {
                finding.shrunk = self.smaller(finding);
            }
        });
    }

    fn next<'f>(&self, firsts: &Mutex<VecDeque<&'f mut Finding>>) -> Option<&'f mut Finding> {
        let mut firsts = firsts.lock().unwrap_or_else(PoisonError::into_inner);
        let believed = |finding: &&mut Finding| finding.property != ENGINES_AGREE;
        std::iter::from_fn(|| firsts.pop_front()).find(believed)
    }

    fn smaller(&self, finding: &Finding) -> Option<Shrunk> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let runs = AtomicU64::new(0);
        let run = |plan: &Arc<Plan>, record: bool| {
            (self.progress)(finding.property, runs.fetch_add(1, Ordering::Relaxed) + 1);
            (self.runner)(Engine::Fast, plan, record)
        };
        let goal = Goal::of(finding, &|plan: &Arc<Plan>| run(plan, false).map(|(report, _)| report));
        let mut shrunk = shrink(&finding.plan, &goal, self.budget, &run, self.stop);
        if Size::of(&shrunk.plan) >= Size::of(&finding.plan) {
            return None;
        }
        shrunk.record_found(&goal, &run);
        (self.keep)(finding, &mut shrunk);
        Some(shrunk)
    }
}

impl fmt::Debug for Shrinking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shrinking").field("jobs", &self.jobs).field("budget", &self.budget).finish_non_exhaustive()
    }
}
