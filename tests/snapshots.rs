//! How runs read: one calm run, one failover, one violation. When one of these changes, read the difference and explain
//! it in the commit.

use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::{FaultKind, Place};
use failproof::plan::{Plan, Task, TaskKind};
use failproof::routing;
use failproof::trace::Record;
use failproof_core::election::Rules;
use std::fmt::Write;
use std::sync::Arc;

/// What `failproof replay` prints about the minimal plan of E1.
#[test]
fn a_violation_report() {
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/E1.json");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["failproof", "replay", plan].map(std::ffi::OsString::from);
    assert_eq!(failproof::cli::main_with(args, &mut out, &mut err), 1);
    assert!(err.is_empty());
    insta::assert_snapshot!(String::from_utf8(out).expect("text").replace(plan, "E1.json"));
}

/// The steps of a run that the contract speaks of, but for those of everyday work, and how the run ended.
fn tale(plan: Plan) -> String {
    let (report, records) = Engine::Fast.run(&Arc::new(plan), true).expect("no panic");
    let mut tale = String::new();
    let everyday = ["Accept", "Apply", "Ack", "Read"];
    let matters = |record: &&Record| record.action.is_some_and(|action| !everyday.contains(&action));
    for record in records.iter().filter(matters) {
        let action = record.action.unwrap_or_default();
        let _ = writeln!(tale, "{:>9.6} s  {:8} {action:9} {}", record.true_us as f64 / 1e6, record.node, record.state);
    }
    let _ =
        writeln!(tale, "{} steps, without a primary {:.3} s", report.events, report.without_primary_us as f64 / 1e6);
    for violation in &report.violations {
        let _ = writeln!(tale, "{} at {:.6} s: {}", violation.property, violation.at_us as f64 / 1e6, violation.story);
    }
    tale
}

fn options(rules: Rules) -> Options {
    Options { nodes: 3, time_us: 30_000_000, rules, ..Options::default() }
}

#[test]
fn a_calm_run() {
    insta::assert_snapshot!(tale(Plan::calm(options(Rules::hardened()))));
}

#[test]
fn a_failover() {
    let crash = FaultKind::Crash { node: Place::Primary, durable: true };
    insta::assert_snapshot!(tale(Plan::calm(options(Rules::hardened())).fault(crash, 10_000_000, 15_000_000)));
}

#[test]
fn a_violation() {
    let suspend = FaultKind::Suspend { node: Place::Primary };
    insta::assert_snapshot!(tale(Plan::calm(options(Rules::published())).fault(suspend, 10_000_000, 10_000_000)));
}

/// A server dies, the backup takes its context over, and hands it back when it is asked to.
#[test]
fn a_context_is_taken_over_and_handed_back() {
    let options = routing::Options {
        gateways: 2,
        servers: 3,
        clients: 1,
        contexts: 1,
        time_us: 40_000_000,
        ..routing::Options::default()
    };
    let crash = FaultKind::Crash { node: Place::Primary, durable: true };
    let mut plan = Plan::calm(options).fault(crash, 10_000_000, 10_000_000);
    let hand_over = Task { at_us: 30_000_000, node: Place::Primary, utype: 0, what: TaskKind::HandOver };
    plan.workload.push(hand_over);
    insta::assert_snapshot!(tale(plan));
}
