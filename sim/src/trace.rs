//! The trace of a run: a running hash always, and the records themselves on demand.

use failproof_spec::TraceHash;
use serde::Serialize;

/// One step as a line of NDJSON. Field order is fixed: equal runs give equal bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Numbers the steps of a run, from 0.
    pub step: u64,
    /// When, in true microseconds.
    pub true_us: u64,
    /// Where.
    pub node: String,
    /// Which actor there.
    pub actor: u16,
    /// What the clock there showed.
    pub node_us: u64,
    /// What happened.
    pub cause: String,
    /// The contract action, if it was one.
    pub action: Option<&'static str>,
    /// The refined state afterwards.
    pub state: String,
    /// What the actor asked for.
    pub outputs: Vec<String>,
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

/// Records as NDJSON: one JSON object a line.
#[must_use]
pub fn ndjson(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        // A record holds numbers, strings and lists of strings: nothing that JSON could refuse.
        text += &serde_json::to_string(record).unwrap_or_default();
        text.push('\n');
    }
    text
}
