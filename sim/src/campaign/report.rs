//! What a campaign has to tell: sums, least and largest values, a histogram of fixed size, and the findings of the first
//! runs. So it is the same for any number of threads, two parts make a whole, and its memory does not grow.

use super::findings::{Finding, Findings};
use super::histogram::Histogram;
use super::{ENGINES_AGREE, NEVER_PANICS};
use crate::engine::Panicked;
use crate::plan::Plan;
use crate::protocol::Words;
use crate::protocols::{self, words};
use crate::report::{Convergence, Exposure, RunReport};
use crate::run_id::RunId;
use failproof_spec::{CampaignHash, ContractName, Coverage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a campaign ended. Of several reasons the later one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All runs are over.
    #[default]
    Complete,
    /// Something was found, and no more was asked for.
    Found,
    /// Its time was up.
    TimeUp,
    /// A part is missing.
    Incomplete,
    /// A finding could not be written.
    Unwritable,
    /// Somebody stopped it.
    Interrupted,
}

/// How close the runs came to the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margins {
    /// The least time between the end of a primary's term and the next grant, in true microseconds.
    pub smallest_us: Option<u64>,
    /// In how many runs it was at most a tenth of T.
    pub near: u64,
}

/// How the runs came back after their last faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returns {
    /// After what time, in true microseconds, in the runs that came back.
    pub after: Histogram,
    /// The largest share of the bound that a run used, as (time, bound).
    pub worst: Option<(u64, u64)>,
    /// How many runs ended before their bound did, and so tell nothing.
    pub untold: u64,
}

/// What a campaign has to tell.
///
/// What is broken, reached or injected is told of all runs. How the protocol does (time trusted, time without a primary,
/// false step-downs, time to come back) is told of seeds only: they are drawn, children are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignReport {
    /// How many runs ended, those that panicked included.
    pub runs: u64,
    /// How many of them were seeds; the others are children.
    pub seeds: u64,
    /// How many seeds were asked for.
    pub asked: u64,
    /// How long all runs were, in true microseconds.
    pub simulated_us: u64,
    /// How many steps were taken.
    pub events: u64,
    /// Over all runs that did not panic.
    #[serde(with = "super::saved::campaign_hash")]
    pub hash: CampaignHash,
    /// What was broken, by property.
    #[serde(deserialize_with = "super::saved::by_property")]
    pub violations: BTreeMap<&'static str, Findings>,
    /// Runs that did not come back within their bound.
    pub not_converged: Findings,
    /// Runs that panicked.
    pub panics: Findings,
    /// Runs about which the engines disagree.
    pub disagreements: Findings,
    /// Overlaps outside the assumptions.
    pub exposure: Exposure,
    /// How often each kind of fault began; zero for kinds that were asked for and never drawn.
    pub faults: BTreeMap<String, u64>,
    /// What else a protocol counts, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
    /// Which actions and edges of the contract were taken.
    pub coverage: Option<Coverage>,
    /// How close the runs came.
    pub margins: Margins,
    /// Time worked by trusted primaries, in true microseconds.
    pub trusted_us: u64,
    /// Time worked by primaries outside the assumptions.
    pub doubted_us: u64,
    /// Time in which nobody worked.
    pub without_primary_us: u64,
    /// Time in which somebody could have.
    pub led_us: u64,
    /// How often a primary stopped although no fault was near.
    pub false_step_downs: u64,
    /// How the runs came back.
    pub returns: Returns,
    /// Why it ended.
    pub ending: Ending,
}

impl CampaignReport {
    /// Adds a run of `plan`.
    pub fn add(&mut self, plan: &Arc<Plan>, outcome: &Result<RunReport, Panicked>) {
        self.add_run(plan, outcome, plan.child.is_none());
    }

    /// Adds the only run that there is: how it did is told, whether its plan was drawn or chosen.
    pub fn add_only(&mut self, plan: &Arc<Plan>, outcome: &Result<RunReport, Panicked>) {
        self.add_run(plan, outcome, true);
    }

    fn add_run(&mut self, plan: &Arc<Plan>, outcome: &Result<RunReport, Panicked>, measured: bool) {
        self.runs += 1;
        self.seeds += u64::from(measured);
        match outcome {
            Ok(report) => self.add_report(plan, report, measured),
            Err(panicked) => self.panics.add(plan, NEVER_PANICS, None, || (0, panicked.message.clone())),
        }
    }

    fn add_report(&mut self, plan: &Arc<Plan>, report: &RunReport, measured: bool) {
        let hash = Some(report.trace_hash);
        self.simulated_us += report.simulated_us;
        self.events += report.events;
        match plan.run_id() {
            RunId::Seed(seed) => self.hash.add(&[seed], report.trace_hash),
            RunId::Child(child) => self.hash.add(&[child.block, u64::from(child.k)], report.trace_hash),
        }
        for violation in &report.violations {
            let findings = self.violations.entry(violation.property).or_default();
            findings.add(plan, violation.property, hash, || (violation.at_us, violation.story.clone()));
        }
        self.exposure.count += report.exposure.count;
        self.exposure.longest_us = self.exposure.longest_us.max(report.exposure.longest_us);
        add_counts(&mut self.faults, &report.faults);
        add_counts(&mut self.counters, &report.counters);
        add_coverage(&mut self.coverage, report.coverage.as_ref());
        self.margins.add(Margins {
            smallest_us: report.margin_smallest_us,
            near: u64::from(
                report
                    .margin_smallest_us
                    .is_some_and(|margin_us| margin_us <= plan.options.heartbeat_timeout().as_micros() / 10),
            ),
        });
        if let Some(convergence) = report.convergence {
            self.add_convergence(plan, convergence, hash, measured);
        }
        if measured {
            self.trusted_us += report.trusted_us;
            self.doubted_us += report.doubted_us;
            self.without_primary_us += report.without_primary_us;
            self.led_us += report.led_us;
            self.false_step_downs += report.false_step_downs;
        }
    }

    fn add_convergence(&mut self, plan: &Arc<Plan>, convergence: Convergence, hash: Option<u128>, measured: bool) {
        let Convergence { after_us, bound_us, told } = convergence;
        if let Some(after_us) = after_us.filter(|_| measured) {
            self.returns.after.add(after_us);
            self.returns.worse((after_us, bound_us));
        }
        if convergence.is_late() {
            let words = words(&plan.options);
            self.not_converged.add(plan, words.comes_back, hash, || {
                let bound = bound_us as f64 / 1e6;
                let story = match after_us {
                    Some(after_us) => {
                        format!("{} {:.3} s after the last fault", words.came_back, after_us as f64 / 1e6)
                    }
                    None => words.stayed_away.to_owned(),
                };
                (plan.quiet_us() + bound_us, format!("{story}; expected {} within {bound:.3} s", words.expected))
            });
        } else if measured && !told && after_us.is_none() {
            self.returns.untold += 1;
        }
    }

    /// Adds what other runs had to tell.
    ///
    /// What was asked for, and why it ended, is for the caller to say.
    pub fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.seeds += other.seeds;
        self.simulated_us += other.simulated_us;
        self.events += other.events;
        self.hash.merge(other.hash);
        for (property, findings) in other.violations {
            self.violations.entry(property).or_default().merge(findings);
        }
        self.not_converged.merge(other.not_converged);
        self.panics.merge(other.panics);
        self.disagreements.merge(other.disagreements);
        self.exposure.count += other.exposure.count;
        self.exposure.longest_us = self.exposure.longest_us.max(other.exposure.longest_us);
        add_counts(&mut self.faults, &other.faults);
        add_counts(&mut self.counters, &other.counters);
        add_coverage(&mut self.coverage, other.coverage.as_ref());
        self.margins.add(other.margins);
        self.trusted_us += other.trusted_us;
        self.doubted_us += other.doubted_us;
        self.without_primary_us += other.without_primary_us;
        self.led_us += other.led_us;
        self.false_step_downs += other.false_step_downs;
        self.returns.after.merge(&other.returns.after);
        self.returns.untold += other.returns.untold;
        if let Some(worst) = other.returns.worst {
            self.returns.worse(worst);
        }
    }

    /// All that was found, as (property, findings): violations by property, then runs that did not converge, then panics,
    /// then disagreements. `words` are those of the protocol.
    pub fn found(&self, words: &Words) -> impl Iterator<Item = (&'static str, &Findings)> {
        let others = [
            (words.comes_back, &self.not_converged),
            (NEVER_PANICS, &self.panics),
            (ENGINES_AGREE, &self.disagreements),
        ];
        let all = self.violations.iter().map(|(property, findings)| (*property, findings)).chain(others);
        all.filter(|(_, findings)| findings.count() > 0)
    }

    /// The findings, in the same order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Findings> {
        self.violations.values().chain([&self.not_converged, &self.panics, &self.disagreements])
    }

    /// How many findings there are.
    #[must_use]
    pub fn findings(&self) -> u64 {
        self.all().map(Findings::count).sum()
    }

    /// Everything that was found and kept.
    pub fn kept(&self) -> impl Iterator<Item = &Finding> {
        self.all().flat_map(Findings::kept)
    }

    /// The same, to be completed.
    pub fn kept_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.all_mut().flat_map(Findings::kept_mut)
    }

    /// The findings, in the same order, to be completed.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Findings> {
        let others = [&mut self.not_converged, &mut self.panics, &mut self.disagreements];
        self.violations.values_mut().chain(others)
    }

    /// Takes a kept finding of `property` back after it was checked: as it was, or as a disagreement of the engines, which
    /// may have been told already.
    pub(super) fn checked(&mut self, property: &'static str, run: RunId, finding: Option<Finding>) {
        let findings = match property {
            property if protocols::is_convergence(property) => &mut self.not_converged,
            NEVER_PANICS => &mut self.panics,
            property => self.violations.entry(property).or_default(),
        };
        match finding {
            Some(finding) if finding.property == property => findings.replace(finding),
            disagreement => {
                findings.withdraw(run);
                if let Some(disagreement) = disagreement {
                    self.disagreements.insert(disagreement);
                }
            }
        }
        self.violations.retain(|_, findings| findings.count() > 0);
    }

    /// Which share of the time worked lay within the assumptions. `None` if nobody worked.
    #[must_use]
    pub fn trusted_share(&self) -> Option<f64> {
        share(self.trusted_us, self.trusted_us + self.doubted_us)
    }

    /// Which share of the time nobody worked. `None` without any time.
    #[must_use]
    pub fn without_primary_share(&self) -> Option<f64> {
        share(self.without_primary_us, self.led_us)
    }

    /// How many false step-downs there were in a thousand hours of each kind of leader.
    #[must_use]
    pub fn false_step_downs_per_1000_h(&self) -> Option<f64> {
        share(self.false_step_downs, self.led_us).map(|per_us| per_us * 3.6e12)
    }

    /// What the runs did not show, one sentence each. Faults that were meant to be drawn are in [`Self::faults`];
    /// `contract` is the one that the runs were judged by.
    #[must_use]
    pub fn gaps(&self, contract: ContractName) -> Vec<String> {
        let mut gaps = Vec::new();
        if self.margins.near == 0 {
            gaps.push("no run came within 10 % of T of the limit".to_owned());
        }
        if let Some(trusted) = self.trusted_share()
            && trusted < 0.8
        {
            gaps.push(format!("{:.1} % of the time worked is excused, more than a fifth", (1.0 - trusted) * 100.0));
        }
        let nothing = Coverage::new(contract);
        let coverage = self.coverage.as_ref().unwrap_or(&nothing);
        let seen = |action: &&str| !contract.unseen().contains(action);
        let silent = coverage.actions().filter(|(_, count)| *count == 0).map(|(action, _)| action);
        let silent: Vec<_> = silent.filter(seen).collect();
        if !silent.is_empty() {
            gaps.push(format!("actions of the contract that never fired: {}", silent.join(", ")));
        }
        let absent: Vec<_> = self.faults.iter().filter(|(_, count)| **count == 0).map(|(kind, _)| &**kind).collect();
        if !absent.is_empty() {
            gaps.push(format!("faults that were never injected: {}", absent.join(", ")));
        }
        gaps
    }
}

impl Margins {
    fn add(&mut self, other: Self) {
        self.smallest_us = self.smallest_us.into_iter().chain(other.smallest_us).min();
        self.near += other.near;
    }
}

impl Returns {
    /// Keeps the larger share of its bound. Of equal shares the one with the larger bound, so that order plays no part.
    fn worse(&mut self, (after_us, bound_us): (u64, u64)) {
        let share = |(after_us, bound_us): (u64, u64), other: u64| (u128::from(after_us) * u128::from(other), bound_us);
        let worse = self.worst.is_none_or(|worst| share((after_us, bound_us), worst.1) > share(worst, bound_us));
        if worse {
            self.worst = Some((after_us, bound_us));
        }
    }

    /// The largest share of the bound that a run used.
    #[must_use]
    pub fn worst_share(&self) -> Option<f64> {
        self.worst.and_then(|(after_us, bound_us)| share(after_us, bound_us))
    }
}

fn add_counts(sums: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (name, count) in more {
        match sums.get_mut(name) {
            Some(sum) => *sum += count,
            None => drop(sums.insert(name.clone(), *count)),
        }
    }
}

fn add_coverage(sum: &mut Option<Coverage>, more: Option<&Coverage>) {
    match (sum, more) {
        (Some(sum), Some(more)) => sum.merge(more),
        (sum @ None, Some(more)) => *sum = Some(more.clone()),
        (_, None) => {}
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
