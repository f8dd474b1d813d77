//! What becomes small: by itself after a campaign that found something, or one plan by `failproof shrink`.

use super::{Outcome, text_of};
use super::{
    Ran, breaks, failproof, failproof_on, failproof_with, folder, json, panics, read_json, refused, stays_down,
};
use failproof::cli::Interrupt;
use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::FaultKind;
use failproof::output::{Disk, FileSystem};
use failproof::plan::Plan;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/E1.json");

/// What lies in a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entry = |entry: io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
    };
    fs::read_dir(folder).unwrap().map(entry).collect()
}

/// Asserts that the same files lie in both folders. What differs is named, not printed.
#[track_caller]
fn assert_same(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    assert!(one.keys().eq(other.keys()), "{:?} and {:?}", one.keys(), other.keys());
    let differs: Vec<_> = one.keys().filter(|name| one[*name] != other[*name]).collect();
    assert!(differs.is_empty(), "{differs:?}");
}

fn small(files: &BTreeMap<String, String>) -> BTreeSet<&str> {
    files.keys().map(String::as_str).filter(|name| name.contains(".small")).collect()
}

/// The findings of a report that were shrunk, as (property, plan of the finding, what it became).
fn shrunk(report: &Value) -> Vec<(&str, &str, &Value)> {
    let found = report["violations"].as_array().unwrap().iter().filter(|found| found["shrunk"].is_object());
    found
        .map(|found| (found["property"].as_str().unwrap(), found["plan"].as_str().unwrap(), &found["shrunk"]))
        .collect()
}

fn published(out: &Path, more: &[&str]) -> Outcome {
    let args = ["run", "--rules", "published", "--seeds", "0..4", "--time", "5m", "--out", text_of(out)];
    failproof(&[&args[..], more].concat())
}

/// Goal: whoever reads a report is shown a few faults, not forty. Method: a campaign that finds much, on one thread and on
/// two, and the same without shrinking.
#[test]
fn a_campaign_makes_the_first_finding_of_each_property_small() {
    let folder = folder("auto");
    let [one, two, plain] = ["one", "two", "plain"].map(|name| folder.join(name));
    let outcome = published(&one, &["--json", "--jobs", "1"]);
    let report = json(&outcome);
    assert_eq!(outcome.code, 1);
    let mut broken: Vec<_> = report["violations_counted"].as_object().unwrap().keys().map(String::as_str).collect();
    let small_ones = shrunk(&report);
    assert_eq!(small_ones.iter().map(|(property, ..)| *property).collect::<Vec<_>>(), broken, "one of each");
    assert!(broken.len() > 5, "{broken:?}");
    for (property, plan, shrunk) in small_ones {
        let first =
            report["violations"].as_array().unwrap().iter().find(|found| found["property"] == property).unwrap();
        assert_eq!(first["plan"], plan, "the first one of {property}");
        let path = shrunk["plan"].as_str().unwrap();
        assert_eq!(path, plan.replace(".json", ".small.json"));
        let [before, after] = [plan, path].map(|path| Plan::read(Path::new(path)).unwrap());
        assert!(after.faults.len() <= 6 && after.faults.len() <= before.faults.len(), "{property}: {after}");
        assert!(after.options.time_us() <= before.options.time_us(), "{property}: {after}");
        assert_eq!(shrunk["faults"], after.faults.len());
        assert_eq!(shrunk["time_us"], after.options.time_us());
        assert!(shrunk["sizes"]["nodes"].as_u64().unwrap() <= 5, "{shrunk}");
        assert!(shrunk["runs"].as_u64().unwrap() > 10 && shrunk["complete"].is_boolean(), "{shrunk}");
        let replayed = json(&failproof(&["replay", path, "--json"]));
        assert_eq!(replayed["same_as_found"], true, "{property}");
        assert!(replayed["violations"].as_array().unwrap().iter().any(|found| found["property"] == property));
    }
    broken.clear();

    let text = published(&two, &["--jobs", "2"]).out;
    assert!(text.contains("  shrunk: seed 0 to ") && text.contains(" after "), "{text}");
    assert!(text.contains(&format!("replay {}/AtMostOneWorkingPrimary-0.small.json", text_of(&two))), "{text}");
    assert_same(&files(&one), &files(&two));

    let without = published(&plain, &["--json", "--no-shrink"]);
    let without = json(&without);
    assert!(shrunk(&without).is_empty() && small(&files(&plain)).is_empty());
    for key in ["trace_hash", "events", "violations_counted", "ending", "coverage", "convergence"] {
        assert_eq!(without[key], report[key], "{key} does not depend on shrinking");
    }
    // What was shrunk completes a report in which nothing was, and stays when nothing is.
    for more in [&["--quiet"][..], &["--quiet", "--no-shrink"]] {
        let again = published(&plain, more);
        assert_eq!((again.code, again.err.as_str()), (1, ""), "{more:?}");
        assert_same(&files(&plain), &files(&one));
    }
    let merged = json(&failproof(&["merge", text_of(&one), "--json"]));
    assert_eq!(merged["violations"], report["violations"]);
}

#[test]
fn a_campaign_that_holds_leaves_nothing_small() {
    let folder = folder("auto_holds");
    let args = ["run", "--faults", "process", "--seeds", "0..3", "--time", "1m", "--out", text_of(&folder)];
    let outcome = failproof(&args);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{}", outcome.out);
    assert!(!outcome.out.contains("shrunk"), "{}", outcome.out);
    assert_eq!(files(&folder).keys().collect::<Vec<_>>(), ["report.json"]);
}

/// Runs of machines that have one weakness each: crashes, or pauses.
fn weak(plan: &Arc<Plan>) -> Ran {
    let end_us = plan.options.time_us();
    let has = |is: fn(&FaultKind) -> bool| plan.faults.iter().any(|fault| fault.at_us < end_us && is(&fault.kind));
    match (has(|kind| matches!(kind, FaultKind::Crash { .. })), has(|kind| matches!(kind, FaultKind::Pause { .. }))) {
        (true, _) => panics(plan),
        (false, true) => stays_down(plan),
        (false, false) => Engine::Fast.run(plan, false),
    }
}

#[test]
fn a_panic_and_a_run_that_did_not_come_back_are_made_small_too() {
    let folder = folder("auto_others");
    let runner = |_: Engine, plan: &Arc<Plan>, _: bool| weak(plan);
    let run = |args: &[&str]| failproof_on(args, &Interrupt::new(), &runner);
    let args =
        ["run", "--faults", "process", "--seeds", "0..30", "--guided", "false", "--time", "1m", "--json", "--out"];
    let outcome = run(&[&args[..], &[text_of(&folder)]].concat());
    let report = json(&outcome);
    assert_eq!(outcome.code, 4);
    for (kind, property, code) in [("panics", "NeverPanics", 4), ("not_converged", "EventuallyPrimary", 3)] {
        let shrunk = &report[kind][0]["shrunk"];
        assert_eq!((&shrunk["faults"], &shrunk["tasks"], &shrunk["sizes"]["nodes"]), (&1.into(), &0.into(), &1.into()));
        assert!(report[kind].as_array().unwrap().iter().skip(1).all(|other| other["shrunk"].is_null()), "{kind}");
        let path = shrunk["plan"].as_str().unwrap();
        assert_eq!(Plan::read(Path::new(path)).unwrap().found.unwrap().property, property);
        assert_eq!(run(&["replay", path]).code, code, "{path}");
        // By name, the same as one finds by oneself.
        let by_hand = folder.join(format!("{property}.json"));
        let found = report[kind][0]["plan"].as_str().unwrap();
        let by_name = run(&["shrink", found, "--property", property, "--out", text_of(&by_hand)]);
        assert_eq!(by_name.code, code, "{}{}", by_name.out, by_name.err);
        assert_eq!(fs::read_to_string(by_hand).unwrap(), fs::read_to_string(path).unwrap());
    }
}

/// Goal: Ctrl-C while something is shrunk loses nothing, and the rest can be done in place later. Method: it is pressed as
/// soon as a plan with fewer faults runs.
#[test]
fn an_interrupted_shrinking_keeps_what_it_reached_and_is_completed_in_place() {
    let folder = folder("auto_interrupt");
    let run = |interrupt: Option<&Interrupt>| {
        let most = AtomicUsize::new(0);
        let runner = |_: Engine, plan: &Arc<Plan>, _: bool| {
            let before = most.fetch_max(plan.faults.len(), Ordering::Relaxed);
            if plan.faults.len() < before {
                interrupt.map(Interrupt::request);
            }
            breaks(plan, "NoStaleEffect")
        };
        let nobody = Interrupt::new();
        let args = ["run", "--seeds", "5..6", "--guided", "false", "--json", "--out", text_of(&folder)];
        failproof_on(&args, interrupt.unwrap_or(&nobody), &runner)
    };
    let stopped = run(Some(&Interrupt::new()));
    let report = json(&stopped);
    assert_eq!((stopped.code, &report["ending"]), (130, &"complete".into()), "the campaign itself was over");
    let (_, _, reached) = shrunk(&report)[0];
    assert_eq!((&reached["complete"], &reached["faults"]), (&false.into(), &0.into()));
    assert_eq!(reached["plan"], text_of(&folder.join("NoStaleEffect-5.small.json")));
    assert_eq!(read_json(&folder.join("report.json"))["report"]["ending"], "complete");

    let completed = run(None);
    let report = json(&completed);
    assert_eq!((completed.code, completed.err.as_str()), (1, ""));
    let (_, _, whole) = shrunk(&report)[0];
    assert_eq!((&whole["complete"], &whole["sizes"]["nodes"]), (&true.into(), &1.into()));
    assert_eq!(whole["plan"], text_of(&folder.join("NoStaleEffect-5.small-2.json")), "nothing is overwritten");
    let there = files(&folder);
    assert_eq!(run(None).code, 1);
    assert_same(&files(&folder), &there);
}

/// A disk that takes everything but small plans.
struct NoSmall;

impl Disk for NoSmall {
    fn create(&self, path: &Path, text: &str) -> io::Result<()> {
        if text_of(path).contains("small") {
            return Err(io::ErrorKind::StorageFull.into());
        }
        FileSystem.create(path, text)
    }

    fn replace(&self, path: &Path, text: &str) -> io::Result<()> {
        FileSystem.replace(path, text)
    }

    fn check(&self, folder: &Path) -> io::Result<()> {
        FileSystem.check(folder)
    }
}

#[test]
fn a_small_plan_that_cannot_be_written_is_said_and_told_all_the_same() {
    let folder = folder("auto_full");
    let runner = |_: Engine, plan: &Arc<Plan>, _: bool| breaks(plan, "NoStaleEffect");
    let args = ["run", "--seeds", "5..6", "--guided", "false", "--out", text_of(&folder)];
    let outcome = failproof_with(&args, &Interrupt::new(), &runner, &NoSmall);
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("--out: cannot write") && outcome.err.contains("-5.small.json"), "{}", outcome.err);
    assert!(outcome.out.contains("  shrunk: seed 5 to 0 faults, 1 node"), "{}", outcome.out);
    assert!(!outcome.out.contains("small.json"), "{}", outcome.out);
}

#[test]
fn what_is_left_is_told_to_the_last_message_and_why_it_ended() {
    let folder = folder("shrink_told");
    let tell = |before: &(dyn Fn(&Interrupt) + Sync), name: &str, more: &[&str]| {
        let (out, interrupt) = (folder.join(name), Interrupt::new());
        let run = |engine: Engine, plan: &Arc<Plan>, record: bool| {
            before(&interrupt);
            engine.run(plan, record)
        };
        let args = [&["shrink", PLAN, "--out", text_of(&out)], more].concat();
        failproof_on(&args, &interrupt, &run)
    };
    let stopped = tell(
        &|interrupt| {
            interrupt.request();
        },
        "stopped.json",
        &[],
    );
    assert_eq!(stopped.code, 130, "{}", stopped.err);
    assert!(stopped.out.contains(": interrupted; more may be possible"), "{}", stopped.out);
    assert!(stopped.out.contains("  message 5 from n0 to store arrives 10.0 ms late\n"), "{}", stopped.out);
    let spent = tell(&|_| {}, "spent.json", &["--budget", "1"]);
    assert_eq!(spent.code, 1, "{}", spent.err);
    assert!(spent.out.contains(": the budget was spent; more may be possible"), "{}", spent.out);
}

#[test]
fn a_plan_that_does_not_fail_is_left_as_it_is() {
    let folder = folder("shrink_holds");
    let plan = folder.join("calm.json");
    let calm = Plan::calm(Options { time_us: 20_000_000, ..Options::default() });
    fs::write(&plan, serde_json::to_string(&calm).unwrap()).unwrap();
    let outcome = failproof(&["shrink", text_of(&plan)]);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    assert!(outcome.out.contains("calm.json breaks nothing: there is nothing to shrink"), "{}", outcome.out);
    let told = failproof(&["shrink", text_of(&plan), "--json"]);
    assert_eq!((told.code, &json(&told)["fails"]), (0, &false.into()));
    assert_eq!(files(&folder).len(), 1, "nothing was written");

    let out = folder.join("small.json");
    let other = failproof(&["shrink", PLAN, "--property", "NoStaleRead", "--out", text_of(&out)]);
    assert_eq!((other.code, other.err.as_str()), (0, ""));
    assert!(other.out.contains("E1.json does not break NoStaleRead: nothing to shrink"), "{}", other.out);
    assert!(!out.exists());
}

#[test]
fn what_cannot_be_shrunk_is_refused_in_a_sentence() {
    let folder = folder("shrink_refused");
    let good = fs::read_to_string(PLAN).unwrap();
    let corrupt = folder.join("corrupt.json");
    fs::write(&corrupt, &good[..good.len() / 2]).unwrap();
    refused(&["shrink", text_of(&corrupt)], &["corrupt.json", "EOF", "expected"]);
    refused(&["shrink", text_of(&folder.join("absent.json"))], &["absent.json", "cannot read"]);
    refused(&["shrink"], &["<FILE>"]);
    refused(&["shrink", PLAN, "--property", "NoStaleRaed"], &["--property", "NoStaleRaed", "expected the name of a"]);
    for budget in ["0", "0s", "-1", "soon"] {
        let budget = format!("--budget={budget}");
        refused(&["shrink", PLAN, &budget], &["--budget", "expected a number of runs, or a time such as 30s"]);
    }
    let below = corrupt.join("small.json");
    refused(&["shrink", PLAN, "--out", text_of(&below)], &["--out", "corrupt.json is a file", "expected a directory"]);
    assert_eq!(files(&folder).len(), 1, "nothing was written");

    let full = folder.join("small.json");
    let args = ["shrink", PLAN, "--budget", "1", "--out", text_of(&full)];
    let outcome = failproof_with(&args, &Interrupt::new(), &Engine::run, &NoSmall);
    assert_eq!((outcome.code, outcome.out.as_str()), (2, ""));
    assert!(outcome.err.contains("--out: cannot write") && outcome.err.contains("small.json"), "{}", outcome.err);
    assert!(!full.exists());

    fs::write(&full, "mine").unwrap();
    let none = |_: Engine, _: &Arc<Plan>, _: bool| panic!("what is in the way is told before anything is run");
    let taken = failproof_with(&args, &Interrupt::new(), &none, &FileSystem);
    assert_eq!((taken.code, taken.out.as_str()), (2, ""));
    assert!(taken.err.contains("--out: ") && taken.err.contains("small.json exists and was not"), "{}", taken.err);
    assert_eq!(fs::read_to_string(&full).unwrap(), "mine");
}

#[test]
fn a_plan_that_fails_becomes_a_small_one_beside_it() {
    let folder = folder("shrink_beside");
    let report = json(&published(&folder, &["--json", "--no-shrink"]));
    let plan = report["violations"][0]["plan"].as_str().unwrap();
    let told = failproof(&["shrink", plan, "--json"]);
    let told = (told.code, json(&told));
    let small = plan.replace(".json", ".small.json");
    assert_eq!((told.0, &told.1["plan"]), (1, &small.as_str().into()));
    for (key, value) in [("fails", Value::Bool(true)), ("complete", true.into())] {
        assert_eq!(told.1[key], value, "{}", told.1);
    }
    assert_eq!(told.1["property"], report["violations"][0]["property"]);
    for path in ["/breaks", "/runs", "/from/faults", "/to/faults", "/to/tasks", "/to/fates", "/to/sizes/nodes"] {
        assert!(told.1.pointer(path).is_some(), "{path} is missing in {}", told.1);
    }
    let [from, to] = ["from", "to"].map(|which| told.1[which]["faults"].as_u64().unwrap());
    assert!(to < from && to == Plan::read(Path::new(&small)).unwrap().faults.len() as u64, "{}", told.1);
    assert!(told.1["to"]["time_us"].as_u64() < told.1["from"]["time_us"].as_u64());
    refused(&["shrink", plan], &["--out", "small.json exists", "expected a new name"]);
    let second = folder.join("second.json");
    let text = failproof(&["shrink", plan, "--out", text_of(&second)]);
    assert_eq!((text.code, text.err.as_str()), (1, ""));
    assert_eq!(fs::read(&second).unwrap(), fs::read(&small).unwrap(), "the same again");
    for words in ["breaks ", "no step makes it smaller", "replay it: failproof replay "] {
        assert!(text.out.contains(words), "no `{words}` in {}", text.out);
    }
}
