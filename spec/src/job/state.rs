//! The refined state of one attempt of a job, as the world sees it.

use super::seat::JobSeatState;
use crate::landmark::mix;
use crate::seat::Who;

/// How far the row says that the attempt has come.
///
/// Spec: `row` in `Job.tla`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Row {
    /// Nobody owns it, and nothing was begun.
    #[default]
    Pending,
    /// Somebody owns it, and nothing was begun.
    Claimed,
    /// The instance is about to be started.
    Starting,
    /// It was started.
    Running,
    /// The attempt is over; the row is about the next one, or gone.
    Over,
}

/// The newest claim of a server, relative to the row and to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum JobToken {
    /// There is none.
    #[default]
    None,
    /// Its epoch is the row's.
    Current,
    /// It is not, but the cluster saw no newer one of the job.
    Old,
    /// The cluster saw a newer one.
    Fenced,
}

/// The last that a server sent to the cluster in its newest claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Flight {
    /// Nothing.
    #[default]
    None,
    /// Starts only.
    Start,
    /// A stop, perhaps after a start that may still arrive.
    Stop,
}

/// What the cluster knows of the instance name.
///
/// Invariant: what was started is used, no more live than were started, and more than two starts count as two; see
/// [`Instance::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instance {
    /// The cluster starts it no more.
    pub used: bool,
    /// How often it did.
    pub starts: u8,
    /// How many live.
    pub live: u8,
}

/// One server, relative to one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JobSeat {
    /// Its newest claim.
    pub token: JobToken,
    /// What it sent in that claim.
    pub flight: Flight,
    /// It owns the row before the start, and has verified the resource.
    pub ready: bool,
    /// It is paused, or its clock is out of its bound.
    pub doubted: bool,
}

/// The variables of `Job.tla`: one attempt of one job, which is one instance name.
///
/// The world reads it off its machines, its store and its cluster, never off the name of the action: the oracle compares
/// the two. Once the attempt is over, whose claims there are is forgotten: owner, tokens, `ready` and `cancel` stay empty.
/// Shape: `seats` is indexed by the number of the server; those of servers that do not exist stay as they are by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JobState {
    /// Whom the row names to run the job.
    pub owner: Option<u8>,
    /// How far the row says that the attempt has come.
    pub row: Row,
    /// Whether the session of the owner is over.
    pub expired: bool,
    /// Whether somebody asked for a stop.
    pub cancel: bool,
    /// What the cluster knows of the name.
    pub instance: Instance,
    /// Whether the instance was ever changed by an epoch older than the newest that the cluster saw of the job.
    pub stale: bool,
    /// The servers.
    pub seats: [JobSeat; JobState::SERVERS],
}

impl Row {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Claimed, Self::Starting, Self::Running, Self::Over];

    /// The name in TLA+.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Over => "over",
        }
    }
}

impl JobToken {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::None, Self::Current, Self::Old, Self::Fenced];

    /// The name in TLA+.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Current => "current",
            Self::Old => "old",
            Self::Fenced => "fenced",
        }
    }
}

impl Flight {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::None, Self::Start, Self::Stop];

    /// The name in TLA+.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

impl Instance {
    /// Every one there is, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self { used: false, starts: 0, live: 0 },
        Self { used: true, starts: 0, live: 0 },
        Self { used: true, starts: 1, live: 0 },
        Self { used: true, starts: 1, live: 1 },
        Self { used: true, starts: 2, live: 0 },
        Self { used: true, starts: 2, live: 1 },
        Self { used: true, starts: 2, live: 2 },
    ];

    /// The place in [`Instance::ALL`].
    ///
    /// # Panics
    /// When it is none of these.
    #[inline]
    #[must_use]
    pub const fn code(self) -> u16 {
        match (self.used, self.starts, self.live) {
            (false, 0, 0) => 0,
            (true, 0, 0) => 1,
            (true, 1, live @ 0..=1) => 2 + live as u16,
            (true, 2, live @ 0..=2) => 4 + live as u16,
            _ => panic!("an instance lives or starts that nobody knows"),
        }
    }

    /// Whether the cluster will never run it again.
    ///
    /// Spec: `Quiet` in `Job.tla`, of a row that tells of a start.
    #[must_use]
    pub const fn is_over(self) -> bool {
        self.used && self.live == 0
    }
}

impl JobState {
    /// How many servers there can be.
    pub const SERVERS: usize = 8;

    /// The state as the server sees it that sits at `server`.
    ///
    /// # Panics
    /// When there is no such seat.
    #[inline]
    #[must_use]
    pub fn seen_by(&self, server: u8) -> JobSeatState {
        let JobSeat { token, flight, ready, doubted } = self.seats[usize::from(server)];
        JobSeatState {
            owner: Who::seen_by(server, self.owner),
            row: self.row,
            expired: self.expired,
            token,
            flight,
            ready,
            cancel: self.cancel,
            doubted,
            instance: self.instance,
            stale: self.stale,
        }
    }

    /// Whether a start or a stop may be under way: the row told of it before.
    ///
    /// Spec: `Intended` in `Job.tla`.
    #[must_use]
    pub const fn is_intended(&self) -> bool {
        intended(self.row, self.instance)
    }

    /// The servers that called the cluster in the row's epoch, or in none.
    ///
    /// Spec: `Executors` in `Job.tla`.
    pub fn executors(&self) -> impl Iterator<Item = u8> {
        let executes =
            |seat: &JobSeat| seat.flight != Flight::None && matches!(seat.token, JobToken::None | JobToken::Current);
        (0_u8..).zip(self.seats).filter(move |(_, seat)| executes(seat)).map(|(at, _)| at)
    }

    /// A number that is the same for states that differ only in who is who: a sum over the seats.
    pub(super) fn digest(&self) -> u64 {
        let bits = u64::from(self.expired) | u64::from(self.cancel) << 1 | u64::from(self.stale) << 2;
        let row = 1 << 16 | bits | (self.row as u64) << 3 | u64::from(self.instance.code()) << 6;
        self.seats.iter().enumerate().fold(mix(row), |digest, (at, seat)| {
            let bits = u64::from(self.owner.is_some_and(|owner| usize::from(owner) == at))
                | u64::from(seat.ready) << 1
                | u64::from(seat.doubted) << 2;
            digest.wrapping_add(mix(bits | (seat.token as u64) << 3 | (seat.flight as u64) << 5))
        })
    }
}

/// Whether a start or a stop may be under way, where the row says so and the instance is like this.
pub(super) const fn intended(row: Row, instance: Instance) -> bool {
    matches!(row, Row::Starting | Row::Running) || matches!(row, Row::Over) && instance.used
}
