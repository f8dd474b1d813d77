//! Random lives of a few servers beside real sessions, members and jobs, written down step by step.

use failproof_core::distribution::{
    Action, Change, Effect, JobId, Jobs, JobsConfig, Kind, MemberChange, Members, Operation, Outcome, Owner, Phase,
    RowId, RowView, Rules, Spec, Verdict, What, expire, seat,
};
use failproof_core::election::{
    self, Affinity, Claim, Dialect, HeartbeatTable, Outcome as Accepted, Query, Resign, StoreNow, TableConfig, Token,
};
use failproof_core::{Duration, Epoch, Host, Incarnation, Instant};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

pub(super) const SERVERS: usize = 4;
/// How many jobs are spoken of.
const JOBS: u32 = 4;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Times around the term of a session, in milliseconds.
const SPANS: [u64; 12] = [0, 1, 1, 100, 100, 500, 500, 2_000, 4_999, 5_000, 5_001, 60_000];

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// A server renews its session, or claims its seat.
    Beat { server: usize },
    /// A server gives its seat up.
    Resign { server: usize },
    /// A server starts over and knows nothing any more.
    NewLife { server: usize },
    /// The heartbeat table loses its entries.
    Forget,
    /// Time passes.
    Pass { ms: u64 },
    /// A server is told the members and all rows.
    Learn { server: usize },
    /// A server sends an operation, which is carried out now, or is only on its way if it is `late`. One that holds no
    /// session claims its seat instead. If `fresh`, it is told of members and rows first.
    Ask { server: usize, wish: Wish, fresh: bool, late: bool },
    /// An operation that was sent before arrives, for the first time or again; counted back from the newest one, and round.
    Arrive { which: usize },
}

/// What a server asks, by what it knows. `home` picks one of the members that it knows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    /// The next action on a job, or one that is that many numbers after it.
    Insert {
        job: u32,
        skips: u16,
        again: bool,
        kind: Kind,
        home: usize,
    },
    Claim {
        row: u32,
    },
    /// A row of its own is preferred, this one if it can be.
    Change {
        row: u32,
        change: fn(Host) -> Change,
        home: usize,
    },
    /// The change of a row of its own that leads on; without one, it asks to own this one.
    Work {
        row: u32,
    },
}

/// One step of the store, with all that it held before and after.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) now: StoreNow,
    pub(super) operation: Option<(Operation, Outcome, Effect)>,
    pub(super) before: Tables,
    pub(super) after: Tables,
}

/// What the store holds. `found` and `held` are its indexes.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) sessions: HeartbeatTable,
    pub(super) members: Members,
    pub(super) jobs: Jobs,
    pub(super) found: Vec<(Option<Host>, i64, RowId)>,
    pub(super) held: Vec<(Host, RowId)>,
}

/// The store, and what the servers remember.
pub(super) struct Play {
    sessions: HeartbeatTable,
    members: Members,
    jobs: Jobs,
    now: StoreNow,
    generation: u32,
    servers: [Server; SERVERS],
    sent: Vec<(usize, Operation)>,
}

#[derive(Clone, Default)]
struct Server {
    life: u32,
    seq: u32,
    term: Epoch,
    version: u32,
    members: Vec<Host>,
    rows: Vec<RowView>,
}

impl Play {
    pub(super) fn new(rules: Rules) -> Self {
        let config = TableConfig {
            utypes: SERVERS,
            heartbeat_timeout: TIMEOUT,
            longest_term: TIMEOUT,
            rules: election::Rules::hardened(),
            dialect: Dialect::Sql,
            affinity: Affinity::default(),
        };
        let start = Instant::from_micros(1_000_000_000_000);
        Self {
            sessions: HeartbeatTable::new(config).expect("the longest term is the only one"),
            members: Members::default(),
            jobs: Jobs::new(JobsConfig { rules, attempts_max: 2 }),
            now: StoreNow { wall: start, steady: start },
            generation: 0,
            servers: std::array::from_fn(|_| Server { life: 1, ..Server::default() }),
            sent: Vec::new(),
        }
    }

    pub(super) fn run(mut self, ops: &[Op]) -> Vec<Record> {
        ops.iter().filter_map(|op| self.step(op)).collect()
    }

    fn step(&mut self, op: &Op) -> Option<Record> {
        match *op {
            Op::Beat { server } => Some(self.recorded(|play| {
                play.beat(server);
                None
            })),
            Op::Resign { server } => {
                let (incarnation, epoch) = (self.incarnation(server), self.servers[server].term);
                self.sessions.resign(&Resign { utype: seat(host(server)), incarnation, epoch });
                self.start_over(server);
                None
            }
            Op::NewLife { server } => {
                self.start_over(server);
                None
            }
            Op::Forget => {
                self.generation += 1;
                self.sessions.restart_empty(self.now, self.generation);
                None
            }
            Op::Pass { ms } => {
                let span = Duration::from_millis(ms);
                self.now = StoreNow { wall: self.now.wall + span, steady: self.now.steady + span };
                None
            }
            Op::Learn { server } => Some(self.recorded(|play| {
                play.evict();
                play.learn(server);
                None
            })),
            Op::Ask { server, .. } if self.servers[server].term == Epoch::NONE => self.step(&Op::Beat { server }),
            Op::Ask { server, wish, fresh, late } => {
                let Server { term, version, .. } = self.servers[server];
                if fresh || version == 0 {
                    self.learn(server);
                }
                let by = Owner { server: host(server), term };
                let (tag, members) = (self.sent.len() as u32, self.servers[server].version);
                let what = self.what(server, wish)?;
                self.sent.push((server, Operation { by, tag, members, what }));
                (!late).then(|| self.arrive(self.sent.len() - 1))
            }
            Op::Arrive { which } => {
                (!self.sent.is_empty()).then(|| self.arrive(self.sent.len() - 1 - which % self.sent.len()))
            }
        }
    }

    fn recorded(&mut self, step: impl FnOnce(&mut Self) -> Option<(Operation, Outcome, Effect)>) -> Record {
        let (now, before) = (self.now, self.tables());
        let operation = step(self);
        Record { now, operation, before, after: self.tables() }
    }

    fn tables(&self) -> Tables {
        let (found, held) = (self.jobs.due().collect(), self.jobs.held().collect());
        Tables { sessions: self.sessions.clone(), members: self.members.clone(), jobs: self.jobs.clone(), found, held }
    }

    fn incarnation(&self, server: usize) -> Incarnation {
        Incarnation { mint: server as u64 + 1, life: self.servers[server].life }
    }

    fn start_over(&mut self, server: usize) {
        let Server { life, seq, .. } = self.servers[server];
        self.servers[server] = Server { life: life + 1, seq, ..Server::default() };
    }

    fn learn(&mut self, server: usize) {
        let server = &mut self.servers[server];
        (server.version, server.members) = (self.members.version(), self.members.iter().collect());
        server.rows = self.jobs.rows().map(|row| *row.view()).collect();
    }

    /// As a candidate does it: it claims what it read as empty, and starts over when it is not renewed. Who is granted a
    /// session joins.
    fn beat(&mut self, server: usize) {
        let (utype, incarnation) = (seat(host(server)), self.incarnation(server));
        let epoch = self.servers[server].term;
        let token = (epoch == Epoch::NONE).then(|| self.read(server));
        self.servers[server].seq += 1;
        let seq = self.servers[server].seq;
        let claim = Claim { utype, incarnation, host: host(server), seq, sent_at: Instant::ZERO, epoch, token };
        match self.sessions.heartbeat(&claim, self.now).0 {
            Accepted::Granted(epoch) => {
                self.left(host(server));
                self.members.change(MemberChange::Joined(host(server)));
                self.servers[server].term = epoch;
            }
            Accepted::Renewed(_) => {}
            Accepted::Refused if epoch == Epoch::NONE => {}
            Accepted::Refused => self.start_over(server),
        }
    }

    fn read(&mut self, server: usize) -> Token {
        let asker = self.incarnation(server);
        let query = Query { utype: seat(host(server)), asker, tag: 0, sent_at: Instant::ZERO };
        self.sessions.query(&query, self.now).row.token()
    }

    fn left(&mut self, server: Host) {
        if self.members.change(MemberChange::Left(server)) {
            self.jobs.left(server);
        }
    }

    /// Members whose session is over leave.
    fn evict(&mut self) {
        let (sessions, now) = (&mut self.sessions, self.now);
        let over: Vec<Host> = self.members.iter().filter(|server| expire(seat(*server), sessions, now)).collect();
        over.into_iter().for_each(|server| self.left(server));
    }

    /// What a wish comes to; nothing where it is about a row, or a member, that the server does not know.
    fn what(&self, server: usize, wish: Wish) -> Option<What> {
        let known = &self.servers[server];
        let by = Owner { server: host(server), term: known.term };
        let count = known.rows.len().max(1);
        let view = |row: u32| known.rows.get(row as usize % count);
        let own = |row: u32| (0..count as u32).filter_map(|n| view(row + n)).find(|row| row.owner == Some(by));
        let home = |n: usize| known.members.get(n % known.members.len().max(1)).copied();
        Some(match wish {
            Wish::Insert { job, skips, again, kind, home: n } => {
                let job = JobId(job % JOBS);
                let newest = (1..).find(|number| self.jobs.row_of(job, *number).is_none())? - 1;
                let number = if again { newest.max(1) } else { newest + 1 + skips };
                let action = Action { job, number, kind, spec: Spec::default() };
                What::Insert { action, home: home(n)? }
            }
            Wish::Claim { row } => {
                let row = view(row)?;
                What::Claim { row: row.id, version: row.version }
            }
            Wish::Change { row, change, home: n } => {
                let RowView { id: row, epoch, version, .. } = *own(row).or(view(row))?;
                What::Change { row, epoch, version, change: change(home(n)?) }
            }
            Wish::Work { row } => match own(row) {
                Some(&RowView { id: row, epoch, version, phase, kind, waiting, .. }) => {
                    let change = match phase {
                        Phase::Pending if kind.starts() => Change::Intend,
                        Phase::Pending if kind == Kind::Revoke => Change::Run,
                        Phase::Starting => Change::Run,
                        Phase::Running if waiting > 0 => Change::Advance,
                        Phase::Running => Change::Retry,
                        _ => Change::End(Verdict::Cancelled),
                    };
                    What::Change { row, epoch, version, change }
                }
                None => self.what(server, Wish::Claim { row })?,
            },
        })
    }

    /// As the store does it: first, members whose session is over leave. The asker sees the row in the answer.
    fn arrive(&mut self, at: usize) -> Record {
        self.evict();
        let (server, operation) = self.sent[at];
        self.recorded(|play| {
            let (outcome, effect) = play.jobs.operate(&operation, &mut play.sessions, &play.members, play.now);
            let known = &mut play.servers[server];
            if let Some(row) = outcome.row
                && known.term == operation.by.term
            {
                match known.rows.iter_mut().find(|known| known.id == row.id) {
                    Some(known) if known.version < row.version => *known = row,
                    Some(_) => {}
                    None => known.rows.push(row),
                }
            }
            Some((operation, outcome, effect))
        })
    }
}

pub(super) const fn host(server: usize) -> Host {
    Host(server as u16)
}

/// Hardened and published rules, and those that differ from them in one decision.
pub(super) fn any_rules() -> impl Strategy<Value = Rules> {
    let value = |rules: Rules| serde_json::to_value(rules).expect("rules are data");
    let rules = |value: Value| serde_json::from_value::<Rules>(value).expect("a switched rule set is a rule set");
    let (published, hardened) = (value(Rules::published()), value(Rules::hardened()));
    let mut sets = vec![Rules::published(), Rules::hardened()];
    for field in published.as_object().expect("rules are an object").keys() {
        for (base, other) in [(&published, &hardened), (&hardened, &published)] {
            let mut switched = base.clone();
            switched[field] = other[field].clone();
            sets.push(rules(switched));
        }
    }
    select(sets)
}

/// At first every server has a session and two jobs are written down, since nothing is carried out for who holds none or
/// about none.
pub(super) fn any_ops() -> impl Strategy<Value = Vec<Op>> {
    let insert = |job| Wish::Insert { job, skips: 0, again: false, kind: Kind::Start, home: job as usize };
    let beats = (0..SERVERS).map(|server| Op::Beat { server });
    let inserts = [0, 1].map(|job| Op::Ask { server: 0, wish: insert(job), fresh: true, late: false });
    let begin: Vec<_> = beats.chain(inserts).collect();
    prop::collection::vec(any_op(), 1..240).prop_map(move |ops| [begin.clone(), ops].concat())
}

fn any_op() -> impl Strategy<Value = Op> {
    let server = || 0..SERVERS;
    prop_oneof![
        60 => server().prop_map(|server| Op::Beat { server }),
        2 => server().prop_map(|server| Op::Resign { server }),
        1 => server().prop_map(|server| Op::NewLife { server }),
        1 => Just(Op::Forget),
        8 => select(&SPANS[..]).prop_map(|ms| Op::Pass { ms }),
        20 => server().prop_map(|server| Op::Learn { server }),
        200 => (server(), any_wish(), prop::bool::weighted(0.6), prop::bool::weighted(0.2))
            .prop_map(|(server, wish, fresh, late)| Op::Ask { server, wish, fresh, late }),
        60 => (0..6_usize).prop_map(|which| Op::Arrive { which }),
    ]
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let row = || 0..JOBS;
    let home = || 0..SERVERS;
    let kinds = [Kind::Start, Kind::Restart, Kind::Revoke, Kind::Cancel, Kind::Abort, Kind::ForcedStop];
    let changes: [fn(Host) -> Change; 12] = [
        |_| Change::Intend,
        |_| Change::Intend,
        |_| Change::Run,
        |_| Change::Run,
        |_| Change::Retry,
        |_| Change::End(Verdict::Done),
        |_| Change::End(Verdict::Failed),
        |_| Change::End(Verdict::Cancelled),
        |_| Change::Advance,
        |home| Change::Release { home },
        |home| Change::Forward { home },
        |_| Change::Delete,
    ];
    prop_oneof![
        6 => (row(), select(&[0, 0, 0, 0, 1][..]), prop::bool::weighted(0.1), select(kinds.to_vec()), home())
            .prop_map(|(job, skips, again, kind, home)| Wish::Insert { job, skips, again, kind, home }),
        6 => row().prop_map(|row| Wish::Claim { row }),
        12 => row().prop_map(|row| Wish::Work { row }),
        10 => (row(), select(changes.to_vec()), home())
            .prop_map(|(row, change, home)| Wish::Change { row, change, home }),
    ]
}
