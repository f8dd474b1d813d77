//! Why a text is refused, and under which code the original reports it. Nothing is changed when it is.

/// The numbers under which the original reports errors.
///
/// Source: `CSErrorCode` of linkis-cs-server (700xx) and `ErrorCode` of linkis-cs-common (701xx).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum ErrorCode {
    /// An alias that names no instance.
    InvalidInstanceAlias = 70_010,
    /// A HAID that is malformed, or does not belong here.
    InvalidHaid = 70_011,
    /// No HAID could be generated.
    GenerateHaid = 70_012,
    /// A plain id where a HAID is needed.
    InvalidContextId = 70_013,
    /// No backup could be chosen.
    GenerateBackup = 70_014,
    /// This server does not know its own instance.
    InvalidInstance = 70_015,
    /// A context id without its owners.
    InvalidHaContextId = 70_016,
    /// Another server did not answer as expected.
    Rpc = 70_017,
    /// A blank text where a HAID is needed.
    InvalidNullString = 70_102,
    /// Owners or an id that cannot be encoded.
    InvalidHaidEncodeParams = 70_107,
    /// A text that is no HAID.
    InvalidHaidString = 70_108,
}

impl ErrorCode {
    /// The number itself.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// Why a text was not decoded, or owners and id were not encoded. Places are bytes from the beginning of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HaidError {
    /// Nothing, or nothing but blanks.
    #[error("the HAID is blank")]
    Blank,
    /// Lenient: the text is not of the form that the original accepts.
    #[error("not a HAID; expected lengths, `--`, aliases and a numeric id")]
    Malformed,
    /// Lenient: lengths overflow 32 bits, or reach out of the text. The original ends with an
    /// `StringIndexOutOfBoundsException` here.
    #[error("the lengths reach out of the HAID")]
    OutOfBounds,
    /// Lenient: a length ends within a character above U+FFFF. The original returns halves of it, which are no Unicode.
    #[error("a length ends within a character")]
    SplitCharacter,
    /// The bytes are no UTF-8.
    #[error("the HAID is not UTF-8")]
    NotUtf8,
    /// Lenient: the id is not numeric, the main alias is blank, or there is no backup.
    #[error("cannot encode: expected a numeric id, a main alias and at least one backup")]
    EncodeInput,
    /// Lenient: a backup in the list is missing. The original ends with a `NullPointerException` here.
    #[error("cannot encode: a backup is null")]
    NullBackup,
    /// Strict: more bytes than a HAID can have.
    #[error("the HAID has {length} bytes; expected at most {}", super::HAID_LENGTH_MAX)]
    TooLong {
        /// In bytes.
        length: usize,
    },
    /// Strict: no canonical length.
    #[error("expected a length without leading zeros, of at most {}, at byte {at}", super::ALIAS_LENGTH_MAX)]
    Length {
        /// Where it was expected.
        at: usize,
    },
    /// Strict: no separator.
    #[error("expected `{expected}` at byte {at}")]
    Separator {
        /// What was expected.
        expected: &'static str,
        /// Where.
        at: usize,
    },
    /// Strict: fewer bytes than the lengths say.
    #[error("the HAID is truncated; expected {expected} bytes at least")]
    Truncated {
        /// In bytes.
        expected: usize,
    },
    /// Strict: an alias of other characters, or with a hyphen at an end or beside another one.
    #[error(
        "expected an alias of letters, digits and `_.:+/=`, with single hyphens inside only, \
         of at most {} bytes, at byte {at}",
        super::ALIAS_LENGTH_MAX
    )]
    Alias {
        /// Where the alias begins.
        at: usize,
    },
    /// Strict: the id is not canonical.
    #[error("expected an id of 1 to {} digits without leading zeros at byte {at}", super::ID_LENGTH_MAX)]
    Id {
        /// Where the id begins.
        at: usize,
    },
    /// Strict: a tag is required.
    #[error("the HAID has no tag; expected one")]
    TagMissing,
    /// Strict: something follows the id, but no tag is expected.
    #[error("expected the end of the HAID at byte {at}")]
    Trailing {
        /// Where it was expected.
        at: usize,
    },
    /// Strict: what follows the id is no tag.
    #[error("expected a tag `~key~` and 64 digits 0-9a-f at byte {at}")]
    TagMalformed {
        /// Where the tag begins.
        at: usize,
    },
    /// Strict: the tag names a key that is not known here.
    #[error("the key of the tag is not known here")]
    UnknownKey,
    /// Strict: the tag does not fit the text before it.
    #[error("the tag does not fit the HAID")]
    Forged,
    /// What the text was written to refused it; it may hold a part.
    #[error("no room for the HAID")]
    NoRoom,
}

impl HaidError {
    /// The number that the original reports; `None` where it ends with an exception that nobody expected, returns what is
    /// no Unicode, or cannot get at all.
    #[must_use]
    pub const fn code(self) -> Option<ErrorCode> {
        match self {
            Self::Blank => Some(ErrorCode::InvalidNullString),
            Self::EncodeInput => Some(ErrorCode::InvalidHaidEncodeParams),
            Self::Malformed
            | Self::TooLong { .. }
            | Self::Length { .. }
            | Self::Separator { .. }
            | Self::Truncated { .. }
            | Self::Alias { .. }
            | Self::Id { .. }
            | Self::TagMissing
            | Self::Trailing { .. }
            | Self::TagMalformed { .. }
            | Self::UnknownKey
            | Self::Forged => Some(ErrorCode::InvalidHaidString),
            Self::OutOfBounds | Self::SplitCharacter | Self::NotUtf8 | Self::NullBackup | Self::NoRoom => None,
        }
    }
}
