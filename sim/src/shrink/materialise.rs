//! Chance: what it did to single messages, written down, so that it is needed no longer.

use super::Shrinker;
use crate::fault::{FaultKind, Place};
use crate::plan::{Fate, Noise, Plan};
use crate::trace::{Record, Sent};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The latency of messages that nothing delays.
const LATENCY_US: u64 = 1;

/// A run with more messages is left to chance: nobody could read what becomes of them.
const SENT_MAX: usize = 1_000;
/// With more events than this in the place of chance, chance is the simpler story.
const ADDED_MAX: usize = 8;

/// How many runs may be spent on finding the messages that matter.
const RUNS_MAX: u64 = 2_000;

impl Shrinker<'_> {
    /// Puts the fates of single messages in the place of what draws them: noise, and faults that hit messages at random.
    /// Timers stay as late as they are, if they have to.
    pub(super) fn materialise(&mut self) {
        if self.size.noise == 0 {
            return;
        }
        let before = (self.best.clone(), self.size);
        let best = Arc::new(self.best.clone());
        let (outcome, records) = (self.run)(&best, true)
            .map_or_else(|panicked| (Err(panicked), Vec::new()), |(report, records)| (Ok(report), records));
        self.spent.add(&outcome);
        if outcome.is_err() {
            return;
        }
        if records.iter().map(|record| record.sent.len()).sum::<usize>() > SENT_MAX {
            return;
        }
        let fates = fates(&records);
        for timer_late_us_max in [0, best.noise.timer_late_us_max] {
            let fates = fates.clone();
            let done = self.attempt_with(|plan| {
                let latency = Noise { latency_us_min: LATENCY_US, latency_us_max: LATENCY_US, ..plan.noise };
                plan.noise = Noise { loss_ppm: 0, duplicate_ppm: 0, timer_late_us_max, ..latency };
                plan.faults.retain(|fault| !is_drawn(&fault.kind) && !matches!(fault.kind, FaultKind::Delay { .. }));
                plan.fates = fates;
            });
            if done {
                self.until_run = Some(self.spent.runs + RUNS_MAX);
                self.drop_events();
                self.until_run = None;
                if self.size.events > before.1.events + ADDED_MAX {
                    (self.best, self.size) = before;
                }
                return;
            }
        }
    }
}

/// How many faults of a plan hit messages at random.
pub(super) fn drawn(plan: &Plan) -> u32 {
    plan.faults.iter().map(|fault| u32::from(is_drawn(&fault.kind))).sum()
}

const fn is_drawn(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::Lossy { .. } | FaultKind::Duplicate { .. } | FaultKind::Reorder { .. })
}

/// What must be said of all messages so that they fare alike.
fn fates(records: &[Record]) -> Vec<Fate> {
    let named = |record: &Record| Some((record.actor?, record.node.parse().ok()?));
    let places: BTreeMap<u16, Place> = records.iter().filter_map(named).collect();
    let sent = |record: &Record| {
        let from = named(record).map(|(_, place)| place);
        let fate = |sent: &Sent| Some(fate(record.true_us, from?, *places.get(&sent.target)?, sent)).flatten();
        record.sent.iter().filter_map(fate).collect::<Vec<_>>()
    };
    records.iter().flat_map(sent).collect()
}

/// Messages that a partition stops are stopped by it again.
fn fate(at_us: u64, from: Place, to: Place, sent: &Sent) -> Option<Fate> {
    let which = sent.number / 2;
    let arrives_us = match sent.arrives_us {
        Some(arrives_us) => arrives_us,
        None if sent.cut => return None,
        None => return Some(Fate { from, to, which, delay_us: None, again_us: None }),
    };
    let late_us = (arrives_us - at_us).saturating_sub(LATENCY_US);
    let again_us = sent.again_us.map(|second_us| second_us.saturating_sub(arrives_us));
    (late_us > 0 || again_us.is_some()).then_some(Fate { from, to, which, delay_us: Some(late_us), again_us })
}
