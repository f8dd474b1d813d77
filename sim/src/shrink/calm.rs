//! Noise: as little of it as the failure needs.

use super::Shrinker;
use crate::plan::{Noise, Plan};

/// How a plan is changed along with its noise. Without noise all nodes tick at once, so what a fault hit by luck it has to
/// hit on purpose: a little earlier or later, or for a little longer.
#[derive(Clone, Copy, Debug)]
struct Nudge {
    /// Later, in eighths of the heartbeat interval.
    later: u64,
    /// Longer, in quarters of it.
    longer: u64,
    /// Stronger, in quarters of it.
    stronger: u64,
}

impl Nudge {
    const NONE: Self = Self { later: 0, longer: 0, stronger: 0 };

    /// The changes that are tried, the slightest ones first.
    fn all() -> impl Iterator<Item = Self> {
        let nudge = |(later, longer, stronger)| Self { later, longer, stronger };
        let each = (0..8).flat_map(|later| [0, 1, 3, 4].map(|longer| (later, longer)));
        each.flat_map(|(later, longer)| [0, 1, 2, 4].map(|stronger| (later, longer, stronger))).map(nudge)
    }

    fn apply(self, plan: &mut Plan) {
        let interval_us = plan.options.heartbeat_interval().as_micros();
        for fault in &mut plan.faults {
            fault.at_us += interval_us * self.later / 8;
            fault.for_us += interval_us * self.longer / 4;
            if let Some(span_us) = fault.kind.span_mut() {
                *span_us += interval_us * self.stronger / 4;
            }
        }
        let time_us = plan.options.time_us();
        plan.options.set_time_us(time_us + interval_us * (self.later + 2 * self.longer) / 8);
    }
}

impl Shrinker<'_> {
    /// All noise off at once, else one source after the other.
    pub(super) fn calm(&mut self) {
        if self.size.noise == 0 {
            self.calm_with(Nudge::NONE);
            return;
        }
        // Among many events each nudge has too much to hit.
        let nudges = if self.size.events > NUDGED_MAX { 1 } else { usize::MAX };
        Nudge::all().take(nudges).any(|nudge| self.calm_with(nudge));
        self.attempt_with(|plan| plan.noise.loss_ppm = 0);
        self.attempt_with(|plan| plan.noise.duplicate_ppm = 0);
        self.attempt_with(|plan| plan.noise.timer_late_us_max = 0);
        for (latency_us_min, latency_us_max) in latencies(self.best.noise) {
            if self.attempt_with(|plan| plan.noise = Noise { latency_us_min, latency_us_max, ..plan.noise }) {
                break;
            }
        }
    }

    /// All noise off, with one latency for all messages.
    fn calm_with(&mut self, nudge: Nudge) -> bool {
        latencies(self.best.noise).into_iter().any(|(latency_us_min, latency_us_max)| {
            self.attempt_with(|plan| {
                let silent = Noise { loss_ppm: 0, duplicate_ppm: 0, timer_late_us_max: 0, ..plan.noise };
                plan.noise = Noise { latency_us_min, latency_us_max, ..silent };
                nudge.apply(plan);
            })
        })
    }
}

/// A plan with more events is not nudged.
const NUDGED_MAX: usize = 12;

/// Latencies that do not vary: none to speak of, the least one, one between, the largest one.
fn latencies(noise: Noise) -> [(u64, u64); 4] {
    let middle = noise.latency_us_min.midpoint(noise.latency_us_max);
    [1, noise.latency_us_min, middle, noise.latency_us_max].map(|latency| (latency, latency))
}
