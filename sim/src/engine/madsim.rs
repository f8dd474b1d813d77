//! The same world under madsim: a node for every place, a task and a UDP socket for every actor, real kills, restarts,
//! pauses and cut links. Its traces equal those of [`super::fast`] byte for byte.
//!
//! | what happens | in the world | under madsim |
//! |---|---|---|
//! | a message, an operation that leaves later | a post | a datagram; to a dead process or over a cut link: lost there |
//! | a timer | a post | a sleep of the actor's task |
//! | a command of an operator | a post | put before the actor by the supervisor |
//! | crash, restart, pause | [`Directive`] | the node is killed, restarted, paused: sockets, tasks and machines with it |
//! | a partition of any shape | [`Directive::Rewire`] | clogged links |
//!
//! madsim runs what is ready in an order of its own, and its calls take time. So time is stretched: every nominal
//! microsecond lasts long, the environment and each actor have a slot in it, in the order of [`crate::event::Event::key`],
//! and whatever a slot sends has arrived before the next microsecond begins (see `dial.rs`). A datagram that arrives waits
//! in its process until the nominal time at which the world wants it there. Stretched time costs nothing, since madsim
//! skips time in which nothing happens.
//!
//! The world decides the fate of each message, the network confirms it: a message that a partition swallows is sent all
//! the same, and its arrival would end the run with a panic. Links between places that do not talk carry nothing, so they
//! are not clogged.

mod dial;
mod mail;
mod process;

use crate::event::ActorId;
use crate::fault::{FaultKind, Place};
use crate::plan::Plan;
use crate::protocol::Protocol;
use crate::report::RunReport;
use crate::trace::Record;
use crate::world::{Directive, World};
use dial::{Dial, Nap, Slot};
use madsim::net::NetSim;
use madsim::runtime::{Handle, Runtime};
use madsim::task::NodeId;
use madsim::time::sleep;
use mail::{Mail, Shared, lock};
use process::Process;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// A deliberate bug of this engine, to show that comparing engines convicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineBug {
    /// None.
    #[default]
    None,
    /// A message that arrives while the target's timer is due is lost, as by a cancelled receive.
    CancelledReceive,
    /// At equal times timers come before messages.
    TimerFirst,
}

/// What must not show in a trace, and what must: for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Creates nodes and tasks last to first. No trace may depend on it.
    pub reversed: bool,
    /// Seeds madsim's own chance, beside the plan's seed. No trace may depend on it.
    pub seed: u64,
    /// A bug that traces must show.
    pub bug: EngineBug,
}

/// Runs `plan`, which has been checked, to its end.
///
/// # Panics
/// As the machine or the harness did that panicked within.
#[must_use]
pub fn run<P: Protocol>(plan: Arc<Plan>, record: bool) -> (RunReport, Vec<Record>) {
    run_with::<P>(plan, record, Quirks::default())
}

/// Runs `plan` as [`run`] does, with `quirks`.
///
/// # Panics
/// As the machine or the harness did that panicked within.
#[must_use]
pub fn run_with<P: Protocol>(plan: Arc<Plan>, record: bool, quirks: Quirks) -> (RunReport, Vec<Record>) {
    // madsim keeps some of its state per thread and leaves it there, so each run gets a thread.
    let run = thread::spawn(move || {
        let mut config = madsim::Config::default();
        config.net.packet_loss_rate = 0.0;
        // An empty range would make it panic.
        config.net.send_latency = Duration::ZERO..Duration::from_nanos(1);
        let runtime = Runtime::with_seed_and_config(plan.noise.seed ^ quirks.seed, config);
        runtime.block_on(async move {
            let mut supervisor = Supervisor::<P>::new(&plan, record, quirks);
            supervisor.supervise(plan.options.time_us()).await;
            supervisor.finish(plan.options.time_us()).await
        })
    });
    run.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

/// Long enough for a process that was started to have its socket, or for one that was killed to be gone.
const SETTLING: Duration = Duration::from_millis(5);

/// The environment: the task outside all nodes, in the first slot of a microsecond.
struct Supervisor<P: Protocol> {
    handle: Handle,
    dial: Dial,
    shared: Shared<P>,
    quirks: Quirks,
    addresses: Arc<Vec<SocketAddr>>,
    /// By place.
    nodes: Vec<NodeId>,
    /// Each pair of places between which messages travel, once.
    links: Vec<(usize, usize)>,
    /// By actor: whether what it writes to disk is ever asked for.
    durable: Vec<bool>,
}

impl<P: Protocol> Supervisor<P> {
    fn new(plan: &Arc<Plan>, record: bool, quirks: Quirks) -> Self {
        let world = World::<P, _>::new(Arc::clone(plan), record, Vec::new());
        let (handle, places, actors) = (Handle::current(), world.places(), world.cast().len());
        let build = |place| handle.create_node().name(format!("place {place}")).ip(address(place, 1).ip()).build().id();
        let nodes = if quirks.reversed {
            let mut last_first: Vec<_> = (0..places).rev().map(build).collect();
            last_first.reverse();
            last_first
        } else {
            (0..places).map(build).collect()
        };
        let mut ports = vec![0; places];
        let port_of = |actor| {
            let place = world.place_of(actor);
            ports[place] += 1;
            address(place, ports[place])
        };
        let addresses = Arc::new((0..actors as ActorId).map(port_of).collect());
        let pairs = (0..places).flat_map(|one| (one + 1..places).map(move |other| (one, other)));
        let links = pairs.filter(|(one, other)| world.talks(*one, *other)).collect();
        let keeps = |place| plan.faults.iter().any(|fault| keeps_disk::<P>(&fault.kind, place));
        let durable = world.cast().iter().map(|actor| keeps(actor.place)).collect();
        Self {
            handle,
            dial: Dial::new(actors),
            shared: Arc::new(Mutex::new(Mail::new(world, quirks.bug))),
            quirks,
            addresses,
            nodes,
            links,
            durable,
        }
    }

    async fn supervise(&mut self, end_us: u64) {
        let places: Vec<_> = (0..self.nodes.len()).collect();
        self.start(&places, 0).await;
        loop {
            let slot = lock(&self.shared).plan_environment(end_us);
            if !self.wait(slot).await {
                continue;
            }
            if slot.at_us > end_us {
                return;
            }
            if slot == Slot::environment(slot.at_us) {
                self.act(slot.at_us).await;
            } else {
                lock(&self.shared).bury(slot);
            }
        }
    }

    /// Waits for `slot`; false if something is to be done before.
    async fn wait(&self, slot: Slot) -> bool {
        let mut nap = Nap::until(Some(slot), self.dial);
        poll_fn(|cx| {
            if lock(&self.shared).undertaker.changed(cx) {
                return Poll::Ready(false);
            }
            if nap.is_over(cx) { Poll::Ready(true) } else { Poll::Pending }
        })
        .await
    }

    /// All that the environment does at `at_us`.
    async fn act(&mut self, at_us: u64) {
        let mut directives = Vec::new();
        while lock(&self.shared).world.agenda_us() == Some(at_us) {
            lock(&self.shared).world.environment(&mut directives);
            for directive in directives.drain(..) {
                self.obey(directive, at_us).await;
            }
            lock(&self.shared).sort();
        }
    }

    /// Nothing here may hold the lock while madsim drops what a node holds.
    async fn obey(&mut self, directive: Directive, at_us: u64) {
        match directive {
            Directive::Kill { place, durable } => {
                lock(&self.shared).kill(place, durable, at_us);
                self.handle.kill(self.nodes[place]);
            }
            Directive::Start { place } => {
                self.handle.restart(self.nodes[place]);
                // Counting the tasks is what makes madsim forget those of the killed processes.
                let _ = self.handle.metrics().num_tasks_by_node();
                self.start(&[place], at_us).await;
            }
            Directive::Pause { place } => {
                lock(&self.shared).pause(place, at_us);
                self.handle.pause(self.nodes[place]);
            }
            Directive::Resume { place } => {
                lock(&self.shared).resume(place, at_us);
                self.handle.resume(self.nodes[place]);
            }
            Directive::Rewire => self.rewire(),
        }
    }

    /// Starts all processes of some places. The machine of each belongs to its task.
    async fn start(&mut self, places: &[usize], at_us: u64) {
        let mut tasks = Vec::new();
        let mut paused = Vec::new();
        {
            let mut mail = lock(&self.shared);
            for &place in places {
                let actors: Vec<_> = mail.world.actors_at(place).collect();
                for actor in actors {
                    let machine = mail.world.start(actor, at_us);
                    tasks.push((place, actor, machine));
                }
                paused.extend(mail.started(place, at_us).then_some(place));
            }
            mail.sort();
        }
        if self.quirks.reversed {
            tasks.reverse();
        }
        for (place, actor, machine) in tasks {
            // After a restart the handle of before leads nowhere.
            let Some(node) = self.handle.get_node(self.nodes[place]) else { continue };
            let (shared, addresses, dial) = (Arc::clone(&self.shared), Arc::clone(&self.addresses), self.dial);
            node.spawn(Process::run(actor, machine, self.durable[usize::from(actor)], shared, addresses, dial));
        }
        sleep(SETTLING).await;
        for place in paused {
            self.handle.pause(self.nodes[place]);
        }
    }

    /// Clogs the links over which no way leads, and only those.
    fn rewire(&self) {
        let (mail, network) = (lock(&self.shared), NetSim::current());
        let set = |source: usize, target: usize| {
            let (from, to) = (self.nodes[source], self.nodes[target]);
            match mail.world.is_cut(source, target) {
                true => network.clog_link(from, to),
                false => network.unclog_link(from, to),
            }
        };
        for (one, other) in &self.links {
            set(*one, *other);
            set(*other, *one);
        }
    }

    /// Ends all processes, then the run. Tasks that stayed would never be freed.
    async fn finish(self, end_us: u64) -> (RunReport, Vec<Record>) {
        for node in &self.nodes {
            self.handle.kill(*node);
        }
        sleep(SETTLING).await;
        let Some(mail) = Arc::into_inner(self.shared) else { panic!("a process outlived its node") };
        let mail = mail.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        mail.world.finish(end_us)
    }
}

/// Where an actor can be reached: the address of its place, and which actor there it is, from 1.
fn address(place: usize, port: u16) -> SocketAddr {
    let [_, a, b, c] = (place as u32 + 1).to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(10, a, b, c), port))
}

/// Whether a fault ends processes of `place` and lets their disks survive, or something of them.
fn keeps_disk<P: Protocol>(kind: &FaultKind, place: Place) -> bool {
    let kept = |durable: bool| durable || P::KEEPS_ELSEWHERE;
    match *kind {
        FaultKind::Crash { node: Place::Primary, durable } => {
            kept(durable) && !matches!(place, Place::Store | Place::Resource | Place::Center)
        }
        FaultKind::Crash { node, durable } => kept(durable) && node == place,
        FaultKind::Wipe {} => kept(false) && place == Place::Store,
        _ => false,
    }
}
