//! Progress: how soon each row is worked on by its ring owner once all faults are over.

use super::Options;
use super::options::FETCHES_MAX;
use crate::fault::FaultKind;
use crate::plan::Plan;
use crate::report::{Convergence, RunReport};
use failproof_core::Duration;
use failproof_core::distribution::{ROWS_MAX, RowId, RowView};
use failproof_core::election::crash_to_acceptance;
use std::collections::BTreeMap;

/// Watches which rows wait.
#[derive(Debug)]
pub(super) struct Liveness {
    quiet_us: u64,
    bound_us: u64,
    /// Fates of single messages have no time, so nobody can say when they are over.
    tells: bool,
    /// Since when each row waits, and its hash.
    waiting: BTreeMap<RowId, (u64, i64)>,
    longest_us: u64,
    /// When the first row had waited for longer than the bound, among those that were worked on at last, and its hash.
    late: Option<(u64, i64)>,
}

impl Liveness {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            quiet_us: plan.quiet_us(),
            bound_us: bound_us(plan),
            tells: plan.fates.is_empty(),
            waiting: BTreeMap::new(),
            longest_us: 0,
            late: None,
        }
    }

    /// The rows are others from now on, and what was waited for before is forgotten.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
    }

    /// A row waits now, or it does not.
    pub(super) fn waits(&mut self, row: &RowView, waits: bool, at_us: u64) {
        if waits {
            self.waiting.entry(row.id).or_insert((at_us, row.hash));
        } else if let Some((since_us, hash)) = self.waiting.remove(&row.id) {
            self.longest_us = self.longest_us.max(at_us.saturating_sub(since_us.max(self.quiet_us)));
            self.late = self.late.into_iter().chain(self.late_by(since_us, hash, at_us)).min();
        }
    }

    /// When a row that waits had waited for longer than the bound, if it has at `at_us`.
    fn late_by(&self, since_us: u64, hash: i64, at_us: u64) -> Option<(u64, i64)> {
        let late_us = since_us.max(self.quiet_us).saturating_add(self.bound_us);
        (late_us < at_us).then_some((late_us, hash))
    }

    /// The run is over. When the first row had waited for longer than the bound after the last fault, and its hash.
    pub(super) fn finish(&self, at_us: u64, report: &mut RunReport) -> Option<(u64, i64)> {
        let open = self.waiting.values().filter_map(|(since_us, hash)| self.late_by(*since_us, *hash, at_us)).min();
        // What has not waited for long yet may be worked on in time.
        let late = open.is_some();
        let told = self.tells && at_us >= self.quiet_us.saturating_add(self.bound_us);
        report.counters.insert("runs that tell of progress".to_owned(), told.into());
        report.convergence =
            Some(Convergence { after_us: (!late).then_some(self.longest_us), bound_us: self.bound_us, told });
        open.into_iter().chain(self.late).min().filter(|_| self.tells)
    }
}

/// How long a run must go on after its last fault.
pub(super) fn settle_us(options: &Options) -> u64 {
    steady_bound(options).times(2).as_micros() + 1_000_000
}

/// Within what time a row is worked on once all faults are over: its ring owner holds a session again (`F` with the longest
/// term, twice: a store that forgot waits for that term first), everybody knows the members and has handed over what is no
/// longer its own, the rows have been listed, what they need was fetched (twice, if it was damaged), and what was lost on the
/// way was asked for again.
fn steady_bound(options: &Options) -> Duration {
    let (bounds, interval) = (&options.bounds, options.heartbeat_interval_us);
    let hop = bounds.latency_us_max;
    let tick = |span: Duration| bounds.slowest(span + bounds.timer_late_us_max) + hop.times(2);
    let elected = crash_to_acceptance(options.longest_term_us, interval, bounds) + tick(interval).times(3);
    let listed = hop.times(2 * (u64::from(options.jobs) / ROWS_MAX as u64 + u64::from(options.vnodes_per_node.get())));
    let round = hop.times(2 * u64::from(2 * options.chunks_max() + 1));
    let fetched =
        round.times(u64::from(options.jobs.div_ceil(FETCHES_MAX.get().into()))) + tick(options.patience_us).times(4);
    let asked = tick(options.patience_us).times(6) + tick(options.poll_us).times(12) + tick(options.takes_us).times(4);
    elected.times(2) + tick(options.calm_us) + listed + fetched + asked
}

pub(super) fn bound_us(plan: &Plan) -> u64 {
    let backward_us = |kind: &FaultKind| match kind {
        FaultKind::ClockStep { by_us, .. } if *by_us < 0 => by_us.unsigned_abs(),
        _ => 0,
    };
    let steps_us: u64 = plan.faults.iter().map(|fault| backward_us(&fault.kind)).sum();
    steady_bound(plan.distribution()).as_micros() + steps_us
}
