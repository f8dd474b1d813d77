//! Places in a log, and whether one that was noted once is still a place of the log that is there now.

use alloc::vec::Vec;

/// Which log: another one when it was created anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct LogId(pub u64);

/// How often the log lost its end: after that, its offsets stand for other records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct LogEpoch(pub u32);

/// How many records stand before one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Offset(pub u64);

impl Offset {
    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The point between two records: all before `offset` are taken in, as they were in `epoch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Position {
    /// The log.
    pub log: LogId,
    /// The epoch in which it was read.
    pub epoch: LogEpoch,
    /// The next record.
    pub offset: Offset,
}

/// Why nothing can follow a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Misplaced {
    /// It is one of another log.
    #[error("the position belongs to another log")]
    OtherLog,
    /// The log lost records that were taken in, or others stand there now.
    #[error("the log lost records before the position")]
    Diverged,
    /// It lies beyond what whoever was asked knows. The log itself cannot be meant: it would have diverged.
    #[error("the position lies in the future")]
    Future,
}

/// A log's id and its epochs.
///
/// Shape: one entry for each epoch, the offset at which it began: what stood there and later was lost. Epochs count
/// from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Lineage {
    log: LogId,
    begins: Vec<Offset>,
}

impl Lineage {
    /// A log that lost nothing so far.
    #[must_use]
    pub fn new(log: LogId) -> Self {
        Self { log, begins: Vec::from([Offset(0)]) }
    }

    /// Which log it is.
    #[must_use]
    pub const fn log(&self) -> LogId {
        self.log
    }

    /// The present epoch.
    #[must_use]
    pub fn epoch(&self) -> LogEpoch {
        LogEpoch(self.begins.len() as u32 - 1)
    }

    /// Begins a new epoch: everything from this offset on is lost.
    pub fn begin(&mut self, at: Offset) {
        self.begins.push(at);
    }

    /// A position in the present epoch.
    #[must_use]
    pub fn at(&self, offset: Offset) -> Position {
        Position { log: self.log, epoch: self.epoch(), offset }
    }

    /// Up to where what stood before a position is still there, or was not there yet.
    #[must_use]
    pub fn kept(&self, position: Position) -> Offset {
        let later = self.begins.iter().skip(position.epoch.0 as usize + 1);
        later.copied().fold(position.offset, Offset::min)
    }

    /// Whether all that stands before a position is still there, when the log, or the fold of it, ends at `end`.
    ///
    /// # Errors
    /// Why not, as [`Misplaced`] says. The order matters: of another log nothing else can be said.
    pub fn place(&self, position: Position, end: Offset) -> Result<(), Misplaced> {
        if position.log != self.log {
            return Err(Misplaced::OtherLog);
        }
        if self.kept(position) < position.offset {
            return Err(Misplaced::Diverged);
        }
        if position.epoch > self.epoch() || position.offset > end {
            return Err(Misplaced::Future);
        }
        Ok(())
    }
}
