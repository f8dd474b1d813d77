//! A context server: it holds an alias by election, owns contexts by their rows, and serves them from a cache.

use super::backup::{BackupChoice, LeastLoaded, UniformBackup, choose_backup};
use super::binding::Binding;
use super::config::ServerConfig;
use super::message::{
    Alias, Answer, ContextId, Current, KEYS, Message, Operation, Outcome, Reply, Request, RowView, Verb, Verdict, What,
};
use super::rules::{AliasLock, BackupRule, Ownership};
use super::view::View;
use super::{Output, Target};
use crate::chance::Chance;
use crate::election::{self, Asked, Belief, Candidate, Seat, Start};
use crate::id::Epoch;
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// What can happen to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerInput<'a> {
    /// A deadline passed, or the server was started.
    Timer,
    /// A message arrived.
    Message(&'a Message),
    /// The operator asks it to hand the contexts that it owns over to their backups.
    GiveBack,
    /// The operator asks it to give its alias up.
    Resign,
}

/// A context as a server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Cached {
    /// The term of the alias in which it was filled.
    pub term: Epoch,
    /// The row, as last seen.
    pub row: RowView,
}

/// A request that waits for the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Waiting {
    tag: u32,
    term: Epoch,
    since: Instant,
    id: Option<ContextId>,
    writes: bool,
    request: Option<Request>,
}

/// No deadline.
const NEVER: Instant = Instant::from_micros(u64::MAX);
/// How many operations are under way at most. Of more, the oldest is forgotten: its client asks again.
const WAITING_MAX: usize = 128;

/// One context server.
///
/// Units and clock: every [`Instant`] is microseconds on the server's own clock, which counts suspended time.
/// Invariant: under [`Ownership::Epoch`] it serves a read only while [`Candidate::may_act`], from a cache that was filled
/// in the same term of its alias; nobody else can have been granted the context since.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ContextServer {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: ServerConfig,
    seat: Seat,
    view: View,
    viewed_at: Instant,
    /// The number of the request that `view` answers.
    view_tag: u32,
    next_look: Instant,
    tag: u32,
    #[cfg_attr(feature = "serde", serde(skip))]
    chance: Chance,
    cache: Vec<Option<Cached>>,
    waiting: Vec<Waiting>,
    /// The contexts that it handed over in this term, each in the last epoch in which it did.
    given: BTreeMap<ContextId, u32>,
}

impl ContextServer {
    /// A server that wants its first timer input at once.
    #[must_use]
    pub fn new(config: ServerConfig, start: Start) -> Self {
        let belief = match config.rules.alias_lock {
            AliasLock::Lease => Belief::Term,
            AliasLock::Forever => Belief::Forever,
        };
        Self {
            seat: Seat::new(config.candidate, start, belief),
            view: View::default(),
            viewed_at: Instant::ZERO,
            view_tag: 0,
            next_look: Instant::ZERO,
            tag: 0,
            chance: Chance::new(start.entropy),
            cache: alloc::vec![None; config.contexts],
            waiting: Vec::with_capacity(WAITING_MAX),
            given: BTreeMap::new(),
            config,
        }
    }

    /// The candidate for its alias.
    #[must_use]
    pub const fn candidate(&self) -> &Candidate {
        self.seat.candidate()
    }

    /// The alias that it wants to hold.
    #[must_use]
    pub const fn alias(&self) -> Alias {
        Alias::of(self.config.candidate.utype)
    }

    /// What it would serve a context from, at `now`.
    #[must_use]
    pub fn cached(&self, id: ContextId, now: Instant) -> Option<&Cached> {
        let cached = self.cache.get(id.0 as usize)?.as_ref()?;
        match self.config.rules.ownership {
            Ownership::LastWriter => Some(cached),
            Ownership::Epoch => {
                let fresh = cached.row.main == self.alias() && cached.term == self.term() && self.holds(now);
                fresh.then_some(cached)
            }
        }
    }

    /// What it remembers of a context, believed or not.
    #[must_use]
    pub fn remembered(&self, id: ContextId) -> Option<&Cached> {
        self.cache.get(id.0 as usize)?.as_ref()
    }

    /// The change that an outcome is waited for with: its key and its number.
    #[must_use]
    pub fn change_of(&self, outcome: &Outcome) -> Option<(u8, u32)> {
        let asked = |waiting: &&Waiting| (waiting.tag, waiting.term) == (outcome.tag, outcome.term);
        match self.waiting.iter().find(asked)?.request?.verb {
            Verb::Change { key, seq, .. } => Some((key, seq)),
            Verb::Create | Verb::Adopt { .. } | Verb::Read { .. } => None,
        }
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.cache.capacity() * size_of::<Option<Cached>>()
            + self.waiting.capacity() * size_of::<Waiting>()
            + self.given.len() * size_of::<(ContextId, u32)>()
            + self.seat.bytes()
    }

    /// The aliases as it last saw them, with what it chose since.
    #[must_use]
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// Changes T while it runs.
    pub fn set_timeout(&mut self, heartbeat_timeout: Duration) {
        self.seat.set_timeout(heartbeat_timeout);
    }

    /// The epoch in which it holds its alias.
    #[must_use]
    pub fn term(&self) -> Epoch {
        self.seat.term()
    }

    /// Whether it believes that it holds its alias, its present term taken as it is.
    #[must_use]
    pub fn believes(&self) -> bool {
        self.seat.is_believed()
    }

    /// Whether it believes at `now` that it holds its alias.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        self.seat.is_held(now)
    }

    /// Feeds the candidate for its alias. What was done in a life that is over is forgotten.
    fn elect(&mut self, now: Instant, input: election::Input<'_>, outputs: &mut Vec<Output>) {
        let started_over = self.seat.handle(now, input, |asked| {
            outputs.push(match asked {
                Asked::Send(message) => Output::Send(Target::Store, Message::Alias(message)),
                Asked::Tell(event) => Output::Event(event),
            });
        });
        if started_over && self.config.rules.ownership == Ownership::Epoch {
            self.cache.fill(None);
            self.waiting.clear();
            self.given.clear();
        }
    }

    fn on_timer(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        if now >= self.next_look {
            self.next_look = now + self.config.candidate.heartbeat_interval;
            self.tag += 1;
            outputs.push(Output::Send(Target::Store, Message::Look { tag: self.tag, alias: Some(self.alias()) }));
            let patience = self.config.patience;
            self.waiting.retain(|waiting| now.since(waiting.since) < patience);
        }
    }

    fn on_request(&mut self, now: Instant, request: &Request, outputs: &mut Vec<Output>) {
        if !self.holds(now) {
            return reply(request, Answer::Unavailable, outputs);
        }
        match request.verb {
            Verb::Create => {
                let backup = self.choose_for_own(now, outputs);
                let key = (request.client, request.number);
                self.ask(now, What::Create { request: key, backup }, Some(*request), outputs);
            }
            Verb::Adopt { id } => {
                let backup = self.choose_for_own(now, outputs);
                self.ask(now, What::Adopt { id, backup }, Some(*request), outputs);
            }
            Verb::Change { haid, .. } | Verb::Read { haid } => {
                let Some(binding) = Binding::decode(&haid, self.config.rules.haid_grammar) else {
                    return reply(request, Answer::Refused, outputs);
                };
                let named = [binding.main, binding.backup].contains(&self.alias());
                if self.config.rules.named_only() && !self.config.rules.row_names() && !named {
                    return reply(request, Answer::Refused, outputs);
                }
                self.serve(now, request, binding, outputs);
            }
        }
    }

    /// Serves a change or a read from the cache, or asks for the row first.
    fn serve(&mut self, now: Instant, request: &Request, binding: Binding, outputs: &mut Vec<Output>) {
        let id = binding.id;
        let Some(cached) = self.cached(id, now).copied() else {
            let main_gone = self.view.resolve(binding.main).is_none();
            return self.load(now, id, main_gone, Some(*request), outputs);
        };
        match request.verb {
            Verb::Read { .. } => {
                reply(request, Answer::Value(current(&cached.row), cached.row.content), outputs);
            }
            Verb::Change { key, seq, .. } => {
                let mut content = cached.row.content;
                content[usize::from(key) % KEYS] = seq;
                let what = What::Write { id, epoch: cached.row.epoch, key, seq, content };
                self.ask(now, what, Some(*request), outputs);
            }
            Verb::Create | Verb::Adopt { .. } => {}
        }
    }

    fn load(
        &mut self,
        now: Instant,
        id: ContextId,
        main_gone: bool,
        request: Option<Request>,
        outputs: &mut Vec<Output>,
    ) {
        let after = self.given.get(&id).copied().unwrap_or_default();
        self.ask(now, What::Load { id, main_gone, after }, request, outputs);
    }

    /// The backup of a context whose main is this server.
    fn choose_for_own(&mut self, now: Instant, outputs: &mut Vec<Output>) -> Alias {
        let own = self.alias();
        let age = now.since(self.viewed_at);
        let choice: &dyn BackupChoice<Alias> = match self.config.rules.backup_choice {
            BackupRule::Random => &UniformBackup,
            // Loads of any age: what this server chose since is counted in.
            BackupRule::LeastLoaded => &LeastLoaded { load_age_max: Duration::from_micros(u64::MAX) },
        };
        let (instances, count) = self.view.instances(age);
        let chosen = choose_backup(choice, own, &instances[..count], self.chance.word());
        let backup = chosen.map_or(own, |instance| instance.alias);
        outputs.push(Output::Chose { backup, view: self.view });
        self.view.count_one(own);
        if backup != own {
            self.view.count_one(backup);
        }
        backup
    }

    fn ask(&mut self, now: Instant, what: What, request: Option<Request>, outputs: &mut Vec<Output>) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.remove(0);
        }
        self.tell(what, outputs);
        let (tag, term, id) = (self.tag, self.term(), what.id());
        let writes = matches!(what, What::Write { .. });
        self.waiting.push(Waiting { tag, term, since: now, id, writes, request });
    }

    /// Sends an operation, whatever comes of it.
    fn tell(&mut self, what: What, outputs: &mut Vec<Output>) {
        self.tag += 1;
        let (tag, alias, host, term) = (self.tag, self.alias(), self.config.candidate.host, self.term());
        let operation = Operation { alias, host, term, tag, what };
        outputs.push(Output::Send(Target::Store, Message::Operation(operation)));
    }

    fn on_outcome(&mut self, now: Instant, outcome: &Outcome, outputs: &mut Vec<Output>) {
        // One of an earlier process may bear the same number, but not the same term.
        let asked = |waiting: &Waiting| (waiting.tag, waiting.term) == (outcome.tag, outcome.term);
        let Some(at) = self.waiting.iter().position(asked) else { return };
        let Waiting { request, writes, .. } = self.waiting.remove(at);
        let Some(request) = request else { return self.on_own_outcome(outcome) };
        let (Some(row), Verdict::Done | Verdict::NotOwner) = (&outcome.row, outcome.verdict) else {
            let answer = if outcome.verdict == Verdict::NotHolder { Answer::Unavailable } else { Answer::Refused };
            return reply(&request, answer, outputs);
        };
        match (request.verb, outcome.verdict) {
            (Verb::Create | Verb::Adopt { .. }, _) => reply(&request, Answer::Context(current(row)), outputs),
            (Verb::Change { .. } | Verb::Read { .. }, Verdict::NotOwner) => {
                self.forget(row.id);
                reply(&request, Answer::Moved(current(row)), outputs);
            }
            (Verb::Change { haid, .. } | Verb::Read { haid }, _) => {
                self.remember(row, outcome.term);
                let binding = Binding::decode(&haid, self.config.rules.haid_grammar);
                match binding {
                    _ if writes => reply(&request, Answer::Changed(current(row)), outputs),
                    Some(binding) if self.cached(row.id, now).is_some() => self.serve(now, &request, binding, outputs),
                    _ => reply(&request, Answer::Unavailable, outputs),
                }
            }
        }
    }

    /// What came of an operation that nobody asked for: there may be more to do.
    fn on_own_outcome(&mut self, outcome: &Outcome) {
        if let (Some(row), Verdict::Done) = (&outcome.row, outcome.verdict) {
            self.remember(row, outcome.term);
            self.next_look = Instant::ZERO;
        }
    }

    /// Takes a row over, unless a newer state is known or it was asked for in another term. That term may be over by now:
    /// then nothing is served from it, unless a heartbeat that is still to be answered has renewed it.
    fn remember(&mut self, row: &RowView, term: Epoch) {
        let own = match self.config.rules.ownership {
            Ownership::LastWriter => true,
            Ownership::Epoch => row.main == self.alias() && term == self.term(),
        };
        let at = row.id.0 as usize;
        if at >= self.cache.len() {
            self.cache.resize(at + 1, None);
        }
        let slot = &mut self.cache[at];
        let newer = slot
            .as_ref()
            .is_none_or(|known| (row.epoch, row.version) >= (known.row.epoch, known.row.version) || known.term != term);
        if own && newer {
            *slot = Some(Cached { term, row: *row });
        }
    }

    /// Forgets a context, and what was asked about it: an answer that is still under way is older than this.
    fn forget(&mut self, id: ContextId) {
        if self.config.rules.ownership == Ownership::Epoch {
            if let Some(slot) = self.cache.get_mut(id.0 as usize) {
                *slot = None;
            }
            self.waiting.retain(|waiting| waiting.id != Some(id));
        }
    }

    fn on_view(&mut self, now: Instant, tag: u32, view: &View, degraded: Option<ContextId>, outputs: &mut Vec<Output>) {
        // An answer that was overtaken, or that an earlier process asked for, is no news.
        if tag <= self.view_tag || tag > self.tag {
            return;
        }
        self.view_tag = tag;
        self.view = *view;
        self.viewed_at = now;
        if let (Some(id), BackupRule::LeastLoaded) = (degraded, self.config.rules.backup_choice)
            && self.holds(now)
        {
            if self.cached(id, now).is_none() {
                return self.load(now, id, false, None, outputs);
            }
            let backup = self.choose_for_own(now, outputs);
            if backup != self.alias() {
                self.ask(now, What::Repair { id, backup }, None, outputs);
            }
        }
    }

    /// Hands over all that it owns.
    fn give_back(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        for at in 0..self.cache.len() {
            let id = ContextId(at as u32);
            let Some(Cached { row, .. }) = self.cached(id, now).copied() else { continue };
            if row.main == self.alias() && row.backup != row.main {
                self.forget(id);
                self.given.insert(id, row.epoch);
                // Nothing is left to do when it is answered, so nobody waits for it.
                self.tell(What::Give { id, epoch: row.epoch }, outputs);
            }
        }
    }
}

/// Sends an answer back the way that the request came.
fn reply(request: &Request, answer: Answer, outputs: &mut Vec<Output>) {
    let reply = Reply { client: request.client, number: request.number, answer };
    outputs.push(Output::Send(Target::Gateway(request.gateway), Message::Reply(reply)));
}

fn current(row: &RowView) -> Current {
    let binding = Binding { main: row.main, backup: row.backup, id: row.id };
    Current { id: row.id, haid: binding.encode(), generation: row.generation, degraded: row.main == row.backup }
}

impl Machine for ContextServer {
    type Input<'a> = ServerInput<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: ServerInput<'_>, outputs: &mut Vec<Output>) {
        match input {
            ServerInput::Timer => {
                self.elect(now, election::Input::Timer, outputs);
                self.on_timer(now, outputs);
            }
            ServerInput::Resign => self.elect(now, election::Input::Resign, outputs),
            ServerInput::GiveBack => self.give_back(now, outputs),
            ServerInput::Message(Message::Alias(message)) => {
                self.elect(now, election::Input::Message(message), outputs);
            }
            ServerInput::Message(Message::Request(request)) => self.on_request(now, request, outputs),
            ServerInput::Message(Message::Outcome(outcome)) => self.on_outcome(now, outcome, outputs),
            ServerInput::Message(Message::View { tag, view, degraded }) => {
                self.on_view(now, *tag, view, *degraded, outputs);
            }
            // These are not for a server.
            ServerInput::Message(
                Message::Reply(_) | Message::Share(..) | Message::Look { .. } | Message::Operation(_),
            ) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let next = self.seat.candidate().deadline().unwrap_or(NEVER).min(self.next_look);
        (next != NEVER).then_some(next)
    }
}
