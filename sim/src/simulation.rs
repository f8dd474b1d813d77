//! Simulations as tests of one's own: many seeds or one plan, then assertions on safety and on convergence.
//!
//! ```
//! use failproof::election::Options;
//! use failproof::fault::{FaultKind, Place};
//! use failproof::plan::Plan;
//! use failproof::simulation::Simulation;
//!
//! let options = Options { nodes: 3, time_us: 60_000_000, ..Options::default() };
//! let pause = FaultKind::Pause { node: Place::Primary };
//! let plan = Plan::calm(options.clone()).fault(pause, 10_000_000, 8_000_000);
//! Simulation::plan(plan).run().assert_safe().assert_converged();
//! Simulation::seeds(options, "process,network", 0..20).run().assert_safe().assert_converged();
//! ```
//!
//! `FAILPROOF_SEED=n` runs one seed, `FAILPROOF_SEEDS=n` widens the sweep to `n` seeds, `FAILPROOF_PLAN=FILE` runs one
//! plan instead. What fails is saved below `FAILPROOF_OUT` (else the system's folder for temporary files), and the panic
//! says how to repeat it.

use crate::engine::Engine;
use crate::fault::FaultClass;
use crate::generate::generate;
use crate::options::Options;
use crate::plan::{Found, Plan};
use crate::protocols::words;
use crate::report::RunReport;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to run.
#[derive(Clone, Debug)]
pub struct Simulation {
    plans: Plans,
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Plans {
    One(Box<Plan>),
    Many(Box<Options>, Vec<FaultClass>, Range<u64>),
}

/// What the runs have to tell, each with its plan.
#[derive(Debug)]
pub struct Outcome {
    runs: Vec<(Arc<Plan>, RunReport)>,
}

impl Simulation {
    /// One plan.
    #[must_use]
    pub fn plan(plan: Plan) -> Self {
        Self { plans: Plans::One(Box::new(plan)), engine: Engine::Fast }
    }

    /// Generated plans: `faults` names classes as `failproof run --faults` does, `swarm` for all.
    ///
    /// # Panics
    /// When `faults` names no class.
    #[must_use]
    pub fn seeds(options: impl Into<Options>, faults: &str, seeds: Range<u64>) -> Self {
        let classes = FaultClass::parse_list(faults).unwrap_or_else(|problem| panic!("{problem}"));
        Self { plans: Plans::Many(Box::new(options.into()), classes, seeds), engine: Engine::Fast }
    }

    /// Under another engine than the event loop.
    #[must_use]
    pub const fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Runs it.
    ///
    /// # Panics
    /// When a plan cannot be run, a machine panics, or there is nothing to run; the message says which plan, and how to
    /// repeat it.
    #[must_use]
    pub fn run(self) -> Outcome {
        let plans: Box<dyn Iterator<Item = Plan>> = match (std::env::var_os("FAILPROOF_PLAN"), self.plans) {
            (Some(path), _) => {
                let plan = Plan::read(Path::new(&path)).unwrap_or_else(|error| panic!("FAILPROOF_PLAN: {error}"));
                Box::new(std::iter::once(plan))
            }
            (None, Plans::One(plan)) => Box::new(std::iter::once(*plan)),
            (None, Plans::Many(options, classes, seeds)) => {
                let seeds = match (number("FAILPROOF_SEED"), number("FAILPROOF_SEEDS")) {
                    (Some(seed), _) => seed..seed.saturating_add(1),
                    (None, Some(count)) => seeds.start..seeds.start.saturating_add(count),
                    (None, None) => seeds,
                };
                Box::new(seeds.map(move |seed| generate(seed, &options, &classes)))
            }
        };
        let run = |plan: Plan| {
            if let Err(error) = plan.check() {
                panic!("{error}");
            }
            let plan = Arc::new(plan);
            match self.engine.run(&plan, false) {
                Ok((report, _)) => (plan, report),
                Err(panicked) => panic!("{} panicked: {}\n{}", plan.protocol, panicked.message, repeat(&plan, None)),
            }
        };
        let runs: Vec<_> = plans.map(run).collect();
        assert!(!runs.is_empty(), "nothing was run; expected a range of seeds that is not empty, or a plan");
        Outcome { runs }
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`; expected a number")))
}

impl Outcome {
    /// What each run has to tell.
    pub fn reports(&self) -> impl Iterator<Item = &RunReport> {
        self.runs.iter().map(|(_, report)| report)
    }

    /// No run broke a property.
    ///
    /// # Panics
    /// With the first violation, the saved plan and the line that replays it.
    pub fn assert_safe(&self) -> &Self {
        for (plan, report) in &self.runs {
            if let Some(violation) = report.violations.first() {
                let found = Found {
                    property: violation.property.to_owned(),
                    at_us: violation.at_us,
                    trace_hash: format!("{:032x}", report.trace_hash),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                };
                panic!(
                    "{} at {:.3} s: {}\n{}",
                    violation.property,
                    violation.at_us as f64 / 1e6,
                    violation.story,
                    repeat(plan, Some(found))
                );
            }
        }
        self
    }

    /// Every run that went on for long enough came back in time after its last fault.
    ///
    /// # Panics
    /// With the first run that did not, the saved plan and the line that replays it; also when no run was long enough.
    pub fn assert_converged(&self) -> &Self {
        let mut told = false;
        for (plan, report) in &self.runs {
            let Some(convergence) = report.convergence else { continue };
            told |= convergence.told;
            if convergence.is_late() {
                panic!(
                    "{} within {:.3} s after the last fault\n{}",
                    words(&plan.options).not_back,
                    convergence.bound_us as f64 / 1e6,
                    repeat(plan, None)
                );
            }
        }
        assert!(told, "no run goes on for long enough after its last fault to tell whether it comes back");
        self
    }
}

/// Saves a plan that failed, and says how to repeat it.
fn repeat(plan: &Plan, found: Option<Found>) -> String {
    let mut plan = plan.clone();
    plan.found = found;
    let folder =
        std::env::var_os("FAILPROOF_OUT").map_or_else(|| std::env::temp_dir().join("failproof"), PathBuf::from);
    let what = plan.found.as_ref().map_or_else(
        || words(&plan.options).not_back_file.to_owned(),
        |found| format!("{}-{}", found.property, &found.trace_hash[..8]),
    );
    let path = folder.join(format!("{}-{}-{what}.json", plan.protocol, plan.seed));
    let text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text + "\n")) {
        Ok(()) => format!(
            "seed {}, plan saved as {path}\nreplay it: failproof replay {path}\nmake it small: failproof shrink {path}\n\
             test it: FAILPROOF_PLAN={path} cargo test",
            plan.seed,
            path = path.display()
        ),
        Err(error) => format!("seed {}; its plan cannot be saved as {}: {error}", plan.seed, path.display()),
    }
}
