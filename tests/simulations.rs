//! Swarms of simulations: hardened rules hold under all faults and say so with evidence; published rules do not.

use failproof::fault::FaultKind;
use failproof::options::Options;
use failproof::simulation::Simulation;
use failproof::{distribution, election, routing};
use failproof_core::election::Rules;
use failproof_spec::Coverage;
use std::collections::BTreeMap;

/// 300 seeds of ten simulated minutes, five nodes, all faults: no violation, and the evidence that this means something.
#[test]
fn hardened_election_holds_under_swarm_faults_with_evidence() {
    holds_with_evidence(election::Options::default().into(), 290, &[]);
}

/// The same with 3 gateways, 5 servers, 20 clients and 200 contexts. Each backward step of a clock lengthens the bound, so
/// fewer runs are long enough to tell.
#[test]
fn hardened_routing_holds_under_swarm_faults_with_evidence() {
    let options = routing::Options::default();
    assert_eq!((options.gateways, options.servers, options.clients, options.contexts), (3, 5, 20, 200));
    holds_with_evidence(options.into(), 150, &[]);
}

/// The same with 5 servers, 4 submitters and 500 jobs. A session is found over in the transaction that takes a row from its
/// owner, so the contract's `Renew`, between the two, has no moment here.
#[test]
fn hardened_distribution_holds_under_swarm_faults_with_evidence() {
    let options = distribution::Options::default();
    assert_eq!((options.servers, options.clients, options.jobs, options.time_us), (5, 4, 500, 600_000_000));
    holds_with_evidence(options.into(), 200, &["Renew"]);
}

/// `told_min`: how many runs must be long enough to tell whether they come back. `idle`: the actions of the contract that
/// never fire.
fn holds_with_evidence(options: Options, told_min: u32, idle: &[&str]) {
    let near_us = options.heartbeat_timeout().as_micros() / 10;
    let outcome = Simulation::seeds(options, "swarm", 0..300).run();
    outcome.assert_safe().assert_converged();

    let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
    let mut coverage: Option<Coverage> = None;
    let (mut trusted, mut doubted, mut near, mut told) = (0, 0, 0, 0);
    for report in outcome.reports() {
        for (kind, count) in &report.faults {
            *faults.entry(kind).or_default() += count;
        }
        let visited = report.coverage.as_ref().expect("every run reports its coverage");
        match &mut coverage {
            Some(all) => all.merge(visited),
            None => coverage = Some(visited.clone()),
        }
        trusted += report.trusted_us;
        doubted += report.doubted_us;
        near += u64::from(report.margin_smallest_us.is_some_and(|margin| margin <= near_us));
        told += u32::from(report.convergence.is_some_and(|convergence| convergence.told));
    }
    if std::env::var_os("FAILPROOF_SEED").is_some() || std::env::var_os("FAILPROOF_PLAN").is_some() {
        return;
    }
    for (kind, _) in FaultKind::NAMES {
        assert!(faults.get(kind).is_some_and(|count| *count > 0), "no fault of kind {kind} was injected");
    }
    let coverage = coverage.expect("there were runs");
    let never: Vec<&str> = coverage.actions().filter(|(_, count)| *count == 0).map(|(action, _)| action).collect();
    assert_eq!(never, idle, "these actions of the contract never fired");
    assert!(near > 0, "no run came within a tenth of T of the limit");
    assert!(doubted * 4 <= trusted, "more than a fifth of the time is excused: {doubted} of {}", trusted + doubted);
    assert!(told >= told_min, "only {told} of 300 runs are long enough to tell whether they come back");
}

/// With perfect clocks and no pauses, the faults of store and network alone break the published rules.
#[test]
fn published_rules_break_under_store_and_network_faults() {
    let options = election::Options { rules: Rules::published(), ..election::Options::default() };
    let outcome = Simulation::seeds(options, "store,network", 0..40).run();
    let broken = |name: &str| outcome.reports().any(|r| r.violations.iter().any(|v| v.property == name));
    assert!(broken("AtMostOneWorkingPrimary"));
    assert!(broken("EmptyAnswerIsFinal"));
}

/// client-go's and ShedLock's rules come nearly free. Neither fences, so both let a stale operation through; client-go's
/// observer does not mind the store's wall clock, ShedLock does.
#[test]
fn client_go_and_shedlock_rules_show_their_known_weakness() {
    for rules in [Rules::client_go(), Rules::shedlock()] {
        let options = election::Options { rules, ..election::Options::default() };
        let outcome = Simulation::seeds(options, "process", 0..60).run();
        assert!(outcome.reports().any(|r| r.violations.iter().any(|v| v.property == "NoStaleEffect")), "{rules:?}");
    }
}

/// A failing simulation says the seed, where its plan is saved, and the line that replays it.
#[test]
fn a_failing_simulation_says_how_to_repeat_it() {
    let options = election::Options { rules: Rules::published(), ..election::Options::default() };
    let failure = std::panic::catch_unwind(|| {
        let _ = Simulation::seeds(options, "swarm", 0..5).run().assert_safe();
    });
    let message = *failure.expect_err("published rules break").downcast::<String>().expect("a formatted message");
    for part in ["seed ", "plan saved as ", "failproof replay ", "FAILPROOF_PLAN="] {
        assert!(message.contains(part), "{part} is missing in: {message}");
    }
}
