//! The TLA+ models, checked against what their manifest says of each: verdict, distinct states, depth, dead actions.
//!
//! What is found depends on modules, configuration and manifest alone. Nothing here has a part in a run.

mod compare;
mod copies;
mod expected;
pub mod manifest;
mod scratch;
#[cfg(feature = "check")]
mod search;
mod tlc;
mod vacuity;

pub use compare::Problem;
pub use expected::{Expected, Found, Step, Verdict};
pub use manifest::{Idle, Manifest, Model, Vacuous};
#[cfg(feature = "check")]
pub use search::graph::Graph;
pub use vacuity::{Entry, Looked, Stale, Toured, Vacuity, vacuity};

use scratch::Scratch;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// What explores the states of a model.
#[derive(Clone, Debug)]
pub enum Checker {
    /// tla-checker, in this process; needs the feature `check`.
    InProcess,
    /// TLC.
    Tlc {
        /// tla2tools.jar.
        jar: PathBuf,
        /// What runs it: a path, or a name on the path.
        java: PathBuf,
    },
}

/// Why nothing can be said about a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A file cannot be read or understood, or the search cannot end.
    Unreadable(String),
    /// The checker panicked.
    Panicked(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => f.write_str(why),
            Self::Panicked(why) => write!(f, "the checker panicked: {why}"),
        }
    }
}

/// What came out of one model.
#[derive(Debug)]
pub struct Checked {
    /// What was found, and what of it the manifest says otherwise; empty if all is as expected.
    pub outcome: Result<(Found, Vec<Problem>), Failure>,
    /// How long it took.
    pub wall: Duration,
}

/// A checker that is there.
#[derive(Debug)]
pub struct Bench {
    checker: Checker,
    scratch: Scratch,
    /// Where the modules lie.
    root: PathBuf,
    /// What the root is called in messages.
    called: PathBuf,
}

/// The folder of the models in a checkout.
const FOLDER: &str = "spec/tla";

/// The manifest at `path`; without one, that of the checkout in whose root the process runs, or else the one that was
/// compiled in. With it, what checks its models.
///
/// # Errors
/// The manifest cannot be read, or the checker is not there.
pub fn open(path: Option<&Path>, checker: Checker) -> Result<(Manifest, Bench), String> {
    match &checker {
        Checker::InProcess if !cfg!(feature = "check") => {
            return Err("this failproof was built without its model checker; expected a build with \
                        `cargo build --release --features check`, or --tlc and the path of tla2tools.jar"
                .to_owned());
        }
        Checker::InProcess => {}
        Checker::Tlc { jar, java } => tlc::find(jar, java)?,
    }
    let scratch = Scratch::new()?;
    let checkout = Path::new(FOLDER).join("manifest.toml");
    let (root, called, manifest) = match path {
        None if !checkout.is_file() => {
            copies::write_to(scratch.path())?;
            (scratch.path().to_path_buf(), PathBuf::from(FOLDER), Manifest::parse(copies::MANIFEST, &checkout)?)
        }
        given => {
            let path = given.unwrap_or(&checkout);
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
            let root = path.parent().unwrap_or(Path::new("")).to_path_buf();
            (root.clone(), root, Manifest::parse(&text, path)?)
        }
    };
    Ok((manifest, Bench { checker, scratch, root, called }))
}

impl Bench {
    /// Checks `models`, the largest first, with so many threads, and tells each in the order given as soon as those
    /// before it are told.
    pub fn check(&self, models: &[&Model], jobs: NonZeroUsize, mut tell: impl FnMut(&Model, &Checked)) {
        let mut order: Vec<usize> = (0..models.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(models[at].expect.size()));
        let next = AtomicUsize::new(0);
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            for _ in 0..jobs.get().min(models.len()) {
                let (sender, next, order) = (sender.clone(), &next, &order);
                scope.spawn(move || {
                    while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if sender.send((at, self.check_one(models[at], at))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let mut waiting = BTreeMap::new();
            let mut told = 0;
            for (at, checked) in receiver {
                waiting.insert(at, checked);
                while let Some(checked) = waiting.remove(&told) {
                    tell(models[told], &checked);
                    told += 1;
                }
            }
        });
    }

    fn check_one(&self, model: &Model, at: usize) -> Checked {
        let began = Instant::now();
        let found = in_thread(|| self.find(model, at));
        let outcome = found.map(|found| {
            let problems = compare::problems(model, &found, &self.root, &self.called);
            (found, problems)
        });
        Checked { outcome, wall: began.elapsed() }
    }

    /// The state graph of a model.
    ///
    /// # Errors
    /// A file cannot be read or understood, or a formula cannot be evaluated.
    #[cfg(feature = "check")]
    pub fn graph(&self, model: &Model) -> Result<Graph, Failure> {
        in_thread(|| {
            let cfg = self.read(&model.cfg).and_then(|text| model.configured(&text));
            let cfg = cfg.and_then(|text| self.scratch.write("graph.cfg", &text));
            let graph = cfg.and_then(|cfg| search::graph::graph(model, &self.root, &cfg));
            graph.map_err(|why| Failure::Unreadable(self.in_words(&why)))
        })
    }

    /// What is seen in models of one module, in at most so many states of each, until everything moved; and of how many models.
    #[cfg(feature = "check")]
    fn walk(&self, models: &[&Model], states_max: usize) -> Result<(search::walk::Walked, usize), Failure> {
        let walk = || {
            let (mut walked, mut count) = (search::walk::Walked::default(), 0);
            for model in models {
                if count > 0 && walked.is_lively() {
                    break;
                }
                count += 1;
                let cfg = self.read(&model.cfg).and_then(|text| model.configured(&text));
                let cfg = cfg.and_then(|text| self.scratch.write("walk.cfg", &text));
                let done = cfg.and_then(|cfg| search::walk::walk(model, &self.root, &cfg, states_max, &mut walked));
                done.map_err(|why| Failure::Unreadable(self.in_words(&why)))?;
            }
            Ok((walked, count))
        };
        in_thread(walk)
    }

    fn find(&self, model: &Model, at: usize) -> Result<Found, Failure> {
        let cfg = self.read(&model.cfg).and_then(|text| model.configured(&text));
        let cfg = cfg.and_then(|text| self.scratch.write(&format!("{at}.cfg"), &text));
        let found = cfg.and_then(|cfg| match &self.checker {
            #[cfg(feature = "check")]
            Checker::InProcess => search::search(model, &self.root, &cfg),
            #[cfg(not(feature = "check"))]
            Checker::InProcess => Err("there is no checker".to_owned()),
            Checker::Tlc { jar, java } => {
                let folder = self.scratch.folder(&format!("tlc-{at}"))?;
                tlc::run(model, &self.root, &cfg, (jar, java), &folder)
            }
        });
        found.map_err(|why| Failure::Unreadable(self.in_words(&why)))
    }

    /// A message in which the root is called as the user knows it.
    fn in_words(&self, message: &str) -> String {
        if self.root == self.called || self.root.as_os_str().is_empty() {
            return message.to_owned();
        }
        message.replace(&self.root.display().to_string(), &self.called.display().to_string())
    }

    fn read(&self, file: &str) -> Result<String, String> {
        let path = self.root.join(file);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
    }
}

/// Does something in a thread of its own: the state of tla-checker is tied to the thread.
fn in_thread<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Failure::Panicked(text.unwrap_or_default()))
    })
}
