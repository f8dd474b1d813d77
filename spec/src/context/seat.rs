//! The state of one context seen by one server, packed in a small integer.

use core::fmt;
use core::str::FromStr;

use super::state::{Cache, Write};
use crate::token::Token;

pub use crate::seat::Who;

/// The variables of `Context.tla` for one server.
///
/// Shape: written as `main=a backup=other expired=no token=open cache=none doubted=no write=none wrote=- split=no`. What
/// else was done wrong is no part of it: the strict contract forbids it, and the permissive one does not follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SeatState {
    /// Whom the row names to serve.
    pub main: Who,
    /// Whom it names to take over.
    pub backup: Who,
    /// Whether the main's heartbeat row is expired.
    pub expired: bool,
    /// The server's epoch.
    pub token: Token,
    /// Its cache.
    pub cache: Cache,
    /// Whether its time is disturbed.
    pub doubted: bool,
    /// How far the marked write has come.
    pub write: Write,
    /// Whose write was the first one of the row's epoch.
    pub wrote: Who,
    /// Whether writes of two servers were accepted in one epoch.
    pub split: bool,
}

/// A [`SeatState`] as an integer below [`SeatCode::COUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatCode(u16);

impl SeatState {
    /// The state as a small integer; the initial state is zero.
    #[inline]
    #[must_use]
    pub const fn code(self) -> SeatCode {
        let code = self.main as u16;
        let code = code * 3 + self.backup as u16;
        let code = code * 2 + self.expired as u16;
        let code = code * 3 + self.token as u16;
        let code = code * 3 + self.cache as u16;
        let code = code * 2 + self.doubted as u16;
        let code = code * 4 + self.write as u16;
        let code = code * 3 + self.wrote as u16;
        SeatCode(code * 2 + self.split as u16)
    }

    /// The state without what the permissive contract leaves out.
    ///
    /// Spec: `Follows = FALSE` in `Context.tla`.
    #[must_use]
    pub const fn unfollowed(self) -> Self {
        Self { expired: false, doubted: false, wrote: Who::Nobody, split: false, ..self }
    }

    /// Whether the row names the server and its epoch is the row's.
    #[must_use]
    pub fn is_owner(self) -> bool {
        self.main == Who::Seat && self.token == Token::Open
    }

    /// Whether the row names the server.
    #[must_use]
    pub fn is_named(self) -> bool {
        self.main == Who::Seat || self.backup == Who::Seat
    }
}

impl SeatCode {
    /// How many well-typed states there are.
    pub const COUNT: usize = 3 * 3 * 2 * 3 * 3 * 2 * 4 * 3 * 2;

    /// Every code, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(|code| Self(u16::try_from(code).expect("fewer than 65536 codes")))
    }

    /// The code as an index.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The state that it stands for.
    #[must_use]
    pub fn state(self) -> SeatState {
        let mut rest = self.0 as usize;
        let mut next = |radix: usize| {
            let digit = rest % radix;
            rest /= radix;
            digit
        };
        let split = next(2) == 1;
        let wrote = Who::ALL[next(3)];
        let write = Write::ALL[next(4)];
        let doubted = next(2) == 1;
        let cache = Cache::ALL[next(3)];
        let token = Token::ALL[next(3)];
        let expired = next(2) == 1;
        let backup = Who::ALL[next(3)];
        let main = Who::ALL[next(3)];
        SeatState { main, backup, expired, token, cache, doubted, write, wrote, split }
    }
}

impl fmt::Display for SeatState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bit = |bit| if bit { "yes" } else { "no" };
        write!(
            f,
            "main={} backup={} expired={} token={} cache={} doubted={} write={} wrote={} split={}",
            self.main.name(),
            self.backup.name(),
            bit(self.expired),
            self.token.name(),
            self.cache.name(),
            bit(self.doubted),
            self.write.name(),
            self.wrote.name(),
            bit(self.split)
        )
    }
}

impl FromStr for SeatState {
    type Err = &'static str;

    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// Says which field was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let mut field = |key: &str| words.next()?.strip_prefix(key)?.strip_prefix('=');
        let who = |name: &str| Who::ALL.into_iter().find(|who| who.name() == name);
        let bit = |name: &str| [("no", false), ("yes", true)].into_iter().find(|(bit, _)| *bit == name);
        let bit = |name: &str| bit(name).map(|(_, bit)| bit);
        let state = Self {
            main: field("main").and_then(who).ok_or("main=- or a or other")?,
            backup: field("backup").and_then(who).ok_or("backup=- or a or other")?,
            expired: field("expired").and_then(bit).ok_or("expired=yes or no")?,
            token: field("token").and_then(Token::from_name).ok_or("token=none or open or fenced")?,
            cache: field("cache")
                .and_then(|name| Cache::ALL.into_iter().find(|cache| cache.name() == name))
                .ok_or("cache=none or current or stale")?,
            doubted: field("doubted").and_then(bit).ok_or("doubted=yes or no")?,
            write: field("write")
                .and_then(|name| Write::ALL.into_iter().find(|write| write.name() == name))
                .ok_or("write=none or applied or acked or lost")?,
            wrote: field("wrote").and_then(who).ok_or("wrote=- or a or other")?,
            split: field("split").and_then(bit).ok_or("split=yes or no")?,
        };
        if words.next().is_some() {
            return Err("nothing after split=");
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_text_are_read_back_as_written() {
        for code in SeatCode::all() {
            let state = code.state();
            assert_eq!(state.code(), code);
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!(SeatState::default().code().index(), 0);
    }

    #[test]
    fn a_damaged_state_names_the_field() {
        let text = SeatState::default().to_string();
        assert_eq!(
            text.replace("write=none", "write=gone").parse::<SeatState>(),
            Err("write=none or applied or acked or lost")
        );
        assert_eq!(format!("{text} more=no").parse::<SeatState>(), Err("nothing after split="));
    }
}
