//! What a submitter asks, of whom, and for how long.

use super::*;
use core::num::{NonZeroU8, NonZeroU32};

const PATIENCE: Duration = Duration::from_secs(2);

fn config() -> SubmitterConfig {
    SubmitterConfig {
        submitter: 1,
        submitters: 3,
        servers: SERVERS,
        jobs: 40,
        every: Duration::from_secs(1),
        runs_max: Duration::from_secs(3),
        patience: PATIENCE,
        content_max: 0,
        upload: resources::UploadConfig {
            chunk: NonZeroU8::MIN,
            patience: PATIENCE,
            asks_max: NonZeroU32::MIN,
            attempts_max: NonZeroU32::MIN,
        },
    }
}

/// Feeds an input; what it asks then, and of which server.
fn feed(submitter: &mut Submitter, ms: u64, input: SubmitterInput<'_>) -> Option<(Host, Action)> {
    let mut outputs = Vec::new();
    submitter.handle(at(ms), input, &mut outputs);
    match outputs[..] {
        [] => None,
        [Output::Send(Target::Server(server), Message::Submit(1, action))] => Some((server, action)),
        ref other => panic!("more than one question: {other:?}"),
    }
}

fn accept(submitter: &mut Submitter, ms: u64, action: &Action) -> Option<(Host, Action)> {
    feed(submitter, ms, SubmitterInput::Message(&Message::Accepted(action.job, action.number)))
}

#[test]
fn jobs_are_numbered_apart_from_those_of_others() {
    let mut submitter = Submitter::new(config(), 7);
    let (mut jobs, mut numbers): (Vec<u32>, Vec<_>) = (Vec::new(), Vec::new());
    let mut ms = 0;
    while let Some(due) = submitter.deadline() {
        ms = (due.as_micros() / 1_000).max(ms) + 1;
        let mut asked = feed(&mut submitter, ms, SubmitterInput::Timer);
        while let Some((_, action)) = asked {
            if action.number == 1 {
                assert_eq!(action.kind, Kind::Start);
                jobs.push(action.job.0);
            }
            numbers.push((action.job, action.number));
            asked = accept(&mut submitter, ms, &action);
        }
    }
    assert_eq!(jobs, (0..40).map(|n| 1 + 3 * n).collect::<Vec<_>>());
    let asked = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), asked, "no number stands for two actions");
    assert!(asked > 45, "some jobs are acted on again: {asked}");
    assert!(numbers.iter().all(|(job, n)| *n == 1 || numbers.contains(&(*job, n - 1))), "no number is left out");
}

#[test]
fn an_action_is_asked_for_at_one_server_after_another_until_it_is_accepted() {
    let mut submitter = Submitter::new(config(), 7);
    let (first, action) = feed(&mut submitter, 0, SubmitterInput::Timer).expect("its first job");
    assert_eq!((first, action.job, action.number), (B, JobId(1), 1));
    assert_eq!(submitter.waits_for(), Some((JobId(1), 1)));
    assert_eq!(feed(&mut submitter, 1_999, SubmitterInput::Timer), None, "an answer is waited for");
    for (n, server) in [2, 3, 0, 1].into_iter().enumerate() {
        let asked = feed(&mut submitter, 2_000 * (n as u64 + 1), SubmitterInput::Timer);
        assert_eq!(asked, Some((Host(server), action)), "the same action at the next server");
    }
    assert_eq!(accept(&mut submitter, 8_001, &Action { number: 2, ..action }), None, "another action was accepted");
    assert_eq!(submitter.waits_for(), Some((JobId(1), 1)));
    let (_, next) = accept(&mut submitter, 8_002, &action).expect("others are due by now");
    assert_ne!((next.job, next.number), (action.job, action.number));
    let waits = submitter.waits_for();
    assert_eq!(accept(&mut submitter, 8_003, &action), None, "it was accepted before");
    assert_eq!(submitter.waits_for(), waits);
}

#[test]
fn what_was_asked_for_is_remembered_over_a_restart() {
    let mut submitter = Submitter::new(config(), 7);
    let (_, action) = feed(&mut submitter, 0, SubmitterInput::Timer).expect("its first job");
    let mut submitter = submitter.restarted();
    assert_eq!(submitter.waits_for(), Some((action.job, action.number)));
    let (server, again) = feed(&mut submitter, 1, SubmitterInput::Timer).expect("it asks at once");
    assert_eq!((server, again), (C, action), "with the same number, and the job as it was");
}

#[test]
fn a_job_is_always_the_same_job() {
    let specs = |entropy| {
        let mut submitter = Submitter::new(config(), entropy);
        let mut asked = Vec::new();
        for ms in 0..40_000 {
            let mut next = feed(&mut submitter, ms, SubmitterInput::Timer);
            while let Some((_, action)) = next {
                asked.push(action);
                next = accept(&mut submitter, ms, &action);
            }
        }
        asked
    };
    let (one, other) = (specs(7), specs(8));
    assert_eq!(one, specs(7));
    assert_ne!(one, other);
    for later in one.iter().filter(|action| action.number > 1) {
        let first = one.iter().find(|action| action.job == later.job).expect("it was started");
        assert_eq!((first.number, first.spec), (1, later.spec));
        assert!(later.spec.runs > Duration::ZERO && later.spec.runs <= config().runs_max);
    }
    let fails: Vec<u8> = one.iter().map(|action| action.spec.fails).collect();
    assert!([0, 1, u8::MAX].iter().all(|kind| fails.contains(kind)), "good, flaky and poison jobs: {fails:?}");
}
