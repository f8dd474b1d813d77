//! The election: `TimedLease.tla`. The table of the mapping stands in its header.

use super::{
    Constants, Mapped, Steps, Variables, assert_equal, by_machines, by_module, constant, int, model, record, set, text,
    tuple,
};
use failproof::election::{Election, Options};
use failproof::explore::{Flight, Instance, Life, Move, Space, Status};
use failproof::fault::Place;
use failproof::models::Model;
use failproof::options::{ClockOptions, ProtocolOptions};
use failproof_core::Duration;
use failproof_core::election::{self, Message, Rules, Work};
use serde_json::{Value as Json, json};
use tla_checker::ast::Value;

/// `Never` of the module.
const NEVER: u64 = 1_000_000_000;
/// How many actors come before the candidates.
const SERVERS: u64 = 2;

fn nobody() -> Value {
    Value::Model("Nobody".into())
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

/// Generation and counter as one number.
fn packed(generation: u64, counter: u64) -> Value {
    int(1_000 * generation + counter)
}

fn epoch(json: &Json) -> Value {
    packed(whole(&json["generation"]), whole(&json["counter"]))
}

fn version(json: &Json) -> Value {
    packed(whole(json) >> 32, whole(json) & 0xffff_ffff)
}

/// The node and the start that a mint names. A reused one names the node alone, in units of eight.
fn start(mint: u64, fresh: bool) -> Value {
    match fresh {
        true => tuple([int((mint >> 8) + 1 - SERVERS), int(mint & 0xff)]),
        false => tuple([int(mint / 8 + 1 - SERVERS), int(0)]),
    }
}

fn incarnation(json: &Json, fresh: bool) -> Value {
    match json {
        Json::Null => nobody(),
        json => tuple([start(whole(&json["mint"]), fresh), int(whole(&json["life"]))]),
    }
}

fn row(json: &Json, fresh: bool) -> Value {
    record([
        ("incarnation", incarnation(&json["incarnation"], fresh)),
        ("epoch", epoch(&json["epoch"])),
        ("seq", int(whole(&json["seq"]))),
        ("version", version(&json["version"])),
        ("stamp", time(&json["stamp"])),
    ])
}

fn candidate(json: &Json, fresh: bool) -> Value {
    let seen = &json["seen"];
    let proofs = json["proofs"].as_array().expect("a list").iter().filter(|proof| whole(&proof[0]) > 0);
    record([
        ("start", start(whole(&json["start"]["entropy"]), true)),
        ("life", int(whole(&json["life"]))),
        ("phase", text(json["phase"].as_str().expect("a name"))),
        ("tag", int(whole(&json["tag"]))),
        ("awaiting", text(json["awaiting"].as_str().expect("a name"))),
        ("awaitedTag", int(whole(&json["awaited_tag"]))),
        (
            "seen",
            record([
                ("row", row(&seen["row"], fresh)),
                ("tag", int(whole(&seen["tag"]))),
                ("queriedAt", time(&seen["queried_at"])),
                ("known", Value::Bool(seen["known"] == true)),
            ]),
        ),
        ("unchangedSince", time(&json["unchanged_since"])),
        ("epoch", epoch(&json["epoch"])),
        ("proofs", set(proofs.map(|proof| record([("tag", int(whole(&proof[0]))), ("at", time(&proof[1]))])))),
        ("anchorTag", int(whole(&json["anchor_tag"]))),
        ("heartbeatUnanswered", Value::Bool(json["heartbeat_unanswered"] == true)),
        ("operations", int(whole(&json["operations"]))),
        ("nextTick", time(&json["next_tick"])),
        ("replyDue", time(&json["reply_due"])),
        ("leaseUntil", time(&json["lease_until"])),
        ("stopDue", time(&json["stop_due"])),
        ("workDue", time(&json["work_due"])),
    ])
}

fn table(json: &Json, fresh: bool) -> Value {
    let entry = match &json["entries"][0] {
        Json::Null => nobody(),
        entry => record([
            ("incarnation", incarnation(&entry["incarnation"], fresh)),
            ("epoch", epoch(&entry["epoch"])),
            ("seq", int(whole(&entry["seq"]))),
            ("stamp", time(&entry["stamp"])),
            ("version", version(&entry["version"])),
            ("answeredEmpty", Value::Bool(entry["answered_empty"] == true)),
        ]),
    };
    record([
        ("entry", entry),
        ("epoch", epoch(&json["epochs"][0])),
        ("versions", int(whole(&json["versions"]))),
        ("generation", int(whole(&json["generation"]))),
        ("graceUntil", if json["grace_until"].is_null() { nobody() } else { time(&json["grace_until"]) }),
    ])
}

fn message(flight: &Flight, message: &Message, fresh: bool) -> Value {
    let json = json!(message);
    let (kind, body) = match json.as_object().and_then(|tagged| tagged.iter().next()) {
        Some((kind, body)) => (kind.as_str(), body),
        None => panic!("no message: {json}"),
    };
    let node = u64::from(flight.from.max(flight.to)) + 1 - SERVERS;
    let head = [("kind", text(kind)), ("node", int(node)), ("until", int(flight.at))];
    let mut fields: Vec<(&str, Value)> = head.into();
    fields.extend(match message {
        Message::Query(_) => vec![
            ("asker", incarnation(&body["asker"], fresh)),
            ("tag", int(whole(&body["tag"]))),
            ("sentAt", time(&body["sent_at"])),
        ],
        Message::Heartbeat(_) => vec![
            ("incarnation", incarnation(&body["incarnation"], fresh)),
            ("seq", int(whole(&body["seq"]))),
            ("sentAt", time(&body["sent_at"])),
            ("epoch", epoch(&body["epoch"])),
            (
                "token",
                match &body["token"] {
                    Json::Null => nobody(),
                    token => record([
                        ("incarnation", incarnation(&token["incarnation"], fresh)),
                        ("stamp", time(&token["stamp"])),
                        ("version", version(&token["version"])),
                    ]),
                },
            ),
        ],
        Message::Answer(_) => vec![
            ("toHeartbeat", Value::Bool(body["to_heartbeat"] == true)),
            ("tag", int(whole(&body["tag"]))),
            ("sentAt", time(&body["sent_at"])),
            ("row", row(&body["row"], fresh)),
        ],
        Message::Seal { .. } | Message::Refused { .. } => vec![("epoch", epoch(&body["epoch"]))],
        Message::Sealed { .. } => vec![("epoch", epoch(&body["epoch"])), ("last", version(&body["last"]))],
        Message::Operate { .. } => vec![("epoch", epoch(&body["epoch"])), ("number", int(whole(&body["number"])))],
        Message::Resign(_) => panic!("nobody resigns here"),
    });
    Value::Record(
        fields
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect::<std::collections::BTreeMap<_, _>>()
            .into(),
    )
}

fn life(life: Life) -> Value {
    tuple([tuple([int(u64::from(life.actor) + 1 - SERVERS), int(life.start)]), int(life.life)])
}

impl Mapped for Election {
    fn variables(space: &Space<'_, Self>, packed_state: &[u32]) -> Variables {
        let fresh = space.instance().plan().election().rules.fresh_incarnation == election::IdentitySource::Fresh;
        let state = space.unpack(packed_state);
        let machine = |actor: usize| state.machines[actor].map(|machine| json!(machine));
        let name = |status: Status| match status {
            Status::Off => "off",
            Status::Up => "up",
            Status::Paused => "paused",
            Status::Late => "late",
            Status::Down => "down",
        };
        let nodes = || state.statuses.iter();
        let held = |actor: u16| {
            let ours = state.messages.iter().filter(move |(flight, _)| flight.held && flight.from == actor);
            set(ours.map(|(flight, body)| match body {
                Message::Operate { epoch: of, number, .. } => record([
                    ("at", int(flight.at)),
                    ("epoch", packed(of.generation.into(), of.counter.into())),
                    ("number", int(*number)),
                ]),
                other => panic!("only operations are held: {other:?}"),
            }))
        };
        let resource = machine(1).expect("the resource");
        let kind = &resource["kinds"][0];
        let under_way = state.messages.iter().filter(|(flight, _)| !flight.held);
        let granted = state.ghost.granted.iter();
        let variables = [
            ("now", int(state.now)),
            ("status", tuple(nodes().map(|(_, status, _)| text(name(*status))))),
            ("starts", tuple(nodes().map(|(_, _, starts)| int(*starts)))),
            (
                "candidate",
                tuple(nodes().map(|(actor, ..)| {
                    machine(usize::from(*actor)).map_or_else(nobody, |json| candidate(&json, fresh))
                })),
            ),
            ("held", tuple(nodes().map(|(actor, ..)| held(*actor)))),
            ("table", table(&machine(0).expect("the table"), fresh)),
            ("resource", record([("highest", epoch(&kind["highest"])), ("last", version(&kind["last"]))])),
            ("messages", set(under_way.map(|(flight, body)| message(flight, body, fresh)))),
            (
                "used",
                record([
                    ("crashes", int(state.used[0])),
                    ("pauses", int(state.used[1])),
                    ("wipes", int(state.used[2])),
                ]),
            ),
            (
                "granted",
                set(granted
                    .map(|(of, epoch)| tuple([life(*of), packed(epoch.generation.into(), epoch.counter.into())]))),
            ),
            ("stained", Value::Bool(state.ghost.stained)),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn action(space: &Space<'_, Self>, what: Move) -> &'static str {
        match what {
            Move::Start(_) => "Start",
            Move::Fire(_) => "Fire",
            Move::Settle(_) => "Settle",
            Move::Resume(_) => "Resume",
            Move::Deliver(number) => match space.flight(number).1 {
                Message::Query(_) => "DeliverQuery",
                Message::Heartbeat(_) | Message::Resign(_) => "DeliverHeartbeat",
                Message::Seal { .. } | Message::Operate { .. } => "DeliverToResource",
                Message::Answer(_) | Message::Sealed { .. } | Message::Refused { .. } => "DeliverToNode",
            },
            Move::Leave(_) => "Leave",
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
    let (number, span) = (|name: &str| constants.number(name), |name: &str| constants.span(name));
    let switches = [
        ("anchor", "Anchor"),
        ("fencing", "Fencing"),
        ("recheck_on_reply", "Recheck"),
        ("age", "Age"),
        ("fresh_incarnation", "Identity"),
        ("empty_is_final", "EmptyAnswer"),
        ("renew_by_seq", "Renewal"),
        ("grace", "Grace"),
        ("term_in_row", "TermSource"),
    ];
    let rules = constants.rules(json!(Rules::hardened()), &switches);
    let ppm = |place: u64| -> i32 {
        let named = |set: &str| constant(model, set).contains(&place.to_string());
        let drift = i32::try_from(number("Drift") * 1_000_000 / number("Quantum")).expect("a small drift");
        drift * (i32::from(named("Fast")) - i32::from(named("Slow")))
    };
    let place = |place: u64| place.checked_sub(1).map_or(Place::Store, |node| Place::Node(node as u16));
    let clocks = (0..=number("Nodes")).map(|of| ClockOptions { node: place(of), ahead_us: 0, ppm: ppm(of) });
    let mut options = Options {
        nodes: number("Nodes") as u16,
        work: Work { every_us: span("WorkEvery"), takes_us: span("WorkTakes") },
        clocks: clocks.filter(|clock| clock.ppm != 0).collect(),
        ..Options::default()
    };
    let bounds = election::Bounds {
        drift_ppm: (number("Drift") * 1_000_000 / number("Quantum")) as u32,
        latency_us_max: Duration::from_micros(1),
        timer_late_us_max: span("Late"),
        stop_us_max: span("StopTime"),
        granularity_us: span("Granularity"),
    };
    options.set_limits(span("Interval"), span("Timeout"), bounds);
    options.set_rules(rules).expect("rules");
    let bounds = constants.bounds(constants.small("Wipes"));
    Instance::new(options, bounds).unwrap_or_else(|error| panic!("{}: {error}", model.name))
}

fn compared(name: &str, constants: &[(&str, &str)]) -> (Steps, Steps) {
    let (model, graph) = model(name, constants);
    (by_machines::<Election>(&instance(&model)), by_module(&graph, "End"))
}

/// Goal: what is checked of the module is true of the machines. Method: each kind of fault in a world of its own, under
/// hardened rules, and the published rules.
#[test]
fn the_timed_lease_and_the_machines_are_one_graph() {
    let horizon = [("Horizon", "2")];
    for (name, constants, states) in [
        ("TimedLease, hardened", &[][..], 2_300),
        ("TimedLease, drifting clocks", &[], 2_329),
        ("TimedLease, late answers", &[], 712),
        ("TimedLease, a pause", &[], 1_504),
        ("TimedLease, a wipe", &[], 1_037),
        ("TimedLease, operations", &[], 1_529),
        ("TimedLease, a crash, and time goes on", &[], 4_319),
        ("TimedLease, published", &horizon, 0),
    ] {
        let (machines, module) = compared(name, constants);
        assert_equal(&machines, &module, name);
        assert!(machines.states.len() > 300 && (states == 0 || machines.states.len() == states), "{name}");
        println!("{name}: {} states, {} steps", machines.states.len(), machines.steps.len());
    }
}

/// Goal: the comparison convicts. Method: the machines of one world beside the module of another, and a graph without one
/// step.
#[test]
fn another_rule_and_a_missing_step_are_noticed() {
    let differ = |machines: &Steps, module: &Steps| {
        std::panic::catch_unwind(|| assert_equal(machines, module, "planted")).expect_err("a difference")
    };
    let (machines, _) = compared("TimedLease, late answers", &[("Anchor", "\"Read\"")]);
    let (_, mut module) = compared("TimedLease, late answers", &[]);
    let told = differ(&machines, &module);
    assert!(told.downcast_ref::<String>().expect("words").contains("only the machines take"));
    let (machines, _) = compared("TimedLease, late answers", &[]);
    assert_equal(&machines, &module, "as it is");
    let step = module.steps.iter().nth(module.steps.len() / 2).cloned().expect("a step");
    module.steps.remove(&step);
    differ(&machines, &module);
}
