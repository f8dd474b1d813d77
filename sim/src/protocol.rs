//! What a protocol brings along to be simulated: its machines, its words, its refinement and its judge; and to have its
//! plans drawn: its places, its operators and its times.

use crate::event::ActorId;
use crate::fault::{Access, FaultClass, FaultKind, Place};
use crate::generate::Draw;
use crate::note::Note;
use crate::options::{Options, ProtocolOptions};
use crate::plan::{Plan, Task};
use crate::report::RunReport;
use crate::trace::Refined;
use failproof_core::{Duration, Instant, Machine};
use failproof_spec::ContractName;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// One actor of the cast: a machine that runs at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Where it runs.
    pub place: Place,
    /// What it is there, in the protocol's own numbering.
    pub role: u8,
    /// For which kind of leader.
    pub utype: u16,
}

/// What the store does with one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFate {
    /// Carries it out and answers.
    Serve,
    /// Carries it out on its state of a while ago.
    ReadAt(Duration),
    /// Answers with damage. A write is not carried out.
    Corrupt,
}

/// One input of a machine, with the clocks of its place.
#[derive(Clone, Copy, Debug)]
pub struct Stimulus<'a, M, C> {
    /// The wall clock of the place.
    pub wall: Instant,
    /// What the store does with it, if it is an operation on the store.
    pub fate: StoreFate,
    /// What happens.
    pub cause: Cause<'a, M, C>,
}

/// What happens to a machine.
#[derive(Clone, Copy, Debug)]
pub enum Cause<'a, M, C> {
    /// Its deadline passed.
    Timer,
    /// A message arrived.
    Message(&'a M),
    /// The environment makes it do something.
    Command(C),
}

/// What an output asks of the world.
#[derive(Clone, Copy, Debug)]
pub enum Act<M> {
    /// Send a message to this actor; to whoever asked if absent.
    Send(Option<ActorId>, M),
    /// Send it later, unless the process ends before.
    Effect(ActorId, M, Duration),
    /// Nothing: it is told to the application.
    Tell,
}

/// What a start is made of.
#[derive(Debug)]
pub struct Boot<D> {
    /// What the disk kept.
    pub disk: Option<D>,
    /// Chance.
    pub entropy: u64,
    /// What the disk image identifies itself by.
    pub image: u64,
    /// T as configured at that place now.
    pub timeout: Duration,
    /// The store generation.
    pub generation: u32,
    /// The wall clock of the place.
    pub wall: Instant,
    /// The clock that the machine reads.
    pub now: Instant,
    /// Whether the run begins with this start.
    pub first: bool,
    /// Whether another version was installed there before: see [`crate::plan::TaskKind::Upgrade`].
    pub upgraded: bool,
}

/// What the world knows of a place and the protocol does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Its process does not run.
    pub down: bool,
    /// Its process stands still.
    pub paused: bool,
    /// Its clock is outside the stated bounds.
    pub clock_out: bool,
}

/// A step as the judge sees it.
#[derive(Debug)]
pub struct Step<'a, P: Protocol> {
    /// When, in true microseconds.
    pub at_us: u64,
    /// Who stepped.
    pub actor: ActorId,
    /// Which life of that actor it is now.
    pub life: u32,
    /// Whose message it was, or the actor itself.
    pub source: ActorId,
    /// Which life of the source sent it.
    pub source_life: u32,
    /// What happened.
    pub cause: Cause<'a, P::Message, P::Command>,
    /// The machine after the step.
    pub machine: &'a P::Machine,
    /// What it answered.
    pub outputs: &'a [P::Output],
}

/// What the judge noted about a step: at most one action of the contract.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noted {
    /// The contract action, as it is called in TLA+.
    pub action: Option<&'static str>,
    /// The refined state of the stepping actor, packed.
    pub refined: u64,
}

/// What reports call what a protocol does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The property that a run breaks which does not come back after its last fault.
    pub comes_back: &'static str,
    /// That it came back, too late, continued by a time: `a primary worked`.
    pub came_back: &'static str,
    /// That it did not come back until the run ended.
    pub stayed_away: &'static str,
    /// What was expected instead, continued by `within` a time: `one`.
    pub expected: &'static str,
    /// That it was not back, continued by `within` a time.
    pub not_back: &'static str,
    /// What the file of such a plan is called by.
    pub not_back_file: &'static str,
    /// The property whose breaches outside the assumptions are told as exposures.
    pub exposed: &'static str,
    /// Time in which nobody served: `without a primary`.
    pub unserved: &'static str,
    /// Somebody who stopped although no fault was near, in the singular.
    pub false_stop: &'static str,
    /// That nothing came close to the limit.
    pub no_margin: &'static str,
}

/// What a timeline calls what a protocol does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tale {
    /// What somebody does who believes to be the one that works: `works as primary`.
    pub works: &'static str,
    /// Whether two that do are one too many.
    pub exclusive: bool,
    /// The head of the column that lists them: `works`.
    pub who_works: &'static str,
    /// Actions of the contract that are everyday work: told only where they led to a violation.
    pub everyday: &'static [&'static str],
}

/// The judge of one run. It shares no code with the machines: it reads their refined states.
pub trait Judge<P: Protocol> {
    /// A machine took a step.
    fn observe(&mut self, step: &Step<'_, P>) -> Noted;
    /// A place changed. All of its actors' machines are gone if it is down.
    fn place_changed(&mut self, at_us: u64, place: Place, health: Health);
    /// The clock of a place stepped: what was measured with it before is void.
    fn clock_stepped(&mut self, at_us: u64, place: Place);
    /// The disturbance of a place is over and all that was due has happened.
    fn settled(&mut self, at_us: u64, place: Place);
    /// An operation of a life is under way to the resource, or no longer.
    fn in_flight(&mut self, actor: ActorId, life: u32, more: bool);
    /// Which place works as primary, if one does.
    fn primary(&self) -> Option<Place>;
    /// A fault begins or ends.
    fn fault(&mut self, at_us: u64, kind: &FaultKind, begins: bool);
    /// The run is over: write what was found.
    fn finish(&mut self, at_us: u64, report: &mut RunReport);
    /// The refined state of an actor, for a record.
    fn describe(&self, actor: ActorId) -> Refined;
    /// The run is recorded: from now on the judge writes down what it is told and what it finds.
    fn keep_notes(&mut self) {}
    /// What it wrote down since the last call, in order.
    fn take_notes(&mut self) -> Vec<Note> {
        Vec::new()
    }
}

/// A protocol to simulate.
pub trait Protocol: Sized + 'static {
    /// What travels.
    type Message: Copy + Debug + Send + 'static;
    /// What the environment can make a machine do.
    type Command: Copy + Debug + Send + 'static;
    /// What a machine asks of the world.
    type Output: Debug + Send;
    /// Any actor's machine.
    type Machine: for<'a> Machine<Input<'a> = Stimulus<'a, Self::Message, Self::Command>, Output = Self::Output> + Send;
    /// What survives a crash.
    type Disk: Clone + Debug + Send;
    /// The judge.
    type Judge: Judge<Self> + Send;
    /// Its options.
    type Options: ProtocolOptions + Clone + Default + DeserializeOwned + Into<Options>;

    /// The name of the protocol.
    const NAME: &'static str;
    /// The contract that its runs are judged by.
    const CONTRACT: ContractName;
    /// What reports call what it does.
    const WORDS: Words;
    /// What timelines call what it does.
    const TALE: Tale;
    /// The actor to which operations travel whose arrival the judge counts, if there is one.
    const RESOURCE: Option<ActorId>;
    /// How many of the first places are stores: what faults of the store do, they do at each of these.
    const STORES: usize = 1;
    /// Whether a timer that passed while its place stood still fires before what else waited there, as soon as the place
    /// goes on; else it fires after that.
    const TIMERS_FIRST: bool = true;
    /// Whether anything is left of a disk that is lost: [`Protocol::left_of`].
    const KEEPS_ELSEWHERE: bool = false;

    /// The options of one of its plans.
    ///
    /// # Panics
    /// When it is the plan of another protocol.
    #[must_use]
    fn options(plan: &Plan) -> &Self::Options {
        plan.options.own()
    }

    /// All places, the stores first. Each actor is at one of them.
    fn places(options: &Self::Options) -> Vec<Place>;
    /// What `primary` means in a plan while the judge calls nobody so.
    fn usual_primary() -> Place;
    /// Whether messages travel from one place to the other, or back.
    fn talks(one: Place, other: Place) -> bool;
    /// Whether faults of this kind can be injected.
    #[must_use]
    fn knows(_kind: &str) -> bool {
        true
    }
    /// All actors of a plan: the store first.
    fn cast(plan: &Plan) -> Vec<Actor>;
    /// Starts a machine.
    fn boot(plan: &Plan, actor: &Actor, boot: Boot<Self::Disk>) -> Self::Machine;
    /// What would survive a crash now.
    fn disk(machine: &Self::Machine) -> Option<Self::Disk>;
    /// What is left of a disk that is lost, because it is kept elsewhere too.
    #[must_use]
    fn left_of(_disk: Self::Disk) -> Option<Self::Disk> {
        None
    }
    /// Which start of its protocol this is within the process, from 1.
    fn life(machine: &Self::Machine) -> u32;
    /// The judge of a run.
    fn judge(plan: &Plan, cast: &[Actor]) -> Self::Judge;
    /// What kind of message it is, in a word: `heartbeat`.
    fn word(message: &Self::Message) -> &'static str;
    /// Which kind of operation on the store a message is, if it is one.
    fn access(message: &Self::Message) -> Option<Access>;
    /// What an output asks of the world.
    fn act(output: &Self::Output) -> Act<&Self::Message>;
    /// All that matters of a message, mixed into one word for the trace hash.
    fn digest(message: &Self::Message) -> u64;
    /// Whether machines read a clock that counts suspended time.
    fn counts_suspended_time(plan: &Plan) -> bool;
    /// What a fault makes an actor of its place do when it begins or ends.
    fn command_of_fault(
        plan: &Plan,
        actor: &Actor,
        kind: &FaultKind,
        begins: bool,
        generation: u32,
    ) -> Option<Self::Command>;
    /// What a task makes an actor of its place do, if anything.
    fn command_of_task(task: &Task, actor: &Actor) -> Option<Self::Command>;
    /// Whether a task is one that an operator of this protocol can have.
    ///
    /// # Errors
    /// The field of the task that is wrong, and what is, in words: `what`, if there is no such task.
    fn check_task(options: &Self::Options, task: &Task) -> Result<(), (&'static str, String)>;

    /// Changes the options of a plan that is drawn: sizes, and clocks if `classes` disturb them.
    fn knobs(draw: &mut Draw<Self>, classes: &[FaultClass]);
    /// What stands on either side of a partition.
    fn members(options: &Self::Options) -> Vec<Place>;
    /// Whom bursts have as their victims when it is not the primary; some of them more often, if they are there again.
    #[must_use]
    fn victims(options: &Self::Options) -> Vec<Place> {
        Self::members(options)
    }
    /// Whether a place may lose its disk.
    #[must_use]
    fn may_forget(_place: Place) -> bool {
        true
    }
    /// The other end of a link of `victim` that is cut. A fixed number of words, whoever the victim is.
    fn peer(draw: &mut Draw<Self>, victim: Place) -> Place;
    /// What an operator does at a time. A fixed number of words.
    fn task(draw: &mut Draw<Self>, at_us: u64) -> Task;
    /// How long a run must go on after its last fault to show that it came back, in true microseconds.
    fn settle_us(options: &Self::Options) -> u64;
    /// How long a run takes to have begun, before the first fault of a child.
    fn lead_us(options: &Self::Options) -> u64;
    /// Within what time it must be back once all faults are over, in true microseconds.
    fn bound_us(plan: &Plan) -> u64;
}
