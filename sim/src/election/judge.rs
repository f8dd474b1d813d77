//! Refines an election to the words of `Lease.tla` and hands every step to the oracle.
//!
//! The states before and after come from the machines themselves; who is doubted comes from the true clocks and pauses.

use super::liveness::Liveness;
use super::server::{Served, TableServer};
use super::{Election, Member, role};
use crate::calm::Calm;
use crate::doubt::Grounds;
use crate::event::ActorId;
use crate::fault::{FaultKind, Place};
use crate::note::{Broken, LeaseState, Note, Notes, State, Value, Who};
use crate::plan::Plan;
use crate::protocol::{Actor, Cause, Health, Judge, Noted, Step};
use crate::report::{Exposure, RunReport, Violation};
use crate::trace::Refined;
use failproof_core::Epoch;
use failproof_core::election::{Event, LeaseAnchor, Message, Outcome, Output, Phase};
use failproof_spec::property::PropertySet;
use failproof_spec::{
    Action, ActorId as SpecId, Change, Coverage, Finding, Landmark, LeaseOracle, Marks, Property, Token,
};

/// One life of a candidate: an actor of the contract.
#[derive(Clone, Copy, Debug)]
struct Life {
    id: SpecId,
    works: bool,
    doubted: bool,
    running: bool,
    stained: bool,
    token: Token,
    /// The order of its grant; zero if it was never granted.
    granted: u64,
    epoch: Epoch,
    in_flight: u32,
    gone: bool,
}

/// What the judge keeps of an actor of the cast.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    life: u32,
    works: bool,
    grounds: Grounds,
    /// Answers older than this one are no news.
    newest_answer: u32,
    /// Its term is over, and it stops.
    term_ended: bool,
    /// Whether its present life is doubted.
    doubted: bool,
}

/// What is left of an actor's standing before its step, to compare with.
#[derive(Clone, Copy, Debug)]
struct Before {
    life: u32,
    works: bool,
    doubted: bool,
    term_ended: bool,
}

impl Standing {
    /// Read piece by piece: a copy of the whole would wait for the pieces that were written last.
    const fn before(&self) -> Before {
        Before { life: self.life, works: self.works, doubted: self.doubted, term_ended: self.term_ended }
    }
}

/// One lease: the election of one kind of leader.
#[derive(Debug)]
struct Lease {
    oracle: LeaseOracle,
    owner: Option<SpecId>,
    lives: Vec<Life>,
    grants: u64,
    /// The newest grant that the resource has accepted an operation of.
    sealed: (Epoch, u64),
    /// The version of the entry that stands, and the one about which the leader's copy answered empty.
    version: u64,
    empty_version: u64,
    term_ended_us: Option<u64>,
}

/// The judge of an election.
#[derive(Debug)]
pub struct ElectionJudge {
    reads_heartbeat_answers: bool,
    calm: Calm,
    cast: Vec<Actor>,
    standings: Vec<Standing>,
    leases: Vec<Lease>,
    follows: Vec<(usize, usize)>,
    liveness: Liveness,
    store_clock_out: bool,
    findings: Vec<(usize, Finding)>,
    fresh: Vec<Finding>,
    found: PropertySet,
    tokens: Vec<(SpecId, Token)>,
    margin_smallest_us: Option<u64>,
    marks: Marks,
    false_step_downs: u64,
    notes: Notes,
}

const fn spec_id(actor: ActorId, life: u32) -> SpecId {
    SpecId((actor as u32) << 20 | (life & 0xf_ffff))
}

impl ElectionJudge {
    pub(super) fn new(plan: &Plan, cast: &[Actor]) -> Self {
        let options = plan.election();
        let lease = || Lease {
            oracle: LeaseOracle::new(),
            owner: None,
            lives: Vec::with_capacity(8),
            grants: 0,
            sealed: (Epoch::NONE, 0),
            version: 0,
            empty_version: 0,
            term_ended_us: None,
        };
        Self {
            reads_heartbeat_answers: options.rules.anchor == LeaseAnchor::Heartbeat,
            calm: Calm::new(options.longest_term_us, options.heartbeat_interval_us),
            cast: cast.to_vec(),
            standings: vec![Standing::default(); cast.len()],
            leases: (0..options.utypes).map(|_| lease()).collect(),
            follows: options.affinity.iter().map(|(from, to)| (usize::from(*from), usize::from(*to))).collect(),
            liveness: Liveness::new(plan),
            store_clock_out: false,
            findings: Vec::new(),
            fresh: Vec::with_capacity(4),
            found: PropertySet::default(),
            tokens: Vec::with_capacity(8),
            margin_smallest_us: None,
            marks: Marks::default(),
            false_step_downs: 0,
            notes: Notes::default(),
        }
    }

    fn utype_of(&self, actor: ActorId) -> usize {
        usize::from(self.cast[usize::from(actor)].utype)
    }

    /// Where a life stands in its lease; it is taken in if it is not known yet.
    fn life(&mut self, utype: usize, id: SpecId) -> usize {
        let lives = &mut self.leases[utype].lives;
        match lives.iter().position(|life| life.id == id) {
            Some(at) => at,
            None => {
                lives.push(Life {
                    id,
                    works: false,
                    doubted: false,
                    running: true,
                    stained: false,
                    token: Token::None,
                    granted: 0,
                    epoch: Epoch::NONE,
                    in_flight: 0,
                    gone: false,
                });
                lives.len() - 1
            }
        }
    }

    /// Tells the oracle that the life at `at` took `action`; its refined state is already the one after the step.
    fn tell(&mut self, utype: usize, action: Action, at: usize, at_us: u64) {
        let lease = &mut self.leases[utype];
        let life = lease.lives[at];
        let change = Change {
            owner: lease.owner,
            works: life.works,
            doubted: life.doubted,
            running: life.running,
            stained: life.stained,
            tokens: &self.tokens,
        };
        lease.oracle.step(action, Some(life.id), change, at_us, &mut self.fresh);
        self.tokens.clear();
        self.note(utype, action, Some(life.id));
        self.collect(utype);
    }

    fn leave(&mut self, utype: usize, at_us: u64) {
        let lease = &mut self.leases[utype];
        if lease.owner.take().is_some() {
            lease.oracle.step(Action::Leave, None, Change::idle(None), at_us, &mut self.fresh);
            self.note(utype, Action::Leave, None);
            self.collect(utype);
            self.retire(utype, at_us);
        }
        // The versions of a store that forgot, or went back, may come again.
        self.leases[utype].empty_version = 0;
        self.leases[utype].term_ended_us = None;
    }

    /// Writes an action down, with the state after it.
    #[inline(always)]
    fn note(&mut self, utype: usize, action: Action, who: Option<SpecId>) {
        let (lease, cast) = (&self.leases[utype], &self.cast);
        self.notes.add(|| {
            let who = who.map(|id| who_of(cast, id));
            let state = State::Lease(lease.state(cast));
            Note::Action(crate::note::Action { name: action.name(), subject: utype as u32, who, state })
        });
    }

    /// Writes down what a candidate believes.
    #[inline(always)]
    fn note_belief(&mut self, actor: ActorId) {
        let (place, standing) = (self.cast[usize::from(actor)].place, self.standings[usize::from(actor)]);
        let utype = self.cast[usize::from(actor)].utype;
        self.notes.add(|| Note::Belief { place, utype, believes: standing.works, doubted: standing.doubted });
    }

    fn collect(&mut self, utype: usize) {
        for finding in self.fresh.drain(..) {
            if self.found.insert(finding.property) {
                self.notes.add(|| broken(&self.cast, utype, &finding));
                self.findings.push((utype, finding));
            }
        }
    }

    /// A property that the transition table cannot say is broken.
    fn broken(
        &mut self,
        utype: usize,
        property: Property,
        at_us: u64,
        actor: SpecId,
        rival: Option<SpecId>,
        guard: &'static str,
    ) {
        let action = Action::Elsewhere.name();
        self.fresh.push(Finding { property, at_us, actor: Some(actor), rival, action, guard });
        self.collect(utype);
    }

    /// Lives of which nothing is left give their place up.
    fn retire(&mut self, utype: usize, at_us: u64) {
        let mut at = 0;
        while at < self.leases[utype].lives.len() {
            let life = self.leases[utype].lives[at];
            if !life.gone || life.in_flight > 0 || self.leases[utype].owner == Some(life.id) {
                at += 1;
                continue;
            }
            if life.token != Token::None {
                self.leases[utype].lives[at].token = Token::None;
                self.tokens.push((life.id, Token::None));
                self.tell(utype, Action::Retire, at, at_us);
            }
            // A stain is remembered: the same life can be granted once more by a late heartbeat.
            if life.stained {
                at += 1;
            } else {
                self.leases[utype].lives.swap_remove(at);
            }
        }
    }

    #[inline(always)]
    fn candidate(&mut self, step: &Step<'_, Election>, machine: &failproof_core::election::Candidate) -> Noted {
        let id = usize::from(step.actor);
        let utype = self.utype_of(step.actor);
        let before = self.standings[id].before();
        let refined = machine.refined();
        let mut action = None;
        if step.life != before.life {
            if before.life > 0 {
                action = self.life_ended(utype, step.actor, before.life, step.at_us);
            }
            let standing = &mut self.standings[id];
            standing.life = step.life;
            standing.works = false;
            standing.doubted = false;
            standing.newest_answer = 0;
        }
        self.standings[id].grounds.follow(&refined, machine.phase() != Phase::Standby);
        // Who begins to work is judged by what is known of its term now; who stops, by what was known before.
        if refined.works {
            self.update_doubt(step.actor, step.at_us);
        }
        if refined.works != self.standings[id].works {
            action = Some(self.set_works(utype, step.actor, step.life, refined.works, step.at_us));
        }
        if !refined.works {
            self.update_doubt(step.actor, step.at_us);
        }
        let mut term_ended = before.term_ended;
        for output in step.outputs {
            match output {
                Output::Effect { .. } if !refined.works => {
                    let life = spec_id(step.actor, step.life);
                    let guard = "an operation was issued by a candidate that does not work as primary";
                    self.broken(utype, Property::OnlyPrimariesIssue, step.at_us, life, None, guard);
                }
                Output::Event(event @ (Event::TermEnded | Event::Deposed)) => {
                    self.false_step_downs += u64::from(self.calm.is_calm(step.at_us));
                    term_ended |= *event == Event::TermEnded;
                }
                _ => {}
            }
        }
        if term_ended {
            // Work goes on for the stop time; only its end is the end.
            let stopping = refined.works && step.life == before.life;
            self.standings[id].term_ended = stopping;
            if !stopping && !before.doubted {
                self.leases[utype].term_ended_us = Some(step.at_us);
            }
        }
        self.check_foreign_answer(step, machine, before);
        Noted {
            action: action.map(Action::name),
            refined: u64::from(refined.anchor_tag) | u64::from(refined.life) << 32 | u64::from(refined.works) << 63,
        }
    }

    #[inline(always)]
    fn check_foreign_answer(
        &mut self,
        step: &Step<'_, Election>,
        machine: &failproof_core::election::Candidate,
        before: Before,
    ) {
        let Cause::Message(Message::Answer(answer)) = step.cause else { return };
        let own_kind = answer.utype == machine.config().utype;
        let readable = !answer.to_heartbeat || self.reads_heartbeat_answers;
        // Older than another one, or meant for an earlier process of the same node: no news.
        let standing = &mut self.standings[usize::from(step.actor)];
        let news = answer.tag >= standing.newest_answer && answer.tag <= standing.grounds.last_tag();
        // Only who works owes anything; for the others the digest, which is dear, need not be computed.
        if !own_kind || !readable || !news || (before.works && answer.digest != answer.expected_digest()) {
            return;
        }
        standing.newest_answer = answer.tag;
        let foreign = answer.row.incarnation.is_some_and(|named| named != machine.incarnation());
        if foreign && before.works && step.life == before.life && machine.phase() == Phase::Primary {
            let life = spec_id(step.actor, step.life);
            let guard = "an answer named somebody else, and the primary works on";
            self.broken(self.utype_of(step.actor), Property::ForeignAnswerStops, step.at_us, life, None, guard);
        }
    }

    fn set_works(&mut self, utype: usize, actor: ActorId, life: u32, works: bool, at_us: u64) -> Action {
        self.standings[usize::from(actor)].works = works;
        let at = self.life(utype, spec_id(actor, life));
        self.leases[utype].lives[at].works = works;
        let action = if works { Action::StepUp } else { Action::StepDown };
        self.note_belief(actor);
        self.tell(utype, action, at, at_us);
        self.workers_changed(utype, at_us);
        action
    }

    /// A life is over: its process ended, or its candidate started over.
    fn life_ended(&mut self, utype: usize, actor: ActorId, life: u32, at_us: u64) -> Option<Action> {
        let mut action = None;
        if self.standings[usize::from(actor)].works {
            action = Some(self.set_works(utype, actor, life, false, at_us));
        }
        let id = spec_id(actor, life);
        if let Some(at) = self.leases[utype].lives.iter().position(|other| other.id == id) {
            if self.leases[utype].lives[at].doubted {
                self.leases[utype].lives[at].doubted = false;
                self.standings[usize::from(actor)].doubted = false;
                self.note_belief(actor);
                self.tell(utype, Action::Trust, at, at_us);
            }
            let life = &mut self.leases[utype].lives[at];
            life.gone = true;
            if !life.running {
                life.running = true;
                let id = life.id;
                self.leases[utype].oracle.set_running(id, true, at_us);
            }
        }
        self.retire(utype, at_us);
        action
    }

    /// Doubt begins or ends as the world's knowledge of pauses and clocks says.
    #[inline]
    fn update_doubt(&mut self, actor: ActorId, at_us: u64) {
        let standing = &self.standings[usize::from(actor)];
        let doubted = standing.grounds.suffice() || self.store_clock_out;
        if doubted != standing.doubted && standing.life > 0 {
            self.set_doubted(actor, doubted, at_us);
        }
    }

    #[cold]
    fn set_doubted(&mut self, actor: ActorId, doubted: bool, at_us: u64) {
        let standing = &mut self.standings[usize::from(actor)];
        standing.doubted = doubted;
        let life = spec_id(actor, standing.life);
        let utype = self.utype_of(actor);
        let at = self.life(utype, life);
        self.leases[utype].lives[at].doubted = doubted;
        let action = if doubted { Action::Doubt } else { Action::Trust };
        self.note_belief(actor);
        self.tell(utype, action, at, at_us);
        self.workers_changed(utype, at_us);
    }

    fn workers_changed(&mut self, utype: usize, at_us: u64) {
        let lives = &self.leases[utype].lives;
        let running = lives.iter().any(|life| life.works && life.running);
        let trusted = lives.iter().any(|life| life.works && life.running && !life.doubted);
        self.liveness.working(utype, running, trusted, at_us);
        for i in 0..self.follows.len() {
            let (from, to) = self.follows[i];
            if utype == from || utype == to {
                self.check_affinity(from, to, at_us);
            }
        }
    }

    fn check_affinity(&mut self, from: usize, to: usize, at_us: u64) {
        let trusted = |life: &&Life| life.works && life.running && !life.doubted;
        let place = |life: &Life| self.cast[(life.id.0 >> 20) as usize].place;
        let follower = self.leases[from].lives.iter().find(trusted);
        let leader = self.leases[to].lives.iter().find(trusted);
        if let (Some(follower), Some(leader)) = (follower, leader)
            && place(follower) != place(leader)
        {
            let (follower, leader) = (follower.id, leader.id);
            let guard = "a primary works on another host than the primary that it follows";
            self.broken(from, Property::RunsOnlyWhereItsTypeRuns, at_us, follower, Some(leader), guard);
        }
    }

    #[inline(always)]
    fn table(&mut self, step: &Step<'_, Election>, server: &TableServer) -> Noted {
        let mut action = None;
        match server.served() {
            Served::Heartbeat { utype, outcome, starved } => {
                let utype = utype.index();
                let id = spec_id(step.source, step.source_life);
                if starved {
                    let guard = "the store refused a heartbeat of the valid owner, newer than any that it had accepted";
                    self.broken(utype, Property::OwnerIsNotStarved, step.at_us, id, None, guard);
                }
                match outcome {
                    Outcome::Granted(epoch) => action = Some(self.grant(utype, id, epoch, step.at_us)),
                    Outcome::Renewed(epoch) => {
                        let lease = &self.leases[utype];
                        if lease.version > 0 && lease.version == lease.empty_version {
                            let guard = "an entry about which the store had answered empty was renewed";
                            self.broken(utype, Property::EmptyAnswerIsFinal, step.at_us, id, None, guard);
                        }
                        if self.leases[utype].owner != Some(id) {
                            action = Some(self.grant(utype, id, epoch, step.at_us));
                        }
                    }
                    Outcome::Refused => {}
                }
            }
            Served::Deleted { utype } => {
                self.leave(utype.index(), step.at_us);
                action = Some(Action::Leave);
            }
            Served::RolledBack => {
                for utype in 0..self.leases.len() {
                    self.leave(utype, step.at_us);
                }
                action = Some(Action::Leave);
            }
            Served::ReadEmpty { utype, version } => self.leases[utype.index()].empty_version = version,
            Served::Nothing => {}
        }
        let mut versions = 0;
        for (utype, lease) in self.leases.iter_mut().enumerate() {
            let entry = server.table().entry(failproof_core::Utype(utype as u16));
            lease.version = entry.map_or(0, |entry| entry.version);
            versions ^= lease.version;
        }
        for output in step.outputs {
            if let Output::Send(_, Message::Answer(answer)) = output
                && answer.to_heartbeat
                && answer.row.incarnation.is_none()
                && answer.row.version > 0
            {
                self.leases[answer.utype.index()].empty_version = answer.row.version;
            }
        }
        Noted { action: action.map(Action::name), refined: versions }
    }

    fn grant(&mut self, utype: usize, id: SpecId, epoch: Epoch, at_us: u64) -> Action {
        if let Some(ended_us) = self.leases[utype].term_ended_us.take() {
            self.came_close(at_us.saturating_sub(ended_us), at_us);
        }
        let works_on = |life: &Life| life.id != id && life.works && !life.doubted;
        if self.leases[utype].lives.iter().any(works_on) {
            self.came_close(0, at_us);
        }
        let at = self.life(utype, id);
        let lease = &mut self.leases[utype];
        lease.grants += 1;
        let newest = (epoch, lease.grants) >= lease.sealed;
        lease.owner = Some(id);
        let life = &mut lease.lives[at];
        life.epoch = epoch;
        life.granted = lease.grants;
        life.token = if newest { Token::Open } else { Token::Fenced };
        let current = spec_id((id.0 >> 20) as u16, self.standings[(id.0 >> 20) as usize].life);
        // A heartbeat can be accepted after its sender is gone.
        life.gone = current != id;
        let token = life.token;
        self.tokens.push((id, token));
        self.tell(utype, Action::Grant, at, at_us);
        self.retire(utype, at_us);
        Action::Grant
    }

    /// A grant came `margin_us` after the end of the last term.
    fn came_close(&mut self, margin_us: u64, at_us: u64) {
        self.margin_smallest_us = self.margin_smallest_us.into_iter().chain([margin_us]).min();
        self.marks.reach(Landmark::closeness(margin_us), at_us);
    }

    fn accept(&mut self, utype: usize, id: SpecId, at_us: u64) {
        if self.leases[utype].oracle.accept_again(id) {
            return;
        }
        let at = self.life(utype, id);
        let lease = &mut self.leases[utype];
        let stamp = (lease.lives[at].epoch, lease.lives[at].granted);
        if lease.lives[at].token == Token::Fenced {
            lease.lives[at].stained = true;
        }
        lease.sealed = lease.sealed.max(stamp);
        for life in &mut lease.lives {
            if life.token == Token::Open && (life.epoch, life.granted) < lease.sealed {
                life.token = Token::Fenced;
                self.tokens.push((life.id, Token::Fenced));
            }
        }
        self.tell(utype, Action::Accept, at, at_us);
    }
}

impl Judge<Election> for ElectionJudge {
    #[inline(always)]
    fn observe(&mut self, step: &Step<'_, Election>) -> Noted {
        match step.machine {
            Member::Candidate(candidate) => self.candidate(step, candidate),
            Member::Table(server) => self.table(step, server),
            Member::Resource(server) => match (step.cause, server.landing) {
                (Cause::Message(_), Some(landing)) if landing.accepted => {
                    self.accept(landing.utype.index(), spec_id(step.source, step.source_life), step.at_us);
                    Noted { action: Some(Action::Accept.name()), refined: landing.epoch.as_u64() }
                }
                _ => Noted::default(),
            },
            Member::Resolver(_) => Noted::default(),
        }
    }

    fn place_changed(&mut self, at_us: u64, place: Place, health: Health) {
        if place == Place::Store {
            let was_out = std::mem::replace(&mut self.store_clock_out, health.clock_out);
            if was_out != health.clock_out {
                for actor in 0..self.cast.len() {
                    if self.cast[actor].role == role::CANDIDATE {
                        self.standings[actor].grounds.clock_changed();
                        self.update_doubt(actor as ActorId, at_us);
                    }
                }
            }
            return;
        }
        for actor in 0..self.cast.len() {
            if self.cast[actor].place != place || self.cast[actor].role != role::CANDIDATE {
                continue;
            }
            let id = actor as ActorId;
            let utype = self.utype_of(id);
            let (life, former) = (self.standings[actor].life, self.standings[actor].grounds.health());
            if health.down && !former.down && life > 0 {
                self.life_ended(utype, id, life, at_us);
                self.standings[actor] = Standing { grounds: Grounds::fresh(former), ..Standing::default() };
            }
            let standing = &mut self.standings[actor];
            standing.grounds.health_changed(health);
            if health.down || standing.life == 0 {
                continue;
            }
            let life = spec_id(id, standing.life);
            if former.paused != health.paused {
                let at = self.life(utype, life);
                self.leases[utype].lives[at].running = !health.paused;
                self.leases[utype].oracle.set_running(life, !health.paused, at_us);
                self.workers_changed(utype, at_us);
            }
            self.update_doubt(id, at_us);
        }
    }

    fn clock_stepped(&mut self, at_us: u64, place: Place) {
        for actor in 0..self.cast.len() {
            if self.cast[actor].place == place && self.cast[actor].role == role::CANDIDATE {
                self.standings[actor].grounds.clock_changed();
                self.update_doubt(actor as ActorId, at_us);
            }
        }
    }

    fn settled(&mut self, at_us: u64, place: Place) {
        for actor in 0..self.cast.len() {
            if self.cast[actor].place == place && self.cast[actor].role == role::CANDIDATE {
                self.standings[actor].grounds.settled();
                self.update_doubt(actor as ActorId, at_us);
            }
        }
    }

    fn in_flight(&mut self, actor: ActorId, life: u32, more: bool) {
        let utype = self.utype_of(actor);
        let at = self.life(utype, spec_id(actor, life));
        let life = &mut self.leases[utype].lives[at];
        if more {
            life.in_flight += 1;
        } else {
            life.in_flight -= 1;
        }
    }

    fn primary(&self) -> Option<Place> {
        let life = self.leases[0].lives.iter().find(|life| life.works)?;
        Some(self.cast[(life.id.0 >> 20) as usize].place)
    }

    fn fault(&mut self, at_us: u64, kind: &FaultKind, begins: bool) {
        self.calm.fault(at_us, begins);
        if begins {
            let forgets = match kind {
                FaultKind::Wipe {} => true,
                FaultKind::Crash { node, durable } => *node == Place::Store && !durable,
                _ => false,
            };
            if forgets {
                for utype in 0..self.leases.len() {
                    self.leave(utype, at_us);
                }
            }
        }
    }

    fn finish(&mut self, at_us: u64, report: &mut RunReport) {
        let mut coverage: Option<Coverage> = None;
        for lease in &mut self.leases {
            lease.oracle.finish(at_us);
            let oracle = &lease.oracle;
            report.longest_overlap_us = report.longest_overlap_us.max(oracle.longest_overlap_us());
            report.exposure = Exposure {
                count: report.exposure.count + oracle.exposures(),
                longest_us: report.exposure.longest_us.max(oracle.longest_exposure_us()),
            };
            report.trusted_us += oracle.overlap().trusted_primary_us();
            report.doubted_us += oracle.overlap().doubted_primary_us();
            match &mut coverage {
                Some(all) => all.merge(oracle.coverage()),
                None => coverage = Some(oracle.coverage().clone()),
            }
        }
        report.coverage = coverage;
        report.marks = std::mem::take(&mut self.marks);
        self.leases.iter().for_each(|lease| report.marks.merge(lease.oracle.marks()));
        report.margin_smallest_us = self.margin_smallest_us;
        report.false_step_downs = self.false_step_downs;
        self.liveness.finish(at_us, report);
        let findings = std::mem::take(&mut self.findings);
        report.violations = findings
            .iter()
            .map(|(_, finding)| Violation {
                property: finding.property.name(),
                at_us: finding.at_us,
                story: self.story(finding, report.longest_overlap_us),
            })
            .collect();
    }

    fn keep_notes(&mut self) {
        self.notes.keep();
    }

    fn take_notes(&mut self) -> Vec<Note> {
        self.notes.take()
    }

    fn describe(&self, actor: ActorId) -> Refined {
        let standing = &self.standings[usize::from(actor)];
        match self.cast[usize::from(actor)].role {
            role::CANDIDATE => {
                let lease = &self.leases[self.utype_of(actor)];
                let id = spec_id(actor, standing.life);
                let token = lease.lives.iter().find(|life| life.id == id).map_or(Token::None, |life| life.token);
                let doubted = lease.lives.iter().any(|life| life.id == id && life.doubted);
                Refined(vec![
                    ("life", Value::Number(standing.life.into())),
                    ("works", Value::Flag(standing.works)),
                    ("doubted", Value::Flag(doubted)),
                    ("token", Value::Word(token.name().to_owned())),
                ])
            }
            role::TABLE => {
                let owner = |lease: &Lease| lease.owner.map_or("Nobody".to_owned(), |owner| self.name(owner));
                Refined(vec![match self.leases.as_slice() {
                    [lease] => ("owner", Value::Word(owner(lease))),
                    many => {
                        let names = many.iter().enumerate();
                        ("owner", Value::Map(names.map(|(utype, lease)| (format!("{utype}"), owner(lease))).collect()))
                    }
                }])
            }
            _ => Refined::default(),
        }
    }
}

impl Lease {
    /// The variables of the contract.
    fn state(&self, cast: &[Actor]) -> LeaseState {
        let mut lives: Vec<_> = self.lives.iter().map(|life| (who_of(cast, life.id), life)).collect();
        lives.sort_unstable_by_key(|(who, _)| *who);
        let those = |wanted: fn(&Life) -> bool| {
            lives.iter().filter(|(_, life)| wanted(life)).map(|(who, _)| *who).collect::<Vec<_>>()
        };
        LeaseState {
            owner: self.owner.map(|owner| who_of(cast, owner)),
            works: those(|life| life.works),
            doubted: those(|life| life.doubted),
            token: lives.iter().map(|(who, life)| (*who, life.token)).collect(),
            stained: lives.iter().any(|(_, life)| life.stained),
        }
    }
}

fn who_of(cast: &[Actor], id: SpecId) -> Who {
    Who { place: cast[(id.0 >> 20) as usize].place, life: Some(id.0 & 0xf_ffff) }
}

fn broken(cast: &[Actor], utype: usize, finding: &Finding) -> Note {
    let who = |id: Option<SpecId>| id.map(|id| who_of(cast, id));
    Note::Broken(Broken {
        property: finding.property.name(),
        subject: Some(utype as u32),
        who: who(finding.actor),
        rival: who(finding.rival),
        action: finding.action,
        guard: finding.guard,
    })
}

impl ElectionJudge {
    fn name(&self, id: SpecId) -> String {
        who_of(&self.cast, id).to_string()
    }

    fn story(&self, finding: &Finding, longest_overlap_us: u64) -> String {
        let mut story = String::new();
        if let Some(actor) = finding.actor {
            story.push_str(&self.name(actor));
        }
        if let Some(rival) = finding.rival {
            story.push_str(&format!(" against {}", self.name(rival)));
        }
        story.push_str(&format!(": {}", finding.guard));
        if finding.property == Property::AtMostOneWorkingPrimary {
            story.push_str(&format!("; longest overlap {:.3} s", longest_overlap_us as f64 / 1e6));
        }
        story
    }
}
