//! From a seed to a plan.
//!
//! Faults come in bursts: a few faults on one victim, most often the primary, that begin and end around the protocol's
//! own limits (ε, I, T − I, T, T + I, 2T) of each other, because a fault shorter than a timeout proves nothing and two
//! unrelated ones rarely meet. Each seed enables only some kinds of faults, so that they do not drown each other.

use crate::chance::{Concern, Stream};
use crate::fault::{Access, Direction, Fault, FaultClass, FaultKind, Place};
use crate::options::{ClockOptions, Options, ProtocolOptions};
use crate::plan::{Noise, Plan};
use crate::protocol::Protocol;
use crate::protocols;

/// Draws a plan for `options` from `seed`, with faults of `classes`; a calm one if there are none.
///
/// Shape: about one burst every 40 s, the last early enough that the end of the run shows whether it came back.
#[must_use]
pub fn generate(seed: u64, options: &Options, classes: &[FaultClass]) -> Plan {
    protocols::of(options).generate(seed, options, classes)
}

pub(crate) fn generate_for<P: Protocol>(seed: u64, options: &P::Options, classes: &[FaultClass]) -> Plan {
    let mut draw = Draw::<P>::new(Stream::new(seed, Concern::Plan, 0, 0), options.clone());
    if !classes.is_empty() {
        P::knobs(&mut draw, classes);
    }
    let mut plan = Plan::calm(draw.options.clone());
    plan.seed = seed;
    plan.noise = draw.noise(seed, classes);
    let kinds = draw.kinds(classes);
    if kinds.is_empty() {
        return plan;
    }
    let storm_us = options.time_us().saturating_sub(P::settle_us(&draw.options));
    let bursts = 1 + storm_us / 40_000_000;
    for burst in 0..bursts {
        let share_us = storm_us / bursts;
        let at_us = burst * share_us + draw.stream.below(share_us.max(1));
        draw.burst(&mut plan, &kinds, at_us);
    }
    for fault in &mut plan.faults {
        fault.at_us = fault.at_us.min(storm_us);
        let longest = storm_us.saturating_sub(fault.at_us + fault.late_us());
        fault.for_us = fault.for_us.min(longest).max(1);
    }
    plan.faults.sort_by_key(|fault| fault.at_us);
    for (id, fault) in plan.faults.iter_mut().enumerate() {
        fault.id = id as u32;
    }
    plan
}

/// What is drawn from a stream for a plan with these options.
#[derive(Debug)]
pub struct Draw<P: Protocol> {
    /// Where chance comes from.
    pub stream: Stream,
    /// The options of the plan. A protocol changes them in [`Protocol::knobs`]; its places stay.
    pub options: P::Options,
    /// [`Protocol::members`].
    members: Vec<Place>,
    /// [`Protocol::victims`].
    victims: Vec<Place>,
}

impl<P: Protocol> Draw<P> {
    pub(crate) fn new(stream: Stream, options: P::Options) -> Self {
        Self { stream, members: P::members(&options), victims: P::victims(&options), options }
    }

    pub(crate) fn interval_us(&self) -> u64 {
        self.options.heartbeat_interval().as_micros()
    }

    pub(crate) fn timeout_us(&self) -> u64 {
        self.options.heartbeat_timeout().as_micros()
    }

    /// A clock within the bounds for each place. Two words each, or three.
    pub fn clocks(&mut self, places: impl IntoIterator<Item = Place>) -> Vec<ClockOptions> {
        let drift = u64::from(self.options.bounds().drift_ppm);
        let clock = |node| ClockOptions {
            node,
            ahead_us: self.stream.below(3_600_000_000),
            // Half of them at the limit: that is where terms are tight.
            ppm: match self.stream.below(4) {
                0 => drift as i32,
                1 => -(drift as i32),
                _ => self.stream.between(0, 2 * drift) as i32 - drift as i32,
            },
        };
        places.into_iter().map(clock).collect()
    }

    pub(crate) fn noise(&mut self, seed: u64, classes: &[FaultClass]) -> Noise {
        let bounds = *self.options.bounds();
        let latency_max = bounds.latency_us_max.as_micros().max(1);
        let slowest = [latency_max, latency_max / 10 + 1, 2];
        let latency_us_max = self.stream.pick(&slowest).clamp(1, latency_max);
        let rough = classes.contains(&FaultClass::Network);
        let (loss, duplicate) = (self.stream.pick(&[0, 1_000, 20_000]), self.stream.pick(&[0, 1_000, 20_000]));
        Noise {
            version: 1,
            seed,
            latency_us_min: self.stream.between(1, latency_us_max),
            latency_us_max,
            loss_ppm: if rough { loss } else { 0 },
            duplicate_ppm: if rough { duplicate } else { 0 },
            timer_late_us_max: self.stream.between(0, bounds.timer_late_us_max.as_micros()),
        }
    }

    /// All kinds of some classes that the protocol knows.
    pub(crate) fn kinds_of(classes: &[FaultClass]) -> Vec<&'static str> {
        let drawn = |(name, class): &&(&'static str, FaultClass)| classes.contains(class) && P::knows(name);
        FaultKind::NAMES.iter().filter(drawn).map(|(name, _)| *name).collect()
    }

    /// The kinds that this seed uses: about half of those of its classes.
    pub(crate) fn kinds(&mut self, classes: &[FaultClass]) -> Vec<&'static str> {
        let of_classes = Self::kinds_of(classes);
        if of_classes.is_empty() {
            return of_classes;
        }
        let mut kinds: Vec<_> = of_classes.iter().copied().filter(|_| self.stream.below(2) == 0).collect();
        if kinds.is_empty() {
            kinds.push(self.stream.pick(&of_classes));
        }
        kinds
    }

    /// A span around one of the protocol's limits.
    pub(crate) fn span_us(&mut self) -> u64 {
        let (i, t) = (self.interval_us(), self.timeout_us());
        let limit = self.stream.pick(&[i / 10, i, t - i, t, t + i, 2 * t]);
        let jitter = i / 2 + 1;
        (limit + self.stream.below(jitter)).saturating_sub(jitter / 2).max(1)
    }

    pub(crate) fn burst(&mut self, plan: &mut Plan, kinds: &[&'static str], at_us: u64) {
        let victim = self.node();
        let faults = 1 + self.stream.below(4);
        let mut begin_us = at_us;
        for _ in 0..faults {
            let kind = self.stream.pick(kinds);
            let kind = self.fault(kind, victim);
            let for_us = self.span_us();
            plan.faults.push(Fault { id: 0, kind, at_us: begin_us, for_us });
            // The next one meets this one, follows it, or comes around a limit later.
            begin_us = match self.stream.below(3) {
                0 => begin_us,
                1 => begin_us + for_us,
                _ => begin_us + self.span_us(),
            };
        }
        let operated = self.stream.below(3) == 0;
        let later_us = self.stream.below(self.timeout_us());
        // Drawn in any case, so that what comes after does not depend on it.
        let task = P::task(self, at_us + later_us);
        if operated && task.at_us + P::settle_us(&self.options) <= self.options.time_us() {
            plan.workload.push(task);
        }
    }

    /// Most often the primary, else any member.
    pub(crate) fn node(&mut self) -> Place {
        let any = self.victim();
        if self.stream.below(10) < 7 { Place::Primary } else { any }
    }

    /// Any victim. One word.
    pub fn victim(&mut self) -> Place {
        self.stream.pick(&self.victims)
    }

    fn direction(&mut self) -> Direction {
        self.stream.pick(&[Direction::In, Direction::Out, Direction::Both])
    }

    fn access(&mut self) -> Access {
        self.stream.pick(&[Access::Read, Access::Write, Access::Write, Access::Any])
    }

    pub(crate) fn fault(&mut self, name: &str, victim: Place) -> FaultKind {
        let by_us = self.span_us();
        let other = self.victim();
        let whose = (self.stream.below(4) > 0).then_some(victim);
        let store_too = if self.stream.below(4) == 0 { Place::Store } else { victim };
        let coin = self.stream.below(2) == 0;
        match name {
            "crash" if store_too == Place::Store => FaultKind::Crash { node: Place::Store, durable: true },
            "crash" if P::RESOURCE.is_some() && self.stream.below(8) == 0 => {
                FaultKind::Crash { node: Place::Resource, durable: true }
            }
            "crash" => FaultKind::Crash { node: victim, durable: coin || !P::may_forget(victim) },
            "pause" => FaultKind::Pause { node: store_too },
            "suspend" => FaultKind::Suspend { node: victim },
            "clone" => {
                let clone = FaultKind::Clone { node: other, of: victim };
                match P::may_forget(other) && clone.check().is_ok() {
                    true => clone,
                    false => FaultKind::Crash { node: other, durable: true },
                }
            }
            "isolate" => FaultKind::Isolate { node: store_too, direction: self.direction() },
            "cut" => {
                let peer = P::peer(self, victim);
                match coin {
                    true => FaultKind::Cut { from: victim, to: peer },
                    false => FaultKind::Cut { from: peer, to: victim },
                }
            }
            "partition" => FaultKind::Partition { side: self.side(victim) },
            "lossy" => FaultKind::Lossy { ppm: self.stream.between(50_000, 700_000) as u32 },
            "duplicate" => FaultKind::Duplicate { ppm: self.stream.between(50_000, 700_000) as u32, spread_us: by_us },
            "reorder" => FaultKind::Reorder { spread_us: by_us },
            "delay" => FaultKind::Delay { node: victim, direction: self.direction(), by_us },
            "refuse" => FaultKind::Refuse { node: whose, access: self.access() },
            "lost_ack" => FaultKind::LostAck { node: whose, access: self.access() },
            "late" => FaultKind::Late { node: whose, by_us },
            "stale_read" => FaultKind::StaleRead { node: whose, by_us },
            "read_only" => FaultKind::ReadOnly {},
            "corrupt" => FaultKind::Corrupt { node: Some(if coin { victim } else { other }), access: self.access() },
            "rollback" => FaultKind::Rollback { by_us },
            "wipe" => FaultKind::Wipe {},
            "retune" => {
                let least = 2 * self.interval_us() + 1;
                let timeout_us = self.stream.between(least, self.options.longest_term().as_micros().max(least));
                let retune = FaultKind::Retune { node: if coin { Place::Store } else { victim }, timeout_us };
                let known = retune.check().is_ok();
                if known { retune } else { FaultKind::Retune { node: Place::Store, timeout_us } }
            }
            "clock_rate" => {
                let ppm = self.stream.between(2_000, 500_000) as i32;
                FaultKind::ClockRate { node: store_too, ppm: if coin { ppm } else { -ppm } }
            }
            "clock_step" => {
                let far = self.stream.pick(&[by_us, by_us, 60_000_000 + by_us, 3_600_000_000]) as i64;
                // The store's wall clock is the one that published rules lean on.
                let node = if self.stream.below(2) == 0 { Place::Store } else { victim };
                FaultKind::ClockStep { node, by_us: if coin { far } else { -far } }
            }
            "clock_freeze" => FaultKind::ClockFreeze { node: store_too },
            other => unreachable!("`{other}` is in FaultKind::NAMES and must be drawn here"),
        }
    }

    /// The victim and some other members, with the store or the resource at times.
    fn side(&mut self, victim: Place) -> Vec<Place> {
        let mut side = vec![victim];
        for member in &self.members {
            if self.stream.below(2) == 0 && victim != *member {
                side.push(*member);
            }
        }
        match self.stream.below(4) {
            0 => side.push(Place::Store),
            1 if P::RESOURCE.is_some() => side.push(Place::Resource),
            _ => {}
        }
        side
    }
}
