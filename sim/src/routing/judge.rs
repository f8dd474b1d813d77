//! Refines context routing to the words of `Context.tla` and hands every step to the oracle.
//!
//! The states before and after come from the machines and the store; who is doubted comes from the true clocks and pauses.

use super::liveness::Liveness;
use super::store::{Done, StoreServer};
use super::{Command, Output, Part, Routing, first_machine, role};
use crate::doubt::Grounds;
use crate::event::ActorId;
use crate::fault::{FaultKind, Place};
use crate::plan::Plan;
use crate::protocol::{Actor, Cause, Health, Judge, Noted, Step};
use crate::report::{RunReport, Violation};
use failproof_core::election::{Event, Phase};
use failproof_core::routing::{
    Alias, Answer, Change, Client, Content, ContextId, ContextServer, Current, HaidText, KEYS, Message, Ownership,
    Reply, Request, Rules, Verb, View, What,
};
use failproof_spec::context::{Cache, ContextAction, ContextOracle, ContextState, Write};
use failproof_spec::property::PropertySet;
use failproof_spec::{Finding, Landmark, Marks, Property, Token};
use std::collections::BTreeSet;

/// What is known of one key of one context: an object of the contract.
#[derive(Clone, Copy, Debug, Default)]
struct Key {
    /// The newest change that the row took, and the newest one that a client was told about.
    applied: u32,
    acked: u32,
}

/// What is known of a context.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    content: Content,
    keys: [Key; KEYS],
    /// The HAID last told to anybody, with its generation.
    told: Option<(u32, HaidText)>,
    /// What each server would serve it from.
    cached: [Option<Content>; ContextState::SERVERS],
}

/// What is known of a server.
#[derive(Clone, Copy, Debug, Default)]
struct Server {
    life: u32,
    /// Whether it believes that it holds its alias, and which that is.
    holds: bool,
    alias: u8,
    doubted: bool,
    /// Since when that and the doubt about it are as they are.
    since_us: u64,
}

/// The change that a client waits for.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    number: u32,
    key: u8,
    seq: u32,
}

/// The judge of context routing.
#[derive(Debug)]
pub struct RoutingJudge {
    rules: Rules,
    spacing_us: u64,
    cast: Vec<Actor>,
    first_server: usize,
    grounds: Vec<Grounds>,
    store_clock_out: bool,
    oracle: ContextOracle,
    states: Vec<ContextState>,
    contexts: Vec<Context>,
    servers: Vec<Server>,
    asked: Vec<Asked>,
    /// Which machine each alias belonged to while contexts named it.
    machines: Vec<Option<u16>>,
    /// When the term of each server ended last, while it was trusted.
    term_ended_us: Vec<Option<u64>>,
    requests: BTreeSet<(u16, u32)>,
    liveness: Liveness,
    findings: Vec<Finding>,
    fresh: Vec<Finding>,
    found: PropertySet,
    faults_active: u32,
    fault_ended_us: u64,
    margin_smallest_us: Option<u64>,
    marks: Marks,
    false_ends: u64,
    trusted_us: u64,
    doubted_us: u64,
    unheld_us: u64,
}

/// Who holds nothing and has seen nothing.
impl RoutingJudge {
    pub(super) fn new(plan: &Plan, cast: &[Actor]) -> Self {
        let options = plan.routing();
        let servers = usize::from(options.servers);
        let first_server = 1 + usize::from(options.gateways);
        let contexts = usize::from(options.contexts);
        Self {
            rules: options.rules,
            spacing_us: (options.longest_term_us + options.heartbeat_interval_us.times(3)).as_micros(),
            cast: cast.to_vec(),
            first_server,
            grounds: vec![Grounds::default(); servers],
            store_clock_out: false,
            oracle: ContextOracle::new(contexts * KEYS, servers),
            states: vec![ContextState::default(); contexts * KEYS],
            contexts: vec![Context::default(); contexts],
            servers: vec![Server::default(); servers],
            asked: vec![Asked::default(); usize::from(options.clients)],
            machines: vec![None; servers],
            term_ended_us: vec![None; servers],
            requests: BTreeSet::new(),
            liveness: Liveness::new(plan),
            findings: Vec::new(),
            fresh: Vec::with_capacity(4),
            found: PropertySet::default(),
            faults_active: 0,
            fault_ended_us: 0,
            margin_smallest_us: None,
            marks: Marks::default(),
            false_ends: 0,
            trusted_us: 0,
            doubted_us: 0,
            unheld_us: 0,
        }
    }

    /// Which server an actor is.
    fn server_of(&self, actor: ActorId) -> u8 {
        (usize::from(actor) - self.first_server) as u8
    }

    fn actor_of(&self, server: u8) -> ActorId {
        (self.first_server + usize::from(server)) as ActorId
    }

    /// Takes a context in that is not known yet.
    fn know(&mut self, id: ContextId) {
        let contexts = id.0 as usize + 1;
        if contexts > self.contexts.len() {
            self.contexts.resize(contexts, Context::default());
            self.states.resize(contexts * KEYS, ContextState::default());
            self.oracle.grow(contexts * KEYS);
        }
    }

    /// Tells the oracle of a step on one key; its refined state is already the one after the step.
    fn tell(&mut self, action: ContextAction, id: ContextId, key: usize, server: Option<u8>, at_us: u64) {
        let object = id.0 as usize * KEYS + key;
        self.oracle.step(action, object, server, self.states[object], at_us, &mut self.fresh);
        self.collect();
    }

    /// Tells the oracle of a step on the whole context, after `change` was made to each of its keys.
    fn tell_all(
        &mut self,
        action: ContextAction,
        id: ContextId,
        server: Option<u8>,
        at_us: u64,
        change: impl Fn(&mut ContextState),
    ) {
        for key in 0..KEYS {
            change(&mut self.states[id.0 as usize * KEYS + key]);
            self.tell(action, id, key, server, at_us);
        }
    }

    /// Takes over what the oracle found, which counts servers where everything else counts actors.
    fn collect(&mut self) {
        let first = self.first_server as u32;
        for mut finding in self.fresh.drain(..) {
            for server in [&mut finding.actor, &mut finding.rival].into_iter().flatten() {
                server.0 += first;
            }
            if self.found.insert(finding.property) {
                self.findings.push(finding);
            }
        }
    }

    /// A property that the transition table cannot say is broken.
    fn broken(&mut self, property: Property, at_us: u64, actor: ActorId, action: &'static str, guard: &'static str) {
        if self.found.contains(property) {
            return;
        }
        let actor = Some(failproof_spec::ActorId(actor.into()));
        self.found.insert(property);
        self.findings.push(Finding { property, at_us, actor, rival: None, action, guard });
    }

    /// A server stepped: its alias, what it serves from, and what it told.
    fn server(&mut self, step: &Step<'_, Routing>, machine: &ContextServer) -> Noted {
        let server = self.server_of(step.actor);
        let mut action = None;
        let refined = machine.candidate().refined();
        let life = step.life;
        let started_over = self.servers[usize::from(server)].life != life;
        self.servers[usize::from(server)].life = life;
        let everything = started_over || matches!(step.cause, Cause::Command(Command::HandOver));
        let held = self.servers[usize::from(server)].holds;
        // Who begins to hold its alias is judged by what is known of its term now; who stops, by what was known before.
        let holds = machine.believes();
        let doubted_before = self.servers[usize::from(server)].doubted;
        self.grounds[usize::from(server)].follow(&refined, machine.candidate().phase() != Phase::Standby);
        if holds {
            self.update_doubt(server, step.at_us);
        }
        if everything {
            for id in 0..self.contexts.len() {
                action = self.refresh(machine, server, ContextId(id as u32), step.at_us).or(action);
            }
        }
        if let Cause::Message(Message::Outcome(outcome)) = step.cause
            && let Some(row) = &outcome.row
        {
            self.know(row.id);
            action = self.refresh(machine, server, row.id, step.at_us).or(action);
        }
        if holds != held || machine.alias().0 != self.servers[usize::from(server)].alias {
            self.account(server, step.at_us);
            let state = &mut self.servers[usize::from(server)];
            (state.holds, state.alias) = (holds, machine.alias().0);
            self.check_alias(server, step.at_us);
        }
        if !holds {
            self.update_doubt(server, step.at_us);
        }
        for output in step.outputs {
            match output {
                Output::Send(_, Message::Reply(reply)) => {
                    action = self.replied(step, server, reply).or(action);
                }
                Output::Tell(failproof_core::routing::Output::Chose { backup, view }) => {
                    self.check_choice(step, machine.alias(), *backup, view);
                }
                Output::Tell(failproof_core::routing::Output::Event(Event::TermEnded | Event::Deposed)) => {
                    self.false_ends += u64::from(self.is_calm(step.at_us));
                    if !doubted_before {
                        self.term_ended_us[usize::from(server)] = Some(step.at_us);
                    }
                }
                _ => {}
            }
        }
        Noted {
            action: action.map(ContextAction::name),
            refined: u64::from(refined.anchor_tag) | u64::from(refined.life) << 32 | u64::from(holds) << 63,
        }
    }

    /// Compares what a server would serve a context from with what was known of it.
    fn refresh(&mut self, machine: &ContextServer, server: u8, id: ContextId, at_us: u64) -> Option<ContextAction> {
        let content = machine.remembered(id).map(|cached| cached.row.content);
        let context = &mut self.contexts[id.0 as usize];
        if context.cached[usize::from(server)] == content {
            return None;
        }
        context.cached[usize::from(server)] = content;
        let action = if content.is_some() { ContextAction::Load } else { ContextAction::Forget };
        for key in 0..KEYS {
            let cache = self.cache(id, key, server);
            let before = self.states[id.0 as usize * KEYS + key].seats[usize::from(server)].cache;
            if cache != before || action == ContextAction::Load {
                self.states[id.0 as usize * KEYS + key].seats[usize::from(server)].cache = cache;
                self.tell(action, id, key, Some(server), at_us);
            }
        }
        Some(action)
    }

    /// What a server has of one key, beside what clients were told.
    fn cache(&self, id: ContextId, key: usize, server: u8) -> Cache {
        let context = &self.contexts[id.0 as usize];
        match context.cached[usize::from(server)] {
            None => Cache::None,
            Some(content) if content[key] < context.keys[key].acked => Cache::Stale,
            Some(_) => Cache::Current,
        }
    }

    /// A server answered a client.
    fn replied(&mut self, step: &Step<'_, Routing>, server: u8, reply: &Reply) -> Option<ContextAction> {
        let at_us = step.at_us;
        match &reply.answer {
            Answer::Context(current) | Answer::Moved(current) => {
                self.told(step, current);
                None
            }
            Answer::Value(current, _) => {
                self.told(step, current);
                for key in 0..KEYS {
                    self.tell(ContextAction::Read, current.id, key, Some(server), at_us);
                }
                Some(ContextAction::Read)
            }
            Answer::Changed(current) => {
                self.told(step, current);
                let asked = self.asked[usize::from(reply.client)];
                (asked.number == reply.number).then(|| self.acknowledged(current.id, asked, server, at_us))
            }
            Answer::Unavailable | Answer::Refused => None,
        }
    }

    /// A client was told that its change is in the row.
    fn acknowledged(&mut self, id: ContextId, asked: Asked, server: u8, at_us: u64) -> ContextAction {
        let key = usize::from(asked.key);
        let context = &mut self.contexts[id.0 as usize];
        context.keys[key].acked = context.keys[key].acked.max(asked.seq);
        let write = if context.content[key] >= asked.seq { Write::Acked } else { Write::Lost };
        let object = id.0 as usize * KEYS + key;
        self.states[object].write = write;
        for other in 0..self.servers.len() as u8 {
            self.states[object].seats[usize::from(other)].cache = self.cache(id, key, other);
        }
        self.tell(ContextAction::Ack, id, key, Some(server), at_us);
        ContextAction::Ack
    }

    /// Somebody was told a HAID.
    fn told(&mut self, step: &Step<'_, Routing>, current: &Current) {
        let told = &mut self.contexts[current.id.0 as usize].told;
        match *told {
            Some((generation, haid)) if generation == current.generation && haid != current.haid => {
                let guard = "two clients were told different HAIDs of one context and generation";
                self.broken(Property::OneHaidPerContext, step.at_us, step.actor, "Create", guard);
            }
            Some((generation, _)) if generation >= current.generation => {}
            _ => *told = Some((current.generation, current.haid)),
        }
    }

    fn check_choice(&mut self, step: &Step<'_, Routing>, own: Alias, backup: Alias, view: &View) {
        let rest = view.live().filter(|(alias, _)| *alias != own);
        let least = rest.clone().map(|(_, row)| row.load).min();
        let chosen = rest.clone().find(|(alias, _)| *alias == backup).map(|(_, row)| row.load);
        if chosen != least {
            let guard = "the backup is not the least loaded of the rest, in the view that was used";
            self.broken(Property::BackupIsLeastLoaded, step.at_us, step.actor, "Create", guard);
        }
    }

    /// At any time one trusted process holds an alias.
    fn check_alias(&mut self, server: u8, at_us: u64) {
        let trusted = |judge: &Self, other: u8| {
            judge.servers[usize::from(other)].holds && !judge.servers[usize::from(other)].doubted
        };
        let alias = self.servers[usize::from(server)].alias;
        let rival = (0..self.servers.len() as u8).find(|other| {
            *other != server && self.servers[usize::from(*other)].alias == alias && trusted(self, *other)
        });
        if rival.is_some() && trusted(self, server) {
            let guard = "two processes hold one alias";
            self.broken(Property::AliasNamesOneInstance, at_us, self.actor_of(server), "Grant", guard);
        }
    }

    /// The store stepped: who holds an alias, and what became of a row.
    fn store(&mut self, step: &Step<'_, Routing>, store: &StoreServer) -> Noted {
        let mut action = None;
        match store.done() {
            Done::Changed { what, id, change, .. } => {
                self.know(id);
                action = self.changed(step, store, what, id, change);
            }
            Done::Granted { alias, host } => {
                let owner = self.machines[usize::from(alias.0)];
                if owner.is_some_and(|owner| owner != host.0) && store.contexts().load(alias) > 0 {
                    let guard = "an alias that contexts name was granted to another machine";
                    self.broken(Property::AliasNamesOneInstance, step.at_us, step.source, "Grant", guard);
                }
                self.machines[usize::from(alias.0)] = Some(host.0);
                self.heard_again(alias, step.at_us);
            }
            Done::Starved => {
                let guard = "the machine that an alias belongs to was refused it, although the last term is over";
                self.broken(Property::AliasIsNotStarved, step.at_us, step.source, "Grant", guard);
            }
            Done::Nothing => {}
        }
        Noted { action: action.map(ContextAction::name), refined: store.digest() }
    }

    /// An alias was granted anew: the term before was over, and now it is held again.
    fn heard_again(&mut self, alias: Alias, at_us: u64) {
        for id in 0..self.contexts.len() {
            if self.states[id * KEYS].main == Some(first_machine(alias)) {
                let id = ContextId(id as u32);
                self.tell_all(ContextAction::Expire, id, None, at_us, |state| state.expired = true);
                self.tell_all(ContextAction::Renew, id, None, at_us, |state| state.expired = false);
            }
        }
    }

    fn changed(
        &mut self,
        step: &Step<'_, Routing>,
        store: &StoreServer,
        what: What,
        id: ContextId,
        change: Change,
    ) -> Option<ContextAction> {
        let at_us = step.at_us;
        let server = self.server_of(step.source);
        let seat = usize::from(server);
        let row = store.contexts().row(id)?;
        let (main, backup) = row.owners.map(|(main, backup)| (first_machine(main), first_machine(backup)))?;
        let open = |state: &mut ContextState, winner: Option<u8>| {
            for (at, seat) in state.seats.iter_mut().enumerate() {
                if winner.is_some_and(|winner| usize::from(winner) == at) {
                    seat.token = Token::Open;
                } else if seat.token == Token::Open {
                    seat.token = Token::Fenced;
                }
            }
            (state.main, state.backup) = (Some(main), Some(backup));
            state.wrote = None;
        };
        match change {
            Change::None => None,
            Change::Created | Change::Adopted { .. } => {
                if let What::Create { request, .. } = what
                    && !self.requests.insert(request)
                {
                    let guard = "one creation made two contexts";
                    self.broken(Property::OneContextPerCreate, at_us, step.source, "Create", guard);
                }
                if matches!(change, Change::Adopted { before: Some(_) }) {
                    let guard = "a context that has owners was adopted once more";
                    self.broken(Property::OneHaidPerContext, at_us, step.source, "Create", guard);
                }
                self.tell_all(ContextAction::Create, id, Some(server), at_us, |state| {
                    (state.main, state.backup) = (Some(main), Some(backup));
                    state.seats[seat].token = Token::Open;
                });
                Some(ContextAction::Create)
            }
            Change::Granted => {
                self.tell_all(ContextAction::Grant, id, Some(server), at_us, |state| open(state, Some(server)));
                Some(ContextAction::Grant)
            }
            Change::Taken { from, expired } => {
                self.came_close(from, at_us);
                if self.states[id.0 as usize * KEYS].expired != expired {
                    let action = if expired { ContextAction::Expire } else { ContextAction::Renew };
                    self.tell_all(action, id, None, at_us, |state| state.expired = expired);
                }
                self.tell_all(ContextAction::Take, id, Some(server), at_us, |state| {
                    open(state, Some(server));
                    state.expired = false;
                });
                Some(ContextAction::Take)
            }
            Change::Given => {
                self.tell_all(ContextAction::Give, id, Some(server), at_us, |state| open(state, None));
                Some(ContextAction::Give)
            }
            Change::Repaired => {
                self.tell_all(ContextAction::Repair, id, Some(server), at_us, |state| state.backup = Some(backup));
                Some(ContextAction::Repair)
            }
            Change::Written { expired, .. } => {
                if server != main && !expired && self.rules.ownership == Ownership::LastWriter {
                    let guard =
                        "another server than the main had a write accepted while the main's heartbeat row stood";
                    self.broken(Property::TakeWaitsForExpiry, at_us, step.source, "Apply", guard);
                }
                self.written(id, server, row.content, at_us);
                Some(ContextAction::Apply)
            }
        }
    }

    fn written(&mut self, id: ContextId, server: u8, content: Content, at_us: u64) {
        let context = &mut self.contexts[id.0 as usize];
        let before = std::mem::replace(&mut context.content, content);
        for key in 0..KEYS {
            let known = &mut self.contexts[id.0 as usize].keys[key];
            let state = &mut self.states[id.0 as usize * KEYS + key];
            match state.wrote {
                None => state.wrote = Some(server),
                Some(other) => state.split |= other != server,
            }
            if content[key] > known.applied || (content[key] == known.applied && before[key] < content[key]) {
                known.applied = content[key];
                state.write = Write::Applied;
            } else if content[key] < known.applied {
                state.write = match state.write {
                    Write::Acked | Write::Lost => Write::Lost,
                    Write::Applied | Write::None => Write::None,
                };
            }
            let lost = content[key] < known.acked;
            self.tell(ContextAction::Apply, id, key, Some(server), at_us);
            if lost {
                let guard = "a write covered one that a client had been told is done";
                self.broken(Property::NoLostAcknowledgedWrite, at_us, self.actor_of(server), "Apply", guard);
            }
        }
    }

    /// The owner changed after the term of `from` ended, or before.
    fn came_close(&mut self, from: Alias, at_us: u64) {
        let from = usize::from(first_machine(from));
        let still = self.servers[from].holds && !self.servers[from].doubted;
        let Some(margin_us) = (if still { Some(0) } else { self.term_ended_us[from].map(|ended_us| at_us - ended_us) })
        else {
            return;
        };
        self.margin_smallest_us = self.margin_smallest_us.into_iter().chain([margin_us]).min();
        self.marks.reach(Landmark::closeness(margin_us), at_us);
    }

    /// A gateway stepped: a HAID that it passes on is one that its parts encode to.
    fn gateway(&mut self, step: &Step<'_, Routing>) {
        let Cause::Message(Message::Request(Request { verb: Verb::Change { haid, .. } | Verb::Read { haid }, .. })) =
            step.cause
        else {
            return;
        };
        let passed = step.outputs.iter().any(|output| matches!(output, Output::Send(_, Message::Request(_))));
        if passed && !is_canonical(haid.as_bytes()) {
            let guard = "a HAID was accepted that its parts do not encode to";
            self.broken(Property::HaidRoundTrips, step.at_us, step.actor, "Read", guard);
        }
    }

    fn client(&mut self, step: &Step<'_, Routing>, client: &Client) {
        for output in step.outputs {
            if let Output::Send(
                _,
                Message::Request(Request { client, number, verb: Verb::Change { key, seq, .. }, .. }),
            ) = output
            {
                self.asked[usize::from(*client)] = Asked { number: *number, key: *key, seq: *seq };
            }
        }
        let Place::Client(n) = self.cast[usize::from(step.actor)].place else { return };
        self.liveness.waits(n, client.pending_change(), step.at_us);
    }

    fn is_calm(&self, at_us: u64) -> bool {
        self.faults_active == 0 && at_us >= self.fault_ended_us + self.spacing_us
    }

    /// Counts the time in which a server's hold on its alias stayed as it was.
    fn account(&mut self, server: u8, at_us: u64) {
        let state = &mut self.servers[usize::from(server)];
        let passed_us = at_us - std::mem::replace(&mut state.since_us, at_us);
        let sum = match (state.holds, state.doubted) {
            (false, _) => &mut self.unheld_us,
            (true, false) => &mut self.trusted_us,
            (true, true) => &mut self.doubted_us,
        };
        *sum += passed_us;
    }
}

/// Whether a text is canonical, read without the codec: digits without a leading zero, a hyphen, the same, two hyphens,
/// then as many bytes as they say and digits.
fn is_canonical(text: &[u8]) -> bool {
    let number = |digits: &[u8]| {
        let plain = !digits.is_empty() && digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit);
        plain.then(|| {
            digits.iter().fold(0_usize, |sum, digit| sum.saturating_mul(10).saturating_add(usize::from(digit - b'0')))
        })
    };
    let Some(end) = text.windows(2).position(|pair| pair == b"--") else { return false };
    let (head, rest) = (&text[..end], &text[end + 2..]);
    let Some(hyphen) = head.iter().position(|byte| *byte == b'-') else { return false };
    let lengths = number(&head[..hyphen]).zip(number(&head[hyphen + 1..]));
    lengths.is_some_and(|(main, backup)| {
        let id = rest.get(main.saturating_add(backup)..).unwrap_or_default();
        !id.is_empty() && id.iter().all(u8::is_ascii_digit) && (id.len() == 1 || id[0] != b'0')
    })
}

impl Judge<Routing> for RoutingJudge {
    fn observe(&mut self, step: &Step<'_, Routing>) -> Noted {
        match &step.machine.part {
            Part::Store(store) => self.store(step, store),
            Part::Server(server) => self.server(step, server),
            Part::Gateway(_) => {
                self.gateway(step);
                Noted::default()
            }
            Part::Client(client) => {
                self.client(step, client);
                Noted::default()
            }
        }
    }

    fn place_changed(&mut self, at_us: u64, place: Place, health: Health) {
        match place {
            Place::Store if self.store_clock_out != health.clock_out => {
                self.store_clock_out = health.clock_out;
                self.grounds.iter_mut().for_each(Grounds::clock_changed);
                (0..self.servers.len() as u8).for_each(|server| self.update_doubt(server, at_us));
            }
            Place::Server(n) => {
                let grounds = &mut self.grounds[usize::from(n)];
                if health.down && !grounds.health().down {
                    *grounds = Grounds::fresh(health);
                    self.crashed(n as u8, at_us);
                }
                self.grounds[usize::from(n)].health_changed(health);
                self.update_doubt(n as u8, at_us);
            }
            _ => {}
        }
    }

    fn clock_stepped(&mut self, at_us: u64, place: Place) {
        if let Place::Server(n) = place {
            self.grounds[usize::from(n)].clock_changed();
            self.update_doubt(n as u8, at_us);
        }
    }

    fn settled(&mut self, at_us: u64, place: Place) {
        if let Place::Server(n) = place {
            self.grounds[usize::from(n)].settled();
            self.update_doubt(n as u8, at_us);
        }
    }

    fn in_flight(&mut self, _actor: ActorId, _life: u32, _more: bool) {}

    /// The main instance of the first context that has one.
    fn primary(&self) -> Option<Place> {
        let main = self.states.iter().find_map(|state| state.main)?;
        Some(Place::Server(main.into()))
    }

    fn fault(&mut self, at_us: u64, _kind: &FaultKind, begins: bool) {
        if begins {
            self.faults_active += 1;
        } else {
            self.faults_active -= 1;
            self.fault_ended_us = at_us;
        }
    }

    fn finish(&mut self, at_us: u64, report: &mut RunReport) {
        for server in 0..self.servers.len() as u8 {
            self.account(server, at_us);
        }
        report.trusted_us = self.trusted_us;
        report.doubted_us = self.doubted_us;
        report.without_primary_us = self.unheld_us;
        report.led_us = at_us * self.servers.len() as u64;
        report.false_step_downs = self.false_ends;
        report.margin_smallest_us = self.margin_smallest_us;
        report.coverage = Some(self.oracle.coverage().clone());
        report.marks = std::mem::take(&mut self.marks);
        report.marks.merge(self.oracle.marks());
        self.liveness.finish(at_us, report);
        let findings = std::mem::take(&mut self.findings);
        let violation = |finding: &Finding| Violation {
            property: finding.property.name(),
            at_us: finding.at_us,
            story: self.story(finding),
        };
        report.violations = findings.iter().map(violation).collect();
    }

    fn describe(&self, actor: ActorId) -> String {
        let Actor { place, role, .. } = self.cast[usize::from(actor)];
        match (role, place) {
            (role::SERVER, Place::Server(n)) => {
                let server = &self.servers[usize::from(n)];
                let cached = self.contexts.iter().filter(|context| context.cached[usize::from(n)].is_some()).count();
                let Server { life, holds, doubted, alias, .. } = server;
                format!("life={life} holds={holds} alias=cs_{alias} doubted={doubted} cached={cached}")
            }
            (role::STORE, _) => {
                let rows = self.contexts.iter().filter(|context| context.told.is_some()).count();
                format!("contexts={rows}")
            }
            _ => String::new(),
        }
    }
}

impl RoutingJudge {
    /// The process of a server ended, and with it its cache.
    fn crashed(&mut self, server: u8, at_us: u64) {
        for id in 0..self.contexts.len() {
            if self.contexts[id].cached[usize::from(server)].take().is_some() {
                self.tell_all(ContextAction::Forget, ContextId(id as u32), Some(server), at_us, |state| {
                    state.seats[usize::from(server)].cache = Cache::None;
                });
            }
        }
        self.account(server, at_us);
        self.servers[usize::from(server)].holds = false;
    }

    /// Doubt begins or ends as the world's knowledge of pauses and clocks says.
    fn update_doubt(&mut self, server: u8, at_us: u64) {
        let doubted = self.grounds[usize::from(server)].suffice() || self.store_clock_out;
        if doubted == self.servers[usize::from(server)].doubted {
            return;
        }
        self.account(server, at_us);
        self.servers[usize::from(server)].doubted = doubted;
        let action = if doubted { ContextAction::Doubt } else { ContextAction::Trust };
        for id in 0..self.contexts.len() {
            self.tell_all(action, ContextId(id as u32), Some(server), at_us, |state| {
                state.seats[usize::from(server)].doubted = doubted;
            });
        }
        self.check_alias(server, at_us);
    }

    fn story(&self, finding: &Finding) -> String {
        let name = |id: failproof_spec::ActorId| self.cast[id.0 as usize].place;
        let mut story = finding.actor.map_or_else(String::new, |actor| name(actor).to_string());
        if let Some(rival) = finding.rival {
            story.push_str(&format!(" against {}", name(rival)));
        }
        story.push_str(&format!(": {}", finding.guard));
        story
    }
}
