use super::*;
use crate::id::{Epoch, Host, Incarnation};
use crate::time::{Duration, Instant};
use alloc::string::String;
use alloc::vec::Vec;

mod catalog;
mod check;
mod identity;
mod log;
mod lookup;
mod subscribers;
mod subscription;

const A: Host = Host(0);
const B: Host = Host(1);
const WEB: ServiceKey = ServiceKey(0);
const MAIL: ServiceKey = ServiceKey(1);
const SPEC: CheckSpec =
    CheckSpec { kind: CheckKind::Http, interval: Duration::from_secs(10), deregister_after: Duration::from_secs(60) };

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

fn place(port: u16) -> Place {
    Place { protocol: Protocol::Https, address: Address(1), port }
}

/// A start of the web service's instance on this port.
fn web(port: u16, start: u64) -> InstanceId {
    InstanceId { key: WEB, place: place(port), start: StartId(start) }
}

fn registered(instance: InstanceId) -> Event {
    Event::Registered { instance, check: Some(SPEC) }
}

fn deregistered(instance: InstanceId) -> Event {
    Event::Deregistered { instance, cause: Cause::Asked }
}

fn start(number: u64) -> ScheduledStart {
    ScheduledStart { epoch: Epoch { generation: 0, counter: 1 }, number }
}

fn producer(mint: u64) -> Incarnation {
    Incarnation { mint, life: 1 }
}

/// A log that one producer writes, a record a millisecond.
struct Written {
    log: EventLog,
    next: u64,
}

impl Written {
    fn new(rules: Rules, tombstones: u64) -> Self {
        Self { log: EventLog::new(rules, LogId(7), tombstones), next: 1 }
    }

    fn write(&mut self, event: Event) -> Offset {
        self.put(Entry::Event(event), at(self.next))
    }

    fn put(&mut self, entry: Entry, stamped_at: Instant) -> Offset {
        match self.log.append(producer(1), self.next, stamped_at, entry) {
            Ok(Appended::At(offset)) => {
                self.next += 1;
                offset
            }
            other => panic!("not appended: {other:?}"),
        }
    }
}

/// Reads on to the end of the log; tells what changed.
fn follow(catalog: &mut Catalog, log: &EventLog) -> Vec<(ServiceKey, Change)> {
    let mut told = Vec::new();
    while catalog.offset() < log.end().offset {
        let page = log.read(catalog.position(), 3).expect("a position of this log");
        catalog.fold_page(&page, &mut |key, change| told.push((key, change)));
    }
    told
}

/// The fold of a whole log.
fn fold(rules: Rules, log: &EventLog, tombstones: u64) -> Catalog {
    let mut catalog = Catalog::new(rules, LogId(7), tombstones);
    follow(&mut catalog, log);
    catalog
}

fn ports(catalog: &Catalog, key: ServiceKey) -> Vec<u16> {
    catalog.listings(key).map(|(place, _)| place.port).collect()
}
