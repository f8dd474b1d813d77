//! `failproof replay`: one plan again, whether it still shows what was found, and how it becomes a regression.

use super::arguments::decide_by;
use super::progress::{Length, Progress};
use super::run::exit_of;
use super::save::{Saved, check_target, save};
use super::{Console, Exit};
use crate::campaign::{CampaignReport, Findings, Setting, hex};
use crate::engine::Engine;
use crate::output::{check_directory, write_new};
use crate::plan::Plan;
use crate::prevented::prevented_by;
use crate::report::json::ReplayJson;
use crate::report::text::ReplayText;
use crate::timeline::html::html;
use crate::timeline::mermaid::TimelineMermaid;
use crate::timeline::text::TimelineText;
use crate::timeline::{Kind, Timeline};
use crate::trace::header::Header;
use crate::trace::itf::itf;
use crate::trace::{Record, ndjson};
use crate::verdict::Verdict;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof replay out/AtMostOneWorkingPrimary-17.json --trace trace.ndjson
         failproof replay out/AtMostOneWorkingPrimary-17.json --timeline html --out timeline.html
         failproof replay small.json --save tests/plans/two-primaries.json
         Exits with 1 while the plan still breaks a property, also when it was saved.")]
pub(super) struct ReplayArgs {
    /// A plan, as `run` saves it
    file: PathBuf,
    /// How time passes: fast, the reference, or madsim
    #[arg(long, default_value = "fast")]
    engine: Engine,
    /// Decide by other rules of its protocol than the plan's: by name, as `run` takes them, or a JSON file
    #[arg(long)]
    rules: Option<String>,
    /// Write all records of the run, one JSON object a line; `-` for standard output, with the report on standard error.
    /// If the name ends in `.itf.json`: the states of the contract, in the Informal Trace Format of Apalache
    #[arg(long, value_name = "FILE.ndjson")]
    trace: Option<PathBuf>,
    /// Tell what happened, and why it broke: text, mermaid (a sequence diagram) or html (one page that needs nothing else).
    /// To standard output, with the report on standard error, unless a file is named
    #[arg(long, value_name = "KIND")]
    timeline: Option<Kind>,
    /// Where the timeline goes; html needs it
    #[arg(long, value_name = "FILE", requires = "timeline")]
    out: Option<PathBuf>,
    /// Save the plan as a regression, in a new file: with what it breaks, when, and with which trace hash, under its
    /// own, published and hardened rules, by every engine. A plan that once broke something, and holds now, is one too
    #[arg(long, value_name = "PLAN.json", conflicts_with = "rules")]
    save: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The report in one JSON object, with what was saved.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    replay: ReplayJson<'a>,
    /// Whether it breaks what the plan expects under these rules, if it says so.
    as_expected: Option<bool>,
    saved: Option<&'a Saved>,
}

pub(super) fn replay(args: &ReplayArgs, console: &mut Console<'_>) -> Exit {
    let (mut plan, expected) = match Plan::read_saved(&args.file) {
        Ok(read) => read,
        Err(error) => return console.complain(&in_file(&args.file, &error.to_string())),
    };
    let target = args.save.as_deref().map_or(Ok(()), |target| check_target(target, console.disk));
    if let Err(problem) = args.check().and(target) {
        return console.complain(&problem);
    }
    let rules = args.rules.clone().unwrap_or_else(|| plan.options.rules_name().to_owned());
    let planned = plan.options.clone();
    if let Some(rules) = &args.rules
        && let Err(problem) = decide_by(rules, &mut plan.options)
    {
        return console.complain(&problem);
    }
    let other_rules = plan.options != planned;
    let found = plan.found.take();
    let plan = Arc::new(plan);

    let began = Instant::now();
    let (report, trace_hash, records) = run_once(&plan, args, console);
    let wall = began.elapsed();
    let seeds = plan.seed..plan.seed.saturating_add(1);
    let setting = Setting {
        protocol: plan.protocol.clone(),
        rules,
        faults: String::new(),
        engine: args.engine,
        guided: false,
        campaign: seeds.clone(),
        seeds,
        options: plan.options.clone(),
    };
    let same_as_found = found.as_ref().filter(|_| !other_rules).map(|found| {
        report.kept().any(|finding| {
            let hash = finding.trace_hash.map(hex).unwrap_or_default();
            finding.property == found.property && finding.at_us == found.at_us && hash == found.trace_hash
        })
    });

    let decided_by = if other_rules { plan.options.rules_name() } else { "own" };
    let expected = expected.as_ref().and_then(|expected| expected.under(decided_by));
    let saved = args.save.as_deref().map(|to| save(to, &plan, found.as_ref(), &report, console.runner, console.disk));
    let saved = match saved.transpose() {
        Ok(saved) => saved,
        Err((exit, problem)) => {
            console.complain(&in_file(&args.file, &problem));
            return exit;
        }
    };

    let mut exit = exit_of(&report);
    if let Some(path) = &args.trace {
        let header = Header::new(&plan);
        let text = if is_itf(path) { itf(&header, &records) } else { ndjson(&header, &records) };
        exit = tell("--trace", path, &text, console, exit);
    }
    if let Some(kind) = args.timeline {
        let timeline = Timeline::new(&plan, &records, report.kept());
        let text = match kind {
            Kind::Text => TimelineText(&timeline).to_string(),
            Kind::Mermaid => TimelineMermaid(&timeline).to_string(),
            Kind::Html => html(&timeline),
        };
        exit = tell("--out", args.out.as_deref().unwrap_or(Path::new(STDOUT)), &text, console, exit);
    }
    let text = if args.json {
        let replay = ReplayJson::new(&setting, &report, wall, trace_hash, found.as_ref(), same_as_found);
        let as_expected = expected.map(|expected| *expected == Verdict::from(&report));
        match serde_json::to_string(&Told { replay, as_expected, saved: saved.as_ref() }) {
            Ok(text) => text + "\n",
            Err(error) => return exit.max(console.complain(&format!("cannot print the report: {error}"))),
        }
    } else {
        let found = found.as_ref();
        let plan = plan.to_string();
        let mut text =
            ReplayText { setting: &setting, report: &report, trace_hash, plan, found, same_as_found }.to_string();
        // Nothing refuses what is written to a string.
        let _ = expected.map_or(Ok(()), |expected| tell_expected(&mut text, expected, &Verdict::from(&report)));
        let _ = saved.map_or(Ok(()), |saved| write!(text, "\n{saved}"));
        text
    };
    if args.takes_stdout() {
        // Nobody is left to tell if standard error is gone.
        let _ = console.err.write_all(text.as_bytes());
        return exit;
    }
    console.print(&text, exit)
}

/// Runs the plan, and again with each defence if it breaks something.
fn run_once(plan: &Arc<Plan>, args: &ReplayArgs, console: &Console<'_>) -> (CampaignReport, Option<u128>, Vec<Record>) {
    let bar = Progress::new(Length::Seeds(1), console.progress && !args.json);
    let runner = console.runner;
    let (outcome, records) = match runner(args.engine, plan, args.trace.is_some() || args.timeline.is_some()) {
        Ok((report, records)) => (Ok(report), records),
        Err(panicked) => (Err(panicked), Vec::new()),
    };
    let mut report = CampaignReport { asked: 1, ..CampaignReport::default() };
    report.add_only(plan, &outcome);
    let file = &args.file;
    report.kept_mut().for_each(|finding| finding.file = Some(file.clone()));
    let again = |plan: &Arc<Plan>| runner(Engine::Fast, plan, false).map(|(report, _)| report);
    for finding in report.violations.values_mut().flat_map(Findings::kept_mut) {
        finding.prevented_by = Some(prevented_by(plan, finding.property, finding.at_us, &again));
    }
    drop(bar);
    (report, outcome.ok().map(|report| report.trace_hash), records)
}

/// Says whether the run breaks what its plan was saved with.
fn tell_expected(text: &mut String, expected: &Verdict, seen: &Verdict) -> std::fmt::Result {
    match expected == seen {
        true => writeln!(text, "\nas expected: {expected}"),
        false => writeln!(text, "\nnot as expected: {seen}; it was saved with: {expected}"),
    }
}

/// Writes what `flag` asked for to a new file, or to standard output.
fn tell(flag: &str, path: &Path, text: &str, console: &mut Console<'_>, exit: Exit) -> Exit {
    if path == Path::new(STDOUT) {
        return console.print(text, exit);
    }
    match write_new(console.disk, path, text) {
        Ok(()) => exit,
        Err(error) => exit.max(console.complain(&format!("{flag}: {error}"))),
    }
}

/// What standard output is called among files.
const STDOUT: &str = "-";

impl ReplayArgs {
    /// What is wrong with where things go, before anything is run.
    fn check(&self) -> Result<(), String> {
        let trace = self.trace.as_deref().is_some_and(is_stdout);
        let timeline = self.tells_stdout();
        if timeline && self.timeline == Some(Kind::Html) {
            return Err("--timeline html: a page is no text for a terminal; expected --out FILE.html".to_owned());
        }
        if trace && self.json {
            return Err("--trace -: standard output is taken by --json; expected a file".to_owned());
        }
        if timeline && self.json {
            return Err("--timeline: standard output is taken by --json; expected --out FILE".to_owned());
        }
        if timeline && trace {
            return Err("--timeline: standard output is taken by --trace -; expected --out FILE".to_owned());
        }
        for (flag, path) in [("--trace", &self.trace), ("--out", &self.out)] {
            if let Some(path) = path.as_deref().filter(|path| !is_stdout(path)) {
                check_directory(path.parent().unwrap_or(path)).map_err(|error| format!("{flag}: {error}"))?;
            }
        }
        Ok(())
    }

    /// Whether the timeline goes to standard output.
    fn tells_stdout(&self) -> bool {
        self.timeline.is_some() && self.out.as_deref().is_none_or(is_stdout)
    }

    /// Whether the report has to leave standard output to something else.
    fn takes_stdout(&self) -> bool {
        self.tells_stdout() || self.trace.as_deref().is_some_and(is_stdout)
    }
}

/// Whether a trace is asked for in the format of Apalache.
fn is_itf(path: &Path) -> bool {
    path.to_str().is_some_and(|name| name.ends_with(".itf.json"))
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new(STDOUT)
}

/// A complaint that names the file, whether or not it did so already.
pub(super) fn in_file(file: &Path, message: &str) -> String {
    let name = file.display().to_string();
    if message.contains(&name) { message.to_owned() } else { format!("{name}: {message}") }
}
