//! `failproof replay --save`: a plan becomes a regression, a file that says what the plan breaks under which rules.

use super::Exit;
use crate::campaign::{CampaignReport, Runner};
use crate::output::{Disk, check_new, write_new};
use crate::plan::{Found, Plan};
use crate::report::human::moment;
use crate::verdict::{VerdictError, Verdicts};
use serde::Serialize;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A plan as it was saved.
#[derive(Debug, Serialize)]
pub(super) struct Saved {
    /// Where.
    plan: PathBuf,
    /// What it breaks under its own rules, or was once found to break.
    found: Option<Found>,
    /// What it breaks under which rules.
    expected: Verdicts,
}

/// Checks, before anything is run, that a new file can be written there.
pub(super) fn check_target(target: &Path, disk: &dyn Disk) -> Result<(), String> {
    if target == Path::new("-") {
        return Err("--save: a regression is kept in a file, not on standard output; expected a name".to_owned());
    }
    check_new(disk, target).map_err(|error| format!("--save: {error}"))
}

/// Saves `plan` with what it breaks under its own rules and others. `report` is of its run under its own ones, `found` what it
/// was once found to break. If that cannot be, nothing is written, and how the command ends is told with the reason.
pub(super) fn save(
    target: &Path,
    plan: &Arc<Plan>,
    found: Option<&Found>,
    report: &CampaignReport,
    runner: &Runner<'_>,
    disk: &dyn Disk,
) -> Result<Saved, (Exit, String)> {
    let expected = Verdicts::seen(plan, runner).map_err(|error| (error.exit(), format!("--save: {error}")))?;
    let is_of_it = |property: &str| found.is_some_and(|found| found.property == property);
    let mut findings: Vec<_> = report.kept().collect();
    findings.sort_by_key(|finding| (!is_of_it(finding.property), finding.at_us, finding.property));
    let mut saved = match findings.first() {
        Some(finding) => finding.plan_found(),
        None => Plan { found: found.cloned(), ..Plan::clone(plan) },
    };
    if saved.found.is_none() {
        let problem = "--save: the plan breaks nothing under its own rules, and does not say that it ever did; expected a plan \
                       that was found to break something";
        return Err((Exit::Usage, problem.to_owned()));
    }
    saved.expected = Some(expected.clone());
    let unwritten = |problem: String| (Exit::Usage, format!("--save: {problem}"));
    let text = serde_json::to_string_pretty(&saved).map_err(|error| unwritten(error.to_string()))? + "\n";
    write_new(disk, target, &text).map_err(|error| unwritten(error.to_string()))?;
    Ok(Saved { plan: target.to_owned(), found: saved.found, expected })
}

impl VerdictError {
    /// How a command ends that needs a verdict.
    const fn exit(&self) -> Exit {
        match self {
            Self::EnginesDisagree { .. } => Exit::Panicked,
            Self::Unfit { .. } => Exit::Usage,
        }
    }
}

impl Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |label: &str, text: &dyn Display| writeln!(f, "{label:<14}{text}");
        line("saved", &self.plan.display())?;
        if let Some(found) = &self.found {
            let Found { property, at_us, trace_hash, version } = found;
            let at = moment(*at_us);
            line("  found", &format_args!("{property} at {at}, trace hash {trace_hash}, by failproof {version}"))?;
        }
        self.expected.named().into_iter().try_for_each(|(rules, verdict)| line(&format!("  {rules}"), verdict))
    }
}
