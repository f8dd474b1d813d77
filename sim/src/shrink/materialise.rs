//! Chance: what it did to single messages, written down, so that it is needed no longer.

use super::Shrinker;
use crate::fault::{FaultKind, Place};
use crate::plan::{Fate, Noise, Plan};
use crate::trace::{Record, Sent};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Of more messages it is left to chance what becomes of them: nobody could read that.
const FATES_MAX: usize = 1_000;
/// With more events than this in the place of chance, chance is the simpler story.
const ADDED_MAX: usize = 10;

/// How many runs may be spent on finding the messages that matter.
const RUNS_MAX: u64 = 2_000;

impl Shrinker<'_> {
    /// Puts the fates of single messages in the place of what draws them: noise, and faults that hit messages at random.
    /// How late timers are cannot be said so: it becomes nothing, or stays beside losses and copies alone.
    pub(super) fn materialise(&mut self) {
        if self.size.noise == 0 {
            return;
        }
        let best = Arc::new(self.best.clone());
        let (outcome, records) = (self.run)(&best, true)
            .map_or_else(|panicked| (Err(panicked), Vec::new()), |(report, records)| (Ok(report), records));
        self.spent.add(&outcome);
        if outcome.is_err() {
            return;
        }
        for (latency_us, timer_late_us_max) in calm_times(&best.noise) {
            let fates = fates(&records, latency_us);
            if fates.len() > FATES_MAX {
                continue;
            }
            let change = |plan: &mut Plan| {
                let silent = Noise { loss_ppm: 0, duplicate_ppm: 0, timer_late_us_max, ..plan.noise };
                plan.noise = Noise { latency_us_min: latency_us, latency_us_max: latency_us, ..silent };
                plan.faults.retain(|fault| !is_drawn(&fault.kind) && !matches!(fault.kind, FaultKind::Delay { .. }));
                plan.fates = fates;
            };
            if self.replace_chance(change) {
                return;
            }
        }
    }

    /// Whether a plan without chance reads as easily. If none does, the best one stays what it was.
    fn replace_chance(&mut self, change: impl FnOnce(&mut Plan)) -> bool {
        let before = (self.best.clone(), self.size);
        if !self.attempt_with(change) {
            return false;
        }
        self.until_run = Some(self.spent.runs + RUNS_MAX);
        self.thin_fates();
        self.drop_events();
        self.until_run = None;
        let reads_well = self.size.events <= before.1.events + ADDED_MAX;
        if !reads_well {
            (self.best, self.size) = before;
        }
        reads_well
    }

    /// Fewer fates, until none can be spared.
    fn thin_fates(&mut self) {
        loop {
            let before = self.best.fates.len();
            let mut stretch = before;
            while stretch > 0 && !self.is_spent() {
                self.thin_stretches(stretch);
                stretch /= 2;
            }
            if self.best.fates.len() == before || self.is_spent() {
                return;
            }
        }
    }

    /// Leaves out as many fates in a row at a time, as they were sent. What a failure needs of noise is often no more than
    /// when somebody acts, which many small delays bring about together: so what cannot be left out becomes one delay
    /// between each two places, or on each link, or that without whole intervals, as who acts each interval acts then anyway.
    fn thin_stretches(&mut self, stretch: usize) {
        let interval_us = self.best.options.heartbeat_interval().as_micros().max(1);
        let mut start = 0;
        while start < self.best.fates.len() && !self.is_spent() {
            let before = self.best.fates.len();
            let end = (start + stretch).min(before);
            let _smaller = self.attempt_with(|plan| drop(plan.fates.drain(start..end)))
                || self.attempt_with(|plan| merge(&mut plan.fates, start..end, are_between_the_same, u64::MAX))
                || self.attempt_with(|plan| merge(&mut plan.fates, start..end, are_on_one_link, u64::MAX))
                || self.attempt_with(|plan| merge(&mut plan.fates, start..end, are_on_one_link, interval_us));
            start = end - (before - self.best.fates.len());
        }
    }
}

/// What latency all messages may have instead, and how late timers may be then: what is simplest first.
fn calm_times(noise: &Noise) -> Vec<(u64, u64)> {
    let Noise { latency_us_min, latency_us_max, timer_late_us_max, .. } = *noise;
    if latency_us_min < latency_us_max {
        // Every message has to be spoken of, and late timers would move them all the same.
        return vec![(1, 0), (latency_us_min, 0)];
    }
    // A message that takes as long as all others needs no fate.
    let mut times = vec![(latency_us_min, 0), (latency_us_min, timer_late_us_max)];
    times.dedup();
    times
}

/// One delay for all in this range that belong `together`, in the place of the first of them; of a delay of `below_us` or
/// more only what is left when that is taken off as often as it goes.
fn merge(fates: &mut Vec<Fate>, which: Range<usize>, together: fn(&Fate, &Fate) -> bool, below_us: u64) {
    let mut merged: Vec<Fate> = Vec::new();
    for fate in fates.drain(which.clone()) {
        let first = merged.iter_mut().find(|first| together(first, &fate));
        match first.and_then(|first| first.delay_us.as_mut()).zip(fate.delay_us) {
            Some((sum, delay_us)) => *sum = (*sum + delay_us) % below_us,
            None => merged.push(fate),
        }
    }
    fates.splice(which.start..which.start, merged);
}

fn are_on_one_link(one: &Fate, other: &Fate) -> bool {
    (one.from, one.to) == (other.from, other.to)
}

fn are_between_the_same(one: &Fate, other: &Fate) -> bool {
    are_on_one_link(one, other) || (one.from, one.to) == (other.to, other.from)
}

/// How many faults of a plan hit messages at random.
pub(super) fn drawn(plan: &Plan) -> u32 {
    plan.faults.iter().map(|fault| u32::from(is_drawn(&fault.kind))).sum()
}

const fn is_drawn(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::Lossy { .. } | FaultKind::Duplicate { .. } | FaultKind::Reorder { .. })
}

/// What must be said of all messages so that they fare alike, if the others take `latency_us`.
fn fates(records: &[Record], latency_us: u64) -> Vec<Fate> {
    let named = |record: &Record| Some((record.actor?, record.node.parse().ok()?));
    let places: BTreeMap<u16, Place> = records.iter().filter_map(named).collect();
    let sent = |record: &Record| {
        let from = named(record).map(|(_, place)| place);
        let fate = |sent: &Sent| fate(record.true_us + latency_us, from?, *places.get(&sent.target)?, sent);
        record.sent.iter().filter_map(fate).collect::<Vec<_>>()
    };
    records.iter().flat_map(sent).collect()
}

/// What must be said of a message that would arrive at `usual_us`. Those that a partition stops are stopped by it again.
fn fate(usual_us: u64, from: Place, to: Place, sent: &Sent) -> Option<Fate> {
    let which = sent.number / 2;
    let arrives_us = match sent.arrives_us {
        Some(arrives_us) => arrives_us,
        None if sent.cut => return None,
        None => return Some(Fate { from, to, which, delay_us: None, again_us: None }),
    };
    let late_us = arrives_us.saturating_sub(usual_us);
    let again_us = sent.again_us.map(|second_us| second_us.saturating_sub(arrives_us));
    (late_us > 0 || again_us.is_some()).then_some(Fate { from, to, which, delay_us: Some(late_us), again_us })
}
