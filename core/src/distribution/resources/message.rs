//! What servers and submitters ask of the resource center, and what it answers.

use super::content::{Chunk, ContentId, Holder};
use super::error::ResourceError;
use crate::id::Incarnation;

/// All that travels to and from the center.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Message {
    /// To the center.
    Request {
        /// Who asks: one process of a server, or a submitter.
        by: Incarnation,
        /// What.
        request: Request,
    },
    /// From the center.
    Reply {
        /// Who asked.
        to: Incarnation,
        /// What came of it.
        reply: Reply,
    },
}

/// A request to the center. Each may be repeated, and arrive late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Request {
    /// Which content.
    pub id: ContentId,
    /// The asker's number for the request, larger with each.
    pub tag: u32,
    /// What is asked.
    pub what: What,
}

/// What is asked of the center.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum What {
    /// How far the upload of this content is; it begins if there is none. Answered by `Whole` or `Staged`.
    Begin {
        /// How many bytes it has.
        size: u32,
    },
    /// Stores bytes of an upload. Answered by `Whole` or `Staged`.
    Put {
        /// Where they begin.
        offset: u32,
        /// The bytes.
        chunk: Chunk,
    },
    /// Some bytes. Answered by `Piece`.
    Read {
        /// From where.
        offset: u32,
        /// How many at most.
        length: u8,
    },
    /// A job refers to this content from now on. Answered by `Referenced`.
    Reference {
        /// The job.
        holder: Holder,
    },
    /// It does no longer. Answered by `Released`.
    Release {
        /// The job.
        holder: Holder,
    },
}

/// An answer of the center.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Reply {
    /// Which content.
    pub id: ContentId,
    /// The number of the request.
    pub tag: u32,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Answer {
    /// All of it is there.
    Whole,
    /// An upload is under way.
    Staged {
        /// How many bytes are there: where it goes on.
        next: u32,
    },
    /// Bytes of a content.
    Piece {
        /// Where they begin.
        offset: u32,
        /// How many bytes the content has.
        size: u32,
        /// The bytes; fewer than asked for at the end only.
        chunk: Chunk,
    },
    /// The job refers to it, now or before.
    Referenced,
    /// The job does not refer to it.
    Released,
    /// It was not done, and why.
    Refused(ResourceError),
}
