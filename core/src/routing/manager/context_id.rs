//! A context's id with its owners, as the components of a server hand it around.

use crate::routing::haid::Haid;
use crate::routing::haid::java::is_blank;
use alloc::string::String;

/// Owners and id of a context; each may be missing. The id is plain, or a whole HAID.
///
/// Source: `CommonHAContextID`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HaContextId {
    /// Alias of the main server.
    pub main: Option<String>,
    /// Alias of the backup.
    pub backup: Option<String>,
    /// A plain id, or a HAID.
    pub id: Option<String>,
}

impl HaContextId {
    /// Both owners, if neither is blank.
    #[must_use]
    pub fn owners(&self) -> Option<(&str, &str)> {
        present(&self.main).zip(present(&self.backup))
    }

    /// The id, if it is not blank.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        present(&self.id)
    }
}

impl From<Haid<'_>> for HaContextId {
    fn from(haid: Haid<'_>) -> Self {
        Self { main: Some(haid.main.into()), backup: Some(haid.backup.into()), id: Some(haid.id.into()) }
    }
}

fn present(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !is_blank(text))
}
