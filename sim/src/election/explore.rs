//! What an exhaustive search of an election has to know: which states break the contract.
//!
//! | contract (`Lease.tla`) | read from |
//! |---|---|
//! | `works` | [`Candidate::refined`](failproof_core::election::Candidate::refined)`.works` |
//! | `doubted` | the present life of who is paused, or whose timers have not caught up since |
//! | `owner` | the incarnation of the entry; if it does not tell the life, the grant of the entry's epoch |
//! | `token` | the newest epoch that the life was granted, relative to the resource's highest |
//! | `stained` | whether the resource has accepted an epoch below its highest |

use super::server::Served;
use super::{Election, Member, RESOURCE, TABLE};
use crate::event::ActorId;
use crate::explore::{Explored, Life, Scene, Taken};
use crate::protocol::Cause;
use failproof_core::election::{Affinity, Answer, Candidate, Fencing, IdentitySource, Message, Outcome, Phase, Row};
use failproof_core::{Epoch, Utype};
use failproof_spec::Property;

/// What a step of the table or the resource does to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The table named a new owner.
    Granted {
        /// Whose heartbeat it was.
        source: ActorId,
        /// Its mint and life, unless identities are reused.
        incarnation: Option<(u64, u32)>,
        /// In which epoch.
        epoch: Epoch,
    },
    /// The table renewed an entry about which it had answered empty.
    Revived,
    /// The resource accepted an epoch below its highest.
    Stained,
}

/// What the machines do not remember of their contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// The newest epoch that each life was granted, sorted.
    pub granted: Vec<(Life, Epoch)>,
    /// An entry about which the table had answered empty was renewed.
    pub revived: bool,
    /// An older epoch was accepted after a newer one.
    pub stained: bool,
}

const UTYPE: Utype = Utype(0);

/// The life that an incarnation names, as [`crate::explore::space::mint`] writes it.
const fn named(mint: u64, life: u32) -> Life {
    Life { actor: (mint >> 8) as ActorId, start: mint as u8, life }
}

/// Whom the table names.
fn owner(scene: &Scene<'_, Election>) -> Option<Life> {
    let Member::Table(server) = scene.server(TABLE) else { return None };
    let entry = server.table().entry(UTYPE)?;
    match server.table().config().rules.fresh_incarnation {
        IdentitySource::Fresh => Some(named(entry.incarnation.mint, entry.incarnation.life)),
        IdentitySource::Reused => {
            let granted = scene.ghost().granted.iter();
            granted.filter(|(_, epoch)| *epoch == entry.epoch).map(|(life, _)| *life).next()
        }
    }
}

/// Whether the resource would still accept an operation of another life.
fn open_beside(scene: &Scene<'_, Election>, life: Life) -> bool {
    let Member::Resource(server) = scene.server(RESOURCE) else { return false };
    let highest = server.resource.highest(UTYPE);
    let fenced = scene.instance().plan().election().rules.fencing == Fencing::Epoch;
    scene.ghost().granted.iter().any(|(other, epoch)| *other != life && (!fenced || *epoch >= highest))
}

impl Explored for Election {
    type Note = Note;
    type Ghost = Ghost;

    const PROPERTIES: &'static [Property] = &[
        Property::AtMostOneWorkingPrimary,
        Property::NoStaleEffect,
        Property::EmptyAnswerIsFinal,
        Property::SealedBeforeWork,
    ];

    fn note(taken: &Taken<'_, Self>) -> Option<Note> {
        let Taken { source, before, after, cause, .. } = *taken;
        match (before, after) {
            (Member::Table(before), Member::Table(after)) => match (after.served(), cause) {
                (
                    Served::Heartbeat { outcome: Outcome::Granted(epoch), .. },
                    Cause::Message(Message::Heartbeat(claim)),
                ) => {
                    let fresh = after.table().config().rules.fresh_incarnation == IdentitySource::Fresh;
                    let incarnation = fresh.then_some((claim.incarnation.mint, claim.incarnation.life));
                    Some(Note::Granted { source, incarnation, epoch })
                }
                (Served::Heartbeat { utype, outcome: Outcome::Renewed(_), .. }, _) => {
                    before.table().answered_empty(utype).then_some(Note::Revived)
                }
                _ => None,
            },
            (Member::Resource(before), Member::Resource(after)) => {
                let landing = after.landing.filter(|landing| landing.accepted)?;
                (landing.epoch < before.resource.highest(landing.utype)).then_some(Note::Stained)
            }
            _ => None,
        }
    }

    fn remember(ghost: &mut Ghost, note: Note, life: &dyn Fn(ActorId) -> (Life, bool)) {
        match note {
            Note::Granted { source, incarnation, epoch } => {
                let life = incarnation.map_or_else(|| life(source).0, |(mint, life)| named(mint, life));
                match ghost.granted.binary_search_by_key(&life, |(other, _)| *other) {
                    Ok(at) => ghost.granted[at].1 = epoch,
                    Err(at) => ghost.granted.insert(at, (life, epoch)),
                }
            }
            Note::Revived => ghost.revived = true,
            Note::Stained => ghost.stained = true,
        }
    }

    fn clear(machine: &mut Member) {
        match machine {
            Member::Table(server) => server.rest(),
            Member::Resource(server) => server.landing = None,
            Member::Candidate(_) | Member::Resolver(_) => {}
        }
    }

    fn breaks(scene: &Scene<'_, Election>, property: Property) -> bool {
        let works = |machine: &Member| matches!(machine, Member::Candidate(candidate) if candidate.refined().works);
        let mut working = scene.processes().filter(|(actor, machine)| works(machine) && !scene.is_doubted(*actor));
        match property {
            Property::AtMostOneWorkingPrimary => working.nth(1).is_some(),
            Property::NoStaleEffect => scene.ghost().stained,
            Property::EmptyAnswerIsFinal => scene.ghost().revived,
            Property::SealedBeforeWork => working.any(|(actor, _)| {
                let life = scene.life(actor);
                open_beside(scene, life) && owner(scene) == Some(life)
            }),
            _ => false,
        }
    }

    fn describe(machine: &Member) -> String {
        match machine {
            Member::Table(server) => match server.table().entry(UTYPE) {
                None => "no entry".to_owned(),
                Some(entry) => format!(
                    "entry of {} in epoch {}, version {}, accepted at {} us{}",
                    who(entry.incarnation),
                    entry.epoch.as_u64(),
                    entry.version,
                    entry.accepted_at.as_micros(),
                    if entry.answered_empty { ", read empty" } else { "" }
                ),
            },
            Member::Resource(server) => format!("highest epoch {}", server.resource.highest(UTYPE).as_u64()),
            Member::Candidate(candidate) => candidate_in_words(candidate),
            Member::Resolver(_) => String::new(),
        }
    }

    fn recall(ghost: &Ghost) -> String {
        let of = |(life, epoch): &(Life, Epoch)| {
            let node = life.actor.saturating_sub(RESOURCE + 1);
            format!("n{node} (start {}, life {}) epoch {}", life.start, life.life, epoch.as_u64())
        };
        let mut words = vec![format!("granted: {}", ghost.granted.iter().map(of).collect::<Vec<_>>().join(", "))];
        words.extend(ghost.revived.then(|| "an entry that was read empty was renewed".to_owned()));
        words.extend(ghost.stained.then(|| "an older epoch was accepted after a newer one".to_owned()));
        words.join("; ")
    }

    fn say(message: &Message) -> String {
        match message {
            Message::Query(query) => format!("query {}", query.tag),
            Message::Heartbeat(claim) if claim.epoch == Epoch::NONE => format!("claim {}", claim.seq),
            Message::Heartbeat(claim) => format!("heartbeat {} of epoch {}", claim.seq, claim.epoch.as_u64()),
            Message::Resign(resign) => format!("resignation of epoch {}", resign.epoch.as_u64()),
            Message::Answer(answer) => {
                let named = answer.row.incarnation.map_or_else(|| "empty".to_owned(), who);
                format!("answer {}: {named}", answer.tag)
            }
            Message::Seal { epoch, .. } => format!("seal of epoch {}", epoch.as_u64()),
            Message::Sealed { epoch, .. } => format!("epoch {} is sealed", epoch.as_u64()),
            Message::Operate { epoch, number, .. } => format!("operation {number} of epoch {}", epoch.as_u64()),
            Message::Refused { epoch, .. } => format!("epoch {} is refused", epoch.as_u64()),
        }
    }

    fn bytes(machine: &Member) -> usize {
        let of_kind = 128;
        size_of::<Member>()
            + match machine {
                Member::Table(server) => size_of_val(&**server) + of_kind + 16,
                Member::Resource(server) => size_of_val(&**server) + 32,
                Member::Candidate(candidate) => size_of_val(&**candidate),
                Member::Resolver(resolver) => size_of_val(&**resolver),
            }
    }
}

/// A message about a seat of another protocol, whose incarnations are drawn and say nothing to a reader.
pub(crate) fn say_of_seat(message: &Message) -> String {
    match message {
        Message::Answer(Answer { tag, row: Row { incarnation: Some(_), epoch, .. }, .. }) => {
            format!("answer {tag}: held in epoch {}", epoch.as_u64())
        }
        message => Election::say(message),
    }
}

fn candidate_in_words(candidate: &Candidate) -> String {
    let epoch = candidate.epoch().as_u64();
    let life = candidate.refined().life;
    match candidate.phase() {
        Phase::Standby => format!("standby, life {life}"),
        Phase::Sealing => format!("seals epoch {epoch}, life {life}"),
        Phase::Primary => format!("works as primary in epoch {epoch}, life {life}"),
        Phase::Stopping => format!("stops its work in epoch {epoch}, life {life}"),
    }
}

/// An incarnation: the node, the start of its process and the life within it; of a reused one, the node.
fn who(incarnation: failproof_core::Incarnation) -> String {
    let (mint, life) = (incarnation.mint, incarnation.life);
    match (mint >> 8).checked_sub(u64::from(RESOURCE) + 1) {
        Some(node) => format!("n{node} (start {}, life {life})", mint & 0xff),
        None => format!("n{}", (mint / Affinity::KINDS as u64).saturating_sub(u64::from(RESOURCE) + 1)),
    }
}
