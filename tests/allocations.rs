//! The event loop allocates nothing for an event once a run is warm; with job distribution, little.
//!
//! Method: a run of two hours allocates as often as one of an hour, so that construction and warm-up cancel out.

use failproof::engine::Engine;
use failproof::fault::{FaultKind, Place};
use failproof::options::Options;
use failproof::plan::Plan;
use failproof::{distribution, election, routing};
use std::sync::Arc;

const HOUR_US: u64 = 3_600_000_000;

/// Each protocol, small.
fn protocols() -> [Options; 2] {
    [
        election::Options { utypes: 2, resolvers: 1, ..election::Options::default() }.into(),
        routing::Options { clients: 3, contexts: 30, ..routing::Options::default() }.into(),
    ]
}

/// Allocations and events of a run of so many hours, with something to do for the judge: a primary that pauses for longer
/// than its term, once in the first hour.
fn measured(mut options: Options, hours: u64, record: bool) -> (u64, u64) {
    options.set_time_us(hours * HOUR_US);
    let pause = FaultKind::Pause { node: Place::Primary };
    let plan = Arc::new(Plan::calm(options).fault(pause, 600_000_000, 8_000_000));
    // What is built once for a process is not counted.
    let _ = Engine::Fast.run(&plan, false);
    let mut events = 0;
    let counted = allocation_counter::measure(|| {
        events = Engine::Fast.run(&plan, record).expect("no panic").0.events;
    });
    (counted.count_total, events)
}

#[test]
fn an_event_allocates_nothing_after_warm_up() {
    for options in protocols() {
        let protocol = options.protocol();
        let (short, short_events) = measured(options.clone(), 1, false);
        let (long, long_events) = measured(options, 2, false);
        let events = long_events - short_events;
        assert!(events > 100_000, "{protocol}: {events} events in the second hour");
        assert_eq!(long, short, "{protocol}: the second hour allocates");
    }
}

/// Rows, instances and members come and go as long as jobs are submitted, and ordered tables have no room in advance; so
/// the bound is two for each event, not none at all.
#[test]
fn an_event_of_job_distribution_allocates_little() {
    let options: Options = distribution::Options { jobs: 8_000, ..distribution::Options::default() }.into();
    let (short, short_events) = measured(options.clone(), 1, false);
    let (long, long_events) = measured(options, 2, false);
    let (allocations, events) = (long - short, long_events - short_events);
    println!("distribution: {allocations} allocations for {events} events in the second hour");
    assert!(events > 100_000, "{events} events in the second hour");
    assert!(allocations <= 2 * events, "{allocations} allocations for {events} events");
}

/// The counter can convict: a run that keeps its records allocates for each of them.
#[test]
fn a_run_that_records_is_seen_to_allocate() {
    let [election, _] = protocols();
    let (short, short_events) = measured(election.clone(), 1, true);
    let (long, long_events) = measured(election, 2, true);
    assert!(long - short > long_events - short_events);
}
