//! Times: rounder, shorter and earlier ones, as far as the failure goes along.

use super::Shrinker;
use crate::fault::FaultKind;
use crate::plan::Plan;

const TENTH_US: u64 = 100_000;
const MILLI_US: u64 = 1_000;

/// What times are measured in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    interval_us: u64,
}

impl Unit {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { interval_us: plan.options.heartbeat_interval().as_micros().max(1) }
    }

    /// How odd a time is: whole intervals, tenths of seconds, milliseconds, or less.
    pub(super) fn roughness(self, time_us: u64) -> u64 {
        self.steps().iter().position(|step| time_us.is_multiple_of(*step)).unwrap_or(3) as u64
    }

    fn steps(self) -> [u64; 3] {
        [self.interval_us, TENTH_US.min(self.interval_us), MILLI_US.min(self.interval_us)]
    }

    /// What to try instead of a time: rounder ones first, and of those the shorter ones first.
    pub(super) fn candidates(self, time_us: u64, least_us: u64) -> Vec<u64> {
        let mut candidates = Vec::new();
        for step in self.steps() {
            let whole = time_us / step;
            let doubled = (0..u64::BITS).map(|exponent| 1_u64 << exponent).take_while(|times| *times < whole);
            let times = std::iter::once(0).chain(doubled).chain([whole.saturating_sub(1), whole, whole + 1]);
            for times in times {
                let candidate = times.saturating_mul(step).max(least_us);
                if candidate != time_us && !candidates.contains(&candidate) {
                    candidates.push(candidate);
                }
            }
        }
        candidates
    }
}

/// How far a clock runs beside true time, in parts per million.
pub(super) struct Rate;

impl Rate {
    const STEPS: [u32; 3] = [1_000, 100, 10];

    /// How odd a rate is: whole thousands, hundreds, tens, or less.
    pub(super) fn roughness(ppm: u32) -> u64 {
        Self::STEPS.iter().position(|step| ppm.is_multiple_of(*step)).unwrap_or(3) as u64
    }

    /// What to try instead of a rate: rounder ones first, and of those the slighter ones first.
    pub(super) fn candidates(ppm: u32) -> Vec<u32> {
        let mut candidates = Vec::new();
        for step in Self::STEPS {
            let whole = ppm / step;
            let doubled = (0..u32::BITS).map(|exponent| 1_u32 << exponent).take_while(|times| *times < whole);
            for candidate in doubled.chain([whole, whole + 1]).map(|times| times.saturating_mul(step)) {
                if candidate > 0 && candidate != ppm && !candidates.contains(&candidate) {
                    candidates.push(candidate);
                }
            }
        }
        candidates
    }
}

/// How far the clocks run beside true time that faults disturb, in parts per million.
pub(super) fn rates(plan: &Plan) -> impl Iterator<Item = u32> + '_ {
    plan.faults.iter().filter_map(|fault| match fault.kind {
        FaultKind::ClockRate { ppm, .. } => Some(ppm.unsigned_abs()),
        _ => None,
    })
}

/// One time of one event.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Begin(usize),
    Length(usize),
    Strength(usize),
    Task(usize),
    Fate(usize),
    Again(usize),
}

fn slots(plan: &Plan) -> Vec<Slot> {
    let faults = (0..plan.faults.len()).flat_map(|i| [Slot::Length(i), Slot::Strength(i), Slot::Begin(i)]);
    faults
        .chain((0..plan.workload.len()).map(Slot::Task))
        .chain((0..plan.fates.len()).flat_map(|i| [Slot::Fate(i), Slot::Again(i)]))
        .collect()
}

/// The time of a slot. The strengths of faults are times too, or are measured by one: `None` where there is none.
fn slot(plan: &mut Plan, slot: Slot) -> Option<&mut u64> {
    match slot {
        Slot::Begin(i) => plan.faults.get_mut(i).map(|fault| &mut fault.at_us),
        Slot::Length(i) => plan.faults.get_mut(i).map(|fault| &mut fault.for_us),
        Slot::Strength(i) => plan.faults.get_mut(i).and_then(|fault| fault.kind.span_mut()),
        Slot::Task(i) => plan.workload.get_mut(i).map(|task| &mut task.at_us),
        Slot::Again(i) => plan.fates.get_mut(i).and_then(|fate| fate.again_us.as_mut()),
        Slot::Fate(i) => plan.fates.get_mut(i).and_then(|fate| fate.delay_us.as_mut()),
    }
}

/// All times of a plan's events, in microseconds.
pub(super) fn values(plan: &Plan) -> impl Iterator<Item = u64> + '_ {
    let faults = plan.faults.iter().flat_map(|fault| [Some(fault.at_us), Some(fault.for_us), fault.kind.span()]);
    let tasks = plan.workload.iter().map(|task| Some(task.at_us));
    let fates = plan.fates.iter().flat_map(|fate| [fate.delay_us, fate.again_us]);
    faults.chain(tasks).chain(fates).flatten()
}

impl Shrinker<'_> {
    /// Each time on its own; before that, whole stretches between events.
    pub(super) fn round(&mut self) {
        self.close_gaps();
        let unit = Unit::of(&self.best);
        for place in slots(&self.best) {
            let least_us = if matches!(place, Slot::Length(_) | Slot::Strength(_)) { 1 } else { 0 };
            let Some(time_us) = slot(&mut self.best, place).map(|time| *time) else { continue };
            for candidate in unit.candidates(time_us, least_us) {
                let set = |plan: &mut Plan| {
                    if let Some(time) = slot(plan, place) {
                        *time = candidate;
                    }
                };
                if self.attempt_with(set) || self.is_spent() {
                    break;
                }
            }
        }
    }

    /// Lets each event, and all that follow it, begin sooner after the one before.
    fn close_gaps(&mut self) {
        let unit = Unit::of(&self.best);
        let mut begins = begins(&self.best);
        let mut at = 0;
        while at < begins.len() && !self.is_spent() {
            let before_us = if at == 0 { 0 } else { begins[at - 1] };
            let gap_us = begins[at] - before_us;
            for candidate in unit.candidates(gap_us, 0).into_iter().filter(|candidate| *candidate < gap_us) {
                if self.attempt_with(|plan| sooner(plan, begins[at], gap_us - candidate)) {
                    break;
                }
            }
            begins = self::begins(&self.best);
            at += 1;
        }
    }
}

/// When events begin, each time once.
fn begins(plan: &Plan) -> Vec<u64> {
    let faults = plan.faults.iter().map(|fault| fault.at_us);
    let mut begins: Vec<_> = faults.chain(plan.workload.iter().map(|task| task.at_us)).collect();
    begins.sort_unstable();
    begins.dedup();
    begins
}

fn sooner(plan: &mut Plan, from_us: u64, by_us: u64) {
    let faults = plan.faults.iter_mut().map(|fault| &mut fault.at_us);
    faults.chain(plan.workload.iter_mut().map(|task| &mut task.at_us)).filter(|at| **at >= from_us).for_each(|at| {
        *at -= by_us;
    });
}
