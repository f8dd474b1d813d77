//! Context routing: `TimedContext.tla`. The table of the mapping stands in its header.
//!
//! | difference | why | here |
//! |---|---|---|
//! | the module begins before `Prepare` | the contract sees the creation of the context | its first state, and that one step, are left out |
//! | a heartbeat has a token of another shape | versions count the acceptances of both aliases | tokens are left out |
//! | a request that nobody can be asked for is an action of its own | to the gateway it is a request | both have one name |
//! | losses are counted where `Losses` bounds them | a bound keeps models small | `Losses` is `Unbounded` |
//! | views of servers, and messages about them, where `Looks` is FALSE | they decide nothing there | they are left out |
//! | gateways crash in the search | the module has no such action | states after it are left out |
//! | `doubted` names who was paused when it crashed | the search doubts those who run | not both faults in one world |

use super::{
    Constants, Mapped, Steps, Variables, assert_equal, by_machines, by_module, constant, int, model, record, set, text,
    tuple, without_tokens,
};
use failproof::explore::{Explored, Flight, Instance, Move, Space, Status};
use failproof::models::Model;
use failproof::options::ProtocolOptions;
use failproof::routing::{Options, Routing};
use failproof_core::Duration;
use failproof_core::election;
use failproof_core::routing::{AliasLock, Message, Rules, What};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use tla_checker::ast::Value;

/// `Never` of the module.
const NEVER: u64 = 1_000_000_000;
/// The cast: the store, the gateway, two servers, the client.
const GATEWAY: u16 = 1;
const SERVERS: [u16; 2] = [2, 3];
const CLIENT: u16 = 4;
/// How often a server starts at most.
const STARTS_MAX: u8 = 3;
/// What processes draw their chance from. With it the context is created at `FIRST`, and the client wishes to change `KEY`
/// first, then to read.
const SEED: u64 = 0;
/// The number of the server that is `First`.
const FIRST: u64 = 0;
/// The key that the client changes: `1` of the module.
const KEY: u64 = 1;

fn named(name: &str) -> Value {
    Value::Model(name.into())
}

fn nobody() -> Value {
    named("Nobody")
}

fn whole(json: &Json) -> u64 {
    json.as_u64().unwrap_or_else(|| panic!("no whole number: {json}"))
}

fn time(json: &Json) -> Value {
    int(match whole(json) {
        u64::MAX => NEVER,
        us => us,
    })
}

fn counter(json: &Json) -> Value {
    int(whole(&json["counter"]))
}

fn variant(json: &Json) -> (&str, &Json) {
    match json {
        Json::String(name) => (name, &Json::Null),
        json => json
            .as_object()
            .and_then(|tagged| tagged.iter().next())
            .map(|(name, of)| (name.as_str(), of))
            .expect("a variant"),
    }
}

/// What the words of the module depend on beside the state.
struct Names {
    /// Whether aliases are locked for ever.
    locks: bool,
    /// By mint.
    starts: BTreeMap<u64, u8>,
}

impl Names {
    fn of(space: &Space<'_, Routing>) -> Self {
        let plan = space.instance().plan();
        let starts = SERVERS.into_iter().flat_map(|actor| (1..=STARTS_MAX).map(move |start| (actor, start)));
        let starts = starts.map(|(actor, start)| (Routing::start(plan, actor, start).entropy, start)).collect();
        Self { locks: plan.routing().rules.alias_lock == AliasLock::Forever, starts }
    }

    fn server(&self, number: u64) -> Value {
        named(if number == FIRST { "First" } else { "Second" })
    }

    fn place(&self, actor: u16) -> Value {
        match actor {
            0 => named("Store"),
            GATEWAY => named("Gateway"),
            CLIENT => named("Client"),
            server => self.server(u64::from(server - SERVERS[0])),
        }
    }

    fn incarnation(&self, json: &Json) -> Value {
        match json {
            Json::Null => nobody(),
            json => tuple([int(self.starts[&whole(&json["mint"])]), int(whole(&json["life"]))]),
        }
    }

    fn content(&self, json: &Json) -> Value {
        let keys = json.as_array().expect("a list").iter().zip(0..).filter(|(seq, _)| whole(seq) > 0);
        set(keys.map(|(_, key)| self.key_of(key)))
    }

    fn key_of(&self, key: u64) -> Value {
        int(if key == KEY { 1 } else { 2 })
    }

    fn view(&self, json: &Json) -> Value {
        let rows = json["rows"].as_array().expect("a list").iter().zip(0..);
        set(rows.filter(|(row, _)| row["live"] == true).map(|(_, alias)| self.server(alias)))
    }

    fn candidate(&self, json: &Json, starts: u8) -> Value {
        let seen = &json["seen"];
        let anchor = whole(&json["anchor_tag"]);
        let proofs = json["proofs"].as_array().expect("a list").iter();
        let proofs = proofs.filter(|proof| whole(&proof[0]) > 0 && whole(&proof[0]) >= anchor);
        record([
            ("start", int(starts)),
            ("life", int(whole(&json["life"]))),
            ("phase", text(json["phase"].as_str().expect("a name"))),
            ("tag", int(whole(&json["tag"]))),
            ("awaiting", text(json["awaiting"].as_str().expect("a name"))),
            (
                "seen",
                match seen["known"] == true {
                    false => nobody(),
                    true => record([("tag", int(whole(&seen["tag"]))), ("row", self.heartbeat_row(&seen["row"]))]),
                },
            ),
            ("epoch", counter(&json["epoch"])),
            ("proofs", set(proofs.map(|proof| record([("tag", int(whole(&proof[0]))), ("at", time(&proof[1]))])))),
            ("anchorTag", int(anchor)),
            ("nextTick", time(&json["next_tick"])),
            ("replyDue", time(&json["reply_due"])),
            ("leaseUntil", time(&json["lease_until"])),
        ])
    }

    fn heartbeat_row(&self, json: &Json) -> Value {
        record([
            ("incarnation", self.incarnation(&json["incarnation"])),
            ("epoch", counter(&json["epoch"])),
            ("seq", int(whole(&json["seq"]))),
        ])
    }

    fn shown(&self, json: &Json) -> Value {
        record([
            ("main", self.server(whole(&json["main"]))),
            ("epoch", int(whole(&json["epoch"]))),
            ("generation", int(whole(&json["generation"]))),
            ("content", self.content(&json["content"])),
            ("version", int(whole(&json["version"]))),
        ])
    }

    /// The main that a HAID names, by its binding.
    fn main(&self, haid: &Json) -> Value {
        let haid = haid.as_str().expect("a HAID");
        let alias = haid.split("--cs_").nth(1).and_then(|rest| rest.get(..1)).expect("a main").parse::<u64>();
        self.server(alias.expect("a number"))
    }

    /// Fields of a request without its kind.
    fn request(&self, json: &Json) -> Vec<(&'static str, Value)> {
        let (verb, of) = variant(&json["verb"]);
        let key = if verb == "Change" { self.key_of(whole(&of["key"])) } else { int(0) };
        vec![
            ("number", int(whole(&json["number"]))),
            ("key", key),
            ("main", self.main(&of["haid"])),
            ("avoidMain", Value::Bool(json["avoid_main"] == true)),
        ]
    }

    fn server_state(&self, json: Option<&Json>, starts: u8) -> Value {
        let Some(json) = json else {
            return record([
                ("nextLook", int(0)),
                ("tag", int(0)),
                ("locked", int(0)),
                ("view", set([])),
                ("viewTag", int(0)),
                ("cache", nobody()),
                ("waiting", set([])),
            ]);
        };
        let cache = match &json["cache"][0] {
            Json::Null => nobody(),
            cached => record([("term", counter(&cached["term"])), ("row", self.shown(&cached["row"]))]),
        };
        let waiting = json["waiting"].as_array().expect("a list").iter().map(|waiting| {
            record([
                ("tag", int(whole(&waiting["tag"]))),
                ("term", counter(&waiting["term"])),
                ("since", time(&waiting["since"])),
                ("writes", Value::Bool(waiting["writes"] == true)),
                ("request", tagged("Request", self.request(&waiting["request"]))),
            ])
        });
        let (view, view_tag) = match starts {
            1 => (set([named("First"), named("Second")]), int(1)),
            _ => (set([]), int(0)),
        };
        record([
            ("nextLook", time(&json["next_look"])),
            ("tag", int(whole(&json["tag"]))),
            ("locked", if self.locks { counter(&json["seat"]["granted"]) } else { int(0) }),
            ("view", view),
            ("viewTag", view_tag),
            ("cache", cache),
            ("waiting", set(waiting)),
        ])
    }

    /// A message, unless it is left out.
    fn message(&self, flight: &Flight, message: &Message) -> Option<Value> {
        if is_left_out(flight, message) {
            return None;
        }
        let json = json!(message);
        let (kind, of) = variant(&json);
        let body = match kind {
            "Request" => tagged("Request", self.request(of)),
            "Reply" => {
                let (answer, of_answer) = variant(&of["answer"]);
                let current = if of_answer.is_array() { &of_answer[0] } else { of_answer };
                let (main, generation) = match current {
                    Json::Null => (nobody(), int(0)),
                    current => (self.main(&current["haid"]), int(whole(&current["generation"]))),
                };
                tagged(
                    "Reply",
                    vec![
                        ("number", int(whole(&of["number"]))),
                        ("answer", text(answer)),
                        ("main", main),
                        ("generation", generation),
                    ],
                )
            }
            "Alias" => self.election(of),
            "Look" => tagged("Look", vec![("tag", int(whole(&of["tag"])))]),
            "View" => tagged("View", vec![("tag", int(whole(&of["tag"]))), ("view", self.view(&of["view"]))]),
            "Operation" => self.operation(of),
            "Outcome" => tagged(
                "Outcome",
                vec![
                    ("tag", int(whole(&of["tag"]))),
                    ("term", counter(&of["term"])),
                    ("verdict", text(of["verdict"].as_str().expect("a name"))),
                    ("row", self.shown(&of["row"])),
                ],
            ),
            other => panic!("nobody sends a {other} here"),
        };
        Some(record([
            ("from", self.place(flight.from)),
            ("to", self.place(flight.to)),
            ("until", int(flight.at)),
            ("body", body),
        ]))
    }

    fn election(&self, json: &Json) -> Value {
        let (kind, of) = variant(json);
        let fields = match kind {
            "Query" => {
                vec![("incarnation", self.incarnation(&of["asker"])), ("tag", int(whole(&of["tag"])))]
            }
            "Heartbeat" => vec![
                ("incarnation", self.incarnation(&of["incarnation"])),
                ("seq", int(whole(&of["seq"]))),
                ("epoch", counter(&of["epoch"])),
                ("token", nobody()),
            ],
            "Answer" => vec![
                ("toHeartbeat", Value::Bool(of["to_heartbeat"] == true)),
                ("tag", int(whole(&of["tag"]))),
                ("row", self.heartbeat_row(&of["row"])),
            ],
            other => panic!("nobody sends a {other} here"),
        };
        tagged(kind, fields)
    }

    fn operation(&self, json: &Json) -> Value {
        let (kind, of) = variant(&json["what"]);
        let mut fields = vec![("tag", int(whole(&json["tag"]))), ("term", counter(&json["term"]))];
        match kind {
            "Load" => fields.push(("mainGone", Value::Bool(false))),
            "Write" => fields.extend([
                ("epoch", int(whole(&of["epoch"]))),
                ("key", self.key_of(whole(&of["key"]))),
                ("content", self.content(&of["content"])),
            ]),
            other => panic!("nobody asks for {other} here"),
        }
        tagged(kind, fields)
    }
}

fn tagged(kind: &str, fields: Vec<(&'static str, Value)>) -> Value {
    let all = [("kind", text(kind))].into_iter().chain(fields);
    Value::Record(all.map(|(name, value)| (name.into(), value)).collect::<BTreeMap<_, _>>().into())
}

/// What servers see, and what is said about it, decides nothing.
fn is_left_out(flight: &Flight, message: &Message) -> bool {
    let of_server = SERVERS.contains(&flight.from) || SERVERS.contains(&flight.to);
    of_server && matches!(message, Message::Look { .. } | Message::View { .. })
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

/// A function from the servers.
fn by_server(of: impl Fn(u16) -> Value) -> Value {
    let names = Names { locks: false, starts: BTreeMap::new() };
    let pairs = SERVERS.into_iter().map(|actor| (names.place(actor), of(actor)));
    Value::Fn(pairs.collect::<BTreeMap<_, _>>().into())
}

impl Mapped for Routing {
    fn variables(space: &Space<'_, Self>, packed: &[u32]) -> Variables {
        let names = Names::of(space);
        let state = space.unpack(packed);
        let machine = |actor: u16| state.machines[usize::from(actor)].map(|machine| json!(machine));
        let status_of = |actor: u16| {
            let of = state.statuses.iter().find(|(id, ..)| *id == actor).expect("a process");
            (of.1, of.2)
        };
        let servers = SERVERS.map(machine);
        let server = |actor: u16| servers[usize::from(actor - SERVERS[0])].as_ref();
        let store = machine(0).expect("the store");
        let entry = |actor: u16| {
            let entry = &store["heartbeats"]["entries"][usize::from(actor - SERVERS[0])];
            record([
                ("incarnation", names.incarnation(&entry["incarnation"])),
                ("epoch", counter(&entry["epoch"])),
                ("seq", int(whole(&entry["seq"]))),
                ("acceptedAt", time(&entry["accepted_at"])),
                ("answeredEmpty", Value::Bool(entry["answered_empty"] == true)),
            ])
        };
        let row = &store["contexts"]["rows"][0];
        let gateway = machine(GATEWAY).expect("the gateway");
        let client = machine(CLIENT).expect("the client");
        let known = &client["known"][0];
        let pending = &client["pending"];
        let ghost = state.ghost;
        let wrongs = [(ghost.hasty, "haste"), (ghost.stale, "stale")].into_iter().filter(|(wrong, _)| *wrong);
        let doubted = SERVERS.into_iter().filter(|actor| matches!(status_of(*actor).0, Status::Paused | Status::Late));
        let variables = [
            ("now", int(state.now)),
            (
                "status",
                by_server(|actor| {
                    text(match status_of(actor).0 {
                        Status::Off => "off",
                        Status::Up => "up",
                        Status::Paused => "paused",
                        Status::Late => "late",
                        Status::Down => "down",
                    })
                }),
            ),
            (
                "candidate",
                by_server(|actor| {
                    let starts = status_of(actor).1;
                    server(actor).map_or_else(
                        || fresh_candidate(starts),
                        |json| names.candidate(&json["seat"]["candidate"], starts),
                    )
                }),
            ),
            ("server", by_server(|actor| names.server_state(server(actor), status_of(actor).1))),
            ("table", by_server(entry)),
            (
                "row",
                record([
                    ("main", names.server(whole(&row["owners"][0]))),
                    ("holder", counter(&row["holder"])),
                    ("epoch", int(whole(&row["epoch"]))),
                    ("generation", int(whole(&row["generation"]))),
                    ("content", names.content(&row["content"])),
                    ("version", int(whole(&row["version"]))),
                ]),
            ),
            (
                "gateway",
                record([
                    ("view", names.view(&gateway["view"])),
                    ("nextLook", time(&gateway["next_look"])),
                    ("tag", int(whole(&gateway["tag"]))),
                    ("seenTag", int(whole(&gateway["seen_tag"]))),
                ]),
            ),
            (
                "client",
                record([
                    ("number", int(whole(&client["number"]))),
                    (
                        "pending",
                        match pending {
                            Json::Null => nobody(),
                            pending => record([
                                ("avoidMain", Value::Bool(pending["avoid_main"] == true)),
                                ("followed", Value::Bool(pending["followed"] == true)),
                            ]),
                        },
                    ),
                    ("due", time(&client["due"])),
                    ("main", names.main(&known["haid"])),
                    ("generation", int(whole(&known["generation"]))),
                ]),
            ),
            ("messages", set(state.messages.iter().filter_map(|(flight, message)| names.message(flight, message)))),
            ("used", record([("crashes", int(state.used[0])), ("pauses", int(state.used[1])), ("losses", int(0))])),
            ("acked", Value::Bool(ghost.acked[0][KEY as usize] > 0)),
            ("wrote", ghost.wrote[0].map_or_else(nobody, |alias| names.server(alias.0.into()))),
            ("split", Value::Bool(ghost.split)),
            ("wrongs", set(wrongs.map(|(_, wrong)| text(wrong)))),
            ("doubted", set(doubted.map(|actor| names.place(actor)))),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The gateway never crashed.
    fn is_compared(space: &Space<'_, Self>, state: &[u32]) -> bool {
        space.unpack(state).statuses.contains(&(GATEWAY, Status::Up, 1))
    }

    fn is_left_out(space: &Space<'_, Self>, what: Move) -> bool {
        match what {
            Move::Deliver(number) => {
                let (flight, message) = space.flight(number);
                is_left_out(flight, message)
            }
            _ => false,
        }
    }

    fn action(space: &Space<'_, Self>, what: Move) -> &'static str {
        match what {
            Move::Start(_) => "Start",
            Move::Fire(GATEWAY) => "FireGateway",
            Move::Fire(CLIENT) => "FireClient",
            Move::Fire(_) => "FireServer",
            Move::Settle(_) => "Settle",
            Move::Resume(_) => "Resume",
            Move::Deliver(number) => {
                let (flight, message) = space.flight(number);
                match (message, flight.to) {
                    (Message::Request(_), GATEWAY) => "DeliverToGateway",
                    (Message::Request(_), _) => "DeliverRequest",
                    (Message::Reply(_), GATEWAY) => "DeliverBack",
                    (Message::Reply(_), _) => "DeliverReply",
                    (Message::Alias(election::Message::Query(_)), _) => "DeliverQuery",
                    (Message::Alias(election::Message::Heartbeat(_)), _) => "DeliverHeartbeat",
                    (Message::Alias(_), _) => "DeliverAnswer",
                    (Message::Look { .. }, _) => "DeliverLook",
                    (Message::View { .. }, GATEWAY) => "DeliverGatewayView",
                    (Message::View { .. }, _) => "DeliverView",
                    (Message::Operation(operation), _) => match operation.what {
                        What::Load { .. } => "DeliverLoad",
                        _ => "DeliverWrite",
                    },
                    (Message::Outcome(_), _) => "DeliverOutcome",
                    (Message::Share(_), _) => panic!("one client shares nothing"),
                }
            }
            Move::Leave(_) => panic!("nothing is held here"),
            Move::Tick => "Tick",
            Move::Pause(_) => "Pause",
            Move::Crash(_) => "Crash",
            Move::Wipe => "Wipe",
        }
    }
}

/// The small world that a model speaks of.
fn instance(model: &Model) -> Instance {
    let constants = Constants(model);
    let span = |name: &str| constants.span(name);
    assert_eq!(span("Refresh"), span("Interval"), "a gateway looks as often as a server");
    assert_eq!(constant(model, "Losses"), "1000", "the machines count no losses");
    assert_eq!((constant(model, "Looks").as_str(), constant(model, "Cold").as_str()), ("FALSE", "{}"));
    let switches = [
        ("ownership", "Ownership"),
        ("main_check", "MainCheck"),
        ("unnamed_server", "UnnamedServer"),
        ("alias_lock", "AliasLock"),
    ];
    let rules = constants.rules(json!(Rules::hardened()), &switches);
    let mut options = Options {
        gateways: 1,
        servers: 2,
        clients: 1,
        contexts: 1,
        every_us: span("Every"),
        patience_us: span("Patience"),
        ..Options::default()
    };
    let bounds = election::Bounds {
        drift_ppm: 0,
        latency_us_max: Duration::from_micros(1),
        timer_late_us_max: span("Quantum"),
        stop_us_max: Duration::ZERO,
        granularity_us: Duration::from_micros(1),
    };
    options.set_limits(span("Interval"), span("Timeout"), bounds);
    options.set_rules(rules).expect("rules");
    let bounds = constants.bounds(0);
    let instance = Instance::new(options, bounds).unwrap_or_else(|error| panic!("{}: {error}", model.name));
    instance.with_chance(SEED)
}

/// The graph of the module behind `Prepare`, which is its first step and happens once.
fn prepared(module: &Steps) -> Steps {
    let begins = |variables: &Variables| variables["row"] == nobody();
    let first: Vec<_> = module.steps.iter().filter(|(from, ..)| begins(from)).collect();
    assert_eq!(first.iter().map(|(_, action, _)| action.as_str()).collect::<Vec<_>>(), ["Prepare"]);
    assert_eq!(module.states.iter().filter(|state| begins(state)).count(), 1);
    let steps = module.steps.iter().filter(|(from, ..)| !begins(from)).map(|(from, action, to)| {
        let action = if action == "RefuseRequest" { "DeliverToGateway" } else { action };
        (without_tokens(from), action.to_owned(), without_tokens(to))
    });
    let states = module.states.iter().filter(|state| !begins(state)).map(without_tokens);
    Steps { states: states.collect(), steps: steps.collect() }
}

fn compared(name: &str, constants: &[(&str, &str)]) -> (Steps, Steps) {
    let all: Vec<_> = [("Losses", "1000"), ("Refresh", "10")].iter().chain(constants).copied().collect();
    let (model, graph) = model(name, &all);
    (by_machines::<Routing>(&instance(&model)), prepared(&by_module(&graph, "Rest")))
}

/// Goal: what is checked of the module is true of the machines. Method: each kind of fault in a world of its own, under
/// hardened rules, and the published rules.
#[test]
fn timed_context_and_the_machines_are_one_graph() {
    for (name, constants, states) in [
        ("TimedContext, hardened", &[("Crashes", "0"), ("Every", "10"), ("Horizon", "1")][..], 833),
        ("TimedContext, late messages", &[], 833),
        ("TimedContext, published", &[("Every", "10"), ("Horizon", "1")], 833),
        // The client is silent in these, so that they stay small.
        ("TimedContext, a pause", &[("Horizon", "1")], 390),
        ("TimedContext, hardened", &[("Horizon", "1")], 1_035),
    ] {
        let (machines, module) = compared(name, constants);
        println!("{name}: {} states, {} steps", machines.states.len(), machines.steps.len());
        assert_equal(&machines, &module, name);
        assert_eq!(machines.states.len(), states, "{name}");
    }
}

/// Goal: the comparison convicts. Method: the machines of one world beside the module of another, and a graph without one
/// step.
#[test]
fn another_rule_and_a_missing_step_are_noticed_of_routing() {
    let differ = |machines: &Steps, module: &Steps| {
        std::panic::catch_unwind(|| assert_equal(machines, module, "planted")).expect_err("a difference")
    };
    let world = [("Crashes", "0"), ("Every", "10"), ("Horizon", "1")];
    let last_writer = [("Ownership", "\"LastWriter\""), ("Crashes", "0"), ("Every", "10"), ("Horizon", "1")];
    let (machines, _) = compared("TimedContext, hardened", &last_writer);
    let (sound, mut module) = compared("TimedContext, hardened", &world);
    let told = differ(&machines, &module);
    assert!(told.downcast_ref::<String>().expect("words").contains("only the machines take"));
    assert_equal(&sound, &module, "as it is");
    let step = module.steps.iter().nth(module.steps.len() / 2).cloned().expect("a step");
    module.steps.remove(&step);
    differ(&sound, &module);
}
