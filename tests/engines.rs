//! Two engines let time pass over the same world, and no trace may show which one it was. The reference is a loop; the
//! other one has real tasks, timers and sockets under madsim. That the comparison convicts is shown with planted bugs.

mod crowd;

use crowd::{Crowd, crowded};
use failproof::distribution::Distribution;
use failproof::election::Election;
use failproof::engine::madsim::{EngineBug, Quirks};
use failproof::engine::{Engine, fast, madsim};
use failproof::fault::FaultClass;
use failproof::generate::generate;
use failproof::plan::Plan;
use failproof::routing::Routing;
use failproof::trace::Record;
use std::sync::Arc;

/// Plans as campaigns draw them: an engine's ordinary days.
#[test]
fn traces_of_generated_plans_are_equal() {
    (0..300).for_each(|seed| assert_same::<Election>(generated::<Election>(seed), Quirks::default()));
    (0..40).for_each(|seed| assert_same::<Routing>(generated::<Routing>(seed), Quirks::default()));
    (0..40).for_each(|seed| assert_same::<Distribution>(generated::<Distribution>(seed), Quirks::default()));
}

/// Plans at the scale of microseconds, in which almost everything happens at the same time as something else: a crash
/// while paused, a start while paused, messages to the dead, a timer and a message at once.
#[test]
fn traces_of_crowded_plans_are_equal() {
    (0..250).for_each(|seed| assert_same::<Election>(crowded::<Election>(seed), Quirks::default()));
    (0..250).for_each(|seed| assert_same::<Routing>(crowded::<Routing>(seed), Quirks::default()));
    (0..250).for_each(|seed| assert_same::<Distribution>(crowded::<Distribution>(seed), Quirks::default()));
}

/// Nodes and tasks that are created last to first, and another seed for what madsim itself draws.
#[test]
fn traces_do_not_depend_on_the_order_of_creation() {
    fn check<P: Crowd>(generated_seeds: u64) {
        let quirks = |seed| Quirks { reversed: true, seed: 1 + seed, ..Quirks::default() };
        (0..60).for_each(|seed| assert_same::<P>(crowded::<P>(seed), quirks(seed)));
        (0..generated_seeds).for_each(|seed| assert_same::<P>(generated::<P>(seed), quirks(seed)));
    }
    check::<Election>(60);
    check::<Routing>(10);
    check::<Distribution>(10);
}

/// A partition loses real datagrams: what it swallows is sent all the same, and a run ends with a panic when that crosses
/// a cut link. So it suffices that plans with cut links of every shape, alone and overlapping, end and agree.
#[test]
fn partitions_of_every_shape_are_real() {
    fn check<P: Crowd>() {
        for first in &P::shapes() {
            for second in &P::shapes() {
                let mut plan = Plan::calm(P::ordinary(true)).fault(first.clone(), 15_000_000, 12_000_000).fault(
                    second.clone(),
                    20_000_000,
                    17_000_000,
                );
                plan.options.set_time_us(60_000_000);
                plan.noise.latency_us_min = 1;
                assert_same::<P>(plan, Quirks::default());
            }
        }
    }
    check::<Election>();
    check::<Routing>();
    check::<Distribution>();
}

/// The comparison would be worth nothing if it could not tell a wrong engine from a right one.
#[test]
fn planted_engine_bugs_are_caught() {
    fn caught<P: Crowd>(bug: EngineBug) -> usize {
        let shows = |seed: &u64| difference::<P>(crowded::<P>(*seed), Quirks { bug, ..Quirks::default() }).is_some();
        (0..40).filter(shows).count()
    }
    for bug in [EngineBug::CancelledReceive, EngineBug::TimerFirst] {
        for (protocol, caught) in [
            ("election", caught::<Election>(bug)),
            ("routing", caught::<Routing>(bug)),
            ("distribution", caught::<Distribution>(bug)),
        ] {
            assert!(caught >= 20, "{bug:?} shows in {caught} of 40 plans of {protocol} only");
        }
    }
}

/// Both engines answer to their names, as the command line gives them.
#[test]
fn engines_are_asked_for_by_name() {
    for engine in [Engine::Fast, Engine::Madsim] {
        assert_eq!(engine.to_string().parse(), Ok(engine));
    }
    for plan in [generated::<Election>(1), generated::<Routing>(1), generated::<Distribution>(1)].map(Arc::new) {
        assert_eq!(Engine::Fast.run(&plan, true), Engine::Madsim.run(&plan, true));
    }
}

fn assert_same<P: Crowd>(plan: Plan, quirks: Quirks) {
    let seed = plan.seed;
    if let Some(difference) = difference::<P>(plan, quirks) {
        panic!("{}, seed {seed}: {difference}", P::NAME);
    }
}

/// The first line in which the engines differ, or that their reports do.
fn difference<P: Crowd>(plan: Plan, quirks: Quirks) -> Option<String> {
    plan.check().unwrap_or_else(|error| panic!("{}, seed {}: {error}", P::NAME, plan.seed));
    let plan = Arc::new(plan);
    let (fast_report, fast_records) = fast::run::<P>(Arc::clone(&plan), true);
    let (report, records) = madsim::run_with::<P>(plan, true, quirks);
    let (fast_lines, lines) = (ndjson(&fast_records), ndjson(&records));
    if fast_lines != lines {
        let mut pairs = fast_lines.lines().zip(lines.lines());
        let (expected, found) = pairs.find(|(a, b)| a != b).unwrap_or(("one of the two", "goes on"));
        return Some(format!("fast\n{expected}\nmadsim\n{found}"));
    }
    (fast_report != report).then(|| format!("equal records, but fast reports\n{fast_report:?}\nmadsim\n{report:?}"))
}

fn ndjson(records: &[Record]) -> String {
    let line = |record| serde_json::to_string(record).expect("a record is plain data");
    records.iter().map(|record| line(record) + "\n").collect()
}

fn generated<P: Crowd>(seed: u64) -> Plan {
    generate(seed, &P::ordinary(seed.is_multiple_of(2)).into(), &FaultClass::ALL)
}
