//! From plans that reached something new to a plan that tries what lies beside it.
//!
//! A child is short: only what happened around one moment of its parent is kept, moved to the beginning of a run of its
//! own, and changed a little. So a child costs a small part of what a seed costs.

use super::generate::Draw;
use super::liveness::bound_us;
use crate::chance::Stream;
use crate::fault::{Fault, FaultClass, Place};
use crate::options::Options;
use crate::plan::{Plan, Task, TaskKind};

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
/// How often somebody is asked to hand over at most.
const TASKS_MAX: usize = 3;

/// Draws a child of `parent` for `options`, with faults of `classes` only; `mate` may lend it some of its own.
///
/// Shape: at most ten faults, and a length that suffices to see what they break, but never more than that of `options`.
#[must_use]
pub fn mutate(parent: Moment<'_>, mate: Moment<'_>, options: &Options, classes: &[FaultClass], stream: Stream) -> Plan {
    let plan = parent.plan.clone();
    let mut child = Child { draw: Draw { stream, options: options.clone() }, classes, plan };
    // Another number of kinds, other clocks.
    if child.draw.stream.below(4) == 0 {
        child.plan.options = child.draw.knobs(classes);
    }
    child.draw.options = child.plan.options.clone();
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
    child.finish(options)
}

/// What happens around a moment.
struct Scene {
    faults: Vec<Fault>,
    workload: Vec<Task>,
}

struct Child<'a> {
    draw: Draw,
    classes: &'a [FaultClass],
    plan: Plan,
}

impl Child<'_> {
    /// Before the first fault somebody has to be elected.
    fn lead_us(&self) -> u64 {
        3 * self.draw.interval_us()
    }

    /// What is under way around a moment, moved so that it begins when somebody has been elected.
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
        // A mate may elect kinds of leader that this plan does not.
        scene.workload.retain(|task| task.utype < self.plan.options.utypes);
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
            7 => self.hand_over(),
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

    fn kind(&mut self, victim: Place) -> crate::fault::FaultKind {
        let kinds: Vec<_> = Draw::kinds_of(self.classes);
        let name = self.draw.stream.pick(&kinds);
        self.draw.fault(name, victim)
    }

    /// A burst of faults on one victim.
    fn add(&mut self, kinds: &[&'static str]) {
        let at_us = self.near();
        self.draw.burst(&mut self.plan, kinds, at_us);
    }

    fn hand_over(&mut self) {
        let at_us = self.near();
        let utype = self.draw.stream.below(u64::from(self.plan.options.utypes)) as u8;
        self.plan.workload = vec![Task { at_us, node: Place::Primary, utype, what: TaskKind::Resign }];
    }

    /// Numbers the faults by their begin, and lets the run go on until what they break must have shown; one child in four
    /// for as long as it may take to come back.
    fn finish(mut self, options: &Options) -> Plan {
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
        plan.options.time_us = (plan.quiet_us() + bound_us(plan).min(patience_us)).min(options.time_us);
        self.plan
    }
}
