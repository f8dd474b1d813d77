//! Laws of the service registry's log, catalog and subscriptions, whatever is appended, lost, compacted and read.
//!
//! Method: random steps are played on a log, two controllers that fold it and two subscribers that follow them. Each
//! law is a judge; below it stands a planted bug, or a published rule, that its judge must convict. Checks and names
//! have laws of their own.

mod checks;
mod names;
mod play;

use crate::settings::fixed;
use failproof_core::registry::{
    Catalog, Cause, Cursor, CursorKind, Deltas, Entry, Event, Expiry, InstanceId, Record, Removal, Rules, Taken,
};
use failproof_core::{Duration, Host};
use play::{Bug, LOG, Op, Play, SPEC, SUBSCRIBERS, TOMBSTONES, What, any_ops, fold, instance, key_of, list, undead};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};

type Judgement = Result<(), String>;

fn played(rules: Rules, bug: Bug, ops: &[Op]) -> Play {
    Play::new(rules, bug, true).run(ops)
}

/// How many of the runs that the settings draw a judge convicts.
fn convicted(judge: impl Fn(&[Op]) -> Judgement) -> usize {
    let (mut runner, strategy) = (TestRunner::new(fixed(256)), any_ops());
    let runs = (0..fixed(256).cases).map(|_| strategy.new_tree(&mut runner).expect("a run").current());
    runs.filter(|ops| judge(ops).is_err()).count()
}

const fn register(producer: usize, port: u16) -> Op {
    Op::Append { producer, what: What::Register { key: 0, port, start: 1 } }
}

const fn deregister(producer: usize, port: u16) -> Op {
    Op::Append { producer, what: What::Deregister { key: 0, port, start: 1, cause: Cause::Asked } }
}

const READ: Op = Op::Read { controller: 0, max: 9 };
const CONNECT: Op = Op::Connect { subscriber: 0, controller: 0 };

/// How a reader folds a page.
type Fold = fn(&mut Catalog, &[Record]);

fn one_by_one(catalog: &mut Catalog, records: &[Record]) {
    records.iter().for_each(|record| {
        catalog.fold(record);
    });
}

/// Judges that a log read in chunks of any sizes gives the catalog that its records give one by one.
fn equal_offsets_give_equal_catalogs(rules: Rules, play: &Play, chunks: &[usize], read: Fold) -> Judgement {
    let (mut catalog, mut rest) = (Catalog::new(rules, LOG, TOMBSTONES), play.line());
    for chunk in chunks.iter().cycle() {
        let (page, later) = rest.split_at((*chunk).min(rest.len()));
        read(&mut catalog, page);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    if catalog == fold(rules, play.line()) { Ok(()) } else { Err(format!("in chunks of {chunks:?}: {catalog:?}")) }
}

/// An optimisation that is none: of a page, only the newest record of each instance.
fn newest_of_each(catalog: &mut Catalog, records: &[Record]) {
    let of = |record: &Record| match record.entry {
        Entry::Event(
            Event::Registered { instance, .. }
            | Event::CheckDefined { instance, .. }
            | Event::Deregistered { instance, .. }
            | Event::Checked { instance, .. },
        ) => Some((instance.key, instance.place)),
        Entry::Undecodable | Entry::Unknown(_) => None,
    };
    for (index, record) in records.iter().enumerate() {
        let outdated = of(record).is_some() && records[index + 1..].iter().any(|later| of(later) == of(record));
        let nobody = Event::Deregistered { instance: instance(9, 9, 9), cause: Cause::Asked };
        let entry = if outdated { Entry::Event(nobody) } else { record.entry };
        catalog.fold(&Record { entry, ..*record });
    }
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn catalogs_at_one_offset_are_equal(
        hardened in any::<bool>(),
        ops in any_ops(),
        chunks in prop::collection::vec(1..7_usize, 1..6),
    ) {
        let rules = if hardened { Rules::hardened() } else { Rules::published() };
        let play = played(rules, Bug::None, &ops);
        prop_assert_eq!(equal_offsets_give_equal_catalogs(rules, &play, &chunks, one_by_one), Ok(()));
    }
}

#[test]
fn judge_of_equal_catalogs_convicts_a_fold_that_depends_on_pages() {
    let rules = Rules::hardened();
    let judge = |ops: &[Op], read| equal_offsets_give_equal_catalogs(rules, &played(rules, Bug::None, ops), &[4], read);
    assert!(convicted(|ops| judge(ops, newest_of_each)) > 100);
    assert_eq!(convicted(|ops| judge(ops, one_by_one)), 0);
}

/// Judges that whatever a snapshot and the later records give, the whole log gives.
fn snapshot_and_later_is_the_whole(rules: Rules, play: &Play, snapshot: &Catalog) -> Judgement {
    let mut catalog = snapshot.clone();
    while catalog.offset() < play.log.end().offset {
        let page = play.log.read(catalog.position(), 4).map_err(|error| error.to_string())?;
        catalog.fold_page(&page, &mut |_, _| {});
    }
    let mut whole = Catalog::new(rules, LOG, TOMBSTONES);
    whole.adopt(&play.log.read(play.log.end(), 0).map_err(|error| error.to_string())?.lineage);
    one_by_one(&mut whole, play.line());
    if catalog == whole { Ok(()) } else { Err(format!("{catalog:?} is not {whole:?}")) }
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_snapshot_and_the_later_records_give_the_whole_fold(hardened in any::<bool>(), ops in any_ops()) {
        let rules = if hardened { Rules::hardened() } else { Rules::published() };
        let play = played(rules, Bug::None, &ops);
        prop_assert_eq!(snapshot_and_later_is_the_whole(rules, &play, play.log.snapshot()), Ok(()));
    }
}

#[test]
fn judge_of_snapshots_convicts_one_that_lists_who_left() {
    let rules = Rules::hardened();
    let ops = [register(0, 1), deregister(0, 1), register(0, 2), Op::Compact { keeps: 1 }];
    let play = played(rules, Bug::None, &ops);
    assert_eq!(snapshot_and_later_is_the_whole(rules, &play, play.log.snapshot()), Ok(()));
    let records: Vec<_> = play.line()[..2].iter().map(undead).collect();
    assert!(snapshot_and_later_is_the_whole(rules, &play, &fold(rules, &records)).is_err());
}

/// Judges that each update leaves its subscriber with the list of the log at its cursor, that a delta tells changes
/// once and in order, from the cursor that it follows up to its own, and that an update which is refused changes
/// nothing.
fn cursor_never_skips_and_never_repeats(play: &Play) -> Judgement {
    for told in &play.told {
        let shown: Vec<_> = told.after.iter().collect();
        if told.expected.as_ref().is_some_and(|expected| *expected != shown) {
            return Err(format!("the log lists {:?}, and the subscriber {told:?}", told.expected));
        }
        if told.taken != Taken::Changed {
            continue;
        }
        let (Some(Cursor::At(from)), Cursor::At(to)) = (told.update.from, told.update.to) else {
            return Err(format!("no positions: {told:?}"));
        };
        let mut told_before = from.offset;
        for change in &told.update.changes {
            if change.at < told_before || change.at >= to.offset {
                return Err(format!("the change at {:?} is none between {from:?} and {to:?}", change.at));
            }
            told_before = change.at.next();
        }
    }
    Ok(())
}

/// Judges that no update takes its subscriber back behind what it knew, but as far as the log lost it.
fn cursor_goes_back_with_the_log_only(play: &Play) -> Judgement {
    for told in &play.told {
        let (Some(Cursor::At(before)), Some(Cursor::At(after))) = (told.before, told.after.cursor()) else { continue };
        let [known, now] = [before.epoch, after.epoch].map(|epoch| &play.lines[epoch.0 as usize]);
        let kept = known.iter().zip(now).take_while(|(known, now)| known == now).count() as u64;
        if after.offset.0 < before.offset.0.min(kept) {
            return Err(format!("from {before:?} back to {after:?}, and {kept} records are still there"));
        }
    }
    Ok(())
}

/// Judges that in the end, with everybody reachable, each subscriber knows the list of the log.
fn subscribers_converge(play: &Play) -> Judgement {
    let whole = fold(play.log.snapshot().rules(), play.line());
    for (subscriber, view) in play.views.iter().enumerate() {
        let (shown, expected): (Vec<_>, _) = (view.iter().collect(), list(&whole, key_of(subscriber)));
        if shown != expected {
            return Err(format!("subscriber {subscriber} knows {shown:?}, the log says {expected:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_cursor_never_skips_and_never_repeats(ops in any_ops()) {
        let play = played(Rules::hardened(), Bug::None, &ops);
        prop_assert_eq!(cursor_never_skips_and_never_repeats(&play), Ok(()));
        prop_assert_eq!(cursor_goes_back_with_the_log_only(&play), Ok(()));
        prop_assert_eq!(subscribers_converge(&play), Ok(()));
    }
}

#[test]
fn judge_of_cursors_convicts_controllers_that_misread_them() {
    let judge = |bug| convicted(|ops| cursor_never_skips_and_never_repeats(&played(Rules::hardened(), bug, ops)));
    for bug in [Bug::Ahead, Bug::Behind, Bug::Epochless, Bug::Unannounced] {
        assert!(judge(bug) > 0, "{bug:?}");
    }
    assert_eq!(judge(Bug::None), 0);
    let reused = [
        register(0, 1),
        register(0, 2),
        READ,
        CONNECT,
        Op::FailOver { lost: 1 },
        deregister(0, 1),
        register(0, 0),
        Op::Read { controller: 1, max: 9 },
        Op::Connect { subscriber: 0, controller: 1 },
    ];
    let judge = |bug| cursor_never_skips_and_never_repeats(&played(Rules::hardened(), bug, &reused));
    assert!(judge(Bug::Epochless).is_err(), "the offset stands for another record now");
    assert_eq!(judge(Bug::None), Ok(()));
}

#[test]
fn judge_of_going_back_convicts_a_controller_that_tells_an_old_snapshot() {
    let judge = |bug| convicted(|ops| cursor_goes_back_with_the_log_only(&played(Rules::hardened(), bug, ops)));
    assert!(judge(Bug::Eager) > 0);
    assert_eq!(judge(Bug::None), 0);
}

/// C7: what a slower clock stamps after the update of a faster one is lost, and so is the second of one instant. With
/// positions, and nothing else changed, neither is.
#[test]
fn a_timestamp_cursor_loses_updates_in_two_ways() {
    let skewed = [register(1, 1), READ, CONNECT, Op::Pass { ms: 10 }, register(0, 2)];
    let one_instant = [register(0, 1), READ, CONNECT, register(0, 2)];
    let lost = |rules, ops: &[Op]| {
        // The connection is gone when the second update comes.
        let cut = [ops, &[Op::Lose { subscriber: 0 }, READ]].concat();
        subscribers_converge(&played(rules, Bug::None, &cut)).is_err()
    };
    for ops in [&skewed[..], &one_instant[..]] {
        assert!(lost(Rules::published(), ops));
        assert!(
            lost(Rules { cursor: CursorKind::Timestamp, ..Rules::hardened() }, ops),
            "it is this defence that matters"
        );
        assert!(!lost(Rules { cursor: CursorKind::Offset, ..Rules::published() }, ops));
        assert!(!lost(Rules::hardened(), ops));
    }
    let later = [register(0, 1), READ, CONNECT, Op::Pass { ms: 10 }, register(0, 2)];
    assert!(!lost(Rules::published(), &later), "with equal clocks and time between them, it is not lost");
}

/// C8: a delta from a snapshot tells no removals.
#[test]
fn a_delta_without_tombstones_does_not_converge() {
    let ops = [register(0, 1), READ, CONNECT, Op::Pass { ms: 10 }, deregister(0, 1), Op::Lose { subscriber: 0 }, READ];
    let judge = |rules| subscribers_converge(&played(rules, Bug::None, &ops));
    assert!(judge(Rules::published()).is_err());
    assert!(
        judge(Rules { deltas: Deltas::Additions, ..Rules::hardened() }).is_err(),
        "it is this defence that matters"
    );
    assert_eq!(judge(Rules::hardened()), Ok(()));
}

/// Judges that with compactions and without them, each subscriber ends with one and the same list.
fn compaction_changes_no_final_state(bug: Bug, ops: &[Op]) -> Judgement {
    let run = |compacts| Play::new(Rules::hardened(), bug, compacts).run(ops);
    let (with, without) = (run(true), run(false));
    for subscriber in 0..SUBSCRIBERS {
        let shown = |play: &Play| play.views[subscriber].iter().collect::<Vec<_>>();
        if shown(&with) != shown(&without) {
            return Err(format!("{:?} with compaction, {:?} without", shown(&with), shown(&without)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_compaction_changes_no_final_state_of_a_subscriber(ops in any_ops()) {
        prop_assert_eq!(compaction_changes_no_final_state(Bug::None, &ops), Ok(()));
    }
}

#[test]
fn judge_of_compactions_convicts_a_snapshot_that_lists_who_left() {
    assert!(convicted(|ops| compaction_changes_no_final_state(Bug::Undead, ops)) > 0);
    let ops = [register(0, 1), READ, CONNECT, deregister(0, 1), Op::Compact { keeps: 0 }];
    assert!(compaction_changes_no_final_state(Bug::Undead, &ops).is_err());
    assert_eq!(compaction_changes_no_final_state(Bug::None, &ops), Ok(()));
}

/// What was seen of a listing: for how long it failed, and by whom, since it last passed.
#[derive(Default)]
struct Seen {
    newest: Option<u64>,
    failing_for: Duration,
    by: BTreeSet<Host>,
}

/// Judges that an instance leaves only by a deregistration that names its start, and which it asked for, or which two
/// controllers saw it fail for the whole critical interval before.
fn live_instance_stays_listed(rules: Rules, play: &Play) -> Judgement {
    let mut catalog = Catalog::new(rules, LOG, TOMBSTONES);
    let mut seen: BTreeMap<InstanceId, Seen> = BTreeMap::new();
    for record in play.line() {
        let Entry::Event(event) = record.entry else {
            catalog.fold(record);
            continue;
        };
        let place = |instance: InstanceId| catalog.listing(instance.key, instance.place).copied();
        match event {
            Event::Registered { instance, .. } => {
                let before = place(instance);
                catalog.fold(record);
                if before.is_none_or(|before| before.start != instance.start) {
                    seen.insert(instance, Seen::default());
                }
            }
            Event::Checked { instance, start, by, failure, .. } => {
                let listed = place(instance).is_some_and(|listing| listing.start == instance.start);
                catalog.fold(record);
                let seen = seen.entry(instance).or_default();
                match failure {
                    _ if !listed || seen.newest.is_some_and(|newest| start.number < newest) => {}
                    Some(_) if seen.newest == Some(start.number) => {
                        // A confirmation; one of an execution that passed is none.
                        if !seen.by.is_empty() {
                            seen.by.insert(by);
                        }
                    }
                    None if seen.newest == Some(start.number) => {}
                    None => *seen = Seen { newest: Some(start.number), ..Seen::default() },
                    Some((_, failing_for)) => {
                        seen.newest = Some(start.number);
                        seen.failing_for = seen.failing_for.max(failing_for);
                        seen.by.insert(by);
                    }
                }
            }
            Event::CheckDefined { .. } => {
                catalog.fold(record);
            }
            Event::Deregistered { instance, cause } => {
                let before = place(instance);
                catalog.fold(record);
                let Some(before) = before else { continue };
                if catalog.listing(instance.key, instance.place).is_some() {
                    continue;
                }
                let own = before.start == instance.start;
                let failed = seen
                    .get(&instance)
                    .is_some_and(|seen| seen.failing_for > SPEC.deregister_after && seen.by.len() > 1);
                if !own || !(cause == Cause::Asked || cause == Cause::Failed && failed) {
                    return Err(format!("{before:?} left by {record:?}"));
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn an_instance_leaves_only_by_its_own_end(ops in any_ops()) {
        let rules = Rules::hardened();
        prop_assert_eq!(live_instance_stays_listed(rules, &played(rules, Bug::None, &ops)), Ok(()));
    }
}

#[test]
fn judge_of_living_instances_convicts_each_defence_that_is_missing() {
    let judge = |rules| convicted(|ops| live_instance_stays_listed(rules, &played(rules, Bug::None, ops)));
    let hardened = Rules::hardened();
    assert!(judge(Rules { removal: Removal::Place, ..hardened }) > 0);
    assert!(judge(Rules { expiry: Expiry::Unchecked, ..hardened }) > 0);
    assert!(judge(Rules::published()) > 0);
    assert_eq!(judge(hardened), 0);
}

/// Random runs reach what the laws speak of: removals that were proven, snapshots that replace, gaps.
#[test]
fn random_runs_reach_what_the_laws_speak_of() {
    let reached = |what: &dyn Fn(&Play) -> bool| {
        let judge = |ops: &[Op]| {
            if what(&played(Rules::hardened(), Bug::None, ops)) { Err(String::new()) } else { Ok(()) }
        };
        convicted(judge)
    };
    let proven = |play: &Play| {
        (1..=play.line().len()).any(|end| {
            let (before, after) = (&play.line()[..end - 1], &play.line()[..end]);
            let failed = matches!(after[end - 1].entry, Entry::Event(Event::Deregistered { cause: Cause::Failed, .. }));
            failed && fold(Rules::hardened(), after).len() < fold(Rules::hardened(), before).len()
        })
    };
    assert!(reached(&proven) > 0, "nobody was removed because it failed");
    for reason in ["Forgotten", "Diverged"] {
        let told = |play: &Play| play.told.iter().any(|told| format!("{:?}", told.update.reason).contains(reason));
        assert!(reached(&told) > 0, "{reason}");
    }
    assert!(reached(&|play| play.told.iter().any(|told| told.taken == Taken::Gap)) > 0, "no gap");
    assert!(reached(&|play| play.told.iter().any(|told| told.taken == Taken::Changed)) > 0, "no delta");
}
