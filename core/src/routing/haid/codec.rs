//! HAIDs read and written under one grammar. It never panics, and allocates only where a `String` is returned.

use super::Haid;
use super::error::HaidError;
use super::grammar::HaidGrammar;
use super::tag::Keyring;
use super::{lenient, strict};
use alloc::string::String;
use core::fmt::Write;

/// Reads and writes HAIDs.
///
/// ```
/// use failproof_core::routing::Codec;
///
/// let codec = Codec::HARDENED;
/// let text = codec.encode("cs_1_prod", "cs_2_prod", "1")?;
/// assert_eq!(text, "9-9--cs_1_prodcs_2_prod1");
/// let haid = codec.decode(text.as_bytes())?;
/// assert_eq!((haid.main, haid.backup, haid.id), ("cs_1_prod", "cs_2_prod", "1"));
/// assert!(codec.decode(b"+9-9--cs_1_prodcs_2_prod1").is_err());
/// # Ok::<(), failproof_core::routing::HaidError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Codec {
    grammar: HaidGrammar,
    keys: Keyring,
}

impl Codec {
    /// What the original does.
    pub const PUBLISHED: Self = Self::new(HaidGrammar::Lenient);

    /// The strict grammar, without tags.
    pub const HARDENED: Self = Self::new(HaidGrammar::Strict);

    /// One grammar, without tags.
    #[must_use]
    pub const fn new(grammar: HaidGrammar) -> Self {
        Self { grammar, keys: Keyring::NONE }
    }

    /// The strict grammar; with keys, each HAID must bear a tag of one of them.
    #[must_use]
    pub const fn tagged(keys: Keyring) -> Self {
        Self { grammar: HaidGrammar::Strict, keys }
    }

    /// Which texts count as a HAID.
    #[must_use]
    pub const fn grammar(&self) -> HaidGrammar {
        self.grammar
    }

    /// Whether the text is a HAID. By the strict grammar, that means that it can be decoded. By the lenient one it does not:
    /// the original accepts `2147483647-2147483647-4--ab11`, and fails when it decodes it.
    ///
    /// # Errors
    /// Lenient: [`HaidError::OutOfBounds`] where the original throws; [`HaidError::NotUtf8`].
    pub fn check(&self, haid: &[u8]) -> Result<bool, HaidError> {
        match self.grammar {
            HaidGrammar::Lenient => lenient::check(utf8(haid)?),
            HaidGrammar::Strict => Ok(self.decode(haid).is_ok()),
        }
    }

    /// Reads a HAID. The parts borrow from it, and nothing is allocated.
    ///
    /// # Errors
    /// See the variants of [`HaidError`]; they tell to which grammar they belong.
    pub fn decode<'a>(&self, haid: &'a [u8]) -> Result<Haid<'a>, HaidError> {
        match self.grammar {
            HaidGrammar::Lenient => lenient::decode(utf8(haid)?),
            // Before anything looks at all of it.
            HaidGrammar::Strict if haid.len() > strict::HAID_LENGTH_MAX => {
                Err(HaidError::TooLong { length: haid.len() })
            }
            HaidGrammar::Strict => strict::decode(utf8(haid)?, &self.keys),
        }
    }

    /// Writes a HAID, tagged with the first key if there are keys.
    ///
    /// # Errors
    /// What cannot be encoded is refused before anything is written; [`HaidError::NoRoom`] if `out` refuses the text.
    pub fn encode_into(&self, out: &mut impl Write, main: &str, backup: &str, id: &str) -> Result<(), HaidError> {
        match self.grammar {
            HaidGrammar::Lenient => lenient::encode(out, main, &[Some(backup)], id),
            HaidGrammar::Strict => strict::encode(out, main, backup, id, self.keys.current()),
        }
    }

    /// Writes what was read, tagged with the same key: the text is the same if it was read by the strict grammar.
    ///
    /// # Errors
    /// As [`Self::encode_into`]; [`HaidError::UnknownKey`] if its key is not known here.
    pub fn write(&self, out: &mut impl Write, haid: &Haid<'_>) -> Result<(), HaidError> {
        let key = haid.key.map(|id| self.keys.get(id).ok_or(HaidError::UnknownKey)).transpose()?;
        match self.grammar {
            HaidGrammar::Lenient => lenient::encode(out, haid.main, &[Some(haid.backup)], haid.id),
            HaidGrammar::Strict => strict::encode(out, haid.main, haid.backup, haid.id, key),
        }
    }

    /// As [`Self::encode_into`], into a text of its own.
    ///
    /// # Errors
    /// What cannot be encoded is refused.
    pub fn encode(&self, main: &str, backup: &str, id: &str) -> Result<String, HaidError> {
        let mut text = String::new();
        self.encode_into(&mut text, main, backup, id)?;
        Ok(text)
    }

    /// Writes a HAID with any number of backups, as only the original does: it does not read the further ones again.
    ///
    /// # Errors
    /// [`HaidError::EncodeInput`]; [`HaidError::NullBackup`] where the original throws; [`HaidError::NoRoom`].
    pub fn encode_published(
        out: &mut impl Write,
        main: &str,
        backups: &[Option<&str>],
        id: &str,
    ) -> Result<(), HaidError> {
        lenient::encode(out, main, backups, id)
    }
}

fn utf8(haid: &[u8]) -> Result<&str, HaidError> {
    core::str::from_utf8(haid).map_err(|_| HaidError::NotUtf8)
}
