//! The resource center: where jars and other resources lie, so that a job may start on any server.
//!
//! A content is called by its digest, so a name cannot lie about what it names. The [`ResourceCenter`] is a pure value
//! that answers requests. An [`Upload`] brings a content to it and a [`Fetch`] gets one from it, chunk by chunk; both
//! are machines that bear messages which are lost, late, repeated or damaged. A job refers to its contents, and what is
//! referred to is not collected. [`Rules`] says which of the published decisions apply, and which of the hardened ones.
//!
//! The order that keeps a job startable: upload, refer, then submit. A content that was collected in between is found
//! missing by the reference, and is uploaded again.

mod center;
mod content;
mod error;
mod fetch;
mod message;
mod rules;
#[cfg(test)]
mod tests;
mod transfer;
mod upload;

pub use center::{CenterConfig, Progress, ResourceCenter};
pub use content::{CHUNK_LENGTH_MAX, Chunk, ContentId, Holder};
pub use error::ResourceError;
pub use fetch::{Fetch, FetchConfig};
pub use message::{Answer, Message, Reply, Request, What};
pub use rules::{Collection, Rules, Serving, Verification};
pub use transfer::{Input, Limits, Output};
pub use upload::{Upload, UploadConfig};
