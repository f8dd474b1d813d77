//! Laws of uploads and fetches: whatever becomes of messages, they end with the right bytes or with an error that says
//! why, and nothing half-written is handed out.

use super::wire::{Fate, Ran, run};
use super::{GRACE, Judgement, LENGTHS, LONG, SIZE_MAX, bytes, center, convict, id};
use crate::settings::fixed;
use failproof_core::distribution::resources::{
    Fetch, FetchConfig, Holder, Limits, ResourceCenter, ResourceError, Rules, Serving, Upload, Verification,
};
use failproof_core::{Duration, Instant, Machine};
use proptest::prelude::*;
use proptest::sample::select;
use std::num::{NonZeroU8, NonZeroU32};

const PATIENCE: Duration = Duration::from_millis(100);
const ZERO: Instant = Instant::ZERO;

fn limits(chunk: u8, asks_max: u32, attempts_max: u32) -> Limits {
    let many = |number| NonZeroU32::new(number).expect("more than zero");
    let chunk = NonZeroU8::new(chunk).expect("more than zero");
    Limits { chunk, patience: PATIENCE, asks_max: many(asks_max), attempts_max: many(attempts_max) }
}

fn upload(content: usize, limits: Limits) -> Upload {
    Upload::new(limits, bytes(content), 0)
}

fn fetch(content: usize, limits: Limits, verification: Verification) -> Fetch {
    Fetch::new(FetchConfig { size_max: SIZE_MAX, limits, verification }, id(content), 0)
}

fn calm(_: usize) -> Fate {
    Fate::Deliver
}

/// A center that has this content.
fn stocked(content: usize, rules: Rules) -> ResourceCenter {
    let mut center = center(rules);
    assert_eq!(run(&mut upload(content, limits(4, 1, 1)), &mut center, ZERO, calm).end, Ok(()));
    center
}

/// Judges a fetch that ended: what it hands out is the content, and it hands out nothing else.
fn hands_out_the_content(fetch: &Fetch, content: usize) -> Judgement {
    match (fetch.ended(), fetch.content()) {
        (Some(Ok(())), Some(got)) if got == bytes(content) => Ok(()),
        (Some(Err(_)), None) => Ok(()),
        (end, got) => convict(format!("{end:?} with {got:?} of {:?}", bytes(content))),
    }
}

/// Judges the center around an upload: it shows all of the content, or nothing.
fn shows_all_or_nothing(center: &ResourceCenter, content: usize) -> Judgement {
    match center.shown(id(content)) {
        Some(shown) if shown != bytes(content) => convict(format!("{shown:?} of {:?}", bytes(content))),
        _ => Ok(()),
    }
}

/// Judges that bytes which came before a cut are not sent again after it: from one request to the next the place never
/// goes back.
fn goes_on(runs: &[&Ran]) -> Judgement {
    let offsets: Vec<u32> = runs.iter().flat_map(|ran| ran.offsets()).collect();
    if offsets.is_sorted() { Ok(()) } else { convict(format!("{offsets:?}")) }
}

/// The messages of a transfer in both directions, if all goes well.
fn messages(ran: &Ran) -> usize {
    ran.requests.len() * 2
}

/// Each place at which a transfer can be cut: content, length of chunks, and the message that is lost first. `calmly`
/// says how many messages there are.
fn each_cut(calmly: impl Fn(usize, u8) -> usize, mut check: impl FnMut(usize, u8, usize)) {
    let mut cuts = 0;
    for content in 0..LENGTHS.len() {
        for chunk in 1..=5 {
            for first in 0..calmly(content, chunk) {
                check(content, chunk, first);
                cuts += 1;
            }
        }
    }
    assert!(cuts > 180, "only {cuts} cuts");
}

fn upload_messages(content: usize, chunk: u8) -> usize {
    messages(&run(&mut upload(content, limits(chunk, 1, 1)), &mut center(Rules::hardened()), ZERO, calm))
}

fn fetch_messages(content: usize, chunk: u8) -> usize {
    let mut fetch = fetch(content, limits(chunk, 1, 1), Verification::Sha256);
    messages(&run(&mut fetch, &mut stocked(content, Rules::hardened()), ZERO, calm))
}

#[test]
fn an_upload_that_loses_messages_goes_on_and_is_whole() {
    each_cut(upload_messages, |content, chunk, first| {
        for lost in 1..4 {
            let mut center = center(Rules::hardened());
            let mut upload = upload(content, limits(chunk, 4, 1));
            let lossy = |at| if (first..first + lost).contains(&at) { Fate::Lose } else { Fate::Deliver };
            let ran = run(&mut upload, &mut center, ZERO, lossy);
            assert_eq!((ran.end, goes_on(&[&ran])), (Ok(()), Ok(())), "{content} {chunk} {first} {lost}");
            assert_eq!(center.shown(id(content)), Some(&bytes(content)[..]));
        }
    });
}

/// The submitter is cut off for good. Whoever comes then, itself or somebody else, before or after a restart of the
/// center, puts no byte that is there. Meanwhile a fetch finds nothing, or all.
#[test]
fn an_upload_that_is_cut_off_is_never_served_and_can_be_finished() {
    each_cut(upload_messages, |content, chunk, first| {
        let mut center = center(Rules::hardened());
        let mut cut = upload(content, limits(chunk, 2, 1));
        let lossy = |at| if at >= first { Fate::Lose } else { Fate::Deliver };
        let ran = run(&mut cut, &mut center, ZERO, lossy);
        assert_eq!(ran.end, Err(ResourceError::Cut { asks: 2 }), "{content} {chunk} {first}");
        assert_eq!(shows_all_or_nothing(&center, content), Ok(()));
        let is_whole = center.shown(id(content)).is_some();
        assert_eq!(is_whole, first + 1 == upload_messages(content, chunk), "all came, and the last answer was lost");
        let mut fetch = fetch(content, limits(chunk, 1, 1), Verification::Sha256);
        let fetched = run(&mut fetch, &mut center, ZERO, calm);
        assert_eq!(fetched.end, if is_whole { Ok(()) } else { Err(ResourceError::Missing) });
        assert_eq!(hands_out_the_content(&fetch, content), Ok(()));
        for restarts in [false, true] {
            let mut center = center.clone();
            if restarts {
                center.restart(ZERO);
            }
            let (mut again, mut other) = (cut.clone(), upload(content, limits(chunk, 1, 1)));
            again.resume();
            let first_run = Ran { requests: ran.requests.clone(), end: ran.end };
            let mut elsewhere = center.clone();
            let second = run(&mut other, &mut elsewhere, ZERO, calm);
            assert_eq!((second.end, goes_on(&[&first_run, &second])), (Ok(()), Ok(())));
            let resumed = run(&mut again, &mut center, ZERO, calm);
            assert_eq!((resumed.end, goes_on(&[&first_run, &resumed])), (Ok(()), Ok(())));
            assert_eq!(
                [&center, &elsewhere].map(|center| center.shown(id(content)).map(<[u8]>::len)),
                [Some(LENGTHS[content]); 2]
            );
        }
    });
}

#[test]
fn a_fetch_that_loses_messages_goes_on_and_has_the_content() {
    each_cut(fetch_messages, |content, chunk, first| {
        for lost in 1..4 {
            let mut fetch = fetch(content, limits(chunk, 4, 1), Verification::Sha256);
            let lossy = |at| if (first..first + lost).contains(&at) { Fate::Lose } else { Fate::Deliver };
            let ran = run(&mut fetch, &mut stocked(content, Rules::hardened()), ZERO, lossy);
            assert_eq!((ran.end, goes_on(&[&ran])), (Ok(()), Ok(())), "{content} {chunk} {first} {lost}");
            assert_eq!(hands_out_the_content(&fetch, content), Ok(()));
        }
    });
}

#[test]
fn a_fetch_that_is_cut_off_hands_out_nothing_and_can_go_on() {
    each_cut(fetch_messages, |content, chunk, first| {
        let mut center = stocked(content, Rules::hardened());
        let mut fetch = fetch(content, limits(chunk, 2, 1), Verification::Sha256);
        let lossy = |at| if at >= first { Fate::Lose } else { Fate::Deliver };
        let ran = run(&mut fetch, &mut center, ZERO, lossy);
        assert_eq!(ran.end, Err(ResourceError::Cut { asks: 2 }), "{content} {chunk} {first}");
        assert_eq!(hands_out_the_content(&fetch, content), Ok(()));
        let mut collected = center.clone();
        assert_eq!(collected.collect(ZERO + GRACE), [id(content)]);
        for (mut center, end) in [(center, Ok(())), (collected, Err(ResourceError::Missing))] {
            let mut fetch = fetch.clone();
            fetch.resume();
            let resumed = run(&mut fetch, &mut center, ZERO, calm);
            let first_run = Ran { requests: ran.requests.clone(), end: ran.end };
            assert_eq!((resumed.end, goes_on(&[&first_run, &resumed])), (end, Ok(())), "{content} {chunk} {first}");
            assert_eq!(hands_out_the_content(&fetch, content), Ok(()));
        }
    });
}

/// One damaged message, at each place: a second attempt brings the right bytes. All damaged from there on: the digest
/// says so, and nothing of them is kept.
#[test]
fn damage_is_found_by_the_digest() {
    let damaging =
        |first: usize, last: usize| move |at| if (first..=last).contains(&at) { Fate::Damage } else { Fate::Deliver };
    let corrupt = |content: usize| if LENGTHS[content] == 0 { Ok(()) } else { Err(ResourceError::Corrupt) };
    each_cut(fetch_messages, |content, chunk, first| {
        for (last, end) in [(first, Ok(())), (usize::MAX, corrupt(content))] {
            let mut fetch = fetch(content, limits(chunk, 1, 2), Verification::Sha256);
            let ran = run(&mut fetch, &mut stocked(content, Rules::hardened()), ZERO, damaging(first, last));
            assert_eq!(ran.end, end, "{content} {chunk} {first}");
            assert_eq!(hands_out_the_content(&fetch, content), Ok(()));
        }
    });
    each_cut(upload_messages, |content, chunk, first| {
        // The last answer carries no bytes, so what is damaged from there on is nothing.
        let last_put = upload_messages(content, chunk) - 2;
        let always = if first > last_put { Ok(()) } else { corrupt(content) };
        for (last, end) in [(first, Ok(())), (usize::MAX, always)] {
            let mut center = center(Rules::hardened());
            let ran = run(&mut upload(content, limits(chunk, 1, 2)), &mut center, ZERO, damaging(first, last));
            assert_eq!(ran.end, end, "{content} {chunk} {first}");
            assert_eq!(center.shown(id(content)), end.is_ok().then_some(&bytes(content)[..]));
        }
    });
}

/// A fetch that begins after any number of messages of an upload: each judge convicts the published decision that it is
/// about, at each place where half of the content lies there.
#[test]
fn judges_of_transfers_convict_what_is_served_half_written_and_believed() {
    let (mut half, mut refused) = (0, 0);
    for first in 0..upload_messages(LONG, 4) {
        let published = Rules { serving: Serving::Partial, ..Rules::hardened() };
        let mut center = center(published);
        let lossy = |at| if at >= first { Fate::Lose } else { Fate::Deliver };
        run(&mut upload(LONG, limits(4, 1, 1)), &mut center, ZERO, lossy);
        let shown = shows_all_or_nothing(&center, LONG);
        let mut believing = fetch(LONG, limits(4, 1, 1), Verification::None);
        let mut verifying = fetch(LONG, limits(4, 1, 1), Verification::Sha256);
        run(&mut believing, &mut center, ZERO, calm);
        let verified = run(&mut verifying, &mut center, ZERO, calm);
        assert_eq!(hands_out_the_content(&believing, LONG).is_err(), shown.is_err());
        assert_eq!(hands_out_the_content(&verifying, LONG), Ok(()), "the digest is a second line of defence");
        half += usize::from(shown.is_err());
        refused += usize::from(verified.end == Err(ResourceError::Corrupt));
    }
    assert_eq!((half, refused), (8, 8), "from its beginning on, until the last put arrives");
    for at in 0..4 {
        let mut believing = fetch(LONG, limits(4, 1, 1), Verification::None);
        let damage = |message| if message == 2 * at + 1 { Fate::Damage } else { Fate::Deliver };
        run(&mut believing, &mut stocked(LONG, Rules::hardened()), ZERO, damage);
        assert!(hands_out_the_content(&believing, LONG).is_err(), "chunk {at}");
    }
}

/// A transfer that starts over at each cut, which no decision of ours does: its requests are altered to look so.
#[test]
fn judge_of_going_on_convicts_a_transfer_that_starts_over() {
    let mut fetch = fetch(LONG, limits(4, 1, 1), Verification::Sha256);
    let ran = run(&mut fetch, &mut stocked(LONG, Rules::hardened()), ZERO, calm);
    assert_eq!(goes_on(&[&ran]), Ok(()));
    assert!(goes_on(&[&ran, &ran]).is_err());
}

#[test]
fn what_is_missing_too_large_or_has_no_room_is_told_at_once() {
    let one = limits(4, 3, 3);
    let mut missing = fetch(LONG, one, Verification::Sha256);
    let ran = run(&mut missing, &mut center(Rules::hardened()), ZERO, calm);
    assert_eq!((ran.end, ran.requests.len()), (Err(ResourceError::Missing), 1));
    let config = FetchConfig { size_max: SIZE_MAX - 1, limits: one, verification: Verification::Sha256 };
    let mut large = Fetch::new(config, id(LONG), 0);
    let ran = run(&mut large, &mut stocked(LONG, Rules::hardened()), ZERO, calm);
    let error = ResourceError::TooLarge { size: SIZE_MAX, size_max: SIZE_MAX - 1 };
    assert_eq!((ran.end, ran.requests.len()), (Err(error), 1));
    let larger = vec![7; SIZE_MAX as usize + 1];
    let ran = run(&mut Upload::new(one, larger, 0), &mut center(Rules::hardened()), ZERO, calm);
    let error = ResourceError::TooLarge { size: SIZE_MAX + 1, size_max: SIZE_MAX };
    assert_eq!((ran.end, ran.requests.len()), (Err(error), 1));
    let mut center = stocked(LONG, Rules::hardened());
    let other = vec![7; SIZE_MAX as usize];
    let ran = run(&mut Upload::new(one, other.clone(), 0), &mut center, ZERO, calm);
    let error = ResourceError::Full { size: 13, free: 11 };
    assert_eq!((ran.end, ran.requests.len()), (Err(error), 1));
    assert_eq!(center.reference(Holder(1), id(LONG)), Ok(()));
    assert_eq!(center.collect(ZERO + GRACE), [], "no room is made of what a job refers to");
    assert!(center.release(Holder(1), id(LONG), ZERO));
    assert_eq!(center.collect(ZERO + GRACE), [id(LONG)]);
    assert_eq!(run(&mut Upload::new(one, other, 0), &mut center, ZERO, calm).end, Ok(()));
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Deliver),
        2 => Just(Fate::Lose),
        1 => Just(Fate::Twice),
        2 => Just(Fate::Late),
        1 => Just(Fate::Damage),
        1 => Just(Fate::Resize),
    ]
}

/// The fates of messages; those after the last one are delivered.
fn any_fates() -> impl Strategy<Value = Vec<Fate>> {
    let mild = prop_oneof![6 => Just(Fate::Deliver), 1 => Just(Fate::Twice), 1 => Just(Fate::Late)];
    prop_oneof![3 => prop::collection::vec(any_fate(), 0..80), 1 => prop::collection::vec(mild, 0..80)]
}

/// Whether all can be expected to end well: nothing is damaged, and what is lost or late is less than it asks for.
fn ends_well(fates: &[Fate], asks_max: u32) -> bool {
    let count = |fate: Fate| fates.iter().filter(|other| **other == fate).count() as u32;
    count(Fate::Damage) + count(Fate::Resize) == 0 && count(Fate::Lose) + count(Fate::Late) < asks_max
}

proptest! {
    #![proptest_config(fixed(256))]

    /// An upload, then a fetch, each with fates of its own. Each ends, well or with an error that fits what happened,
    /// after no more requests than its limits allow.
    #[test]
    fn transfers_end_with_the_right_bytes_or_an_error(
        content in 0..LENGTHS.len(), chunk in 1..6_u8, asks_max in 1..5_u32, attempts_max in 1..4_u32,
        up in any_fates(), down in any_fates(), also in select(&[false, true][..]),
    ) {
        let limits = limits(chunk, asks_max, attempts_max);
        let along = |fates: &[Fate], at: usize| fates.get(at).copied().unwrap_or(Fate::Deliver);
        let chunks = (LENGTHS[content] as u32).div_ceil(u32::from(chunk)) + 1;
        let mut center = if also { stocked(content, Rules::hardened()) } else { center(Rules::hardened()) };

        let mut upload = upload(content, limits);
        let ran = run(&mut upload, &mut center, ZERO, |at| along(&up, at));
        prop_assert_eq!(shows_all_or_nothing(&center, content), Ok(()));
        match ran.end {
            Ok(()) => prop_assert_eq!(center.shown(id(content)), Some(&bytes(content)[..])),
            Err(error) => {
                prop_assert!(!ends_well(&up, asks_max), "{:?}", error);
                let refused = matches!(error, ResourceError::TooLarge { .. } | ResourceError::Full { .. });
                prop_assert!(!refused, "{:?}", error);
            }
        }
        let bound = 2 * asks_max * chunks * attempts_max;
        prop_assert!(ran.requests.len() as u32 <= bound, "{} requests, and not {}", ran.requests.len(), bound);

        let there = center.shown(id(content)).is_some();
        let mut fetch = fetch(content, limits, Verification::Sha256);
        let ran = run(&mut fetch, &mut center, ZERO, |at| along(&down, at));
        prop_assert_eq!(hands_out_the_content(&fetch, content), Ok(()));
        match ran.end {
            Ok(()) => prop_assert!(there),
            Err(ResourceError::Missing) => prop_assert!(!there),
            Err(error) => {
                prop_assert!(!ends_well(&down, asks_max), "{:?}", error);
                prop_assert!(!matches!(error, ResourceError::Differs | ResourceError::Full { .. }), "{:?}", error);
            }
        }
        let bound = asks_max * chunks * attempts_max;
        prop_assert!(ran.requests.len() as u32 <= bound, "{} requests, and not {}", ran.requests.len(), bound);
        prop_assert_eq!(fetch.deadline(), None);
    }
}
