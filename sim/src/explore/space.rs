//! The small world: its states, and what follows from each.
//!
//! Each distinct machine, message and set of messages is kept once, and a state holds their numbers. A machine is a pure
//! function of its state, its clock and its input, so each of its steps is computed once, by the machine itself, and then
//! looked up.
//!
//! | move | when | what |
//! |---|---|---|
//! | `Start` | a process has not started, or crashed | a new machine, whose first timer is due at once |
//! | `Fire` | it runs, or is one that always does, and a timer of its machine is due | the timer |
//! | `Settle` | it resumed, and no timer is due any more | it gets messages again |
//! | `Resume` | it is paused | it runs; its timers come first |
//! | `Deliver` | a message is under way to who runs | the target handles it now |
//! | `Leave` | an operation is done, and its process runs | it becomes a message |
//! | `Tick` | nobody who runs has anything due | the next quantum; messages that are too old are lost |
//! | `Pause`, `Crash` | the bounds allow one more | the process stands still; or it is gone, with all that was on its way to it |
//! | `Wipe` | the bounds allow one more | the store restarts empty, in the next generation |

use super::intern::{Interner, Lists, grow, number};
use super::{Explored, Instance, Taken};
use crate::clock::Clock;
use crate::event::ActorId;
use crate::fault::Place;
use crate::protocol::{Act, Actor, Boot, Cause, Stimulus, StoreFate};
use failproof_core::election::Start;
use failproof_core::{Instant, Machine};
use failproof_spec::Property;

/// One life of an actor: an actor of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life {
    /// Whose.
    pub actor: ActorId,
    /// Which start of its process, from 1.
    pub start: u8,
    /// Which life within the process, from 1.
    pub life: u32,
}

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// It never started.
    Off,
    /// It runs.
    Up,
    /// It stands still.
    Paused,
    /// It runs again, and timers that are due come before messages.
    Late,
    /// It crashed.
    Down,
}

impl Status {
    const ALL: [Self; 5] = [Self::Off, Self::Up, Self::Paused, Self::Late, Self::Down];
}

/// What happens next. Shape: messages are named by number; [`Space::flight`] tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// A process begins.
    Start(ActorId),
    /// The timers of a machine that are due.
    Fire(ActorId),
    /// Its timers have caught up after a pause.
    Settle(ActorId),
    /// It goes on after a pause.
    Resume(ActorId),
    /// A message arrives.
    Deliver(u32),
    /// An operation leaves its process.
    Leave(u32),
    /// A quantum of true time passes.
    Tick,
    /// A process stands still from now on.
    Pause(ActorId),
    /// A process ends.
    Crash(ActorId),
    /// The store restarts empty.
    Wipe,
}

/// A message under way, or an operation that has not left yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flight {
    /// Who sent it.
    pub from: ActorId,
    /// To whom.
    pub to: ActorId,
    /// The last quantum in which it may arrive; of an operation, the first in which it may leave.
    pub at: u8,
    /// Whether it is an operation that has not left yet.
    pub held: bool,
    /// The message, by number.
    body: u32,
}

/// What followed from a state: moves, and the states that they lead to.
#[derive(Debug, Default)]
pub struct Successors {
    moves: Vec<Move>,
    words: Vec<u32>,
}

impl Successors {
    /// The moves, in their order.
    #[must_use]
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// Where the move at `at` leads.
    #[must_use]
    pub fn state(&self, at: usize) -> &[u32] {
        let width = self.words.len() / self.moves.len();
        &self.words[at * width..(at + 1) * width]
    }

    fn clear(&mut self) {
        self.moves.clear();
        self.words.clear();
    }
}

/// Counts of distinct values, and the memory that they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distinct {
    /// Machines.
    pub machines: usize,
    /// Messages, whenever they are under way.
    pub messages: usize,
    /// Sets of messages under way.
    pub sets: usize,
    /// Steps of machines.
    pub steps: usize,
    /// All of that, in bytes.
    pub bytes: usize,
}

/// What a machine does with one input.
#[derive(Clone, Copy, Debug)]
struct Step<N> {
    machine: u32,
    /// Where its outputs lie, and how many they are.
    outputs: (u32, u16),
    note: Option<N>,
}

/// What an output asks for.
#[derive(Clone, Copy, Debug)]
struct Sent {
    /// To whoever asked if absent.
    to: Option<ActorId>,
    body: u32,
    /// An operation is held for so many quanta.
    held: Option<u8>,
}

/// Never due within the horizon.
const NEVER: u8 = u8::MAX;
/// The number of no machine.
const NOBODY: u32 = u32::MAX;
/// The timer, among the inputs; a message is its number and one more.
const TIMER: u32 = 0;
/// Four processes fit into one word.
const PER_WORD: usize = 4;
/// The word that holds the time and the faults that were used.
const CLOCK: usize = 0;

/// The states of an instance, and what follows from each.
///
/// Shape: a packed state is a few words: time and used faults; the statuses and starts of the processes, four to a word; the
/// number of each actor's machine; the number of the set of messages; the number of the ghost.
pub struct Space<'a, P: Explored> {
    instance: &'a Instance,
    cast: Vec<Actor>,
    /// What the clock of each actor shows at each quantum.
    clocks: Vec<Vec<Instant>>,
    /// The actors that are processes, which can stop; the others always run.
    processes: Vec<ActorId>,
    /// The position of each actor among the processes.
    position: Vec<Option<usize>>,
    interchangeable: bool,
    machines: Interner<(ActorId, P::Machine)>,
    /// Of each machine, the first quantum in which a timer of it is due.
    due: Vec<u8>,
    bodies: Interner<P::Message>,
    flights: Interner<Flight>,
    sets: Lists,
    ghosts: Interner<P::Ghost>,
    inputs: Interner<(u32, u32, u32)>,
    steps: Vec<Step<P::Note>>,
    sent: Vec<Sent>,
    outputs: Vec<P::Output>,
    list: Vec<u32>,
    state: Vec<u32>,
}

impl<P: Explored> std::fmt::Debug for Space<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Space").field("distinct", &self.distinct()).finish_non_exhaustive()
    }
}

/// What a start is minted from: it tells the actor and which start of it this is.
#[must_use]
pub const fn mint(actor: ActorId, start: u8) -> u64 {
    (actor as u64) << 8 | start as u64
}

impl<'a, P: Explored> Space<'a, P> {
    /// The space of an instance; nothing is known of it yet.
    #[must_use]
    pub fn new(instance: &'a Instance) -> Self {
        let cast = P::cast(&instance.plan);
        let horizon = u64::from(instance.bounds.horizon);
        let quantum = instance.bounds.quantum.as_micros();
        let clock_of = |actor: &Actor| instance.clock(actor.place);
        let clocks: Vec<Vec<_>> =
            cast.iter().map(|actor| (0..=horizon).map(|now| clock_of(actor).read(now * quantum)).collect()).collect();
        let has_status = |actor: &Actor| !matches!(actor.place, Place::Store | Place::Resource | Place::Center);
        let processes: Vec<_> = (0..cast.len()).filter(|id| has_status(&cast[*id])).map(|id| id as ActorId).collect();
        let position = (0..cast.len()).map(|id| processes.iter().position(|other| usize::from(*other) == id)).collect();
        let rates: Vec<_> = processes.iter().map(|id| clock_of(&cast[usize::from(*id)]).rate()).collect();
        let alike = |id: &ActorId| {
            let (one, other) = (cast[usize::from(processes[0])], cast[usize::from(*id)]);
            (one.role, one.utype) == (other.role, other.utype)
        };
        Self {
            interchangeable: rates.windows(2).all(|pair| pair[0] == pair[1]) && processes.iter().all(alike),
            instance,
            clocks,
            position,
            processes,
            cast,
            machines: Interner::new(),
            due: Vec::new(),
            bodies: Interner::new(),
            flights: Interner::new(),
            sets: Lists::new(),
            ghosts: Interner::new(),
            inputs: Interner::new(),
            steps: Vec::new(),
            sent: Vec::new(),
            outputs: Vec::new(),
            list: Vec::new(),
            state: Vec::new(),
        }
    }

    /// The actors: the store first.
    #[must_use]
    pub fn cast(&self) -> &[Actor] {
        &self.cast
    }

    /// The instance.
    #[must_use]
    pub const fn instance(&self) -> &'a Instance {
        self.instance
    }

    /// The state after the opening, in which a search begins.
    pub fn initial(&mut self) -> Vec<u32> {
        self.opening().pop().map_or_else(|| self.zero(), |(_, state)| state)
    }

    /// The moves of the opening, each with the packed state that it leads to. They begin in [`Space::zero`].
    pub fn opening(&mut self) -> Vec<(Move, Vec<u32>)> {
        let (mut here, mut successors, mut opening) = (self.zero(), Successors::default(), Vec::new());
        loop {
            self.successors(&here, &mut successors);
            let Some(which) = P::opening(self, successors.moves()) else { return opening };
            here = successors.state(which).to_vec();
            opening.push((successors.moves()[which], here.clone()));
        }
    }

    /// The state in which only the servers run.
    pub fn zero(&mut self) -> Vec<u32> {
        let mut state = vec![0; self.width()];
        for id in 0..self.cast.len() {
            let machine = match self.position[id] {
                Some(_) => NOBODY,
                None => self.boot(id as ActorId, 1, 0, None, (0, true)),
            };
            state[self.machine_at(id)] = machine;
        }
        let (set, ghost) = (self.set_at(), self.ghost_at());
        state[set] = self.sets.put(&[]);
        state[ghost] = self.ghosts.put(P::Ghost::default());
        state
    }

    fn status_words(&self) -> usize {
        self.processes.len().div_ceil(PER_WORD)
    }

    const fn width(&self) -> usize {
        self.processes.len().div_ceil(PER_WORD) + self.cast.len() + 3
    }

    fn machine_at(&self, actor: usize) -> usize {
        1 + self.status_words() + actor
    }

    fn set_at(&self) -> usize {
        self.width() - 2
    }

    fn ghost_at(&self) -> usize {
        self.width() - 1
    }

    /// The status of a process, and how often it was started.
    fn status(state: &[u32], position: usize) -> (Status, u8) {
        let byte = (state[1 + position / PER_WORD] >> (position % PER_WORD * 8)) as u8;
        (Status::ALL[usize::from(byte & 7)], byte >> 3)
    }

    fn set_status(state: &mut [u32], position: usize, status: Status, starts: u8) {
        let (word, shift) = (1 + position / PER_WORD, position % PER_WORD * 8);
        state[word] = state[word] & !(0xff << shift) | u32::from(status as u8 | starts << 3) << shift;
    }

    fn boot(
        &mut self,
        actor: ActorId,
        start: u8,
        now: u8,
        disk: Option<P::Disk>,
        (generation, first): (u32, bool),
    ) -> u32 {
        let id = usize::from(actor);
        let clock = self.clocks[id][usize::from(now)];
        let Start { entropy, image } = P::start(&self.instance.plan, actor, start);
        let boot = Boot {
            disk,
            entropy,
            image,
            timeout: self.instance.plan.options.heartbeat_timeout(),
            generation,
            wall: clock,
            now: clock,
            first,
            upgraded: false,
        };
        let mut machine = P::boot(&self.instance.plan, &self.cast[id], boot);
        P::clear(&mut machine);
        self.keep(actor, machine)
    }

    fn keep(&mut self, actor: ActorId, machine: P::Machine) -> u32 {
        let deadline = machine.deadline();
        let kept = self.machines.put((actor, machine));
        if kept as usize == self.due.len() {
            let clock = &self.clocks[usize::from(actor)];
            let due = deadline.map_or(clock.len(), |deadline| clock.partition_point(|shown| *shown < deadline));
            grow(&mut self.due);
            self.due.push(if due < clock.len() { due as u8 } else { NEVER });
        }
        kept
    }

    /// What a machine does with an input: looked up, or asked of the machine itself.
    fn step(&mut self, machine: u32, now: u8, input: u32, source: ActorId) -> Step<P::Note> {
        let key = (machine, input, u32::from(now) << 16 | u32::from(source));
        if let Ok(known) = self.inputs.find(&key) {
            return self.steps[known as usize];
        }
        let (actor, before) = self.machines.get(machine);
        let (actor, mut after) = (*actor, before.clone());
        let clock = self.clocks[usize::from(actor)][usize::from(now)];
        let cause = match input {
            TIMER => Cause::Timer,
            message => Cause::Message(self.bodies.get(message - 1)),
        };
        let mut outputs = std::mem::take(&mut self.outputs);
        after.handle(clock, Stimulus { wall: clock, fate: StoreFate::Serve, cause }, &mut outputs);
        let note = P::note(&Taken { source, actor, before, after: &after, cause: &cause, outputs: &outputs });
        P::clear(&mut after);
        let first = number(self.sent.len());
        for output in &outputs {
            let (to, message, held) = match P::act(output) {
                Act::Send(to, message) => (to, message, None),
                Act::Effect(to, message, after) => {
                    let quanta = after.as_micros().div_ceil(self.instance.bounds.quantum.as_micros());
                    (Some(to), message, Some(u8::try_from(quanta).unwrap_or(NEVER)))
                }
                Act::Tell => continue,
            };
            let body = self.bodies.put(*message);
            grow(&mut self.sent);
            self.sent.push(Sent { to, body, held });
        }
        outputs.clear();
        self.outputs = outputs;
        let outputs = (first, (self.sent.len() - first as usize) as u16);
        let step = Step { machine: self.keep(actor, after), outputs, note };
        self.inputs.put(key);
        grow(&mut self.steps);
        self.steps.push(step);
        step
    }

    /// What follows from a packed state, in an order that nothing but the state decides: timers and messages first, faults
    /// last, so that of the shortest ways to a state the one with the latest faults is found.
    pub fn successors(&mut self, from: &[u32], into: &mut Successors) {
        into.clear();
        let bounds = self.instance.bounds;
        let now = from[CLOCK] as u8;
        let [crashes, pauses, wipes] = [8, 16, 24].map(|shift| (from[CLOCK] >> shift) as u8);
        let processes = self.processes.len();
        let mut at_rest = true;
        for position in 0..processes {
            let (status, starts) = Self::status(from, position);
            let actor = self.processes[position];
            match status {
                Status::Off | Status::Down => {
                    let waits = status == Status::Off
                        && self.interchangeable
                        && (0..position).any(|before| Self::status(from, before).0 == Status::Off);
                    if !waits {
                        let machine = self.boot(actor, starts + 1, now, None, (0, starts == 0));
                        self.begin(from);
                        self.put_machine(actor, machine);
                        Self::set_status(&mut self.state, position, Status::Up, starts + 1);
                        self.end(Move::Start(actor), into);
                    }
                }
                Status::Up | Status::Late => {
                    let machine = from[self.machine_at(usize::from(actor))];
                    if self.due[machine as usize] <= now {
                        at_rest = false;
                        self.begin(from);
                        self.take_step(from, actor, TIMER, actor, None, now);
                        self.end(Move::Fire(actor), into);
                    } else if status == Status::Late {
                        self.begin(from);
                        Self::set_status(&mut self.state, position, Status::Up, starts);
                        self.end(Move::Settle(actor), into);
                    }
                    at_rest &= status == Status::Up;
                }
                Status::Paused => {
                    self.begin(from);
                    Self::set_status(&mut self.state, position, Status::Late, starts);
                    self.end(Move::Resume(actor), into);
                }
            }
        }
        for id in 0..self.cast.len() {
            if self.position[id].is_none() && self.due[from[self.machine_at(id)] as usize] <= now {
                let actor = id as ActorId;
                at_rest = false;
                self.begin(from);
                self.take_step(from, actor, TIMER, actor, None, now);
                self.end(Move::Fire(actor), into);
            }
        }
        let set = from[self.set_at()];
        for at in 0..self.sets.get(set).len() {
            let id = self.sets.get(set)[at];
            let flight = *self.flights.get(id);
            let who = usize::from(if flight.held { flight.from } else { flight.to });
            if self.position[who].is_some_and(|position| Self::status(from, position).0 != Status::Up) {
                continue;
            }
            if !flight.held {
                self.begin(from);
                self.take_step(from, flight.to, flight.body + 1, flight.from, Some(id), now);
                self.end(Move::Deliver(id), into);
            } else if flight.at <= now {
                at_rest = false;
                self.begin(from);
                let left = Flight { held: false, at: now.saturating_add(bounds.delay), ..flight };
                self.change_set(set, Some(id), &[left]);
                self.end(Move::Leave(id), into);
            }
        }
        if at_rest && now < bounds.horizon {
            self.begin(from);
            self.state[CLOCK] += 1;
            self.keep_only(set, |flight| flight.held || flight.at > now);
            self.end(Move::Tick, into);
        }
        for position in 0..processes {
            let (status, starts) = Self::status(from, position);
            let actor = self.processes[position];
            let (can_pause, can_crash) = P::fails(&self.cast[usize::from(actor)]);
            if can_pause && status == Status::Up && pauses < bounds.pauses {
                self.begin(from);
                self.state[CLOCK] += 1 << 16;
                Self::set_status(&mut self.state, position, Status::Paused, starts);
                self.end(Move::Pause(actor), into);
            }
            let is_there = matches!(status, Status::Up | Status::Paused | Status::Late);
            if can_crash && is_there && crashes < bounds.crashes {
                self.begin(from);
                self.state[CLOCK] += 1 << 8;
                Self::set_status(&mut self.state, position, Status::Down, starts);
                self.put_machine(actor, NOBODY);
                self.keep_only(set, |flight| if flight.held { flight.from != actor } else { flight.to != actor });
                self.end(Move::Crash(actor), into);
            }
        }
        if wipes < bounds.wipes {
            let left = P::disk(&self.machines.get(from[self.machine_at(0)]).1).and_then(P::left_of);
            let store = self.boot(0, 1, now, left, (u32::from(wipes) + 1, false));
            self.begin(from);
            self.state[CLOCK] += 1 << 24;
            self.put_machine(0, store);
            self.keep_only(set, |flight| flight.held || flight.to != 0);
            self.end(Move::Wipe, into);
        }
    }

    fn begin(&mut self, from: &[u32]) {
        self.state.clear();
        self.state.extend_from_slice(from);
    }

    fn end(&self, what: Move, into: &mut Successors) {
        into.moves.push(what);
        into.words.extend_from_slice(&self.state);
    }

    fn put_machine(&mut self, actor: ActorId, machine: u32) {
        let at = self.machine_at(usize::from(actor));
        self.state[at] = machine;
    }

    /// An actor takes an input, and what it sends is under way.
    fn take_step(&mut self, from: &[u32], actor: ActorId, input: u32, source: ActorId, taken: Option<u32>, now: u8) {
        let machine = from[self.machine_at(usize::from(actor))];
        let step = self.step(machine, now, input, source);
        self.put_machine(actor, step.machine);
        if let Some(note) = step.note {
            let at = self.ghost_at();
            let mut ghost = self.ghosts.get(from[at]).clone();
            let scene = Scene { state: from, space: self };
            P::remember(&mut ghost, note, &|actor| (scene.life(actor), scene.is_doubted(actor)));
            self.state[at] = self.ghosts.put(ghost);
        }
        let (first, count) = (step.outputs.0 as usize, usize::from(step.outputs.1));
        if taken.is_none() && count == 0 {
            return;
        }
        let delay = self.instance.bounds.delay;
        let mut added = [Flight { from: 0, to: 0, at: 0, held: false, body: 0 }; 8];
        assert!(count <= added.len(), "a machine answers with at most {} messages", added.len());
        for (flight, sent) in added.iter_mut().zip(&self.sent[first..first + count]) {
            let at = now.saturating_add(sent.held.unwrap_or(delay));
            let to = sent.to.unwrap_or(source);
            *flight = Flight { from: actor, to, at, held: sent.held.is_some(), body: sent.body };
        }
        self.change_set(from[self.set_at()], taken, &added[..count]);
    }

    /// The set without `taken` and with what is added.
    fn change_set(&mut self, set: u32, taken: Option<u32>, added: &[Flight]) {
        let mut list = std::mem::take(&mut self.list);
        list.clear();
        list.extend(self.sets.get(set).iter().filter(|id| Some(**id) != taken));
        for flight in added {
            let id = self.flights.put(*flight);
            if let Err(at) = list.binary_search(&id) {
                list.insert(at, id);
            }
        }
        let at = self.set_at();
        self.state[at] = self.sets.put(&list);
        self.list = list;
    }

    fn keep_only(&mut self, set: u32, stays: impl Fn(&Flight) -> bool) {
        let mut list = std::mem::take(&mut self.list);
        list.clear();
        list.extend(self.sets.get(set).iter().filter(|id| stays(self.flights.get(**id))));
        let at = self.set_at();
        self.state[at] = self.sets.put(&list);
        self.list = list;
    }

    fn life(&self, state: &[u32], actor: ActorId) -> Life {
        let id = usize::from(actor);
        let start = self.position[id].map_or(1, |position| Self::status(state, position).1);
        let life = match state[self.machine_at(id)] {
            NOBODY => 1,
            machine => P::life(&self.machines.get(machine).1),
        };
        Life { actor, start, life }
    }

    /// What the actor that takes this move sends with it, in the order in which it does: messages under way by number.
    pub(super) fn sent_by(&mut self, from: &[u32], what: Move) -> Vec<u32> {
        let (now, delay) = (from[CLOCK] as u8, self.instance.bounds.delay);
        let (actor, input, source) = match what {
            Move::Fire(actor) => (actor, TIMER, actor),
            Move::Deliver(id) => {
                let flight = self.flights.get(id);
                (flight.to, flight.body + 1, flight.from)
            }
            Move::Leave(id) => {
                let flight = *self.flights.get(id);
                return vec![self.flights.put(Flight { held: false, at: now.saturating_add(delay), ..flight })];
            }
            _ => return Vec::new(),
        };
        let step = self.step(from[self.machine_at(usize::from(actor))], now, input, source);
        let (first, count) = (step.outputs.0 as usize, usize::from(step.outputs.1));
        let flight = |sent: &Sent| Flight {
            from: actor,
            to: sent.to.unwrap_or(source),
            at: now.saturating_add(sent.held.unwrap_or(delay)),
            held: sent.held.is_some(),
            body: sent.body,
        };
        let flights: Vec<_> = self.sent[first..first + count].iter().map(flight).collect();
        flights.into_iter().map(|flight| self.flights.put(flight)).collect()
    }

    /// The first of these properties that a state breaks.
    #[must_use]
    pub fn broken(&self, state: &[u32], properties: &[Property]) -> Option<Property> {
        let scene = Scene { state, space: self };
        properties.iter().copied().find(|property| P::breaks(&scene, *property))
    }

    /// A message under way, by the number that a move has.
    #[must_use]
    pub fn flight(&self, number: u32) -> (&Flight, &P::Message) {
        let flight = self.flights.get(number);
        (flight, self.bodies.get(flight.body))
    }

    /// A packed state in full.
    #[must_use]
    pub fn unpack<'s>(&'s self, state: &'s [u32]) -> State<'s, P> {
        State {
            now: state[CLOCK] as u8,
            used: [8, 16, 24].map(|shift| (state[CLOCK] >> shift) as u8),
            statuses: self
                .processes
                .iter()
                .enumerate()
                .map(|(position, actor)| {
                    let (status, starts) = Self::status(state, position);
                    (*actor, status, starts)
                })
                .collect(),
            machines: (0..self.cast.len())
                .map(|id| match state[self.machine_at(id)] {
                    NOBODY => None,
                    machine => Some(&self.machines.get(machine).1),
                })
                .collect(),
            messages: self.sets.get(state[self.set_at()]).iter().map(|id| self.flight(*id)).collect(),
            ghost: self.ghosts.get(state[self.ghost_at()]),
        }
    }

    /// How many distinct values there are so far, and what they take.
    #[must_use]
    pub fn distinct(&self) -> Distinct {
        let boxed: usize = self.machines.iter().map(|(_, machine)| P::bytes(machine)).sum();
        let inner = self.machines.bytes() - self.machines.len() * size_of::<P::Machine>();
        Distinct {
            machines: self.machines.len(),
            messages: self.bodies.len(),
            sets: self.sets.len(),
            steps: self.steps.len(),
            bytes: inner
                + boxed
                + self.due.capacity()
                + self.bodies.bytes()
                + self.flights.bytes()
                + self.sets.bytes()
                + self.ghosts.bytes()
                + self.inputs.bytes()
                + self.steps.capacity() * size_of::<Step<P::Note>>()
                + self.sent.capacity() * size_of::<Sent>(),
        }
    }

    /// The clock of an actor.
    pub(super) fn clock(&self, actor: ActorId) -> Clock {
        self.instance.clock(self.cast[usize::from(actor)].place)
    }
}

/// A state in full.
#[derive(Debug)]
pub struct State<'s, P: Explored> {
    /// True time, in quanta.
    pub now: u8,
    /// How many crashes, pauses and wipes there were.
    pub used: [u8; 3],
    /// Of each process: its actor, its status, and how often it was started.
    pub statuses: Vec<(ActorId, Status, u8)>,
    /// The machine of each actor that has one.
    pub machines: Vec<Option<&'s P::Machine>>,
    /// What is under way, and operations that have not left yet; a set.
    pub messages: Vec<(&'s Flight, &'s P::Message)>,
    /// What the machines do not remember.
    pub ghost: &'s P::Ghost,
}

/// A move from one state to another, both packed.
#[derive(Clone, Copy, Debug)]
pub struct Edge<'s> {
    /// The state before.
    pub from: &'s [u32],
    /// What happens.
    pub what: Move,
    /// The state after.
    pub to: &'s [u32],
}

/// A state as properties see it.
pub struct Scene<'s, P: Explored> {
    state: &'s [u32],
    space: &'s Space<'s, P>,
}

impl<P: Explored> std::fmt::Debug for Scene<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene").field("state", &self.state).finish_non_exhaustive()
    }
}

impl<'s, P: Explored> Scene<'s, P> {
    /// The processes, and the machine of each that runs or is paused.
    pub fn processes(&self) -> impl Iterator<Item = (ActorId, &'s P::Machine)> {
        let (space, state) = (self.space, self.state);
        space.processes.iter().filter_map(move |actor| match state[space.machine_at(usize::from(*actor))] {
            NOBODY => None,
            machine => Some((*actor, &space.machines.get(machine).1)),
        })
    }

    /// The machine of an actor that always runs.
    #[must_use]
    pub fn server(&self, actor: ActorId) -> &'s P::Machine {
        &self.space.machines.get(self.state[self.space.machine_at(usize::from(actor))]).1
    }

    /// Whether the present life of a process is doubted: it is paused, or its timers have not caught up since.
    #[must_use]
    pub fn is_doubted(&self, actor: ActorId) -> bool {
        self.space.position[usize::from(actor)]
            .is_some_and(|position| matches!(Space::<P>::status(self.state, position).0, Status::Paused | Status::Late))
    }

    /// Which life of an actor it is now.
    #[must_use]
    pub fn life(&self, actor: ActorId) -> Life {
        self.space.life(self.state, actor)
    }

    /// What the machines do not remember.
    #[must_use]
    pub fn ghost(&self) -> &'s P::Ghost {
        self.space.ghosts.get(self.state[self.space.ghost_at()])
    }

    /// What is searched.
    #[must_use]
    pub const fn instance(&self) -> &Instance {
        self.space.instance
    }
}
