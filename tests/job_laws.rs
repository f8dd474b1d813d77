//! Laws of the job table, whatever servers ask of it and however late.
//!
//! Method: random sessions, operations, repetitions and spans of time are played on a real job table beside a real
//! heartbeat table and a real history of members, under published and hardened rules and those that differ from them in one
//! decision. Each step becomes one [`Record`]; each law is a judge of records, under any rules that have the defences which
//! it speaks of. Below each law stands a sequence, or an altered record, that its judge must convict.

mod play;

use crate::settings::fixed;
use failproof_core::Host;
use failproof_core::distribution::{
    Change, Claiming, Effect, Handover, JobId, Kind, Membership, Owner, Progress, ROWS_MAX, Result as Told, Row, RowId,
    RowView, Rules, Scope, TaskKey, Verdict, What, seat,
};
use failproof_core::election::{Entry, HeartbeatTable, StoreNow};
use play::{Op, Play, Record, SERVERS, Tables, Wish, any_ops, any_rules, host};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

type Judgement = Result<(), String>;

fn convict(evidence: String) -> Judgement {
    Err(evidence)
}

const EXPIRE: Op = Op::Pass { ms: 5_001 };

const fn beat(server: usize) -> Op {
    Op::Beat { server }
}

const fn ask(server: usize, wish: Wish) -> Op {
    Op::Ask { server, wish, fresh: true, late: false }
}

/// The next action on job 0, for the member with this number.
const fn insert(home: usize) -> Op {
    ask(0, Wish::Insert { job: 0, skips: 0, again: false, kind: Kind::Start, home })
}

const fn claim(server: usize) -> Op {
    ask(server, Wish::Claim { row: 0 })
}

const fn change(server: usize, change: fn(Host) -> Change) -> Op {
    ask(server, Wish::Change { row: 0, change, home: 0 })
}

/// The answer to the last operation.
fn last(records: &[Record]) -> Option<Told> {
    records.last()?.operation.map(|(_, outcome, _)| outcome.result)
}

fn with(rules: impl FnOnce(&mut Rules)) -> Rules {
    let mut hardened = Rules::hardened();
    rules(&mut hardened);
    hardened
}

fn played(rules: Rules, ops: &[Op]) -> Vec<Record> {
    Play::new(rules).run(ops)
}

/// Judges that what was not carried out, or had been before, changes nothing. Only this may be noted: that the session of a
/// server was found over.
fn not_carried_out_changes_nothing(records: &[Record]) -> Judgement {
    for Record { now, operation, before, after } in records {
        let Some((operation, outcome, effect)) = operation else { continue };
        let mut expected = before.sessions.clone();
        for seat in (0..SERVERS).map(|server| seat(host(server))) {
            if let (Some(former), Some(entry)) = (before.sessions.entry(seat), after.sessions.entry(seat))
                && !before.sessions.is_valid(seat, *now)
            {
                expected.put(seat, Some(Entry { answered_empty: entry.answered_empty, ..*former }));
            }
        }
        if format!("{expected:?}") != format!("{:?}", after.sessions) || before.members != after.members {
            return convict(format!("{operation:?} changed sessions or members"));
        }
        let same = before.jobs == after.jobs;
        match (outcome.result, effect) {
            (_, Effect::None) if same => {}
            (Told::Done, effect) if *effect != Effect::None && !same => {}
            (result, effect) => return convict(format!("{operation:?}: {result:?}, {effect:?}, the same: {same}")),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn an_operation_that_is_refused_changes_nothing(rules in any_rules(), ops in any_ops()) {
        prop_assert_eq!(not_carried_out_changes_nothing(&played(rules, &ops)), Ok(()));
    }
}

/// No rule breaks this law, so records are altered: a claim is told as one that did nothing, or as refused; and a refusal
/// finds the session of a living owner over.
#[test]
fn judge_of_refusals_convicts_altered_records() {
    let records = played(Rules::hardened(), &[beat(0), beat(1), insert(0), claim(0), claim(1)]);
    assert_eq!((last(&records), not_carried_out_changes_nothing(&records)), (Some(Told::Owned), Ok(())));
    let altered = |alter: &dyn Fn(&mut [Record])| {
        let mut records = records.clone();
        alter(&mut records);
        not_carried_out_changes_nothing(&records)
    };
    let claimed = |records: &mut [Record], result: Option<Told>, effect: Option<Effect>| {
        let (_, outcome, done) = records[3].operation.as_mut().expect("the claim");
        outcome.result = result.unwrap_or(outcome.result);
        *done = effect.unwrap_or(*done);
    };
    assert!(altered(&|records| claimed(records, None, Some(Effect::None))).is_err());
    assert!(altered(&|records| claimed(records, Some(Told::Owned), None)).is_err());
    let over = |records: &mut [Record]| {
        let entry = *records[4].after.sessions.entry(seat(host(0))).expect("granted");
        records[4].after.sessions.put(seat(host(0)), Some(Entry { answered_empty: true, ..entry }));
    };
    assert!(altered(&over).is_err());
}

/// Judges that no row vanishes, that epochs and versions only grow, that each change of a row has a version of its own, and
/// that an epoch stands for one owner.
fn counters_only_grow(records: &[Record]) -> Judgement {
    let mut owners: BTreeMap<(RowId, u32), Owner> = BTreeMap::new();
    for Record { before, after, .. } in records {
        for row in before.jobs.rows().map(Row::view) {
            let Some(now) = after.jobs.row(row.id).map(Row::view) else {
                return convict(format!("{row:?} vanished"));
            };
            let grows = now.version > row.version && now.epoch >= row.epoch;
            if now != row && !grows {
                return convict(format!("{row:?} became {now:?}"));
            }
        }
        for RowView { id, epoch, owner, .. } in after.jobs.rows().map(Row::view) {
            if let Some(owner) = owner
                && *owners.entry((*id, *epoch)).or_insert(*owner) != *owner
            {
                return convict(format!("epoch {epoch} of {id:?} belongs to two: {owner:?}, {owners:?}"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn epochs_and_versions_only_grow(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { progress: Progress::States, ..rules };
        prop_assert_eq!(counters_only_grow(&played(rules, &ops)), Ok(()));
    }
}

#[test]
fn judge_of_counters_convicts_deletion_and_altered_records() {
    let deleting = with(|rules| rules.progress = Progress::DeleteAfterRun);
    let ops = [beat(0), insert(0), claim(0), change(0, |_| Change::Delete)];
    assert!(counters_only_grow(&played(deleting, &ops)).is_err());
    let records = played(Rules::hardened(), &ops);
    assert_eq!((last(&records), counters_only_grow(&records)), (Some(Told::Changed), Ok(())));
    // Each state before the one that it came from.
    let mut backwards = records;
    for record in &mut backwards {
        std::mem::swap(&mut record.before, &mut record.after);
    }
    assert!(counters_only_grow(&backwards).is_err());
}

fn is_over(owner: Owner, sessions: &HeartbeatTable, now: StoreNow) -> bool {
    let entry = sessions.entry(seat(owner.server));
    entry.is_none_or(|entry| entry.epoch != owner.term) || !sessions.is_valid(seat(owner.server), now)
}

/// Judges that a row changes by its owner in its epoch only; but one that has no owner any more may be forwarded.
fn only_owners_change_rows(records: &[Record]) -> Judgement {
    for Record { now, operation, before, .. } in records {
        let Some((operation, _, Effect::Changed(_) | Effect::GivenUp)) = operation else { continue };
        let What::Change { row, epoch, version, change } = operation.what else { continue };
        let Some(seen) = before.jobs.row(row).map(Row::view) else { return convict(format!("{row:?} is none")) };
        let may = match change {
            Change::Forward { .. } => seen.owner.is_none_or(|owner| is_over(owner, &before.sessions, *now)),
            _ => (seen.owner, seen.epoch) == (Some(operation.by), epoch),
        };
        if !may || seen.version != version {
            return convict(format!("{operation:?} changed {seen:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_row_changes_in_the_epoch_of_its_owner_only(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { claiming: Claiming::CompareAndSet, ..rules };
        prop_assert_eq!(only_owners_change_rows(&played(rules, &ops)), Ok(()));
    }
}

#[test]
fn judge_of_owners_convicts_a_table_without_claims() {
    let anybody = with(|rules| rules.claiming = Claiming::None);
    for by in [change(1, |_| Change::Retry), change(1, |home| Change::Forward { home })] {
        let ops = [beat(0), beat(1), insert(0), claim(0), by];
        assert!(only_owners_change_rows(&played(anybody, &ops)).is_err());
        let records = played(Rules::hardened(), &ops);
        assert_eq!((last(&records), only_owners_change_rows(&records)), (Some(Told::Changed), Ok(())));
    }
}

/// Judges that a claim is granted to whoever holds its session and knows the members, and not while an owner holds its own.
fn claims_wait_for_owners(records: &[Record]) -> Judgement {
    for Record { now, operation, before, after, .. } in records {
        let Some((operation, _, Effect::Claimed { from, expired })) = operation else { continue };
        let waited = from.is_none_or(|from| *expired && is_over(from, &before.sessions, *now));
        let never_again = from.is_none_or(|from| {
            let entry = after.sessions.entry(seat(from.server)).filter(|entry| entry.epoch == from.term);
            entry.is_none_or(|entry| entry.answered_empty)
        });
        let holds = !is_over(operation.by, &before.sessions, *now);
        if !(waited && never_again && holds && operation.members == before.members.version()) {
            return convict(format!("{operation:?} from {from:?}: {waited} {never_again} {holds}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_claim_is_granted_when_the_owner_is_gone_for_good(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { handover: Handover::ReleaseFirst, membership: Membership::Versioned, ..rules };
        prop_assert_eq!(claims_wait_for_owners(&played(rules, &ops)), Ok(()));
    }
}

#[test]
fn judge_of_claims_convicts_hasty_and_ignorant_tables() {
    let ops = [beat(0), beat(1), insert(0), claim(0), claim(1)];
    let hasty = with(|rules| rules.handover = Handover::AtOnce);
    assert!(claims_wait_for_owners(&played(hasty, &ops)).is_err());
    assert_eq!(claims_wait_for_owners(&played(Rules::hardened(), &ops)), Ok(()));

    let wish = Wish::Claim { row: 0 };
    let late = Op::Ask { server: 0, wish, fresh: true, late: true };
    let ops = [beat(0), insert(0), late, beat(1), Op::Arrive { which: 0 }];
    let ignorant = with(|rules| rules.membership = Membership::Frozen);
    assert!(claims_wait_for_owners(&played(ignorant, &ops)).is_err());
    let records = played(Rules::hardened(), &ops);
    assert_eq!((last(&records), claims_wait_for_owners(&records)), (Some(Told::OldMembers), Ok(())));
}

/// Judges that the indexes of a table are what a scan of all its rows says.
fn indexes_equal_a_scan(records: &[Record]) -> Judgement {
    for Record { operation, after, .. } in records {
        let mut found: Vec<_> = after.jobs.rows().filter_map(place).collect();
        found.sort_unstable();
        let owned = |row: &Row| row.view().owner.map(|owner| (owner.server, row.view().id));
        let mut held: Vec<_> = after.jobs.rows().filter_map(owned).collect();
        held.sort_unstable();
        if (&found, &held) != (&after.found, &after.held) {
            return convict(format!("after {operation:?}: {found:?} {held:?}, {:?} {:?}", after.found, after.held));
        }
    }
    Ok(())
}

/// Under whom a row is found by those who look for work, if it needs anybody.
fn place(row: &Row) -> Option<(Option<Host>, i64, RowId)> {
    let RowView { id, hash, home, owner, phase, waiting, .. } = *row.view();
    let needs = owner.is_none() || waiting > 0 || row.is_abandoned();
    let home = if row.is_orphan() { None } else { Some(home) };
    (!phase.is_over() && needs).then_some((home, hash, id))
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn indexes_are_what_a_scan_of_all_rows_says(rules in any_rules(), ops in any_ops()) {
        prop_assert_eq!(indexes_equal_a_scan(&played(rules, &ops)), Ok(()));
    }
}

/// No rule breaks this law, so records are altered: a row is found no more, or under somebody else, or not as one that is
/// owned.
#[test]
fn judge_of_indexes_convicts_rows_that_are_lost_or_misplaced() {
    let records = played(Rules::hardened(), &[beat(0), insert(0)]);
    assert_eq!((records[1].after.found.len(), indexes_equal_a_scan(&records)), (1, Ok(())));
    let owned = played(Rules::hardened(), &[beat(0), insert(0), claim(0)]);
    assert_eq!((owned[2].after.held.len(), indexes_equal_a_scan(&owned)), (1, Ok(())));
    let altered = |records: &[Record], alter: fn(&mut Tables)| {
        let mut records = records.to_vec();
        alter(&mut records.last_mut().expect("there are records").after);
        indexes_equal_a_scan(&records)
    };
    assert!(altered(&records, |tables| tables.found.clear()).is_err());
    assert!(altered(&records, |tables| tables.found[0].0 = None).is_err());
    assert!(altered(&owned, |tables| tables.held.clear()).is_err());
}

/// All rows of a scope, page by page.
fn listed(tables: &Tables, by: Host, scope: Scope) -> Vec<RowId> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = tables.jobs.list(by, scope, after);
        rows.extend(page.iter().flatten().map(|row| row.id));
        match page[ROWS_MAX - 1] {
            Some(last) => after = Some((last.hash, last.id)),
            None => return rows,
        }
    }
}

/// Judges that every row that is not over is in somebody's sight: listed for a member, or among those that nobody is to
/// take, or owned by a member in its present session.
fn every_row_is_in_sight(records: &[Record]) -> Judgement {
    for Record { operation, after, .. } in records {
        let everything = Scope::Orphans { first: i64::MIN, last: i64::MAX };
        let mut seen = listed(after, host(0), everything);
        for member in after.members.iter() {
            seen.extend(listed(after, member, Scope::Home));
        }
        for row in after.jobs.rows().map(Row::view).filter(|row| !row.phase.is_over()) {
            let term = |owner: &Owner| after.sessions.entry(seat(owner.server)).map(|entry| entry.epoch);
            let works = row.owner.is_some_and(|owner| {
                after.members.contains(owner.server) && term(&owner).is_none_or(|term| term == owner.term)
            });
            if !works && !seen.contains(&row.id) {
                return convict(format!("after {operation:?}, nobody sees {row:?}"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn no_row_is_out_of_everybodys_sight(rules in any_rules(), ops in any_ops()) {
        let (claiming, handover) = (Claiming::CompareAndSet, Handover::ReleaseFirst);
        let rules = Rules { claiming, handover, membership: Membership::Versioned, ..rules };
        prop_assert_eq!(every_row_is_in_sight(&played(rules, &ops)), Ok(()));
    }
}

/// Sent to a member that has left meanwhile.
#[test]
fn judge_of_sight_convicts_a_table_that_takes_old_members() {
    let wish = Wish::Insert { job: 0, skips: 0, again: false, kind: Kind::Start, home: 1 };
    let late = Op::Ask { server: 0, wish, fresh: true, late: true };
    let ops = [beat(0), beat(1), late, EXPIRE, beat(0), beat(0), Op::Arrive { which: 0 }];
    let frozen = with(|rules| rules.membership = Membership::Frozen);
    assert!(every_row_is_in_sight(&played(frozen, &ops)).is_err());
    let records = played(Rules::hardened(), &ops);
    assert_eq!((last(&records), every_row_is_in_sight(&records)), (Some(Told::OldMembers), Ok(())));
    // And a record of a server that left, of which the job table was not told.
    let mut records = played(Rules::hardened(), &[beat(0), beat(1), insert(1)]);
    assert_eq!(every_row_is_in_sight(&records), Ok(()));
    let tables = &mut records[2].after;
    tables.members.change(failproof_core::distribution::MemberChange::Left(host(1)));
    assert!(every_row_is_in_sight(&records).is_err());
    records[2].after.jobs.left(host(1));
    assert_eq!(every_row_is_in_sight(&records), Ok(()));
}

/// Judges that an action is begun when all before it are over, and that none is left out.
fn actions_of_a_job_come_in_order(records: &[Record]) -> Judgement {
    let mut begun: BTreeMap<JobId, u16> = BTreeMap::new();
    for Record { after, .. } in records {
        for row in after.jobs.rows() {
            let RowView { job, action, waiting, .. } = *row.view();
            let before = begun.insert(job, action).unwrap_or(action);
            if !(before..=before + 1).contains(&action) || action + u16::from(waiting) != row.newest() {
                return convict(format!("{:?} after action {before}", row.view()));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn actions_of_a_job_are_begun_in_order(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { task_key: TaskKey::Job, progress: Progress::States, ..rules };
        prop_assert_eq!(actions_of_a_job_come_in_order(&played(rules, &ops)), Ok(()));
    }
}

#[test]
fn judge_of_order_convicts_tasks() {
    let skips = ask(0, Wish::Insert { job: 0, skips: 1, again: false, kind: Kind::Cancel, home: 0 });
    let ops = [beat(0), skips, insert(0)];
    let tasks = with(|rules| rules.task_key = TaskKey::Task);
    assert!(actions_of_a_job_come_in_order(&played(tasks, &ops)).is_err());
    let records = played(Rules::hardened(), &ops);
    assert_eq!((last(&records), actions_of_a_job_come_in_order(&records)), (Some(Told::Done), Ok(())));
}

/// The random sequences reach what the laws speak of; else the laws would hold by idleness.
#[test]
fn sequences_reach_what_the_laws_speak_of() {
    let mut runner = TestRunner::deterministic();
    let strategy = any_ops();
    let mut reached: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..256 {
        let ops = strategy.new_tree(&mut runner).expect("no filter").current();
        for Record { operation, after, .. } in played(Rules::hardened(), &ops) {
            let orphans = after.found.iter().any(|(home, ..)| home.is_none());
            let abandoned = after.jobs.rows().any(|row| row.is_abandoned() && !row.is_orphan());
            *reached.entry("orphans").or_default() += u32::from(orphans);
            *reached.entry("abandoned, forwarded").or_default() += u32::from(abandoned);
            let Some((_, outcome, effect)) = operation else { continue };
            let effect = match effect {
                Effect::None => "nothing",
                Effect::Inserted => "inserted",
                Effect::Claimed { from: None, .. } => "claimed",
                Effect::Claimed { .. } => "taken over",
                Effect::GivenUp => "given up",
                Effect::Changed(change) => match change {
                    Change::Intend => "intend",
                    Change::Run => "run",
                    Change::Retry => "retry",
                    Change::End(Verdict::Done) => "done",
                    Change::End(Verdict::Failed) => "failed",
                    Change::End(Verdict::Cancelled) => "cancelled",
                    Change::Advance => "advance",
                    Change::Release { .. } => "release",
                    Change::Forward { .. } => "forward",
                    Change::Delete => "delete",
                },
            };
            let result = match outcome.result {
                Told::Done => "carried out",
                Told::Changed => "changed",
                Told::Owned => "owned",
                Told::OldMembers => "old members",
                Told::NoSession => "no session",
                Told::NotYet => "not yet",
                Told::Missing => "missing",
            };
            *reached.entry(effect).or_default() += 1;
            *reached.entry(result).or_default() += 1;
        }
    }
    println!("{reached:?}");
    // Rows are never deleted under these rules, so none is missing.
    assert!(reached.len() == 22 && reached.values().all(|count| *count >= 20), "{reached:?}");
}
