//! Reports for machines: one JSON object on one line, with the keys in a fixed order.

use super::size::SizeJson;
use crate::campaign::{CampaignReport, Ending, Finding, Findings, Setting, hex};
use crate::plan::Found;
use crate::protocols::{contract, words};
use crate::run_id::RunId;
use crate::shrink::Shrunk;
use failproof_spec::Coverage;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What `run --json` prints.
#[derive(Debug, Serialize)]
pub struct RunJson<'a> {
    protocol: &'a str,
    rules: &'a str,
    engine: String,
    guided: bool,
    seeds: Seeds,
    /// Runs that guidance added.
    children: u64,
    ending: Ending,
    simulated_seconds: f64,
    /// Not known of parts that were merged.
    wall_seconds: Option<f64>,
    events: u64,
    trace_hash: String,
    violations: Vec<ViolationJson<'a>>,
    /// All of them by property; `violations` lists those that were kept.
    violations_counted: BTreeMap<&'static str, u64>,
    exposures: Vec<ExposureJson>,
    not_converged: Vec<OtherJson<'a>>,
    panics: Vec<OtherJson<'a>>,
    disagreements: Vec<OtherJson<'a>>,
    faults: &'a BTreeMap<String, u64>,
    /// What else the protocol counts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    counters: &'a BTreeMap<String, u64>,
    coverage: CoverageJson,
    margins: MarginsJson,
    availability: AvailabilityJson,
    convergence: ConvergenceJson,
}

/// What `replay --json` prints: the same, and how the run compares with the one that its plan records.
#[derive(Debug, Serialize)]
pub struct ReplayJson<'a> {
    #[serde(flatten)]
    run: RunJson<'a>,
    found: Option<&'a Found>,
    same_as_found: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Seeds {
    first: u64,
    count: u64,
}

#[derive(Debug, Serialize)]
struct ViolationJson<'a> {
    /// From which the plan, or the first of its ancestors, was generated.
    seed: u64,
    run: RunId,
    property: &'static str,
    at_ms: f64,
    plan: Option<String>,
    /// Whether the other engine took the same steps, if it was asked.
    confirmed: Option<bool>,
    prevented_by: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shrunk: Option<ShrunkJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    story: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct OtherJson<'a> {
    seed: u64,
    run: RunId,
    message: &'a str,
    plan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shrunk: Option<ShrunkJson>,
}

/// The smallest plan that fails likewise.
#[derive(Debug, Serialize)]
struct ShrunkJson {
    plan: Option<String>,
    #[serde(flatten)]
    size: SizeJson,
    /// How many runs it took.
    runs: u64,
    /// Whether no smaller step was left to try.
    complete: bool,
}

#[derive(Debug, Serialize)]
struct ExposureJson {
    property: &'static str,
    longest_ms: f64,
    count: u64,
}

#[derive(Debug, Serialize)]
struct CoverageJson {
    #[serde(serialize_with = "in_order")]
    actions: Vec<(&'static str, u64)>,
    edges: EdgesJson,
}

#[derive(Debug, Serialize)]
struct EdgesJson {
    visited: u32,
    total: u32,
}

#[derive(Debug, Serialize)]
struct MarginsJson {
    smallest_ms: Option<f64>,
    trusted_share: Option<f64>,
    runs_near: u64,
}

#[derive(Debug, Serialize)]
struct AvailabilityJson {
    without_primary_share: Option<f64>,
    false_step_downs: u64,
    false_step_downs_per_1000_h: Option<f64>,
}

#[derive(Debug, Serialize)]
struct ConvergenceJson {
    runs: u64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
    worst_share_of_bound: Option<f64>,
}

impl<'a> RunJson<'a> {
    /// The report of a campaign.
    #[must_use]
    pub fn new(setting: &'a Setting, report: &'a CampaignReport, wall: Option<Duration>) -> Self {
        let nothing = Coverage::new(contract(&setting.options));
        let actions = report.coverage.as_ref().unwrap_or(&nothing).actions();
        let edges = report.coverage.as_ref().map(Coverage::edges);
        let after = &report.returns.after;
        Self {
            protocol: &setting.protocol,
            rules: &setting.rules,
            engine: setting.engine.to_string(),
            guided: setting.guided,
            seeds: Seeds { first: setting.seeds.start, count: report.seeds },
            children: report.runs - report.seeds,
            ending: report.ending,
            simulated_seconds: report.simulated_us as f64 / 1e6,
            wall_seconds: wall.map(|wall| wall.as_secs_f64()),
            events: report.events,
            trace_hash: hex(report.hash.finish()),
            violations: report.violations.values().flat_map(Findings::kept).map(ViolationJson::new).collect(),
            violations_counted: report.violations.iter().map(|(property, all)| (*property, all.count())).collect(),
            exposures: (report.exposure.count > 0)
                .then(|| ExposureJson {
                    property: words(&setting.options).exposed,
                    longest_ms: ms(report.exposure.longest_us),
                    count: report.exposure.count,
                })
                .into_iter()
                .collect(),
            not_converged: report.not_converged.kept().map(OtherJson::new).collect(),
            panics: report.panics.kept().map(OtherJson::new).collect(),
            disagreements: report.disagreements.kept().map(OtherJson::new).collect(),
            faults: &report.faults,
            counters: &report.counters,
            coverage: CoverageJson {
                actions: actions.collect(),
                edges: EdgesJson {
                    visited: edges.map_or(0, |edges| edges.visited),
                    total: edges.map_or(0, |edges| edges.total),
                },
            },
            margins: MarginsJson {
                smallest_ms: report.margins.smallest_us.map(ms),
                trusted_share: report.trusted_share(),
                runs_near: report.margins.near,
            },
            availability: AvailabilityJson {
                without_primary_share: report.without_primary_share(),
                false_step_downs: report.false_step_downs,
                false_step_downs_per_1000_h: report.false_step_downs_per_1000_h(),
            },
            convergence: ConvergenceJson {
                runs: after.count(),
                p50_ms: after.quantile(50).map(ms),
                p99_ms: after.quantile(99).map(ms),
                max_ms: after.largest().map(ms),
                worst_share_of_bound: report.returns.worst_share(),
            },
        }
    }
}

impl<'a> ReplayJson<'a> {
    /// The report of one run. `trace_hash` is the run's own, as plans record it.
    #[must_use]
    pub fn new(
        setting: &'a Setting,
        report: &'a CampaignReport,
        wall: Duration,
        trace_hash: Option<u128>,
        found: Option<&'a Found>,
        same_as_found: Option<bool>,
    ) -> Self {
        let mut run = RunJson::new(setting, report, Some(wall));
        run.trace_hash = trace_hash.map(hex).unwrap_or_default();
        let stories = report.violations.values().flat_map(Findings::kept).map(|finding| &*finding.story);
        for (violation, story) in run.violations.iter_mut().zip(stories) {
            violation.story = Some(story);
        }
        Self { run, found, same_as_found }
    }
}

impl<'a> ViolationJson<'a> {
    fn new(finding: &'a Finding) -> Self {
        let defences = finding.prevented_by.iter().flatten();
        Self {
            seed: finding.plan.seed,
            run: finding.run,
            property: finding.property,
            at_ms: ms(finding.at_us),
            plan: named(finding.file.as_ref()),
            confirmed: finding.confirmed,
            prevented_by: defences.map(|defence| &*defence.switch).collect(),
            shrunk: finding.shrunk.as_ref().map(ShrunkJson::new),
            story: None,
        }
    }
}

impl<'a> OtherJson<'a> {
    fn new(finding: &'a Finding) -> Self {
        Self {
            seed: finding.plan.seed,
            run: finding.run,
            message: &finding.story,
            plan: named(finding.file.as_ref()),
            shrunk: finding.shrunk.as_ref().map(ShrunkJson::new),
        }
    }
}

impl ShrunkJson {
    fn new(shrunk: &Shrunk) -> Self {
        let Shrunk { plan, runs, complete, file } = shrunk;
        Self { plan: named(file.as_ref()), size: SizeJson::of(plan), runs: *runs, complete: *complete }
    }
}

fn named(file: Option<&PathBuf>) -> Option<String> {
    file.map(|path| path.display().to_string())
}

fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}

fn in_order<S: Serializer>(pairs: &[(&'static str, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(pairs.len()))?;
    for (name, count) in pairs {
        map.serialize_entry(name, count)?;
    }
    map.end()
}
