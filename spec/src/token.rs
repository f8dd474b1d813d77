//! What an epoch is worth to whoever was granted it.

/// The epoch that somebody was granted, relative to the newest that counts: of an election the highest that the resource
/// has accepted, of a context the one of its row.
///
/// Spec: `Epoch` in `Lease.tla` and `Context.tla`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Token {
    /// It holds none.
    #[default]
    None,
    /// Not below the newest: what bears it would be accepted.
    Open,
    /// Below the newest.
    Fenced,
}

impl Token {
    /// Every token, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::None, Self::Open, Self::Fenced];

    /// The name in TLA+.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open => "open",
            Self::Fenced => "fenced",
        }
    }

    /// The token with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|token| token.name() == name)
    }
}
