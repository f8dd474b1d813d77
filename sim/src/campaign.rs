//! Many seeds of one protocol, on several threads, as one report.
//!
//! The report is the same for any number of threads: it is made of sums, least and largest values, a histogram of fixed
//! size and the findings of the lowest seeds. So its memory does not grow with the number of runs either.

mod findings;
mod histogram;

pub(crate) use findings::hex;
pub use findings::{Finding, Findings, KEPT_MAX};
pub use histogram::Histogram;

use crate::election;
use crate::engine::{Engine, Panicked};
use crate::fault::{FaultClass, FaultKind};
use crate::options::Options;
use crate::plan::Plan;
use crate::report::{Convergence, Exposure, RunReport};
use failproof_spec::{Action, CampaignHash, Coverage};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The property that a run breaks which does not come back after its last fault.
pub const EVENTUALLY_PRIMARY: &str = "EventuallyPrimary";
/// The property that a run breaks which panics.
pub const NEVER_PANICS: &str = "NeverPanics";

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// What all runs have in common; it has been checked.
    pub options: Options,
    /// Which faults are drawn.
    pub classes: Vec<FaultClass>,
    /// From which seeds plans are generated.
    pub seeds: Range<u64>,
    /// How time passes.
    pub engine: Engine,
    /// On how many threads; at least 1.
    pub jobs: usize,
}

/// How close the runs came to the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// The least time between the end of a primary's term and the next grant, in true microseconds.
    pub smallest_us: Option<u64>,
    /// In how many runs it was at most a tenth of T.
    pub near: u64,
}

/// How the runs came back after their last faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    /// After what time, in true microseconds, in the runs that came back.
    pub after: Histogram,
    /// The largest share of the bound that a run used, as (time, bound).
    pub worst: Option<(u64, u64)>,
    /// How many runs ended before their bound did, and so tell nothing.
    pub untold: u64,
}

/// What a campaign has to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignReport {
    /// How many runs ended, those that panicked included.
    pub runs: u64,
    /// How many were asked for.
    pub asked: u64,
    /// How long all runs were, in true microseconds.
    pub simulated_us: u64,
    /// How many steps were taken.
    pub events: u64,
    /// Over all runs that did not panic.
    pub hash: CampaignHash,
    /// What was broken, by property.
    pub violations: BTreeMap<&'static str, Findings>,
    /// Runs that did not come back within their bound.
    pub not_converged: Findings,
    /// Runs that panicked.
    pub panics: Findings,
    /// Overlaps outside the assumptions.
    pub exposure: Exposure,
    /// How often each kind of fault began; zero for kinds that were asked for and never drawn.
    pub faults: BTreeMap<String, u64>,
    /// Which actions and edges of the contract were taken.
    pub coverage: Option<Coverage>,
    /// How close the runs came.
    pub margins: Margins,
    /// Time worked by trusted primaries, in true microseconds.
    pub trusted_us: u64,
    /// Time worked by primaries outside the assumptions.
    pub doubted_us: u64,
    /// Time in which nobody worked.
    pub without_primary_us: u64,
    /// Time in which somebody could have.
    pub led_us: u64,
    /// How often a primary stopped although no fault was near.
    pub false_step_downs: u64,
    /// How the runs came back.
    pub returns: Returns,
    /// Whether it was stopped before all seeds were run.
    pub interrupted: bool,
}

impl Campaign {
    /// Runs all seeds.
    ///
    /// `progress` is called after each run, from any thread. Once `stop` is set, each thread ends after its current run.
    #[must_use]
    pub fn run(&self, stop: &AtomicBool, progress: &(dyn Fn() + Sync)) -> CampaignReport {
        self.run_with(&|plan| self.engine.run(plan, false).map(|(report, _)| report), stop, progress)
    }

    /// Runs all seeds with a run of one's own in place of the engine's.
    #[must_use]
    pub fn run_with<R>(&self, run: &R, stop: &AtomicBool, progress: &(dyn Fn() + Sync)) -> CampaignReport
    where
        R: Fn(&Arc<Plan>) -> Result<RunReport, Panicked> + Sync,
    {
        let next = AtomicU64::new(self.seeds.start);
        let work = || {
            let mut report = CampaignReport::default();
            while !stop.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if !self.seeds.contains(&seed) {
                    break;
                }
                let plan = Arc::new(election::generate(seed, &self.options, &self.classes));
                report.add(&plan, &run(&plan));
                progress();
            }
            report
        };
        let mut whole = CampaignReport { asked: self.seeds.end - self.seeds.start, ..CampaignReport::default() };
        for part in on_threads(self.jobs, &work) {
            whole.merge(part);
        }
        for (name, class) in FaultKind::NAMES {
            if self.classes.contains(class) {
                whole.faults.entry((*name).to_owned()).or_default();
            }
        }
        whole.interrupted = whole.runs < whole.asked;
        whole
    }
}

/// Runs `work` on `jobs` threads and returns what each returned.
pub(crate) fn on_threads<T: Send>(jobs: usize, work: &(impl Fn() -> T + Sync)) -> Vec<T> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload)))
            .collect()
    })
}

impl CampaignReport {
    /// Adds a run of `plan`.
    pub fn add(&mut self, plan: &Arc<Plan>, outcome: &Result<RunReport, Panicked>) {
        self.runs += 1;
        match outcome {
            Ok(report) => self.add_report(plan, report),
            Err(panicked) => self.panics.add(plan, NEVER_PANICS, None, || (0, panicked.message.clone())),
        }
    }

    fn add_report(&mut self, plan: &Arc<Plan>, report: &RunReport) {
        let hash = Some(report.trace_hash);
        self.simulated_us += report.simulated_us;
        self.events += report.events;
        self.hash.add(plan.seed, report.trace_hash);
        for violation in &report.violations {
            let findings = self.violations.entry(violation.property).or_default();
            findings.add(plan, violation.property, hash, || (violation.at_us, violation.story.clone()));
        }
        self.exposure.count += report.exposure.count;
        self.exposure.longest_us = self.exposure.longest_us.max(report.exposure.longest_us);
        for (kind, count) in &report.faults {
            match self.faults.get_mut(kind) {
                Some(sum) => *sum += count,
                None => drop(self.faults.insert(kind.clone(), *count)),
            }
        }
        add_coverage(&mut self.coverage, report.coverage.as_ref());
        self.margins.add(Margins {
            smallest_us: report.margin_smallest_us,
            near: u64::from(
                report
                    .margin_smallest_us
                    .is_some_and(|margin_us| margin_us <= plan.options.heartbeat_timeout_us.as_micros() / 10),
            ),
        });
        self.trusted_us += report.trusted_us;
        self.doubted_us += report.doubted_us;
        self.without_primary_us += report.without_primary_us;
        self.led_us += report.led_us;
        self.false_step_downs += report.false_step_downs;
        if let Some(convergence) = report.convergence {
            self.add_convergence(plan, convergence, hash);
        }
    }

    fn add_convergence(&mut self, plan: &Arc<Plan>, convergence: Convergence, hash: Option<u128>) {
        let Convergence { after_us, bound_us, told } = convergence;
        if let Some(after_us) = after_us {
            self.returns.after.add(after_us);
            self.returns.worse((after_us, bound_us));
        }
        if convergence.is_late() {
            self.not_converged.add(plan, EVENTUALLY_PRIMARY, hash, || {
                let bound = bound_us as f64 / 1e6;
                let story = match after_us {
                    Some(after_us) => format!("a primary worked {:.3} s after the last fault", after_us as f64 / 1e6),
                    None => "no primary worked after the last fault".to_owned(),
                };
                (plan.quiet_us() + bound_us, format!("{story}; expected one within {bound:.3} s"))
            });
        } else if !told && after_us.is_none() {
            self.returns.untold += 1;
        }
    }

    /// Adds what other runs had to tell.
    pub fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.simulated_us += other.simulated_us;
        self.events += other.events;
        self.hash.merge(other.hash);
        for (property, findings) in other.violations {
            self.violations.entry(property).or_default().merge(findings);
        }
        self.not_converged.merge(other.not_converged);
        self.panics.merge(other.panics);
        self.exposure.count += other.exposure.count;
        self.exposure.longest_us = self.exposure.longest_us.max(other.exposure.longest_us);
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        add_coverage(&mut self.coverage, other.coverage.as_ref());
        self.margins.add(other.margins);
        self.trusted_us += other.trusted_us;
        self.doubted_us += other.doubted_us;
        self.without_primary_us += other.without_primary_us;
        self.led_us += other.led_us;
        self.false_step_downs += other.false_step_downs;
        self.returns.after.merge(&other.returns.after);
        self.returns.untold += other.returns.untold;
        if let Some(worst) = other.returns.worst {
            self.returns.worse(worst);
        }
    }

    /// Everything that was found and kept: violations by property, then runs that did not converge, then panics.
    pub fn kept(&self) -> impl Iterator<Item = &Finding> {
        self.violations.values().chain([&self.not_converged, &self.panics]).flat_map(Findings::kept)
    }

    /// The same, to be completed.
    pub fn kept_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        let others = [&mut self.not_converged, &mut self.panics];
        self.violations.values_mut().chain(others).flat_map(Findings::kept_mut)
    }

    /// Which share of the time worked lay within the assumptions. `None` if nobody worked.
    #[must_use]
    pub fn trusted_share(&self) -> Option<f64> {
        share(self.trusted_us, self.trusted_us + self.doubted_us)
    }

    /// Which share of the time nobody worked. `None` without any time.
    #[must_use]
    pub fn without_primary_share(&self) -> Option<f64> {
        share(self.without_primary_us, self.led_us)
    }

    /// How many false step-downs there were in a thousand hours of each kind of leader.
    #[must_use]
    pub fn false_step_downs_per_1000_h(&self) -> Option<f64> {
        share(self.false_step_downs, self.led_us).map(|per_us| per_us * 3.6e12)
    }

    /// What the runs did not show, one sentence each. Faults that were meant to be drawn are in [`Self::faults`].
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        if self.margins.near == 0 {
            gaps.push("no run came within 10 % of T of the limit".to_owned());
        }
        if let Some(trusted) = self.trusted_share()
            && trusted < 0.8
        {
            gaps.push(format!("{:.1} % of the time worked is excused, more than a fifth", (1.0 - trusted) * 100.0));
        }
        let fired = |action: &Action| self.coverage.as_ref().is_some_and(|coverage| coverage.count(*action) > 0);
        let silent: Vec<_> =
            Action::ALL.into_iter().filter(|action| !fired(action)).map(|action| action.name()).collect();
        if !silent.is_empty() {
            gaps.push(format!("actions of the contract that never fired: {}", silent.join(", ")));
        }
        let absent: Vec<_> = self.faults.iter().filter(|(_, count)| **count == 0).map(|(kind, _)| &**kind).collect();
        if !absent.is_empty() {
            gaps.push(format!("faults that were never injected: {}", absent.join(", ")));
        }
        gaps
    }
}

impl Margins {
    fn add(&mut self, other: Self) {
        self.smallest_us = self.smallest_us.into_iter().chain(other.smallest_us).min();
        self.near += other.near;
    }
}

impl Returns {
    /// Keeps the larger share of its bound. Of equal shares the one with the larger bound, so that order plays no part.
    fn worse(&mut self, (after_us, bound_us): (u64, u64)) {
        let share = |(after_us, bound_us): (u64, u64), other: u64| (u128::from(after_us) * u128::from(other), bound_us);
        let worse = self.worst.is_none_or(|worst| share((after_us, bound_us), worst.1) > share(worst, bound_us));
        if worse {
            self.worst = Some((after_us, bound_us));
        }
    }

    /// The largest share of the bound that a run used.
    #[must_use]
    pub fn worst_share(&self) -> Option<f64> {
        self.worst.and_then(|(after_us, bound_us)| share(after_us, bound_us))
    }
}

fn add_coverage(sum: &mut Option<Coverage>, more: Option<&Coverage>) {
    match (sum, more) {
        (Some(sum), Some(more)) => sum.merge(more),
        (sum @ None, Some(more)) => *sum = Some(more.clone()),
        (_, None) => {}
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
