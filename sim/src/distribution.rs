//! Job distribution as a protocol to simulate: the store with its sessions, members and jobs, the resource center, the
//! cluster, servers and submitters.
//!
//! How it is refined to the variables of `spec/tla/distribution/Job.tla`, for each attempt of an action on a job:
//!
//! | variable | where it comes from |
//! |---|---|
//! | `owner`, `row` | the row's owner, phase and attempt in [`Jobs`] |
//! | `token` | whether a server was granted the row in its present epoch, or in an older one |
//! | `flight` | what a server decided to send to the cluster, until it arrives or is lost |
//! | `seen` | [`Cluster::epoch`] beside the row's epoch |
//! | `live`, `starts` | [`Cluster::count`] |
//! | `ready` | whether the bytes that a server has digest to the name of the resource: [`JobServer::supplies`] |
//! | `expired` | whether the heartbeat table has an entry for the owner's session, when the owner changes |
//! | `doubted` | the world's own knowledge: paused, or a clock outside the stated bounds since the anchor of its term |

mod center;
mod explore;
mod judge;
mod liveness;
mod options;
mod rings;
mod store;

pub use options::Options;

use crate::event::ActorId;
use crate::fault::{Access, FaultClass, FaultKind, Place};
use crate::generate::Draw;
use crate::plan::{Plan, Task, TaskKind};
use crate::protocol::{Act, Actor, Boot, Cause, Protocol, Stimulus, Tale, Words};
use center::CenterServer;
use failproof_core::distribution::resources::{self, ResourceCenter};
use failproof_core::distribution::{
    self, Change, Cluster, ClusterInput, JobServer, Jobs, Members, Message, ServerInput, Submitter, SubmitterInput,
    Target, Verb, What,
};
use failproof_core::election::{self, HeartbeatTable, Start};
use failproof_core::{Duration, Host, Instant, Machine};
use failproof_spec::ContractName;
use serde::{Serialize, Serializer};
use store::StoreServer;

/// Job distribution as a protocol to simulate.
#[derive(Clone, Copy, Debug)]
pub enum Distribution {}

/// What the environment can make an actor do.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// Give the session up.
    Resign,
    /// Use another T from now on.
    Retune(Duration),
    /// The heartbeat table goes back to its state of `by` ago, in a new generation.
    Rollback {
        /// How far.
        by: Duration,
        /// The new generation.
        generation: u32,
    },
    /// Nothing: the task is not one of this protocol.
    Nothing,
}

/// What an actor asks of the world.
#[derive(Clone, Copy, Debug)]
pub enum Output {
    /// Send a message to this actor; to whoever asked if absent.
    Send(Option<ActorId>, Message),
    /// Send it later, unless the process ends before.
    Effect(Message, Duration),
    /// Told to the application.
    Tell(election::Event),
}

/// Any actor, with what its last step asked for in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    servers: u16,
    part: Part,
    asked: Vec<distribution::Output>,
}

/// What an actor is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The database: sessions, members and jobs.
    Store(Box<StoreServer>),
    /// The resource center.
    Center(Box<CenterServer>),
    /// The cluster that jobs run on.
    Cluster(Box<Cluster>),
    /// A server.
    Server(Box<JobServer>),
    /// A submitter.
    Submitter(Box<Submitter>),
}

/// What survives a crash.
#[derive(Clone, Debug)]
pub enum Disk {
    /// Members and jobs always, sessions if the disk survives.
    Store(Option<HeartbeatTable>, Members, Jobs),
    /// What the resource center has.
    Center(ResourceCenter),
    /// What the cluster remembers of instances, and what runs there.
    Cluster(Cluster),
    /// What a submitter remembers.
    Submitter(Submitter),
}

/// Roles of the cast.
pub(crate) mod role {
    pub(crate) const STORE: u8 = 0;
    pub(crate) const CENTER: u8 = 1;
    pub(crate) const CLUSTER: u8 = 2;
    pub(crate) const SERVER: u8 = 3;
    pub(crate) const SUBMITTER: u8 = 4;
}

/// Where the store stands in every cast.
const STORE: ActorId = 0;
/// Where the resource center stands.
const CENTER: ActorId = 1;
/// Where the cluster stands.
const CLUSTER: ActorId = 2;
/// Where the first server stands.
const SERVERS: ActorId = 3;

/// Written as the machine of the core that it holds, without what is kept for the judge.
impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.part {
            Part::Store(store) => store.serialize(serializer),
            Part::Center(center) => center.serialize(serializer),
            Part::Cluster(cluster) => cluster.serialize(serializer),
            Part::Server(server) => server.serialize(serializer),
            Part::Submitter(submitter) => submitter.serialize(serializer),
        }
    }
}

impl Member {
    /// The machine itself.
    #[must_use]
    pub const fn part(&self) -> &Part {
        &self.part
    }

    /// What it keeps elsewhere, in bytes, about.
    fn bytes(&self) -> usize {
        self.asked.capacity() * size_of::<distribution::Output>()
            + match &self.part {
                Part::Store(store) => size_of_val(&**store) + store.bytes(),
                Part::Center(center) => size_of_val(&**center),
                Part::Cluster(cluster) => size_of_val(&**cluster) + cluster.bytes(),
                Part::Server(server) => size_of_val(&**server) + server.bytes(),
                Part::Submitter(submitter) => size_of_val(&**submitter) + submitter.bytes(),
            }
    }

    const fn actor(servers: u16, target: Target) -> Option<ActorId> {
        match target {
            Target::Store => Some(STORE),
            Target::Center => Some(CENTER),
            Target::Cluster => Some(CLUSTER),
            Target::Server(Host(n)) => Some(SERVERS + n),
            Target::Submitter(n) => Some(SERVERS + servers + n),
            Target::Asker => None,
        }
    }
}

impl Machine for Member {
    type Input<'a> = Stimulus<'a, Message, Command>;
    type Output = Output;

    #[inline(always)]
    fn handle(&mut self, now: Instant, stimulus: Self::Input<'_>, outputs: &mut Vec<Output>) {
        let asked = &mut self.asked;
        match (&mut self.part, stimulus.cause) {
            (Part::Store(store), cause) => store.handle(now, stimulus.wall, stimulus.fate, cause, asked),
            (Part::Center(center), cause) => center.handle(now, stimulus.fate, cause, asked),
            (Part::Cluster(cluster), Cause::Message(message)) => {
                cluster.handle(now, ClusterInput::Message(message), asked);
            }
            (Part::Cluster(cluster), Cause::Timer) => cluster.handle(now, ClusterInput::Timer, asked),
            (Part::Server(server), Cause::Message(message)) => server.handle(now, ServerInput::Message(message), asked),
            (Part::Server(server), Cause::Timer) => server.handle(now, ServerInput::Timer, asked),
            (Part::Server(server), Cause::Command(Command::Resign)) => server.handle(now, ServerInput::Resign, asked),
            (Part::Server(server), Cause::Command(Command::Retune(timeout))) => server.set_timeout(timeout),
            (Part::Submitter(submitter), Cause::Message(message)) => {
                submitter.handle(now, SubmitterInput::Message(message), asked);
            }
            (Part::Submitter(submitter), Cause::Timer) => submitter.handle(now, SubmitterInput::Timer, asked),
            (Part::Server(_) | Part::Cluster(_) | Part::Submitter(_), Cause::Command(_)) => {}
        }
        let servers = self.servers;
        outputs.extend(self.asked.drain(..).map(|asked| match asked {
            distribution::Output::Send(target, message) => Output::Send(Self::actor(servers, target), message),
            distribution::Output::Effect(message, after) => Output::Effect(message, after),
            distribution::Output::Event(event) => Output::Tell(event),
        }));
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.part {
            Part::Store(_) => None,
            Part::Center(center) => Some(center.deadline()),
            Part::Cluster(cluster) => cluster.deadline(),
            Part::Server(server) => server.deadline(),
            Part::Submitter(submitter) => submitter.deadline(),
        }
    }
}

impl Protocol for Distribution {
    type Message = Message;
    type Command = Command;
    type Output = Output;
    type Machine = Member;
    type Disk = Disk;
    type Judge = judge::JobJudge;
    type Options = Options;

    const NAME: &'static str = "distribution";
    const CONTRACT: ContractName = ContractName::Job;
    const WORDS: Words = Words {
        comes_back: "EventuallyOnOwner",
        came_back: "the slowest job was worked on by its ring owner",
        stayed_away: "a job was not worked on by its ring owner after the last fault",
        expected: "its ring owner at work",
        not_back: "a job was not worked on",
        not_back_file: "orphaned",
        exposed: "AtMostOneExecutorPerEpoch",
        unserved: "without the session of a server",
        false_stop: "lost session",
        no_margin: "no job was taken over after the session of its owner had ended",
    };
    const TALE: Tale = Tale { works: "holds its session", exclusive: false, who_works: "hold sessions", everyday: &[] };
    const RESOURCE: Option<ActorId> = Some(CLUSTER);
    const KEEPS_ELSEWHERE: bool = true;
    /// The database and the resource center.
    const STORES: usize = 2;
    const TIMERS_FIRST: bool = false;

    fn places(options: &Options) -> Vec<Place> {
        let mut places = vec![Place::Store, Place::Center, Place::Resource];
        places.extend((0..options.servers).map(Place::Server));
        places.extend((0..options.clients).map(Place::Client));
        places
    }

    fn usual_primary() -> Place {
        Place::Server(0)
    }

    /// Servers know everybody but each other; submitters know the resource center too.
    fn talks(one: Place, other: Place) -> bool {
        use Place::{Center, Client, Resource, Server, Store};
        let knows = |one, other| {
            matches!((one, other), (Server(_), Store | Resource | Client(_)) | (Center, Server(_) | Client(_)))
        };
        knows(one, other) || knows(other, one)
    }

    fn cast(plan: &Plan) -> Vec<Actor> {
        let actor = |place| {
            let (role, utype) = match place {
                Place::Center => (role::CENTER, 0),
                Place::Resource => (role::CLUSTER, 0),
                Place::Server(n) => (role::SERVER, n),
                Place::Client(_) => (role::SUBMITTER, 0),
                _ => (role::STORE, 0),
            };
            Actor { place, role, utype }
        };
        Self::places(Self::options(plan)).into_iter().map(actor).collect()
    }

    fn boot(plan: &Plan, actor: &Actor, boot: Boot<Disk>) -> Member {
        let options = Self::options(plan);
        let rules = options.rules_of(boot.upgraded);
        let part = match (actor.place, boot.disk) {
            (Place::Center, disk) => Part::Center(Box::new(CenterServer::start(options.center(), disk, boot.now))),
            (Place::Resource, disk) => {
                let mut cluster = match disk {
                    Some(Disk::Cluster(cluster)) => cluster,
                    _ => Cluster::new(rules),
                };
                cluster.upgrade(rules);
                Part::Cluster(Box::new(cluster))
            }
            (Place::Server(n), _) => {
                let mut config = options.server(n);
                config.rules = rules;
                config.candidate.heartbeat_timeout = boot.timeout;
                let start = Start { entropy: boot.entropy, image: boot.image };
                Part::Server(Box::new(JobServer::new(config, start)))
            }
            (Place::Client(_), Some(Disk::Submitter(submitter))) => Part::Submitter(Box::new(submitter.restarted())),
            (Place::Client(n), _) => Part::Submitter(Box::new(Submitter::new(options.submitter(n), boot.entropy))),
            (_, disk) => Part::Store(Box::new(StoreServer::start(plan, Boot { disk, ..boot }))),
        };
        Member { servers: options.servers, part, asked: Vec::with_capacity(8) }
    }

    fn disk(machine: &Member) -> Option<Disk> {
        match &machine.part {
            Part::Store(store) => Some(store.disk()),
            Part::Center(center) => Some(center.disk()),
            Part::Cluster(cluster) => Some(Disk::Cluster(Cluster::clone(cluster))),
            Part::Submitter(submitter) => Some(Disk::Submitter(Submitter::clone(submitter))),
            Part::Server(_) => None,
        }
    }

    fn left_of(disk: Disk) -> Option<Disk> {
        match disk {
            Disk::Store(_, members, jobs) => Some(Disk::Store(None, members, jobs)),
            Disk::Center(_) | Disk::Cluster(_) | Disk::Submitter(_) => None,
        }
    }

    fn life(machine: &Member) -> u32 {
        match &machine.part {
            Part::Server(server) => server.candidate().refined().life,
            _ => 1,
        }
    }

    fn judge(plan: &Plan, cast: &[Actor]) -> judge::JobJudge {
        judge::JobJudge::new(plan, cast)
    }

    fn word(message: &Message) -> &'static str {
        match message {
            Message::Submit(..) => "submit",
            Message::Accepted(..) => "accepted",
            Message::Session(message) => crate::election::word(message),
            Message::Follow { .. } => "follow members",
            Message::Members { .. } => "members",
            Message::List { .. } => "list rows",
            Message::Rows { .. } => "rows",
            Message::Operation(operation) => match operation.what {
                What::Insert { .. } => "insert row",
                What::Claim { .. } => "claim row",
                What::Change { change, .. } => match change {
                    Change::Intend => "row starting",
                    Change::Run => "row running",
                    Change::Retry => "row again",
                    Change::End(_) => "row over",
                    Change::Advance => "row next action",
                    Change::Release { .. } => "release row",
                    Change::Forward { .. } => "forward row",
                    Change::Delete => "delete row",
                },
            },
            Message::Outcome(_) => "outcome",
            Message::Request(request) => match request.verb {
                Verb::Ask => "ask",
                Verb::Start { .. } => "start",
                Verb::Stop => "stop",
                Verb::StopAll => "stop all",
            },
            Message::Said(_) => "said",
            Message::Resource(resources::Message::Request { request, .. }) => match request.what {
                resources::What::Begin { .. } => "begin upload",
                resources::What::Put { .. } => "put chunk",
                resources::What::Read { .. } => "read chunk",
                resources::What::Reference { .. } => "refer",
                resources::What::Release { .. } => "release resource",
            },
            Message::Resource(resources::Message::Reply { reply, .. }) => match reply.answer {
                resources::Answer::Whole => "whole",
                resources::Answer::Staged { .. } => "staged",
                resources::Answer::Piece { .. } => "chunk",
                resources::Answer::Referenced => "referenced",
                resources::Answer::Released => "released",
                resources::Answer::Refused(_) => "refused",
            },
        }
    }

    fn access(message: &Message) -> Option<Access> {
        match message {
            Message::Session(election::Message::Query(_)) | Message::Follow { .. } | Message::List { .. } => {
                Some(Access::Read)
            }
            Message::Session(_) | Message::Operation(_) => Some(Access::Write),
            Message::Resource(resources::Message::Request { request, .. }) => match request.what {
                resources::What::Read { .. } => Some(Access::Read),
                _ => Some(Access::Write),
            },
            _ => None,
        }
    }

    fn act(output: &Output) -> Act<&Message> {
        match output {
            Output::Send(target, message) => Act::Send(*target, message),
            Output::Effect(message, after) => Act::Effect(CLUSTER, message, *after),
            Output::Tell(_) => Act::Tell,
        }
    }

    fn digest(message: &Message) -> u64 {
        match message {
            Message::Session(message) => crate::election::Election::digest(message),
            message => crate::digest::digest(message),
        }
    }

    fn counts_suspended_time(_plan: &Plan) -> bool {
        true
    }

    fn command_of_fault(
        plan: &Plan,
        actor: &Actor,
        kind: &FaultKind,
        begins: bool,
        generation: u32,
    ) -> Option<Command> {
        match *kind {
            FaultKind::Rollback { by_us } if begins && actor.role == role::STORE => {
                Some(Command::Rollback { by: Duration::from_micros(by_us), generation })
            }
            FaultKind::Retune { timeout_us, .. } if begins => Some(Command::Retune(Duration::from_micros(timeout_us))),
            FaultKind::Retune { .. } => Some(Command::Retune(Self::options(plan).heartbeat_timeout_us)),
            _ => None,
        }
    }

    fn command_of_task(task: &Task, _actor: &Actor) -> Option<Command> {
        Some(match task.what {
            TaskKind::Resign => Command::Resign,
            TaskKind::HandOver | TaskKind::Forge | TaskKind::Respell => Command::Nothing,
            TaskKind::Upgrade => return None,
        })
    }

    fn check_task(options: &Options, task: &Task) -> Result<(), (&'static str, String)> {
        match (task.what, task.node) {
            (TaskKind::Resign, Place::Server(_) | Place::Primary) => Ok(()),
            (TaskKind::Resign, _) => Err(("node", "expected a server".to_owned())),
            (TaskKind::Upgrade, _) if options.upgrade.is_none() => {
                Err(("what", "nothing to upgrade to; expected rules in options.upgrade".to_owned()))
            }
            (TaskKind::Upgrade, Place::Store | Place::Resource | Place::Server(_)) => Ok(()),
            (TaskKind::Upgrade, _) => Err(("node", "expected a server, store or resource".to_owned())),
            (TaskKind::HandOver | TaskKind::Forge | TaskKind::Respell, _) => {
                Err(("what", format!("nobody here is asked to {}; expected resign", task.what.words())))
            }
        }
    }

    /// Clocks within the bounds.
    fn knobs(draw: &mut Draw<Self>, classes: &[FaultClass]) {
        if draw.options.clocks.is_empty() && classes.contains(&FaultClass::Clock) {
            let places = Self::places(&draw.options);
            draw.options.clocks = draw.clocks(places);
        }
    }

    fn members(options: &Options) -> Vec<Place> {
        Self::places(options).into_iter().filter(|place| *place != Place::Store).collect()
    }

    /// Servers most often.
    fn victims(options: &Options) -> Vec<Place> {
        let servers = (0..4).flat_map(|_| (0..options.servers).map(Place::Server));
        servers.chain([Place::Resource, Place::Center]).chain((0..options.clients.min(4)).map(Place::Client)).collect()
    }

    /// The cluster and the resource center outlive the servers, and submitters remember what they asked for.
    fn may_forget(place: Place) -> bool {
        !matches!(place, Place::Client(_) | Place::Resource | Place::Center)
    }

    fn peer(draw: &mut Draw<Self>, victim: Place) -> Place {
        let places = Self::places(&draw.options);
        let word = draw.stream.word();
        let peers: Vec<_> = places.into_iter().filter(|place| Self::talks(victim, *place)).collect();
        peers.get(crate::chance::scale(word, peers.len() as u64) as usize).copied().unwrap_or(Place::Store)
    }

    fn task(draw: &mut Draw<Self>, at_us: u64) -> Task {
        let server = draw.stream.below(draw.options.servers.into()) as u16;
        Task { at_us, node: Place::Server(server), utype: 0, what: TaskKind::Resign }
    }

    fn settle_us(options: &Options) -> u64 {
        liveness::settle_us(options)
    }

    /// Until the sessions are held, and some jobs run.
    fn lead_us(options: &Options) -> u64 {
        (options.heartbeat_interval_us.times(3) + options.every_us.times(2)).as_micros()
    }

    fn bound_us(plan: &Plan) -> u64 {
        liveness::bound_us(plan)
    }
}
