//! What an exhaustive search of context routing has to know: how it opens, and which states break the contract.
//!
//! The opening is quantum 0 without a fault: servers are granted their aliases, then gateways and servers look at them, then
//! clients create their contexts. Servers crash and are paused. Gateways crash; one that stood still would be one whose
//! messages are late. Clients do neither, since their workflows remember all. The store keeps its rows whatever happens.
//!
//! | contract (`Context.tla`) | read from |
//! |---|---|
//! | `wrote`, `split` | [`Ghost::wrote`], [`Ghost::split`]: whose writes the row took in its epoch |
//! | `write` | the row, beside [`Ghost::acked`] |
//! | `doubted` | the server that is paused, or whose timers have not caught up since |
//! | `wrongs` | [`Ghost`]: `hasty`, `stale`, `strange` |

use super::store::Done;
use super::{Member, Output, Part, Routing, STORE};
use crate::event::ActorId;
use crate::explore::{self, Explored, Life, Move, Scene, Space, Taken};
use crate::fault::Place;
use crate::plan::Plan;
use crate::protocol::{Actor, Cause, Protocol};
use failproof_core::election::Start;
use failproof_core::routing::{
    Alias, Answer, Change, Content, ContextId, ContextTable, KEYS, Message, Ownership, Verb, Verdict, What,
};
use failproof_spec::Property;

/// What a step does to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A row took a write.
    Wrote {
        /// Of which context.
        id: ContextId,
        /// From which seat.
        seat: Alias,
        /// Whether another server is main, and its heartbeat row stood, or the row does not name the writer at all.
        wrong: (bool, bool),
    },
    /// A row has another epoch, or another main.
    Owned {
        /// Which.
        id: ContextId,
        /// Whether the heartbeat row of the main before stood.
        hasty: bool,
    },
    /// A server tells a client that a change is in the row.
    Acked {
        /// Of which context.
        id: ContextId,
        /// Which key.
        key: u8,
        /// Which change.
        seq: u32,
    },
    /// A server answers a read.
    Read {
        /// Which server.
        server: ActorId,
        /// From which context.
        id: ContextId,
        /// What it told.
        content: Content,
    },
}

/// What the machines do not remember of their contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// By context: the newest change of each key that a client was told is done.
    pub acked: Vec<Content>,
    /// By context: whose write was the first one of the row's epoch.
    pub wrote: Vec<Option<Alias>>,
    /// Writes of two servers were accepted in one epoch.
    pub split: bool,
    /// The owner changed while the heartbeat row of the one before stood.
    pub hasty: bool,
    /// Another server than main had a write accepted while the heartbeat row of main stood.
    pub trespassed: bool,
    /// A trusted server answered a read without a change that a client had been told of.
    pub stale: bool,
    /// A server that the row does not name had a write accepted.
    pub strange: bool,
}

impl Ghost {
    fn know(&mut self, id: ContextId) -> usize {
        let at = id.0 as usize;
        let contexts = self.acked.len().max(at + 1);
        self.acked.resize(contexts, [0; KEYS]);
        self.wrote.resize(contexts, None);
        at
    }
}

/// The rows of a scene.
fn contexts<'s>(scene: &Scene<'s, Routing>) -> Option<&'s ContextTable> {
    match &scene.server(STORE).part {
        Part::Store(store) => Some(store.contexts()),
        Part::Gateway(_) | Part::Server(_) | Part::Client(_) => None,
    }
}

/// In the opening: aliases first, then views, then contexts.
fn turn(space: &Space<'_, Routing>, what: Move) -> Option<u8> {
    let place = |actor: ActorId| space.cast()[usize::from(actor)].place;
    Some(match what {
        Move::Start(actor) | Move::Fire(actor) => match place(actor) {
            Place::Gateway(_) => 2,
            Place::Client(_) => 4,
            _ => 0,
        },
        Move::Deliver(number) => match space.flight(number).1 {
            Message::Alias(_) => 1,
            Message::Look { .. } | Message::View { .. } => 3,
            _ => 5,
        },
        _ => return None,
    })
}

impl Explored for Routing {
    type Note = Note;
    type Ghost = Ghost;

    const PROPERTIES: &'static [Property] = &[
        Property::NoLostAcknowledgedWrite,
        Property::NoStaleRead,
        Property::OneOwnerPerEpoch,
        Property::OnlyNamedServersServe,
        Property::TakeWaitsForExpiry,
    ];

    fn start(plan: &Plan, actor: ActorId, start: u8) -> Start {
        let is_client = matches!(Self::cast(plan)[usize::from(actor)].place, Place::Client(_));
        explore::start_as_in_a_run(plan, actor, start, is_client)
    }

    fn fails(actor: &Actor) -> (bool, bool) {
        (matches!(actor.place, Place::Server(_)), matches!(actor.place, Place::Server(_) | Place::Gateway(_)))
    }

    fn opening(space: &Space<'_, Self>, moves: &[Move]) -> Option<usize> {
        let turns = moves.iter().enumerate().filter_map(|(at, what)| Some((turn(space, *what)?, at)));
        turns.min().map(|(_, at)| at)
    }

    fn note(taken: &Taken<'_, Self>) -> Option<Note> {
        match (&taken.before.part, &taken.after.part) {
            (Part::Store(before), Part::Store(after)) => {
                let Done::Changed { operation, id, change } = after.done() else { return None };
                let seat = operation.alias;
                let (main, backup) = after.contexts().row(id)?.owners?;
                Some(match change {
                    Change::Written { expired } => {
                        let others = before.contexts().rules().ownership == Ownership::LastWriter && seat != main;
                        Note::Wrote { id, seat, wrong: (others && !expired, ![main, backup].contains(&seat)) }
                    }
                    Change::Taken { expired, .. } => Note::Owned { id, hasty: !expired },
                    Change::Created | Change::Adopted { .. } | Change::Granted | Change::Given => {
                        Note::Owned { id, hasty: false }
                    }
                    Change::Repaired | Change::None => return None,
                })
            }
            (Part::Server(before), Part::Server(_)) => {
                let reply = taken.outputs.iter().find_map(|output| match output {
                    Output::Send(_, Message::Reply(reply)) => Some(reply),
                    _ => None,
                })?;
                match (reply.answer, taken.cause) {
                    (Answer::Value(current, content), _) => {
                        Some(Note::Read { server: taken.actor, id: current.id, content })
                    }
                    (Answer::Changed(current), Cause::Message(Message::Outcome(outcome))) => {
                        let (key, seq) = before.change_of(outcome)?;
                        Some(Note::Acked { id: current.id, key, seq })
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn remember(ghost: &mut Ghost, note: Note, life: &dyn Fn(ActorId) -> (Life, bool)) {
        match note {
            Note::Wrote { id, seat, wrong: (trespasses, strange) } => {
                let at = ghost.know(id);
                let first = *ghost.wrote[at].get_or_insert(seat);
                ghost.split |= first != seat;
                ghost.trespassed |= trespasses;
                ghost.strange |= strange;
            }
            Note::Owned { id, hasty } => {
                let at = ghost.know(id);
                ghost.wrote[at] = None;
                ghost.hasty |= hasty;
            }
            Note::Acked { id, key, seq } => {
                let at = ghost.know(id);
                let acked = &mut ghost.acked[at][usize::from(key) % KEYS];
                *acked = seq.max(*acked);
            }
            Note::Read { server, id, content } => {
                let at = ghost.know(id);
                let lacks = ghost.acked[at].iter().zip(content).any(|(acked, read)| read < *acked);
                ghost.stale |= lacks && !life(server).1;
            }
        }
    }

    fn clear(machine: &mut Member) {
        machine.asked = Vec::new();
        if let Part::Store(store) = &mut machine.part {
            store.rest();
        }
    }

    fn breaks(scene: &Scene<'_, Self>, property: Property) -> bool {
        let ghost = scene.ghost();
        match property {
            Property::OneOwnerPerEpoch => ghost.split,
            Property::OnlyNamedServersServe => ghost.strange,
            Property::NoStaleRead => ghost.stale,
            Property::TakeWaitsForExpiry => ghost.hasty || ghost.trespassed,
            Property::NoLostAcknowledgedWrite => contexts(scene).is_some_and(|contexts| {
                let mut rows = contexts.rows().iter().zip(&ghost.acked);
                rows.any(|(row, acked)| row.content.iter().zip(acked).any(|(kept, acked)| kept < acked))
            }),
            _ => false,
        }
    }

    fn describe(machine: &Member) -> String {
        match &machine.part {
            Part::Store(store) => {
                let contexts = store.contexts();
                let row = |(at, row): (usize, &failproof_core::routing::Row)| {
                    let owners = row.owners.map_or_else(
                        || "nobody".to_owned(),
                        |(main, backup)| format!("cs_{} (backup cs_{})", main.0, backup.0),
                    );
                    format!("context {}: {owners}, epoch {}, content {:?}", at + 1, row.epoch, row.content)
                };
                let rows = contexts.rows().iter().enumerate().map(row).collect::<Vec<_>>();
                if rows.is_empty() { "no contexts".to_owned() } else { rows.join("; ") }
            }
            Part::Gateway(gateway) => {
                let live = gateway.view().live().map(|(alias, _)| format!("cs_{}", alias.0)).collect::<Vec<_>>();
                format!("sees {}", if live.is_empty() { "nobody".to_owned() } else { live.join(", ") })
            }
            Part::Server(server) => {
                let held = if server.believes() { "holds" } else { "does not hold" };
                let cached = server.remembered(ContextId(0)).map_or_else(String::new, |cached| {
                    format!(", remembers {:?} of epoch {}", cached.row.content, cached.row.epoch)
                });
                format!("{held} cs_{}{cached}", server.alias().0)
            }
            Part::Client(client) => match client.waits_for() {
                Some(number) => format!("waits for {number}"),
                None => "waits for nothing".to_owned(),
            },
        }
    }

    fn recall(ghost: &Ghost) -> String {
        let first =
            |(id, seat): (usize, &Option<Alias>)| Some(format!("alias {} wrote context {id} first", (*seat)?.0));
        let mut words: Vec<_> = ghost.wrote.iter().enumerate().filter_map(first).collect();
        let told = |(id, keys): (usize, &Content)| format!("told done of context {id}: {keys:?}");
        words.extend(ghost.acked.iter().enumerate().filter(|(_, keys)| **keys != [0; KEYS]).map(told));
        let wrongs = [
            (ghost.split, "two wrote in one epoch"),
            (ghost.hasty, "taken before the row of main expired"),
            (ghost.trespassed, "written beside a main whose row stands"),
            (ghost.stale, "a stale read was answered"),
            (ghost.strange, "written by one that is not named"),
        ];
        words.extend(wrongs.into_iter().filter(|(is, _)| *is).map(|(_, what)| what.to_owned()));
        words.join("; ")
    }

    fn say(message: &Message) -> String {
        match message {
            Message::Request(request) => {
                let verb = match &request.verb {
                    Verb::Create => "creates a context".to_owned(),
                    Verb::Adopt { id } => format!("adopts context {}", id.0 + 1),
                    Verb::Change { haid, key, seq } => format!("change {seq} of key {key} of {haid}"),
                    Verb::Read { haid } => format!("read of {haid}"),
                };
                let avoiding = if request.avoid_main { ", not from main" } else { "" };
                format!("request {}: {verb}{avoiding}", request.number)
            }
            Message::Reply(reply) => {
                let answer = match &reply.answer {
                    Answer::Context(current) => format!("context {}", current.haid),
                    Answer::Changed(_) => "changed".to_owned(),
                    Answer::Value(_, content) => format!("{content:?}"),
                    Answer::Moved(current) => format!("moved to {}", current.haid),
                    Answer::Unavailable => "unavailable".to_owned(),
                    Answer::Refused => "refused".to_owned(),
                };
                format!("reply {}: {answer}", reply.number)
            }
            Message::Share(current) => format!("context {}", current.haid),
            Message::Alias(message) => crate::election::say_of_seat(message),
            Message::Look { tag, .. } => format!("look {tag}"),
            Message::View { tag, view, .. } => {
                let live = view.live().map(|(alias, _)| format!("cs_{}", alias.0)).collect::<Vec<_>>();
                format!("view {tag}: {}", if live.is_empty() { "nobody".to_owned() } else { live.join(", ") })
            }
            Message::Operation(operation) => {
                let what = match operation.what {
                    What::Create { backup, .. } => format!("create, backup cs_{}", backup.0),
                    What::Adopt { id, backup } => format!("adopt {}, backup cs_{}", id.0 + 1, backup.0),
                    What::Load { id, .. } => format!("load {}", id.0 + 1),
                    What::Write { id, epoch, key, seq, .. } => {
                        format!("write {seq} of key {key} of {} in epoch {epoch}", id.0 + 1)
                    }
                    What::Give { id, .. } => format!("give {} back", id.0 + 1),
                    What::Repair { id, backup } => format!("repair {}, backup cs_{}", id.0 + 1, backup.0),
                };
                format!("operation {} of cs_{}: {what}", operation.tag, operation.alias.0)
            }
            Message::Outcome(outcome) => {
                let verdict = match outcome.verdict {
                    Verdict::Done => "done",
                    Verdict::NotOwner => "not the owner",
                    Verdict::NotHolder => "not the holder",
                    Verdict::Missing => "missing",
                };
                format!("outcome {}: {verdict}", outcome.tag)
            }
        }
    }

    fn bytes(machine: &Member) -> usize {
        size_of::<Member>() + machine.bytes()
    }
}
