//! What the supervisor and the processes share: the world, and what is under way.
//!
//! | an event waits | until | then |
//! |---|---|---|
//! | in `wire` | its datagram arrives | it goes to the inbox |
//! | in an inbox | the actor's slot at its nominal time | the actor's task takes it |
//! | in `lost`: nobody will take it | that slot | the supervisor drops it |

use super::EngineBug;
use super::dial::Slot;
use crate::event::{ActorId, Event, Key, Kind};
use crate::protocol::Protocol;
use crate::world::{Gate, World};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Shared by all tasks of a run, which share one thread; so nobody ever waits for the lock.
pub(super) type Shared<P> = Arc<Mutex<Mail<P>>>;

/// Takes the lock. A task that panicked with it ends the run, and no other runs after it.
pub(super) fn lock<P: Protocol>(shared: &Mutex<Mail<P>>) -> MutexGuard<'_, Mail<P>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a datagram carries: where its event waits in `wire`.
pub(super) type Ticket = u32;

/// The ticket of a datagram that must not arrive.
pub(super) const LOST: Ticket = Ticket::MAX;

/// Wakes a sleeper whose plan has changed.
#[derive(Debug)]
pub(super) struct Alarm {
    planned: Slot,
    changed: bool,
    waker: Option<Waker>,
}

impl Alarm {
    const fn new() -> Self {
        Self { planned: Slot::NEVER, changed: false, waker: None }
    }

    fn plan(&mut self, slot: Slot) {
        self.planned = slot;
        self.changed = false;
    }

    /// Something is to be done in `slot`.
    fn note(&mut self, slot: Slot) {
        if slot < self.planned {
            self.ring();
        }
    }

    fn ring(&mut self) {
        self.changed = true;
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Whether the plan has changed; if not, the task is woken when it does.
    pub(super) fn changed(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.changed && !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
        self.changed
    }
}

/// What waits for one actor.
#[derive(Debug)]
pub(super) struct Seat<P: Protocol> {
    inbox: BTreeMap<Key, Event>,
    /// The newest arming.
    timer: Option<Event>,
    pub(super) alarm: Alarm,
    /// What its process wrote last, if that is ever asked for.
    disk: Option<P::Disk>,
}

#[derive(Clone, Copy, Debug, Default)]
struct PlaceState {
    up: bool,
    paused: bool,
}

/// The world, and what is under way.
pub(super) struct Mail<P: Protocol> {
    pub(super) world: World<P, Vec<Event>>,
    /// Wakes the supervisor when something is lost.
    pub(super) undertaker: Alarm,
    seats: Vec<Seat<P>>,
    places: Vec<PlaceState>,
    wire: Vec<Option<Event>>,
    free: Vec<Ticket>,
    lost: BTreeMap<Key, Event>,
    posts: Vec<Event>,
    bug: EngineBug,
}

impl<P: Protocol> Mail<P> {
    pub(super) fn new(world: World<P, Vec<Event>>, bug: EngineBug) -> Self {
        let seat = |_| Seat { inbox: BTreeMap::new(), timer: None, alarm: Alarm::new(), disk: None };
        Self {
            seats: world.cast().iter().map(seat).collect(),
            places: vec![PlaceState::default(); world.places()],
            undertaker: Alarm::new(),
            wire: Vec::new(),
            free: Vec::new(),
            lost: BTreeMap::new(),
            posts: Vec::new(),
            world,
            bug,
        }
    }

    pub(super) fn seat(&mut self, actor: ActorId) -> &mut Seat<P> {
        &mut self.seats[usize::from(actor)]
    }

    /// What the environment does next, or the undertaker; at last the end.
    pub(super) fn plan_environment(&mut self, end_us: u64) -> Slot {
        let agenda = self.world.agenda_us().map_or(Slot::NEVER, Slot::environment);
        let lost = self.lost.first_key_value().map_or(Slot::NEVER, |(_, event)| slot_of(event));
        let next = agenda.min(lost).min(Slot::environment(end_us + 1));
        self.undertaker.plan(next);
        next
    }

    /// When `actor` has something to do next.
    pub(super) fn plan_actor(&mut self, actor: ActorId) -> Option<Slot> {
        let seat = self.seat(actor);
        let first = seat.inbox.first_key_value().map(|(key, _)| key.at_us());
        let timer = seat.timer.map(|timer| timer.key.at_us());
        let slot = first.into_iter().chain(timer).min().map(|at_us| Slot::actor(at_us, actor));
        seat.alarm.plan(slot.unwrap_or(Slot::NEVER));
        slot
    }

    /// Takes what `actor` has to do by `now_us`, in the order of keys.
    pub(super) fn due(&mut self, actor: ActorId, now_us: u64) -> Option<Event> {
        loop {
            let event = self.take(actor, now_us)?;
            match self.world.gate(&event) {
                Gate::Open => return Some(event),
                Gate::Void => self.world.drop_event(&event),
                Gate::Waits => panic!("a process ran while its place was paused"),
            }
        }
    }

    fn take(&mut self, actor: ActorId, now_us: u64) -> Option<Event> {
        let bug = self.bug;
        let seat = self.seat(actor);
        let timer = seat.timer.filter(|timer| timer.key.at_us() <= now_us);
        if let Some(timer) = timer {
            match bug {
                EngineBug::CancelledReceive => {
                    seat.inbox.retain(|key, _| key.at_us() > now_us || key.kind() != Kind::Message);
                }
                EngineBug::TimerFirst => return seat.timer.take(),
                EngineBug::None => {}
            }
            if seat.inbox.first_key_value().is_none_or(|(key, _)| timer.key < *key) {
                return seat.timer.take();
            }
        }
        let first = seat.inbox.first_entry().filter(|first| first.key().at_us() <= now_us)?;
        Some(first.remove())
    }

    /// Sorts what followed in the environment: nothing of it travels.
    pub(super) fn sort(&mut self) {
        let mut outbox = Vec::new();
        self.sort_into(&mut outbox);
        assert!(outbox.is_empty(), "the environment sent a message");
    }

    /// Lets `machine` take its step. What has to travel then is handed over with its ticket.
    pub(super) fn step(&mut self, machine: &mut P::Machine, event: &Event, outbox: &mut Vec<(ActorId, Ticket)>) {
        self.world.step(machine, event);
        outbox.extend(self.world.cut_off().iter().map(|target| (*target, LOST)));
        self.sort_into(outbox);
    }

    fn sort_into(&mut self, outbox: &mut Vec<(ActorId, Ticket)>) {
        let mut posts = std::mem::take(&mut self.posts);
        posts.append(self.world.pending());
        for event in posts.drain(..) {
            match event.key.kind() {
                Kind::Passed | Kind::Timer => {
                    let seat = self.seat(event.key.target());
                    seat.timer = Some(event);
                    seat.alarm.note(slot_of(&event));
                }
                Kind::Command => self.route(event),
                Kind::Message | Kind::Effect => {
                    let ticket = if self.places[self.world.place_of(event.key.target())].up {
                        self.put_on_wire(event)
                    } else {
                        self.route(event);
                        LOST
                    };
                    outbox.push((event.key.target(), ticket));
                }
            }
        }
        self.posts = posts;
    }

    fn put_on_wire(&mut self, event: Event) -> Ticket {
        match self.free.pop() {
            Some(ticket) => {
                self.wire[ticket as usize] = Some(event);
                ticket
            }
            None => {
                self.wire.push(Some(event));
                self.wire.len() as Ticket - 1
            }
        }
    }

    /// A datagram has arrived; `now_us` is when its target did something last.
    pub(super) fn arrive(&mut self, actor: ActorId, ticket: Ticket, now_us: Option<u64>) {
        let event = self.wire.get_mut(ticket as usize).and_then(Option::take);
        // Only a datagram over a link that should be cut, or to a process that should be down, has none.
        let Some(mut event) = event else { panic!("a lost message has arrived") };
        self.free.push(ticket);
        // It may have waited in the socket of a paused process.
        event.key = event.key.at(event.key.at_us().max(self.world.resumed_us(actor)));
        assert!(
            event.key.target() == actor && now_us.is_none_or(|now_us| now_us < event.key.at_us()),
            "a datagram went astray"
        );
        self.route(event);
    }

    /// Puts an event where somebody takes it at its nominal time.
    fn route(&mut self, event: Event) {
        let place = self.places[self.world.place_of(event.key.target())];
        let foreign = event.boot != self.world.boot_of(event.key.target());
        if !place.up || place.paused && foreign {
            self.lost.insert(event.key, event);
            self.undertaker.note(slot_of(&event));
        } else {
            let seat = self.seat(event.key.target());
            seat.inbox.insert(event.key, event);
            seat.alarm.note(slot_of(&event));
        }
    }

    /// Routes all that waits for the actors of a place anew, because the place has changed.
    fn reroute(&mut self, place: usize, at_us: u64) {
        let mut events = Vec::new();
        for actor in self.world.actors_at(place) {
            events.extend(std::mem::take(&mut self.seats[usize::from(actor)].inbox).into_values());
        }
        let (world, lost) = (&self.world, std::mem::take(&mut self.lost));
        let (here, lost) = lost.into_iter().partition(|(_, event)| world.place_of(event.key.target()) == place);
        self.lost = lost;
        events.extend(BTreeMap::into_values(here));
        for mut event in events {
            // Only what waited through a pause is of an earlier time.
            event.key = event.key.at(event.key.at_us().max(at_us));
            self.route(event);
        }
    }

    /// The supervisor drops what nobody takes.
    pub(super) fn bury(&mut self, slot: Slot) {
        while let Some(first) = self.lost.first_entry().filter(|first| slot_of(first.get()) == slot) {
            let event = first.remove();
            self.world.drop_event(&event);
        }
    }

    /// The processes of a place have been started; says whether they stand still.
    pub(super) fn started(&mut self, place: usize, at_us: u64) -> bool {
        self.places[place].up = true;
        self.reroute(place, at_us);
        self.places[place].paused
    }

    /// Before the processes of a place are paused.
    pub(super) fn pause(&mut self, place: usize, at_us: u64) {
        self.places[place].paused = true;
        self.reroute(place, at_us);
    }

    /// Before the processes of a place go on.
    pub(super) fn resume(&mut self, place: usize, at_us: u64) {
        self.places[place].paused = false;
        self.reroute(place, at_us);
        for actor in self.world.actors_at(place) {
            let seat = &mut self.seats[usize::from(actor)];
            // A timer that passes during a pause is void; the world sets a new one if it is still wanted.
            seat.timer.take_if(|timer| timer.key.at_us() < at_us);
            seat.alarm.ring();
        }
    }

    /// Before the processes of a place are killed, and with them all that has reached their sockets.
    pub(super) fn kill(&mut self, place: usize, durable: bool, at_us: u64) {
        self.places[place].up = false;
        let actors: Vec<_> = self.world.actors_at(place).collect();
        for actor in actors {
            let seat = self.seat(actor);
            seat.timer = None;
            // A waker keeps its task, and so a machine, alive.
            seat.alarm = Alarm::new();
            let disk = seat.disk.take();
            self.world.keep_disk(actor, disk, durable);
        }
        for ticket in 0..self.wire.len() {
            if let Some(event) = self.wire[ticket].take_if(|event| self.world.place_of(event.key.target()) == place) {
                self.free.push(ticket as Ticket);
                let seat = self.seat(event.key.target());
                seat.inbox.insert(event.key, event);
            }
        }
        self.drop_waiting(place, at_us);
        self.reroute(place, at_us);
    }

    /// What waited through a pause is gone at once. What is due later is so at its time.
    fn drop_waiting(&mut self, place: usize, at_us: u64) {
        for actor in self.world.actors_at(place).collect::<Vec<_>>() {
            let resumed_us = self.world.resumed_us(actor);
            let inbox = std::mem::take(&mut self.seat(actor).inbox);
            let (waiting, due) = inbox.into_iter().partition(|(_, event)| event.key.at_us().max(resumed_us) < at_us);
            self.seat(actor).inbox = due;
            for event in BTreeMap::into_values(waiting) {
                self.world.drop_event(&event);
            }
        }
    }

    /// What an actor's process has on its disk after a step.
    pub(super) fn write_disk(&mut self, actor: ActorId, disk: Option<P::Disk>) {
        self.seat(actor).disk = disk;
    }
}

fn slot_of(event: &Event) -> Slot {
    Slot::actor(event.key.at_us(), event.key.target())
}
