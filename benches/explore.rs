//! Exhaustive search: distinct states a second and bytes a state, against the floors of the project.
//!
//! A row shows the median of three rounds. Without `--bench`, or with `--test`, a small world is only shown to work. If
//! `FAILPROOF_TLC` names a tla2tools.jar, TLC explores the timed module of the same world, and the two are compared.

use failproof::distribution;
use failproof::election::Options;
use failproof::explore::{Bounds, Instance, Limits, Outside, explore};
use failproof::models::{self, Checker};
use failproof::options::ProtocolOptions;
use failproof_core::Duration;
use failproof_core::election::{Bounds as Assumed, Rules, Work};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const STATES_MIN: f64 = 1e6;
const STATES_PER_SECOND_MIN: f64 = 0.4e6;
const BYTES_MAX: f64 = 64.0;

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let judged = has("--bench") && !has("--test");
    let world = Bounds { quantum: Duration::from_millis(500), horizon: 7, delay: 1, crashes: 0, pauses: 0, wipes: 0 };
    let worlds = [
        ("2 nodes, 7 quanta", 2, world),
        ("3 nodes, 4 quanta", 3, Bounds { horizon: 4, ..world }),
        ("2 nodes, 5 quanta, one crash", 2, Bounds { horizon: 5, crashes: 1, ..world }),
    ];
    println!("\n{:<64} {:>12}  {:<12} {:<10}", "what", "measured", "floor", "goal");
    let mut missed = 0;
    for (what, nodes, bounds) in worlds {
        let horizon = if judged { bounds.horizon } else { 1 };
        let instance = instance(nodes, Bounds { horizon, ..bounds });
        let mut rates = Vec::new();
        let mut last = None;
        for _ in 0..if judged { 3 } else { 1 } {
            let outside = Outside { stop: &AtomicBool::new(false), progress: &|_| {} };
            let began = Instant::now();
            let (outcome, found) = explore(&instance, &[], Limits::default(), &outside).expect("an election");
            rates.push(outcome.states as f64 / began.elapsed().as_secs_f64());
            assert!(found.is_none(), "hardened rules hold");
            last = Some(outcome);
        }
        rates.sort_by(f64::total_cmp);
        let outcome = last.expect("a round");
        let mut row = |name: &str, measured: f64, held: bool, floor: &str, goal: &str| {
            let verdict = match (judged, held) {
                (false, _) => "too short",
                (true, true) => "held",
                (true, false) => "missed",
            };
            missed += u32::from(judged && !held);
            let name = format!("explore, {what}, {name}");
            let measured = if measured >= 1e6 { format!("{:.2} M", measured / 1e6) } else { format!("{measured:.1}") };
            println!("{name:<64} {measured:>12}  {floor:<12} {goal:<10} {verdict}");
        };
        let (states, rate, bytes) = (outcome.states as f64, rates[rates.len() / 2], outcome.bytes_per_state());
        row("distinct states", states, states >= STATES_MIN, ">= 1 M", "");
        row("distinct states per second", rate, rate >= STATES_PER_SECOND_MIN, ">= 0.4 M", "1 M");
        row("bytes a state", bytes, bytes <= BYTES_MAX, "<= 64", "40");
    }
    let horizon = if judged { 3 } else { 1 };
    let bounds = Bounds { quantum: Duration::from_secs(1), horizon, delay: 0, crashes: 0, pauses: 0, wipes: 0 };
    reported("2 job servers, 3 quanta", &distribution(bounds), if judged { 3 } else { 1 });
    let mut floors = 9;
    if let Some(jar) = std::env::var_os("FAILPROOF_TLC").filter(|_| judged) {
        floors += 1;
        let times = beside_tlc(PathBuf::from(jar));
        missed += u32::from(times < TIMES_TLC_MIN);
        let verdict = if times < TIMES_TLC_MIN { "missed" } else { "held" };
        let name = format!("explore / TLC, {WITH_TLC}, states a second");
        println!("{name:<64} {:>12}  {:<12} {:<10} {verdict}", format!("{times:.1} x"), ">= 8 x", "20 x");
    }
    match judged {
        true => println!("\n{missed} of {floors} floors missed\n"),
        false => println!("\nonly shown to work: `cargo bench` measures\n"),
    }
}

/// What is measured of a world that has no floor: its hardened rules hold, and the median of some rounds is shown.
fn reported(what: &str, instance: &Instance, rounds: usize) {
    let round = || {
        let outside = Outside { stop: &AtomicBool::new(false), progress: &|_| {} };
        let began = Instant::now();
        let (outcome, found) =
            explore(instance, &[], Limits::default(), &outside).expect("a protocol that is searched");
        assert!(found.is_none(), "hardened rules hold");
        (outcome.states as f64 / began.elapsed().as_secs_f64(), outcome)
    };
    let mut rounds: Vec<_> = (0..rounds).map(|_| round()).collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (rate, outcome) = &rounds[rounds.len() / 2];
    let rows = [
        ("distinct states", outcome.states as f64),
        ("distinct states per second", *rate),
        ("bytes a state", outcome.bytes_per_state()),
    ];
    for (name, measured) in rows {
        let measured = if measured >= 1e6 { format!("{:.2} M", measured / 1e6) } else { format!("{measured:.1}") };
        println!("{:<64} {measured:>12}  {:<12} {:<10} reported", format!("explore, {what}, {name}"), "", "");
    }
}

/// Job distribution under hardened rules, as `failproof explore` searches it: two servers, and one job.
fn distribution(bounds: Bounds) -> Instance {
    let interval = bounds.quantum;
    let part = Duration::from_micros(interval.as_micros() / 64);
    let mut options = distribution::Options { servers: 2, clients: 1, jobs: 1, ..distribution::Options::default() };
    let assumed = Assumed {
        drift_ppm: 0,
        latency_us_max: Duration::from_millis(50),
        timer_late_us_max: interval + part,
        stop_us_max: Duration::ZERO,
        granularity_us: Duration::from_micros(1),
    };
    options.set_limits(interval, interval.times(3), assumed);
    options.shorten(interval, Duration::from_micros(interval.as_micros() - part.as_micros()));
    Instance::new(options, bounds).expect("a small world")
}

/// The model of the manifest that both explore: more than a million states.
const WITH_TLC: &str = "TimedLease, a crash and a pause";
const TIMES_TLC_MIN: f64 = 8.0;

/// How many times as fast as TLC, with one worker each, the machines' states are searched.
fn beside_tlc(jar: PathBuf) -> f64 {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/tla/manifest.toml");
    let (manifest, bench) =
        models::open(Some(&manifest), Checker::Tlc { jar, java: "java".into() }).expect("the manifest, Java and TLC");
    let chosen = manifest.chosen(&[WITH_TLC.to_owned()]).expect("a model of this name");
    let mut by_tlc = None;
    bench.check(&chosen, NonZeroUsize::MIN, |_, checked| {
        let (found, problems) = checked.outcome.as_ref().expect("TLC ends");
        assert!(problems.is_empty(), "{problems:?}");
        by_tlc = Some((found.states as u64, checked.wall.as_secs_f64()));
    });
    let (states, seconds) = by_tlc.expect("one model");
    // The numbers of its configuration, in microseconds.
    let us = Duration::from_micros;
    let bounds = Bounds { quantum: us(10), horizon: 5, delay: 0, crashes: 1, pauses: 1, wipes: 0 };
    let instance = election(2, us(20), us(50), us(1), bounds);
    let began = Instant::now();
    let outside = Outside { stop: &AtomicBool::new(false), progress: &|_| {} };
    let (outcome, found) = explore(&instance, &[], Limits::default(), &outside).expect("an election");
    let ours = began.elapsed().as_secs_f64();
    assert!(found.is_none() && outcome.states == states, "both find {states} states: {outcome:?}");
    seconds / ours
}

/// An election under hardened rules, as `failproof explore` searches it.
fn instance(nodes: u16, bounds: Bounds) -> Instance {
    election(nodes, Duration::from_secs(1), Duration::from_millis(2_500), Duration::from_millis(50), bounds)
}

fn election(nodes: u16, interval: Duration, timeout: Duration, latency: Duration, bounds: Bounds) -> Instance {
    let options = Options {
        nodes,
        heartbeat_interval_us: interval,
        heartbeat_timeout_us: timeout,
        longest_term_us: timeout,
        bounds: Assumed {
            drift_ppm: 0,
            latency_us_max: latency,
            timer_late_us_max: bounds.quantum,
            stop_us_max: Duration::ZERO,
            granularity_us: Duration::from_micros(1),
        },
        work: Work { every_us: Duration::ZERO, takes_us: bounds.quantum },
        rules: Rules::hardened(),
        ..Options::default()
    };
    Instance::new(options, bounds).expect("a small world")
}
