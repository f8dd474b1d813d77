//! `failproof run`: many seeds, one report, a plan for each finding.

use super::arguments::{FaultsArg, ProtocolArg, Shard, decide_by, faults, protocol, seeds, set_size, shard};
use super::print::{Printed, Told};
use super::progress::{Length, Progress};
use super::{Console, Exit, in_flags};
use crate::campaign::{
    Campaign, CampaignReport, ENGINES_AGREE, Ending, Finding, Outside, Runner, SavedReport, Setting, Shrinking,
};
use crate::duration::parse_duration;
use crate::engine::Engine;
use crate::options::Options;
use crate::output::{Folder, OutputError};
use crate::plan::Plan;
use crate::protocols::Known;
use crate::report::human::plural;
use crate::shrink::Shrunk;
use crate::trace::header::Header;
use crate::trace::ndjson;
use failproof_core::Duration;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Where plans go without `--out`. A plan whose name is taken there gets a number behind it.
const FOLDER: &str = "out";
/// The seeds that are run if nothing else limits the campaign.
const SEEDS: Range<u64> = 0..1_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof run --rules published --seeds 0..2000 --faults store,network --out found
         Exits with 1 and prints the line that repeats the first violation.
         failproof run --protocol routing --gateways 2 --servers 3 --contexts 50
         failproof run --protocol all --for 10m --until-first --junit failproof.xml
         failproof run --seeds 0..8000 --shard 2/8 --out parts/2   (then: failproof merge parts/*)")]
pub(super) struct RunArgs {
    /// What is simulated: election, routing, distribution, or all, one after the other with a report each
    #[arg(long, default_value = "election", value_parser = protocol)]
    protocol: ProtocolArg,
    /// Its decisions: hardened, published, or a JSON file with every switch; of the election also client_go, shedlock
    #[arg(long, default_value = "hardened")]
    rules: String,
    /// Which seeds: a..b, without b. 0..1000 if absent; with --for, from 0 until the time is up
    #[arg(long, value_name = "A..B", value_parser = seeds, allow_hyphen_values = true)]
    seeds: Option<Range<u64>>,
    /// Only part i of n of these seeds, i from 1 to n. Guided campaigns are split between blocks of 1,000 seeds
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,
    /// Whether plans that reached something new are mutated: 32 short children for each seed
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    guided: bool,
    /// End with the first finding of a protocol
    #[arg(long)]
    until_first: bool,
    /// End when this much time has passed: 30s, 10m, 8h. Each of several protocols has as much
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    limit: Option<Duration>,
    /// How time passes: fast, the reference, or madsim. What one finds, the other confirms
    #[arg(long, default_value = "fast")]
    engine: Engine,
    /// How many nodes [election: 5]
    #[arg(long)]
    nodes: Option<u16>,
    /// How many kinds of leader are elected side by side [election: 1]
    #[arg(long)]
    utypes: Option<u16>,
    /// How many gateways [routing: 3]
    #[arg(long)]
    gateways: Option<u16>,
    /// How many servers, each with an alias or a seat of its own [routing: 5] [distribution: 5]
    #[arg(long)]
    servers: Option<u16>,
    /// How many clients [routing: 20] [distribution: 4]
    #[arg(long)]
    clients: Option<u16>,
    /// How many contexts there are in the end, each of one client [routing: 200]
    #[arg(long)]
    contexts: Option<u32>,
    /// How much time is simulated in each run
    #[arg(long, default_value = "10m", value_parser = parse_duration)]
    time: Duration,
    /// I: from one heartbeat to the next
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    interval: Duration,
    /// T: how long a heartbeat counts, more than 2 I
    #[arg(long, default_value = "5s", value_parser = parse_duration)]
    timeout: Duration,
    /// What goes wrong: calm, process, network, store, clock, or swarm for all; separated by commas
    #[arg(long, default_value = "swarm", value_parser = faults)]
    faults: FaultsArg,
    /// Leave plans as they were found. Else, when all runs are over, the first finding of each property is made as small as
    /// some seconds more allow, beside its plan as `.small.json`
    #[arg(long)]
    no_shrink: bool,
    /// On how many threads; as many as there are processors if absent
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Where plans of findings go, and report.json for `failproof merge`; with --protocol all, in a directory for each
    /// protocol. If absent, plans go to `out`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    printed: Printed,
}

pub(super) fn run(args: &RunArgs, console: &mut Console<'_>) -> Exit {
    let path = args.out.clone().unwrap_or_else(|| FOLDER.into());
    let parts = match args.parts(&path, console) {
        Ok(parts) => parts,
        Err(problem) => return console.complain(&problem),
    };
    let (mut exit, mut told) = (Exit::Held, Vec::new());
    for part in parts {
        let folder = Folder { path: &part.folder, renames: args.out.is_none(), disk: console.disk };
        let shows_progress = console.progress && args.printed.shows_progress();
        let began = Instant::now();
        let (report, mut errors) = simulate(&part.campaign, folder, console, shows_progress);
        let wall = Some(began.elapsed());
        let mut saved = SavedReport::new(part.setting, report);
        let save = |saved: &SavedReport| match args.out {
            Some(_) => folder.write_report(saved).err().map(|error| error.to_string()),
            None => None,
        };
        // Before anything is shrunk: nothing of a long campaign shall hang on that.
        let unsaved = save(&saved);
        let mut interrupted = saved.report.ending == Ending::Interrupted;
        let can_write = unsaved.is_none() && saved.report.ending != Ending::Unwritable;
        errors.extend(unsaved);
        if !args.no_shrink && !interrupted && can_write {
            errors.extend(shrink(&mut saved.report, part.campaign.jobs, folder, console, shows_progress));
            saved.leave_home();
            errors.extend(save(&saved));
            // The campaign itself is complete all the same.
            interrupted = console.interrupt.heed().load(Ordering::Relaxed);
        }
        saved.report.kept_mut().for_each(|finding| finding.at_home(folder.path));
        exit = exit.max(exit_of(&saved.report)).max(if interrupted { Exit::Interrupted } else { Exit::Held });
        for error in complaints(errors) {
            exit = exit.max(console.complain(&format!("--out: {error}")));
        }
        told.push(Told { setting: saved.setting, report: saved.report, wall });
        if interrupted {
            break;
        }
    }
    let many = matches!(args.protocol, ProtocolArg::All);
    args.printed.print(&told, many, console, exit)
}

/// What is to be run of one protocol, and where its findings go.
struct Part {
    campaign: Campaign,
    setting: Setting,
    folder: PathBuf,
}

/// Runs the campaign. Each finding is written as soon as it has been checked; what cannot be written is returned.
fn simulate(
    campaign: &Campaign,
    folder: Folder<'_>,
    console: &Console<'_>,
    shows_progress: bool,
) -> (CampaignReport, Vec<String>) {
    let seeds = campaign.seeds.end - campaign.seeds.start;
    let length = campaign.limit.map_or(Length::Seeds(seeds), Length::Time);
    let bar = Progress::new(length, shows_progress);
    let errors = Mutex::new(Vec::new());
    let keep = |finding: &mut Finding| match write(folder, finding, console.runner) {
        Ok(()) => true,
        Err(error) => {
            // A name that is taken says nothing about the next one; anything else does.
            let next = matches!(error, OutputError::Exists { .. });
            errors.lock().unwrap_or_else(PoisonError::into_inner).push(error.to_string());
            next
        }
    };
    let report = campaign.run_on(&Outside {
        runner: console.runner,
        stop: console.interrupt.heed(),
        progress: &|tally| bar.show(tally),
        keep: &keep,
        checks: true,
    });
    (report, errors.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Makes the first finding of each property small. Each small plan is written at once; what cannot be written is returned.
fn shrink(
    report: &mut CampaignReport,
    jobs: usize,
    folder: Folder<'_>,
    console: &Console<'_>,
    shows_progress: bool,
) -> Vec<String> {
    let bar = Progress::new(Length::Unknown, shows_progress);
    let errors = Mutex::new(Vec::new());
    let keep = |finding: &Finding, shrunk: &mut Shrunk| {
        if let Err(error) = folder.write_small(finding, shrunk) {
            errors.lock().unwrap_or_else(PoisonError::into_inner).push(error.to_string());
        }
    };
    let shrinking = Shrinking {
        runner: console.runner,
        stop: console.interrupt.heed(),
        progress: &|property, runs| bar.say(format!("shrinking {property}: {}", plural(runs, "run"))),
        keep: &keep,
        jobs,
        budget: Shrinking::USUAL,
    };
    shrinking.shrink(report);
    errors.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The plan of a finding; if the engines disagree about it, both traces beside it.
fn write(folder: Folder<'_>, finding: &mut Finding, runner: &Runner<'_>) -> Result<(), OutputError> {
    folder.write_plan(finding)?;
    if finding.property != ENGINES_AGREE {
        return Ok(());
    }
    for engine in [Engine::Fast, Engine::Madsim] {
        // An engine that panics has no trace.
        if let Ok((_, records)) = runner(engine, &finding.plan, true) {
            folder.write(
                &format!("{ENGINES_AGREE}-{}.{engine}", finding.run),
                "ndjson",
                &ndjson(&Header::new(&finding.plan), &records),
            )?;
        }
    }
    Ok(())
}

/// How many files that cannot be written are named.
const COMPLAINTS: usize = 3;

/// In an order that no thread decides, and not all of many.
fn complaints(mut errors: Vec<String>) -> Vec<String> {
    errors.sort();
    let more = errors.len().saturating_sub(COMPLAINTS);
    errors.truncate(COMPLAINTS);
    errors.extend((more > 0).then(|| format!("{more} more files could not be written")));
    errors
}

/// How a command ends that has this to report.
pub(super) fn exit_of(report: &CampaignReport) -> Exit {
    [
        (report.ending == Ending::Interrupted, Exit::Interrupted),
        (report.panics.count() + report.disagreements.count() > 0, Exit::Panicked),
        (!report.violations.is_empty(), Exit::Violated),
        (report.not_converged.count() > 0, Exit::NotConverged),
    ]
    .into_iter()
    .filter_map(|(applies, exit)| applies.then_some(exit))
    .max()
    .unwrap_or_default()
}

impl RunArgs {
    /// What is to be run, or what is wrong with the usage, before anything is run.
    fn parts(&self, path: &Path, console: &Console<'_>) -> Result<Vec<Part>, String> {
        let chosen = self.protocol.chosen();
        let mut parts = Vec::new();
        for known in &chosen {
            let (campaign, setting) = self.campaign(*known)?;
            // Reports of several protocols lie side by side.
            let folder = if chosen.len() == 1 { path.to_owned() } else { path.join(known.name()) };
            parts.push(Part { campaign, setting, folder });
        }
        for Part { folder, setting, .. } in &parts {
            let folder = Folder { path: folder, renames: self.out.is_none(), disk: console.disk };
            let ready =
                folder.check().and_then(|()| self.out.as_ref().map_or(Ok(()), |_| folder.check_report(setting)));
            ready.map_err(|error| format!("--out: {error}"))?;
        }
        self.printed.check()?;
        Ok(parts)
    }

    /// A campaign, or what is wrong with it in the words of the command line.
    fn campaign(&self, known: &dyn Known) -> Result<(Campaign, Setting), String> {
        let options = self.options(known)?;
        Plan::calm(options.clone()).check().map_err(|error| in_flags(&error))?;
        let usual = if self.limit.is_some() { 0..u64::MAX } else { SEEDS };
        let whole = self.seeds.clone().unwrap_or(usual);
        // Without faults there is nothing to mutate.
        let guided = self.guided && !self.faults.classes.is_empty();
        let seeds = self.shard.map_or(Ok(whole.clone()), |shard| shard.of(&whole, guided))?;
        let setting = Setting {
            protocol: known.name().to_owned(),
            rules: self.rules.clone(),
            faults: self.faults.name.clone(),
            engine: self.engine,
            guided,
            campaign: whole,
            seeds: seeds.clone(),
            options: options.clone(),
        };
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        let campaign = Campaign {
            options,
            classes: self.faults.classes.clone(),
            seeds,
            guided,
            engine: self.engine,
            jobs: self.jobs.map_or_else(processors, usize::from),
            until_first: self.until_first,
            limit: self.limit.map(|limit| std::time::Duration::from_micros(limit.as_micros())),
        };
        Ok((campaign, setting))
    }

    fn options(&self, known: &dyn Known) -> Result<Options, String> {
        let mut options = known.usual();
        let sizes = [
            ("nodes", self.nodes.map(u32::from)),
            ("utypes", self.utypes.map(u32::from)),
            ("gateways", self.gateways.map(u32::from)),
            ("servers", self.servers.map(u32::from)),
            ("clients", self.clients.map(u32::from)),
            ("contexts", self.contexts),
        ];
        for (name, size) in sizes {
            size.map_or(Ok(()), |size| set_size(&mut options, name, size))?;
        }
        // As tight as by default, but never out of proportion to a short interval.
        let mut bounds = *options.bounds();
        let interval_us = self.interval.as_micros();
        let at_most = |bound: Duration, part: u64| bound.min(Duration::from_micros((interval_us / part).max(1)));
        bounds.latency_us_max = at_most(bounds.latency_us_max, 20);
        bounds.timer_late_us_max = at_most(bounds.timer_late_us_max, 100);
        bounds.granularity_us = at_most(bounds.granularity_us, 1_000);
        options.set_limits(self.interval, self.timeout, bounds);
        options.set_time_us(self.time.as_micros());
        decide_by(&self.rules, &mut options)?;
        Ok(options)
    }
}
