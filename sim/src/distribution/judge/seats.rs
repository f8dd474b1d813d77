//! Which servers the oracle is told of, row by row: as many as the contract has seats.
//!
//! Where there are more servers, a seat is for who has to do with the row; an empty one looks like all others, who have not.

use failproof_core::Host;
use failproof_spec::job::JobState;

/// Who sits where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seats([Option<Host>; JobState::SERVERS]);

impl Seats {
    /// Each server has the seat of its own number, if there are enough seats; else they are empty.
    pub(super) fn new(servers: u16) -> Self {
        let enough = usize::from(servers) <= JobState::SERVERS;
        Self(std::array::from_fn(|seat| Some(Host(seat as u16)).filter(|host| enough && host.0 < servers)))
    }

    /// How many seats the oracle has to look at.
    pub(super) fn count(servers: u16) -> u8 {
        usize::from(servers).min(JobState::SERVERS) as u8
    }

    /// Who sits at a seat.
    pub(super) fn at(&self, seat: usize) -> Option<Host> {
        self.0[seat]
    }

    /// The seat of a server, if it has one.
    pub(super) fn of(&self, server: Host) -> Option<u8> {
        self.0.iter().position(|at| *at == Some(server)).map(|seat| seat as u8)
    }

    /// An empty seat.
    pub(super) fn empty(&self) -> Option<u8> {
        self.0.iter().position(Option::is_none).map(|seat| seat as u8)
    }

    /// A server takes a seat; whoever had it has none any more.
    pub(super) fn take(&mut self, seat: u8, server: Host) {
        self.0[usize::from(seat)] = Some(server);
    }

    /// As a state of the contract names them.
    pub(super) const fn all(&self) -> [Option<Host>; JobState::SERVERS] {
        self.0
    }
}
