//! `failproof shrink`: the smallest plan that still breaks the same property.

use super::progress::{Length, Progress};
use super::{Console, Exit};
use crate::campaign::{PropertyName, known};
use crate::duration::parse_duration;
use crate::engine::Engine;
use crate::output::{check_new, write_new};
use crate::plan::Plan;
use crate::report::human::{plural, shell_word};
use crate::report::size::{SizeJson, measures};
use crate::shrink::{Broken, Budget, Goal, Shrunk, beside, shrink as to_smallest};
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
    /// Where the smaller plan goes, a new file; beside the plan, with `.small` in its name, if absent
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
    /// Which of the properties that it breaks; the one that it was found with if absent
    #[arg(long, value_name = "NAME", value_parser = property)]
    property: Option<PropertyName>,
    /// When to be content: after so many runs, or after a time such as 30s
    #[arg(long, value_name = "RUNS|TIME", default_value = "20000", value_parser = budget)]
    budget: Budget,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn property(text: &str) -> Result<PropertyName, String> {
    known(text).ok_or_else(|| "expected the name of a property, as reports tell it".to_owned())
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
    if let Err(error) = check_new(console.disk, &out) {
        return console.complain(&format!("--out: {error}"));
    }
    let runner = console.runner;
    let run = |plan: &Arc<Plan>, record: bool| runner(Engine::Fast, plan, record);
    let stop = console.interrupt.heed();
    let Some(goal) = Goal::find(&plan, args.property, &run) else {
        return args.nothing_to_do(console);
    };
    let mut shrunk = {
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
    let breaks = shrunk.record_found(&goal, &run);
    let mut exit = goal.exit();
    if interrupted {
        exit = exit.max(Exit::Interrupted);
    }
    let written = serde_json::to_string_pretty(&shrunk.plan).map_err(|error| error.to_string());
    let written =
        written.and_then(|text| write_new(console.disk, &out, &(text + "\n")).map_err(|error| error.to_string()));
    if let Err(error) = written {
        exit = exit.max(console.complain(&format!("--out: {error}")));
        return exit;
    }
    let told = Told { plan: &plan, shrunk: &shrunk, breaks: &breaks, interrupted, out: &out };
    let text = if args.json { told.json() } else { told.text() };
    console.print(&text, exit)
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
        let what = self.property.unwrap_or("nothing");
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
    shrunk: &'a Shrunk,
    breaks: &'a str,
    interrupted: bool,
    out: &'a Path,
}

impl Told<'_> {
    fn text(&self) -> String {
        let ended = match (self.interrupted, self.shrunk.complete) {
            (true, _) => "interrupted; more may be possible",
            (false, true) => "no step makes it smaller",
            (false, false) => "the budget was spent; more may be possible",
        };
        format!(
            "breaks {}\n  from {}\n  to   {}\n  after {}: {ended}\n\n{}\nreplay it: failproof replay {}\n",
            self.breaks,
            measures(self.plan),
            measures(&self.shrunk.plan),
            plural(self.shrunk.runs, "run"),
            self.shrunk.plan,
            shell_word(&self.out.display().to_string())
        )
    }

    fn json(&self) -> String {
        let told = json!({
            "fails": true,
            "breaks": self.breaks,
            "property": self.shrunk.plan.found.as_ref().map(|found| &found.property),
            "from": SizeJson::of(self.plan),
            "to": SizeJson::of(&self.shrunk.plan),
            "runs": self.shrunk.runs,
            "complete": self.shrunk.complete,
            "plan": self.out.display().to_string(),
        });
        format!("{told}\n")
    }
}
