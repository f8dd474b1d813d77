//! A server: what it serves, and what it forgets.

use super::*;
use crate::election::Event;
use crate::id::Epoch;

const CONTEXT: ContextId = ContextId(0);

/// A server of alias 0 with one context in its cache, which alias 1 backs up.
fn owner(rules: Rules) -> (ContextServer, Store) {
    let mut store = Store::new(rules);
    holder(rules, 1, &mut store);
    let mut server = holder(rules, 0, &mut store);
    let created = settle(&mut server, &mut store, at(0), ServerInput::Message(&request(1, Verb::Create)));
    assert!(matches!(answers(&created)[..], [Answer::Context(_)]), "{created:?}");
    let read = settle(&mut server, &mut store, at(0), ServerInput::Message(&read(2)));
    assert!(matches!(answers(&read)[..], [Answer::Value(_, [0, 0])]), "{read:?}");
    (server, store)
}

fn read(number: u32) -> Message {
    request(number, Verb::Read { haid: haid(0, 1, CONTEXT.0) })
}

fn change(number: u32, seq: u32) -> Message {
    request(number, Verb::Change { haid: haid(0, 1, CONTEXT.0), key: 0, seq })
}

#[test]
fn a_cached_read_is_served_within_the_term_only() {
    let (mut server, _) = owner(Rules::hardened());
    let outputs = feed(&mut server, at(4_900), ServerInput::Message(&read(3)));
    assert!(matches!(answers(&outputs)[..], [Answer::Value(_, [0, 0])]), "{outputs:?}");
    assert_eq!(outputs.len(), 1, "nobody was asked");
    assert!(server.cached(CONTEXT, at(4_900)).is_some());
    assert_eq!(server.cached(CONTEXT, at(5_000)), None);
    // It slept, and was not told by a timer.
    let outputs = feed(&mut server, at(5_000), ServerInput::Message(&read(4)));
    assert_eq!((answers(&outputs), outputs.len()), (alloc::vec![Answer::Unavailable], 1));

    let (mut published, _) = owner(Rules::published());
    let outputs = feed(&mut published, at(60_000), ServerInput::Message(&read(3)));
    assert!(matches!(answers(&outputs)[..], [Answer::Value(..)]), "it believes its cache for ever");
}

#[test]
fn a_cache_ends_with_the_life_of_the_candidate() {
    let (mut server, mut store) = owner(Rules::hardened());
    assert!(server.remembered(CONTEXT).is_some());
    let outputs = feed(&mut server, at(5_000), ServerInput::Timer);
    assert!(outputs.contains(&Output::Event(Event::TermEnded)), "{outputs:?}");
    assert_eq!(server.remembered(CONTEXT), None);
    // In its next term it asks again.
    settle(&mut server, &mut store, at(6_000), ServerInput::Timer);
    assert_eq!(server.term(), Epoch { generation: 0, counter: 2 });
    assert_eq!(operations(&feed(&mut server, at(6_000), ServerInput::Message(&read(3)))).len(), 1);

    let (mut published, _) = owner(Rules::published());
    feed(&mut published, at(5_000), ServerInput::Timer);
    assert!(published.remembered(CONTEXT).is_some());
}

#[test]
fn what_was_asked_about_a_context_that_is_handed_over_is_dropped() {
    let (mut server, mut store) = owner(Rules::hardened());
    let outputs = feed(&mut server, at(100), ServerInput::Message(&change(3, 1)));
    let write = operations(&outputs)[0];
    let given = feed(&mut server, at(200), ServerInput::GiveBack);
    let give = operations(&given)[0];
    assert_eq!(give.what, What::Give { id: CONTEXT, epoch: 1 });
    assert_eq!(server.remembered(CONTEXT), None);
    // The change was carried out before. Its outcome is older than the handing over.
    let outcome = store.answer(at(200), &Message::Operation(write));
    assert_eq!(feed(&mut server, at(300), ServerInput::Message(&outcome)), []);
    assert_eq!(server.remembered(CONTEXT), None);

    // It asks for a later epoch, and gets one if what it gave is still under way; then it gives nothing.
    let outputs = feed(&mut server, at(300), ServerInput::Message(&read(4)));
    let load = operations(&outputs)[0];
    assert!(matches!(load.what, What::Load { id: CONTEXT, after: 1, .. }), "{load:?}");
    let outcome = store.answer(at(300), &Message::Operation(load));
    let outputs = feed(&mut server, at(300), ServerInput::Message(&outcome));
    assert!(matches!(answers(&outputs)[..], [Answer::Value(_, [1, 0])]), "{outputs:?}");
    assert_eq!(server.remembered(CONTEXT).map(|cached| cached.row.epoch), Some(2));
    let Message::Outcome(late) = store.answer(at(400), &Message::Operation(give)) else { panic!("an outcome") };
    assert_eq!(late.verdict, Verdict::NotOwner);
    feed(&mut server, at(400), ServerInput::Message(&Message::Outcome(late)));
    assert_eq!(server.remembered(CONTEXT).map(|cached| cached.row.epoch), Some(2));
}

#[test]
fn who_handed_a_context_over_points_at_its_new_owner() {
    let (mut server, mut store) = owner(Rules::hardened());
    settle(&mut server, &mut store, at(100), ServerInput::GiveBack);
    let outputs = settle(&mut server, &mut store, at(200), ServerInput::Message(&read(3)));
    let [Answer::Moved(current)] = answers(&outputs)[..] else { panic!("{outputs:?}") };
    assert_eq!((current.haid, current.generation), (haid(1, 0, CONTEXT.0), 2));
}

#[test]
fn outcomes_of_an_earlier_term_are_not_cached() {
    let (mut server, mut store) = owner(Rules::hardened());
    settle(&mut server, &mut store, at(100), ServerInput::GiveBack);
    let load = operations(&feed(&mut server, at(200), ServerInput::Message(&read(3))))[0];
    let late = store.answer(at(200), &Message::Operation(load));
    feed(&mut server, at(5_000), ServerInput::Timer);
    settle(&mut server, &mut store, at(6_000), ServerInput::Timer);
    assert!(server.holds(at(6_000)) && server.term() > load.term);
    assert_eq!(feed(&mut server, at(6_000), ServerInput::Message(&late)), [], "nobody waits for it");

    // And if something with the same number is waited for: an earlier process numbered alike, in a former term.
    let load = operations(&feed(&mut server, at(6_000), ServerInput::Message(&read(4))))[0];
    let row =
        RowView { id: CONTEXT, main: Alias(0), backup: Alias(1), epoch: 1, generation: 1, content: [9, 9], version: 1 };
    let former = Epoch { generation: 0, counter: 1 };
    let outcome = Outcome { tag: load.tag, term: former, verdict: Verdict::Done, row: Some(row) };
    assert_eq!(feed(&mut server, at(6_000), ServerInput::Message(&Message::Outcome(outcome))), []);
    assert_eq!(server.remembered(CONTEXT), None);
}

#[test]
fn an_older_row_does_not_replace_a_newer_one() {
    let (mut server, mut store) = owner(Rules::hardened());
    let [first, second] = [(3, 1), (4, 2)].map(|(number, seq)| {
        let outputs = feed(&mut server, at(100), ServerInput::Message(&change(number, seq)));
        store.answer(at(100), &Message::Operation(operations(&outputs)[0]))
    });
    for late in [second, first] {
        let outputs = feed(&mut server, at(200), ServerInput::Message(&late));
        assert!(matches!(answers(&outputs)[..], [Answer::Changed(_)]), "{outputs:?}");
    }
    assert_eq!(server.remembered(CONTEXT).map(|cached| cached.row.content), Some([2, 0]));
}

#[test]
fn of_too_many_operations_the_oldest_is_forgotten() {
    let mut store = Store::new(Rules::hardened());
    let mut server = holder(Rules::hardened(), 0, &mut store);
    let asked: Vec<_> = (0..129_u32)
        .map(|n| {
            let read = request(n, Verb::Read { haid: haid(0, 1, n) });
            operations(&feed(&mut server, at(0), ServerInput::Message(&read)))[0]
        })
        .collect();
    let mut outcome = |operation: &Operation| {
        let outcome = store.answer(at(0), &Message::Operation(*operation));
        answers(&feed(&mut server, at(0), ServerInput::Message(&outcome)))
    };
    assert_eq!(outcome(&asked[0]), []);
    for operation in &asked[1..] {
        assert_eq!(outcome(operation), [Answer::Refused], "there is no such context");
        assert_eq!(outcome(operation), [], "it is answered once");
    }
}

#[test]
fn who_holds_no_alias_serves_nobody() {
    let mut server = server(Rules::hardened(), 0);
    for verb in [Verb::Create, Verb::Adopt { id: CONTEXT }, Verb::Read { haid: haid(0, 1, 0) }] {
        let outputs = feed(&mut server, at(0), ServerInput::Message(&request(1, verb)));
        assert_eq!((answers(&outputs), outputs.len()), (alloc::vec![Answer::Unavailable], 1));
    }
}

#[test]
fn a_context_of_one_instance_gets_a_backup_when_there_is_another() {
    let rules = Rules::hardened();
    let mut store = Store::new(rules);
    let mut server = holder(rules, 0, &mut store);
    let created = settle(&mut server, &mut store, at(0), ServerInput::Message(&request(1, Verb::Create)));
    assert!(matches!(answers(&created)[..], [Answer::Context(Current { degraded: true, .. })]), "{created:?}");
    holder(rules, 1, &mut store);
    // Each view leads to one step: it asks to own the context, then names the backup.
    for _ in 0..3 {
        settle(&mut server, &mut store, at(1_000), ServerInput::Timer);
    }
    assert_eq!(store.contexts.row(CONTEXT).and_then(|row| row.owners), Some((Alias(0), Alias(1))));
}
