//! The refined state of one context, as the world sees it.

use super::seat::{SeatState, Who};
use crate::landmark::mix;
use crate::token::Token;

/// What a server would answer a read from.
///
/// Spec: `Contents` in `Context.tla`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Cache {
    /// It keeps nothing.
    #[default]
    None,
    /// It holds every write that a client was told of.
    Current,
    /// It lacks one.
    Stale,
}

/// How far the marked write has come: the newest one that the row has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Write {
    /// There is none, or nobody was told of it and it was covered by another.
    #[default]
    None,
    /// It is in the row.
    Applied,
    /// A client was told that it is.
    Acked,
    /// A client was told so, and it is not.
    Lost,
}

/// One server, relative to one context and its marked write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seat {
    /// The epoch that it was granted, relative to the row's.
    pub token: Token,
    /// What it would answer a read from.
    pub cache: Cache,
    /// Whether it is paused, or its clock is out of its bound.
    pub doubted: bool,
}

/// The variables of `Context.tla`: one context with its marked write.
///
/// The world reads it off its machines and its store, never off the name of the action: the oracle compares the two.
/// Shape: `seats` is indexed by the number of the server; those of servers that do not exist stay as they are by
/// default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContextState {
    /// Whom the row names to serve the context; none before there is a row.
    pub main: Option<u8>,
    /// Whom the row names to take over; the main itself where there is one server only. None like `main`.
    pub backup: Option<u8>,
    /// Whether the heartbeat row of the main is expired.
    pub expired: bool,
    /// How far the marked write has come.
    pub write: Write,
    /// Whose write was the first one of the row's epoch, if there was one.
    pub wrote: Option<u8>,
    /// Whether writes of two servers were accepted in one epoch, ever.
    pub split: bool,
    /// The servers.
    pub seats: [Seat; ContextState::SERVERS],
}

impl Cache {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::None, Self::Current, Self::Stale];

    /// The name in TLA+.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Current => "current",
            Self::Stale => "stale",
        }
    }
}

impl Write {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::None, Self::Applied, Self::Acked, Self::Lost];

    /// The name in TLA+.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Applied => "applied",
            Self::Acked => "acked",
            Self::Lost => "lost",
        }
    }
}

impl ContextState {
    /// How many servers there can be.
    pub const SERVERS: usize = 8;

    /// The state as the server sees it that sits at `server`.
    ///
    /// # Panics
    /// When there is no such seat.
    #[inline]
    #[must_use]
    pub fn seen_by(&self, server: u8) -> SeatState {
        let who = |named| Who::seen_by(server, named);
        let Seat { token, cache, doubted } = self.seats[usize::from(server)];
        SeatState {
            main: who(self.main),
            backup: who(self.backup),
            expired: self.expired,
            token,
            cache,
            doubted,
            write: self.write,
            wrote: who(self.wrote),
            split: self.split,
        }
    }

    /// A number that is the same for states that differ only in who is who: a sum over the seats.
    pub(super) fn digest(&self) -> u64 {
        let row = 1 << 16 | u64::from(self.expired) | (self.write as u64) << 1 | u64::from(self.split) << 3;
        let is = |named: Option<u8>, at: usize| u64::from(named.is_some_and(|named| usize::from(named) == at));
        self.seats.iter().enumerate().fold(mix(row), |digest, (at, seat)| {
            let row = is(self.main, at) | is(self.backup, at) << 1 | is(self.wrote, at) << 2;
            let code = row | (seat.token as u64) << 3 | (seat.cache as u64) << 5 | u64::from(seat.doubted) << 7;
            digest.wrapping_add(mix(code))
        })
    }
}
