//! What a HAID says.

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
