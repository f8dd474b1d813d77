//! R7: which texts count as a HAID.

use crate::decisions::decisions;

decisions! {
    /// R7: which texts count as a HAID.
    HaidGrammar {
        /// Whatever the original accepts: leading zeros, signs, other scripts' digits, a third instance, a trailing `--`.
        Lenient,
        /// One text for each meaning, in ASCII.
        Strict,
    }
}
