//! The trace of a run: a running hash always, and the records themselves on demand.

pub mod header;
pub mod itf;

use crate::note::state::map_of;
use crate::note::{Field, Note};
use failproof_spec::TraceHash;
use serde::{Serialize, Serializer};
use std::fmt;

/// One step as a line of NDJSON. Field order is fixed: equal runs give equal bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Numbers the steps of a run, from 0.
    pub step: u64,
    /// When, in true microseconds.
    pub true_us: u64,
    /// Where; `world` for what the environment does.
    pub node: String,
    /// Which actor there; none for the environment.
    pub actor: Option<u16>,
    /// What the clock there showed.
    pub node_us: u64,
    /// What the store's clock showed: the steady one.
    pub store_us: u64,
    /// What happened.
    pub cause: String,
    /// Which message it was, if one arrived.
    pub received: Option<Received>,
    /// The contract action, if it was one.
    pub action: Option<&'static str>,
    /// The refined state afterwards.
    pub state: Refined,
    /// What the actor asked for.
    pub outputs: Vec<String>,
    /// What it sent, and what becomes of that.
    pub sent: Vec<Sent>,
    /// All that the judge and the world noted, in order.
    pub notes: Vec<Note>,
}

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The number of the actor that sent it.
    pub source: u16,
    /// Its number on the link from there, even; a second copy has the next one.
    pub number: u32,
    /// What kind of message it is, in a word.
    pub word: &'static str,
    /// What the store did about it, if a fault kept it from serving.
    pub fate: Option<&'static str>,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The number of the actor that it is for.
    pub target: u16,
    /// Its number on the link to there, even; a second copy has the next one.
    pub number: u32,
    /// What kind of message it is, in a word.
    pub word: &'static str,
    /// When it arrives, in true microseconds, unless nobody is there then; never if it is lost.
    pub arrives_us: Option<u64>,
    /// When a second copy does.
    pub again_us: Option<u64>,
    /// Whether no way leads there.
    pub cut: bool,
}

/// The refined state of an actor: the variables of the contract that are its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refined(pub Vec<Field>);

impl fmt::Display for Refined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&words.join(" "))
    }
}

impl Serialize for Refined {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map_of(&self.0, serializer)
    }
}

/// The trace of one run.
#[derive(Debug, Default)]
pub struct Trace {
    hash: TraceHash,
    steps: u64,
    records: Option<Vec<Record>>,
}

impl Trace {
    /// An empty trace, that keeps records if asked to.
    #[must_use]
    pub fn new(record: bool) -> Self {
        Self { hash: TraceHash::default(), steps: 0, records: record.then(Vec::new) }
    }

    /// Whether records are kept.
    #[must_use]
    pub const fn records_kept(&self) -> bool {
        self.records.is_some()
    }

    /// How many steps were taken.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Adds a step by its words.
    pub fn add(&mut self, words: &[u64]) {
        self.hash.update(words);
        self.steps += 1;
    }

    /// Keeps a record of the step that was added last.
    pub fn keep(&mut self, record: Record) {
        if let Some(records) = &mut self.records {
            records.push(record);
        }
    }

    /// The record that was kept last, to say more about its step.
    pub fn last_mut(&mut self) -> Option<&mut Record> {
        self.records.as_mut()?.last_mut()
    }

    /// The hash of all steps.
    #[must_use]
    pub fn hash(&self) -> u128 {
        self.hash.finish()
    }

    /// The records, if they were kept.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.records.unwrap_or_default()
    }
}

/// Records as NDJSON: one JSON object a line, after a first one that says what run they are of.
#[must_use]
pub fn ndjson(header: &header::Header, records: &[Record]) -> String {
    let mut text = line(header);
    for record in records {
        text += &line(record);
    }
    text
}

/// Numbers, strings, and lists and maps of them: nothing that JSON could refuse.
fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}
