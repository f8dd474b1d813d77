//! The event loop allocates nothing for an event once a run is warm.
//!
//! Method: a run of two hours allocates as often as one of an hour, so that construction and warm-up cancel out.

use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::{FaultKind, Place};
use failproof::plan::Plan;
use std::sync::Arc;

const HOUR_US: u64 = 3_600_000_000;

/// Allocations and events of a run of so many hours, with something to do for the judge: a primary that pauses for longer
/// than its term, once in the first hour.
fn measured(hours: u64, record: bool) -> (u64, u64) {
    let options = Options { time_us: hours * HOUR_US, utypes: 2, resolvers: 1, ..Options::default() };
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
    let ((short, short_events), (long, long_events)) = (measured(1, false), measured(2, false));
    assert!(long_events - short_events > 100_000, "{} events in the second hour", long_events - short_events);
    assert_eq!(long, short, "the second hour allocates");
}

/// The counter can convict: a run that keeps its records allocates for each of them.
#[test]
fn a_run_that_records_is_seen_to_allocate() {
    let ((short, short_events), (long, long_events)) = (measured(1, true), measured(2, true));
    assert!(long - short > long_events - short_events);
}
