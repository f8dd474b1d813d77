//! What fetches and uploads have in common: one request at a time, repeated when it is not answered, a bounded number
//! of times.

use super::content::ContentId;
use super::error::ResourceError;
use super::message::{Reply, Request, What};
use crate::time::{Duration, Instant};
use alloc::vec::Vec;
use core::num::{NonZeroU8, NonZeroU32};

/// What can happen to a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A deadline passed, or it was started.
    Timer,
    /// The center answered.
    Reply(&'a Reply),
}

/// What a transfer asks of its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Send this to the center.
    Ask(Request),
    /// It ended well. It asks nothing any more.
    Done,
    /// It ended. It asks nothing any more.
    Failed(ResourceError),
}

/// How much of everything a transfer takes. It asks at most `asks_max` times for each chunk of each attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// How many bytes travel in one message; not more than [`super::CHUNK_LENGTH_MAX`].
    pub chunk: NonZeroU8,
    /// How long an answer is waited for before the next request, on the own clock; more than a message takes there and
    /// back.
    pub patience: Duration,
    /// How many requests in a row may bring nothing new.
    pub asks_max: NonZeroU32,
    /// How often it starts from the first byte.
    pub attempts_max: NonZeroU32,
}

/// Where a transfer stands with its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Exchange {
    #[cfg_attr(feature = "serde", serde(skip))]
    limits: Limits,
    id: ContentId,
    /// The number of the next request.
    tag: u32,
    /// The first number of this attempt.
    since: u32,
    /// How often it asked since something new came; a request that follows from an answer is not another one.
    asks: u32,
    attempts: u32,
    due: Instant,
    /// How it ended, if it did.
    ended: Option<Result<(), ResourceError>>,
}

impl Exchange {
    /// One whose requests are numbered from `tag`, and that wants its first timer input at once.
    pub(super) const fn new(limits: Limits, id: ContentId, tag: u32) -> Self {
        Self { limits, id, tag, since: tag, asks: 0, attempts: 1, due: Instant::ZERO, ended: None }
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) const fn id(&self) -> ContentId {
        self.id
    }

    pub(super) const fn tag(&self) -> u32 {
        self.tag
    }

    pub(super) const fn ended(&self) -> Option<Result<(), ResourceError>> {
        self.ended
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.ended.is_none().then_some(self.due)
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|due| due <= now)
    }

    /// Whether a reply is to a request of the present attempt of this transfer.
    pub(super) fn is_current(&self, reply: &Reply) -> bool {
        self.ended.is_none() && reply.id == self.id && (self.since..self.tag).contains(&reply.tag)
    }

    /// Whether a reply is to the last request.
    pub(super) fn is_last(&self, reply: &Reply) -> bool {
        self.is_current(reply) && reply.tag + 1 == self.tag
    }

    /// Something new came: the next request is the first of its kind.
    pub(super) const fn advance(&mut self) {
        self.asks = 1;
    }

    /// Sends a request.
    pub(super) fn ask(&mut self, now: Instant, what: What, outputs: &mut Vec<Output>) {
        outputs.push(Output::Ask(Request { id: self.id, tag: self.tag, what }));
        self.tag += 1;
        self.due = now + self.limits.patience;
    }

    /// Sends a request because the last one was not answered, or was the first; ends if it asked often enough.
    pub(super) fn ask_again(&mut self, now: Instant, what: What, outputs: &mut Vec<Output>) {
        let asks = self.asks;
        if asks == self.limits.asks_max.get() {
            return self.end(Err(ResourceError::Cut { asks }), outputs);
        }
        self.asks += 1;
        self.ask(now, what, outputs);
    }

    /// Goes on after a cut, with its timer due at once. Does nothing if it ended in another way, or did not.
    pub(super) fn resume(&mut self) {
        if let Some(Err(ResourceError::Cut { .. })) = self.ended {
            (self.ended, self.asks, self.due) = (None, 0, Instant::ZERO);
        }
    }

    /// Begins another attempt and returns whether there is one left; if not, it ends with `error`.
    pub(super) fn start_over(&mut self, error: ResourceError, outputs: &mut Vec<Output>) -> bool {
        if self.attempts == self.limits.attempts_max.get() {
            self.end(Err(error), outputs);
            return false;
        }
        self.attempts += 1;
        self.since = self.tag;
        self.advance();
        true
    }

    pub(super) fn end(&mut self, how: Result<(), ResourceError>, outputs: &mut Vec<Output>) {
        self.ended = Some(how);
        outputs.push(match how {
            Ok(()) => Output::Done,
            Err(error) => Output::Failed(error),
        });
    }
}
