//! Random plans against the properties: any faults, anywhere, of any length, on two to four nodes. What proptest finds it
//! shrinks, and stores beside this file.

use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::{Access, Direction, FaultKind, Place};
use failproof::plan::{Plan, Task, TaskKind};
use failproof_core::Duration;
use failproof_core::election::Rules;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use std::sync::Arc;

const SECOND: u64 = 1_000_000;

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![3 => Just(Place::Primary), 2 => (0..2_u16).prop_map(Place::Node)]
}

fn machine() -> impl Strategy<Value = Place> {
    prop_oneof![4 => place(), 1 => Just(Place::Store)]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::In), Just(Direction::Out), Just(Direction::Both)]
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![Just(Access::Read), Just(Access::Write), Just(Access::Any)]
}

fn whose() -> impl Strategy<Value = Option<Place>> {
    prop::option::weighted(0.7, place())
}

fn span() -> impl Strategy<Value = u64> {
    prop_oneof![1..SECOND, SECOND..6 * SECOND, 4 * SECOND..12 * SECOND]
}

fn process() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (machine(), any::<bool>()).prop_map(|(node, durable)| FaultKind::Crash { node, durable }),
        machine().prop_map(|node| FaultKind::Pause { node }),
        place().prop_map(|node| FaultKind::Suspend { node }),
        (place(), place()).prop_map(|(node, of)| FaultKind::Clone { node, of }),
    ]
}

fn network() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (machine(), direction()).prop_map(|(node, direction)| FaultKind::Isolate { node, direction }),
        place().prop_map(|from| FaultKind::Cut { from, to: Place::Store }),
        place().prop_map(|to| FaultKind::Cut { from: Place::Resource, to }),
        prop::collection::vec(machine(), 1..3).prop_map(|side| FaultKind::Partition { side }),
        (0..=1_000_000_u32).prop_map(|ppm| FaultKind::Lossy { ppm }),
        (0..=1_000_000_u32, span()).prop_map(|(ppm, spread_us)| FaultKind::Duplicate { ppm, spread_us }),
        span().prop_map(|spread_us| FaultKind::Reorder { spread_us }),
        (place(), direction(), span()).prop_map(|(node, direction, by_us)| FaultKind::Delay { node, direction, by_us }),
    ]
}

fn store() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (whose(), access()).prop_map(|(node, access)| FaultKind::Refuse { node, access }),
        (whose(), access()).prop_map(|(node, access)| FaultKind::LostAck { node, access }),
        (whose(), span()).prop_map(|(node, by_us)| FaultKind::Late { node, by_us }),
        (whose(), span()).prop_map(|(node, by_us)| FaultKind::StaleRead { node, by_us }),
        Just(FaultKind::ReadOnly {}),
        (whose(), access()).prop_map(|(node, access)| FaultKind::Corrupt { node, access }),
        span().prop_map(|by_us| FaultKind::Rollback { by_us }),
        Just(FaultKind::Wipe {}),
        (machine(), 2 * SECOND + 1..5 * SECOND).prop_map(|(node, timeout_us)| FaultKind::Retune { node, timeout_us }),
    ]
}

fn clock() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (machine(), -900_000..900_000_i32).prop_map(|(node, ppm)| FaultKind::ClockRate { node, ppm }),
        (machine(), -20_000_000..20_000_000_i64).prop_map(|(node, by_us)| FaultKind::ClockStep { node, by_us }),
        machine().prop_map(|node| FaultKind::ClockFreeze { node }),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let fault = prop_oneof![process(), network(), store(), clock()];
    let faults = prop::collection::vec((fault, 0..30 * SECOND, span()), 0..8);
    let tasks = prop::collection::vec((0..30 * SECOND, 0..2_u8), 0..3);
    (2..=4_u16, 1..=2_u8, 0..1_000_000_u64, 1..50_000_u64, faults, tasks).prop_map(
        |(nodes, utypes, seed, latency_us, faults, tasks)| {
            let affinity = if utypes == 2 { vec![(1, 0)] } else { Vec::new() };
            let options = Options { nodes, utypes, affinity, time_us: 60 * SECOND, resolvers: 1, ..Options::default() };
            let mut plan = Plan::calm(options).noise_seed(seed);
            plan.noise.latency_us_max = latency_us;
            for (kind, at_us, for_us) in faults {
                plan = plan.fault(kind, at_us, for_us);
            }
            plan.workload = tasks
                .into_iter()
                .filter(|(_, utype)| *utype < utypes)
                .map(|(at_us, utype)| Task { at_us, node: Place::Primary, utype, what: TaskKind::Resign })
                .collect();
            plan
        },
    )
}

/// What a plan breaks under `rules`.
fn broken(plan: &Plan, rules: Rules) -> Vec<String> {
    let mut plan = plan.clone();
    plan.election_mut().rules = rules;
    plan.check().expect("the strategy draws plans that can be run");
    let (report, _) = Engine::Fast.run(&Arc::new(plan), false).expect("no panic");
    report.violations.iter().map(|found| format!("{} at {} us: {}", found.property, found.at_us, found.story)).collect()
}

fn config() -> ProptestConfig {
    let regressions = FileFailurePersistence::WithSource("regressions");
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000);
    ProptestConfig { cases, failure_persistence: Some(Box::new(regressions)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Hardened rules hold whatever happens.
    #[test]
    fn hardened_rules_hold_under_any_faults(plan in plan()) {
        let broken = broken(&plan, Rules::hardened());
        prop_assert!(broken.is_empty(), "{:?}\n{}", broken, plan);
    }

    /// A plan survives being written and read.
    #[test]
    fn plans_survive_their_file(plan in plan()) {
        let text = serde_json::to_string(&plan).expect("plain data");
        let read: Plan = serde_json::from_str(&text).expect("what was written can be read");
        prop_assert_eq!(read, plan);
    }
}

/// The same search convicts rules with one defence off, so a law that finds nothing has looked.
#[test]
fn the_same_plans_convict_rules_without_a_defence() {
    for switch in ["age", "grace_on_promotion", "validate_reply"] {
        let rules = failproof::defence::with(Options::default(), switch, false).own::<Options>().rules;
        let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..config() });
        let outcome = runner.run(&plan(), |plan| {
            prop_assert!(broken(&plan, rules).is_empty());
            Ok(())
        });
        assert!(outcome.is_err(), "2000 random plans break nothing without `{switch}`");
    }
}

/// The times in the strategy are around the protocol's own limits.
#[test]
fn spans_of_the_strategy_surround_the_timeout() {
    let timeout = Options::default().heartbeat_timeout_us;
    assert!(Duration::from_micros(4 * SECOND) < timeout && timeout < Duration::from_micros(12 * SECOND));
}
