//! Campaigns: the same on any number of threads, steered by what runs reach, checked by the other engine, and ended early
//! when asked.
//!
//! Method: campaigns run in process. Where a test needs an engine that is wrong, a disk that is full or a clock that is
//! up, it brings its own.

use crate::commands::{failproof_on, failproof_with, folder, json, text_of};
use failproof::campaign::{Campaign, CampaignReport, Ending, Outside};
use failproof::cli::Interrupt;
use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::FaultClass;
use failproof::output::{Disk, FileSystem};
use failproof::plan::Plan;
use failproof::run_id::RunId;
use failproof_core::election::Rules;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

fn guided(rules: Rules, seeds: std::ops::Range<u64>) -> Campaign {
    let options = Options { rules, time_us: 120_000_000, ..Options::default() };
    Campaign { guided: true, ..Campaign::plain(options, seeds) }
}

#[test]
fn a_guided_campaign_is_the_same_for_any_number_of_threads() {
    for rules in [Rules::hardened(), Rules::published()] {
        let run = |jobs| Campaign { jobs, ..guided(rules, 900..1_060) }.run();
        let one = run(1);
        assert_eq!(one.seeds, 160);
        assert!(one.runs > 160 * 32, "children ran: {}", one.runs);
        for jobs in [2, 3, 8] {
            assert_eq!(one, run(jobs), "{jobs} jobs");
        }
    }
}

/// Seeds are plain: guidance adds runs and changes none. The parts of a campaign that was split between blocks are the
/// whole, whoever runs them.
#[test]
fn blocks_are_the_parts_of_a_guided_campaign_and_its_seeds_are_plain() {
    let whole = guided(Rules::published(), 950..1_050).run();
    let mut parts = guided(Rules::published(), 1_000..1_050).run();
    parts.merge(guided(Rules::published(), 950..1_000).run());
    assert_eq!(CampaignReport { asked: whole.asked, ..parts }, whole);

    let whole = guided(Rules::published(), 1_000..1_050).run();
    let plain = Campaign { guided: false, ..guided(Rules::published(), 1_000..1_050) }.run();
    assert_eq!((plain.led_us, plain.trusted_us, &plain.returns), (whole.led_us, whole.trusted_us, &whole.returns));
    let seeds = |report: &CampaignReport| {
        let kept = report.kept().filter(|finding| matches!(finding.run, RunId::Seed(_)));
        kept.map(|finding| (finding.property, finding.run, finding.trace_hash)).collect::<Vec<_>>()
    };
    // Children take places among those that are kept.
    let (plain, guided) = (seeds(&plain), seeds(&whole));
    assert!(!guided.is_empty() && guided.iter().all(|found| plain.contains(found)));
}

/// What guidance is for: with the time of a plain campaign it gets further.
#[test]
fn guidance_reaches_more_of_the_contract_in_less_simulated_time() {
    let options = Options::default();
    let guided = Campaign { guided: true, ..Campaign::plain(options.clone(), 0..60) }.run();
    let plain = Campaign::plain(options, 0..200).run();
    let edges = |report: &CampaignReport| report.coverage.as_ref().expect("coverage").edges().visited;
    assert!(guided.simulated_us < plain.simulated_us, "{} and {} us", guided.simulated_us, plain.simulated_us);
    assert!(edges(&guided) * 10 > edges(&plain) * 12, "{} and {} edges", edges(&guided), edges(&plain));
    assert!(guided.margins.near > plain.margins.near);
}

#[test]
fn every_child_is_a_plan_that_can_be_run_and_saved() {
    let children = AtomicU64::new(0);
    for classes in [vec![FaultClass::Store], vec![FaultClass::Process, FaultClass::Clock], FaultClass::ALL.to_vec()] {
        let campaign = Campaign { classes: classes.clone(), ..guided(Rules::hardened(), 0..60) };
        let runner = |engine: Engine, plan: &Arc<Plan>, record: bool| {
            if plan.child.is_some() {
                children.fetch_add(1, Ordering::Relaxed);
                plan.check().unwrap_or_else(|error| panic!("{}: {error}", plan.run_id()));
                assert!(plan.faults.iter().all(|fault| classes.contains(&fault.kind.class())), "{plan}");
                assert!(plan.options.time_us() <= campaign.options.time_us());
                let text = serde_json::to_string(&**plan).expect("a plan is data");
                assert_eq!(serde_json::from_str::<Plan>(&text).expect("and is read back"), **plan);
            }
            engine.run(plan, record)
        };
        let stop = AtomicBool::new(false);
        let report = campaign.run_on(&Outside {
            runner: &runner,
            stop: &stop,
            progress: &|_| (),
            keep: &|_| true,
            checks: false,
        });
        assert_eq!(report.findings(), 0);
    }
    assert!(children.into_inner() > 2_000);
}

#[test]
fn a_finding_of_a_child_replays_as_it_was_found() {
    let folder = folder("child");
    let args = ["run", "--rules", "published", "--faults", "clock", "--seeds", "0..1", "--json", "--out"];
    let report = json(&failproof_on(&[&args[..], &[text_of(&folder)]].concat(), &Interrupt::new(), &Engine::run));
    let found =
        report["violations"].as_array().unwrap().iter().find(|found| found["run"].as_str().unwrap().contains('.'));
    let found = found.expect("a child breaks something");
    assert_eq!((&found["confirmed"], &found["seed"]), (&true.into(), &0.into()));
    let file = folder.join(format!("{}-{}.json", found["property"].as_str().unwrap(), found["run"].as_str().unwrap()));
    assert_eq!(found["plan"], text_of(&file));
    let replayed = json(&failproof_on(&["replay", text_of(&file), "--json"], &Interrupt::new(), &Engine::run));
    assert_eq!(replayed["same_as_found"], true);
}

#[test]
fn a_campaign_ends_with_the_first_finding_or_with_its_time() {
    let folder = folder("early");
    let run = |more: &[&str], out: &str| {
        let out = folder.join(out);
        let args = [&["run", "--json", "--out", text_of(&out)], more].concat();
        let outcome = failproof_on(&args, &Interrupt::new(), &Engine::run);
        (outcome.code, json(&outcome))
    };
    let (code, found) = run(&["--rules", "published", "--until-first", "--jobs", "1"], "found");
    assert_eq!((code, &found["ending"]), (1, &"found".into()));
    assert!(found["seeds"]["count"].as_u64().unwrap() <= 3, "{found}");
    assert!(found["violations"][0]["plan"].is_string());

    let began = std::time::Instant::now();
    let (code, timed) = run(&["--for", "300ms", "--faults", "calm"], "timed");
    assert_eq!((code, &timed["ending"]), (0, &"time_up".into()));
    assert!(timed["seeds"]["count"].as_u64().unwrap() > 1, "{timed}");
    assert!(began.elapsed() < Duration::from_secs(20), "it does end");
    let (_, both) = run(&["--for", "10m", "--seeds", "0..5"], "both");
    assert_eq!((&both["ending"], &both["seeds"]["count"]), (&"complete".into(), &5.into()));
}

/// One planted engine bug, and one engine that panics where the other does not.
#[cfg(madsim)]
#[test]
fn what_the_other_engine_does_not_confirm_is_a_disagreement_with_both_traces() {
    use failproof::election::Election;
    use failproof::engine::madsim::{EngineBug, Quirks, run_with};
    let folder = folder("disagree");
    let wrong = |engine: Engine, plan: &Arc<Plan>, record: bool| match engine {
        Engine::Madsim if plan.seed == 1 => panic_in_engine(),
        Engine::Madsim => {
            let quirks = Quirks { bug: EngineBug::TimerFirst, ..Quirks::default() };
            Ok(run_with::<Election>(Arc::clone(plan), record, quirks))
        }
        Engine::Fast => engine.run(plan, record),
    };
    let args = ["run", "--rules", "published", "--seeds", "0..12", "--guided", "false", "--out", text_of(&folder)];
    let outcome = failproof_on(&[&args[..], &["--json"]].concat(), &Interrupt::new(), &wrong);
    let report = json(&outcome);
    assert_eq!(outcome.code, 4, "{}", outcome.err);
    let disagreements = report["disagreements"].as_array().unwrap();
    assert!(!disagreements.is_empty(), "{report}");
    for found in report["violations"].as_array().unwrap() {
        assert_eq!(found["confirmed"], true, "{found}");
        assert!(disagreements.iter().all(|other| other["run"] != found["run"]), "{found}");
    }
    for found in disagreements {
        let run = found["run"].as_str().unwrap();
        assert!(folder.join(format!("EnginesAgree-{run}.json")).exists());
        let trace = |engine: &str| fs::read_to_string(folder.join(format!("EnginesAgree-{run}.{engine}.ndjson")));
        if run == "1" {
            assert!(found["message"].as_str().unwrap().contains("madsim panics"), "{found}");
            assert!(trace("fast").is_ok() && trace("madsim").is_err());
        } else {
            assert_ne!(trace("fast").unwrap(), trace("madsim").unwrap());
        }
    }
    assert!(disagreements.iter().any(|found| found["run"] == "1"));
}

#[cfg(madsim)]
fn panic_in_engine() -> crate::commands::Ran {
    Err(failproof::engine::Panicked { message: "out of breath".to_owned() })
}

/// A disk on which only so many files fit.
struct Small(AtomicU64);

impl Disk for Small {
    fn create(&self, path: &Path, text: &str) -> io::Result<()> {
        if self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        FileSystem.create(path, text)
    }

    fn replace(&self, path: &Path, text: &str) -> io::Result<()> {
        self.create(path, text)
    }

    fn check(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_fills_stops_the_campaign_and_what_was_found_is_told() {
    let folder = folder("full");
    let full = Small(AtomicU64::new(3));
    let args = ["run", "--rules", "published", "--time", "60s", "--seeds", "0..100000", "--jobs", "2", "--out"];
    let args = [&args[..], &[text_of(&folder)]].concat();
    let outcome = failproof_with(&args, &Interrupt::new(), &Engine::run, &full);
    assert_eq!(outcome.code, 2, "{}", outcome.err);
    for words in ["error: --out: cannot write", "full/"] {
        assert!(outcome.err.contains(words), "no `{words}` in {}", outcome.err);
    }
    assert!(outcome.out.starts_with("stopped, because a finding could not be written, after "), "{}", outcome.out);
    assert!(outcome.out.contains("of 100,000 seeds; so far"), "{}", outcome.out);
    assert!(outcome.out.contains("AtMostOneWorkingPrimary: "), "{}", outcome.out);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    files.iter().for_each(|file| drop(Plan::read(file).unwrap_or_else(|error| panic!("{error}"))));
}

/// A report of the same campaign that was stopped early may be replaced; any other one may not, and that is said before
/// anything runs.
#[test]
fn a_report_takes_the_place_only_of_an_unfinished_one_of_the_same_campaign() {
    let folder = folder("again");
    let run = |stop_at: Option<u64>, seeds: &str| {
        let interrupt = Interrupt::new();
        let runner = |engine: Engine, plan: &Arc<Plan>, record: bool| {
            if stop_at == Some(plan.seed) {
                interrupt.request();
            }
            engine.run(plan, record)
        };
        let args =
            ["run", "--seeds", seeds, "--faults", "calm", "--time", "5s", "--jobs", "1", "--out", text_of(&folder)];
        failproof_on(&args, &interrupt, &runner)
    };
    let ending = || failproof::campaign::SavedReport::read(&folder).unwrap().report.ending;
    assert_eq!((run(Some(3), "0..9").code, ending()), (130, Ending::Interrupted));
    assert_eq!((run(None, "0..9").code, ending()), (0, Ending::Complete));
    assert_eq!(run(None, "0..9").code, 0, "the same again");
    let fewer = run(Some(3), "0..9");
    assert!(fewer.err.contains("exists with other content"), "{}", fewer.err);
    assert_eq!(ending(), Ending::Complete, "what tells of fewer runs takes no place");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["report.json"], "nothing is left over");
    let other = run(None, "0..10");
    assert_eq!((other.code, other.out.as_str()), (2, ""));
    assert!(other.err.contains("report.json is not of this campaign"), "{}", other.err);
    assert_eq!(ending(), Ending::Complete);
}

/// Runs that were all begun do not make a campaign complete if children, or checks, were left out.
#[test]
fn a_campaign_that_left_something_out_is_not_complete() {
    let run = |stop_at: fn(Engine, &Plan) -> bool| {
        let interrupt = Interrupt::new();
        let runner = |engine: Engine, plan: &Arc<Plan>, record: bool| {
            if stop_at(engine, plan) {
                interrupt.request();
            }
            engine.run(plan, record)
        };
        let folder = folder("left_out");
        let args =
            ["run", "--rules", "published", "--seeds", "0..1", "--time", "60s", "--jobs", "1", "--json", "--out"];
        let outcome = failproof_on(&[&args[..], &[text_of(&folder)]].concat(), &interrupt, &runner);
        (outcome.code, json(&outcome))
    };
    let (code, report) = run(|_, plan| plan.child.is_none());
    assert_eq!((code, &report["ending"], &report["children"]), (130, &"interrupted".into(), &0.into()));
    // The other engine runs only once something is checked.
    let (code, report) = run(|engine, _| engine == Engine::Madsim);
    assert_eq!((code, &report["ending"], &report["seeds"]["count"]), (130, &"interrupted".into(), &1.into()));
    assert!(report["violations"].as_array().unwrap().iter().any(|found| found["confirmed"].is_null()), "{report}");
    let (code, report) = run(|_, _| false);
    assert_eq!((code, &report["ending"]), (1, &"complete".into()));
}

/// A panic outside a run, where nobody catches it, ends the campaign on any number of threads.
#[test]
fn a_panic_of_the_harness_ends_the_campaign() {
    for jobs in [1, 2, 5] {
        let campaign = Campaign { jobs, guided: false, ..guided(Rules::hardened(), 0..200) };
        let ended = std::panic::catch_unwind(|| {
            let runner = |engine: Engine, plan: &Arc<Plan>, record: bool| match plan.seed {
                70 => panic!("out of order"),
                _ => engine.run(plan, record),
            };
            let stop = AtomicBool::new(false);
            let outside = Outside { runner: &runner, stop: &stop, progress: &|_| (), keep: &|_| true, checks: false };
            campaign.run_on(&outside)
        });
        let message = *ended.expect_err("it panics").downcast::<&str>().expect("a message");
        assert_eq!(message, "out of order", "{jobs} jobs");
    }
}

/// Parts of a block have children of other names.
#[test]
fn children_are_counted_from_the_beginning_of_their_block() {
    let runs = |seeds: std::ops::Range<u64>| {
        let names = std::sync::Mutex::new(std::collections::BTreeSet::new());
        let runner = |engine: Engine, plan: &Arc<Plan>, record: bool| {
            names.lock().unwrap().insert(plan.run_id());
            engine.run(plan, record)
        };
        let stop = AtomicBool::new(false);
        let outside = Outside { runner: &runner, stop: &stop, progress: &|_| (), keep: &|_| true, checks: false };
        let _ = guided(Rules::hardened(), seeds).run_on(&outside);
        names.into_inner().unwrap()
    };
    let (early, late) = (runs(0..5), runs(500..505));
    assert!(early.is_disjoint(&late) && early.len() > 100 && late.len() > 100);
    assert_eq!(late.first(), Some(&RunId::Seed(500)), "a seed comes before its children");
}

#[test]
fn a_report_that_does_not_fit_is_refused() {
    let folder = folder("misfits");
    let args = ["run", "--seeds", "0..3", "--faults", "clock", "--time", "30s", "--out", text_of(&folder)];
    assert_eq!(failproof_on(&args, &Interrupt::new(), &Engine::run).code, 0);
    let file = folder.join("report.json");
    let good = fs::read_to_string(&file).unwrap();
    let merge = || failproof_on(&["merge", text_of(&folder)], &Interrupt::new(), &Engine::run);
    assert_eq!(merge().code, 0);
    type Alter = fn(&mut serde_json::Value);
    let altered: [(&str, Alter); 9] = [
        ("report.seeds", |report| report["report"]["seeds"] = 100_000.into()),
        ("report.asked", |report| report["report"]["asked"] = 4.into()),
        ("setting.seeds", |report| report["setting"]["campaign"]["end"] = 2.into()),
        ("report.coverage", |report| report["report"]["coverage"]["visited"] = serde_json::json!([])),
        ("report.returns.after", |report| report["report"]["returns"]["after"]["buckets"][3] = 9.into()),
        ("report.violations", |report| {
            let none = serde_json::json!({ "count": 0, "withdrawn": 0, "kept": {} });
            report["report"]["violations"] = serde_json::json!({ "NoStaleRead": none });
        }),
        ("unknown protocol `paxos`; expected election", |report| report["setting"]["protocol"] = "paxos".into()),
        ("unknown field `knots`", |report| report["setting"]["options"]["knots"] = 5.into()),
        ("unknown field", |report| report["report"]["colour"] = "blue".into()),
    ];
    for (what, alter) in altered {
        let mut report = serde_json::from_str(&good).unwrap();
        alter(&mut report);
        fs::write(&file, report.to_string()).unwrap();
        let outcome = merge();
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{what}");
        assert!(outcome.err.contains("report.json") && outcome.err.contains(what), "{what}: {}", outcome.err);
    }
    fs::write(&file, &good[..good.len() / 2]).unwrap();
    let again = failproof_on(&args, &Interrupt::new(), &Engine::run);
    assert!(again.code == 2 && again.err.contains("report.json is no report"), "{}", again.err);
}
