//! `failproof replay --save`: what is written down of a plan that becomes a regression, and what is refused.

use super::{Outcome, Ran, breaks, failproof, failproof_on, failproof_with, folder, json, refused, text_of};
use failproof::cli::Interrupt;
use failproof::election::Options;
use failproof::engine::Engine;
use failproof::output::Disk;
use failproof::plan::{Found, Plan};
use failproof::verdict::{Verdict, Verdicts};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The minimal plan of a defect.
const E1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/E1.json");

fn save(plan: &str, target: &Path) -> Outcome {
    failproof(&["replay", plan, "--save", text_of(target)])
}

/// A file with this plan.
fn written(plan: &Plan, file: &Path) -> String {
    fs::write(file, serde_json::to_string_pretty(plan).unwrap()).unwrap();
    text_of(file).to_owned()
}

#[test]
fn a_saved_plan_says_what_it_breaks_under_which_rules() {
    let folder = folder("save");
    let target = folder.join("new").join("two-primaries.json");
    let outcome = save(E1, &target);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    let told = outcome.out.split("\nsaved ").nth(1).unwrap();
    for words in
        ["two-primaries.json\n", "\n  found ", "by failproof", "\n  own         breaks ", "\n  hardened    held\n"]
    {
        assert!(told.contains(words), "no `{words}` in: {told}");
    }
    let (plan, expected) = Plan::read_saved(&target).unwrap();
    let Verdicts { own, published, hardened } = expected.unwrap();
    let (report, _) = Engine::Fast.run(&Arc::new(plan.clone()), false).unwrap();
    let Verdict::Breaks(broken) = &published else { panic!("it held") };
    let mut seen: Vec<_> = report.violations.iter().map(|found| (found.at_us, found.property)).collect();
    seen.sort_unstable();
    assert_eq!(broken.iter().map(|broken| (broken.at_us, broken.property.as_str())).collect::<Vec<_>>(), seen);
    assert_eq!((own, hardened), (published.clone(), Verdict::Held));
    let found = plan.found.clone().unwrap();
    assert_eq!(found.trace_hash, format!("{:032x}", report.trace_hash));
    assert_eq!(found.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(Plan { found: None, ..plan }, Plan::read(Path::new(E1)).unwrap(), "the plan itself is as before");

    let again = folder.join("again.json");
    assert_eq!(save(text_of(&target), &again).code, 1);
    assert_eq!(fs::read(&again).unwrap(), fs::read(&target).unwrap(), "saved twice it is the same");
    let replayed = failproof(&["replay", text_of(&target)]);
    assert!(replayed.out.contains("the same property, time and trace hash"), "{}", replayed.out);
    assert!(replayed.out.contains(&format!("\nas expected: {published}\n")), "{}", replayed.out);
    let hardened = failproof(&["replay", text_of(&target), "--rules", "hardened"]);
    assert_eq!(hardened.code, 0);
    assert!(hardened.out.contains("\nas expected: held\n"), "{}", hardened.out);
    assert!(!failproof(&["replay", text_of(&target), "--rules", "client_go"]).out.contains("expected"));
}

#[test]
fn a_saved_plan_in_json() {
    let target = folder("save_json").join("plan.json");
    let report = json(&failproof(&["replay", E1, "--save", text_of(&target), "--json"]));
    assert_eq!(report["saved"]["plan"], text_of(&target));
    assert_eq!(report["saved"]["expected"]["hardened"], "held");
    assert_eq!(report["saved"]["expected"]["own"], report["saved"]["expected"]["published"]);
    assert_eq!(report["as_expected"], serde_json::Value::Null);
    let again = json(&failproof(&["replay", text_of(&target), "--json"]));
    assert_eq!((&again["as_expected"], &again["saved"]), (&true.into(), &serde_json::Value::Null));
}

/// A plan whose verdict has changed says so, whoever looks at it.
#[test]
fn a_replay_tells_a_verdict_that_has_changed() {
    let file = folder("save_changed").join("plan.json");
    let plan = Plan::read(Path::new(E1)).unwrap();
    let expected = Some(Verdicts { own: Verdict::Held, published: Verdict::Held, hardened: Verdict::Held });
    let file = written(&Plan { expected, ..plan }, &file);
    let outcome = failproof(&["replay", &file]);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    assert!(outcome.out.contains("\nnot as expected: breaks "), "{}", outcome.out);
    assert!(outcome.out.contains("it was saved with: held\n"), "{}", outcome.out);
    assert_eq!(json(&failproof(&["replay", &file, "--json"]))["as_expected"], false);
}

#[test]
fn what_holds_now_is_saved_if_it_broke_once() {
    let folder = folder("save_held");
    let mut plan = Plan::read(Path::new(E1)).unwrap();
    plan.options = plan.options.decided_by("hardened");
    let found = Found {
        property: "NoStaleEffect".to_owned(),
        at_us: 5,
        trace_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        version: "0.0.9".to_owned(),
    };
    plan.found = Some(found.clone());
    let target = folder.join("held.json");
    let outcome = save(&written(&plan, &folder.join("once.json")), &target);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    let (saved, expected) = Plan::read_saved(&target).unwrap();
    assert_eq!(saved.found, Some(found), "where it comes from is kept");
    assert_eq!(expected.unwrap().hardened, Verdict::Held);
}

#[test]
fn what_never_broke_is_no_regression() {
    let folder = folder("save_calm");
    let mut calm = Plan::calm(Options::default());
    calm.options.set_time_us(10_000_000);
    let target = folder.join("saved.json");
    let outcome = save(&written(&calm, &folder.join("calm.json")), &target);
    assert_eq!((outcome.code, outcome.out.as_str()), (2, ""));
    for words in ["calm.json", "--save", "breaks nothing", "expected a plan that was found to break something"] {
        assert!(outcome.err.contains(words), "no `{words}` in: {}", outcome.err);
    }
    assert!(!target.exists());
}

#[test]
fn a_target_that_cannot_be_is_refused_before_anything_runs() {
    let folder = folder("save_refused");
    let file = folder.join("notes");
    fs::write(&file, "mine").unwrap();
    refused(&["replay", E1, "--save", text_of(&file)], &["--save", "notes exists", "expected a new name"]);
    refused(&["replay", E1, "--save", text_of(&folder)], &["--save", "exists", "expected a new name"]);
    refused(&["replay", E1, "--save", text_of(&file.join("plan.json"))], &["--save", "notes is a file"]);
    refused(&["replay", E1, "--save", "-"], &["--save", "kept in a file"]);
    refused(&["replay", E1, "--save", "plan.json", "--rules", "hardened"], &["--save", "--rules", "cannot be used"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let nobody = |_: Engine, _: &Arc<Plan>, _: bool| -> Ran { panic!("a refused target must not run anything") };
    let target = folder.join("new").join("plan.json");
    let args = ["replay", E1, "--save", text_of(&target)];
    let outcome = failproof_with(&args, &Interrupt::new(), &nobody, &ReadOnly { checks: true });
    assert_eq!((outcome.code, outcome.out.as_str()), (2, ""));
    assert!(outcome.err.contains("--save: cannot write") && outcome.err.contains("plan.json"), "{}", outcome.err);
}

/// A disk on which nothing can be created; it says so at once if it `checks`.
struct ReadOnly {
    checks: bool,
}

impl Disk for ReadOnly {
    fn create(&self, _: &Path, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn replace(&self, _: &Path, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn check(&self, _: &Path) -> io::Result<()> {
        if self.checks { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }
}

#[test]
fn a_disk_that_fills_leaves_nothing() {
    let target = folder("save_full").join("plan.json");
    let args = ["replay", E1, "--save", text_of(&target)];
    let outcome = failproof_with(&args, &Interrupt::new(), &Engine::run, &ReadOnly { checks: false });
    assert_eq!((outcome.code, outcome.out.as_str()), (2, ""));
    assert!(outcome.err.contains("--save: cannot write") && outcome.err.contains("plan.json"), "{}", outcome.err);
    assert!(!target.exists());
}

/// Each engine must see the same, or one of them is wrong, and with it the verdict.
#[test]
#[cfg(madsim)]
fn engines_that_disagree_save_nothing() {
    let target = folder("save_disagree").join("plan.json");
    for rules in ["published", "hardened"] {
        let runner = |engine: Engine, plan: &Arc<Plan>, record: bool| match engine {
            Engine::Madsim if plan.options.rules_name() == rules => breaks(plan, "NoStaleEffect"),
            _ => Engine::Fast.run(plan, record),
        };
        let args = ["replay", E1, "--save", text_of(&target)];
        let outcome = failproof_on(&args, &Interrupt::new(), &runner);
        assert_eq!((outcome.code, outcome.out.as_str()), (4, ""));
        assert!(outcome.err.contains(&format!("the engines disagree under {rules} rules")), "{}", outcome.err);
        assert!(!target.exists());
    }
}

/// A plan that is changed is another one: what it was expected to break is not told of it.
#[test]
fn a_smaller_plan_does_not_inherit_what_was_expected() {
    let folder = folder("save_shrunk");
    let (saved, small) = (folder.join("saved.json"), folder.join("small.json"));
    assert_eq!(save(E1, &saved).code, 1);
    assert_eq!(failproof(&["shrink", text_of(&saved), "--out", text_of(&small)]).code, 1);
    assert_eq!(Plan::read_saved(&small).unwrap().1, None);
}
