//! The published pace: a check executes when its interval has gone by since it last did.
//!
//! Comparisons are strict: with a timer of one second and an interval of ten, executions are eleven seconds apart. Each
//! failure of a probe doubles the interval, without a cap, and whether the instance is to be removed is looked at in an
//! execution only; so a removal may come long after the critical interval.

use super::{CheckKind, CheckSpec, Failure, Mode, Outcome, ScheduledStart, Step, Verdict, Witnesses};
use crate::id::{Epoch, Host};
use crate::registry::rules::Expiry;
use crate::time::{Duration, Instant};

/// State of the published pace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Elapsed {
    expiry: Expiry,
    mode: Mode,
    by: Host,
    interval: Duration,
    executed_at: Option<Instant>,
    failed_at: Option<Instant>,
    witnesses: Witnesses,
    executions: u64,
    running: Option<ScheduledStart>,
}

impl Elapsed {
    pub(super) fn new(expiry: Expiry, mode: Mode, by: Host, spec: &CheckSpec) -> Self {
        Self {
            expiry,
            mode,
            by,
            interval: spec.interval,
            executed_at: None,
            failed_at: None,
            witnesses: Witnesses::default(),
            executions: 0,
            running: None,
        }
    }

    pub(super) const fn executed_at(&self) -> Option<Instant> {
        self.executed_at
    }

    pub(super) fn tick(&mut self, spec: &CheckSpec, now: Instant) -> Step {
        let due = match self.mode {
            Mode::Standalone => self.executed_at.is_none_or(|at| now > at + self.interval),
            Mode::Cluster => true,
        };
        if !due || self.running.is_some() {
            return Step::Idle;
        }
        let start = self.next_start();
        match spec.kind {
            CheckKind::Http => {
                self.running = Some(start);
                Step::Probe(start)
            }
            CheckKind::Ttl => Step::Executed(self.miss(spec, start, now)),
        }
    }

    pub(super) fn finish(
        &mut self,
        spec: &CheckSpec,
        start: ScheduledStart,
        outcome: Outcome,
        now: Instant,
    ) -> Verdict {
        if self.running != Some(start) {
            return Verdict::Quiet;
        }
        self.running = None;
        self.executed_at = Some(now);
        match outcome {
            Outcome::Passed => {
                self.interval = spec.interval;
                self.pass(start)
            }
            // The original knows no third outcome.
            Outcome::NotChecked => self.fail(spec, start, Failure::TimedOut, now),
            Outcome::Failed(failure) => self.fail(spec, start, failure, now),
        }
    }

    pub(super) fn report(&mut self, spec: &CheckSpec, passes: bool, now: Instant) -> Verdict {
        let start = self.next_start();
        match self.mode {
            Mode::Cluster => self.miss(spec, start, now),
            Mode::Standalone => {
                self.executed_at = Some(now);
                if passes {
                    return self.pass(start);
                }
                let since = *self.failed_at.get_or_insert(now);
                Verdict::Critical { start, failure: Failure::Unwell, failing_for: now.since(since) }
            }
        }
    }

    fn pass(&mut self, start: ScheduledStart) -> Verdict {
        self.witnesses = Witnesses::default();
        match self.failed_at.take() {
            Some(_) => Verdict::Passing(start),
            None => Verdict::Quiet,
        }
    }

    fn fail(&mut self, spec: &CheckSpec, start: ScheduledStart, failure: Failure, now: Instant) -> Verdict {
        self.interval = self.interval.times(2);
        self.failed_at.get_or_insert(now);
        self.judge(spec, start, failure, now)
    }

    /// No report came: an execution of a TTL check does not count as one, so the next comes with the next tick.
    fn miss(&mut self, spec: &CheckSpec, start: ScheduledStart, now: Instant) -> Verdict {
        self.failed_at.get_or_insert(now);
        self.judge(spec, start, Failure::Missed, now)
    }

    fn judge(&mut self, spec: &CheckSpec, start: ScheduledStart, failure: Failure, now: Instant) -> Verdict {
        self.witnesses.insert(self.by);
        let since = self.failed_at.unwrap_or(now);
        let failing_for = now.since(since);
        let enough = match self.expiry {
            Expiry::Unchecked => true,
            Expiry::Witnessed => self.witnesses.suffice(),
        };
        if now > since + spec.deregister_after && enough {
            Verdict::Remove { start, failure, failing_for }
        } else {
            Verdict::Critical { start, failure, failing_for }
        }
    }

    fn next_start(&mut self) -> ScheduledStart {
        self.executions += 1;
        ScheduledStart { epoch: Epoch::NONE, number: self.executions }
    }
}
