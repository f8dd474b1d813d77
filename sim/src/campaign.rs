//! Many runs of one protocol, on several threads, as one report.
//!
//! A campaign runs the plans of a range of seeds. Guidance adds children: runs of plans made from those that reached
//! something new. The same campaign gives the same report on any number of threads, and in any number of parts.

mod block;
mod check;
mod corpus;
mod findings;
mod histogram;
mod report;
mod saved;
mod schedule;
mod setting;
mod shrinking;

pub(crate) use findings::hex;
pub use findings::{Finding, Findings, KEPT_MAX, PropertyName};
pub use histogram::Histogram;
pub use report::{CampaignReport, Ending, Margins, Returns};
pub(crate) use saved::known;
pub use saved::{REPORT_FILE, SavedError, SavedReport};
pub use setting::Setting;
pub use shrinking::Shrinking;

use crate::engine::{Engine, Panicked};
use crate::fault::{FaultClass, FaultKind};
use crate::options::Options;
use crate::plan::Plan;
use crate::protocols;
use crate::report::RunReport;
use crate::trace::Record;
use schedule::Schedule;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The property that a run breaks which panics.
pub const NEVER_PANICS: &str = "NeverPanics";
/// The property that a run breaks in which the engines take different steps: neither of them is believed.
pub const ENGINES_AGREE: &str = "EnginesAgree";

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// What all runs have in common; it has been checked.
    pub options: Options,
    /// Which faults are drawn.
    pub classes: Vec<FaultClass>,
    /// From which seeds plans are generated.
    pub seeds: Range<u64>,
    /// Whether children are added. They need faults: a calm campaign has none.
    pub guided: bool,
    /// How time passes.
    pub engine: Engine,
    /// On how many threads; at least 1.
    pub jobs: usize,
    /// Whether it ends with the first finding.
    pub until_first: bool,
    /// Whether it ends when this much time of the wall clock has passed.
    pub limit: Option<Duration>,
}

/// How a plan is run: [`Engine::run`], unless a test has another idea.
pub type Runner<'a> = dyn Fn(Engine, &Arc<Plan>, bool) -> Result<(RunReport, Vec<Record>), Panicked> + Sync + 'a;

/// How far a campaign has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many runs are over.
    pub runs: u64,
    /// How many of them were seeds.
    pub seeds: u64,
    /// How many findings they made.
    pub findings: u64,
}

/// What a campaign has to do with the outside.
pub struct Outside<'a> {
    /// How a plan is run.
    pub runner: &'a Runner<'a>,
    /// Once it is set, each thread ends after its current run.
    pub stop: &'a AtomicBool,
    /// Called after each run, from any thread.
    pub progress: &'a (dyn Fn(Tally) + Sync),
    /// Keeps a finding that has been checked, such as in a file; false if no more can be kept. From any thread.
    pub keep: &'a (dyn Fn(&mut Finding) -> bool + Sync),
    /// Whether findings are confirmed by the other engine, and examined for the defences that prevent them.
    pub checks: bool,
}

impl fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("stop", self.stop).field("checks", &self.checks).finish_non_exhaustive()
    }
}

impl Campaign {
    /// Every seed of `seeds` under all kinds of faults, unguided, by the reference engine on one thread.
    #[must_use]
    pub fn plain(options: impl Into<Options>, seeds: Range<u64>) -> Self {
        Self {
            options: options.into(),
            classes: FaultClass::ALL.to_vec(),
            seeds,
            guided: false,
            engine: Engine::Fast,
            jobs: 1,
            until_first: false,
            limit: None,
        }
    }

    /// Runs it, and checks and keeps what it finds.
    #[must_use]
    pub fn run_on(&self, outside: &Outside<'_>) -> CampaignReport {
        let mut report = Schedule::new(self, outside).run();
        let known = protocols::of(&self.options);
        for (name, class) in FaultKind::NAMES {
            if self.classes.contains(class) && known.knows(name) {
                report.faults.entry((*name).to_owned()).or_default();
            }
        }
        report
    }

    /// Runs it, and checks nothing.
    #[must_use]
    pub fn run(&self) -> CampaignReport {
        self.run_on(&Outside {
            runner: &Engine::run,
            stop: &AtomicBool::new(false),
            progress: &|_| (),
            keep: &|_| true,
            checks: false,
        })
    }
}

/// Runs `work` on `jobs` threads.
fn on_threads(jobs: usize, work: &(impl Fn() + Sync)) {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(payload) = worker.join() {
                std::panic::resume_unwind(payload);
            }
        }
    });
}
