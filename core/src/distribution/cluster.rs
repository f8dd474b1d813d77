//! The external cluster that jobs run on: it outlives the servers, and knows instances by name.

use super::message::{InstanceState, JobId, Message, Name, Request, Said, Verb};
use super::rules::{Fencing, Progress, Rules};
use super::{Output, Target};
use crate::machine::Machine;
use crate::time::Instant;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// What can happen to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterInput<'a> {
    /// A deadline passed.
    Timer,
    /// A message arrived.
    Message(&'a Message),
}

/// What became of an instance that was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Instance {
    state: InstanceState,
    /// How often it was started.
    starts: u32,
    /// How many of them run.
    live: u32,
}

/// When an instance exits by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Exit {
    at: Instant,
    name: Name,
    start: u32,
    fails: bool,
}

/// The cluster.
///
/// Units and clock: every [`Instant`] is microseconds on the cluster's own clock. A name is remembered for ever. Under
/// [`Progress::States`] it starts once, and one that was stopped before never starts; under [`Progress::DeleteAfterRun`]
/// calls bear no name that the cluster could know again, so each of them starts one more.
/// Spec: `live`, `starts` and `used` in `Job.tla`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Cluster {
    #[cfg_attr(feature = "serde", serde(skip))]
    rules: Rules,
    instances: BTreeMap<Name, Instance>,
    exits: BTreeSet<Exit>,
    /// The same, by name.
    #[cfg_attr(feature = "serde", serde(skip))]
    exits_of: BTreeSet<(Name, Exit)>,
    /// The newest epoch that was seen of each row: see [`Rules::fenced`].
    epochs: BTreeMap<Name, u32>,
    /// What exited by itself in the last step.
    #[cfg_attr(feature = "serde", serde(skip))]
    exited: Option<Name>,
}

impl Cluster {
    /// A cluster on which nothing runs.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let (exits, exits_of) = (BTreeSet::new(), BTreeSet::new());
        Self { rules, instances: BTreeMap::new(), exits, exits_of, epochs: BTreeMap::new(), exited: None }
    }

    /// Lets `rules` decide from now on. What it remembers stays.
    pub fn upgrade(&mut self, rules: Rules) {
        self.rules = rules;
        for (name, epoch) in core::mem::take(&mut self.epochs) {
            let seen = self.epochs.entry(rules.fenced(name)).or_default();
            *seen = epoch.max(*seen);
        }
    }

    /// The names of all instances that were ever named in a call, in their order.
    pub fn instances(&self) -> impl Iterator<Item = Name> {
        self.instances.keys().copied()
    }

    /// How an instance is.
    #[must_use]
    pub fn state(&self, name: Name) -> InstanceState {
        self.instances.get(&name).map_or(InstanceState::Never, |instance| instance.state)
    }

    /// How often an instance was started, and how many of those run.
    #[must_use]
    pub fn count(&self, name: Name) -> (u32, u32) {
        self.instances.get(&name).map_or((0, 0), |instance| (instance.starts, instance.live))
    }

    /// What exited by itself in the last step, if anything did.
    #[must_use]
    pub const fn exited(&self) -> Option<Name> {
        self.exited
    }

    /// Forgets what exited in the last step: it decides nothing, and clusters that differ in nothing else are equal then.
    pub const fn rest(&mut self) {
        self.exited = None;
    }

    /// How many instances of a job run.
    #[must_use]
    pub fn live(&self, job: JobId) -> u32 {
        self.of_job(job).map(|(_, instance)| instance.live).sum()
    }

    fn of_job(&self, job: JobId) -> impl Iterator<Item = (Name, Instance)> {
        let first = Name { job, action: 0, attempt: 0 };
        let last = Name { job, action: u16::MAX, attempt: u8::MAX };
        self.instances.range(first..=last).map(|(name, instance)| (*name, *instance))
    }

    /// The newest epoch that it saw of the row that an instance belongs to; 0 if it saw none.
    #[must_use]
    pub fn epoch(&self, name: Name) -> u32 {
        self.epochs.get(&self.rules.fenced(name)).copied().unwrap_or_default()
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.instances.len() * size_of::<(Name, Instance)>()
            + self.exits.len() * (size_of::<Exit>() + size_of::<(Name, Exit)>())
            + self.epochs.len() * size_of::<(Name, u32)>()
    }

    fn on_request(&mut self, now: Instant, request: &Request) -> InstanceState {
        let Request { name, epoch, verb, .. } = *request;
        let seen = self.epochs.entry(self.rules.fenced(name)).or_default();
        if self.rules.fencing == Fencing::Epoch && epoch < *seen {
            return InstanceState::Refused;
        }
        *seen = epoch.max(*seen);
        match verb {
            Verb::Ask => {}
            Verb::Start { runs, fails } => self.start(name, now + runs, fails),
            Verb::Stop => self.stop(name),
            Verb::StopAll => {
                let all: Vec<Name> = self.of_job(name.job).map(|(name, _)| name).collect();
                all.into_iter().for_each(|name| self.stop(name));
                return InstanceState::Stopped;
            }
        }
        self.state(name)
    }

    fn start(&mut self, name: Name, at: Instant, fails: bool) {
        let used = self.instances.contains_key(&name);
        if used && self.rules.progress == Progress::States {
            return;
        }
        let fresh = Instance { state: InstanceState::Running, starts: 0, live: 0 };
        let instance = self.instances.entry(name).or_insert(fresh);
        instance.state = InstanceState::Running;
        instance.starts += 1;
        instance.live += 1;
        let exit = Exit { at, name, start: instance.starts, fails };
        self.exits.insert(exit);
        self.exits_of.insert((name, exit));
    }

    /// Stops an instance. One that is over stays as it is.
    fn stop(&mut self, name: Name) {
        let never = Instance { state: InstanceState::Stopped, starts: 0, live: 0 };
        let instance = self.instances.entry(name).or_insert(never);
        if instance.live > 0 {
            instance.state = InstanceState::Stopped;
            instance.live = 0;
            let first = (name, Exit { at: Instant::ZERO, name, start: 0, fails: false });
            while let Some(own) = self.exits_of.range(first..).next().copied().filter(|(of, _)| *of == name) {
                self.exits_of.remove(&own);
                self.exits.remove(&own.1);
            }
        }
    }

    /// One instance exits: each exit is a step of its own.
    fn on_timer(&mut self, now: Instant) {
        let Some(exit) = self.exits.first().copied().filter(|exit| exit.at <= now) else { return };
        self.exits.remove(&exit);
        self.exits_of.remove(&(exit.name, exit));
        self.exited = Some(exit.name);
        if let Some(instance) = self.instances.get_mut(&exit.name) {
            instance.live -= 1;
            if instance.live == 0 {
                instance.state = if exit.fails { InstanceState::Failed } else { InstanceState::Succeeded };
            }
        }
    }
}

impl Machine for Cluster {
    type Input<'a> = ClusterInput<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: ClusterInput<'_>, outputs: &mut Vec<Output>) {
        self.exited = None;
        match input {
            ClusterInput::Timer => self.on_timer(now),
            ClusterInput::Message(Message::Request(request)) => {
                let state = self.on_request(now, request);
                let Request { by, tag, epoch, name, .. } = *request;
                let said = Said { to: by, tag, epoch, name, state };
                outputs.push(Output::Send(Target::Server(by), Message::Said(said)));
            }
            // These are not for the cluster.
            ClusterInput::Message(_) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.exits.first().map(|exit| exit.at)
    }
}
