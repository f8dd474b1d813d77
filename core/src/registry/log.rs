//! The event log: what the registry asks of it, as a value.
//!
//! Records have offsets without gaps. Appending is idempotent by producer and number, readers get bounded pages, and a
//! compaction folds the oldest records into a [`Catalog`], the snapshot. An unclean failover loses the newest records
//! and begins a new epoch, so that an offset in itself names nothing.

use super::catalog::Catalog;
use super::event::{Entry, Record};
use super::position::{Lineage, LogId, Misplaced, Offset, Position};
use super::rules::Rules;
use crate::id::Incarnation;
use crate::time::Instant;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

/// How many records a page holds at most.
pub const PAGE_MAX: usize = 256;

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Appended {
    /// The record stands there now.
    At(Offset),
    /// It stood there before: it was the producer's last one.
    Again(Offset),
    /// It was appended before the producer's last one.
    Earlier,
}

/// Why a record was not appended. Nothing is changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum AppendError {
    /// Records of this producer are missing before it: they are on their way, or the log lost them.
    #[error("the producer's next record is number {expected}")]
    Missing {
        /// The number that is to come next.
        expected: u64,
    },
}

/// Why a page cannot be read from a position. The reader is to load the snapshot, except from the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ReadError {
    /// The position is none of this log.
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    /// The next record was compacted.
    #[error("records before {first:?} are compacted")]
    Compacted {
        /// The first record that is left.
        first: Offset,
    },
}

/// Records in their order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Page {
    /// The log's epochs when it was read.
    pub lineage: Lineage,
    /// The records, the first of which stands at the position that was asked for.
    pub records: Vec<Record>,
    /// The position after the last record that the log holds.
    pub end: Offset,
}

/// What is remembered of a producer: its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Last {
    number: u64,
    offset: Offset,
}

/// The log.
///
/// Shape: `base` is the fold of what was compacted; `records` follow without a gap. Of each producer the last record is
/// remembered for ever: there is one for each start of a controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EventLog {
    lineage: Lineage,
    base: Catalog,
    base_producers: BTreeMap<Incarnation, Last>,
    records: VecDeque<Record>,
    producers: BTreeMap<Incarnation, Last>,
}

impl EventLog {
    /// An empty log. Its snapshots are folded by these rules, and keep the tombstones of the last `tombstones` records.
    #[must_use]
    pub fn new(rules: Rules, log: LogId, tombstones: u64) -> Self {
        Self {
            lineage: Lineage::new(log),
            base: Catalog::new(rules, log, tombstones),
            base_producers: BTreeMap::new(),
            records: VecDeque::new(),
            producers: BTreeMap::new(),
        }
    }

    /// The position before the first record that is left.
    #[must_use]
    pub fn begin(&self) -> Position {
        self.lineage.at(self.base.offset())
    }

    /// The position after the last record.
    #[must_use]
    pub fn end(&self) -> Position {
        self.lineage.at(Offset(self.base.offset().0 + self.records.len() as u64))
    }

    /// The fold of all that was compacted.
    #[must_use]
    pub const fn snapshot(&self) -> &Catalog {
        &self.base
    }

    /// Appends the producer's record with this number, which counts from 1.
    ///
    /// # Errors
    /// [`AppendError::Missing`] if one before it is missing. Nothing is changed.
    pub fn append(
        &mut self,
        producer: Incarnation,
        number: u64,
        stamped_at: Instant,
        entry: Entry,
    ) -> Result<Appended, AppendError> {
        let last = self.producers.get(&producer);
        let expected = last.map_or(0, |last| last.number) + 1;
        match last {
            Some(last) if last.number == number => return Ok(Appended::Again(last.offset)),
            _ if number < expected => return Ok(Appended::Earlier),
            _ if number > expected => return Err(AppendError::Missing { expected }),
            _ => {}
        }
        let offset = self.end().offset;
        self.records.push_back(Record { offset, producer, number, stamped_at, entry });
        self.producers.insert(producer, Last { number, offset });
        Ok(Appended::At(offset))
    }

    /// Up to `max` records from a position on, and no more than [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`ReadError::Misplaced`] if the position is none of this log any more, [`ReadError::Compacted`] if the next
    /// record is only in the snapshot.
    pub fn read(&self, from: Position, max: usize) -> Result<Page, ReadError> {
        let end = self.end().offset;
        self.lineage.place(from, end)?;
        let first = self.base.offset();
        if from.offset < first {
            return Err(ReadError::Compacted { first });
        }
        let skipped = (from.offset.0 - first.0) as usize;
        let records = self.records.iter().skip(skipped).take(max.min(PAGE_MAX)).copied().collect();
        Ok(Page { lineage: self.lineage.clone(), records, end })
    }

    /// Folds the records before `to` into the snapshot and forgets them.
    pub fn compact(&mut self, to: Offset) {
        while let Some(record) = self.records.front().filter(|record| record.offset < to) {
            self.base.fold(record);
            self.base_producers.insert(record.producer, Last { number: record.number, offset: record.offset });
            self.records.pop_front();
        }
    }

    /// Fails over to a replica that lacks the newest `lost` records; what was compacted is on all of them. Returns what
    /// was lost. Their producers are not told: the next number of theirs is refused.
    pub fn fail_over(&mut self, lost: usize) -> Vec<Record> {
        let kept = self.records.len().saturating_sub(lost);
        let lost = self.records.split_off(kept).into();
        self.lineage.begin(self.end().offset);
        self.base.adopt(&self.lineage);
        self.producers = self.base_producers.clone();
        for record in &self.records {
            self.producers.insert(record.producer, Last { number: record.number, offset: record.offset });
        }
        lost
    }
}
