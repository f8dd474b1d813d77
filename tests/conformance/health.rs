//! What the original health checks did, case by case.
//!
//! Goal: the published [`Check`] is the original, execution by execution. Method: a timer of one second, or the
//! scheduler of a cluster, drives a check; its executions and its removal are compared with those of the vectors. A
//! case that cannot be read fails the test by name; wrong cases and planted checks are convicted.

use crate::vectors;
use failproof_core::registry::{
    Check, CheckKind, CheckSpec, Failure, InstanceId, Mode, Outcome, Probing, Rules, Step, Verdict,
};
use failproof_core::{Duration, Epoch, Host, Instant};
use serde::Deserialize;
use serde_json::{Value, json};

/// From one tick of the original's timer to the next.
const TICK_MS: u64 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "source")]
    _source: String,
    rule: String,
    cases: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    mode: Mode,
    check: CheckKind,
    interval_ms: u64,
    deregister_after_ms: u64,
    health: Option<String>,
    executions_at_ms: Option<Vec<u64>>,
    puts: Option<Vec<(u64, bool)>>,
    removed_at_ms: u64,
    last_pass_ms: Option<u64>,
    removal_latency_ms: Option<u64>,
}

impl Case {
    /// From when on the instance does not answer; none if it reports and is not asked.
    fn dies_at_ms(&self) -> Result<Option<u64>, String> {
        match (self.check, self.health.as_deref()) {
            (CheckKind::Ttl, None) => Ok(None),
            (CheckKind::Http, Some("always failing from registration at t=0")) => Ok(Some(0)),
            (CheckKind::Http, Some("always failing, scheduler fires every interval")) => Ok(Some(0)),
            (CheckKind::Http, Some(health)) => {
                let ms = health.strip_prefix("dies at ").and_then(|ms| ms.parse().ok());
                ms.map(Some).ok_or_else(|| format!("unknown health {health:?}"))
            }
            (kind, health) => Err(format!("{kind:?} with health {health:?}")),
        }
    }
}

/// What a check did until its instance was removed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    executions_at_ms: Vec<u64>,
    last_pass_ms: Option<u64>,
    removed_at_ms: u64,
}

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

fn run(rules: Rules, case: &Case) -> Result<Run, String> {
    let dies_at_ms = case.dies_at_ms()?;
    let puts = case.puts.as_deref().unwrap_or_default();
    let spec = CheckSpec {
        kind: case.check,
        interval: Duration::from_millis(case.interval_ms),
        deregister_after: Duration::from_millis(case.deregister_after_ms),
    };
    let mut check = Check::new(rules, case.mode, Host(0), Epoch::NONE, InstanceId::default(), spec, Instant::ZERO);
    let mut run = Run::default();
    let every = match case.mode {
        Mode::Standalone => TICK_MS,
        Mode::Cluster => case.interval_ms,
    };
    for ms in (every..1_000_000).step_by(usize::try_from(every).map_err(|error| error.to_string())?) {
        // A report at the time of a tick comes first.
        for (put_ms, passes) in puts.iter().filter(|(put_ms, _)| (ms - every + 1..=ms).contains(put_ms)) {
            check.report(*passes, at(*put_ms));
            run.last_pass_ms = if *passes { Some(*put_ms) } else { run.last_pass_ms };
        }
        let verdict = match check.tick(at(ms)) {
            Step::Idle => continue,
            Step::Executed(verdict) => verdict,
            Step::Probe(start) => {
                run.executions_at_ms.push(ms);
                let dead = dies_at_ms.is_some_and(|dies_at| ms >= dies_at);
                let outcome = if dead { Outcome::Failed(Failure::TimedOut) } else { Outcome::Passed };
                check.finish(start, outcome, at(ms))
            }
        };
        if matches!(verdict, Verdict::Remove { .. }) {
            run.removed_at_ms = ms;
            return Ok(run);
        }
    }
    Err("the instance is never removed".to_owned())
}

fn judge(rules: Rules, case: &Value) -> Result<(), String> {
    let case: Case = serde_json::from_value(case.clone()).map_err(|error| error.to_string())?;
    let run = run(rules, &case)?;
    if run.removed_at_ms != case.removed_at_ms {
        return Err(format!("removed at {} ms, not {} ms", run.removed_at_ms, case.removed_at_ms));
    }
    match (&case.executions_at_ms, case.check) {
        (Some(expected), CheckKind::Http) if *expected == run.executions_at_ms => {}
        (None, CheckKind::Ttl) => {}
        (expected, _) => return Err(format!("executed at {:?}, not {expected:?}", run.executions_at_ms)),
    }
    if case.last_pass_ms != run.last_pass_ms {
        return Err(format!("the last report came at {:?}, not {:?}", run.last_pass_ms, case.last_pass_ms));
    }
    // From the death, or from the last report that passed.
    let since = if case.check == CheckKind::Ttl { run.last_pass_ms } else { case.dies_at_ms()? };
    match (case.removal_latency_ms, since) {
        (Some(expected), Some(since)) if run.removed_at_ms - since != expected => {
            Err(format!("removed after {} ms, not {expected} ms", run.removed_at_ms - since))
        }
        (Some(_), None) => Err("a latency without its begin".to_owned()),
        _ => Ok(()),
    }
}

fn read() -> Vectors {
    vectors::read("health_check.json")
}

#[test]
fn published_checks_execute_and_remove_like_the_original() {
    let vectors = read();
    assert!(vectors.rule.contains("now-executeInterval>lastExecute (strict)"), "another rule: {}", vectors.rule);
    assert!(vectors::complete(vectors.cases.len(), 15), "{} cases", vectors.cases.len());
    for (index, case) in vectors.cases.iter().enumerate() {
        assert_eq!(judge(Rules::published(), case), Ok(()), "case {index}: {case}");
    }
}

/// Each number of a case is looked at: one second more, in any of them, is found.
#[test]
fn altered_cases_are_convicted() {
    let vectors = read();
    for (index, case) in vectors.cases.iter().enumerate() {
        let numbers = ["removed_at_ms", "last_pass_ms", "removal_latency_ms"];
        for field in numbers.into_iter().filter(|field| case.get(field).is_some()) {
            let mut altered = case.clone();
            altered[field] = json!(case[field].as_u64().expect("a number") + 1_000);
            assert!(judge(Rules::published(), &altered).is_err(), "case {index}: {altered}");
        }
        if let Some(last) = case.get("executions_at_ms").and_then(Value::as_array).map(|times| times.len() - 1) {
            let mut altered = case.clone();
            altered["executions_at_ms"][last] = json!(1);
            assert!(judge(Rules::published(), &altered).is_err(), "case {index}: {altered}");
        }
        let mut altered = case.clone();
        altered["unheard_of"] = json!(1);
        assert!(judge(Rules::published(), &altered).is_err(), "case {index}: {altered}");
    }
    let unknown = json!({"mode": "standalone", "check": "http", "interval_ms": 5_000, "deregister_after_ms": 30_000,
        "health": "sometimes", "executions_at_ms": [], "removed_at_ms": 1_000});
    assert_eq!(judge(Rules::published(), &unknown), Err("unknown health \"sometimes\"".to_owned()));
}

/// The hardened pace is another one: no case of a timer comes out as the original's.
#[test]
fn hardened_pace_is_told_apart() {
    let rules = Rules { probing: Probing::Scheduled, ..Rules::published() };
    let vectors = read();
    let timers = vectors.cases.iter().filter(|case| case["mode"] == "standalone" && case["check"] == "http");
    let alike: Vec<_> = timers.filter(|case| judge(rules, case).is_ok()).collect();
    assert_eq!(alike, Vec::<&Value>::new());
}
