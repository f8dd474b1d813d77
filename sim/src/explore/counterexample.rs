//! A shortest way to a broken property: in words, and as a plan that breaks it again in the simulator.
//!
//! The moves of one quantum become events a few microseconds apart, in their order. Timers cannot be placed: they fire when
//! they are due, which is where the events that armed them left them, so the events of each quantum lie a little later in it
//! than those of the quantum before. Then what was true of whole quanta stays true: a wait that was over is over.
//!
//! The words of the search differ from those of a run in little: a message that is never delivered is lost, a process that
//! starts late is one that is down from the beginning. Whether a plan breaks the property is not argued, but tried.

use super::space::{Move, Space, Status};
use super::{Explored, Outcome, Search, Stopped};
use crate::clock::Clock;
use crate::engine::Engine;
use crate::event::ActorId;
use crate::fault::{Fault, FaultKind, Place};
use crate::plan::{Fate, Found, Plan};
use crate::protocol::{Act, Boot, Cause, Stimulus, StoreFate};
use failproof_core::Machine;
use failproof_spec::Property;
use serde::Serialize;
use std::sync::Arc;

/// One move in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// When, in true microseconds; whole quanta.
    pub at_us: u64,
    /// Who: a place, or `time`.
    pub who: String,
    /// What happens.
    pub what: String,
    /// What it changes; empty if nothing that a reader would ask for.
    pub changed: String,
}

/// A shortest way to a state that breaks a property.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The property.
    pub property: Property,
    /// The moves.
    pub moves: Vec<Told>,
    /// A plan that breaks the same property in the reference engine, with what was found; `None` if none of the ways that
    /// were tried does.
    pub plan: Option<Plan>,
    /// How many ways were tried.
    pub tried: usize,
}

/// How many ways are tried until one replays.
const TRIED_MAX: usize = 256;
/// How far the events of a quantum are apart from those of the quantum before, at most; in microseconds.
const SLOT_US_MAX: u64 = 1_000;
/// How many events a slot has room for.
const SLOT_EVENTS: u64 = 64;

impl Counterexample {
    /// The first of the shortest ways that replays; else the first one.
    pub(super) fn of<P: Explored>(search: &mut Search<'_, P>, outcome: &Outcome) -> Option<Self> {
        let Stopped::Broken(property) = outcome.stopped else { return None };
        let mut first = None;
        let mut tried = 0;
        for state in outcome.broken.iter().take(TRIED_MAX) {
            tried += 1;
            let way = search.way(*state);
            if let Some(plan) = Replica::plan(search.space(), &way).and_then(|plan| confirmed(plan, property)) {
                let moves = tell(search.space(), &way);
                return Some(Self { property, moves, plan: Some(plan), tried });
            }
            first.get_or_insert(way);
        }
        let moves = tell(search.space(), &first?);
        Some(Self { property, moves, plan: None, tried })
    }
}

/// The plan with what it was found to break, if it does break it.
fn confirmed(mut plan: Plan, property: Property) -> Option<Plan> {
    plan.check().ok()?;
    let shared = Arc::new(plan.clone());
    let (report, _) = Engine::Fast.run(&shared, false).ok()?;
    let violation = report.violations.iter().find(|violation| violation.property == property.name())?;
    plan.found = Some(Found {
        property: property.name().to_owned(),
        at_us: violation.at_us,
        trace_hash: format!("{:032x}", report.trace_hash),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    Some(plan)
}

fn tell<P: Explored>(space: &mut Space<'_, P>, way: &[(Move, Vec<u32>)]) -> Vec<Told> {
    let quantum_us = space.instance().bounds().quantum.as_micros();
    let mut before = space.initial();
    let mut told = Vec::new();
    for (what, after) in way {
        let sent = space.sent_by(&before, *what);
        let place = |actor: ActorId| space.cast()[usize::from(actor)].place;
        let message = |id: u32| P::say(space.flight(id).1);
        let (who, text) = match *what {
            Move::Start(actor) => (Some(actor), "starts".to_owned()),
            Move::Fire(actor) => (Some(actor), "its timer fires".to_owned()),
            Move::Settle(actor) => (Some(actor), "has caught up".to_owned()),
            Move::Resume(actor) => (Some(actor), "goes on".to_owned()),
            Move::Pause(actor) => (Some(actor), "is paused".to_owned()),
            Move::Crash(actor) => (Some(actor), "crashes".to_owned()),
            Move::Wipe => (Some(0), "restarts empty".to_owned()),
            Move::Tick => (None, "passes".to_owned()),
            Move::Deliver(id) => {
                let flight = space.flight(id).0;
                (Some(flight.to), format!("gets {} from {}", message(id), place(flight.from)))
            }
            Move::Leave(id) => (Some(space.flight(id).0.from), format!("{} leaves it", message(id))),
        };
        let mut changed = Vec::new();
        if let Some(actor) = who {
            let describe = |state: &[u32]| space.unpack(state).machines[usize::from(actor)].map(P::describe);
            let (former, present) = (describe(&before), describe(after));
            if former != present {
                changed.extend(present);
            }
        }
        for id in sent {
            let flight = space.flight(id).0;
            let verb = if flight.held { "prepares" } else { "sends" };
            changed.push(format!("{verb} {} to {}", message(id), place(flight.to)));
        }
        if ghost_changed(space, &before, after) {
            changed.push(format!("{:?}", space.unpack(after).ghost));
        }
        told.push(Told {
            at_us: u64::from(space.unpack(after).now) * quantum_us,
            who: who.map_or_else(|| "time".to_owned(), |actor| place(actor).to_string()),
            what: text,
            changed: changed.join("; "),
        });
        before.clone_from(after);
    }
    told
}

fn ghost_changed<P: Explored>(space: &Space<'_, P>, before: &[u32], after: &[u32]) -> bool {
    space.unpack(before).ghost != space.unpack(after).ghost
}

/// A message that was sent in true time.
struct Posted<M> {
    /// Its number in the search.
    id: u32,
    /// The same with the times of this world.
    message: M,
    from: ActorId,
    to: ActorId,
    sent_us: u64,
    /// When it arrives; lost if absent.
    arrives_us: Option<u64>,
    /// An operation that has not left yet.
    held: bool,
    gone: bool,
}

/// A process in true time.
struct Process<M> {
    machine: Option<M>,
    clock: Clock,
    /// Its last step.
    stepped_us: u64,
    down_from_us: Option<u64>,
    paused_from_us: Option<u64>,
    resumed_us: u64,
}

/// The moves of a way once more, by machines of its own, at true times.
struct Replica<P: Explored> {
    plan: Plan,
    processes: Vec<Process<P::Machine>>,
    places: Vec<Place>,
    posted: Vec<Posted<P::Message>>,
    outputs: Vec<P::Output>,
    now_us: u64,
    step_us: u64,
}

impl<P: Explored> Replica<P> {
    /// The plan of a way; `None` if its moves cannot be placed in true time.
    fn plan(space: &mut Space<'_, P>, way: &[(Move, Vec<u32>)]) -> Option<Plan> {
        let bounds = *space.instance().bounds();
        let quantum_us = bounds.quantum.as_micros();
        let slot_us = (quantum_us / (4 * (u64::from(bounds.horizon) + 2))).clamp(1, SLOT_US_MAX);
        let mut before = space.initial();
        let mut replica = Self::new(space, (slot_us / SLOT_EVENTS).max(1), slot_us);
        for (what, after) in way {
            let sent = space.sent_by(&before, *what);
            let state = space.unpack(&before);
            let late =
                |actor: ActorId| state.statuses.iter().any(|(id, status, _)| (*id, *status) == (actor, Status::Late));
            match *what {
                Move::Tick => {
                    let quanta = u64::from(state.now) + 1;
                    replica.now_us = replica.now_us.max(quanta * quantum_us + (quanta + 1) * slot_us);
                }
                Move::Start(actor) => replica.start(actor),
                Move::Fire(actor) => replica.fire(actor, late(actor), &sent)?,
                Move::Settle(actor) => {
                    replica.now_us = replica.now_us.max(replica.processes[usize::from(actor)].resumed_us + 1);
                }
                Move::Resume(actor) => replica.resume(actor),
                Move::Deliver(id) => replica.deliver(id, &sent)?,
                Move::Leave(id) => replica.leave(id, sent[0])?,
                Move::Pause(actor) => {
                    let at_us = replica.next();
                    replica.processes[usize::from(actor)].paused_from_us = Some(at_us);
                }
                Move::Crash(actor) => replica.crash(actor),
                Move::Wipe => replica.wipe(u32::from(state.used[2]) + 1),
            }
            before.clone_from(after);
        }
        Some(replica.finish(slot_us))
    }

    fn new(space: &mut Space<'_, P>, step_us: u64, first_us: u64) -> Self {
        let plan = space.instance().plan().clone();
        let cast = space.cast().to_vec();
        let mut replica = Self {
            plan,
            processes: Vec::new(),
            places: cast.iter().map(|actor| actor.place).collect(),
            posted: Vec::new(),
            outputs: Vec::new(),
            now_us: first_us,
            step_us,
        };
        for (id, actor) in cast.iter().enumerate() {
            let serves = matches!(actor.place, Place::Store | Place::Resource);
            replica.processes.push(Process {
                machine: None,
                clock: space.clock(id as ActorId),
                stepped_us: 0,
                down_from_us: (!serves).then_some(0),
                paused_from_us: None,
                resumed_us: 0,
            });
            if serves {
                replica.boot(id as ActorId, 0, 0);
            }
        }
        replica
    }

    fn next(&mut self) -> u64 {
        self.now_us += self.step_us;
        self.now_us
    }

    fn boot(&mut self, actor: ActorId, at_us: u64, generation: u32) {
        let id = usize::from(actor);
        let now = self.processes[id].clock.read(at_us);
        let boot = Boot {
            disk: None,
            entropy: u64::from(actor) << 32 | at_us & 0xffff_ffff,
            image: u64::from(actor),
            timeout: self.plan.options.heartbeat_timeout(),
            generation,
            wall: now,
            now,
            first: at_us == 0,
        };
        let cast = P::cast(&self.plan);
        self.processes[id].machine = Some(P::boot(&self.plan, &cast[id], boot));
        self.processes[id].stepped_us = at_us;
    }

    fn start(&mut self, actor: ActorId) {
        let at_us = self.next();
        self.boot(actor, at_us, 0);
        if let Some(from_us) = self.processes[usize::from(actor)].down_from_us.take() {
            self.down(actor, from_us, at_us);
        }
    }

    fn fault(&mut self, kind: FaultKind, from_us: u64, to_us: u64) {
        let id = self.plan.faults.len() as u32;
        self.plan.faults.push(Fault { id, kind, at_us: from_us, for_us: to_us - from_us });
    }

    fn down(&mut self, actor: ActorId, from_us: u64, to_us: u64) {
        let node = self.places[usize::from(actor)];
        self.fault(FaultKind::Crash { node, durable: true }, from_us, to_us);
    }

    fn still(&mut self, actor: ActorId, to_us: u64) {
        if let Some(from_us) = self.processes[usize::from(actor)].paused_from_us.take() {
            let node = self.places[usize::from(actor)];
            self.fault(FaultKind::Pause { node }, from_us, to_us);
        }
    }

    fn resume(&mut self, actor: ActorId) {
        let at_us = self.next();
        self.still(actor, at_us);
        self.processes[usize::from(actor)].resumed_us = at_us;
    }

    fn crash(&mut self, actor: ActorId) {
        let at_us = self.next();
        self.still(actor, at_us);
        let process = &mut self.processes[usize::from(actor)];
        process.machine = None;
        process.down_from_us = Some(at_us);
        for posted in &mut self.posted {
            posted.gone |= if posted.held { posted.from == actor } else { posted.to == actor };
        }
    }

    fn wipe(&mut self, generation: u32) {
        let at_us = self.next();
        self.fault(FaultKind::Wipe {}, at_us, at_us + 1);
        self.now_us = at_us + 1;
        self.boot(0, at_us + 1, generation);
        self.posted.iter_mut().for_each(|posted| posted.gone |= !posted.held && posted.to == 0);
    }

    /// A timer fires when it is due, or as soon as its process goes on.
    fn fire(&mut self, actor: ActorId, late: bool, sent: &[u32]) -> Option<()> {
        let process = &self.processes[usize::from(actor)];
        let due_us = process.clock.when(process.machine.as_ref()?.deadline()?)?;
        let at_us = match late && process.stepped_us < process.resumed_us {
            true => due_us.max(process.resumed_us),
            false => due_us.max(process.stepped_us + 1),
        };
        self.now_us = self.now_us.max(at_us);
        self.step(actor, Cause::Timer, at_us, actor, sent)
    }

    fn deliver(&mut self, id: u32, sent: &[u32]) -> Option<()> {
        let at_us = self.next();
        let which = self.posted.iter().position(|posted| {
            posted.id == id && !posted.gone && !posted.held && posted.arrives_us.is_none() && posted.sent_us < at_us
        })?;
        self.posted[which].arrives_us = Some(at_us);
        let (from, to) = (self.posted[which].from, self.posted[which].to);
        let message = self.posted[which].message;
        self.step(to, Cause::Message(&message), at_us, from, sent)
    }

    /// An operation leaves when it is done, or as soon as its process goes on.
    fn leave(&mut self, id: u32, as_message: u32) -> Option<()> {
        let which = self.posted.iter().position(|posted| posted.id == id && posted.held && !posted.gone)?;
        let posted = &mut self.posted[which];
        let resumed_us = self.processes[usize::from(posted.from)].resumed_us;
        posted.sent_us = posted.sent_us.max(resumed_us);
        posted.held = false;
        posted.id = as_message;
        self.now_us = self.now_us.max(posted.sent_us);
        Some(())
    }

    fn step(
        &mut self,
        actor: ActorId,
        cause: Cause<'_, P::Message, P::Command>,
        at_us: u64,
        source: ActorId,
        sent: &[u32],
    ) -> Option<()> {
        let process = &mut self.processes[usize::from(actor)];
        let now = process.clock.read(at_us);
        let stimulus = Stimulus { wall: now, fate: StoreFate::Serve, cause };
        self.outputs.clear();
        process.machine.as_mut()?.handle(now, stimulus, &mut self.outputs);
        process.stepped_us = at_us;
        let mut ids = sent.iter();
        for output in &self.outputs {
            let (to, message, after_us, held) = match P::act(output) {
                Act::Send(to, message) => (to.unwrap_or(source), *message, 0, false),
                Act::Effect(to, message, after) => (to, *message, after.as_micros().max(1), true),
                Act::Tell => continue,
            };
            let (id, sent_us) = (*ids.next()?, at_us + after_us);
            self.posted.push(Posted { id, message, from: actor, to, sent_us, arrives_us: None, held, gone: false });
        }
        ids.next().is_none().then_some(())
    }

    fn finish(mut self, rest_us: u64) -> Plan {
        let end_us = self.now_us + rest_us;
        for id in 0..self.processes.len() {
            let actor = id as ActorId;
            if let Some(from_us) = self.processes[id].down_from_us {
                self.down(actor, from_us, end_us + 1);
            }
            self.still(actor, end_us + 1);
        }
        self.plan.options.set_time_us(end_us);
        // A link counts its messages in the order in which they are sent.
        let mut order: Vec<_> = self.posted.iter().filter(|posted| !posted.held).collect();
        order.sort_by_key(|posted| (posted.from, posted.to, posted.sent_us));
        let latency_us = self.plan.noise.latency_us_min;
        let (mut link, mut which) = (None, 0);
        for posted in order {
            which = if link == Some((posted.from, posted.to)) { which + 1 } else { 0 };
            link = Some((posted.from, posted.to));
            let delay_us = posted.arrives_us.map(|at_us| (at_us - posted.sent_us).saturating_sub(latency_us));
            let [from, to] = [posted.from, posted.to].map(|actor| self.places[usize::from(actor)]);
            self.plan.fates.push(Fate { from, to, which, delay_us });
        }
        self.plan
    }
}
