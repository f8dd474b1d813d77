//! How large a plan is, as reports tell it.

use super::human::{count, plural, span};
use crate::plan::Plan;
use crate::shrink::Size;
use serde::Serialize;
use std::collections::BTreeMap;

/// How large a plan is, in words: `4 faults, 2 nodes, 23.000 s, no noise`.
#[must_use]
pub fn measures(plan: &Plan) -> String {
    let mut words = vec![plural(plan.faults.len() as u64, "fault")];
    words.extend((!plan.workload.is_empty()).then(|| plural(plan.workload.len() as u64, "task")));
    words.extend((!plan.fates.is_empty()).then(|| plural(plan.fates.len() as u64, "message fate")));
    words.extend(plan.options.sizes().iter().map(|(number, word)| plural(*number, word)));
    words.push(span(plan.options.time_us()));
    words.push(match Size::of(plan).noise {
        0 => "no noise".to_owned(),
        sources => {
            format!("{} of noise", count(u64::from(sources)) + if sources == 1 { " source" } else { " sources" })
        }
    });
    words.join(", ")
}

/// The same for machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SizeJson {
    faults: usize,
    tasks: usize,
    fates: usize,
    random_sources: u32,
    /// How many there are of everything that there is a number of.
    sizes: BTreeMap<String, u64>,
    time_us: u64,
}

impl SizeJson {
    /// The size of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            faults: plan.faults.len(),
            tasks: plan.workload.len(),
            fates: plan.fates.len(),
            random_sources: Size::of(plan).noise,
            sizes: plan.options.sizes().iter().map(|(number, word)| (format!("{word}s"), *number)).collect(),
            time_us: plan.options.time_us(),
        }
    }
}
