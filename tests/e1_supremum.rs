//! Defect E1 as plans: how long two published primaries can work at once with perfect clocks and without a pause.
//!
//! A heartbeat arrives late, so that the primary's reads are good until just before its entry expires. From then on its
//! writes are refused, and after the last good read it is cut off. A rival reads empty, claims, confirms, and works,
//! while the old primary trusts its read.

use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::{Access, Direction, FaultKind, Place};
use failproof::plan::{Fate, Plan};
use failproof::report::RunReport;
use failproof_core::Duration;
use failproof_core::election::{Bounds, LeaseAnchor, Rules};
use std::path::PathBuf;
use std::sync::Arc;

/// What can be chosen about such a plan, in true microseconds.
#[derive(Clone, Copy, Debug)]
struct Shape {
    interval_us: u64,
    timeout_us: u64,
    /// How late the last accepted heartbeat is; less than I.
    late_us: u64,
    /// When the rival's process starts, counted from the expiry of the entry and shifted by whole intervals: it reads
    /// every I from there on, so this decides how soon it notices.
    rival_us: u64,
}

const OLD: Place = Place::Node(0);
const RIVAL: Place = Place::Node(1);
/// Messages from the primary to the store before the late heartbeat: query, claim, confirming query, then heartbeat and
/// query of one tick.
const BEFORE: u32 = 5;
/// When the late heartbeat is sent: three intervals after the claim's answer. The start and the six messages before it
/// took a microsecond each.
const fn sent_us(interval_us: u64) -> u64 {
    3 * interval_us + 7
}

impl Shape {
    /// When the last read that still names the old primary is answered: the last tick before its entry expires.
    const fn last_good_read_us(&self) -> u64 {
        let sent_us = sent_us(self.interval_us);
        // Both messages take a microsecond; the entry is valid while younger than T.
        let ticks = (self.late_us + self.timeout_us - 1) / self.interval_us;
        sent_us + ticks * self.interval_us + 2
    }

    fn plan(&self) -> Plan {
        let (interval, timeout) = (Duration::from_micros(self.interval_us), Duration::from_micros(self.timeout_us));
        let sent_us = sent_us(self.interval_us);
        let end_us = sent_us + 4 * self.timeout_us;
        let options = Options {
            nodes: 2,
            time_us: end_us,
            heartbeat_interval_us: interval,
            heartbeat_timeout_us: timeout,
            longest_term_us: timeout,
            bounds: Bounds {
                drift_ppm: 0,
                latency_us_max: Duration::from_micros(1),
                timer_late_us_max: Duration::ZERO,
                stop_us_max: Duration::ZERO,
                granularity_us: Duration::from_micros(1),
            },
            rules: Rules::published(),
            ..Options::default()
        };
        let start_us = (sent_us + self.late_us + self.timeout_us + self.rival_us) % self.interval_us;
        let refused_us = sent_us + self.late_us + 2;
        let cut_us = self.last_good_read_us() + 1;
        let mut plan = Plan::calm(options)
            .fault(FaultKind::Crash { node: RIVAL, durable: true }, 0, start_us)
            .fault(FaultKind::Refuse { node: Some(OLD), access: Access::Write }, refused_us, end_us - refused_us)
            .fault(FaultKind::Isolate { node: OLD, direction: Direction::Both }, cut_us, end_us - cut_us);
        plan.fates.push(Fate {
            from: OLD,
            to: Place::Store,
            which: BEFORE,
            delay_us: Some(self.late_us),
            again_us: None,
        });
        plan
    }

    fn overlap_us(&self) -> u64 {
        run(&self.plan()).longest_overlap_us
    }

    /// `T − 2I + lag`, `lag = ceil((T − I) / I) · I − (T − I)`.
    const fn supremum_us(&self) -> u64 {
        let trust_us = self.timeout_us - self.interval_us;
        trust_us.div_ceil(self.interval_us) * self.interval_us - self.interval_us
    }
}

fn run(plan: &Plan) -> RunReport {
    plan.check().expect("a sound plan");
    let (report, _) = Engine::Fast.run(&Arc::new(plan.clone()), false).expect("no panic");
    report
}

fn violates(report: &RunReport, property: &str) -> bool {
    report.violations.iter().any(|violation| violation.property == property)
}

/// The timeline of the page: I = 1 s, T = 5 s, the last heartbeat is 10 ms late.
fn timeline() -> Plan {
    Shape { interval_us: 1_000_000, timeout_us: 5_000_000, late_us: 10_000, rival_us: 1_000 }.plan()
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("plans/E1.json")
}

#[test]
fn two_published_primaries_work_at_once_for_almost_three_seconds() {
    let plan = Plan::read(&file()).expect("the plan is there");
    let report = run(&plan);
    assert!(report.longest_overlap_us > 2_900_000, "{} us", report.longest_overlap_us);
    assert!(report.longest_overlap_us <= 3_000_000, "{} us", report.longest_overlap_us);
    assert!(violates(&report, "AtMostOneWorkingPrimary"), "{:?}", report.violations);
    assert_eq!(report.doubted_us, 0, "perfect clocks and no pause");
}

#[test]
fn the_saved_plan_is_the_one_that_is_described_here() {
    let written = serde_json::to_string_pretty(&timeline()).expect("plain data") + "\n";
    if std::env::var_os("FAILPROOF_WRITE_PLANS").is_some() {
        std::fs::write(file(), &written).expect("writable");
    }
    let saved = std::fs::read_to_string(file()).expect("the plan is there");
    assert_eq!(saved, written, "FAILPROOF_WRITE_PLANS=1 writes it anew");
}

/// The same plan with one switch: the term counts from the accepted heartbeat.
#[test]
fn one_switch_prevents_it() {
    let mut plan = timeline();
    plan.election_mut().rules.anchor = LeaseAnchor::Heartbeat;
    let report = run(&plan);
    assert!(!violates(&report, "AtMostOneWorkingPrimary"), "{:?}", report.violations);
    assert_eq!(report.longest_overlap_us, 0);
    assert!(report.margin_smallest_us.is_some(), "the rival took over after the term had ended");
}

/// Numbers evenly over the open span from `low` to `high`.
fn spread(low: u64, high: u64, count: u64) -> impl Iterator<Item = u64> {
    (1..=count).map(move |i| low + (high - low) * i / (count + 1))
}

/// The search: a grid over both phases, and twice a finer one around the best found. Fewer than 400 runs for each pair.
#[test]
fn no_such_plan_exceeds_the_supremum_and_some_come_close() {
    let pairs_ms = [
        (1_000, 5_000),
        (1_000, 2_050),
        (1_000, 3_000),
        (1_000, 3_500),
        (200, 1_000),
        (300, 1_000),
        (700, 1_999),
        (2_000, 15_000),
        (50, 1_234),
    ];
    for (interval_ms, timeout_ms) in pairs_ms {
        let (interval_us, timeout_us) = (interval_ms * 1_000, timeout_ms * 1_000);
        let shape = |late_us, rival_us| Shape { interval_us, timeout_us, late_us, rival_us };
        let supremum_us = shape(0, 0).supremum_us();
        let (mut best_us, mut best) = (0, (0, 0));
        let mut runs = 0;
        // The lateness has a cliff where the last read just misses, so its first grid is the finer one.
        for (lates, rivals, share) in [(24, 6, 1), (11, 11, 6), (11, 11, 30)] {
            let reach_us = interval_us / share;
            let around = |center: u64, count| {
                spread(center.saturating_sub(reach_us), (center + reach_us).min(interval_us), count)
            };
            let (late, rival) = best;
            for late_us in around(late, lates) {
                for rival_us in around(rival, rivals) {
                    let overlap_us = shape(late_us, rival_us).overlap_us();
                    runs += 1;
                    // Each of the messages that confirm a primary takes a microsecond.
                    assert!(overlap_us <= supremum_us + 2, "{overlap_us} us: {:?}", shape(late_us, rival_us));
                    if overlap_us > best_us {
                        (best_us, best) = (overlap_us, (late_us, rival_us));
                    }
                }
            }
        }
        println!(
            "I {interval_ms} ms, T {timeout_ms} ms: {runs} runs, longest overlap {best_us} us of {supremum_us} us, {:.2} %",
            best_us as f64 / supremum_us as f64 * 100.0,
        );
        assert!(best_us * 100 >= supremum_us * 95, "I {interval_ms} ms, T {timeout_ms} ms: only {best_us} us");
    }
}
