//! A log, two controllers that fold it and two subscribers, on which random steps are played; with planted bugs.

use failproof_core::registry::{
    Answer, Appended, Catalog, Cause, CheckKind, CheckSpec, Cursor, Entry, Event, EventLog, Failure, Instance,
    InstanceId, ListView, LogEpoch, LogId, Offset, Place, Position, ReadError, Record, Rules, ScheduledStart,
    ServiceKey, StartId, Subscription, Taken, Update, answer,
};
use failproof_core::{Duration, Epoch, Host, Incarnation, Instant};
use proptest::prelude::*;

pub(crate) const CONTROLLERS: usize = 2;
pub(crate) const SUBSCRIBERS: usize = 2;
pub(crate) const LOG: LogId = LogId(7);
/// For how many records removals are remembered: few, so that cursors fall behind.
pub(crate) const TOMBSTONES: u64 = 6;
pub(crate) const SPEC: CheckSpec =
    CheckSpec { kind: CheckKind::Http, interval: Duration::from_secs(10), deregister_after: Duration::from_secs(60) };
/// How far the clocks of the producers are ahead.
const AHEAD_MS: [u64; 3] = [0, 5_000, 40];

/// What a producer appends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Register { key: u32, port: u16, start: u64 },
    Deregister { key: u32, port: u16, start: u64, cause: Cause },
    Check { key: u32, port: u16, start: u64, number: u64, by: u16, failing_s: Option<u64> },
    Undecodable,
    Unknown,
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Append {
        producer: usize,
        what: What,
    },
    /// Whoever is listed there is seen to fail by these controllers, for longer than the critical interval, and is
    /// deregistered.
    Die {
        key: u32,
        port: u16,
        by: [u16; 2],
    },
    /// Compacts all but the newest records.
    Compact {
        keeps: u64,
    },
    FailOver {
        lost: usize,
    },
    Read {
        controller: usize,
        max: usize,
    },
    Connect {
        subscriber: usize,
        controller: usize,
    },
    /// The next update is lost on its way.
    Lose {
        subscriber: usize,
    },
    Pass {
        ms: u64,
    },
}

/// Planted bugs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bug {
    #[default]
    None,
    /// A controller takes a cursor for one that is a record further.
    Ahead,
    /// A controller takes a cursor for one that is a record behind.
    Behind,
    /// A controller does not look at the epoch of a cursor.
    Epochless,
    /// A snapshot lists whoever left.
    Undead,
    /// A controller that loads a snapshot does not begin its subscriptions again.
    Unannounced,
    /// A controller that loads a snapshot tells it to its subscribers before it has caught up.
    Eager,
}

/// An update that reached a subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) update: Update,
    pub(crate) taken: Taken,
    pub(crate) before: Option<Cursor>,
    pub(crate) after: ListView,
    /// What the log says at the cursor that the subscriber has now. Without a position nobody can say.
    pub(crate) expected: Option<Vec<Instance>>,
}

/// The whole.
pub(crate) struct Play {
    rules: Rules,
    bug: Bug,
    compacts: bool,
    pub(crate) log: EventLog,
    /// The records of each epoch, those that were lost at its end as well.
    pub(crate) lines: Vec<Vec<Record>>,
    floor: u64,
    now_ms: u64,
    numbers: [u64; 3],
    controllers: Vec<Catalog>,
    connections: Vec<Option<(usize, Subscription)>>,
    loses: [bool; SUBSCRIBERS],
    pub(crate) views: Vec<ListView>,
    pub(crate) told: Vec<Told>,
}

pub(crate) fn key_of(subscriber: usize) -> ServiceKey {
    ServiceKey(subscriber as u32 % 2)
}

pub(crate) fn instance(key: u32, port: u16, start: u64) -> InstanceId {
    InstanceId { key: ServiceKey(key), place: Place { port, ..Place::default() }, start: StartId(start) }
}

/// The fold of records, one by one, from the begin of the log.
pub(crate) fn fold(rules: Rules, records: &[Record]) -> Catalog {
    let mut catalog = Catalog::new(rules, LOG, TOMBSTONES);
    records.iter().for_each(|record| {
        catalog.fold(record);
    });
    catalog
}

pub(crate) fn list(catalog: &Catalog, key: ServiceKey) -> Vec<Instance> {
    let listings = catalog.listings(key);
    listings
        .map(|(place, listing)| Instance { place, start: listing.start, critical: listing.health.failing.is_some() })
        .collect()
}

impl Play {
    pub(crate) fn new(rules: Rules, bug: Bug, compacts: bool) -> Self {
        Self {
            rules,
            bug,
            compacts,
            log: EventLog::new(rules, LOG, TOMBSTONES),
            lines: vec![Vec::new()],
            floor: 0,
            now_ms: 1_000,
            numbers: [0; 3],
            controllers: vec![Catalog::new(rules, LOG, TOMBSTONES); CONTROLLERS],
            connections: vec![None; SUBSCRIBERS],
            loses: [false; SUBSCRIBERS],
            views: (0..SUBSCRIBERS).map(|subscriber| ListView::new(key_of(subscriber))).collect(),
            told: Vec::new(),
        }
    }

    /// Plays the steps; in the end everybody catches up.
    pub(crate) fn run(mut self, ops: &[Op]) -> Self {
        ops.iter().for_each(|op| self.step(*op));
        for controller in 0..CONTROLLERS {
            // A snapshot may come between two reads.
            (0..=ops.len()).for_each(|_| self.read(controller, usize::MAX));
        }
        self.loses = [false; SUBSCRIBERS];
        (0..SUBSCRIBERS).for_each(|subscriber| self.connect(subscriber, 0));
        self
    }

    /// The records that the log holds, or held before they were compacted.
    pub(crate) fn line(&self) -> &[Record] {
        self.lines.last().expect("an epoch")
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Append { producer, what } => self.append(producer, what),
            Op::Die { key, port, by } => self.die(key, port, by),
            Op::Compact { keeps } => {
                self.floor = self.floor.max(self.log.end().offset.0.saturating_sub(keeps));
                if self.compacts {
                    self.log.compact(Offset(self.floor));
                }
            }
            Op::FailOver { lost } => {
                // What could have been compacted is not lost, whether it was or not: so plays with and without
                // compaction have one history.
                let lost = lost.min((self.log.end().offset.0 - self.floor) as usize);
                let lost = self.log.fail_over(lost).len();
                let kept = self.line().len() - lost;
                self.lines.push(self.line()[..kept].to_vec());
            }
            Op::Read { controller, max } => self.read(controller, max),
            Op::Connect { subscriber, controller } => self.connect(subscriber, controller),
            Op::Lose { subscriber } => self.loses[subscriber] = true,
            Op::Pass { ms } => self.now_ms += ms,
        }
    }

    fn append(&mut self, producer: usize, what: What) {
        let entry = self.entry(what);
        let stamped_at = Instant::ZERO + Duration::from_millis(self.now_ms + AHEAD_MS[producer]);
        let who = Incarnation { mint: producer as u64, life: 1 };
        let appended = loop {
            match self.log.append(who, self.numbers[producer] + 1, stamped_at, entry) {
                Ok(appended) => break appended,
                Err(failproof_core::registry::AppendError::Missing { expected }) => {
                    self.numbers[producer] = expected - 1;
                }
            }
        };
        let Appended::At(offset) = appended else { panic!("it was new: {appended:?}") };
        self.numbers[producer] += 1;
        let at = Position { offset, ..self.log.end() };
        let page = self.log.read(at, 1).expect("it was just appended");
        self.lines.last_mut().expect("an epoch").push(page.records[0]);
    }

    fn die(&mut self, key: u32, port: u16, by: [u16; 2]) {
        let catalog = fold(self.rules, self.line());
        let InstanceId { key: service, place, .. } = instance(key, port, 0);
        let Some(listing) = catalog.listing(service, place) else { return };
        let (start, number) = (listing.start.0, listing.health.last.number + 1);
        for by in by {
            self.append(0, What::Check { key, port, start, number, by, failing_s: Some(61) });
        }
        self.append(1, What::Deregister { key, port, start, cause: Cause::Failed });
    }

    fn entry(&self, what: What) -> Entry {
        match what {
            What::Register { key, port, start } => {
                Entry::Event(Event::Registered { instance: instance(key, port, start), check: Some(SPEC) })
            }
            What::Deregister { key, port, start, cause } => {
                Entry::Event(Event::Deregistered { instance: instance(key, port, start), cause })
            }
            What::Check { key, port, start, number, by, failing_s } => {
                let instance = instance(key, port, start);
                let catalog = fold(self.rules, self.line());
                let listing = catalog.listing(instance.key, instance.place);
                let failure = failing_s.map(|s| (Failure::Refused, Duration::from_secs(s)));
                let start = ScheduledStart { epoch: Epoch::NONE, number };
                let listed_at = listing.map_or(Offset(0), |listing| listing.registered_at);
                Entry::Event(Event::Checked { instance, listed_at, start, by: Host(by), failure })
            }
            What::Undecodable => Entry::Undecodable,
            What::Unknown => Entry::Unknown(9),
        }
    }

    fn read(&mut self, controller: usize, max: usize) {
        match self.log.read(self.controllers[controller].position(), max) {
            Ok(page) => self.controllers[controller].adopt(&page.lineage),
            Err(ReadError::Misplaced(_) | ReadError::Compacted { .. }) => self.load(controller),
        }
        let from = self.controllers[controller].position();
        for record in self.log.read(from, max).expect("a position of this log").records {
            if let Some((key, change)) = self.controllers[controller].fold(&record) {
                self.push(controller, key, change);
            }
        }
        for subscriber in 0..SUBSCRIBERS {
            self.begin(subscriber, controller);
        }
    }

    fn load(&mut self, controller: usize) {
        self.controllers[controller] = self.snapshot();
        let connections = self.connections.iter_mut().flatten().filter(|(connected, _)| *connected == controller);
        for (_, subscription) in connections.filter(|_| self.bug != Bug::Unannounced) {
            subscription.begin_again();
            if self.bug == Bug::Eager {
                *subscription = Subscription::new(subscription.key(), None);
            }
        }
        if self.bug == Bug::Eager {
            (0..SUBSCRIBERS).for_each(|subscriber| self.begin(subscriber, controller));
        }
    }

    fn snapshot(&self) -> Catalog {
        let snapshot = self.log.snapshot();
        if self.bug != Bug::Undead {
            return snapshot.clone();
        }
        let records: Vec<_> = self.line()[..snapshot.offset().0 as usize].iter().map(undead).collect();
        let mut undead = Catalog::new(self.rules, LOG, TOMBSTONES);
        undead.adopt(&self.log.read(self.log.end(), 0).expect("the end").lineage);
        records.iter().for_each(|record| {
            undead.fold(record);
        });
        undead
    }

    fn push(&mut self, controller: usize, key: ServiceKey, change: failproof_core::registry::Change) {
        for subscriber in 0..SUBSCRIBERS {
            let Some((connected, subscription)) = &mut self.connections[subscriber] else { continue };
            if *connected != controller || subscription.key() != key {
                continue;
            }
            if let Some(update) = subscription.push(&self.controllers[controller], change) {
                self.deliver(subscriber, update);
            }
        }
    }

    fn connect(&mut self, subscriber: usize, controller: usize) {
        let view = &self.views[subscriber];
        let subscription = Subscription::new(key_of(subscriber), view.cursor());
        self.connections[subscriber] = Some((controller, subscription));
        if !self.planted(subscriber, controller) {
            self.begin(subscriber, controller);
        }
    }

    /// Answers a cursor that is misread as the planted bug says.
    fn planted(&mut self, subscriber: usize, controller: usize) -> bool {
        let catalog = &self.controllers[controller];
        let Some(Cursor::At(position)) = self.views[subscriber].cursor() else { return false };
        let misread = match self.bug {
            Bug::None | Bug::Undead | Bug::Unannounced | Bug::Eager => return false,
            Bug::Ahead => Position { offset: position.offset.next(), ..position },
            Bug::Behind => Position { offset: Offset(position.offset.0.saturating_sub(1)), ..position },
            Bug::Epochless => Position { epoch: catalog.position().epoch, ..position },
        };
        match answer(catalog, key_of(subscriber), Some(Cursor::At(misread))) {
            Answer::NotYet(_) => false,
            Answer::Update(mut update) => {
                update.from = update.from.and(Some(Cursor::At(position)));
                let subscription = Subscription::new(key_of(subscriber), Some(update.to));
                self.connections[subscriber] = Some((controller, subscription));
                self.deliver(subscriber, update);
                true
            }
        }
    }

    fn begin(&mut self, subscriber: usize, controller: usize) {
        let Some((connected, subscription)) = &mut self.connections[subscriber] else { return };
        if *connected != controller {
            return;
        }
        if let Some(update) = subscription.begin(&self.controllers[controller]) {
            self.deliver(subscriber, update);
        }
    }

    /// Who finds a gap has to connect again.
    fn deliver(&mut self, subscriber: usize, update: Update) {
        if std::mem::take(&mut self.loses[subscriber]) {
            return;
        }
        let view = &mut self.views[subscriber];
        let before = view.cursor();
        let taken = view.take(&update);
        if taken == Taken::Gap {
            self.connections[subscriber] = None;
        }
        let after = view.clone();
        let expected = match after.cursor() {
            Some(Cursor::At(Position { epoch: LogEpoch(epoch), offset: Offset(offset), .. })) => {
                let records = &self.lines[epoch as usize][..offset as usize];
                Some(list(&fold(self.rules, records), key_of(subscriber)))
            }
            _ => None,
        };
        self.told.push(Told { update, taken, before, after, expected });
    }
}

/// A record as a reader takes it that overlooks removals.
pub(crate) fn undead(record: &Record) -> Record {
    match record.entry {
        Entry::Event(Event::Deregistered { instance, .. }) => {
            Record { entry: Entry::Event(Event::Deregistered { instance, cause: Cause::Stale }), ..*record }
        }
        _ => *record,
    }
}

fn any_what() -> impl Strategy<Value = What> {
    let who = || (0..2_u32, 0..3_u16, 1..3_u64);
    let causes = prop_oneof![4 => Just(Cause::Asked), 3 => Just(Cause::Failed), 1 => Just(Cause::Stale)];
    prop_oneof![
        6 => who().prop_map(|(key, port, start)| What::Register { key, port, start }),
        4 => (who(), causes).prop_map(|((key, port, start), cause)| What::Deregister { key, port, start, cause }),
        4 => (who(), 1..9_u64, 0..3_u16, prop_oneof![Just(None), Just(Some(30)), Just(Some(61))]).prop_map(
            |((key, port, start), number, by, failing_s)| What::Check { key, port, start, number, by, failing_s }
        ),
        1 => Just(What::Undecodable),
        1 => Just(What::Unknown),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (0..3_usize, any_what()).prop_map(|(producer, what)| Op::Append { producer, what }),
        1 => (0..2_u32, 0..3_u16, [0..2_u16, 0..2_u16]).prop_map(|(key, port, by)| Op::Die { key, port, by }),
        1 => (0..6_u64).prop_map(|keeps| Op::Compact { keeps }),
        1 => (0..5_usize).prop_map(|lost| Op::FailOver { lost }),
        5 => (0..CONTROLLERS, 1..6_usize).prop_map(|(controller, max)| Op::Read { controller, max }),
        3 => (0..SUBSCRIBERS, 0..CONTROLLERS)
            .prop_map(|(subscriber, controller)| Op::Connect { subscriber, controller }),
        1 => (0..SUBSCRIBERS).prop_map(|subscriber| Op::Lose { subscriber }),
        2 => (0..50_u64).prop_map(|ms| Op::Pass { ms }),
    ]
}

pub(crate) fn any_ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(any_op(), 1..90)
}
