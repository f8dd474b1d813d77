//! Laws of the simulated clocks.

use failproof::clock::{Clock, NOMINAL};
use failproof_core::Instant;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Change {
    Rate(u64),
    Step(i64),
}

fn changes() -> impl Strategy<Value = Vec<(u64, Change)>> {
    let change = prop_oneof![
        3 => (0..=2 * NOMINAL).prop_map(Change::Rate),
        1 => Just(Change::Rate(0)),
        2 => (-10_000_000_i64..10_000_000).prop_map(Change::Step),
    ];
    prop::collection::vec((0..100_000_000_u64, change), 0..8)
}

/// A clock after `changes`, and the time of the last of them.
fn clock(ahead: u64, rate: u64, changes: &[(u64, Change)]) -> (Clock, u64) {
    let mut clock = Clock::new(Instant::from_micros(ahead), rate);
    let mut at = 0;
    for (after, change) in changes {
        at += after;
        match change {
            Change::Rate(rate) => clock.set_rate(at, *rate),
            Change::Step(by) => clock.step(at, *by),
        }
    }
    (clock, at)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: Some(Box::new(
        proptest::test_runner::FileFailurePersistence::WithSource("regressions"))), ..ProptestConfig::default() })]

    /// `when` is the inverse of `read`: the least true time at which the clock shows a value.
    #[test]
    fn when_is_the_least_time_at_which_the_clock_shows_it(
        ahead in 0..10_000_000_000_u64, rate in 0..=2 * NOMINAL, changes in changes(), local in 0..1_000_000_000_u64,
    ) {
        let (clock, from) = clock(ahead, rate, &changes);
        let local = Instant::from_micros(clock.read(from).as_micros() + local);
        match clock.when(local) {
            Some(at) => {
                prop_assert!(at >= from);
                prop_assert!(clock.read(at) >= local);
                prop_assert!(at == from || clock.read(at - 1) < local);
            }
            None => prop_assert_eq!(clock.rate(), 0),
        }
    }

    /// Between changes a clock never goes back, and `when(read(t))` is never later than `t`.
    #[test]
    fn clocks_are_monotone_between_changes(
        ahead in 0..10_000_000_000_u64, rate in 0..=2 * NOMINAL, changes in changes(), a in 0..u64::from(u32::MAX), b in 0..u64::from(u32::MAX),
    ) {
        let (clock, from) = clock(ahead, rate, &changes);
        let (early, late) = (from + a.min(b), from + a.max(b));
        prop_assert!(clock.read(early) <= clock.read(late));
        prop_assert!(clock.when(clock.read(late)).is_some_and(|at| at <= late));
    }

    /// A change of rate is continuous; a step moves the clock by just its size, and never below zero.
    #[test]
    fn rates_are_continuous_and_steps_exact(
        ahead in 0..10_000_000_000_u64, rate in 0..=2 * NOMINAL, next in 0..=2 * NOMINAL, at in 0..1_000_000_000_u64, by in -20_000_000_000_i64..20_000_000_000,
    ) {
        let mut clock = Clock::new(Instant::from_micros(ahead), rate);
        let shown = clock.read(at);
        clock.set_rate(at, next);
        prop_assert_eq!(clock.read(at), shown);
        clock.step(at, by);
        prop_assert_eq!(clock.read(at).as_micros(), shown.as_micros().saturating_add_signed(by));
    }
}
