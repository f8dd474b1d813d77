//! What happens to a finding before it is reported: the other engine has to take the same steps, and each single defence
//! is tried.

use super::{ENGINES_AGREE, Finding, Outside, hex};
use crate::engine::Engine;
use crate::prevented::prevented_by;
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
    /// Each with the property that it was found to break before. All of those that the other engine does not confirm are
    /// one disagreement.
    pub(super) findings: Vec<(&'static str, Finding)>,
    /// Whether all could be kept.
    pub(super) kept: bool,
}

impl Check {
    /// Checks and keeps the findings.
    pub(super) fn carry_out(mut self, engine: Engine, outside: &Outside<'_>) -> Checked {
        let before: Vec<_> = self.findings.iter().map(|finding| finding.property).collect();
        if outside.checks && !outside.stop.load(Ordering::Relaxed) {
            self.confirm(engine, outside);
            self.findings.iter_mut().for_each(|finding| examine(finding, outside));
        }
        let disagreed = |finding: &Finding| finding.property == ENGINES_AGREE;
        let mut kept = true;
        for i in 0..self.findings.len() {
            // Each of them, whatever becomes of the others.
            if i == 0 || !disagreed(&self.findings[i]) {
                kept &= (outside.keep)(&mut self.findings[i]);
            }
        }
        Checked { findings: before.into_iter().zip(self.findings).collect(), kept }
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
