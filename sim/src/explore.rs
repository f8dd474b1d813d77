//! Exhaustive search of the real machines in a small world: every order of events, every loss, every fault within bounds.
//!
//! In the small world true time is an integer that counts quanta. A message may arrive at any time up to its last one, in
//! any order, or never. Timers fire within the quantum in which they are due. Faults happen at any time, as often as the
//! bounds say. The machines are those that the simulator runs; each move is one input of one of them. A protocol may have
//! an opening: some moves of quantum 0 that are not searched, so that the search begins where its work does.
//!
//! | Module | Holds |
//! |---|---|
//! | [`space`] | states and moves: what follows from a state |
//! | [`search`] | breadth-first search, its memory and its limits |
//! | `intern`, `fingerprints` | values by number, and the states that were seen |
//! | [`counterexample`] | a shortest way to a broken property, in words and as a plan that replays |
//! | `replica` | the moves of a way in true time |

pub mod counterexample;
mod fingerprints;
mod intern;
mod replica;
pub mod search;
pub mod space;

pub use counterexample::{Counterexample, Told};
pub use search::{Limits, Memory, Outcome, Outside, Progress, Search, Stopped, Visitor};
pub use space::{Distinct, Edge, Flight, Life, Move, Scene, Space, State, Status, Successors};

use crate::chance::{Concern, Stream};
use crate::clock::{Clock, NOMINAL};
use crate::distribution::Distribution;
use crate::election::Election;
use crate::event::ActorId;
use crate::fault::Place;
use crate::options::Options;
use crate::plan::{Plan, PlanError, invalid};
use crate::protocol::{Actor, Cause, Protocol};
use crate::routing::Routing;
use failproof_core::election::Start;
use failproof_core::{Duration, Instant};
use failproof_spec::Property;
use std::fmt::Debug;
use std::hash::Hash;

/// A protocol whose machines can be searched exhaustively: equal states of theirs can be recognised.
pub trait Explored: Protocol<Machine: Clone + Eq + Hash + Debug, Message: Eq + Hash> {
    /// What a step of a machine does that the machines do not remember, but the properties speak of.
    type Note: Copy + Debug;
    /// What is remembered of that: part of a state, and no part of any machine.
    type Ghost: Clone + Default + Eq + Hash + Debug;

    /// The properties that a state can break, the most telling first.
    const PROPERTIES: &'static [Property];

    /// What a process is made of when it starts for the `start`th time, from 1.
    #[must_use]
    fn start(_plan: &Plan, actor: ActorId, start: u8) -> Start {
        Start { entropy: space::mint(actor, start), image: actor.into() }
    }
    /// Whether a process can be paused, and whether it can crash.
    #[must_use]
    fn fails(_actor: &Actor) -> (bool, bool) {
        (true, true)
    }
    /// Which of these moves comes next in the opening, by position: what happens in quantum 0 before the search begins.
    /// `None` ends it.
    #[must_use]
    fn opening(_space: &Space<'_, Self>, _moves: &[Move]) -> Option<usize> {
        None
    }

    /// What is to be remembered of a step.
    fn note(taken: &Taken<'_, Self>) -> Option<Self::Note>;
    /// Remembers it. `life` says which life of an actor it was before the step, and whether that is doubted.
    fn remember(ghost: &mut Self::Ghost, note: Self::Note, life: &dyn Fn(ActorId) -> (Life, bool));
    /// Clears what a machine keeps for judges only, so that equal states are equal.
    fn clear(machine: &mut Self::Machine);
    /// Whether a state breaks a property of [`Explored::PROPERTIES`].
    fn breaks(scene: &Scene<'_, Self>, property: Property) -> bool;
    /// What a machine is to a reader, in a few words.
    fn describe(machine: &Self::Machine) -> String;
    /// What is remembered, in a few words.
    fn recall(ghost: &Self::Ghost) -> String;
    /// A message in a few words.
    fn say(message: &Self::Message) -> String;
    /// The memory that a machine takes in all, in bytes.
    fn bytes(machine: &Self::Machine) -> usize;
}

/// What a process is made of when it starts for the `start`th time, as in a run: a process that starts late there was
/// started once before, when the run began. One that `remembers` keeps what it was given then.
pub(crate) fn start_as_in_a_run(plan: &Plan, actor: ActorId, start: u8, remembers: bool) -> Start {
    let mut words = Stream::new(plan.noise.seed, Concern::Start, actor, 0);
    let before = if remembers { start - 1 } else { start };
    (0..before).for_each(|_| {
        words.word();
    });
    Start { entropy: words.word(), image: u64::from(actor) + 1 }
}

/// A step of a machine, just taken.
#[derive(Debug)]
pub struct Taken<'s, P: Explored> {
    /// Who sent the message, if it is one; else whose machine it is.
    pub source: ActorId,
    /// Whose machine it is.
    pub actor: ActorId,
    /// The machine before.
    pub before: &'s P::Machine,
    /// The machine after.
    pub after: &'s P::Machine,
    /// What happened.
    pub cause: &'s Cause<'s, P::Message, P::Command>,
    /// What it asked for.
    pub outputs: &'s [P::Output],
}

/// Searches the small world of an instance, of whatever protocol, and tells a shortest way to a broken property.
///
/// # Errors
/// A sentence that says which properties there are.
pub fn explore(
    instance: &Instance,
    properties: &[Property],
    limits: Limits,
    outside: &Outside<'_>,
) -> Result<(Outcome, Option<Counterexample>), String> {
    match &instance.plan.options {
        Options::Election(_) => explore_for::<Election>(instance, properties, limits, outside),
        Options::Routing(_) => explore_for::<Routing>(instance, properties, limits, outside),
        Options::Distribution(_) => explore_for::<Distribution>(instance, properties, limits, outside),
    }
}

fn explore_for<P: Explored>(
    instance: &Instance,
    properties: &[Property],
    limits: Limits,
    outside: &Outside<'_>,
) -> Result<(Outcome, Option<Counterexample>), String> {
    if let Some(unknown) = properties.iter().find(|property| !P::PROPERTIES.contains(property)) {
        let known = P::PROPERTIES.iter().map(|property| property.name()).collect::<Vec<_>>().join(", ");
        return Err(format!("{unknown} is not judged state by state; expected one of {known}"));
    }
    let properties = if properties.is_empty() { P::PROPERTIES } else { properties };
    let mut search = Search::<P>::new(instance, properties, limits);
    let outcome = search.run(outside);
    let counterexample = Counterexample::of(&mut search, &outcome);
    Ok((outcome, counterexample))
}

/// How large the small world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How long a quantum is, in true microseconds. Timers may be late by as much.
    pub quantum: Duration,
    /// How many quanta there are.
    pub horizon: u8,
    /// How many quanta a message may be under way at most.
    pub delay: u8,
    /// How many crashes there are at most.
    pub crashes: u8,
    /// How many pauses there are at most.
    pub pauses: u8,
    /// How often the store restarts empty at most.
    pub wipes: u8,
}

/// Longer worlds are too large to be searched anyhow.
pub const HORIZON_MAX: u8 = 200;
/// A process is started once more than it crashes.
pub const CRASHES_MAX: u8 = 30;
/// More places with a process cannot be searched anyhow.
pub const PROCESSES_MAX: u64 = 8;

/// What is searched: a calm plan, in a small world.
#[derive(Clone, Debug)]
pub struct Instance {
    plan: Plan,
    bounds: Bounds,
}

impl Instance {
    /// The small world of these options.
    ///
    /// # Errors
    /// [`PlanError::Invalid`], naming the field and what was expected: what a run of these options asks for, and that the
    /// bounds fit them. The fields of the bounds are called `explore.` and their name.
    pub fn new(options: impl Into<Options>, bounds: Bounds) -> Result<Self, PlanError> {
        let mut plan = Plan::calm(options);
        plan.noise.latency_us_max = plan.noise.latency_us_min;
        plan.check()?;
        let options = &plan.options;
        if bounds.horizon == 0 || bounds.horizon > HORIZON_MAX {
            let problem = format!("{} quanta; expected 1 to {HORIZON_MAX}", bounds.horizon);
            return Err(invalid("explore.horizon", problem));
        }
        let sizes = options.sizes();
        let all: u64 = sizes.iter().map(|(size, _)| *size).sum();
        if all > PROCESSES_MAX {
            let first = sizes.first().map_or("node", |(_, name)| name);
            let each: Vec<String> = sizes.iter().map(|(size, name)| format!("{size} of {name}")).collect();
            let problem = format!("{all} in all ({}); a search takes at most {PROCESSES_MAX}", each.join(", "));
            return Err(invalid(format!("options.{first}s"), problem));
        }
        if bounds.crashes > CRASHES_MAX {
            return Err(invalid("explore.crashes", format!("{}; expected at most {CRASHES_MAX}", bounds.crashes)));
        }
        let interval = options.heartbeat_interval();
        if bounds.quantum == Duration::ZERO || bounds.quantum > interval {
            let problem = format!("{}; expected more than 0 and at most the interval, {interval}", bounds.quantum);
            return Err(invalid("explore.quantum", problem));
        }
        let late = options.bounds().timer_late_us_max;
        if late < bounds.quantum {
            let problem = format!("{}, and a timer is assumed to be late by at most {late}", bounds.quantum);
            return Err(invalid("explore.quantum", problem));
        }
        if let Some(clock) = options.clocks().iter().find(|clock| clock.ahead_us > 0) {
            let problem = format!("the clock of {} is ahead; expected clocks that begin at zero", clock.node);
            return Err(invalid("options.clocks", problem));
        }
        Ok(Self { plan, bounds })
    }

    /// The same with other chance: what processes draw is decided by `seed`, as in a run whose noise has this seed.
    #[must_use]
    pub const fn with_chance(mut self, seed: u64) -> Self {
        self.plan.noise.seed = seed;
        self
    }

    /// The calm plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How large the world is.
    #[must_use]
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The clock of a place.
    fn clock(&self, place: Place) -> Clock {
        let clock = self.plan.options.clocks().iter().find(|clock| clock.node == place);
        Clock::new(Instant::ZERO, NOMINAL.saturating_add_signed(clock.map_or(0, |clock| i64::from(clock.ppm))))
    }
}
