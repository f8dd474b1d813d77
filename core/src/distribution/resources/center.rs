//! The store of contents: a pure value whose clock is passed in.

use super::content::{Chunk, ContentId, Holder};
use super::error::ResourceError;
use super::message::{Answer, Reply, Request, What};
use super::rules::Rules;
use crate::time::{Duration, Instant};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// The parameters of a center.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CenterConfig {
    /// How many bytes one content has at most.
    pub size_max: u32,
    /// How many bytes all contents have at most. An upload counts in full from its beginning, so that none that was
    /// begun ends for want of room.
    pub capacity: u64,
    /// How long a content that nobody wants is kept; longer than it takes from an upload to the reference that follows,
    /// and than an upload waits between two chunks.
    pub grace: Duration,
    /// The decisions.
    pub rules: Rules,
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// All is there, and it is what its name says.
    Whole,
    /// Some is there.
    Staged {
        /// How many bytes: where the next ones belong.
        next: u32,
    },
}

/// Contents that are whole, uploads under way, and who refers to what. All of it is durable.
///
/// Units and clock: every [`Instant`] is microseconds on the store's own steady clock.
/// Invariant, with hardened rules: what is served has the digest that it is named by; what a job refers to is there; a
/// refused request changes nothing, except that bytes found to be corrupt are discarded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ResourceCenter {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: CenterConfig,
    whole: BTreeMap<ContentId, Whole>,
    staged: BTreeMap<ContentId, Staged>,
    references: BTreeSet<(Holder, ContentId)>,
    /// How many of `references` there are to each content that has any.
    counts: BTreeMap<ContentId, u32>,
    /// Bytes of all that is whole, and of all that will be when it has come.
    used: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Whole {
    bytes: Vec<u8>,
    /// When somebody asked to upload it, or did, or gave up the last reference to it.
    wanted_at: Instant,
}

/// An upload under way: its first bytes. There are no gaps, so how far it is is one number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Staged {
    size: u32,
    bytes: Vec<u8>,
    /// When it was last asked about, or grew.
    wanted_at: Instant,
}

impl ResourceCenter {
    /// An empty center.
    #[must_use]
    pub const fn new(config: CenterConfig) -> Self {
        Self {
            config,
            whole: BTreeMap::new(),
            staged: BTreeMap::new(),
            references: BTreeSet::new(),
            counts: BTreeMap::new(),
            used: 0,
        }
    }

    /// The parameters.
    #[must_use]
    pub const fn config(&self) -> &CenterConfig {
        &self.config
    }

    /// Answers a request.
    pub fn serve(&mut self, request: &Request, now: Instant) -> Reply {
        let Request { id, tag, what } = *request;
        let progress = |progress| match progress {
            Progress::Whole => Answer::Whole,
            Progress::Staged { next } => Answer::Staged { next },
        };
        let answer = match what {
            What::Begin { size } => self.begin(id, size, now).map(progress),
            What::Put { offset, chunk } => self.put(id, offset, chunk.as_bytes(), now).map(progress),
            What::Read { offset, length } => self.read(id, offset, length),
            What::Reference { holder } => self.reference(holder, id).map(|()| Answer::Referenced),
            What::Release { holder } => {
                self.release(holder, id, now);
                Ok(Answer::Released)
            }
        };
        Reply { id, tag, answer: answer.unwrap_or_else(Answer::Refused) }
    }

    /// Says how far the upload of a content is, and begins it if there is none.
    ///
    /// Uploads of one content are one upload, whoever makes them. Only if they disagree about its size does it start
    /// over, with the size that was told last: one of them is wrong, and it is not known which.
    ///
    /// # Errors
    /// [`ResourceError::TooLarge`], [`ResourceError::Full`]: nothing was changed. [`ResourceError::Corrupt`]: it has no
    /// bytes, and another name than that of no bytes.
    pub fn begin(&mut self, id: ContentId, size: u32, now: Instant) -> Result<Progress, ResourceError> {
        if let Some(whole) = self.whole.get_mut(&id) {
            whole.wanted_at = now;
            return Ok(Progress::Whole);
        }
        if let Some(staged) = self.staged.get_mut(&id).filter(|staged| staged.size == size) {
            staged.wanted_at = now;
            return self.complete(id, now);
        }
        let size_max = self.config.size_max;
        if size > size_max {
            return Err(ResourceError::TooLarge { size, size_max });
        }
        let former = self.staged.get(&id).map_or(0, |staged| u64::from(staged.size));
        let free = self.config.capacity.saturating_sub(self.used - former);
        if u64::from(size) > free {
            return Err(ResourceError::Full { size, free });
        }
        self.used = self.used - former + u64::from(size);
        self.staged.insert(id, Staged { size, bytes: Vec::new(), wanted_at: now });
        self.complete(id, now)
    }

    /// Stores bytes of an upload. Bytes that are there already are compared, so a repetition changes nothing; bytes
    /// beyond the next ones are left, and the answer says where to go on.
    ///
    /// # Errors
    /// [`ResourceError::Missing`]: no upload is under way. [`ResourceError::Differs`]: nothing was changed.
    /// [`ResourceError::Corrupt`]: more bytes than the upload was to have, or all of them with another digest; it was
    /// discarded.
    pub fn put(&mut self, id: ContentId, offset: u32, bytes: &[u8], now: Instant) -> Result<Progress, ResourceError> {
        let begin = offset as usize;
        if let Some(whole) = self.whole.get_mut(&id) {
            if !whole.bytes.get(begin..).is_some_and(|rest| rest.starts_with(bytes)) {
                return Err(ResourceError::Differs);
            }
            whole.wanted_at = now;
            return Ok(Progress::Whole);
        }
        let Some(staged) = self.staged.get_mut(&id) else { return Err(ResourceError::Missing) };
        if bytes.len() as u64 + u64::from(offset) > u64::from(staged.size) {
            self.discard(id);
            return Err(ResourceError::Corrupt);
        }
        if let Some(there) = staged.bytes.get(begin..) {
            let (again, more) = bytes.split_at(there.len().min(bytes.len()));
            if !there.starts_with(again) {
                return Err(ResourceError::Differs);
            }
            staged.bytes.extend_from_slice(more);
        }
        staged.wanted_at = now;
        self.complete(id, now)
    }

    /// Bytes of a content, as an answer shows them: at most `length`, and as many as an answer carries.
    ///
    /// # Errors
    /// [`ResourceError::Missing`].
    pub fn read(&self, id: ContentId, offset: u32, length: u8) -> Result<Answer, ResourceError> {
        let bytes = self.shown(id).ok_or(ResourceError::Missing)?;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let chunk = Chunk::first_of(&rest[..rest.len().min(usize::from(length))]);
        Ok(Answer::Piece { offset, size: bytes.len() as u32, chunk })
    }

    /// What a reader is shown of a content.
    #[must_use]
    pub fn shown(&self, id: ContentId) -> Option<&[u8]> {
        let whole = self.whole.get(&id).map(|whole| &whole.bytes[..]);
        let staged = self.staged.get(&id).map(|staged| &staged.bytes[..]);
        self.config.rules.serving.shown(whole, staged)
    }

    /// Takes note that a job refers to a content, which then stays until the job releases it.
    ///
    /// Whether it is there and that it stays is one decision of one store, so nothing can be collected in between.
    ///
    /// # Errors
    /// [`ResourceError::Missing`]: it is not there, or not whole; nothing was noted.
    pub fn reference(&mut self, holder: Holder, id: ContentId) -> Result<(), ResourceError> {
        if !self.whole.contains_key(&id) {
            return Err(ResourceError::Missing);
        }
        if self.references.insert((holder, id)) {
            *self.counts.entry(id).or_default() += 1;
        }
        Ok(())
    }

    /// Takes note that a job refers to a content no longer; returns whether it did.
    ///
    /// The center does not remember who released what. A reference that was late and arrives after its release stands:
    /// whoever ends jobs compares [`Self::references`] with those that exist, and releases again.
    pub fn release(&mut self, holder: Holder, id: ContentId, now: Instant) -> bool {
        if !self.references.remove(&(holder, id)) {
            return false;
        }
        if let Some(count) = self.counts.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&id);
                if let Some(whole) = self.whole.get_mut(&id) {
                    whole.wanted_at = now;
                }
            }
        }
        true
    }

    /// Who refers to what, ordered by job.
    pub fn references(&self) -> impl Iterator<Item = (Holder, ContentId)> {
        self.references.iter().copied()
    }

    /// Whether any job refers to a content.
    #[must_use]
    pub fn is_referenced(&self, id: ContentId) -> bool {
        self.counts.contains_key(&id)
    }

    /// Removes what nobody has wanted for the grace: contents, which it returns in their order, and uploads.
    ///
    /// An upload that goes on is wanted with each of its chunks. Time: linear in the contents and uploads there are.
    pub fn collect(&mut self, now: Instant) -> Vec<ContentId> {
        let Self { config: CenterConfig { grace, rules, .. }, whole, staged, counts, used, .. } = self;
        let is_old = |wanted_at: Instant| now.since(wanted_at) >= *grace;
        let mut collected = Vec::new();
        whole.retain(|id, whole| {
            let keep = !is_old(whole.wanted_at) || !rules.collection.takes(counts.contains_key(id));
            if !keep {
                *used -= whole.bytes.len() as u64;
                collected.push(*id);
            }
            keep
        });
        staged.retain(|_, staged| {
            let keep = !is_old(staged.wanted_at);
            *used -= if keep { 0 } else { u64::from(staged.size) };
            keep
        });
        collected
    }

    /// The store restarts and keeps what it had. Its steady clock may start anew, so ages count from `now`.
    pub fn restart(&mut self, now: Instant) {
        self.whole.values_mut().for_each(|whole| whole.wanted_at = now);
        self.staged.values_mut().for_each(|staged| staged.wanted_at = now);
    }

    /// Bytes of all contents, uploads under way counted in full.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let whole = self.whole.values().map(|whole| whole.bytes.capacity() + size_of::<(ContentId, Whole)>());
        let staged = self.staged.values().map(|staged| staged.bytes.capacity() + size_of::<(ContentId, Staged)>());
        whole.chain(staged).sum::<usize>()
            + self.references.len() * size_of::<(Holder, ContentId)>()
            + self.counts.len() * size_of::<(ContentId, u32)>()
    }

    /// Makes an upload a content if nothing is missing: the one step from staged to whole.
    fn complete(&mut self, id: ContentId, now: Instant) -> Result<Progress, ResourceError> {
        let Some(staged) = self.staged.get(&id) else { return Err(ResourceError::Missing) };
        let next = staged.bytes.len() as u32;
        if next < staged.size {
            return Ok(Progress::Staged { next });
        }
        if !self.config.rules.verification.accepts(id, &staged.bytes) {
            self.discard(id);
            return Err(ResourceError::Corrupt);
        }
        if let Some(Staged { bytes, .. }) = self.staged.remove(&id) {
            self.whole.insert(id, Whole { bytes, wanted_at: now });
        }
        Ok(Progress::Whole)
    }

    fn discard(&mut self, id: ContentId) {
        if let Some(staged) = self.staged.remove(&id) {
            self.used -= u64::from(staged.size);
        }
    }
}
