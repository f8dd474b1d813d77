//! A job server: it holds a session by election, claims the rows that the ring gives it, and has the cluster run them.

use super::config::ServerConfig;
use super::hash::{hash64, hash64_of_number};
use super::message::{
    Action, Change, JobId, Message, Operation, Outcome, Owner, Phase, ROWS_MAX, Request, Result, RowId, RowView, Said,
    Scope, Verb, What,
};
use super::resources;
use super::rules::{Claiming, Handover, Membership, Poll, Progress, Rules};
use super::supplies::Supplies;
use super::view::MemberView;
use super::work::{Step, Surroundings, Work};
use super::{Output, Target};
use crate::election::{self, Asked, Belief, Candidate, Seat, Start};
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What can happen to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerInput<'a> {
    /// A deadline passed, or the server was started.
    Timer,
    /// A message arrived.
    Message(&'a Message),
    /// The operator asks it to give its seat up.
    Resign,
}

/// An action that waits to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Insertion {
    tag: u32,
    submitter: u16,
    job: JobId,
    number: u16,
}

/// Rows that it is being told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Listing {
    tag: u32,
    scope: Scope,
    after: Option<(i64, RowId)>,
    since: Instant,
}

/// No deadline.
const NEVER: Instant = Instant::from_micros(u64::MAX);
/// How many insertions are under way at most. Of more, the oldest is forgotten: its submitter asks again.
const INSERTIONS_MAX: usize = 64;

/// One job server.
///
/// Units and clock: every [`Instant`] is microseconds on the server's own clock, which counts suspended time.
/// Invariant: under [`Membership::Versioned`] it decides to call the cluster, or to change a row, only while
/// [`Candidate::may_act`]; under [`Claiming::CompareAndSet`] only for rows that it owns, in the epoch of its claim. It
/// sends nothing to another server.
/// Spec: a `Server` of `Job.tla`, once for each row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct JobServer {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: ServerConfig,
    seat: Seat,
    tag: u32,
    #[cfg_attr(feature = "serde", serde(skip))]
    view: MemberView,
    works: BTreeMap<RowId, Work>,
    /// Which row each request is about that is waited for.
    #[cfg_attr(feature = "serde", serde(skip))]
    asked: BTreeMap<u32, RowId>,
    supplies: Supplies,
    insertions: VecDeque<Insertion>,
    /// Parts of the hash space where it has to look for rows that nobody is to take.
    parts: VecDeque<(i64, i64)>,
    listing: Option<Listing>,
    next_poll: Instant,
}

impl JobServer {
    /// A server that wants its first timer input at once.
    #[must_use]
    pub fn new(config: ServerConfig, start: Start) -> Self {
        let belief = match config.rules.membership {
            Membership::Versioned => Belief::Term,
            Membership::Frozen => Belief::Forever,
        };
        let seat = Seat::new(config.candidate, start, belief);
        Self {
            supplies: Supplies::new(config.supplies, seat.candidate().incarnation()),
            seat,
            tag: 0,
            view: MemberView::new(config.candidate.host, config.rules, config.vnodes_per_node, config.rings),
            works: BTreeMap::new(),
            asked: BTreeMap::new(),
            insertions: VecDeque::new(),
            parts: VecDeque::new(),
            listing: None,
            next_poll: Instant::ZERO,
            config,
        }
    }

    /// The candidate for its seat.
    #[must_use]
    pub const fn candidate(&self) -> &Candidate {
        self.seat.candidate()
    }

    /// The members as it knows them.
    #[must_use]
    pub const fn view(&self) -> &MemberView {
        &self.view
    }

    /// The rows that it works on, or wants to.
    pub fn works(&self) -> impl Iterator<Item = &Work> {
        self.works.values()
    }

    /// The row that a request is about whose answer it waits for, by the number of that request.
    #[must_use]
    pub fn asked(&self, tag: u32) -> Option<&Work> {
        self.asked.get(&tag).and_then(|row| self.works.get(row))
    }

    /// What it knows of a row.
    #[must_use]
    pub fn work(&self, row: RowId) -> Option<&Work> {
        self.works.get(&row)
    }

    /// The resources that it has.
    #[must_use]
    pub const fn supplies(&self) -> &Supplies {
        &self.supplies
    }

    /// Who it is, in its present session.
    #[must_use]
    pub fn me(&self) -> Owner {
        Owner { server: self.config.candidate.host, term: self.seat.term() }
    }

    /// Whether it believes that it is a member, its present term taken as it is.
    #[must_use]
    pub fn believes(&self) -> bool {
        self.seat.is_believed()
    }

    /// Whether it believes at `now` that it is a member.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        self.seat.is_held(now)
    }

    /// Changes T while it runs.
    pub fn set_timeout(&mut self, heartbeat_timeout: Duration) {
        self.seat.set_timeout(heartbeat_timeout);
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.works.len() * size_of::<(RowId, Work)>()
            + self.insertions.capacity() * size_of::<Insertion>()
            + self.asked.len() * size_of::<(u32, RowId)>()
            + self.view.ring().points() * 10 / Arc::strong_count(self.view.ring())
            + self.supplies.bytes()
            + self.seat.bytes()
    }

    /// Feeds the candidate for its session. What was done in a life that is over is forgotten.
    fn elect(&mut self, now: Instant, input: election::Input<'_>, outputs: &mut Vec<Output>) {
        let started_over = self.seat.handle(now, input, |asked| {
            outputs.push(match asked {
                Asked::Send(message) => Output::Send(Target::Store, Message::Session(message)),
                Asked::Tell(event) => Output::Event(event),
            });
        });
        if started_over && self.config.rules.membership == Membership::Versioned {
            self.works.clear();
            self.asked.clear();
            self.insertions.clear();
        }
    }

    fn next_tag(&mut self) -> u32 {
        self.tag += 1;
        self.tag
    }

    fn on_timer(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        if now < self.next_poll {
            return;
        }
        self.next_poll = now + self.config.poll;
        self.follow(now, outputs);
        if !self.holds(now) {
            return;
        }
        self.list(now, None, outputs);
        let waits = |work: &&Work| now < work.due || work.asked.is_some_and(|(_, until)| now < until);
        let rows: Vec<RowId> = self.works.values().filter(|work| !waits(work)).map(|work| work.row.id).collect();
        rows.into_iter().for_each(|row| self.act(now, row, outputs));
    }

    /// Has to look for rows that nobody is to take. Each server begins at a place of its own and goes around; what is not its
    /// own it forwards. So they share the work, and nobody has to know whose rows they were.
    fn look_around(&mut self) {
        if self.lists_all() {
            return;
        }
        let name =
            self.config.names.get(usize::from(self.config.candidate.host.0)).map_or(&[][..], |name| name.as_bytes());
        let own = hash64(name);
        self.parts = [(own, i64::MAX), (i64::MIN, own)].into();
    }

    /// Whether it looks at all rows at each poll: who took a row may be anybody, so it is not found under anybody.
    fn lists_all(&self) -> bool {
        let Rules { claiming, handover, .. } = self.config.rules;
        claiming == Claiming::None || handover == Handover::AtOnce
    }

    /// Asks after the members.
    fn follow(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        let tag = self.next_tag();
        if let Some(message) = self.view.ask(now, tag, self.config.patience) {
            outputs.push(Output::Send(Target::Store, message));
        }
    }

    /// Asks for rows: for more of the listing that `after` continues, else of what was gained, else of its own.
    fn list(&mut self, now: Instant, after: Option<(i64, RowId)>, outputs: &mut Vec<Output>) {
        if self.view.version() == 0 {
            return;
        }
        let scope = match self.listing {
            Some(listing) if after.is_some() => listing.scope,
            Some(listing) if now.since(listing.since) < self.config.patience => return,
            // It was not answered: again from its beginning.
            Some(listing) => listing.scope,
            None if self.lists_all() => Scope::All,
            None => match self.parts.pop_front() {
                Some((first, last)) => Scope::Orphans { first, last },
                None => Scope::Home,
            },
        };
        let tag = self.next_tag();
        self.listing = Some(Listing { tag, scope, after, since: now });
        outputs.push(Output::Send(Target::Store, Message::List { by: self.me(), tag, scope, after }));
    }

    fn on_rows(&mut self, now: Instant, tag: u32, rows: &[Option<RowView>; ROWS_MAX], outputs: &mut Vec<Output>) {
        let Some(listing) = self.listing.filter(|listing| listing.tag == tag) else { return };
        if !self.holds(now) {
            return;
        }
        let orphans = matches!(listing.scope, Scope::Orphans { .. });
        rows.iter().flatten().for_each(|row| self.consider(now, row, orphans, outputs));
        if let Some(last) = &rows[ROWS_MAX - 1] {
            let place = if listing.scope == Scope::All { (0, last.id) } else { (last.hash, last.id) };
            return self.list(now, Some(place), outputs);
        }
        self.listing = None;
        if !self.parts.is_empty() {
            self.list(now, None, outputs);
        }
    }

    /// Looks at a row that the store told of.
    fn consider(&mut self, now: Instant, row: &RowView, orphan: bool, outputs: &mut Vec<Output>) {
        if self.config.rules.poll == Poll::SomeEngines && row.spec.engine != 0 {
            return;
        }
        let known = self.works.entry(row.id).or_insert_with(|| Work::new(*row));
        if row.version > known.row.version {
            known.see(row);
        }
        known.orphan |= orphan && row.version == known.row.version;
        self.act(now, row.id, outputs);
    }

    fn surroundings(&self, now: Instant, hash: i64) -> Surroundings {
        Surroundings {
            me: self.me(),
            own: self.view.is_own(hash),
            home: self.view.home_of(hash),
            calm: self.view.is_calm(now, self.config.calm),
            rules: self.config.rules,
        }
    }

    /// Does what is to be done next about a row, unless something is waited for.
    fn act(&mut self, now: Instant, row: RowId, outputs: &mut Vec<Output>) {
        let Some(mut work) = self.works.get(&row).copied() else { return };
        match work.asked {
            Some((_, until)) if now < until => return,
            // Nobody answered: under these rules that is good enough.
            Some(_) if self.config.rules.progress == Progress::DeleteAfterRun => work.executed = true,
            _ => {}
        }
        if now < work.due || !self.holds(now) {
            return;
        }
        if let Some((tag, _)) = work.asked.take() {
            self.asked.remove(&tag);
        }
        work.fetched = work.row.spec.resource.is_some_and(|id| self.supplies.content(id).is_some());
        let step = work.next(&self.surroundings(now, work.row.hash));
        let tag = self.next_tag();
        let wait = self.config.patience;
        let (me, members) = (self.me(), self.view.version());
        let RowView { epoch, version, .. } = work.row;
        match step {
            Step::Wait => {}
            Step::Forget => {
                self.works.remove(&row);
                return;
            }
            Step::Claim | Step::Change(_) => {
                let what = match step {
                    Step::Change(change) => What::Change { row, epoch, version, change },
                    _ => What::Claim { row, version },
                };
                work.releasing |= matches!(step, Step::Change(Change::Release { .. }));
                work.asked = Some((tag, now + wait));
                let operation = Operation { by: me, tag, members, what };
                outputs.push(Output::Send(Target::Store, Message::Operation(operation)));
            }
            Step::Fetch(id) => self.supplies.fetch(now, id, outputs),
            Step::Call(verb, name) => {
                let request = Message::Request(Request { by: me.server, tag, epoch, name, verb });
                if verb == Verb::Ask {
                    work.asked = Some((tag, now + wait));
                    outputs.push(Output::Send(Target::Cluster, request));
                } else {
                    let after = self.config.takes;
                    work.asked = Some((tag, now + wait + after));
                    outputs.push(Output::Effect(request, after));
                }
            }
        }
        self.asked.extend(work.asked.map(|(tag, _)| (tag, row)));
        self.works.insert(row, work);
    }

    /// Fetches ended: rows that waited go on, or have failed to get what they need. What no row needs is not kept for ever.
    fn on_supplies(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        let Self { supplies, works, config, .. } = self;
        if supplies.ended().is_empty() {
            return;
        }
        let starts = |work: &Work| matches!(work.row.phase, Phase::Pending | Phase::Starting);
        let mut waiting = Vec::new();
        for work in works.values_mut().filter(|work| starts(work) && !work.fetched && work.asked.is_none()) {
            let Some(id) = work.row.spec.resource else { continue };
            if let Some(error) = supplies.failure(id) {
                work.unsupplied = Some(error);
                work.due = now + config.poll;
            }
            waiting.push(work.row.id);
        }
        waiting.into_iter().for_each(|row| self.act(now, row, outputs));
        let works = &self.works;
        self.supplies.trim(|id| works.values().any(|work| work.row.spec.resource == Some(id) && starts(work)));
    }

    /// An action is over: what it refers to may go. Nobody waits for the answer.
    fn release(&self, row: &RowView, outputs: &mut Vec<Output>) {
        if let Some(id) = row.spec.resource.filter(|_| row.kind.starts()) {
            outputs.push(self.supplies.release(id, row.job.holder(row.action)));
        }
    }

    fn on_outcome(&mut self, now: Instant, outcome: &Outcome, outputs: &mut Vec<Output>) {
        if outcome.to != self.me() {
            return;
        }
        if let Some(at) = self.insertions.iter().position(|insertion| insertion.tag == outcome.tag) {
            let Some(Insertion { submitter, job, number, .. }) = self.insertions.remove(at) else { return };
            if outcome.result == Result::Done {
                outputs.push(Output::Send(Target::Submitter(submitter), Message::Accepted(job, number)));
            }
            return;
        }
        let Some(row) = self.asked.remove(&outcome.tag) else { return };
        let poll = self.config.poll;
        let (Some(work), Some(view)) = (self.works.get_mut(&row), &outcome.row) else {
            self.works.remove(&row);
            return;
        };
        work.asked = None;
        let intends = view.phase == Phase::Starting && work.row.phase != view.phase;
        let before = work.row;
        work.see(view);
        work.confirmed = true;
        match outcome.result {
            Result::Done => {
                work.intended |= intends;
                work.due = now;
            }
            Result::Changed | Result::Owned | Result::OldMembers | Result::NotYet => work.due = now + poll,
            Result::NoSession | Result::Missing => {
                self.works.remove(&row);
                return;
            }
        }
        if before.action != view.action || view.phase.is_over() {
            self.release(&before, outputs);
        }
        self.act(now, row, outputs);
    }

    fn on_said(&mut self, now: Instant, said: &Said, outputs: &mut Vec<Output>) {
        let Some(work) = self.asked.remove(&said.tag).and_then(|row| self.works.get_mut(&row)) else { return };
        work.asked = None;
        work.executed = true;
        if work.row.last == Some(said.name) && work.row.epoch == said.epoch {
            work.state = Some(said.state);
        }
        let watches = work.row.phase == Phase::Running && !said.state.is_over();
        work.due = if watches { now + self.config.watch } else { now };
        let row = work.row.id;
        self.act(now, row, outputs);
    }

    /// Writes an action of a submitter down, for whoever the ring names.
    fn on_submit(&mut self, now: Instant, submitter: u16, action: &Action, outputs: &mut Vec<Output>) {
        let Some(home) = self.view.home_of(hash64_of_number(i64::from(action.job.0))) else { return };
        if !self.holds(now) {
            return;
        }
        if self.insertions.len() == INSERTIONS_MAX {
            self.insertions.pop_front();
        }
        let tag = self.next_tag();
        self.insertions.push_back(Insertion { tag, submitter, job: action.job, number: action.number });
        let what = What::Insert { action: *action, home };
        let operation = Operation { by: self.me(), tag, members: self.view.version(), what };
        outputs.push(Output::Send(Target::Store, Message::Operation(operation)));
    }

    fn on_message(&mut self, now: Instant, message: &Message, outputs: &mut Vec<Output>) {
        match message {
            Message::Session(message) => self.elect(now, election::Input::Message(message), outputs),
            Message::Submit(submitter, action) => self.on_submit(now, *submitter, action, outputs),
            Message::Members { tag, news } => {
                let (orphans, more) = self.view.on_news(now, *tag, news, &self.config.names);
                if orphans {
                    self.look_around();
                }
                if more {
                    self.follow(now, outputs);
                }
            }
            Message::Rows { tag, rows } => self.on_rows(now, *tag, rows, outputs),
            Message::Outcome(outcome) => self.on_outcome(now, outcome, outputs),
            Message::Said(said) => self.on_said(now, said, outputs),
            Message::Resource(resources::Message::Reply { to, reply }) => {
                self.supplies.on_reply(now, *to, reply, outputs);
                self.on_supplies(now, outputs);
            }
            // These are not for a server.
            Message::Accepted(..)
            | Message::Follow { .. }
            | Message::List { .. }
            | Message::Operation(_)
            | Message::Request(_)
            | Message::Resource(resources::Message::Request { .. }) => {}
        }
    }
}

impl Machine for JobServer {
    type Input<'a> = ServerInput<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: ServerInput<'_>, outputs: &mut Vec<Output>) {
        self.supplies.begin_step();
        match input {
            ServerInput::Timer => {
                self.elect(now, election::Input::Timer, outputs);
                self.supplies.on_timer(now, outputs);
                self.on_supplies(now, outputs);
                self.on_timer(now, outputs);
            }
            ServerInput::Resign => self.elect(now, election::Input::Resign, outputs),
            ServerInput::Message(message) => self.on_message(now, message, outputs),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let fetch = self.supplies.deadline().unwrap_or(NEVER);
        let next = self.seat.candidate().deadline().unwrap_or(NEVER).min(self.next_poll).min(fetch);
        (next != NEVER).then_some(next)
    }
}
