//! Why a content was not stored, not served or not transferred.

/// What went wrong, who says so, and what was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum ResourceError {
    /// The center has no whole content of this name, or no upload of it is under way. Nothing was changed.
    #[error("missing: the center does not have it; upload it again")]
    Missing,
    /// The bytes are not those that the name stands for. The center discarded what was uploaded; a fetch gave up after
    /// as many attempts as it had.
    #[error("corrupt: the bytes do not have the digest that they are named by; what was received was discarded")]
    Corrupt,
    /// More bytes than the center stores, or than a server fetches. Nothing was changed.
    #[error("too large: {size} bytes; the limit is {size_max}")]
    TooLarge {
        /// Of the content.
        size: u32,
        /// Of whoever refuses.
        size_max: u32,
    },
    /// The center has no room. Nothing was changed; room is made when contents are collected.
    #[error("full: {size} bytes; the center has room for {free}")]
    Full {
        /// Of the content.
        size: u32,
        /// What is left.
        free: u64,
    },
    /// The center has other bytes in that place. Nothing was changed. One of the two is damaged, and when the upload is
    /// complete its digest tells.
    #[error("differs: other bytes were uploaded to the same place before")]
    Differs,
    /// Told by a fetch or an upload: nobody answered, as often as it asked. What the center has is kept there for its
    /// grace, so that another upload goes on from it.
    #[error("cut: {asks} requests in a row brought nothing new")]
    Cut {
        /// How many.
        asks: u32,
    },
}
