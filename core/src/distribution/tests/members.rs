//! The members and what servers know of them.

use super::*;
use core::num::NonZeroU32;

const PATIENCE: Duration = Duration::from_secs(1);

fn members(changes: impl IntoIterator<Item = MemberChange>) -> Members {
    let mut members = Members::default();
    changes.into_iter().for_each(|change| assert!(members.change(change), "{change:?} is one"));
    members
}

fn told(news: &News) -> Vec<MemberChange> {
    news.changes.iter().flatten().copied().collect()
}

fn view(rules: Rules) -> MemberView {
    MemberView::new(A, rules, NonZeroU32::new(16).expect("not zero"), RingSource::OWN)
}

/// Asks, and says what for.
fn ask(view: &mut MemberView, ms: u64, tag: u32) -> (u32, Option<Host>) {
    match view.ask(at(ms), tag, PATIENCE) {
        Some(Message::Follow { by: A, tag: asked, since, after }) if asked == tag => (since, after),
        other => panic!("no question: {other:?}"),
    }
}

/// Asks until there is nothing more to tell.
fn catch_up(view: &mut MemberView, members: &Members, ms: u64, names: &[Box<str>]) {
    for tag in 100.. {
        let (since, after) = ask(view, ms, tag);
        if !view.on_news(at(ms), tag, &members.news(since, after), names).1 {
            return;
        }
    }
}

fn in_ring(view: &MemberView) -> Vec<Host> {
    view.ring().members().map(|(server, _)| server).collect()
}

#[test]
fn a_change_that_is_none_is_not_written_down() {
    let mut members = members([joined(0), joined(1)]);
    for change in [joined(0), left(2)] {
        let before = members.clone();
        assert!(!members.change(change));
        assert_eq!(members, before);
    }
    assert!(members.change(left(0)));
    assert_eq!((members.version(), members.contains(A), members.iter().collect::<Vec<_>>()), (3, false, [B].to_vec()));
}

#[test]
fn a_snapshot_comes_in_pages_by_identity() {
    let members = members((0..80).rev().map(joined));
    let (mut after, mut all) = (None, Vec::new());
    for more in [true, true, false] {
        let news = members.news(0, after);
        assert_eq!((news.version, news.all, news.more), (80, true, more));
        all.extend(told(&news));
        after = all.last().map(|(MemberChange::Joined(server) | MemberChange::Left(server))| *server);
    }
    assert_eq!(all, (0..80).map(joined).collect::<Vec<_>>());
    assert_eq!(told(&members.news(0, after)), []);
}

#[test]
fn changes_come_in_order_and_in_pages() {
    let flapping = (0..17).flat_map(|_| [left(0), joined(0)]);
    let members = members([joined(0), joined(1)].into_iter().chain(flapping));
    let first = members.news(2, None);
    assert_eq!((first.version, first.all, first.more, told(&first).len()), (34, false, true, CHANGES_MAX));
    let rest = members.news(first.version, None);
    assert_eq!((rest.version, rest.all, rest.more), (36, false, false));
    assert_eq!(told(&rest), [left(0), joined(0)]);
    let none = members.news(36, None);
    assert_eq!((none.version, none.all, none.more, told(&none)), (36, false, false, Vec::new()));
}

/// Only so many changes are remembered; whoever knows an older version is told all members.
#[test]
fn a_version_that_is_too_old_is_answered_with_all_members() {
    let flapping = (0..600).flat_map(|_| [left(0), joined(0)]);
    let members = members([joined(0), joined(1)].into_iter().chain(flapping));
    let oldest = members.version() - 1024;
    let news = members.news(oldest, None);
    assert_eq!((news.all, news.version, told(&news).len()), (false, oldest + CHANGES_MAX as u32, CHANGES_MAX));
    let news = members.news(oldest - 1, None);
    assert_eq!((news.all, news.version, told(&news)), (true, members.version(), [joined(0), joined(1)].to_vec()));
}

#[test]
fn a_view_follows_from_a_snapshot_and_then_from_changes() {
    let mut log = members([joined(0), joined(1), joined(2)]);
    let mut view = view(Rules::hardened());
    assert_eq!((view.version(), view.home_of(7)), (0, None));
    assert_eq!(ask(&mut view, 0, 1), (0, None));
    assert_eq!(view.on_news(at(5), 1, &log.news(0, None), &names()), (true, false), "it may have left rows before");
    assert_eq!((view.version(), in_ring(&view)), (3, [A, B, C].to_vec()));
    assert!(!view.is_calm(at(5), PATIENCE) && view.is_calm(at(1_005), PATIENCE));

    log.change(left(1));
    assert_eq!(ask(&mut view, 2_000, 2), (3, None));
    assert_eq!(view.on_news(at(2_000), 2, &log.news(3, None), &names()), (true, false));
    assert_eq!((view.version(), in_ring(&view)), (4, [A, C].to_vec()));
    assert!(!view.is_calm(at(2_999), PATIENCE), "the ring has changed");

    log.change(joined(3));
    ask(&mut view, 3_000, 3);
    let orphans = view.on_news(at(3_000), 3, &log.news(4, None), &names()).0;
    assert!(!orphans, "who joins leaves nothing behind");
    ask(&mut view, 9_000, 4);
    assert_eq!(view.on_news(at(9_000), 4, &log.news(5, None), &names()), (false, false));
    assert!(view.is_calm(at(4_000), PATIENCE), "no news are no change");
}

#[test]
fn late_and_doubled_answers_are_ignored() {
    let log = members([joined(0), joined(1)]);
    let mut view = view(Rules::hardened());
    assert_eq!(view.on_news(at(0), 0, &log.news(0, None), &names()), (false, false), "nobody asked");
    assert_eq!(view.version(), 0);
    ask(&mut view, 0, 1);
    assert!(view.ask(at(999), 2, PATIENCE).is_none(), "an answer is waited for");
    ask(&mut view, 1_000, 2);
    let old = members([joined(3)]);
    assert_eq!(view.on_news(at(1_001), 1, &old.news(0, None), &names()), (false, false));
    assert_eq!(view.version(), 0, "an answer to the question before");
    view.on_news(at(1_002), 2, &log.news(0, None), &names());
    assert_eq!((view.version(), in_ring(&view)), (2, [A, B].to_vec()));
    view.on_news(at(1_003), 2, &old.news(0, None), &names());
    assert_eq!((view.version(), in_ring(&view)), (2, [A, B].to_vec()), "it was answered already");
}

/// Pages of different versions are never put together.
#[test]
fn a_snapshot_that_changes_between_pages_begins_again() {
    let many: Vec<Box<str>> = (0..80).map(|n| alloc::format!("server {n}").into()).collect();
    for leaver in [0, 50] {
        let mut log = members((0..80).map(joined));
        let mut view = view(Rules::hardened());
        assert_eq!(ask(&mut view, 0, 1), (0, None));
        assert_eq!(view.on_news(at(0), 1, &log.news(0, None), &many), (false, true));
        log.change(left(leaver));
        let (since, after) = ask(&mut view, 1, 2);
        assert_eq!((since, after), (0, Some(Host(31))));
        let (_, more) = view.on_news(at(1), 2, &log.news(since, after), &many);
        assert_eq!((view.version(), more), (0, true), "the pages belong to two versions");
        for (tag, goes_on) in [(3, false), (4, true), (5, true)] {
            let (since, after) = ask(&mut view, 2, tag);
            assert_eq!(after.is_some(), goes_on, "page {tag}");
            view.on_news(at(2), tag, &log.news(since, after), &many);
        }
        let expected: Vec<Host> = (0..80).filter(|n| *n != leaver).map(Host).collect();
        assert_eq!((view.version(), in_ring(&view)), (81, expected));
    }
}

#[test]
fn a_page_that_is_lost_is_asked_for_from_the_beginning() {
    let many: Vec<Box<str>> = (0..80).map(|n| alloc::format!("server {n}").into()).collect();
    let log = members((0..80).map(joined));
    let mut view = view(Rules::hardened());
    ask(&mut view, 0, 1);
    view.on_news(at(0), 1, &log.news(0, None), &many);
    assert_eq!(ask(&mut view, 1, 2), (0, Some(Host(31))));
    let mut asked = ask(&mut view, 1_001, 3);
    assert_eq!(asked, (0, None));
    for tag in 3.. {
        if !view.on_news(at(1_002), tag, &log.news(asked.0, asked.1), &many).1 {
            break;
        }
        asked = ask(&mut view, 1_002, tag + 1);
    }
    assert_eq!((view.version(), in_ring(&view).len()), (80, 80));
}

#[test]
fn two_views_of_one_version_are_the_same_ring() {
    let mut log = members([joined(2), joined(0), joined(1)]);
    let mut early = view(Rules::hardened());
    catch_up(&mut early, &log, 0, &names());
    for change in [left(0), joined(3), left(2), joined(0)] {
        log.change(change);
    }
    catch_up(&mut early, &log, 10, &names());
    let mut late = view(Rules::hardened());
    catch_up(&mut late, &log, 20, &names());
    assert_eq!((early.version(), early.ring()), (late.version(), late.ring()));
}

/// J6: the watch is not set again after an answer that did not come; under versions it is.
#[test]
fn only_a_frozen_view_stops_asking() {
    let log = members([joined(0), joined(1)]);
    for (rules, frozen) in [(Rules::hardened(), false), (Rules::published(), true)] {
        let mut view = view(rules);
        catch_up(&mut view, &log, 0, &names());
        ask(&mut view, 1_000, 1);
        assert_eq!(view.ask(at(2_000), 2, PATIENCE).is_none(), frozen);
        assert_eq!(view.ask(at(60_000), 3, PATIENCE).is_none(), frozen);
    }
}

/// J1: the ring holds paths first, and bare names after the first change: then nobody finds itself.
#[test]
fn only_one_identity_finds_itself_after_a_change() {
    for (rules, finds) in
        [(Rules::hardened(), true), (Rules { identity: Identity::PathThenName, ..Rules::hardened() }, false)]
    {
        let mut log = members([joined(0)]);
        let mut view = view(rules);
        catch_up(&mut view, &log, 0, &names());
        assert!(view.is_own(7));
        log.change(joined(1));
        log.change(left(1));
        catch_up(&mut view, &log, 1, &names());
        assert_eq!((view.home_of(7), view.is_own(7)), (Some(A), finds));
    }
}

/// A process numbers its questions anew, so that a late answer to the one before it may bear the number of a question of its
/// own. Changes since a version that it does not know, or the end of a list without its beginning, make no ring.
#[test]
fn an_answer_to_another_question_is_none_whatever_its_number() {
    let many: Vec<Box<str>> = (0..80).map(|n| alloc::format!("server {n}").into()).collect();
    let mut log = members((0..80).map(joined));
    log.change(left(3));
    for (since, after) in [(80, None), (0, Some(Host(63)))] {
        let mut view = view(Rules::hardened());
        ask(&mut view, 0, 1);
        assert_eq!(view.on_news(at(1), 1, &log.news(since, after), &many), (false, false));
        assert_eq!((view.version(), in_ring(&view)), (0, Vec::new()));
        catch_up(&mut view, &log, 2_000, &many);
        assert_eq!((view.version(), in_ring(&view).len()), (81, 79), "its own question is answered yet");
    }
}

/// Two servers of one name make no ring: the view stays where it was, and does not believe that it knows the members.
#[test]
fn members_whose_names_are_not_told_apart_are_no_news() {
    let alike: Vec<Box<str>> = ["a", "b", "b"].map(Box::from).into();
    let mut log = members([joined(0), joined(1), joined(2)]);
    let mut fresh = view(Rules::hardened());
    ask(&mut fresh, 0, 1);
    assert_eq!(fresh.on_news(at(1), 1, &log.news(0, None), &alike), (false, false));
    assert_eq!((fresh.version(), in_ring(&fresh)), (0, Vec::new()));

    log = members([joined(0), joined(1)]);
    let mut view = view(Rules::hardened());
    catch_up(&mut view, &log, 0, &alike);
    log.change(joined(2));
    let (since, after) = ask(&mut view, 1, 200);
    assert_eq!(view.on_news(at(2), 200, &log.news(since, after), &alike), (false, false));
    assert_eq!((view.version(), in_ring(&view)), (2, [A, B].to_vec()));
}
