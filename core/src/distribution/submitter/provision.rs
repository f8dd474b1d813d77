//! What a submitter does before it may ask for a start: the content is uploaded, then the action refers to it.

use super::super::message::Message;
use super::super::resources::{self, Answer, ContentId, Holder, Input, Reply, Request, Upload, UploadConfig, What};
use super::super::{Output, Target};
use crate::id::Incarnation;
use crate::machine::Machine;
use crate::time::Instant;
use alloc::vec::Vec;

/// One content on its way to the center.
///
/// Units and clock: every [`Instant`] is microseconds on the submitter's own clock. It goes on until the reference is
/// answered: an upload that fails is begun again after the patience, and so is one whose content was collected before the
/// reference came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Provision {
    by: Incarnation,
    holder: Holder,
    #[cfg_attr(feature = "serde", serde(skip))]
    config: UploadConfig,
    bytes: Vec<u8>,
    upload: Upload,
    /// The number of the next request after the upload.
    tag: u32,
    /// When to ask for the reference again, or to upload again.
    due: Instant,
}

impl Provision {
    /// One that wants its timer input at once. Its requests are numbered from `tag`.
    pub(super) fn new(config: UploadConfig, by: Incarnation, holder: Holder, bytes: Vec<u8>, tag: u32) -> Self {
        let upload = Upload::new(config, bytes.clone(), tag);
        Self { by, holder, config, bytes, upload, tag, due: Instant::ZERO }
    }

    /// The number of its next request.
    pub(super) fn tag(&self) -> u32 {
        self.tag.max(self.upload.tag())
    }

    /// What it keeps elsewhere, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        2 * self.bytes.capacity()
    }

    pub(super) fn deadline(&self) -> Instant {
        self.upload.deadline().unwrap_or(self.due)
    }

    pub(super) fn on_timer(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        match self.upload.ended() {
            None => self.feed(now, Input::Timer, outputs),
            Some(_) if now < self.due => {}
            Some(Ok(())) => self.refer(now, outputs),
            Some(Err(_)) => self.start_over(now, outputs),
        }
    }

    /// The center answered. Returns whether the action refers to the content now.
    pub(super) fn on_reply(&mut self, now: Instant, to: Incarnation, reply: &Reply, outputs: &mut Vec<Output>) -> bool {
        if to != self.by || reply.id != self.id() {
            return false;
        }
        match (self.upload.ended(), reply.answer) {
            (None, _) => self.feed(now, Input::Reply(reply), outputs),
            (Some(Ok(())), Answer::Referenced) if reply.tag >= self.upload.tag() => return true,
            (Some(Ok(())), Answer::Refused(_)) if reply.tag + 1 == self.tag => self.start_over(now, outputs),
            (Some(_), _) => {}
        }
        false
    }

    const fn id(&self) -> ContentId {
        self.upload.id()
    }

    fn feed(&mut self, now: Instant, input: Input<'_>, outputs: &mut Vec<Output>) {
        let mut asked = Vec::new();
        self.upload.handle(now, input, &mut asked);
        for output in asked {
            match output {
                resources::Output::Ask(request) => outputs.push(self.ask(request)),
                resources::Output::Done => {
                    self.tag = self.upload.tag();
                    self.refer(now, outputs);
                }
                resources::Output::Failed(_) => self.due = now + self.config.patience,
            }
        }
    }

    fn refer(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        let what = What::Reference { holder: self.holder };
        outputs.push(self.ask(Request { id: self.id(), tag: self.tag, what }));
        self.tag += 1;
        self.due = now + self.config.patience;
    }

    fn start_over(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        self.upload = Upload::new(self.config, self.bytes.clone(), self.tag());
        self.feed(now, Input::Timer, outputs);
    }

    const fn ask(&self, request: Request) -> Output {
        Output::Send(Target::Center, Message::Resource(resources::Message::Request { by: self.by, request }))
    }
}
