//! Small facts, each on its own: messages go in by hand, outputs are looked at.

mod backup;
mod client;
mod gateway;
mod refusals;
mod server;

use super::*;
use crate::election::{self, Affinity, Bounds, Dialect, Fencing, HeartbeatTable, Start, StoreNow, TableConfig, Work};
use crate::id::Utype;
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::vec::Vec;

const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(2);

/// How many servers, and aliases, there are.
const SERVERS: u16 = 3;

const fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1_000)
}

/// The database, whose clocks show the same as the machine's.
#[derive(Clone, Debug)]
struct Store {
    heartbeats: HeartbeatTable,
    contexts: ContextTable,
}

impl Store {
    fn new(rules: Rules) -> Self {
        let config = TableConfig {
            utypes: SERVERS.into(),
            heartbeat_timeout: TIMEOUT,
            longest_term: TIMEOUT,
            rules: election::Rules::hardened(),
            dialect: Dialect::Sql,
            affinity: Affinity::default(),
        };
        let heartbeats = HeartbeatTable::new(config).expect("the longest term is the only one");
        Self { heartbeats, contexts: ContextTable::new(rules, SERVERS.into(), 0, 4) }
    }

    /// The answer to a request.
    fn answer(&mut self, now: Instant, request: &Message) -> Message {
        let now = StoreNow { wall: now, steady: now };
        match request {
            Message::Alias(election::Message::Query(query)) => {
                Message::Alias(election::Message::Answer(self.heartbeats.query(query, now)))
            }
            Message::Alias(election::Message::Heartbeat(claim)) => {
                Message::Alias(election::Message::Answer(self.heartbeats.heartbeat(claim, now).1))
            }
            Message::Operation(operation) => {
                Message::Outcome(self.contexts.operate(operation, &mut self.heartbeats, now).0)
            }
            Message::Look { tag, alias } => {
                let view = self.contexts.view(&self.heartbeats, now);
                let degraded = alias.and_then(|alias| self.contexts.degraded(alias, &view));
                Message::View { tag: *tag, view, degraded }
            }
            other => panic!("no request to the store that is answered: {other:?}"),
        }
    }
}

fn server(rules: Rules, alias: u8) -> ContextServer {
    let bounds = Bounds {
        drift_ppm: 0,
        latency_us_max: Duration::ZERO,
        timer_late_us_max: Duration::ZERO,
        stop_us_max: Duration::ZERO,
        granularity_us: Duration::from_millis(1),
    };
    let candidate = election::Config {
        utype: Utype(alias.into()),
        host: Host(alias.into()),
        heartbeat_interval: INTERVAL,
        heartbeat_timeout: TIMEOUT,
        bounds,
        rules: election::Rules { fencing: Fencing::None, ..election::Rules::hardened() },
        affinity: None,
        work: Work { every_us: Duration::ZERO, takes_us: Duration::ZERO },
    };
    let candidate = candidate.checked().expect("a sound configuration");
    let start = Start { entropy: alias.into(), image: alias.into() };
    ContextServer::new(ServerConfig { candidate, contexts: 2, patience: PATIENCE, rules }, start)
}

fn feed(server: &mut ContextServer, now: Instant, input: ServerInput<'_>) -> Vec<Output> {
    let mut outputs = Vec::new();
    server.handle(now, input, &mut outputs);
    outputs
}

/// Feeds an input, and at once what the store answers to all that follows; returns what is not for the store.
fn settle(server: &mut ContextServer, store: &mut Store, now: Instant, input: ServerInput<'_>) -> Vec<Output> {
    let mut others = Vec::new();
    let mut outputs = feed(server, now, input);
    while !outputs.is_empty() {
        let output = outputs.remove(0);
        match output {
            Output::Send(Target::Store, request) => {
                let answer = store.answer(now, &request);
                outputs.extend(feed(server, now, ServerInput::Message(&answer)));
            }
            other => others.push(other),
        }
    }
    others
}

/// A server that holds its alias from 0 on.
fn holder(rules: Rules, alias: u8, store: &mut Store) -> ContextServer {
    let mut server = server(rules, alias);
    settle(&mut server, store, at(0), ServerInput::Timer);
    assert!(server.holds(at(0)));
    server
}

/// A request of client 4, by gateway 2.
fn request(number: u32, verb: Verb) -> Message {
    Message::Request(Request { client: 4, number, verb, avoid_main: false, gateway: 2 })
}

fn haid(main: u8, backup: u8, id: u32) -> HaidText {
    Binding { main: Alias(main), backup: Alias(backup), id: ContextId(id) }.encode()
}

/// What clients are told.
fn answers(outputs: &[Output]) -> Vec<Answer> {
    let answer = |output: &Output| match output {
        Output::Send(Target::Client(_) | Target::Gateway(_), Message::Reply(reply)) => Some(reply.answer),
        _ => None,
    };
    outputs.iter().filter_map(answer).collect()
}

/// What the context table is asked.
fn operations(outputs: &[Output]) -> Vec<Operation> {
    let operation = |output: &Output| match output {
        Output::Send(Target::Store, Message::Operation(operation)) => Some(*operation),
        _ => None,
    };
    outputs.iter().filter_map(operation).collect()
}
