//! What is known of every attempt, and how it is told to the oracle: one object for each instance name.
//!
//! A seat is a server ([`Seats`] says which). Its newest claim of the row is what the contract speaks of; whatever it sent in
//! an earlier one is somebody else's.
//!
//! A run that upgrades from a table without owners tells the oracle of an attempt from when its row can have one: before,
//! nothing is written down that the contract speaks of.

use super::super::SERVERS;
use super::seats::Seats;
use crate::event::ActorId;
use crate::note::state::seat as who_at;
use crate::note::{self, Note, Notes, State};
use failproof_core::Host;
use failproof_core::distribution::resources::ContentId;
use failproof_core::distribution::{
    Change, Cluster, Effect, JobId, Kind, Name, Owner, Phase, Request, RowId, RowView, Rules, Verb,
};
use failproof_spec::job::{Flight, Instance, JobAction, JobOracle, JobSeat, JobState, JobToken, Row};
use failproof_spec::{Coverage, Finding, Marks};
use std::collections::BTreeMap;

/// A row.
#[derive(Clone, Debug)]
struct Known {
    view: RowView,
    seats: Seats,
    /// The epoch of each server's newest claim; 0 for none.
    claims: [u32; JobState::SERVERS],
    /// The session of its owner was found over.
    expired: bool,
    /// The attempt that it is about, while that is not over.
    open: Option<Name>,
    /// The newest action that asks for a stop.
    stop: u16,
}

/// An attempt.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    /// Its number at the oracle.
    object: usize,
    row: RowId,
    over: bool,
    cancel: bool,
    stale: bool,
    instance: Instance,
    seats: [JobSeat; JobState::SERVERS],
    /// The epoch in which each server sent what is in flight.
    sent: [u32; JobState::SERVERS],
}

/// All attempts of a run.
#[derive(Debug)]
pub(super) struct Attempts {
    servers: u16,
    /// Which servers' time is disturbed.
    doubted: Vec<bool>,
    rows: BTreeMap<RowId, Known>,
    attempts: BTreeMap<Name, Attempt>,
    rules: Rules,
    /// The newest epoch that the cluster saw of each row.
    seen: BTreeMap<Name, u32>,
    /// Of attempts that the oracle is not told of yet, and the newest action on their jobs that asks for a stop.
    untold: BTreeMap<Name, Instance>,
    untold_stops: BTreeMap<JobId, u16>,
    oracle: JobOracle,
    findings: Vec<Finding>,
    /// Of what the oracle is told.
    pub(super) notes: Notes,
}

impl Attempts {
    /// Nothing is submitted yet.
    pub(super) fn new(servers: u16, rules: Rules) -> Self {
        Self {
            servers,
            rules,
            doubted: vec![false; servers.into()],
            rows: BTreeMap::new(),
            attempts: BTreeMap::new(),
            seen: BTreeMap::new(),
            untold: BTreeMap::new(),
            untold_stops: BTreeMap::new(),
            oracle: JobOracle::new(0, Seats::count(servers).into()),
            findings: Vec::with_capacity(4),
            notes: Notes::default(),
        }
    }

    /// What the steps since the last call broke.
    pub(super) fn findings(&mut self) -> std::vec::Drain<'_, Finding> {
        self.findings.drain(..)
    }

    pub(super) const fn coverage(&self) -> &Coverage {
        self.oracle.coverage()
    }

    pub(super) const fn marks(&self) -> &Marks {
        self.oracle.marks()
    }

    /// The state of an attempt as the world knows it.
    fn state(&self, name: Name) -> JobState {
        let attempt = &self.attempts[&name];
        let mut state = JobState { instance: attempt.instance, stale: attempt.stale, ..JobState::default() };
        state.seats = attempt.seats;
        if attempt.over {
            state.row = Row::Over;
            return state;
        }
        let Known { view, seats, claims, expired, .. } = &self.rows[&attempt.row];
        state.owner = view.owner.and_then(|owner| seats.of(owner.server));
        state.row = match (view.last == Some(name), view.phase) {
            (true, Phase::Starting) => Row::Starting,
            (true, _) => Row::Running,
            (false, _) if view.owner.is_some() => Row::Claimed,
            (false, _) => Row::Pending,
        };
        state.expired = *expired;
        state.cancel = attempt.cancel;
        let seen = self.seen.get(&self.rules.fenced(name)).copied().unwrap_or_default();
        for (seat, claim) in state.seats.iter_mut().zip(claims) {
            seat.token = match *claim {
                0 => JobToken::None,
                claim if claim == view.epoch => JobToken::Current,
                claim if claim < seen => JobToken::Fenced,
                _ => JobToken::Old,
            };
        }
        state
    }

    fn tell(&mut self, action: JobAction, name: Name, seat: Option<u8>, at_us: u64) -> JobAction {
        let state = self.state(name);
        let Attempt { object, row, .. } = self.attempts[&name];
        let seats = self.rows[&row].seats;
        let moves = action != JobAction::Elsewhere || *self.oracle.state(object) != state;
        if moves {
            let before = self.findings.len();
            self.oracle.step(action, object, seat, state, at_us, &mut self.findings);
            // The oracle names seats where everything else names actors.
            let server = |seat: usize| seats.at(seat).map_or(0, |host| u32::from(host.0));
            for finding in &mut self.findings[before..] {
                for actor in [&mut finding.actor, &mut finding.rival].into_iter().flatten() {
                    actor.0 = u32::from(SERVERS) + server(actor.0 as usize);
                }
            }
            self.notes.add(|| {
                let who = seat.and_then(|seat| seats.at(seat.into())).map(|host| who_at(host.0));
                let state = State::Job { name, state: Box::new(state), seats: seats.all() };
                Note::Action(note::Action { name: action.name(), subject: object as u32, who, state })
            });
        }
        action
    }

    fn is_doubted(&self, server: Option<Host>) -> bool {
        server.is_some_and(|server| self.doubted[usize::from(server.0)])
    }

    /// The seat of a server that has to do with a row from now on. If there is none left, it gets that of the one whose claim is
    /// the oldest, among those that do not own the row and have nothing under way.
    fn sit(&mut self, row: RowId, server: Host) -> Option<u8> {
        let known = self.rows.get_mut(&row)?;
        if let Some(seat) = known.seats.of(server) {
            return Some(seat);
        }
        let first = Name { job: known.view.job, action: 0, attempt: 0 };
        let last = Name { job: known.view.job, action: u16::MAX, attempt: u8::MAX };
        let idle = |seat: &u8| {
            let owns = known.view.owner.is_some_and(|owner| known.seats.of(owner.server) == Some(*seat));
            let mut attempts = self.attempts.range(first..=last);
            !owns && attempts.all(|(_, attempt)| attempt.seats[usize::from(*seat)].flight == Flight::None)
        };
        let oldest = || (0..JobState::SERVERS as u8).filter(idle).min_by_key(|seat| known.claims[usize::from(*seat)]);
        let seat = known.seats.empty().or_else(oldest)?;
        known.seats.take(seat, server);
        known.claims[usize::from(seat)] = 0;
        let doubted = self.doubted[usize::from(server.0)];
        let names: Vec<Name> = self.attempts.range(first..=last).map(|(name, _)| *name).collect();
        for name in names {
            if let Some(attempt) = self.attempts.get_mut(&name) {
                attempt.seats[usize::from(seat)] = JobSeat { doubted: doubted && !attempt.over, ..JobSeat::default() };
                attempt.sent[usize::from(seat)] = 0;
                self.oracle.begin(attempt.object, self.state(name));
            }
        }
        Some(seat)
    }

    /// The row is about this attempt from now on.
    fn begin(&mut self, name: Name, row: RowId, ready: Option<u8>) {
        let sits = self.rows.get(&row).map_or_else(|| Seats::new(self.servers), |known| known.seats);
        let mut seats: [JobSeat; JobState::SERVERS] =
            std::array::from_fn(|seat| JobSeat { doubted: self.is_doubted(sits.at(seat)), ..JobSeat::default() });
        if let Some(ready) = ready {
            seats[usize::from(ready)].ready = true;
        }
        let object = self.attempts.get(&name).map_or(self.attempts.len(), |attempt| attempt.object);
        let known = self.attempts.get(&name).map(|attempt| attempt.instance);
        let instance = known.or_else(|| self.untold.remove(&name)).unwrap_or_default();
        let cancel = self.rows.get(&row).is_some_and(|known| known.stop > name.action);
        let fresh =
            Attempt { object, row, over: false, cancel, stale: false, instance, seats, sent: [0; JobState::SERVERS] };
        self.attempts.insert(name, fresh);
        if let Some(known) = self.rows.get_mut(&row) {
            known.open = Some(name);
        }
        self.oracle.grow(self.attempts.len());
        self.oracle.begin(object, self.state(name));
    }

    /// The attempt that a row is about is over.
    fn close(&mut self, row: RowId, seat: u8, at_us: u64) -> Option<JobAction> {
        let name = self.rows.get_mut(&row)?.open.take()?;
        let attempt = self.attempts.get_mut(&name)?;
        attempt.over = true;
        attempt.cancel = false;
        for seat in &mut attempt.seats {
            (seat.token, seat.ready) = (JobToken::None, false);
        }
        Some(self.tell(JobAction::Close, name, Some(seat), at_us))
    }

    fn attempt_mut(&mut self, name: Name) -> Option<&mut Attempt> {
        self.attempts.get_mut(&name)
    }

    /// The store did something to a row, for a server. `ready`: that server has what the job is made of.
    pub(super) fn changed(
        &mut self,
        by: Owner,
        effect: Effect,
        action: Option<(u16, Kind)>,
        row: &RowView,
        ready: bool,
        at_us: u64,
    ) -> Option<JobAction> {
        let id = row.id;
        let seats = Seats::new(self.servers);
        let fresh = Known { view: *row, seats, claims: [0; JobState::SERVERS], expired: false, open: None, stop: 0 };
        let before = self.rows.entry(id).or_insert(fresh).view;
        let seat = match effect {
            Effect::None | Effect::Inserted | Effect::Changed(Change::Forward { .. }) => 0,
            _ => self.sit(id, by.server)?,
        };
        let ready = ready.then_some(seat);
        match effect {
            Effect::None => None,
            Effect::Inserted => {
                self.see(row);
                self.inserted(row, action, at_us)
            }
            Effect::Claimed { expired, .. } => {
                if expired && let Some(name) = self.rows.get(&id).and_then(|known| known.open) {
                    self.expire(id);
                    self.tell(JobAction::Expire, name, None, at_us);
                }
                self.see(row);
                let known = self.rows.get_mut(&id)?;
                known.claims[usize::from(seat)] = row.epoch;
                known.expired = false;
                let name = known.open?;
                let attempt = self.attempt_mut(name)?;
                attempt.seats[usize::from(seat)].flight = Flight::None;
                let begun = row.last == Some(name);
                for (other, ready_at) in attempt.seats.iter_mut().enumerate() {
                    ready_at.ready = !begun && ready.is_some_and(|ready| usize::from(ready) == other);
                }
                Some(self.tell(JobAction::Claim, name, Some(seat), at_us))
            }
            Effect::GivenUp | Effect::Changed(Change::Retry | Change::End(_) | Change::Delete) => {
                let action = self.close(id, seat, at_us);
                self.see(row);
                if effect != Effect::Changed(Change::Delete) && row.phase == Phase::Pending && row.kind.starts() {
                    self.begin(row.name(), id, ready);
                }
                action
            }
            Effect::Changed(Change::Intend) => {
                let name = row.name();
                if self.rows[&id].open != Some(name) {
                    self.close(id, seat, at_us);
                    self.begin(name, id, ready);
                }
                self.see(row);
                self.attempt_mut(name)?.seats.iter_mut().for_each(|seat| seat.ready = false);
                Some(self.tell(JobAction::Intend, name, Some(seat), at_us))
            }
            Effect::Changed(change) => {
                self.see(row);
                let name = self.rows[&id].open?;
                let action = match change {
                    Change::Run if before.phase == Phase::Starting => JobAction::Adopt,
                    Change::Release { .. } => {
                        self.attempt_mut(name)?.seats.iter_mut().for_each(|seat| seat.ready = false);
                        JobAction::Release
                    }
                    _ => return None,
                };
                Some(self.tell(action, name, Some(seat), at_us))
            }
        }
    }

    fn see(&mut self, row: &RowView) {
        if let Some(known) = self.rows.get_mut(&row.id) {
            known.view = *row;
        }
    }

    fn expire(&mut self, row: RowId) {
        if let Some(known) = self.rows.get_mut(&row) {
            known.expired = true;
        }
    }

    /// An action was written down: a new attempt may begin with it, or a stop be asked for.
    fn inserted(&mut self, row: &RowView, action: Option<(u16, Kind)>, at_us: u64) -> Option<JobAction> {
        let known = self.rows.get_mut(&row.id)?;
        let stops = action.is_some_and(|(_, kind)| stops(kind));
        if let Some((number, _)) = action.filter(|_| stops) {
            known.stop = number;
        }
        let Some(name) = known.open else {
            if row.phase == Phase::Pending && row.owner.is_none() && (row.kind.starts() || row.last.is_none()) {
                self.begin(row.name(), row.id, None);
            }
            return None;
        };
        let attempt = self.attempt_mut(name)?;
        if !stops || attempt.cancel {
            return None;
        }
        attempt.cancel = true;
        Some(self.tell(JobAction::Cancel, name, None, at_us))
    }

    /// A server has verified this content: it is ready for each row that it owns and whose job is made of it.
    pub(super) fn fetched(&mut self, server: Host, id: ContentId, at_us: u64) -> Option<JobAction> {
        let waits = |known: &Known| {
            let Known { view, open, .. } = known;
            let owned = view.owner.is_some_and(|owner| owner.server == server) && view.phase == Phase::Pending;
            let open = open.filter(|name| owned && view.spec.resource == Some(id) && view.last != Some(*name));
            open.zip(known.seats.of(server))
        };
        let waiting: Vec<(Name, u8)> = self.rows.values().filter_map(waits).collect();
        let mut told = None;
        for (name, seat) in waiting {
            let ready = &mut self.attempts.get_mut(&name)?.seats[usize::from(seat)].ready;
            if !std::mem::replace(ready, true) {
                told = Some(self.tell(JobAction::Fetch, name, Some(seat), at_us));
            }
        }
        told
    }

    /// Whether the oracle is told of an attempt.
    pub(super) fn is_told(&self, name: Name) -> bool {
        self.attempts.contains_key(&name)
    }

    /// An action was written down, of which the oracle is not told.
    pub(super) fn untold(&mut self, job: JobId, number: u16, kind: Kind) {
        if stops(kind) {
            self.untold_stops.insert(job, number);
        }
    }

    /// The table has other rows from now on, and the contract speaks of them.
    pub(super) fn upgraded<'r>(&mut self, rows: impl Iterator<Item = &'r RowView>) {
        for row in rows {
            let stop = self.untold_stops.get(&row.job).copied().unwrap_or_default();
            let seats = Seats::new(self.servers);
            let known = Known { view: *row, seats, claims: [0; JobState::SERVERS], expired: false, open: None, stop };
            self.rows.insert(row.id, known);
            let open = matches!(row.phase, Phase::Pending | Phase::Starting) && row.kind.starts();
            if open {
                self.begin(row.name(), row.id, None);
            }
        }
    }

    /// A server decided to call the cluster.
    pub(super) fn called(&mut self, by: ActorId, request: &Request, at_us: u64) -> Option<JobAction> {
        let (sends, action) = match request.verb {
            Verb::Ask => return None,
            Verb::Start { .. } => (Flight::Start, JobAction::SendStart),
            Verb::Stop | Verb::StopAll => (Flight::Stop, JobAction::SendStop),
        };
        let row = self.attempts.get(&request.name)?.row;
        let seat = self.sit(row, Host(by - SERVERS))?;
        let attempt = self.attempt_mut(request.name)?;
        attempt.sent[usize::from(seat)] = request.epoch;
        let flight = &mut attempt.seats[usize::from(seat)].flight;
        *flight = sends.max(*flight);
        Some(self.tell(action, request.name, Some(seat), at_us))
    }

    /// A request of a server arrived at the cluster.
    pub(super) fn landed(
        &mut self,
        by: ActorId,
        request: &Request,
        cluster: &Cluster,
        at_us: u64,
    ) -> Option<JobAction> {
        let Request { name, epoch, verb, .. } = *request;
        let server = Host(by - SERVERS);
        let seen = self.seen.entry(self.rules.fenced(name)).or_default();
        let before = *seen;
        *seen = epoch.max(before);
        let first = Name { job: name.job, action: 0, attempt: 0 };
        let last = Name { job: name.job, action: u16::MAX, attempt: u8::MAX };
        let names: Vec<Name> = self.attempts.range(first..=last).map(|(name, _)| *name).collect();
        if !self.is_told(name) && verb != Verb::Ask {
            self.untold.entry(name).or_default();
        }
        for (other, untold) in self.untold.range_mut(first..=last) {
            *untold = instance(*other, cluster);
        }
        let mut told = None;
        for other in names {
            let Some(attempt) = self.attempts.get_mut(&other) else { continue };
            let instance = instance(other, cluster);
            // It names no instance: what it found nothing of is as it was.
            if verb == Verb::StopAll && attempt.instance == instance {
                continue;
            }
            attempt.stale |= attempt.instance != instance && epoch < before;
            attempt.instance = instance;
            let known = self.rows.get(&attempt.row);
            // What was sent in an earlier claim is somebody else's.
            let own = known.and_then(|known| known.seats.of(server)).filter(|seat| {
                let at = usize::from(*seat);
                let sent = attempt.sent[at] == epoch && attempt.seats[at].flight != Flight::None;
                let claim = known.map_or(0, |known| known.claims[at]);
                other == name && if verb == Verb::Ask { attempt.over || claim == epoch } else { sent }
            });
            let action = match verb {
                _ if own.is_none() => JobAction::Elsewhere,
                Verb::Ask => JobAction::Ask,
                Verb::Start { .. } | Verb::Stop | Verb::StopAll => JobAction::Land,
            };
            let action = self.tell(action, other, own, at_us);
            if own.is_some() {
                told = Some(action);
            }
        }
        told
    }

    /// An instance exited by itself.
    pub(super) fn exited(&mut self, name: Name, cluster: &Cluster, at_us: u64) -> Option<JobAction> {
        let instance = instance(name, cluster);
        if let Some(untold) = self.untold.get_mut(&name) {
            *untold = instance;
        }
        self.attempt_mut(name)?.instance = instance;
        Some(self.tell(JobAction::Exit, name, None, at_us))
    }

    /// Doubt about a server begins or ends. What is over is not concerned.
    pub(super) fn doubt(&mut self, server: usize, doubted: bool, at_us: u64) {
        if std::mem::replace(&mut self.doubted[server], doubted) == doubted {
            return;
        }
        let action = if doubted { JobAction::Doubt } else { JobAction::Trust };
        let sits = |known: &Known| known.open.zip(known.seats.of(Host(server as u16)));
        let open: Vec<(Name, u8)> = self.rows.values().filter_map(sits).collect();
        for (name, seat) in open {
            if let Some(attempt) = self.attempts.get_mut(&name) {
                attempt.seats[usize::from(seat)].doubted = doubted;
            }
            self.tell(action, name, Some(seat), at_us);
        }
    }
}

/// Whether an action asks for a stop of what runs.
const fn stops(kind: Kind) -> bool {
    !matches!(kind, Kind::Start | Kind::Revoke)
}

/// What the cluster knows of a name.
fn instance(name: Name, cluster: &Cluster) -> Instance {
    let (starts, live) = cluster.count(name);
    let used = cluster.state(name) != failproof_core::distribution::InstanceState::Never;
    let starts = starts.min(2) as u8;
    Instance { used, starts, live: (live as u8).min(starts) }
}
