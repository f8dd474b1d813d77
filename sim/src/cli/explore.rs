//! `failproof explore`: exhaustive search of the real machines in a small world.

use super::arguments::{ProtocolArg, decide_by, protocol, set_size};
use super::progress::{Length, Progress};
use super::{Console, Exit, in_flags};
use crate::duration::{parse_drift, parse_duration};
use crate::explore::{self, Bounds, Counterexample, Instance, Limits, Outcome, Outside, Stopped};
use crate::fault::Place;
use crate::options::{ClockOptions, Options};
use crate::output::{Folder, check_directory, write_new};
use crate::report::human::{count, plural};
use failproof_core::Duration;
use failproof_core::election::{Bounds as Assumed, Work};
use failproof_spec::Property;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

/// Where a plan goes without `--out`.
const FOLDER: &str = "out";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof explore --rules published --property AtMostOneWorkingPrimary
         failproof explore --nodes 3 --horizon 5
         failproof explore --rules no-fencing.json --operations --pauses 1 --out found/fencing.json
         failproof explore --protocol routing --rules published --property OneOwnerPerEpoch
         failproof explore --protocol distribution --rules published
         Tells whether the properties hold up to the bounds. Else it exits with 1, tells a shortest way to a state that
         breaks one, and writes it as a plan for `failproof replay`. Without --horizon an election has 8 quanta for one
         node, 7 for two, 4 for three, 3 for more, and the others 2. A search that a limit ends is incomplete; it exits with 0,
         and says so.")]
pub(super) struct ExploreArgs {
    /// What is searched: election, routing or distribution
    #[arg(long, default_value = "election", value_parser = protocol)]
    protocol: ProtocolArg,
    /// Its decisions: hardened, published, client_go, shedlock, or a JSON file with every switch
    #[arg(long, default_value = "hardened")]
    rules: String,
    /// How many nodes an election has; 2 if absent
    #[arg(long)]
    nodes: Option<u16>,
    /// How many gateways route; 1 if absent
    #[arg(long)]
    gateways: Option<u16>,
    /// How many context servers or job servers there are; 2 if absent
    #[arg(long)]
    servers: Option<u16>,
    /// How many clients or submitters there are; 1 if absent
    #[arg(long)]
    clients: Option<u16>,
    /// How many contexts the clients create; 1 if absent
    #[arg(long)]
    contexts: Option<u32>,
    /// How many jobs the submitters submit; 1 if absent
    #[arg(long)]
    jobs: Option<u32>,
    /// What processes draw their chance from, which decides what clients wish and what jobs are
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How long the world is, in quanta; by protocol and number of nodes if absent
    #[arg(long, value_name = "QUANTA")]
    horizon: Option<u8>,
    /// How long a message may be under way, in quanta; 1 for an election, else 0 if absent
    #[arg(long, value_name = "QUANTA")]
    delay: Option<u8>,
    /// How many crashes there are at most
    #[arg(long, default_value_t = 0)]
    crashes: u8,
    /// How many pauses there are at most
    #[arg(long, default_value_t = 0)]
    pauses: u8,
    /// How often the store restarts empty at most
    #[arg(long, default_value_t = 0)]
    wipes: u8,
    /// Let primaries write to the resource, once in an interval; an operation takes a quantum before it leaves
    #[arg(long)]
    operations: bool,
    /// I: from one heartbeat to the next
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    interval: Duration,
    /// T: how long a heartbeat counts, more than 2 I; 2.5 I for an election, else 3 I if absent
    #[arg(long, value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// The unit of true time, at most I: timers are late by as much at most; I / 2 for an election, else I if absent
    #[arg(long, value_parser = parse_duration)]
    quantum: Option<Duration>,
    /// Let the store's clock be as fast, and that of the first node or server as slow, as this rate: 0.001, 1000ppm
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = parse_drift)]
    drift: u32,
    /// Ask only for this property; can be repeated
    #[arg(long = "property", value_name = "NAME", value_parser = property)]
    properties: Vec<Property>,
    /// End with so many distinct states
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..u64::from(u32::MAX)))]
    max_states: Option<u64>,
    /// End with so much memory, in MiB
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    memory: Option<u32>,
    /// Where the plan of a counterexample goes: a file that ends in .json, or a directory. If absent, `out`
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn property(text: &str) -> Result<Property, String> {
    Property::from_name(text).ok_or_else(|| "no property has this name; expected one as reports name it".to_owned())
}

pub(super) fn explore(args: &ExploreArgs, console: &mut Console<'_>) -> Exit {
    let instance = match args.instance() {
        Ok(instance) => instance,
        Err(problem) => return console.complain(&problem),
    };
    let path = args.out.clone().unwrap_or_else(|| FOLDER.into());
    let parent = if args.names_file() { path.parent().unwrap_or(&path) } else { &path };
    if let Err(error) = check_directory(parent) {
        return console.complain(&format!("--out: {error}"));
    }
    let limits = Limits {
        states_max: args.max_states.unwrap_or(Limits::default().states_max),
        memory_max: args.memory.map_or(usize::MAX, |mib| (mib as usize).saturating_mul(1 << 20)),
    };
    let began = Instant::now();
    let bar = Progress::new(Length::Unknown, console.progress && !args.json);
    let horizon = instance.bounds().horizon;
    let searched = explore::explore(
        &instance,
        &args.properties,
        limits,
        &Outside {
            stop: console.interrupt.heed(),
            progress: &|so_far| {
                let states = count(so_far.states);
                bar.say(format!("{states} states, depth {}, quantum {} of {horizon}", so_far.depth, so_far.now));
            },
        },
    );
    let wall = began.elapsed();
    drop(bar);
    let (outcome, counterexample) = match searched {
        Ok(searched) => searched,
        Err(problem) => return console.complain(&format!("--protocol or --property: {problem}")),
    };
    let mut exit = match outcome.stopped {
        Stopped::Broken(_) => Exit::Violated,
        Stopped::Interrupted => Exit::Interrupted,
        Stopped::Exhausted | Stopped::States | Stopped::Memory => Exit::Held,
    };
    let mut file = None;
    if let Some(found) = &counterexample
        && let Some(plan) = &found.plan
    {
        let written = serde_json::to_string_pretty(plan).map_err(|error| error.to_string()).and_then(|text| {
            let (text, disk) = (text + "\n", console.disk);
            if args.names_file() {
                return write_new(disk, &path, &text).map(|()| path.clone()).map_err(|error| error.to_string());
            }
            let folder = Folder { path: &path, renames: args.out.is_none(), disk };
            let stem = format!("{}-explored", found.property);
            folder.write(&stem, "json", &text).map_err(|error| error.to_string())
        });
        match written {
            Ok(path) => file = Some(path),
            Err(error) => exit = exit.max(console.complain(&format!("--out: {error}"))),
        }
    }
    let report = Report {
        args,
        instance: &instance,
        outcome: &outcome,
        found: counterexample.as_ref(),
        file: file.as_ref().map(|path| path.display().to_string()),
        seconds: wall.as_secs_f64(),
    };
    let text = if args.json { report.json().to_string() + "\n" } else { report.text() };
    console.print(&text, exit)
}

impl ExploreArgs {
    fn names_file(&self) -> bool {
        self.out.as_ref().is_some_and(|path| path.extension().is_some_and(|extension| extension == "json"))
    }

    /// What is searched, or what is wrong with it in the words of the command line.
    fn instance(&self) -> Result<Instance, String> {
        let ProtocolArg::One(known) = self.protocol else {
            return Err(
                "--protocol: one protocol is searched at a time; expected election, routing or distribution".to_owned()
            );
        };
        let mut options = known.usual();
        for (name, size) in self.sizes(&options) {
            set_size(&mut options, name, size)?;
        }
        let is_election = matches!(options, Options::Election(_));
        let quantum = self.quantum.unwrap_or(match is_election {
            true => Duration::from_micros(self.interval.as_micros() / 2),
            false => self.interval,
        });
        let timeout = self.timeout.unwrap_or(match is_election {
            true => Duration::from_micros(self.interval.as_micros() * 5 / 2),
            false => self.interval.times(3),
        });
        // A server that looks for work at the end of its term finds that over: the term is a little shorter, so that this is
        // so in true time.
        let late = match &options {
            Options::Distribution(_) => Duration::from_micros(quantum.as_micros() + quantum.as_micros() / 64),
            Options::Election(_) | Options::Routing(_) => quantum,
        };
        let assumed = Assumed {
            drift_ppm: self.drift,
            latency_us_max: Duration::from_micros((self.interval.as_micros() / 20).max(1)),
            timer_late_us_max: late,
            stop_us_max: Duration::ZERO,
            granularity_us: Duration::from_micros(1),
        };
        options.set_limits(self.interval, timeout, assumed);
        decide_by(&self.rules, &mut options)?;
        // Clients that wait a little less than the others can be first in a quantum, in which they are due all the same: so
        // that what happens before a timer of others is due happens so in true time.
        let wait = Duration::from_micros(self.interval.as_micros() - self.interval.as_micros() / 64);
        let (clocks, slow, by_size) = match &mut options {
            Options::Election(election) => {
                let every_us = if self.operations { self.interval } else { Duration::ZERO };
                election.work = Work { every_us, takes_us: quantum };
                let by_size = match election.nodes {
                    0 | 1 => 8,
                    2 => 7,
                    3 => 4,
                    _ => 3,
                };
                (&mut election.clocks, Place::Node(0), by_size)
            }
            Options::Routing(_) | Options::Distribution(_) if self.operations => {
                let protocol = options.protocol();
                return Err(format!("--operations: protocol {protocol} has no such option; expected it with election"));
            }
            Options::Routing(routing) => {
                (routing.every_us, routing.patience_us) = (wait, wait);
                (&mut routing.clocks, Place::Server(0), 2)
            }
            Options::Distribution(distribution) => {
                distribution.shorten(self.interval, wait);
                (&mut distribution.clocks, Place::Server(0), 2)
            }
        };
        if self.drift > 0 {
            let ppm = i32::try_from(self.drift).map_err(|error| format!("--drift: {error}"))?;
            let clock = |node, ppm| ClockOptions { node, ahead_us: 0, ppm };
            *clocks = vec![clock(Place::Store, ppm), clock(slow, -ppm)];
        }
        let bounds = Bounds {
            quantum,
            horizon: self.horizon.unwrap_or(by_size),
            delay: self.delay.unwrap_or(u8::from(is_election)),
            crashes: self.crashes,
            pauses: self.pauses,
            wipes: self.wipes,
        };
        let instance = Instance::new(options, bounds).map_err(|error| in_flags(&error))?;
        Ok(instance.with_chance(self.seed))
    }

    /// The sizes that were asked for, and small ones of the protocol.
    fn sizes(&self, options: &Options) -> Vec<(&'static str, u32)> {
        let small: &[_] = match options {
            Options::Election(_) => &[("nodes", 2)],
            Options::Routing(_) => &[("gateways", 1), ("servers", 2), ("clients", 1), ("contexts", 1)],
            Options::Distribution(_) => &[("servers", 2), ("clients", 1), ("jobs", 1)],
        };
        let short = |size: Option<u16>| size.map(u32::from);
        let asked = [
            ("nodes", short(self.nodes)),
            ("gateways", short(self.gateways)),
            ("servers", short(self.servers)),
            ("clients", short(self.clients)),
            ("contexts", self.contexts),
            ("jobs", self.jobs),
        ];
        let asked = asked.into_iter().filter_map(|(name, size)| Some((name, size?)));
        small.iter().copied().chain(asked).collect()
    }
}

/// What there is to tell.
struct Report<'a> {
    args: &'a ExploreArgs,
    instance: &'a Instance,
    outcome: &'a Outcome,
    found: Option<&'a Counterexample>,
    file: Option<String>,
    seconds: f64,
}

impl Report<'_> {
    fn states_per_second(&self) -> f64 {
        self.outcome.states as f64 / self.seconds.max(1e-6)
    }

    /// How much there is of what.
    fn sizes(&self) -> impl Iterator<Item = (u64, &'static str)> {
        self.instance.plan().options.sizes().into_iter()
    }

    fn json(&self) -> Value {
        let Bounds { quantum, horizon, delay, crashes, pauses, wipes } = *self.instance.bounds();
        let options = &self.instance.plan().options;
        let outcome = self.outcome;
        let mut told = json!({
            "protocol": options.protocol(),
            "rules": self.args.rules,
            "bounds": {
                "quantum_us": quantum.as_micros(),
                "horizon": horizon,
                "delay": delay,
                "crashes": crashes,
                "pauses": pauses,
                "wipes": wipes,
                "operations": self.args.operations,
                "interval_us": self.args.interval.as_micros(),
                "timeout_us": options.heartbeat_timeout().as_micros(),
                "drift_ppm": self.args.drift,
            },
            "states": outcome.states,
            "generated": outcome.generated,
            "depth": outcome.depth,
            "wall_seconds": (self.seconds * 1e3).round() / 1e3,
            "states_per_second": self.states_per_second().round(),
            "bytes_per_state": (outcome.bytes_per_state() * 10.0).round() / 10.0,
            "complete": outcome.stopped == Stopped::Exhausted,
            "violation": self.found.map(|found| json!({
                "property": found.property.name(),
                "opening": found.opening,
                "moves": found.moves,
                "plan": self.file,
            })),
        });
        for (size, name) in self.sizes() {
            told[format!("{name}s")] = size.into();
        }
        told
    }

    fn text(&self) -> String {
        let Bounds { quantum, horizon, delay, crashes, pauses, wipes } = *self.instance.bounds();
        let (args, outcome) = (self.args, self.outcome);
        let options = &self.instance.plan().options;
        let mut text = format!(
            "{}, {} rules, {}: {horizon} quanta of {quantum}, I {}, T {}, messages up to {}\n",
            options.protocol(),
            args.rules,
            self.sizes().map(|(size, name)| plural(size, name)).collect::<Vec<_>>().join(", "),
            args.interval,
            options.heartbeat_timeout(),
            plural(u64::from(delay), "quantum").replace("quantums", "quanta"),
        );
        // A String takes everything that is written to it.
        let crashes = plural(u64::from(crashes), "crash").replace("crashs", "crashes");
        let operations = if args.operations { "operations" } else { "no operations" };
        let _ = writeln!(
            text,
            "  at most {crashes}, {}, {}; {operations}",
            plural(u64::from(pauses), "pause"),
            plural(u64::from(wipes), "wipe")
        );
        let _ = writeln!(
            text,
            "  {} distinct states, {} generated, depth {}",
            count(outcome.states),
            count(outcome.generated),
            outcome.depth
        );
        let memory = &outcome.memory;
        let each = |bytes: usize| bytes as f64 / outcome.states as f64;
        let _ = writeln!(
            text,
            "  {:.2} s, {} states/s; {:.1} bytes a state: fingerprints {:.1}, parents {:.1}, frontier {:.1}, values {:.1}",
            self.seconds,
            count(self.states_per_second() as u64),
            outcome.bytes_per_state(),
            each(memory.fingerprints),
            each(memory.parents),
            each(memory.frontier),
            each(memory.values),
        );
        let distinct = &outcome.distinct;
        let _ = writeln!(
            text,
            "  {} machines, {} steps of them, {} messages, {} sets of messages; chance that two states were taken for one: \
             {:.0e}",
            count(distinct.machines as u64),
            count(distinct.steps as u64),
            count(distinct.messages as u64),
            count(distinct.sets as u64),
            (outcome.states as f64).powi(2) / 2_f64.powi(65)
        );
        let _ = match outcome.stopped {
            Stopped::Exhausted => writeln!(text, "held: every state within these bounds was seen"),
            Stopped::States => writeln!(text, "incomplete: ended by --max-states; nothing was broken so far"),
            Stopped::Memory => writeln!(text, "incomplete: ended by --memory; nothing was broken so far"),
            Stopped::Interrupted => writeln!(text, "incomplete: interrupted; nothing was broken so far"),
            Stopped::Broken(property) => writeln!(text, "broken: {property}"),
        };
        let Some(found) = self.found else { return text };
        if found.opening > 0 {
            let _ = writeln!(text, "  the first {} moves are the opening; the search begins behind it", found.opening);
        }
        for (at, told) in found.moves.iter().enumerate() {
            let arrow = if told.changed.is_empty() { "" } else { " -> " };
            let at_s = told.at_us as f64 / 1e6;
            let _ = writeln!(text, "{:4} {at_s:7.3} s  {:8} {}{arrow}{}", at + 1, told.who, told.what, told.changed);
        }
        let _ = match &self.file {
            Some(file) => writeln!(text, "replay it: failproof replay {file}"),
            None if found.plan.is_none() => {
                writeln!(text, "no plan: none of {} shortest ways breaks it in a run", found.tried)
            }
            None => Ok(()),
        };
        text
    }
}
