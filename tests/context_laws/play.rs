//! Random lives of a few servers beside a real heartbeat table and a real context table, written down step by step.

use failproof_core::election::{
    self, Affinity, Claim, Dialect, HeartbeatTable, Outcome as Accepted, Query, Resign, StoreNow, TableConfig, Token,
};
use failproof_core::routing::{
    Alias, Change, ContextId, ContextTable, KEYS, Operation, Outcome, Ownership, Row, Rules, Verdict, What,
};
use failproof_core::{Duration, Epoch, Host, Incarnation, Instant, Utype};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

pub(super) const ALIASES: usize = 3;
/// Actor 3 is another machine that wants the alias of actor 0.
pub(super) const ALIAS_OF: [Alias; 4] = [Alias(0), Alias(1), Alias(2), Alias(0)];
/// How many contexts there are at first, without owners.
const UNOWNED: usize = 1;
/// How many contexts are spoken of.
const IDS: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Times around the term of an alias, in milliseconds.
const SPANS: [u64; 12] = [0, 1, 1, 100, 100, 500, 500, 2_000, 4_999, 5_000, 5_001, 60_000];

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// An actor renews its alias, or claims it.
    Beat { actor: usize },
    /// An actor gives its alias up.
    Resign { actor: usize },
    /// An actor starts over and knows nothing any more.
    NewLife { actor: usize },
    /// The heartbeat table loses its entries.
    Forget,
    /// Time passes.
    Pass { ms: u64 },
    /// An actor sends an operation, which is carried out now, or is only on its way if it is `late`. One that holds no alias
    /// claims it instead.
    Ask { actor: usize, wish: Wish, late: bool },
    /// An operation that was sent before arrives, for the first time or again; counted back from the newest one, and round.
    Arrive { which: usize },
}

/// What an actor asks, in its term and in the epoch in which it owns the context. A change or a
/// handing over of a context that it does not own is about another one that it owns; without one, it asks to own this one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    Create {
        request: (u16, u32),
        backup: Alias,
    },
    Adopt {
        id: ContextId,
        backup: Alias,
    },
    Load {
        id: ContextId,
        main_gone: bool,
    },
    /// A change with this number; without one, with a larger one than any before.
    Write {
        id: ContextId,
        key: u8,
        seq: Option<u32>,
    },
    Give {
        id: ContextId,
    },
    Repair {
        id: ContextId,
        backup: Alias,
    },
}

/// One step of the store, with all that it held before and after.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) now: StoreNow,
    pub(super) operation: Option<(Operation, Outcome, Change)>,
    pub(super) claim: Option<(Claim, Accepted)>,
    pub(super) before: Tables,
    pub(super) after: Tables,
}

#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) heartbeats: HeartbeatTable,
    pub(super) contexts: ContextTable,
    /// How many contexts name each alias, as the context table counts them.
    pub(super) loads: [u32; ALIASES],
}

impl Record {
    /// Each row as it is after this step, with what it was before.
    pub(super) fn rows(&self) -> impl Iterator<Item = (ContextId, Option<&Row>, &Row)> {
        let before = self.before.contexts.rows();
        self.after.contexts.rows().iter().enumerate().map(|(id, row)| (ContextId(id as u32), before.get(id), row))
    }
}

/// Both tables, and what the actors remember.
pub(super) struct Play {
    rules: Rules,
    heartbeats: HeartbeatTable,
    contexts: ContextTable,
    now: StoreNow,
    generation: u32,
    actors: [Actor; ALIAS_OF.len()],
    sent: Vec<Sent>,
}

#[derive(Clone, Copy, Default)]
struct Actor {
    life: u32,
    seq: u32,
    term: Epoch,
    /// The epoch in which it was granted each context, as far as it heard.
    known: [Option<u32>; IDS],
    /// The last epoch in which it gave each context up, and how much had been sent then.
    given: [(u32, usize); IDS],
}

#[derive(Clone, Copy)]
struct Sent {
    actor: usize,
    life: u32,
    operation: Operation,
}

impl Play {
    pub(super) fn new(rules: Rules) -> Self {
        Self::with(rules, election::Rules::hardened())
    }

    /// The same with an election by other rules.
    pub(super) fn with(rules: Rules, election: election::Rules) -> Self {
        let config = TableConfig {
            utypes: ALIASES,
            heartbeat_timeout: TIMEOUT,
            longest_term: TIMEOUT,
            rules: election,
            dialect: Dialect::Sql,
            affinity: Affinity::default(),
        };
        let start = Instant::from_micros(1_000_000_000_000);
        Self {
            rules,
            heartbeats: HeartbeatTable::new(config).expect("the longest term is the only one"),
            contexts: ContextTable::new(rules, ALIASES, UNOWNED, IDS),
            now: StoreNow { wall: start, steady: start },
            generation: 0,
            actors: [Actor { life: 1, ..Actor::default() }; ALIAS_OF.len()],
            sent: Vec::new(),
        }
    }

    pub(super) fn run(mut self, ops: &[Op]) -> Vec<Record> {
        ops.iter().filter_map(|op| self.step(op)).collect()
    }

    fn step(&mut self, op: &Op) -> Option<Record> {
        match *op {
            Op::Beat { actor } => {
                let before = self.tables();
                let claim = self.beat(actor);
                Some(Record { now: self.now, operation: None, claim: Some(claim), before, after: self.tables() })
            }
            Op::Resign { actor } => {
                let Actor { term: epoch, .. } = self.actors[actor];
                self.heartbeats.resign(&Resign { utype: utype(actor), incarnation: self.incarnation(actor), epoch });
                self.start_over(actor);
                None
            }
            Op::NewLife { actor } => {
                self.start_over(actor);
                None
            }
            Op::Forget => {
                self.generation += 1;
                self.heartbeats.restart_empty(self.now, self.generation);
                None
            }
            Op::Pass { ms } => {
                let span = Duration::from_millis(ms);
                self.now = StoreNow { wall: self.now.wall + span, steady: self.now.steady + span };
                None
            }
            Op::Ask { actor, .. } if self.actors[actor].term == Epoch::NONE => self.step(&Op::Beat { actor }),
            Op::Ask { actor, wish, late } => {
                let what = self.what(actor, wish);
                let Actor { term, life, .. } = self.actors[actor];
                let (alias, host, tag) = (ALIAS_OF[actor], host(actor), self.sent.len() as u32);
                self.sent.push(Sent { actor, life, operation: Operation { alias, host, term, tag, what } });
                (!late).then(|| self.arrive(self.sent.len() - 1))
            }
            Op::Arrive { which } => {
                (!self.sent.is_empty()).then(|| self.arrive(self.sent.len() - 1 - which % self.sent.len()))
            }
        }
    }

    fn tables(&self) -> Tables {
        let loads = [0, 1, 2].map(|alias| self.contexts.load(Alias(alias)));
        Tables { heartbeats: self.heartbeats.clone(), contexts: self.contexts.clone(), loads }
    }

    fn incarnation(&self, actor: usize) -> Incarnation {
        Incarnation { mint: actor as u64 + 1, life: self.actors[actor].life }
    }

    fn start_over(&mut self, actor: usize) {
        let Actor { life, seq, .. } = self.actors[actor];
        self.actors[actor] = Actor { life: life + 1, seq, ..Actor::default() };
    }

    /// As a candidate does it: it claims what it read as empty, and starts over when it is not renewed.
    fn beat(&mut self, actor: usize) -> (Claim, Accepted) {
        let incarnation = self.incarnation(actor);
        let epoch = self.actors[actor].term;
        let token = (epoch == Epoch::NONE).then(|| self.read(actor));
        self.actors[actor].seq += 1;
        let seq = self.actors[actor].seq;
        let (utype, host) = (utype(actor), host(actor));
        let claim = Claim { utype, incarnation, host, seq, sent_at: Instant::ZERO, epoch, token };
        let outcome = match self.contexts.admits(&claim, &self.heartbeats) {
            true => self.heartbeats.heartbeat(&claim, self.now).0,
            false => {
                self.heartbeats.refuse(&claim, self.now);
                Accepted::Refused
            }
        };
        match outcome {
            Accepted::Granted(epoch) => {
                self.contexts.granted(ALIAS_OF[actor], host);
                self.actors[actor].term = epoch;
            }
            Accepted::Renewed(_) => {}
            Accepted::Refused if epoch == Epoch::NONE => {}
            Accepted::Refused => self.start_over(actor),
        }
        (claim, outcome)
    }

    fn read(&mut self, actor: usize) -> Token {
        let asker = self.incarnation(actor);
        let query = Query { utype: utype(actor), asker, tag: 0, sent_at: Instant::ZERO };
        self.heartbeats.query(&query, self.now).row.token()
    }

    fn what(&mut self, at: usize, wish: Wish) -> What {
        let sent = self.sent.len();
        let actor = &mut self.actors[at];
        match wish {
            Wish::Create { request, backup } => What::Create { request, backup },
            Wish::Adopt { id, backup } => What::Adopt { id, backup },
            Wish::Load { id, main_gone } => What::Load { id, main_gone, after: actor.given[id.0 as usize].0 },
            Wish::Write { id, key, seq } => match actor.owned(id) {
                Some((id, epoch)) => {
                    let seq = seq.unwrap_or(sent as u32 + 1);
                    let mut content = [0; KEYS];
                    content[usize::from(key)] = seq;
                    What::Write { id, epoch, key, seq, content }
                }
                None => self.what(at, Wish::Load { id, main_gone: false }),
            },
            // It forgets the context before it hands it over, and hears nothing more of what it asked before.
            Wish::Give { id } => match actor.owned(id) {
                Some((id, epoch)) => {
                    actor.known[id.0 as usize] = None;
                    actor.given[id.0 as usize] = (epoch, sent);
                    What::Give { id, epoch }
                }
                None => self.what(at, Wish::Load { id, main_gone: false }),
            },
            Wish::Repair { id, backup } => What::Repair { id, backup },
        }
    }

    fn arrive(&mut self, at: usize) -> Record {
        let before = self.tables();
        let Sent { actor, life, operation } = self.sent[at];
        let (outcome, change) = self.contexts.operate(&operation, &mut self.heartbeats, self.now);
        let asker = &mut self.actors[actor];
        if let (Some(row), What::Load { id, .. } | What::Write { id, .. }) = (outcome.row, operation.what)
            && (asker.life, asker.term) == (life, operation.term)
            && at >= asker.given[id.0 as usize].1
        {
            let serves = self.rules.ownership == Ownership::LastWriter || row.main == operation.alias;
            let own = outcome.verdict == Verdict::Done && serves;
            asker.known[id.0 as usize] = own.then_some(row.epoch);
        }
        let operation = Some((operation, outcome, change));
        Record { now: self.now, operation, claim: None, before, after: self.tables() }
    }
}

impl Actor {
    /// A context that it owns as far as it heard, this one if it can be, and in which epoch.
    fn owned(&self, id: ContextId) -> Option<(ContextId, u32)> {
        let ids = (0..IDS as u32).map(|n| ContextId((id.0 + n) % IDS as u32));
        ids.filter_map(|id| Some((id, self.known[id.0 as usize]?))).next()
    }
}

const fn utype(actor: usize) -> Utype {
    ALIAS_OF[actor].utype()
}

const fn host(actor: usize) -> Host {
    Host(actor as u16)
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

/// At first each alias is claimed and a context created, since nothing is carried out for who holds none or about none.
pub(super) fn any_ops() -> impl Strategy<Value = Vec<Op>> {
    let create = |client, backup| Wish::Create { request: (client, 1), backup: Alias(backup) };
    let beats = (0..ALIASES).map(|actor| Op::Beat { actor });
    let creates = [(0, create(0, 1)), (2, create(1, 2))].map(|(actor, wish)| Op::Ask { actor, wish, late: false });
    let begin: Vec<_> = beats.chain(creates).collect();
    prop::collection::vec(any_op(), 1..240).prop_map(move |ops| [begin.clone(), ops].concat())
}

fn any_op() -> impl Strategy<Value = Op> {
    let actor = || select(&[0, 0, 1, 1, 2, 2, 3][..]);
    prop_oneof![
        60 => actor().prop_map(|actor| Op::Beat { actor }),
        1 => actor().prop_map(|actor| Op::Resign { actor }),
        1 => actor().prop_map(|actor| Op::NewLife { actor }),
        1 => Just(Op::Forget),
        8 => select(&SPANS[..]).prop_map(|ms| Op::Pass { ms }),
        160 => (actor(), any_wish(), prop::bool::weighted(0.3))
            .prop_map(|(actor, wish, late)| Op::Ask { actor, wish, late }),
        80 => (0..6_usize).prop_map(|which| Op::Arrive { which }),
    ]
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let id = || (0..IDS as u32).prop_map(ContextId);
    let alias = || (0..ALIASES as u8).prop_map(Alias);
    prop_oneof![
        1 => (0..2_u16, alias()).prop_map(|(client, backup)| Wish::Create { request: (client, 1), backup }),
        3 => (id(), alias()).prop_map(|(id, backup)| Wish::Adopt { id, backup }),
        12 => (id(), any::<bool>()).prop_map(|(id, main_gone)| Wish::Load { id, main_gone }),
        20 => (id(), 0..KEYS as u8, prop::option::weighted(0.2, 1..100_u32)).prop_map(|(id, key, seq)| Wish::Write { id, key, seq }),
        8 => id().prop_map(|id| Wish::Give { id }),
        3 => (id(), alias()).prop_map(|(id, backup)| Wish::Repair { id, backup }),
    ]
}
