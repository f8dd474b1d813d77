//! Laws of the resource center and of its transfers, whatever is asked, lost, repeated, delayed or damaged.
//!
//! Method: random requests, collections, restarts and times are played on a real [`ResourceCenter`] under all rules.
//! Each becomes one [`Record`]; each law is a judge of records, and hardened rules must answer as a plain model does.
//! Transfers run over a wire that does to each message what it is told, at every place in turn and at random. What each
//! judge must convict is planted below the laws.

mod transfers;
mod wire;

use crate::settings::fixed;
use failproof_core::distribution::resources::{
    Answer, CenterConfig, Chunk, Collection, ContentId, Holder, Request, ResourceCenter, ResourceError, Rules, Serving,
    Verification, What,
};
use failproof_core::{Duration, Instant};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};

/// Lengths around those of chunks.
const LENGTHS: [usize; 7] = [0, 1, 3, 4, 5, 8, 13];
const CHUNK: u8 = 4;
const SIZE_MAX: u32 = 13;
const CAPACITY: u64 = 24;
const GRACE: Duration = Duration::from_secs(10);

/// The bytes of a content. No two contents are equal.
fn bytes(content: usize) -> Vec<u8> {
    (0..LENGTHS[content]).map(|at| (content * 31 + at * 7) as u8).collect()
}

fn id(content: usize) -> ContentId {
    ContentId::of(&bytes(content))
}

/// Which content has this name.
fn content_of(id: ContentId) -> usize {
    (0..LENGTHS.len()).find(|content| self::id(*content) == id).expect("one of those there are")
}

fn center(rules: Rules) -> ResourceCenter {
    ResourceCenter::new(CenterConfig { size_max: SIZE_MAX, capacity: CAPACITY, grace: GRACE, rules })
}

/// All combinations of decisions.
fn rule_sets() -> Vec<Rules> {
    let mut sets = Vec::new();
    for verification in [Verification::None, Verification::Sha256] {
        for serving in [Serving::Partial, Serving::WholeOnly] {
            for collection in [Collection::ByAge, Collection::Unreferenced] {
                sets.push(Rules { verification, serving, collection });
            }
        }
    }
    sets
}

/// One thing that happens to the center.
#[derive(Clone, Debug)]
enum Op {
    /// An upload begins; its size is told as so many bytes more or less than it is.
    Begin {
        content: usize,
        off: i32,
    },
    /// Bytes that may be damaged, or reach beyond the end.
    Put {
        content: usize,
        offset: u32,
        length: usize,
        damaged: bool,
    },
    /// An upload that ends after so many chunks.
    Upload {
        content: usize,
        chunks: usize,
        damaged: bool,
    },
    Read {
        content: usize,
        offset: u32,
    },
    Reference {
        holder: u64,
        content: usize,
    },
    Release {
        holder: u64,
        content: usize,
    },
    Collect,
    Restart,
    Pass {
        s: u64,
    },
}

/// What happened, and the center before and after.
#[derive(Clone, Debug)]
struct Record {
    now: Instant,
    what: Happened,
    before: ResourceCenter,
    after: ResourceCenter,
}

#[derive(Clone, Debug)]
enum Happened {
    Served(Request, Answer),
    Collected(Vec<ContentId>),
    Restarted,
}

struct Play {
    center: ResourceCenter,
    now: Instant,
    tag: u32,
    records: Vec<Record>,
}

impl Play {
    fn run(rules: Rules, ops: &[Op]) -> Vec<Record> {
        let mut play = Self { center: center(rules), now: Instant::ZERO, tag: 0, records: Vec::new() };
        ops.iter().for_each(|op| play.step(op));
        play.records
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Begin { content, off } => {
                let size = (LENGTHS[content] as u32).saturating_add_signed(off);
                self.ask(content, What::Begin { size });
            }
            Op::Put { content, offset, length, damaged } => {
                let longer = [bytes(content), vec![0; 32]].concat();
                let chunk = chunk(&longer[offset as usize..][..length], damaged);
                self.ask(content, What::Put { offset, chunk });
            }
            Op::Upload { content, chunks, damaged } => {
                self.ask(content, What::Begin { size: LENGTHS[content] as u32 });
                let all = bytes(content);
                for (at, piece) in all.chunks(usize::from(CHUNK)).enumerate().take(chunks) {
                    let offset = (at * usize::from(CHUNK)) as u32;
                    self.ask(content, What::Put { offset, chunk: chunk(piece, damaged) });
                }
            }
            Op::Read { content, offset } => self.ask(content, What::Read { offset, length: CHUNK }),
            Op::Reference { holder, content } => self.ask(content, What::Reference { holder: Holder(holder) }),
            Op::Release { holder, content } => self.ask(content, What::Release { holder: Holder(holder) }),
            Op::Collect => {
                let before = self.center.clone();
                let collected = self.center.collect(self.now);
                self.note(before, Happened::Collected(collected));
            }
            Op::Restart => {
                let before = self.center.clone();
                self.now = Instant::ZERO;
                self.center.restart(self.now);
                self.note(before, Happened::Restarted);
            }
            Op::Pass { s } => self.now = self.now + Duration::from_secs(s),
        }
    }

    fn ask(&mut self, content: usize, what: What) {
        let request = Request { id: id(content), tag: self.tag, what };
        self.tag += 1;
        let before = self.center.clone();
        let reply = self.center.serve(&request, self.now);
        assert_eq!((reply.id, reply.tag), (request.id, request.tag), "an answer names its request");
        self.note(before, Happened::Served(request, reply.answer));
    }

    fn note(&mut self, before: ResourceCenter, what: Happened) {
        self.records.push(Record { now: self.now, what, before, after: self.center.clone() });
    }
}

fn chunk(bytes: &[u8], damaged: bool) -> Chunk {
    let mut bytes = bytes.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first ^= u8::from(damaged);
    }
    Chunk::first_of(&bytes)
}

fn any_op() -> impl Strategy<Value = Op> {
    let content = || 0..LENGTHS.len();
    let holder = || 0..3_u64;
    prop_oneof![
        2 => (content(), select(&[0, 0, 0, 0, -1, 1, 9][..])).prop_map(|(content, off)| Op::Begin { content, off }),
        4 => (content(), 0..14_u32, 0..9_usize, prop::bool::weighted(0.2))
            .prop_map(|(content, offset, length, damaged)| Op::Put { content, offset, length, damaged }),
        5 => (content(), 0..6_usize, prop::bool::weighted(0.2))
            .prop_map(|(content, chunks, damaged)| Op::Upload { content, chunks, damaged }),
        4 => (content(), 0..14_u32).prop_map(|(content, offset)| Op::Read { content, offset }),
        4 => (holder(), content()).prop_map(|(holder, content)| Op::Reference { holder, content }),
        2 => (holder(), content()).prop_map(|(holder, content)| Op::Release { holder, content }),
        3 => Just(Op::Collect),
        1 => Just(Op::Restart),
        3 => select(&[0, 1, 5, 9, 10, 11, 100][..]).prop_map(|s| Op::Pass { s }),
    ]
}

fn any_ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(any_op(), 1..60)
}

fn any_rules() -> impl Strategy<Value = Rules> {
    select(rule_sets())
}

type Judgement = Result<(), String>;

fn convict(evidence: String) -> Judgement {
    Err(evidence)
}

/// A plain account of what hardened rules owe: which contents are whole, what has come of the others, and who refers to
/// what. It knows the bytes of each content and needs no digest.
#[derive(Default)]
struct Model {
    whole: BTreeMap<usize, Instant>,
    staged: BTreeMap<usize, (u32, Vec<u8>, Instant)>,
    references: BTreeSet<(Holder, usize)>,
}

impl Model {
    fn used(&self) -> u64 {
        let whole: usize = self.whole.keys().map(|content| LENGTHS[*content]).sum();
        whole as u64 + self.staged.values().map(|(size, ..)| u64::from(*size)).sum::<u64>()
    }

    fn answer(&mut self, request: &Request, now: Instant) -> Answer {
        let content = content_of(request.id);
        let all = bytes(content);
        match request.what {
            What::Begin { .. } if self.whole.contains_key(&content) => {
                self.whole.insert(content, now);
                Answer::Whole
            }
            What::Begin { size } => {
                let known = self.staged.get(&content).is_some_and(|(former, ..)| *former == size);
                let former = self.staged.get(&content).map_or(0, |(former, ..)| u64::from(*former));
                let free = CAPACITY - (self.used() - former);
                if !known && size > SIZE_MAX {
                    return Answer::Refused(ResourceError::TooLarge { size, size_max: SIZE_MAX });
                }
                if !known && u64::from(size) > free {
                    return Answer::Refused(ResourceError::Full { size, free });
                }
                let came = if known { self.staged[&content].1.clone() } else { Vec::new() };
                self.come(content, size, came, now)
            }
            What::Put { offset, chunk } if self.whole.contains_key(&content) => {
                let end = offset as usize + chunk.as_bytes().len();
                if all.get(offset as usize..end) != Some(chunk.as_bytes()) {
                    return Answer::Refused(ResourceError::Differs);
                }
                self.whole.insert(content, now);
                Answer::Whole
            }
            What::Put { offset, chunk } => {
                let Some((size, mut came, _)) = self.staged.get(&content).cloned() else {
                    return Answer::Refused(ResourceError::Missing);
                };
                let places = (offset as usize..).zip(chunk.as_bytes());
                if offset as usize + chunk.as_bytes().len() > size as usize {
                    self.staged.remove(&content);
                    return Answer::Refused(ResourceError::Corrupt);
                }
                if places.clone().any(|(place, byte)| came.get(place).is_some_and(|there| there != byte)) {
                    return Answer::Refused(ResourceError::Differs);
                }
                for (place, byte) in places {
                    if place == came.len() {
                        came.push(*byte);
                    }
                }
                self.come(content, size, came, now)
            }
            What::Read { offset, length } => match self.whole.get(&content) {
                None => Answer::Refused(ResourceError::Missing),
                Some(_) => {
                    let piece: Vec<u8> = all.iter().skip(offset as usize).take(usize::from(length)).copied().collect();
                    Answer::Piece { offset, size: all.len() as u32, chunk: Chunk::first_of(&piece) }
                }
            },
            What::Reference { holder } => match self.whole.contains_key(&content) {
                false => Answer::Refused(ResourceError::Missing),
                true => {
                    self.references.insert((holder, content));
                    Answer::Referenced
                }
            },
            What::Release { holder } => {
                let did = self.references.remove(&(holder, content));
                if did && self.references.iter().all(|(_, other)| *other != content) {
                    self.whole.insert(content, now);
                }
                Answer::Released
            }
        }
    }

    /// So many bytes of a content have come.
    fn come(&mut self, content: usize, size: u32, came: Vec<u8>, now: Instant) -> Answer {
        let next = came.len() as u32;
        if next < size {
            self.staged.insert(content, (size, came, now));
            return Answer::Staged { next };
        }
        self.staged.remove(&content);
        if came != bytes(content) {
            return Answer::Refused(ResourceError::Corrupt);
        }
        self.whole.insert(content, now);
        Answer::Whole
    }

    fn collect(&mut self, now: Instant) -> BTreeSet<ContentId> {
        let is_old = |wanted_at: Instant| now.since(wanted_at) >= GRACE;
        let referenced: BTreeSet<usize> = self.references.iter().map(|(_, content)| *content).collect();
        self.staged.retain(|_, (.., wanted_at)| !is_old(*wanted_at));
        let over = |(content, wanted_at): (&usize, &Instant)| {
            (is_old(*wanted_at) && !referenced.contains(content)).then_some(*content)
        };
        let collected: Vec<usize> = self.whole.iter().filter_map(over).collect();
        self.whole.retain(|content, _| !collected.contains(content));
        collected.into_iter().map(id).collect()
    }
}

/// Judges that each answer and each collection is the model's, and so is what can be seen of the center.
fn as_the_model(records: &[Record]) -> Judgement {
    let mut model = Model::default();
    for Record { now, what, after, .. } in records {
        match what {
            Happened::Served(request, answer) => {
                let expected = model.answer(request, *now);
                if *answer != expected {
                    return convict(format!("{request:?}: {answer:?}, and not {expected:?}"));
                }
            }
            Happened::Collected(collected) => {
                let expected = model.collect(*now);
                if !expected.iter().eq(collected) {
                    return convict(format!("collected {collected:?}, and not {expected:?}"));
                }
            }
            Happened::Restarted => {
                model.whole.values_mut().for_each(|wanted_at| *wanted_at = *now);
                model.staged.values_mut().for_each(|(.., wanted_at)| *wanted_at = *now);
            }
        }
        for content in 0..LENGTHS.len() {
            let expected = model.whole.contains_key(&content).then(|| bytes(content));
            if after.shown(id(content)) != expected.as_deref() {
                return convict(format!("{content} is {:?}, and not {expected:?}", after.shown(id(content))));
            }
            let referenced = model.references.iter().any(|(_, other)| *other == content);
            if after.is_referenced(id(content)) != referenced {
                return convict(format!("{content} is referred to: {}", !referenced));
            }
        }
        let references: BTreeSet<_> = after.references().map(|(holder, id)| (holder, content_of(id))).collect();
        if references != model.references || after.used() != model.used() || after.used() > CAPACITY {
            return convict(format!("{references:?} in {} bytes, and not {}", after.used(), model.used()));
        }
    }
    Ok(())
}

/// Judges that nothing is served of a content that is not whole. It keeps its own list of those that are.
fn serves_nothing_half_written(records: &[Record]) -> Judgement {
    let mut whole = BTreeSet::new();
    for Record { what, .. } in records {
        match what {
            Happened::Served(request, Answer::Whole) => {
                whole.insert(request.id);
            }
            Happened::Served(request, answer @ Answer::Piece { .. }) if !whole.contains(&request.id) => {
                return convict(format!("{answer:?} of {}, which is not whole", content_of(request.id)));
            }
            Happened::Served(..) | Happened::Restarted => {}
            Happened::Collected(collected) => whole.retain(|id| !collected.contains(id)),
        }
    }
    Ok(())
}

/// Judges that what is served are the bytes that the name stands for.
fn serves_what_the_name_says(records: &[Record]) -> Judgement {
    for Record { what, .. } in records {
        if let Happened::Served(request, answer @ Answer::Piece { offset, size, chunk }) = what {
            let all = bytes(content_of(request.id));
            let expected = all.get(*offset as usize..).unwrap_or_default();
            if *size as usize != all.len() || !expected.starts_with(chunk.as_bytes()) {
                return convict(format!("{answer:?} of {all:?}"));
            }
        }
    }
    Ok(())
}

/// Judges that what a job refers to stays. It keeps its own list of references, by what the jobs were answered.
fn keeps_what_is_referred_to(records: &[Record]) -> Judgement {
    let mut references = BTreeSet::new();
    for Record { what, after, .. } in records {
        if let Happened::Served(Request { id, what, .. }, answer) = what {
            match (what, answer) {
                (What::Reference { holder }, Answer::Referenced) => references.insert((*holder, *id)),
                (What::Release { holder }, Answer::Released) => references.remove(&(*holder, *id)),
                _ => false,
            };
        }
        if let Some((holder, id)) = references.iter().find(|(_, id)| after.shown(*id).is_none()) {
            return convict(format!("{holder:?} refers to {}, which is gone after {what:?}", content_of(*id)));
        }
    }
    Ok(())
}

/// Judges that a refused request changes nothing, except that what is corrupt is discarded.
fn refused_changes_nothing(records: &[Record]) -> Judgement {
    for Record { what, before, after, .. } in records {
        if let Happened::Served(request, Answer::Refused(error)) = what
            && *error != ResourceError::Corrupt
            && before != after
        {
            return convict(format!("{request:?} was refused ({error}), but\n{before:?}\nbecame\n{after:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_hardened_center_answers_as_the_model_does(ops in any_ops()) {
        prop_assert_eq!(as_the_model(&Play::run(Rules::hardened(), &ops)), Ok(()));
    }

    #[test]
    fn nothing_half_written_is_served(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { serving: Serving::WholeOnly, ..rules };
        prop_assert_eq!(serves_nothing_half_written(&Play::run(rules, &ops)), Ok(()), "{:?}", rules);
    }

    #[test]
    fn what_is_served_has_the_digest_that_it_is_named_by(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { serving: Serving::WholeOnly, verification: Verification::Sha256, ..rules };
        prop_assert_eq!(serves_what_the_name_says(&Play::run(rules, &ops)), Ok(()), "{:?}", rules);
    }

    #[test]
    fn what_a_job_refers_to_is_never_collected(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { collection: Collection::Unreferenced, ..rules };
        prop_assert_eq!(keeps_what_is_referred_to(&Play::run(rules, &ops)), Ok(()), "{:?}", rules);
    }

    #[test]
    fn a_refused_request_changes_nothing(rules in any_rules(), ops in any_ops()) {
        prop_assert_eq!(refused_changes_nothing(&Play::run(rules, &ops)), Ok(()), "{:?}", rules);
    }
}

/// The content of 13 bytes: four chunks, the last one of one byte.
const LONG: usize = 6;

/// One published decision, a sequence, and the judge that convicts it. With the hardened decision in its place the same
/// sequence is judged well.
#[test]
fn each_published_decision_is_convicted() {
    let upload = |chunks, damaged| Op::Upload { content: LONG, chunks, damaged };
    let read = Op::Read { content: LONG, offset: 0 };
    let partial = Rules { serving: Serving::Partial, ..Rules::hardened() };
    let believing = Rules { verification: Verification::None, ..Rules::hardened() };
    let by_age = Rules { collection: Collection::ByAge, ..Rules::hardened() };
    let half = [upload(3, false), read.clone()];
    let damaged = [upload(4, true), read];
    let refer = Op::Reference { holder: 1, content: LONG };
    let held = [upload(4, false), refer, Op::Pass { s: 10 }, Op::Collect];
    type Judge = fn(&[Record]) -> Judgement;
    let cases: [(Rules, &[Op], Judge); 4] = [
        (partial, &half, serves_nothing_half_written),
        (partial, &half, serves_what_the_name_says),
        (believing, &damaged, serves_what_the_name_says),
        (by_age, &held, keeps_what_is_referred_to),
    ];
    for (rules, ops, judge) in cases {
        assert!(judge(&Play::run(rules, ops)).is_err(), "{rules:?}");
        assert!(as_the_model(&Play::run(rules, ops)).is_err(), "{rules:?}: the model sees it too");
        let hardened = Play::run(Rules::hardened(), ops);
        assert_eq!((judge(&hardened), as_the_model(&hardened)), (Ok(()), Ok(())), "{ops:?}");
    }
}

/// No rule breaks this law, so a record is altered: an upload that begins is told as refused.
#[test]
fn judge_of_refusals_convicts_an_altered_record() {
    let mut records = Play::run(Rules::hardened(), &[Op::Begin { content: LONG, off: 0 }]);
    assert_eq!(refused_changes_nothing(&records), Ok(()));
    let Happened::Served(_, answer) = &mut records[0].what else { panic!("a request") };
    *answer = Answer::Refused(ResourceError::Missing);
    assert!(refused_changes_nothing(&records).is_err());
    assert!(as_the_model(&records).is_err());
}

/// The random sequences reach what the laws speak of; else the laws would hold by idleness.
#[test]
fn sequences_reach_what_the_laws_speak_of() {
    let mut runner = TestRunner::deterministic();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut count = |what, many: bool| *counts.entry(what).or_default() += u32::from(many);
    for _ in 0..256 {
        let ops = any_ops().new_tree(&mut runner).expect("no filter").current();
        for Record { now, what, before, .. } in Play::run(Rules::hardened(), &ops) {
            match what {
                Happened::Served(request, answer) => {
                    let is_put = matches!(request.what, What::Put { .. });
                    let was_there = before.shown(request.id).is_some();
                    count("whole by a put", is_put && !was_there && answer == Answer::Whole);
                    count("put again", is_put && was_there && answer == Answer::Whole);
                    count("resumed", matches!(answer, Answer::Staged { next: 1.. }) && !is_put);
                    count("pieces", matches!(answer, Answer::Piece { size: 1.., .. }));
                    count("referenced", answer == Answer::Referenced);
                    count("missing", answer == Answer::Refused(ResourceError::Missing));
                    count("corrupt", answer == Answer::Refused(ResourceError::Corrupt));
                    count("differs", answer == Answer::Refused(ResourceError::Differs));
                    count("too large", matches!(answer, Answer::Refused(ResourceError::TooLarge { .. })));
                    count("full", matches!(answer, Answer::Refused(ResourceError::Full { .. })));
                }
                Happened::Collected(collected) => {
                    count("collected", !collected.is_empty());
                    let spared = before.references().any(|(_, id)| !collected.contains(&id));
                    count("spared", spared && now >= Instant::ZERO + GRACE);
                }
                Happened::Restarted => {}
            }
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.len(), 12);
    assert!(counts.values().all(|count| *count >= 20), "{counts:?}");
}

/// The rule sets differ, and those with names are among them.
#[test]
fn resource_rules_are_all_combinations() {
    let sets = rule_sets();
    assert_eq!(sets.len(), 8);
    assert!(sets.iter().enumerate().all(|(at, rules)| !sets[..at].contains(rules)));
    assert!([Rules::published(), Rules::hardened()].iter().all(|rules| sets.contains(rules)));
}
