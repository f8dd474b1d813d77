//! The hardened pace: a check has a schedule which begins with the registration, and an execution is a start of it.
//!
//! Time counts as failing only between two executions that failed, one after the other and no further apart than two
//! intervals. So a controller that was paused, or could not probe, expires nothing.

use super::{CheckKind, CheckSpec, Failing, Failure, Health, Outcome, ScheduledStart, Step, Verdict, Witnesses};
use crate::id::{Epoch, Host};
use crate::registry::rules::Expiry;
use crate::time::{Duration, Instant};

/// State of the hardened pace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scheduled {
    expiry: Expiry,
    by: Host,
    epoch: Epoch,
    /// When the schedule began: start n is due n intervals later.
    began_at: Instant,
    /// The number of the last start.
    number: u64,
    running: Option<ScheduledStart>,
    executed_at: Option<Instant>,
    /// The newest report of a TTL check since its last start.
    reported: Option<bool>,
    /// When the last execution failed, unless one passed or came to nothing since.
    failed_at: Option<Instant>,
    health: Health,
}

impl Scheduled {
    pub(super) fn new(expiry: Expiry, by: Host, epoch: Epoch, now: Instant) -> Self {
        Self {
            expiry,
            by,
            epoch,
            began_at: now,
            number: 0,
            running: None,
            executed_at: None,
            reported: None,
            failed_at: None,
            health: Health::default(),
        }
    }

    pub(super) const fn executed_at(&self) -> Option<Instant> {
        self.executed_at
    }

    pub(super) fn deadline(&self, spec: &CheckSpec) -> Option<Instant> {
        match self.running {
            Some(_) => None,
            None => Some(self.began_at + interval(spec).times(self.number + 1)),
        }
    }

    /// The log may lag behind what this controller saw; otherwise it knows that too.
    pub(super) fn learn(&mut self, health: &Health) {
        if health.last < self.health.last {
            return;
        }
        self.health = *health;
        if self.health.failing.is_none() {
            self.failed_at = None;
        }
    }

    pub(super) fn tick(&mut self, spec: &CheckSpec, now: Instant) -> Step {
        if self.running.is_some() {
            return Step::Idle;
        }
        let number = now.since(self.began_at).as_micros() / interval(spec).as_micros();
        if number <= self.number {
            return Step::Idle;
        }
        // Starts that were not made are not made up for: nothing is known of them.
        let skipped = number - self.number > 1;
        self.number = number;
        let start = ScheduledStart { epoch: self.epoch, number };
        match spec.kind {
            CheckKind::Http => {
                self.running = Some(start);
                Step::Probe(start)
            }
            CheckKind::Ttl => {
                let outcome = match self.reported.take() {
                    Some(true) => Outcome::Passed,
                    Some(false) => Outcome::Failed(Failure::Unwell),
                    // Its report may have come while this controller did not listen.
                    None if skipped => Outcome::NotChecked,
                    None => Outcome::Failed(Failure::Missed),
                };
                Step::Executed(self.execute(spec, start, outcome, now))
            }
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
        self.execute(spec, start, outcome, now)
    }

    /// The newest report counts, at the next start.
    pub(super) fn report(&mut self, passes: bool, now: Instant) {
        self.reported = Some(passes);
        self.executed_at = Some(now);
    }

    fn execute(&mut self, spec: &CheckSpec, start: ScheduledStart, outcome: Outcome, now: Instant) -> Verdict {
        // Another prober has a newer epoch: what this one does is history already.
        if start <= self.health.last {
            return Verdict::Quiet;
        }
        match outcome {
            Outcome::Passed => {
                self.executed_at = Some(now);
                self.pass(start)
            }
            Outcome::NotChecked => {
                self.failed_at = None;
                Verdict::Quiet
            }
            Outcome::Failed(failure) => {
                self.executed_at = Some(now);
                self.fail(spec, start, failure, now)
            }
        }
    }

    fn pass(&mut self, start: ScheduledStart) -> Verdict {
        self.failed_at = None;
        let failed = self.health.failing.is_some();
        self.health = Health { last: start, failing: None };
        if failed { Verdict::Passing(start) } else { Verdict::Quiet }
    }

    fn fail(&mut self, spec: &CheckSpec, start: ScheduledStart, failure: Failure, now: Instant) -> Verdict {
        let apart = self.failed_at.replace(now).map_or(Duration::ZERO, |before| now.since(before));
        let seen = if apart > interval(spec).times(2) { Duration::ZERO } else { apart };
        let before = self.health.failing.map_or(Duration::ZERO, |failing| failing.failing_for);
        let failing_for = before + seen;
        self.health.tell(start, self.by, Some((failure, failing_for)));
        let new = Failing { failure, failing_for, witnesses: Witnesses::default() };
        let failing = self.health.failing.unwrap_or(new);
        let remove = match self.expiry {
            Expiry::Unchecked => failing_for > spec.deregister_after,
            Expiry::Witnessed => failing.suffices(spec.deregister_after),
        };
        if remove {
            Verdict::Remove { start, failure, failing_for }
        } else {
            Verdict::Critical { start, failure, failing_for }
        }
    }
}

fn interval(spec: &CheckSpec) -> Duration {
    spec.interval.max(Duration::from_micros(1))
}
