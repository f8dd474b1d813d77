//! A plan: everything that decides a run, as plain data that is printed, saved and replayed.
//!
//! A seed only generates a plan. The plan then holds all: options, noise, workload, faults and single message fates.

use crate::clock::RUN_US_MAX;
use crate::fault::{Fault, FaultKind, Place};
use crate::options::Options;
use crate::protocols;
use crate::report::human::{plural, span};
use crate::run_id::{ChildId, RunId};
use crate::verdict::{Verdicts, is_known};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::path::Path;

/// The version of the plan format, which includes how noise is drawn.
pub const FORMAT: u32 = 1;

/// One run, before it happens. Its options are of the protocol that it names; those of one protocol, `O`, while it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan<O = Options> {
    /// [`FORMAT`].
    pub format: u32,
    /// The name of the protocol: `election`.
    pub protocol: String,
    /// The seed that it, or the first of its ancestors, was generated from, for the record.
    pub seed: u64,
    /// Which child it is, if guidance made it from other plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<ChildId>,
    /// Sizes, times, rules and what is assumed.
    pub options: O,
    /// What the network and timers do all the time.
    pub noise: Noise,
    /// What operators do.
    #[serde(default)]
    pub workload: Vec<Task>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What happens to single messages.
    #[serde(default)]
    pub fates: Vec<Fate>,
    /// What the run was found to break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// What the plan is expected to break. It belongs to the file of a plan that was saved as a regression: only
    /// [`Plan::read_saved`] tells of it, so that no change of the plan leaves it behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Verdicts>,
}

/// What the network and timers do all the time, drawn from streams of their own. Loss and duplication end when the
/// last fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// How the streams are used. Changing that is a new version.
    pub version: u32,
    /// What the streams are drawn from.
    pub seed: u64,
    /// The least one-way latency; at least 1.
    pub latency_us_min: u64,
    /// The largest one-way latency.
    pub latency_us_max: u64,
    /// How many of a million messages are lost.
    pub loss_ppm: u32,
    /// How many of a million messages arrive twice.
    pub duplicate_ppm: u32,
    /// How late a timer fires at most.
    pub timer_late_us_max: u64,
}

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// When, in true microseconds.
    pub at_us: u64,
    /// Where.
    pub node: Place,
    /// For which kind of leader.
    #[serde(default)]
    pub utype: u16,
    /// What.
    pub what: TaskKind,
}

/// What an operator can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Asks a primary to give its role up, or a server its alias. Others ignore it.
    Resign,
    /// Asks a server to hand its contexts over to their backups.
    HandOver,
    /// Lets a client present a HAID that it relabelled, once.
    Forge,
    /// Lets a client present a HAID in another spelling, once.
    Respell,
    /// Installs the version that decides by the rules which the options name: the place starts as that from then on.
    Upgrade,
}

impl TaskKind {
    /// What an operator asks for, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Resign => "resign",
            Self::HandOver => "hand over",
            Self::Forge => "forge a HAID",
            Self::Respell => "respell a HAID",
            Self::Upgrade => "upgrade",
        }
    }
}

/// What happens to one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fate {
    /// The sender.
    pub from: Place,
    /// The receiver.
    pub to: Place,
    /// Which message of this link, from 0.
    pub which: u32,
    /// How late it is; lost if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_us: Option<u64>,
    /// How long after it a second copy arrives, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_us: Option<u64>,
}

/// `message 3 from n0 to store arrives 100.0 ms late`, counted from 0 as in the plan.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, which, delay_us, again_us } = self;
        write!(f, "message {which} from {from} to {to} ")?;
        match delay_us {
            None => return f.write_str("is lost"),
            Some(0) => f.write_str("arrives in time")?,
            Some(late_us) => write!(f, "arrives {} late", span(*late_us))?,
        }
        again_us.map_or(Ok(()), |later_us| write!(f, ", and again {} later", span(later_us)))
    }
}

/// What a run was found to break, and under what it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The property.
    pub property: String,
    /// When, in true microseconds.
    pub at_us: u64,
    /// The hash of the whole trace.
    pub trace_hash: String,
    /// The version of failproof.
    pub version: String,
}

/// Why a plan cannot be run. The message names the place and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read plan {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no plan.
    #[error("plan {path} is not valid: {source}; expected a JSON file written by `failproof run --out`")]
    Malformed {
        /// The file.
        path: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The plan is of another version.
    #[error("plan {path} has format {found}, expected {FORMAT}: it was written by another version of failproof")]
    Version {
        /// The file.
        path: String,
        /// Its version.
        found: u64,
    },
    /// A value is out of place.
    #[error("plan: {field}: {problem}")]
    Invalid {
        /// Where.
        field: String,
        /// What, and what was expected.
        problem: String,
    },
}

/// A complaint about one field.
pub(crate) fn invalid(field: impl Into<String>, problem: impl Into<String>) -> PlanError {
    PlanError::Invalid { field: field.into(), problem: problem.into() }
}

/// Plans lie in reports too; there, what is wrong with options is told with the place of the plan that they are in.
impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plan = Plan::<serde_json::Value>::deserialize(deserializer)?;
        let known = protocols::named(&plan.protocol).map_err(serde::de::Error::custom)?;
        plan.try_map(|options| known.options(options)).map_err(serde::de::Error::custom)
    }
}

impl<O> Plan<O> {
    /// The same with other options.
    pub(crate) fn try_map<P, E>(self, convert: impl FnOnce(O) -> Result<P, E>) -> Result<Plan<P>, E> {
        let Self { format, protocol, seed, child, options, noise, workload, faults, fates, found, expected } = self;
        let options = convert(options)?;
        Ok(Plan { format, protocol, seed, child, options, noise, workload, faults, fates, found, expected })
    }
}

impl Plan {
    /// A calm run of `options`: perfect network within the bounds, no faults. Add faults with [`Plan::fault`].
    #[must_use]
    pub fn calm(options: impl Into<Options>) -> Self {
        let options = options.into();
        let latency = options.bounds().latency_us_max.as_micros().max(1);
        Self {
            format: FORMAT,
            protocol: options.protocol().to_owned(),
            seed: 0,
            child: None,
            noise: Noise {
                version: 1,
                seed: 0,
                latency_us_min: 1,
                latency_us_max: latency,
                loss_ppm: 0,
                duplicate_ppm: 0,
                timer_late_us_max: 0,
            },
            options,
            workload: Vec::new(),
            faults: Vec::new(),
            fates: Vec::new(),
            found: None,
            expected: None,
        }
    }

    /// Adds a fault that begins at `at_us` and lasts `for_us`.
    #[must_use]
    pub fn fault(mut self, kind: FaultKind, at_us: u64, for_us: u64) -> Self {
        let id = self.faults.iter().map(|fault| fault.id + 1).max().unwrap_or(0);
        self.faults.push(Fault { id, kind, at_us, for_us });
        self
    }

    /// Sets what the network and timers draw from.
    #[must_use]
    pub const fn noise_seed(mut self, seed: u64) -> Self {
        self.noise.seed = seed;
        self
    }

    /// What its run is called.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        self.child.map_or(RunId::Seed(self.seed), RunId::Child)
    }

    /// When the last fault can no longer be felt, in true microseconds; zero without faults. Faults that delay messages
    /// add up while they overlap.
    #[must_use]
    pub fn quiet_us(&self) -> u64 {
        let ends = self.faults.iter().map(Fault::end_us);
        let tasks = self.workload.iter().map(|task| task.at_us);
        let late: Vec<_> = self.faults.iter().filter(|fault| fault.late_us() > 0).collect();
        // By when faults began, and by when they ended, how late they make a message all together.
        let sums = |time: fn(&Fault) -> u64| {
            let mut sums: Vec<_> = late.iter().map(|fault| (time(fault), fault.late_us())).collect();
            sums.sort_unstable();
            let mut sum = 0_u64;
            sums.iter_mut().for_each(|(_, late_us)| {
                sum = sum.saturating_add(*late_us);
                *late_us = sum;
            });
            sums
        };
        let (begun, ended) = (sums(|fault| fault.at_us), sums(Fault::end_us));
        let before = |sums: &[(u64, u64)], at_us: u64| match sums.partition_point(|(time_us, _)| *time_us < at_us) {
            0 => 0,
            count => sums[count - 1].1,
        };
        let felt = late.iter().map(|fault| {
            let together = before(&begun, fault.end_us().saturating_add(1)) - before(&ended, fault.at_us);
            fault.end_us().saturating_add(together)
        });
        ends.chain(felt).chain(tasks).max().unwrap_or(0)
    }

    /// Reads a plan and checks it.
    ///
    /// # Errors
    /// See [`PlanError`]; each names the file or the field, and what was expected.
    pub fn read(path: &Path) -> Result<Self, PlanError> {
        Self::read_saved(path).map(|(plan, _)| plan)
    }

    /// The same, with what the file says that the plan is expected to break.
    ///
    /// # Errors
    /// The same.
    pub fn read_saved(path: &Path) -> Result<(Self, Option<Verdicts>), PlanError> {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| PlanError::Unreadable { path: name.clone(), source })?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|source| PlanError::Malformed { path: name.clone(), source })?;
        if let Some(found) = value.get("format").and_then(serde_json::Value::as_u64)
            && found != u64::from(FORMAT)
        {
            return Err(PlanError::Version { path: name, found });
        }
        // From the text again: its errors name line and column.
        let protocol = value.get("protocol").and_then(serde_json::Value::as_str).unwrap_or(protocols::USUAL);
        let known = protocols::named(protocol).map_err(|problem| invalid("protocol", problem))?;
        let mut plan = known.read_plan(&text).map_err(|source| PlanError::Malformed { path: name, source })?;
        plan.check_fault_fields(&value)?;
        plan.check()?;
        plan.check_record()?;
        let expected = plan.expected.take();
        Ok((plan, expected))
    }

    /// Checks every relation that a run relies on.
    ///
    /// # Errors
    /// [`PlanError::Invalid`], naming the field and what was expected.
    pub fn check(&self) -> Result<(), PlanError> {
        let known = protocols::named(&self.protocol).map_err(|problem| invalid("protocol", problem))?;
        if self.options.protocol() != self.protocol {
            let problem = format!("`{}`, but its options are of `{}`", self.protocol, self.options.protocol());
            return Err(invalid("protocol", problem));
        }
        self.options.check()?;
        let noise = &self.noise;
        if noise.version != 1 {
            return Err(invalid("noise.version", format!("{} is unknown; expected 1", noise.version)));
        }
        if noise.latency_us_min == 0 || noise.latency_us_min > noise.latency_us_max {
            return Err(invalid("noise.latency_us_min", "expected at least 1 and at most latency_us_max"));
        }
        let bounds = self.options.bounds();
        if noise.latency_us_max > bounds.latency_us_max.as_micros() {
            return Err(invalid("noise.latency_us_max", "expected at most options.bounds.latency_us_max"));
        }
        if noise.timer_late_us_max > bounds.timer_late_us_max.as_micros() {
            return Err(invalid("noise.timer_late_us_max", "expected at most options.bounds.timer_late_us_max"));
        }
        if noise.loss_ppm.max(noise.duplicate_ppm) > 1_000_000 {
            return Err(invalid("noise", "loss_ppm and duplicate_ppm: expected at most 1000000"));
        }
        let of_tasks = self.workload.iter().enumerate().map(|(i, task)| (format!("workload[{i}].at_us"), task.at_us));
        let of_fates = self.fates.iter().enumerate();
        let of_fates = of_fates.flat_map(|(i, fate)| {
            [("delay_us", fate.delay_us), ("again_us", fate.again_us)]
                .map(|(field, us)| (format!("fates[{i}].{field}"), us.unwrap_or(0)))
        });
        if let Some((field, _)) = of_tasks.chain(of_fates).find(|(_, us)| *us > RUN_US_MAX) {
            return Err(invalid(field, "is longer than the longest run, 2000 hours"));
        }
        for (name, at_us) in self.faults.iter().map(|fault| (format!("faults[id {}]", fault.id), fault.end_us())) {
            if at_us > RUN_US_MAX {
                return Err(invalid(name, "ends later than the longest run, 2000 hours"));
            }
        }
        let places = known.places(self);
        for clock in self.options.clocks() {
            check_place("options.clocks", clock.node, &places)?;
        }
        for fault in &self.faults {
            let field = format!("faults[id {}]", fault.id);
            if !known.knows(fault.kind.name()) {
                return Err(invalid(field, format!("{} has no fault of kind {}", self.protocol, fault.kind.name())));
            }
            if fault.for_us == 0 {
                return Err(invalid(format!("{field}.for_us"), "0; a fault lasts 1 or more"));
            }
            for place in fault.kind.places() {
                check_place(&field, place, &places)?;
            }
            fault.kind.check().map_err(|problem| invalid(&field, problem))?;
            if let FaultKind::Crash { node, durable: false } | FaultKind::Clone { node, .. } = fault.kind
                && !known.may_forget(node)
            {
                return Err(invalid(field, format!("{node} remembers what others rely on; expected a durable crash")));
            }
        }
        for (i, task) in self.workload.iter().enumerate() {
            let field = format!("workload[{i}]");
            check_place(&field, task.node, &places)?;
            known.check_task(self, task).map_err(|(name, problem)| invalid(format!("{field}.{name}"), problem))?;
        }
        for (i, fate) in self.fates.iter().enumerate() {
            for place in [fate.from, fate.to] {
                check_place(&format!("fates[{i}]"), place, &places)?;
            }
        }
        Ok(())
    }

    /// What is written down beside the run: its words must be known here, or nobody could compare.
    fn check_record(&self) -> Result<(), PlanError> {
        if let Some(found) = &self.found {
            is_known(&found.property, &self.options).map_err(|problem| invalid("found.property", problem))?;
            let hash = &found.trace_hash;
            // A run that panicked has none.
            let is_hash = hash.len() == 32 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if !hash.is_empty() && !is_hash {
                return Err(invalid("found.trace_hash", format!("`{hash}` is no hash; expected 32 hex digits")));
            }
        }
        let checked = self.expected.as_ref().map_or(Ok(()), |expected| expected.check(&self.options));
        checked.map_err(|(field, problem)| invalid(format!("expected.{field}"), problem))
    }

    /// Fields of a fault that its kind does not have. A misspelt one would otherwise mean its default.
    fn check_fault_fields(&self, written: &serde_json::Value) -> Result<(), PlanError> {
        let written = written.get("faults").and_then(serde_json::Value::as_array).into_iter().flatten();
        for (fault, written) in self.faults.iter().zip(written) {
            let known = serde_json::to_value(fault).unwrap_or_default();
            let fields = written.as_object().into_iter().flatten();
            let is_unknown = |name: &&String, value: &serde_json::Value| !value.is_null() && known.get(name).is_none();
            if let Some((name, _)) = fields.into_iter().find(|(name, value)| is_unknown(name, value)) {
                let problem = format!("a fault of kind {} has no field `{name}`", fault.kind.name());
                return Err(invalid(format!("faults[id {}]", fault.id), problem));
            }
        }
        Ok(())
    }
}

/// Whether a place is one of `places`, or what the judge calls primary.
fn check_place(field: &str, place: Place, places: &[Place]) -> Result<(), PlanError> {
    if place == Place::Primary || places.contains(&place) {
        return Ok(());
    }
    let alike: Vec<_> = places.iter().filter(|other| other.kind() == place.kind()).collect();
    let problem = match (alike.first(), alike.last()) {
        (Some(first), Some(last)) => {
            format!("names {} {place}, but there are only {} ({first} to {last})", place.kind(), alike.len())
        }
        _ => format!("names {place}, and this protocol has no {}", place.kind()),
    };
    Err(invalid(field, problem))
}

/// Options, then one line per fault.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let sizes: Vec<_> = options.sizes().iter().map(|(number, word)| plural(*number, word)).collect();
        writeln!(
            f,
            "{} {}: {}, {:.1} s, I {}, T {}",
            self.protocol,
            self.run_id().in_words(),
            sizes.join(", "),
            options.time_us() as f64 / 1e6,
            options.heartbeat_interval(),
            options.heartbeat_timeout()
        )?;
        for task in &self.workload {
            writeln!(f, "  {:.3} s {} {:?}", task.at_us as f64 / 1e6, task.node, task.what)?;
        }
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        for fate in &self.fates {
            writeln!(f, "  {fate}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Concern, Stream};
    use crate::election::Options;
    use crate::fault::Direction;

    #[test]
    fn delays_add_up_while_they_overlap() {
        let delay = |by_us| FaultKind::Delay { node: Place::Store, direction: Direction::Both, by_us };
        for seed in 0..200 {
            let mut stream = Stream::new(seed, Concern::Plan, 0, 0);
            let mut plan = Plan::calm(Options::default());
            for _ in 0..stream.below(12) {
                let kind = if stream.below(4) == 0 { FaultKind::ReadOnly {} } else { delay(stream.below(50)) };
                plan = plan.fault(kind, stream.below(100), 1 + stream.below(40));
            }
            let meets = |one: &Fault, other: &Fault| one.at_us <= other.end_us() && other.at_us <= one.end_us();
            let felt = |fault: &Fault| match fault.late_us() {
                0 => fault.end_us(),
                _ => fault.end_us() + plan.faults.iter().filter(|f| meets(fault, f)).map(Fault::late_us).sum::<u64>(),
            };
            assert_eq!(plan.quiet_us(), plan.faults.iter().map(felt).max().unwrap_or(0), "{plan}");
        }
    }
}
