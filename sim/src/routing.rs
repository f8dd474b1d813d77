//! How context routing is set up, loaded and refined to the words of its contract.
//!
//! | contract (`Context.tla`) | read from |
//! |---|---|
//! | object | a key of a context, with the newest change that its row took |
//! | server | an alias, as rows name it: whichever process holds it acts from there |
//! | `main`, `backup`, `wrote`, `split` | the row, and who wrote in its epoch |
//! | `expired` | whether the heartbeat table has an entry for the alias of main, when the owner changes |
//! | `token` | whether ownership was granted to the server in the row's epoch, or in an older one |
//! | `cache` | [`ContextServer::remembered`], beside what was acknowledged |
//! | `doubted` | the world's own knowledge: paused, or a clock outside the stated bounds since the anchor of its term |
//! | `write` | the row, beside what was applied and what was acknowledged |

mod explore;
mod judge;
mod liveness;
mod options;
mod store;

pub use explore::{Ghost, Note};
pub use options::Options;

use crate::event::ActorId;
use crate::fault::{Access, FaultClass, FaultKind, Place};
use crate::generate::Draw;
use crate::plan::{Plan, Task, TaskKind};
use crate::protocol::{Act, Actor, Boot, Cause, Protocol, Stimulus, Tale, Words};
use failproof_core::election::{self, HeartbeatTable, Start};
use failproof_core::routing::{
    self, Answer, Client, ClientInput, ContextServer, ContextTable, Gateway, GatewayInput, Message, Request,
    ServerInput, Target, Verb, What,
};
use failproof_core::{Duration, Host, Instant, Machine};
use failproof_spec::ContractName;
use serde::{Serialize, Serializer};
use store::StoreServer;

/// Context routing as a protocol to simulate.
#[derive(Clone, Copy, Debug)]
pub enum Routing {}

/// What the environment can make an actor do.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// Give the alias up.
    Resign,
    /// Hand all contexts over to their backups.
    HandOver,
    /// Present a relabelled HAID, once.
    Forge,
    /// Present a HAID in another spelling, once.
    Respell,
    /// Use another T from now on.
    Retune(Duration),
    /// The heartbeat table goes back to its state of `by` ago, in a new generation.
    Rollback {
        /// How far.
        by: Duration,
        /// The new generation.
        generation: u32,
    },
}

/// What an actor asks of the world.
#[derive(Clone, Copy, Debug)]
pub enum Output {
    /// Send a message to this actor; to whoever asked if absent.
    Send(Option<ActorId>, Message),
    /// Told to the application.
    Tell(routing::Output),
}

/// Who an actor is, and where it finds the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    gateways: u16,
    servers: u16,
}

/// Any actor, with what its last step asked for in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    layout: Layout,
    part: Part,
    asked: Vec<routing::Output>,
}

/// What an actor is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The database: heartbeat table and context table.
    Store(Box<StoreServer>),
    /// A gateway.
    Gateway(Box<Gateway>),
    /// A context server.
    Server(Box<ContextServer>),
    /// A client.
    Client(Box<Client>),
}

/// What survives a crash.
#[derive(Clone, Debug)]
pub enum Disk {
    /// The rows of contexts always, the heartbeat table if its disk survives.
    Store(Option<HeartbeatTable>, ContextTable),
    /// What the workflows of a client remember.
    Client(Client),
}

/// Roles of the cast.
pub(crate) mod role {
    pub(crate) const STORE: u8 = 0;
    pub(crate) const GATEWAY: u8 = 1;
    pub(crate) const SERVER: u8 = 2;
    pub(crate) const CLIENT: u8 = 3;
}

/// Where the store stands in every cast.
const STORE: ActorId = 0;

impl Layout {
    const fn actor(self, target: Target) -> Option<ActorId> {
        match target {
            Target::Store => Some(STORE),
            Target::Gateway(n) => Some(1 + n),
            Target::Server(Host(n)) => Some(1 + self.gateways + n),
            Target::Client(n) => Some(1 + self.gateways + self.servers + n),
            Target::Asker => None,
        }
    }
}

/// Written as the machine of the core that it holds, without what is kept for the judge.
impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.part {
            Part::Store(store) => store.serialize(serializer),
            Part::Gateway(gateway) => gateway.serialize(serializer),
            Part::Server(server) => server.serialize(serializer),
            Part::Client(client) => client.serialize(serializer),
        }
    }
}

impl Member {
    /// What it keeps elsewhere, in bytes, about.
    fn bytes(&self) -> usize {
        self.asked.capacity() * size_of::<routing::Output>()
            + match &self.part {
                Part::Store(store) => size_of_val(&**store) + store.bytes(),
                Part::Gateway(gateway) => size_of_val(&**gateway),
                Part::Server(server) => size_of_val(&**server) + server.bytes(),
                Part::Client(client) => size_of_val(&**client) + client.bytes(),
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
            (Part::Gateway(gateway), Cause::Message(message)) => {
                gateway.handle(now, GatewayInput::Message(message), asked);
            }
            (Part::Gateway(gateway), Cause::Timer) => gateway.handle(now, GatewayInput::Timer, asked),
            (Part::Server(server), Cause::Message(message)) => server.handle(now, ServerInput::Message(message), asked),
            (Part::Server(server), Cause::Timer) => server.handle(now, ServerInput::Timer, asked),
            (Part::Server(server), Cause::Command(command)) => match command {
                Command::Resign => server.handle(now, ServerInput::Resign, asked),
                Command::HandOver => server.handle(now, ServerInput::GiveBack, asked),
                Command::Retune(timeout) => server.set_timeout(timeout),
                Command::Forge | Command::Respell | Command::Rollback { .. } => {}
            },
            (Part::Client(client), Cause::Message(message)) => client.handle(now, ClientInput::Message(message), asked),
            (Part::Client(client), Cause::Timer) => client.handle(now, ClientInput::Timer, asked),
            (Part::Client(client), Cause::Command(command)) => match command {
                Command::Forge => client.handle(now, ClientInput::Forge { servers: self.layout.servers }, asked),
                Command::Respell => client.handle(now, ClientInput::Respell, asked),
                Command::Resign | Command::HandOver | Command::Retune(_) | Command::Rollback { .. } => {}
            },
            (Part::Gateway(_), Cause::Command(_)) => {}
        }
        let layout = self.layout;
        outputs.extend(self.asked.drain(..).map(|asked| match asked {
            routing::Output::Send(target, message) => Output::Send(layout.actor(target), message),
            told => Output::Tell(told),
        }));
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.part {
            Part::Store(_) => None,
            Part::Gateway(gateway) => gateway.deadline(),
            Part::Server(server) => server.deadline(),
            Part::Client(client) => client.deadline(),
        }
    }
}

impl Protocol for Routing {
    type Message = Message;
    type Command = Command;
    type Output = Output;
    type Machine = Member;
    type Disk = Disk;
    type Judge = judge::RoutingJudge;
    type Options = Options;

    const NAME: &'static str = "routing";
    const CONTRACT: ContractName = ContractName::Context;
    const WORDS: Words = Words {
        comes_back: "EventuallyServed",
        came_back: "the slowest request was answered",
        stayed_away: "a request was not answered after the last fault",
        expected: "an answer",
        not_back: "a request was not answered",
        not_back_file: "not-served",
        exposed: "AliasNamesOneInstance",
        unserved: "without the instance of an alias",
        false_stop: "false step-down",
        no_margin: "no context was taken over after the term of its owner had ended",
    };
    const TALE: Tale = Tale {
        works: "holds its alias",
        exclusive: false,
        who_works: "hold aliases",
        everyday: &["Load", "Forget", "Apply", "Ack", "Read"],
    };
    const RESOURCE: Option<ActorId> = None;
    const KEEPS_ELSEWHERE: bool = true;
    const TIMERS_FIRST: bool = false;

    fn places(options: &Options) -> Vec<Place> {
        let mut places = vec![Place::Store];
        places.extend((0..options.gateways).map(Place::Gateway));
        places.extend((0..options.servers).map(Place::Server));
        places.extend((0..options.clients).map(Place::Client));
        places
    }

    fn usual_primary() -> Place {
        Place::Server(0)
    }

    /// Clients know gateways and each other; gateways and servers know each other and the store.
    fn talks(one: Place, other: Place) -> bool {
        use Place::{Client, Gateway, Server, Store};
        matches!(
            (one, other),
            (Client(_) | Server(_) | Store, Gateway(_))
                | (Client(_), Client(_))
                | (Gateway(_), Client(_) | Server(_) | Store)
                | (Server(_), Store)
                | (Store, Server(_))
        )
    }

    fn cast(plan: &Plan) -> Vec<Actor> {
        let actor = |place| {
            let (role, utype) = match place {
                Place::Gateway(_) => (role::GATEWAY, 0),
                Place::Server(n) => (role::SERVER, n),
                Place::Client(_) => (role::CLIENT, 0),
                _ => (role::STORE, 0),
            };
            Actor { place, role, utype }
        };
        Self::places(Self::options(plan)).into_iter().map(actor).collect()
    }

    fn boot(plan: &Plan, actor: &Actor, boot: Boot<Disk>) -> Member {
        let options = Self::options(plan);
        let layout = Layout { gateways: options.gateways, servers: options.servers };
        let part = match actor.place {
            Place::Gateway(n) => Part::Gateway(Box::new(Gateway::new(options.gateway(n), boot.entropy))),
            Place::Server(n) => {
                let mut config = options.server(configured_alias(options, n, boot.image), n);
                config.candidate.heartbeat_timeout = boot.timeout;
                let start = Start { entropy: boot.entropy, image: boot.image };
                Part::Server(Box::new(ContextServer::new(config, start)))
            }
            Place::Client(n) => Part::Client(Box::new(match boot.disk {
                Some(Disk::Client(client)) => client.restarted(),
                _ => Client::new(options.client(n), boot.entropy),
            })),
            _ => Part::Store(Box::new(StoreServer::start(plan, boot))),
        };
        Member { layout, part, asked: Vec::with_capacity(8) }
    }

    fn disk(machine: &Member) -> Option<Disk> {
        match &machine.part {
            Part::Store(store) => Some(store.disk()),
            Part::Client(client) => Some(Disk::Client(Client::clone(client))),
            Part::Gateway(_) | Part::Server(_) => None,
        }
    }

    fn left_of(disk: Disk) -> Option<Disk> {
        match disk {
            Disk::Store(_, contexts) => Some(Disk::Store(None, contexts)),
            Disk::Client(_) => None,
        }
    }

    fn life(machine: &Member) -> u32 {
        match &machine.part {
            Part::Server(server) => server.candidate().refined().life,
            _ => 1,
        }
    }

    fn judge(plan: &Plan, cast: &[Actor]) -> judge::RoutingJudge {
        judge::RoutingJudge::new(plan, cast)
    }

    fn word(message: &Message) -> &'static str {
        match message {
            Message::Request(Request { verb: Verb::Create, .. }) => "create",
            Message::Request(Request { verb: Verb::Adopt { .. }, .. }) => "adopt",
            Message::Request(Request { verb: Verb::Change { .. }, .. }) => "change",
            Message::Request(Request { verb: Verb::Read { .. }, .. }) => "read",
            Message::Reply(_) => "reply",
            Message::Share(_) => "share",
            Message::Alias(message) => crate::election::word(message),
            Message::Look { .. } => "look",
            Message::View { .. } => "view",
            Message::Operation(operation) => match operation.what {
                What::Create { .. } => "create row",
                What::Adopt { .. } => "adopt row",
                What::Load { .. } => "load row",
                What::Write { .. } => "write row",
                What::Give { .. } => "hand row over",
                What::Repair { .. } => "repair row",
            },
            Message::Outcome(_) => "outcome",
        }
    }

    fn access(message: &Message) -> Option<Access> {
        match message {
            Message::Alias(election::Message::Query(_)) | Message::Look { .. } => Some(Access::Read),
            Message::Alias(_) | Message::Operation(_) => Some(Access::Write),
            _ => None,
        }
    }

    fn act(output: &Output) -> Act<&Message> {
        match output {
            Output::Send(target, message) => Act::Send(*target, message),
            Output::Tell(_) => Act::Tell,
        }
    }

    fn digest(message: &Message) -> u64 {
        digest(message)
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
            TaskKind::HandOver => Command::HandOver,
            TaskKind::Forge => Command::Forge,
            TaskKind::Respell => Command::Respell,
            TaskKind::Upgrade => return None,
        })
    }

    fn check_task(_options: &Options, task: &Task) -> Result<(), (&'static str, String)> {
        let server = matches!(task.node, Place::Server(_) | Place::Primary);
        let client = matches!(task.node, Place::Client(_));
        match task.what {
            TaskKind::Resign | TaskKind::HandOver if !server => Err(("node", "expected a server".to_owned())),
            TaskKind::Forge | TaskKind::Respell if !client => Err(("node", "expected a client".to_owned())),
            TaskKind::Upgrade => Err(("what", "nobody here is upgraded".to_owned())),
            _ => Ok(()),
        }
    }

    /// Sometimes contexts without owners, sometimes one server or two; clocks within the bounds.
    fn knobs(draw: &mut Draw<Self>, classes: &[FaultClass]) {
        if draw.options.unowned == 0 && draw.stream.below(4) == 0 {
            draw.options.unowned = draw.options.contexts / 4;
        }
        if draw.options.clocks.is_empty() && classes.contains(&FaultClass::Clock) {
            let places = Self::places(&draw.options);
            draw.options.clocks = draw.clocks(places);
        }
    }

    fn members(options: &Options) -> Vec<Place> {
        Self::places(options).into_iter().filter(|place| *place != Place::Store).collect()
    }

    /// Servers most often, then gateways.
    fn victims(options: &Options) -> Vec<Place> {
        let servers = (0..4).flat_map(|_| (0..options.servers).map(Place::Server));
        let gateways = (0..2).flat_map(|_| (0..options.gateways).map(Place::Gateway));
        servers.chain(gateways).chain((0..options.clients.min(8)).map(Place::Client)).collect()
    }

    /// The workflows of a client remember its HAIDs and the request under way.
    fn may_forget(place: Place) -> bool {
        !matches!(place, Place::Client(_))
    }

    fn peer(draw: &mut Draw<Self>, victim: Place) -> Place {
        let places = Self::places(&draw.options);
        let word = draw.stream.word();
        let peers: Vec<_> = places.into_iter().filter(|place| Self::talks(victim, *place)).collect();
        peers.get(crate::chance::scale(word, peers.len() as u64) as usize).copied().unwrap_or(Place::Store)
    }

    fn task(draw: &mut Draw<Self>, at_us: u64) -> Task {
        let what = draw.stream.pick(&[
            TaskKind::HandOver,
            TaskKind::HandOver,
            TaskKind::Resign,
            TaskKind::Forge,
            TaskKind::Respell,
        ]);
        let client = Place::Client(draw.stream.below(draw.options.clients.into()) as u16);
        let server = Place::Server(draw.stream.below(draw.options.servers.into()) as u16);
        let node = match what {
            TaskKind::Forge | TaskKind::Respell => client,
            TaskKind::Resign | TaskKind::HandOver | TaskKind::Upgrade => server,
        };
        Task { at_us, node, utype: 0, what }
    }

    fn settle_us(options: &Options) -> u64 {
        liveness::settle_us(options)
    }

    /// Until the aliases are held, and some contexts exist.
    fn lead_us(options: &Options) -> u64 {
        (options.heartbeat_interval_us.times(3) + options.every_us.times(5)).as_micros()
    }

    fn bound_us(plan: &Plan) -> u64 {
        liveness::bound_us(plan)
    }
}

/// Which alias the disk image of machine `n` is configured for. By role, it is what the image says, and a clone has that of
/// the machine that it was copied from; else it is the machine's own.
fn configured_alias(options: &Options, n: u16, image: u64) -> u16 {
    // The images of all places are numbered from 1 in their order, until a disk is lost.
    let first = u64::from(options.gateways) + 2;
    let of_image = image.checked_sub(first).filter(|of| *of < u64::from(options.servers));
    match (options.rules.alias_holder, of_image) {
        (routing::AliasHolder::Role, Some(of)) => of as u16,
        _ => n,
    }
}

fn digest(message: &Message) -> u64 {
    let mixed = |kind: u64, parts: &[u64]| {
        parts.iter().fold(kind, |sum, part| (sum ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23))
    };
    let text = |haid: &routing::HaidText| {
        haid.as_bytes().iter().fold(0, |sum: u64, byte| sum.rotate_left(7) ^ u64::from(*byte))
    };
    let of_current = |current: &routing::Current| text(&current.haid) ^ u64::from(current.generation) << 32;
    match message {
        Message::Request(request) => {
            let verb = match &request.verb {
                Verb::Create => 0,
                Verb::Adopt { id } => u64::from(id.0) << 2 | 1,
                Verb::Change { haid, key, seq } => text(haid) ^ u64::from(*key) << 62 ^ u64::from(*seq) << 32 ^ 2,
                Verb::Read { haid } => text(haid) ^ 3,
            };
            let who = u64::from(request.client) | u64::from(request.number) << 16 | u64::from(request.avoid_main) << 48;
            mixed(1, &[who, verb])
        }
        Message::Reply(reply) => {
            let answer = match &reply.answer {
                Answer::Context(current) => of_current(current),
                Answer::Changed(current) => of_current(current) ^ 1 << 61,
                Answer::Value(current, content) => of_current(current) ^ mixed(7, &content.map(u64::from)),
                Answer::Moved(current) => of_current(current) ^ 1 << 62,
                Answer::Unavailable => 1,
                Answer::Refused => 2,
            };
            mixed(2, &[u64::from(reply.client) | u64::from(reply.number) << 16, answer])
        }
        Message::Share(current) => mixed(9, &[of_current(current)]),
        Message::Alias(message) => crate::election::Election::digest(message),
        Message::Look { tag, .. } => mixed(3, &[u64::from(*tag)]),
        Message::View { tag, view, degraded } => {
            let live = view.live().fold(0, |sum: u64, (alias, row)| {
                sum ^ (u64::from(row.host.0) << 16 | u64::from(row.load)).rotate_left(8 * u32::from(alias.0))
                    ^ 1 << alias.0
            });
            mixed(4, &[u64::from(*tag), live, degraded.map_or(0, |id| u64::from(id.0) + 1)])
        }
        Message::Operation(operation) => {
            let what = match operation.what {
                What::Create { request, backup } => {
                    u64::from(request.0) | u64::from(request.1) << 16 | u64::from(backup.0) << 48
                }
                What::Adopt { id, backup } => u64::from(id.0) | u64::from(backup.0) << 32 | 1 << 56,
                What::Load { id, main_gone, after } => {
                    u64::from(id.0) | u64::from(main_gone) << 24 | u64::from(after) << 25 ^ 2 << 56
                }
                What::Write { id, epoch, key, seq, .. } => {
                    mixed(5, &[u64::from(id.0), u64::from(epoch) | u64::from(seq) << 32, u64::from(key)])
                }
                What::Give { id, epoch } => u64::from(id.0) | u64::from(epoch) << 32 | 4 << 56,
                What::Repair { id, backup } => u64::from(id.0) | u64::from(backup.0) << 32 | 5 << 56,
            };
            let who = u64::from(operation.alias.0) | u64::from(operation.tag) << 8;
            mixed(6, &[who, operation.term.as_u64(), what])
        }
        Message::Outcome(outcome) => {
            let row = outcome.row.map_or(0, |row| {
                u64::from(row.id.0)
                    ^ u64::from(row.epoch) << 16
                    ^ u64::from(row.version) << 40
                    ^ u64::from(row.main.0) << 61
            });
            mixed(8, &[u64::from(outcome.tag), row, outcome.verdict as u64])
        }
    }
}
