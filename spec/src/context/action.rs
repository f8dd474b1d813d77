//! The actions of `Context.tla`, and sets of them.

use crate::seat::{SeatAction, SeatLabels};

/// One action of `Context.tla`. A record of a run bears at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContextAction {
    /// The row appears.
    Create,
    /// The main owns its context anew.
    Grant,
    /// The backup becomes main.
    Take,
    /// The owner hands the context over to the backup.
    Give,
    /// The owner names another backup.
    Repair,
    /// A server fills its cache from the row.
    Load,
    /// The store accepts a write.
    Apply,
    /// A client is told that the marked write is done.
    Ack,
    /// A server answers a read from its cache.
    Read,
    /// A server drops its cache.
    Forget,
    /// A pause begins, or a clock leaves its bound.
    Doubt,
    /// The disturbance and the error it excused are over.
    Trust,
    /// The main's heartbeat row expires.
    Expire,
    /// The main is heard of again.
    Renew,
    /// What a step of another server looks like to one that does not take it.
    Elsewhere,
}

impl ContextAction {
    /// Every action, in the order of their indices.
    pub const ALL: [Self; 15] = [
        Self::Create,
        Self::Grant,
        Self::Take,
        Self::Give,
        Self::Repair,
        Self::Load,
        Self::Apply,
        Self::Ack,
        Self::Read,
        Self::Forget,
        Self::Doubt,
        Self::Trust,
        Self::Expire,
        Self::Renew,
        Self::Elsewhere,
    ];

    /// The name in TLA+, traces and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Grant => "Grant",
            Self::Take => "Take",
            Self::Give => "Give",
            Self::Repair => "Repair",
            Self::Load => "Load",
            Self::Apply => "Apply",
            Self::Ack => "Ack",
            Self::Read => "Read",
            Self::Forget => "Forget",
            Self::Doubt => "Doubt",
            Self::Trust => "Trust",
            Self::Expire => "Expire",
            Self::Renew => "Renew",
            Self::Elsewhere => "Elsewhere",
        }
    }

    /// The place in [`ContextAction::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether the action may change whom the row names.
    #[must_use]
    pub const fn may_rename(self) -> bool {
        matches!(self, Self::Create | Self::Take | Self::Give | Self::Repair | Self::Elsewhere)
    }

    /// The label of the action in the table of one server: its own step, or one without a server.
    #[must_use]
    pub const fn label(self) -> ContextLabels {
        ContextLabels::of_index(self.index())
    }
}

/// A set of labels of an edge: an action of the server `a`, such as `Take(a)`, or one without a server.
pub type ContextLabels = SeatLabels<ContextAction>;

impl SeatAction for ContextAction {
    const ALL: &'static [Self] = &Self::ALL;
    const ELSEWHERE: Self = Self::Elsewhere;

    fn name(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self.index()
    }

    fn has_server(self) -> bool {
        !matches!(self, Self::Expire | Self::Renew | Self::Elsewhere)
    }

    /// Whether it is the store's or reaches a client.
    fn is_seen_by_others(self) -> bool {
        !matches!(self, Self::Load | Self::Read | Self::Forget | Self::Doubt | Self::Trust)
    }

    fn changes_something(self) -> bool {
        matches!(self, Self::Doubt | Self::Trust | Self::Expire | Self::Renew | Self::Elsewhere)
    }
}
