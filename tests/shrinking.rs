//! Plans that fail become small ones that fail likewise.

use failproof::defence::{self, Defence};
use failproof::engine::{Engine, Panicked};
use failproof::fault::{FaultClass, FaultKind, Place};
use failproof::generate::generate;
use failproof::options::Options;
use failproof::plan::Plan;
use failproof::report::RunReport;
use failproof::shrink::{Broken, Budget, Goal, STEPS_TO_BEGIN, Shrunk, Size, shrink};
use failproof::trace::Record;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn run(plan: &Arc<Plan>, record: bool) -> Result<(RunReport, Vec<Record>), Panicked> {
    Engine::Fast.run(plan, record)
}

fn smallest(plan: &Plan, goal: &Goal, budget: Budget) -> Shrunk {
    shrink(plan, goal, budget, &run, &AtomicBool::new(false))
}

/// The first seed whose run breaks `property` under these options, with why.
fn first_failing(options: &Options, property: &str, accept: impl Fn(&Goal) -> bool) -> (Plan, Goal) {
    (0..3_000)
        .find_map(|seed| {
            let plan = Arc::new(generate(seed, options, &FaultClass::ALL));
            let breaks =
                run(&plan, false).expect("no panic").0.violations.iter().any(|found| found.property == property);
            let goal = breaks.then(|| Goal::find(&plan, Some(property), &run)).flatten().filter(&accept)?;
            Some((Plan::clone(&plan), goal))
        })
        .unwrap_or_else(|| panic!("no seed breaks {property}"))
}

fn breaks(plan: &Plan, property: &str) -> bool {
    let found = run(&Arc::new(plan.clone()), false).expect("no panic").0.violations;
    found.iter().any(|violation| violation.property == property)
}

fn row(id: &str) -> &'static Defence {
    defence::all().iter().find(|row| row.id == id).expect("a row")
}

/// Goal: what random search finds in a run of five nodes and ten minutes fits on one page. Method: the first seed that
/// shows the defect, under the rules in which nothing else defends against it.
#[test]
fn each_defect_that_random_search_finds_shrinks_to_a_few_faults() {
    for (id, faults_max, places_max) in
        [("E1", 5, 2), ("E2", 4, 5), ("E3", 4, 5), ("E4", 4, 5), ("E5", 4, 5), ("E8", 4, 5), ("R1", 6, 100)]
    {
        let row = row(id);
        let usual = Options::usual(&row.protocol).expect("a protocol");
        let (options, published) = match id {
            "E1" => (usual.decided_by("published"), true),
            _ => (row.removed_from(usual), false),
        };
        // Under published rules other defects break the property too.
        let names_it = |goal: &Goal| !published || matches!(goal.prevented_by(), [only] if only.id == id);
        let (plan, goal) = first_failing(&options, &row.property, names_it);
        let shrunk = smallest(&plan, &goal, Budget::default());
        assert!(shrunk.complete, "{id}: within the usual budget");
        assert!(breaks(&shrunk.plan, &row.property), "{id}: {}", shrunk.plan);
        let mut held = shrunk.plan.clone();
        held.options = row.added_to(held.options);
        assert!(!breaks(&held, &row.property), "{id}: it is still this defect: {}", shrunk.plan);
        let size = Size::of(&shrunk.plan);
        let events = size.events;
        assert!(events <= faults_max, "{id}: {events} events of {} faults: {}", plan.faults.len(), shrunk.plan);
        assert!(size.places <= places_max, "{id}: {size:?}: {}", shrunk.plan);
    }
}

/// Goal: the search is worth its name. Method: a plan whose only needed events are known, among ten thousand others.
#[test]
fn a_plan_with_ten_thousand_faults_shrinks_within_the_usual_budget() {
    let defect = Plan::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/E1.json")).expect("a plan");
    let mut plan = defect.clone();
    let node = Place::Node(1);
    for i in 0..10_000 {
        plan = plan.fault(FaultKind::ClockStep { node, by_us: 1 + i % 7 }, (i as u64 * 977) % 9_000_000, 1_000);
    }
    let goal = Goal::find(&Arc::new(plan.clone()), Some("AtMostOneWorkingPrimary"), &run).expect("it fails");
    let shrunk = smallest(&plan, &goal, Budget::default());
    assert!(shrunk.complete, "{} runs", shrunk.runs);
    assert!(shrunk.plan.faults.len() <= defect.faults.len(), "{}", shrunk.plan);
}

/// Goal: chance is not needed to tell a story that it takes minutes to come about. Method: a finding in which the nodes must
/// act at different times, which hundreds of small delays bring about together.
#[test]
fn many_small_delays_become_a_few() {
    let options = Options::usual("election").expect("a protocol").decided_by("published");
    let plan = generate(0, &options, &[FaultClass::Network, FaultClass::Store]);
    let property = "AtMostOneWorkingPrimary";
    let goal = Goal::find(&Arc::new(plan.clone()), Some(property), &run).expect("it fails");
    let shrunk = smallest(&plan, &goal, Budget::default());
    assert!(shrunk.complete && shrunk.runs < 7_000, "{} runs", shrunk.runs);
    let size = Size::of(&shrunk.plan);
    assert!(size.noise == 0 && size.events <= 12, "{size:?}: {}", shrunk.plan);
    assert!(!shrunk.plan.fates.is_empty(), "delays stand in its place: {}", shrunk.plan);
    assert!(breaks(&shrunk.plan, property), "{}", shrunk.plan);
}

/// Goal: what is said to be the smallest is. Method: seeds whose plans could be made smaller once the end of the run was cut.
#[test]
fn after_the_last_cut_everything_is_tried_again() {
    for seed in [3_823, 4_543] {
        let mut options = Options::usual("election").expect("a protocol").decided_by("published");
        options.set_time_us(60_000_000);
        let plan = Arc::new(generate(seed, &options, &FaultClass::ALL));
        let goal = Goal::find(&plan, None, &run).expect("it fails");
        let shrunk = smallest(&plan, &goal, Budget::default());
        assert!(shrunk.complete, "{seed}");
        let again = smallest(&shrunk.plan, &goal, Budget::default());
        assert_eq!(Size::of(&again.plan), Size::of(&shrunk.plan), "{seed}: {}", again.plan);
    }
}

/// Goal: a budget that is spent keeps what was reached. Method: ever larger ones give ever smaller plans.
#[test]
fn a_spent_budget_keeps_what_was_reached() {
    let options = Options::usual("election").expect("a protocol").decided_by("published");
    let (plan, goal) = first_failing(&options, "AtMostOneWorkingPrimary", |_| true);
    let mut before = Size::of(&plan);
    for runs in [1, 10, 50, 100_000] {
        let shrunk = smallest(&plan, &goal, Budget::Runs(runs));
        let size = Size::of(&shrunk.plan);
        assert!(size <= before, "{runs} runs: {size:?} after {before:?}");
        assert_eq!(shrunk.complete, runs == 100_000, "{runs}");
        assert!(breaks(&shrunk.plan, "AtMostOneWorkingPrimary"));
        before = size;
    }
    let steps = 40 * STEPS_TO_BEGIN;
    let worked = smallest(&plan, &goal, Budget::Steps(steps));
    assert!(!worked.complete && (1..40).contains(&worked.runs), "long runs count for more: {} runs", worked.runs);
    let stopped = shrink(&plan, &goal, Budget::default(), &run, &AtomicBool::new(true));
    assert!(!stopped.complete && stopped.runs <= 10, "{} runs", stopped.runs);
}

/// Goal: the judge convicts. Method: a run whose outcome says that a planted pair of faults is at fault, in any world.
#[test]
fn exactly_the_planted_events_are_left() {
    let options = Options::usual("election").expect("a protocol");
    let classes = FaultClass::ALL;
    let is_culprit = |kind: &FaultKind| matches!(kind, FaultKind::Wipe {} | FaultKind::Rollback { .. });
    let planted = |plan: &Arc<Plan>, _: bool| {
        let (mut wipe, mut rollback) = (false, false);
        for fault in plan.faults.iter().filter(|fault| fault.at_us < plan.options.time_us()) {
            wipe |= matches!(fault.kind, FaultKind::Wipe {});
            rollback |= matches!(fault.kind, FaultKind::Rollback { .. });
        }
        match wipe && rollback {
            true => Err(Panicked { message: "both".to_owned() }),
            false => Ok((RunReport::default(), Vec::new())),
        }
    };
    let mut shrunk = 0;
    for seed in 0..40 {
        let plan = Arc::new(generate(seed, &options, &classes));
        let Some(goal) = Goal::find(&plan, None, &planted) else { continue };
        assert_eq!(*goal.broken(), Broken::Panicked("both".to_owned()));
        let small = shrink(&plan, &goal, Budget::default(), &planted, &AtomicBool::new(false)).plan;
        assert!(small.faults.len() == 2 && small.faults.iter().all(|fault| is_culprit(&fault.kind)), "{small}");
        assert_eq!((small.workload.len(), Size::of(&small).noise, Size::of(&small).places), (0, 0, 1), "{small}");
        shrunk += 1;
    }
    assert!(shrunk > 5, "only {shrunk} plans had both");
}

/// Goal: what is left reads well. Method: a failure that needs a clock to lose 20.5 ms in a second, or more.
#[test]
fn the_rate_of_a_clock_becomes_a_round_one() {
    let planted = |plan: &Arc<Plan>, _: bool| {
        let slow = |kind: &FaultKind| matches!(kind, FaultKind::ClockRate { ppm: ..=-20_500, .. });
        match plan.faults.iter().any(|fault| slow(&fault.kind)) {
            true => Err(Panicked { message: "slow".to_owned() }),
            false => Ok((RunReport::default(), Vec::new())),
        }
    };
    let rate = FaultKind::ClockRate { node: Place::Node(0), ppm: -123_457 };
    let plan = Plan::calm(failproof::election::Options::default()).fault(rate, 1_000_000, 1_000_000);
    let goal = Goal::find(&Arc::new(plan.clone()), None, &planted).expect("it fails");
    let small = shrink(&plan, &goal, Budget::default(), &planted, &AtomicBool::new(false)).plan;
    assert!(matches!(small.faults[0].kind, FaultKind::ClockRate { ppm: -32_000, .. }), "{small}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Goal: never another property, never a larger plan, the same plan each time, and nothing left to do for a second
    /// shrinking. Method: random seeds of both protocols under published rules.
    #[test]
    fn shrinking_is_monotone_and_repeatable(seed in 0..5_000_u64, routing: bool) {
        let protocol = if routing { "routing" } else { "election" };
        let mut options = Options::usual(protocol).expect("a protocol").decided_by("published");
        options.set_time_us(60_000_000);
        let plan = Arc::new(generate(seed, &options, &FaultClass::ALL));
        let Some(goal) = Goal::find(&plan, None, &run) else { return Ok(()) };
        let Broken::Property(property) = *goal.broken() else { return Ok(()) };
        let budget = Budget::Runs(300);
        let shrunk = smallest(&plan, &goal, budget);
        prop_assert!(Size::of(&shrunk.plan) <= Size::of(&plan));
        prop_assert!(breaks(&shrunk.plan, property), "{}", shrunk.plan);
        prop_assert!(shrunk.plan.check().is_ok());
        prop_assert_eq!(&shrunk.plan, &smallest(&plan, &goal, budget).plan);
        if shrunk.complete {
            let again = smallest(&shrunk.plan, &goal, budget);
            prop_assert_eq!(Size::of(&again.plan), Size::of(&shrunk.plan));
        }
    }
}
