//! What an exhaustive search of job distribution has to know: how it opens, and which states break the contract.
//!
//! The opening is quantum 0 without a fault. One server after another gets its session and looks at the members, the last one
//! first; then submitters have their first jobs written down by the first one, which knows all. So the others know of some
//! members only, and none has looked for work. Servers crash and are paused. Submitters do neither, since they remember all. The store
//! keeps members and rows whatever happens; the cluster and the resource center always run.
//!
//! | contract (`Job.tla`) | read from |
//! |---|---|
//! | `starts`, `live` | what each call made of the instance that it names, and of its job: [`Note::Landed`] |
//! | `stale` | a call that had an effect, beside [`Cluster::epoch`] before it |
//! | `flight`, `token` | [`Ghost::executors`]: who decided first to call for an action on a row, in each epoch |
//! | `row` | the phase of the row, beside [`Cluster::live`] |
//! | `doubted` | the server that is paused, or whose timers have not caught up since |
//! | `wrongs` (`haste`) | [`Ghost::hasty`], and [`Ghost::passed`] beside the sessions that servers believe in |

use super::{CLUSTER, Distribution, Member, Output, Part, SERVERS, STORE};
use crate::event::ActorId;
use crate::explore::{self, Explored, Life, Move, Scene, Space, Taken};
use crate::fault::Place;
use crate::plan::Plan;
use crate::protocol::{Actor, Cause, Protocol};
use failproof_core::distribution::{
    Action, Change, Cluster, Effect, JobServer, Message, Name, Operation, Owner, Phase, Request, Result, RowId,
    RowView, Verb, What,
};
use failproof_core::election::Start;
use failproof_spec::Property;

/// How many calls a server decides on in one step at most: as many as there are rows.
const CALLS_MAX: usize = 4;

/// What is called for: an action on a row, in an epoch of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// Which row.
    pub row: RowId,
    /// The number of the action.
    pub action: u16,
    /// The epoch.
    pub epoch: u32,
}

/// What a step does to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A server decided to call the cluster.
    Called {
        /// Which server, in its session.
        by: Owner,
        /// What for.
        calls: [Option<Call>; CALLS_MAX],
        /// Whether it takes the row by that, since no owner is written down.
        takes: bool,
    },
    /// A call changed something at the cluster.
    Landed {
        /// It started an instance whose name had been used.
        again: bool,
        /// It started an instance while one of the same job ran.
        beside: bool,
        /// The cluster had seen a newer epoch of the job.
        stale: bool,
    },
    /// A server claimed a row that another one owned.
    Claimed {
        /// Who owned it.
        from: Owner,
        /// Whether the session of that owner is over for good.
        expired: bool,
    },
}

/// What the machines do not remember of their contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// Who decided first to call for each, sorted.
    pub executors: Vec<(Call, Owner)>,
    /// Another server decided to call for the same.
    pub doubled: bool,
    /// Sessions of servers that were trusted when another server took a row of theirs, in that order.
    pub passed: Vec<Owner>,
    /// A row was claimed from an owner whose session was not over.
    pub hasty: bool,
    /// An instance was started again.
    pub again: bool,
    /// Two instances of one job ran.
    pub beside: bool,
    /// A call of an older epoch had an effect.
    pub stale: bool,
}

impl Ghost {
    /// A row of this session is another server's now.
    fn pass(&mut self, from: Owner, life: &dyn Fn(ActorId) -> (Life, bool)) {
        if !life(SERVERS + from.server.0).1 && !self.passed.contains(&from) {
            self.passed.push(from);
        }
    }
}

/// In the opening: the last server, those before it, then submitters; each one's session before its view.
fn turn(space: &Space<'_, Distribution>, what: Move) -> Option<(u16, u8)> {
    let who = |actor: ActorId| match space.cast()[usize::from(actor)].place {
        Place::Client(_) => Some(u16::MAX),
        Place::Server(n) => Some(u16::MAX - 1 - n),
        _ => None,
    };
    match what {
        Move::Start(actor) | Move::Fire(actor) => Some((who(actor)?, 0)),
        Move::Deliver(number) => {
            let (flight, message) = space.flight(number);
            let stage = if matches!(message, Message::Session(_)) { 1 } else { 2 };
            Some((who(flight.from).max(who(flight.to))?, stage))
        }
        _ => None,
    }
}

/// The calls that a server decided on in a step.
fn called(server: &JobServer, outputs: &[Output]) -> Option<Note> {
    let mut takes = false;
    let call = |output: &Output| match output {
        Output::Effect(Message::Request(request), _) => {
            let work = server.works().find(|work| work.asked.is_some_and(|(tag, _)| tag == request.tag))?;
            takes |= work.row.owner.is_none();
            Some(Call { row: work.row.id, action: work.row.action, epoch: request.epoch })
        }
        _ => None,
    };
    let decided: Vec<Call> = outputs.iter().filter_map(call).collect();
    assert!(decided.len() <= CALLS_MAX, "a server decides on at most {CALLS_MAX} calls in a step");
    let calls = std::array::from_fn(|at| decided.get(at).copied());
    calls[0].map(|_| Note::Called { by: server.me(), calls, takes })
}

/// What a call did at the cluster.
fn landed(before: &Cluster, after: &Cluster, request: &Request) -> Option<Note> {
    let Request { name, epoch, .. } = *request;
    let started = after.count(name).0 > before.count(name).0;
    let stopped = after.live(name.job) < before.live(name.job);
    let barred = after.state(name) != before.state(name);
    (started || stopped || barred).then(|| Note::Landed {
        again: started && before.state(name) != failproof_core::distribution::InstanceState::Never,
        beside: started && after.live(name.job) > 1,
        stale: epoch < before.epoch(name),
    })
}

impl Explored for Distribution {
    type Note = Note;
    type Ghost = Ghost;

    const PROPERTIES: &'static [Property] = &[
        Property::AtMostOneLiveInstance,
        Property::StartedOnce,
        Property::NoStaleEffect,
        Property::DoneIsQuiet,
        Property::AtMostOneExecutorPerEpoch,
        Property::ClaimWaitsForOwner,
    ];

    fn start(plan: &Plan, actor: ActorId, start: u8) -> Start {
        let is_submitter = matches!(Self::cast(plan)[usize::from(actor)].place, Place::Client(_));
        explore::start_as_in_a_run(plan, actor, start, is_submitter)
    }

    fn fails(actor: &Actor) -> (bool, bool) {
        let is_server = matches!(actor.place, Place::Server(_));
        (is_server, is_server)
    }

    fn opening(space: &Space<'_, Self>, moves: &[Move]) -> Option<usize> {
        let turns = moves.iter().enumerate().filter_map(|(at, what)| Some((turn(space, *what)?, at)));
        turns.min().map(|(_, at)| at)
    }

    fn note(taken: &Taken<'_, Self>) -> Option<Note> {
        match (&taken.before.part, &taken.after.part, taken.cause) {
            (Part::Store(_), Part::Store(store), _) => match store.done()?.effect {
                Effect::Claimed { from: Some(from), expired } => Some(Note::Claimed { from, expired }),
                _ => None,
            },
            (Part::Cluster(before), Part::Cluster(after), Cause::Message(Message::Request(request))) => {
                landed(before, after, request)
            }
            (Part::Server(_), Part::Server(server), _) => called(server, taken.outputs),
            _ => None,
        }
    }

    fn remember(ghost: &mut Ghost, note: Note, life: &dyn Fn(ActorId) -> (Life, bool)) {
        match note {
            Note::Called { by, calls, takes } => {
                for call in calls.into_iter().flatten() {
                    match ghost.executors.binary_search_by_key(&call, |(other, _)| *other) {
                        Err(at) => ghost.executors.insert(at, (call, by)),
                        Ok(at) => {
                            let first = ghost.executors[at].1;
                            if first.server != by.server {
                                ghost.doubled = true;
                                if takes {
                                    ghost.pass(first, life);
                                }
                            }
                        }
                    }
                }
            }
            Note::Landed { again, beside, stale } => {
                ghost.again |= again;
                ghost.beside |= beside;
                ghost.stale |= stale;
            }
            Note::Claimed { from, expired } => {
                ghost.hasty |= !expired;
                ghost.pass(from, life);
            }
        }
    }

    fn clear(machine: &mut Member) {
        machine.asked = Vec::new();
        match &mut machine.part {
            Part::Store(store) => store.rest(),
            Part::Cluster(cluster) => cluster.rest(),
            Part::Center(_) | Part::Server(_) | Part::Submitter(_) => {}
        }
    }

    fn breaks(scene: &Scene<'_, Self>, property: Property) -> bool {
        let ghost = scene.ghost();
        match property {
            Property::AtMostOneLiveInstance => ghost.beside,
            Property::StartedOnce => ghost.again,
            Property::NoStaleEffect => ghost.stale,
            Property::AtMostOneExecutorPerEpoch => ghost.doubled,
            Property::ClaimWaitsForOwner => {
                let believes = |machine: &Member| match &machine.part {
                    Part::Server(server) => server.believes() && ghost.passed.contains(&server.me()),
                    _ => false,
                };
                let trusted = |(actor, machine): (ActorId, &Member)| !scene.is_doubted(actor) && believes(machine);
                ghost.hasty || !ghost.passed.is_empty() && scene.processes().any(trusted)
            }
            Property::DoneIsQuiet => match (&scene.server(STORE).part, &scene.server(CLUSTER).part) {
                (Part::Store(store), Part::Cluster(cluster)) => {
                    let mut over = store.jobs().rows().map(|row| row.view()).filter(|row| row.phase.is_over());
                    over.any(|row| cluster.live(row.job) > 0)
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn describe(machine: &Member) -> String {
        match &machine.part {
            Part::Store(store) => {
                let members = store.members().iter().map(|server| format!("s{}", server.0)).collect::<Vec<_>>();
                let rows = store.jobs().rows().map(|row| row_in_words(row.view())).collect::<Vec<_>>();
                let rows = if rows.is_empty() { "no rows".to_owned() } else { rows.join("; ") };
                format!("members {} ({}); {rows}", store.members().version(), members.join(", "))
            }
            Part::Cluster(cluster) => {
                let all = cluster.instances();
                let words = |name| {
                    let (starts, live) = cluster.count(name);
                    format!("{}: {:?}, started {starts}, runs {live}", name_in_words(name), cluster.state(name))
                };
                let all = all.map(words).collect::<Vec<_>>();
                if all.is_empty() { "no instances".to_owned() } else { all.join("; ") }
            }
            Part::Center(_) => String::new(),
            Part::Server(server) => {
                let session = match server.believes() {
                    true => format!("holds session {}", server.me().term.as_u64()),
                    false => "holds no session".to_owned(),
                };
                let ring = server.view().ring().members().map(|(server, _)| format!("s{}", server.0));
                let ring = ring.collect::<Vec<_>>().join(", ");
                let works = server.works().map(|work| row_in_words(&work.row)).collect::<Vec<_>>();
                let works = if works.is_empty() { String::new() } else { format!(", works on {}", works.join("; ")) };
                format!("{session}, knows members {} ({ring}){works}", server.view().version())
            }
            Part::Submitter(submitter) => match submitter.waits_for() {
                Some((job, action)) => format!("waits for action {action} on job {}", job.0),
                None => "waits for nothing".to_owned(),
            },
        }
    }

    fn recall(ghost: &Ghost) -> String {
        let first = |(call, by): &(Call, Owner)| {
            let Call { row, action, epoch } = call;
            format!("s{} called for action {action} of row {} in epoch {epoch}", by.server.0, row.0)
        };
        let mut words: Vec<_> = ghost.executors.iter().map(first).collect();
        words.extend(ghost.passed.iter().map(|from| format!("a row was taken from s{}", from.server.0)));
        let wrongs = [
            (ghost.doubled, "two servers called for one row in one epoch"),
            (ghost.hasty, "claimed while the session of the owner ran"),
            (ghost.again, "an instance was started again"),
            (ghost.beside, "two instances of one job ran"),
            (ghost.stale, "a call of an older epoch had an effect"),
        ];
        words.extend(wrongs.into_iter().filter(|(is, _)| *is).map(|(_, what)| what.to_owned()));
        words.join("; ")
    }

    fn say(message: &Message) -> String {
        match message {
            Message::Submit(_, Action { job, number, kind, .. }) => {
                format!("action {number} on job {}: {kind:?}", job.0)
            }
            Message::Accepted(job, number) => format!("action {number} on job {} is accepted", job.0),
            Message::Session(message) => crate::election::say_of_seat(message),
            Message::Follow { tag, since, .. } => format!("question {tag} for the members since version {since}"),
            Message::Members { tag, news } => format!("answer {tag}: members of version {}", news.version),
            Message::List { tag, .. } => format!("question {tag} for rows"),
            Message::Rows { tag, rows } => {
                let rows = rows.iter().flatten().map(row_in_words).collect::<Vec<_>>();
                format!("answer {tag}: {}", if rows.is_empty() { "no rows".to_owned() } else { rows.join("; ") })
            }
            Message::Operation(Operation { tag, what, .. }) => {
                let what = match what {
                    What::Insert { action, home } => {
                        format!("insert action {} on job {} for s{}", action.number, action.job.0, home.0)
                    }
                    What::Claim { row, .. } => format!("claim row {}", row.0),
                    What::Change { row, epoch, change, .. } => {
                        format!("{} row {} in epoch {epoch}", change_in_words(*change), row.0)
                    }
                };
                format!("operation {tag}: {what}")
            }
            Message::Outcome(outcome) => {
                let result = match outcome.result {
                    Result::Done => "done",
                    Result::Changed => "the row changed",
                    Result::Owned => "somebody owns it",
                    Result::OldMembers => "the members changed",
                    Result::NoSession => "no session",
                    Result::NotYet => "not yet",
                    Result::Missing => "no such row",
                };
                format!("outcome {}: {result}", outcome.tag)
            }
            Message::Request(Request { tag, epoch, name, verb, .. }) => {
                let verb = match verb {
                    Verb::Ask => "ask after",
                    Verb::Start { .. } => "start",
                    Verb::Stop => "stop",
                    Verb::StopAll => "stop all beside",
                };
                format!("call {tag}: {verb} {} in epoch {epoch}", name_in_words(*name))
            }
            Message::Said(said) => format!("answer {}: {} is {:?}", said.tag, name_in_words(said.name), said.state),
            Message::Resource(_) => Self::word(message).to_owned(),
        }
    }

    fn bytes(machine: &Member) -> usize {
        size_of::<Member>() + machine.bytes()
    }
}

const fn change_in_words(change: Change) -> &'static str {
    match change {
        Change::Intend => "intend to start",
        Change::Run => "adopt the instance of",
        Change::Retry => "try again",
        Change::End(_) => "end",
        Change::Advance => "begin the next action of",
        Change::Release { .. } => "release",
        Change::Forward { .. } => "forward",
        Change::Delete => "delete",
    }
}

fn name_in_words(name: Name) -> String {
    format!("instance {}.{}.{}", name.job.0, name.action, name.attempt)
}

fn row_in_words(row: &RowView) -> String {
    let phase = match row.phase {
        Phase::Pending => "pending",
        Phase::Starting => "starting",
        Phase::Running => "running",
        Phase::Done => "done",
        Phase::Failed => "failed",
        Phase::Cancelled => "cancelled",
    };
    let owner = match row.owner {
        Some(owner) => format!("of s{} in epoch {}", owner.server.0, row.epoch),
        None => format!("for s{}", row.home.0),
    };
    format!("row {} {phase}, {owner}", row.id.0)
}
