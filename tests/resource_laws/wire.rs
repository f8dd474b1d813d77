//! A wire between one transfer and the center, which does to each message what it is told.

use failproof_core::distribution::resources::{
    Answer, Chunk, Input, Output, Reply, Request, ResourceCenter, ResourceError, What,
};
use failproof_core::{Instant, Machine};
use std::collections::VecDeque;

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Deliver,
    Lose,
    /// It arrives again behind itself.
    Twice,
    /// It arrives behind the next one.
    Late,
    /// A bit of the bytes that it carries is turned; one without bytes arrives as it is.
    Damage,
    /// A bit of the size or place that it tells is turned; one without arrives as it is.
    Resize,
}

/// What a transfer did until it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// What it asked, as it was sent.
    pub(crate) requests: Vec<Request>,
    /// How it ended.
    pub(crate) end: Result<(), ResourceError>,
}

impl Ran {
    /// Where the bytes begin that were read or put.
    pub(crate) fn offsets(&self) -> impl Iterator<Item = u32> {
        self.requests.iter().filter_map(|request| match request.what {
            What::Read { offset, .. } | What::Put { offset, .. } => Some(offset),
            What::Begin { .. } | What::Reference { .. } | What::Release { .. } => None,
        })
    }
}

#[derive(Clone, Copy)]
enum Letter {
    Request(Request),
    Reply(Reply),
}

/// Runs a transfer from `now` until it has ended and nothing is on its way. `fate` is asked about each message in both
/// directions, numbered from 0.
pub(crate) fn run<M>(
    transfer: &mut M,
    center: &mut ResourceCenter,
    mut now: Instant,
    mut fate: impl FnMut(usize) -> Fate,
) -> Ran
where
    M: for<'a> Machine<Input<'a> = Input<'a>, Output = Output>,
{
    let (mut queue, mut late, mut outputs) = (VecDeque::new(), Vec::new(), Vec::new());
    let (mut requests, mut ends, mut posted) = (Vec::new(), Vec::new(), 0);
    loop {
        let mut posts = Vec::new();
        match queue.pop_front() {
            Some(Letter::Request(request)) => posts.push(Letter::Reply(center.serve(&request, now))),
            Some(Letter::Reply(reply)) => transfer.handle(now, Input::Reply(&reply), &mut outputs),
            None => match transfer.deadline() {
                Some(due) => {
                    now = now.max(due);
                    transfer.handle(now, Input::Timer, &mut outputs);
                }
                None if late.is_empty() => break,
                None => {}
            },
        }
        for output in outputs.drain(..) {
            assert!(ends.is_empty(), "{output:?} after the end");
            match output {
                Output::Ask(request) => {
                    requests.push(request);
                    posts.push(Letter::Request(request));
                }
                Output::Done => ends.push(Ok(())),
                Output::Failed(error) => ends.push(Err(error)),
            }
        }
        // What is late arrives behind the next message, whatever becomes of that one.
        let held = if posts.is_empty() { Vec::new() } else { std::mem::take(&mut late) };
        for letter in posts {
            match fate(posted) {
                Fate::Deliver => queue.push_back(letter),
                Fate::Lose => {}
                Fate::Twice => queue.extend([letter; 2]),
                Fate::Late => late.push(letter),
                Fate::Damage => queue.push_back(damaged(letter).unwrap_or(letter)),
                Fate::Resize => queue.push_back(resized(letter).unwrap_or(letter)),
            }
            posted += 1;
        }
        queue.extend(held);
        if transfer.deadline().is_none() {
            queue.extend(late.drain(..));
        }
    }
    assert_eq!(ends.len(), 1, "it ends once: {ends:?}");
    Ran { requests, end: ends[0] }
}

fn damaged(letter: Letter) -> Option<Letter> {
    let turned = |chunk: Chunk| {
        let mut bytes = chunk.as_bytes().to_vec();
        *bytes.last_mut()? ^= 1;
        Some(Chunk::first_of(&bytes))
    };
    match letter {
        Letter::Request(Request { id, tag, what: What::Put { offset, chunk } }) => {
            Some(Letter::Request(Request { id, tag, what: What::Put { offset, chunk: turned(chunk)? } }))
        }
        Letter::Reply(Reply { id, tag, answer: Answer::Piece { offset, size, chunk } }) => {
            Some(Letter::Reply(Reply { id, tag, answer: Answer::Piece { offset, size, chunk: turned(chunk)? } }))
        }
        Letter::Request(_) | Letter::Reply(_) => None,
    }
}

fn resized(letter: Letter) -> Option<Letter> {
    match letter {
        Letter::Request(Request { id, tag, what }) => {
            let what = match what {
                What::Begin { size } => What::Begin { size: size ^ 1 },
                What::Put { offset, chunk } => What::Put { offset: offset ^ 1, chunk },
                What::Read { offset, length } => What::Read { offset: offset ^ 1, length },
                What::Reference { .. } | What::Release { .. } => return None,
            };
            Some(Letter::Request(Request { id, tag, what }))
        }
        Letter::Reply(Reply { id, tag, answer }) => {
            let answer = match answer {
                Answer::Staged { next } => Answer::Staged { next: next ^ 1 },
                Answer::Piece { offset, size, chunk } => Answer::Piece { offset, size: size ^ 1, chunk },
                Answer::Whole | Answer::Referenced | Answer::Released | Answer::Refused(_) => return None,
            };
            Some(Letter::Reply(Reply { id, tag, answer }))
        }
    }
}
