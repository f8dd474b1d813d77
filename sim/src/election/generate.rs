//! From a seed to a plan.
use crate::fault::FaultClass;
use crate::options::Options;
use crate::plan::Plan;

/// Draws a plan for `options` from `seed`, with faults of `classes`.
#[must_use]
pub fn generate(seed: u64, options: &Options, classes: &[FaultClass]) -> Plan {
    let _ = classes;
    let mut plan = Plan::calm(options.clone());
    plan.seed = seed;
    plan.noise.seed = seed;
    plan
}
