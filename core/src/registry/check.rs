//! The health check of one instance as a state machine: when it executes, and what follows from each outcome.
//!
//! A controller calls [`Check::tick`] each second, or at [`Check::deadline`]; what it is told to probe, it probes, and
//! comes back with [`Check::finish`]. An instance with a TTL check is not probed but says itself how it is:
//! [`Check::report`].
//!
//! Source: networknt/light-controller, `CheckTask.java`, `HealthCheckStreams.java` and `ServicesCheckPutHandler.java`,
//! for [`Probing::Elapsed`] and [`Expiry::Unchecked`].

mod elapsed;
mod health;
mod scheduled;

pub use health::{Failing, Failure, Health, ScheduledStart, Witnesses};

use super::identity::InstanceId;
use super::rules::{CheckStart, Expiry, Probing, Rules};
use crate::id::{Epoch, Host};
use crate::time::{Duration, Instant};
use elapsed::Elapsed;
use scheduled::Scheduled;

/// How an instance is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum CheckKind {
    /// By a request, which is to be answered with 200.
    Http,
    /// By its own reports, one in each interval.
    Ttl,
}

/// What an instance asks for when it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CheckSpec {
    /// How it is checked.
    pub kind: CheckKind,
    /// From one execution to the next. At least a microsecond counts. TTL: whoever reports twice in each misses none.
    pub interval: Duration,
    /// The critical interval: for how long a check fails before its instance is deregistered.
    pub deregister_after: Duration,
}

/// Who lets published checks execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Mode {
    /// The controller's own timer, which asks each check whether its interval is over.
    Standalone,
    /// A scheduler: each time that it fires, the check executes. Reports are taken for such a firing, and not read.
    Cluster,
}

/// What an execution came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// The instance is well.
    Passed,
    /// It is not.
    Failed(Failure),
    /// Nothing is known: the controller could not probe.
    NotChecked,
}

impl Outcome {
    /// What a probe by a controller shows that reaches somebody else at present, or nobody. If nobody, a timeout says
    /// something of the controller's network and nothing of the instance. A refused connection is no timeout: somebody
    /// answered.
    #[must_use]
    pub const fn seen_by_controller(self, reaches_others: bool) -> Self {
        match self {
            Self::Failed(Failure::TimedOut) if !reaches_others => Self::NotChecked,
            _ => self,
        }
    }
}

/// What the controller is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Nothing.
    Idle,
    /// Probe the instance, and come back with the outcome of this start.
    Probe(ScheduledStart),
    /// An execution is over already.
    Executed(Verdict),
}

/// What follows from an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing that others must know.
    Quiet,
    /// It failed before and passes now.
    Passing(ScheduledStart),
    /// It fails: so the instance is critical.
    Critical {
        /// The execution.
        start: ScheduledStart,
        /// How it failed.
        failure: Failure,
        /// For how long it has failed, as far as that was seen.
        failing_for: Duration,
    },
    /// It failed for so long that the instance is to be deregistered.
    Remove {
        /// The execution.
        start: ScheduledStart,
        /// How it failed.
        failure: Failure,
        /// For how long it has failed.
        failing_for: Duration,
    },
}

/// The check of one instance, as one controller runs it.
///
/// Units and clock: every [`Instant`] is microseconds on the controller's own clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    id: InstanceId,
    rules: Rules,
    spec: CheckSpec,
    registered_at: Instant,
    pace: Pace,
}

/// What separates the two ways to execute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Pace {
    Elapsed(Elapsed),
    Scheduled(Scheduled),
}

impl Check {
    /// The check of an instance which was just registered, or which another controller has checked so far; then it is
    /// to [`Check::learn`] what the log says. `epoch` is that of the prober, and newer than those before.
    #[must_use]
    pub fn new(
        rules: Rules,
        mode: Mode,
        by: Host,
        epoch: Epoch,
        id: InstanceId,
        spec: CheckSpec,
        now: Instant,
    ) -> Self {
        let pace = match rules.probing {
            Probing::Elapsed => Pace::Elapsed(Elapsed::new(rules.expiry, mode, by, &spec)),
            Probing::Scheduled => Pace::Scheduled(Scheduled::new(rules.expiry, by, epoch, now)),
        };
        Self { id, rules, spec, registered_at: now, pace }
    }

    /// Whose check it is.
    #[must_use]
    pub const fn id(&self) -> InstanceId {
        self.id
    }

    /// How it checks.
    #[must_use]
    pub const fn spec(&self) -> CheckSpec {
        self.spec
    }

    /// Takes in what the log says of this check: what others saw counts too, and a new prober goes on from there. Under
    /// [`Probing::Elapsed`] nobody asks the log.
    pub fn learn(&mut self, health: &Health) {
        if let Pace::Scheduled(pace) = &mut self.pace {
            pace.learn(health);
        }
    }

    /// When it is to be asked again; none if its controller asks all checks once a second, or is waited for.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.pace {
            Pace::Elapsed(_) => None,
            Pace::Scheduled(pace) => pace.deadline(&self.spec),
        }
    }

    /// Begins an execution, if one is due at `now`. Too early is harmless.
    pub fn tick(&mut self, now: Instant) -> Step {
        match &mut self.pace {
            Pace::Elapsed(pace) => pace.tick(&self.spec, now),
            Pace::Scheduled(pace) => pace.tick(&self.spec, now),
        }
    }

    /// Ends the execution with this start. One that does not run is ignored: an outcome counts once.
    pub fn finish(&mut self, start: ScheduledStart, outcome: Outcome, now: Instant) -> Verdict {
        match &mut self.pace {
            Pace::Elapsed(pace) => pace.finish(&self.spec, start, outcome, now),
            Pace::Scheduled(pace) => pace.finish(&self.spec, start, outcome, now),
        }
    }

    /// Takes in what the instance says of itself. Only TTL checks listen.
    pub fn report(&mut self, passes: bool, now: Instant) -> Verdict {
        match (&mut self.pace, self.spec.kind) {
            (_, CheckKind::Http) => Verdict::Quiet,
            (Pace::Elapsed(pace), CheckKind::Ttl) => pace.report(&self.spec, passes, now),
            (Pace::Scheduled(pace), CheckKind::Ttl) => {
                pace.report(passes, now);
                Verdict::Quiet
            }
        }
    }

    /// Whether a lookup at `now` takes the instance for dead because it was not checked for longer than the critical
    /// interval. Under [`Expiry::Witnessed`] no lookup does.
    #[must_use]
    pub fn is_stale(&self, now: Instant) -> bool {
        let executed_at = match &self.pace {
            Pace::Elapsed(pace) => pace.executed_at(),
            Pace::Scheduled(pace) => pace.executed_at(),
        };
        let since = match (self.rules.check_start, executed_at) {
            (_, Some(at)) => at,
            (CheckStart::FirstExecution, None) => return self.rules.expiry == Expiry::Unchecked,
            (CheckStart::Registration, None) => self.registered_at,
        };
        match self.rules.expiry {
            Expiry::Unchecked => now > since + self.spec.deregister_after,
            Expiry::Witnessed => false,
        }
    }
}
