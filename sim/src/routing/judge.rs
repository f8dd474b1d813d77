//! Refines context routing to the words of `Context.tla` and hands every step to the oracle; judges what a transition
//! table cannot say.
//!
//! The states before and after come from the machines and the store; who is doubted comes from the true clocks and pauses.

mod canonical;
mod contexts;

use super::liveness::Liveness;
use super::store::{Done, StoreServer};
use super::{Command, Output, Part, Routing, role};
use crate::calm::Calm;
use crate::event::ActorId;
use crate::fault::{FaultKind, Place};
use crate::findings::Findings;
use crate::holder::{Holder, Holders};
use crate::note::{Note, Value};
use crate::plan::Plan;
use crate::protocol::{Actor, Cause, Health, Judge, Noted, Step};
use crate::report::RunReport;
use crate::trace::Refined;
use canonical::is_canonical;
use contexts::Contexts;
use failproof_core::election::Event;
use failproof_core::routing::{
    self, Alias, Answer, Change, Client, ContextId, ContextServer, Current, HaidText, Message, Operation, Ownership,
    Reply, Request, Rules, Verb, View, What,
};
use failproof_spec::context::ContextAction;
use failproof_spec::{ActorId as SpecId, Finding, Landmark, Marks, Property};
use std::collections::BTreeSet;

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
    calm: Calm,
    cast: Vec<Actor>,
    first_server: usize,
    holders: Holders,
    contexts: Contexts,
    /// By context: the HAID last told to anybody, with its generation.
    told: Vec<Option<(u32, HaidText)>>,
    /// By client.
    asked: Vec<Asked>,
    /// By alias: the machine that it belonged to while contexts named it.
    machines: Vec<Option<u16>>,
    created: BTreeSet<(u16, u32)>,
    liveness: Liveness,
    findings: Findings,
    marks: Marks,
    /// By alias: how many contexts were created with it as main.
    creations: Vec<u64>,
    degraded_answers: u64,
}

impl RoutingJudge {
    pub(super) fn new(plan: &Plan, cast: &[Actor]) -> Self {
        let options = plan.routing();
        Self {
            rules: options.rules,
            calm: Calm::new(options.longest_term_us, options.heartbeat_interval_us),
            cast: cast.to_vec(),
            first_server: 1 + usize::from(options.gateways),
            holders: Holders::new(options.servers),
            contexts: Contexts::new(options.contexts as usize, options.servers),
            told: vec![None; options.contexts as usize],
            asked: vec![Asked::default(); options.clients.into()],
            machines: vec![None; options.servers.into()],
            created: BTreeSet::new(),
            liveness: Liveness::new(plan),
            findings: Findings::new(cast),
            marks: Marks::default(),
            creations: vec![0; options.servers.into()],
            degraded_answers: 0,
        }
    }

    /// Which server an actor is.
    fn server_of(&self, actor: ActorId) -> usize {
        usize::from(actor) - self.first_server
    }

    fn actor_of(&self, server: usize) -> ActorId {
        (self.first_server + server) as ActorId
    }

    /// Takes over what the oracle found, which names seats where everything else names actors.
    fn collect(&mut self) {
        let first = self.first_server as u32;
        for mut finding in self.contexts.findings() {
            for seat in [&mut finding.actor, &mut finding.rival].into_iter().flatten() {
                seat.0 += first;
            }
            self.findings.add(finding);
        }
    }

    /// A property that the transition table cannot say is broken.
    fn broken(
        &mut self,
        property: Property,
        (at_us, actor): (u64, ActorId),
        action: ContextAction,
        guard: &'static str,
    ) {
        let (actor, action) = (Some(SpecId(actor.into())), action.name());
        self.findings.add(Finding { property, at_us, actor, rival: None, action, guard });
    }

    /// A server stepped: its alias, what it serves from, and what it told.
    fn server(&mut self, step: &Step<'_, Routing>, machine: &ContextServer) -> Noted {
        let (at_us, server) = (step.at_us, self.server_of(step.actor));
        let refined = machine.candidate().refined();
        let holds = machine.believes();
        let before = self.holders[server];
        self.holders.follow(server, step.life, machine.candidate());
        // Who begins to hold its alias is judged by what is known of its term now; who stops, by what was known before.
        if holds {
            self.update_doubt(server, at_us);
        }
        let mut action = self.refresh(step, machine, before.life);
        if (holds, u16::from(machine.alias().0)) != (before.holds, before.seat) {
            self.holders.believe(server, holds, at_us);
            self.holders.note(server, &mut self.findings.notes);
            self.check_alias(server, at_us);
        }
        if !holds {
            self.update_doubt(server, at_us);
        }
        for output in step.outputs {
            match output {
                Output::Send(_, Message::Reply(reply)) => action = self.replied(step, machine, reply).or(action),
                Output::Tell(routing::Output::Chose { backup, view }) => {
                    self.check_choice(step, machine.alias(), *backup, view);
                }
                Output::Tell(routing::Output::Event(Event::TermEnded | Event::Deposed)) => {
                    let is_calm = self.calm.is_calm(at_us);
                    self.holders.term_ended(server, before.doubted, is_calm, at_us);
                }
                Output::Send(..) | Output::Tell(_) => {}
            }
        }
        self.collect();
        Noted {
            action: action.map(ContextAction::name),
            refined: u64::from(refined.anchor_tag) | u64::from(refined.life) << 32 | u64::from(holds) << 63,
        }
    }

    /// Compares what a server would serve contexts from with what was known of it: all of them if its life is another one,
    /// else the one that the step is about.
    fn refresh(&mut self, step: &Step<'_, Routing>, machine: &ContextServer, life: u32) -> Option<ContextAction> {
        let seat = machine.alias().0;
        let mut action = None;
        if life != step.life || matches!(step.cause, Cause::Command(Command::HandOver)) {
            for id in self.contexts.ids() {
                let content = machine.remembered(id).map(|cached| cached.row.content);
                action = self.contexts.serves(id, seat, content, step.at_us).or(action);
            }
        }
        if let Cause::Message(Message::Outcome(outcome)) = step.cause
            && let Some(row) = &outcome.row
        {
            let content = machine.remembered(row.id).map(|cached| cached.row.content);
            action = self.contexts.serves(row.id, seat, content, step.at_us).or(action);
        }
        action
    }

    /// A server answered a client.
    fn replied(&mut self, step: &Step<'_, Routing>, machine: &ContextServer, reply: &Reply) -> Option<ContextAction> {
        let (at_us, seat) = (step.at_us, machine.alias().0);
        match &reply.answer {
            Answer::Context(current) | Answer::Moved(current) => {
                self.check_told(step, current);
                None
            }
            Answer::Value(current, content) => {
                self.check_told(step, current);
                // Where two processes act from one seat, the other one may have been seen last.
                let _ = self.contexts.serves(current.id, seat, Some(*content), at_us);
                let in_order = !self.holders[self.server_of(step.actor)].clock_doubted;
                if self.contexts.read(current.id, seat, in_order, at_us) {
                    let guard =
                        "a server whose clock is in order answered without a change that a client had been told of";
                    self.broken(Property::NoStaleRead, (at_us, step.actor), ContextAction::Read, guard);
                }
                Some(ContextAction::Read)
            }
            Answer::Changed(current) => {
                self.check_told(step, current);
                let Asked { number, key, seq } = self.asked[usize::from(reply.client)];
                (number == reply.number).then(|| self.contexts.acknowledged(current.id, (key, seq), seat, at_us))
            }
            Answer::Unavailable | Answer::Refused => None,
        }
    }

    /// Whoever asks gets the same HAID of a context and generation.
    fn check_told(&mut self, step: &Step<'_, Routing>, current: &Current) {
        self.degraded_answers += u64::from(current.degraded);
        let told = &mut self.told[current.id.0 as usize];
        match *told {
            Some((generation, haid)) if generation == current.generation && haid != current.haid => {
                let guard = "two clients were told different HAIDs of one context and generation";
                let who = (step.at_us, step.actor);
                self.broken(Property::OneHaidPerContext, who, ContextAction::Create, guard);
            }
            Some((generation, _)) if generation >= current.generation => {}
            _ => *told = Some((current.generation, current.haid)),
        }
    }

    /// The backup is the least loaded of the rest.
    fn check_choice(&mut self, step: &Step<'_, Routing>, own: Alias, backup: Alias, view: &View) {
        let rest = view.live().filter(|(alias, _)| *alias != own);
        let least = rest.clone().map(|(_, row)| row.load).min();
        let chosen = rest.clone().find(|(alias, _)| *alias == backup).map(|(_, row)| row.load);
        if chosen != least {
            let guard = "the backup is not the least loaded of the rest, in the view that was used";
            let who = (step.at_us, step.actor);
            self.broken(Property::BackupIsLeastLoaded, who, ContextAction::Create, guard);
        }
    }

    /// At any time one trusted process holds an alias.
    fn check_alias(&mut self, server: usize, at_us: u64) {
        let this = self.holders[server];
        let mut others = self.holders.iter().enumerate().filter(|(other, _)| *other != server);
        if this.is_trusted() && others.any(|(_, other)| other.seat == this.seat && other.is_trusted()) {
            let guard = "two processes hold one alias";
            let who = (at_us, self.actor_of(server));
            self.broken(Property::AliasNamesOneInstance, who, ContextAction::Grant, guard);
        }
    }

    /// The store stepped: who holds an alias, and what became of a row.
    fn store(&mut self, step: &Step<'_, Routing>, store: &StoreServer) -> Noted {
        let who = (step.at_us, step.source);
        let mut action = None;
        match store.done() {
            Done::Changed { operation, id, change } => action = self.changed(who, store, &operation, id, change),
            Done::Granted { alias, host } => {
                let owner = self.machines[usize::from(alias.0)].replace(host.0);
                if owner.is_some_and(|owner| owner != host.0) && store.contexts().load(alias) > 0 {
                    let guard = "an alias that contexts name was granted to another machine";
                    self.broken(Property::AliasNamesOneInstance, who, ContextAction::Grant, guard);
                }
                self.contexts.heard_again(alias.0, step.at_us);
            }
            Done::Starved => {
                let guard = "the machine that an alias belongs to was refused it, although the last term is over";
                self.broken(Property::AliasIsNotStarved, who, ContextAction::Grant, guard);
            }
            Done::Nothing => {}
        }
        self.collect();
        Noted { action: action.map(ContextAction::name), refined: store.contexts().changes() }
    }

    fn changed(
        &mut self,
        who: (u64, ActorId),
        store: &StoreServer,
        operation: &Operation,
        id: ContextId,
        change: Change,
    ) -> Option<ContextAction> {
        let (at_us, seat) = (who.0, operation.alias.0);
        self.contexts.know(id, at_us);
        self.told.resize(self.told.len().max(id.0 as usize + 1), None);
        let row = store.contexts().row(id)?;
        let owners = row.owners?;
        Some(match change {
            Change::None => return None,
            Change::Created | Change::Adopted { .. } => {
                if let What::Create { request, .. } = operation.what
                    && !self.created.insert(request)
                {
                    let guard = "one creation made two contexts";
                    self.broken(Property::OneContextPerCreate, who, ContextAction::Create, guard);
                }
                if matches!(change, Change::Adopted { before: Some(_) }) {
                    let guard = "a context that has owners was adopted once more";
                    self.broken(Property::OneHaidPerContext, who, ContextAction::Create, guard);
                }
                self.creations[usize::from(seat)] += u64::from(change == Change::Created);
                self.contexts.created(id, owners, at_us)
            }
            Change::Granted => self.contexts.granted(id, seat, at_us),
            Change::Taken { from, expired } => {
                if self.came_close(from, at_us) {
                    let guard = "a context was taken from a server that still holds its alias";
                    self.broken(Property::TakeWaitsForExpiry, who, ContextAction::Take, guard);
                }
                self.contexts.taken(id, owners, expired, at_us)
            }
            Change::Given => self.contexts.given(id, seat, owners, at_us),
            Change::Repaired => self.contexts.repaired(id, seat, owners, at_us),
            Change::Written { expired } => {
                if seat != owners.0.0 && !expired && self.rules.ownership == Ownership::LastWriter {
                    let guard = "another server than main had a write accepted while the heartbeat row of main stood";
                    self.broken(Property::TakeWaitsForExpiry, who, ContextAction::Apply, guard);
                }
                if let What::Write { epoch, .. } = operation.what
                    && self.rules.ownership == Ownership::Epoch
                    && epoch != self.contexts.epoch(id)
                {
                    let guard = "a write of another epoch than the row's was accepted";
                    self.broken(Property::OneOwnerPerEpoch, who, ContextAction::Apply, guard);
                }
                if self.contexts.written(id, seat, row.content, at_us) {
                    let guard = "a write covered one that a client had been told is done";
                    self.broken(Property::NoLostAcknowledgedWrite, who, ContextAction::Apply, guard);
                }
                ContextAction::Apply
            }
        })
    }

    /// A context changed its owner after the term of `from` ended; whether it did so before, while somebody trusted holds it.
    fn came_close(&mut self, from: Alias, at_us: u64) -> bool {
        let (held, margin_us) = self.holders.came_close(from.0.into(), at_us);
        if let Some(margin_us) = margin_us {
            self.marks.reach(Landmark::closeness(margin_us), at_us);
        }
        held
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
            self.broken(Property::HaidRoundTrips, (step.at_us, step.actor), ContextAction::Read, guard);
        }
    }

    fn client(&mut self, step: &Step<'_, Routing>, client: &Client) {
        let Place::Client(n) = self.cast[usize::from(step.actor)].place else { return };
        for output in step.outputs {
            if let Output::Send(_, Message::Request(Request { number, verb: Verb::Change { key, seq, .. }, .. })) =
                output
            {
                self.asked[usize::from(n)] = Asked { number: *number, key: *key, seq: *seq };
            }
        }
        self.liveness.waits(n, client.waits_for(), step.at_us);
    }

    /// The process of a server ended, and with it its cache.
    fn crashed(&mut self, server: usize, at_us: u64) {
        let seat = self.holders[server].seat as u8;
        for id in self.contexts.ids() {
            self.contexts.serves(id, seat, None, at_us);
        }
        self.holders.note(server, &mut self.findings.notes);
        self.collect();
    }

    /// Doubt begins or ends as the world's knowledge of pauses and clocks says.
    fn update_doubt(&mut self, server: usize, at_us: u64) {
        if !self.holders.update_doubt(server, at_us) {
            return;
        }
        let seat = self.holders[server].seat as u8;
        self.holders.note(server, &mut self.findings.notes);
        // From a seat at which any process is doubted, nothing is owed.
        let any = self.holders.iter().any(|holder| holder.seat == u16::from(seat) && holder.doubted);
        self.contexts.doubt(seat, any, at_us);
        self.collect();
        self.check_alias(server, at_us);
    }

    fn update_all_doubts(&mut self, at_us: u64) {
        (0..self.holders.iter().count()).for_each(|server| self.update_doubt(server, at_us));
    }
}

impl Judge<Routing> for RoutingJudge {
    fn observe(&mut self, step: &Step<'_, Routing>) -> Noted {
        match &step.machine.part {
            Part::Store(store) => return self.store(step, store),
            Part::Server(server) => return self.server(step, server),
            Part::Gateway(_) => self.gateway(step),
            Part::Client(client) => self.client(step, client),
        }
        Noted::default()
    }

    fn place_changed(&mut self, at_us: u64, place: Place, health: Health) {
        if let Some(server) = self.holders.place_changed(place, health, at_us) {
            self.crashed(server, at_us);
        }
        self.update_all_doubts(at_us);
    }

    fn clock_stepped(&mut self, at_us: u64, place: Place) {
        self.holders.clock_stepped(place);
        self.update_all_doubts(at_us);
    }

    fn settled(&mut self, at_us: u64, place: Place) {
        self.holders.settled(place);
        self.update_all_doubts(at_us);
    }

    fn in_flight(&mut self, _actor: ActorId, _life: u32, _more: bool) {}

    /// The main instance of the first context that has one.
    fn primary(&self) -> Option<Place> {
        self.contexts.first_main().map(|main| Place::Server(main.into()))
    }

    fn fault(&mut self, at_us: u64, _kind: &FaultKind, begins: bool) {
        self.calm.fault(at_us, begins);
    }

    fn finish(&mut self, at_us: u64, report: &mut RunReport) {
        self.holders.finish(at_us, report);
        let created = self.creations.iter().enumerate();
        report.counters = created.map(|(alias, count)| (format!("created on cs_{alias}"), *count)).collect();
        report.counters.insert("degraded contexts at end".to_owned(), self.contexts.degraded());
        report.counters.insert("degraded answers".to_owned(), self.degraded_answers);
        report.counters.insert("excused stale answers".to_owned(), self.contexts.excused());
        report.coverage = Some(self.contexts.coverage().clone());
        report.marks = std::mem::take(&mut self.marks);
        report.marks.merge(self.contexts.marks());
        self.liveness.finish(at_us, report);
        report.violations = self.findings.violations();
    }

    fn keep_notes(&mut self) {
        self.contexts.notes.keep();
        self.findings.notes.keep();
    }

    fn take_notes(&mut self) -> Vec<Note> {
        let mut notes = self.contexts.notes.take();
        notes.extend(self.findings.notes.take());
        notes
    }

    fn describe(&self, actor: ActorId) -> Refined {
        match self.cast[usize::from(actor)] {
            Actor { place: Place::Server(n), .. } => {
                let Holder { life, holds, seat, doubted, .. } = self.holders[usize::from(n)];
                let cached = self.contexts.cached_at(seat as u8);
                Refined(vec![
                    ("life", Value::Number(life.into())),
                    ("holds", Value::Flag(holds)),
                    ("alias", Value::Word(format!("cs_{seat}"))),
                    ("doubted", Value::Flag(doubted)),
                    ("cached", Value::Number(cached as u64)),
                ])
            }
            Actor { role: role::STORE, .. } => {
                Refined(vec![("contexts", Value::Number(self.told.iter().flatten().count() as u64))])
            }
            _ => Refined::default(),
        }
    }
}
