//! R7: which texts count as a HAID.

/// R7: which texts count as a HAID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum HaidGrammar {
    /// Whatever the original accepts: leading zeros, signs, other scripts' digits, a third instance, a trailing `--`.
    Lenient,
    /// One text for each meaning, in ASCII.
    Strict,
}
