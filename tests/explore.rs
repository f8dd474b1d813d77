//! Exhaustive search of the real machines: what holds up to its bounds, and what it breaks in the fewest moves.
//!
//! Method: whole command lines in process, on worlds of a few quanta. Hardened rules hold; published ones, and each defence
//! that small bounds can miss, are broken, and the plan of each counterexample breaks the same property in both engines.
//! A machine with a planted bug is found. The graph is walked, and compared with states in full.

mod distribution;
mod planted;
mod routing;

use crate::commands::{Outcome, failproof_on};
use failproof::cli::Interrupt;
use failproof::election::{Election, Options};
use failproof::engine::Engine;
use failproof::explore::search::Visitor;
use failproof::explore::{Bounds, Edge, Instance, Limits, Outside, Search, Space, Stopped};
use failproof::plan::Plan;
use failproof_core::Duration;
use failproof_core::election::{Bounds as Assumed, Fencing, Rules, Work};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explore").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn explore(args: &str) -> Outcome {
    let args: Vec<_> = ["explore"].into_iter().chain(args.split_whitespace()).collect();
    failproof_on(&args, &Interrupt::new(), &Engine::run)
}

/// The one JSON object, and the exit code.
fn told(args: &str) -> (u8, Value) {
    let ran = explore(&format!("{args} --json"));
    assert_eq!(ran.err, "", "{args}");
    (ran.code, serde_json::from_str(&ran.out).expect("one JSON object"))
}

/// The plan breaks `property` in both engines, with the same steps.
fn replays(file: &str, property: &str) {
    let plan = Arc::new(Plan::read(Path::new(file)).expect("a plan"));
    let found = plan.found.clone().expect("what was found");
    assert_eq!(found.property, property);
    for engine in [Some(Engine::Fast), Engine::Fast.other()].into_iter().flatten() {
        let (report, _) = engine.run(&plan, false).expect("no panic");
        let violation = report.violations.iter().find(|violation| violation.property == property);
        assert_eq!(violation.map(|violation| violation.at_us), Some(found.at_us), "{engine}");
        assert_eq!(format!("{:032x}", report.trace_hash), found.trace_hash, "{engine}");
    }
}

/// A property is broken after `moves` moves, and the plan replays.
fn breaks(name: &str, args: &str, property: &str, moves: usize) {
    let file = folder(name).join("plan.json");
    let (code, told) = told(&format!("{args} --out {}", file.display()));
    assert_eq!(code, 1, "{name}");
    let violation = &told["violation"];
    assert_eq!(violation["property"], property, "{name}");
    let all = violation["moves"].as_array().map_or(0, Vec::len) as u64;
    assert_eq!(violation["opening"].as_u64().map(|opening| all - opening), Some(moves as u64), "{name}");
    assert_eq!(violation["plan"], file.to_str().expect("a path"), "{name}");
    replays(violation["plan"].as_str().expect("a file"), property);
}

/// A file of the hardened rules without one defence.
fn without(defence: &str, decision: &str) -> String {
    let mut rules = serde_json::to_value(Rules::hardened()).expect("rules");
    assert!(rules.get(defence).is_some(), "{defence}");
    rules[defence] = decision.into();
    let file = folder(&format!("rules-{defence}")).join("rules.json");
    fs::write(&file, rules.to_string()).expect("a file");
    file.display().to_string()
}

#[test]
fn hardened_rules_hold_up_to_the_bounds() {
    for (args, least) in [
        ("--nodes 2 --horizon 6", 500_000),
        ("--nodes 3 --horizon 3", 500_000),
        ("--nodes 2 --horizon 7 --delay 0 --crashes 1", 100_000),
        ("--nodes 2 --horizon 6 --delay 0 --pauses 1 --operations", 100_000),
        ("--nodes 2 --horizon 6 --delay 0 --wipes 1", 10_000),
        ("--nodes 2 --horizon 8 --delay 0 --drift 1000ppm", 10_000),
    ] {
        let (code, told) = told(args);
        assert_eq!((code, &told["complete"], &told["violation"]), (0, &Value::Bool(true), &Value::Null), "{args}");
        assert!(told["states"].as_u64() > Some(least), "{args}: {}", told["states"]);
        assert!(told["bytes_per_state"].as_f64() <= Some(64.0), "{args}: {}", told["bytes_per_state"]);
    }
}

/// E1: the term of a published primary counts from a read that may find the entry nearly T old.
#[test]
fn published_rules_let_two_work_after_25_moves() {
    let e1 = "--rules published --property AtMostOneWorkingPrimary";
    breaks("published", e1, "AtMostOneWorkingPrimary", 25);
}

#[test]
fn published_rules_renew_what_was_read_empty() {
    breaks("renewed", "--rules published", "EmptyAnswerIsFinal", 15);
}

#[test]
fn each_defence_that_small_bounds_miss_is_missed() {
    for (defence, decision, args, property, moves) in ABLATIONS {
        breaks(defence, &format!("--rules {} {args}", without(defence, decision)), property, *moves);
    }
}

/// Defence, what stands in its place, bounds, what breaks, after how many moves.
const ABLATIONS: &[(&str, &str, &str, &str, usize)] = &[
    ("anchor", "read", "--delay 0 --horizon 9", "AtMostOneWorkingPrimary", 30),
    ("grace", "none", "--wipes 1 --delay 0 --property AtMostOneWorkingPrimary", "AtMostOneWorkingPrimary", 17),
    ("fencing", "none", "--pauses 1 --operations --delay 0 --horizon 9 --property NoStaleEffect", "NoStaleEffect", 30),
    ("fencing", "none", "", "SealedBeforeWork", 18),
    ("empty_is_final", "renewable", "", "EmptyAnswerIsFinal", 15),
];

#[test]
fn two_searches_tell_the_same() {
    let timeless = |mut told: Value| {
        for name in ["wall_seconds", "states_per_second"] {
            told[name] = Value::Null;
        }
        told["violation"]["plan"] = Value::Null;
        told
    };
    let args = "--rules published --property AtMostOneWorkingPrimary";
    let run = |name: &str| {
        let file = folder(name).join("plan.json");
        let (_, told) = told(&format!("{args} --out {}", file.display()));
        (timeless(told), fs::read_to_string(file).expect("a plan"))
    };
    assert_eq!(run("first"), run("second"));
}

#[test]
fn limits_end_a_search_and_it_says_so() {
    for (limit, named) in [("--max-states 20000", "--max-states"), ("--memory 1", "--memory")] {
        let ran = explore(&format!("--nodes 2 {limit}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{limit}");
        assert!(ran.out.contains("incomplete") && ran.out.contains(named), "{}", ran.out);
        assert!(!ran.out.contains("held"), "{}", ran.out);
        let (code, told) = told(&format!("--nodes 2 {limit}"));
        assert_eq!((code, &told["complete"], &told["violation"]), (0, &Value::Bool(false), &Value::Null));
    }
    let interrupt = Interrupt::new();
    interrupt.request();
    let ran = failproof_on(&["explore"], &interrupt, &Engine::run);
    assert_eq!(ran.code, 130);
    assert!(ran.out.contains("incomplete: interrupted"), "{}", ran.out);
}

#[test]
fn what_cannot_be_searched_is_refused() {
    for (args, named, expected) in [
        ("--nodes 0", "--nodes", "expected 1 to"),
        ("--horizon 0", "--horizon", "expected 1 to"),
        ("--horizon 300", "--horizon", "255"),
        ("--timeout 2s", "--interval and --timeout", "twice"),
        ("--quantum 2s", "--quantum", "at most the interval"),
        ("--quantum 0", "--quantum", "more than 0"),
        ("--crashes 31", "--crashes", "at most 30"),
        ("--nodes 9", "--nodes", "at most 8"),
        ("--rules nobody", "--rules", "expected hardened"),
        ("--property Nothing", "--property", "property"),
        ("--property NoStaleRead", "--property", "AtMostOneWorkingPrimary"),
        ("--protocol routing --nodes 2", "--nodes", "expected it with --protocol election"),
        ("--protocol routing --servers 9", "--servers", "expected 1 to 8"),
        ("--protocol routing --operations", "--operations", "expected it with election"),
        ("--servers 2", "--servers", "expected it with --protocol routing"),
        ("--protocol routing --property AtMostOneWorkingPrimary", "--property", "OneOwnerPerEpoch"),
        ("--protocol distribution --operations", "--operations", "expected it with election"),
        ("--protocol distribution --property NoLostJob", "--property", "AtMostOneExecutorPerEpoch"),
        ("--protocol routing --jobs 1", "--jobs", "expected it with --protocol distribution"),
        ("--protocol all", "--protocol", "expected election"),
        ("--max-states 0", "--max-states", "1"),
    ] {
        let ran = explore(args);
        assert_eq!(ran.code, 2, "{args}: {}", ran.out);
        assert!(ran.err.contains(named) && ran.err.contains(expected), "{args}: {}", ran.err);
        assert_eq!(ran.out, "", "{args}");
    }
}

/// A short world of two nodes.
fn small(rules: Rules, horizon: u8, delay: u8) -> Instance {
    let (interval, timeout) = (Duration::from_millis(1_000), Duration::from_millis(2_500));
    let assumed = Assumed {
        drift_ppm: 0,
        latency_us_max: Duration::from_millis(50),
        timer_late_us_max: Duration::from_millis(500),
        stop_us_max: Duration::ZERO,
        granularity_us: Duration::from_micros(1),
    };
    let options = Options {
        nodes: 2,
        heartbeat_interval_us: interval,
        heartbeat_timeout_us: timeout,
        longest_term_us: timeout,
        bounds: assumed,
        work: Work { every_us: Duration::ZERO, takes_us: Duration::ZERO },
        rules,
        ..Options::default()
    };
    let quantum = Duration::from_millis(500);
    let bounds = Bounds { quantum, horizon, delay, crashes: 1 - delay.min(1), pauses: 0, wipes: 0 };
    Instance::new(options, bounds).expect("a small world")
}

/// Nobody stops it, and nobody asks how far it is.
fn to_its_end() -> Outside<'static> {
    static STOP: AtomicBool = AtomicBool::new(false);
    Outside { stop: &STOP, progress: &|_| {} }
}

/// All that a search shows, each state in full.
#[derive(Default)]
struct Graph {
    states: BTreeSet<String>,
    told: u64,
    edges: u64,
    strangers: u64,
}

impl Visitor<Election> for Graph {
    fn state(&mut self, space: &Space<'_, Election>, state: &[u32]) {
        self.told += 1;
        self.states.insert(format!("{:?}", space.unpack(state)));
    }

    fn edge(&mut self, space: &Space<'_, Election>, edge: Edge<'_>) {
        self.edges += 1;
        for end in [edge.from, edge.to] {
            self.strangers += u64::from(!self.states.contains(&format!("{:?}", space.unpack(end))));
        }
    }
}

/// Goal: packing, numbers and fingerprints neither merge nor split states. Method: states in full, as text.
#[test]
fn packed_states_are_states_in_full() {
    let instance = small(Rules { fencing: Fencing::None, ..Rules::hardened() }, 2, 1);
    let mut search = Search::<Election>::new(&instance, &[], Limits::default());
    let mut graph = Graph::default();
    let outcome = search.walk(&mut graph, &to_its_end());
    assert_eq!(outcome.stopped, Stopped::Exhausted);
    assert!(outcome.states > 1_000, "{}", outcome.states);
    assert_eq!((graph.told, graph.states.len() as u64), (outcome.states, outcome.states));
    assert_eq!((graph.edges, graph.strangers), (outcome.generated - 1, 0));
}

#[test]
fn help_shows_an_example() {
    let ran = explore("--help");
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("Example: failproof explore"), "{}", ran.out);
    let (_, told) = told("--horizon 2");
    let names = ["protocol", "rules", "nodes", "bounds", "states", "generated", "depth", "wall_seconds"];
    for name in names.into_iter().chain(["states_per_second", "bytes_per_state", "complete", "violation"]) {
        assert!(told.get(name).is_some(), "{name}");
    }
    assert_eq!(told["bounds"]["horizon"], json!(2));
}
