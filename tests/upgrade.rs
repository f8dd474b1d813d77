//! A fleet that is upgraded while it works, as `docs/upgrade.md` describes it, and in an order that breaks it.
//!
//! Method: plans whose servers begin by published rules and are started again, one place after another, as the version that
//! decides by hardened ones. What a published fleet breaks by itself is no matter of the upgrade: of many seeds those are
//! looked at on which it had broken nothing before the first step.

use failproof::distribution::Options;
use failproof::engine::Engine;
use failproof::fault::{Fault, FaultKind, Place};
use failproof::generate::generate;
use failproof::plan::{Plan, TaskKind};
use failproof::report::RunReport;
use failproof_core::Duration;
use failproof_core::distribution::Rules;
use std::path::Path;
use std::sync::Arc;

const SECOND: u64 = 1_000_000;
const ENGINES: &[Engine] = if cfg!(madsim) { &[Engine::Fast, Engine::Madsim] } else { &[Engine::Fast] };
/// In the order of `docs/upgrade.md`.
const RIGHT: [Place; 5] = [Place::Store, Place::Resource, Place::Server(0), Place::Server(1), Place::Server(2)];

fn plan(name: &str) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/upgrade").join(name);
    Plan::read(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn run(plan: &Plan, engine: Engine) -> RunReport {
    plan.check().unwrap_or_else(|error| panic!("{error}"));
    engine.run(&Arc::new(plan.clone()), false).unwrap_or_else(|panicked| panic!("{}", panicked.message)).0
}

fn seeded(plan: &Plan, seed: u64) -> Plan {
    let mut plan = plan.clone();
    plan.noise.seed = seed;
    plan
}

/// The places that are upgraded, in their order.
fn steps(plan: &Plan) -> Vec<Place> {
    let mut tasks: Vec<_> = plan.workload.iter().filter(|task| task.what == TaskKind::Upgrade).collect();
    tasks.sort_by_key(|task| task.at_us);
    tasks.into_iter().map(|task| task.node).collect()
}

/// The same plan with only the first so many steps.
fn with_steps(plan: &Plan, count: usize) -> Plan {
    let kept = steps(plan)[..count].to_vec();
    let mut plan = plan.clone();
    plan.workload.retain(|task| kept.contains(&task.node));
    let stays = |fault: &Fault| !is_restart(fault) || fault.kind.places().iter().all(|place| kept.contains(place));
    plan.faults.retain(stays);
    plan
}

const fn is_restart(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Crash { .. })
}

/// When the first process stops.
fn begins_us(plan: &Plan) -> u64 {
    plan.faults.iter().filter(|fault| is_restart(fault)).map(|fault| fault.at_us).min().expect("there are steps")
}

/// Whether the published fleet breaks something before the first step.
fn is_broken_before(plan: &Plan) -> bool {
    let mut before = with_steps(plan, 0);
    before.options.set_time_us(begins_us(plan));
    !run(&before, Engine::Fast).violations.is_empty()
}

fn broken(report: &RunReport) -> Vec<&'static str> {
    report.violations.iter().map(|violation| violation.property).collect()
}

fn holds(plan: &Plan, engine: Engine) -> RunReport {
    let report = run(plan, engine);
    assert_eq!(report.violations, [], "noise seed {} by {engine}", plan.noise.seed);
    let convergence = report.convergence.expect("it is reported");
    assert!(convergence.told && !convergence.is_late(), "noise seed {} by {engine}: {convergence:?}", plan.noise.seed);
    report
}

#[test]
fn the_plans_differ_in_nothing_but_the_order() {
    let (right, wrong) = (plan("right-order.json"), plan("wrong-order.json"));
    assert_eq!(steps(&right), RIGHT);
    assert_eq!(right.distribution().rules, Rules::published());
    assert_eq!(right.distribution().upgrade, Some(Rules::hardened()));
    let mut moved = wrong.clone();
    moved.workload.clone_from(&right.workload);
    moved.faults.clone_from(&right.faults);
    assert_eq!(moved, right);
    let mut places = steps(&wrong);
    assert_ne!(places, RIGHT);
    places.sort_unstable();
    let mut all = RIGHT;
    all.sort_unstable();
    assert_eq!(places, all);
}

#[test]
fn upgrade_in_the_right_order_holds_throughout() {
    let right = plan("right-order.json");
    for engine in ENGINES {
        let report = holds(&right, *engine);
        println!("{:?}", report.counters);
        assert!(report.counters["actions done"] >= 10, "{:?}", report.counters);
    }
    let (mut clean, seeds) = (0, 300);
    for seed in 0..seeds {
        let right = seeded(&right, seed);
        if !is_broken_before(&right) {
            clean += 1;
            holds(&right, Engine::Fast);
        }
    }
    println!("{clean} of {seeds} seeds had broken nothing before");
    assert!(clean >= seeds / 2, "only {clean} of {seeds} seeds had broken nothing before");
}

#[test]
fn upgrade_in_the_wrong_order_breaks() {
    let wrong = plan("wrong-order.json");
    assert!(!is_broken_before(&wrong));
    for engine in ENGINES {
        // The first step that is one too many.
        let to_blame = (0..=steps(&wrong).len()).find(|count| !run(&with_steps(&wrong, *count), *engine).violations.is_empty());
        println!("{to_blame:?} {:?} {:?}", broken(&run(&with_steps(&wrong, 1), *engine)), broken(&run(&wrong, *engine)));
    }
}

#[test]
fn upgrade_survey() {
    let (right, wrong) = (plan("right-order.json"), plan("wrong-order.json"));
    for seed in 0..40 {
        let (right, wrong) = (seeded(&right, seed), seeded(&wrong, seed));
        let say = |plan: &Plan| {
            run(plan, Engine::Fast).violations.iter().map(|v| format!("{} {} {}", v.property, v.at_us, v.story)).collect::<Vec<_>>()
        };
        println!("{seed} before {}\n   right {:?}\n   w1 {:?}\n   wrong {:?}", is_broken_before(&right), say(&right), say(&with_steps(&wrong, 1)), say(&wrong));
    }
}
