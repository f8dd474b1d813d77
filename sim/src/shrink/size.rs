//! Which of two plans is the smaller one.

use super::materialise::drawn;
use super::round::{Rate, Unit, rates, values};
use super::weaken::weight;
use crate::plan::{Noise, Plan};

/// How large a plan is, compared field by field.
///
/// A random source counts more than any number of events, because it hides them; then come the events that one has to
/// read, the places where they happen, how strong and how odd they are, and how long all of it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Random sources: latency that varies, loss, duplication, late timers; and each fault that hits messages at random.
    pub noise: u32,
    /// Faults, tasks, message fates, and clocks that are not perfect.
    pub events: usize,
    /// Places, and what else there is a number of.
    pub places: u64,
    /// How much the faults disturb, all together.
    pub weight: u64,
    /// How far times are from whole heartbeat intervals, tenths of seconds and milliseconds, and rates of clocks from
    /// whole thousands, hundreds and tens of parts per million.
    pub rough: u64,
    /// All times of all events added up, in microseconds, and how far clocks run off within a second.
    pub times_us: u64,
    /// How long the run is, in true microseconds.
    pub run_us: u64,
    /// The latency of messages, in microseconds.
    pub latency_us: u64,
}

impl Size {
    /// The size of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let unit = Unit::of(plan);
        let times: Vec<u64> = values(plan).collect();
        Self {
            noise: sources(&plan.noise) + drawn(plan),
            events: plan.faults.len() + plan.workload.len() + plan.fates.len() + plan.options.clocks().len(),
            places: plan.options.extras() + plan.options.sizes().iter().map(|(number, _)| number).sum::<u64>(),
            weight: plan.faults.iter().map(|fault| weight(&fault.kind)).sum(),
            rough: times.iter().map(|time| unit.roughness(*time)).chain(rates(plan).map(Rate::roughness)).sum(),
            times_us: times.iter().copied().chain(rates(plan).map(u64::from)).fold(0, u64::saturating_add),
            run_us: plan.options.time_us(),
            latency_us: plan.noise.latency_us_min,
        }
    }
}

fn sources(noise: &Noise) -> u32 {
    let varies = noise.latency_us_max > noise.latency_us_min;
    [varies, noise.loss_ppm > 0, noise.duplicate_ppm > 0, noise.timer_late_us_max > 0].into_iter().map(u32::from).sum()
}
