//! What a content is called, who refers to it, and how much of it travels in one message.

use core::fmt;
use sha2::{Digest, Sha256};

/// The name of a content: the SHA-256 of its bytes.
///
/// It is shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(pub [u8; 32]);

/// Who refers to contents: an action on a job, by a number that is never given to another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Holder(pub u64);

/// How many bytes a message carries at most. Messages are values that are copied, so it is small.
pub const CHUNK_LENGTH_MAX: usize = 32;

/// Bytes of a content that travel together.
///
/// Shape: at most [`CHUNK_LENGTH_MAX`]. `bytes` beyond `len` are zero, so that equal chunks are equal values.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chunk {
    len: u8,
    bytes: [u8; CHUNK_LENGTH_MAX],
}

impl ContentId {
    /// The name of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl Chunk {
    /// The first of these bytes, as many as there is room for.
    #[must_use]
    pub fn first_of(content: &[u8]) -> Self {
        let len = content.len().min(CHUNK_LENGTH_MAX);
        let mut bytes = [0; CHUNK_LENGTH_MAX];
        bytes[..len].copy_from_slice(&content[..len]);
        Self { len: len as u8, bytes }
    }

    /// The bytes that it holds.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Chunk {
    /// What is not printable ASCII is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ContentId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Chunk {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
