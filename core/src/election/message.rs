//! What candidates, the table and the resource say to each other.

use crate::id::{Epoch, Host, Incarnation, Utype};
use crate::time::{Duration, Instant};

/// The entry as the asker last saw it: the optimistic concurrency token of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Token {
    /// Whom the answer named; `None` when it read empty.
    pub incarnation: Option<Incarnation>,
    /// The timestamp that came with it, on the store's wall clock.
    pub stamp: Instant,
    /// The version that came with it.
    pub version: u64,
}

/// An entry as an answer shows it.
///
/// Shape: `incarnation` is `None` for an empty answer; the other fields then tell what the expired entry was, if the
/// store kept it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Row {
    /// Who is named, if the entry is valid.
    pub incarnation: Option<Incarnation>,
    /// Its machine.
    pub host: Host,
    /// Its epoch.
    pub epoch: Epoch,
    /// The number of its last accepted heartbeat.
    pub seq: u32,
    /// Counts the acceptances of this store; larger with each.
    pub version: u64,
    /// When the last heartbeat was accepted, on the store's wall clock.
    pub stamp: Instant,
    /// The term promised with it.
    pub term: Duration,
}

impl Row {
    /// The token that a heartbeat sent on the strength of this row carries.
    #[must_use]
    pub const fn token(&self) -> Token {
        Token { incarnation: self.incarnation, stamp: self.stamp, version: self.version }
    }
}

/// `GetPrimary(utype)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Query {
    /// The kind of leader asked about.
    pub utype: Utype,
    /// Who asks; the table decides nothing by it.
    pub asker: Incarnation,
    /// The asker's request number; the answer repeats it.
    pub tag: u32,
    /// When it was sent, on the asker's clock; the answer repeats it.
    pub sent_at: Instant,
}

/// `UpdateHeartBeat(uuid, utype)`: a claim of an empty entry, or the renewal of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Claim {
    /// The kind of leader.
    pub utype: Utype,
    /// Who claims.
    pub incarnation: Incarnation,
    /// The claimant's machine.
    pub host: Host,
    /// The sender's request number: larger with each heartbeat of an incarnation.
    pub seq: u32,
    /// When it was sent, on the sender's clock; the answer repeats it.
    pub sent_at: Instant,
    /// The epoch held, or [`Epoch::NONE`] for a claim.
    pub epoch: Epoch,
    /// The entry as last seen; `None` if nothing was ever seen.
    pub token: Option<Token>,
}

/// Gives an entry up, after work has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Resign {
    /// The kind of leader.
    pub utype: Utype,
    /// Who resigns.
    pub incarnation: Incarnation,
    /// The epoch given up.
    pub epoch: Epoch,
}

/// The table's answer to a query or a heartbeat: the entry after the request was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Answer {
    /// The kind of leader.
    pub utype: Utype,
    /// Whether a heartbeat is answered; published clients read nothing from such an answer.
    pub to_heartbeat: bool,
    /// The request's number.
    pub tag: u32,
    /// The request's sending time, on the asker's clock.
    pub sent_at: Instant,
    /// The entry.
    pub row: Row,
    /// Over all the fields above.
    pub digest: u32,
}

impl Answer {
    /// The digest that an undamaged answer carries.
    #[inline(always)]
    #[must_use]
    pub fn expected_digest(&self) -> u32 {
        let row = &self.row;
        let who = row.incarnation.map_or((0, 0), |i| (i.mint, u64::from(i.life) + 1));
        let head = u64::from(self.utype.0 & 0xff)
            | u64::from(self.to_heartbeat) << 8
            | u64::from(self.utype.0 >> 8) << 9
            | u64::from(row.host.0) << 16
            | u64::from(self.tag) << 32;
        // Two sums side by side, because each step of one waits for the step before it.
        let left = [head, self.sent_at.as_micros(), row.epoch.as_u64(), row.version, row.term.as_micros()];
        let right = [who.0, who.1, u64::from(row.seq), row.stamp.as_micros(), 0];
        let mut sums = (0x9e37_79b9_7f4a_7c15_u64, 0xc2b2_ae3d_27d4_eb4f_u64);
        for (left, right) in left.into_iter().zip(right) {
            sums.0 = (sums.0 ^ left).wrapping_mul(0xd6e8_feb8_6659_fd93);
            sums.1 = (sums.1 ^ right).wrapping_mul(0xa076_1d64_78bd_642f);
            sums = (sums.0 ^ sums.0 >> 32, sums.1 ^ sums.1 >> 32);
        }
        let sum = sums.0 ^ sums.1.rotate_left(32);
        (sum >> 16) as u32
    }
}

/// All that travels in an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Message {
    /// To the table.
    Query(Query),
    /// To the table.
    Heartbeat(Claim),
    /// To the table.
    Resign(Resign),
    /// From the table.
    Answer(Answer),
    /// To the resource: refuse what is older than this epoch from now on, and say where things stand.
    Seal {
        /// The kind of leader.
        utype: Utype,
        /// The new primary's epoch.
        epoch: Epoch,
    },
    /// From the resource: sealed.
    Sealed {
        /// The kind of leader.
        utype: Utype,
        /// The epoch of the request.
        epoch: Epoch,
        /// The last operation that was accepted.
        last: u64,
    },
    /// To the resource: one operation of a primary.
    Operate {
        /// The kind of leader.
        utype: Utype,
        /// The epoch under which it was issued.
        epoch: Epoch,
        /// The issuer's number for it.
        number: u32,
    },
    /// From the resource: an operation or a seal came too late.
    Refused {
        /// The kind of leader.
        utype: Utype,
        /// The epoch of the request.
        epoch: Epoch,
    },
}
