//! Progress: how long nobody works, and how soon somebody does once all faults are over.

use crate::fault::{FaultKind, Place};
use crate::plan::Plan;
use crate::report::{Convergence, RunReport};
use failproof_core::election::{Fencing, LeaseAnchor, StoreAge, crash_to_acceptance};

/// Watches whether each kind of leader is led.
#[derive(Debug)]
pub(super) struct Liveness {
    quiet_us: u64,
    bound_us: u64,
    /// Fates of single messages have no time, so nobody can say when they are over.
    tells: bool,
    kinds: Vec<Kind>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Kind {
    running: bool,
    trusted: bool,
    changed_us: u64,
    without_us: u64,
    gap_us: u64,
    longest_gap_us: u64,
}

impl Liveness {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            quiet_us: plan.quiet_us(),
            bound_us: bound_us(plan),
            tells: plan.fates.is_empty(),
            kinds: vec![Kind::default(); usize::from(plan.election().utypes)],
        }
    }

    /// Somebody of this kind works and is not paused, or nobody; `trusted`: one of them within the assumptions.
    pub(super) fn working(&mut self, utype: usize, running: bool, trusted: bool, at_us: u64) {
        let quiet_us = self.quiet_us;
        let kind = &mut self.kinds[utype];
        kind.pass(at_us, quiet_us);
        kind.running = running;
        kind.trusted = trusted;
        if trusted {
            kind.gap_us = 0;
        }
    }

    pub(super) fn finish(&mut self, at_us: u64, report: &mut RunReport) {
        let mut after_us = Some(0);
        for kind in &mut self.kinds {
            kind.pass(at_us, self.quiet_us);
            report.without_primary_us += kind.without_us;
            report.led_us += at_us;
            let this = kind.trusted.then_some(kind.longest_gap_us);
            after_us = after_us.and_then(|all: u64| this.map(|this| all.max(this)));
        }
        report.convergence = Some(Convergence {
            after_us,
            bound_us: self.bound_us,
            told: self.tells && at_us >= self.quiet_us.saturating_add(self.bound_us),
        });
    }
}

impl Kind {
    /// Counts the time since the last change, in which everything stayed as it was.
    fn pass(&mut self, at_us: u64, quiet_us: u64) {
        if !self.running {
            self.without_us += at_us - self.changed_us;
        }
        if !self.trusted && at_us > quiet_us {
            self.gap_us += at_us - self.changed_us.max(quiet_us);
            self.longest_gap_us = self.longest_gap_us.max(self.gap_us);
        }
        self.changed_us = at_us;
    }
}

/// Within what time somebody must work once all faults are over: `F` with the longest term, and the seal or the
/// confirming read; once more for each kind that follows another one; and what backward steps add: of the store's wall
/// clock when ages are measured on it, of a node's clock when only that node can do the work.
pub(super) fn bound_us(plan: &Plan) -> u64 {
    let options = plan.election();
    let (bounds, interval) = (&options.bounds, options.heartbeat_interval_us);
    let acceptance = crash_to_acceptance(options.longest_term_us, interval, bounds);
    let mut work = acceptance;
    if options.rules.anchor == LeaseAnchor::Read {
        work = work + bounds.slowest(interval + bounds.timer_late_us_max) + bounds.latency_us_max.times(2);
    }
    if options.rules.fencing == Fencing::Epoch {
        work = work + bounds.latency_us_max.times(2);
    }
    // One that resigned waits before it asks again, and may be the only one left.
    let mut bound = work;
    if !plan.workload.is_empty() {
        bound = bound + bounds.slowest(interval.times(2));
    }
    bound = bound.times(1 + options.affinity.len() as u64);
    let mut backward_us = 0;
    for fault in &plan.faults {
        backward_us += match fault.kind {
            // A node whose clock steps back sleeps on; that matters where no other node can take its place.
            FaultKind::ClockStep { node, by_us } if by_us < 0 => {
                let alone = !options.affinity.is_empty() || options.nodes < 3;
                let matters = if node == Place::Store { options.rules.age == StoreAge::Wall } else { alone };
                if matters { by_us.unsigned_abs() } else { 0 }
            }
            FaultKind::ClockFreeze { node: Place::Store } if options.rules.age == StoreAge::Wall => fault.for_us,
            _ => 0,
        };
    }
    bound.as_micros() + backward_us
}
