//! The hardened HAID: one text for each meaning.
//!
//! ```text
//! haid   = length "-" length "--" main backup id [ "~" key "~" mac ]
//! length = [1-9][0-9]*              bytes of main, bytes of backup; at most 128 each
//! main   = part *( "-" part )       the same for backup
//! part   = 1*[A-Za-z0-9_.:+/=]
//! id     = [1-9][0-9]*              at most 19 digits, so that it fits 64 bits
//! key    = 1*16[A-Za-z0-9_]
//! mac    = 64[0-9a-f]               HMAC-SHA-256 of all that stands before its `~`
//! ```
//!
//! The whole has at most 512 bytes. An id of 0 is refused: databases assign from 1. A hyphen at an end of an alias, or two in
//! it, would make a `--` that the published grammar splits at; so what is accepted here without a tag is accepted there
//! too, and means the same. Reading borrows and allocates nothing.

use super::Haid;
use super::error::HaidError;
use super::tag::{self, Key, Keyring};
use core::fmt::{self, Write};

/// How many bytes a HAID has at most, with its tag.
pub const HAID_LENGTH_MAX: usize = 512;

/// How many bytes an alias has at most.
pub const ALIAS_LENGTH_MAX: usize = 128;

/// How many digits an id has at most.
pub const ID_LENGTH_MAX: usize = 19;

/// Reads a HAID of at most [`HAID_LENGTH_MAX`] bytes. With keys it must bear a tag of one of them, without keys none.
///
/// # Errors
/// Those of [`HaidError`] that are marked as strict, and [`HaidError::Blank`].
pub(super) fn decode<'a>(haid: &'a str, keys: &Keyring) -> Result<Haid<'a>, HaidError> {
    let bytes = haid.as_bytes();
    if bytes.is_empty() {
        return Err(HaidError::Blank);
    }
    let (main_length, at) = length(bytes, 0)?;
    let at = separator(bytes, at, "-")?;
    let (backup_length, at) = length(bytes, at)?;
    let main_at = separator(bytes, at, "--")?;
    // Two numbers of at most 128 and a place below 512.
    let backup_at = main_at + main_length;
    let id_at = backup_at + backup_length;
    if bytes.len() <= id_at {
        return Err(HaidError::Truncated { expected: id_at + 1 });
    }
    let main = alias(haid, main_at, backup_at)?;
    let backup = alias(haid, backup_at, id_at)?;
    let id_length = bytes[id_at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let end = id_at + id_length;
    // Aliases are ASCII, and so are digits: the text can be cut here.
    let id = &haid[id_at..end];
    if !is_id(id) {
        return Err(HaidError::Id { at: id_at });
    }
    let key = if keys.is_empty() {
        if end < bytes.len() {
            return Err(HaidError::Trailing { at: end });
        }
        None
    } else {
        Some(tag::verify(haid, end, keys)?)
    };
    Ok(Haid { main, backup, id, key })
}

/// Writes a HAID, with a tag if there is a key. The longest parts make 366 bytes.
///
/// # Errors
/// [`HaidError::Alias`] and [`HaidError::Id`], before anything is written; [`HaidError::NoRoom`].
pub(super) fn encode(
    out: &mut impl Write,
    main: &str,
    backup: &str,
    id: &str,
    key: Option<&Key>,
) -> Result<(), HaidError> {
    let prefix = digits(main.len()) + 1 + digits(backup.len()) + 2;
    if !is_alias(main.as_bytes()) {
        return Err(HaidError::Alias { at: prefix });
    }
    if !is_alias(backup.as_bytes()) {
        return Err(HaidError::Alias { at: prefix + main.len() });
    }
    if !is_id(id) {
        return Err(HaidError::Id { at: prefix + main.len() + backup.len() });
    }
    let write = |out: &mut dyn Write| write!(out, "{}-{}--{main}{backup}{id}", main.len(), backup.len());
    match key {
        None => write(out),
        Some(key) => tag::append(out, key, write),
    }
    .map_err(|fmt::Error| HaidError::NoRoom)
}

/// Bytes by whether an alias may hold them.
const IN_ALIAS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_alphanumeric()
            || matches!(byte as u8, b'_' | b'.' | b':' | b'+' | b'/' | b'=' | b'-');
        byte += 1;
    }
    table
};

fn is_alias(bytes: &[u8]) -> bool {
    let hyphens_inside = bytes.first().is_some_and(|byte| *byte != b'-') && bytes.last() != Some(&b'-');
    let mut allowed = hyphens_inside && bytes.len() <= ALIAS_LENGTH_MAX;
    let mut before = 0;
    // No way out in between: an alias is short, and mostly right.
    for &byte in bytes {
        allowed &= IN_ALIAS[usize::from(byte)] & !(byte == b'-' && before == b'-');
        before = byte;
    }
    allowed
}

fn is_id(id: &str) -> bool {
    id.len() <= ID_LENGTH_MAX
        && matches!(id.as_bytes().first(), Some(b'1'..=b'9'))
        && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// A canonical length at `at`, and where it ends.
fn length(bytes: &[u8], at: usize) -> Result<(usize, usize), HaidError> {
    let mut value = 0;
    let mut end = at;
    while let Some(byte @ b'0'..=b'9') = bytes.get(end) {
        value = value * 10 + usize::from(byte - b'0');
        end += 1;
        if value == 0 || value > ALIAS_LENGTH_MAX {
            return Err(HaidError::Length { at });
        }
    }
    if end == at { Err(HaidError::Length { at }) } else { Ok((value, end)) }
}

fn separator(bytes: &[u8], at: usize, expected: &'static str) -> Result<usize, HaidError> {
    if bytes[at..].starts_with(expected.as_bytes()) {
        Ok(at + expected.len())
    } else {
        Err(HaidError::Separator { expected, at })
    }
}

fn alias(haid: &str, at: usize, end: usize) -> Result<&str, HaidError> {
    // A place within a character is no end of an alias either.
    haid.get(at..end).filter(|alias| is_alias(alias.as_bytes())).ok_or(HaidError::Alias { at })
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
