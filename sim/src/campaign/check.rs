//! What happens to a finding before it is reported: the other engine has to take the same steps, and each single defence
//! is tried.

use super::{ENGINES_AGREE, Finding, Outside, PropertyName, hex};
use crate::engine::Engine;
use crate::prevented::prevented_by;
use crate::run_id::RunId;
use failproof_spec::Property;
use std::sync::atomic::Ordering;

/// The findings of one run, to be checked.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) findings: Vec<Finding>,
}

/// What became of them.
#[derive(Debug)]
pub(super) struct Checked {
    /// Each by the property that it was found to break, and what it is now. All of those that the other engine does not
    /// confirm become one disagreement, in the place of the first.
    pub(super) findings: Vec<(PropertyName, RunId, Option<Finding>)>,
    /// Whether all could be kept.
    pub(super) kept: bool,
    /// Whether there was no time to check them.
    pub(super) skipped: bool,
}

impl Check {
    /// Checks and keeps the findings.
    pub(super) fn carry_out(mut self, engine: Engine, outside: &Outside<'_>) -> Checked {
        let before: Vec<_> = self.findings.iter().map(|finding| (finding.property, finding.run)).collect();
        let skipped = outside.checks && outside.stop.load(Ordering::Relaxed);
        if outside.checks && !skipped {
            self.confirm(engine, outside);
            self.findings.iter_mut().for_each(|finding| examine(finding, outside));
        }
        let (mut kept, mut disagreed) = (true, false);
        let mut findings = Vec::new();
        for ((property, run), mut finding) in before.into_iter().zip(self.findings) {
            if finding.property == ENGINES_AGREE && std::mem::replace(&mut disagreed, true) {
                findings.push((property, run, None));
                continue;
            }
            // Each of them, whatever becomes of the others.
            kept &= (outside.keep)(&mut finding);
            findings.push((property, run, Some(finding)));
        }
        Checked { findings, kept, skipped }
    }

    /// Runs the plan by the other engine. One run tells about all findings of a plan.
    fn confirm(&mut self, engine: Engine, outside: &Outside<'_>) {
        let (Some(other), Some(first)) = (engine.other(), self.findings.first()) else { return };
        let outcome = (outside.runner)(other, &first.plan, false);
        for finding in &mut self.findings {
            let (same, story) = match &outcome {
                // A trace hash covers every step, so what follows from the steps need not be compared.
                Ok((report, _)) => {
                    let hash = Some(report.trace_hash);
                    let hashes = [finding.trace_hash, hash].map(|hash| hash.map_or("a panic".to_owned(), hex));
                    (
                        finding.trace_hash == hash,
                        format!("{engine} ends with {}, {other} with {}", hashes[0], hashes[1]),
                    )
                }
                Err(panicked) => {
                    let story = format!("{other} panics, {engine} does not: {}", panicked.message);
                    (finding.trace_hash.is_none(), story)
                }
            };
            finding.confirmed = Some(same);
            if !same {
                finding.story = format!("{story}; by {engine}, {} is broken: {}", finding.property, finding.story);
                finding.property = ENGINES_AGREE;
            }
        }
    }
}

fn examine(finding: &mut Finding, outside: &Outside<'_>) {
    if Property::from_name(finding.property).is_some() {
        // Both engines find the same; the reference does so sooner.
        let run = |plan: &_| (outside.runner)(Engine::Fast, plan, false).map(|(report, _)| report);
        finding.prevented_by = Some(prevented_by(&finding.plan, finding.property, finding.at_us, &run));
    }
}
