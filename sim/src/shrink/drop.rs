//! Events: none that the failure does not need.

use super::Shrinker;
use crate::options::to_value;
use crate::plan::Plan;
use crate::protocols;
use std::ops::Range;

impl Shrinker<'_> {
    /// Leaves events out: many at once while that goes well, in the end each alone, until each is needed.
    pub(super) fn drop_events(&mut self) {
        self.attempt_with(forget_the_future);
        let mut chunk = events(&self.best);
        while chunk > 0 && !self.is_spent() {
            let mut dropped = false;
            // From behind: what comes late depends on what came before, not the other way round.
            let mut end = events(&self.best);
            while end > 0 && !self.is_spent() {
                let start = end.saturating_sub(chunk);
                dropped |= self.attempt_with(|plan| remove(plan, start..end));
                end = start.min(events(&self.best));
            }
            if chunk > 1 || !dropped {
                chunk /= 2;
            }
            if dropped {
                self.cut_after();
            }
        }
    }
}

fn events(plan: &Plan) -> usize {
    plan.options.clocks().len() + plan.faults.len() + plan.workload.len() + plan.fates.len()
}

/// What begins after the run has ended.
fn forget_the_future(plan: &mut Plan) {
    let end_us = plan.options.time_us();
    plan.faults.retain(|fault| fault.at_us < end_us);
    plan.workload.retain(|task| task.at_us < end_us);
}

/// Removes the events with these numbers: clocks first, then faults, tasks and fates.
fn remove(plan: &mut Plan, which: Range<usize>) {
    let clocks = part(&which, 0, plan.options.clocks().len());
    let faults = part(&which, plan.options.clocks().len(), plan.faults.len());
    let tasks = part(&which, plan.options.clocks().len() + plan.faults.len(), plan.workload.len());
    let before = plan.options.clocks().len() + plan.faults.len() + plan.workload.len();
    let fates = part(&which, before, plan.fates.len());
    if !clocks.is_empty() {
        remove_clocks(plan, clocks);
    }
    plan.faults.drain(faults);
    plan.workload.drain(tasks);
    plan.fates.drain(fates);
}

/// What of `which` lies in a list of `length` whose first event has the number `from`, as places in this list.
fn part(which: &Range<usize>, from: usize, length: usize) -> Range<usize> {
    let place = |number: usize| number.saturating_sub(from).min(length);
    place(which.start)..place(which.end)
}

fn remove_clocks(plan: &mut Plan, which: Range<usize>) {
    let mut options = to_value(&plan.options);
    if let Some(clocks) = options.get_mut("clocks").and_then(serde_json::Value::as_array_mut) {
        clocks.drain(which);
    }
    if let Ok(options) = protocols::of(&plan.options).options(options) {
        plan.options = options;
    }
}
