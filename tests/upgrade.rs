//! A fleet that is upgraded while it works, as `docs/upgrade.md` describes it, and in orders that break it.
//!
//! Method: plans whose servers begin by published rules and are started again, one place after another, as the version that
//! decides by hardened ones. What a published fleet breaks by itself is no matter of the upgrade: of many seeds those are
//! looked at on which it had broken nothing when the first process of the other version starts.

use failproof::distribution::Options;
use failproof::engine::Engine;
use failproof::fault::{Fault, FaultClass, FaultKind, Place};
use failproof::generate::generate;
use failproof::plan::{Fate, Plan, Task, TaskKind};
use failproof::report::RunReport;
use failproof::trace::Record;
use failproof_core::Duration;
use failproof_core::distribution::{Membership, Rules};
use std::path::Path;
use std::sync::Arc;

const SECOND: u64 = 1_000_000;
const ENGINES: &[Engine] = if cfg!(madsim) { &[Engine::Fast, Engine::Madsim] } else { &[Engine::Fast] };
const SEEDS: u64 = 400;
/// As `docs/upgrade.md` has it. The cluster is started again while the store is stopped.
const RIGHT: [Place; 5] = [Place::Store, Place::Resource, Place::Server(0), Place::Server(1), Place::Server(2)];

fn plan(name: &str) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/upgrade").join(name);
    Plan::read(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn seeded(plan: &Plan, seed: u64) -> Plan {
    let mut plan = plan.clone();
    plan.noise.seed = seed;
    plan
}

fn run(plan: &Plan, engine: Engine) -> RunReport {
    plan.check().unwrap_or_else(|error| panic!("{error}"));
    engine.run(&Arc::new(plan.clone()), false).unwrap_or_else(|panicked| panic!("{}", panicked.message)).0
}

fn broken(report: &RunReport) -> Vec<&'static str> {
    report.violations.iter().map(|violation| violation.property).collect()
}

/// The run breaks nothing, and each job is worked on in time after the last step.
fn holds(plan: &Plan, engine: Engine) -> RunReport {
    let report = run(plan, engine);
    assert_eq!(report.violations, [], "noise seed {} by {engine}: {plan}", plan.noise.seed);
    let convergence = report.convergence.expect("it is reported");
    assert!(convergence.told && !convergence.is_late(), "noise seed {} by {engine}: {convergence:?}", plan.noise.seed);
    report
}

/// The places that are upgraded, in the order in which they stop.
fn steps(plan: &Plan) -> Vec<Place> {
    plan.faults.iter().filter(|fault| is_restart(fault)).flat_map(|fault| fault.kind.places()).collect()
}

const fn is_restart(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Crash { .. })
}

/// The same plan with these steps only.
fn only(plan: &Plan, kept: &[Place]) -> Plan {
    let mut plan = plan.clone();
    plan.workload.retain(|task| kept.contains(&task.node));
    plan.faults.retain(|fault| !is_restart(fault) || fault.kind.places().iter().all(|place| kept.contains(place)));
    plan
}

/// The same plan with one step at another time.
fn moved(plan: &Plan, place: Place, at_us: u64) -> Plan {
    let mut plan = plan.clone();
    for fault in plan.faults.iter_mut().filter(|fault| is_restart(fault) && fault.kind.places() == [place]) {
        fault.at_us = at_us;
    }
    for task in plan.workload.iter_mut().filter(|task| task.node == place) {
        task.at_us = at_us + 1;
    }
    plan
}

/// Whether the published fleet breaks something before any process starts that decides by other rules.
fn is_broken_before(plan: &Plan) -> bool {
    let starts = plan.faults.iter().filter(|fault| is_restart(fault)).map(Fault::end_us);
    let mut before = Plan { workload: Vec::new(), ..plan.clone() };
    before.options.set_time_us(starts.min().expect("there are steps"));
    !run(&before, Engine::Fast).violations.is_empty()
}

/// On how many seeds a property is broken, of those on which nothing had been before.
fn broken_on(plan: &Plan, property: &str) -> (u64, u64) {
    let (mut looked_at, mut seen) = (0, 0);
    for seed in 0..SEEDS / 4 {
        let plan = seeded(plan, seed);
        if !is_broken_before(&plan) {
            looked_at += 1;
            seen += u64::from(broken(&run(&plan, Engine::Fast)).contains(&property));
        }
    }
    (seen, looked_at)
}

#[test]
fn plans_of_upgrades_differ_in_nothing_but_the_order() {
    let (right, wrong) = (plan("right-order.json"), plan("wrong-order.json"));
    let fleet = right.distribution();
    assert_eq!((fleet.rules, fleet.upgrade), (Rules::published(), Some(Rules::hardened())));
    assert_eq!(steps(&right), RIGHT);
    assert_eq!(steps(&wrong), [2, 3, 4, 0, 1].map(|step| RIGHT[step]));
    let same = Plan { workload: right.workload.clone(), faults: right.faults.clone(), ..wrong.clone() };
    assert_eq!(same, right);
    for plan in [right, wrong] {
        // Each place is upgraded while it is stopped.
        for fault in plan.faults.iter().filter(|fault| is_restart(fault)) {
            let within = |task: &Task| fault.at_us < task.at_us && task.at_us < fault.end_us();
            let task = plan.workload.iter().find(|task| fault.kind.places() == [task.node]).expect("it is upgraded");
            assert!(task.what == TaskKind::Upgrade && within(task), "{fault} {task:?}");
        }
    }
}

#[test]
fn upgrade_in_the_right_order_holds_throughout() {
    let right = plan("right-order.json");
    assert!(!is_broken_before(&right));
    for engine in ENGINES {
        let report = holds(&right, *engine);
        println!("{engine}: {:?}", report.counters);
        assert!(report.counters["instances started"] >= 100, "{:?}", report.counters);
        assert!(report.counters["actions done"] >= 50, "{:?}", report.counters);
    }
    // Submissions pause while the store is stopped, and no longer.
    let (_, records) =
        Engine::Fast.run(&Arc::new(right.clone()), true).unwrap_or_else(|panicked| panic!("{panicked:?}"));
    let is_accepted = |record: &&Record| record.received.as_ref().is_some_and(|received| received.word == "accepted");
    let accepted = records.iter().filter(is_accepted).map(|record| record.true_us);
    // While jobs are submitted all the time.
    let accepted: Vec<u64> = accepted.filter(|at_us| *at_us < 60 * SECOND).collect();
    let gap_us = accepted.windows(2).map(|pair| pair[1] - pair[0]).max().expect("some are accepted");
    println!("{} actions accepted, none for up to {gap_us} us", accepted.len());
    assert!(accepted.len() >= 100 && gap_us < 6 * SECOND, "none for {gap_us} us");
    let mut looked_at = 0;
    for seed in 0..SEEDS {
        let right = seeded(&right, seed);
        if !is_broken_before(&right) {
            looked_at += 1;
            holds(&right, Engine::Fast);
        }
    }
    println!("{looked_at} of {SEEDS} seeds");
    assert!(looked_at >= SEEDS / 2, "only {looked_at} of {SEEDS} published fleets had broken nothing before");
}

/// The upgrade in the right order, with faults of every kind from the moment on at which store and cluster are upgraded.
fn stormy(right: &Plan, seed: u64) -> Plan {
    let begins_us = only(right, &RIGHT[..2]).faults.iter().map(Fault::end_us).max().expect("there are steps");
    let mut hardened = Options { rules: Rules::hardened(), upgrade: None, ..right.distribution().clone() };
    hardened.time_us = 200 * SECOND;
    let storm = generate(seed, &hardened.clone().into(), &FaultClass::ALL);
    let mut plan = seeded(right, seed);
    plan.options.set_time_us(begins_us + hardened.time_us);
    let first = plan.faults.iter().map(|fault| fault.id + 1).max().unwrap_or(0);
    let later = |fault: Fault| Fault { id: first + fault.id, at_us: fault.at_us + begins_us, ..fault };
    plan.faults.extend(storm.faults.into_iter().map(later));
    plan.workload.extend(storm.workload.into_iter().map(|task| Task { at_us: task.at_us + begins_us, ..task }));
    plan
}

/// Whatever goes wrong then, while servers of both kinds are about, and after the last step. Servers that do
/// not notice their own expiry are convicted by the same faults.
#[test]
fn upgraded_store_and_cluster_hold_under_faults_of_every_kind() {
    let right = plan("right-order.json");
    let (mut looked_at, mut taken_over, mut convicted) = (0, 0, 0);
    for seed in 0..SEEDS {
        if is_broken_before(&seeded(&right, seed)) {
            continue;
        }
        let mut plan = stormy(&right, seed);
        let report = run(&plan, Engine::Fast);
        assert_eq!(report.violations, [], "seed {seed}: {plan}");
        assert!(!report.convergence.expect("it is reported").is_late(), "seed {seed}: {plan}");
        looked_at += 1;
        taken_over += report.counters["rows taken over"];
        plan.distribution_mut().upgrade = Some(Rules { membership: Membership::Frozen, ..Rules::hardened() });
        convicted += u64::from(!run(&plan, Engine::Fast).violations.is_empty());
    }
    println!("{looked_at} of {SEEDS} seeds, {taken_over} rows taken over; {convicted} convict frozen servers");
    assert!(looked_at >= SEEDS / 2 && taken_over > 1_000);
    assert!(convicted > 0, "none of these faults would be seen");
}

/// The first step is to blame: servers that claim and servers that do not work from one table.
#[test]
fn upgrade_in_the_wrong_order_breaks() {
    let wrong = plan("wrong-order.json");
    assert!(!is_broken_before(&wrong));
    let property = "StartedOnce";
    for engine in ENGINES {
        let breaks = |steps: &[Place]| broken(&run(&only(&wrong, steps), *engine)).contains(&property);
        assert!(broken(&run(&wrong, *engine)).contains(&property), "by {engine}");
        assert!(!breaks(&[]), "a published fleet alone, by {engine}");
        assert!(breaks(&[Place::Server(0)]), "with the first server alone, by {engine}");
    }
    let (seen, looked_at) = broken_on(&wrong, property);
    println!("{seen} of {looked_at} seeds");
    assert!(seen * 5 > looked_at, "only {seen} of {looked_at}");
}

/// Published servers take a call that nobody answers for done, and delete the row.
#[test]
fn upgrade_of_the_cluster_under_published_servers_loses_jobs() {
    let early = moved(&plan("right-order.json"), Place::Resource, 9 * SECOND);
    let (seen, looked_at) = broken_on(&early, "NoLostJob");
    println!("{seen} of {looked_at} seeds");
    assert!(seen > 0, "on none of {looked_at}");
}

/// Goal: the cluster knows names and epochs before the first server claims. Method: one call of a published server arrives
/// late, when another server has started the same job.
#[test]
fn upgrade_of_the_cluster_is_not_the_last_step() {
    let right = plan("right-order.json");
    let last = moved(&right, Place::Resource, 60 * SECOND);
    let (mut calls, mut seen) = (0, 0);
    for seed in 0..SEEDS / 20 {
        for (from, which) in (0..3).flat_map(|n| (0..12).map(move |which| (Place::Server(n), which))) {
            let late = Fate { from, to: Place::Resource, which, delay_us: Some(30 * SECOND), again_us: None };
            let run = |plan: &Plan| {
                let plan = Plan { fates: vec![late], ..seeded(plan, seed) };
                (!is_broken_before(&plan)).then(|| broken(&run(&plan, Engine::Fast)).contains(&"StartedOnce"))
            };
            assert_ne!(run(&right), Some(true), "seed {seed}: {late}");
            calls += 1;
            seen += u64::from(run(&last) == Some(true));
        }
    }
    println!("{seen} of {calls} calls");
    assert!(seen > 0, "none of {calls} calls started a job again");
}

/// What is not upgraded in time waits, and nothing else.
#[test]
fn upgrade_that_stops_half_way_breaks_no_safety() {
    let right = plan("right-order.json");
    for count in 2..RIGHT.len() {
        let half = only(&right, &RIGHT[..count]);
        for seed in 0..SEEDS / 4 {
            let half = seeded(&half, seed);
            if !is_broken_before(&half) {
                let broken = broken(&run(&half, Engine::Fast));
                assert!(broken.iter().all(|property| *property == "NoOrphanAfterQuiet"), "seed {seed}: {broken:?}");
            }
        }
    }
}

/// T becomes longer, then shorter than it was, at one place after another and while servers crash.
#[test]
fn timeout_that_is_changed_during_a_run_holds() {
    let options = Options {
        servers: 3,
        clients: 2,
        jobs: 120,
        time_us: 400 * SECOND,
        longest_term_us: Duration::from_secs(12),
        ..Options::default()
    };
    let places = [Place::Store, Place::Server(0), Place::Server(1), Place::Server(2)];
    for first in 0..places.len() {
        let mut plan = Plan::calm(options.clone());
        for (from_us, timeout_us) in [(30 * SECOND, 12 * SECOND), (110 * SECOND, 2_500_000)] {
            for step in 0..places.len() {
                let (node, at_us) = (places[(first + step) % places.len()], from_us + step as u64 * 10 * SECOND);
                plan = plan.fault(FaultKind::Retune { node, timeout_us }, at_us, 60 * SECOND);
                let node = Place::Server((step % 3) as u16);
                plan = plan.fault(FaultKind::Crash { node, durable: false }, at_us + 4 * SECOND, 20 * SECOND);
            }
        }
        for engine in ENGINES {
            let report = holds(&plan, *engine);
            assert!(report.counters["rows taken over"] > 0, "{:?}", report.counters);
        }
        for seed in 0..SEEDS / 8 {
            holds(&seeded(&plan, seed), Engine::Fast);
        }
    }
}

/// Tasks that upgrade nothing are refused, and so is a table of jobs that is to become one of tasks.
#[test]
fn upgrade_to_nowhere_is_refused() {
    let right = plan("right-order.json");
    let problem = |change: fn(&mut Plan)| {
        let mut plan = right.clone();
        change(&mut plan);
        plan.check().expect_err("it is refused").to_string()
    };
    let nothing = problem(|plan| plan.distribution_mut().upgrade = None);
    assert!(nothing.contains("workload[0].what") && nothing.contains("options.upgrade"), "{nothing}");
    let client = problem(|plan| plan.workload[0].node = Place::Client(0));
    assert!(client.contains("workload[0].node"), "{client}");
    let back = problem(|plan| {
        plan.distribution_mut().rules = Rules::hardened();
        plan.distribution_mut().upgrade = Some(Rules::published());
    });
    assert!(back.contains("options.upgrade.task_key"), "{back}");
    let mut election = Plan::calm(failproof::election::Options::default());
    election.workload.push(Task { at_us: 1, node: Place::Node(0), utype: 0, what: TaskKind::Upgrade });
    assert!(election.check().expect_err("it is refused").to_string().contains("what"));
}
