//! The database as a server: the heartbeat table behind its clocks and replicas, and the context table.
//!
//! The rows of contexts are as durable as what they hold: a database that loses them loses acknowledged writes whatever
//! the rules. So a wipe, a rollback and a replica that lags concern the heartbeat table only.

use super::{Command, Disk, Options};
use crate::election::server::{Respond, Served, TableServer, former_span};
use crate::plan::Plan;
use crate::protocol::{Boot, Cause, StoreFate};
use failproof_core::Instant;
use failproof_core::election::{self, Affinity, Dialect, TableConfig};
use failproof_core::routing::{Alias, Change, ContextId, ContextTable, Message, Operation, Output, Target};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// What the store did with its last input, for the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Done {
    /// Nothing that the contract speaks of.
    Nothing,
    /// An operation did this to a context.
    Changed { operation: Operation, id: ContextId, change: Change },
    /// A claim of an alias was granted to this machine.
    Granted { alias: Alias, host: failproof_core::Host },
    /// A claim was refused before the heartbeat table saw it, although the term of the last holder is over and the machine
    /// is the one that the alias belongs to.
    Starved,
}

/// The store behind its server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreServer {
    tables: TableServer,
    contexts: ContextTable,
    done: Done,
}

/// Written as its two tables.
impl Serialize for StoreServer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tables = serializer.serialize_struct("StoreServer", 2)?;
        tables.serialize_field("heartbeats", self.tables.table())?;
        tables.serialize_field("contexts", &self.contexts)?;
        tables.end()
    }
}

impl Respond for Output {
    #[inline(always)]
    fn respond(answer: election::Answer) -> Self {
        Self::Send(Target::Asker, Message::Alias(election::Message::Answer(answer)))
    }
}

impl StoreServer {
    pub(super) fn start(plan: &Plan, mut boot: Boot<Disk>) -> Self {
        let options = plan.routing();
        let (kept, contexts) = match boot.disk.take() {
            Some(Disk::Store(table, contexts)) => (table, Some(contexts)),
            _ => (None, None),
        };
        let fresh = || {
            let (unowned, contexts) = (options.unowned as usize, options.contexts as usize);
            ContextTable::new(options.rules, options.servers.into(), unowned, contexts)
        };
        let config = TableConfig {
            utypes: options.servers.into(),
            heartbeat_timeout: boot.timeout,
            longest_term: options.longest_term_us,
            rules: Options::election_rules(),
            dialect: Dialect::Sql,
            affinity: Affinity::default(),
        };
        let (granularity, span) = (options.bounds.granularity_us, former_span(plan));
        Self {
            tables: TableServer::start(config, granularity, span, kept, &boot),
            contexts: contexts.unwrap_or_else(fresh),
            done: Done::Nothing,
        }
    }
}

impl StoreServer {
    pub(super) fn disk(&self) -> Disk {
        Disk::Store(Some(self.tables.table().clone()), self.contexts.clone())
    }

    /// Forgets what is kept for the judge.
    pub(super) const fn rest(&mut self) {
        self.done = Done::Nothing;
        self.tables.rest();
    }

    /// What it keeps elsewhere, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        let kinds = self.tables.table().config().utypes;
        kinds * 128 + self.contexts.bytes()
    }

    /// The context table.
    pub(super) const fn contexts(&self) -> &ContextTable {
        &self.contexts
    }

    /// What was done with the last input.
    pub(super) const fn done(&self) -> Done {
        self.done
    }

    #[inline(always)]
    pub(super) fn handle(
        &mut self,
        steady: Instant,
        wall: Instant,
        fate: StoreFate,
        cause: Cause<'_, Message, Command>,
        outputs: &mut Vec<Output>,
    ) {
        self.done = Done::Nothing;
        match cause {
            Cause::Message(Message::Alias(message)) => self.elect(steady, wall, fate, message, outputs),
            // A damaged answer of the context table has no use: its digest does not match, and nothing was carried out.
            Cause::Message(Message::Operation(_) | Message::Look { .. }) if fate == StoreFate::Corrupt => {}
            Cause::Message(Message::Operation(operation)) => self.operate(steady, wall, operation, outputs),
            Cause::Message(Message::Look { tag, alias }) => {
                let now = self.tables.clocks(steady, wall);
                let table = match fate {
                    StoreFate::ReadAt(by) => self.tables.at(now.steady, by),
                    StoreFate::Serve | StoreFate::Corrupt => self.tables.table(),
                };
                let view = self.contexts.view(table, now);
                let degraded = alias.and_then(|alias| self.contexts.degraded(alias, &view));
                outputs.push(Output::Send(Target::Asker, Message::View { tag: *tag, view, degraded }));
            }
            Cause::Command(Command::Retune(timeout)) => self.tables.retune(timeout),
            Cause::Command(Command::Rollback { by, generation }) => self.tables.roll_back(steady, wall, by, generation),
            Cause::Message(_) | Cause::Command(_) | Cause::Timer => {}
        }
    }

    /// The election of alias holders.
    fn elect(
        &mut self,
        steady: Instant,
        wall: Instant,
        fate: StoreFate,
        message: &election::Message,
        outputs: &mut Vec<Output>,
    ) {
        let now = self.tables.clocks(steady, wall);
        if let election::Message::Heartbeat(claim) = message
            && fate != StoreFate::Corrupt
            && !self.contexts.admits(claim, self.tables.table())
        {
            let table = self.tables.table();
            let over = !table.is_valid(claim.utype, now) && !table.in_grace(now);
            let own = self.contexts.machine_of(Alias::of(claim.utype)).is_none_or(|machine| machine == claim.host);
            if over && own {
                self.done = Done::Starved;
            }
            let answer = self.tables.table_mut().refuse(claim, now);
            return outputs.push(Output::respond(answer));
        }
        self.tables.handle(steady, wall, fate, message, outputs);
        if let Served::Heartbeat { utype, outcome: election::Outcome::Granted(_), .. } = self.tables.served()
            && let Some(entry) = self.tables.table().entry(utype)
        {
            let (alias, host) = (Alias::of(utype), entry.host);
            self.done = Done::Granted { alias, host };
            self.contexts.granted(alias, host);
        }
    }

    fn operate(&mut self, steady: Instant, wall: Instant, operation: &Operation, outputs: &mut Vec<Output>) {
        let now = self.tables.clocks(steady, wall);
        let (outcome, change) = self.contexts.operate(operation, self.tables.table_mut(), now);
        if let (Some(row), true) = (&outcome.row, change != Change::None) {
            self.done = Done::Changed { operation: *operation, id: row.id, change };
        }
        outputs.push(Output::Send(Target::Asker, Message::Outcome(outcome)));
    }
}
