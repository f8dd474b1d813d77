//! Refines job distribution to the words of `Job.tla` and judges what a transition table cannot say.
//!
//! The states before and after come from the store, the cluster and the machines; who is doubted comes from the true clocks
//! and pauses.

mod attempts;
mod calls;
mod rings;
mod seats;
mod supplied;

use super::liveness::Liveness;
use super::store::{Done, StoreServer};
use super::{Distribution, Output, Part, SERVERS, STORE, role};
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
use attempts::Attempts;
use calls::{Call, Calls};
use failproof_core::distribution::{
    Change, Claiming, Cluster, Effect, JobId, JobServer, Message, Name, Phase, Request, RowView, Rules, Verb, What,
};
use failproof_core::election::Event;
use failproof_core::{Epoch, Host};
use failproof_spec::job::JobAction;
use failproof_spec::{ActorId as SpecId, Finding, Landmark, Marks, Property};
use rings::Rings;
use std::collections::{BTreeMap, BTreeSet};
use supplied::Supplied;

/// The judge of job distribution.
#[derive(Debug)]
pub struct JobJudge {
    /// Those of the table.
    rules: Rules,
    /// Whether some of the fleet may decide by others.
    upgrades: bool,
    calm: Calm,
    /// How long a call may take to arrive when nothing disturbs it.
    arrives_us: u64,
    cast: Vec<Actor>,
    holders: Holders,
    /// The session that each server holds or held last.
    terms: Vec<Epoch>,
    attempts: Attempts,
    calls: Calls,
    rings: Rings,
    /// Actions that the table wrote down.
    inserted: BTreeSet<(JobId, u16)>,
    /// Instances whose row was deleted before they were seen to start, and when.
    lost: BTreeMap<Name, u64>,
    liveness: Liveness,
    findings: Findings,
    marks: Marks,
    counts: Counts,
    supplied: Supplied,
}

/// What reports count.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    started: u64,
    claims: u64,
    takeovers: u64,
    releases: u64,
    done: u64,
    failed: u64,
    cancelled: u64,
    refused: u64,
}

impl JobJudge {
    pub(super) fn new(plan: &Plan, cast: &[Actor]) -> Self {
        let options = plan.distribution();
        Self {
            rules: options.rules,
            upgrades: options.upgrade.is_some(),
            calm: Calm::new(options.longest_term_us, options.heartbeat_interval_us),
            arrives_us: (options.takes_us + options.patience_us.times(2)).as_micros(),
            cast: cast.to_vec(),
            holders: Holders::new(options.servers),
            terms: vec![Epoch::NONE; options.servers.into()],
            attempts: Attempts::new(options.servers, options.upgrade.unwrap_or(options.rules)),
            calls: Calls::default(),
            rings: Rings::new(options),
            inserted: BTreeSet::new(),
            lost: BTreeMap::new(),
            liveness: Liveness::new(plan),
            findings: Findings::new(cast),
            marks: Marks::default(),
            counts: Counts::default(),
            supplied: Supplied::default(),
        }
    }

    /// A property is broken.
    fn broken(
        &mut self,
        property: Property,
        (at_us, actor): (u64, ActorId),
        rival: Option<ActorId>,
        action: &'static str,
        guard: &'static str,
    ) {
        let (actor, rival) = (Some(SpecId(actor.into())), rival.map(|rival| SpecId(rival.into())));
        self.findings.add(Finding { property, at_us, actor, rival, action, guard });
    }

    /// Takes over what the oracle found.
    fn collect(&mut self) {
        self.attempts.findings().for_each(|finding| self.findings.add(finding));
    }

    /// A server stepped: its session, its ring, and what it calls.
    fn server(&mut self, step: &Step<'_, Distribution>, machine: &JobServer) -> Noted {
        let (at_us, server) = (step.at_us, usize::from(step.actor - SERVERS));
        let refined = machine.candidate().refined();
        let holds = machine.believes();
        let before = self.holders[server];
        self.holders.follow(server, step.life, machine.candidate());
        if holds {
            self.terms[server] = machine.me().term;
        }
        if holds != before.holds {
            self.holders.believe(server, holds, at_us);
            self.holders.note(server, &mut self.findings.notes);
        }
        self.update_doubt(server, at_us);
        if let Some(rival) = self.rings.compare(step.actor, machine.view()) {
            let guard = "two servers that know the same members disagree on whose a job is";
            let who = (at_us, step.actor);
            self.broken(Property::OwnerIsFunctionOfMembers, who, Some(rival), "Follow", guard);
        }
        self.supplied.count(step.actor, machine.me().term, machine.supplies());
        let mut action = None;
        for (id, _) in machine.supplies().ended().iter().filter(|(_, how)| how.is_ok()) {
            action = self.attempts.fetched(Host(server as u16), *id, at_us).or(action);
        }
        for output in step.outputs {
            match output {
                Output::Send(Some(to), _) if self.cast[usize::from(*to)].role == role::SERVER => {
                    let guard = "a server sent a message to a server";
                    self.broken(Property::NoServerToServerMessage, (at_us, step.actor), Some(*to), "Send", guard);
                }
                Output::Effect(Message::Request(request), _) => {
                    self.called(step, machine, request);
                    action = self.attempts.called(step.actor, request, at_us).or(action);
                }
                Output::Tell(Event::TermEnded | Event::Deposed) => {
                    let is_calm = self.calm.is_calm(at_us);
                    self.holders.term_ended(server, before.doubted, is_calm, at_us);
                }
                Output::Send(..) | Output::Effect(..) | Output::Tell(_) => {}
            }
        }
        self.collect();
        let refined = u64::from(refined.anchor_tag) | u64::from(refined.life) << 32 | u64::from(holds) << 63;
        Noted { action: action.map(JobAction::name), refined }
    }

    /// A server decided to call the cluster.
    fn called(&mut self, step: &Step<'_, Distribution>, machine: &JobServer, request: &Request) {
        let Some(work) = machine.asked(request.tag) else { return };
        let RowView { id: row, action, .. } = work.row;
        let call = Call { by: step.actor, row, action, epoch: request.epoch, name: request.name };
        let who = (step.at_us, step.actor);
        if let Some(rival) = self.calls.add(request.tag, call) {
            let guard = "two servers called the cluster for one row in one epoch";
            self.broken(Property::AtMostOneExecutorPerEpoch, who, Some(rival), "SendStart", guard);
            // Where nobody claims, whoever works on a row is its owner.
            if self.rules.claiming == Claiming::None && self.holders[usize::from(rival - SERVERS)].is_trusted() {
                let guard = "a server took a row while the session of the one that works on it runs";
                self.broken(Property::ClaimWaitsForOwner, who, Some(rival), "Claim", guard);
            }
        }
        if let Verb::Start { .. } = request.verb
            && !supplied::has(machine.supplies(), work.row.spec.resource)
        {
            let guard = "a job was started by a server that has not got its resource, or has other bytes";
            self.broken(Property::StartsOnlyWithResources, who, None, "SendStart", guard);
        }
    }

    /// The cluster stepped: something that a server sent arrived, or an instance exited.
    fn cluster(&mut self, step: &Step<'_, Distribution>, cluster: &Cluster) -> Noted {
        let Cause::Message(Message::Request(request)) = step.cause else {
            // A command leaves what the step before it did as it is.
            let exited = matches!(step.cause, Cause::Timer).then(|| cluster.exited()).flatten();
            let Some(name) = exited else { return Noted::default() };
            let job = self.calls.see(name, 0, cluster);
            let action = self.attempts.exited(name, cluster, step.at_us);
            self.collect();
            return Noted { action: action.map(JobAction::name), refined: job.live.into() };
        };
        let Request { name, epoch, verb, tag, .. } = *request;
        let who = (step.at_us, step.source);
        let call = self.calls.of(step.source, tag, name, epoch);
        let before = self.calls.at_cluster(name.job);
        let after = self.calls.see(name, epoch, cluster);
        let action = self.attempts.landed(step.source, request, cluster, step.at_us);
        self.collect();
        let noted = Noted { action: action.map(JobAction::name), refined: after.live.into() };
        let started = after.starts > before.starts;
        let stopped = after.live < before.live;
        self.counts.started += u64::from(started);
        if started {
            self.lost.remove(&name);
            // Of what the oracle is told, it says so itself.
            if cluster.count(name).0 > 1 && self.upgrades && !self.attempts.is_told(name) {
                let guard = "the cluster starts a name once";
                self.broken(Property::StartedOnce, who, None, "Land", guard);
            }
            if after.live > 1 {
                let guard = "two instances of one job run";
                self.broken(Property::AtMostOneLiveInstance, who, None, "Land", guard);
            }
        }
        if !started && !stopped {
            let idle = matches!(verb, Verb::Start { .. }) && epoch < before.epoch;
            self.counts.refused += u64::from(idle);
            return noted;
        }
        if let Some(call) = call {
            if let Some(rival) = self.calls.lands(tag, call) {
                let guard = "an effect took place after that of a server that had decided later";
                self.broken(Property::NoStaleEffect, who, Some(rival), "Land", guard);
            }
            if self.calls.effects_out_of_order(name.job, call.action) {
                let guard = "an action on a job took effect after a later one";
                self.broken(Property::PerJobOrder, who, None, "Land", guard);
            }
        }
        noted
    }

    /// The store stepped: what became of a row.
    fn store(&mut self, step: &Step<'_, Distribution>, store: &StoreServer) -> Noted {
        let at_us = step.at_us;
        let mut action = None;
        if *store.jobs().rules() != self.rules {
            self.upgraded(store);
        }
        if let Some(done) = store.done() {
            self.changed((at_us, step.source), done);
            let inserted = match done.operation.what {
                What::Insert { action, .. } => Some((action.number, action.kind)),
                What::Claim { .. } | What::Change { .. } => None,
            };
            if let Some(row) = done.after.or(done.before).filter(|_| self.is_told()) {
                let by = done.operation.by.term;
                let ready = self.supplied.is_ready(step.source, by, row.spec.resource);
                action = self.attempts.changed(done.operation.by, done.effect, inserted, &row, ready, at_us);
            }
            self.collect();
        }
        if self.rings.follow(store.members()) {
            for row in store.jobs().rows() {
                let waits = self.waits(row.view());
                self.liveness.waits(row.view(), waits, at_us);
            }
        }
        if let Some(Done { before, after, .. }) = store.done() {
            match (before, after) {
                (_, Some(row)) => self.liveness.waits(row, self.waits(row), at_us),
                (Some(row), None) => self.liveness.waits(row, false, at_us),
                (None, None) => {}
            }
        }
        Noted { action: action.map(JobAction::name), refined: u64::from(store.members().version()) }
    }

    /// Whether the oracle is told of what becomes of rows: of a table without owners only where nothing else is to follow.
    fn is_told(&self) -> bool {
        !self.upgrades || self.rules.claims()
    }

    /// The store decides by other rules since it was started again, and its rows may be others.
    fn upgraded(&mut self, store: &StoreServer) {
        let before = std::mem::replace(&mut self.rules, *store.jobs().rules());
        if before.task_key != self.rules.task_key {
            let rows = || store.jobs().rows().map(|row| row.view());
            self.attempts.upgraded(rows());
            self.calls.forget_rows();
            self.liveness.forget();
            for row in rows() {
                self.liveness.waits(row, self.waits(row), 0);
            }
        }
    }

    /// Whether a row is not worked on by its ring owner, or waits to be.
    fn waits(&self, row: &RowView) -> bool {
        let owner = match self.rules.claiming {
            Claiming::CompareAndSet => row.owner.map(|owner| owner.server) == self.rings.home_of(row.hash),
            // Nobody knows by whom it is worked on; or it is deleted as soon as somebody did.
            Claiming::None => true,
        };
        !(row.phase.is_over() || owner && row.phase == Phase::Running)
    }

    fn changed(&mut self, who: (u64, ActorId), done: &Done) {
        let Done { operation, effect, before, .. } = done;
        match *effect {
            Effect::None => {}
            Effect::Inserted => {
                if let What::Insert { action, .. } = operation.what {
                    self.inserted.insert((action.job, action.number));
                    if !self.is_told() {
                        self.attempts.untold(action.job, action.number, action.kind);
                    }
                }
            }
            Effect::Claimed { from, expired } => {
                self.counts.claims += 1;
                let Some(from) = from else { return };
                self.counts.takeovers += 1;
                // A session that its server has left behind is over, whatever became of it.
                let held = self.terms[usize::from(from.server.0)] == from.term && {
                    let (held, margin_us) = self.holders.came_close(from.server.0, who.0);
                    if let Some(margin_us) = margin_us {
                        self.marks.reach(Landmark::closeness(margin_us), who.0);
                    }
                    held
                };
                if held || !expired {
                    let guard = "a row was claimed while the session of its owner runs";
                    let rival = Some(SERVERS + from.server.0);
                    self.broken(Property::ClaimWaitsForOwner, who, rival, "Claim", guard);
                }
            }
            Effect::GivenUp => self.counts.failed += 1,
            Effect::Changed(change) => match (change, before) {
                (Change::End(verdict), _) => {
                    use failproof_core::distribution::Verdict;
                    match verdict {
                        Verdict::Done => self.counts.done += 1,
                        Verdict::Failed => self.counts.failed += 1,
                        Verdict::Cancelled => self.counts.cancelled += 1,
                    }
                }
                (Change::Release { .. }, _) => self.counts.releases += 1,
                (Change::Delete, Some(row)) if row.kind.starts() && !self.calls.was_started(row.name()) => {
                    self.lost.insert(row.name(), who.0);
                }
                _ => {}
            },
        }
    }

    /// A submitter was told that its action is written down.
    fn accepted(&mut self, step: &Step<'_, Distribution>) {
        if let Cause::Message(Message::Accepted(job, number)) = step.cause
            && !self.inserted.contains(&(*job, *number))
        {
            let guard = "an action was accepted that is not in the table";
            self.broken(Property::NoLostJob, (step.at_us, step.source), None, "Insert", guard);
        }
    }

    /// Doubt begins or ends as the world's knowledge of pauses and clocks says.
    fn update_doubt(&mut self, server: usize, at_us: u64) {
        if self.holders.update_doubt(server, at_us) {
            self.holders.note(server, &mut self.findings.notes);
            self.attempts.doubt(server, self.holders[server].doubted, at_us);
            self.collect();
        }
    }

    fn update_all_doubts(&mut self, at_us: u64) {
        (0..self.holders.iter().count()).for_each(|server| self.update_doubt(server, at_us));
    }
}

impl Judge<Distribution> for JobJudge {
    fn observe(&mut self, step: &Step<'_, Distribution>) -> Noted {
        match &step.machine.part {
            Part::Store(store) => self.store(step, store),
            Part::Cluster(cluster) => self.cluster(step, cluster),
            Part::Center(_) => Noted::default(),
            Part::Server(server) => self.server(step, server),
            Part::Submitter(_) => {
                self.accepted(step);
                Noted::default()
            }
        }
    }

    fn place_changed(&mut self, at_us: u64, place: Place, health: Health) {
        if let Some(server) = self.holders.place_changed(place, health, at_us) {
            self.rings.forget(SERVERS + server as ActorId);
            self.supplied.forget(SERVERS + server as ActorId);
            self.holders.note(server, &mut self.findings.notes);
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

    /// The owner of the first hash.
    fn primary(&self) -> Option<Place> {
        self.rings.home_of(i64::MIN).map(|Host(n)| Place::Server(n))
    }

    fn fault(&mut self, at_us: u64, _kind: &FaultKind, begins: bool) {
        self.calm.fault(at_us, begins);
    }

    fn finish(&mut self, at_us: u64, report: &mut RunReport) {
        if let Some((name, since_us)) = self.lost.iter().min_by_key(|(_, since_us)| **since_us)
            && since_us + self.arrives_us < at_us
        {
            let who = (since_us + self.arrives_us, self.calls.last_for(*name).unwrap_or(SERVERS));
            let guard = "the row of an action was deleted, and no instance of it ever started";
            self.broken(Property::NoLostJob, who, None, "Delete", guard);
        }
        self.holders.finish(at_us, report);
        let Counts { started, claims, takeovers, releases, done, failed, cancelled, refused } = self.counts;
        let counts = [
            ("instances started", started),
            ("claims", claims),
            ("rows taken over", takeovers),
            ("rows released", releases),
            ("actions done", done),
            ("actions failed", failed),
            ("actions cancelled", cancelled),
            ("stale starts refused", refused),
        ];
        report.counters =
            counts.into_iter().chain(self.supplied.counts()).map(|(name, n)| (name.to_owned(), n)).collect();
        report.coverage = Some(self.attempts.coverage().clone());
        report.marks = std::mem::take(&mut self.marks);
        report.marks.merge(self.attempts.marks());
        if let Some((late_us, hash)) = self.liveness.finish(at_us, report) {
            let who = (late_us, self.rings.home_of(hash).map_or(STORE, |Host(n)| SERVERS + n));
            let guard =
                "a row was not worked on by its ring owner for longer than the bound, and nothing disturbed them";
            self.broken(Property::NoOrphanAfterQuiet, who, None, "Claim", guard);
        }
        report.violations = self.findings.violations();
    }

    fn keep_notes(&mut self) {
        self.attempts.notes.keep();
        self.findings.notes.keep();
    }

    fn take_notes(&mut self) -> Vec<Note> {
        let mut notes = self.attempts.notes.take();
        notes.extend(self.findings.notes.take());
        notes
    }

    fn describe(&self, actor: ActorId) -> Refined {
        match self.cast[usize::from(actor)].place {
            Place::Server(n) => {
                let Holder { life, holds, doubted, .. } = self.holders[usize::from(n)];
                Refined(vec![
                    ("life", Value::Number(life.into())),
                    ("holds", Value::Flag(holds)),
                    ("doubted", Value::Flag(doubted)),
                ])
            }
            Place::Store => Refined(vec![("members", Value::Number(self.rings.members() as u64))]),
            _ => Refined::default(),
        }
    }
}
