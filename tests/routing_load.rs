//! How context routing spreads its load: the main instance of a new context is any of the live ones with equal
//! probability, its backup the least loaded of the rest, and one instance alone is known to be degraded.

use failproof::engine::Engine;
use failproof::fault::{FaultKind, Place};
use failproof::plan::Plan;
use failproof::report::RunReport;
use failproof::routing::Options;
use failproof_core::Duration;
use failproof_core::routing::{BackupRule, Rules};
use std::sync::Arc;

const SERVERS: usize = 5;
const CREATIONS: u32 = 100_000;
/// Above it lie a thousandth of the values of chi-squared with four degrees of freedom.
const CHI_SQUARED_MAX: f64 = 18.467;

fn run(plan: Plan) -> RunReport {
    plan.check().unwrap_or_else(|error| panic!("{error}"));
    Engine::Fast.run(&Arc::new(plan), false).expect("no panic").0
}

/// A calm run in which 100 clients do nothing but create contexts, as fast as they are answered.
fn creations() -> [u64; SERVERS] {
    let mut options = Options {
        clients: 100,
        contexts: CREATIONS,
        time_us: 80_000_000,
        every_us: Duration::from_millis(50),
        ..Options::default()
    };
    options.bounds.latency_us_max = Duration::from_millis(2);
    let report = run(Plan::calm(options).noise_seed(1));
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    std::array::from_fn(|alias| report.counters[&format!("created on cs_{alias}")])
}

fn chi_squared(counts: [u64; SERVERS]) -> f64 {
    let expected = counts.iter().sum::<u64>() as f64 / SERVERS as f64;
    counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

#[test]
fn mains_are_uniform_and_a_bias_of_two_percent_is_rejected() {
    let counts = creations();
    assert_eq!(counts.iter().sum::<u64>(), u64::from(CREATIONS));
    let value = chi_squared(counts);
    assert!(value <= CHI_SQUARED_MAX, "{counts:?} is not uniform: chi-squared is {value:.1}");
    // Two of a hundred creations go to the first instance instead of where they went.
    let mut biased = counts.map(|count| count - count / 50);
    biased[0] += u64::from(CREATIONS) - biased.iter().sum::<u64>();
    let value = chi_squared(biased);
    assert!(value > CHI_SQUARED_MAX, "{biased:?} passes for uniform: chi-squared is {value:.1}");
}

/// Two servers, of which one is down while contexts are created.
fn alone_at_first(rules: Rules) -> RunReport {
    let options = Options { servers: 2, clients: 4, contexts: 40, time_us: 60_000_000, rules, ..Options::default() };
    let down = FaultKind::Crash { node: Place::Server(1), durable: true };
    run(Plan::calm(options).fault(down, 1, 30_000_000))
}

#[test]
fn one_instance_is_degraded_and_repaired_when_there_are_two() {
    let report = alone_at_first(Rules::hardened());
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    assert!(report.counters["degraded answers"] > 0, "nobody was told");
    assert_eq!(report.counters["created on cs_0"], 40);
    assert_eq!(report.counters["degraded contexts at end"], 0);
    assert!(report.coverage.expect("it is reported").count("Repair") >= 40);
    let never = alone_at_first(Rules { backup_choice: BackupRule::Random, ..Rules::hardened() });
    assert_eq!(never.counters["degraded contexts at end"], 40, "nothing else repairs them");
}
