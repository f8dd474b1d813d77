//! Every decision that separates the published resource center from the hardened one, as data.
//!
//! The first variant of each enum is what the published design does. Each is matched in one function, below.

use super::content::ContentId;
use crate::decisions::decisions;

decisions! {
    /// Whether bytes are compared with the name that they go by.
    Verification {
        /// They are believed.
        None,
        /// Their digest must be their name: when an upload is complete, and when a fetch is.
        Sha256,
    }
    /// What of a content is served.
    Serving {
        /// What lies there, as if it were all, while the rest is still on its way.
        Partial,
        /// All of it, or nothing.
        WholeOnly,
    }
    /// What is collected.
    Collection {
        /// What is old, whoever needs it.
        ByAge,
        /// What is old and what no job refers to.
        Unreferenced,
    }
}

/// The rules of the resource center.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Rules {
    /// Whether bytes are compared with the name that they go by.
    pub verification: Verification,
    /// What of a content is served.
    pub serving: Serving,
    /// What is collected.
    pub collection: Collection,
}

impl Rules {
    /// The design as published: a shared folder that is cleaned by age.
    #[must_use]
    pub const fn published() -> Self {
        Self { verification: Verification::None, serving: Serving::Partial, collection: Collection::ByAge }
    }

    /// The same with every defence on.
    #[must_use]
    pub const fn hardened() -> Self {
        Self { verification: Verification::Sha256, serving: Serving::WholeOnly, collection: Collection::Unreferenced }
    }
}

impl Verification {
    /// Whether `bytes` pass for the content `id`.
    #[must_use]
    pub fn accepts(self, id: ContentId, bytes: &[u8]) -> bool {
        match self {
            Self::None => true,
            Self::Sha256 => ContentId::of(bytes) == id,
        }
    }
}

impl Serving {
    /// Which bytes a reader is shown, of those that are whole and those that are staged.
    pub(super) fn shown<'a>(self, whole: Option<&'a [u8]>, staged: Option<&'a [u8]>) -> Option<&'a [u8]> {
        match self {
            Self::Partial => whole.or(staged),
            Self::WholeOnly => whole,
        }
    }
}

impl Collection {
    /// Whether a content that is old enough is collected.
    pub(super) const fn takes(self, is_referenced: bool) -> bool {
        match self {
            Self::ByAge => true,
            Self::Unreferenced => !is_referenced,
        }
    }
}
