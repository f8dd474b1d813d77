//! A fetch: how a server gets a content from the center.

use super::content::{Chunk, ContentId};
use super::error::ResourceError;
use super::message::{Answer, What};
use super::rules::Verification;
use super::transfer::{Exchange, Input, Limits, Output};
use crate::machine::Machine;
use crate::time::Instant;
use alloc::vec::Vec;

/// The parameters of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchConfig {
    /// How many bytes it takes at most.
    pub size_max: u32,
    /// How it asks.
    pub limits: Limits,
    /// Whether what it got is compared with the name.
    pub verification: Verification,
}

/// One fetch of one content.
///
/// It asks for chunk after chunk. After a cut it asks again from where it is, because what it has does not change; when
/// all is there and the digest is wrong, it starts over. Only an answer that brings the next bytes changes anything, so
/// answers may be late, repeated, out of order or from an earlier attempt.
///
/// Units and clock: every [`Instant`] is microseconds on the server's own clock.
/// Invariant: what is handed out is verified; it ends, after a bounded number of requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Fetch {
    #[cfg_attr(feature = "serde", serde(skip))]
    size_max: u32,
    #[cfg_attr(feature = "serde", serde(skip))]
    verification: Verification,
    exchange: Exchange,
    bytes: Vec<u8>,
}

impl Fetch {
    /// A fetch that wants its first timer input at once. Its requests are numbered from `tag`: not below the
    /// [`Self::tag`] of an earlier fetch of the same server, so that answers to that one are not taken for its own.
    #[must_use]
    pub const fn new(config: FetchConfig, id: ContentId, tag: u32) -> Self {
        let FetchConfig { size_max, limits, verification } = config;
        Self { size_max, verification, exchange: Exchange::new(limits, id, tag), bytes: Vec::new() }
    }

    /// The content that is fetched.
    #[must_use]
    pub const fn id(&self) -> ContentId {
        self.exchange.id()
    }

    /// The number of its next request.
    #[must_use]
    pub const fn tag(&self) -> u32 {
        self.exchange.tag()
    }

    /// How it ended, if it did.
    #[must_use]
    pub const fn ended(&self) -> Option<Result<(), ResourceError>> {
        self.exchange.ended()
    }

    /// The content, when it was verified.
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        (self.ended() == Some(Ok(()))).then_some(&self.bytes)
    }

    /// How many bytes of this attempt have come.
    #[must_use]
    pub fn received(&self) -> usize {
        self.bytes.len()
    }

    /// Goes on after [`ResourceError::Cut`] from where it was, with its timer due at once. Does nothing if it ended in
    /// another way, or did not.
    pub fn resume(&mut self) {
        self.exchange.resume();
    }

    /// The bytes that come next.
    fn read(&self) -> What {
        What::Read { offset: self.bytes.len() as u32, length: self.exchange.limits().chunk.get() }
    }

    fn on_piece(&mut self, now: Instant, offset: u32, size: u32, chunk: &Chunk, outputs: &mut Vec<Output>) {
        if offset as usize != self.bytes.len() {
            return;
        }
        let size_max = self.size_max;
        if size > size_max {
            return self.end(Err(ResourceError::TooLarge { size, size_max }), outputs);
        }
        self.bytes.extend_from_slice(chunk.as_bytes());
        if self.bytes.len() < size as usize {
            // An answer without bytes is a lost one: it is asked again when patience is over.
            if !chunk.as_bytes().is_empty() {
                self.exchange.advance();
                self.exchange.ask(now, self.read(), outputs);
            }
        } else if self.verification.accepts(self.id(), &self.bytes) {
            self.end(Ok(()), outputs);
        } else {
            self.start_over(now, outputs);
        }
    }

    fn start_over(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        self.bytes.clear();
        if self.exchange.start_over(ResourceError::Corrupt, outputs) {
            self.exchange.ask(now, self.read(), outputs);
        }
    }

    /// It keeps what it can go on from, or hand out: nothing after a refusal.
    fn end(&mut self, how: Result<(), ResourceError>, outputs: &mut Vec<Output>) {
        if how.is_err() {
            self.bytes.clear();
        }
        self.exchange.end(how, outputs);
    }
}

impl Machine for Fetch {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input<'_>, outputs: &mut Vec<Output>) {
        match input {
            Input::Timer if self.exchange.is_due(now) => self.exchange.ask_again(now, self.read(), outputs),
            Input::Reply(reply) if self.exchange.is_current(reply) => match reply.answer {
                Answer::Piece { offset, size, chunk } => self.on_piece(now, offset, size, &chunk, outputs),
                Answer::Refused(error) if self.exchange.is_last(reply) => self.end(Err(error), outputs),
                Answer::Refused(_) | Answer::Whole | Answer::Staged { .. } => {}
                Answer::Referenced | Answer::Released => {}
            },
            Input::Timer | Input::Reply(_) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.exchange.deadline()
    }
}
