//! What the environment does at its times: faults begin and end, operators act.

use super::{Agenda, Directive, FAR, NEVER, Pending, Rearm, STORE, World};
use crate::event::{ActorId, Event, Key, Kind};
use crate::fault::{FaultKind, Place};
use crate::note::Note;
use crate::plan::{Plan, TaskKind};
use crate::protocol::{Health, Judge, Protocol};
use failproof_core::Duration;
use std::sync::Arc;

impl<P: Protocol, Q: Pending> World<P, Q> {
    /// Lets the environment do the next thing on its agenda, and says what the engine has to do for it.
    pub fn environment(&mut self, directives: &mut Vec<Directive>) {
        let Some(&(at_us, what)) = self.agenda.get(self.agenda_next) else { return };
        self.agenda_next += 1;
        let plan = Arc::clone(&self.plan);
        match what {
            Agenda::Begin(i) => self.begin(i, at_us, &plan, directives),
            Agenda::End(i) => self.end(i, at_us, &plan, directives),
            Agenda::Settle(i) => {
                let place = self.resolved[i].places().first().copied().unwrap_or(Place::Store);
                if self.places[self.index_of(place)].paused == 0 {
                    self.judge.settled(at_us, place);
                }
            }
            Agenda::Task(i) => {
                let task = plan.workload[i];
                let place = self.resolve(task.node);
                if task.what == TaskKind::Upgrade {
                    let place = self.index_of(place);
                    self.places[place].upgraded = true;
                }
                for actor in 0..self.cast.len() {
                    if self.cast[actor].place == place
                        && let Some(command) = P::command_of_task(&task, &self.cast[actor])
                    {
                        self.command(actor, at_us, command);
                    }
                }
            }
        }
        let (code, i) = match what {
            Agenda::Settle(i) => (0, i),
            Agenda::End(i) => (1, i),
            Agenda::Begin(i) => (2, i),
            Agenda::Task(i) => (3, i),
        };
        self.trace.add(&[at_us, code, i as u64]);
        if self.trace.records_kept() {
            self.keep_agenda(at_us, what, &plan);
        }
    }

    /// Keeps a record of what was on the agenda, and notes it.
    #[cold]
    fn keep_agenda(&mut self, at_us: u64, what: Agenda, plan: &Plan) {
        let (place, cause) = match what {
            Agenda::Settle(i) => {
                (self.resolved[i].places().first().copied(), "all that was due has happened".to_owned())
            }
            Agenda::Begin(i) | Agenda::End(i) => {
                let begins = matches!(what, Agenda::Begin(_));
                let (id, kind) = (plan.faults[i].id, self.resolved[i].clone());
                let (what, places) = (kind.to_string(), kind.places());
                let place = places.first().copied();
                let cause = format!("fault #{id} {}: {what}", if begins { "begins" } else { "ends" });
                self.notes.add(|| Note::Fault { id, begins, what, places });
                (place, cause)
            }
            Agenda::Task(i) => {
                let (place, what) = (self.resolve(plan.workload[i].node), plan.workload[i].what.words());
                self.notes.add(|| Note::Task { place, what: what.to_owned() });
                (Some(place), format!("task: {what}"))
            }
        };
        self.keep_act(at_us, place, cause);
    }

    fn resolve(&self, place: Place) -> Place {
        match place {
            Place::Primary => self.judge.primary().unwrap_or_else(P::usual_primary),
            other => other,
        }
    }

    fn begin(&mut self, i: usize, at_us: u64, plan: &Plan, directives: &mut Vec<Directive>) {
        let primary = self.resolve(Place::Primary);
        let kind = plan.faults[i].kind.resolved(primary);
        self.resolved[i] = kind.clone();
        if let Some(seen) = FaultKind::NAMES.iter().position(|(name, _)| *name == kind.name()) {
            self.faults_seen[seen] += 1;
        }
        self.judge.fault(at_us, &kind, true);
        match &kind {
            FaultKind::Crash { node, durable } => self.kill(self.index_of(*node), *durable, at_us, directives),
            FaultKind::Wipe {} => self.kill(STORE, false, at_us, directives),
            FaultKind::Clone { node, of } => {
                self.kill(self.index_of(*node), false, at_us, directives);
                let [copy, original] = [*node, *of].map(|place| self.index_of(place));
                self.places[copy].image = self.places[original].image;
            }
            FaultKind::Pause { node } => self.pause(self.index_of(*node), at_us, directives),
            FaultKind::Suspend { node } => {
                let place = self.index_of(*node);
                self.places[place].suspended += 1;
                self.places[place].set_rates(at_us);
                self.pause(place, at_us, directives);
            }
            FaultKind::Isolate { .. }
            | FaultKind::Cut { .. }
            | FaultKind::Partition { .. }
            | FaultKind::Lossy { .. }
            | FaultKind::Duplicate { .. }
            | FaultKind::Reorder { .. }
            | FaultKind::Delay { .. } => {
                self.network.begin(i as u32, kind.clone());
                directives.push(Directive::Rewire);
            }
            FaultKind::Refuse { .. }
            | FaultKind::LostAck { .. }
            | FaultKind::Late { .. }
            | FaultKind::StaleRead { .. }
            | FaultKind::ReadOnly {}
            | FaultKind::Corrupt { .. } => self.store_faults.push((i, kind.clone())),
            FaultKind::Rollback { .. } => {
                self.generation += 1;
                self.command_place(STORE, at_us, plan, &kind, true);
            }
            FaultKind::Retune { node, timeout_us } => {
                let place = self.index_of(*node);
                self.places[place].timeout = Duration::from_micros(*timeout_us);
                self.command_place(place, at_us, plan, &kind, true);
            }
            FaultKind::ClockRate { node, ppm } => {
                let place = self.index_of(*node);
                self.places[place].fault_ppm += i64::from(*ppm);
                self.change_clock(place, at_us);
            }
            FaultKind::ClockFreeze { node } => {
                let place = self.index_of(*node);
                self.places[place].frozen += 1;
                self.change_clock(place, at_us);
            }
            FaultKind::ClockStep { node, by_us } => {
                let place = self.index_of(*node);
                self.places[place].step_clock(at_us, *by_us);
                self.judge.clock_stepped(at_us, *node);
                self.rearm_place(place, at_us, Rearm::ClockChanged);
            }
        }
    }

    fn end(&mut self, i: usize, at_us: u64, plan: &Plan, directives: &mut Vec<Directive>) {
        let kind = self.resolved[i].clone();
        match &kind {
            FaultKind::Crash { node, .. } | FaultKind::Clone { node, .. } => {
                self.revive(self.index_of(*node), at_us, directives)
            }
            FaultKind::Wipe {} => self.revive(STORE, at_us, directives),
            FaultKind::Pause { node } => self.resume(self.index_of(*node), at_us, directives),
            FaultKind::Suspend { node } => {
                let place = self.index_of(*node);
                self.places[place].suspended -= 1;
                self.places[place].set_rates(at_us);
                self.resume(place, at_us, directives);
            }
            FaultKind::Isolate { .. }
            | FaultKind::Cut { .. }
            | FaultKind::Partition { .. }
            | FaultKind::Lossy { .. }
            | FaultKind::Duplicate { .. }
            | FaultKind::Reorder { .. }
            | FaultKind::Delay { .. } => {
                self.network.end(i as u32);
                directives.push(Directive::Rewire);
            }
            FaultKind::Refuse { .. }
            | FaultKind::LostAck { .. }
            | FaultKind::Late { .. }
            | FaultKind::StaleRead { .. }
            | FaultKind::ReadOnly {}
            | FaultKind::Corrupt { .. } => self.store_faults.retain(|(other, _)| *other != i),
            FaultKind::Rollback { .. } | FaultKind::ClockStep { .. } => {}
            FaultKind::Retune { node, .. } => {
                let place = self.index_of(*node);
                self.places[place].timeout = plan.options.heartbeat_timeout();
                self.command_place(place, at_us, plan, &kind, false);
            }
            FaultKind::ClockRate { node, ppm } => {
                let place = self.index_of(*node);
                self.places[place].fault_ppm -= i64::from(*ppm);
                self.change_clock(place, at_us);
            }
            FaultKind::ClockFreeze { node } => {
                let place = self.index_of(*node);
                self.places[place].frozen -= 1;
                self.change_clock(place, at_us);
            }
        }
        self.judge.fault(at_us, &kind, false);
    }

    fn kill(&mut self, place: usize, durable: bool, at_us: u64, directives: &mut Vec<Directive>) {
        self.places[place].down += 1;
        if !durable {
            self.places[place].image = self.starts[place].word();
            // A store that forgot its entries counts a new generation, whatever made it forget.
            self.generation += u32::from(place == STORE);
        }
        if self.places[place].down > 1 {
            if !durable {
                for actor in self.actors.iter_mut().filter(|actor| actor.place == place) {
                    actor.disk = actor.disk.take().and_then(P::left_of);
                }
            }
            return;
        }
        for id in 0..self.actors.len() {
            if self.actors[id].place == place {
                let state = &mut self.actors[id];
                state.lives_before = state.life;
                state.deadline = FAR;
                state.wake_us = NEVER;
                state.arming += 1;
                state.disk = None;
            }
        }
        directives.push(Directive::Kill { place, durable });
        self.health_changed(place, at_us);
    }

    fn revive(&mut self, place: usize, at_us: u64, directives: &mut Vec<Directive>) {
        self.places[place].down -= 1;
        if self.places[place].down == 0 {
            directives.push(Directive::Start { place });
            self.health_changed(place, at_us);
        }
    }

    fn pause(&mut self, place: usize, at_us: u64, directives: &mut Vec<Directive>) {
        self.places[place].paused += 1;
        if self.places[place].paused == 1 {
            directives.push(Directive::Pause { place });
            self.health_changed(place, at_us);
        }
    }

    fn resume(&mut self, place: usize, at_us: u64, directives: &mut Vec<Directive>) {
        self.places[place].paused -= 1;
        if self.places[place].paused == 0 {
            self.places[place].resumed_us = at_us;
            directives.push(Directive::Resume { place });
            self.health_changed(place, at_us);
            if self.places[place].down == 0 {
                self.rearm_place(place, at_us, Rearm::Resumed);
            }
        }
    }

    fn change_clock(&mut self, place: usize, at_us: u64) {
        self.places[place].set_rates(at_us);
        self.health_changed(place, at_us);
        if self.places[place].down == 0 && self.places[place].paused == 0 {
            self.rearm_place(place, at_us, Rearm::ClockChanged);
        }
    }

    pub(super) fn health_changed(&mut self, place: usize, at_us: u64) {
        let state = &self.places[place];
        let health = Health {
            down: state.down > 0,
            paused: state.paused > 0,
            clock_out: state.clock_out(self.plan.options.bounds().drift_ppm),
        };
        self.judge.place_changed(at_us, self.names[place], health);
    }

    fn command_place(&mut self, place: usize, at_us: u64, plan: &Plan, kind: &FaultKind, begins: bool) {
        for actor in 0..self.cast.len() {
            if self.actors[actor].place == place
                && let Some(command) = P::command_of_fault(plan, &self.cast[actor], kind, begins, self.generation)
            {
                self.command(actor, at_us, command);
            }
        }
    }

    fn command(&mut self, actor: usize, at_us: u64, command: P::Command) {
        let state = &self.actors[actor];
        let (boot, life, id) = (state.boot, state.life, actor as ActorId);
        let key = Key::new(at_us, id, Kind::Command, id, self.agenda_next as u32);
        self.pending.add(Event { key, boot, life, letter: self.commands.put(&command) });
    }
}
