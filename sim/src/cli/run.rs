//! `failproof run`: many seeds, one report, a plan for each finding.

use super::arguments::{FaultsArg, ProtocolArg, RulesArg, Shard, faults, protocol, rules, seeds, shard};
use super::progress::Progress;
use super::{Console, Exit, in_flags};
use crate::campaign::{Campaign, CampaignReport};
use crate::duration::parse_duration;
use crate::engine::Engine;
use crate::options::Options;
use crate::output::Folder;
use crate::plan::Plan;
use crate::prevented;
use crate::report::json::RunJson;
use crate::report::setting::Setting;
use crate::report::text::RunText;
use failproof_core::Duration;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Where plans go without `--out`. A plan whose name is taken there gets a number behind it.
const FOLDER: &str = "out";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof run --rules published --seeds 0..2000 --faults store,network --out found
         Exits with 1 and prints the line that repeats the first violation.")]
pub(super) struct RunArgs {
    /// What is simulated: election or all
    #[arg(long, default_value = "election", value_parser = protocol)]
    protocol: ProtocolArg,
    /// Its decisions: hardened, published, client_go, shedlock, or a JSON file with every switch
    #[arg(long, default_value = "hardened", value_parser = rules)]
    rules: RulesArg,
    /// Which seeds: a..b, without b
    #[arg(long, value_name = "A..B", default_value = "0..1000", value_parser = seeds, allow_hyphen_values = true)]
    seeds: Range<u64>,
    /// Only part i of n of these seeds, i from 1 to n
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,
    /// How time passes: fast, the reference, or madsim
    #[arg(long, default_value = "fast")]
    engine: Engine,
    /// How many nodes
    #[arg(long, default_value_t = 5)]
    nodes: u16,
    /// How much time is simulated in each run
    #[arg(long, default_value = "10m", value_parser = parse_duration)]
    time: Duration,
    /// I: from one heartbeat to the next
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    interval: Duration,
    /// T: how long a heartbeat counts, more than 2 I
    #[arg(long, default_value = "5s", value_parser = parse_duration)]
    timeout: Duration,
    /// How many kinds of leader are elected side by side
    #[arg(long, default_value_t = 1)]
    utypes: u8,
    /// What goes wrong: calm, process, network, store, clock, or swarm for all; separated by commas
    #[arg(long, default_value = "swarm", value_parser = faults)]
    faults: FaultsArg,
    /// On how many threads; as many as there are processors if absent
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Where plans of findings go: `out` if absent
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print nothing but complaints; the exit code tells
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
}

/// How many files that cannot be written are named.
const COMPLAINTS: usize = 3;

pub(super) fn run(args: &RunArgs, console: &mut Console<'_>) -> Exit {
    let options = args.options();
    if let Err(error) = Plan::calm(options.clone()).check() {
        return console.complain(&in_flags(&error));
    }
    let seeds = args.shard.map_or(args.seeds.clone(), |shard| shard.of(&args.seeds));
    if seeds.is_empty() {
        return console.complain("--shard: there are fewer seeds than shards; expected at least one seed for each");
    }
    let folder = Folder { path: args.out.clone().unwrap_or_else(|| FOLDER.into()), renames: args.out.is_none() };
    if let Err(error) = folder.check() {
        return console.complain(&format!("--out: {error}"));
    }
    let jobs = args.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let campaign = Campaign { options, classes: args.faults.classes.clone(), seeds, engine: args.engine, jobs };
    let began = Instant::now();
    let mut report = simulate(&campaign, console, !args.json && !args.quiet);
    let errors = folder.write_plans(&mut report);
    let setting = Setting {
        protocol: "election".to_owned(),
        rules: args.rules.name.clone(),
        faults: args.faults.name.clone(),
        engine: args.engine,
        first_seed: campaign.seeds.start,
        options: campaign.options,
        wall_seconds: began.elapsed().as_secs_f64(),
    };
    let mut exit = exit_of(&report);
    for error in errors.iter().take(COMPLAINTS) {
        exit = exit.max(console.complain(&format!("--out: {error}")));
    }
    if errors.len() > COMPLAINTS {
        console.complain(&format!("--out: {} more files could not be written", errors.len() - COMPLAINTS));
    }
    match args.print(&setting, &report) {
        Ok(text) => console.print(&text, exit),
        Err(error) => exit.max(console.complain(&format!("cannot print the report: {error}"))),
    }
}

fn simulate(campaign: &Campaign, console: &Console<'_>, progress: bool) -> CampaignReport {
    let stop = console.interrupt.heed();
    let runner = console.runner;
    let bar = Progress::new(campaign.seeds.end - campaign.seeds.start, console.progress && progress);
    let run_by = |engine: Engine| move |plan: &Arc<Plan>| runner(engine, plan, false).map(|(report, _)| report);
    let mut report = campaign.run_with(&run_by(campaign.engine), stop, &|| bar.advance());
    // Both engines find the same; the reference does so sooner.
    prevented::examine(&mut report, campaign.jobs, stop, &run_by(Engine::Fast));
    report
}

/// How a command ends that has this to report.
pub(super) fn exit_of(report: &CampaignReport) -> Exit {
    [
        (report.interrupted, Exit::Interrupted),
        (report.panics.count() > 0, Exit::Panicked),
        (!report.violations.is_empty(), Exit::Violated),
        (report.not_converged.count() > 0, Exit::NotConverged),
    ]
    .into_iter()
    .filter_map(|(applies, exit)| applies.then_some(exit))
    .max()
    .unwrap_or_default()
}

impl RunArgs {
    fn options(&self) -> Options {
        let usual = Options::default();
        // As tight as by default, but never out of proportion to a short interval.
        let mut bounds = usual.bounds;
        let interval_us = self.interval.as_micros();
        let at_most = |bound: Duration, part: u64| bound.min(Duration::from_micros((interval_us / part).max(1)));
        bounds.latency_us_max = at_most(bounds.latency_us_max, 20);
        bounds.timer_late_us_max = at_most(bounds.timer_late_us_max, 100);
        bounds.granularity_us = at_most(bounds.granularity_us, 1_000);
        Options {
            bounds,
            nodes: self.nodes,
            utypes: self.utypes,
            time_us: self.time.as_micros(),
            heartbeat_interval_us: self.interval,
            heartbeat_timeout_us: self.timeout,
            longest_term_us: self.timeout,
            rules: self.rules.rules,
            ..usual
        }
    }

    fn print(&self, setting: &Setting, report: &CampaignReport) -> Result<String, serde_json::Error> {
        if self.quiet {
            return Ok(String::new());
        }
        if !self.json {
            return Ok(RunText { setting, report }.to_string());
        }
        let json = RunJson::new(setting, report);
        let text = match self.protocol {
            ProtocolArg::Election => serde_json::to_string(&json)?,
            ProtocolArg::All => serde_json::to_string(&BTreeMap::from([("runs", [json])]))?,
        };
        Ok(text + "\n")
    }
}
