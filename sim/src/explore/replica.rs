//! The moves of a way once more, in true time, by machines of their own: what becomes a plan.
//!
//! A move of quantum k becomes an event some microseconds after k quanta: its *offset*. Most events can be placed freely,
//! messages by their latency, faults by their times. A timer cannot: it fires when it is due, so its offset is that of the
//! event from which it counts. What decides is the order at each place, and that what was sent arrives later. So offsets
//! are sought that differ as these demand:
//!
//! | of | the offset is |
//! |---|---|
//! | an event after another one of the same actor | larger, in the same quantum; not smaller, in a later one |
//! | an event that a message of the same quantum causes | larger than that of its sending |
//! | a timer | that of the event from which it counts, and what its time exceeds whole quanta by |
//! | whatever happens before a timer that is due | smaller than the timer's |
//!
//! That an event in a later quantum has no smaller offset keeps what is true of whole quanta true: a wait that was over is
//! over. Where this cannot be, it is given up.

use super::Explored;
use super::space::{Move, Space, Status};
use crate::clock::Clock;
use crate::event::ActorId;
use crate::fault::{Fault, FaultKind, Place};
use crate::plan::{Fate, Plan};
use crate::protocol::{Act, Boot, Cause, Stimulus, StoreFate};
use failproof_core::Machine;
use failproof_core::election::Start;

/// Between two events whose order matters, in microseconds.
const GAP_US: i64 = 2;
/// Between two events while it is found out from which of them timers count.
const PROBE_US: u64 = 16;
/// What a timer may be off because clocks round.
const ROUNDING_US: i64 = 2;

/// The plans of a way, the most promising first. There is none if its moves cannot be placed.
pub(super) fn plans_of<P: Explored>(space: &mut Space<'_, P>, way: &[(Move, Vec<u32>)]) -> Vec<Plan> {
    let quantum_us = space.instance().bounds().quantum.as_micros();
    let mut probe = Replica::new(space, way, None);
    if probe.run(space).is_none() {
        return Vec::new();
    }
    let largest_us = (quantum_us / 4) as i64;
    let (owed, wished) = probe.constraints();
    let count = probe.events.len() + 1;
    let mut plans = Vec::new();
    for wished in [wished, Vec::new()] {
        let Some(offsets) = owed.with(wished, count, largest_us).solve(count, largest_us) else { continue };
        let at_us =
            |quantum: u8, offset: i64| (u64::from(quantum) * quantum_us + 1).saturating_add_signed(largest_us + offset);
        let times = probe.events.iter().zip(&offsets).map(|(event, offset)| at_us(event.quantum, *offset)).collect();
        let mut replica = Replica::new(space, way, Some(times));
        if replica.run(space).is_some() {
            plans.push(replica.finish(at_us(probe.quantum(), offsets[count - 1])));
        }
    }
    plans
}

/// A move, or the passing of time, which is no event.
#[derive(Clone, Debug)]
struct Event {
    what: Move,
    actor: Option<ActorId>,
    quantum: u8,
    /// The event that sent what arrives.
    cause: Option<usize>,
    /// Where it stands if it cannot be placed: beside that event, by so many microseconds.
    pinned: Option<(usize, i64)>,
    /// The timer that its actor has afterwards: the event from which it counts, and when it is due if that one has no
    /// offset, in true microseconds.
    timer: Option<(usize, u64)>,
    /// When it happens, in true microseconds.
    at_us: u64,
}

/// Upper bounds on differences: the offset of the second is at most that of the first and the third.
#[derive(Clone, Debug, Default)]
struct Constraints(Vec<(usize, usize, i64)>);

impl Constraints {
    /// The offset of `later` is larger by `by` at least.
    fn after(&mut self, earlier: usize, later: usize, by: i64) {
        self.0.push((later, earlier, -by));
    }

    /// The same with as many of the wished ones as can be met together, the first ones first.
    fn with(&self, wished: Vec<(usize, usize, i64)>, count: usize, largest: i64) -> Self {
        let mut all = self.clone();
        all.0.extend(&wished);
        if all.solve(count, largest).is_some() {
            return all;
        }
        all.0.truncate(self.0.len());
        for wish in wished {
            all.0.push(wish);
            if all.solve(count, largest).is_none() {
                all.0.pop();
            }
        }
        all
    }

    /// The largest offsets up to zero that meet them all, unless one of them is below `-largest`.
    fn solve(&self, count: usize, largest: i64) -> Option<Vec<i64>> {
        let mut offsets = vec![0; count];
        for _ in 0..=count {
            let mut changed = false;
            for (from, to, by) in &self.0 {
                let bound = offsets[*from] + by;
                if bound < offsets[*to] {
                    offsets[*to] = bound;
                    changed = true;
                }
            }
            if !changed {
                return offsets.iter().all(|offset| *offset >= -largest).then_some(offsets);
            }
        }
        None
    }
}

/// A message that was sent in true time.
struct Posted<M> {
    /// Its number in the search.
    id: u32,
    /// The same with the times of this world.
    message: M,
    from: ActorId,
    to: ActorId,
    /// The event that sent it.
    by: usize,
    sent_us: u64,
    /// When it arrives; lost if absent.
    arrives_us: Option<u64>,
    /// An operation that has not left yet.
    held: bool,
    gone: bool,
}

/// A message that a machine sends in the search. In true time its timers may fire one after another, in another order, so
/// that its messages are told apart by what they are.
struct Expected {
    /// Its number there.
    id: u32,
    to: ActorId,
    word: &'static str,
}

/// What the actor that takes a move sends with it.
fn expected<P: Explored>(space: &mut Space<'_, P>, from: &[u32], what: Move) -> Vec<Expected> {
    let sent = space.sent_by(from, what);
    let of = |id| {
        let (flight, message) = space.flight(id);
        Expected { id, to: flight.to, word: P::word(message) }
    };
    sent.into_iter().map(of).collect()
}

/// A place in true time.
struct Process<M> {
    machine: Option<M>,
    clock: Clock,
    /// How often it was started.
    starts: u8,
    /// Its last event.
    last: Option<usize>,
    down_from_us: Option<u64>,
    paused_from_us: Option<u64>,
    /// The event with which it went on.
    resumed: Option<usize>,
}

/// The moves of a way, placed in true time.
struct Replica<'w, P: Explored> {
    way: &'w [(Move, Vec<u32>)],
    /// When each event happens; to be found out if absent.
    times: Option<Vec<u64>>,
    quantum_us: u64,
    plan: Plan,
    processes: Vec<Process<P::Machine>>,
    places: Vec<Place>,
    posted: Vec<Posted<P::Message>>,
    outputs: Vec<P::Output>,
    events: Vec<Event>,
}

impl<'w, P: Explored> Replica<'w, P> {
    fn new(space: &Space<'_, P>, way: &'w [(Move, Vec<u32>)], times: Option<Vec<u64>>) -> Self {
        let cast = space.cast();
        let mut replica = Self {
            way,
            times,
            quantum_us: space.instance().bounds().quantum.as_micros(),
            plan: space.instance().plan().clone(),
            processes: Vec::new(),
            places: cast.iter().map(|actor| actor.place).collect(),
            posted: Vec::new(),
            outputs: Vec::new(),
            events: Vec::new(),
        };
        for (id, actor) in cast.iter().enumerate() {
            let serves = matches!(actor.place, Place::Store | Place::Resource | Place::Center);
            replica.processes.push(Process {
                machine: None,
                clock: space.clock(id as ActorId),
                starts: 0,
                last: None,
                down_from_us: (!serves).then_some(0),
                paused_from_us: None,
                resumed: None,
            });
            if serves {
                replica.boot(id as ActorId, 0, None, 0);
            }
        }
        replica
    }

    /// Takes all moves; `None` if the machines do something else than in the search.
    fn run(&mut self, space: &mut Space<'_, P>) -> Option<()> {
        let mut before = space.zero();
        for (what, after) in self.way {
            let mut sent = expected(space, &before, *what);
            let state = space.unpack(&before);
            let quantum = state.now;
            let is_late =
                |actor: ActorId| state.statuses.iter().any(|(id, status, _)| (*id, *status) == (actor, Status::Late));
            match *what {
                Move::Tick => {}
                Move::Start(actor) => {
                    let at_us = self.event(*what, Some(actor), quantum, None, None);
                    self.start(actor, at_us);
                }
                Move::Fire(actor) => self.fire(actor, quantum, is_late(actor), &mut sent)?,
                Move::Settle(actor) => {
                    self.event(*what, Some(actor), quantum, None, None);
                }
                Move::Resume(actor) => {
                    let at_us = self.event(*what, Some(actor), quantum, None, None);
                    self.goes_on(actor, at_us);
                    self.processes[usize::from(actor)].resumed = Some(self.events.len() - 1);
                }
                Move::Deliver(id) => self.deliver(id, quantum, &mut sent)?,
                Move::Leave(id) => self.leave(id, quantum, sent[0].id)?,
                Move::Pause(actor) => {
                    let at_us = self.event(*what, Some(actor), quantum, None, None);
                    self.processes[usize::from(actor)].paused_from_us = Some(at_us);
                }
                Move::Crash(actor) => {
                    let at_us = self.event(*what, Some(actor), quantum, None, None);
                    self.crash(actor, at_us);
                }
                Move::Wipe => {
                    let generation = u32::from(state.used[2]) + 1;
                    let at_us = self.event(*what, Some(0), quantum, None, None);
                    self.wipe(at_us, generation);
                }
            }
            self.see_timer(space, after);
            before.clone_from(after);
        }
        Some(())
    }

    /// Notes the next event, and says when it happens.
    fn event(
        &mut self,
        what: Move,
        actor: Option<ActorId>,
        quantum: u8,
        cause: Option<usize>,
        pinned: Option<(usize, i64)>,
    ) -> u64 {
        let which = self.events.len();
        let zero_us = u64::from(quantum) * self.quantum_us;
        let at_us = match (&self.times, pinned) {
            (Some(times), _) => times[which],
            (None, Some((beside, by))) => zero_us.saturating_add_signed(self.offset(beside) + by),
            (None, None) => zero_us + (which as u64 + 1) * PROBE_US,
        };
        self.events.push(Event { what, actor, quantum, cause, pinned, timer: None, at_us });
        at_us
    }

    fn offset(&self, which: usize) -> i64 {
        let event = &self.events[which];
        event.at_us as i64 - (u64::from(event.quantum) * self.quantum_us) as i64
    }

    /// From which event the timer counts that the actor of the last event has now: the one by whose offset it is later than
    /// in the search.
    fn see_timer(&mut self, space: &Space<'_, P>, after: &[u32]) {
        let Some(which) = self.events.len().checked_sub(1) else { return };
        let Some(actor) = self.events[which].actor else { return };
        let id = usize::from(actor);
        let searched = space.unpack(after).machines[id].and_then(Machine::deadline);
        let process = &self.processes[id];
        let clock = process.clock;
        let placed = process.machine.as_ref().and_then(Machine::deadline);
        let (Some(searched), Some(placed)) = (searched, placed) else {
            self.processes[id].last = Some(which);
            return;
        };
        if let (Some(searched_us), Some(placed_us)) = (clock.when(searched), clock.when(placed)) {
            let late = placed_us as i64 - searched_us as i64;
            let ours = (0..=which).rev().filter(|at| self.events[*at].actor == Some(actor));
            let base = ours.min_by_key(|at| (self.offset(*at) - late).abs());
            let near = base.filter(|at| (self.offset(*at) - late).abs() <= ROUNDING_US);
            // The first timer of a machine counts from nothing: it is due at once.
            let at_once = matches!(self.events[which].what, Move::Start(_)).then_some(which);
            self.events[which].timer = at_once.or(near).map(|base| (base, searched_us));
        }
        self.processes[id].last = Some(which);
    }

    /// The quantum in which the way ends.
    fn quantum(&self) -> u8 {
        self.events.last().map_or(0, |event| event.quantum)
    }

    /// What the offsets of the events have to meet, and what they should: that they do not become smaller at an actor. The
    /// last offset is that of the end of the run.
    fn constraints(&self) -> (Constraints, Vec<(usize, usize, i64)>) {
        let mut all = Constraints::default();
        let mut wished = Vec::new();
        for (later, event) in self.events.iter().enumerate().filter(|(_, event)| event.actor.is_some()) {
            let earlier = self.events[..later].iter().enumerate();
            let earlier = earlier.filter(|(_, other)| other.actor == event.actor && other.quantum < event.quantum);
            wished.extend(earlier.map(|(earlier, _)| (later, earlier, 0)));
        }
        // Servers compare more times than others, and nothing else holds theirs together.
        wished.sort_by_key(|(later, ..)| self.events[*later].actor);
        let mut last: Vec<Option<usize>> = vec![None; self.processes.len()];
        let end = self.events.len();
        for (which, event) in self.events.iter().enumerate() {
            if let Some(cause) = event.cause
                && self.events[cause].quantum == event.quantum
            {
                all.after(cause, which, GAP_US);
            }
            if let Some((beside, by)) = event.pinned {
                all.after(beside, which, by);
                all.after(which, beside, -by);
            }
            let Some(actor) = event.actor else { continue };
            // What is sent before the target starts anew is lost with what ran there.
            if let Some(cause) = event.cause
                && let Some(start) = self.start_before(actor, which).filter(|start| *start < cause)
                && self.events[start].quantum == self.events[cause].quantum
            {
                all.after(start, cause, GAP_US);
            }
            if let Some(former) = last[usize::from(actor)] {
                if self.events[former].quantum == event.quantum {
                    all.after(former, which, if event.pinned.is_some() { 0 } else { GAP_US });
                }
                if !matches!(event.what, Move::Fire(_)) {
                    self.before_timer(former, which, event.quantum, &mut all);
                }
            }
            last[usize::from(actor)] = Some(which);
        }
        let quantum = self.quantum();
        for former in last.into_iter().flatten() {
            if self.events[former].quantum == quantum {
                all.after(former, end, 1);
            }
            // If it fires all the same, it may do no harm.
            let mut calm = Constraints::default();
            self.before_timer(former, end, quantum, &mut calm);
            wished.splice(0..0, calm.0);
        }
        (all, wished)
    }

    /// The last start of an actor before one of its events.
    fn start_before(&self, actor: ActorId, which: usize) -> Option<usize> {
        self.events[..which]
            .iter()
            .rposition(|event| event.actor == Some(actor) && matches!(event.what, Move::Start(_) | Move::Wipe))
    }

    /// `which` happens in `quantum`, before the timer fires that its actor has since the event `armed`.
    fn before_timer(&self, armed: usize, which: usize, quantum: u8, all: &mut Constraints) {
        let Some((base, due_us)) = self.events[armed].timer else { return };
        let actor = self.events[armed].actor;
        let stands_still = actor.is_some_and(|actor| self.stands_still(actor, armed));
        let zero_us = u64::from(quantum) * self.quantum_us;
        if due_us <= zero_us && !stands_still {
            let excess = due_us as i64 - zero_us as i64;
            // Due at once, it fires behind the event that armed it.
            let excess = if matches!(self.events[armed].what, Move::Start(_)) { 1 } else { excess };
            all.after(which, base, 1 - excess);
        }
    }

    /// Whether a process is paused, or gone, after one of its events.
    fn stands_still(&self, actor: ActorId, after: usize) -> bool {
        let ours = self.events[..=after].iter().rev().filter(|event| event.actor == Some(actor));
        let mut ours = ours.map(|event| event.what);
        ours.find(|what| matches!(what, Move::Pause(_) | Move::Resume(_) | Move::Start(_) | Move::Crash(_)))
            .is_some_and(|what| matches!(what, Move::Pause(_) | Move::Crash(_)))
    }

    fn boot(&mut self, actor: ActorId, at_us: u64, disk: Option<P::Disk>, generation: u32) {
        let id = usize::from(actor);
        let now = self.processes[id].clock.read(at_us);
        self.processes[id].starts += 1;
        let Start { entropy, image } = P::start(&self.plan, actor, self.processes[id].starts);
        let boot = Boot {
            disk,
            entropy,
            image,
            timeout: self.plan.options.heartbeat_timeout(),
            generation,
            wall: now,
            now,
            first: at_us == 0,
            upgraded: false,
        };
        let cast = P::cast(&self.plan);
        self.processes[id].machine = Some(P::boot(&self.plan, &cast[id], boot));
    }

    fn start(&mut self, actor: ActorId, at_us: u64) {
        self.boot(actor, at_us, None, 0);
        if let Some(from_us) = self.processes[usize::from(actor)].down_from_us.take() {
            self.down(actor, from_us, at_us);
        }
    }

    fn fault(&mut self, kind: FaultKind, from_us: u64, to_us: u64) {
        let id = self.plan.faults.len() as u32;
        self.plan.faults.push(Fault { id, kind, at_us: from_us, for_us: to_us.saturating_sub(from_us) });
    }

    fn down(&mut self, actor: ActorId, from_us: u64, to_us: u64) {
        let node = self.places[usize::from(actor)];
        self.fault(FaultKind::Crash { node, durable: true }, from_us, to_us);
    }

    fn goes_on(&mut self, actor: ActorId, at_us: u64) {
        if let Some(from_us) = self.processes[usize::from(actor)].paused_from_us.take() {
            let node = self.places[usize::from(actor)];
            self.fault(FaultKind::Pause { node }, from_us, at_us);
        }
    }

    fn crash(&mut self, actor: ActorId, at_us: u64) {
        self.goes_on(actor, at_us);
        let process = &mut self.processes[usize::from(actor)];
        process.machine = None;
        process.resumed = None;
        process.down_from_us = Some(at_us);
        for posted in &mut self.posted {
            posted.gone |= if posted.held { posted.from == actor } else { posted.to == actor };
        }
    }

    fn wipe(&mut self, at_us: u64, generation: u32) {
        self.fault(FaultKind::Wipe {}, at_us, at_us + 1);
        let left = self.processes[0].machine.as_ref().and_then(P::disk).and_then(P::left_of);
        self.boot(0, at_us + 1, left, generation);
        self.posted.iter_mut().for_each(|posted| posted.gone |= !posted.held && posted.to == 0);
    }

    /// A timer fires when it is due, or as soon as its process goes on.
    fn fire(&mut self, actor: ActorId, quantum: u8, late: bool, sent: &mut Vec<Expected>) -> Option<()> {
        let process = &self.processes[usize::from(actor)];
        let last = process.last?;
        let zero_us = u64::from(quantum) * self.quantum_us;
        let pinned = match (late, process.resumed, self.events[last].timer) {
            (true, Some(resumed), _) if last == resumed => (resumed, 0),
            (true, ..) => (last, 1),
            (false, _, Some((_, due_us))) if due_us <= u64::from(self.events[last].quantum) * self.quantum_us => {
                (last, 1)
            }
            (false, _, Some((base, due_us))) => (base, due_us as i64 - zero_us as i64),
            (false, _, None) => return None,
        };
        let at_us = self.event(Move::Fire(actor), Some(actor), quantum, None, Some(pinned));
        self.step(actor, Cause::Timer, at_us, actor, sent)?;
        // Timers of one quantum that count from different events fire one after another.
        while let Some(base) = self.also_due(actor, zero_us) {
            self.processes[usize::from(actor)].last = Some(self.events.len() - 1);
            let at_us = self.event(Move::Fire(actor), Some(actor), quantum, None, Some((base, 0)));
            self.step(actor, Cause::Timer, at_us, actor, sent)?;
        }
        sent.is_empty().then_some(())
    }

    /// The event from which another timer counts that is due in the same quantum.
    fn also_due(&self, actor: ActorId, zero_us: u64) -> Option<usize> {
        let process = &self.processes[usize::from(actor)];
        let due_us = process.clock.when(process.machine.as_ref()?.deadline()?)?;
        let offset = due_us as i64 - zero_us as i64;
        let which = self.events.len() - 1;
        if offset > (self.quantum_us / 2) as i64 || self.offset(which) > offset {
            return None;
        }
        if self.times.is_some() {
            return Some(which);
        }
        (0..which).rev().find(|at| self.events[*at].actor == Some(actor) && self.offset(*at) == offset)
    }

    fn deliver(&mut self, id: u32, quantum: u8, sent: &mut Vec<Expected>) -> Option<()> {
        let is_it = |posted: &Posted<_>| posted.id == id && !posted.gone && !posted.held && posted.arrives_us.is_none();
        let which = self.posted.iter().position(is_it)?;
        let (from, to, by) = (self.posted[which].from, self.posted[which].to, self.posted[which].by);
        let at_us = self.event(Move::Deliver(id), Some(to), quantum, Some(by), None);
        self.posted[which].arrives_us = Some(at_us);
        let message = self.posted[which].message;
        self.step(to, Cause::Message(&message), at_us, from, sent)?;
        sent.is_empty().then_some(())
    }

    /// An operation leaves when it is done, or as soon as its process goes on.
    fn leave(&mut self, id: u32, quantum: u8, as_message: u32) -> Option<()> {
        let which = self.posted.iter().position(|posted| posted.id == id && posted.held && !posted.gone)?;
        let (from, by, done_us) = (self.posted[which].from, self.posted[which].by, self.posted[which].sent_us);
        let zero_us = u64::from(quantum) * self.quantum_us;
        let resumed = self.processes[usize::from(from)].resumed.filter(|resumed| self.events[*resumed].at_us > done_us);
        let pinned = match resumed {
            Some(resumed) => (resumed, 0),
            None => (by, done_us as i64 - zero_us as i64 - self.offset(by)),
        };
        // It is no input of the machine, so its order beside those does not matter.
        let at_us = self.event(Move::Leave(id), None, quantum, None, Some(pinned));
        let leaves = self.events.len() - 1;
        let posted = &mut self.posted[which];
        (posted.sent_us, posted.by, posted.held, posted.id) = (at_us, leaves, false, as_message);
        Some(())
    }

    /// A machine takes an input. What it sends is taken from `sent`; `None` if it sends anything else.
    fn step(
        &mut self,
        actor: ActorId,
        cause: Cause<'_, P::Message, P::Command>,
        at_us: u64,
        source: ActorId,
        sent: &mut Vec<Expected>,
    ) -> Option<()> {
        let by = self.events.len() - 1;
        let process = &mut self.processes[usize::from(actor)];
        let now = process.clock.read(at_us);
        let stimulus = Stimulus { wall: now, fate: StoreFate::Serve, cause };
        self.outputs.clear();
        process.machine.as_mut()?.handle(now, stimulus, &mut self.outputs);
        for output in &self.outputs {
            let (to, message, after_us, held) = match P::act(output) {
                Act::Send(to, message) => (to.unwrap_or(source), *message, 0, false),
                Act::Effect(to, message, after) => (to, *message, after.as_micros().max(1), true),
                Act::Tell => continue,
            };
            let word = P::word(&message);
            let known = sent.iter().position(|expected| (expected.to, expected.word) == (to, word))?;
            let (id, sent_us) = (sent.remove(known).id, at_us + after_us);
            let (arrives_us, gone) = (None, false);
            self.posted.push(Posted { id, message, from: actor, to, by, sent_us, arrives_us, held, gone });
        }
        Some(())
    }

    fn finish(mut self, end_us: u64) -> Plan {
        for id in 0..self.processes.len() {
            let actor = id as ActorId;
            if let Some(from_us) = self.processes[id].down_from_us {
                self.down(actor, from_us, end_us + 1);
            }
            self.goes_on(actor, end_us + 1);
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
            let late_us = |at_us: u64| at_us.saturating_sub(posted.sent_us).saturating_sub(latency_us);
            let [from, to] = [posted.from, posted.to].map(|actor| self.places[usize::from(actor)]);
            self.plan.fates.push(Fate { from, to, which, delay_us: posted.arrives_us.map(late_us), again_us: None });
        }
        self.plan
    }
}
