//! What is to be done next about a row: a table of what the row says and what is known, and the step that follows.

use super::resources::ContentId;
use super::*;

const ME: Owner = owner(A, 3);

fn around(rules: Rules) -> Surroundings {
    Surroundings { me: ME, own: true, home: Some(A), calm: true, rules }
}

/// Where the ring gives the row to another server.
fn elsewhere(rules: Rules) -> Surroundings {
    Surroundings { own: false, home: Some(B), ..around(rules) }
}

/// A row of the server's own, in a phase.
fn owned(kind: Kind, phase: Phase, last: Option<Name>) -> Work {
    Work { confirmed: true, ..Work::new(RowView { owner: Some(ME), epoch: 1, phase, last, ..row(1, kind) }) }
}

const LAST: Name = name(1, 1, 1);
const NEXT: Name = name(1, 2, 1);

/// The same, of the second action on the job, of which an instance was intended before.
fn second(kind: Kind, phase: Phase, state: Option<InstanceState>) -> Work {
    let mut work = owned(kind, phase, Some(LAST));
    work.row.action = 2;
    Work { state, ..work }
}

fn hardened(work: &Work) -> Step {
    work.next(&around(Rules::hardened()))
}

const fn start(name: Name) -> Step {
    Step::Call(Verb::Start { runs: spec().runs, fails: false }, name)
}

const STATES: [Option<InstanceState>; 7] = [
    None,
    Some(InstanceState::Never),
    Some(InstanceState::Running),
    Some(InstanceState::Succeeded),
    Some(InstanceState::Failed),
    Some(InstanceState::Stopped),
    Some(InstanceState::Refused),
];

#[test]
fn a_row_that_is_over_is_forgotten() {
    for phase in [Phase::Done, Phase::Failed, Phase::Cancelled] {
        for rules in [Rules::hardened(), Rules::published()] {
            assert_eq!(owned(Kind::Start, phase, Some(LAST)).next(&around(rules)), Step::Forget);
        }
    }
}

#[test]
fn a_row_of_nobody_is_claimed_by_whom_the_ring_names() {
    let free = Work::new(row(1, Kind::Start));
    assert_eq!(free.next(&around(Rules::hardened())), Step::Claim);
    let to_b = Step::Change(Change::Forward { home: B });
    assert_eq!(free.next(&elsewhere(Rules::hardened())), to_b, "it is told to take it, and is no longer the one");
    let others = Work::new(RowView { home: C, ..free.row });
    assert_eq!(others.next(&elsewhere(Rules::hardened())), Step::Forget);
    assert_eq!(Work { orphan: true, ..others }.next(&elsewhere(Rules::hardened())), to_b);
    let nowhere = Surroundings { own: false, home: None, ..around(Rules::hardened()) };
    assert_eq!(free.next(&nowhere), Step::Forget, "a ring without members names nobody");
}

/// A row that another server owns, or the same server in an earlier session, is asked for too: the table decides.
#[test]
fn a_row_of_another_session_is_not_worked_on() {
    for other in [owner(B, 1), owner(A, 2)] {
        for phase in [Phase::Pending, Phase::Starting, Phase::Running] {
            let mut work = owned(Kind::Start, phase, Some(LAST));
            work.row.owner = Some(other);
            assert_eq!(hardened(&work), Step::Claim, "{other:?} {phase:?}");
        }
    }
}

/// A list may be older than what was released since, so it alone makes nobody an owner.
#[test]
fn a_row_that_only_a_list_calls_its_own_is_claimed_again() {
    for phase in [Phase::Pending, Phase::Starting, Phase::Running] {
        let work = Work { confirmed: false, ..owned(Kind::Start, phase, Some(LAST)) };
        assert_eq!(hardened(&work), Step::Claim, "{phase:?}");
    }
}

#[test]
fn a_pending_start_follows_this_table() {
    assert_eq!(hardened(&owned(Kind::Start, Phase::Pending, None)), Step::Change(Change::Intend));
    for state in STATES {
        let step = hardened(&second(Kind::Restart, Phase::Pending, state));
        let expected = match state {
            Some(InstanceState::Succeeded | InstanceState::Failed | InstanceState::Stopped) => {
                Step::Change(Change::Intend)
            }
            _ => Step::Call(Verb::Stop, LAST),
        };
        assert_eq!(step, expected, "the instance before it is {state:?}");
    }
}

#[test]
fn a_resource_is_fetched_before_a_start_is_intended() {
    let mut work = owned(Kind::Start, Phase::Pending, None);
    let resource = ContentId::of(b"a jar");
    work.row.spec.resource = Some(resource);
    assert_eq!(hardened(&work), Step::Fetch(resource));
    assert_eq!(hardened(&Work { fetched: true, ..work }), Step::Change(Change::Intend));
    let starting = Work { fetched: false, ..owned(Kind::Start, Phase::Starting, Some(LAST)) };
    let mut starting = Work { state: Some(InstanceState::Never), ..starting };
    starting.row.spec.resource = Some(resource);
    assert_eq!(hardened(&starting), Step::Fetch(resource), "who took the row over has to get it too");
    let published = Rules::published();
    assert_eq!(work.next(&around(published)), Step::Fetch(resource));
    assert!(matches!(Work { fetched: true, ..work }.next(&around(published)), Step::Call(Verb::Start { .. }, LAST)));
}

#[test]
fn a_row_that_is_starting_follows_this_table() {
    for (intended, state) in [false, true].into_iter().flat_map(|mine| STATES.map(|state| (mine, state))) {
        let work = Work { intended, state, ..owned(Kind::Start, Phase::Starting, Some(LAST)) };
        let expected = match state {
            None if !intended => Step::Call(Verb::Ask, LAST),
            None | Some(InstanceState::Never) => start(LAST),
            Some(InstanceState::Running | InstanceState::Succeeded | InstanceState::Failed) => {
                Step::Change(Change::Run)
            }
            Some(InstanceState::Stopped) => Step::Change(Change::Retry),
            Some(InstanceState::Refused) => Step::Forget,
        };
        assert_eq!(hardened(&work), expected, "intended by itself: {intended}, {state:?}");
    }
}

#[test]
fn a_row_that_runs_follows_this_table() {
    for (waiting, state) in [0, 1].into_iter().flat_map(|waiting| STATES.map(|state| (waiting, state))) {
        let mut work = Work { state, ..owned(Kind::Start, Phase::Running, Some(LAST)) };
        work.row.waiting = waiting;
        let expected = match state {
            Some(InstanceState::Succeeded) => Step::Change(Change::End(Verdict::Done)),
            Some(InstanceState::Failed | InstanceState::Stopped) => Step::Change(Change::Retry),
            Some(InstanceState::Refused) => Step::Forget,
            _ if waiting > 0 => Step::Change(Change::Advance),
            _ => Step::Call(Verb::Ask, LAST),
        };
        assert_eq!(hardened(&work), expected, "{waiting} wait, {state:?}");
    }
}

#[test]
fn a_pending_stop_follows_this_table() {
    for (kind, verdict) in [
        (Kind::Revoke, Verdict::Cancelled),
        (Kind::Cancel, Verdict::Cancelled),
        (Kind::ForcedStop, Verdict::Cancelled),
        (Kind::Abort, Verdict::Failed),
    ] {
        assert_eq!(hardened(&owned(kind, Phase::Pending, None)), Step::Change(Change::End(verdict)), "nothing ran");
        for state in STATES {
            let expected = match state {
                Some(InstanceState::Refused) => Step::Forget,
                _ if kind == Kind::Revoke => Step::Change(Change::Run),
                Some(InstanceState::Succeeded | InstanceState::Failed | InstanceState::Stopped) => {
                    Step::Change(Change::End(verdict))
                }
                _ => Step::Call(Verb::Stop, LAST),
            };
            assert_eq!(hardened(&second(kind, Phase::Pending, state)), expected, "{kind:?}, {state:?}");
        }
    }
}

#[test]
fn what_the_ring_gives_to_another_is_released_when_it_is_calm() {
    let release = Step::Change(Change::Release { home: B });
    for phase in [Phase::Pending, Phase::Starting, Phase::Running] {
        let work = owned(Kind::Start, phase, Some(LAST));
        assert_eq!(work.next(&elsewhere(Rules::hardened())), release, "{phase:?}");
        let moving = Surroundings { calm: false, ..elsewhere(Rules::hardened()) };
        assert_eq!(work.next(&moving), hardened(&work), "{phase:?}: not before the ring stands still");
        let decided = Work { releasing: true, ..work };
        assert_eq!(decided.next(&moving), release, "what was decided is done");
        let back = Step::Change(Change::Release { home: A });
        assert_eq!(hardened(&decided), back, "even if it is its own again: nothing else was done meanwhile");
    }
    let at_once = Rules { handover: Handover::AtOnce, ..Rules::hardened() };
    let work = owned(Kind::Start, Phase::Running, Some(LAST));
    assert_eq!(work.next(&elsewhere(at_once)), hardened(&work), "J9: it never releases");
}

/// J5: the cluster is called once, and the row deleted, whatever came of it.
#[test]
fn published_progress_calls_once_and_deletes() {
    let rules = Rules::published();
    for kind in [Kind::Start, Kind::Restart, Kind::Revoke, Kind::Cancel, Kind::Abort, Kind::ForcedStop] {
        let work = Work::new(row(1, kind));
        let expected = if kind.starts() { start(LAST) } else { Step::Call(Verb::StopAll, LAST) };
        assert_eq!(work.next(&around(rules)), expected, "{kind:?}");
        let executed = Work { executed: true, ..work };
        assert_eq!(executed.next(&around(rules)), Step::Change(Change::Delete));
        assert_eq!(executed.next(&elsewhere(rules)), Step::Change(Change::Delete), "it has begun");
        assert_eq!(work.next(&elsewhere(rules)), Step::Forget);
    }
}

#[test]
fn attempts_fail_as_often_as_the_job_says() {
    for (attempt, fails) in [(1, true), (2, true), (3, false)] {
        let mut work = owned(Kind::Start, Phase::Starting, Some(name(1, 2, attempt)));
        work.row.spec.fails = 2;
        let work = Work { state: Some(InstanceState::Never), ..work };
        let start = Step::Call(Verb::Start { runs: spec().runs, fails }, Name { attempt, ..NEXT });
        assert_eq!(hardened(&work), start);
    }
}

/// What was known of an instance holds for that instance, in that epoch.
#[test]
fn a_newer_row_makes_old_knowledge_void() {
    let known = Work {
        state: Some(InstanceState::Running),
        intended: true,
        releasing: true,
        orphan: true,
        executed: true,
        ..owned(Kind::Start, Phase::Running, Some(LAST))
    };
    let seen = |change: fn(&mut RowView)| {
        let (mut work, mut row) = (known, known.row);
        change(&mut row);
        work.see(&row);
        assert_eq!((work.row, work.orphan), (row, false));
        ([work.state.is_some(), work.intended], [work.releasing, work.confirmed], work.executed)
    };
    assert_eq!(seen(|row| row.version += 1), ([true; 2], [true; 2], true));
    assert_eq!(seen(|row| row.last = Some(NEXT)), ([false; 2], [true; 2], true));
    assert_eq!(seen(|row| row.epoch += 1), ([false; 2], [false; 2], true));
    assert_eq!(seen(|row| row.action += 1), ([true; 2], [true; 2], false));
}
