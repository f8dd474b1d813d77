//! The other protocols on the command line, and all of them in one campaign.
//!
//! Method: whole command lines, as the user gives them. What a test needs to fail fails by published rules, or by a
//! console that says so.

use super::{Ran, breaks, failproof, failproof_on, folder, json, read_json, stays_down, text_of};
use failproof::cli::Interrupt;
use failproof::engine::Engine;
use failproof::plan::Plan;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Few seeds of all protocols, short and without children.
const ALL: [&str; 8] = ["run", "--protocol", "all", "--time", "40s", "--guided", "false", "--seeds"];

#[test]
fn sizes_of_routing_are_options_of_run() {
    let sizes = ["--gateways", "2", "--servers", "3", "--clients", "4", "--contexts", "9"];
    let args = ["run", "--protocol", "routing", "--seeds", "0..1", "--time", "20s", "--faults", "calm"];
    let usual = failproof(&args);
    assert_eq!(usual.code, 0, "{}{}", usual.out, usual.err);
    assert!(usual.out.contains("3 gateways, 5 servers, 20 clients, 200 contexts, 20.000 s"), "{}", usual.out);
    let given = failproof(&[&args[..], &sizes].concat());
    assert_eq!(given.code, 0, "{}{}", given.out, given.err);
    assert!(given.out.contains("2 gateways, 3 servers, 4 clients, 9 contexts, 20.000 s"), "{}", given.out);
    let help = failproof(&["run", "--help"]).out;
    for usual in ["[election: 5]", "[routing: 3]", "[routing: 5]", "[routing: 20]", "[distribution: 4]"] {
        assert!(help.contains(usual), "no `{usual}` in {help}");
    }
    assert!(help.contains("election, routing, distribution, or all"), "{help}");
}

#[test]
fn a_finding_of_routing_is_examined_confirmed_saved_and_replayed() {
    let folder = folder("routing_replay");
    let rules = ["--rules", "published", "--contexts", "40", "--clients", "5"];
    let args = ["run", "--protocol", "routing", "--seeds", "0..2", "--time", "1m", "--guided", "false", "--json"];
    let outcome = failproof(&[&args[..], &rules, &["--out", text_of(&folder)]].concat());
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    let report = json(&outcome);
    assert_eq!((&report["protocol"], &report["rules"]), (&"routing".into(), &"published".into()));
    assert!(report.pointer("/coverage/actions/Take").is_some(), "the contract is that of routing: {report}");
    let found = &report["violations"][0];
    assert_eq!(found["confirmed"], true, "{found}");
    assert!(found["prevented_by"].is_array(), "{found}");
    let plan = found["plan"].as_str().unwrap();
    for engine in ["fast", "madsim"] {
        let again = failproof(&["replay", plan, "--json", "--engine", engine]);
        let again = (again.code, json(&again));
        assert_eq!((again.0, &again.1["same_as_found"]), (1, &Value::Bool(true)), "{engine}");
        assert_eq!(again.1["trace_hash"], read_json(Path::new(plan))["found"]["trace_hash"]);
    }
    let text = failproof(&["replay", plan]).out;
    assert!(text.contains("the same property, time and trace hash"), "{text}");
    assert!(text.contains("3 gateways, 5 servers, 5 clients, 40 contexts"), "{text}");
    let hardened = failproof(&["replay", plan, "--rules", "hardened", "--json"]);
    assert_eq!((hardened.code, &json(&hardened)["violations"]), (0, &Value::Array(Vec::new())), "{}", hardened.err);

    let merged = failproof(&["merge", text_of(&folder), "--json"]);
    assert_eq!((merged.code, &json(&merged)["trace_hash"]), (1, &report["trace_hash"]), "{}", merged.err);
}

/// The reports of all protocols are told one after the other, lie side by side on the disk, and are merged again.
#[test]
fn all_protocols_are_run_told_saved_and_merged() {
    let folder = folder("all");
    let (whole, parts) = (folder.join("whole"), folder.join("parts"));
    let text = failproof(&[&ALL[..], &["0..4", "--out", text_of(&whole)]].concat());
    assert_eq!((text.code, text.err.as_str()), (0, ""), "{}", text.out);
    let told: Vec<_> = text.out.lines().filter(|line| line.starts_with("protocol")).collect();
    let names = ["election", "routing", "distribution"];
    assert!(told.len() == 3 && told.iter().zip(names).all(|(line, name)| line.contains(name)), "{told:?}");

    let report = json(&failproof(&[&ALL[..], &["0..4", "--json"]].concat()));
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|run| run["protocol"].as_str().unwrap()).collect::<Vec<_>>(), names);
    for run in runs {
        let name = run["protocol"].as_str().unwrap();
        let alone = ["run", "--time", "40s", "--guided", "false", "--seeds", "0..4", "--json", "--protocol", name];
        let alone = json(&failproof(&alone));
        assert_eq!(run["trace_hash"], alone["trace_hash"], "{name} alone");
        let saved = whole.join(name).join("report.json");
        assert_eq!(read_json(&saved)["report"]["hash"], run["trace_hash"], "{name} on the disk");
    }

    for part in ["1", "2"] {
        let (shard, out) = (format!("{part}/2"), parts.join(part));
        let args = [&ALL[..], &["0..4", "--quiet", "--shard", &shard, "--out", text_of(&out)]].concat();
        assert_eq!(failproof(&args).code, 0);
    }
    let merge = |folders: &[&Path]| {
        let folders: Vec<_> = folders.iter().map(|folder| text_of(folder)).collect();
        failproof(&[&["merge", "--json"], &folders[..]].concat())
    };
    let (one, two) = (parts.join("1"), parts.join("2"));
    let merged = json(&merge(&[&two, &one]));
    for (run, merged) in runs.iter().zip(merged["runs"].as_array().unwrap()) {
        assert_eq!((&merged["protocol"], &merged["trace_hash"]), (&run["protocol"], &run["trace_hash"]));
    }
    let single = json(&merge(&[&one.join("routing"), &two.join("routing")]));
    assert_eq!(single["trace_hash"], runs[1]["trace_hash"], "a protocol can be merged alone");
    let missing = merge(&[&one, &two.join("election")]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("routing: seeds 2..4 are in none of the directories"), "{}", missing.err);
}

#[test]
fn the_gravest_exit_code_of_all_protocols_decides() {
    let code = |election: fn(&Plan) -> Ran, routing: fn(&Plan) -> Ran| {
        let runner = |_: Engine, plan: &Arc<Plan>, _: bool| match plan.protocol.as_str() {
            "election" => election(plan),
            "routing" => routing(plan),
            _ => Engine::Fast.run(plan, false),
        };
        let out = folder("gravest");
        let args = [&ALL[..], &["0..1", "--quiet", "--out", text_of(&out)]].concat();
        failproof_on(&args, &Interrupt::new(), &runner).code
    };
    let held = |plan: &Plan| Engine::Fast.run(&Arc::new(plan.clone()), false);
    let stale = |plan: &Plan| breaks(plan, "NoStaleEffect");
    let lost = |plan: &Plan| breaks(plan, "NoLostAcknowledgedWrite");
    assert_eq!((code(held, held), code(held, stays_down), code(stays_down, held)), (0, 3, 3));
    assert_eq!((code(held, lost), code(stays_down, lost), code(stale, stays_down)), (1, 1, 1));
}

/// A suite for each protocol, with its own properties only: what cannot break must not be told as held.
#[test]
fn junit_has_a_suite_for_each_protocol_with_its_own_properties() {
    let folder = folder("junit");
    let xml = folder.join("failproof.xml");
    let runner = |_: Engine, plan: &Arc<Plan>, _: bool| match plan.protocol.as_str() {
        "routing" => breaks(plan, "NoStaleRead"),
        _ => Engine::Fast.run(plan, false),
    };
    let out = folder.join("out");
    let args = [&ALL[..], &["0..1", "--quiet", "--junit", text_of(&xml), "--out", text_of(&out)]].concat();
    assert_eq!(failproof_on(&args, &Interrupt::new(), &runner).code, 1);
    let text = fs::read_to_string(&xml).unwrap();
    let suites: Vec<_> = text.split("<testsuite ").skip(1).collect();
    let [election, routing, jobs] = suites[..] else { panic!("{} suites in {text}", suites.len()) };
    assert!(election.contains("failproof.election") && routing.contains("failproof.routing"));
    assert!(election.contains("failures=\"0\"") && routing.contains("failures=\"1\""), "{text}");
    assert!(jobs.contains("failproof.distribution") && jobs.contains("failures=\"0\""), "{text}");
    for (own, foreign) in [
        ("AtMostOneWorkingPrimary", "NoStaleRead"),
        ("EventuallyPrimary", "EventuallyServed"),
        ("EmptyAnswerIsFinal", "OneHaidPerContext"),
    ] {
        assert!(election.contains(own) && !election.contains(foreign), "{election}");
        assert!(routing.contains(foreign) && !routing.contains(own), "{routing}");
        assert!(!jobs.contains(own) && !jobs.contains(foreign), "{jobs}");
    }
    for own in ["AtMostOneLiveInstance", "NoOrphanAfterQuiet"] {
        assert!(jobs.contains(own) && !election.contains(own) && !routing.contains(own), "{text}");
    }
    assert!(suites.iter().all(|suite| suite.contains("RefinementHolds")));
}
