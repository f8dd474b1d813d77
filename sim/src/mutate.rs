//! From plans that reached something new to a plan that tries what lies beside it.
//!
//! A child is short: only what happened around one moment of its parent is kept, moved to the beginning of a run of its
//! own, and changed a little. So a child costs a small part of what a seed costs.

use crate::chance::Stream;
use crate::fault::{Fault, FaultClass, FaultKind, Place};
use crate::generate::Draw;
use crate::options::{Options, ProtocolOptions};
use crate::plan::{Plan, Task};
use crate::protocol::Protocol;
use crate::protocols;

/// A moment of a plan: what a child is made from.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// When, in true microseconds.
    pub at_us: u64,
}

/// How many faults a child has at most, and how many of them it inherits from each parent.
const FAULTS_MAX: usize = 10;
const SCENE_MAX: usize = 5;
/// How many tasks operators have at most.
const TASKS_MAX: usize = 3;

/// Draws a child of `parent` for `options`, with faults of `classes` only; `mate` may lend it some of its own.
///
/// Shape: at most ten faults, and a length that suffices to see what they break, but never more than that of `options`.
#[must_use]
pub fn mutate(parent: Moment<'_>, mate: Moment<'_>, options: &Options, classes: &[FaultClass], stream: Stream) -> Plan {
    protocols::of(options).mutate([parent, mate], options, classes, stream)
}

pub(crate) fn mutate_for<P: Protocol>(
    [parent, mate]: [Moment<'_>; 2],
    options: &P::Options,
    classes: &[FaultClass],
    stream: Stream,
) -> Plan {
    let plan = parent.plan.clone();
    let mut child = Child { draw: Draw::<P>::new(stream, options.clone()), classes, plan };
    // Other sizes, other clocks.
    if child.draw.stream.below(4) == 0 {
        if !classes.is_empty() {
            P::knobs(&mut child.draw, classes);
        }
        child.plan.options = child.draw.options.clone().into();
    }
    child.draw.options = P::options(&child.plan).clone();
    let scene = child.scene(parent);
    child.plan.faults = scene.faults;
    child.plan.workload = scene.workload;
    for _ in 0..child.draw.stream.below(3) {
        child.change(mate);
    }
    let kinds = child.draw.kinds(classes);
    for _ in 0..=child.draw.stream.below(3) {
        child.add(&kinds);
    }
    child.finish(options.time_us())
}

/// What happens around a moment.
struct Scene {
    faults: Vec<Fault>,
    workload: Vec<Task>,
}

struct Child<'a, P: Protocol> {
    draw: Draw<P>,
    classes: &'a [FaultClass],
    plan: Plan,
}

impl<P: Protocol> Child<'_, P> {
    fn lead_us(&self) -> u64 {
        P::lead_us(&self.draw.options)
    }

    /// What is under way around a moment, moved so that it begins when the run has begun.
    fn scene(&self, moment: Moment<'_>) -> Scene {
        let (interval_us, timeout_us) = (self.draw.interval_us(), self.draw.timeout_us());
        let from_us = moment.at_us.saturating_sub(2 * timeout_us);
        let to_us = moment.at_us + interval_us;
        let mut scene = Scene {
            faults: moment.plan.faults.iter().filter(|f| f.at_us <= to_us && f.end_us() >= from_us).cloned().collect(),
            workload: moment.plan.workload.iter().filter(|t| (from_us..=to_us).contains(&t.at_us)).copied().collect(),
        };
        let begins = scene.faults.iter().map(|f| f.at_us).chain(scene.workload.iter().map(|t| t.at_us));
        let begin_us = begins.min().unwrap_or(from_us).max(from_us.saturating_sub(timeout_us));
        let lead_us = self.lead_us();
        let moved = |at_us: u64| (at_us + lead_us).saturating_sub(begin_us);
        for fault in &mut scene.faults {
            let end_us = moved(fault.end_us());
            fault.at_us = moved(fault.at_us).max(lead_us);
            fault.for_us = end_us.saturating_sub(fault.at_us).max(1);
        }
        scene.workload.iter_mut().for_each(|task| task.at_us = moved(task.at_us).max(lead_us));
        scene.faults.truncate(SCENE_MAX);
        // A mate may have other sizes.
        scene.workload.retain(|task| P::check_task(&self.draw.options, task).is_ok());
        scene
    }

    fn change(&mut self, mate: Moment<'_>) {
        let count = self.plan.faults.len() as u64;
        let which = self.draw.stream.below(count) as usize;
        match self.draw.stream.below(10) {
            0..=2 if count > 0 => self.plan.faults[which].for_us = self.draw.span_us(),
            3 | 4 if count > 0 => self.plan.faults[which].at_us = self.near(),
            5 if count > 0 => {
                let victim = self.draw.node();
                self.plan.faults[which].kind = self.kind(victim);
            }
            6 if count > 1 => drop(self.plan.faults.remove(which)),
            7 => self.operate(),
            8 => {
                let seed = self.draw.stream.word();
                self.plan.noise = self.draw.noise(seed, self.classes);
            }
            _ => {
                let mut scene = self.scene(mate);
                self.plan.faults.append(&mut scene.faults);
                self.plan.workload.append(&mut scene.workload);
            }
        }
    }

    /// A time around a fault of the plan: its begin, its end, or a limit later.
    fn near(&mut self) -> u64 {
        let which = self.draw.stream.below(self.plan.faults.len() as u64) as usize;
        let (begin_us, end_us) =
            self.plan.faults.get(which).map_or((self.lead_us(), self.lead_us()), |f| (f.at_us, f.end_us()));
        let later_us = self.draw.span_us();
        match self.draw.stream.below(3) {
            0 => begin_us,
            1 => end_us,
            _ => begin_us + later_us,
        }
    }

    fn kind(&mut self, victim: Place) -> FaultKind {
        let kinds = Draw::<P>::kinds_of(self.classes);
        let name = self.draw.stream.pick(&kinds);
        self.draw.fault(name, victim)
    }

    /// A burst of faults on one victim.
    fn add(&mut self, kinds: &[&'static str]) {
        let at_us = self.near();
        self.draw.burst(&mut self.plan, kinds, at_us);
    }

    fn operate(&mut self) {
        let at_us = self.near();
        self.plan.workload = vec![P::task(&mut self.draw, at_us)];
    }

    /// Numbers the faults by their begin, and lets the run go on until what they break must have shown; one child in four
    /// for as long as it may take to come back.
    fn finish(mut self, longest_us: u64) -> Plan {
        let (interval_us, timeout_us) = (self.draw.interval_us(), self.draw.timeout_us());
        let latest_us = self.lead_us() + 4 * timeout_us;
        let patience_us = if self.draw.stream.below(4) == 0 { 4 * timeout_us } else { timeout_us + 2 * interval_us };
        let plan = &mut self.plan;
        plan.found = None;
        plan.faults.truncate(FAULTS_MAX);
        plan.faults.iter_mut().for_each(|fault| fault.at_us = fault.at_us.min(latest_us));
        plan.faults.sort_by_key(|fault| fault.at_us);
        plan.faults.iter_mut().zip(0..).for_each(|(fault, id)| fault.id = id);
        plan.workload.iter_mut().for_each(|task| task.at_us = task.at_us.min(latest_us));
        plan.workload.sort_by_key(|task| task.at_us);
        plan.workload.truncate(TASKS_MAX);
        let shown_us = plan.quiet_us() + P::bound_us(plan).min(patience_us);
        plan.options.set_time_us(shown_us.min(longest_us));
        self.plan
    }
}
