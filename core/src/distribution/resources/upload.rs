//! An upload: how a submitter brings a content to the center.

use super::content::{Chunk, ContentId};
use super::error::ResourceError;
use super::message::{Answer, What};
use super::transfer::{Exchange, Input, Limits, Output};
use crate::machine::Machine;
use crate::time::Instant;
use alloc::vec::Vec;

/// The parameters of an upload.
pub type UploadConfig = Limits;

/// One upload of one content.
///
/// It asks how far the center is, and puts chunk after chunk from there. After a cut it asks again, so that what is
/// there is not sent twice, whoever sent it. What was discarded is sent anew.
///
/// Units and clock: every [`Instant`] is microseconds on the submitter's own clock.
/// Invariant: it ends, after a bounded number of requests; [`Output::Done`] says that the center has all of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Upload {
    exchange: Exchange,
    bytes: Vec<u8>,
    /// How many bytes the center has, as far as is known.
    next: u32,
    /// Whether the last request asked how many it has.
    inquires: bool,
}

impl Upload {
    /// An upload of `bytes` that wants its first timer input at once. Its requests are numbered from `tag`: not below
    /// the [`Self::tag`] of an earlier transfer of the same submitter.
    #[must_use]
    pub fn new(config: UploadConfig, bytes: Vec<u8>, tag: u32) -> Self {
        Self { exchange: Exchange::new(config, ContentId::of(&bytes), tag), bytes, next: 0, inquires: false }
    }

    /// The name of the content.
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

    /// Goes on after [`ResourceError::Cut`] from where the center is, with its timer due at once. Does nothing if it
    /// ended in another way, or did not.
    pub fn resume(&mut self) {
        self.exchange.resume();
    }

    fn begin(&mut self) -> What {
        self.inquires = true;
        What::Begin { size: self.bytes.len() as u32 }
    }

    fn put(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        self.inquires = false;
        let rest = &self.bytes[self.next as usize..];
        let length = rest.len().min(usize::from(self.exchange.limits().chunk.get()));
        let put = What::Put { offset: self.next, chunk: Chunk::first_of(&rest[..length]) };
        self.exchange.ask(now, put, outputs);
    }

    fn on_staged(&mut self, now: Instant, next: u32, is_last: bool, outputs: &mut Vec<Output>) {
        if next >= self.bytes.len() as u32 {
            // All is there and it is not whole: somebody uploads it with another size.
            if is_last {
                self.start_over(now, ResourceError::Differs, outputs);
            }
        } else if next > self.next {
            self.next = next;
            self.exchange.advance();
            self.put(now, outputs);
        } else if is_last && next < self.next {
            // What was there has been discarded, and somebody began anew.
            self.start_over(now, ResourceError::Missing, outputs);
        } else if is_last && self.inquires {
            self.put(now, outputs);
        }
    }

    fn start_over(&mut self, now: Instant, error: ResourceError, outputs: &mut Vec<Output>) {
        self.next = 0;
        if self.exchange.start_over(error, outputs) {
            let begin = self.begin();
            self.exchange.ask(now, begin, outputs);
        }
    }
}

impl Machine for Upload {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input<'_>, outputs: &mut Vec<Output>) {
        match input {
            Input::Timer if self.exchange.is_due(now) => {
                let begin = self.begin();
                self.exchange.ask_again(now, begin, outputs);
            }
            Input::Reply(reply) if self.exchange.is_current(reply) => {
                let is_last = self.exchange.is_last(reply);
                match reply.answer {
                    Answer::Whole => self.exchange.end(Ok(()), outputs),
                    Answer::Staged { next } => self.on_staged(now, next, is_last, outputs),
                    Answer::Refused(error) if is_last => match error {
                        ResourceError::Missing | ResourceError::Corrupt | ResourceError::Differs => {
                            self.start_over(now, error, outputs);
                        }
                        ResourceError::TooLarge { .. } | ResourceError::Full { .. } | ResourceError::Cut { .. } => {
                            self.exchange.end(Err(error), outputs);
                        }
                    },
                    Answer::Refused(_) | Answer::Piece { .. } | Answer::Referenced | Answer::Released => {}
                }
            }
            Input::Timer | Input::Reply(_) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.exchange.deadline()
    }
}
