//! The log: appends, pages, compaction, and what an unclean failover makes of it.

use super::*;

fn entry(port: u16) -> Entry {
    Entry::Event(registered(web(port, 1)))
}

/// A log of so many registrations.
fn written(records: u16) -> Written {
    let mut written = Written::new(Rules::hardened(), 100);
    (0..records).for_each(|port| {
        written.write(registered(web(port, 1)));
    });
    written
}

fn position(epoch: u32, offset: u64) -> Position {
    Position { log: LogId(7), epoch: LogEpoch(epoch), offset: Offset(offset) }
}

fn offsets(page: &Page) -> Vec<u64> {
    page.records.iter().map(|record| record.offset.0).collect()
}

#[test]
fn a_repeated_append_changes_nothing() {
    let mut log = EventLog::new(Rules::hardened(), LogId(7), 100);
    assert_eq!(log.append(producer(1), 1, at(1), entry(1)), Ok(Appended::At(Offset(0))));
    assert_eq!(log.append(producer(2), 1, at(1), entry(1)), Ok(Appended::At(Offset(1))), "another producer");
    assert_eq!(log.append(producer(1), 2, at(2), entry(2)), Ok(Appended::At(Offset(2))));
    let before = log.clone();
    assert_eq!(log.append(producer(1), 2, at(9), entry(9)), Ok(Appended::Again(Offset(2))));
    assert_eq!(log.append(producer(1), 1, at(9), entry(9)), Ok(Appended::Earlier));
    assert_eq!(log.append(producer(1), 4, at(9), entry(9)), Err(AppendError::Missing { expected: 3 }));
    assert_eq!(log.append(producer(3), 2, at(9), entry(9)), Err(AppendError::Missing { expected: 1 }));
    assert_eq!(log.append(producer(3), 0, at(9), entry(9)), Ok(Appended::Earlier), "there is no such record");
    assert_eq!(log, before);
}

#[test]
fn producers_are_remembered_across_a_compaction_and_a_failover() {
    let mut log = written(5).log;
    log.compact(Offset(3));
    log.fail_over(0);
    let before = log.clone();
    assert_eq!(log.append(producer(1), 3, at(9), entry(9)), Ok(Appended::Earlier));
    assert_eq!(log.append(producer(1), 5, at(9), entry(9)), Ok(Appended::Again(Offset(4))));
    log.compact(Offset(5));
    log.fail_over(0);
    assert_eq!(log.append(producer(1), 5, at(9), entry(9)), Ok(Appended::Again(Offset(4))));
    assert_eq!(log.end().offset, before.end().offset);
}

#[test]
fn pages_are_bounded_and_adjoin() {
    let log = written(600).log;
    let page = log.read(position(0, 0), usize::MAX).expect("the begin");
    assert_eq!((offsets(&page), page.end), ((0..PAGE_MAX as u64).collect(), Offset(600)));
    let page = log.read(position(0, 598), 10).expect("within");
    assert_eq!(offsets(&page), [598, 599]);
    assert_eq!(log.read(position(0, 600), 10).map(|page| offsets(&page)), Ok(Vec::new()));
    assert_eq!(log.read(position(0, 5), 2).map(|page| offsets(&page)), Ok([5, 6].to_vec()));
}

#[test]
fn each_position_that_is_none_is_refused_by_name() {
    let mut log = written(10).log;
    log.compact(Offset(4));
    let other = Position { log: LogId(8), ..position(0, 5) };
    assert_eq!(log.read(other, 1), Err(ReadError::Misplaced(Misplaced::OtherLog)));
    assert_eq!(log.read(position(0, 11), 1), Err(ReadError::Misplaced(Misplaced::Future)));
    assert_eq!(log.read(position(1, 5), 1), Err(ReadError::Misplaced(Misplaced::Future)), "an epoch to come");
    assert_eq!(log.read(position(0, 3), 1), Err(ReadError::Compacted { first: Offset(4) }));
    assert_eq!(log.read(position(0, 4), 1).map(|page| offsets(&page)), Ok([4].to_vec()));
    assert_eq!((log.begin(), log.end()), (position(0, 4), position(0, 10)));
}

/// The lost end is told apart from what is written in its place, and what stands before it is still good.
#[test]
fn an_unclean_failover_loses_the_end_and_begins_an_epoch() {
    let mut written = written(10);
    let lost = written.log.fail_over(3);
    assert_eq!(lost.iter().map(|record| record.offset.0).collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!(written.log.end(), position(1, 7));
    let refused = written.log.append(producer(1), 11, at(11), entry(11));
    assert_eq!(refused, Err(AppendError::Missing { expected: 8 }), "its producer learns that records are lost");
    written.next = 8;
    (20..25).for_each(|port| {
        written.write(registered(web(port, 1)));
    });
    let log = written.log;
    assert_eq!(log.read(position(0, 7), 1).map(|page| offsets(&page)), Ok([7].to_vec()), "nothing of it was lost");
    for offset in 8..=12 {
        assert_eq!(log.read(position(0, offset), 1), Err(ReadError::Misplaced(Misplaced::Diverged)));
        assert!(log.read(position(1, offset), 1).is_ok());
    }
}

/// Whoever has nothing left in the log begins anew; the snapshot is one of the new epoch.
#[test]
fn a_failover_forgets_producers_of_which_nothing_is_left() {
    let mut log = written(3).log;
    log.append(producer(2), 1, at(4), entry(4)).expect("its first");
    log.fail_over(1);
    assert_eq!(log.append(producer(2), 2, at(5), entry(5)), Err(AppendError::Missing { expected: 1 }));
    assert_eq!(log.append(producer(2), 1, at(5), entry(5)), Ok(Appended::At(Offset(3))));
    assert_eq!(log.snapshot().position(), position(1, 0));
}

/// A later failover may lose more than an earlier one did.
#[test]
fn a_position_has_to_outlast_each_later_epoch() {
    let mut written = written(10);
    written.log.fail_over(3);
    written.log.fail_over(4);
    assert_eq!(written.log.end(), position(2, 3));
    assert_eq!(written.log.read(position(0, 4), 1), Err(ReadError::Misplaced(Misplaced::Diverged)));
    assert_eq!(written.log.read(position(1, 4), 1), Err(ReadError::Misplaced(Misplaced::Diverged)));
    assert!(written.log.read(position(0, 3), 1).is_ok() && written.log.read(position(1, 3), 1).is_ok());
}

#[test]
fn what_was_compacted_is_not_lost() {
    let mut log = written(10).log;
    log.compact(Offset(8));
    assert_eq!(log.fail_over(5).len(), 2);
    assert_eq!((log.begin(), log.end()), (position(1, 8), position(1, 8)));
    assert_eq!(log.snapshot().len(), 8);
}
