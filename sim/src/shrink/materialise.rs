//! Chance: what it did to single messages, written down, so that it is needed no longer.

use super::Shrinker;
use crate::fault::FaultKind;
use crate::network::Sent;
use crate::plan::{Fate, Noise, Plan};
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
        self.runs += 1;
        let Ok(report) = (self.run)(&best, true) else { return };
        if report.sent.len() > SENT_MAX {
            return;
        }
        let fates: Vec<_> = report.sent.iter().filter_map(fate).collect();
        for timer_late_us_max in [0, best.noise.timer_late_us_max] {
            let fates = fates.clone();
            let done = self.attempt_with(|plan| {
                let latency = Noise { latency_us_min: LATENCY_US, latency_us_max: LATENCY_US, ..plan.noise };
                plan.noise = Noise { loss_ppm: 0, duplicate_ppm: 0, timer_late_us_max, ..latency };
                plan.faults.retain(|fault| !is_drawn(&fault.kind) && !matches!(fault.kind, FaultKind::Delay { .. }));
                plan.fates = fates;
            });
            if done {
                self.until_run = Some(self.runs + RUNS_MAX);
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

/// What must be said of a message so that it fares alike. Those that a partition stops are stopped by it again.
fn fate(sent: &Sent) -> Option<Fate> {
    let Sent { from, to, which, delivery, .. } = *sent;
    let again_us = delivery.after_us.zip(delivery.again_after_us).map(|(first, second)| second.saturating_sub(first));
    let delay_us = match delivery.after_us {
        Some(after_us) if after_us <= LATENCY_US && again_us.is_none() => return None,
        Some(after_us) => Some(after_us.saturating_sub(LATENCY_US)),
        None if delivery.cut => return None,
        None => None,
    };
    Some(Fate { from, to, which, delay_us, again_us })
}
