//! What a plan breaks under the rules of its protocol, as it is written down beside a plan that is saved.

use crate::campaign::{CampaignReport, ENGINES_AGREE, NEVER_PANICS, Runner};
use crate::engine::{Engine, Panicked};
use crate::options::Options;
use crate::plan::{Plan, PlanError};
use crate::protocols::{contract, words};
use crate::report::RunReport;
use crate::report::human::moment;
use failproof_spec::Property;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What one run breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing.
    Held,
    /// These properties. Shape: each once, the first to break first; at least one.
    Breaks(Vec<Broken>),
}

/// A property that a run breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// When it breaks first, in true microseconds; zero for a panic.
    pub at_us: u64,
    /// Its name.
    pub property: String,
}

/// What a plan breaks under its own rules, and under those that every protocol has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdicts {
    /// Under the plan's own rules, which may be one of the others.
    pub own: Verdict,
    /// Under published rules.
    pub published: Verdict,
    /// Under hardened ones.
    pub hardened: Verdict,
}

/// Why there is no verdict about a plan.
#[derive(Debug, thiserror::Error)]
pub enum VerdictError {
    /// Two engines disagree about it.
    #[error(
        "the engines disagree under {rules} rules: by {one} the plan {one_verdict}, by {other} it {other_verdict}, \
             trace hashes {one_hash:032x} and {other_hash:032x}"
    )]
    EnginesDisagree {
        /// Under which rules.
        rules: &'static str,
        /// One of them.
        one: Engine,
        /// What it saw.
        one_verdict: Verdict,
        /// The hash of its trace; zero for a panic.
        one_hash: u128,
        /// The other one.
        other: Engine,
        /// What that saw.
        other_verdict: Verdict,
        /// The hash of its trace.
        other_hash: u128,
    },
    /// The plan cannot be decided by these rules.
    #[error("the plan cannot be run under {rules} rules: {source}")]
    Unfit {
        /// Which.
        rules: &'static str,
        /// Why.
        source: PlanError,
    },
}

impl Verdict {
    /// What a run of `plan` with this outcome breaks: a panic, and to stay away after the last fault, count too.
    #[must_use]
    pub fn of(plan: &Arc<Plan>, outcome: &Result<RunReport, Panicked>) -> Self {
        let mut report = CampaignReport::default();
        report.add_only(plan, outcome);
        Self::from(&report)
    }

    /// What `plan` breaks, seen by every engine of this build.
    ///
    /// # Errors
    /// [`VerdictError::EnginesDisagree`].
    pub fn seen(plan: &Arc<Plan>, run: &Runner<'_>) -> Result<Self, VerdictError> {
        let by = |engine: Engine| {
            let outcome = run(engine, plan, false).map(|(report, _)| report);
            (engine, Self::of(plan, &outcome), outcome.map_or(0, |report| report.trace_hash))
        };
        let (one, one_verdict, one_hash) = by(Engine::Fast);
        if let Some((other, other_verdict, other_hash)) = one.other().map(by)
            && (&one_verdict, one_hash) != (&other_verdict, other_hash)
        {
            let rules = plan.options.rules_name();
            return Err(VerdictError::EnginesDisagree {
                rules,
                one,
                one_verdict,
                one_hash,
                other,
                other_verdict,
                other_hash,
            });
        }
        Ok(one_verdict)
    }

    /// The properties that it names.
    pub fn properties(&self) -> impl Iterator<Item = &str> {
        let broken = match self {
            Self::Held => &[][..],
            Self::Breaks(broken) => broken,
        };
        broken.iter().map(|broken| broken.property.as_str())
    }
}

/// What the only run of a report breaks.
impl From<&CampaignReport> for Verdict {
    fn from(report: &CampaignReport) -> Self {
        let broken = report.kept().map(|found| Broken { at_us: found.at_us, property: found.property.to_owned() });
        let mut broken: Vec<_> = broken.collect();
        broken.sort_unstable();
        if broken.is_empty() { Self::Held } else { Self::Breaks(broken) }
    }
}

impl Verdicts {
    /// What `plan` breaks under its own, under published and under hardened rules, seen by every engine of this build.
    ///
    /// # Errors
    /// See [`VerdictError`].
    pub fn seen(plan: &Arc<Plan>, run: &Runner<'_>) -> Result<Self, VerdictError> {
        let under = |rules: &'static str| {
            let options = plan.options.clone().decided_by(rules);
            let plan = Plan { options, ..Plan::clone(plan) };
            plan.check().map_err(|source| VerdictError::Unfit { rules, source })?;
            Verdict::seen(&Arc::new(plan), run)
        };
        Ok(Self { own: Verdict::seen(plan, run)?, published: under("published")?, hardened: under("hardened")? })
    }

    /// That under the rules with this name, if they are among them.
    #[must_use]
    pub fn under(&self, rules: &str) -> Option<&Verdict> {
        self.named().into_iter().find_map(|(name, verdict)| (name == rules).then_some(verdict))
    }

    /// All of them, by the names of the rules.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, &Verdict); 3] {
        [("own", &self.own), ("published", &self.published), ("hardened", &self.hardened)]
    }

    /// What is wrong with how they are written down, and in which of them.
    pub(crate) fn check(&self, options: &Options) -> Result<(), (String, String)> {
        for (rules, verdict) in self.named() {
            if *verdict == Verdict::Breaks(Vec::new()) {
                return Err((format!("{rules}.breaks"), "is empty; expected \"held\" in its place".to_owned()));
            }
            for (i, property) in verdict.properties().enumerate() {
                is_known(property, options).map_err(|problem| (format!("{rules}.breaks[{i}].property"), problem))?;
            }
        }
        Ok(())
    }
}

/// Whether a run under these options can break a property with this name.
pub(crate) fn is_known(property: &str, options: &Options) -> Result<(), String> {
    let owed = Property::of(contract(options)).map(Property::name);
    let mut all = owed.chain([words(options).comes_back, NEVER_PANICS, ENGINES_AGREE]);
    if all.any(|name| name == property) {
        return Ok(());
    }
    let usual = Property::of(contract(options)).next().map_or("", Property::name);
    Err(format!("`{property}` is no property of protocol {}; expected one, such as {usual}", options.protocol()))
}

/// `held`, or `breaks` with what and when.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Breaks(broken) = self else { return f.write_str("held") };
        let broken: Vec<_> =
            broken.iter().map(|broken| format!("{} at {}", broken.property, moment(broken.at_us))).collect();
        write!(f, "breaks {}", broken.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::election;
    use crate::report::Violation;
    use crate::trace::Record;

    fn breaks(at_us: u64) -> Result<(RunReport, Vec<Record>), Panicked> {
        let violation = |property, at_us| Violation { property, at_us, story: String::new() };
        let violations = vec![violation("NoStaleEffect", at_us), violation("AtMostOneWorkingPrimary", 7)];
        Ok((RunReport { violations, ..RunReport::default() }, Vec::new()))
    }

    #[test]
    fn the_first_to_break_is_named_first() {
        let plan = Arc::new(Plan::calm(election::Options::default()));
        let verdict = Verdict::of(&plan, &breaks(9).map(|(report, _)| report));
        assert_eq!(verdict.to_string(), "breaks AtMostOneWorkingPrimary at 0.000007 s, NoStaleEffect at 0.000009 s");
        let panicked = Verdict::of(&plan, &Err(Panicked { message: "no".to_owned() }));
        assert_eq!(panicked.properties().collect::<Vec<_>>(), [NEVER_PANICS]);
        assert_eq!(Verdict::of(&plan, &Ok(RunReport::default())), Verdict::Held);
    }

    #[test]
    #[cfg(madsim)]
    fn engines_that_disagree_give_no_verdict() {
        let plan = Arc::new(Plan::calm(election::Options::default()));
        let later = |engine: Engine, _: &Arc<Plan>, _: bool| breaks(if engine == Engine::Fast { 8 } else { 9 });
        let problem = Verdicts::seen(&plan, &later).unwrap_err().to_string();
        assert!(problem.contains("disagree under hardened rules: by fast the plan breaks"), "{problem}");
        let same = |_: Engine, _: &Arc<Plan>, _: bool| breaks(8);
        let verdicts = Verdicts::seen(&plan, &same).unwrap();
        assert_eq!(verdicts.under("published"), verdicts.under("hardened"));
        assert_eq!(verdicts.under("custom"), None);
    }
}
