//! A bug in a machine is found by the search of that machine.
//!
//! The planted candidate reads twice the term that the table promised, so it works on when its entry is open to others. It
//! is an election in all else, under hardened rules; without the bug the same world holds.

use super::{small, to_its_end};
use failproof::election::{Election, Member, Options};
use failproof::event::ActorId;
use failproof::explore::{Explored, Life, Limits, Scene, Search, Stopped, Taken, explore};
use failproof::fault::{Access, FaultClass, FaultKind, Place};
use failproof::generate::Draw;
use failproof::plan::{Plan, Task};
use failproof::protocol::{Act, Actor, Boot, Cause, Health, Judge, Noted, Protocol, Step, Stimulus, Tale, Words};
use failproof::report::RunReport;
use failproof::trace::Refined;
use failproof_core::election::{Message, Output, Rules};
use failproof_core::{Instant, Machine};
use failproof_spec::{ContractName, Property};

/// An election whose candidates read `TERMS` times the promised term.
#[derive(Debug)]
enum Planted<const TERMS: u64> {}

/// One of its machines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reader<const TERMS: u64>(Member);

type Command = <Election as Protocol>::Command;
type Disk = <Election as Protocol>::Disk;

impl<const TERMS: u64> Machine for Reader<TERMS> {
    type Input<'a> = Stimulus<'a, Message, Command>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Self::Input<'_>, outputs: &mut Vec<Output>) {
        match (&self.0, input.cause) {
            (Member::Candidate(_), Cause::Message(Message::Answer(answer))) => {
                let mut misread = *answer;
                misread.row.term = misread.row.term.times(TERMS);
                misread.digest = misread.expected_digest();
                let cause = Cause::Message(&Message::Answer(misread));
                self.0.handle(now, Stimulus { cause, ..input }, outputs);
            }
            _ => self.0.handle(now, input, outputs),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }
}

/// The search does not judge by it.
struct Nobody;

impl<const TERMS: u64> Judge<Planted<TERMS>> for Nobody {
    fn observe(&mut self, _: &Step<'_, Planted<TERMS>>) -> Noted {
        Noted::default()
    }

    fn place_changed(&mut self, _: u64, _: Place, _: Health) {}
    fn clock_stepped(&mut self, _: u64, _: Place) {}
    fn settled(&mut self, _: u64, _: Place) {}
    fn in_flight(&mut self, _: ActorId, _: u32, _: bool) {}
    fn primary(&self) -> Option<Place> {
        None
    }
    fn fault(&mut self, _: u64, _: &FaultKind, _: bool) {}
    fn finish(&mut self, _: u64, _: &mut RunReport) {}
    fn describe(&self, _: ActorId) -> Refined {
        Refined(Vec::new())
    }
}

impl<const TERMS: u64> Protocol for Planted<TERMS> {
    type Message = Message;
    type Command = Command;
    type Output = Output;
    type Machine = Reader<TERMS>;
    type Disk = Disk;
    type Judge = Nobody;
    type Options = Options;

    const NAME: &'static str = Election::NAME;
    const CONTRACT: ContractName = Election::CONTRACT;
    const WORDS: Words = Election::WORDS;
    const TALE: Tale = Election::TALE;
    const RESOURCE: Option<ActorId> = Election::RESOURCE;

    fn places(options: &Options) -> Vec<Place> {
        Election::places(options)
    }
    fn usual_primary() -> Place {
        Election::usual_primary()
    }
    fn talks(one: Place, other: Place) -> bool {
        Election::talks(one, other)
    }
    fn cast(plan: &Plan) -> Vec<Actor> {
        Election::cast(plan)
    }
    fn boot(plan: &Plan, actor: &Actor, boot: Boot<Disk>) -> Reader<TERMS> {
        Reader(Election::boot(plan, actor, boot))
    }
    fn disk(machine: &Reader<TERMS>) -> Option<Disk> {
        Election::disk(&machine.0)
    }
    fn life(machine: &Reader<TERMS>) -> u32 {
        Election::life(&machine.0)
    }
    fn judge(_: &Plan, _: &[Actor]) -> Nobody {
        Nobody
    }
    fn word(message: &Message) -> &'static str {
        Election::word(message)
    }
    fn access(message: &Message) -> Option<Access> {
        Election::access(message)
    }
    fn act(output: &Output) -> Act<&Message> {
        Election::act(output)
    }
    fn digest(message: &Message) -> u64 {
        Election::digest(message)
    }
    fn counts_suspended_time(plan: &Plan) -> bool {
        Election::counts_suspended_time(plan)
    }
    fn command_of_fault(
        plan: &Plan,
        actor: &Actor,
        kind: &FaultKind,
        begins: bool,
        generation: u32,
    ) -> Option<Command> {
        Election::command_of_fault(plan, actor, kind, begins, generation)
    }
    fn command_of_task(task: &Task, actor: &Actor) -> Option<Command> {
        Election::command_of_task(task, actor)
    }
    fn check_task(options: &Options, task: &Task) -> Result<(), (&'static str, String)> {
        Election::check_task(options, task)
    }
    fn knobs(_: &mut Draw<Self>, _: &[FaultClass]) {
        unreachable!("nothing is drawn");
    }
    fn members(options: &Options) -> Vec<Place> {
        Election::members(options)
    }
    fn peer(_: &mut Draw<Self>, victim: Place) -> Place {
        victim
    }
    fn task(_: &mut Draw<Self>, _: u64) -> Task {
        unreachable!("nothing is drawn");
    }
    fn settle_us(options: &Options) -> u64 {
        Election::settle_us(options)
    }
    fn lead_us(options: &Options) -> u64 {
        Election::lead_us(options)
    }
    fn bound_us(plan: &Plan) -> u64 {
        Election::bound_us(plan)
    }
}

impl<const TERMS: u64> Explored for Planted<TERMS> {
    type Note = <Election as Explored>::Note;
    type Ghost = <Election as Explored>::Ghost;

    const PROPERTIES: &'static [Property] = &[Property::AtMostOneWorkingPrimary];

    fn note(taken: &Taken<'_, Self>) -> Option<Self::Note> {
        let Taken { source, actor, before, after, cause, outputs } = *taken;
        Election::note(&Taken { source, actor, before: &before.0, after: &after.0, cause, outputs })
    }
    fn remember(ghost: &mut Self::Ghost, note: Self::Note, life: &dyn Fn(ActorId) -> (Life, bool)) {
        Election::remember(ghost, note, life);
    }
    fn clear(machine: &mut Reader<TERMS>) {
        Election::clear(&mut machine.0);
    }
    fn breaks(scene: &Scene<'_, Self>, _: Property) -> bool {
        let works = |machine: &Reader<TERMS>| match &machine.0 {
            Member::Candidate(candidate) => candidate.refined().works,
            _ => false,
        };
        scene.processes().filter(|(actor, machine)| works(machine) && !scene.is_doubted(*actor)).count() > 1
    }
    fn describe(machine: &Reader<TERMS>) -> String {
        Election::describe(&machine.0)
    }
    fn recall(ghost: &Self::Ghost) -> String {
        Election::recall(ghost)
    }
    fn say(message: &Message) -> String {
        Election::say(message)
    }
    fn bytes(machine: &Reader<TERMS>) -> usize {
        Election::bytes(&machine.0)
    }
}

#[test]
fn a_candidate_that_reads_a_longer_term_is_found() {
    let instance = small(Rules::hardened(), 6, 0);
    let mut sound = Search::<Planted<1>>::new(&instance, Planted::<1>::PROPERTIES, Limits::default());
    let held = sound.run(&to_its_end());
    assert_eq!(held.stopped, Stopped::Exhausted);
    // The wrapper changes nothing but the term.
    let (same, _) = explore(&instance, &[], Limits::default(), &to_its_end()).expect("an election");
    assert_eq!((held.states, held.generated, held.depth), (same.states, same.generated, same.depth));

    let mut planted = Search::<Planted<2>>::new(&instance, Planted::<2>::PROPERTIES, Limits::default());
    let found = planted.run(&to_its_end());
    assert_eq!(found.stopped, Stopped::Broken(Property::AtMostOneWorkingPrimary));
    let way = planted.way(found.broken[0]);
    assert_eq!(way.len(), found.depth as usize, "a shortest one");
    let (_, last) = way.last().expect("moves");
    assert_eq!(planted.space().broken(last, Planted::<2>::PROPERTIES), Some(Property::AtMostOneWorkingPrimary));
}
