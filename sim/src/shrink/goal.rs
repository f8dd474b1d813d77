//! What must still be broken, and for which reason.

use crate::campaign::{CampaignReport, Finding, NEVER_PANICS, PropertyName};
use crate::defence::Defence;
use crate::engine::Panicked;
use crate::plan::Plan;
use crate::prevented::prevented_by;
use crate::protocols::{is_convergence, words};
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
    ///
    /// A name is that of a property of the contract, or of what a report calls a run that did not come back or panicked.
    #[must_use]
    pub fn find<R>(plan: &Arc<Plan>, named: Option<&str>, run: &R) -> Option<Self>
    where
        R: Fn(&Arc<Plan>, bool) -> Result<(RunReport, Vec<Record>), Panicked>,
    {
        let run = &|plan: &Arc<Plan>| run(plan, false).map(|(report, _)| report);
        let outcome = run(plan);
        let mut report = CampaignReport::default();
        report.add_only(plan, &outcome);
        let called = |name: &str| report.kept().find(|finding| finding.property == name);
        if let Some(name) = named {
            return called(name).map(|finding| Self::of(finding, run));
        }
        let first = outcome.ok().and_then(|report| report.violations.first().map(|violation| violation.property));
        let wanted = plan.found.as_ref().and_then(|found| called(&found.property));
        let chosen = wanted.or_else(|| first.and_then(called)).or_else(|| report.kept().next());
        chosen.map(|finding| Self::of(finding, run))
    }

    /// What a finding broke, and why: as it was examined, or else as `run` shows.
    #[must_use]
    pub fn of<R>(finding: &Finding, run: &R) -> Self
    where
        R: Fn(&Arc<Plan>) -> Result<RunReport, Panicked>,
    {
        let Finding { plan, property, at_us, prevented_by: examined, .. } = finding;
        let broken = match *property {
            NEVER_PANICS => Broken::Panicked(finding.story.clone()),
            name if is_convergence(name) => Broken::NotBack,
            name => {
                let prevented_by = examined.clone().unwrap_or_else(|| prevented_by(plan, name, *at_us, run));
                return Self::new(name, prevented_by);
            }
        };
        Self { broken, prevented_by: Vec::new() }
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

    /// What a report of a run of `plan` calls it.
    #[must_use]
    pub fn property(&self, plan: &Plan) -> PropertyName {
        match &self.broken {
            Broken::Property(property) => property,
            Broken::NotBack => words(&plan.options).comes_back,
            Broken::Panicked(_) => NEVER_PANICS,
        }
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
                let late = report.convergence.is_some_and(|back| back.is_late());
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
