//! Subscriptions: each answer to each kind of cursor, and what becomes of it at the client.

use super::*;

fn update(answer: Answer) -> Update {
    match answer {
        Answer::Update(update) => update,
        Answer::NotYet(position) => panic!("nothing yet at {position:?}"),
    }
}

/// What happened to which port, in order.
fn told(update: &Update) -> Vec<(u16, bool)> {
    let one = |change: &Change| match change.became {
        Became::Listed(instance) => (instance.place.port, true),
        Became::Removed(place, _) => (place.port, false),
    };
    update.changes.iter().map(one).collect()
}

fn shown(view: &ListView) -> Vec<u16> {
    view.iter().map(|instance| instance.place.port).collect()
}

/// Four records: 1 and 2 come, 1 goes, 3 comes.
fn written(rules: Rules, tombstones: u64) -> Written {
    let mut written = Written::new(rules, tombstones);
    for event in [registered(web(1, 1)), registered(web(2, 1)), deregistered(web(1, 1)), registered(web(3, 1))] {
        written.write(event);
    }
    written
}

fn position(log: u64, epoch: u32, offset: u64) -> Position {
    Position { log: LogId(log), epoch: LogEpoch(epoch), offset: Offset(offset) }
}

#[test]
fn each_cursor_has_its_answer() {
    let mut written = written(Rules::hardened(), 2);
    let catalog = fold(Rules::hardened(), &written.log, 2);
    let ask = |cursor| answer(&catalog, WEB, Some(Cursor::At(cursor)));
    let whole = [(2, true), (3, true)];
    let end = Cursor::At(position(7, 0, 4));
    let first = update(answer(&catalog, WEB, None));
    assert_eq!((first.reason, first.from, first.to, told(&first)), (Some(Reason::First), None, end, whole.to_vec()));
    let delta = update(ask(position(7, 0, 2)));
    assert_eq!((delta.reason, delta.to, told(&delta)), (None, end, [(1, false), (3, true)].to_vec()));
    assert_eq!(told(&update(ask(position(7, 0, 4)))), []);
    let forgotten = update(ask(position(7, 0, 1)));
    assert_eq!((forgotten.reason, forgotten.from, told(&forgotten)), (Some(Reason::Forgotten), None, whole.to_vec()));
    let other = update(ask(position(8, 0, 2)));
    assert_eq!((other.reason, told(&other)), (Some(Reason::OtherLog), whole.to_vec()));
    for future in [position(7, 0, 5), position(7, 1, 2)] {
        assert_eq!(ask(future), Answer::NotYet(future));
    }
    let strange = update(answer(&catalog, WEB, Some(Cursor::Since(at(3)))));
    assert_eq!(strange.reason, Some(Reason::First), "a cursor of the other kind says nothing");

    written.log.fail_over(2);
    written.next = 3;
    written.write(registered(web(4, 1)));
    let catalog = fold(Rules::hardened(), &written.log, 2);
    let diverged = update(answer(&catalog, WEB, Some(Cursor::At(position(7, 0, 3)))));
    assert_eq!(diverged.reason, Some(Reason::Diverged));
    assert_eq!(told(&diverged), [(1, true), (2, true), (4, true)]);
    let delta = update(answer(&catalog, WEB, Some(Cursor::At(position(7, 0, 2)))));
    assert_eq!((delta.reason, told(&delta)), (None, [(4, true)].to_vec()), "nothing of it was lost");
}

/// Below the horizon a delta cannot tell removals; so the snapshot replaces whatever was known.
#[test]
fn a_snapshot_replaces_what_was_known() {
    let mut written = Written::new(Rules::hardened(), 1);
    written.write(registered(web(1, 1)));
    let mut catalog = fold(Rules::hardened(), &written.log, 1);
    let mut view = ListView::new(WEB);
    assert_eq!(view.take(&update(answer(&catalog, WEB, view.cursor()))), Taken::Replaced);
    written.write(deregistered(web(1, 1)));
    written.write(registered(web(2, 1)));
    follow(&mut catalog, &written.log);
    let late = update(answer(&catalog, WEB, view.cursor()));
    assert_eq!((late.reason, view.take(&late), shown(&view)), (Some(Reason::Forgotten), Taken::Replaced, [2].to_vec()));
}

#[test]
fn a_lagging_controller_answers_when_it_has_come_so_far() {
    let written = written(Rules::hardened(), 100);
    let mut catalog = Catalog::new(Rules::hardened(), LogId(7), 100);
    let mut subscription = Subscription::new(WEB, Some(Cursor::At(position(7, 0, 3))));
    assert_eq!(subscription.begin(&catalog), None);
    for record in written.log.read(written.log.begin(), 9).expect("the begin").records {
        let (_, change) = catalog.fold(&record).expect("each of them is news");
        assert_eq!(subscription.push(&catalog, change), None, "the first update is owed");
    }
    let first = subscription.begin(&catalog).expect("it has come so far");
    assert_eq!((first.reason, told(&first)), (None, [(3, true)].to_vec()));
    assert_eq!(subscription.begin(&catalog), None, "once");
}

#[test]
fn pushes_follow_each_other_and_a_missing_one_is_a_gap() {
    let mut written = Written::new(Rules::hardened(), 100);
    written.write(registered(web(1, 1)));
    let mut catalog = fold(Rules::hardened(), &written.log, 100);
    let mut subscription = Subscription::new(WEB, None);
    let mut view = ListView::new(WEB);
    assert_eq!(view.take(&subscription.begin(&catalog).expect("owed")), Taken::Replaced);
    let mut pushed = Vec::new();
    written.write(registered(InstanceId { key: MAIL, ..web(8, 1) }));
    for event in [registered(web(2, 1)), deregistered(web(1, 1)), registered(web(3, 1))] {
        written.write(event);
    }
    for (key, change) in follow(&mut catalog, &written.log) {
        pushed.extend((key == WEB).then(|| subscription.push(&catalog, change)).flatten());
    }
    assert_eq!(pushed.len(), 3);
    assert_eq!(view.take(&pushed[0]), Taken::Changed);
    let before = view.clone();
    assert_eq!((view.take(&pushed[2]), &view), (Taken::Gap, &before), "one is missing");
    assert_eq!((view.take(&pushed[0]), &view), (Taken::Gap, &before), "it came before");
    let other = Update { key: MAIL, ..pushed[1].clone() };
    assert_eq!((view.take(&other), &view), (Taken::Gap, &before), "another service");
    assert_eq!((view.take(&pushed[1]), view.take(&pushed[2])), (Taken::Changed, Taken::Changed));
    assert_eq!((shown(&view), view.cursor()), ([2, 3].to_vec(), Some(Cursor::At(catalog.position()))));
    assert!(!view.is_incomplete());
}

/// The first update told a change already that is pushed only now.
#[test]
fn what_the_first_update_told_is_not_pushed() {
    let mut written = Written::new(Rules::hardened(), 100);
    let mut catalog = fold(Rules::hardened(), &written.log, 100);
    written.write(registered(web(1, 1)));
    let changes = follow(&mut catalog, &written.log);
    let mut subscription = Subscription::new(WEB, None);
    assert_eq!(told(&subscription.begin(&catalog).expect("owed")), [(1, true)]);
    assert_eq!(subscription.push(&catalog, changes[0].1), None);
}

#[test]
fn a_subscription_begins_again_when_the_log_lost_what_it_told() {
    let mut written = written(Rules::hardened(), 100);
    let catalog = fold(Rules::hardened(), &written.log, 100);
    let (mut subscription, mut view) = (Subscription::new(WEB, None), ListView::new(WEB));
    view.take(&subscription.begin(&catalog).expect("owed"));
    assert_eq!(shown(&view), [2, 3]);
    written.log.fail_over(2);
    written.next = 3;
    for port in 5..10 {
        written.write(registered(web(port, 1)));
    }
    let mut catalog = written.log.snapshot().clone();
    subscription.begin_again();
    assert_eq!(subscription.begin(&catalog), None, "it is behind what it told");
    for (_, change) in follow(&mut catalog, &written.log) {
        assert_eq!(subscription.push(&catalog, change), None, "the first update is owed");
    }
    let update = subscription.begin(&catalog).expect("owed");
    assert_eq!((update.reason, view.take(&update)), (Some(Reason::Diverged), Taken::Replaced));
    assert_eq!(shown(&view), ports(&catalog, WEB));
    assert_eq!(shown(&view), [1, 2, 5, 6, 7, 8, 9]);
}

/// C7: the first producer's clock is fast. Whoever saw its update asks for later ones, and never sees what a slower
/// clock stamped after it in the log.
#[test]
fn a_timestamp_cursor_skips_what_a_slower_clock_stamped() {
    let view = |rules: Rules| {
        let mut log = EventLog::new(rules, LogId(7), 100);
        log.append(producer(1), 1, at(105), Entry::Event(registered(web(1, 1)))).expect("the first");
        let mut catalog = fold(rules, &log, 100);
        let mut view = ListView::new(WEB);
        view.take(&update(answer(&catalog, WEB, None)));
        log.append(producer(2), 1, at(100), Entry::Event(registered(web(2, 1)))).expect("the first of another one");
        follow(&mut catalog, &log);
        view.take(&update(answer(&catalog, WEB, view.cursor())));
        shown(&view)
    };
    assert_eq!(view(Rules::published()), [1]);
    assert_eq!(view(Rules { cursor: CursorKind::Offset, ..Rules::published() }), [1, 2]);
}

/// C7: two updates in one instant, the second after the client asked.
#[test]
fn a_timestamp_cursor_skips_the_second_of_an_instant() {
    let view = |rules: Rules| {
        let mut written = Written::new(rules, 100);
        written.put(Entry::Event(registered(web(1, 1))), at(50));
        let mut catalog = fold(rules, &written.log, 100);
        let mut view = ListView::new(WEB);
        view.take(&update(answer(&catalog, WEB, None)));
        written.put(Entry::Event(registered(web(2, 1))), at(50));
        follow(&mut catalog, &written.log);
        view.take(&update(answer(&catalog, WEB, view.cursor())));
        shown(&view)
    };
    assert_eq!(view(Rules::published()), [1]);
    assert_eq!(view(Rules { cursor: CursorKind::Offset, ..Rules::published() }), [1, 2]);
}

/// C8: a delta taken from a snapshot tells no removals.
#[test]
fn a_delta_without_tombstones_keeps_who_left() {
    let view = |rules: Rules| {
        let mut written = Written::new(rules, 100);
        written.write(registered(web(1, 1)));
        let mut catalog = fold(rules, &written.log, 100);
        let mut view = ListView::new(WEB);
        view.take(&update(answer(&catalog, WEB, None)));
        written.write(deregistered(web(1, 1)));
        follow(&mut catalog, &written.log);
        view.take(&update(answer(&catalog, WEB, view.cursor())));
        shown(&view)
    };
    assert_eq!(view(Rules::published()), [1]);
    assert_eq!(view(Rules { deltas: Deltas::Additions, ..Rules::hardened() }), [1]);
    assert_eq!(view(Rules::hardened()), []);
}

/// Published, a client does not find out that an update is missing, or that it comes again.
#[test]
fn gaps_are_seen_under_hardened_rules_only() {
    for (rules, expected) in [(Rules::published(), Taken::Changed), (Rules::hardened(), Taken::Gap)] {
        let mut written = Written::new(rules, 100);
        let mut catalog = fold(rules, &written.log, 100);
        let (mut subscription, mut view) = (Subscription::new(WEB, None), ListView::new(WEB));
        view.take(&subscription.begin(&catalog).expect("owed"));
        written.write(registered(web(1, 1)));
        written.write(registered(web(2, 1)));
        let mut pushed = Vec::new();
        for (_, change) in follow(&mut catalog, &written.log) {
            pushed.extend(subscription.push(&catalog, change));
        }
        assert_eq!(view.take(&pushed[1]), expected);
    }
}

#[test]
fn an_incomplete_catalog_says_so() {
    let mut written = written(Rules::hardened(), 100);
    written.put(Entry::Unknown(9), at(9));
    let catalog = fold(Rules::hardened(), &written.log, 100);
    let mut view = ListView::new(WEB);
    view.take(&update(answer(&catalog, WEB, None)));
    assert!(view.is_incomplete());
}
