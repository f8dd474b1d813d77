//! What must still be broken, and for which reason.

use crate::defence::Defence;
use crate::engine::Panicked;
use crate::plan::Plan;
use crate::prevented::prevented_by;
use crate::report::RunReport;
use crate::trace::Record;
use std::sync::Arc;

/// What a run breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// This property.
    Property(&'static str),
    /// It did not come back in time after its last fault.
    NotBack,
    /// A machine panicked with this message.
    Panicked(String),
}

/// What a smaller plan has to break as well.
///
/// The reason of a violation is told by the single defences that prevent it: they must prevent it still, so that a plan
/// that breaks the same property by another defect does not take its place.
#[derive(Clone, Debug)]
pub struct Goal {
    broken: Broken,
    prevented_by: Vec<&'static Defence>,
}

impl Goal {
    /// What a run of `plan` breaks: the property named, if it does; without a name that which the plan was found to break,
    /// else the first. `None` if it breaks nothing of the kind.
    #[must_use]
    pub fn find<R>(plan: &Arc<Plan>, named: Option<&str>, run: &R) -> Option<Self>
    where
        R: Fn(&Arc<Plan>, bool) -> Result<(RunReport, Vec<Record>), Panicked>,
    {
        let run = &|plan: &Arc<Plan>| run(plan, false).map(|(report, _)| report);
        let report = match run(plan) {
            Ok(report) => report,
            Err(panicked) => {
                let broken = Broken::Panicked(panicked.message);
                return named.is_none().then_some(Self { broken, prevented_by: Vec::new() });
            }
        };
        let wanted = named.or(plan.found.as_ref().map(|found| found.property.as_str()));
        let found = report.violations.iter().find(|violation| wanted.is_none_or(|name| name == violation.property));
        let found = found.or(report.violations.first().filter(|_| named.is_none()));
        match found {
            Some(violation) => {
                let prevented_by = prevented_by(plan, violation.property, violation.at_us, run);
                Some(Self { broken: Broken::Property(violation.property), prevented_by })
            }
            None if named.is_none() && report.convergence.is_some_and(|convergence| convergence.is_late()) => {
                Some(Self { broken: Broken::NotBack, prevented_by: Vec::new() })
            }
            None => None,
        }
    }

    /// A property broken, prevented by these defences.
    #[must_use]
    pub const fn new(property: &'static str, prevented_by: Vec<&'static Defence>) -> Self {
        Self { broken: Broken::Property(property), prevented_by }
    }

    /// What is broken.
    #[must_use]
    pub const fn broken(&self) -> &Broken {
        &self.broken
    }

    /// The single defences that prevent it, if it is a property.
    #[must_use]
    pub fn prevented_by(&self) -> &[&'static Defence] {
        &self.prevented_by
    }

    /// When a run with this outcome breaks it, in true microseconds.
    pub(super) fn breaks_at(&self, outcome: Result<RunReport, Panicked>) -> Option<u64> {
        match (&self.broken, outcome) {
            (Broken::Property(property), Ok(report)) => {
                report.violations.iter().find(|found| found.property == *property).map(|found| found.at_us)
            }
            (Broken::NotBack, Ok(report)) => {
                let late = report.violations.is_empty() && report.convergence.is_some_and(|back| back.is_late());
                // Only the whole run tells.
                late.then_some(u64::MAX - 1)
            }
            (Broken::Panicked(message), Err(panicked)) => (panicked.message == *message).then_some(u64::MAX - 1),
            _ => None,
        }
    }

    /// When a run of `plan` breaks it for the same reason, if it does.
    pub(super) fn is_reached(
        &self,
        plan: &Arc<Plan>,
        run: &mut dyn FnMut(&Arc<Plan>) -> Result<RunReport, Panicked>,
    ) -> Option<u64> {
        let at_us = self.breaks_at(run(plan))?;
        let until_us = at_us.saturating_add(plan.options.heartbeat_timeout().as_micros());
        let is_prevented = |defence: &&'static Defence| {
            let mut plan = Plan::clone(plan);
            plan.options = defence.added_to(plan.options);
            let time_us = plan.options.time_us().min(until_us);
            plan.options.set_time_us(time_us);
            self.breaks_at(run(&Arc::new(plan))).is_none()
        };
        self.prevented_by.iter().all(is_prevented).then_some(at_us)
    }
}
