//! Why a context manager refuses a call, and under which code the original reports it. Nothing is changed when it does.

use crate::routing::haid::{ErrorCode, HaidError};

/// Why a context manager refused something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagerError {
    /// There is no context id at all.
    #[error("the context id is null")]
    NullId,
    /// The id is neither numeric nor a HAID that is valid here.
    #[error("the context id is neither numeric nor a HAID that is valid here")]
    InvalidId,
    /// An owner is missing where both are needed.
    #[error("the context id lacks its main instance, its backup or its id")]
    Incomplete,
    /// Hardened: the owners beside a HAID are not the ones that it names.
    #[error("the owners given are not those of the HAID")]
    Relabelled,
    /// A plain id within a context id that should hold a HAID.
    #[error("the context id is numeric; expected a HAID")]
    NumericId,
    /// This server's own instance has no alias.
    #[error("this server's instance has no alias")]
    NoMain,
    /// No server is left that could be the backup.
    #[error("no backup can be chosen")]
    NoBackup,
    /// The text could not be read, or not be written.
    #[error(transparent)]
    Haid(#[from] HaidError),
}

impl ManagerError {
    /// The number that the original reports, as [`HaidError::code`] tells it.
    #[must_use]
    pub const fn code(self) -> Option<ErrorCode> {
        match self {
            Self::NullId | Self::InvalidId | Self::Incomplete | Self::Relabelled => Some(ErrorCode::InvalidHaid),
            Self::NumericId => Some(ErrorCode::InvalidContextId),
            Self::NoMain => Some(ErrorCode::InvalidInstance),
            Self::NoBackup => Some(ErrorCode::GenerateBackup),
            Self::Haid(error) => error.code(),
        }
    }
}
