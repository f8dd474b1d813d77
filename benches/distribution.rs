//! How job distribution grows: from five servers with 5,000 jobs to 1,000 servers with 1,000,000.
//!
//! Hardened rules, 1,024 virtual nodes for each server, the oracle on every step, a network that delays by 2 ms at most. All
//! jobs are submitted within the first 20 seconds or so, a server crashes at 40 s, comes back at 50 s, and the run ends at
//! 70 s. Printed for each size: wall time, steps, wall time for each step, and the most memory that the process has used so
//! far; and what the crash and the return cost all servers together: how many rows changed their owner for it, and how many
//! steps more than the same run without them it took. Each server learns of two changes, merges each into its ring once, and
//! asks for the rows of its part that nobody is to take; the rest is in proportion to the rows. Beside that, the wall time of
//! one merge.
//!
//! Arguments are criterion's, passed to every bench: with `--quick` the largest size is left out, and without `--bench`, or
//! with `--test`, only the smallest one is run.

use failproof::distribution::Options;
use failproof::engine::Engine;
use failproof::fault::{FaultKind, Place};
use failproof::plan::Plan;
use failproof::report::RunReport;
use failproof_core::distribution::{HashRing, RingRules};
use failproof_core::{Duration, Host};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

const VNODES: NonZeroU32 = NonZeroU32::new(1024).expect("not zero");
const CRASH_US: u64 = 40_000_000;
const DOWN_US: u64 = 10_000_000;
const END_US: u64 = 70_000_000;

/// So many servers, submitters and jobs.
#[derive(Clone, Copy)]
struct Size {
    servers: u16,
    clients: u16,
    jobs: u32,
}

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let sizes = [(5, 5, 5_000), (100, 100, 100_000), (1_000, 1_000, 1_000_000)];
    let sizes = sizes.map(|(servers, clients, jobs)| Size { servers, clients, jobs });
    let count = match (has("--bench") && !has("--test"), has("--quick")) {
        (true, false) => 3,
        (true, true) => 2,
        (false, _) => 1,
    };
    println!("\njob distribution by size, hardened rules, {VNODES} virtual nodes, one core");
    println!(
        "{:>8}{:>11}{:>12}{:>13}{:>10}{:>13}{:>12}{:>12}{:>10}",
        "servers", "jobs", "steps", "wall time", "a step", "most memory", "rows moved", "more steps", "a merge"
    );
    sizes[..count].iter().for_each(|size| line(*size));
}

fn line(size: Size) {
    let calm = Plan::calm(options(size));
    let crash = FaultKind::Crash { node: Place::Server(0), durable: true };
    let (disturbed, seconds) = run(calm.clone().fault(crash, CRASH_US, DOWN_US));
    let memory = most_memory();
    let (calm, _) = run(calm);
    let moves = |report: &RunReport| report.counters["rows taken over"] + report.counters["rows released"];
    let moved = moves(&disturbed) - moves(&calm);
    let steps = disturbed.events - calm.events;
    println!(
        "{:>8}{:>11}{:>12}{:>11.1} s{:>7.0} ns{:>13}{:>12}{:>12}{:>7.2} ms",
        size.servers,
        size.jobs,
        disturbed.events,
        seconds,
        seconds * 1e9 / disturbed.events as f64,
        memory,
        moved,
        steps,
        merge(size.servers) * 1e3
    );
}

fn options(size: Size) -> Options {
    let mut options = Options {
        servers: size.servers,
        clients: size.clients,
        jobs: size.jobs,
        vnodes_per_node: VNODES,
        time_us: END_US,
        every_us: Duration::from_millis(10),
        runs_us_max: Duration::from_secs(60),
        poll_us: Duration::from_secs(1),
        content_max: 0,
        ..Options::default()
    };
    options.bounds.latency_us_max = Duration::from_millis(2);
    options
}

fn run(plan: Plan) -> (RunReport, f64) {
    plan.check().unwrap_or_else(|problem| panic!("{problem}"));
    let begun = Instant::now();
    let (report, _) = Engine::Fast.run(&Arc::new(plan), false).unwrap_or_else(|panicked| panic!("{panicked:?}"));
    assert!(report.violations.is_empty(), "hardened rules hold: {:?}", report.violations);
    (report, begun.elapsed().as_secs_f64())
}

/// How many seconds one server takes to come into the ring of the others.
fn merge(servers: u16) -> f64 {
    let names: Vec<String> = (0..servers).map(|n| format!("node{n}")).collect();
    let members = names.iter().zip(0..).skip(1).map(|(name, n)| (Host(n), name.as_bytes()));
    let mut ring = HashRing::with_members(RingRules::hardened(), VNODES, members).expect("names are told apart");
    let begun = Instant::now();
    ring.insert(Host(0), names[0].as_bytes()).expect("the name is free");
    begun.elapsed().as_secs_f64()
}

/// The most memory that this process has used so far, where the system tells.
fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.map_or("unknown".to_owned(), |kilobytes: u64| format!("{} MB", kilobytes.div_ceil(1024)))
}
