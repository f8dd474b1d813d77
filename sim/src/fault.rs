//! The fault vocabulary: what can go wrong, where, when and for how long.
//!
//! A fault is data. All are relative to a calm world: perfect clocks, no loss, a store that serves.

use crate::clock::RUN_US_MAX;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A machine of the simulated world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// The node with this number, from 0: `n0`.
    Node(u16),
    /// The machine of the heartbeat table and of all else that is shared: `store`.
    Store,
    /// The machine of the resource that primaries write to: `resource`.
    Resource,
    /// The machine of the resource center: `center`.
    Center,
    /// What the judge calls primary when the fault begins (the first of them), else the first node or server: `primary`.
    Primary,
    /// The gateway with this number, from 0: `g0`.
    Gateway(u16),
    /// The server with this number, from 0: `s0`.
    Server(u16),
    /// The client with this number, from 0: `c0`.
    Client(u16),
}

impl Place {
    /// The word for places of its kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Node(_) => "node",
            Self::Store => "store",
            Self::Resource => "resource",
            Self::Center => "center",
            Self::Primary => "primary",
            Self::Gateway(_) => "gateway",
            Self::Server(_) => "server",
            Self::Client(_) => "client",
        }
    }
}

impl Place {
    /// Its number among the places of its kind, if it has one.
    #[must_use]
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::Node(n) | Self::Gateway(n) | Self::Server(n) | Self::Client(n) => Some(n),
            Self::Store | Self::Resource | Self::Center | Self::Primary => None,
        }
    }

    /// The place of its kind that has this number; itself if places of its kind have none.
    #[must_use]
    pub const fn with_number(self, number: u16) -> Self {
        match self {
            Self::Node(_) => Self::Node(number),
            Self::Gateway(_) => Self::Gateway(number),
            Self::Server(_) => Self::Server(number),
            Self::Client(_) => Self::Client(number),
            Self::Store | Self::Resource | Self::Center | Self::Primary => self,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(n) => write!(f, "n{n}"),
            Self::Store => f.write_str("store"),
            Self::Resource => f.write_str("resource"),
            Self::Center => f.write_str("center"),
            Self::Primary => f.write_str("primary"),
            Self::Gateway(n) => write!(f, "g{n}"),
            Self::Server(n) => write!(f, "s{n}"),
            Self::Client(n) => write!(f, "c{n}"),
        }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

impl TryFrom<String> for Place {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "store" => Ok(Self::Store),
            "resource" => Ok(Self::Resource),
            "center" => Ok(Self::Center),
            "primary" => Ok(Self::Primary),
            _ => numbered(text).ok_or_else(|| {
                format!(
                    "`{text}` is no place; expected n0, n1, …, likewise g0, s0 or c0, or primary, store, resource or \
                     center"
                )
            }),
        }
    }
}

/// A place that has a number: a letter, then digits.
fn numbered(text: &str) -> Option<Place> {
    let (at, _) = text.char_indices().nth(1)?;
    let number = text[at..].parse().ok()?;
    match &text[..at] {
        "n" => Some(Place::Node(number)),
        "g" => Some(Place::Gateway(number)),
        "s" => Some(Place::Server(number)),
        "c" => Some(Place::Client(number)),
        _ => None,
    }
}

/// Which messages of a place are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Those to it.
    In,
    /// Those from it.
    Out,
    /// All.
    Both,
}

/// Which operations on a store are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Those that change nothing: queries, chunks of a resource.
    Read,
    /// Those that change something: heartbeats and resignations, chunks that are uploaded.
    Write,
    /// All.
    Any,
}

impl Access {
    /// Whether an operation of kind `access` is meant.
    #[must_use]
    pub fn covers(self, access: Self) -> bool {
        self == Self::Any || self == access
    }
}

/// A class of faults, as `--faults` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultClass {
    /// Crashes, pauses, suspensions, clones.
    Process,
    /// Partitions, loss, duplication, delay.
    Network,
    /// Refused and lost operations, stale replicas, damage; rollback and loss of the table. What concerns operations does at
    /// the store, and at the resource center too if there is one.
    Store,
    /// Rates, steps and freezes of clocks.
    Clock,
}

impl FaultClass {
    /// All classes: `swarm`.
    pub const ALL: [Self; 4] = [Self::Process, Self::Network, Self::Store, Self::Clock];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Network => "network",
            Self::Store => "store",
            Self::Clock => "clock",
        }
    }

    /// Classes by name, separated by commas; `swarm` for all, `calm` for none. Sorted, each once.
    ///
    /// # Errors
    /// A sentence that names what is unknown and what was expected.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let mut classes = Vec::new();
        for word in text.split(',') {
            match word.trim() {
                "calm" => {}
                "swarm" => classes.extend(Self::ALL),
                word => classes.push(*Self::ALL.iter().find(|class| class.name() == word).ok_or_else(|| {
                    format!(
                        "unknown fault class `{word}`; expected calm, process, network, store, clock or swarm, separated \
                         by commas"
                    )
                })?),
            }
        }
        classes.sort_unstable();
        classes.dedup();
        Ok(classes)
    }
}

macro_rules! fault_kinds {
    ($( $(#[$doc:meta])* $class:ident $name:literal $variant:ident { $( $(#[$fdoc:meta])* $field:ident : $type:ty ),* $(,)? } )+) => {
        /// What goes wrong.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum FaultKind { $( $(#[$doc])* $variant { $( $(#[$fdoc])* $field: $type ),* } ),+ }

        impl FaultKind {
            /// Every kind by name, with its class.
            pub const NAMES: &'static [(&'static str, FaultClass)] = &[ $( ($name, FaultClass::$class) ),+ ];

            /// The word for it, in plans and reports.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $( Self::$variant { .. } => $name ),+ }
            }

            /// Its class.
            #[must_use]
            pub const fn class(&self) -> FaultClass {
                match self { $( Self::$variant { .. } => FaultClass::$class ),+ }
            }
        }
    };
}

fault_kinds! {
    /// The process ends and starts again when the fault is over, as a new incarnation. Messages to it are lost meanwhile.
    Process "crash" Crash {
        /// Where.
        node: Place,
        /// Whether its disk survives: the table's entries, a node's image.
        durable: bool,
    }
    /// The process stands still; messages and timers wait. Its clock goes on.
    Process "pause" Pause {
        /// Where.
        node: Place,
    }
    /// The machine sleeps: a pause in which a clock that does not count suspended time stands still too.
    Process "suspend" Suspend {
        /// Where.
        node: Place,
    }
    /// The machine starts over from a copy of another one's disk image.
    Process "clone" Clone {
        /// Which is replaced.
        node: Place,
        /// Whose image it gets.
        of: Place,
    }
    /// All messages of a place, or those in one direction, are lost.
    Network "isolate" Isolate {
        /// Where.
        node: Place,
        /// Which.
        direction: Direction,
    }
    /// Messages of one link in one direction are lost.
    Network "cut" Cut {
        /// From here.
        from: Place,
        /// To there.
        to: Place,
    }
    /// The places of one side and all the others cannot reach each other.
    Network "partition" Partition {
        /// One side.
        side: Vec<Place>,
    }
    /// Messages are lost at random.
    Network "lossy" Lossy {
        /// How many of a million.
        ppm: u32,
    }
    /// Messages arrive twice at random, the second time up to `spread_us` later.
    Network "duplicate" Duplicate {
        /// How many of a million.
        ppm: u32,
        /// How much later at most.
        spread_us: u64,
    }
    /// Messages overtake each other: each is late by up to `spread_us`, drawn for each.
    Network "reorder" Reorder {
        /// How late at most.
        spread_us: u64,
    }
    /// Messages of a place, or those in one direction, are late by `by_us`.
    Network "delay" Delay {
        /// Where.
        node: Place,
        /// Which.
        direction: Direction,
        /// How late.
        by_us: u64,
    }
    /// The store does not carry operations of a place out, and does not answer.
    Store "refuse" Refuse {
        /// Whose; everyone's if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<Place>,
        /// Which.
        access: Access,
    }
    /// The store carries operations of a place out, but its answer is lost.
    Store "lost_ack" LostAck {
        /// Whose; everyone's if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<Place>,
        /// Which.
        access: Access,
    }
    /// Writes of a place are carried out late.
    Store "late" Late {
        /// Whose; everyone's if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<Place>,
        /// How late.
        by_us: u64,
    }
    /// Reads are answered by a replica that lags.
    Store "stale_read" StaleRead {
        /// Whose; everyone's if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<Place>,
        /// How far the replica is behind.
        by_us: u64,
    }
    /// The store answers nobody's writes: `refuse` of all writes of all nodes, as a database in read-only mode does.
    Store "read_only" ReadOnly {}
    /// Answers to a place are damaged: they name the asker as owner, or bring other bytes of a resource. A write so answered
    /// was not carried out.
    Store "corrupt" Corrupt {
        /// Whose; everyone's if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<Place>,
        /// Which.
        access: Access,
    }
    /// A lagging replica is promoted: the state of a while ago comes back, the clock goes on.
    Store "rollback" Rollback {
        /// How far it was behind.
        by_us: u64,
    }
    /// The store restarts empty, after an outage as long as the fault.
    Store "wipe" Wipe {}
    /// T is configured differently while the fault lasts: at the store, or at one node.
    Store "retune" Retune {
        /// Where: the store or a node.
        node: Place,
        /// T meanwhile.
        timeout_us: u64,
    }
    /// A clock runs at another rate. At the store: both its clocks.
    Clock "clock_rate" ClockRate {
        /// Where.
        node: Place,
        /// Parts per million beside true time, from −1,000,000.
        ppm: i32,
    }
    /// A clock steps, and stays so. At the store: its wall clock only.
    Clock "clock_step" ClockStep {
        /// Where.
        node: Place,
        /// By how much.
        by_us: i64,
    }
    /// A clock stands still. At the store: its wall clock only.
    Clock "clock_freeze" ClockFreeze {
        /// Where.
        node: Place,
    }
}

/// One fault of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fault {
    /// Its number in the plan.
    pub id: u32,
    /// What goes wrong, and where.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// When it begins, in true microseconds.
    pub at_us: u64,
    /// How long it lasts, in true microseconds.
    pub for_us: u64,
}

impl Fault {
    /// When it is over.
    #[must_use]
    pub const fn end_us(&self) -> u64 {
        self.at_us.saturating_add(self.for_us)
    }

    /// By how much it delays a message at most.
    #[must_use]
    pub const fn late_us(&self) -> u64 {
        match self.kind {
            FaultKind::Delay { by_us, .. } | FaultKind::Late { by_us, .. } => by_us,
            FaultKind::Duplicate { spread_us, .. } | FaultKind::Reorder { spread_us } => spread_us,
            _ => 0,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |us: u64| us as f64 / 1e6;
        write!(f, "#{} {:.3} s +{:.3} s ", self.id, seconds(self.at_us), seconds(self.for_us))?;
        self.kind.fmt(f)
    }
}

/// The word for it, then its values.
impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let serde_json::Value::Object(fields) = serde_json::to_value(self).map_err(|_| fmt::Error)? else {
            return Ok(());
        };
        for (name, value) in fields.iter().filter(|(name, _)| *name != "kind") {
            write!(f, " {name}={}", value.to_string().replace('"', ""))?;
        }
        Ok(())
    }
}

impl FaultKind {
    /// The places it names.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let mut copy = self.clone();
        copy.places_mut().into_iter().map(|place| *place).collect()
    }

    /// The same fault with `primary` spelled out.
    #[must_use]
    pub fn resolved(&self, primary: Place) -> Self {
        let mut copy = self.clone();
        for place in copy.places_mut() {
            if *place == Place::Primary {
                *place = primary;
            }
        }
        copy
    }

    /// The same, to be changed.
    pub(crate) fn places_mut(&mut self) -> Vec<&mut Place> {
        match self {
            Self::Crash { node, .. }
            | Self::Pause { node }
            | Self::Suspend { node }
            | Self::Isolate { node, .. }
            | Self::Delay { node, .. }
            | Self::Retune { node, .. }
            | Self::ClockRate { node, .. }
            | Self::ClockStep { node, .. }
            | Self::ClockFreeze { node } => vec![node],
            Self::Clone { node, of } => vec![node, of],
            Self::Cut { from, to } => vec![from, to],
            Self::Partition { side } => side.iter_mut().collect(),
            Self::Refuse { node, .. }
            | Self::LostAck { node, .. }
            | Self::Late { node, .. }
            | Self::StaleRead { node, .. }
            | Self::Corrupt { node, .. } => node.iter_mut().collect(),
            Self::Lossy { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::ReadOnly {}
            | Self::Rollback { .. }
            | Self::Wipe {} => Vec::new(),
        }
    }

    /// The time by which its strength is measured, if there is one: how late, how far behind, how long.
    pub(crate) fn span(&self) -> Option<u64> {
        match *self {
            Self::ClockStep { by_us, .. } => Some(by_us.unsigned_abs()),
            _ => self.clone().span_mut().map(|span_us| *span_us),
        }
    }

    /// The same, to be changed, unless it has a sign.
    pub(crate) const fn span_mut(&mut self) -> Option<&mut u64> {
        match self {
            Self::Duplicate { spread_us, .. } | Self::Reorder { spread_us } => Some(spread_us),
            Self::Delay { by_us, .. }
            | Self::Late { by_us, .. }
            | Self::StaleRead { by_us, .. }
            | Self::Rollback { by_us } => Some(by_us),
            Self::Retune { timeout_us, .. } => Some(timeout_us),
            _ => None,
        }
    }

    /// Takes places off the side of a partition, unless nobody would be left there.
    pub(crate) fn leave_side(&mut self, leaves: impl Fn(&Place) -> bool) {
        if let Self::Partition { side } = self
            && !side.iter().all(&leaves)
        {
            side.retain(|place| !leaves(place));
        }
    }

    /// What is wrong with its values, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        let span_us = match *self {
            Self::Duplicate { spread_us, .. } | Self::Reorder { spread_us } => spread_us,
            Self::Delay { by_us, .. }
            | Self::Late { by_us, .. }
            | Self::StaleRead { by_us, .. }
            | Self::Rollback { by_us } => by_us,
            Self::ClockStep { by_us, .. } => by_us.unsigned_abs(),
            Self::Retune { timeout_us, .. } => timeout_us,
            _ => 0,
        };
        if span_us > RUN_US_MAX {
            return Err(format!("{span_us} µs is longer than the longest run, 2000 hours"));
        }
        match self {
            Self::ClockRate { ppm, .. } if !(-1_000_000..=1_000_000).contains(ppm) => {
                Err(format!("ppm is {ppm}; expected -1000000 to 1000000"))
            }
            Self::Lossy { ppm } | Self::Duplicate { ppm, .. } if *ppm > 1_000_000 => {
                Err(format!("ppm is {ppm}; expected at most 1000000"))
            }
            Self::Clone { node, of }
                if [node, of].iter().any(|place| matches!(place, Place::Store | Place::Resource | Place::Center)) =>
            {
                Err("only nodes can be cloned".to_owned())
            }
            Self::Crash { node: Place::Resource, durable: false } => {
                Err("a resource that forgets its seal protects nobody; expected durable: true".to_owned())
            }
            Self::Retune { node: Place::Resource | Place::Center, .. } => {
                Err("only nodes and the store have a timeout; expected one of them".to_owned())
            }
            Self::Retune { timeout_us: 0, .. } => Err("timeout_us is 0; expected more".to_owned()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_they_are_read() {
        let numbered = [Place::Node, Place::Gateway, Place::Server, Place::Client].map(|kind| kind(12));
        for place in numbered.into_iter().chain([Place::Store, Place::Resource, Place::Center, Place::Primary]) {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "n", "x1", "n-1", "n70000", "µ1", "stores"] {
            assert!(text.parse::<Place>().unwrap_err().contains("expected n0"), "{text}");
        }
    }
}
