//! `failproof shrink`: the smallest plan that still breaks the same property.

use super::progress::{Length, Progress};
use super::{Console, Exit};
use crate::campaign::hex;
use crate::duration::parse_duration;
use crate::engine::{Engine, Panicked};
use crate::output::{check_directory, write_new};
use crate::plan::{Found, Plan};
use crate::protocols::words;
use crate::report::RunReport;
use crate::report::human::{count, moment, plural, shell_word, span};
use crate::shrink::{Broken, Budget, Goal, Shrunk, Size, shrink as to_smallest};
use crate::trace::Record;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof shrink out/AtMostOneWorkingPrimary-17.json --out small.json
         failproof replay small.json
         Exits with 1 while the plan breaks something, as replay does; with 0, and writes nothing, if it does not.
         A budget in runs gives the same plan on every machine, a time does not.")]
pub(super) struct ShrinkArgs {
    /// A plan that fails, as `run` saves it
    file: PathBuf,
    /// Where the smaller plan goes; beside the plan, with `.small` in its name, if absent
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
    /// Which of the properties that it breaks; the one that it was found with if absent
    #[arg(long, value_name = "NAME")]
    property: Option<String>,
    /// When to be content: after so many runs, or after a time such as 30s
    #[arg(long, value_name = "RUNS|TIME", default_value = "20000", value_parser = budget)]
    budget: Budget,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn budget(text: &str) -> Result<Budget, String> {
    let expected = "expected a number of runs, or a time such as 30s, more than zero";
    let budget = match text.parse() {
        Ok(runs) => Budget::Runs(runs),
        Err(_) => {
            let time = parse_duration(text).map_err(|_| expected.to_owned())?;
            Budget::Time(std::time::Duration::from_micros(time.as_micros()))
        }
    };
    match budget {
        Budget::Runs(0) | Budget::Time(std::time::Duration::ZERO) => Err(expected.to_owned()),
        _ => Ok(budget),
    }
}

pub(super) fn shrink(args: &ShrinkArgs, console: &mut Console<'_>) -> Exit {
    let plan = match Plan::read(&args.file) {
        Ok(plan) => Arc::new(plan),
        Err(error) => return console.complain(&super::replay::in_file(&args.file, &error.to_string())),
    };
    let out = args.out.clone().unwrap_or_else(|| beside(&args.file));
    if let Err(error) = check_directory(out.parent().unwrap_or(&out)) {
        return console.complain(&format!("--out: {error}"));
    }
    let runner = console.runner;
    let run = |plan: &Arc<Plan>, record: bool| runner(Engine::Fast, plan, record);
    let stop = console.interrupt.heed();
    let Some(goal) = Goal::find(&plan, args.property.as_deref(), &run) else {
        return args.nothing_to_do(console);
    };
    let shrunk = {
        let bar = Progress::new(Length::Unknown, console.progress && !args.json);
        let runs = std::cell::Cell::new(0);
        let counted = |plan: &Arc<Plan>, record: bool| {
            runs.set(runs.get() + 1);
            bar.say(plural(runs.get(), "run"));
            run(plan, record)
        };
        to_smallest(&plan, &goal, args.budget, &counted, stop)
    };
    let interrupted = stop.load(Ordering::Relaxed);
    let (smallest, breaks) = with_found(&shrunk, &goal, &run);
    let mut exit = goal.exit();
    if interrupted {
        exit = exit.max(Exit::Interrupted);
    }
    let written = serde_json::to_string_pretty(&smallest).map_err(|error| error.to_string());
    let written =
        written.and_then(|text| write_new(console.disk, &out, &(text + "\n")).map_err(|error| error.to_string()));
    if let Err(error) = written {
        exit = exit.max(console.complain(&format!("--out: {error}")));
        return exit;
    }
    let told = Told { plan: &plan, smallest: &smallest, shrunk: &shrunk, breaks: &breaks, out: &out };
    let text = if args.json { told.json() } else { told.text() };
    console.print(&text, exit)
}

/// Where a plan that is shrunk goes by itself.
fn beside(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}.small.json"))
}

/// The plan with what it is found to break, and that in words.
fn with_found<R>(shrunk: &Shrunk, goal: &Goal, run: &R) -> (Plan, String)
where
    R: Fn(&Arc<Plan>, bool) -> Result<(RunReport, Vec<Record>), Panicked>,
{
    let mut plan = shrunk.plan.clone();
    let outcome = run(&Arc::new(plan.clone()), false).map(|(report, _)| report);
    match (goal.broken(), outcome) {
        (Broken::Property(property), Ok(report)) => {
            let found = report.violations.iter().find(|found| found.property == *property);
            let at_us = found.map_or(0, |found| found.at_us);
            plan.found = Some(Found {
                property: (*property).to_owned(),
                at_us,
                trace_hash: hex(report.trace_hash),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            });
            let story = found.map(|found| found.story.clone()).unwrap_or_default();
            (plan, format!("{property} at {}: {story}", moment(at_us)))
        }
        (Broken::Panicked(message), _) => (plan, format!("a panic: {message}")),
        (Broken::NotBack, _) | (Broken::Property(_), Err(_)) => {
            let words = format!("{} in time after the last fault", words(&plan.options).not_back);
            (plan, words)
        }
    }
}

impl Goal {
    /// How a command ends that shows this.
    const fn exit(&self) -> Exit {
        match self.broken() {
            Broken::Property(_) => Exit::Violated,
            Broken::NotBack => Exit::NotConverged,
            Broken::Panicked(_) => Exit::Panicked,
        }
    }
}

impl ShrinkArgs {
    /// The plan does not fail, or not so.
    fn nothing_to_do(&self, console: &mut Console<'_>) -> Exit {
        let what = self.property.as_deref().unwrap_or("nothing");
        let file = self.file.display();
        match (self.json, &self.property) {
            (true, _) => {
                console.print(&format!("{}\n", json!({ "fails": false, "property": self.property })), Exit::Held)
            }
            (false, Some(_)) => console
                .print(&format!("{file} does not break {what}: nothing to shrink, nothing written\n"), Exit::Held),
            (false, None) => console
                .print(&format!("{file} breaks {what}: there is nothing to shrink, nothing was written\n"), Exit::Held),
        }
    }
}

struct Told<'a> {
    plan: &'a Plan,
    smallest: &'a Plan,
    shrunk: &'a Shrunk,
    breaks: &'a str,
    out: &'a Path,
}

impl Told<'_> {
    fn text(&self) -> String {
        let ended = if self.shrunk.complete {
            "no step makes it smaller"
        } else {
            "the budget was spent; more may be possible"
        };
        format!(
            "breaks {}\n  from {}\n  to   {}\n  after {}: {ended}\n\n{}\nreplay it: failproof replay {}\n",
            self.breaks,
            measures(self.plan),
            measures(self.smallest),
            plural(self.shrunk.runs, "run"),
            self.smallest,
            shell_word(&self.out.display().to_string())
        )
    }

    fn json(&self) -> String {
        let size = |plan: &Plan| {
            let sizes: serde_json::Map<_, _> =
                plan.options.sizes().iter().map(|(number, word)| (format!("{word}s"), json!(number))).collect();
            json!({
                "faults": plan.faults.len(), "tasks": plan.workload.len(), "fates": plan.fates.len(),
                "random_sources": Size::of(plan).noise, "sizes": sizes, "time_us": plan.options.time_us(),
            })
        };
        let told = json!({
            "fails": true,
            "breaks": self.breaks,
            "property": self.smallest.found.as_ref().map(|found| &found.property),
            "from": size(self.plan),
            "to": size(self.smallest),
            "runs": self.shrunk.runs,
            "complete": self.shrunk.complete,
            "plan": self.out.display().to_string(),
        });
        format!("{told}\n")
    }
}

/// How large a plan is, in words.
fn measures(plan: &Plan) -> String {
    let size = Size::of(plan);
    let mut words = vec![plural(plan.faults.len() as u64, "fault")];
    words.extend((!plan.workload.is_empty()).then(|| plural(plan.workload.len() as u64, "task")));
    words.extend((!plan.fates.is_empty()).then(|| plural(plan.fates.len() as u64, "message fate")));
    words.extend(plan.options.sizes().iter().map(|(number, word)| plural(*number, word)));
    words.push(span(plan.options.time_us()));
    words.push(match size.noise {
        0 => "no noise".to_owned(),
        sources => {
            format!("{} of noise", count(u64::from(sources)) + if sources == 1 { " source" } else { " sources" })
        }
    });
    words.join(", ")
}
