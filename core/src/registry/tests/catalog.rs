//! The catalog: what each record makes of the lists, under both rules.

use super::*;

fn catalog(rules: Rules, events: &[Event]) -> Catalog {
    let mut written = Written::new(rules, 100);
    events.iter().for_each(|event| {
        written.write(*event);
    });
    fold(rules, &written.log, 100)
}

fn checked(instance: InstanceId, listed_at: u64, number: u64, by: Host, failing_for: Option<Duration>) -> Event {
    let failure = failing_for.map(|failing_for| (Failure::Refused, failing_for));
    Event::Checked { instance, listed_at: Offset(listed_at), start: start(number), by, failure }
}

fn starts(catalog: &Catalog) -> Vec<u64> {
    catalog.listings(WEB).map(|(_, listing)| listing.start.0).collect()
}

#[test]
fn instances_are_listed_by_service_and_place() {
    for rules in [Rules::published(), Rules::hardened()] {
        let mail = InstanceId { key: MAIL, ..web(1, 9) };
        let gone = InstanceId { key: MAIL, ..web(3, 1) };
        let events = [registered(web(2, 1)), registered(web(1, 1)), registered(mail), deregistered(gone)];
        let catalog = catalog(rules, &events);
        assert_eq!((ports(&catalog, WEB), ports(&catalog, MAIL)), ([1, 2].to_vec(), [1].to_vec()));
        assert_eq!((catalog.len(), catalog.offset()), (3, Offset(4)));
        let list = look_up(&catalog, WEB, &[]).instances;
        assert_eq!(list.iter().map(|instance| instance.place.port).collect::<Vec<_>>(), [2, 1], "by registration");
    }
}

#[test]
fn an_empty_list_leaves_no_key() {
    for rules in [Rules::published(), Rules::hardened()] {
        let catalog = catalog(rules, &[registered(web(1, 1)), deregistered(web(1, 1)), deregistered(web(1, 1))]);
        assert!(catalog.is_empty() && catalog.keys().next().is_none());
    }
}

#[test]
fn protocols_and_addresses_make_places_of_their_own() {
    let plain = InstanceId { place: Place { protocol: Protocol::Http, ..place(1) }, ..web(1, 1) };
    let other = InstanceId { place: Place { address: Address(2), ..place(1) }, ..web(1, 1) };
    let events = [registered(web(1, 1)), registered(plain), registered(other), deregistered(web(1, 1))];
    let catalog = catalog(Rules::hardened(), &events);
    let left: Vec<_> = catalog.listings(WEB).map(|(place, _)| place).collect();
    assert_eq!(left, [plain.place, other.place]);
}

/// C4: a deregistration that was decided before the instance started anew.
#[test]
fn a_late_deregistration_removes_the_new_start_under_published_rules_only() {
    let events = [registered(web(1, 1)), registered(web(1, 2)), deregistered(web(1, 1))];
    assert_eq!(starts(&catalog(Rules::published(), &events)), []);
    assert_eq!(starts(&catalog(Rules::hardened(), &events)), [2]);
    let planted = Rules { removal: Removal::Place, ..Rules::hardened() };
    assert_eq!(starts(&catalog(planted, &events)), [], "it is this defence that matters");
}

/// C3: published, whoever is registered where another failed inherits its failure.
#[test]
fn a_ghost_check_fails_the_new_start_under_published_rules_only() {
    let failed = Some(Duration::from_secs(61));
    let events = [
        registered(web(1, 1)),
        checked(web(1, 1), 0, 1, A, failed),
        checked(web(1, 1), 0, 1, B, failed),
        Event::Deregistered { instance: web(1, 1), cause: Cause::Failed },
        registered(web(1, 2)),
    ];
    let health = |rules| catalog(rules, &events).listing(WEB, place(1)).expect("it is listed").health;
    assert!(health(Rules::published()).failing.is_some());
    assert_eq!(health(Rules::hardened()), Health::default());
    let planted = Rules { check_owner: CheckOwner::Place, ..Rules::hardened() };
    assert!(health(planted).failing.is_some(), "it is this defence that matters");
}

/// A sidecar that registers each minute does not hide that the instance is dead.
#[test]
fn the_same_start_registered_again_keeps_its_health_and_makes_no_news() {
    let failed = Some(Duration::from_secs(5));
    let mut written = Written::new(Rules::hardened(), 100);
    written.write(registered(web(1, 1)));
    written.write(checked(web(1, 1), 0, 1, A, failed));
    let mut catalog = fold(Rules::hardened(), &written.log, 100);
    let before = *catalog.listing(WEB, place(1)).expect("it is listed");
    written.write(registered(web(1, 1)));
    assert_eq!(follow(&mut catalog, &written.log), []);
    assert_eq!(catalog.listing(WEB, place(1)), Some(&before));
    written.write(registered(web(1, 2)));
    assert_eq!(follow(&mut catalog, &written.log).len(), 1, "another start is news");
    assert_eq!(catalog.listing(WEB, place(1)).map(|listing| listing.health), Some(Health::default()));
}

/// C1: the log itself proves why an instance leaves.
#[test]
fn a_removal_needs_the_interval_and_two_witnesses_in_the_log() {
    let (long, short) = (Some(Duration::from_secs(61)), Some(Duration::from_secs(60)));
    let removal = |cause| Event::Deregistered { instance: web(1, 1), cause };
    let seen = |by, failing_for| checked(web(1, 1), 0, 1 + u64::from(by == B), by, failing_for);
    let cases: [(&[Event], bool); 6] = [
        (&[removal(Cause::Failed)], false),
        (&[removal(Cause::Stale)], false),
        (&[seen(A, long), removal(Cause::Failed)], false),
        (&[seen(A, short), seen(B, short), removal(Cause::Failed)], false),
        (&[seen(A, short), seen(B, long), removal(Cause::Failed)], true),
        (&[removal(Cause::Asked)], true),
    ];
    for (events, removed) in cases {
        let events: Vec<_> = [registered(web(1, 1))].iter().chain(events).copied().collect();
        assert_eq!(catalog(Rules::hardened(), &events).is_empty(), removed, "{events:?}");
        assert!(catalog(Rules::published(), &events).is_empty(), "published, nobody asks why");
    }
    let passed = [registered(web(1, 1)), seen(A, long), seen(B, long), checked(web(1, 1), 0, 3, A, None)];
    let events: Vec<_> = passed.into_iter().chain([removal(Cause::Failed)]).collect();
    assert_eq!(catalog(Rules::hardened(), &events).len(), 1, "it passed in between");
}

/// What was seen before an instance left does not remove it after it came back under the same start.
#[test]
fn a_late_failure_of_an_earlier_listing_is_ignored() {
    let failed = Some(Duration::from_secs(61));
    let events = [
        registered(web(1, 1)),
        deregistered(web(1, 1)),
        registered(web(1, 1)),
        checked(web(1, 1), 0, 5, A, failed),
        checked(web(1, 1), 0, 6, B, failed),
        Event::Deregistered { instance: web(1, 1), cause: Cause::Failed },
    ];
    let kept = catalog(Rules::hardened(), &events);
    assert_eq!(kept.listing(WEB, place(1)).map(|listing| listing.health), Some(Health::default()));
}

/// C5: published, an instance whose second message is lost has no check; hardened, the registration brings it.
#[test]
fn the_check_comes_with_the_registration_under_hardened_rules_only() {
    let check = |rules, events: &[Event]| catalog(rules, events).listing(WEB, place(1)).and_then(|it| it.check);
    let lost = [registered(web(1, 1))];
    assert_eq!((check(Rules::published(), &lost), check(Rules::hardened(), &lost)), (None, Some(SPEC)));
    let other = CheckSpec { kind: CheckKind::Ttl, ..SPEC };
    let both = [registered(web(1, 1)), Event::CheckDefined { instance: web(1, 1), check: other }];
    assert_eq!((check(Rules::published(), &both), check(Rules::hardened(), &both)), (Some(other), Some(SPEC)));
}

#[test]
fn subscribers_hear_of_each_turn_and_not_of_each_failure() {
    let mut written = Written::new(Rules::hardened(), 100);
    let mut catalog = fold(Rules::hardened(), &written.log, 100);
    let mut told = |event| {
        written.write(event);
        let changes = follow(&mut catalog, &written.log);
        changes.into_iter().map(|(_, change)| change.became).collect::<Vec<_>>()
    };
    let listed = |critical| [Became::Listed(Instance { place: place(1), start: StartId(1), critical })].to_vec();
    let second = Some(Duration::from_secs(1));
    assert_eq!(told(registered(web(1, 1))), listed(false));
    assert_eq!(told(checked(web(1, 1), 0, 1, A, Some(Duration::ZERO))), listed(true));
    assert_eq!(told(checked(web(1, 1), 0, 2, A, second)), []);
    assert_eq!(told(checked(web(1, 1), 0, 3, A, None)), listed(false));
    assert_eq!(told(checked(web(1, 1), 0, 2, A, second)), [], "an execution that is told late");
    assert_eq!(told(checked(web(1, 9), 0, 4, A, second)), [], "of another start");
    assert_eq!(told(deregistered(web(1, 1))), [Became::Removed(place(1), StartId(1))]);
    assert_eq!(told(deregistered(web(1, 1))), []);
}

#[test]
fn undecodable_records_are_skipped_and_unknown_kinds_make_it_incomplete() {
    let mut written = Written::new(Rules::hardened(), 100);
    written.write(registered(web(1, 1)));
    written.put(Entry::Undecodable, at(2));
    let mut catalog = fold(Rules::hardened(), &written.log, 100);
    assert_eq!((catalog.undecodable(), catalog.incomplete_from(), catalog.offset()), (1, None, Offset(2)));
    written.put(Entry::Unknown(9), at(3));
    written.put(Entry::Unknown(8), at(4));
    written.write(registered(web(2, 1)));
    follow(&mut catalog, &written.log);
    assert_eq!((catalog.incomplete_from(), ports(&catalog, WEB)), (Some(Offset(2)), [1, 2].to_vec()));
    written.log.compact(Offset(5));
    assert_eq!(written.log.snapshot(), &catalog, "a snapshot does not hide it");
}

#[test]
fn only_the_next_record_is_taken_in() {
    let mut written = Written::new(Rules::hardened(), 100);
    written.write(registered(web(1, 1)));
    written.write(registered(web(2, 1)));
    let page = written.log.read(written.log.begin(), 9).expect("the begin");
    let mut catalog = Catalog::new(Rules::hardened(), LogId(7), 100);
    let before = catalog.clone();
    assert_eq!(catalog.fold(&page.records[1]), None);
    assert_eq!(catalog, before, "one is missing");
    assert!(catalog.fold(&page.records[0]).is_some());
    let before = catalog.clone();
    assert_eq!(catalog.fold(&page.records[0]), None);
    assert_eq!(catalog, before, "once is enough");
}

#[test]
fn tombstones_are_kept_up_to_the_horizon() {
    let mut written = Written::new(Rules::hardened(), 3);
    for event in [registered(web(1, 1)), registered(web(2, 1)), deregistered(web(1, 1)), deregistered(web(2, 1))] {
        written.write(event);
    }
    let mut catalog = fold(Rules::hardened(), &written.log, 3);
    let removed = |catalog: &Catalog| catalog.tombstones(WEB).map(|(place, _)| place.port).collect::<Vec<_>>();
    assert_eq!((catalog.horizon(), removed(&catalog)), (Offset(1), [1, 2].to_vec()));
    written.write(registered(web(2, 2)));
    follow(&mut catalog, &written.log);
    assert_eq!((catalog.horizon(), removed(&catalog)), (Offset(2), [1].to_vec()), "who is listed again has none");
    written.write(registered(web(3, 1)));
    follow(&mut catalog, &written.log);
    assert_eq!((catalog.horizon(), removed(&catalog)), (Offset(3), Vec::new()));
}

/// An instance that left, came back and left again is remembered from the last time on.
#[test]
fn a_second_removal_is_remembered_as_long_as_any() {
    let mut written = Written::new(Rules::hardened(), 3);
    for event in [registered(web(1, 1)), deregistered(web(1, 1)), registered(web(1, 2)), deregistered(web(1, 2))] {
        written.write(event);
    }
    (2..4).for_each(|port| {
        written.write(registered(web(port, 1)));
    });
    let catalog = fold(Rules::hardened(), &written.log, 3);
    let removed: Vec<_> = catalog.tombstones(WEB).map(|(_, tombstone)| tombstone.removed_at).collect();
    assert_eq!((catalog.horizon(), removed), (Offset(3), [Offset(3)].to_vec()));
}
