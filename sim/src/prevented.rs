//! Which single defence would have prevented a violation.

use crate::defence::{self, Defence};
use crate::engine::Panicked;
use crate::options::Options;
use crate::plan::Plan;
use crate::report::RunReport;
use std::sync::Arc;

/// The defences whose addition to the rules of `plan`, each alone and with what it requires, keeps `property` until a
/// timeout after `at_us`, the time at which it broke: what later faults break has another cause. Those that are on
/// already are left out, so is one that adds nothing to what it requires, and one with which the run panics.
pub fn prevented_by<R>(plan: &Plan, property: &str, at_us: u64, run: &R) -> Vec<&'static Defence>
where
    R: Fn(&Arc<Plan>) -> Result<RunReport, Panicked>,
{
    let until_us = at_us.saturating_add(plan.options.heartbeat_timeout().as_micros());
    let holds_under = |options: Options| {
        let mut plan = plan.clone();
        plan.options = options;
        let time_us = plan.options.time_us().min(until_us);
        plan.options.set_time_us(time_us);
        run(&Arc::new(plan)).is_ok_and(|report| report.violations.iter().all(|found| found.property != property))
    };
    let prevents = |defence: &&Defence| {
        let on = |options: Options, switch: &str| defence::with(options, switch, true);
        if on(plan.options.clone(), &defence.switch) == plan.options {
            return false;
        }
        let required = defence.requires.iter().fold(plan.options.clone(), |options, switch| on(options, switch));
        let adds = required == plan.options || !holds_under(required);
        adds && holds_under(defence.added_to(plan.options.clone()))
    };
    defence::of(plan.options.protocol()).filter(prevents).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::election;
    use crate::report::Violation;
    use failproof_core::election::{IdentitySource, Rules};

    /// A run that breaks `P` unless each start has an identity of its own.
    fn run(plan: &Arc<Plan>) -> Result<RunReport, Panicked> {
        let violation = Violation { property: "P", at_us: 1, story: String::new() };
        let holds = plan.election().rules.fresh_incarnation == IdentitySource::Fresh;
        Ok(RunReport { violations: if holds { Vec::new() } else { vec![violation] }, ..RunReport::default() })
    }

    #[test]
    fn a_defence_is_named_if_it_keeps_the_property_and_what_it_requires_does_not() {
        let mut plan = Plan::calm(election::Options { rules: Rules::published(), ..election::Options::default() });
        let switches = |plan: &Plan| {
            prevented_by(plan, "P", 1, &run).into_iter().map(|defence| defence.switch.clone()).collect::<Vec<_>>()
        };
        assert_eq!(switches(&plan), ["fresh_incarnation"]);
        let others =
            defence::of("election").filter(|row| row.requires.iter().any(|switch| switch == "fresh_incarnation"));
        assert!(others.count() > 0, "some bring it along");
        plan.election_mut().rules = Rules::hardened();
        assert!(switches(&plan).is_empty(), "what is on already prevents nothing");
    }
}
