//! The reference engine: a plain discrete-event loop.

use crate::event::Event;
use crate::plan::Plan;
use crate::protocol::Protocol;
use crate::queue::Queue;
use crate::report::RunReport;
use crate::trace::Record;
use crate::world::{Directive, Gate, Pending, World};
use std::sync::Arc;

/// Runs `plan`, which has been checked, to its end.
#[must_use]
pub fn run<P: Protocol>(plan: Arc<Plan>, record: bool) -> (RunReport, Vec<Record>) {
    watch::<P>(plan, record, |_, _| {})
}

/// The same before the eyes of `see`, which is shown each machine after each of its steps, and when that was in true
/// microseconds.
#[must_use]
pub fn watch<P: Protocol>(
    plan: Arc<Plan>,
    record: bool,
    mut see: impl FnMut(u64, &P::Machine),
) -> (RunReport, Vec<Record>) {
    let end_us = plan.options.time_us();
    let mut world = World::<P, _>::new(Arc::clone(&plan), record, Queue::new(P::cast(&plan).len()));
    let mut waiting: Vec<Vec<Event>> = (0..world.places()).map(|_| Vec::new()).collect();
    let mut directives = Vec::new();
    let mut machines: Vec<P::Machine> = (0..world.cast().len() as u16).map(|actor| world.start(actor, 0)).collect();
    loop {
        if let Some(agenda_us) = world.agenda_us()
            && agenda_us <= end_us
            && world.pending().next_us().is_none_or(|next_us| agenda_us <= next_us)
        {
            world.environment(&mut directives);
            for directive in directives.drain(..) {
                obey(directive, agenda_us, &mut world, &mut machines, &mut waiting);
            }
            continue;
        }
        let Some(event) = world.pending().pop() else { break };
        if event.key.at_us() > end_us {
            break;
        }
        let target = event.key.target();
        match world.gate(&event) {
            Gate::Open => {
                let machine = &mut machines[usize::from(target)];
                world.step(machine, &event);
                see(event.key.at_us(), machine);
            }
            Gate::Waits => waiting[world.place_of(target)].push(event),
            Gate::Void => world.drop_event(&event),
        }
    }
    world.finish(end_us)
}

fn obey<P: Protocol>(
    directive: Directive,
    at_us: u64,
    world: &mut World<P, Queue>,
    machines: &mut [P::Machine],
    waiting: &mut [Vec<Event>],
) {
    match directive {
        Directive::Kill { place, durable } => {
            for actor in world.actors_at(place).collect::<Vec<_>>() {
                let disk = P::disk(&machines[usize::from(actor)]).filter(|_| durable || P::KEEPS_ELSEWHERE);
                world.keep_disk(actor, disk, durable);
            }
            for event in waiting[place].drain(..) {
                world.drop_event(&event);
            }
        }
        Directive::Start { place } => {
            for actor in world.actors_at(place).collect::<Vec<_>>() {
                machines[usize::from(actor)] = world.start(actor, at_us);
            }
        }
        Directive::Resume { place } => {
            for mut event in waiting[place].drain(..) {
                event.key = event.key.at(at_us);
                world.pending().add(event);
            }
        }
        Directive::Pause { .. } | Directive::Rewire => {}
    }
}
