//! Small facts, each on its own: values are asked by hand, answers are looked at.

mod cluster;
mod former;
mod jobs;
mod members;
mod submitter;
mod work;

use super::hash::hash64_of_number;
use super::*;
use crate::election::{
    self, Affinity, Claim, Dialect, HeartbeatTable, Outcome as Accepted, Query, StoreNow, TableConfig,
};
use crate::id::{Epoch, Incarnation};
use crate::machine::Machine;
use crate::time::Instant;
use alloc::boxed::Box;
use alloc::vec::Vec;

const TIMEOUT: Duration = Duration::from_secs(5);
/// How many servers there are.
const SERVERS: u16 = 4;

const A: Host = Host(0);
const B: Host = Host(1);
const C: Host = Host(2);

const fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1_000)
}

const fn store_at(ms: u64) -> StoreNow {
    StoreNow { wall: at(ms), steady: at(ms) }
}

const fn joined(server: u16) -> MemberChange {
    MemberChange::Joined(Host(server))
}

const fn left(server: u16) -> MemberChange {
    MemberChange::Left(Host(server))
}

const fn spec() -> Spec {
    Spec { engine: 0, resource: None, runs: Duration::from_secs(3), fails: 0 }
}

const fn action(job: u32, number: u16, kind: Kind) -> Action {
    Action { job: JobId(job), number, kind, spec: spec() }
}

const fn name(job: u32, action: u16, attempt: u8) -> Name {
    Name { job: JobId(job), action, attempt }
}

const fn owner(server: Host, term: u32) -> Owner {
    Owner { server, term: Epoch { generation: 0, counter: term } }
}

/// A row as a server might see it: pending, unowned, never touched.
fn row(job: u32, kind: Kind) -> RowView {
    RowView {
        id: RowId(job),
        job: JobId(job),
        hash: hash64_of_number(i64::from(job)),
        spec: spec(),
        home: A,
        owner: None,
        epoch: 0,
        version: 1,
        action: 1,
        kind,
        attempt: 1,
        phase: Phase::Pending,
        last: None,
        waiting: 0,
    }
}

fn sessions() -> HeartbeatTable {
    let config = TableConfig {
        utypes: SERVERS.into(),
        heartbeat_timeout: TIMEOUT,
        longest_term: TIMEOUT,
        rules: election::Rules::hardened(),
        dialect: Dialect::Sql,
        affinity: Affinity::default(),
    };
    HeartbeatTable::new(config).expect("the longest term is the only one")
}

/// Grants a server a session: whatever it held before must be over.
fn grant(sessions: &mut HeartbeatTable, server: Host, ms: u64) -> Owner {
    let (utype, now) = (seat(server), store_at(ms));
    let incarnation = Incarnation { mint: ms + 1, life: 1 };
    let query = Query { utype, asker: incarnation, tag: 0, sent_at: Instant::ZERO };
    let token = Some(sessions.query(&query, now).row.token());
    let epoch = Epoch::NONE;
    let claim = Claim { utype, incarnation, host: server, seq: 1, sent_at: Instant::ZERO, epoch, token };
    match sessions.heartbeat(&claim, now).0 {
        Accepted::Granted(term) => Owner { server, term },
        refused => panic!("{server:?} is not granted a session: {refused:?}"),
    }
}

/// What each server is called.
fn names() -> Vec<Box<str>> {
    ["one", "two", "three", "four"].map(Into::into).into()
}
