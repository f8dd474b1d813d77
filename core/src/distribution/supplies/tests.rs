//! Small facts about what a server has. The whole way from the submitter to the cluster is walked in simulations.

use super::*;
use crate::distribution::resources::{Answer, Chunk, Limits, Verification};
use crate::time::Duration;
use alloc::vec;
use core::num::NonZeroU32;

const ME: Incarnation = Incarnation { mint: 7, life: 1 };
const CHUNK: usize = 4;
const ASKS_MAX: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(1);

fn at(s: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(s)
}

fn supplies(verification: Verification) -> Supplies {
    let limits = Limits {
        chunk: NonZeroU8::new(CHUNK as u8).expect("not zero"),
        patience: PATIENCE,
        asks_max: NonZeroU32::new(ASKS_MAX).expect("not zero"),
        attempts_max: NonZeroU32::new(2).expect("not zero"),
    };
    let fetch = FetchConfig { size_max: 12, limits, verification };
    Supplies::new(SuppliesConfig { fetch, fetches_max: NonZeroU8::new(2).expect("not zero"), kept_max: 1 }, ME)
}

fn content(number: u8, length: usize) -> (ContentId, Vec<u8>) {
    let bytes = vec![number; length];
    (ContentId::of(&bytes), bytes)
}

/// The only request.
fn request(outputs: &mut Vec<Output>) -> Request {
    match outputs.pop() {
        Some(Output::Send(Target::Center, Message::Resource(resources::Message::Request { by: ME, request }))) => {
            assert!(outputs.is_empty(), "one request at a time: {outputs:?}");
            request
        }
        other => panic!("a request to the center was expected: {other:?}"),
    }
}

/// What a center answers that has these bytes.
fn answer(bytes: &[u8], request: &Request) -> Reply {
    let What::Read { offset, length } = request.what else { panic!("only reads: {request:?}") };
    let rest = &bytes[offset as usize..];
    let chunk = Chunk::first_of(&rest[..rest.len().min(length.into())]);
    let answer = Answer::Piece { offset, size: bytes.len() as u32, chunk };
    Reply { id: request.id, tag: request.tag, answer }
}

/// Fetches `id` from a center that has `bytes` for it and answers `answers` requests. Returns how it ended, if it did.
fn fetch(supplies: &mut Supplies, id: ContentId, bytes: &[u8], answers: usize) -> Option<Result<(), ResourceError>> {
    let mut outputs = Vec::new();
    supplies.begin_step();
    supplies.fetch(at(0), id, &mut outputs);
    for _ in 0..answers {
        let reply = answer(bytes, &request(&mut outputs));
        supplies.on_reply(at(0), ME, &reply, &mut outputs);
        if let [(ended, how)] = supplies.ended() {
            assert_eq!(*ended, id);
            return Some(*how);
        }
    }
    None
}

#[test]
fn a_content_is_had_when_all_of_it_is_here_and_verified() {
    let (id, bytes) = content(1, 10);
    let mut supplies = supplies(Verification::Sha256);
    for answers in 0..3 {
        let mut half = supplies.clone();
        assert_eq!(fetch(&mut half, id, &bytes, answers), None);
        assert_eq!((half.content(id), half.fetches()), (None, 1), "after {answers} of 3 chunks");
    }
    assert_eq!(fetch(&mut supplies, id, &bytes, 3), Some(Ok(())));
    assert_eq!((supplies.content(id), supplies.fetches(), supplies.deadline()), (Some(&bytes[..]), 0, None));
}

#[test]
fn a_fetch_that_is_cut_at_any_chunk_leaves_nothing_and_says_so() {
    let (id, bytes) = content(1, 10);
    for answers in 0..3 {
        let mut supplies = supplies(Verification::Sha256);
        assert_eq!(fetch(&mut supplies, id, &bytes, answers), None);
        let mut outputs = Vec::new();
        while let Some(due) = supplies.deadline() {
            supplies.on_timer(due, &mut outputs);
        }
        let cut = ResourceError::Cut { asks: ASKS_MAX };
        assert_eq!((supplies.failure(id), supplies.content(id), supplies.fetches()), (Some(cut), None, 0));
        assert_eq!(fetch(&mut supplies, id, &bytes, 3), Some(Ok(())), "another attempt is another fetch");
    }
}

/// One that believes what comes has other bytes than the name says, so the digest is what convicts it.
#[test]
fn damage_and_excess_are_refused_unless_nothing_is_verified() {
    let (id, bytes) = content(1, 10);
    let (_, other) = content(2, 10);
    let (large, excess) = content(3, 13);
    let mut careful = supplies(Verification::Sha256);
    assert_eq!(fetch(&mut careful, id, &other, 6), Some(Err(ResourceError::Corrupt)), "in both attempts");
    assert_eq!((careful.content(id), careful.failure(id)), (None, Some(ResourceError::Corrupt)));
    let too_large = ResourceError::TooLarge { size: 13, size_max: 12 };
    assert_eq!(fetch(&mut careful, large, &excess, 1), Some(Err(too_large)));
    let mut gullible = supplies(Verification::None);
    assert_eq!(fetch(&mut gullible, id, &other, 3), Some(Ok(())));
    assert_ne!(gullible.content(id), Some(&bytes[..]));
}

#[test]
fn one_fetch_serves_all_rows_and_few_go_on_at_a_time() {
    let mut supplies = supplies(Verification::Sha256);
    let mut outputs = Vec::new();
    for number in [1, 1, 2, 3, 2] {
        supplies.fetch(at(0), content(number, 10).0, &mut outputs);
    }
    assert_eq!((outputs.len(), supplies.fetches()), (2, 2), "two contents, and no room for the third");
}

#[test]
fn an_answer_to_another_process_or_to_an_earlier_fetch_changes_nothing() {
    let (id, bytes) = content(1, 4);
    let mut supplies = supplies(Verification::Sha256);
    let mut outputs = Vec::new();
    supplies.fetch(at(0), id, &mut outputs);
    let first = answer(&bytes, &request(&mut outputs));
    supplies.on_reply(at(0), Incarnation { mint: 8, life: 1 }, &first, &mut outputs);
    assert_eq!((supplies.content(id), supplies.fetches()), (None, 1), "somebody else asked");
    let missing = Reply { answer: Answer::Refused(ResourceError::Missing), ..first };
    supplies.on_reply(at(0), ME, &missing, &mut outputs);
    assert_eq!(supplies.failure(id), Some(ResourceError::Missing));
    supplies.fetch(at(0), id, &mut outputs);
    supplies.begin_step();
    supplies.on_reply(at(0), ME, &missing, &mut outputs);
    assert_eq!((supplies.failure(id), supplies.fetches()), (None, 1), "of the fetch before");
}

#[test]
fn the_oldest_content_that_nobody_needs_is_forgotten() {
    let mut supplies = supplies(Verification::Sha256);
    let contents = [1, 2, 3].map(|number| content(number, 4));
    for (id, bytes) in &contents {
        assert_eq!(fetch(&mut supplies, *id, bytes, 1), Some(Ok(())));
    }
    supplies.trim(|id| id == contents[0].0);
    assert_eq!(contents.each_ref().map(|(id, _)| supplies.content(*id).is_some()), [true, false, false]);
    supplies.trim(|_| true);
    assert_eq!(supplies.kept(), 1);
}
