//! Laws of health checks: an instance is removed only, and as soon as, its check was seen to fail for longer than the
//! critical interval, by two controllers.
//!
//! Method: random outcomes, pauses, confirmations and changes of the prober are played on a check under hardened rules
//! and on one log of what it came to. The judge counts by itself, from what truly happened.

use super::Judgement;
use crate::settings::fixed;
use failproof_core::registry::{
    Check, CheckKind, CheckSpec, Expiry, Failure, Health, InstanceId, Mode, Outcome, Rules, Step, Verdict,
};
use failproof_core::{Duration, Epoch, Host, Instant};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

const SPEC: CheckSpec =
    CheckSpec { kind: CheckKind::Http, interval: Duration::from_secs(10), deregister_after: Duration::from_secs(35) };
/// How far the clock of each controller is ahead of the true time.
const AHEAD_S: [u64; 3] = [0, 70_000, 3];

/// One step.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// Time goes on for so long, and the check is asked; a probe takes `takes_ms` and ends like this.
    Execute { after_ms: u64, takes_ms: u64, outcome: Outcome },
    /// This controller sees the last failure too.
    Confirm { by: u16 },
    /// This controller is the prober from now on.
    TakeOver { by: u16 },
}

/// What truly happened in an execution.
#[derive(Clone, Copy, Debug)]
struct Execution {
    by: Host,
    epoch: u32,
    ended_at: Duration,
    outcome: Outcome,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug)]
enum Happened {
    Executed(Execution),
    Confirmed(Host),
}

/// Plays the steps; `seen` is how a controller takes an outcome.
fn play(rules: Rules, ops: &[Op], seen: fn(Outcome) -> Outcome) -> Vec<Happened> {
    let clock = |by: u16, now: Duration| Instant::ZERO + now + Duration::from_secs(AHEAD_S[usize::from(by)]);
    let new = |by, epoch, now| {
        let epoch = Epoch { generation: 0, counter: epoch };
        Check::new(rules, Mode::Standalone, Host(by), epoch, InstanceId::default(), SPEC, clock(by, now))
    };
    let (mut prober, mut epoch, mut now) = (0, 1, Duration::ZERO);
    let mut check = new(prober, epoch, now);
    let (mut health, mut happened) = (Health::default(), Vec::new());
    for op in ops {
        match *op {
            Op::Execute { after_ms, takes_ms, outcome } => {
                now = now + Duration::from_millis(after_ms);
                let Step::Probe(start) = check.tick(clock(prober, now)) else { continue };
                now = now + Duration::from_millis(takes_ms);
                let verdict = check.finish(start, seen(outcome), clock(prober, now));
                match verdict {
                    Verdict::Quiet => {}
                    Verdict::Passing(start) => {
                        health.tell(start, Host(prober), None);
                    }
                    Verdict::Critical { start, failure, failing_for }
                    | Verdict::Remove { start, failure, failing_for } => {
                        health.tell(start, Host(prober), Some((failure, failing_for)));
                    }
                }
                check.learn(&health);
                happened.push(Happened::Executed(Execution {
                    by: Host(prober),
                    epoch,
                    ended_at: now,
                    outcome,
                    verdict,
                }));
            }
            Op::Confirm { by } => {
                if let Some(failing) = health.failing
                    && health.tell(health.last, Host(by), Some((failing.failure, failing.failing_for)))
                {
                    check.learn(&health);
                    happened.push(Happened::Confirmed(Host(by)));
                }
            }
            Op::TakeOver { by } => {
                (prober, epoch) = (by, epoch + 1);
                check = new(prober, epoch, now);
                check.learn(&health);
            }
        }
    }
    happened
}

/// Judges each verdict: critical at once, passing at once, and removed exactly when it is due.
fn removed_when_it_failed_for_long_and_two_saw_it(happened: &[Happened]) -> Judgement {
    let (mut failed_for, mut by) = (Duration::ZERO, BTreeSet::new());
    // The last execution, if it failed: nothing was unknown since.
    let mut last: Option<Execution> = None;
    for happened in happened {
        let execution = match *happened {
            Happened::Confirmed(host) => {
                by.insert(host);
                continue;
            }
            Happened::Executed(execution) => execution,
        };
        let right = match execution.outcome {
            Outcome::NotChecked => {
                last = None;
                execution.verdict == Verdict::Quiet
            }
            Outcome::Passed => {
                let failed = !by.is_empty();
                (failed_for, last) = (Duration::ZERO, None);
                by.clear();
                matches!(execution.verdict, Verdict::Passing(_)) == failed
            }
            Outcome::Failed(_) => {
                if let Some(last) = last.filter(|last| last.epoch == execution.epoch) {
                    let apart = execution.ended_at.saturating_sub(last.ended_at);
                    failed_for = failed_for + if apart > SPEC.interval.times(2) { Duration::ZERO } else { apart };
                }
                by.insert(execution.by);
                last = Some(execution);
                let due = failed_for > SPEC.deregister_after && by.len() > 1;
                match execution.verdict {
                    Verdict::Critical { failing_for, .. } => !due && failing_for == failed_for,
                    Verdict::Remove { failing_for, .. } => due && failing_for == failed_for,
                    Verdict::Quiet | Verdict::Passing(_) => false,
                }
            }
        };
        if !right {
            return Err(format!("{execution:?}; it failed for {failed_for}, seen by {by:?}"));
        }
    }
    Ok(())
}

fn any_ops() -> impl Strategy<Value = Vec<Op>> {
    let outcomes = prop_oneof![
        1 => Just(Outcome::Passed),
        8 => Just(Outcome::Failed(Failure::Refused)),
        4 => Just(Outcome::Failed(Failure::TimedOut)),
        1 => Just(Outcome::NotChecked),
    ];
    let op = prop_oneof![
        12 => (prop_oneof![9 => 5_000..12_000_u64, 1 => 0..60_000_u64], 0..2_000_u64, outcomes)
            .prop_map(|(after_ms, takes_ms, outcome)| Op::Execute { after_ms, takes_ms, outcome }),
        2 => (0..3_u16).prop_map(|by| Op::Confirm { by }),
        1 => (0..3_u16).prop_map(|by| Op::TakeOver { by }),
    ];
    prop::collection::vec(op, 1..80)
}

const fn truly(outcome: Outcome) -> Outcome {
    outcome
}

/// A controller that takes what it could not check for a failure.
const fn guessing(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::NotChecked => Outcome::Failed(Failure::TimedOut),
        _ => outcome,
    }
}

/// How many runs of the settings' number fulfil this.
fn runs(judge: impl Fn(&[Op]) -> bool) -> usize {
    let (mut runner, strategy) = (TestRunner::new(fixed(256)), any_ops());
    let runs = (0..fixed(256).cases).map(|_| strategy.new_tree(&mut runner).expect("a run").current());
    runs.filter(|ops| judge(ops)).count()
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_check_removes_what_failed_for_long_and_nothing_else(ops in any_ops()) {
        let happened = play(Rules::hardened(), &ops, truly);
        prop_assert_eq!(removed_when_it_failed_for_long_and_two_saw_it(&happened), Ok(()));
    }
}

#[test]
fn judge_of_removals_convicts_one_witness_a_guess_and_the_published_pace() {
    let convicted =
        |rules, seen| runs(|ops| removed_when_it_failed_for_long_and_two_saw_it(&play(rules, ops, seen)).is_err());
    let alone = Rules { expiry: Expiry::Unchecked, ..Rules::hardened() };
    assert!(convicted(alone, truly) > 0, "one controller is enough");
    assert!(convicted(Rules::hardened(), guessing) > 0, "unknown is failed");
    assert!(convicted(Rules::published(), truly) > 0);
    assert_eq!(convicted(Rules::hardened(), truly), 0);
}

/// Removals happen in random runs, after a change of the prober too.
#[test]
fn random_runs_reach_removals() {
    let removes = |happened: &Happened, later: bool| {
        matches!(happened, Happened::Executed(Execution { verdict: Verdict::Remove { .. }, epoch, .. })
            if !later || *epoch > 1)
    };
    let reached = |later| runs(|ops| play(Rules::hardened(), ops, truly).iter().any(|it| removes(it, later)));
    assert!(reached(false) > 10 && reached(true) > 10);
}
