//! How the election is set up, loaded and refined to the words of its contract.
//!
//! | contract (`Lease.tla`) | read from |
//! |---|---|
//! | actor | one life of one candidate: (actor, start of the process, start of the candidate within it) |
//! | `owner` | whose heartbeat the table accepted last, while its entry stands |
//! | `works` | [`Candidate::refined`]`.works` |
//! | `doubted` | the world's own knowledge: paused, or a clock outside the stated bounds since the anchor of its term |
//! | `token` | the epoch of that life, relative to the highest that the resource accepted |
//! | `stained` | whether the resource accepted an epoch below its highest |

mod draw;
mod explore;
mod judge;
mod liveness;
mod options;
pub(crate) mod server;

pub(crate) use explore::say_of_seat;
pub use options::Options;

use crate::event::ActorId;
use crate::fault::{Access, FaultClass, FaultKind, Place};
use crate::generate::Draw;
use crate::plan::{Plan, Task, TaskKind};
use crate::protocol::{Act, Actor, Boot, Cause, Protocol, Stimulus, Tale, Words};
use failproof_core::election::{
    Affinity, Candidate, HeartbeatTable, Input, Landing, Message, NodeClock, Output, Resolver, Resource, Start,
    TableConfig, Target,
};
use failproof_core::{Duration, Host, Instant, Machine, Utype};
use failproof_spec::{ContractName, Property};
use serde::{Serialize, Serializer};
use server::{TableServer, former_span};

/// The election as a protocol to simulate.
#[derive(Clone, Copy, Debug)]
pub enum Election {}

/// What the environment can make an actor do.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// Hand over.
    Resign,
    /// Use another T from now on.
    Retune(Duration),
    /// The store goes back to its state of `by` ago, in a new generation.
    Rollback {
        /// How far.
        by: Duration,
        /// The new generation.
        generation: u32,
    },
}

/// Any actor of an election.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// The heartbeat table.
    Table(Box<TableServer>),
    /// What primaries write to.
    Resource(Box<ResourceServer>),
    /// A candidate.
    Candidate(Box<Candidate>),
    /// A read-only client.
    Resolver(Box<Resolver>),
}

/// What primaries write to, and how the last message landed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceServer {
    resource: Resource,
    landing: Option<Landing>,
}

/// Written as the machine of the core that it holds, without what is kept for the judge.
impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Table(server) => server.table().serialize(serializer),
            Self::Resource(server) => server.resource.serialize(serializer),
            Self::Candidate(candidate) => candidate.serialize(serializer),
            Self::Resolver(_) => serializer.serialize_unit(),
        }
    }
}

/// What survives a crash.
#[derive(Clone, Debug)]
pub enum Disk {
    /// The table with its entries.
    Table(HeartbeatTable),
    /// The resource with its seals.
    Resource(Resource),
}

/// Roles of the cast.
pub(crate) mod role {
    pub(crate) const TABLE: u8 = 0;
    pub(crate) const RESOURCE: u8 = 1;
    pub(crate) const CANDIDATE: u8 = 2;
    pub(crate) const RESOLVER: u8 = 3;
}

/// Where the table and the resource stand in every cast.
const TABLE: ActorId = 0;
const RESOURCE: ActorId = 1;

/// What kind of message it is.
pub(crate) const fn word(message: &Message) -> &'static str {
    match message {
        Message::Query(_) => "query",
        Message::Heartbeat(_) => "heartbeat",
        Message::Answer(_) => "answer",
        Message::Resign(_) => "resignation",
        Message::Seal { .. } => "seal",
        Message::Sealed { .. } => "sealed",
        Message::Operate { .. } => "operation",
        Message::Refused { .. } => "refusal",
    }
}

impl Machine for Member {
    type Input<'a> = Stimulus<'a, Message, Command>;
    type Output = Output;

    #[inline(always)]
    fn handle(&mut self, now: Instant, stimulus: Self::Input<'_>, outputs: &mut Vec<Output>) {
        match (self, stimulus.cause) {
            (Self::Table(server), Cause::Message(message)) => {
                server.handle(now, stimulus.wall, stimulus.fate, message, outputs);
            }
            (Self::Table(server), Cause::Command(Command::Retune(timeout))) => server.retune(timeout),
            (Self::Table(server), Cause::Command(Command::Rollback { by, generation })) => {
                server.roll_back(now, stimulus.wall, by, generation);
            }
            (Self::Table(server), Cause::Command(Command::Resign) | Cause::Timer) => server.rest(),
            (Self::Resource(server), Cause::Message(message)) => {
                let (landing, answer) = server.resource.serve(message);
                server.landing = landing;
                outputs.extend(answer.map(|answer| Output::Send(Target::Asker, answer)));
            }
            (Self::Candidate(candidate), Cause::Message(message)) => {
                candidate.handle(now, Input::Message(message), outputs);
            }
            (Self::Candidate(candidate), Cause::Timer) => candidate.handle(now, Input::Timer, outputs),
            (Self::Candidate(candidate), Cause::Command(Command::Resign)) => {
                candidate.handle(now, Input::Resign, outputs);
            }
            (Self::Candidate(candidate), Cause::Command(Command::Retune(timeout))) => candidate.set_timeout(timeout),
            (Self::Resolver(resolver), Cause::Message(message)) => {
                resolver.handle(now, Input::Message(message), outputs);
            }
            (Self::Resolver(resolver), Cause::Timer) => resolver.handle(now, Input::Timer, outputs),
            (Self::Resource(_) | Self::Candidate(_) | Self::Resolver(_), _) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Table(_) | Self::Resource(_) => None,
            Self::Candidate(candidate) => candidate.deadline(),
            Self::Resolver(resolver) => resolver.deadline(),
        }
    }
}

impl Protocol for Election {
    type Message = Message;
    type Command = Command;
    type Output = Output;
    type Machine = Member;
    type Disk = Disk;
    type Judge = judge::ElectionJudge;
    type Options = Options;

    const NAME: &'static str = "election";
    const CONTRACT: ContractName = ContractName::Lease;
    const WORDS: Words = Words {
        comes_back: "EventuallyPrimary",
        came_back: "a primary worked",
        stayed_away: "no primary worked after the last fault",
        expected: "one",
        not_back: "nobody worked as primary",
        not_back_file: "no-primary",
        exposed: Property::AtMostOneWorkingPrimary.name(),
        unserved: "without a primary",
        false_stop: "false step-down",
        no_margin: "no primary was succeeded after its term ended",
    };
    const TALE: Tale = Tale { works: "works as primary", exclusive: true, who_works: "works", everyday: &[] };
    const RESOURCE: Option<ActorId> = Some(RESOURCE);

    fn places(options: &Options) -> Vec<Place> {
        [Place::Store, Place::Resource].into_iter().chain((0..options.nodes).map(Place::Node)).collect()
    }

    fn usual_primary() -> Place {
        Place::Node(0)
    }

    /// Nodes do not talk to each other.
    fn talks(one: Place, other: Place) -> bool {
        let is_hub = |place| matches!(place, Place::Store | Place::Resource);
        is_hub(one) || is_hub(other)
    }

    fn cast(plan: &Plan) -> Vec<Actor> {
        let options = plan.election();
        let mut cast = vec![
            Actor { place: Place::Store, role: role::TABLE, utype: 0 },
            Actor { place: Place::Resource, role: role::RESOURCE, utype: 0 },
        ];
        for node in 0..options.nodes {
            let place = Place::Node(node);
            cast.extend((0..options.utypes).map(|utype| Actor { place, role: role::CANDIDATE, utype }));
            if node < options.resolvers {
                cast.push(Actor { place, role: role::RESOLVER, utype: 0 });
            }
        }
        cast
    }

    fn boot(plan: &Plan, actor: &Actor, mut boot: Boot<Disk>) -> Member {
        let options = plan.election();
        let rules = options.rules;
        match (actor.role, actor.place) {
            (role::TABLE, _) => {
                let config = TableConfig {
                    utypes: usize::from(options.utypes),
                    heartbeat_timeout: boot.timeout,
                    longest_term: options.longest_term_us,
                    rules,
                    dialect: options.dialect,
                    affinity: options.affinity_map(),
                };
                let kept = match boot.disk.take() {
                    Some(Disk::Table(table)) => Some(table),
                    _ => None,
                };
                let (granularity, span) = (options.bounds.granularity_us, former_span(plan));
                Member::Table(Box::new(TableServer::start(config, granularity, span, kept, &boot)))
            }
            (role::RESOURCE, _) => {
                let kept = match boot.disk {
                    Some(Disk::Resource(resource)) => resource,
                    _ => Resource::new(usize::from(options.utypes), rules.fencing),
                };
                Member::Resource(Box::new(ResourceServer { resource: kept, landing: None }))
            }
            (role::CANDIDATE, Place::Node(node)) => {
                let mut config = options.candidate(Utype(actor.utype), Host(node));
                config.heartbeat_timeout = boot.timeout;
                // The same disk image holds the identities of all candidates of a machine.
                let start = Start {
                    entropy: boot.entropy,
                    image: boot.image.wrapping_mul(Affinity::KINDS as u64) + u64::from(actor.utype),
                };
                Member::Candidate(Box::new(Candidate::new(config, start)))
            }
            _ => {
                let interval = options.heartbeat_interval_us;
                Member::Resolver(Box::new(Resolver::new(Utype(actor.utype), interval, rules)))
            }
        }
    }

    fn disk(machine: &Member) -> Option<Disk> {
        match machine {
            Member::Table(server) => Some(Disk::Table(server.table().clone())),
            Member::Resource(server) => Some(Disk::Resource(server.resource.clone())),
            Member::Candidate(_) | Member::Resolver(_) => None,
        }
    }

    fn life(machine: &Member) -> u32 {
        match machine {
            Member::Candidate(candidate) => candidate.refined().life,
            _ => 1,
        }
    }

    fn judge(plan: &Plan, cast: &[Actor]) -> judge::ElectionJudge {
        judge::ElectionJudge::new(plan, cast)
    }

    fn word(message: &Message) -> &'static str {
        word(message)
    }

    fn access(message: &Message) -> Option<Access> {
        match message {
            Message::Query(_) => Some(Access::Read),
            Message::Heartbeat(_) | Message::Resign(_) => Some(Access::Write),
            _ => None,
        }
    }

    fn act(output: &Output) -> Act<&Message> {
        match output {
            Output::Send(Target::Table, message) => Act::Send(Some(TABLE), message),
            Output::Send(Target::Resource, message) => Act::Send(Some(RESOURCE), message),
            Output::Send(Target::Asker, message) => Act::Send(None, message),
            Output::Effect { message, after } => Act::Effect(RESOURCE, message, *after),
            Output::Event(_) => Act::Tell,
        }
    }

    #[inline(always)]
    fn digest(message: &Message) -> u64 {
        match message {
            Message::Query(query) => u64::from(query.tag) << 8 | u64::from(query.utype.0),
            Message::Heartbeat(claim) => {
                claim.incarnation.mint
                    ^ claim.epoch.as_u64().rotate_left(20)
                    ^ u64::from(claim.seq) << 8
                    ^ claim.token.map_or(0, |token| token.version << 40 ^ token.stamp.as_micros())
                    | 1
            }
            Message::Answer(answer) => u64::from(answer.digest) << 32 | u64::from(answer.tag) << 4 | 2,
            Message::Resign(resign) => resign.epoch.as_u64() << 4 | 3,
            Message::Seal { epoch, .. } => epoch.as_u64() << 4 | 4,
            Message::Sealed { epoch, last, .. } => (epoch.as_u64() ^ last.rotate_left(32)) << 4 | 5,
            Message::Operate { epoch, number, .. } => (epoch.as_u64() ^ u64::from(*number) << 40) << 4 | 6,
            Message::Refused { epoch, .. } => epoch.as_u64() << 4 | 7,
        }
    }

    fn counts_suspended_time(plan: &Plan) -> bool {
        plan.election().rules.suspend_aware_clock == NodeClock::Boottime
    }

    fn command_of_fault(
        plan: &Plan,
        actor: &Actor,
        kind: &FaultKind,
        begins: bool,
        generation: u32,
    ) -> Option<Command> {
        match *kind {
            FaultKind::Rollback { by_us } if begins && actor.role == role::TABLE => {
                Some(Command::Rollback { by: Duration::from_micros(by_us), generation })
            }
            FaultKind::Retune { timeout_us, .. } if begins => Some(Command::Retune(Duration::from_micros(timeout_us))),
            FaultKind::Retune { .. } => Some(Command::Retune(plan.election().heartbeat_timeout_us)),
            _ => None,
        }
    }

    fn command_of_task(task: &Task, actor: &Actor) -> Option<Command> {
        match task.what {
            TaskKind::Resign => (actor.utype == task.utype).then_some(Command::Resign),
            TaskKind::HandOver | TaskKind::Forge | TaskKind::Respell | TaskKind::Upgrade => None,
        }
    }

    fn check_task(options: &Options, task: &Task) -> Result<(), (&'static str, String)> {
        match task.what {
            TaskKind::Resign if task.utype < options.utypes => Ok(()),
            TaskKind::Resign => Err(("utype", format!("there are {} kinds", options.utypes))),
            TaskKind::HandOver | TaskKind::Forge | TaskKind::Respell | TaskKind::Upgrade => {
                Err(("what", "no task of an election; expected resign".to_owned()))
            }
        }
    }

    fn knobs(draw: &mut Draw<Self>, classes: &[FaultClass]) {
        draw::knobs(draw, classes);
    }

    fn members(options: &Options) -> Vec<Place> {
        (0..options.nodes).map(Place::Node).collect()
    }

    fn peer(draw: &mut Draw<Self>, _victim: Place) -> Place {
        draw::peer(draw)
    }

    fn task(draw: &mut Draw<Self>, at_us: u64) -> Task {
        draw::task(draw, at_us)
    }

    fn settle_us(options: &Options) -> u64 {
        draw::settle_us(options)
    }

    fn lead_us(options: &Options) -> u64 {
        draw::lead_us(options)
    }

    fn bound_us(plan: &Plan) -> u64 {
        liveness::bound_us(plan)
    }
}
