//! What a command refuses: always with exit code 2, in a sentence that names the place and what was expected, before
//! anything runs, and with nothing overwritten.

use super::{failproof, folder, json, refused, text_of};
use failproof::election::Options;
use failproof::fault::{FaultKind, Place};
use failproof::plan::{Found, Plan, Task, TaskKind};
use failproof::routing;
use failproof::verdict::{Broken, Verdict, Verdicts};
use std::fs;

#[test]
fn wrong_usage_is_refused_in_a_sentence_that_names_place_and_expectation() {
    refused(&["run", "--interval", "2s", "--timeout", "4s"], &["--timeout", "more than twice", "(2 s)"]);
    refused(&["run", "--nodes", "0"], &["--nodes", "expected 1 to"]);
    refused(&["run", "--nodes", "70000"], &["--nodes"]);
    refused(&["run", "--utypes", "0"], &["--utypes", "expected 1 to"]);
    refused(&["run", "--time", "0s"], &["--time"]);
    refused(&["run", "--time", "soon"], &["--time", "soon"]);
    refused(&["run", "--seeds", "7..7"], &["--seeds", "empty", "expected a..b"]);
    refused(&["run", "--seeds", "9..3"], &["--seeds", "reversed", "expected a..b"]);
    refused(&["run", "--seeds", "12"], &["--seeds", "expected a..b"]);
    refused(&["run", "--seeds", "-1..3"], &["--seeds"]);
    refused(&["run", "--shard", "3/2"], &["--shard", "expected i/n"]);
    refused(&["run", "--seeds", "0..2", "--shard", "1/3"], &["--shard", "2 seeds", "3 parts", "expected fewer parts"]);
    refused(
        &["run", "--protocol", "paxos"],
        &["--protocol", "paxos", "expected election or routing or distribution or all"],
    );
    refused(
        &["run", "--protocol", "registry"],
        &["--protocol", "registry", "expected election or routing or distribution or all"],
    );
    let routing = |more: &[&'static str]| [&["run", "--protocol", "routing"], more].concat();
    refused(&routing(&["--nodes", "3"]), &["--nodes", "protocol routing has no such", "expected", "election"]);
    refused(&routing(&["--utypes", "3"]), &["--utypes", "protocol routing has no such", "expected", "election"]);
    for size in ["--gateways", "--servers", "--clients", "--contexts"] {
        refused(&["run", size, "3"], &[size, "protocol election has no such", "expected", "--protocol routing"]);
        refused(&["run", "--protocol", "all", size, "3"], &[size, "protocol election has no such"]);
        refused(&routing(&[size, "0"]), &[size, "expected 1 to"]);
        refused(&routing(&[size, "4294967296"]), &[size]);
    }
    refused(&routing(&["--contexts", "1000001"]), &["--contexts: 1000001", "expected 1 to 1000000"]);
    refused(&routing(&["--servers", "9"]), &["--servers: 9", "expected 1 to 8"]);
    refused(&routing(&["--timeout", "2s"]), &["--timeout", "more than twice"]);
    refused(&routing(&["--rules", "client_go"]), &["--rules", "routing", "client_go", "expected hardened, published"]);
    refused(&["run", "--rules", "perfect"], &["--rules", "perfect", "expected hardened, published"]);
    refused(&["run", "--faults", "store,gremlins"], &["--faults", "`gremlins`", "expected calm, process"]);
    refused(&["run", "--engine", "warp"], &["--engine", "warp", "expected fast or madsim"]);
    refused(&["run", "--jobs", "0"], &["--jobs", "1.."]);
    refused(&["run", "--sedes", "0..1"], &["--sedes", "--seeds"]);
    refused(&["replay"], &["<FILE>"]);
    refused(&["prove"], &["prove"]);
    refused(&[], &["Usage"]);
}

#[test]
fn a_plan_that_cannot_be_run_is_refused_by_name() {
    let folder = folder("bad_plans");
    let good = Plan::calm(Options::default()).fault(FaultKind::Pause { node: Place::Node(1) }, 1_000, 1_000);
    let good = serde_json::to_string_pretty(&good).unwrap();
    let misspelt = good.replacen("\"kind\": \"pause\"", "\"kind\": \"pause\", \"nod\": \"n0\"", 1);
    let endless = good.replacen("\"time_us\": 600000000", "\"time_us\": 18446744073709551615", 1);
    let slow = good.replacen("\"latency_us_max\": 50000", "\"latency_us_max\": 500000", 1);
    let cases: [(&str, String, &[&str]); 14] = [
        ("truncated.json", good[..good.len() / 2].to_owned(), &["EOF", "line", "expected"]),
        ("empty.json", String::new(), &["EOF", "expected"]),
        ("version.json", good.replacen("\"format\": 1", "\"format\": 9", 1), &["format 9", "expected 1"]),
        ("node.json", good.replacen("\"n1\"", "\"n7\"", 1), &["faults[id 0]", "n7", "n0 to n4"]),
        ("server.json", good.replacen("\"n1\"", "\"s0\"", 1), &["faults[id 0]", "s0", "no server"]),
        ("knots.json", good.replacen("\"nodes\": 5", "\"knots\": 5", 1), &["knots", "line", "column"]),
        ("place.json", good.replacen("\"n1\"", "\"moon\"", 1), &["moon", "expected n0"]),
        ("fault.json", good.replacen("\"pause\"", "\"sulk\"", 1), &["sulk", "line"]),
        ("field.json", misspelt, &["faults[id 0]", "pause", "`nod`"]),
        ("instant.json", good.replacen("\"for_us\": 1000", "\"for_us\": 0", 1), &["faults[id 0]", "1 or more"]),
        (
            "late.json",
            good.replacen("\"at_us\": 1000", "\"at_us\": 9000000000000000", 1),
            &["faults[id 0]", "2000 hours"],
        ),
        ("endless.json", endless, &["options.time_us", "2000 hours"]),
        ("slow.json", slow, &["latency_us_max", "might never be elected"]),
        ("protocol.json", good.replacen("\"election\"", "\"paxos\"", 1), &["paxos", "expected election"]),
    ];
    for (name, text, words) in cases {
        assert_ne!(text, good, "{name}");
        let path = folder.join(name);
        fs::write(&path, &text).unwrap();
        refused(&["replay", text_of(&path)], &[&[name], words].concat());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(folder.join("latin.json"), [b"{\"protocol\": \"", &[0xe9][..], b"\"}"].concat()).unwrap();
    refused(&["replay", text_of(&folder.join("latin.json"))], &["latin.json", "UTF-8"]);
    refused(&["replay", text_of(&folder.join("absent.json"))], &["absent.json", "cannot read"]);
    refused(&["replay", text_of(&folder)], &["bad_plans", "cannot read"]);
}

/// What is written down beside a run is checked as well, or nobody could compare with it.
#[test]
fn a_plan_whose_record_cannot_be_is_refused_by_name() {
    let folder = folder("bad_records");
    let mut good = Plan::calm(Options::default());
    good.found = Some(Found {
        property: "NoStaleEffect".to_owned(),
        at_us: 5_000_000,
        trace_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        version: "0.1.0".to_owned(),
    });
    let broken = Broken { at_us: 5_000_000, property: "NoStaleEffect".to_owned() };
    let own = Verdict::Breaks(vec![broken]);
    good.expected = Some(Verdicts { own: own.clone(), published: own, hardened: Verdict::Held });
    let good = serde_json::to_string_pretty(&good).unwrap();
    let (found, expected) = good.split_at(good.find("\"expected\"").unwrap());
    let in_found = |old: &str, new: &str| found.replacen(old, new, 1) + expected;
    let in_expected = |old: &str, new: &str| found.to_owned() + &expected.replacen(old, new, 1);
    let (name, hash) = ("\"NoStaleEffect\"", "\"0123456789abcdef0123456789abcdef\"");
    let cases: [(&str, String, &[&str]); 15] = [
        ("cut.json", good[..good.len() - 20].to_owned(), &["EOF", "line", "column"]),
        ("more.json", good.clone() + "}", &["trailing characters", "line", "column"]),
        ("list.json", format!("[{good}]"), &["line", "column"]),
        (
            "word.json",
            good.replacen("\"format\": 1", "\"format\": \"one\"", 1),
            &["invalid type", "line 2", "expected"],
        ),
        ("text.json", good.replacen("\"seed\": 0", "\"seed\": \"zero\"", 1), &["invalid type", "line", "column"]),
        ("other.json", good.replacen("\"seed\": 0", "\"seed\": 0, \"mood\": 1", 1), &["unknown field `mood`", "line"]),
        (
            "property.json",
            in_found(name, "\"AllIsWell\""),
            &["found.property", "`AllIsWell`", "election", "such as AtM"],
        ),
        ("foreign.json", in_found(name, "\"NoStaleRead\""), &["found.property", "`NoStaleRead`", "no property of"]),
        ("hash.json", in_found(hash, "\"0123\""), &["found.trace_hash", "`0123`", "expected 32 hex digits"]),
        ("early.json", in_found("\"at_us\": 5", "\"at_us\": -5"), &["invalid value", "line", "column"]),
        ("when.json", in_found("\"at_us\": 5", "\"whn\": 0, \"at_us\": 5"), &["unknown field `whn`", "line"]),
        ("wrong.json", in_expected(name, "\"AllIsWell\""), &["expected.own.breaks[0].property", "`AllIsWell`"]),
        ("verdict.json", in_expected("\"held\"", "\"hold\""), &["unknown variant `hold`", "line", "`held`"]),
        (
            "nothing.json",
            in_expected("\"held\"", "{\"breaks\": []}"),
            &["expected.hardened.breaks", "is empty", "held"],
        ),
        ("half.json", in_expected("\"hardened\"", "\"hard\""), &["unknown field `hard`", "line"]),
    ];
    for (name, text, words) in cases {
        assert_ne!(text, good, "{name}");
        let path = folder.join(name);
        fs::write(&path, &text).unwrap();
        refused(&["replay", text_of(&path)], &[&[name], words].concat());
        refused(&["shrink", text_of(&path)], &[&[name], words].concat());
        let saved = folder.join("saved.json");
        refused(&["replay", text_of(&path), "--save", text_of(&saved)], &[&[name], words].concat());
        assert!(!saved.exists());
    }
}

#[test]
fn a_plan_of_routing_that_cannot_be_run_is_refused_by_name() {
    let folder = folder("bad_routing_plans");
    let pause = FaultKind::Pause { node: Place::Server(1) };
    let mut good = Plan::calm(routing::Options::default()).fault(pause, 1_000, 1_000);
    good.workload.push(Task { at_us: 5_000_000, node: Place::Client(3), utype: 0, what: TaskKind::Forge });
    let good = serde_json::to_string_pretty(&good).unwrap();
    let (task, place) = ("\"forge\"", "\"c3\"");
    let misspelt = good.replacen("\"kind\": \"pause\"", "\"kind\": \"pause\", \"nod\": \"s0\"", 1);
    let cases: [(&str, String, &[&str]); 11] = [
        ("task.json", good.replacen(task, "\"bribe\"", 1), &["bribe", "line", "expected one of", "`hand_over`"]),
        ("role.json", good.replacen(task, "\"hand_over\"", 1), &["workload[0].node", "expected a server"]),
        ("client.json", good.replacen(place, "\"s3\"", 1), &["workload[0].node", "expected a client"]),
        ("nobody.json", good.replacen(place, "\"c20\"", 1), &["workload[0]", "c20", "only 20", "c0 to c19"]),
        ("node.json", good.replacen(place, "\"n0\"", 1), &["workload[0]", "n0", "no node"]),
        ("server.json", good.replacen("\"s1\"", "\"s7\"", 1), &["faults[id 0]", "s7", "s0 to s4"]),
        ("moon.json", good.replacen("\"s1\"", "\"moon\"", 1), &["moon", "expected n0"]),
        ("field.json", misspelt, &["faults[id 0]", "pause", "`nod`"]),
        ("lobbies.json", good.replacen("\"gateways\": 3", "\"lobbies\": 3", 1), &["lobbies", "line", "column"]),
        ("crowd.json", good.replacen("\"servers\": 5", "\"servers\": 9", 1), &["options.servers", "expected 1 to 8"]),
        ("election.json", good.replacen("\"routing\"", "\"election\"", 1), &["gateways", "line", "column"]),
    ];
    for (name, text, words) in cases {
        assert_ne!(text, good, "{name}");
        let path = folder.join(name);
        fs::write(&path, &text).unwrap();
        refused(&["replay", text_of(&path)], &[&[name], words].concat());
    }
}

#[test]
fn a_rules_file_of_routing_holds_every_switch_and_no_other() {
    let folder = folder("routing_rules");
    let file = folder.join("rules.json");
    let published = serde_json::to_value(failproof_core::routing::Rules::published()).unwrap();
    let run =
        || failproof(&["run", "--protocol", "routing", "--rules", text_of(&file), "--seeds", "0..1", "--time", "5s"]);
    for switch in published.as_object().unwrap().keys() {
        let mut missing = published.clone();
        missing.as_object_mut().unwrap().remove(switch);
        fs::write(&file, missing.to_string()).unwrap();
        let rules = ["run", "--protocol", "routing", "--rules", text_of(&file)];
        refused(&rules, &["--rules", "rules.json", "routing", "missing field", switch, "expected"]);
    }
    let election = serde_json::to_value(failproof_core::election::Rules::published()).unwrap();
    fs::write(&file, election.to_string()).unwrap();
    refused(&["run", "--protocol", "routing", "--rules", text_of(&file)], &["--rules", "no rules of protocol routing"]);
    fs::write(&file, serde_json::to_string(&failproof_core::routing::Rules::hardened()).unwrap()).unwrap();
    assert_eq!(run().code, 0);
    refused(&["run", "--protocol", "all", "--rules", text_of(&file)], &["--rules", "no rules of protocol election"]);
}

#[test]
fn a_rules_file_holds_every_switch_and_no_other() {
    let folder = folder("rules");
    let rules = folder.join("rules.json");
    let refused_with = |text: &str, words: &[&str]| {
        fs::write(&rules, text).unwrap();
        refused(&["run", "--rules", text_of(&rules)], &[&["--rules", "rules.json", "expected"], words].concat());
    };
    refused_with("anchor = heartbeat", &["line 1"]);
    refused_with(r#"{"anchor": "heartbeat"}"#, &["missing field"]);
    let published = serde_json::to_value(failproof_core::election::Rules::published()).unwrap();
    let mut unknown = published.clone();
    unknown["anker"] = "read".into();
    refused_with(&unknown.to_string(), &["anker"]);
    let mut value = published.clone();
    value["anchor"] = "stars".into();
    refused_with(&value.to_string(), &["stars"]);

    fs::write(&rules, published.to_string()).unwrap();
    let run = |rules: &str| {
        let out = folder.join(format!("by-{}", rules.len()));
        json(&failproof(&[
            "run",
            "--seeds",
            "0..3",
            "--time",
            "1m",
            "--json",
            "--rules",
            rules,
            "--out",
            text_of(&out),
        ]))
    };
    let (by_file, by_name) = (run(text_of(&rules)), run("published"));
    assert_eq!(by_file["trace_hash"], by_name["trace_hash"]);
    assert_eq!(by_file["rules"], text_of(&rules));
}

#[test]
fn an_output_path_below_a_file_is_refused_before_anything_runs() {
    let folder = folder("below_file");
    let file = folder.join("notes");
    fs::write(&file, "mine").unwrap();
    for path in [file.clone(), file.join("plans"), file.join("deep").join("plans")] {
        refused(&["run", "--out", text_of(&path)], &["--out", "notes is a file", "expected a directory"]);
    }
    let plan = folder.join("plan.json");
    fs::write(&plan, serde_json::to_string(&Plan::calm(Options::default())).unwrap()).unwrap();
    let trace = file.join("trace.ndjson");
    refused(&["replay", text_of(&plan), "--trace", text_of(&trace)], &["--trace", "notes is a file"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_timeline_goes_where_it_can() {
    let folder = folder("timeline");
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/E1.json");
    let file = folder.join("notes");
    fs::write(&file, "mine").unwrap();
    let below = file.join("page.html");
    refused(&["replay", plan, "--timeline", "html"], &["--timeline html", "expected --out FILE.html"]);
    refused(&["replay", plan, "--timeline", "html", "--out", "-"], &["--timeline html", "expected --out FILE.html"]);
    refused(&["replay", plan, "--timeline", "pdf"], &["unknown timeline `pdf`", "expected text, mermaid or html"]);
    refused(&["replay", plan, "--timeline", "text", "--json"], &["--timeline", "expected --out FILE"]);
    refused(&["replay", plan, "--timeline", "text", "--trace", "-"], &["--timeline", "expected --out FILE"]);
    refused(&["replay", plan, "--out", "page.html"], &["--timeline"]);
    refused(&["replay", plan, "--timeline", "html", "--out", text_of(&below)], &["--out", "notes is a file"]);
    let again = failproof(&["replay", plan, "--timeline", "text", "--out", text_of(&file)]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("--out: ") && again.err.contains("exists with other content"), "{}", again.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}
