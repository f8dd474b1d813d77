//! Whom a row names, as one server sees it.

/// Whom a row names, as one server sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Who {
    /// Nobody.
    #[default]
    Nobody,
    /// The server itself: `a` of the table.
    Seat,
    /// Some other one.
    Other,
}

impl Who {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Nobody, Self::Seat, Self::Other];

    /// How a table names them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "-",
            Self::Seat => "a",
            Self::Other => "other",
        }
    }

    /// Whom `named` is to the one that sits at `server`.
    #[inline]
    #[must_use]
    pub const fn seen_by(server: u8, named: Option<u8>) -> Self {
        match named {
            None => Self::Nobody,
            Some(named) if named == server => Self::Seat,
            Some(_) => Self::Other,
        }
    }
}
