//! What the original HPC Pack HA module answered, case by case.
//!
//! Goal: our published rules are the published protocol. Method: read the vectors taken from the original tests, ask
//! the real [`HeartbeatTable`] and drive real [`Candidate`]s, and compare. A case that cannot be read fails the test by
//! name; so does a name that nobody here knows. `FAILPROOF_VECTORS` names another folder of vectors.

mod health;
mod identity;
mod ring;

use crate::vectors;
use failproof_core::election::{
    Affinity, Answer, Bounds, Candidate, Claim, Config, Dialect, Entry, Event, HeartbeatTable, Input, Message, Outcome,
    Output, Phase, Query, Row, Rules, Start, StoreNow, TableConfig, Target, Token, Work,
};
use failproof_core::{Duration, Epoch, Host, Incarnation, Instant, Machine, Utype};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The whole file. Fields that nobody reads are listed, so that a new one is noticed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "units")]
    _units: String,
    #[serde(default)]
    unit_test_cases: Vec<Value>,
    #[serde(default)]
    derived_grid: Grid,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grid {
    #[serde(rename = "how")]
    _how: String,
    cases: Vec<Value>,
}

/// A row of a table, or the part of one that a case states.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    uuid: Option<String>,
    utype: Option<String>,
    uname: Option<String>,
    ts_ms: Option<Time>,
}

/// Milliseconds relative to the case's zero, or the literal date of an empty entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Time {
    Ms(i64),
    Literal(String),
}

/// A case that is a sequence of requests to one table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableCase {
    #[serde(rename = "impl")]
    dialect: String,
    #[serde(rename = "src")]
    _src: Option<String>,
    name: String,
    #[serde(rename = "T_ms")]
    timeout_ms: u64,
    initial: Option<BTreeMap<String, Stated>>,
    steps: Vec<Step>,
    expected_table: Option<BTreeMap<String, Option<Stated>>>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Heartbeat {
        uuid: String,
        utype: String,
        uname: String,
        #[serde(rename = "lastSeen")]
        last_seen: Option<LastSeen>,
        now: Clock,
        accepted: bool,
    },
    Get {
        utype: String,
        now: Clock,
        result: Expected,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LastSeen {
    Word(String),
    Entry(Stated),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Word(String),
    Entry(Stated),
}

/// The server's time of a step. Steps at "wallclock" do not depend on it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Clock {
    Ms(i64),
    Word(String),
}

/// A case that asks one property of one client.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PropertyCase {
    #[serde(rename = "impl")]
    _impl: String,
    #[serde(rename = "src")]
    _src: Option<String>,
    name: String,
    #[serde(rename = "T_ms")]
    timeout_ms: u64,
    #[serde(rename = "I_ms")]
    interval_ms: u64,
    client: Client,
    #[serde(rename = "affinityType")]
    affinity: String,
    table: Option<Stated>,
    checks_sent_at_ms: Vec<i64>,
    evaluate_at_ms: i64,
    property: String,
    expected: bool,
    #[serde(rename = "note")]
    _note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    uuid: String,
    utype: String,
    uname: String,
}

/// A case that is told in words; its name says what is played.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioCase {
    #[serde(rename = "impl")]
    _impl: String,
    #[serde(rename = "src")]
    _src: Option<String>,
    name: String,
    #[serde(rename = "scenario")]
    _scenario: Option<String>,
    expected: Option<Value>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

/// One point of the grid: a row, and what each table says to every kind of heartbeat about it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GridCase {
    #[serde(rename = "T_ms")]
    timeout_ms: u64,
    row: Stated,
    now: i64,
    now_is_at: String,
    age_ms: i64,
    get: BTreeMap<String, String>,
    heartbeat: Vec<GridHeartbeat>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GridHeartbeat {
    requester: String,
    #[serde(rename = "lastSeen")]
    last_seen: String,
    accepted: BTreeMap<String, Value>,
}

#[test]
fn conformance_with_the_original_unit_tests() {
    let cases = read().unit_test_cases;
    let entries = cases.len();
    let mut names = BTreeSet::new();
    let mut played = 0;
    for case in cases {
        let name = play_unit_test(&case);
        assert!(names.insert(name.clone()), "case {name}: the name appears twice");
        played += 1;
    }
    println!("conformance: {played} unit test cases");
    assert!(played > 0, "the vectors hold no unit test case");
    assert_eq!(played, entries, "some unit test cases were not played");
}

#[test]
fn conformance_with_the_derived_grid() {
    let cases = read().derived_grid.cases;
    let entries: usize = cases.iter().map(cells_of).sum();
    let mut played = 0;
    for (index, case) in cases.into_iter().enumerate() {
        played += play_grid(index, case);
    }
    println!("conformance: {played} cells of the derived grid");
    assert!(played > 0, "the vectors hold no grid cell");
    assert_eq!(played, entries, "some grid cells were not played");
}

/// A judge that cannot convict proves nothing: wrong expectations and unreadable cases must fail.
#[test]
fn conformance_fails_on_a_wrong_or_unreadable_case() {
    let steps = |accepted: bool, op: &str| {
        serde_json::json!({"impl": "sql", "name": "planted", "T_ms": 5000, "initial": null, "expected_table": null,
            "steps": [{"op": op, "uuid": "x", "utype": "A", "uname": "1", "lastSeen": null, "now": 0, "accepted": accepted}]})
    };
    assert_eq!(play_unit_test(&steps(true, "heartbeat")), "sql planted");
    let property = |property: &str, expected: bool| {
        serde_json::json!({"impl": "client", "name": "planted", "T_ms": 1500, "I_ms": 500, "affinityType": "",
            "table": null, "client": {"uuid": "x", "utype": "A", "uname": "1"}, "checks_sent_at_ms": [0], "evaluate_at_ms": 0,
            "property": property, "expected": expected})
    };
    assert_eq!(play_unit_test(&property("RunningAsPrimary", false)), "client planted");
    let mut elsewhere = steps(true, "heartbeat");
    elsewhere["impl"] = "oracle".into();
    let bad = [
        ("planted", steps(false, "heartbeat")),
        ("planted", steps(true, "heartbreak")),
        ("oracle", elsewhere),
        ("planted", property("RunningAsPrimary", true)),
        ("planted", property("AffinityAsPrimary", false)),
        ("planted", property("SleepingAsPrimary", true)),
        ("GetPrimaryTest99", serde_json::json!({"impl": "client", "name": "GetPrimaryTest99", "scenario": "unknown"})),
        ("nameless", serde_json::json!({"impl": "inmemory", "nameless": true})),
    ];
    for (named, case) in bad {
        let verdict = std::panic::catch_unwind(|| play_unit_test(&case));
        let message =
            *verdict.expect_err(&format!("accepted: {case}")).downcast::<String>().expect("a formatted message");
        assert!(message.contains(named), "{message:?} does not name {named:?}");
    }
}

fn read() -> Vectors {
    vectors::read("heartbeat_table.json")
}

/// Plays one case and returns its name.
fn play_unit_test(case: &Value) -> String {
    let word = |field: &str| case.get(field).and_then(Value::as_str);
    let (Some(implementation), Some(name)) = (word("impl"), word("name")) else {
        panic!("a case without impl or name cannot be read: {case}");
    };
    let name = format!("{implementation} {name}");
    match implementation {
        "readme" | "inmemory" | "sql" => play_table(&name, &parse(&name, case)),
        "client" if case.get("property").is_some() => play_property(&name, &parse(&name, case)),
        "client" => play_scenario(&name, &parse(&name, case)),
        other => panic!("case {name}: unknown impl {other:?}"),
    }
    name
}

fn parse<T: for<'de> Deserialize<'de>>(name: &str, case: &Value) -> T {
    T::deserialize(case).unwrap_or_else(|error| panic!("case {name} cannot be read: {error}"))
}

fn dialect_of(name: &str, implementation: &str) -> Dialect {
    match implementation {
        "readme" => Dialect::DesignText,
        "inmemory" => Dialect::InMemory,
        "sql" => Dialect::Sql,
        other => panic!("case {name}: unknown impl {other:?}"),
    }
}

/// The vectors' strings as small integers, and their times on a clock that starts long before them.
struct Border {
    name: String,
    uuids: Vec<String>,
    utypes: Vec<String>,
    unames: Vec<String>,
    zero_ms: i64,
}

/// Noon of a day long after the clock's zero: a whole number of minutes, so that the minute hand moves where it did.
const NOON_MS: i64 = (30 * 24 + 12) * 60 * 60 * 1000;
/// SQL Server's smallest `datetime`, as both originals write an entry that never was. Our clock's zero stands for it.
const NEVER: &str = "1753-01-01";

impl Border {
    fn new(name: &str, zero_ms: i64) -> Self {
        Self { name: name.to_owned(), uuids: Vec::new(), utypes: Vec::new(), unames: Vec::new(), zero_ms }
    }

    /// `None` for the empty uuid, which names nobody.
    fn incarnation(&mut self, uuid: &str) -> Option<Incarnation> {
        (!uuid.is_empty()).then(|| Incarnation { mint: intern(&mut self.uuids, uuid) as u64 + 1, life: 1 })
    }

    fn somebody(&mut self, uuid: &str) -> Incarnation {
        self.incarnation(uuid).unwrap_or_else(|| panic!("case {}: an entry or request without a uuid", self.name))
    }

    fn utype(&mut self, utype: &str) -> Utype {
        assert!(!utype.is_empty(), "case {}: an empty utype where one is needed", self.name);
        let index = intern(&mut self.utypes, utype);
        assert!(index < Utype::MAX, "case {}: more utypes than a table serves", self.name);
        Utype(index as u16)
    }

    /// Machine names that differ only in case are one host.
    fn host(&mut self, uname: &str) -> Host {
        Host(intern(&mut self.unames, &uname.to_lowercase()) as u16)
    }

    fn instant(&self, ms: i64) -> Instant {
        let ms = u64::try_from(self.zero_ms + ms)
            .unwrap_or_else(|_| panic!("case {}: {ms} ms is before the clock's zero", self.name));
        Instant::from_micros(ms * 1000)
    }

    fn time(&self, time: &Time) -> Instant {
        match time {
            Time::Ms(ms) => self.instant(*ms),
            Time::Literal(date) if date.starts_with(NEVER) => Instant::ZERO,
            Time::Literal(other) => panic!("case {}: unknown time {other:?}", self.name),
        }
    }

    fn clock(&self, clock: &Clock) -> StoreNow {
        match clock {
            Clock::Ms(ms) => at(self.instant(*ms)),
            Clock::Word(word) if word == "wallclock" => at(self.instant(0)),
            Clock::Word(other) => panic!("case {}: unknown time {other:?}", self.name),
        }
    }

    /// A stored entry. It is a whole one: every field must be stated.
    fn entry(&mut self, stated: &Stated, timeout: Duration) -> Entry {
        let Stated { uuid: Some(uuid), ts_ms: Some(ts), uname, .. } = stated else {
            panic!("case {}: a stored row needs uuid and ts_ms: {stated:?}", self.name);
        };
        let stamp = self.time(ts);
        Entry {
            incarnation: self.somebody(uuid),
            host: self.host(uname.as_deref().unwrap_or_default()),
            epoch: Epoch { generation: 0, counter: 1 },
            seq: 0,
            term: timeout,
            stamp,
            accepted_at: stamp,
            version: 1,
            answered_empty: false,
        }
    }

    fn token(&mut self, stated: &Stated, utype: &str) -> Token {
        let uuid = stated.uuid.as_deref().unwrap_or_default();
        let expected_utype = if uuid.is_empty() { "" } else { utype };
        if stated.utype.as_deref().unwrap_or(expected_utype) != expected_utype {
            panic!("case {}: a last seen entry of another kind cannot be sent: {stated:?}", self.name);
        }
        let stamp = stated.ts_ms.as_ref().map_or(Instant::ZERO, |ts| self.time(ts));
        Token { incarnation: self.incarnation(uuid), stamp, version: 0 }
    }
}

fn intern(known: &mut Vec<String>, word: &str) -> usize {
    known.iter().position(|known| known == word).unwrap_or_else(|| {
        known.push(word.to_owned());
        known.len() - 1
    })
}

const fn at(now: Instant) -> StoreNow {
    StoreNow { wall: now, steady: now }
}

fn table(dialect: Dialect, timeout: Duration) -> HeartbeatTable {
    HeartbeatTable::new(TableConfig {
        utypes: Utype::MAX,
        heartbeat_timeout: timeout,
        longest_term: timeout,
        rules: Rules::published(),
        dialect,
        affinity: Affinity::none(),
    })
    .expect("the longest term is the timeout")
}

fn get(table: &mut HeartbeatTable, utype: Utype, now: StoreNow) -> Row {
    table.query(&Query { utype, asker: Incarnation::default(), tag: 1, sent_at: now.wall }, now).row
}

fn play_table(name: &str, case: &TableCase) {
    assert!(name.ends_with(&case.name));
    let dialect = dialect_of(name, &case.dialect);
    let timeout = Duration::from_millis(case.timeout_ms);
    let mut border = Border::new(name, NOON_MS);
    let mut table = table(dialect, timeout);
    for (utype, stated) in case.initial.iter().flatten() {
        let entry = border.entry(stated, timeout);
        table.put(border.utype(utype), Some(entry));
    }
    let mut previous: Option<Row> = None;
    for (number, step) in case.steps.iter().enumerate() {
        match step {
            Step::Get { utype, now, result } => {
                let row = get(&mut table, border.utype(utype), border.clock(now));
                previous = Some(row);
                match result {
                    Expected::Word(word) if word == "empty" => {
                        assert_eq!(row.incarnation, None, "case {name}, step {number}: not empty");
                        if dialect == Dialect::InMemory {
                            assert_eq!(row.stamp, Instant::ZERO, "case {name}, step {number}: not the literal date");
                        }
                    }
                    Expected::Word(other) => panic!("case {name}, step {number}: unknown result {other:?}"),
                    Expected::Entry(stated) => {
                        compare(&mut border, &format!("step {number}"), stated, utype, &row);
                    }
                }
            }
            Step::Heartbeat { uuid, utype, uname, last_seen, now, accepted } => {
                let token = match last_seen {
                    None => None,
                    Some(LastSeen::Entry(stated)) => Some(border.token(stated, utype)),
                    Some(LastSeen::Word(word)) if word == "<previous get>" => match &previous {
                        Some(row) => Some(row.token()),
                        None => panic!("case {name}, step {number}: there is no previous get"),
                    },
                    Some(LastSeen::Word(other)) => panic!("case {name}, step {number}: unknown lastSeen {other:?}"),
                };
                let claim = Claim {
                    utype: border.utype(utype),
                    incarnation: border.somebody(uuid),
                    host: border.host(uname),
                    seq: number as u32 + 1,
                    sent_at: Instant::ZERO,
                    epoch: Epoch::NONE,
                    token,
                };
                let (outcome, _) = table.heartbeat(&claim, border.clock(now));
                assert_eq!(outcome != Outcome::Refused, *accepted, "case {name}, step {number}: {outcome:?}");
            }
        }
    }
    let Some(expected) = &case.expected_table else { return };
    for (utype, stated) in expected {
        let entry = table.entry(border.utype(utype)).copied();
        match (stated, entry) {
            (None, None) => {}
            (Some(stated), Some(entry)) => {
                let row = Row {
                    incarnation: Some(entry.incarnation),
                    host: entry.host,
                    stamp: entry.stamp,
                    ..Row::default()
                };
                compare(&mut border, "expected_table", stated, utype, &row);
            }
            _ => panic!("case {name}: the table holds {entry:?} for {utype}, expected {stated:?}"),
        }
    }
    for (index, utype) in border.utypes.iter().enumerate() {
        let held = table.entry(Utype(index as u16)).is_some();
        assert!(!held || expected.contains_key(utype), "case {name}: an entry for {utype} is not expected");
    }
}

/// Compares what a case states, and only that, with what the table says.
fn compare(border: &mut Border, place: &str, stated: &Stated, utype: &str, row: &Row) {
    let place = format!("case {}, {place}", border.name);
    if let Some(uuid) = &stated.uuid {
        assert_eq!(row.incarnation, border.incarnation(uuid), "{place}: uuid");
    }
    let named = row.incarnation.is_some();
    if let Some(stated) = &stated.utype {
        assert_eq!(stated, if named { utype } else { "" }, "{place}: utype");
    }
    if let Some(uname) = &stated.uname {
        // An empty answer names no machine. Ours still tells whose it was, which nobody may act on.
        assert_eq!(uname.is_empty(), !named, "{place}: uname");
        if named {
            assert_eq!(row.host, border.host(uname), "{place}: uname");
        }
    }
    if let Some(ts) = &stated.ts_ms {
        assert_eq!(row.stamp, border.time(ts), "{place}: timestamp");
    }
}

fn cells_of(case: &Value) -> usize {
    let len = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
    let heartbeats = case["heartbeat"].as_array().map_or(0, |list| list.iter().map(|h| len(&h["accepted"])).sum());
    len(&case["get"]) + heartbeats
}

/// Plays one point of the grid and returns how many cells it has.
fn play_grid(index: usize, case: Value) -> usize {
    let name = format!("grid {index}");
    let case: GridCase = parse(&name, &case);
    let timeout = Duration::from_millis(case.timeout_ms);
    let mut border = Border::new(&name, 30 * 24 * 60 * 60 * 1000 + time_of_day_ms(&name, &case.now_is_at) - case.now);
    let now = at(border.instant(case.now));
    let stored = border.entry(&case.row, timeout);
    if let Some(Time::Ms(ts)) = case.row.ts_ms {
        assert_eq!(case.now - ts, case.age_ms, "case {name}: age_ms contradicts now and ts_ms");
    }
    let fresh = |implementation: &str| {
        let mut table = table(dialect_of(&name, implementation), timeout);
        table.put(Utype(0), Some(stored));
        table
    };
    let mut played = 0;
    for (implementation, expected) in &case.get {
        let row = get(&mut fresh(implementation), Utype(0), now);
        let expected = if expected == "empty" { None } else { border.incarnation(expected) };
        assert_eq!(row.incarnation, expected, "case {name}: get by {implementation}");
        played += 1;
    }
    for heartbeat in &case.heartbeat {
        let GridHeartbeat { requester, last_seen, accepted } = heartbeat;
        let token = |incarnation, stamp| Some(Token { incarnation, stamp, version: 0 });
        let token = match last_seen.as_str() {
            "null" => None,
            "empty_default_ts" => token(None, Instant::ZERO),
            "empty_row_ts" => token(None, stored.stamp),
            "exact_row" => token(Some(stored.incarnation), stored.stamp),
            "row_uuid_wrong_ts" => token(Some(stored.incarnation), stored.stamp + Duration::from_millis(1)),
            "other_uuid_row_ts" => token(border.incarnation("somebody else"), stored.stamp),
            other => panic!("case {name}: unknown lastSeen {other:?}"),
        };
        let claim = Claim {
            utype: Utype(0),
            incarnation: border.somebody(requester),
            host: Host(9),
            seq: 1,
            sent_at: Instant::ZERO,
            epoch: Epoch::NONE,
            token,
        };
        for (implementation, expected) in accepted {
            let expected = match expected {
                Value::Bool(accepted) => *accepted,
                // The original's client fails before it sends; ours sends no token, which is refused.
                Value::String(word) if word.starts_with("error:") => false,
                other => panic!("case {name}: unknown answer {other}"),
            };
            let (outcome, _) = fresh(implementation).heartbeat(&claim, now);
            assert_eq!(
                outcome != Outcome::Refused,
                expected,
                "case {name}: {implementation} answers {requester} with {last_seen}: {outcome:?}"
            );
            played += 1;
        }
    }
    played
}

/// `12:00:00.000 (a remark)` in milliseconds since midnight.
fn time_of_day_ms(name: &str, text: &str) -> i64 {
    let unreadable = || -> ! { panic!("case {name}: unknown time of day {text:?}") };
    let clock = text.split(' ').next().unwrap_or_default();
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<i64> = whole.split(':').map(|part| part.parse().unwrap_or_else(|_| unreadable())).collect();
    let [hours, minutes, seconds] = parts[..] else { unreadable() };
    let ms: i64 = format!("{fraction:0<3}").parse().unwrap_or_else(|_| unreadable());
    assert!(fraction.len() <= 3, "case {name}: finer than a millisecond: {text:?}");
    ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
}

fn config(utype: Utype, host: Host, interval: Duration, timeout: Duration, affinity: Option<Utype>) -> Config {
    Config {
        utype,
        host,
        heartbeat_interval: interval,
        heartbeat_timeout: timeout,
        bounds: Bounds {
            drift_ppm: 0,
            latency_us_max: Duration::ZERO,
            timer_late_us_max: Duration::ZERO,
            stop_us_max: Duration::ZERO,
            granularity_us: Duration::from_millis(1),
        },
        rules: Rules::published(),
        affinity,
        work: Work { every_us: Duration::ZERO, takes_us: Duration::ZERO },
    }
    .checked()
    .expect("the original's intervals are sound")
}

fn step(candidate: &mut Candidate, now: Instant, input: Input<'_>) -> Vec<Output> {
    let mut outputs = Vec::new();
    candidate.handle(now, input, &mut outputs);
    outputs
}

/// Drives one real candidate as far as the property needs, and observes what it would do.
fn play_property(name: &str, case: &PropertyCase) {
    assert!(name.ends_with(&case.name));
    let mut border = Border::new(name, NOON_MS);
    let (interval, timeout) = (Duration::from_millis(case.interval_ms), Duration::from_millis(case.timeout_ms));
    let mut table = table(Dialect::InMemory, timeout);
    if let Some(stated) = &case.table {
        let entry = border.entry(stated, timeout);
        let Some(utype) = &stated.utype else { panic!("case {name}: the row states no utype") };
        table.put(border.utype(utype), Some(entry));
    }
    let affinity = (!case.affinity.is_empty()).then(|| border.utype(&case.affinity));
    let utype = border.utype(&case.client.utype);
    let evaluated_at = border.instant(case.evaluate_at_ms);
    let start = Start { entropy: 0, image: border.somebody(&case.client.uuid).mint };
    let host = border.host(&case.client.uname);
    let actual = match case.property.as_str() {
        // The original asks both properties apart: here only the own entry counts.
        "RunningAsPrimary" => {
            let mut candidate = Candidate::new(config(utype, host, interval, timeout, None), start);
            let mut sent: Vec<i64> = case.checks_sent_at_ms.clone();
            sent.sort_unstable();
            let queries: BTreeMap<i64, Vec<Query>> =
                sent.iter().map(|ms| (*ms, ask(name, &mut candidate, border.instant(*ms), interval))).collect();
            // Answers arrive in the order in which the case lists its checks; the table is read at the end.
            for ms in &case.checks_sent_at_ms {
                for query in &queries[ms] {
                    let answer = table.query(query, at(evaluated_at));
                    step(&mut candidate, evaluated_at, Input::Message(&Message::Answer(answer)));
                }
            }
            let acts = candidate.may_act(evaluated_at);
            assert_eq!(acts, candidate.phase() == Phase::Primary, "case {name}: belief and phase disagree");
            acts
        }
        // Seen from outside: told that nobody of its own kind is primary, it claims if and only if affinity holds.
        "AffinityAsPrimary" => {
            let mut candidate = Candidate::new(config(utype, host, interval, timeout, affinity), start);
            let told = case.checks_sent_at_ms.is_empty();
            let sent_at = match case.checks_sent_at_ms[..] {
                [] => evaluated_at,
                [ms] => border.instant(ms),
                _ => panic!("case {name}: more than one affinity check"),
            };
            let queries = ask(name, &mut candidate, sent_at, interval);
            assert_eq!(queries.len(), 1 + usize::from(affinity.is_some()), "case {name}: {queries:?}");
            for query in queries.iter().filter(|query| query.utype != utype && !told) {
                let answer = table.query(query, at(evaluated_at));
                step(&mut candidate, evaluated_at, Input::Message(&Message::Answer(answer)));
            }
            let own = queries.iter().find(|query| query.utype == utype).expect("it asks about its own kind");
            let nobody = self::table(Dialect::InMemory, timeout).query(own, at(evaluated_at));
            let outputs = step(&mut candidate, evaluated_at, Input::Message(&Message::Answer(nobody)));
            outputs.iter().any(|output| matches!(output, Output::Send(Target::Table, Message::Heartbeat(_))))
        }
        other => panic!("case {name}: unknown property {other:?}"),
    };
    assert_eq!(actual, case.expected, "case {name}: {}", case.property);
}

/// Lets a standby candidate send its queries exactly at `now`. An unanswered earlier one is given up first.
fn ask(name: &str, candidate: &mut Candidate, now: Instant, interval: Duration) -> Vec<Query> {
    if candidate.deadline() != Some(Instant::ZERO) {
        step(candidate, Instant::from_micros(now.as_micros() - interval.as_micros()), Input::Timer);
    }
    let queries: Vec<Query> = step(candidate, now, Input::Timer)
        .into_iter()
        .map(|output| match output {
            Output::Send(Target::Table, Message::Query(query)) => query,
            other => panic!("case {name}: a standby candidate put out {other:?}"),
        })
        .collect();
    assert!(!queries.is_empty(), "case {name}: these checks are too close to each other for a candidate");
    queries
}

/// Candidates and one table on one clock, with a delay for answers: the smallest world that plays the original's tests.
struct Stage {
    name: String,
    now: Instant,
    table: HeartbeatTable,
    actors: Vec<Actor>,
    answers: BTreeMap<(Instant, u64), (usize, Answer)>,
    sent: u64,
    reply_delay: Duration,
}

struct Actor {
    candidate: Candidate,
    running: bool,
    events: Vec<Event>,
}

const INTERVAL: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_millis(1500);
const A: Utype = Utype(0);
const B: Utype = Utype(1);

impl Stage {
    /// The original's clients: two of kind A on hosts 1 and 2, one of kind B on host 1 that follows A. None runs yet.
    fn new(name: &str) -> Self {
        let actor = |utype, host, affinity, mint| Actor {
            candidate: Candidate::new(
                config(utype, Host(host), INTERVAL, TIMEOUT, affinity),
                Start { entropy: 0, image: mint },
            ),
            running: false,
            events: Vec::new(),
        };
        Self {
            name: name.to_owned(),
            now: Instant::from_micros(NOON_MS as u64 * 1000),
            table: table(Dialect::InMemory, TIMEOUT),
            actors: vec![actor(A, 1, None, 1), actor(A, 2, None, 2), actor(B, 1, Some(A), 3)],
            answers: BTreeMap::new(),
            sent: 0,
            reply_delay: Duration::ZERO,
        }
    }

    /// Runs until `until` or until `done` says so, whichever comes first.
    fn run(&mut self, until: Instant, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let timer = (0..self.actors.len())
                .filter(|&actor| self.actors[actor].running)
                .filter_map(|actor| self.actors[actor].candidate.deadline().map(|due| (due.max(self.now), actor)))
                .min();
            let answer = self.answers.keys().next().copied();
            let (due, actor, message) = match (timer, answer) {
                (timer, Some(key)) if timer.is_none_or(|(due, _)| key.0 <= due) && key.0 <= until => {
                    let (actor, answer) = self.answers.remove(&key).expect("its key was just seen");
                    (key.0, actor, Some(Message::Answer(answer)))
                }
                (Some((due, actor)), _) if due <= until => (due, actor, None),
                _ => break,
            };
            self.now = self.now.max(due);
            if self.actors[actor].running {
                self.step(actor, message.as_ref().map_or(Input::Timer, Input::Message));
            }
        }
        if !done(self) {
            self.now = self.now.max(until);
        }
    }

    fn step(&mut self, actor: usize, input: Input<'_>) {
        let now = self.now;
        for output in step(&mut self.actors[actor].candidate, now, input) {
            let answer = match output {
                Output::Send(Target::Table, Message::Query(query)) => self.table.query(&query, at(now)),
                Output::Send(Target::Table, Message::Heartbeat(claim)) => self.table.heartbeat(&claim, at(now)).1,
                Output::Event(event) => {
                    self.actors[actor].events.push(event);
                    continue;
                }
                other => panic!("case {}: a published candidate put out {other:?}", self.name),
            };
            self.sent += 1;
            self.answers.insert((now + self.reply_delay, self.sent), (actor, answer));
        }
    }

    /// `GetPrimary`: runs `actor`, and whoever else runs, until it works. Returns whether it did within ten timeouts.
    fn get_primary(&mut self, actor: usize) -> bool {
        self.actors[actor].running = true;
        self.run(self.now + TIMEOUT.times(10), |stage| stage.is_primary(actor));
        self.is_primary(actor)
    }

    fn stop(&mut self, actor: usize) {
        self.actors[actor].running = false;
    }

    fn pass(&mut self, span: Duration) {
        self.run(self.now + span, |_| false);
    }

    fn is_primary(&self, actor: usize) -> bool {
        let candidate = &self.actors[actor].candidate;
        candidate.phase() == Phase::Primary && candidate.may_act(self.now)
    }

    fn has_lost(&self, actor: usize) -> bool {
        self.actors[actor].events.iter().any(|event| matches!(event, Event::Deposed | Event::TermEnded))
    }

    /// As the original's `RemoveCurrent`, which leaves entries that name nobody and are long expired. Had it removed
    /// them, the primary's next heartbeat would be accepted: a missing entry accepts anyone.
    fn wipe(&mut self) {
        let nobody = Stated { uuid: Some("nobody".to_owned()), utype: None, uname: None, ts_ms: Some(Time::Ms(0)) };
        let entry = Border::new(&self.name, 0).entry(&nobody, TIMEOUT);
        for utype in [A, B] {
            self.table.put(utype, Some(Entry { incarnation: Incarnation::default(), ..entry }));
        }
    }

    fn expect(&self, primaries: [bool; 3]) {
        let actual = [self.is_primary(0), self.is_primary(1), self.is_primary(2)];
        assert_eq!(actual, primaries, "case {}: who is primary", self.name);
    }
}

fn play_scenario(name: &str, case: &ScenarioCase) {
    let stage = &mut Stage::new(name);
    match (case.name.as_str(), &case.expected) {
        // The original throws. Ours cannot even try: a fresh candidate asks before it says anything.
        ("HeartBeatAsPrimaryTest2", Some(Value::String(exception))) if exception == "InvalidOperationException" => {
            for actor in &mut stage.actors {
                let outputs = step(&mut actor.candidate, stage.now, Input::Timer);
                assert!(
                    matches!(outputs[0], Output::Send(Target::Table, Message::Query(_))),
                    "case {name}: {outputs:?}"
                );
                let heartbeat = |o: &Output| matches!(o, Output::Send(_, Message::Heartbeat(_)));
                assert!(!outputs.iter().any(heartbeat), "case {name}: {outputs:?}");
            }
        }
        (_, Some(expected)) => panic!("case {name}: unknown expectation {expected}"),
        ("HeartBeatAsPrimaryTest1", None) => {
            assert!(stage.get_primary(0), "case {name}: nobody elected");
            let entry = stage.table.entry(A).expect("a heartbeat was accepted");
            assert_eq!((entry.incarnation.mint, entry.host), (1, Host(1)), "case {name}: whose heartbeat");
        }
        ("HeartBeatAndCheckTest1" | "GetPrimaryTest1", None) => {
            assert!(stage.get_primary(0), "case {name}: nobody elected");
            stage.expect([true, false, false]);
        }
        ("GetPrimaryTest2", None) => {
            stage.actors[0].running = true;
            stage.stop(0);
            stage.pass(TIMEOUT);
            stage.expect([false, false, false]);
        }
        ("GetPrimaryTest3", None) => {
            assert!(stage.get_primary(0), "case {name}: nobody elected");
            stage.actors[1].running = true;
            for _ in 0..100 {
                stage.pass(Duration::from_millis(150));
                stage.expect([true, false, false]);
                assert_eq!(stage.actors[1].candidate.phase(), Phase::Standby, "case {name}: the second client");
            }
        }
        ("GetPrimaryTest4", None) => {
            assert!(stage.get_primary(0), "case {name}: nobody elected");
            stage.stop(0);
            assert!(stage.get_primary(1), "case {name}: nobody took over");
            stage.expect([false, true, false]);
        }
        ("GetPrimaryTest5" | "GetPrimaryTest6", None) => {
            assert!(stage.get_primary(0), "case {name}: nobody elected");
            if case.name == "GetPrimaryTest6" {
                stage.pass(Duration::from_millis(1000));
                stage.expect([true, false, false]);
            }
            stage.wipe();
            stage.run(stage.now + TIMEOUT.times(2), |stage| stage.has_lost(0));
            assert!(stage.has_lost(0), "case {name}: it never noticed");
            stage.expect([false, false, false]);
        }
        ("GetPrimaryTestWithAffinityTest1", None) => {
            assert!(!stage.get_primary(2), "case {name}: it leads without the kind that it follows");
            stage.expect([false, false, false]);
        }
        ("GetPrimaryTestWithAffinityTest2" | "HeartBeatAndCheckTest2", None) => {
            assert!(stage.get_primary(0), "case {name}: nobody elected");
            assert!(stage.get_primary(2), "case {name}: its follower is not elected");
            stage.expect([true, false, true]);
        }
        ("GetPrimaryTestWithAffinityTest3", None) => {
            assert!(stage.get_primary(1), "case {name}: nobody elected");
            assert!(!stage.get_primary(2), "case {name}: it leads on another host");
            stage.expect([false, true, false]);
        }
        ("GetPrimaryTestWithAffinityTest4", None) => {
            assert!(stage.get_primary(1), "case {name}: nobody elected");
            stage.stop(1);
            stage.actors[2].running = true;
            assert!(stage.get_primary(0), "case {name}: nobody took over");
            assert!(stage.get_primary(2), "case {name}: its follower is not elected");
            stage.expect([true, false, true]);
        }
        // Answers take nine tenths of an interval.
        ("KeepPrimaryTest1", None) => {
            assert!(stage.get_primary(0), "case {name}: nobody elected");
            stage.reply_delay = Duration::from_millis(450);
            stage.pass(TIMEOUT.times(3));
            stage.expect([true, false, false]);
            assert!(!stage.has_lost(0), "case {name}: it lost its role on the way");
        }
        ("KeepPrimaryWithaffinityTest1", None) => {
            assert!(stage.get_primary(0), "case {name}: nobody elected");
            assert!(stage.get_primary(2), "case {name}: its follower is not elected");
            stage.stop(0);
            stage.pass(TIMEOUT.times(2));
            assert!(stage.has_lost(2), "case {name}: the follower never noticed");
            stage.expect([false, false, false]);
        }
        (unknown, None) => panic!("case {name}: unknown scenario {unknown:?}"),
    }
}
