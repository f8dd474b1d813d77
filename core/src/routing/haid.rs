//! The HAID: one line of text that names the main server of a context, its backup, and the context's id.
//!
//! A [`Codec`] reads and writes it by one of two grammars: the published one, with all that Java makes of it, and the
//! strict one, in which each meaning has one text and a tag can convict forgers. Nothing here knows of servers or clocks.

mod codec;
mod error;
mod grammar;
pub mod java;
mod lenient;
mod strict;
mod tag;
#[cfg(test)]
mod tests;
mod text;

pub use codec::Codec;
pub use error::{ErrorCode, HaidError};
pub use grammar::HaidGrammar;
pub use strict::{ALIAS_LENGTH_MAX, HAID_LENGTH_MAX, ID_LENGTH_MAX};
pub use tag::{Key, KeyError, Keyring};
pub use text::HaidText;

/// A decoded HAID: who serves a context, and which one it is.
///
/// Shape: borrows from the text that it was read from. Lengths in that text count UTF-16 code units.
/// Source: `HAContextID` of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Haid<'a> {
    /// Alias of the server that serves the context.
    pub main: &'a str,
    /// Alias of the server that takes over when the main one is invalid.
    pub backup: &'a str,
    /// The context's id, as the database assigned it: decimal digits.
    pub id: &'a str,
    /// The id of the key under which it was tagged, and found genuine; `None` if it bears no tag.
    pub key: Option<&'a str>,
}
