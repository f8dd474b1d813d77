//! What is drawn for the plans of an election beside the faults.

use super::{Election, Options};
use crate::fault::{FaultClass, Place};
use crate::generate::Draw;
use crate::plan::{Task, TaskKind};

/// One kind of leader alone, or sometimes a second one that follows it; sometimes somebody who only asks; clocks within
/// the bounds if clocks are to be disturbed at all.
pub(super) fn knobs(draw: &mut Draw<Election>, classes: &[FaultClass]) {
    if draw.options.utypes == 1 && draw.stream.below(4) == 0 {
        draw.options.utypes = 2;
        draw.options.affinity = vec![(1, 0)];
    }
    if draw.options.resolvers == 0 {
        draw.options.resolvers = u16::from(draw.stream.below(4) == 0);
    }
    if draw.options.clocks.is_empty() && classes.contains(&FaultClass::Clock) {
        let nodes = (0..draw.options.nodes).map(Place::Node);
        draw.options.clocks = draw.clocks([Place::Store].into_iter().chain(nodes));
    }
}

/// Every link of a node leads to the store or to the resource.
pub(super) fn peer(draw: &mut Draw<Election>) -> Place {
    if draw.stream.below(3) == 0 { Place::Resource } else { Place::Store }
}

/// The primary of any kind is asked to hand over.
pub(super) fn task(draw: &mut Draw<Election>, at_us: u64) -> Task {
    let utype = draw.stream.below(u64::from(draw.options.utypes)) as u16;
    Task { at_us, node: Place::Primary, utype, what: TaskKind::Resign }
}

/// Twice what an election takes, for the one that leads and for the one that follows it.
pub(super) fn settle_us(options: &Options) -> u64 {
    let (longest_us, interval_us) = (options.longest_term_us.as_micros(), options.heartbeat_interval_us.as_micros());
    let once = 2 * longest_us + 4 * interval_us + 10 * options.bounds.latency_us_max.as_micros() + 1_000_000;
    once * 2
}

/// Somebody has to be elected.
pub(super) fn lead_us(options: &Options) -> u64 {
    3 * options.heartbeat_interval_us.as_micros()
}
