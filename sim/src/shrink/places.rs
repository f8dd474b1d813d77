//! Places: as few as the failure needs.

use super::Shrinker;
use crate::fault::Place;
use crate::options::{Options, to_value};
use crate::plan::Plan;
use crate::protocols;
use std::collections::BTreeSet;

/// How many of the smallest numbers are tried one by one before the number is halved.
const TRIED: u64 = 6;

impl Shrinker<'_> {
    /// Fewer of everything that there is a number of: those that no event names go, the others move up.
    pub(super) fn drop_places(&mut self) {
        if let Some(options) = self.best.options.plain() {
            self.attempt_with(|plan| plan.options = options);
        }
        for (_, word) in self.best.options.sizes() {
            self.drop_places_called(word);
        }
    }

    fn drop_places_called(&mut self, word: &'static str) {
        let named = named(&self.best, word);
        let least = (named.len() as u64).max(1);
        // Who comes first is often the one that matters, named or not.
        for number in least..number_of(&self.best.options, word).min(least + TRIED) {
            if self.attempt_with(|plan| keep(plan, word, &named, number)) {
                break;
            }
        }
        let mut step = number_of(&self.best.options, word) / 2;
        while step > 0 && !self.is_spent() {
            let number = number_of(&self.best.options, word);
            let fewer = number.saturating_sub(step).max(1);
            if fewer == number || !self.attempt_with(|plan| set_number(plan, word, fewer)) {
                step /= 2;
            }
        }
        // One out of the middle.
        let mut index = number_of(&self.best.options, word);
        while index > 0 && number_of(&self.best.options, word) > 1 && !self.is_spent() {
            index -= 1;
            self.attempt_with(|plan| leave_out(plan, word, index));
        }
    }
}

fn number_of(options: &Options, word: &str) -> u64 {
    options.sizes().iter().find(|(_, known)| *known == word).map_or(0, |(number, _)| *number)
}

fn set_number(plan: &mut Plan, word: &str, number: u64) {
    plan.options.set_size(&format!("{word}s"), u32::try_from(number).unwrap_or(u32::MAX));
}

/// The numbers of the places of this kind that events name.
fn named(plan: &Plan, word: &str) -> BTreeSet<u64> {
    let mut named = BTreeSet::new();
    let mut plan = plan.clone();
    each_place(&mut plan, &mut |place| {
        if place.kind() == word {
            named.extend(place.number().map(u64::from));
        }
    });
    named
}

/// Keeps `number` places of this kind: the named ones move up to the first numbers, in their order.
fn keep(plan: &mut Plan, word: &str, named: &BTreeSet<u64>, number: u64) {
    each_place(plan, &mut |place| {
        if place.kind() == word
            && let Some(old) = place.number()
        {
            let new = named.iter().take_while(|other| **other < u64::from(old)).count();
            *place = place.with_number(new as u16);
        }
    });
    set_number(plan, word, number);
}

/// Leaves one place out that only sides of partitions may name; those behind it move up.
fn leave_out(plan: &mut Plan, word: &str, index: u64) {
    for fault in &mut plan.faults {
        fault.kind.leave_side(|place| place.kind() == word && place.number().map(u64::from) == Some(index));
    }
    if named(plan, word).contains(&index) {
        return;
    }
    each_place(plan, &mut |place| {
        if place.kind() == word
            && let Some(old) = place.number().filter(|old| u64::from(*old) > index)
        {
            *place = place.with_number(old - 1);
        }
    });
    set_number(plan, word, number_of(&plan.options, word) - 1);
}

/// Every place that an event of the plan names.
fn each_place(plan: &mut Plan, change: &mut dyn FnMut(&mut Place)) {
    plan.faults.iter_mut().flat_map(|fault| fault.kind.places_mut()).for_each(&mut *change);
    plan.workload.iter_mut().for_each(|task| change(&mut task.node));
    for fate in &mut plan.fates {
        change(&mut fate.from);
        change(&mut fate.to);
    }
    let clocks = plan.options.clocks().to_vec();
    if clocks.is_empty() {
        return;
    }
    let mut moved = clocks.clone();
    moved.iter_mut().for_each(|clock| change(&mut clock.node));
    if moved != clocks {
        let mut options = to_value(&plan.options);
        options["clocks"] = to_value(&moved);
        if let Ok(options) = protocols::of(&plan.options).options(options) {
            plan.options = options;
        }
    }
}
