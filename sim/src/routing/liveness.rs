//! Progress: how long aliases are without an instance, and how soon each request is answered once all faults are over.

use super::Options;
use super::options::HOPS;
use crate::fault::FaultKind;
use crate::plan::Plan;
use crate::report::{Convergence, RunReport};
use failproof_core::Duration;
use failproof_core::election::crash_to_acceptance;

/// Watches what clients ask for.
#[derive(Debug)]
pub(super) struct Liveness {
    quiet_us: u64,
    bound_us: u64,
    /// Fates of single messages have no time, so nobody can say when they are over.
    tells: bool,
    /// By client: the number of the request that it waits for, and since when.
    waiting: Vec<Option<(u32, u64)>>,
    longest_us: u64,
}

impl Liveness {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            quiet_us: plan.quiet_us(),
            bound_us: bound_us(plan),
            tells: plan.fates.is_empty(),
            waiting: vec![None; usize::from(plan.routing().clients)],
            longest_us: 0,
        }
    }

    /// A client waits for this request now, or for none.
    pub(super) fn waits(&mut self, client: u16, number: Option<u32>, at_us: u64) {
        let waiting = &mut self.waiting[usize::from(client)];
        if waiting.map(|(number, _)| number) == number {
            return;
        }
        if let Some((_, since_us)) = waiting.take() {
            self.longest_us = self.longest_us.max(at_us.saturating_sub(since_us.max(self.quiet_us)));
        }
        *waiting = number.map(|number| (number, at_us));
    }

    pub(super) fn finish(&self, at_us: u64, report: &mut RunReport) {
        let open = self.waiting.iter().flatten();
        let open_us = open.map(|(_, since_us)| at_us.saturating_sub(since_us.max(&self.quiet_us).to_owned())).max();
        // What has not waited for long yet may be answered in time.
        let late = open_us.is_some_and(|open_us| open_us > self.bound_us);
        let told = self.tells && at_us >= self.quiet_us.saturating_add(self.bound_us);
        report.counters.insert("runs that tell of progress".to_owned(), told.into());
        report.convergence =
            Some(Convergence { after_us: (!late).then_some(self.longest_us), bound_us: self.bound_us, told });
    }
}

/// How long a run must go on after its last fault.
pub(super) fn settle_us(options: &Options) -> u64 {
    steady_bound(options).times(2).as_micros() + 1_000_000
}

/// Within what time a request is answered once all faults are over: an instance is accepted again (`F` with the longest
/// term, twice: a store that forgot waits for that term first), everybody has looked at the aliases, and a client has
/// asked for main and for the backup; and what backward steps of clocks add.
fn steady_bound(options: &Options) -> Duration {
    let (bounds, interval) = (&options.bounds, options.heartbeat_interval_us);
    let tick = bounds.slowest(interval + bounds.timer_late_us_max) + bounds.latency_us_max.times(2);
    let elected = crash_to_acceptance(options.longest_term_us, interval, bounds) + tick.times(3);
    let asked = bounds.slowest(options.patience_us + bounds.timer_late_us_max).times(4);
    elected + tick + asked + bounds.latency_us_max.times(HOPS)
}

pub(super) fn bound_us(plan: &Plan) -> u64 {
    let backward_us = |kind: &FaultKind| match kind {
        FaultKind::ClockStep { by_us, .. } if *by_us < 0 => by_us.unsigned_abs(),
        _ => 0,
    };
    let steps_us: u64 = plan.faults.iter().map(|fault| backward_us(&fault.kind)).sum();
    steady_bound(plan.routing()).as_micros() + steps_us
}
