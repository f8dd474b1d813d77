//! The TLA+ models are what their manifest says, and a model that is not is reported where it is wrong.
//!
//! Method: the manifest's models are checked, but for those of which each takes many seconds. Then single files are
//! broken on purpose, in a folder of their own, and `failproof check` has to name file and line, to show a shortest way,
//! and to end with the right code.

use failproof::models::{self, Checker, Manifest};
use serde_json::Value;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Larger models are left to `failproof check`.
const STATES_MAX: usize = 6_000;

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/tla")
}

fn check(args: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["failproof", "check"].iter().chain(args).map(std::ffi::OsString::from);
    let code = failproof::cli::main_with(args, &mut out, &mut err);
    (code, String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"))
}

#[test]
fn models_are_what_the_manifest_says() {
    let (manifest, bench) =
        models::open(Some(&spec().join("manifest.toml")), Checker::InProcess).expect("the manifest can be read");
    let small = |model: &&models::Model| match model.expect {
        models::Expected::Holds { states, .. } => states <= STATES_MAX && !model.slow,
        models::Expected::Violates { .. } | models::Expected::Loops { .. } => !model.slow,
    };
    let chosen: Vec<_> = manifest.models.iter().filter(small).collect();
    let mut told = Vec::new();
    bench.check(&chosen, NonZeroUsize::new(2).expect("two"), |model, checked| {
        let (_, problems) = checked.outcome.as_ref().unwrap_or_else(|failure| panic!("{}: {failure}", model.name));
        assert!(problems.is_empty(), "{}: {problems:?}", model.name);
        told.push(model.name.clone());
    });
    assert_eq!(told, chosen.iter().map(|model| model.name.clone()).collect::<Vec<_>>(), "in the order of the manifest");
    assert!(told.len() > 45, "{told:?}");
}

/// The closed form is in the manifest for each size, also for those that are not checked here.
#[test]
fn published_election_follows_its_closed_form() {
    let text = fs::read_to_string(spec().join("manifest.toml")).expect("the manifest");
    let manifest = Manifest::parse(&text, Path::new("manifest.toml")).expect("a manifest");
    for servers in 1..=12 {
        let chosen = manifest.chosen(&[format!("Hpcha {servers}")]).expect("one model");
        let expected = models::Expected::Holds { states: (servers + 1) << servers, depth: servers + 3 };
        assert_eq!(chosen[0].expect, expected);
        assert_eq!(chosen[0].constants["Server"].matches('s').count(), servers);
        assert!(chosen[0].never.contains_key("LeaderLost"));
    }
}

/// The process stands in no checkout here, so it takes what was compiled in.
#[test]
fn models_are_checked_without_a_checkout() {
    let (code, out, err) = check(&["--model", "Pair", "--model", "Hpcha 3", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(told["as_expected"], true);
    assert_eq!(told["models"][0]["states"], 1_835);
    assert_eq!(told["models"][1]["never"], serde_json::json!(["LeaderLost"]));
}

/// A folder with the lease, its manifest and one change in one of the files.
fn planted(name: &str, file: &str, from: &str, to: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted_models").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let manifest = "[[model]]\nname = \"Lease\"\nmodule = \"Lease.tla\"\ncfg = \"Lease.cfg\"\n\
                    expect.holds = { states = 166, depth = 10 }\n";
    let read = |name: &str| fs::read_to_string(spec().join("election").join(name)).expect("a file");
    for (name, text) in
        [("manifest.toml", manifest.to_owned()), ("Lease.tla", read("Lease.tla")), ("Lease.cfg", read("Lease.cfg"))]
    {
        let changed = if name == file { text.replacen(from, to, 1) } else { text.clone() };
        assert!(name != file || changed != text, "{file} holds no `{from}`");
        fs::write(folder.join(name), changed).expect("a file");
    }
    folder
}

/// The line of `file` that begins so, from 1.
fn line(folder: &Path, file: &str, start: &str) -> usize {
    let text = fs::read_to_string(folder.join(file)).expect("a file");
    text.lines().position(|line| line.starts_with(start)).expect("such a line") + 1
}

#[test]
fn wrong_models_are_reported_with_place_and_shortest_trace() {
    let cases = [
        ("nothing", "Lease.tla", "\\* Belief", "\\* Belief ", None),
        ("negated", "Lease.tla", "doubted) <= 1", "doubted) > 1", Some(("AtMostOneWorkingPrimary ==", 1))),
        ("guard", "Lease.tla", "  /\\ Open(a) = {}\n", "", Some(("SealedBeforeWork ==", 4))),
        ("never", "Lease.tla", "  /\\ owner # a\n", "  /\\ owner # a /\\ FALSE\n", Some(("Retire(a) ==", 0))),
    ];
    for (name, file, from, to, expected) in cases {
        let folder = planted(name, file, from, to);
        let manifest = folder.join("manifest.toml");
        let (code, out, err) = check(&["--manifest", manifest.to_str().expect("a path"), "--json"]);
        assert_eq!(err, "", "{name}");
        let told: Value = serde_json::from_str(&out).expect("JSON");
        let problems = told["models"][0]["problems"].as_array().expect("problems");
        let Some((definition, states)) = expected else {
            assert_eq!((code, problems.len()), (0, 0), "{name}: {out}");
            continue;
        };
        assert_eq!(code, 1, "{name}: {out}");
        let place = format!("{}:{}", folder.join(file).display(), line(&folder, file, definition));
        let problem = problems.iter().find(|problem| problem["place"] == place.as_str());
        let problem = problem.unwrap_or_else(|| panic!("{name}: nothing at {place}: {out}"));
        assert_eq!(problem["trace"].as_array().map(Vec::len), Some(states), "{name}: {out}");
        let (code, out, _) = check(&["--manifest", manifest.to_str().expect("a path")]);
        assert_eq!(code, 1, "{name}");
        assert!(out.contains(&place), "{name}: {out}");
    }
}

#[test]
fn wrong_counts_are_reported_with_the_line_of_the_manifest() {
    for (name, from, to, said) in [
        ("states", "states = 166", "states = 167", "distinct states: 166 found, 167 expected"),
        ("depth", "depth = 10", "depth = 11", "depth: 10 found, 11 expected"),
        ("fires", "expect", "never.Grant = \"it does\"\nexpect", "Grant fires"),
        (
            "verdict",
            "expect.holds = { states = 166, depth = 10 }",
            "expect.violates = { property = \"NoStaleEffect\", states = 3 }",
            "NoStaleEffect holds",
        ),
    ] {
        let folder = planted(name, "manifest.toml", from, to);
        let manifest = folder.join("manifest.toml");
        let (code, out, err) = check(&["--manifest", manifest.to_str().expect("a path")]);
        assert_eq!((code, err.as_str()), (1, ""), "{name}: {out}");
        assert!(out.contains(said) && out.contains("manifest.toml:2"), "{name}: {out}");
    }
}

#[test]
fn unreadable_models_end_with_two_and_name_file_and_line() {
    let unreadable = [
        ("parse", "Lease.tla", "Rivals(a) == (works", "Rivals(a) == ((works", "Lease.tla:69: Rivals: "),
        ("undefined", "Lease.tla", "  /\\ a \\in works\n", "  /\\ a \\in worke\n", "Lease.tla"),
        ("invariant", "Lease.cfg", "  NoStaleEffect", "  NoSuchThing", "Lease.cfg"),
        ("constant", "manifest.toml", "expect", "constants.Wait = \"FALSE\"\nexpect", "sets no constant `Wait`"),
        ("module", "manifest.toml", "Lease.tla", "Leese.tla", "Leese.tla"),
    ];
    for (name, file, from, to, said) in unreadable {
        let folder = planted(name, file, from, to);
        let manifest = folder.join("manifest.toml");
        let (code, out, _) = check(&["--manifest", manifest.to_str().expect("a path")]);
        assert_eq!(code, 2, "{name}: {out}");
        assert!(out.contains("cannot be checked: ") && out.contains(said), "{name}: {out}");
    }
}

#[test]
fn unreadable_manifests_and_absent_checkers_are_refused() {
    let folder = planted("syntax", "manifest.toml", "name", "nam");
    let manifest = folder.join("manifest.toml");
    let manifest = manifest.to_str().expect("a path");
    let (code, _, err) = check(&["--manifest", manifest]);
    assert_eq!(code, 2);
    assert!(err.contains("manifest.toml:2: unknown field `nam`"), "{err}");
    let twice =
        fs::read_to_string(spec().join("manifest.toml")).expect("the manifest").replace("Hpcha 2\"", "Hpcha 1\"");
    let error = Manifest::parse(&twice, Path::new("m.toml")).expect_err("two models of one name");
    assert!(error.contains("two models are called `Hpcha 1`"), "{error}");
    for (args, said) in [
        (["--manifest", "no/such.toml"], "no/such.toml: cannot be read"),
        (["--model", "Leese"], "no model and no module is called `Leese`"),
        (["--tlc", "no/tla2tools.jar"], "no/tla2tools.jar is no file"),
    ] {
        let (code, out, err) = check(&args);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains(said), "{err}");
    }
}

/// A folder with the live model of the lease, its manifest with `expect`, and one change in one of the files.
fn planted_live(name: &str, expect: &str, (file, from, to): (&str, &str, &str)) -> PathBuf {
    let folder = planted(name, "Lease.tla", "\\* Belief", "\\* Belief ");
    let manifest = format!(
        "[[model]]\nname = \"Lease, live\"\nmodule = \"LiveLease.tla\"\ncfg = \"LiveLease.cfg\"\nexpect.{expect}\n"
    );
    let read = |name: &str| fs::read_to_string(spec().join("election").join(name)).expect("a file");
    for (name, text) in [
        ("manifest.toml", manifest),
        ("LiveLease.tla", read("LiveLease.tla")),
        ("LiveLease.cfg", read("LiveLease.cfg")),
    ] {
        let changed = if name == file { text.replacen(from, to, 1) } else { text.clone() };
        assert!(name != file || changed != text, "{file} holds no `{from}`");
        fs::write(folder.join(name), changed).expect("a file");
    }
    folder
}

const LIVE_HOLDS: &str = "holds = { states = 166, depth = 10 }";

/// A store that need not answer, and a property that asks for too much, are convicted: the report shows a behaviour,
/// and where it goes on for ever.
#[test]
fn failed_temporal_properties_are_reported_with_a_loop() {
    for (name, change, property) in [
        ("unfair", ("LiveLease.cfg", "{\"Grant\", ", "{"), "FreeLeaseIsGranted"),
        ("greedy", ("LiveLease.tla", "EventuallyPrimary == []<>", "EventuallyPrimary == <>[]"), "EventuallyPrimary"),
        (
            "untrusted",
            ("LiveLease.tla", "a \\in doubted ~> a \\notin doubted", "a \\notin doubted ~> a \\in doubted"),
            "DoubtEnds",
        ),
    ] {
        let folder = planted_live(name, LIVE_HOLDS, change);
        let manifest = folder.join("manifest.toml");
        let manifest = manifest.to_str().expect("a path");
        let (code, out, err) = check(&["--manifest", manifest, "--json"]);
        assert_eq!((code, err.as_str()), (1, ""), "{name}: {out}");
        let told: Value = serde_json::from_str(&out).expect("JSON");
        let problem = &told["models"][0]["problems"][0];
        let place = format!("LiveLease.tla:{}", line(&folder, "LiveLease.tla", &format!("{property} ==")));
        assert!(problem["place"].as_str().is_some_and(|said| said.ends_with(&place)), "{name}: {out}");
        let trace = problem["trace"].as_array().expect("a trace");
        let back_to = usize::try_from(problem["back_to"].as_u64().expect("a state")).expect("small");
        assert!((1..=trace.len()).contains(&back_to), "{name}: {out}");
        for (at, step) in trace.iter().enumerate() {
            assert_eq!(step["action"].is_string(), at > 0, "{name}: {out}");
            assert!(at == 0 || step["state"] != trace[at - 1]["state"], "{name}: nothing happens: {out}");
        }
        let (code, out, _) = check(&["--manifest", manifest]);
        assert_eq!(code, 1, "{name}");
        assert!(out.contains(", for ever") || out.contains("nothing happens any more"), "{name}: {out}");
    }
}

#[test]
fn loops_that_are_not_found_are_reported() {
    let nothing = ("LiveLease.tla", "(* Fairness.", "(* Fairness ");
    for (name, expect, code, said) in [
        ("loop", "loops = { property = \"EventuallyPrimary\", states = 166 }", 1, "EventuallyPrimary holds"),
        ("asked", "loops = { property = \"NoStaleEffect\", states = 166 }", 2, "asks for no temporal property"),
        ("invariant", "violates = { property = \"DoubtEnds\", states = 3 }", 1, "DoubtEnds holds"),
    ] {
        let manifest = planted_live(name, expect, nothing).join("manifest.toml");
        let (ended, out, _) = check(&["--manifest", manifest.to_str().expect("a path")]);
        assert_eq!(ended, code, "{name}: {out}");
        assert!(out.contains(said), "{name}: {out}");
    }
    let unfair = ("LiveLease.cfg", "{\"Grant\", ", "{");
    let manifest = planted_live("counted", "loops = { property = \"EventuallyPrimary\", states = 167 }", unfair);
    let (code, out, _) = check(&["--manifest", manifest.join("manifest.toml").to_str().expect("a path")]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("distinct states: 166 found, 167 expected"), "{out}");
}

#[test]
fn misspelt_names_in_a_configuration_are_told_with_their_line() {
    for (name, from, to) in [
        ("property", "  DoubtEnds", "  DoubtEnd"),
        ("specification", "N LiveSpec", "N LifeSpec"),
        ("type", "  TypeOK", "  TypeOkay"),
    ] {
        let folder = planted_live(name, LIVE_HOLDS, ("LiveLease.cfg", from, to));
        let manifest = folder.join("manifest.toml");
        let (code, out, _) = check(&["--manifest", manifest.to_str().expect("a path")]);
        assert_eq!(code, 2, "{name}: {out}");
        let line = fs::read_to_string(folder.join("LiveLease.cfg")).expect("a file");
        let line = line.lines().position(|line| line.contains(to)).expect("a line") + 1;
        assert!(out.contains(&format!("LiveLease.cfg:{line}: `")), "{name}: {out}");
        assert!(out.contains("expected a name that LiveLease defines"), "{name}: {out}");
    }
}

#[test]
fn absent_java_and_jars_without_tlc_are_refused() {
    let folder = planted("jars", "Lease.tla", "\\* Belief", "\\* Belief ");
    let jar = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).expect("a file");
        folder.join(name)
    };
    let (text, empty) = (jar("text.jar", b"no archive"), jar("empty.jar", b"PK\x05\x06"));
    for (jar, said) in [(&text, "text.jar is no jar; expected tla2tools.jar"), (&empty, "empty.jar holds no TLC")] {
        let (code, out, err) = check(&["--tlc", jar.to_str().expect("a path")]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains(said), "{err}");
    }
    let jar = jar("named.jar", b"PK\x03\x04tlc2/TLC.class");
    let error =
        models::open(None, Checker::Tlc { jar, java: "no-such-java".into() }).expect_err("there is no such Java");
    assert!(error.contains("no-such-java cannot be run") && error.contains("expected Java 11 or newer"), "{error}");
}
