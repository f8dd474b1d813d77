//! Job distribution: `TimedJob.tla`. The table of the mapping stands in its header.
//!
//! | difference | why | here |
//! |---|---|---|
//! | the module begins when its servers are warm | small worlds are short | a script takes the machines there |
//! | a heartbeat has a token of another shape | versions count the acceptances of both seats | tokens are left out |
//! | losses are counted where `Losses` bounds them | a bound keeps models small | the walk counts them too: [`Beside`] |
//! | only servers of `Frail` fail | a bound keeps models small | the walk takes no other faults |
//! | `granted` and `called` are ghosts of the module | machines forget them | the walk sees them in steps: [`Beside`] |
//! | a submitter and the center are there | the module begins when the row is written down | both are silent from then on |
//! | hardened rules where First lags | it could not write the row down any more: its version is too old | not compared |
//! | a ring where the module has a table | of one row it says no more | as many points as give the row to `Home` |

use super::{
    Constants, Mapped, Steps, Variables, assert_equal, by_module, constant, int, model, record, set, text, tuple,
    without_tokens,
};
use failproof::distribution::{Distribution, Options, Part};
use failproof::explore::{Explored, Flight, Instance, Move, Space, State, Status, Successors};
use failproof::models::Model;
use failproof::options::ProtocolOptions;
use failproof_core::distribution::{
    Change, Cluster, HashRing, JobId, MemberChange, Message, Name, News, Operation, Outcome, Owner, Phase, RowId,
    RowView, Rules, Scope, Verb, What, hash64, hash64_of_number,
};
use failproof_core::election;
use failproof_core::{Duration, Epoch, Host, Incarnation};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use tla_checker::ast::Value;

/// `Never` of the module.
const NEVER: u64 = 1_000_000_000;
/// `Unbounded` of the module.
const UNBOUNDED: u64 = 1_000;
/// The cast: the store, the center, the cluster, two servers, the submitter.
const STORE: u16 = 0;
const CLUSTER: u16 = 2;
const FIRST: u16 = 3;
const SECOND: u16 = 4;
const SERVERS: [u16; 2] = [FIRST, SECOND];
const SUBMITTER: u16 = 5;
/// How often a server starts at most.
const STARTS_MAX: u8 = 3;
/// The job's row, and its instance.
const ROW: RowId = RowId(0);
const JOB: JobId = JobId(0);
const INSTANCE: Name = Name { job: JOB, action: 1, attempt: 1 };
/// What processes draw their chance from. With it the job is of the engine that published servers read.
const SEED: u64 = 0;
/// Longer than any of these worlds.
const LONG: Duration = Duration::from_secs(3_600);

fn named(name: &str) -> Value {
    Value::Model(name.into())
}

fn nobody() -> Value {
    named("Nobody")
}

fn flag(is: bool) -> Value {
    Value::Bool(is)
}

fn word(of: impl std::fmt::Debug) -> Value {
    text(&format!("{of:?}"))
}

fn whole(json: &Json) -> u64 {
    json.as_u64().unwrap_or_else(|| panic!("no whole number: {json}"))
}

fn list(json: &Json) -> &[Json] {
    json.as_array().unwrap_or_else(|| panic!("no list: {json}"))
}

fn number(json: &Json) -> Value {
    int(whole(json))
}

fn time(json: &Json) -> Value {
    int(match whole(json) {
        u64::MAX => NEVER,
        us => us,
    })
}

fn counter(json: &Json) -> Value {
    number(&json["counter"])
}

/// The name of a variant.
fn variant(json: &Json) -> &str {
    let tag = || json.as_object().and_then(|tagged| tagged.keys().next()).map(String::as_str);
    json.as_str().or_else(tag).unwrap_or_else(|| panic!("no variant: {json}"))
}

fn epoch(epoch: Epoch) -> Value {
    int(epoch.counter)
}

fn place(actor: u16) -> Value {
    named(match actor {
        STORE => "Store",
        CLUSTER => "Cluster",
        FIRST => "First",
        SECOND => "Second",
        other => panic!("no place of the module: {other}"),
    })
}

fn host(host: Host) -> Value {
    place(FIRST + host.0)
}

/// A function from the servers.
fn by_server(of: impl Fn(u16) -> Value) -> Value {
    Value::Fn(SERVERS.into_iter().map(|actor| (place(actor), of(actor))).collect::<BTreeMap<_, _>>().into())
}

fn tagged(kind: &str, fields: Vec<(&'static str, Value)>) -> Value {
    let all = [("kind", text(kind))].into_iter().chain(fields);
    Value::Record(all.map(|(name, value)| (name.into(), value)).collect::<BTreeMap<_, _>>().into())
}

fn owner(owner: Option<Owner>) -> Value {
    owner.map_or_else(nobody, |Owner { server, term }| record([("server", host(server)), ("term", epoch(term))]))
}

/// A row as answers show it.
fn row(view: &RowView) -> Value {
    record([
        ("home", host(view.home)),
        ("owner", owner(view.owner)),
        ("epoch", int(view.epoch)),
        ("version", int(view.version)),
        ("phase", word(view.phase)),
    ])
}

fn scope(scope: Scope) -> Value {
    text(match scope {
        Scope::Home => "Home",
        Scope::All => "All",
        Scope::Orphans { last: i64::MAX, .. } => "Half1",
        Scope::Orphans { .. } => "Half2",
    })
}

fn change(change: MemberChange) -> Value {
    let (joined, server) = match change {
        MemberChange::Joined(server) => (true, server),
        MemberChange::Left(server) => (false, server),
    };
    record([("joined", flag(joined)), ("server", host(server))])
}

/// Which start of its process a mint is of.
struct Starts(BTreeMap<u64, u8>);

impl Starts {
    fn of(space: &Space<'_, Distribution>) -> Self {
        let plan = space.instance().plan();
        let starts = SERVERS.into_iter().flat_map(|actor| (1..=STARTS_MAX).map(move |start| (actor, start)));
        Self(starts.map(|(actor, start)| (Distribution::start(plan, actor, start).entropy, start)).collect())
    }

    fn incarnation(&self, of: Option<Incarnation>) -> Value {
        of.map_or_else(nobody, |Incarnation { mint, life }| tuple([int(self.0[&mint]), int(life)]))
    }

    fn incarnation_of(&self, json: &Json) -> Value {
        let life = |json: &Json| u32::try_from(whole(&json["life"])).expect("a small number");
        self.incarnation((!json.is_null()).then(|| Incarnation { mint: whole(&json["mint"]), life: life(json) }))
    }

    fn candidate(&self, json: &Json, starts: u8) -> Value {
        let (seen, anchor) = (&json["seen"], whole(&json["anchor_tag"]));
        let proofs = list(&json["proofs"]).iter();
        let proofs = proofs.filter(|proof| whole(&proof[0]) > 0 && whole(&proof[0]) >= anchor);
        let seen_row = || {
            record([
                ("incarnation", self.incarnation_of(&seen["row"]["incarnation"])),
                ("epoch", counter(&seen["row"]["epoch"])),
                ("seq", number(&seen["row"]["seq"])),
            ])
        };
        record([
            ("start", int(starts)),
            ("life", number(&json["life"])),
            ("phase", text(variant(&json["phase"]))),
            ("tag", number(&json["tag"])),
            ("awaiting", text(variant(&json["awaiting"]))),
            (
                "seen",
                match seen["known"] == true {
                    true => record([("tag", number(&seen["tag"])), ("row", seen_row())]),
                    false => nobody(),
                },
            ),
            ("epoch", counter(&json["epoch"])),
            ("proofs", set(proofs.map(|proof| record([("tag", number(&proof[0])), ("at", time(&proof[1]))])))),
            ("anchorTag", int(anchor)),
            ("nextTick", time(&json["next_tick"])),
            ("replyDue", time(&json["reply_due"])),
            ("leaseUntil", time(&json["lease_until"])),
        ])
    }

    fn session(&self, message: &election::Message) -> Value {
        match message {
            election::Message::Query(query) => {
                tagged("Query", vec![("incarnation", self.incarnation(Some(query.asker))), ("tag", int(query.tag))])
            }
            election::Message::Heartbeat(claim) => tagged(
                "Heartbeat",
                vec![
                    ("incarnation", self.incarnation(Some(claim.incarnation))),
                    ("seq", int(claim.seq)),
                    ("epoch", epoch(claim.epoch)),
                    ("token", nobody()),
                ],
            ),
            election::Message::Answer(answer) => tagged(
                "Answer",
                vec![
                    ("toHeartbeat", flag(answer.to_heartbeat)),
                    ("tag", int(answer.tag)),
                    (
                        "row",
                        record([
                            ("incarnation", self.incarnation(answer.row.incarnation)),
                            ("epoch", epoch(answer.row.epoch)),
                            ("seq", int(answer.row.seq)),
                        ]),
                    ),
                ],
            ),
            other => panic!("nobody sends {other:?} here"),
        }
    }

    fn body(&self, message: &Message) -> Value {
        match message {
            Message::Session(message) => self.session(message),
            Message::Follow { tag, since, after: None, .. } => {
                tagged("Follow", vec![("tag", int(*tag)), ("since", int(*since))])
            }
            Message::Members { tag, news } => members_told(*tag, news),
            Message::List { tag, scope: asked, after: None, .. } => {
                tagged("List", vec![("tag", int(*tag)), ("scope", scope(*asked))])
            }
            Message::Rows { tag, rows: [shown, None] } => {
                tagged("Rows", vec![("tag", int(*tag)), ("row", shown.as_ref().map_or_else(nobody, row))])
            }
            Message::Operation(operation) => asked_for(operation),
            Message::Outcome(Outcome { to, tag, result, row: shown }) => tagged(
                "Outcome",
                vec![
                    ("tag", int(*tag)),
                    ("term", epoch(to.term)),
                    ("result", word(result)),
                    ("row", shown.as_ref().map_or_else(nobody, row)),
                ],
            ),
            Message::Request(request) => {
                assert_eq!(request.name, INSTANCE);
                let verb = match request.verb {
                    Verb::Ask => "Ask",
                    Verb::Start { .. } => "Start",
                    Verb::Stop | Verb::StopAll => panic!("nothing is stopped here"),
                };
                let fields = vec![("tag", int(request.tag)), ("epoch", int(request.epoch)), ("verb", text(verb))];
                tagged("Request", fields)
            }
            Message::Said(said) => {
                tagged("Said", vec![("tag", int(said.tag)), ("epoch", int(said.epoch)), ("state", word(said.state))])
            }
            other => panic!("nobody sends {other:?} here"),
        }
    }
}

fn members_told(tag: u32, news: &News) -> Value {
    assert!(news.after.is_none() && !news.more, "two members are told at once");
    let changes: Vec<MemberChange> = news.changes.iter().flatten().copied().collect();
    let joined = changes.iter().map(|change| match change {
        MemberChange::Joined(server) => host(*server),
        MemberChange::Left(server) => panic!("{server:?} is told as a member"),
    });
    tagged(
        "Members",
        vec![
            ("tag", int(tag)),
            ("since", int(news.since)),
            ("version", int(news.version)),
            ("all", flag(news.all)),
            ("members", if news.all { set(joined) } else { set([]) }),
            ("changes", if news.all { tuple([]) } else { tuple(changes.iter().copied().map(self::change)) }),
        ],
    )
}

fn asked_for(operation: &Operation) -> Value {
    let (what, epoch_of_row, version, home) = match operation.what {
        What::Claim { version, .. } => ("Claim", 0, version, None),
        What::Change { epoch, version, change, .. } => {
            let (what, home) = match change {
                Change::Intend => ("Intend", None),
                Change::Run => ("Run", None),
                Change::Release { home } => ("Release", Some(home)),
                Change::Forward { home } => ("Forward", Some(home)),
                Change::Delete => ("Delete", None),
                Change::Retry | Change::End(_) | Change::Advance => panic!("nothing ends here: {change:?}"),
            };
            (what, epoch, version, home)
        }
        What::Insert { .. } => panic!("the row is there already"),
    };
    tagged(
        "Operation",
        vec![
            ("tag", int(operation.tag)),
            ("term", epoch(operation.by.term)),
            ("members", int(operation.members)),
            ("what", text(what)),
            ("epoch", int(epoch_of_row)),
            ("version", int(version)),
            ("home", home.map_or_else(nobody, host)),
        ],
    )
}

fn fresh_candidate(starts: u8) -> Value {
    record([
        ("start", int(starts)),
        ("life", int(1)),
        ("phase", text("Standby")),
        ("tag", int(0)),
        ("awaiting", text("Nothing")),
        ("seen", nobody()),
        ("epoch", int(0)),
        ("proofs", set([])),
        ("anchorTag", int(0)),
        ("nextTick", int(0)),
        ("replyDue", int(NEVER)),
        ("leaseUntil", int(NEVER)),
    ])
}

fn server(json: &Json, is_frozen: bool) -> Value {
    let listing = &json["listing"];
    let scope_of = |json: &Json| match variant(json) {
        "Orphans" => {
            let end = |name: &str| json["Orphans"][name].as_i64().expect("a hash");
            scope(Scope::Orphans { first: end("first"), last: end("last") })
        }
        whole => text(whole),
    };
    record([
        ("nextPoll", time(&json["next_poll"])),
        ("tag", number(&json["tag"])),
        ("locked", if is_frozen { counter(&json["seat"]["granted"]) } else { int(0) }),
        ("parts", int(list(&json["parts"]).len())),
        (
            "listing",
            match listing {
                Json::Null => nobody(),
                listing => record([
                    ("tag", number(&listing["tag"])),
                    ("scope", scope_of(&listing["scope"])),
                    ("since", time(&listing["since"])),
                ]),
            },
        ),
    ])
}

fn fresh_server() -> Value {
    record([("nextPoll", int(0)), ("tag", int(0)), ("locked", int(0)), ("parts", int(0)), ("listing", nobody())])
}

fn view(members: Value, json: &Json) -> Value {
    record([
        ("members", members),
        ("version", number(&json["version"])),
        ("changedAt", time(&json["changed_at"])),
        ("renamed", flag(json["renamed"] == true)),
        ("frozen", flag(json["frozen"] == true)),
        (
            "asked",
            match &json["asked"] {
                Json::Null => nobody(),
                asked => record([("tag", number(&asked[0])), ("since", time(&asked[1]))]),
            },
        ),
    ])
}

fn fresh_view() -> Value {
    let fresh = json!({ "version": 0, "changed_at": 0, "renamed": false, "frozen": false, "asked": null });
    view(set([]), &fresh)
}

fn work(work: &failproof_core::distribution::Work) -> Value {
    record([
        ("row", row(&work.row)),
        ("confirmed", flag(work.confirmed)),
        ("state", work.state.map_or_else(|| text("Unknown"), word)),
        ("intended", flag(work.intended)),
        ("executed", flag(work.executed)),
        ("orphan", flag(work.orphan)),
        ("releasing", flag(work.releasing)),
        (
            "asked",
            work.asked
                .map_or_else(nobody, |(tag, until)| record([("tag", int(tag)), ("until", int(until.as_micros()))])),
        ),
        ("due", int(work.due.as_micros())),
    ])
}

fn cluster(cluster: &Cluster) -> Value {
    let (starts, live) = cluster.count(INSTANCE);
    record([
        ("state", word(cluster.state(INSTANCE))),
        ("starts", int(starts)),
        ("live", int(live)),
        ("epoch", int(cluster.epoch(INSTANCE))),
    ])
}

fn part<'s>(state: &State<'s, Distribution>, actor: u16) -> Option<&'s Part> {
    state.machines[usize::from(actor)].map(|machine| machine.part())
}

/// The row, and whether it is abandoned and an orphan.
fn row_of(state: &State<'_, Distribution>) -> Option<(RowView, bool, bool)> {
    let Some(Part::Store(store)) = part(state, STORE) else { panic!("the store is there") };
    assert!(store.jobs().rows().count() <= 1, "there is one job");
    store.jobs().row(ROW).map(|row| (*row.view(), row.is_abandoned(), row.is_orphan()))
}

fn status_of(state: &State<'_, Distribution>, actor: u16) -> (Status, u8) {
    let of = state.statuses.iter().find(|(id, ..)| *id == actor).expect("a process");
    (of.1, of.2)
}

fn action_of(message: &Message) -> &'static str {
    match message {
        Message::Session(election::Message::Query(_)) => "DeliverQuery",
        Message::Session(election::Message::Heartbeat(_)) => "DeliverHeartbeat",
        Message::Session(_) => "DeliverAnswer",
        Message::Follow { .. } => "DeliverFollow",
        Message::Members { .. } => "DeliverMembers",
        Message::List { .. } => "DeliverList",
        Message::Rows { .. } => "DeliverRows",
        Message::Operation(_) => "DeliverOperation",
        Message::Outcome(_) => "DeliverOutcome",
        Message::Request(_) => "DeliverRequest",
        Message::Said(_) => "DeliverSaid",
        other => panic!("nobody sends {other:?} here"),
    }
}

/// All variables but those that the walk knows.
impl Mapped for Distribution {
    fn variables(space: &Space<'_, Self>, packed: &[u32]) -> Variables {
        let starts = Starts::of(space);
        let is_frozen =
            space.instance().plan().distribution().rules.membership == failproof_core::distribution::Membership::Frozen;
        let state = space.unpack(packed);
        let job_server = |actor: u16| match part(&state, actor) {
            Some(Part::Server(server)) => Some(server),
            None => None,
            other => panic!("no server: {other:?}"),
        };
        let written = SERVERS.map(|actor| job_server(actor).map(|server| json!(server)));
        let json = |actor: u16| written[usize::from(actor - FIRST)].as_ref();
        let store = json!(state.machines[usize::from(STORE)]);
        let entry = |actor: u16| match &store["sessions"]["entries"][usize::from(actor - FIRST)] {
            Json::Null => nobody(),
            entry => record([
                ("incarnation", starts.incarnation_of(&entry["incarnation"])),
                ("epoch", counter(&entry["epoch"])),
                ("seq", number(&entry["seq"])),
                ("acceptedAt", time(&entry["accepted_at"])),
                ("answeredEmpty", flag(entry["answered_empty"] == true)),
            ]),
        };
        let host_of = |json: &Json| host(Host(u16::try_from(whole(json)).expect("a host")));
        let changes = list(&store["members"]["changes"]).iter().map(|change| {
            let kind = variant(change);
            record([("joined", flag(kind == "Joined")), ("server", host_of(&change[kind]))])
        });
        let Some(Part::Cluster(at_cluster)) = part(&state, CLUSTER) else { panic!("the cluster is there") };
        let flies = |(flight, message): &&(&Flight, &Message)| {
            assert!(flight.from != SUBMITTER && flight.to != SUBMITTER, "the submitter is silent: {message:?}");
            !flight.held
        };
        let messages = state.messages.iter().filter(flies).map(|(flight, message)| {
            record([
                ("from", place(flight.from)),
                ("to", place(flight.to)),
                ("until", int(flight.at)),
                ("body", starts.body(message)),
            ])
        });
        let held = state.messages.iter().filter(|(flight, _)| flight.held).map(|(flight, message)| {
            record([("from", place(flight.from)), ("at", int(flight.at)), ("body", starts.body(message))])
        });
        let status = |actor| match status_of(&state, actor).0 {
            Status::Off => "off",
            Status::Up => "up",
            Status::Paused => "paused",
            Status::Late => "late",
            Status::Down => "down",
        };
        let wrongs = state.ghost.hasty.then(|| text("haste"));
        let variables = [
            ("now", int(state.now)),
            ("status", by_server(|actor| text(status(actor)))),
            (
                "candidate",
                by_server(|actor| {
                    let count = status_of(&state, actor).1;
                    let of = |json: &Json| starts.candidate(&json["seat"]["candidate"], count);
                    json(actor).map_or_else(|| fresh_candidate(count), of)
                }),
            ),
            ("server", by_server(|actor| json(actor).map_or_else(fresh_server, |json| server(json, is_frozen)))),
            (
                "view",
                by_server(|actor| {
                    job_server(actor).map_or_else(fresh_view, |server| {
                        let members = server.view().ring().members().map(|(server, _)| host(server));
                        view(set(members), &json!(server.view()))
                    })
                }),
            ),
            (
                "work",
                by_server(|actor| job_server(actor).and_then(|server| server.work(ROW)).map_or_else(nobody, work)),
            ),
            ("table", by_server(entry)),
            (
                "members",
                record([
                    ("servers", set(list(&store["members"]["servers"]).iter().map(host_of))),
                    ("changes", tuple(changes)),
                ]),
            ),
            (
                "row",
                row_of(&state).map_or_else(nobody, |(view, abandoned, orphan)| {
                    let Value::Record(fields) = row(&view) else { panic!("a row is a record") };
                    let mut fields = (*fields).clone();
                    fields.insert("abandoned".into(), flag(abandoned));
                    fields.insert("orphan".into(), flag(orphan));
                    Value::Record(fields.into())
                }),
            ),
            ("cluster", cluster(at_cluster)),
            ("messages", set(messages)),
            ("held", set(held)),
            ("stale", flag(state.ghost.stale)),
            ("wrongs", set(wrongs)),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn action(space: &Space<'_, Self>, what: Move) -> &'static str {
        match what {
            Move::Start(_) => "Start",
            Move::Fire(_) => "Fire",
            Move::Settle(_) => "Settle",
            Move::Resume(_) => "Resume",
            Move::Deliver(number) => action_of(space.flight(number).1),
            Move::Leave(_) => "Leave",
            Move::Tick => "Tick",
            Move::Pause(_) => "Pause",
            Move::Crash(_) => "Crash",
            Move::Wipe => panic!("the store forgets nothing here"),
        }
    }
}

/// What a walk knows beside a state of the search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Beside {
    /// How many messages were lost that somebody could have received; 0 if they are not counted.
    losses: u64,
    /// Of each server: the newest epoch of the row that it was given.
    granted: [u32; 2],
    /// Of each server: whether it decided to call the cluster since.
    called: [bool; 2],
}

impl Beside {
    /// What it is after a move.
    fn after(
        mut self,
        space: &Space<'_, Distribution>,
        what: Move,
        (before, after): (&State<'_, Distribution>, &State<'_, Distribution>),
        counts: bool,
    ) -> Self {
        let actor = match what {
            Move::Tick if counts => {
                let is_there = |to: u16| !SERVERS.contains(&to) || status_of(before, to).0 == Status::Up;
                let lost = |flight: &Flight| !flight.held && flight.at == before.now && is_there(flight.to);
                self.losses += before.messages.iter().filter(|(flight, _)| lost(flight)).count() as u64;
                return self;
            }
            Move::Fire(actor) => actor,
            Move::Deliver(number) => space.flight(number).0.to,
            _ => return self,
        };
        if let Some(at) = SERVERS.iter().position(|server| *server == actor) {
            let decided = |held: &&(&Flight, &Message)| held.0.held && !before.messages.contains(held);
            self.called[at] |= after.messages.iter().filter(decided).count() > 0;
        }
        let epoch = |state| row_of(state).map_or(0, |(view, ..)| view.epoch);
        if epoch(after) > epoch(before)
            && let Some((RowView { owner: Some(by), epoch, .. }, ..)) = row_of(after)
        {
            let at = usize::from(by.server.0);
            (self.granted[at], self.called[at]) = (epoch, false);
        }
        self
    }

    fn tell(&self, space: &Space<'_, Distribution>, packed: &[u32]) -> Variables {
        let used = space.unpack(packed).used;
        let at = |actor: u16| usize::from(actor - FIRST);
        let mut variables = Distribution::variables(space, packed);
        let own = [
            ("used", record([("crashes", int(used[0])), ("pauses", int(used[1])), ("losses", int(self.losses))])),
            ("granted", by_server(|actor| int(self.granted[at(actor)]))),
            ("called", set(SERVERS.into_iter().filter(|actor| self.called[at(*actor)]).map(place))),
        ];
        variables.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
        variables
    }
}

/// The small world that a model speaks of.
#[derive(Debug)]
struct World {
    instance: Instance,
    /// The servers that are members from the start, and in which quantum they are started.
    warm: Vec<(u16, u8)>,
    /// Whether the first one was told before the second one joined, and what it asked last is on its way.
    lags: bool,
    /// In which quantum all begins.
    begin: u8,
    frail: Vec<u16>,
    losses: u64,
}

fn named_servers(model: &Model, name: &str) -> Vec<u16> {
    let named = constant(model, name);
    [("First", FIRST), ("Second", SECOND)].into_iter().filter(|(name, _)| named.contains(name)).map(|of| of.1).collect()
}

impl World {
    fn of(model: &Model) -> Self {
        let constants = Constants(model);
        let span = |name: &str| constants.span(name);
        assert_eq!(span("Watch"), span("Poll").times(4), "as everywhere");
        assert_eq!(span("StoreRate"), span("Quantum"), "clocks are perfect");
        let switches = [
            ("identity", "Identity"),
            ("claiming", "Claiming"),
            ("progress", "Progress"),
            ("membership", "Membership"),
            ("fencing", "Fencing"),
            ("handover", "Handover"),
        ];
        let named = if constant(model, "Identity") == "\"One\"" { Rules::hardened() } else { Rules::published() };
        let bounds = election::Bounds {
            drift_ppm: 0,
            latency_us_max: Duration::from_micros(1),
            timer_late_us_max: span("Quantum"),
            stop_us_max: Duration::ZERO,
            granularity_us: Duration::from_micros(1),
        };
        assert_eq!(election::safe_term(span("Timeout"), &bounds), span("Term"), "the term is safe");
        let mut options = Options {
            servers: 2,
            clients: 1,
            jobs: 1,
            every_us: LONG,
            runs_us_max: LONG,
            poll_us: span("Poll"),
            calm_us: span("Calm"),
            takes_us: span("Takes"),
            patience_us: span("Patience"),
            content_max: 0,
            fetch_max: 0,
            grace_us: LONG,
            ..Options::default()
        };
        options.set_limits(span("Interval"), span("Timeout"), bounds);
        options.set_rules(constants.rules(json!(named), &switches)).expect("rules");
        options.vnodes_per_node = points_for(&options, Host(named_servers(model, "Home")[0] - FIRST));
        let instance = Instance::new(options, constants.bounds(0));
        let instance = instance.unwrap_or_else(|error| panic!("{}: {error}", model.name));
        let apart = constant(model, "Apart") == "TRUE";
        let warm = named_servers(model, "Warm");
        Self {
            instance: instance.with_chance(SEED),
            warm: warm.into_iter().map(|server| (server, u8::from(apart && server == SECOND))).collect(),
            lags: !named_servers(model, "Lags").is_empty(),
            begin: if apart { 3 } else { 1 },
            frail: named_servers(model, "Frail"),
            losses: constants.number("Losses"),
        }
    }

    fn counts(&self) -> bool {
        self.losses < UNBOUNDED
    }

    /// Whether a move is one of this world.
    fn takes(&self, what: Move) -> bool {
        match what {
            Move::Pause(actor) | Move::Crash(actor) => self.frail.contains(&actor),
            _ => true,
        }
    }

    /// The graph of the machines, from where the module begins.
    fn walk(&self) -> Steps {
        let mut space = Space::<Distribution>::new(&self.instance);
        let first = (Script::new(&mut space).warm(self), Beside::default());
        let (mut steps, mut successors) = (Steps::default(), Successors::default());
        let mut told = BTreeMap::from([(first.clone(), first.1.tell(&space, &first.0))]);
        let mut left = vec![first];
        while let Some(from) = left.pop() {
            let variables = told[&from].clone();
            steps.states.insert(variables.clone());
            space.successors(&from.0, &mut successors);
            for (at, what) in successors.moves().iter().enumerate().filter(|(_, what)| self.takes(**what)) {
                let to = successors.state(at);
                let states = (&space.unpack(&from.0), &space.unpack(to));
                let beside = from.1.after(&space, *what, states, self.counts());
                if self.counts() && beside.losses > self.losses {
                    continue;
                }
                let to = (to.to_vec(), beside);
                let next = told.entry(to.clone()).or_insert_with(|| {
                    left.push(to.clone());
                    to.1.tell(&space, &to.0)
                });
                steps.steps.insert((variables.clone(), Distribution::action(&space, *what).to_owned(), next.clone()));
            }
        }
        steps
    }
}

/// How many points a server has to have in the ring, so that it gives the row to `home` when both are members. The row
/// lies in the first half of either server's way.
fn points_for(options: &Options, home: Host) -> NonZeroU32 {
    let (names, row) = (options.names(), hash64_of_number(i64::from(ROW.0)));
    assert!(names.iter().all(|name| hash64(name.as_bytes()) <= row), "HalfOf is FirstHalf");
    let members = || names.iter().zip(0..).map(|(name, host)| (Host(host), name.as_bytes()));
    let gives = |points: &NonZeroU32| {
        let ring = HashRing::with_members(options.rules.ring(), *points, members()).expect("two names");
        ring.owner_of(row) == Some(home)
    };
    (1..64).filter_map(NonZeroU32::new).find(gives).expect("some ring gives it the row")
}

/// Takes the machines, move by move, to where the module begins.
struct Script<'s, 'a> {
    space: &'s mut Space<'a, Distribution>,
    state: Vec<u32>,
}

impl<'s, 'a> Script<'s, 'a> {
    fn new(space: &'s mut Space<'a, Distribution>) -> Self {
        let state = space.zero();
        Self { space, state }
    }

    /// Takes the first such move, if there is one.
    fn take(&mut self, wanted: impl Fn(&Space<'_, Distribution>, Move) -> bool) -> bool {
        let mut successors = Successors::default();
        self.space.successors(&self.state, &mut successors);
        let Some(at) = successors.moves().iter().position(|what| wanted(self.space, *what)) else { return false };
        self.state = successors.state(at).to_vec();
        true
    }

    fn must(&mut self, what: Move) {
        assert!(self.take(|_, other| other == what), "{what:?} is possible");
    }

    /// Delivers such messages, and what follows from them.
    fn deliver(&mut self, wanted: impl Fn(&Flight, &Message) -> bool) {
        let is_wanted = |space: &Space<'_, Distribution>, what| match what {
            Move::Deliver(number) => {
                let (flight, message) = space.flight(number);
                wanted(flight, message)
            }
            _ => false,
        };
        while self.take(is_wanted) {}
    }

    /// Each server is granted its session, then told of all members; it polls, finds no row, and is answered. Then the
    /// first one writes the row down.
    fn warm(mut self, world: &World) -> Vec<u32> {
        let stays = |now: u8, flight: &Flight, message: &Message| {
            world.lags && now == world.begin && flight.from == FIRST && matches!(message, Message::Follow { .. })
        };
        for now in 0..=world.begin {
            for (server, started) in world.warm.iter().copied() {
                if started == now {
                    self.must(Move::Start(server));
                }
                self.take(|_, what| what == Move::Fire(server));
                let is_own = |flight: &Flight| flight.from == server || flight.to == server;
                self.deliver(|flight, message| is_own(flight) && matches!(message, Message::Session(_)));
                if world.lags {
                    self.deliver(|flight, message| is_own(flight) && !stays(now, flight, message));
                }
            }
            self.deliver(|flight, message| !stays(now, flight, message));
            if now < world.begin {
                self.must(Move::Tick);
            }
        }
        // The submitter asks the first server first.
        self.must(Move::Start(SUBMITTER));
        self.must(Move::Fire(SUBMITTER));
        self.deliver(|flight, message| !stays(world.begin, flight, message));
        let (row, ..) = row_of(&self.space.unpack(&self.state)).expect("the row is there");
        assert_eq!(
            (row.phase, row.name(), row.spec.engine),
            (Phase::Pending, INSTANCE, 0),
            "the row is what it is to be"
        );
        self.state
    }
}

/// The graph of the module in the words of the comparison.
fn module(graph: &failproof::models::Graph) -> Steps {
    let Steps { states, steps } = by_module(graph, "Rest");
    let steps = steps.iter().map(|(from, action, to)| (without_tokens(from), action.clone(), without_tokens(to)));
    Steps { states: states.iter().map(without_tokens).collect(), steps: steps.collect() }
}

fn compared(name: &str, constants: &[(&str, &str)]) -> (World, Steps) {
    let (model, graph) = model(name, constants);
    (World::of(&model), module(&graph))
}

/// Goal: what is checked of the module is true of the machines. Method: each kind of fault in a world of its own, under
/// hardened rules, and the published rules.
#[test]
fn timed_job_and_the_machines_are_one_graph() {
    for (name, constants, states) in [
        ("TimedJob, hardened", &[][..], 1_997),
        ("TimedJob, a pause", &[], 2_036),
        ("TimedJob, published", &[("Losses", "0")], 2_371),
        // What a new process does first, and a new member; more time makes these large.
        ("TimedJob, a crash", &[("Horizon", "3")], 12),
        ("TimedJob, one joins", &[("Horizon", "3")], 21),
    ] {
        let (world, module) = compared(name, constants);
        let machines = world.walk();
        println!("{name}: {} states, {} steps", machines.states.len(), machines.steps.len());
        assert_equal(&machines, &module, name);
        assert_eq!(machines.states.len(), states, "{name}");
    }
}

/// Goal: the comparison convicts. Method: the module of a world without losses beside machines under another rule, beside
/// those of a world in which messages are lost, and without one step; another one beside a world in which both servers fail.
#[test]
fn another_rule_another_world_and_a_missing_step_are_noticed_of_job_distribution() {
    let told = |machines: &Steps, module: &Steps| {
        let differs = || assert_equal(machines, module, "planted");
        let told = std::panic::catch_unwind(differs).expect_err("a difference");
        told.downcast_ref::<String>().expect("words").clone()
    };
    let (mut model, graph) = model("TimedJob, hardened", &[("Losses", "0")]);
    let (world, mut module) = (World::of(&model), module(&graph));
    let machines = world.walk();
    assert_equal(&machines, &module, "as it is");
    let free = World { losses: UNBOUNDED, ..world }.walk();
    assert!(told(&free, &module).contains("only the machines take Tick"));
    model.constants.insert("Progress".to_owned(), "\"DeleteAfterRun\"".to_owned());
    assert!(told(&World::of(&model).walk(), &module).contains("only the machines take DeliverOutcome"));
    let step = module.steps.iter().nth(module.steps.len() / 2).cloned().expect("a step");
    module.steps.remove(&step);
    assert!(told(&machines, &module).contains(&format!("only the machines take {}", step.1)));
    let (world, module) = compared("TimedJob, a crash", &[("Horizon", "3")]);
    let frail = World { frail: SERVERS.to_vec(), ..world }.walk();
    assert!(told(&frail, &module).contains("only the machines take Crash"));
}
