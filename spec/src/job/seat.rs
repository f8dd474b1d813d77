//! The state of one attempt of a job seen by one server, packed in a small integer.

use core::fmt;
use core::str::FromStr;

use super::state::{Flight, Instance, JobToken, Row, intended};
use crate::seat::Who;

/// The variables of `Job.tla` for one server.
///
/// Shape: written as `owner=a row=starting expired=no token=current flight=start ready=no cancel=no doubted=no used=yes
/// starts=1 live=1 stale=no`, in one line. What else was done wrong is no part of it: the strict contract forbids it, and
/// the permissive one does not follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JobSeatState {
    /// Whom the row names.
    pub owner: Who,
    /// How far the row says that the attempt has come.
    pub row: Row,
    /// Whether the session of the owner is over.
    pub expired: bool,
    /// The server's newest claim.
    pub token: JobToken,
    /// What it sent in that claim.
    pub flight: Flight,
    /// Whether it owns the row before the start, and has verified the resource.
    pub ready: bool,
    /// Whether somebody asked for a stop.
    pub cancel: bool,
    /// Whether the server's time is disturbed.
    pub doubted: bool,
    /// What the cluster knows of the name.
    pub instance: Instance,
    /// Whether an older epoch changed the instance after the cluster saw a newer one.
    pub stale: bool,
}

/// A [`JobSeatState`] as an integer below [`JobSeatCode::COUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobSeatCode(u16);

impl JobSeatState {
    /// The state as a small integer; the initial state is zero.
    #[inline]
    #[must_use]
    pub const fn code(self) -> JobSeatCode {
        let code = self.owner as u16;
        let code = code * 5 + self.row as u16;
        let code = code * 2 + self.expired as u16;
        let code = code * 4 + self.token as u16;
        let code = code * 3 + self.flight as u16;
        let code = code * 2 + self.ready as u16;
        let code = code * 2 + self.cancel as u16;
        let code = code * 2 + self.doubted as u16;
        let code = code * 7 + self.instance.code();
        JobSeatCode(code * 2 + self.stale as u16)
    }

    /// The state without what the permissive contract leaves out.
    ///
    /// Spec: `Follows = FALSE` in `Job.tla`.
    #[must_use]
    pub const fn unfollowed(self) -> Self {
        Self { expired: false, flight: Flight::None, ready: false, cancel: false, doubted: false, stale: false, ..self }
    }

    /// Whether the row names the server and its epoch is the row's.
    #[must_use]
    pub fn is_owner(self) -> bool {
        self.owner == Who::Seat && self.token == JobToken::Current
    }

    /// Whether the row can be claimed.
    ///
    /// Spec: `Free` in `Job.tla`.
    #[must_use]
    pub fn is_free(self) -> bool {
        self.owner == Who::Nobody || self.expired
    }

    /// Whether the server calls the cluster, as far as it can tell.
    ///
    /// Spec: `MayCall` in `Job.tla`.
    #[must_use]
    pub fn may_call(self) -> bool {
        if self.doubted {
            self.token != JobToken::None || self.row == Row::Over
        } else {
            self.is_owner() && !self.expired
        }
    }

    /// Whether a start or a stop may be under way.
    ///
    /// Spec: `Intended` in `Job.tla`.
    #[must_use]
    pub const fn is_intended(self) -> bool {
        intended(self.row, self.instance)
    }

    /// Whether the instance is not alive and never will be.
    ///
    /// Spec: `Quiet` in `Job.tla`.
    #[must_use]
    pub const fn is_quiet(self) -> bool {
        matches!(self.row, Row::Pending | Row::Claimed) || self.instance.is_over()
    }

    /// Whether a stop does no harm.
    ///
    /// Spec: `StopIsAsked` in `Job.tla`.
    #[must_use]
    pub fn is_stop_asked(self) -> bool {
        self.cancel || self.row == Row::Over
    }
}

impl JobSeatCode {
    /// How many well-typed states there are.
    pub const COUNT: usize = 3 * 5 * 2 * 4 * 3 * 2 * 2 * 2 * 7 * 2;

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
    pub fn state(self) -> JobSeatState {
        let mut rest = self.0 as usize;
        let mut next = |radix: usize| {
            let digit = rest % radix;
            rest /= radix;
            digit
        };
        let stale = next(2) == 1;
        let instance = Instance::ALL[next(7)];
        let doubted = next(2) == 1;
        let cancel = next(2) == 1;
        let ready = next(2) == 1;
        let flight = Flight::ALL[next(3)];
        let token = JobToken::ALL[next(4)];
        let expired = next(2) == 1;
        let row = Row::ALL[next(5)];
        let owner = Who::ALL[next(3)];
        JobSeatState { owner, row, expired, token, flight, ready, cancel, doubted, instance, stale }
    }
}

impl fmt::Display for JobSeatState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bit = |bit| if bit { "yes" } else { "no" };
        write!(
            f,
            "owner={} row={} expired={} token={} flight={} ready={} cancel={} doubted={} used={} starts={} live={} stale={}",
            self.owner.name(),
            self.row.name(),
            bit(self.expired),
            self.token.name(),
            self.flight.name(),
            bit(self.ready),
            bit(self.cancel),
            bit(self.doubted),
            bit(self.instance.used),
            self.instance.starts,
            self.instance.live,
            bit(self.stale)
        )
    }
}

impl FromStr for JobSeatState {
    type Err = &'static str;

    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// Says which field was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let mut field = |key: &str| words.next()?.strip_prefix(key)?.strip_prefix('=');
        let bit = |name: &str| [("no", false), ("yes", true)].into_iter().find(|(bit, _)| *bit == name);
        let bit = |name: &str| bit(name).map(|(_, bit)| bit);
        let state = Self {
            owner: field("owner")
                .and_then(|name| Who::ALL.into_iter().find(|who| who.name() == name))
                .ok_or("owner=- or a or other")?,
            row: field("row")
                .and_then(|name| Row::ALL.into_iter().find(|row| row.name() == name))
                .ok_or("row=pending or claimed or starting or running or over")?,
            expired: field("expired").and_then(bit).ok_or("expired=yes or no")?,
            token: field("token")
                .and_then(|name| JobToken::ALL.into_iter().find(|token| token.name() == name))
                .ok_or("token=none or current or old or fenced")?,
            flight: field("flight")
                .and_then(|name| Flight::ALL.into_iter().find(|flight| flight.name() == name))
                .ok_or("flight=none or start or stop")?,
            ready: field("ready").and_then(bit).ok_or("ready=yes or no")?,
            cancel: field("cancel").and_then(bit).ok_or("cancel=yes or no")?,
            doubted: field("doubted").and_then(bit).ok_or("doubted=yes or no")?,
            instance: Instance {
                used: field("used").and_then(bit).ok_or("used=yes or no")?,
                starts: field("starts").and_then(|count| count.parse().ok()).ok_or("starts=0 or 1 or 2")?,
                live: field("live").and_then(|count| count.parse().ok()).ok_or("live=0 or 1 or 2")?,
            },
            stale: field("stale").and_then(bit).ok_or("stale=yes or no")?,
        };
        if words.next().is_some() {
            return Err("nothing after stale=");
        }
        if !Instance::ALL.contains(&state.instance) {
            return Err("an instance that is used when it was started, and lives no more often than that");
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_text_are_read_back_as_written() {
        for code in JobSeatCode::all() {
            let state = code.state();
            assert_eq!(state.code(), code);
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!(JobSeatState::default().code().index(), 0);
    }

    #[test]
    fn a_damaged_state_names_the_field() {
        let text = JobSeatState::default().to_string();
        let read = |text: String| text.parse::<JobSeatState>();
        assert_eq!(read(text.replace("flight=none", "flight=off")), Err("flight=none or start or stop"));
        assert_eq!(read(format!("{text} more=no")), Err("nothing after stale="));
        assert!(read(text.replace("live=0", "live=1")).is_err_and(|why| why.contains("lives no more often")));
    }
}
