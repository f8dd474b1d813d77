//! The published HAID: what the original accepts, and what it makes of it.
//!
//! Nothing is allocated. Text that is not Unicode cannot get here: a `&str` holds none, and bytes that are no UTF-8 are
//! refused before. Where the original ends with an exception that nobody expected, or cuts a character in two, there is
//! an error of its own.
//!
//! Source: `CSHighAvailableUtils` of linkis-cs-common.

use super::Haid;
use super::error::HaidError;
use super::java::{is_blank, is_numeric, length, parse_int};
use core::fmt::Write;

/// Whether the text is of the published form. That does not mean that it can be decoded.
///
/// # Errors
/// [`HaidError::OutOfBounds`] where the original throws.
pub(super) fn check(haid: &str) -> Result<bool, HaidError> {
    Ok(!is_blank(haid) && Parts::of(haid)?.is_some())
}

/// Reads main, backup and id; a third instance and those after it are passed over.
///
/// # Errors
/// [`HaidError::Blank`], [`HaidError::Malformed`]; [`HaidError::OutOfBounds`] and [`HaidError::SplitCharacter`] where the
/// original does not answer with an error code.
pub(super) fn decode(haid: &str) -> Result<Haid<'_>, HaidError> {
    if is_blank(haid) {
        return Err(HaidError::Blank);
    }
    let Parts { lengths, body } = Parts::of(haid)?.ok_or(HaidError::Malformed)?;
    let mut index = 0_i32;
    let mut instances = [""; 2];
    for (place, length) in pieces(lengths).enumerate() {
        let length = parse_int(length).ok_or(HaidError::Malformed)?;
        let end = index.wrapping_add(length);
        let instance = substring(body, index, end)?;
        if let Some(wanted) = instances.get_mut(place) {
            *wanted = instance.ok_or(HaidError::SplitCharacter)?;
        }
        index = end;
    }
    let id = tail(body, index)?.ok_or(HaidError::SplitCharacter)?;
    Ok(Haid { main: instances[0], backup: instances[1], id, key: None })
}

/// Writes a HAID of one main instance and any number of backups.
///
/// # Errors
/// [`HaidError::EncodeInput`], [`HaidError::NullBackup`], [`HaidError::NoRoom`].
pub(super) fn encode(out: &mut impl Write, main: &str, backups: &[Option<&str>], id: &str) -> Result<(), HaidError> {
    if !is_numeric(id) || is_blank(main) || backups.is_empty() {
        return Err(HaidError::EncodeInput);
    }
    if backups.contains(&None) {
        return Err(HaidError::NullBackup);
    }
    let backups = || backups.iter().flatten();
    let mut write = || {
        write!(out, "{}", length(main))?;
        backups().try_for_each(|backup| write!(out, "-{}", length(backup)))?;
        write!(out, "--{main}")?;
        backups().try_for_each(|backup| out.write_str(backup))?;
        out.write_str(id)
    };
    write().map_err(|core::fmt::Error| HaidError::NoRoom)
}

/// The two sides of the `--` in a text of the published form.
struct Parts<'a> {
    /// Lengths, with a `-` between two.
    lengths: &'a str,
    /// Instances and id.
    body: &'a str,
}

impl<'a> Parts<'a> {
    /// `None` if the text is not of the published form.
    fn of(haid: &'a str) -> Result<Option<Self>, HaidError> {
        let Some((lengths, rest)) = haid.split_once("--") else { return Ok(None) };
        // What ends with separators has as many parts as without them.
        let (body, after) = rest.split_once("--").unwrap_or((rest, ""));
        if body.is_empty() || after.split("--").any(|part| !part.is_empty()) || pieces(lengths).count() < 2 {
            return Ok(None);
        }
        let mut sum = 0_i32;
        for piece in pieces(lengths) {
            let Some(length) = parse_int(piece) else { return Ok(None) };
            sum = sum.wrapping_add(length);
        }
        if usize::try_from(sum).is_ok_and(|sum| sum >= length(body)) {
            return Ok(None);
        }
        let numeric = tail(body, sum)?.is_some_and(is_numeric);
        Ok(numeric.then_some(Self { lengths, body }))
    }
}

/// The lengths of the first part, which never ends with a `-`: the first `--` would begin there.
fn pieces(lengths: &str) -> impl Iterator<Item = &str> {
    lengths.split('-')
}

/// From one place to another, both in UTF-16 code units; `None` inside if one of them is within a character.
fn substring(text: &str, begin: i32, end: i32) -> Result<Option<&str>, HaidError> {
    if begin > end {
        return Err(HaidError::OutOfBounds);
    }
    let (begin, end) = (place(text, begin)?, place(text, end)?);
    Ok(begin.zip(end).map(|(begin, end)| &text[begin..end]))
}

/// What follows a place; `None` inside if that is within a character.
fn tail(text: &str, begin: i32) -> Result<Option<&str>, HaidError> {
    Ok(place(text, begin)?.map(|begin| &text[begin..]))
}

/// The byte at which the UTF-16 code unit `units` begins; `None` inside if that is within a character.
fn place(text: &str, units: i32) -> Result<Option<usize>, HaidError> {
    let units = usize::try_from(units).map_err(|_| HaidError::OutOfBounds)?;
    if text.is_ascii() {
        return if units <= text.len() { Ok(Some(units)) } else { Err(HaidError::OutOfBounds) };
    }
    let mut passed = 0;
    for (at, c) in text.char_indices() {
        if passed >= units {
            return Ok((passed == units).then_some(at));
        }
        passed += c.len_utf16();
    }
    match passed {
        _ if passed == units => Ok(Some(text.len())),
        _ if passed > units => Ok(None),
        _ => Err(HaidError::OutOfBounds),
    }
}
