//! The smallest plan that still breaks the same property for the same reason.
//!
//! From a plan that fails, to ever smaller ones that fail likewise, as [`Size`] compares them: first the noise is calmed,
//! then events are left out, then places, then what is left is made weaker, rounder, shorter and earlier. Each candidate
//! is run; nothing is believed that was not seen. The same plan, goal and number of runs give the same plan.

mod calm;
mod drop;
mod goal;
mod materialise;
mod places;
mod round;
mod size;
mod weaken;

pub use goal::{Broken, Goal};
pub use size::Size;

use crate::campaign::CampaignReport;
use crate::engine::Panicked;
use crate::plan::Plan;
use crate::protocols::words;
use crate::report::RunReport;
use crate::report::human::moment;
use crate::trace::Record;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How a candidate is run, and whether it is recorded.
pub type Run<'a> = dyn Fn(&Arc<Plan>, bool) -> Result<(RunReport, Vec<Record>), Panicked> + 'a;

/// When to be content with what was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// After so many runs.
    Runs(u64),
    /// After so much work: the steps of all runs, and [`STEPS_TO_BEGIN`] for each.
    Steps(u64),
    /// After so much time; the result then depends on the machine.
    Time(Duration),
}

/// What it takes to begin a run, in steps.
pub const STEPS_TO_BEGIN: u64 = 4_000;

impl Default for Budget {
    fn default() -> Self {
        Self::Runs(20_000)
    }
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shrunk {
    /// The smallest plan that was found to fail likewise; the plan itself if there is none.
    pub plan: Plan,
    /// How many runs it took.
    pub runs: u64,
    /// Whether no smaller step was left to try; else the budget was spent, or the user stopped it.
    pub complete: bool,
    /// Where the plan was written to.
    pub file: Option<PathBuf>,
}

impl Shrunk {
    /// Runs the plan once more, records in it what it is found to break, and returns that in words.
    pub fn record_found<R>(&mut self, goal: &Goal, run: &R) -> String
    where
        R: Fn(&Arc<Plan>, bool) -> Result<(RunReport, Vec<Record>), Panicked>,
    {
        let plan = Arc::new(self.plan.clone());
        let mut report = CampaignReport::default();
        report.add_only(&plan, &run(&plan, false).map(|(report, _)| report));
        let property = goal.property(&plan);
        let found = report.kept().find(|finding| finding.property == property);
        if let Some(finding) = found {
            self.plan = finding.plan_found();
        }
        let story = found.map(|finding| finding.story.clone()).unwrap_or_default();
        match goal.broken() {
            Broken::Property(property) => {
                format!("{property} at {}: {story}", moment(found.map_or(0, |finding| finding.at_us)))
            }
            Broken::Panicked(message) => format!("a panic: {message}"),
            Broken::NotBack => format!("{} in time after the last fault", words(&plan.options).not_back),
        }
    }
}

/// The name beside the plan in `file` under which the plan that it shrinks to goes: `<stem>.small.json`.
#[must_use]
pub fn beside(file: &Path) -> PathBuf {
    file.with_file_name(format!("{}.json", small_stem(file)))
}

/// The same without folder and extension.
pub(crate) fn small_stem(file: &Path) -> String {
    format!("{}.small", file.file_stem().unwrap_or_default().to_string_lossy())
}

/// Makes `plan`, which reaches `goal`, as small as `budget` allows. `stop` ends it early.
///
/// Shape: the result has the same protocol, rules and seed, and a [`Size`] that is at most that of `plan`; its faults are
/// numbered anew.
#[must_use]
pub fn shrink(plan: &Plan, goal: &Goal, budget: Budget, run: &Run<'_>, stop: &AtomicBool) -> Shrunk {
    let mut best = plan.clone();
    best.found = None;
    let size = Size::of(&best);
    let mut shrinker = Shrinker {
        goal,
        run,
        budget,
        stop,
        began: Instant::now(),
        spent: Spent::default(),
        until_run: None,
        best,
        size,
    };
    shrinker.go_on();
    let complete = !shrinker.is_spent();
    let mut plan = shrinker.best;
    plan.faults.sort_by_key(|fault| (fault.at_us, fault.id));
    (0..).zip(&mut plan.faults).for_each(|(id, fault)| fault.id = id);
    Shrunk { plan, runs: shrinker.spent.runs, complete, file: None }
}

/// What it has taken so far.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    runs: u64,
    /// Those of all runs, and what it took to begin them.
    steps: u64,
}

impl Spent {
    fn add(&mut self, outcome: &Result<RunReport, Panicked>) {
        self.runs += 1;
        self.steps += STEPS_TO_BEGIN + outcome.as_ref().map_or(0, |report| report.events);
    }
}

struct Shrinker<'a> {
    goal: &'a Goal,
    run: &'a Run<'a>,
    budget: Budget,
    stop: &'a AtomicBool,
    began: Instant,
    spent: Spent,
    /// What is under way may not take longer.
    until_run: Option<u64>,
    best: Plan,
    size: Size,
}

impl Shrinker<'_> {
    /// All passes, until none of them finds anything smaller.
    fn go_on(&mut self) {
        self.cut_after();
        loop {
            let before = self.size;
            self.calm();
            self.drop_events();
            self.drop_places();
            self.materialise();
            self.drop_places();
            self.weaken();
            self.round();
            self.cut_after();
            if self.size == before {
                self.cut(0);
            }
            // A run that ends sooner shows less, also of other reasons: what was refused before may do then.
            if self.size == before || self.is_spent() {
                break;
            }
        }
    }

    fn is_spent(&self) -> bool {
        let spent = match self.budget {
            Budget::Runs(runs) => self.spent.runs >= runs,
            Budget::Steps(steps) => self.spent.steps >= steps,
            Budget::Time(time) => self.began.elapsed() >= time,
        };
        let ends = self.until_run.is_some_and(|until| self.spent.runs >= until);
        spent || ends || self.stop.load(Ordering::Relaxed)
    }

    /// Puts `candidate` in the place of the best plan if it is smaller and fails likewise. Says whether it did.
    fn attempt(&mut self, candidate: Plan) -> bool {
        if self.is_spent() || Size::of(&candidate) >= self.size || candidate.check().is_err() {
            return false;
        }
        let candidate = Arc::new(candidate);
        let spent = &mut self.spent;
        let mut run = |plan: &Arc<Plan>| {
            let outcome = (self.run)(plan, false).map(|(report, _)| report);
            spent.add(&outcome);
            outcome
        };
        if self.goal.is_reached(&candidate, &mut run).is_none() {
            return false;
        }
        self.size = Size::of(&candidate);
        self.best = Arc::unwrap_or_clone(candidate);
        true
    }

    /// The same with a change of the best plan.
    fn attempt_with(&mut self, change: impl FnOnce(&mut Plan)) -> bool {
        let mut candidate = self.best.clone();
        change(&mut candidate);
        self.attempt(candidate)
    }

    /// Ends the run some time after it has failed: a smaller plan may fail a little later.
    fn cut_after(&mut self) {
        self.cut(2 * self.best.options.heartbeat_timeout().as_micros());
    }

    /// Ends the run so long after it has failed.
    fn cut(&mut self, slack_us: u64) {
        let best = Arc::new(self.best.clone());
        let outcome = (self.run)(&best, false).map(|(report, _)| report);
        self.spent.add(&outcome);
        let Some(at_us) = self.goal.breaks_at(outcome) else { return };
        if at_us >= best.options.time_us() {
            self.halve_time();
            return;
        }
        let unit = best.options.heartbeat_interval().as_micros().max(1);
        let end_us = (at_us + slack_us + 1).next_multiple_of(unit);
        self.attempt_with(|plan| plan.options.set_time_us(end_us));
    }
}

impl Shrinker<'_> {
    /// For what only the end of a run tells.
    fn halve_time(&mut self) {
        let halved = |plan: &mut Plan| {
            let time_us = plan.options.time_us();
            plan.options.set_time_us(time_us / 2);
        };
        while self.attempt_with(halved) {}
    }
}

impl std::fmt::Debug for Shrinker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shrinker").field("goal", &self.goal).field("size", &self.size).finish_non_exhaustive()
    }
}
