//! The actions of `Job.tla`, and sets of them.

use crate::seat::{SeatAction, SeatLabels};

/// One action of `Job.tla`. A record of a run bears at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobAction {
    /// A server becomes the owner of the row.
    Claim,
    /// The owner gives the row back.
    Release,
    /// The row tells that the instance is about to be started.
    Intend,
    /// The row tells that it was.
    Adopt,
    /// The attempt is over.
    Close,
    /// The cluster answers how the instance is, and follows nothing older from then on.
    Ask,
    /// What a server sent arrives at the cluster.
    Land,
    /// The owner has verified the resource.
    Fetch,
    /// A server calls the cluster to start the instance.
    SendStart,
    /// A server calls the cluster to stop it.
    SendStop,
    /// A pause begins, or a clock leaves its bound.
    Doubt,
    /// The disturbance and the error it excused are over.
    Trust,
    /// The session of the owner is over.
    Expire,
    /// The owner is heard of again.
    Renew,
    /// A client asks for a stop.
    Cancel,
    /// An instance ends by itself.
    Exit,
    /// What a step of another server, or of an earlier claim, looks like to a server that does not take it.
    Elsewhere,
}

impl JobAction {
    /// Every action, in the order of their indices.
    pub const ALL: [Self; 17] = [
        Self::Claim,
        Self::Release,
        Self::Intend,
        Self::Adopt,
        Self::Close,
        Self::Ask,
        Self::Land,
        Self::Fetch,
        Self::SendStart,
        Self::SendStop,
        Self::Doubt,
        Self::Trust,
        Self::Expire,
        Self::Renew,
        Self::Cancel,
        Self::Exit,
        Self::Elsewhere,
    ];

    /// The name in TLA+, traces and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claim => "Claim",
            Self::Release => "Release",
            Self::Intend => "Intend",
            Self::Adopt => "Adopt",
            Self::Close => "Close",
            Self::Ask => "Ask",
            Self::Land => "Land",
            Self::Fetch => "Fetch",
            Self::SendStart => "SendStart",
            Self::SendStop => "SendStop",
            Self::Doubt => "Doubt",
            Self::Trust => "Trust",
            Self::Expire => "Expire",
            Self::Renew => "Renew",
            Self::Cancel => "Cancel",
            Self::Exit => "Exit",
            Self::Elsewhere => "Elsewhere",
        }
    }

    /// The place in [`JobAction::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether the action may change whom the row names.
    #[must_use]
    pub const fn may_rename(self) -> bool {
        matches!(self, Self::Claim | Self::Release | Self::Close | Self::Elsewhere)
    }

    /// Whether the cluster sees the epoch of the server that takes the step.
    #[must_use]
    pub const fn is_seen_by_cluster(self) -> bool {
        matches!(self, Self::Ask | Self::Land)
    }

    /// The label of the action in the table of one server: its own step, or one without a server.
    #[must_use]
    pub const fn label(self) -> JobLabels {
        JobLabels::of_index(self.index())
    }
}

/// A set of labels of an edge: an action of the server `a`, such as `Claim(a)`, or one without a server.
pub type JobLabels = SeatLabels<JobAction>;

impl SeatAction for JobAction {
    const ALL: &'static [Self] = &Self::ALL;
    const ELSEWHERE: Self = Self::Elsewhere;

    fn name(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self.index()
    }

    fn has_server(self) -> bool {
        !matches!(self, Self::Expire | Self::Renew | Self::Cancel | Self::Exit | Self::Elsewhere)
    }

    /// Whether it is the store's or the cluster's.
    fn is_seen_by_others(self) -> bool {
        !matches!(self, Self::Fetch | Self::SendStart | Self::SendStop | Self::Doubt | Self::Trust)
    }

    fn changes_something(self) -> bool {
        matches!(
            self,
            Self::Doubt | Self::Trust | Self::Expire | Self::Renew | Self::Cancel | Self::Exit | Self::Elsewhere
        )
    }
}
