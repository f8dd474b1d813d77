//! `failproof replay`: one plan again, and whether it still shows what was found.

use super::arguments::decide_by;
use super::progress::{Length, Progress};
use super::run::exit_of;
use super::{Console, Exit};
use crate::campaign::{CampaignReport, Findings, Setting, hex};
use crate::engine::Engine;
use crate::output::{check_directory, write_new};
use crate::plan::Plan;
use crate::prevented::prevented_by;
use crate::report::json::ReplayJson;
use crate::report::text::ReplayText;
use crate::trace::{Record, ndjson};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof replay out/AtMostOneWorkingPrimary-17.json --trace trace.ndjson
         Exits with 1 while the plan still breaks a property.")]
pub(super) struct ReplayArgs {
    /// A plan, as `run` saves it
    file: PathBuf,
    /// How time passes: fast, the reference, or madsim
    #[arg(long, default_value = "fast")]
    engine: Engine,
    /// Decide by other rules of its protocol than the plan's: by name, as `run` takes them, or a JSON file
    #[arg(long)]
    rules: Option<String>,
    /// Write all records of the run, one JSON object a line; `-` for standard output, with the report on standard error
    #[arg(long, value_name = "FILE.ndjson")]
    trace: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn replay(args: &ReplayArgs, console: &mut Console<'_>) -> Exit {
    let mut plan = match Plan::read(&args.file) {
        Ok(plan) => plan,
        Err(error) => return console.complain(&in_file(&args.file, &error.to_string())),
    };
    if args.to_stdout() && args.json {
        return console.complain("--trace -: standard output is taken by --json; expected a file");
    }
    if let Some(path) = args.trace.as_deref().filter(|_| !args.to_stdout())
        && let Err(error) = check_directory(path.parent().unwrap_or(path))
    {
        return console.complain(&format!("--trace: {error}"));
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

    let mut exit = exit_of(&report);
    if let Some(path) = &args.trace {
        exit = write_trace(path, args.to_stdout(), &records, console, exit);
    }
    let text = if args.json {
        let json = ReplayJson::new(&setting, &report, wall, trace_hash, found.as_ref(), same_as_found);
        match serde_json::to_string(&json) {
            Ok(text) => text + "\n",
            Err(error) => return exit.max(console.complain(&format!("cannot print the report: {error}"))),
        }
    } else {
        let found = found.as_ref();
        let plan = plan.to_string();
        ReplayText { setting: &setting, report: &report, trace_hash, plan, found, same_as_found }.to_string()
    };
    if args.to_stdout() {
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
    let (outcome, records) = match runner(args.engine, plan, args.trace.is_some()) {
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

fn write_trace(path: &Path, to_stdout: bool, records: &[Record], console: &mut Console<'_>, exit: Exit) -> Exit {
    let text = ndjson(records);
    if to_stdout {
        return console.print(&text, exit);
    }
    match write_new(console.disk, path, &text) {
        Ok(()) => exit,
        Err(error) => exit.max(console.complain(&format!("--trace: {error}"))),
    }
}

impl ReplayArgs {
    fn to_stdout(&self) -> bool {
        self.trace.as_deref() == Some(Path::new("-"))
    }
}

/// A complaint that names the file, whether or not it did so already.
pub(super) fn in_file(file: &Path, message: &str) -> String {
    let name = file.display().to_string();
    if message.contains(&name) { message.to_owned() } else { format!("{name}: {message}") }
}
