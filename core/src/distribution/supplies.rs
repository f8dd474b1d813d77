//! The contents that a server has for the rows it works on: fetched when a row needs one, verified, kept for the next.

#[cfg(test)]
mod tests;

use super::message::Message;
use super::resources::{self, ContentId, Fetch, FetchConfig, Holder, Input, Reply, Request, ResourceError, What};
use super::{Output, Target};
use crate::id::Incarnation;
use crate::machine::Machine;
use crate::time::Instant;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::num::NonZeroU8;

/// How a server fetches resources, and how many it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SuppliesConfig {
    /// The parameters of each fetch.
    pub fetch: FetchConfig,
    /// How many fetches go on at a time. A row for which there is no room asks again.
    pub fetches_max: NonZeroU8,
    /// How many contents are kept at most, beside those that a row needs which is about to be started.
    pub kept_max: u8,
}

/// The contents that a server has, and those that are on their way to it. All of it is forgotten with the process.
///
/// Shape: one fetch for each content, however many rows wait for it; contents in the order in which they came.
/// Units and clock: every [`Instant`] is microseconds on the server's own clock.
/// Invariant: a content that is had was verified as [`FetchConfig`] says; what came of half a fetch is not had.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Supplies {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: SuppliesConfig,
    /// Who asks.
    by: Incarnation,
    /// The first number of the next fetch.
    tag: u32,
    fetches: BTreeMap<ContentId, Fetch>,
    kept: VecDeque<(ContentId, Vec<u8>)>,
    /// What ended in this step.
    #[cfg_attr(feature = "serde", serde(skip))]
    ended: Vec<(ContentId, Result<(), ResourceError>)>,
}

impl Supplies {
    /// Nothing yet, for the process that asks as `by`.
    #[must_use]
    pub(super) const fn new(config: SuppliesConfig, by: Incarnation) -> Self {
        Self { config, by, tag: 0, fetches: BTreeMap::new(), kept: VecDeque::new(), ended: Vec::new() }
    }

    /// The bytes of a content, if they are here.
    #[must_use]
    pub fn content(&self, id: ContentId) -> Option<&[u8]> {
        self.kept.iter().find(|(kept, _)| *kept == id).map(|(_, bytes)| &bytes[..])
    }

    /// The fetches that ended in the last step, and how.
    pub fn ended(&self) -> &[(ContentId, Result<(), ResourceError>)] {
        &self.ended
    }

    /// How many fetches go on.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.fetches.len()
    }

    /// How many contents are here.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let kept = self.kept.iter().map(|(_, bytes)| bytes.capacity()).sum::<usize>();
        let fetched = self.fetches.values().map(Fetch::received).sum::<usize>();
        kept + fetched
            + self.kept.capacity() * size_of::<(ContentId, Vec<u8>)>()
            + self.fetches.len() * size_of::<(ContentId, Fetch)>()
    }

    /// Why a content was not got in this step, if a fetch of it failed.
    pub(super) fn failure(&self, id: ContentId) -> Option<ResourceError> {
        self.ended.iter().find(|(ended, _)| *ended == id).and_then(|(_, how)| how.err())
    }

    /// A step begins: what ended in the last one was told.
    pub(super) fn begin_step(&mut self) {
        self.ended.clear();
    }

    /// Begins to fetch a content, unless that goes on already or too many fetches do.
    pub(super) fn fetch(&mut self, now: Instant, id: ContentId, outputs: &mut Vec<Output>) {
        if self.fetches.contains_key(&id) || self.fetches.len() >= usize::from(self.config.fetches_max.get()) {
            return;
        }
        self.fetches.insert(id, Fetch::new(self.config.fetch, id, self.tag));
        self.feed(now, id, Input::Timer, outputs);
    }

    /// Fetches that were not answered ask again.
    pub(super) fn on_timer(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        let due = |fetch: &Fetch| fetch.deadline().is_some_and(|due| due <= now);
        let due: Vec<ContentId> = self.fetches.iter().filter(|(_, fetch)| due(fetch)).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.feed(now, id, Input::Timer, outputs));
    }

    /// The center answered a request of the process `to`.
    pub(super) fn on_reply(&mut self, now: Instant, to: Incarnation, reply: &Reply, outputs: &mut Vec<Output>) {
        if to == self.by {
            self.feed(now, reply.id, Input::Reply(reply), outputs);
        }
    }

    /// Forgets the oldest contents if there are too many, except those that are needed.
    pub(super) fn trim(&mut self, is_needed: impl Fn(ContentId) -> bool) {
        let mut surplus = self.kept.len().saturating_sub(self.config.kept_max.into());
        self.kept.retain(|(id, _)| {
            let goes = surplus > 0 && !is_needed(*id);
            surplus -= usize::from(goes);
            !goes
        });
    }

    /// Tells the center that `holder` refers to a content no longer.
    pub(super) const fn release(&self, id: ContentId, holder: Holder) -> Output {
        self.ask(Request { id, tag: self.tag, what: What::Release { holder } })
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.fetches.values().filter_map(Fetch::deadline).min()
    }

    const fn ask(&self, request: Request) -> Output {
        Output::Send(Target::Center, Message::Resource(resources::Message::Request { by: self.by, request }))
    }

    fn feed(&mut self, now: Instant, id: ContentId, input: Input<'_>, outputs: &mut Vec<Output>) {
        let Some(fetch) = self.fetches.get_mut(&id) else { return };
        let mut asked = Vec::new();
        fetch.handle(now, input, &mut asked);
        for output in asked {
            match output {
                resources::Output::Ask(request) => outputs.push(self.ask(request)),
                resources::Output::Done => self.end(id, Ok(())),
                resources::Output::Failed(error) => self.end(id, Err(error)),
            }
        }
    }

    fn end(&mut self, id: ContentId, how: Result<(), ResourceError>) {
        let Some(fetch) = self.fetches.remove(&id) else { return };
        // Answers to it are not taken for those to a later fetch.
        self.tag = self.tag.max(fetch.tag());
        if let Some(bytes) = fetch.content() {
            self.kept.push_back((id, bytes.to_vec()));
        }
        self.ended.push((id, how));
    }
}
