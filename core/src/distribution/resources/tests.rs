//! Small facts about the resource center and its transfers. What holds for any sequence is in the laws.

use super::*;
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::num::{NonZeroU8, NonZeroU32};

const GRACE: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(1);
const JAR: &[u8] = b"the bytes of a jar";
const SIZE: u32 = JAR.len() as u32;
const FIRST: Holder = Holder(1);
const SECOND: Holder = Holder(2);

fn at(s: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(s)
}

fn center() -> ResourceCenter {
    ResourceCenter::new(CenterConfig { size_max: 20, capacity: 40, grace: GRACE, rules: Rules::hardened() })
}

/// A center that has the jar.
fn stocked() -> (ResourceCenter, ContentId) {
    let (mut center, id) = (center(), ContentId::of(JAR));
    assert_eq!(center.begin(id, SIZE, at(0)), Ok(Progress::Staged { next: 0 }));
    assert_eq!(center.put(id, 0, JAR, at(0)), Ok(Progress::Whole));
    (center, id)
}

const LIMITS: Limits = Limits {
    chunk: NonZeroU8::new(8).unwrap(),
    patience: PATIENCE,
    asks_max: NonZeroU32::new(3).unwrap(),
    attempts_max: NonZeroU32::new(2).unwrap(),
};

fn fetch() -> Fetch {
    let verification = Verification::Sha256;
    Fetch::new(FetchConfig { size_max: 20, limits: LIMITS, verification }, ContentId::of(JAR), 10)
}

/// The one output that follows.
fn feed<M>(machine: &mut M, now: Instant, input: Input<'_>) -> Option<Output>
where
    M: for<'a> Machine<Input<'a> = Input<'a>, Output = Output>,
{
    let mut outputs = Vec::new();
    machine.handle(now, input, &mut outputs);
    assert!(outputs.len() <= 1, "one at a time: {outputs:?}");
    outputs.pop()
}

/// Fires the timer; what it asks, or how it ended.
fn tick<M>(machine: &mut M) -> Option<Output>
where
    M: for<'a> Machine<Input<'a> = Input<'a>, Output = Output>,
{
    let now = machine.deadline().expect("it waits for something");
    feed(machine, now, Input::Timer)
}

fn reply(tag: u32, answer: Answer) -> Reply {
    Reply { id: ContentId::of(JAR), tag, answer }
}

fn piece(tag: u32, offset: usize, length: usize) -> Reply {
    let chunk = Chunk::first_of(&JAR[offset..offset + length]);
    reply(tag, Answer::Piece { offset: offset as u32, size: SIZE, chunk })
}

fn asks(tag: u32, offset: u32) -> Option<Output> {
    let what = What::Read { offset, length: 8 };
    Some(Output::Ask(Request { id: ContentId::of(JAR), tag, what }))
}

/// The vectors of FIPS 180-2.
#[test]
fn a_name_is_the_sha_256_of_the_bytes() {
    let shown = |bytes: &[u8]| ContentId::of(bytes).to_string();
    assert_eq!(shown(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(shown(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn an_upload_resumes_where_it_is_and_repetitions_change_nothing() {
    let (mut center, id) = (center(), ContentId::of(JAR));
    assert_eq!(center.put(id, 0, &JAR[..8], at(0)), Err(ResourceError::Missing), "not begun");
    assert_eq!(center.begin(id, SIZE, at(0)), Ok(Progress::Staged { next: 0 }));
    assert_eq!(center.put(id, 0, &JAR[..8], at(0)), Ok(Progress::Staged { next: 8 }));
    assert_eq!(center.put(id, 0, &JAR[..8], at(0)), Ok(Progress::Staged { next: 8 }), "again");
    assert_eq!(center.put(id, 12, &JAR[12..], at(0)), Ok(Progress::Staged { next: 8 }), "too far");
    assert_eq!(center.put(id, 0, b"THE", at(0)), Err(ResourceError::Differs));
    assert_eq!(center.begin(id, SIZE, at(0)), Ok(Progress::Staged { next: 8 }), "somebody else, or the same again");
    assert_eq!(center.read(id, 0, 8), Err(ResourceError::Missing), "half of it is nothing");
    assert_eq!(center.reference(FIRST, id), Err(ResourceError::Missing));
    assert_eq!(center.put(id, 4, &JAR[4..], at(0)), Ok(Progress::Whole), "the overlap is equal");
    assert_eq!(center.put(id, 4, &JAR[4..], at(0)), Ok(Progress::Whole));
    assert_eq!(center.put(id, 4, &JAR[5..], at(0)), Err(ResourceError::Differs));
    assert_eq!(center.begin(id, SIZE, at(0)), Ok(Progress::Whole));
    assert_eq!(center.shown(id), Some(JAR));
    let last = Chunk::first_of(b"ar");
    assert_eq!(center.read(id, SIZE - 2, 8), Ok(Answer::Piece { offset: SIZE - 2, size: SIZE, chunk: last }));
}

#[test]
fn what_is_corrupt_is_discarded_and_leaves_room() {
    let (mut center, id) = (center(), ContentId::of(JAR));
    let mut damaged = JAR.to_vec();
    damaged[3] ^= 1;
    for bytes in [&damaged[..], &[JAR, b"."].concat()[..]] {
        assert_eq!(center.begin(id, SIZE, at(0)), Ok(Progress::Staged { next: 0 }));
        assert_eq!(center.used(), u64::from(SIZE));
        assert_eq!(center.put(id, 0, bytes, at(0)), Err(ResourceError::Corrupt));
        assert_eq!((center.used(), center.shown(id)), (0, None));
    }
    assert_eq!(center.begin(id, 0, at(0)), Err(ResourceError::Corrupt), "no bytes have another name");
    assert_eq!(center.begin(ContentId::of(b""), 0, at(0)), Ok(Progress::Whole));
}

#[test]
fn a_size_told_otherwise_starts_the_upload_over() {
    let (mut center, id) = (center(), ContentId::of(JAR));
    assert_eq!(center.begin(id, 3, at(0)), Ok(Progress::Staged { next: 0 }));
    assert_eq!(center.put(id, 0, b"t", at(0)), Ok(Progress::Staged { next: 1 }));
    assert_eq!(center.begin(id, SIZE, at(0)), Ok(Progress::Staged { next: 0 }));
    assert_eq!(center.used(), u64::from(SIZE));
    assert_eq!(center.put(id, 0, JAR, at(0)), Ok(Progress::Whole));
}

#[test]
fn limits_refuse_before_anything_is_stored() {
    let (mut center, _) = stocked();
    let other = ContentId::of(b"other");
    assert_eq!(center.begin(other, 21, at(0)), Err(ResourceError::TooLarge { size: 21, size_max: 20 }));
    assert_eq!(center.begin(other, 20, at(0)), Ok(Progress::Staged { next: 0 }));
    let full = ResourceError::Full { size: 3, free: 2 };
    assert_eq!(
        center.begin(ContentId::of(b"third"), 3, at(0)),
        Err(full),
        "an upload counts in full from the beginning"
    );
    assert_eq!(center.begin(other, 5, at(0)), Ok(Progress::Staged { next: 0 }));
    assert_eq!(center.used(), u64::from(SIZE) + 5);
    assert_eq!(center.begin(ContentId::of(b"third"), 3, at(0)), Ok(Progress::Staged { next: 0 }));
}

#[test]
fn what_a_job_refers_to_is_not_collected() {
    let (mut center, id) = stocked();
    assert_eq!(center.reference(FIRST, id), Ok(()));
    assert_eq!(center.reference(FIRST, id), Ok(()), "again");
    assert_eq!(center.reference(SECOND, id), Ok(()));
    assert!(center.references().eq([(FIRST, id), (SECOND, id)]));
    assert!(center.release(FIRST, id, at(100)));
    assert!(!center.release(FIRST, id, at(100)), "once");
    assert_eq!(center.collect(at(1_000)), []);
    assert!(center.release(SECOND, id, at(1_000)));
    assert_eq!(center.collect(at(1_059)), [], "the grace begins with the release");
    assert_eq!(center.collect(at(1_060)), [id]);
    assert_eq!((center.used(), center.shown(id)), (0, None));
    assert_eq!(center.reference(FIRST, id), Err(ResourceError::Missing));
    assert_eq!(center.begin(id, SIZE, at(1_060)), Ok(Progress::Staged { next: 0 }));
    assert_eq!(center.put(id, 0, JAR, at(1_060)), Ok(Progress::Whole), "it can come again");
}

#[test]
fn asking_to_upload_it_keeps_a_content_for_a_grace() {
    let (mut center, id) = stocked();
    assert_eq!(center.begin(id, SIZE, at(59)), Ok(Progress::Whole));
    assert_eq!(center.collect(at(118)), []);
    assert_eq!(center.put(id, 0, &JAR[..1], at(118)), Ok(Progress::Whole));
    assert_eq!(center.collect(at(177)), []);
    center.restart(at(5));
    assert_eq!(center.collect(at(64)), [], "ages count from the restart");
    assert_eq!(center.collect(at(65)), [id]);
}

#[test]
fn an_upload_is_collected_only_when_it_stands_still() {
    let (mut center, id) = (center(), ContentId::of(JAR));
    let _ = center.begin(id, SIZE, at(0));
    for chunk in 0..SIZE - 1 {
        let now = at(u64::from(chunk + 1) * 59);
        assert_eq!(center.collect(now), []);
        let progress = center.put(id, chunk, &JAR[chunk as usize..][..1], now);
        assert_eq!(progress, Ok(Progress::Staged { next: chunk + 1 }));
    }
    let last = at(u64::from(SIZE - 1) * 59);
    assert_eq!(center.collect(last + GRACE), [], "no content was lost");
    assert_eq!(center.used(), 0);
    assert_eq!(center.put(id, SIZE - 1, b"r", last + GRACE), Err(ResourceError::Missing));
}

#[test]
fn a_fetch_takes_only_the_next_bytes_of_its_own_attempt() {
    let mut fetch = fetch();
    assert_eq!(tick(&mut fetch), asks(10, 0));
    assert_eq!(feed(&mut fetch, at(0), Input::Timer), None, "too early is harmless");
    for other in [piece(9, 0, 8), piece(11, 0, 8), piece(10, 8, 8), piece(10, 0, 0), reply(10, Answer::Whole)] {
        assert_eq!(feed(&mut fetch, at(0), Input::Reply(&other)), None, "{other:?}");
    }
    let other = Reply { id: ContentId::of(b"other"), ..piece(10, 0, 8) };
    assert_eq!(feed(&mut fetch, at(0), Input::Reply(&other)), None);
    assert_eq!(fetch.received(), 0);
    assert_eq!(tick(&mut fetch), asks(11, 0), "patience is over");
    assert_eq!(feed(&mut fetch, at(2), Input::Reply(&piece(10, 0, 8))), asks(12, 8), "late, and what is needed");
    assert_eq!(feed(&mut fetch, at(2), Input::Reply(&piece(11, 0, 8))), None, "again");
    let refused = reply(11, Answer::Refused(ResourceError::Missing));
    assert_eq!(feed(&mut fetch, at(2), Input::Reply(&refused)), None, "an old refusal");
    assert_eq!(feed(&mut fetch, at(2), Input::Reply(&piece(12, 8, 8))), asks(13, 16));
    assert_eq!(fetch.content(), None, "not all");
    assert_eq!(feed(&mut fetch, at(2), Input::Reply(&piece(13, 16, 2))), Some(Output::Done));
    assert_eq!((fetch.content(), fetch.deadline(), fetch.tag()), (Some(JAR), None, 14));
    assert_eq!(feed(&mut fetch, at(9), Input::Timer), None);
    assert_eq!(feed(&mut fetch, at(9), Input::Reply(&refused)), None);
}

#[test]
fn a_fetch_starts_over_when_the_digest_is_wrong_and_ends_as_corrupt() {
    let mut fetch = fetch();
    let damaged = |tag| reply(tag, Answer::Piece { offset: 0, size: 3, chunk: Chunk::first_of(b"tHe") });
    assert_eq!(tick(&mut fetch), asks(10, 0));
    assert_eq!(feed(&mut fetch, at(0), Input::Reply(&damaged(10))), asks(11, 0));
    assert_eq!(feed(&mut fetch, at(0), Input::Reply(&piece(10, 0, 8))), None, "of the attempt before");
    let error = ResourceError::Corrupt;
    assert_eq!(feed(&mut fetch, at(0), Input::Reply(&damaged(11))), Some(Output::Failed(error)));
    assert_eq!((fetch.ended(), fetch.content(), fetch.received()), (Some(Err(error)), None, 0));
    fetch.resume();
    assert_eq!(fetch.deadline(), None, "only a cut is resumed");
}

#[test]
fn a_fetch_refuses_what_is_too_large_and_more_bytes_than_there_are() {
    let (mut large, mut long) = (fetch(), fetch());
    let (_, _) = (tick(&mut large), tick(&mut long));
    let answer = |size| reply(10, Answer::Piece { offset: 0, size, chunk: Chunk::first_of(&JAR[..8]) });
    let error = ResourceError::TooLarge { size: 21, size_max: 20 };
    assert_eq!(feed(&mut large, at(0), Input::Reply(&answer(21))), Some(Output::Failed(error)));
    assert_eq!(feed(&mut long, at(0), Input::Reply(&answer(7))), asks(11, 0), "from the first byte");
}

#[test]
fn a_fetch_that_is_cut_off_says_so_and_goes_on_from_there() {
    let mut fetch = fetch();
    let _ = tick(&mut fetch);
    assert_eq!(feed(&mut fetch, at(0), Input::Reply(&piece(10, 0, 8))), asks(11, 8));
    assert_eq!([tick(&mut fetch), tick(&mut fetch)], [asks(12, 8), asks(13, 8)]);
    assert_eq!(tick(&mut fetch), Some(Output::Failed(ResourceError::Cut { asks: 3 })));
    assert_eq!((fetch.content(), fetch.deadline()), (None, None));
    fetch.resume();
    assert_eq!(tick(&mut fetch), asks(14, 8));
}

/// Two of three requests for each chunk are lost: what comes counts as news, so it is never cut off.
#[test]
fn a_fetch_that_gets_on_is_patient_again() {
    let mut fetch = fetch();
    let (mut tag, mut asked) = (10, tick(&mut fetch));
    for offset in [0, 8, 16] {
        assert_eq!(asked, asks(tag, offset));
        assert_eq!([tick(&mut fetch), tick(&mut fetch)], [asks(tag + 1, offset), asks(tag + 2, offset)]);
        let length = (JAR.len() - offset as usize).min(8);
        asked = feed(&mut fetch, at(9), Input::Reply(&piece(tag + 2, offset as usize, length)));
        tag += 3;
    }
    assert_eq!((asked, fetch.content()), (Some(Output::Done), Some(JAR)));
}

#[test]
fn an_upload_asks_where_to_go_on_and_starts_over_a_few_times() {
    let put = |tag, offset: usize, length: usize| {
        let what = What::Put { offset: offset as u32, chunk: Chunk::first_of(&JAR[offset..][..length]) };
        Some(Output::Ask(Request { id: ContentId::of(JAR), tag, what }))
    };
    let begin = |tag| Some(Output::Ask(Request { id: ContentId::of(JAR), tag, what: What::Begin { size: SIZE } }));
    let staged = |tag, next| reply(tag, Answer::Staged { next });
    let mut upload = Upload::new(LIMITS, JAR.to_vec(), 0);
    assert_eq!(tick(&mut upload), begin(0));
    assert_eq!(feed(&mut upload, at(0), Input::Reply(&staged(0, 8))), put(1, 8, 8), "half of it was there");
    assert_eq!(feed(&mut upload, at(0), Input::Reply(&staged(0, 8))), None, "again");
    assert_eq!(tick(&mut upload), begin(2));
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&staged(1, 16))), put(3, 16, 2), "late, and further");
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&staged(2, 16))), None);
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&staged(0, 8))), None, "it was further since");
    let refused = |tag, error| reply(tag, Answer::Refused(error));
    let corrupt = ResourceError::Corrupt;
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&refused(2, corrupt))), None, "not about the last request");
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&refused(3, corrupt))), begin(4));
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&staged(3, 16))), None, "of the attempt before");
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&refused(4, corrupt))), Some(Output::Failed(corrupt)));
    assert_eq!((upload.ended(), upload.deadline()), (Some(Err(corrupt)), None));
    let mut upload = Upload::new(LIMITS, JAR.to_vec(), 0);
    assert_eq!([tick(&mut upload), tick(&mut upload)], [begin(0), begin(1)]);
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&staged(0, 0))), None, "asked again since");
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&staged(1, SIZE))), begin(2), "of another size");
    let full = ResourceError::Full { size: SIZE, free: 0 };
    let mut upload = Upload::new(LIMITS, JAR.to_vec(), upload.tag());
    assert_eq!(tick(&mut upload), begin(3));
    assert_eq!(feed(&mut upload, at(1), Input::Reply(&refused(3, full))), Some(Output::Failed(full)), "at once");
}

#[test]
fn an_upload_that_is_answered_but_never_served_ends_as_cut() {
    let mut upload = Upload::new(LIMITS, JAR.to_vec(), 0);
    let mut asked = vec![];
    let mut now = at(0);
    // Each inquiry is answered, and each put is lost.
    while let Some(output) = tick(&mut upload) {
        now = now + PATIENCE;
        let Output::Ask(Request { tag, what: What::Begin { .. }, .. }) = output else {
            assert_eq!(output, Output::Failed(ResourceError::Cut { asks: 3 }));
            break;
        };
        asked.push(tag);
        let put = feed(&mut upload, now, Input::Reply(&reply(tag, Answer::Staged { next: 0 })));
        assert!(matches!(put, Some(Output::Ask(Request { what: What::Put { offset: 0, .. }, .. }))));
    }
    assert_eq!(asked, [0, 2, 4]);
}
