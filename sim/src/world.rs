//! The world: nodes, clocks, network, store. The one place that calls a machine, records its step and has it judged.
//!
//! A world does not let time pass: an engine does, and hands it one event after another in the order of
//! [`Event::key`]. What follows from a step, it puts in the engine's own [`Pending`].

mod environment;

use crate::chance::{Concern, Stream};
use crate::clock::Clock;
use crate::event::{ActorId, Event, Key, Kind};
use crate::fault::{Access, FaultKind, Place};
use crate::letters::{Letter, Letters};
use crate::network::{Delivery, Network};
use crate::note::{Condition, Note, Notes};
use crate::place::PlaceState;
use crate::plan::Plan;
use crate::protocol::{Act, Actor, Boot, Cause, Judge, Noted, Protocol, Step, Stimulus, StoreFate};
use crate::report::RunReport;
use crate::trace::{Received, Record, Refined, Sent, Trace};
use failproof_core::{Duration, Instant, Machine};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a world puts the events that follow from what happens.
pub trait Pending {
    /// Adds an event that is not a timer.
    fn add(&mut self, event: Event);
    /// Sets an actor's timer. The one that the actor had does not count any more.
    fn set_timer(&mut self, timer: Event);
}

/// For an engine that sorts them itself.
impl Pending for Vec<Event> {
    fn add(&mut self, event: Event) {
        self.push(event);
    }

    fn set_timer(&mut self, timer: Event) {
        self.push(timer);
    }
}

/// What the environment asks of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// End all processes of a place. Keep what their disks hold if `durable`.
    Kill {
        /// Its index.
        place: usize,
        /// Whether its disks survive.
        durable: bool,
    },
    /// Start all processes of a place.
    Start {
        /// Its index.
        place: usize,
    },
    /// Let its processes stand still.
    Pause {
        /// Its index.
        place: usize,
    },
    /// Let them go on: what waited happens now.
    Resume {
        /// Its index.
        place: usize,
    },
    /// A network fault began or ended, for engines that have a network of their own.
    Rewire,
}

/// Whether an event happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It does.
    Open,
    /// It was for an earlier start of the process, or for a timer that was armed anew.
    Void,
    /// It waits until the place resumes.
    Waits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Agenda {
    Settle(usize),
    End(usize),
    Begin(usize),
    Task(usize),
}

/// Why a timer is set anew although its deadline stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rearm {
    ClockChanged,
    Resumed,
}

#[derive(Debug)]
struct ActorState<D> {
    place: usize,
    boot: u32,
    lives_before: u32,
    life: u32,
    /// [`FAR`] without one.
    deadline: Instant,
    wake_us: u64,
    arming: u32,
    late: Stream,
    late_us: u64,
    effects: u32,
    disk: Option<D>,
}

/// The simulated whole.
#[derive(Debug)]
pub struct World<P: Protocol, Q> {
    plan: Arc<Plan>,
    cast: Vec<Actor>,
    actors: Vec<ActorState<P::Disk>>,
    /// The places by index; the store is the first.
    names: Vec<Place>,
    /// The index of each place.
    index: BTreeMap<Place, usize>,
    places: Vec<PlaceState>,
    resolved: Vec<FaultKind>,
    starts: Vec<Stream>,
    network: Network,
    store_faults: Vec<(usize, FaultKind)>,
    agenda: Vec<(u64, Agenda)>,
    agenda_next: usize,
    generation: u32,
    faults_seen: Vec<u64>,
    outputs: Vec<P::Output>,
    pending: Q,
    /// The messages under way, and the commands.
    messages: Letters<P::Message>,
    commands: Letters<P::Command>,
    cut_off: Vec<ActorId>,
    judge: P::Judge,
    trace: Trace,
    notes: Notes,
    /// Clocks and conditions of the places as they were noted last; empty in a run that keeps no records.
    noted: Vec<(Clock, Clock, Condition)>,
}

/// Never armed.
const NEVER: u64 = u64::MAX;
/// The deadline of who waits for messages only.
const FAR: Instant = Instant::from_micros(u64::MAX);
const STORE: usize = 0;

impl<P: Protocol, Q: Pending> World<P, Q> {
    /// A world in which nothing has started yet. `plan` has been checked; `record` keeps the trace's records.
    #[must_use]
    pub fn new(plan: Arc<Plan>, record: bool, pending: Q) -> Self {
        let cast = P::cast(&plan);
        let options = &plan.options;
        let counts_suspended = P::counts_suspended_time(&plan);
        let names = P::places(P::options(&plan));
        let index: BTreeMap<_, _> = names.iter().enumerate().map(|(index, place)| (*place, index)).collect();
        let timeout = options.heartbeat_timeout();
        let state = |(index, place): (usize, &Place)| {
            let clock = options.clocks().iter().find(|clock| clock.node == *place);
            let (ahead_us, ppm) = clock.map_or((0, 0), |clock| (clock.ahead_us, clock.ppm));
            PlaceState::new(timeout, index < P::STORES, ahead_us, ppm, counts_suspended, index as u64 + 1)
        };
        let places: Vec<_> = names.iter().enumerate().map(state).collect();
        let actors = cast
            .iter()
            .enumerate()
            .map(|(id, actor)| ActorState {
                place: index[&actor.place],
                boot: 0,
                lives_before: 0,
                life: 0,
                deadline: FAR,
                wake_us: NEVER,
                arming: 0,
                late: Stream::new(plan.noise.seed, Concern::Timer, id as u16, 0),
                late_us: 0,
                effects: 0,
                disk: None,
            })
            .collect();
        let mut agenda = Vec::new();
        for (i, fault) in plan.faults.iter().enumerate() {
            agenda.push((fault.at_us, Agenda::Begin(i)));
            agenda.push((fault.end_us(), Agenda::End(i)));
            if matches!(fault.kind, FaultKind::Pause { .. } | FaultKind::Suspend { .. }) {
                // Behind a message that waited, a timer that passed may fire as late as any other one.
                let late_us = if P::TIMERS_FIRST { 0 } else { plan.noise.timer_late_us_max + 1 };
                agenda.push((fault.end_us() + 1 + late_us, Agenda::Settle(i)));
            }
        }
        agenda.extend(plan.workload.iter().enumerate().map(|(i, task)| (task.at_us, Agenda::Task(i))));
        agenda.sort_unstable();
        let mut world = Self {
            network: Network::new(
                cast.iter().map(|actor| actor.place).collect(),
                plan.noise,
                plan.quiet_us(),
                &plan.fates,
            ),
            starts: (0..places.len()).map(|i| Stream::new(plan.noise.seed, Concern::Start, i as u16, 0)).collect(),
            resolved: plan.faults.iter().map(|fault| fault.kind.clone()).collect(),
            faults_seen: vec![0; FaultKind::NAMES.len()],
            judge: P::judge(&plan, &cast),
            trace: Trace::new(record),
            notes: Notes::default(),
            noted: Vec::new(),
            store_faults: Vec::new(),
            agenda_next: 0,
            generation: 0,
            outputs: Vec::with_capacity(8),
            pending,
            messages: Letters::default(),
            commands: Letters::default(),
            cut_off: Vec::new(),
            actors,
            agenda,
            names,
            index,
            places,
            cast,
            plan,
        };
        if record {
            world.judge.keep_notes();
            world.notes.keep();
            world.note_places(0);
        }
        // A clock can be out of its bound from the start.
        for place in 0..world.places.len() {
            world.health_changed(place, 0);
        }
        world
    }

    /// What this run is made of.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The actors.
    #[must_use]
    pub fn cast(&self) -> &[Actor] {
        &self.cast
    }

    /// The actors of a place.
    pub fn actors_at(&self, place: usize) -> impl Iterator<Item = ActorId> + '_ {
        (0..self.actors.len()).filter(move |id| self.actors[*id].place == place).map(|id| id as ActorId)
    }

    /// How many places there are.
    #[must_use]
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// Which start of an actor's process this is.
    #[must_use]
    pub fn boot_of(&self, actor: ActorId) -> u32 {
        self.actors[usize::from(actor)].boot
    }

    /// The index of an actor's place.
    #[must_use]
    pub fn place_of(&self, actor: ActorId) -> usize {
        self.actors[usize::from(actor)].place
    }

    /// The events that followed.
    pub const fn pending(&mut self) -> &mut Q {
        &mut self.pending
    }

    /// To whom the last step sent something although no way led there. An engine with a network of its own sends it all
    /// the same, to lose it there.
    #[must_use]
    pub fn cut_off(&self) -> &[ActorId] {
        &self.cut_off
    }

    /// Whether no way leads from one place to another now.
    #[must_use]
    pub fn is_cut(&self, source: usize, target: usize) -> bool {
        self.network.is_cut(self.names[source], self.names[target])
    }

    /// Whether messages travel between two places.
    #[must_use]
    pub fn talks(&self, one: usize, other: usize) -> bool {
        P::talks(self.names[one], self.names[other])
    }

    /// The index of a place of a checked plan. `primary` has none; it is resolved before.
    fn index_of(&self, place: Place) -> usize {
        self.index[&place]
    }

    /// When the environment acts next.
    #[must_use]
    pub fn agenda_us(&self) -> Option<u64> {
        self.agenda.get(self.agenda_next).map(|(at_us, _)| *at_us)
    }

    /// Starts an actor's process, for the first time or again.
    pub fn start(&mut self, actor: ActorId, at_us: u64) -> P::Machine {
        let id = usize::from(actor);
        let state = &mut self.actors[id];
        let place = &self.places[state.place];
        let now = place.clock.read(at_us);
        let boot = Boot {
            disk: state.disk.take(),
            entropy: self.starts[state.place].word(),
            image: place.image,
            timeout: place.timeout,
            generation: self.generation,
            wall: place.wall.read(at_us),
            now,
            first: state.boot == 0,
            upgraded: place.upgraded,
        };
        state.boot += 1;
        state.life = state.lives_before + 1;
        let machine = P::boot(&self.plan, &self.cast[id], boot);
        self.arm(actor, machine.deadline().unwrap_or(FAR), at_us);
        machine
    }

    /// Keeps what an actor's disk holds, to be found by its next start; or what is left of it, if it is lost.
    pub fn keep_disk(&mut self, actor: ActorId, disk: Option<P::Disk>, durable: bool) {
        self.actors[usize::from(actor)].disk = if durable { disk } else { disk.and_then(P::left_of) };
    }

    /// Whether an event that is due happens.
    #[must_use]
    pub fn gate(&self, event: &Event) -> Gate {
        let actor = &self.actors[usize::from(event.key.target())];
        let place = &self.places[actor.place];
        if actor.boot != event.boot || place.down > 0 {
            return Gate::Void;
        }
        if event.is_timer() && event.key.counter() != actor.arming {
            return Gate::Void;
        }
        if place.paused > 0 {
            return if event.is_timer() { Gate::Void } else { Gate::Waits };
        }
        Gate::Open
    }

    /// An event that can no longer happen is forgotten.
    pub fn drop_event(&mut self, event: &Event) {
        match event.key.kind() {
            Kind::Message if P::RESOURCE == Some(event.key.target()) => {
                self.effect_gone(event.key.source(), event.life)
            }
            Kind::Effect => self.effect_gone(event.key.source(), event.life),
            _ => {}
        }
        self.forget_letter(event);
    }

    /// What an event carried is no longer needed.
    fn forget_letter(&mut self, event: &Event) {
        match event.key.kind() {
            Kind::Command => self.commands.forget(event.letter),
            Kind::Message | Kind::Effect => self.messages.forget(event.letter),
            Kind::Passed | Kind::Timer => {}
        }
    }

    fn effect_gone(&mut self, actor: ActorId, life: u32) {
        self.judge.in_flight(actor, life, false);
    }

    /// Lets `machine`, the target of `event`, take its step at the event's nominal time.
    #[inline(always)]
    pub fn step(&mut self, machine: &mut P::Machine, event: &Event) {
        let (at_us, target, source) = (event.key.at_us(), event.key.target(), event.key.source());
        let id = usize::from(target);
        let ActorState { place, lives_before, .. } = self.actors[id];
        let now = self.places[place].clock.read(at_us);
        let cause = match event.key.kind() {
            Kind::Passed | Kind::Timer => Cause::Timer,
            Kind::Command => Cause::Command(*self.commands.get(event.letter)),
            Kind::Message => Cause::Message(self.messages.get(event.letter)),
            Kind::Effect => {
                self.leave(event);
                return;
            }
        };
        let (fate, muted) = match cause {
            Cause::Message(message) if place < P::STORES && !self.store_faults.is_empty() => {
                let fate = self.fate(source, message);
                (fate, fate.is_some() && self.answer_lost(source, message))
            }
            _ => (Some(StoreFate::Serve), false),
        };
        if let Some(fate) = fate {
            let wall = self.places[place].wall.read(at_us);
            machine.handle(now, Stimulus { wall, fate, cause }, &mut self.outputs);
        }
        let life = lives_before + P::life(machine);
        self.actors[id].life = life;
        let step = Step {
            at_us,
            actor: target,
            life,
            source,
            source_life: event.life,
            cause,
            machine,
            outputs: &self.outputs,
        };
        let noted = if fate.is_some() { self.judge.observe(&step) } else { Noted::default() };
        let digest = match cause {
            Cause::Message(message) => P::digest(message),
            Cause::Timer | Cause::Command(_) => 0,
        };
        let action = noted.action.map_or(0, |name| u64::from(name.as_bytes()[name.len() - 1]) << 8 | name.len() as u64);
        let what = event.key.what() | (self.outputs.len() as u64) << 56;
        let state = now.as_micros().rotate_left(24) ^ u64::from(event.life) ^ action.rotate_right(16);
        self.trace.add(&[event.key.when(), what, state, digest.rotate_left(1) ^ noted.refined]);
        let recorded = self.trace.records_kept();
        if recorded {
            self.keep_record(event, now, fate, muted, noted.action);
        }
        self.forget_letter(event);
        if P::RESOURCE == Some(target) && event.key.kind() == Kind::Message {
            self.effect_gone(source, event.life);
        }
        if muted {
            self.outputs.clear();
        }
        self.cut_off.clear();
        if !self.outputs.is_empty() {
            if recorded {
                self.carry_out::<true>(target, source, life, at_us);
            } else {
                self.carry_out::<false>(target, source, life, at_us);
            }
        }
        let deadline = machine.deadline().unwrap_or(FAR);
        // A deadline ahead that stays where it was keeps its timer: whatever changes the clock sets the timer itself.
        if self.actors[id].deadline != deadline || deadline <= now {
            self.arm(target, deadline, at_us);
        }
    }

    /// Does what `actor`, whom `asker` made do something, asks for. `RECORDED`: the step has a record, which tells what
    /// becomes of what was sent.
    #[inline(always)]
    fn carry_out<const RECORDED: bool>(&mut self, actor: ActorId, asker: ActorId, life: u32, at_us: u64) {
        let mut outputs = std::mem::take(&mut self.outputs);
        for output in &outputs {
            match P::act(output) {
                Act::Send(target, message) => {
                    let target = target.unwrap_or(asker);
                    let sent = self.send(actor, target, life, at_us, message);
                    if RECORDED {
                        self.keep_sent(target, message, sent);
                    }
                }
                Act::Effect(_, message, after) => self.begin_effect(actor, life, at_us, message, after),
                Act::Tell => {}
            }
        }
        outputs.clear();
        self.outputs = outputs;
    }

    fn keep_record(
        &mut self,
        event: &Event,
        now: Instant,
        fate: Option<StoreFate>,
        muted: bool,
        action: Option<&'static str>,
    ) {
        let (judged, noted) = (self.judge.take_notes(), self.notes.take());
        let place_of = |actor: ActorId| self.cast[usize::from(actor)].place;
        let at_us = event.key.at_us();
        let note = match (fate, muted) {
            (None, _) => Some("refused"),
            (Some(StoreFate::ReadAt(_)), _) => Some("stale"),
            (Some(StoreFate::Corrupt), _) => Some("corrupt"),
            (Some(StoreFate::Serve), true) => Some("answer lost"),
            (Some(StoreFate::Serve), false) => None,
        };
        let received = (event.key.kind() == Kind::Message).then(|| Received {
            source: event.key.source(),
            number: event.key.counter(),
            word: P::word(self.messages.get(event.letter)),
            fate: note,
        });
        let cause = match event.key.kind() {
            Kind::Passed | Kind::Timer => "timer".to_owned(),
            Kind::Command => format!("{:?}", self.commands.get(event.letter)),
            Kind::Message | Kind::Effect => {
                let note = note.map_or_else(String::new, |note| format!(" {note}"));
                format!("from {}: {:?}{note}", place_of(event.key.source()), self.messages.get(event.letter))
            }
        };
        let record = Record {
            step: self.trace.steps() - 1,
            true_us: at_us,
            node: place_of(event.key.target()).to_string(),
            actor: Some(event.key.target()),
            node_us: now.as_micros(),
            store_us: self.places[STORE].clock.read(at_us).as_micros(),
            cause,
            received,
            action,
            state: self.judge.describe(event.key.target()),
            outputs: self.outputs.iter().map(|output| format!("{output:?}")).collect(),
            sent: Vec::new(),
            notes: noted.into_iter().chain(judged).collect(),
        };
        self.trace.keep(record);
    }

    /// The record of the last step tells what becomes of a message that it sent.
    #[cold]
    fn keep_sent(&mut self, target: ActorId, message: &P::Message, (delivery, late_us, at_us): (Delivery, u64, u64)) {
        let arrives = |after_us: Option<u64>| after_us.map(|after_us| at_us + late_us + after_us.max(1));
        let sent = Sent {
            target,
            number: delivery.counter,
            word: P::word(message),
            arrives_us: arrives(delivery.after_us),
            again_us: arrives(delivery.again_after_us),
            cut: delivery.cut,
        };
        if let Some(record) = self.trace.last_mut() {
            record.sent.push(sent);
        }
    }

    /// Keeps a record of what the environment did.
    fn keep_act(&mut self, at_us: u64, place: Option<Place>, cause: String) {
        self.note_places(at_us);
        let (judged, noted) = (self.judge.take_notes(), self.notes.take());
        let store_us = self.places[STORE].clock.read(at_us).as_micros();
        let record = Record {
            step: self.trace.steps() - 1,
            true_us: at_us,
            node: place.map_or("world".to_owned(), |place| place.to_string()),
            actor: None,
            node_us: place.map_or(at_us, |place| self.places[self.index_of(place)].clock.read(at_us).as_micros()),
            store_us,
            cause,
            received: None,
            action: None,
            state: Refined::default(),
            outputs: Vec::new(),
            sent: Vec::new(),
            notes: noted.into_iter().chain(judged).collect(),
        };
        self.trace.keep(record);
    }

    /// Notes which places are not as they were when this was asked last.
    fn note_places(&mut self, at_us: u64) {
        for (at, place) in self.places.iter().enumerate() {
            let condition =
                Condition { down: place.down > 0, paused: place.paused > 0, suspended: place.suspended > 0 };
            let now = (place.clock, place.wall, condition);
            let place = self.names[at];
            let before = self.noted.get_mut(at).map(|noted| std::mem::replace(noted, now));
            if before.is_none_or(|before| (before.0, before.1) != (now.0, now.1)) {
                self.notes.add(|| Note::Clock {
                    place,
                    shows_us: now.0.read(at_us).as_micros(),
                    rate: now.0.rate(),
                    wall_us: now.1.read(at_us).as_micros(),
                    wall_rate: now.1.rate(),
                });
            }
            if before.is_some_and(|before| before.2 != condition) {
                self.notes.add(|| Note::Condition { place, condition });
            }
            if before.is_none() {
                self.noted.push(now);
            }
        }
    }

    /// What the store does with a message; `None` if nothing.
    fn fate(&self, source: ActorId, message: &P::Message) -> Option<StoreFate> {
        let Some(access) = P::access(message) else { return Some(StoreFate::Serve) };
        let mut fate = Some(StoreFate::Serve);
        for (_, kind) in &self.store_faults {
            match kind {
                FaultKind::Refuse { node, access: hit } if self.hits(*node, source) && hit.covers(access) => {
                    return None;
                }
                FaultKind::ReadOnly {} if access == Access::Write => return None,
                FaultKind::StaleRead { node, by_us } if self.hits(*node, source) && access == Access::Read => {
                    fate = Some(StoreFate::ReadAt(Duration::from_micros(*by_us)));
                }
                FaultKind::Corrupt { node, access: hit } if self.hits(*node, source) && hit.covers(access) => {
                    fate = Some(StoreFate::Corrupt);
                }
                _ => {}
            }
        }
        fate
    }

    fn answer_lost(&self, source: ActorId, message: &P::Message) -> bool {
        P::access(message).is_some_and(|access| {
            self.store_faults.iter().any(|(_, kind)| match kind {
                FaultKind::LostAck { node, access: hit } => self.hits(*node, source) && hit.covers(access),
                _ => false,
            })
        })
    }

    fn hits(&self, node: Option<Place>, source: ActorId) -> bool {
        node.is_none_or(|place| place == self.cast[usize::from(source)].place)
    }

    #[inline(always)]
    fn send(
        &mut self,
        source: ActorId,
        target: ActorId,
        life: u32,
        at_us: u64,
        message: &P::Message,
    ) -> (Delivery, u64, u64) {
        let delivery = self.network.deliver(at_us, source, target);
        if delivery.cut {
            self.cut_off.push(target);
        }
        let state = &self.actors[usize::from(target)];
        let boot = state.boot;
        let late_us = match state.place < P::STORES && !self.store_faults.is_empty() {
            true => self.late_us(source, message),
            false => 0,
        };
        let key = Key::new(at_us + late_us, target, Kind::Message, source, delivery.counter);
        if let Some(after_us) = delivery.after_us {
            self.post_message(key.delayed(after_us), boot, life, message);
        }
        if let Some(after_us) = delivery.again_after_us {
            self.post_again(key.next().delayed(after_us), boot, life, message);
        }
        (delivery, late_us, at_us)
    }

    /// Rare, and so kept out of the way.
    #[cold]
    fn post_again(&mut self, key: Key, boot: u32, life: u32, message: &P::Message) {
        self.post_message(key, boot, life, message);
    }

    #[inline(always)]
    fn post_message(&mut self, key: Key, boot: u32, life: u32, message: &P::Message) {
        self.pending.add(Event { key, boot, life, letter: self.messages.put(message) });
        if P::RESOURCE == Some(key.target()) {
            self.judge.in_flight(key.source(), life, true);
        }
    }

    /// How much later a message to the store arrives because of the store.
    fn late_us(&self, source: ActorId, message: &P::Message) -> u64 {
        if P::access(message) != Some(Access::Write) {
            return 0;
        }
        let late_us = |kind: &FaultKind| match kind {
            FaultKind::Late { node, by_us } if self.hits(*node, source) => *by_us,
            _ => 0,
        };
        self.store_faults.iter().map(|(_, kind)| late_us(kind)).sum()
    }

    fn begin_effect(&mut self, actor: ActorId, life: u32, at_us: u64, message: &P::Message, after: Duration) {
        let state = &mut self.actors[usize::from(actor)];
        state.effects += 1;
        let key = Key::new(at_us + after.as_micros().max(1), actor, Kind::Effect, actor, state.effects);
        self.pending.add(Event { key, boot: state.boot, life, letter: self.messages.put(message) });
        self.judge.in_flight(actor, life, true);
    }

    /// An operation leaves its actor and travels to the resource.
    #[cold]
    fn leave(&mut self, event: &Event) {
        let (at_us, target) = (event.key.at_us(), event.key.target());
        let message = *self.messages.get(event.letter);
        self.cut_off.clear();
        let Some(resource) = P::RESOURCE else { unreachable!("an operation leaves for the resource") };
        let sent = self.send(target, resource, event.life, at_us, &message);
        self.effect_gone(target, event.life);
        self.trace.add(&[
            at_us,
            u64::from(target) | (Kind::Effect as u64) << 16,
            u64::from(event.key.counter()) | u64::from(event.life) << 32,
            P::digest(&message),
        ]);
        if self.trace.records_kept() {
            let now = self.places[self.actors[usize::from(target)].place].clock.read(at_us);
            self.keep_record(event, now, Some(StoreFate::Serve), false, None);
            self.keep_sent(resource, &message, sent);
        }
        self.forget_letter(event);
    }

    /// Sets the timer of an actor to its deadline.
    #[inline(always)]
    fn arm(&mut self, actor: ActorId, deadline: Instant, at_us: u64) {
        let late_max = self.plan.noise.timer_late_us_max;
        let state = &mut self.actors[usize::from(actor)];
        if state.deadline != deadline {
            state.deadline = deadline;
            state.late_us = if late_max > 0 { state.late.below(late_max + 1) } else { 0 };
        }
        let wake_us =
            when(&self.places[state.place].clock, deadline).map_or(NEVER, |due| (due + state.late_us).max(at_us + 1));
        if wake_us != state.wake_us {
            self.set_timer(actor, wake_us, Kind::Timer);
        }
    }

    /// Computes anew when an actor's timer fires, because its clock changed or because it resumed.
    fn rearm(&mut self, actor: ActorId, at_us: u64, why: Rearm) {
        let state = &self.actors[usize::from(actor)];
        let clock = &self.places[state.place].clock;
        let passed = clock.read(at_us) >= state.deadline;
        let wake_us = match when(clock, state.deadline) {
            // What was due while the place stood still happens as soon as it goes on.
            Some(_) if passed && why == Rearm::Resumed => at_us,
            // A clock that changes makes no timer later than it already is.
            Some(due) if passed => state.wake_us.min(due + state.late_us).max(at_us + 1),
            Some(due) => (due + state.late_us).max(at_us + 1),
            None => NEVER,
        };
        if wake_us != state.wake_us || why == Rearm::Resumed {
            let kind = if wake_us == at_us && P::TIMERS_FIRST { Kind::Passed } else { Kind::Timer };
            self.set_timer(actor, wake_us, kind);
        }
    }

    /// Lets an actor's timer fire at `wake_us`, and no other one.
    fn set_timer(&mut self, actor: ActorId, wake_us: u64, kind: Kind) {
        let state = &mut self.actors[usize::from(actor)];
        state.wake_us = wake_us;
        state.arming += 1;
        if wake_us != NEVER {
            let key = Key::new(wake_us, actor, kind, actor, state.arming);
            self.pending.set_timer(Event { key, boot: state.boot, life: state.life, letter: Letter::NONE });
        }
    }

    fn rearm_place(&mut self, place: usize, at_us: u64, why: Rearm) {
        for id in 0..self.actors.len() {
            if self.actors[id].place == place && self.actors[id].boot > 0 {
                self.rearm(id as ActorId, at_us, why);
            }
        }
    }

    /// When an actor's place last resumed: what waited there happens then.
    #[must_use]
    pub fn resumed_us(&self, actor: ActorId) -> u64 {
        self.places[self.actors[usize::from(actor)].place].resumed_us
    }

    /// Ends the run and reports.
    #[must_use]
    pub fn finish(mut self, at_us: u64) -> (RunReport, Vec<Record>) {
        let mut report = RunReport {
            seed: self.plan.seed,
            simulated_us: at_us,
            events: self.trace.steps(),
            trace_hash: self.trace.hash(),
            ..RunReport::default()
        };
        for ((name, _), count) in FaultKind::NAMES.iter().zip(&self.faults_seen) {
            if *count > 0 {
                report.faults.insert((*name).to_owned(), *count);
            }
        }
        self.judge.finish(at_us, &mut report);
        (report, self.trace.into_records())
    }
}

/// When a clock shows a deadline, if it ever does.
const fn when(clock: &Clock, deadline: Instant) -> Option<u64> {
    if deadline.as_micros() == FAR.as_micros() { None } else { clock.when(deadline) }
}
