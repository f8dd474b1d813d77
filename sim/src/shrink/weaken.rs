//! Faults: weaker ones of a kindred sort, as far as the failure goes along.

use super::Shrinker;
use super::round::{Rate, Unit};
use crate::fault::{Access, Direction, FaultKind, Place};
use crate::plan::Plan;
use crate::protocols;

impl Shrinker<'_> {
    /// Each fault by the weakest one that does.
    pub(super) fn weaken(&mut self) {
        for i in 0..self.best.faults.len() {
            while let Some(fault) = self.best.faults.get(i) {
                let mut weaker = weaker(&fault.kind, &self.best);
                weaker.sort_by_key(weight);
                if !weaker.into_iter().any(|kind| self.attempt_with(|plan| plan.faults[i].kind = kind)) {
                    break;
                }
            }
        }
    }
}

/// How much a fault of this kind disturbs, beside others: what hits one thing less than what hits many.
pub(super) fn weight(kind: &FaultKind) -> u64 {
    let direction = |direction: &Direction| 1 + u64::from(*direction == Direction::Both);
    let access = |access: &Access| 1 + u64::from(*access == Access::Any);
    let everyone = |node: &Option<Place>| 1 + 2 * u64::from(node.is_none());
    match kind {
        FaultKind::Cut { .. } => 2,
        FaultKind::Isolate { direction: to, .. } => 2 + 2 * direction(to),
        FaultKind::Partition { side } => 6 + side.len() as u64,
        FaultKind::Delay { direction: to, .. } => 1 + direction(to),
        FaultKind::Lossy { .. } | FaultKind::Duplicate { .. } | FaultKind::Reorder { .. } => 20,
        FaultKind::Pause { .. } => 3,
        FaultKind::Suspend { .. } => 4,
        FaultKind::Crash { durable, .. } => 4 + 2 * u64::from(!durable),
        FaultKind::Clone { .. } => 6,
        FaultKind::Refuse { node, access: hit } | FaultKind::Corrupt { node, access: hit } => {
            1 + everyone(node) * access(hit)
        }
        FaultKind::LostAck { node, access: hit } => everyone(node) * access(hit),
        FaultKind::Late { node, .. } | FaultKind::StaleRead { node, .. } => 1 + everyone(node),
        FaultKind::ReadOnly {} => 5,
        FaultKind::Rollback { .. } | FaultKind::Retune { .. } => 5,
        FaultKind::Wipe {} => 7,
        FaultKind::ClockRate { .. } | FaultKind::ClockStep { .. } | FaultKind::ClockFreeze { .. } => 4,
    }
}

/// Faults that may do instead.
fn weaker(kind: &FaultKind, plan: &Plan) -> Vec<FaultKind> {
    let places = protocols::of(&plan.options).places(plan);
    let others = |node: Place| places.iter().copied().filter(move |place| *place != node);
    let single = [Access::Read, Access::Write];
    let mut found = Vec::new();
    match kind {
        FaultKind::Partition { side } => {
            for left in 0..side.len() {
                let mut side = side.clone();
                let node = side.remove(left);
                found.push(FaultKind::Isolate { node, direction: Direction::Both });
                if !side.is_empty() {
                    found.push(FaultKind::Partition { side });
                }
            }
            // Two places that the partition parts.
            for inside in side {
                for outside in others(*inside).filter(|place| !side.contains(place)) {
                    found.push(FaultKind::Cut { from: *inside, to: outside });
                    found.push(FaultKind::Cut { from: outside, to: *inside });
                }
            }
        }
        FaultKind::Isolate { node, direction } => {
            if *direction == Direction::Both {
                found.extend(
                    [Direction::In, Direction::Out].map(|direction| FaultKind::Isolate { node: *node, direction }),
                );
            }
            for other in others(*node) {
                if *direction != Direction::Out {
                    found.push(FaultKind::Cut { from: other, to: *node });
                }
                if *direction != Direction::In {
                    found.push(FaultKind::Cut { from: *node, to: other });
                }
            }
        }
        FaultKind::Delay { node, direction: Direction::Both, by_us } => {
            let one_way = |direction| FaultKind::Delay { node: *node, direction, by_us: *by_us };
            found.extend([Direction::In, Direction::Out].map(one_way));
        }
        FaultKind::Crash { node, durable: false } => found.push(FaultKind::Crash { node: *node, durable: true }),
        FaultKind::Suspend { node } => found.push(FaultKind::Pause { node: *node }),
        FaultKind::ClockStep { node, by_us } => {
            let smaller = Unit::of(plan).candidates(by_us.unsigned_abs(), 1).into_iter();
            let signed = |us: u64| i64::try_from(us).ok().map(|us| us * by_us.signum());
            found.extend(smaller.filter_map(signed).map(|by_us| FaultKind::ClockStep { node: *node, by_us }));
        }
        FaultKind::ClockRate { node, ppm } => {
            let rounder = Rate::candidates(ppm.unsigned_abs()).into_iter();
            let signed = |rate: u32| i32::try_from(rate).ok().map(|rate| rate * ppm.signum());
            found.extend(rounder.filter_map(signed).map(|ppm| FaultKind::ClockRate { node: *node, ppm }));
        }
        FaultKind::ReadOnly {} => found.push(FaultKind::Refuse { node: None, access: Access::Write }),
        _ => {}
    }
    let whose = |node: &Option<Place>| match node {
        None => places.iter().copied().filter(|place| *place != Place::Store).map(Some).collect(),
        Some(_) => Vec::new(),
    };
    let hits = |access: Access| if access == Access::Any { single.to_vec() } else { Vec::new() };
    match kind {
        FaultKind::Refuse { node, access } => {
            found.extend(whose(node).into_iter().map(|node| FaultKind::Refuse { node, access: *access }));
            found.extend(hits(*access).into_iter().map(|access| FaultKind::Refuse { node: *node, access }));
            found.push(FaultKind::LostAck { node: *node, access: *access });
        }
        FaultKind::LostAck { node, access } => {
            found.extend(whose(node).into_iter().map(|node| FaultKind::LostAck { node, access: *access }));
            found.extend(hits(*access).into_iter().map(|access| FaultKind::LostAck { node: *node, access }));
        }
        FaultKind::Corrupt { node, access } => {
            found.extend(whose(node).into_iter().map(|node| FaultKind::Corrupt { node, access: *access }));
            found.extend(hits(*access).into_iter().map(|access| FaultKind::Corrupt { node: *node, access }));
        }
        FaultKind::Late { node, by_us } => {
            found.extend(whose(node).into_iter().map(|node| FaultKind::Late { node, by_us: *by_us }));
        }
        FaultKind::StaleRead { node, by_us } => {
            found.extend(whose(node).into_iter().map(|node| FaultKind::StaleRead { node, by_us: *by_us }));
        }
        _ => {}
    }
    found
}
