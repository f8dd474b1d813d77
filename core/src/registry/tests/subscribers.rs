//! C9: who is told of a change, by whom and how often.

use super::*;

const FIRST: SubscriberId = SubscriberId(1);
const SECOND: SubscriberId = SubscriberId(2);

/// A catalog with one instance, and what folds the next event into it.
fn begun(rules: Rules) -> (Written, Catalog, Subscribers) {
    let mut written = Written::new(rules, 100);
    written.write(registered(web(1, 1)));
    let catalog = fold(rules, &written.log, 100);
    (written, catalog, Subscribers::new(rules))
}

/// Who is told that one more instance is listed.
fn told(written: &mut Written, catalog: &mut Catalog, subscribers: &mut Subscribers, own: bool) -> Vec<SubscriberId> {
    written.write(registered(web(catalog.offset().0 as u16 + 1, 1)));
    let mut told = Vec::new();
    for (key, change) in follow(catalog, &written.log) {
        told.extend(subscribers.push(catalog, key, change, own).into_iter().map(|(subscriber, _)| subscriber));
    }
    told
}

#[test]
fn each_subscriber_of_the_service_is_told_once() {
    let (mut written, mut catalog, mut subscribers) = begun(Rules::hardened());
    subscribers.open(SECOND, WEB, None);
    subscribers.open(FIRST, WEB, None);
    subscribers.open(FIRST, MAIL, None);
    assert_eq!(subscribers.begin(&catalog).len(), 3);
    assert_eq!(subscribers.begin(&catalog), [], "once");
    assert_eq!(told(&mut written, &mut catalog, &mut subscribers, false), [FIRST, SECOND]);
}

/// Published, a controller tells nobody of what another one took in.
#[test]
fn changes_of_other_controllers_are_told_under_hardened_rules_only() {
    for (rules, expected) in [(Rules::published(), &[][..]), (Rules::hardened(), &[FIRST][..])] {
        let (mut written, mut catalog, mut subscribers) = begun(rules);
        subscribers.open(FIRST, WEB, None);
        subscribers.begin(&catalog);
        assert_eq!(told(&mut written, &mut catalog, &mut subscribers, false), expected);
        assert_eq!(told(&mut written, &mut catalog, &mut subscribers, true), [FIRST]);
    }
}

/// Published, who subscribes again is told twice, and whoever closed is told for ever.
#[test]
fn a_second_connection_replaces_the_first_under_hardened_rules_only() {
    for (rules, twice, closed) in
        [(Rules::published(), &[FIRST, FIRST][..], &[FIRST, FIRST][..]), (Rules::hardened(), &[FIRST][..], &[][..])]
    {
        let (mut written, mut catalog, mut subscribers) = begun(rules);
        let first = subscribers.open(FIRST, WEB, None);
        let second = subscribers.open(FIRST, WEB, None);
        subscribers.begin(&catalog);
        assert_eq!(told(&mut written, &mut catalog, &mut subscribers, true), twice);
        subscribers.close(FIRST, WEB, first);
        assert_eq!(
            told(&mut written, &mut catalog, &mut subscribers, true),
            twice,
            "it is not that connection any more"
        );
        subscribers.close(FIRST, WEB, second);
        assert_eq!(told(&mut written, &mut catalog, &mut subscribers, true), closed);
        assert_eq!((subscribers.len(), subscribers.is_empty()), (closed.len(), closed.is_empty()));
    }
}

#[test]
fn a_catalog_that_was_loaded_anew_owes_first_updates_again() {
    let (mut written, mut catalog, mut subscribers) = begun(Rules::hardened());
    subscribers.open(FIRST, WEB, None);
    let first = subscribers.begin(&catalog);
    subscribers.begin_again();
    assert_eq!(told(&mut written, &mut catalog, &mut subscribers, false), [], "the first update is owed");
    let again = subscribers.begin(&catalog);
    assert_eq!(again[0].1.from, Some(first[0].1.to), "it follows what was told");
    assert_eq!(again[0].1.changes.len(), 1);
}
