//! R6: the tag that shows who made a HAID.
//!
//! A tag stops forgery and relabelling: nobody without the key can make one, and it covers aliases, id and the key's own id.
//! It does not stop the replay of a superseded HAID; the generation in the context's row does.

use super::error::HaidError;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Begins each of the two fields of a tag. No alias and no id holds it.
const SEPARATOR: char = '~';

/// Bytes of an HMAC-SHA-256.
const MAC_LENGTH: usize = 32;

/// How many bytes the id of a key has at most.
const KEY_ID_LENGTH_MAX: usize = 16;

/// How few bytes a secret may have.
const SECRET_LENGTH_MIN: usize = 16;

/// A secret and its name, ready to be used.
#[derive(Clone)]
pub struct Key {
    id: String,
    /// The state after the secret, so that it is hashed once and not for each HAID.
    keyed: Hmac<Sha256>,
}

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a name that a tag can bear.
    #[error("expected a key id of 1 to {KEY_ID_LENGTH_MAX} letters, digits and `_`")]
    Id,
    /// A secret that could be guessed.
    #[error("the secret has {length} bytes; expected at least {SECRET_LENGTH_MIN}")]
    SecretTooShort {
        /// In bytes.
        length: usize,
    },
    /// A tag could not say which of the two was meant.
    #[error("two keys have the same id")]
    Twice,
}

impl Key {
    /// A key called `id`: 1 to 16 letters, digits and `_`.
    ///
    /// # Errors
    /// [`KeyError::Id`]; [`KeyError::SecretTooShort`] if the secret has fewer than 16 bytes. 32 random ones are best.
    pub fn new(id: &str, secret: &[u8]) -> Result<Self, KeyError> {
        if !is_key_id(id) {
            return Err(KeyError::Id);
        }
        let too_short = KeyError::SecretTooShort { length: secret.len() };
        if secret.len() < SECRET_LENGTH_MIN {
            return Err(too_short);
        }
        let keyed = Hmac::new_from_slice(secret).map_err(|_| too_short)?;
        Ok(Self { id: id.into(), keyed })
    }

    /// The name that tags bear.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The keys that are accepted. The first one tags what is made here; the others are former ones, or those to come.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<Key>,
}

impl Keyring {
    /// No key: HAIDs bear no tag.
    pub const NONE: Self = Self { keys: Vec::new() };

    /// Accepts all of them.
    ///
    /// # Errors
    /// [`KeyError::Twice`] if two have the same id.
    pub fn new(keys: Vec<Key>) -> Result<Self, KeyError> {
        let twice = (1..keys.len()).any(|n| keys[..n].iter().any(|key| key.id == keys[n].id));
        if twice { Err(KeyError::Twice) } else { Ok(Self { keys }) }
    }

    /// Whether there is no key.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that tags what is made here.
    #[must_use]
    pub fn current(&self) -> Option<&Key> {
        self.keys.first()
    }

    /// The key of that name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// Checks the tag that begins at byte `at`, where the text can be cut, and returns the id of its key.
pub(super) fn verify<'a>(haid: &'a str, at: usize, keys: &Keyring) -> Result<&'a str, HaidError> {
    let malformed = HaidError::TagMalformed { at };
    let fields = &haid[at..];
    if fields.is_empty() {
        return Err(HaidError::TagMissing);
    }
    let (id, digits) =
        fields.strip_prefix(SEPARATOR).and_then(|fields| fields.split_once(SEPARATOR)).ok_or(malformed)?;
    let mac = parse_hex(digits.as_bytes()).filter(|_| is_key_id(id)).ok_or(malformed)?;
    let key = keys.get(id).ok_or(HaidError::UnknownKey)?;
    let tagged = &haid[..haid.len() - digits.len() - SEPARATOR.len_utf8()];
    let mut keyed = key.keyed.clone();
    keyed.update(tagged.as_bytes());
    // In constant time, so that a forger cannot measure how much of a guess is right.
    keyed.verify_slice(&mac).map_err(|_| HaidError::Forged)?;
    Ok(id)
}

/// Writes what `write` writes, and its tag.
pub(super) fn append(out: &mut dyn Write, key: &Key, write: impl FnOnce(&mut dyn Write) -> fmt::Result) -> fmt::Result {
    let mut both = Tee { out, keyed: key.keyed.clone() };
    write(&mut both)?;
    write!(both, "{SEPARATOR}{}", key.id)?;
    let Tee { out, keyed } = both;
    out.write_char(SEPARATOR)?;
    keyed.finalize().into_bytes().iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

/// Passes text on, and through the MAC.
struct Tee<'a> {
    out: &'a mut dyn Write,
    keyed: Hmac<Sha256>,
}

impl Write for Tee<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.keyed.update(text.as_bytes());
        self.out.write_str(text)
    }
}

fn is_key_id(id: &str) -> bool {
    (1..=KEY_ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn parse_hex(digits: &[u8]) -> Option<[u8; MAC_LENGTH]> {
    let mut mac = [0; MAC_LENGTH];
    if digits.len() != 2 * MAC_LENGTH {
        return None;
    }
    for (byte, pair) in mac.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (hex_digit(pair[0])? << 4) | hex_digit(pair[1])?;
    }
    Some(mac)
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
