//! The command line, in process: what it refuses, what it prints, what it leaves on disk, and with which code it ends.
//!
//! Method: whole command lines are run on a console of the test's own. Where a test needs runs that fail in a certain
//! way, the console brings another idea of how a plan is run; everything else is as in the binary.

mod haid;
mod protocols;
mod refusals;
mod save;
mod shrink;

use failproof::campaign::{CampaignReport, Runner};
use failproof::cli::{Console, Exit, Interrupt, main_on};
use failproof::election::Options;
use failproof::engine::{Engine, Panicked};
use failproof::fault::{FaultKind, Place};
use failproof::output::{Disk, FileSystem, Folder};
use failproof::plan::Plan;
use failproof::report::{Convergence, RunReport, Violation};
use failproof::trace::Record;
use serde_json::Value;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a command line did.
pub(crate) struct Outcome {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) type Ran = Result<(RunReport, Vec<Record>), Panicked>;

pub(crate) fn failproof(args: &[&str]) -> Outcome {
    failproof_on(args, &Interrupt::new(), &Engine::run)
}

pub(crate) fn failproof_on(args: &[&str], interrupt: &Interrupt, runner: &Runner<'_>) -> Outcome {
    failproof_with(args, interrupt, runner, &FileSystem)
}

pub(crate) fn failproof_with(args: &[&str], interrupt: &Interrupt, runner: &Runner<'_>, disk: &dyn Disk) -> Outcome {
    failproof_reading(&mut io::empty(), args, interrupt, runner, disk)
}

pub(crate) fn failproof_reading(
    input: &mut dyn BufRead,
    args: &[&str],
    interrupt: &Interrupt,
    runner: &Runner<'_>,
    disk: &dyn Disk,
) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["failproof"].iter().chain(args).map(Into::into);
    let mut console = Console { input, out: &mut out, err: &mut err, progress: false, interrupt, runner, disk };
    let code = main_on(args, &mut console);
    Outcome { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// An empty directory for one test.
pub(crate) fn folder(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands").join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

pub(crate) fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Asserts exit code 2, nothing on standard output, and a complaint with all `words`.
#[track_caller]
fn refused(args: &[&str], words: &[&str]) {
    let nobody = |_: Engine, _: &Arc<Plan>, _: bool| -> Ran { panic!("refused usage must not run anything") };
    let outcome = failproof_on(args, &Interrupt::new(), &nobody);
    assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{args:?}: {}", outcome.err);
    for word in words {
        assert!(outcome.err.contains(word), "{args:?}: no `{word}` in: {}", outcome.err);
    }
}

pub(crate) fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}: {}{}", outcome.out, outcome.err))
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A run that breaks `property` at once.
fn breaks(plan: &Plan, property: &'static str) -> Ran {
    let violation = Violation { property, at_us: 7, story: "so it goes".to_owned() };
    Ok((RunReport { seed: plan.seed, violations: vec![violation], ..RunReport::default() }, Vec::new()))
}

/// A run in which nobody came back.
fn stays_down(plan: &Plan) -> Ran {
    let convergence = Some(Convergence { after_us: None, bound_us: 5_000_000, told: true });
    Ok((RunReport { seed: plan.seed, convergence, ..RunReport::default() }, Vec::new()))
}

/// A run of a machine that panics: the plan names a node that is not there, and was not checked.
fn panics(plan: &Plan) -> Ran {
    let node = Place::Node(plan.election().nodes);
    let lost = plan.clone().fault(FaultKind::Crash { node, durable: true }, 1_000, 1_000);
    Engine::Fast.run(&Arc::new(lost), false)
}

#[test]
fn a_machine_that_panics_ends_its_own_run_and_leaves_a_plan() {
    let folder = folder("panic");
    let runner = |engine: Engine, plan: &Arc<Plan>, record: bool| match plan.seed {
        3 => panics(plan),
        _ => engine.run(plan, record),
    };
    let args = ["run", "--seeds", "0..8", "--time", "10s", "--faults", "calm", "--json", "--out", text_of(&folder)];
    let outcome = failproof_on(&args, &Interrupt::new(), &runner);
    let report = json(&outcome);
    assert_eq!(outcome.code, 4);
    assert_eq!(report["seeds"]["count"], 8);
    assert_eq!(report["simulated_seconds"], 70.0, "the other seeds went on");
    assert_eq!(report["panics"].as_array().unwrap().len(), 1);
    assert_eq!(report["panics"][0]["seed"], 3);
    let plan = PathBuf::from(report["panics"][0]["plan"].as_str().unwrap());
    assert_eq!(plan, folder.join("NeverPanics-3.json"));
    assert_eq!(Plan::read(&plan).unwrap().found.unwrap().property, "NeverPanics");
    let again = failproof_on(&["replay", text_of(&plan)], &Interrupt::new(), &runner);
    assert_eq!(again.code, 4, "{}", again.out);
    assert!(again.out.starts_with("FAILED: panicked"), "{}", again.out);
}

#[test]
fn of_several_exit_codes_the_gravest_decides() {
    let folder = folder("precedence");
    let occupied = folder.join("occupied");
    fs::create_dir_all(&occupied).unwrap();
    fs::write(occupied.join("NeverPanics-2.json"), "another plan").unwrap();
    let interrupt = Interrupt::new();
    let run = |seeds: &str, out: &str, stop_at: Option<u64>, interrupt: &Interrupt| {
        let runner = |_: Engine, plan: &Arc<Plan>, _: bool| {
            if stop_at == Some(plan.seed) {
                interrupt.request();
            }
            match plan.seed {
                0 => stays_down(plan),
                1 => breaks(plan, "NoStaleEffect"),
                2 => panics(plan),
                _ => Engine::Fast.run(plan, false),
            }
        };
        let out = folder.join(out);
        let args =
            ["run", "--seeds", seeds, "--faults", "calm", "--time", "10s", "--jobs", "1", "--out", text_of(&out)];
        failproof_on(&args, interrupt, &runner)
    };
    let code = |seeds| run(seeds, seeds, None, &Interrupt::new()).code;
    assert_eq!((code("3..4"), code("0..1"), code("1..2"), code("2..3")), (0, 3, 1, 4));
    assert_eq!((code("0..2"), code("1..3"), code("0..4")), (1, 4, 4));
    let conflict = run("0..4", "occupied", None, &Interrupt::new());
    assert_eq!(conflict.code, 2);
    assert!(conflict.err.contains("NeverPanics-2.json exists with other content"), "{}", conflict.err);
    assert_eq!(fs::read_to_string(occupied.join("NeverPanics-2.json")).unwrap(), "another plan");
    assert!(occupied.join("NoStaleEffect-1.json").exists(), "one refused plan does not stop the others");
    assert!(conflict.out.contains("NoStaleEffect"), "the report is printed all the same");
    assert_eq!(run("0..9", "stopped", Some(2), &interrupt).code, 130);
    let order = [Exit::Held, Exit::NotConverged, Exit::Violated, Exit::Panicked, Exit::Usage, Exit::Interrupted];
    assert!(order.is_sorted());
    assert_eq!(order.map(Exit::code), [0, 3, 1, 4, 2, 130]);
}

#[test]
fn an_interrupted_campaign_reports_and_saves_what_it_did() {
    let folder = folder("interrupt");
    let interrupt = Interrupt::new();
    assert!(!Interrupt::new().request(), "a command that does not look is ended from outside");
    let done = AtomicU64::new(0);
    let runner = |_: Engine, plan: &Arc<Plan>, _: bool| {
        if done.fetch_add(1, Ordering::Relaxed) == 2 {
            assert!(interrupt.request(), "the command ends by itself");
            assert!(!interrupt.request(), "the second time it does not");
        }
        breaks(plan, "NoStaleEffect")
    };
    let args = ["run", "--seeds", "10..1000", "--jobs", "1", "--json", "--out", text_of(&folder)];
    let outcome = failproof_on(&args, &interrupt, &runner);
    let report = json(&outcome);
    assert_eq!(outcome.code, 130);
    assert_eq!((&report["seeds"]["first"], &report["seeds"]["count"]), (&10.into(), &3.into()));
    assert_eq!(report["violations"].as_array().unwrap().len(), 3);
    for seed in 10..13 {
        let plan = Plan::read(&folder.join(format!("NoStaleEffect-{seed}.json"))).unwrap();
        assert_eq!(plan.found.unwrap().at_us, 7);
    }
}

#[test]
fn all_findings_are_counted_and_twenty_plans_are_kept() {
    let folder = folder("many");
    let runner = |_: Engine, plan: &Arc<Plan>, _: bool| breaks(plan, "NoStaleEffect");
    let run = |json: bool| {
        let mut args = vec!["run", "--seeds", "0..55", "--jobs", "2", "--out", text_of(&folder)];
        args.extend(json.then_some("--json"));
        failproof_on(&args, &Interrupt::new(), &runner)
    };
    let report = json(&run(true));
    let seeds: Vec<_> = report["violations"].as_array().unwrap().iter().map(|found| found["seed"].as_u64()).collect();
    assert_eq!(seeds, (0..20).map(Some).collect::<Vec<_>>());
    assert_eq!(report["violations_counted"]["NoStaleEffect"], 55);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 22, "twenty plans, the first one small too, and a report");
    let text = run(false).out;
    assert!(text.starts_with("FAILED: NoStaleEffect violated in 55 runs"), "{text}");
    assert!(text.contains("cargo run --release -- replay"), "{text}");
}

#[test]
fn json_has_the_promised_keys() {
    let folder = folder("keys");
    let args = ["run", "--rules", "published", "--seeds", "0..12", "--time", "5m", "--json", "--out", text_of(&folder)];
    let outcome = failproof(&args);
    assert_eq!(outcome.out.lines().count(), 1);
    let report = json(&outcome);
    for path in [
        "/protocol",
        "/rules",
        "/engine",
        "/seeds/first",
        "/seeds/count",
        "/simulated_seconds",
        "/wall_seconds",
        "/events",
        "/trace_hash",
        "/violations/0/seed",
        "/violations/0/run",
        "/violations/0/property",
        "/violations/0/at_ms",
        "/violations/0/plan",
        "/violations/0/prevented_by",
        "/violations/0/shrunk/plan",
        "/violations/0/shrunk/faults",
        "/exposures/0/property",
        "/exposures/0/longest_ms",
        "/exposures/0/count",
        "/not_converged",
        "/panics",
        "/disagreements",
        "/children",
        "/ending",
        "/faults/crash",
        "/coverage/actions/Grant",
        "/coverage/edges/visited",
        "/coverage/edges/total",
        "/margins/smallest_ms",
        "/margins/trusted_share",
        "/availability/without_primary_share",
        "/availability/false_step_downs",
    ] {
        assert!(report.pointer(path).is_some(), "{path} is missing in {report}");
    }
    assert_eq!(outcome.code, 1);
    assert_eq!(report["trace_hash"].as_str().unwrap().len(), 32);
    assert_eq!(report["violations"][0]["confirmed"], true);
    let all = json(&failproof(&[&args[..], &["--protocol", "all", "--no-shrink"]].concat()));
    assert_eq!(all["runs"].as_array().unwrap().len(), failproof::protocols::names().count());
    assert_eq!(all["runs"][0]["trace_hash"], report["trace_hash"]);
}

#[test]
fn a_saved_plan_replays_with_the_same_property_time_and_hash() {
    let folder = folder("replay");
    let args = ["run", "--rules", "published", "--seeds", "0..12", "--time", "5m", "--json", "--out", text_of(&folder)];
    let report = json(&failproof(&args));
    let violation = &report["violations"][0];
    let plan = violation["plan"].as_str().unwrap();
    for engine in ["fast", "madsim"] {
        let outcome = failproof(&["replay", plan, "--json", "--engine", engine]);
        let replayed = json(&outcome);
        assert_eq!((outcome.code, &replayed["same_as_found"]), (1, &Value::Bool(true)), "{engine}");
        let same = replayed["violations"]
            .as_array()
            .unwrap()
            .iter()
            .any(|found| ["property", "at_ms", "prevented_by"].iter().all(|key| found[*key] == violation[*key]));
        assert!(same, "{replayed}");
        assert_eq!(replayed["trace_hash"], read_json(Path::new(plan))["found"]["trace_hash"]);
    }
    let text = failproof(&["replay", plan]);
    assert_eq!(text.code, 1);
    for words in [violation["property"].as_str().unwrap(), "the same property, time and trace hash", "prevented by"] {
        assert!(text.out.contains(words), "no `{words}` in {}", text.out);
    }
    let other = json(&failproof(&["replay", plan, "--json", "--rules", "hardened"]));
    assert_eq!((&other["rules"], &other["same_as_found"]), (&"hardened".into(), &Value::Null));
}

#[test]
fn a_trace_has_a_line_for_each_event() {
    let folder = folder("trace");
    let plan = folder.join("plan.json");
    let mut calm = Plan::calm(Options::default());
    calm.options.set_time_us(20_000_000);
    fs::write(&plan, serde_json::to_string(&calm).unwrap()).unwrap();
    let trace = folder.join("deep").join("trace.ndjson");
    let outcome = failproof(&["replay", text_of(&plan), "--json", "--trace", text_of(&trace)]);
    let events = json(&outcome)["events"].as_u64().unwrap();
    let lines = fs::read_to_string(&trace).unwrap();
    assert_eq!(lines.lines().count() as u64, 1 + events);
    let header: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    for (field, value) in [("format", 1.into()), ("protocol", "election".into()), ("contract", Value::from("Lease"))] {
        assert_eq!(header[field], value, "{header}");
    }
    assert_eq!(header["rules"]["anchor"], "heartbeat", "{header}");
    for (step, line) in lines.lines().skip(1).enumerate() {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["step"], step);
    }
    let piped = failproof(&["replay", text_of(&plan), "--trace", "-"]);
    assert_eq!((piped.out, piped.code), (lines.clone(), 0));
    assert!(piped.err.starts_with("held"), "{}", piped.err);
    refused(&["replay", text_of(&plan), "--trace", "-", "--json"], &["--trace", "expected a file"]);

    fs::write(&trace, "mine").unwrap();
    let again = failproof(&["replay", text_of(&plan), "--trace", text_of(&trace)]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("trace.ndjson exists with other content"), "{}", again.err);
    assert_eq!(fs::read_to_string(&trace).unwrap(), "mine");
}

#[test]
fn a_plan_takes_the_place_of_no_other_one() {
    let folder = folder("names");
    let mut reports = [1, 2].map(|nodes| {
        let plan = Arc::new(Plan::calm(Options { nodes, ..Options::default() }));
        let mut report = CampaignReport::default();
        report.add(&plan, &breaks(&plan, "NoStaleEffect").map(|(report, _)| report));
        report
    });
    let names = Folder { path: &folder, renames: true, disk: &FileSystem };
    for _ in 0..2 {
        for (report, name) in reports.iter_mut().zip(["NoStaleEffect-0.json", "NoStaleEffect-0-2.json"]) {
            assert!(names.write_plan(report.kept_mut().next().unwrap()).is_ok());
            let written = report.kept().next().unwrap().file.clone();
            assert_eq!(written, Some(folder.join(name)));
        }
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        2,
        "the same plan is not written twice, and no file is left over"
    );
    let strict = Folder { renames: false, ..names };
    let [same, other] = reports.each_mut().map(|report| strict.write_plan(report.kept_mut().next().unwrap()));
    assert!(same.is_ok() && other.is_err());
}

#[test]
fn a_report_begins_with_the_verdict_and_fits_on_a_page() {
    let folder = folder("page");
    let published = ["run", "--rules", "published", "--seeds", "0..40", "--time", "5m", "--out", text_of(&folder)];
    let text = failproof(&published).out;
    assert!(text.starts_with("FAILED"), "{text}");
    assert!(text.lines().count() <= 60, "{} lines: {text}", text.lines().count());
    let calm = ["run", "--faults", "calm", "--seeds", "0..3", "--time", "1m"];
    let held = failproof(&calm);
    assert_eq!((held.code, held.err.as_str()), (0, ""));
    assert!(held.out.starts_with("held: nothing violated in 3 runs\n"), "{}", held.out);
    assert_eq!(failproof(&[&calm[..], &["--quiet"]].concat()).out, "");
    let narrow = failproof(&["run", "--faults", "clock", "--seeds", "0..1", "--time", "1s"]);
    assert!(narrow.out.contains("warning: actions of the contract that never fired"), "{}", narrow.out);
}

#[test]
fn margin_tells_by_its_exit_code_whether_it_is_safe() {
    let safe = failproof(&["margin", "--interval", "1s", "--timeout", "5s", "--json"]);
    assert_eq!((safe.code, &json(&safe)["safe"]), (0, &Value::Bool(true)));
    let published = failproof(&["margin", "--rules", "published", "--json"]);
    assert_eq!((published.code, &json(&published)["rules"]), (1, &"published".into()));
    let short = failproof(&["margin", "--timeout", "2s"]);
    assert_eq!(short.code, 1);
    assert!(short.out.contains("more than twice"), "{}", short.out);
    refused(&["margin", "--interval", "0"], &["interval", "expected more"]);
    refused(&["margin", "--drift", "2"], &["--drift", "expected"]);
}

#[test]
fn every_command_has_help_with_an_example() {
    for args in [&["--help"][..], &["run", "--help"], &["replay", "--help"], &["margin", "--help"]] {
        let outcome = failproof(args);
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{args:?}");
        assert!(outcome.out.contains("Example"), "{args:?}: {}", outcome.out);
        assert!(!outcome.out.contains('\u{1b}'), "{args:?}");
    }
}

#[test]
fn a_reader_that_had_enough_is_no_failure() {
    struct Pipe(io::ErrorKind);
    impl Write for Pipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let code = |kind| {
        let args = ["failproof", "run", "--faults", "calm", "--seeds", "0..1", "--time", "1s"].map(Into::into);
        failproof::cli::main_with(args, &mut Pipe(kind), &mut Vec::new())
    };
    assert_eq!(code(io::ErrorKind::BrokenPipe), 0);
    assert_eq!(code(io::ErrorKind::StorageFull), 2);
}
