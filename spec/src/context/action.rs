//! The actions of `Context.tla`, and sets of them.

use core::fmt;

use crate::contract::LabelSet;

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

    /// Whether the action has a server as its parameter in TLA+.
    #[must_use]
    pub const fn has_server(self) -> bool {
        !matches!(self, Self::Expire | Self::Renew | Self::Elsewhere)
    }

    /// Whether the action is the store's or reaches a client, so that other servers may see something of it.
    #[must_use]
    pub const fn is_seen_by_others(self) -> bool {
        !matches!(self, Self::Load | Self::Read | Self::Forget | Self::Doubt | Self::Trust)
    }

    /// Whether a step that changes nothing is none of this action.
    #[must_use]
    pub const fn changes_something(self) -> bool {
        matches!(self, Self::Doubt | Self::Trust | Self::Expire | Self::Renew | Self::Elsewhere)
    }

    /// Whether the action may change whom the row names.
    #[must_use]
    pub const fn may_rename(self) -> bool {
        matches!(self, Self::Create | Self::Take | Self::Give | Self::Repair | Self::Elsewhere)
    }

    /// The label of the action in the table of one server: its own step, or one without a server.
    #[must_use]
    pub const fn label(self) -> ContextLabels {
        ContextLabels(1 << self as u32)
    }
}

/// A set of labels of an edge: an action of the server `a`, such as `Take(a)`, or one without a server.
///
/// Shape: one bit for each action, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContextLabels(u32);

impl ContextLabels {
    /// The actions in the set, in their order.
    pub fn iter(self) -> impl Iterator<Item = ContextAction> {
        ContextAction::ALL.into_iter().filter(move |action| self.meets(action.label()))
    }
}

impl LabelSet for ContextLabels {
    const NONE: Self = Self(0);
    const CANONICAL: Self = Self(u32::MAX);
    const UNSIDED: Self = Self::NONE;

    #[inline]
    fn bits(self) -> u32 {
        self.0
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn mirrored(self) -> Self {
        self
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, has_server) = text.strip_suffix("(a)").map_or((text, false), |name| (name, true));
        ContextAction::ALL
            .into_iter()
            .find(|action| action.name() == name && action.has_server() == has_server)
            .map(ContextAction::label)
    }

    fn singles() -> impl Iterator<Item = Self> {
        ContextAction::ALL.into_iter().map(ContextAction::label)
    }
}

impl fmt::Display for ContextLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for action in self.iter() {
            write!(f, "{separator}{}", action.name())?;
            if action.has_server() {
                f.write_str("(a)")?;
            }
            separator = ",";
        }
        Ok(())
    }
}
