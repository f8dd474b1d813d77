//! Checks: the pace of both rules, what fails, and what expires.

use super::*;

const REFUSED: Outcome = Outcome::Failed(Failure::Refused);
const TIMED_OUT: Outcome = Outcome::Failed(Failure::TimedOut);

fn check(rules: Rules, kind: CheckKind) -> Check {
    let spec = CheckSpec { kind, ..SPEC };
    let epoch = start(0).epoch;
    Check::new(rules, Mode::Standalone, A, epoch, web(1, 1), spec, at(5_000))
}

/// Asks a check that is due, and ends its execution with this outcome at once.
fn execute(check: &mut Check, ms: u64, outcome: Outcome) -> Verdict {
    match check.tick(at(ms)) {
        Step::Probe(start) => check.finish(start, outcome, at(ms)),
        Step::Executed(verdict) => verdict,
        Step::Idle => panic!("nothing is due at {ms} ms"),
    }
}

fn failing_for(verdict: Verdict) -> Duration {
    match verdict {
        Verdict::Critical { failing_for, .. } | Verdict::Remove { failing_for, .. } => failing_for,
        other => panic!("no failure: {other:?}"),
    }
}

/// What a second controller saw too, as the log tells it of this verdict.
fn confirmed(verdict: Verdict) -> Health {
    let Verdict::Critical { start, failure, failing_for } = verdict else { panic!("not critical: {verdict:?}") };
    let mut health = Health::default();
    assert!(health.tell(start, A, Some((failure, failing_for))));
    assert!(health.tell(start, B, Some((failure, failing_for))));
    health
}

#[test]
fn published_failures_double_the_interval_and_a_success_resets_it() {
    let mut check = check(Rules::published(), CheckKind::Http);
    assert!(matches!(execute(&mut check, 6_000, TIMED_OUT), Verdict::Critical { failing_for: Duration::ZERO, .. }));
    assert_eq!(check.tick(at(26_000)), Step::Idle, "twenty seconds, and strictly more");
    assert_eq!(failing_for(execute(&mut check, 27_000, TIMED_OUT)), Duration::from_secs(21));
    assert_eq!(check.tick(at(67_000)), Step::Idle, "forty seconds by now");
    assert!(matches!(execute(&mut check, 68_000, Outcome::Passed), Verdict::Passing(_)));
    assert_eq!(check.tick(at(78_000)), Step::Idle);
    assert_eq!(execute(&mut check, 78_001, Outcome::Passed), Verdict::Quiet);
    let failed = execute(&mut check, 90_000, TIMED_OUT);
    assert!(matches!(failed, Verdict::Critical { failing_for: Duration::ZERO, .. }), "it begins anew: {failed:?}");
}

#[test]
fn published_removal_is_strict_and_waits_for_an_execution() {
    let mut check = check(Rules::published(), CheckKind::Http);
    execute(&mut check, 6_000, TIMED_OUT);
    execute(&mut check, 26_001, TIMED_OUT);
    assert!(matches!(execute(&mut check, 66_002, TIMED_OUT), Verdict::Remove { .. }), "6,000 + 60,000 are over");
    let spec = CheckSpec { deregister_after: Duration::from_millis(20_001), ..SPEC };
    let mut check = Check::new(Rules::published(), Mode::Standalone, A, Epoch::NONE, web(1, 1), spec, at(0));
    execute(&mut check, 6_000, TIMED_OUT);
    assert!(matches!(execute(&mut check, 26_001, TIMED_OUT), Verdict::Critical { .. }), "no longer than that");
}

/// The original's cluster takes a report for another firing of the scheduler: it deregisters whoever reports.
#[test]
fn published_cluster_does_not_read_reports() {
    let spec = CheckSpec { kind: CheckKind::Ttl, ..SPEC };
    let mut check = Check::new(Rules::published(), Mode::Cluster, A, Epoch::NONE, web(1, 1), spec, at(0));
    assert!(matches!(check.report(true, at(1_000)), Verdict::Critical { failure: Failure::Missed, .. }));
    assert!(matches!(check.report(true, at(61_001)), Verdict::Remove { .. }));
}

#[test]
fn published_report_that_fails_is_critical_and_one_that_passes_ends_it() {
    let mut check = check(Rules::published(), CheckKind::Ttl);
    assert!(matches!(check.report(false, at(6_000)), Verdict::Critical { failure: Failure::Unwell, .. }));
    assert_eq!(failing_for(check.report(false, at(9_000))), Duration::from_secs(3), "the first failure counts");
    assert!(matches!(check.report(true, at(12_000)), Verdict::Passing(_)));
    assert_eq!(check.tick(at(22_000)), Step::Idle);
    assert_eq!(failing_for(execute(&mut check, 22_001, Outcome::Passed)), Duration::ZERO, "missed, whatever is said");
}

/// C2: published, a check is stale before it ever ran. Hardened, its clock starts with the registration.
#[test]
fn a_check_that_never_ran_is_stale_under_published_rules_only() {
    let published = check(Rules::published(), CheckKind::Ttl);
    assert!(published.is_stale(at(5_000)));
    let repaired = check(Rules { check_start: CheckStart::Registration, ..Rules::published() }, CheckKind::Ttl);
    assert!(!repaired.is_stale(at(65_000)) && repaired.is_stale(at(65_001)));
}

/// C1: published, nobody checks, and whoever looks finds everybody dead. Hardened, time expires nothing.
#[test]
fn what_was_not_checked_is_stale_under_published_rules_only() {
    let mut published = check(Rules::published(), CheckKind::Http);
    execute(&mut published, 6_000, Outcome::Passed);
    assert!(!published.is_stale(at(66_000)) && published.is_stale(at(66_001)));
    let mut hardened = check(Rules::hardened(), CheckKind::Http);
    assert!(!hardened.is_stale(at(10_000_000)));
    execute(&mut hardened, 15_000, Outcome::Passed);
    assert!(!hardened.is_stale(at(10_000_000)));
}

#[test]
fn hardened_schedule_begins_with_the_registration() {
    let mut check = check(Rules::hardened(), CheckKind::Http);
    assert_eq!(check.deadline(), Some(at(15_000)));
    assert_eq!(check.tick(at(14_999)), Step::Idle);
    assert_eq!(check.tick(at(15_700)), Step::Probe(start(1)));
    assert_eq!((check.deadline(), check.tick(at(25_000))), (None, Step::Idle), "one at a time");
    assert_eq!(check.finish(start(1), Outcome::Passed, at(16_000)), Verdict::Quiet);
    assert_eq!(check.deadline(), Some(at(25_000)), "a late start moves none of the others");
    assert_eq!(check.tick(at(48_000)), Step::Probe(start(4)), "what was not started is not made up for");
}

#[test]
fn an_outcome_counts_once() {
    let mut check = check(Rules::hardened(), CheckKind::Http);
    assert_eq!(check.finish(start(1), REFUSED, at(15_000)), Verdict::Quiet, "it does not run");
    check.tick(at(15_000));
    assert!(matches!(check.finish(start(1), REFUSED, at(15_100)), Verdict::Critical { .. }));
    let before = check.clone();
    assert_eq!(check.finish(start(1), Outcome::Passed, at(15_200)), Verdict::Quiet);
    assert_eq!(check, before);
}

/// Critical at once, but removed only after the whole critical interval, and only if a second controller saw it.
#[test]
fn hardened_removal_needs_the_interval_and_two_witnesses() {
    let mut alone = check(Rules::hardened(), CheckKind::Http);
    let mut seen = alone.clone();
    for turn in 1..=7 {
        let ms = 5_000 + turn * 10_000;
        let verdict = execute(&mut alone, ms, REFUSED);
        assert_eq!(failing_for(verdict), Duration::from_secs((turn - 1) * 10));
        execute(&mut seen, ms, REFUSED);
        seen.learn(&confirmed(verdict));
    }
    assert!(matches!(execute(&mut alone, 85_000, REFUSED), Verdict::Critical { .. }), "nobody else saw it");
    let removed = execute(&mut seen, 85_000, REFUSED);
    assert!(matches!(removed, Verdict::Remove { failing_for, .. } if failing_for == Duration::from_secs(70)));
}

#[test]
fn what_was_not_checked_does_not_count_as_failing() {
    let mut check = check(Rules::hardened(), CheckKind::Http);
    execute(&mut check, 15_000, REFUSED);
    assert_eq!(failing_for(execute(&mut check, 25_000, REFUSED)), Duration::from_secs(10));
    assert_eq!(execute(&mut check, 35_000, Outcome::NotChecked), Verdict::Quiet);
    assert_eq!(failing_for(execute(&mut check, 45_000, REFUSED)), Duration::from_secs(10), "it stopped there");
    assert_eq!(failing_for(execute(&mut check, 55_000, REFUSED)), Duration::from_secs(20), "and goes on");
    assert_eq!(failing_for(execute(&mut check, 3_605_000, REFUSED)), Duration::from_secs(20), "an hour of nothing");
    assert!(matches!(execute(&mut check, 3_615_000, Outcome::Passed), Verdict::Passing(_)));
    assert_eq!(failing_for(execute(&mut check, 3_625_000, REFUSED)), Duration::ZERO);
}

#[test]
fn failures_further_apart_than_two_intervals_do_not_add_up() {
    let after = |ms: u64| {
        let mut check = check(Rules::hardened(), CheckKind::Http);
        execute(&mut check, 15_000, REFUSED);
        failing_for(execute(&mut check, 15_000 + ms, REFUSED))
    };
    assert_eq!((after(20_000), after(20_001)), (Duration::from_secs(20), Duration::ZERO));
}

/// The log is behind: what it tells of an earlier execution takes nothing back, and a later one does.
#[test]
fn a_log_that_lags_takes_nothing_back() {
    let mut check = check(Rules::hardened(), CheckKind::Http);
    let first = execute(&mut check, 15_000, REFUSED);
    execute(&mut check, 25_000, REFUSED);
    check.learn(&confirmed(first));
    assert_eq!(failing_for(execute(&mut check, 35_000, REFUSED)), Duration::from_secs(20));
    let mut passed = Health::default();
    assert!(passed.tell(start(4), B, None));
    check.learn(&passed);
    assert_eq!(failing_for(execute(&mut check, 55_000, REFUSED)), Duration::ZERO);
}

/// A controller without a network sees timeouts everywhere; they say nothing of the instances. A refusal does.
#[test]
fn a_timeout_of_an_isolated_controller_is_no_failure() {
    assert_eq!(TIMED_OUT.seen_by_controller(false), Outcome::NotChecked);
    for outcome in [REFUSED, Outcome::Failed(Failure::Unwell), Outcome::Passed, Outcome::NotChecked] {
        assert_eq!(outcome.seen_by_controller(false), outcome);
        assert_eq!(outcome.seen_by_controller(true), outcome);
    }
    assert_eq!(TIMED_OUT.seen_by_controller(true), TIMED_OUT);
}

#[test]
fn hardened_reports_count_at_the_next_start() {
    let mut check = check(Rules::hardened(), CheckKind::Ttl);
    check.report(true, at(6_000));
    assert_eq!(check.tick(at(15_000)), Step::Executed(Verdict::Quiet));
    let missed = check.tick(at(25_000));
    assert!(matches!(missed, Step::Executed(Verdict::Critical { failure: Failure::Missed, .. })), "{missed:?}");
    check.report(false, at(26_000));
    let unwell = check.tick(at(35_000));
    assert!(matches!(unwell, Step::Executed(Verdict::Critical { failure: Failure::Unwell, .. })), "{unwell:?}");
    check.report(false, at(36_000));
    check.report(true, at(37_000));
    assert_eq!(check.tick(at(45_000)), Step::Executed(Verdict::Passing(start(4))));
    assert_eq!(check.tick(at(95_000)), Step::Executed(Verdict::Quiet), "it may have reported while nobody listened");
}

#[test]
fn reports_are_for_ttl_checks_only() {
    for rules in [Rules::published(), Rules::hardened()] {
        let mut check = check(rules, CheckKind::Http);
        let before = check.clone();
        assert_eq!((check.report(false, at(6_000)), &check), (Verdict::Quiet, &before));
    }
}

/// C6: the log tells durations, so that whoever takes over goes on, on another clock. What its predecessor still does
/// is history.
#[test]
fn a_new_prober_goes_on_where_the_log_stands() {
    let mut old = check(Rules::hardened(), CheckKind::Http);
    let mut last = Verdict::Quiet;
    for turn in 1..=6 {
        last = execute(&mut old, 5_000 + turn * 10_000, REFUSED);
    }
    assert_eq!(failing_for(last), Duration::from_secs(50));
    let newer = Epoch { generation: 0, counter: 2 };
    let mut new = Check::new(Rules::hardened(), Mode::Standalone, B, newer, web(1, 1), SPEC, at(900_000));
    let Verdict::Critical { start, failure, failing_for: told } = last else { panic!("critical") };
    let mut health = Health::default();
    health.tell(start, A, Some((failure, told)));
    new.learn(&health);
    assert_eq!(failing_for(execute(&mut new, 910_000, REFUSED)), Duration::from_secs(50));
    assert_eq!(failing_for(execute(&mut new, 920_000, REFUSED)), Duration::from_secs(60));
    let verdict = execute(&mut new, 930_000, REFUSED);
    let Verdict::Remove { start, failure, failing_for: told } = verdict else { panic!("two saw it: {verdict:?}") };
    assert_eq!(told, Duration::from_secs(70));
    assert!(health.tell(start, B, Some((failure, told))));
    old.learn(&health);
    assert_eq!(execute(&mut old, 75_000, Outcome::Passed), Verdict::Quiet, "it is the prober no more");
}

#[test]
fn health_takes_each_execution_once() {
    let failed = Some((Failure::Refused, Duration::from_secs(5)));
    let mut health = Health::default();
    assert!(health.tell(start(2), A, failed));
    let before = health;
    for (again, failure) in [(start(1), None), (start(2), None), (start(2), failed)] {
        assert!(!health.tell(again, A, failure));
        assert_eq!(health, before);
    }
    assert!(health.tell(start(2), B, failed), "a second controller confirms it");
    assert!(!health.tell(start(2), Host(2), failed), "two are enough");
    let failing = health.failing.expect("it fails");
    assert!(failing.suffices(Duration::from_millis(4_999)) && !failing.suffices(Duration::from_secs(5)));
    assert!(health.tell(start(3), B, None) && health.failing.is_none());
    assert!(health.tell(start(4), B, Some((Failure::TimedOut, Duration::ZERO))));
    assert_eq!(health.failing.map(|failing| failing.witnesses.iter().collect::<Vec<_>>()), Some([B].to_vec()));
}
