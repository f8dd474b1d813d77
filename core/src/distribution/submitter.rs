//! A submitter: it submits jobs all the time, and cancels or restarts some of them later. What a job is made of, it brings to
//! the resource center before.

mod provision;

use super::config::SubmitterConfig;
use super::message::{Action, JobId, Kind, Message, Spec};
use super::resources::{self, ContentId};
use super::{Output, Target};
use crate::chance::Chance;
use crate::id::Incarnation;
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use provision::Provision;

/// How many contents more than one job may be made of.
const COMMON: u64 = 8;

/// What can happen to a submitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitterInput<'a> {
    /// A deadline passed, or the submitter was started.
    Timer,
    /// A message arrived.
    Message(&'a Message),
}

/// An action that is still to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Planned {
    due: Instant,
    job: JobId,
    number: u16,
    kind: Kind,
}

/// The action that waits to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Pending {
    planned: Planned,
    attempts: u16,
}

/// One submitter.
///
/// Units and clock: every [`Instant`] is microseconds on the submitter's own clock. It asks for one action after another,
/// each at one server after another until it is accepted; an action keeps its number however often it is asked for.
/// Invariant: it asks for no start before the center has answered that the action refers to what the job is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Submitter {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: SubmitterConfig,
    submitted: u32,
    planned: BTreeSet<Planned>,
    pending: Option<Pending>,
    /// What the action under way needs first.
    provision: Option<Provision>,
    /// The number of the next request to the center.
    tag: u32,
    next_job: Instant,
    retry: Instant,
    entropy: u64,
    #[cfg_attr(feature = "serde", serde(skip))]
    chance: Chance,
}

impl Submitter {
    /// A submitter that wants its first timer input at once.
    #[must_use]
    pub const fn new(config: SubmitterConfig, entropy: u64) -> Self {
        Self {
            config,
            submitted: 0,
            planned: BTreeSet::new(),
            pending: None,
            provision: None,
            tag: 0,
            next_job: Instant::ZERO,
            retry: Instant::ZERO,
            entropy,
            chance: Chance::new(entropy),
        }
    }

    /// A submitter that starts again with what it remembers: what it planned, and the action under way.
    #[must_use]
    pub const fn restarted(mut self) -> Self {
        self.retry = Instant::ZERO;
        self.next_job = Instant::ZERO;
        self
    }

    /// The action that it waits for, if it waits for one.
    #[must_use]
    pub fn waits_for(&self) -> Option<(JobId, u16)> {
        self.pending.map(|pending| (pending.planned.job, pending.planned.number))
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.planned.len() * size_of::<Planned>() + self.provision.as_ref().map_or(0, Provision::bytes)
    }

    /// What a job needs and does: always the same for the same job.
    fn spec(&self, job: JobId) -> Spec {
        let mut chance = Chance::new(self.entropy ^ u64::from(job.0).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let engine = chance.below(2) as u8;
        let runs = Duration::from_micros(1 + chance.below(self.config.runs_max.as_micros()));
        let fails = match chance.below(16) {
            0 => u8::MAX,
            1 | 2 => 1,
            _ => 0,
        };
        Spec { engine, resource: self.content(job).map(|bytes| ContentId::of(&bytes)), runs, fails }
    }

    /// What a job is made of: always the same for the same job, and the same for some jobs. Every second one needs nothing.
    #[must_use]
    pub fn content(&self, job: JobId) -> Option<Vec<u8>> {
        let mut chance = Chance::new(!(self.entropy ^ u64::from(job.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        if chance.below(2) == 0 || self.config.content_max == 0 {
            return None;
        }
        let number = if chance.below(4) == 0 { chance.below(COMMON) } else { COMMON + u64::from(job.0) };
        let mut bytes = Chance::new(number);
        let length = 1 + bytes.below(self.config.content_max.into());
        Some((0..length).map(|_| bytes.below(256) as u8).collect())
    }

    /// Who asks the center: it remembers its numbers when it starts again.
    const fn name(&self) -> Incarnation {
        Incarnation { mint: self.entropy, life: 1 }
    }

    /// Plans a job: to be started, and in one of three cases something else later.
    fn plan(&mut self, now: Instant) {
        let Self { submitted, config, .. } = *self;
        let job = JobId(u32::from(config.submitter) + submitted * u32::from(config.submitters));
        self.submitted += 1;
        self.next_job = now + config.every;
        self.planned.insert(Planned { due: now, job, number: 1, kind: Kind::Start });
        let kind = match self.chance.below(18) {
            0 => Kind::Revoke,
            1 => Kind::Abort,
            2 => Kind::ForcedStop,
            3 => Kind::Restart,
            4 | 5 => Kind::Cancel,
            _ => return,
        };
        let due = now + Duration::from_micros(self.chance.below(self.config.runs_max.as_micros()));
        self.planned.insert(Planned { due, job, number: 2, kind });
    }

    fn on_timer(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        if self.submitted < self.config.jobs && now >= self.next_job {
            self.plan(now);
        }
        match &mut self.provision {
            Some(provision) => provision.on_timer(now, outputs),
            None if self.pending.is_some() && now < self.retry => {}
            None => self.ask(now, outputs),
        }
    }

    /// Has to bring what the action under way needs to the center.
    fn provide(&mut self) {
        let Some(Pending { planned: Planned { job, number, kind, .. }, .. }) = self.pending else { return };
        if let Some(bytes) = self.content(job).filter(|_| kind.starts()) {
            let (by, holder) = (self.name(), job.holder(number));
            self.provision = Some(Provision::new(self.config.upload, by, holder, bytes, self.tag));
        }
    }

    fn on_reply(&mut self, now: Instant, to: Incarnation, reply: &resources::Reply, outputs: &mut Vec<Output>) {
        if let Some(provision) = &mut self.provision
            && provision.on_reply(now, to, reply, outputs)
        {
            self.tag = provision.tag();
            self.provision = None;
            self.ask(now, outputs);
        }
    }

    /// Asks for the action under way again, or for the next one that is due.
    fn ask(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        if self.pending.is_none() && self.planned.first().is_some_and(|planned| planned.due <= now) {
            self.pending = self.planned.pop_first().map(|planned| Pending { planned, attempts: 0 });
            self.provide();
        }
        if let Some(provision) = &mut self.provision {
            return provision.on_timer(now, outputs);
        }
        let Some(pending) = &mut self.pending else { return };
        let Planned { job, number, kind, .. } = pending.planned;
        let attempt = pending.attempts;
        pending.attempts = attempt.wrapping_add(1);
        self.retry = now + self.config.patience;
        let server = (u64::from(job.0) + u64::from(attempt)) % u64::from(self.config.servers.max(1));
        let action = Action { job, number, kind, spec: self.spec(job) };
        let submit = Message::Submit(self.config.submitter, action);
        outputs.push(Output::Send(Target::Server(crate::id::Host(server as u16)), submit));
    }
}

impl Machine for Submitter {
    type Input<'a> = SubmitterInput<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: SubmitterInput<'_>, outputs: &mut Vec<Output>) {
        match input {
            SubmitterInput::Timer => self.on_timer(now, outputs),
            SubmitterInput::Message(Message::Accepted(job, number)) if self.waits_for() == Some((*job, *number)) => {
                self.pending = None;
                self.ask(now, outputs);
            }
            SubmitterInput::Message(Message::Resource(resources::Message::Reply { to, reply })) => {
                self.on_reply(now, *to, reply, outputs);
            }
            SubmitterInput::Message(_) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let job = (self.submitted < self.config.jobs).then_some(self.next_job);
        let ask = match (&self.provision, &self.pending) {
            (Some(provision), _) => Some(provision.deadline()),
            (None, Some(_)) => Some(self.retry),
            (None, None) => self.planned.first().map(|planned| planned.due),
        };
        job.into_iter().chain(ask).min()
    }
}
