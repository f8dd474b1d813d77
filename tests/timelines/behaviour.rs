//! A trace in Apalache's format is a behaviour of its contract: every state follows from the one before by the action that
//! it names, until the first that broke something.

use super::plan_of;
use crate::commands::{failproof, folder, text_of};
use failproof_spec::contract::LabelSet;
use failproof_spec::{
    Action, Cache, ContextAction, ContextContract, ContextState, LeaseContract, PairState, Seat, Side, Token, Write,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The behaviour of the plan of a defect.
fn behaviour(defect: &str, rules: &str) -> Value {
    let file = folder(&format!("itf-{defect}-{rules}")).join("run.itf.json");
    let outcome = failproof(&["replay", &plan_of(defect), "--rules", rules, "--trace", text_of(&file)]);
    assert!(outcome.code <= 1, "{}", outcome.err);
    serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap()
}

fn states(behaviour: &Value) -> &[Value] {
    behaviour["states"].as_array().expect("states")
}

fn set(value: &Value) -> BTreeSet<&str> {
    value["#set"].as_array().expect("a set").iter().map(|name| name.as_str().unwrap()).collect()
}

fn map(value: &Value) -> BTreeMap<&str, &str> {
    let pairs = value["#map"].as_array().expect("a map").iter();
    pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect()
}

#[test]
fn behaviours_are_well_formed() {
    for (defect, contract, vars) in [
        ("E1", "Lease", &["owner", "works", "doubted", "token", "stained"][..]),
        ("R1", "Context", &["main", "backup", "expired", "token", "cache", "doubted", "write", "wrote", "split"][..]),
    ] {
        let behaviour = behaviour(defect, "published");
        assert_eq!(behaviour["vars"], json!(vars));
        assert_eq!(behaviour["#meta"]["run"]["contract"], contract);
        assert!(states(&behaviour).len() > 5);
        let domain = map(&states(&behaviour)[0]["token"]).into_keys().collect::<Vec<_>>();
        for (index, state) in states(&behaviour).iter().enumerate() {
            assert_eq!(state["#meta"]["index"], index);
            let fields: BTreeSet<_> = state.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, vars.iter().copied().chain(["#meta"]).collect());
            assert_eq!(map(&state["token"]).into_keys().collect::<Vec<_>>(), domain, "one domain for all states");
        }
    }
}

/// A state of an election seen through two of its actors.
fn pair(state: &Value, actors: [&str; 2]) -> PairState {
    let holds = |name: &str| actors.map(|actor| set(&state[name]).contains(actor));
    let token = map(&state["token"]);
    PairState {
        owner: [Side::A, Side::B]
            .into_iter()
            .zip(actors)
            .find(|(_, actor)| state["owner"] == *actor)
            .map(|(side, _)| side),
        works: holds("works"),
        doubted: holds("doubted"),
        token: actors.map(|actor| Token::from_name(token[actor]).unwrap()),
        stained: state["stained"] == true,
    }
}

/// The first state that no strict step leads to, seen by whoever moves and each other actor.
fn first_wrong_lease(behaviour: &Value) -> Option<usize> {
    let states = states(behaviour);
    let mut actors = map(&states[0]["token"]).into_keys().collect::<Vec<_>>();
    actors.push("somebody else");
    let whole = |state: &Value| {
        let mut state = state.clone();
        state["token"]["#map"].as_array_mut().unwrap().push(json!(["somebody else", "none"]));
        state
    };
    let wrong = |(at, two): (usize, &[Value])| {
        let [from, to] = [&two[0], &two[1]].map(whole);
        let meta = &to["#meta"];
        let action = Action::ALL.into_iter().find(|action| meta["action"] == action.name()).expect("an action");
        let movers: Vec<_> =
            actors.iter().filter(|actor| meta["actor"] == **actor || meta["actor"].is_null()).collect();
        let strict = movers.iter().all(|mover| {
            actors.iter().filter(|rival| *rival != *mover).all(|rival| {
                let [from, to] = [&from, &to].map(|state| pair(state, [mover, rival]).code());
                let label = if action.has_actor() { action.label(Side::A) } else { action.seen_from_outside() };
                from == to && !action.has_actor() || LeaseContract::strict().labels(from, to).meets(label)
            })
        });
        (!strict).then_some(at + 1)
    };
    states.windows(2).enumerate().find_map(wrong)
}

#[test]
fn behaviours_of_elections_are_strict_until_something_breaks() {
    for defect in ["E1", "E3", "E6", "E9"] {
        let held = behaviour(defect, "hardened");
        assert_eq!(first_wrong_lease(&held), None, "{defect} under hardened rules");
    }
    let broken = behaviour("E1", "published");
    let at = first_wrong_lease(&broken).expect("a step that the contract does not allow");
    let meta = &states(&broken)[at]["#meta"];
    assert_eq!((&meta["action"], &meta["actor"]), (&json!("Grant"), &json!("n1#2")), "the first guard that fails");
}

/// An altered behaviour is refused: a token that was not handed out, an owner who was not named.
#[test]
fn altered_behaviours_are_refused() {
    let held = behaviour("E1", "hardened");
    let grant = states(&held).iter().position(|state| state["#meta"]["action"] == "Grant").unwrap();
    let mut nobody = held.clone();
    nobody["states"][grant]["owner"] = json!("Nobody");
    assert_eq!(first_wrong_lease(&nobody), Some(grant));
    let mut renamed = held;
    renamed["states"][grant]["#meta"]["action"] = json!("StepUp");
    assert_eq!(first_wrong_lease(&renamed), Some(grant));
}

/// A state of a context, with its servers in the order of their names.
fn context(state: &Value) -> (ContextState, Vec<&str>) {
    let (token, cache, doubted) = (map(&state["token"]), map(&state["cache"]), set(&state["doubted"]));
    let servers: Vec<_> = token.keys().copied().collect();
    let at = |name: &Value| servers.iter().position(|server| name == server).map(|at| at as u8);
    let mut context = ContextState {
        main: at(&state["main"]),
        backup: at(&state["backup"]),
        expired: state["expired"] == true,
        write: Write::ALL.into_iter().find(|write| state["write"] == write.name()).unwrap(),
        wrote: at(&state["wrote"]),
        split: state["split"] == true,
        ..ContextState::default()
    };
    for (seat, server) in context.seats.iter_mut().zip(&servers) {
        *seat = Seat {
            token: Token::from_name(token[server]).unwrap(),
            cache: Cache::ALL.into_iter().find(|known| cache[server] == known.name()).unwrap(),
            doubted: doubted.contains(server),
        };
    }
    (context, servers)
}

fn first_wrong_context(behaviour: &Value) -> Option<usize> {
    let wrong = |(at, two): (usize, &[Value])| {
        let ((from, servers), (to, _)) = (context(&two[0]), context(&two[1]));
        let meta = &two[1]["#meta"];
        let action = ContextAction::ALL.into_iter().find(|action| meta["action"] == action.name()).expect("an action");
        let strict = (0..servers.len() as u8).all(|seat| {
            let [from, to] = [&from, &to].map(|state| state.seen_by(seat).code());
            let moves = meta["actor"] == servers[usize::from(seat)] || meta["actor"].is_null();
            let label = if moves { action } else { ContextAction::Elsewhere }.label();
            (from == to && !moves) || ContextContract::strict().labels(from, to).meets(label)
        });
        (!strict).then_some(at + 1)
    };
    states(behaviour).windows(2).enumerate().find_map(wrong)
}

#[test]
fn behaviours_of_contexts_are_strict_until_something_breaks() {
    for defect in ["R1", "R2", "R4"] {
        let held = behaviour(defect, "hardened");
        assert!(states(&held).len() > 5, "{defect} under hardened rules does something");
        assert_eq!(first_wrong_context(&held), None, "{defect} under hardened rules");
    }
    let broken = behaviour("R1", "published");
    let at = first_wrong_context(&broken).expect("a step that the contract does not allow");
    assert_eq!(states(&broken)[at]["#meta"]["action"], "Load", "the first guard that fails");
}
