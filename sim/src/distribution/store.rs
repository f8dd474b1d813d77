//! The database as a server: sessions behind their clocks and replicas, the members, and the job table.
//!
//! Members and jobs are as durable as what they hold. So a wipe, a rollback and a replica that lags concern the heartbeat
//! table of sessions only, which may forget because a grace protects it.

use super::{Command, Disk, Options};
use crate::election::server::{Respond, Served, TableServer, former_span};
use crate::plan::Plan;
use crate::protocol::{Boot, Cause, StoreFate};
use failproof_core::distribution::{
    Effect, Jobs, JobsConfig, MemberChange, Members, Message, Operation, Output, RowView, Target, expire, seat,
};
use failproof_core::election::{self, Affinity, Dialect, StoreNow, TableConfig};
use failproof_core::{Host, Instant};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// What the store did with its last input, for the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Done {
    /// The operation, and what it did.
    pub(super) operation: Operation,
    /// What it did.
    pub(super) effect: Effect,
    /// The row before it.
    pub(super) before: Option<RowView>,
    /// The row after it.
    pub(super) after: Option<RowView>,
}

/// The store behind its server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreServer {
    sessions: TableServer,
    members: Members,
    jobs: Jobs,
    /// No member's session ends before, by the steady clock.
    evict_from: Instant,
    done: Option<Done>,
}

/// Written as its tables.
impl Serialize for StoreServer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tables = serializer.serialize_struct("StoreServer", 3)?;
        tables.serialize_field("sessions", self.sessions.table())?;
        tables.serialize_field("members", &self.members)?;
        tables.serialize_field("jobs", &self.jobs)?;
        tables.end()
    }
}

impl Respond for Output {
    #[inline(always)]
    fn respond(answer: election::Answer) -> Self {
        Self::Send(Target::Asker, Message::Session(election::Message::Answer(answer)))
    }
}

impl StoreServer {
    pub(super) fn start(plan: &Plan, mut boot: Boot<Disk>) -> Self {
        let options = plan.distribution();
        let (kept, durable) = match boot.disk.take() {
            Some(Disk::Store(sessions, members, jobs)) => (sessions, Some((members, jobs))),
            _ => (None, None),
        };
        let config = JobsConfig { rules: options.rules, attempts_max: options.attempts_max };
        let (members, mut jobs) = durable.unwrap_or_else(|| (Members::default(), Jobs::new(config)));
        jobs.upgrade(options.rules_of(boot.upgraded));
        let config = TableConfig {
            utypes: options.servers.into(),
            heartbeat_timeout: boot.timeout,
            longest_term: options.longest_term_us,
            rules: Options::election_rules(),
            dialect: Dialect::Sql,
            affinity: Affinity::default(),
        };
        let (granularity, span) = (options.bounds.granularity_us, former_span(plan));
        let sessions = TableServer::start(config, granularity, span, kept, &boot);
        Self { sessions, members, jobs, evict_from: Instant::ZERO, done: None }
    }

    pub(super) fn disk(&self) -> Disk {
        Disk::Store(Some(self.sessions.table().clone()), self.members.clone(), self.jobs.clone())
    }

    /// Who is a member.
    #[must_use]
    pub const fn members(&self) -> &Members {
        &self.members
    }

    /// The job table.
    #[must_use]
    pub const fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// What was done with the last input.
    pub(super) const fn done(&self) -> Option<&Done> {
        self.done.as_ref()
    }

    /// Forgets what was done with the last input.
    pub(super) const fn rest(&mut self) {
        self.done = None;
        self.sessions.rest();
    }

    /// What it keeps elsewhere, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        let kinds = self.sessions.table().config().utypes;
        kinds * 128 + self.members.bytes() + self.jobs.bytes()
    }

    pub(super) fn handle(
        &mut self,
        steady: Instant,
        wall: Instant,
        fate: StoreFate,
        cause: Cause<'_, Message, Command>,
        outputs: &mut Vec<Output>,
    ) {
        self.done = None;
        let now = self.sessions.clocks(steady, wall);
        match cause {
            Cause::Message(Message::Session(message)) => {
                self.sessions.handle(steady, wall, fate, message, outputs);
                match self.sessions.served() {
                    Served::Heartbeat { utype, outcome: election::Outcome::Granted(_), .. } => {
                        self.joined(Host(utype.0));
                        self.evict_from = self.evict_from.min(self.sessions.table().ends(utype));
                    }
                    Served::Deleted { utype } => {
                        self.evict_from = self.evict_from.min(self.sessions.table().ends(utype));
                    }
                    _ => {}
                }
            }
            // A damaged answer of the other tables has no use: its digest does not match, and nothing was carried out.
            Cause::Message(_) if fate == StoreFate::Corrupt => {}
            Cause::Message(message) => self.serve(now, message, outputs),
            Cause::Command(Command::Retune(timeout)) => self.sessions.retune(timeout),
            Cause::Command(Command::Rollback { by, generation }) => {
                self.sessions.roll_back(steady, wall, by, generation);
                self.evict_from = Instant::ZERO;
            }
            Cause::Command(_) | Cause::Timer => {}
        }
    }

    /// A session was granted: whatever the server held before is over.
    fn joined(&mut self, server: Host) {
        self.left(server);
        self.members.change(MemberChange::Joined(server));
    }

    fn left(&mut self, server: Host) {
        if self.members.change(MemberChange::Left(server)) {
            self.jobs.left(server);
        }
    }

    /// Members whose session is over leave. They are looked through only when the first one may be: a session that is
    /// renewed ends later than it was to.
    fn evict(&mut self, now: StoreNow) {
        if now.steady < self.evict_from {
            return;
        }
        let sessions = self.sessions.table_mut();
        let over: Vec<Host> = self.members.iter().filter(|server| expire(seat(*server), sessions, now)).collect();
        over.into_iter().for_each(|server| self.left(server));
        let table = self.sessions.table();
        let ends = self.members.iter().map(|server| table.ends(seat(server)));
        self.evict_from = ends.min().unwrap_or(Instant::from_micros(u64::MAX));
    }

    fn serve(&mut self, now: StoreNow, message: &Message, outputs: &mut Vec<Output>) {
        let answer = match message {
            Message::Follow { tag, since, after, .. } => {
                self.evict(now);
                Message::Members { tag: *tag, news: self.members.news(*since, *after) }
            }
            Message::List { by, tag, scope, after } => {
                Message::Rows { tag: *tag, rows: self.jobs.list(by.server, *scope, *after) }
            }
            Message::Operation(operation) => {
                self.evict(now);
                let row = |jobs: &Jobs| {
                    let row = operation.what.row().and_then(|row| jobs.row(row));
                    row.map(|row| *row.view())
                };
                let before = row(&self.jobs);
                let sessions = self.sessions.table_mut();
                let (outcome, effect) = self.jobs.operate(operation, sessions, &self.members, now);
                self.done = Some(Done { operation: *operation, effect, before, after: outcome.row });
                Message::Outcome(outcome)
            }
            _ => return,
        };
        outputs.push(Output::Send(Target::Asker, answer));
    }
}
