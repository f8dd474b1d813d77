//! What was found once, and what became of it.
//!
//! Each plan that was saved by `failproof replay --save` breaks what its file says under its own, published and
//! hardened rules. Those in `plans/shrunk` were found by random search, and shrunk: `run`, `shrink`, `replay --save`. Those in
//! `plans/found` are what the harness once found under hardened rules; each holds now, on both engines:
//!
//! | plan | what went wrong | what was mended |
//! |---|---|---|
//! | `late-claim-after-resignation` | a duplicated claim was granted after its sender had become primary and another one resigned | the table: a resigned entry stays, so that claims from before it are told from later ones |
//! | `late-claim-after-rollback` | a late claim of a candidate that had started over was granted when the grace was over, and nobody worked for T | the table: a claim names the generation in which its sender read the entry empty |
//! | `late-claims-add-up` | two faults delayed the same claims, longer than the plan said they could be felt | the plan: delays of faults that overlap add up |
//! | `acknowledged-by-a-former-owner` | a former owner repeated a change whose answer the owner had lost, was told that it is in the row, and told the client; the owner's cache lacked it | the context table: a repeated change counts as done for the owner only |
//! | `answer-to-an-earlier-process` | an operation of a server's earlier process reached the store late, and its answer bore the number of a write that the present process waited for | the server: an answer counts only in the term in which it was asked for |
//! | `acknowledged-and-not-remembered` | a server acknowledged a change while its term seemed over and did not remember it; then the answer to a heartbeat renewed the term, and it went on from the older state | the server: what it tells it remembers; whether it serves from that is decided when it does |

use crate::commands::folder;
use failproof::defence;
use failproof::engine::Engine;
use failproof::plan::Plan;
use failproof::prevented::prevented_by;
use failproof::shrink::Size;
use failproof::verdict::{Broken, Verdict, Verdicts};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn plans() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")
}

/// The plans in a folder and in those below it, by name.
fn plans_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { plans_below(&path) } else { vec![path] };
    paths.into_iter().flat_map(below).collect()
}

/// Runs a plan under the rules for which its file has a verdict. `false` if it has none.
fn is_as_saved(file: &Path) -> Result<bool, String> {
    let (plan, expected) = Plan::read_saved(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let Some(expected) = expected else { return Ok(false) };
    let seen = Verdicts::seen(&Arc::new(plan), &Engine::run).map_err(|error| format!("{}: {error}", file.display()))?;
    let file = file.display();
    for ((rules, was), (_, is)) in expected.named().into_iter().zip(seen.named()) {
        if was != is {
            return Err(format!(
                "{file} was saved with `{was}` under {rules} rules; now it has `{is}`. Either what defends against it was \
                 changed by mistake, or the change is meant: then save it anew, `failproof replay {file} --save NEW.json`, \
                 look at the difference, and put NEW.json in its place"
            ));
        }
    }
    Ok(true)
}

#[test]
fn each_saved_plan_breaks_what_its_file_says() {
    let mut saved = 0;
    for file in plans_below(&plans()) {
        saved += usize::from(is_as_saved(&file).unwrap_or_else(|problem| panic!("{problem}")));
    }
    assert!(saved >= 7, "only {saved} plans say what they break");
}

/// Goal: the comparison convicts. Method: verdicts of a saved plan that are wrong in each way.
#[test]
fn a_wrong_verdict_is_noticed() {
    let (plan, expected) = Plan::read_saved(&plans().join("shrunk/E1.json")).expect("a plan");
    let expected = expected.expect("it was saved");
    let Verdict::Breaks(broken) = &expected.published else { panic!("published rules break nothing") };
    let other = |change: fn(&mut Broken)| {
        let mut broken = broken.clone();
        change(&mut broken[0]);
        Verdict::Breaks(broken)
    };
    let more = [broken.clone(), vec![Broken { at_us: 1, property: "NoStaleEffect".to_owned() }]].concat();
    let planted = [
        ("own", Verdict::Held),
        ("published", Verdict::Held),
        ("published", other(|broken| broken.at_us += 1)),
        ("published", other(|broken| broken.property = "NeverPanics".to_owned())),
        ("published", Verdict::Breaks(more)),
        ("hardened", expected.published.clone()),
    ];
    let folder = folder("wrong_verdicts");
    for (number, (rules, verdict)) in planted.into_iter().enumerate() {
        let mut wrong = Plan { expected: Some(expected.clone()), ..plan.clone() };
        let verdicts = wrong.expected.as_mut().expect("it was just put there");
        let field = match rules {
            "own" => &mut verdicts.own,
            "published" => &mut verdicts.published,
            _ => &mut verdicts.hardened,
        };
        *field = verdict.clone();
        let file = folder.join(format!("wrong-{number}.json"));
        fs::write(&file, serde_json::to_string_pretty(&wrong).expect("plain data")).expect("a file");
        let complaint = is_as_saved(&file).expect_err(&format!("{verdict} under {rules} rules is wrong"));
        for word in [&format!("wrong-{number}.json"), rules, &verdict.to_string(), "--save NEW.json"] {
            assert!(complaint.contains(word), "no `{word}` in: {complaint}");
        }
    }
}

/// Goal: what random search finds fits on a page. Method: each plan in `plans/shrunk`, against the size that its defect can
/// be told in: so many events (faults, tasks, fates of messages, odd clocks), and so many machines or jobs at most.
#[test]
fn each_shrunk_plan_is_small_and_breaks_for_its_reason() {
    let elections = [("E1", 5, 2), ("E2", 4, 5), ("E3", 4, 5), ("E4", 4, 5), ("E5", 4, 5), ("E8", 4, 5)];
    let routings = [("R1", 6, 5)];
    let distributions =
        [("J1", 1, 1), ("J2", 0, 24), ("J3", 0, 2), ("J4", 0, 1), ("J5", 0, 1), ("J7", 1, 3), ("J9", 1, 2)];
    let sizes: Vec<_> = elections.into_iter().chain(routings).chain(distributions).collect();
    for &(id, events_max, most) in &sizes {
        let row = defence::all().iter().find(|row| row.id == id).expect("a row");
        let (plan, expected) = Plan::read_saved(&plans().join(format!("shrunk/{id}.json"))).expect("a plan");
        let size = Size::of(&plan);
        assert!(size.events <= events_max && size.noise == 0, "{id}: {size:?}: {plan}");
        for (number, what) in plan.options.sizes() {
            assert!(number <= most, "{id}: {number} {what}s");
        }
        let plan = Arc::new(plan);
        let (report, _) = Engine::Fast.run(&plan, false).expect("no panic");
        let broken = report.violations.iter().find(|violation| violation.property == row.property);
        let broken = broken.unwrap_or_else(|| panic!("{id} breaks {:?}, not {}", report.violations, row.property));
        let again = |plan: &Arc<Plan>| Engine::Fast.run(plan, false).map(|(report, _)| report);
        let prevented = prevented_by(&plan, broken.property, broken.at_us, &again);
        assert!(prevented.iter().any(|other| other.id == id), "{id} is prevented by {prevented:?}");
        let found = plan.found.as_ref().expect("it was found");
        assert_eq!(
            (found.property.as_str(), found.at_us, found.trace_hash.clone()),
            (broken.property, broken.at_us, format!("{:032x}", report.trace_hash)),
            "{id}"
        );
        let expected = expected.unwrap_or_else(|| panic!("{id} was not saved by `replay --save`"));
        assert!(expected.own.properties().any(|property| property == row.property), "{id}: {expected:?}");
        assert_eq!(expected.hardened, Verdict::Held, "{id}");
    }
    assert_eq!(plans_below(&plans().join("shrunk")).len(), sizes.len(), "each of them is looked at");
}

#[test]
fn what_was_found_once_holds_now() {
    let files = plans_below(&plans().join("found"));
    for path in &files {
        let plan = Plan::read(path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(plan.options.rules_name(), "hardened", "{}", path.display());
        let plan = Arc::new(plan);
        let engines: &[Engine] = if cfg!(madsim) { &[Engine::Fast, Engine::Madsim] } else { &[Engine::Fast] };
        for engine in engines {
            let (report, _) = engine.run(&plan, false).expect("no panic");
            assert_eq!(report.violations, [], "{} by {engine}", path.display());
            let late = report.convergence.is_none_or(|convergence| convergence.is_late());
            assert!(!late, "{} by {engine}: nobody came back in time", path.display());
        }
    }
    assert!(files.len() >= 6, "only {} plans", files.len());
}

/// Plans that know nothing of verdicts are plans as before.
#[test]
fn a_plan_without_verdicts_is_a_plan() {
    let file = plans().join("E1.json");
    assert_eq!(is_as_saved(&file), Ok(false));
    let text = fs::read_to_string(&file).expect("a plan");
    let plan = Plan::read(&file).expect("a plan");
    assert_eq!(serde_json::to_value(&plan).expect("plain data"), serde_json::from_str::<Value>(&text).expect("JSON"));
}
