//! `failproof check`: the TLA+ models against their manifest.

use super::{Console, Exit};
use crate::models::{self, Checked, Checker, Entry, Failure, Looked, Model, Stale, Toured, Vacuity, Verdict};
use crate::visits;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof check
         failproof check --model Lease --model Pair
         failproof check --tlc tla2tools.jar
         failproof check --vacuity
         Exits with 1 if a verdict, a count of states, a depth or a dead action is not as the manifest says, or if
         something is idle that the manifest does not explain; with 2 if a manifest, a module or a configuration cannot
         be read.")]
pub(super) struct CheckArgs {
    /// Which models there are, and what is expected of each; spec/tla/manifest.toml of the checkout, or as it was built
    #[arg(long, value_name = "FILE.toml")]
    manifest: Option<PathBuf>,
    /// Only models of this name or of this module; can be repeated
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// The slow ones too, but for those that take hours without --tlc; a model that is named is never left out
    #[arg(long)]
    all: bool,
    /// Check with TLC, from this tla2tools.jar, by the java on the path
    #[arg(long, value_name = "JAR")]
    tlc: Option<PathBuf>,
    /// Say instead what nothing exercises: actions that no model fires, guards that are never both true and false,
    /// properties that nothing falsifies, contract edges that no run of a fixed campaign takes
    #[arg(long, conflicts_with = "tlc")]
    vacuity: bool,
    /// Threads; by default one for each core
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn check(args: &CheckArgs, console: &mut Console<'_>) -> Exit {
    let checker = args.tlc.clone().map_or(Checker::InProcess, |jar| Checker::Tlc { jar, java: "java".into() });
    let (manifest, bench) = match models::open(args.manifest.as_deref(), checker) {
        Ok(opened) => opened,
        Err(problem) => return console.complain(&problem),
    };
    let mut chosen = match manifest.chosen(&args.models) {
        Ok(chosen) => chosen,
        Err(problem) => return console.complain(&format!("--model: {problem}")),
    };
    let all = chosen.len();
    let fits = |model: &Model| !model.slow || (args.all && (args.tlc.is_some() || !model.left_to_tlc));
    chosen.retain(|model| fits(model) || !args.models.is_empty());
    let left_out = all - chosen.len();
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let began = Instant::now();
    if args.vacuity {
        let visits = visits::all(jobs.get());
        return match models::vacuity(&manifest, &bench, &chosen, &visits) {
            Ok(found) => tell(&found, args.json, began.elapsed(), console),
            Err(Failure::Panicked(why)) => {
                console.print(&format!("cannot be looked at: the checker panicked: {why}\n"), Exit::Panicked)
            }
            Err(Failure::Unreadable(why)) => console.print(&format!("cannot be looked at: {why}\n"), Exit::Usage),
        };
    }
    let (mut exit, mut wrong, mut told) = (Exit::Held, 0, Vec::new());
    let width = chosen.iter().map(|model| model.name.chars().count()).max().unwrap_or(0);
    bench.check(&chosen, jobs, |model, checked| {
        let ended = exit_of(checked);
        wrong += usize::from(ended != Exit::Held);
        exit = exit.max(ended);
        if args.json {
            told.push(as_json(model, checked));
        } else {
            exit = console.print(&as_text(model, checked, width), exit);
        }
    });
    let wall = began.elapsed();
    let text = if args.json {
        let as_expected = exit == Exit::Held;
        json!({ "models": told, "left_out": left_out, "as_expected": as_expected, "wall_seconds": seconds(wall) })
            .to_string()
    } else {
        let slow = match (left_out, args.all) {
            (0, _) => String::new(),
            (_, true) => format!(", {left_out} left to TLC (--tlc)"),
            (_, false) => format!(", {left_out} left out as slow (--all)"),
        };
        let right = chosen.len() - wrong;
        format!("{right} of {} models are as the manifest says{slow}, {:.1} s", chosen.len(), seconds(wall))
    };
    console.print(&(text + "\n"), exit)
}

/// What nothing exercises, and whether that is explained.
fn tell(found: &Vacuity, as_json: bool, wall: Duration, console: &mut Console<'_>) -> Exit {
    let exit = if found.is_explained() { Exit::Held } else { Exit::Violated };
    if as_json {
        let mut told = json!(found);
        told["as_expected"] = found.is_explained().into();
        told["wall_seconds"] = seconds(wall).into();
        return console.print(&format!("{told}\n"), exit);
    }
    let mut text = String::new();
    // A String takes everything.
    for Looked { module, states, models, all, actions, guards } in &found.modules {
        let all = if *all { "" } else { " (not all)" };
        let _ = writeln!(
            text,
            "{module}: {actions} actions and {guards} guards in {states} states{all} of {models} models"
        );
    }
    for Toured { contract, runs, steps, kinds } in &found.contracts {
        let _ = writeln!(
            text,
            "{contract}: {} of {} kinds of edges, {} of {} steps in {runs} runs",
            kinds.0, kinds.1, steps.0, steps.1
        );
    }
    for Entry { place, module, what, seen, why } in &found.idle {
        let why = why.as_deref().map_or_else(|| "NOT EXPLAINED".to_owned(), |why| format!("explained: {why}"));
        let _ = writeln!(text, "{place}: {module}: {what}: {seen}; {why}");
    }
    for Stale { place, module, what } in &found.stale {
        let _ = writeln!(text, "{place}: {module}: {what}: explained, but it is not idle, or there is no such thing");
    }
    let _ = writeln!(
        text,
        "{} idle, {} of them not explained, {} explained in vain, {:.1} s",
        found.idle.len(),
        found.unexplained().count(),
        found.stale.len(),
        seconds(wall)
    );
    console.print(&text, exit)
}

fn exit_of(checked: &Checked) -> Exit {
    match &checked.outcome {
        Ok((_, problems)) if problems.is_empty() => Exit::Held,
        Ok(_) => Exit::Violated,
        Err(Failure::Unreadable(_)) => Exit::Usage,
        Err(Failure::Panicked(_)) => Exit::Panicked,
    }
}

fn seconds(wall: Duration) -> f64 {
    (wall.as_secs_f64() * 1_000.0).round() / 1_000.0
}

/// A line with the figures, and what is wrong below it.
fn as_text(model: &Model, checked: &Checked, width: usize) -> String {
    let name = &model.name;
    let seconds = seconds(checked.wall);
    let (found, problems) = match &checked.outcome {
        Ok(outcome) => outcome,
        Err(failure) => return format!("{name:width$}  cannot be checked: {failure}\n"),
    };
    let said = match &found.verdict {
        Verdict::Holds => format!("holds, {} states, depth {}", found.states, found.depth),
        Verdict::Violates { property, trace } => format!("violates {property} in {} states", trace.len()),
        Verdict::Loops { property, trace, back_to } if *back_to == trace.len() => {
            format!("violates {property}, stays in state {back_to}")
        }
        Verdict::Loops { property, trace, back_to } => {
            format!("violates {property}, back from state {} to {back_to}", trace.len())
        }
    };
    let mut text = format!("{name:width$}  {said:52} {seconds:7.2} s");
    let never = found.never.iter().flatten().map(String::as_str).collect::<Vec<_>>();
    if !never.is_empty() {
        text += &format!("  never fires: {}", never.join(", "));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    for problem in problems {
        // A String takes everything.
        let _ = writeln!(text, "  {}: {}", problem.place, problem.message);
        for (at, step) in problem.trace.iter().enumerate() {
            let _ = writeln!(text, "    {} {step}", at + 1);
        }
        if let Some(back_to) = problem.back_to {
            let _ = match back_to == problem.trace.len() {
                true => writeln!(text, "    and nothing happens any more"),
                false => writeln!(text, "    and back to {back_to}, for ever"),
            };
        }
    }
    text
}

fn as_json(model: &Model, checked: &Checked) -> Value {
    let mut told = json!({
        "name": model.name,
        "module": model.module,
        "manifest": model.place,
        "wall_seconds": seconds(checked.wall),
    });
    match &checked.outcome {
        Err(failure) => told["error"] = failure.to_string().into(),
        Ok((found, problems)) => {
            let (verdict, trace) = match &found.verdict {
                Verdict::Holds => (json!("holds"), json!([])),
                Verdict::Violates { property, trace } => (json!({ "violates": property }), json!(trace)),
                Verdict::Loops { property, trace, back_to } => {
                    (json!({ "violates": property, "back_to": back_to }), json!(trace))
                }
            };
            told["verdict"] = verdict;
            told["trace"] = trace;
            told["states"] = found.states.into();
            told["depth"] = found.depth.into();
            told["never"] = json!(found.never);
            told["problems"] = json!(problems);
        }
    }
    told
}
