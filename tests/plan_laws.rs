//! Random plans against the properties: any faults, anywhere, of any length, on a few machines of each protocol. What
//! proptest finds it shrinks, and stores beside this file.

use failproof::engine::Engine;
use failproof::fault::{Access, Direction, FaultKind, Place};
use failproof::options::Options;
use failproof::plan::{Plan, Task, TaskKind};
use failproof::{defence, distribution, election, routing};
use failproof_core::Duration;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use std::sync::Arc;

const SECOND: u64 = 1_000_000;

/// Whose plans are drawn.
#[derive(Clone, Copy, Debug)]
enum Of {
    Election,
    Routing,
    Distribution,
}

/// Those that every plan has.
fn place(of: Of) -> BoxedStrategy<Place> {
    match of {
        Of::Election => prop_oneof![3 => Just(Place::Primary), 2 => (0..2_u16).prop_map(Place::Node)].boxed(),
        Of::Routing => prop_oneof![
            3 => Just(Place::Primary),
            3 => (0..2_u16).prop_map(Place::Server),
            1 => Just(Place::Gateway(0)),
            1 => Just(Place::Client(0)),
        ]
        .boxed(),
        Of::Distribution => prop_oneof![
            2 => Just(Place::Primary),
            4 => (0..2_u16).prop_map(Place::Server),
            1 => Just(Place::Client(0)),
        ]
        .boxed(),
    }
}

fn machine(of: Of) -> impl Strategy<Value = Place> {
    prop_oneof![4 => place(of), 1 => Just(Place::Store)]
}

/// Both ends of a link.
fn link(of: Of) -> BoxedStrategy<(Place, Place)> {
    match of {
        Of::Election => prop_oneof![
            place(of).prop_map(|from| (from, Place::Store)),
            place(of).prop_map(|to| (Place::Resource, to)),
        ]
        .boxed(),
        Of::Routing => (machine(of), machine(of)).boxed(),
        Of::Distribution => prop_oneof![
            ((0..2_u16).prop_map(Place::Server), distant()),
            (distant(), (0..2_u16).prop_map(Place::Server)),
        ]
        .boxed(),
    }
}

/// Whom servers of job distribution talk to.
fn distant() -> impl Strategy<Value = Place> {
    prop_oneof![
        2 => Just(Place::Store),
        2 => Just(Place::Resource),
        1 => Just(Place::Center),
        1 => Just(Place::Client(0))
    ]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::In), Just(Direction::Out), Just(Direction::Both)]
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![Just(Access::Read), Just(Access::Write), Just(Access::Any)]
}

fn whose(of: Of) -> impl Strategy<Value = Option<Place>> {
    prop::option::weighted(0.7, place(of))
}

fn span() -> impl Strategy<Value = u64> {
    prop_oneof![1..SECOND, SECOND..6 * SECOND, 4 * SECOND..12 * SECOND]
}

/// What must not be forgotten is not.
fn forgets(node: Place, durable: bool) -> bool {
    durable || matches!(node, Place::Client(_))
}

fn process(of: Of) -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (machine(of), any::<bool>())
            .prop_map(|(node, durable)| FaultKind::Crash { node, durable: forgets(node, durable) }),
        machine(of).prop_map(|node| FaultKind::Pause { node }),
        place(of).prop_map(|node| FaultKind::Suspend { node }),
        (place(of), place(of)).prop_map(|(node, of)| match node {
            Place::Client(_) => FaultKind::Crash { node, durable: true },
            _ => FaultKind::Clone { node, of },
        }),
    ]
}

fn network(of: Of) -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (machine(of), direction()).prop_map(|(node, direction)| FaultKind::Isolate { node, direction }),
        link(of).prop_map(|(from, to)| FaultKind::Cut { from, to }),
        prop::collection::vec(machine(of), 1..3).prop_map(|side| FaultKind::Partition { side }),
        (0..=1_000_000_u32).prop_map(|ppm| FaultKind::Lossy { ppm }),
        (0..=1_000_000_u32, span()).prop_map(|(ppm, spread_us)| FaultKind::Duplicate { ppm, spread_us }),
        span().prop_map(|spread_us| FaultKind::Reorder { spread_us }),
        (place(of), direction(), span()).prop_map(|(node, direction, by_us)| FaultKind::Delay {
            node,
            direction,
            by_us
        }),
    ]
}

fn store(of: Of) -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (whose(of), access()).prop_map(|(node, access)| FaultKind::Refuse { node, access }),
        (whose(of), access()).prop_map(|(node, access)| FaultKind::LostAck { node, access }),
        (whose(of), span()).prop_map(|(node, by_us)| FaultKind::Late { node, by_us }),
        (whose(of), span()).prop_map(|(node, by_us)| FaultKind::StaleRead { node, by_us }),
        Just(FaultKind::ReadOnly {}),
        (whose(of), access()).prop_map(|(node, access)| FaultKind::Corrupt { node, access }),
        span().prop_map(|by_us| FaultKind::Rollback { by_us }),
        Just(FaultKind::Wipe {}),
        (machine(of), 2 * SECOND + 1..5 * SECOND).prop_map(|(node, timeout_us)| FaultKind::Retune { node, timeout_us }),
    ]
}

fn clock(of: Of) -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (machine(of), -900_000..900_000_i32).prop_map(|(node, ppm)| FaultKind::ClockRate { node, ppm }),
        (machine(of), -20_000_000..20_000_000_i64).prop_map(|(node, by_us)| FaultKind::ClockStep { node, by_us }),
        machine(of).prop_map(|node| FaultKind::ClockFreeze { node }),
    ]
}

fn options(of: Of) -> BoxedStrategy<Options> {
    match of {
        Of::Election => (2..=4_u16, 1..=2_u16)
            .prop_map(|(nodes, utypes)| {
                let affinity = if utypes == 2 { vec![(1, 0)] } else { Vec::new() };
                let time_us = 60 * SECOND;
                election::Options { nodes, utypes, affinity, time_us, resolvers: 1, ..election::Options::default() }
                    .into()
            })
            .boxed(),
        Of::Routing => (1..=2_u16, 2..=4_u16, 1..=3_u16, 1..=4_u32, 0..=2_u32)
            .prop_map(|(gateways, servers, clients, created, unowned)| {
                let (contexts, time_us) = (created + unowned, 60 * SECOND);
                let usual = routing::Options::default();
                routing::Options { gateways, servers, clients, contexts, unowned, time_us, ..usual }.into()
            })
            .boxed(),
        Of::Distribution => (2..=4_u16, 1..=2_u16, 1..=20_u32)
            .prop_map(|(servers, clients, jobs)| {
                let (time_us, usual) = (60 * SECOND, distribution::Options::default());
                distribution::Options { servers, clients, jobs, time_us, ..usual }.into()
            })
            .boxed(),
    }
}

fn task(of: Of) -> BoxedStrategy<Task> {
    let at_us = 0..30 * SECOND;
    match of {
        Of::Election => (at_us, 0..2_u16)
            .prop_map(|(at_us, utype)| Task { at_us, node: Place::Primary, utype, what: TaskKind::Resign })
            .boxed(),
        Of::Routing => (at_us, 0..4_usize)
            .prop_map(|(at_us, which)| {
                let (node, what) = [
                    (Place::Primary, TaskKind::HandOver),
                    (Place::Server(0), TaskKind::Resign),
                    (Place::Client(0), TaskKind::Forge),
                    (Place::Client(0), TaskKind::Respell),
                ][which];
                Task { at_us, node, utype: 0, what }
            })
            .boxed(),
        Of::Distribution => (at_us, place(of))
            .prop_map(|(at_us, node)| {
                let node = if matches!(node, Place::Client(_)) { Place::Primary } else { node };
                Task { at_us, node, utype: 0, what: TaskKind::Resign }
            })
            .boxed(),
    }
}

fn plan(of: Of) -> impl Strategy<Value = Plan> {
    let fault = prop_oneof![process(of), network(of), store(of), clock(of)];
    let faults = prop::collection::vec((fault, 0..30 * SECOND, span()), 0..8);
    let tasks = prop::collection::vec(task(of), 0..3);
    (options(of), 0..1_000_000_u64, 1..50_000_u64, faults, tasks).prop_map(
        |(options, seed, latency_us, faults, tasks)| {
            let mut plan = Plan::calm(options).noise_seed(seed);
            plan.noise.latency_us_max = latency_us;
            for (kind, at_us, for_us) in faults {
                plan = plan.fault(kind, at_us, for_us);
            }
            let kinds = if let Options::Election(options) = &plan.options { options.utypes } else { 1 };
            plan.workload = tasks.into_iter().filter(|task| task.utype < kinds).collect();
            plan
        },
    )
}

fn any_plan() -> impl Strategy<Value = Plan> {
    prop_oneof![plan(Of::Election), plan(Of::Routing), plan(Of::Distribution)]
}

/// What a plan breaks.
fn broken(plan: &Plan) -> Vec<String> {
    plan.check().expect("the strategy draws plans that can be run");
    let (report, _) = Engine::Fast.run(&Arc::new(plan.clone()), false).expect("no panic");
    report.violations.iter().map(|found| format!("{} at {} us: {}", found.property, found.at_us, found.story)).collect()
}

fn config() -> ProptestConfig {
    let regressions = FileFailurePersistence::WithSource("regressions");
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000);
    ProptestConfig { cases, failure_persistence: Some(Box::new(regressions)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Hardened rules of the election hold whatever happens.
    #[test]
    fn hardened_elections_hold_under_any_faults(plan in plan(Of::Election)) {
        let broken = broken(&plan);
        prop_assert!(broken.is_empty(), "{:?}\n{}", broken, plan);
    }

    /// Those of context routing, too.
    #[test]
    fn hardened_routing_holds_under_any_faults(plan in plan(Of::Routing)) {
        let broken = broken(&plan);
        prop_assert!(broken.is_empty(), "{:?}\n{}", broken, plan);
    }

    /// Those of job distribution, too.
    #[test]
    fn hardened_distribution_holds_under_any_faults(plan in plan(Of::Distribution)) {
        let broken = broken(&plan);
        prop_assert!(broken.is_empty(), "{:?}\n{}", broken, plan);
    }

    /// A plan survives being written and read.
    #[test]
    fn plans_survive_their_file(plan in any_plan()) {
        let text = serde_json::to_string(&plan).expect("plain data");
        let read: Plan = serde_json::from_str(&text).expect("what was written can be read");
        prop_assert_eq!(read, plan);
    }
}

/// The same search convicts rules with one defence off, so a law that finds nothing has looked.
#[test]
fn the_same_plans_convict_rules_without_a_defence() {
    for (of, switch) in [
        (Of::Election, "age"),
        (Of::Election, "grace_on_promotion"),
        (Of::Election, "validate_reply"),
        (Of::Routing, "ownership"),
        (Of::Routing, "main_check"),
        (Of::Routing, "unnamed_server"),
        (Of::Distribution, "claiming"),
        (Of::Distribution, "handover"),
    ] {
        let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..config() });
        let outcome = runner.run(&plan(of), |mut plan| {
            plan.options = defence::with(plan.options, switch, false);
            prop_assert!(broken(&plan).is_empty());
            Ok(())
        });
        assert!(outcome.is_err(), "2000 random plans break nothing without `{switch}`");
    }
}

/// The times in the strategy are around the protocols' own limits.
#[test]
fn spans_of_the_strategy_surround_the_timeout() {
    for options in [
        Options::from(election::Options::default()),
        routing::Options::default().into(),
        distribution::Options::default().into(),
    ] {
        let timeout = options.heartbeat_timeout();
        assert!(Duration::from_micros(4 * SECOND) < timeout && timeout < Duration::from_micros(12 * SECOND));
    }
}
