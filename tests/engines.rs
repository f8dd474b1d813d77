//! Two engines let time pass over the same world, and no trace may show which one it was. The reference is a loop; the
//! other one has real tasks, timers and sockets under madsim. That the comparison convicts is shown with planted bugs.

use failproof::chance::{Concern, Stream};
use failproof::election::Election;
use failproof::election::Options;
use failproof::engine::madsim::{EngineBug, Quirks};
use failproof::engine::{Engine, fast, madsim};
use failproof::fault::{Access, Direction, FaultClass, FaultKind, Place};
use failproof::generate::generate;
use failproof::options::ClockOptions;
use failproof::plan::{Fate, Plan, Task, TaskKind};
use failproof::trace::Record;
use failproof_core::Duration;
use failproof_core::election::Rules;
use std::sync::Arc;

/// Plans as campaigns draw them: an engine's ordinary days.
#[test]
fn traces_of_generated_plans_are_equal() {
    for seed in 0..300 {
        assert_same(generated(seed), Quirks::default());
    }
}

/// Plans at the scale of microseconds, in which almost everything happens at the same time as something else: a crash
/// while paused, a start while paused, messages to the dead, a timer and a message at once.
#[test]
fn traces_of_crowded_plans_are_equal() {
    for seed in 0..250 {
        assert_same(crowded(seed), Quirks::default());
    }
}

/// Nodes and tasks that are created last to first, and another seed for what madsim itself draws.
#[test]
fn traces_do_not_depend_on_the_order_of_creation() {
    for seed in 0..60 {
        let quirks = Quirks { reversed: true, seed: 1 + seed, ..Quirks::default() };
        assert_same(crowded(seed), quirks);
        assert_same(generated(seed), quirks);
    }
}

/// A partition loses real datagrams: what it swallows is sent all the same, and a run ends with a panic when that crosses
/// a cut link. So it suffices that plans with cut links of every shape, alone and overlapping, end and agree.
#[test]
fn partitions_of_every_shape_are_real() {
    let shapes = [
        FaultKind::Isolate { node: Place::Primary, direction: Direction::In },
        FaultKind::Isolate { node: Place::Primary, direction: Direction::Out },
        FaultKind::Isolate { node: Place::Store, direction: Direction::Both },
        FaultKind::Cut { from: Place::Primary, to: Place::Store },
        FaultKind::Cut { from: Place::Resource, to: Place::Primary },
        FaultKind::Partition { side: vec![Place::Node(0), Place::Node(3), Place::Store] },
    ];
    for first in &shapes {
        for second in &shapes {
            let mut plan = Plan::calm(Options { time_us: 60_000_000, ..Options::default() })
                .fault(first.clone(), 15_000_000, 12_000_000)
                .fault(second.clone(), 20_000_000, 17_000_000);
            plan.noise.latency_us_min = 1;
            assert_same(plan, Quirks::default());
        }
    }
}

/// The comparison would be worth nothing if it could not tell a wrong engine from a right one.
#[test]
fn planted_engine_bugs_are_caught() {
    for bug in [EngineBug::CancelledReceive, EngineBug::TimerFirst] {
        let caught = (0..40).filter(|seed| difference(crowded(*seed), Quirks { bug, ..Quirks::default() }).is_some());
        assert!(caught.count() >= 20, "{bug:?} shows too rarely");
    }
}

/// Both engines answer to their names, as the command line gives them.
#[test]
fn engines_are_asked_for_by_name() {
    let plan = Arc::new(generated(1));
    for engine in [Engine::Fast, Engine::Madsim] {
        assert_eq!(engine.to_string().parse(), Ok(engine));
    }
    assert_eq!(Engine::Fast.run(&plan, true), Engine::Madsim.run(&plan, true));
}

fn assert_same(plan: Plan, quirks: Quirks) {
    let seed = plan.seed;
    if let Some(difference) = difference(plan, quirks) {
        panic!("seed {seed}: {difference}");
    }
}

/// The first line in which the engines differ, or that their reports do.
fn difference(plan: Plan, quirks: Quirks) -> Option<String> {
    plan.check().unwrap_or_else(|error| panic!("seed {}: {error}", plan.seed));
    let plan = Arc::new(plan);
    let (fast_report, fast_records) = fast::run::<Election>(Arc::clone(&plan), true);
    let (report, records) = madsim::run_with::<Election>(plan, true, quirks);
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

fn rules(seed: u64) -> Rules {
    if seed.is_multiple_of(2) { Rules::hardened() } else { Rules::published() }
}

fn generated(seed: u64) -> Plan {
    let options = Options { time_us: 90_000_000, rules: rules(seed), ..Options::default() };
    generate(seed, &options.into(), &FaultClass::ALL)
}

/// A plan at the scale of microseconds, with all kinds of faults on top of each other.
fn crowded(seed: u64) -> Plan {
    let mut stream = Stream::new(seed, Concern::Plan, 1, 1);
    let interval_us = stream.pick(&[8, 20, 50]);
    let mut options = Options {
        nodes: stream.between(1, 4) as u16,
        utypes: stream.between(1, 3) as u8,
        time_us: 100 * interval_us,
        heartbeat_interval_us: Duration::from_micros(interval_us),
        heartbeat_timeout_us: Duration::from_micros(5 * interval_us),
        longest_term_us: Duration::from_micros(6 * interval_us),
        rules: rules(seed),
        ..Options::default()
    };
    options.resolvers = stream.below(u64::from(options.nodes) + 1) as u16;
    if options.utypes > 1 {
        options.affinity = vec![(1, 0)];
    }
    options.bounds.latency_us_max = Duration::from_micros(3);
    options.bounds.timer_late_us_max = Duration::from_micros(2);
    options.bounds.granularity_us = Duration::from_micros(1);
    options.work.every_us = Duration::from_micros(interval_us / 4);
    options.work.takes_us = Duration::from_micros(stream.below(4));
    options.clocks = vec![ClockOptions { node: Place::Node(0), ahead_us: stream.below(1_000), ppm: 100_000 }];
    let time_us = options.time_us;
    let mut plan = Plan::calm(options);
    plan.seed = seed;
    plan.noise.seed = seed;
    plan.noise.latency_us_max = stream.between(1, 3);
    plan.noise.timer_late_us_max = stream.below(3);
    plan.noise.loss_ppm = 10_000;
    plan.noise.duplicate_ppm = 50_000;
    for _ in 0..stream.between(1, 40) {
        let kind = fault(&mut stream, plan.election(), interval_us);
        // Few times, so that many faults begin and end at once.
        let at_us = stream.below(time_us / 8) * 8;
        let for_us = stream.pick(&[1, 8, 8, 16, interval_us, 2 * interval_us, 6 * interval_us]);
        plan = plan.fault(kind, at_us, for_us);
    }
    for _ in 0..stream.below(4) {
        let utype = stream.below(u64::from(plan.election().utypes)) as u8;
        let (at_us, node) = (stream.below(time_us / 8) * 8, place(&mut stream, plan.election()));
        plan.workload.push(Task { at_us, node, utype, what: TaskKind::Resign });
        let delay_us = stream.pick(&[None, Some(1), Some(3 * interval_us)]);
        plan.fates.push(Fate { from: Place::Node(0), to: Place::Store, which: stream.below(50) as u32, delay_us });
    }
    plan
}

fn node(stream: &mut Stream, options: &Options) -> Place {
    let any = Place::Node(stream.below(u64::from(options.nodes)) as u16);
    stream.pick(&[Place::Primary, any, Place::Node(0)])
}

fn place(stream: &mut Stream, options: &Options) -> Place {
    let node = node(stream, options);
    stream.pick(&[node, node, Place::Store, Place::Resource])
}

fn fault(stream: &mut Stream, options: &Options, interval_us: u64) -> FaultKind {
    let (node, other, place) = (node(stream, options), node(stream, options), place(stream, options));
    let by_us = stream.between(1, 3 * interval_us);
    let access = stream.pick(&[Access::Read, Access::Write, Access::Any]);
    let direction = stream.pick(&[Direction::In, Direction::Out, Direction::Both]);
    let whose = stream.pick(&[None, Some(node)]);
    let coin = stream.below(2) == 0;
    // Processes have the engine's attention, so every second fault is theirs.
    let names = FaultKind::NAMES.iter().filter(|(_, class)| !coin || *class == FaultClass::Process);
    let names: Vec<_> = names.map(|(name, _)| *name).collect();
    match stream.pick(&names) {
        "crash" => FaultKind::Crash { node: place, durable: place == Place::Resource || stream.below(2) == 0 },
        "pause" => FaultKind::Pause { node: place },
        "suspend" => FaultKind::Suspend { node: place },
        "clone" => FaultKind::Clone { node, of: other },
        "isolate" => FaultKind::Isolate { node: place, direction },
        "cut" if stream.below(2) == 0 => FaultKind::Cut { from: node, to: Place::Store },
        "cut" => FaultKind::Cut { from: Place::Resource, to: node },
        "partition" => FaultKind::Partition { side: vec![node, place] },
        "lossy" => FaultKind::Lossy { ppm: 300_000 },
        "duplicate" => FaultKind::Duplicate { ppm: 500_000, spread_us: by_us },
        "reorder" => FaultKind::Reorder { spread_us: by_us },
        "delay" => FaultKind::Delay { node, direction, by_us },
        "refuse" => FaultKind::Refuse { node: whose, access },
        "lost_ack" => FaultKind::LostAck { node: whose, access },
        "late" => FaultKind::Late { node: whose, by_us },
        "stale_read" => FaultKind::StaleRead { node: whose, by_us },
        "read_only" => FaultKind::ReadOnly {},
        "corrupt" => FaultKind::Corrupt { node: whose, access },
        "rollback" => FaultKind::Rollback { by_us },
        "wipe" => FaultKind::Wipe {},
        "retune" => FaultKind::Retune { node: stream.pick(&[node, Place::Store]), timeout_us: 4 * interval_us },
        "clock_rate" => FaultKind::ClockRate { node: place, ppm: stream.pick(&[-500_000, 1_000, 500_000]) },
        "clock_step" => FaultKind::ClockStep { node: place, by_us: stream.pick(&[-1, 1]) * by_us as i64 },
        "clock_freeze" => FaultKind::ClockFreeze { node: place },
        other => unreachable!("`{other}` is a kind of fault and must be drawn here"),
    }
}
