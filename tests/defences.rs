//! The table of defences, `spec/defences.toml`, row by row: its minimal plan breaks the property under published rules,
//! holds under hardened ones, and holds under published ones with that one switch on; and random search finds the defect
//! again when that one switch is off.

use failproof::defence::{self, Defence, with};
use failproof::distribution;
use failproof::engine::Engine;
use failproof::fault::FaultClass;
use failproof::generate::generate;
use failproof::options::Options;
use failproof::plan::Plan;
use std::path::PathBuf;
use std::sync::Arc;

/// Within how many seeds random search must find a defect whose defence is off.
const SEEDS: u64 = 4_000;

fn plan_of(defence: &Defence) -> Plan {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("plans").join(&defence.plan);
    Plan::read(&path).unwrap_or_else(|error| panic!("{}: {error}", defence.id))
}

/// What a plan breaks under other rules, on either engine.
fn broken(plan: &Plan, decide: impl FnOnce(Options) -> Options, engine: Engine) -> Vec<&'static str> {
    let mut plan = plan.clone();
    plan.options = decide(plan.options);
    let (report, _) = engine.run(&Arc::new(plan), false).expect("a plan of the table runs without a panic");
    report.violations.iter().map(|violation| violation.property).collect()
}

fn published(options: Options) -> Options {
    options.decided_by("published")
}

#[test]
fn every_defect_has_its_row_and_every_decision_its_defence() {
    for (protocol, letter, count) in [("election", 'E', 14), ("routing", 'R', 10), ("distribution", 'J', 9)] {
        let ids: Vec<_> = defence::of(protocol).map(|defence| defence.id.clone()).collect();
        assert_eq!(ids, (1..=count).map(|n| format!("{letter}{n}")).collect::<Vec<_>>());
    }
    for protocol in failproof::protocols::names() {
        let usual = Options::usual(protocol).expect("it is listed");
        let published = usual.clone().decided_by("published");
        let on = defence::of(protocol).fold(published, |options, row| with(options, &row.switch, true));
        assert_eq!(on, usual.decided_by("hardened"), "all switches of {protocol} together make its hardened rules");
    }
}

#[test]
fn each_minimal_plan_breaks_its_property_under_published_rules_only() {
    for defence in defence::all() {
        let plan = plan_of(defence);
        for engine in [Engine::Fast, Engine::Madsim] {
            let broken_by = broken(&plan, published, engine);
            assert!(
                broken_by.contains(&defence.property.as_str()),
                "{} on {engine}: {} does not break {}: {broken_by:?}",
                defence.id,
                defence.plan,
                defence.property
            );
        }
        let hardened = broken(&plan, |options| options.decided_by("hardened"), Engine::Fast);
        assert!(hardened.is_empty(), "{}: under hardened rules it breaks {hardened:?}", defence.id);
    }
}

#[test]
fn each_switch_alone_keeps_its_property_in_its_minimal_plan() {
    for defence in defence::all() {
        let plan = plan_of(defence);
        let with_required =
            |options| defence.requires.iter().fold(published(options), |options, switch| with(options, switch, true));
        let without = broken(&plan, with_required, Engine::Fast);
        assert!(
            without.contains(&defence.property.as_str()),
            "{}: what it requires already keeps {}, so the plan shows nothing about `{}`",
            defence.id,
            defence.property,
            defence.switch
        );
        let with_it = broken(&plan, |options| defence.added_to(published(options)), Engine::Fast);
        assert!(
            !with_it.contains(&defence.property.as_str()),
            "{}: {} breaks {} although `{}` is on",
            defence.id,
            defence.plan,
            defence.property,
            defence.switch
        );
    }
}

#[test]
fn each_minimal_plan_is_small() {
    for defence in defence::all() {
        let plan = plan_of(defence);
        for (number, what) in plan.options.sizes() {
            assert!(number <= 3, "{}: {number} {what}s", defence.id);
        }
        let events = plan.faults.len() + plan.workload.len() + plan.fates.len();
        assert!(events <= 4, "{}: {events} faults, tasks and fates", defence.id);
    }
}

/// What needs no fault shows on calm runs under published rules, and no longer with its defence.
#[test]
fn what_needs_no_fault_shows_on_calm_runs() {
    for defence in defence::all().iter().filter(|defence| defence.faults.is_empty()) {
        let published = Options::usual(&defence.protocol).expect("it is listed").decided_by("published");
        let convicted = |options: &Options| {
            (0..5).any(|seed| {
                let found = broken(&generate(seed, options, &[]), |options| options, Engine::Fast);
                found.contains(&defence.property.as_str())
            })
        };
        assert!(convicted(&published), "{}: calm runs do not show it", defence.id);
        assert!(
            !convicted(&defence.added_to(published)),
            "{}: calm runs show it with `{}`",
            defence.id,
            defence.switch
        );
    }
}

/// Goal: whatever the rules, a look that changes nothing waits for the next poll. Method: a calm run of three jobs under
/// all rules with one defence of job distribution off, and how many events each server makes in a second. At two polls a
/// second it is about 15; a message that follows at once upon the last one makes it more than 100.
#[test]
fn no_rules_make_messages_go_around_in_a_circle() {
    let calm = distribution::Options { servers: 2, clients: 1, jobs: 3, time_us: 30_000_000, ..Default::default() };
    let calm = Options::from(calm);
    let ablated = defence::of("distribution").map(|defence| (defence.id.as_str(), defence.removed_from(calm.clone())));
    for (id, options) in ablated.chain([("all of them", published(calm.clone()))]) {
        let plan = Arc::new(generate(0, &options, &[]));
        let (report, _) = Engine::Fast.run(&plan, false).expect("no panic");
        let each_second = report.events / 30 / 2;
        assert!((5..30).contains(&each_second), "without {id}: {each_second} events a second");
    }
}

#[test]
fn random_search_finds_each_defect_when_its_defence_is_off() {
    let classes = FaultClass::ALL;
    for defence in defence::all() {
        let options = defence.removed_from(Options::usual(&defence.protocol).expect("it is listed"));
        let found = (0..SEEDS).find(|seed| {
            let plan = generate(*seed, &options, &classes);
            broken(&plan, |options| options, Engine::Fast).contains(&defence.property.as_str())
        });
        let Some(seed) = found else {
            panic!("{}: without `{}` no seed of {SEEDS} breaks {}", defence.id, defence.switch, defence.property)
        };
        println!("{:4} without {:24} breaks {:26} at seed {seed}", defence.id, defence.switch, defence.property);
    }
}
