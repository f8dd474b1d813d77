//! Plans at the scale of microseconds for any protocol: few places, many faults on top of each other, and few times at which
//! they begin and end.

use failproof::chance::{Concern, Stream};
use failproof::distribution::{self, Distribution};
use failproof::election::{self, Election};
use failproof::fault::{Access, Direction, FaultClass, FaultKind, Place};
use failproof::options::{ClockOptions, ProtocolOptions};
use failproof::plan::{Fate, Plan, Task, TaskKind};
use failproof::protocol::Protocol;
use failproof::routing::{self, Routing};
use failproof_core::election::Bounds;
use failproof_core::{Duration, routing as core_routing};

/// What a protocol brings to a crowd.
pub(super) trait Crowd: Protocol {
    /// Ordinary days, short enough for many of them.
    fn ordinary(hardened: bool) -> Self::Options;
    /// Few places, and times around an I of so many microseconds.
    fn few(stream: &mut Stream, interval_us: u64, hardened: bool) -> Self::Options;
    /// Whom most faults befall.
    fn node(stream: &mut Stream, options: &Self::Options) -> Place;
    /// The same, or another place.
    fn place(stream: &mut Stream, options: &Self::Options) -> Place;
    /// A link of `node` that is cut one way.
    fn cut(stream: &mut Stream, node: Place) -> FaultKind;
    /// What an operator does.
    fn task_at(stream: &mut Stream, options: &Self::Options, at_us: u64) -> Task;
    /// The link whose messages have fates of their own.
    fn link() -> (Place, Place);
    /// Cut links of every shape, among the places of ordinary days.
    fn shapes() -> Vec<FaultKind>;
}

/// A crowded plan, with faults of all kinds.
pub(super) fn crowded<P: Crowd>(seed: u64) -> Plan {
    let mut stream = Stream::new(seed, Concern::Plan, 1, 1);
    let interval_us = stream.pick(&[8, 20, 50]);
    let options = P::few(&mut stream, interval_us, seed.is_multiple_of(2));
    let time_us = options.time_us();
    let mut plan = Plan::calm(options.clone());
    plan.seed = seed;
    plan.noise.seed = seed;
    plan.noise.latency_us_max = stream.between(1, 3);
    plan.noise.timer_late_us_max = stream.below(3);
    plan.noise.loss_ppm = 10_000;
    plan.noise.duplicate_ppm = 50_000;
    for _ in 0..stream.between(1, 40) {
        let kind = fault::<P>(&mut stream, &options, interval_us);
        // Few times, so that many faults begin and end at once.
        let at_us = stream.below(time_us / 8) * 8;
        let for_us = stream.pick(&[1, 8, 8, 16, interval_us, 2 * interval_us, 6 * interval_us]);
        plan = plan.fault(kind, at_us, for_us);
    }
    for _ in 0..stream.below(4) {
        let at_us = stream.below(time_us / 8) * 8;
        plan.workload.push(P::task_at(&mut stream, &options, at_us));
        let delay_us = stream.pick(&[None, Some(1), Some(3 * interval_us)]);
        let (from, to) = P::link();
        let again_us = delay_us.filter(|_| at_us.is_multiple_of(3));
        plan.fates.push(Fate { from, to, which: stream.below(50) as u32, delay_us, again_us });
    }
    plan
}

fn fault<P: Crowd>(stream: &mut Stream, options: &P::Options, interval_us: u64) -> FaultKind {
    let (node, other, place) = (P::node(stream, options), P::node(stream, options), P::place(stream, options));
    let by_us = stream.between(1, 3 * interval_us);
    let access = stream.pick(&[Access::Read, Access::Write, Access::Any]);
    let direction = stream.pick(&[Direction::In, Direction::Out, Direction::Both]);
    let whose = stream.pick(&[None, Some(node)]);
    let coin = stream.below(2) == 0;
    // Processes have the engine's attention, so every second fault is theirs.
    let names = FaultKind::NAMES.iter().filter(|(_, class)| !coin || *class == FaultClass::Process);
    let names: Vec<_> = names.map(|(name, _)| *name).collect();
    match stream.pick(&names) {
        "crash" => {
            let keeps = place == Place::Resource || !P::may_forget(place);
            FaultKind::Crash { node: place, durable: keeps || stream.below(2) == 0 }
        }
        "pause" => FaultKind::Pause { node: place },
        "suspend" => FaultKind::Suspend { node: place },
        "clone" if !P::may_forget(node) => FaultKind::Crash { node, durable: true },
        "clone" => FaultKind::Clone { node, of: other },
        "isolate" => FaultKind::Isolate { node: place, direction },
        "cut" => P::cut(stream, node),
        "partition" => FaultKind::Partition { side: vec![node, place] },
        "lossy" => FaultKind::Lossy { ppm: 300_000 },
        "duplicate" => FaultKind::Duplicate { ppm: 500_000, spread_us: by_us },
        "reorder" => FaultKind::Reorder { spread_us: by_us },
        "delay" => FaultKind::Delay { node, direction, by_us },
        "refuse" => FaultKind::Refuse { node: whose, access },
        "lost_ack" => FaultKind::LostAck { node: whose, access },
        "late" => FaultKind::Late { node: whose, by_us },
        "stale_read" => FaultKind::StaleRead { node: whose, by_us },
        "read_only" => FaultKind::ReadOnly {},
        "corrupt" => FaultKind::Corrupt { node: whose, access },
        "rollback" => FaultKind::Rollback { by_us },
        "wipe" => FaultKind::Wipe {},
        "retune" => FaultKind::Retune { node: stream.pick(&[node, Place::Store]), timeout_us: 4 * interval_us },
        "clock_rate" => FaultKind::ClockRate { node: place, ppm: stream.pick(&[-500_000, 1_000, 500_000]) },
        "clock_step" => FaultKind::ClockStep { node: place, by_us: stream.pick(&[-1, 1]) * by_us as i64 },
        "clock_freeze" => FaultKind::ClockFreeze { node: place },
        other => unreachable!("`{other}` is a kind of fault and must be drawn here"),
    }
}

/// What is assumed of a world of microseconds.
fn bounds() -> Bounds {
    Bounds {
        latency_us_max: Duration::from_micros(3),
        timer_late_us_max: Duration::from_micros(2),
        granularity_us: Duration::from_micros(1),
        ..election::Options::default().bounds
    }
}

impl Crowd for Election {
    fn ordinary(hardened: bool) -> election::Options {
        election::Options { time_us: 90_000_000, rules: election_rules(hardened), ..election::Options::default() }
    }

    fn few(stream: &mut Stream, interval_us: u64, hardened: bool) -> election::Options {
        let mut options = election::Options {
            nodes: stream.between(1, 4) as u16,
            utypes: stream.between(1, 3) as u16,
            time_us: 100 * interval_us,
            heartbeat_interval_us: Duration::from_micros(interval_us),
            heartbeat_timeout_us: Duration::from_micros(5 * interval_us),
            longest_term_us: Duration::from_micros(6 * interval_us),
            bounds: bounds(),
            rules: election_rules(hardened),
            ..election::Options::default()
        };
        options.resolvers = stream.below(u64::from(options.nodes) + 1) as u16;
        if options.utypes > 1 {
            options.affinity = vec![(1, 0)];
        }
        options.work.every_us = Duration::from_micros(interval_us / 4);
        options.work.takes_us = Duration::from_micros(stream.below(4));
        options.clocks = vec![ClockOptions { node: Place::Node(0), ahead_us: stream.below(1_000), ppm: 100_000 }];
        options
    }

    fn node(stream: &mut Stream, options: &election::Options) -> Place {
        let any = Place::Node(stream.below(u64::from(options.nodes)) as u16);
        stream.pick(&[Place::Primary, any, Place::Node(0)])
    }

    fn place(stream: &mut Stream, options: &election::Options) -> Place {
        let node = Self::node(stream, options);
        stream.pick(&[node, node, Place::Store, Place::Resource])
    }

    fn cut(stream: &mut Stream, node: Place) -> FaultKind {
        match stream.below(2) {
            0 => FaultKind::Cut { from: node, to: Place::Store },
            _ => FaultKind::Cut { from: Place::Resource, to: node },
        }
    }

    fn task_at(stream: &mut Stream, options: &election::Options, at_us: u64) -> Task {
        let utype = stream.below(u64::from(options.utypes)) as u16;
        Task { at_us, node: Self::place(stream, options), utype, what: TaskKind::Resign }
    }

    fn link() -> (Place, Place) {
        (Place::Node(0), Place::Store)
    }

    fn shapes() -> Vec<FaultKind> {
        vec![
            FaultKind::Isolate { node: Place::Primary, direction: Direction::In },
            FaultKind::Isolate { node: Place::Primary, direction: Direction::Out },
            FaultKind::Isolate { node: Place::Store, direction: Direction::Both },
            FaultKind::Cut { from: Place::Primary, to: Place::Store },
            FaultKind::Cut { from: Place::Resource, to: Place::Primary },
            FaultKind::Partition { side: vec![Place::Node(0), Place::Node(3), Place::Store] },
        ]
    }
}

impl Crowd for Routing {
    fn ordinary(hardened: bool) -> routing::Options {
        routing::Options {
            gateways: 2,
            servers: 3,
            clients: 6,
            contexts: 40,
            time_us: 60_000_000,
            rules: routing_rules(hardened),
            ..routing::Options::default()
        }
    }

    fn few(stream: &mut Stream, interval_us: u64, hardened: bool) -> routing::Options {
        let contexts = stream.between(1, 12) as u32;
        routing::Options {
            gateways: stream.between(1, 2) as u16,
            servers: stream.between(1, 3) as u16,
            clients: stream.between(1, 3) as u16,
            contexts,
            unowned: stream.below(u64::from(contexts)) as u32,
            time_us: 100 * interval_us,
            heartbeat_interval_us: Duration::from_micros(interval_us),
            heartbeat_timeout_us: Duration::from_micros(5 * interval_us),
            longest_term_us: Duration::from_micros(6 * interval_us),
            every_us: Duration::from_micros(interval_us / 2),
            // More than a request takes.
            patience_us: Duration::from_micros(stream.between(26, 60)),
            bounds: bounds(),
            rules: routing_rules(hardened),
            clocks: vec![ClockOptions { node: Place::Server(0), ahead_us: stream.below(1_000), ppm: 100_000 }],
        }
    }

    fn node(stream: &mut Stream, options: &routing::Options) -> Place {
        let server = Place::Server(stream.below(u64::from(options.servers)) as u16);
        let gateway = Place::Gateway(stream.below(u64::from(options.gateways)) as u16);
        stream.pick(&[Place::Primary, server, server, gateway, Place::Client(0)])
    }

    fn place(stream: &mut Stream, options: &routing::Options) -> Place {
        let node = Self::node(stream, options);
        stream.pick(&[node, node, Place::Store])
    }

    fn cut(stream: &mut Stream, node: Place) -> FaultKind {
        let peer = stream.pick(&[Place::Store, Place::Gateway(0), Place::Server(0)]);
        match stream.below(2) {
            0 => FaultKind::Cut { from: node, to: peer },
            _ => FaultKind::Cut { from: peer, to: node },
        }
    }

    fn task_at(stream: &mut Stream, options: &routing::Options, at_us: u64) -> Task {
        let server = Place::Server(stream.below(u64::from(options.servers)) as u16);
        let client = Place::Client(stream.below(u64::from(options.clients)) as u16);
        let (node, what) = stream.pick(&[
            (server, TaskKind::Resign),
            (Place::Primary, TaskKind::HandOver),
            (client, TaskKind::Forge),
            (client, TaskKind::Respell),
        ]);
        Task { at_us, node, utype: 0, what }
    }

    fn link() -> (Place, Place) {
        (Place::Gateway(0), Place::Server(0))
    }

    fn shapes() -> Vec<FaultKind> {
        vec![
            FaultKind::Isolate { node: Place::Primary, direction: Direction::In },
            FaultKind::Isolate { node: Place::Gateway(0), direction: Direction::Out },
            FaultKind::Isolate { node: Place::Store, direction: Direction::Both },
            FaultKind::Cut { from: Place::Primary, to: Place::Store },
            FaultKind::Cut { from: Place::Gateway(1), to: Place::Client(2) },
            FaultKind::Partition { side: vec![Place::Server(1), Place::Gateway(0), Place::Client(3), Place::Store] },
        ]
    }
}

impl Crowd for Distribution {
    fn ordinary(hardened: bool) -> distribution::Options {
        distribution::Options {
            servers: 4,
            clients: 3,
            jobs: 30,
            time_us: 60_000_000,
            rules: job_rules(hardened),
            ..distribution::Options::default()
        }
    }

    fn few(stream: &mut Stream, interval_us: u64, hardened: bool) -> distribution::Options {
        distribution::Options {
            servers: stream.between(1, 3) as u16,
            clients: stream.between(1, 2) as u16,
            jobs: stream.between(1, 12) as u32,
            time_us: 100 * interval_us,
            heartbeat_interval_us: Duration::from_micros(interval_us),
            heartbeat_timeout_us: Duration::from_micros(5 * interval_us),
            longest_term_us: Duration::from_micros(6 * interval_us),
            every_us: Duration::from_micros(interval_us),
            runs_us_max: Duration::from_micros(10 * interval_us),
            poll_us: Duration::from_micros(interval_us / 2),
            calm_us: Duration::from_micros(interval_us),
            takes_us: Duration::from_micros(stream.below(4)),
            // More than a request takes.
            patience_us: Duration::from_micros(stream.between(26, 60)),
            bounds: bounds(),
            rules: job_rules(hardened),
            clocks: vec![ClockOptions { node: Place::Server(0), ahead_us: stream.below(1_000), ppm: 100_000 }],
            ..distribution::Options::default()
        }
    }

    fn node(stream: &mut Stream, options: &distribution::Options) -> Place {
        let server = Place::Server(stream.below(u64::from(options.servers)) as u16);
        stream.pick(&[Place::Primary, server, server, server, Place::Client(0)])
    }

    fn place(stream: &mut Stream, options: &distribution::Options) -> Place {
        let node = Self::node(stream, options);
        stream.pick(&[node, node, Place::Store, Place::Resource, Place::Center])
    }

    fn cut(stream: &mut Stream, node: Place) -> FaultKind {
        let server = if matches!(node, Place::Client(_)) { Place::Server(0) } else { node };
        let peer = stream.pick(&[Place::Store, Place::Resource, Place::Center, Place::Client(0)]);
        match stream.below(2) {
            0 => FaultKind::Cut { from: server, to: peer },
            _ => FaultKind::Cut { from: peer, to: server },
        }
    }

    fn task_at(stream: &mut Stream, options: &distribution::Options, at_us: u64) -> Task {
        let server = Place::Server(stream.below(u64::from(options.servers)) as u16);
        Task { at_us, node: stream.pick(&[server, server, Place::Primary]), utype: 0, what: TaskKind::Resign }
    }

    fn link() -> (Place, Place) {
        (Place::Server(0), Place::Store)
    }

    fn shapes() -> Vec<FaultKind> {
        vec![
            FaultKind::Isolate { node: Place::Primary, direction: Direction::In },
            FaultKind::Isolate { node: Place::Server(0), direction: Direction::Out },
            FaultKind::Isolate { node: Place::Store, direction: Direction::Both },
            FaultKind::Cut { from: Place::Primary, to: Place::Store },
            FaultKind::Cut { from: Place::Resource, to: Place::Server(1) },
            FaultKind::Partition { side: vec![Place::Server(1), Place::Resource, Place::Client(2), Place::Store] },
        ]
    }
}

fn election_rules(hardened: bool) -> failproof_core::election::Rules {
    use failproof_core::election::Rules;
    if hardened { Rules::hardened() } else { Rules::published() }
}

fn routing_rules(hardened: bool) -> core_routing::Rules {
    use core_routing::Rules;
    if hardened { Rules::hardened() } else { Rules::published() }
}

fn job_rules(hardened: bool) -> failproof_core::distribution::Rules {
    use failproof_core::distribution::Rules;
    if hardened { Rules::hardened() } else { Rules::published() }
}
