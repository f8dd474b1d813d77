//! Timelines: how they read, that they leave nothing out without saying so, and that traces in Apalache's format are
//! behaviours of the contracts. The page is also opened in a browser, where there is one.

mod behaviour;
mod browser;

use crate::commands::{failproof, folder, text_of};
use failproof::engine::Engine;
use failproof::fault::{FaultClass, FaultKind, Place};
use failproof::generate::generate;
use failproof::note::Who;
use failproof::options::Options;
use failproof::plan::Plan;
use failproof::timeline::html::html;
use failproof::timeline::text::TimelineText;
use failproof::timeline::{MessageFate, SpanKind, Timeline};
use failproof::{election, routing};
use failproof_core::Duration;
use failproof_core::election::Rules;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The plan of a defect.
fn plan_of(defect: &str) -> String {
    format!("{}/plans/{defect}.json", env!("CARGO_MANIFEST_DIR"))
}

/// What `failproof replay` tells of the plan of a defect on standard output.
fn told(defect: &str, kind: &str) -> String {
    let outcome = failproof(&["replay", &plan_of(defect), "--timeline", kind]);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    assert!(outcome.err.starts_with("FAILED"), "the report goes to standard error: {}", outcome.err);
    outcome.out
}

#[test]
fn an_election_as_text() {
    insta::assert_snapshot!(told("E1", "text"));
}

#[test]
fn an_election_as_a_sequence_diagram() {
    insta::assert_snapshot!(told("E1", "mermaid"));
}

#[test]
fn routing_as_text() {
    insta::assert_snapshot!(told("R1", "text"));
}

#[test]
fn routing_as_a_sequence_diagram() {
    insta::assert_snapshot!(told("R1", "mermaid"));
}

fn timeline(plan: Plan) -> Timeline {
    let plan = Arc::new(plan);
    let (_, records) = Engine::Fast.run(&plan, true).expect("no panic");
    Timeline::new(&plan, &records, [])
}

fn small(rules: Rules, time_us: u64) -> Plan {
    Plan::calm(election::Options { nodes: 3, time_us, rules, ..election::Options::default() })
}

/// Every event is told, or counted among those that are not: a moment may tell more than one thing of its event.
#[test]
fn what_is_folded_is_counted() {
    let crash = FaultKind::Crash { node: Place::Primary, durable: true };
    let plans = [
        small(Rules::hardened(), 30_000_000).fault(crash, 10_000_000, 5_000_000),
        Plan::read(Path::new(&plan_of("E1"))).unwrap(),
        Plan::read(Path::new(&plan_of("R1"))).unwrap(),
    ];
    for plan in plans {
        let plan = Arc::new(plan);
        let (_, records) = Engine::Fast.run(&plan, true).expect("no panic");
        let timeline = Timeline::new(&plan, &records, []);
        // Events of one time and place are told side by side, so what is told is counted by what came before it.
        let mut events = timeline.folded();
        let mut last = None;
        for moment in &timeline.moments {
            let this = (moment.at_us, moment.place, moment.by.clone(), moment.node_us);
            let begins = moment.folded > 0 || last.as_ref().is_none_or(|last: &(u64, _, _, _)| last.0 != this.0);
            events += u64::from(begins);
            last = Some(this);
        }
        let total = records.len() as u64;
        assert!(events <= total && total - events <= timeline.moments.len() as u64, "{events} of {total}");
        assert!(timeline.folded() > total / 2, "everyday work is folded: {} of {total}", timeline.folded());
        let text = TimelineText(&timeline).to_string();
        let lines: u64 = text.lines().filter(|line| line.contains("of everyday work")).map(number_in).sum();
        assert_eq!(lines, timeline.folded(), "the lines say how much");
    }
}

fn number_in(line: &str) -> u64 {
    let digits = line.split("… ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    digits.replace(',', "").parse().unwrap_or_else(|_| panic!("no number in: {line}"))
}

/// What lanes show is what the plan did to the world, and what the contract says of who works.
#[test]
fn lanes_show_faults_beliefs_and_clocks() {
    let mut plan = small(Rules::published(), 30_000_000)
        .fault(FaultKind::Suspend { node: Place::Primary }, 10_000_000, 6_000_000)
        .fault(FaultKind::ClockRate { node: Place::Store, ppm: 500_000 }, 20_000_000, 4_000_000)
        .fault(
            FaultKind::Isolate { node: Place::Resource, direction: failproof::fault::Direction::Both },
            2_000_000,
            1,
        );
    plan.noise.latency_us_max = 1;
    let timeline = timeline(plan);
    let of = |kind: SpanKind| {
        let spans = timeline.lanes.iter().flat_map(|lane| lane.spans.iter().map(move |span| (lane.place, *span)));
        spans.filter(move |(_, span)| span.kind == kind).collect::<Vec<_>>()
    };
    let [(sleeper, slept)] = of(SpanKind::Suspended)[..] else { panic!("{:?}", of(SpanKind::Suspended)) };
    assert_eq!((slept.from_us, slept.until_us), (10_000_000, 16_000_000));
    assert!(of(SpanKind::Paused).is_empty(), "a machine that sleeps is shown as one that sleeps");
    let believed = of(SpanKind::Believes);
    assert!(believed.iter().any(|(place, span)| *place == sleeper && span.from_us == 10_000_000), "{believed:?}");
    for (place, works) in of(SpanKind::Works) {
        assert!(place != sleeper || works.until_us <= slept.from_us || works.from_us >= slept.until_us, "{works:?}");
    }
    // A clock that does not count the sleep stood still; the store's ran half as fast again for a while.
    let lane = &timeline.lanes[timeline.lane_of(sleeper).unwrap()];
    assert_eq!(
        [10_000_000, 13_000_000, 16_000_000, 20_000_000].map(|us| lane.clock_at(us)),
        [10_000_000, 10_000_000, 10_000_000, 14_000_000]
    );
    assert_eq!(
        [20_000_000, 22_000_000, 24_000_000, 25_000_000].map(|us| timeline.lanes[0].clock_at(us)),
        [20_000_000, 23_000_000, 26_000_000, 27_000_000]
    );
    assert_eq!(
        timeline.faults.iter().map(|fault| fault.until_us - fault.from_us).collect::<Vec<_>>(),
        [1, 6_000_000, 4_000_000]
    );
    assert_eq!(timeline.rows.last().map(|row| row.until_us), Some(timeline.end_us));
}

/// Each way in which a message can fail to arrive is told apart from the others.
#[test]
fn messages_say_what_became_of_them() {
    use failproof::fault::{Access, Direction};
    let node = Place::Node(0);
    let faults = [
        (FaultKind::Isolate { node, direction: Direction::Both }, MessageFate::Cut),
        (FaultKind::Lossy { ppm: 1_000_000 }, MessageFate::Lost),
        (FaultKind::Delay { node, direction: Direction::Both, by_us: 60_000 }, MessageFate::Late),
        (FaultKind::Duplicate { ppm: 1_000_000, spread_us: 1_000 }, MessageFate::Twice),
        (FaultKind::Crash { node: Place::Store, durable: true }, MessageFate::Nobody),
        (FaultKind::ReadOnly {}, MessageFate::Store("is not carried out")),
        (FaultKind::StaleRead { node: None, by_us: 1_000 }, MessageFate::Store("is answered from an older state")),
        (FaultKind::Corrupt { node: None, access: Access::Read }, MessageFate::Store("is answered with damage")),
        (
            FaultKind::LostAck { node: None, access: Access::Any },
            MessageFate::Store("is carried out, and its answer lost"),
        ),
    ];
    let calm = timeline(small(Rules::hardened(), 20_000_000));
    assert!(calm.messages.iter().all(|message| message.fate.is_usual()), "nothing is lost on a calm day");
    for (kind, fate) in faults {
        let name = kind.name();
        let plan = small(Rules::hardened(), 20_000_000).fault(kind, 5_000_000, 5_000_000);
        let timeline = timeline(plan);
        let met = |at: u64| (4_900_000..=10_100_000).contains(&at);
        let those: Vec<_> = timeline.messages.iter().filter(|message| message.fate == fate).collect();
        assert!(!those.is_empty(), "{name}: no message {}", fate.words());
        assert!(those.iter().all(|message| met(message.sent_us)), "{name}: outside of the fault");
        if fate != MessageFate::Nobody {
            assert!(timeline.moments.iter().any(|moment| moment.words.contains(fate.words())), "{name} is not told");
        }
    }
}

/// The cause of a violation says by whom, since when, and what would have prevented it.
#[test]
fn causes_say_who_overlapped_and_how_it_came_about() {
    let plan = Arc::new(Plan::read(Path::new(&plan_of("E1"))).unwrap());
    let (report, records) = Engine::Fast.run(&plan, true).expect("no panic");
    let timeline = Timeline::new(&plan, &records, []);
    let cause = timeline.causes.iter().find(|cause| cause.property == "AtMostOneWorkingPrimary").unwrap();
    let violation = report.violations.iter().find(|violation| violation.property == cause.property).unwrap();
    assert_eq!(cause.at_us, violation.at_us);
    assert_eq!(cause.overlap_us, Some(report.longest_overlap_us), "the lanes and the judge measure the same");
    let path: Vec<_> = cause.path.iter().map(|step| step.words.as_str()).collect();
    assert_eq!(path, ["Grant n1#2", "StepUp n1#2"]);
    let owner = cause.changed.iter().find(|(name, ..)| *name == "owner").unwrap();
    assert_eq!((owner.1.to_string(), owner.2.to_string()), ("n0#1".to_owned(), "n1#2".to_owned()));
    let text = told("E1", "text");
    assert!(text.contains("prevented by  anchor (E1)"), "{text}");
}

/// Goal: nobody overlaps with who it was before. Method: findings about two lives of one node, of which random runs have
/// some.
#[test]
fn two_lives_of_one_node_do_not_overlap() {
    let options = Options::usual("election").expect("a protocol").decided_by("published");
    let mut found = 0;
    for seed in 0..20 {
        let timeline = timeline(generate(seed, &options, &FaultClass::ALL));
        for cause in &timeline.causes {
            let place = |who: Option<Who>| who.map(|who| who.place);
            if place(cause.who).is_none() || place(cause.who) != place(cause.rival) {
                continue;
            }
            found += 1;
            assert!(cause.intervals.len() <= 1 && cause.overlap_us.is_none(), "seed {seed}: {cause}");
            let told = cause.to_string();
            let lines: BTreeSet<_> = told.lines().collect();
            assert_eq!(lines.len(), told.lines().count(), "nothing is said twice: {told}");
        }
    }
    assert!(found > 3, "only {found} findings about one node");
}

/// A long run of many events, of which most are folded.
fn long() -> Timeline {
    let mut options = routing::Options {
        time_us: 1_500_000_000,
        rules: failproof_core::routing::Rules::published(),
        ..routing::Options::default()
    };
    options.every_us = Duration::from_millis(1_000);
    let plan = Plan::calm(options).fault(FaultKind::Pause { node: Place::Primary }, 300_000_000, 8_000_000).fault(
        FaultKind::Lossy { ppm: 100_000 },
        400_000_000,
        50_000_000,
    );
    timeline(plan)
}

#[test]
fn the_page_of_a_long_run_is_small_needs_nothing_else_and_says_what_it_left_out() {
    let timeline = long();
    assert!(timeline.events > 200_000, "{} events are not many", timeline.events);
    let page = html(&timeline);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    let data = data_of(&page);
    assert_eq!(data["events"], timeline.events);
    assert!(data["folded"].as_str().unwrap().contains("not shown: "), "{}", data["folded"]);
    let shown = data["messages"].as_array().unwrap().len();
    assert!(shown > 0 && shown < timeline.messages.len());
}

/// The data that a page carries.
fn data_of(page: &str) -> Value {
    let begin = page.find(r#"id="data">"#).expect("data") + r#"id="data">"#.len();
    let length = page[begin..].find("</script>").expect("the end of the data");
    serde_json::from_str(&page[begin..begin + length]).expect("JSON")
}

#[test]
fn the_page_refers_to_nothing_outside() {
    for defect in ["E1", "R1"] {
        let file = folder("pages").join(format!("{defect}.html"));
        let outcome = failproof(&["replay", &plan_of(defect), "--timeline", "html", "--out", text_of(&file)]);
        assert_eq!(outcome.code, 1, "{}", outcome.err);
        assert!(outcome.out.starts_with("FAILED"), "with a file, the report stays on standard output");
        let page = fs::read_to_string(&file).unwrap();
        for reference in ["http:", "https:", "//cdn", "src=", "href=", "@import", "url(\"", "fetch(", "import("] {
            assert!(!page.contains(reference), "{defect}: {reference}");
        }
        assert!(!data_of(&page)["causes"].as_array().unwrap().is_empty());
    }
}

/// Words that would end the element that they stand in, or begin another one, do neither.
#[test]
fn data_cannot_leave_its_element() {
    let mut timeline = long_story("</script><script>alert(1)</script>");
    timeline.run = "{{data}}".to_owned();
    let page = html(&timeline);
    assert_eq!(page.matches("</script>").count(), 2, "one for the data, one for the script");
    assert!(
        data_of(&page)["moments"]
            .as_array()
            .unwrap()
            .iter()
            .any(|moment| { moment["words"].as_str().unwrap().contains("</script>") })
    );
}

fn long_story(words: &str) -> Timeline {
    let mut timeline = timeline(small(Rules::hardened(), 5_000_000));
    timeline.moments[0].words = words.to_owned();
    timeline
}
