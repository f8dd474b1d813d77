//! Reports for people: the verdict first, then the evidence.

use super::human::{count, moment, percent, plural, shell_word, span};
use super::size;
use crate::campaign::{CampaignReport, ENGINES_AGREE, Ending, Finding, Findings, Setting, hex};
use crate::defence::{self, Defence};
use crate::plan::Found;
use crate::protocols::{contract, words};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::path::Path;
use std::time::Duration;

/// How many properties are told in full; more of them get a line each.
const TOLD_MAX: usize = 3;
/// More seeds than anybody asks for by number.
const UNLIMITED: u64 = 1 << 60;
/// How many columns the first word of a line takes.
const LABEL: usize = 14;

/// The report of a campaign.
#[derive(Debug)]
pub struct RunText<'a> {
    /// What was asked for.
    pub setting: &'a Setting,
    /// What was found.
    pub report: &'a CampaignReport,
    /// How long it took; not known of parts that were merged.
    pub wall: Option<Duration>,
}

/// The report of one run.
#[derive(Debug)]
pub struct ReplayText<'a> {
    /// What was asked for.
    pub setting: &'a Setting,
    /// What was found.
    pub report: &'a CampaignReport,
    /// The run's own hash; one that panicked has none.
    pub trace_hash: Option<u128>,
    /// The plan, a line for each fault.
    pub plan: String,
    /// What the plan records.
    pub found: Option<&'a Found>,
    /// Whether that was found again, if it can be compared.
    pub same_as_found: Option<bool>,
}

impl Display for RunText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, report, wall } = self;
        let gaps = if setting.faults == "calm" { Vec::new() } else { report.gaps(contract(&setting.options)) };
        verdict(f, report, &gaps)?;
        writeln!(f)?;
        let options = &setting.options;
        line(f, "protocol", format_args!("{}, rules {}, engine {}", setting.protocol, setting.rules, setting.engine))?;
        line(
            f,
            "each run",
            format_args!(
                "{}, {}, I {}, T {}, faults {}",
                options.sizes().iter().map(|(number, word)| plural(*number, word)).collect::<Vec<_>>().join(", "),
                span(options.time_us()),
                options.heartbeat_interval(),
                options.heartbeat_timeout(),
                setting.faults
            ),
        )?;
        evidence(f, setting, report, *wall)?;
        line(f, "trace hash", hex(report.hash.finish()))?;
        findings(f, setting, report)?;
        disagreements(f, report)?;
        exposures(f, report)?;
        faults(f, report)?;
        counters(f, report)?;
        actions(f, report)?;
        measures(f, setting, report)?;
        for gap in &gaps {
            writeln!(f, "warning: {gap}")?;
        }
        Ok(())
    }
}

impl Display for ReplayText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, report, .. } = self;
        verdict(f, report, &[])?;
        for finding in report.kept() {
            writeln!(f, "{} at {}", finding.property, moment(finding.at_us))?;
            story(f, finding)?;
        }
        writeln!(f)?;
        line(f, "rules", format_args!("{}, engine {}", setting.rules, setting.engine))?;
        line(f, "trace hash", self.trace_hash.map_or("-".to_owned(), hex))?;
        if let Some(found) = self.found {
            let compared = match self.same_as_found {
                Some(true) => "the same property, time and trace hash".to_owned(),
                None => format!("{} at {}, not compared: under other rules", found.property, moment(found.at_us)),
                Some(false) => format!(
                    "not the same: {} at {}, trace hash {}, by failproof {}",
                    found.property,
                    moment(found.at_us),
                    found.trace_hash,
                    found.version
                ),
            };
            line(f, "plan records", compared)?;
        }
        exposures(f, report)?;
        measures(f, setting, report)?;
        write!(f, "\n{}", self.plan)
    }
}

fn verdict(f: &mut fmt::Formatter<'_>, report: &CampaignReport, gaps: &[String]) -> fmt::Result {
    let others = [
        ("not converged", &report.not_converged),
        ("panicked", &report.panics),
        ("engines disagree", &report.disagreements),
    ];
    let mut words = Vec::new();
    if let Some((property, findings)) = report.violations.iter().max_by_key(|(_, findings)| findings.count()) {
        words.push(match report.violations.len() {
            1 => format!("{property} violated in {}", plural(findings.count(), "run")),
            many => format!("{many} properties violated"),
        });
    }
    for (word, findings) in others.into_iter().filter(|(_, findings)| findings.count() > 0) {
        words.push(format!("{word} in {}", plural(findings.count(), "run")));
    }
    let held = words.is_empty();
    let words = if held { "nothing violated".to_owned() } else { words.join(", ") };
    let runs = plural(report.runs, "run");
    let seeds = match report.asked {
        // Only time was to end it.
        asked if asked >= UNLIMITED => plural(report.seeds, "seed"),
        asked => format!("{} of {}", count(report.seeds), plural(asked, "seed")),
    };
    let so_far = format!("after {seeds}; so far {words}");
    match (report.ending, held) {
        (Ending::Interrupted, _) => writeln!(f, "interrupted {so_far}"),
        (Ending::Unwritable, _) => writeln!(f, "stopped, because a finding could not be written, {so_far}"),
        (Ending::Incomplete, _) => writeln!(f, "incomplete, {so_far}"),
        (Ending::Found, _) => writeln!(f, "FAILED: {words}, with the first finding after {runs}"),
        (Ending::Complete | Ending::TimeUp, false) => writeln!(f, "FAILED: {words}, of {runs}"),
        (Ending::Complete | Ending::TimeUp, true) if gaps.is_empty() => writeln!(f, "held: {words} in {runs}"),
        (Ending::Complete | Ending::TimeUp, true) => {
            let warnings = plural(gaps.len() as u64, "warning");
            writeln!(f, "held: {words} in {runs}, but with {warnings} (below)")
        }
    }
}

/// How much was run.
fn evidence(
    f: &mut fmt::Formatter<'_>,
    setting: &Setting,
    report: &CampaignReport,
    wall: Option<Duration>,
) -> fmt::Result {
    let mut runs = format!("{} from {}", plural(report.seeds, "seed"), setting.seeds.start);
    if setting.guided {
        write!(runs, " and {} of them", plural_children(report.runs - report.seeds))?;
    }
    let hours = report.simulated_us as f64 / 3.6e9;
    let mut amount = format!("{hours:.1} simulated hours, {}", plural(report.events, "event"));
    if let Some(wall) = wall {
        let seconds = wall.as_secs_f64().max(1e-3);
        let (events, rate) = (count((report.events as f64 / seconds) as u64), hours / seconds);
        write!(amount, " in {seconds:.1} s ({events} events/s, {rate:.0} simulated hours/s)")?;
    }
    line(f, "evidence", format_args!("{runs}; {amount}"))
}

fn plural_children(number: u64) -> String {
    if number == 1 { "1 child".to_owned() } else { format!("{} children", count(number)) }
}

/// What was found, by property: of the findings that the fewest single defences prevent, which say most about their cause,
/// the one with the fewest faults.
fn findings(f: &mut fmt::Formatter<'_>, setting: &Setting, report: &CampaignReport) -> fmt::Result {
    let all = report.found(words(&setting.options)).filter(|(property, _)| *property != ENGINES_AGREE);
    for (i, (property, findings)) in all.enumerate() {
        let simplest = |finding: &&Finding| match finding.prevented_by.as_ref().map_or(0, Vec::len) {
            0 => (usize::MAX, finding.plan.faults.len()),
            causes => (causes, finding.plan.faults.len()),
        };
        let Some(told) = findings.kept().min_by_key(simplest) else { continue };
        let number = plural(findings.count(), "run");
        if i >= TOLD_MAX {
            let small = findings.kept().find_map(|finding| finding.shrunk.as_ref()?.file.as_deref());
            let example = small.or(told.file.as_deref()).map_or_else(|| told.run.in_words(), shell_path);
            writeln!(f, "{property}: {number}, for example {example}")?;
            continue;
        }
        writeln!(f, "\n{property}: {number}, for example {} at {}", told.run.in_words(), moment(told.at_us))?;
        story(f, told)?;
        shares(f, setting, findings)?;
        confirmations(f, setting, findings)?;
        if let Some(line) = repeat_by(told) {
            writeln!(f, "  repeat by: {line}")?;
        }
        findings.kept().try_for_each(|finding| smaller(f, finding))?;
    }
    writeln!(f)
}

/// The smallest plan that fails likewise, if this finding was shrunk.
fn smaller(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    let Some(shrunk) = &finding.shrunk else { return Ok(()) };
    let [to, from] = [&shrunk.plan, &*finding.plan].map(size::measures);
    let (run, runs) = (finding.run.in_words(), plural(shrunk.runs, "run"));
    let more = if shrunk.complete { "" } else { "; more may be possible" };
    writeln!(f, "  shrunk: {run} to {to} (from {from}) after {runs}{more}")?;
    let line = shrunk.file.as_deref().map(replay);
    line.map_or(Ok(()), |line| writeln!(f, "  repeat by: {line}"))
}

/// The line that repeats a finding, if its plan was written.
pub(super) fn repeat_by(finding: &Finding) -> Option<String> {
    finding.file.as_deref().map(replay)
}

/// The line that repeats what the plan in `file` shows.
pub(super) fn replay(file: &Path) -> String {
    format!("cargo run --release -- replay {}", shell_path(file))
}

fn shell_path(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// Runs that no engine may be believed about.
fn disagreements(f: &mut fmt::Formatter<'_>, report: &CampaignReport) -> fmt::Result {
    for finding in report.disagreements.kept() {
        writeln!(f, "engine disagreement: {}: {}", finding.run.in_words(), finding.story)?;
        if let Some(file) = finding.file.as_deref() {
            writeln!(f, "  both traces lie beside {}", shell_path(file))?;
        }
    }
    if report.disagreements.count() > 0 {
        writeln!(f)?;
    }
    Ok(())
}

/// How many findings the other engine confirms, or why it was not asked.
fn confirmations(f: &mut fmt::Formatter<'_>, setting: &Setting, findings: &Findings) -> fmt::Result {
    let kept = findings.kept().count();
    let confirmed = findings.kept().filter(|finding| finding.confirmed == Some(true)).count();
    match setting.engine.other() {
        None => writeln!(f, "  not confirmed: this build has no madsim engine"),
        Some(_) if confirmed == 0 => writeln!(f, "  not confirmed: the campaign was interrupted"),
        Some(other) => writeln!(f, "  confirmed by {other}: {confirmed} of {kept} kept"),
    }
}

fn story(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    writeln!(f, "  {}", finding.story.replace('\n', "\n  "))?;
    if let Some(defences) = &finding.prevented_by {
        let mut words: Vec<_> = defences.iter().map(|defence| named(defence)).collect();
        if words.is_empty() {
            words.push("no single defence".to_owned());
        }
        writeln!(f, "  prevented by {}", words.join(", "))?;
    }
    Ok(())
}

/// How many of the examined findings each defence prevents.
fn shares(f: &mut fmt::Formatter<'_>, setting: &Setting, findings: &Findings) -> fmt::Result {
    let examined: Vec<_> = findings.kept().filter_map(|finding| finding.prevented_by.as_ref()).collect();
    let mut words = Vec::new();
    for defence in defence::of(setting.options.protocol()) {
        let prevented = examined.iter().filter(|defences| defences.iter().any(|other| other.id == defence.id)).count();
        if prevented > 0 {
            words.push(format!("{prevented} by {}", named(defence)));
        }
    }
    if examined.len() < 2 || words.is_empty() {
        return Ok(());
    }
    writeln!(f, "  of {} examined, prevented: {}", plural(examined.len() as u64, "run"), words.join(", "))
}

fn named(defence: &Defence) -> String {
    format!("{} ({})", defence.switch, defence.id)
}

fn exposures(f: &mut fmt::Formatter<'_>, report: &CampaignReport) -> fmt::Result {
    let exposure = report.exposure;
    if exposure.count == 0 {
        return Ok(());
    }
    let times = plural(exposure.count, "overlap");
    line(f, "exposure", format_args!("{times} outside the assumptions, the longest {}", span(exposure.longest_us)))
}

/// Four kinds in a row.
fn faults(f: &mut fmt::Formatter<'_>, report: &CampaignReport) -> fmt::Result {
    table(f, "faults", &report.faults, 4, 13)
}

/// Two in a row.
fn counters(f: &mut fmt::Formatter<'_>, report: &CampaignReport) -> fmt::Result {
    table(f, "counts", &report.counters, 2, 26)
}

/// Numbers by name, `each` of them in a row, whose names take `width` columns.
fn table(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    numbers: &BTreeMap<String, u64>,
    each: usize,
    width: usize,
) -> fmt::Result {
    let numbers: Vec<_> = numbers.iter().map(|(name, number)| (name, count(*number))).collect();
    for (i, row) in numbers.chunks(each).enumerate() {
        let mut cells = String::new();
        for (name, number) in row {
            write!(cells, "{name:<width$}{number:>9}   ")?;
        }
        line(f, if i == 0 { label } else { "" }, cells.trim_end())?;
    }
    Ok(())
}

/// How often the actions of the contract were taken, and how many of its edges.
fn actions(f: &mut fmt::Formatter<'_>, report: &CampaignReport) -> fmt::Result {
    let Some(coverage) = &report.coverage else { return Ok(()) };
    let actions: Vec<_> = coverage.actions().collect();
    for (i, row) in actions.chunks(4).enumerate() {
        let mut cells = String::new();
        for (action, number) in row {
            write!(cells, "{action:<13}{:>9}   ", count(*number))?;
        }
        line(f, if i == 0 { "actions" } else { "" }, cells.trim_end())?;
    }
    let edges = coverage.edges();
    line(f, "edges", format_args!("{} of {} visited", edges.visited, edges.total))
}

fn measures(f: &mut fmt::Formatter<'_>, setting: &Setting, report: &CampaignReport) -> fmt::Result {
    let words = words(&setting.options);
    let margins = report.margins;
    let near = plural(margins.near, "run");
    match margins.smallest_us {
        Some(us) => line(f, "margin", format_args!("smallest {}; {near} within 10 % of T of the limit", span(us)))?,
        None => line(f, "margin", words.no_margin)?,
    }
    line(f, "trusted", format_args!("{} of the time worked", percent(report.trusted_share())))?;
    line(
        f,
        "availability",
        format_args!(
            "{} of the time {}; {} ({:.2} in 1,000 h)",
            percent(report.without_primary_share()),
            words.unserved,
            plural(report.false_step_downs, words.false_stop),
            report.false_step_downs_per_1000_h().unwrap_or(0.0)
        ),
    )?;
    let returns = &report.returns;
    let told = |value: Option<u64>| value.map_or("-".to_owned(), span);
    let mut words = format!(
        "p50 {}, p99 {}, max {} after the last fault; worst / bound {}",
        told(returns.after.quantile(50)),
        told(returns.after.quantile(99)),
        told(returns.after.largest()),
        returns.worst_share().map_or("-".to_owned(), |share| format!("{share:.2}"))
    );
    if returns.untold > 0 {
        write!(words, "; {} ended too early to tell", plural(returns.untold, "run"))?;
    }
    line(f, "convergence", words)
}

fn line(f: &mut fmt::Formatter<'_>, label: &str, text: impl Display) -> fmt::Result {
    writeln!(f, "{label:<LABEL$}{text}")
}
