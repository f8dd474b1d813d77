//! A run as a behaviour of its contract, in the Informal Trace Format of Apalache: the initial state, then one state for
//! each action of the contract.
//!
//! A run can have many things that the contract is about, such as kinds of leader or keys of contexts. The behaviour is
//! that of the first one that broke, or of the first one of all.

use super::Record;
use super::header::Header;
use crate::note::{Action, Field, LeaseState, Note, State, Value};
use failproof_core::distribution::{JobId, Name};
use failproof_spec::ContextState;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// The behaviour as JSON text.
#[must_use]
pub fn itf(header: &Header, records: &[Record]) -> String {
    let subject = subject(records);
    let actions: Vec<_> = actions(records).filter(|(_, action)| action.subject == subject).collect();
    let initial = initial(header, actions.first().map(|(_, action)| &action.state));
    let names = names(&actions);
    let vars: Vec<_> = initial.fields().into_iter().map(|(name, _)| name).collect();
    let mut states = vec![state(json!({ "index": 0 }), &initial, &names)];
    for (index, (record, action)) in actions.iter().enumerate() {
        let who = action.who.map(|who| who.to_string());
        let meta = json!({
            "index": index + 1, "action": action.name, "actor": who, "step": record.step, "true_us": record.true_us,
        });
        states.push(state(meta, &action.state, &names));
    }
    let meta = json!({
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "description": format!("{} of a run of failproof, by the contract {}", initial.subject(subject), header.contract),
        "varTypes": types(&initial),
        "run": header,
    });
    // Plain data: nothing that JSON could refuse.
    serde_json::to_string(&json!({ "#meta": meta, "vars": vars, "states": states })).unwrap_or_default() + "\n"
}

fn actions(records: &[Record]) -> impl Iterator<Item = (&Record, &Action)> {
    records.iter().flat_map(|record| {
        record.notes.iter().filter_map(move |note| match note {
            Note::Action(action) => Some((record, action)),
            _ => None,
        })
    })
}

/// What broke first; zero if nothing did.
fn subject(records: &[Record]) -> u32 {
    let mut last = 0;
    for note in records.iter().flat_map(|record| &record.notes) {
        match note {
            Note::Action(action) => last = action.subject,
            Note::Broken(broken) => return broken.subject.unwrap_or(last),
            _ => {}
        }
    }
    0
}

/// `Init` of the contract.
fn initial(header: &Header, like: Option<&State>) -> State {
    match like {
        Some(State::Context { servers, .. }) => State::Context { state: ContextState::default(), servers: *servers },
        None if header.contract == "Context" => State::Context { state: ContextState::default(), servers: 0 },
        Some(State::Job { name, seats, .. }) => State::Job { name: *name, state: Box::default(), seats: *seats },
        None if header.contract == "Job" => {
            let name = Name { job: JobId(0), action: 1, attempt: 1 };
            State::Job { name, state: Box::default(), seats: Default::default() }
        }
        Some(State::Lease(_)) | None => State::Lease(LeaseState::default()),
    }
}

/// The actors of the whole behaviour: a function of TLA+ has them all in its domain.
fn names(actions: &[(&Record, &Action)]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, action) in actions {
        names.extend(action.who.map(|who| who.to_string()));
        for (_, value) in action.state.fields() {
            match value {
                Value::Map(map) => names.extend(map.into_keys()),
                Value::Set(set) => names.extend(set),
                Value::Flag(_) | Value::Number(_) | Value::Word(_) => {}
            }
        }
    }
    names
}

fn state(meta: Json, state: &State, names: &BTreeSet<String>) -> Json {
    let mut object = Map::from_iter([("#meta".to_owned(), meta)]);
    for (name, value) in state.fields() {
        object.insert(name.to_owned(), json_of(value, names));
    }
    Json::Object(object)
}

fn json_of(value: Value, names: &BTreeSet<String>) -> Json {
    match value {
        Value::Flag(flag) => json!(flag),
        Value::Number(number) => json!({ "#bigint": number.to_string() }),
        Value::Word(word) => json!(word),
        Value::Set(set) => json!({ "#set": set }),
        Value::Map(map) => {
            // Those of whom the state says nothing hold nothing.
            let all: BTreeMap<_, _> =
                names.iter().map(|name| (name, map.get(name).map_or("none", String::as_str))).collect();
            json!({ "#map": all.into_iter().collect::<Vec<_>>() })
        }
    }
}

/// The types of the variables, in the words of Apalache.
fn types(state: &State) -> BTreeMap<&'static str, &'static str> {
    let of = |(name, value): Field| {
        let words = match value {
            Value::Flag(_) => "Bool",
            Value::Number(_) => "Int",
            Value::Word(_) => "Str",
            Value::Set(_) => "Set(Str)",
            Value::Map(_) => "(Str -> Str)",
        };
        (name, words)
    };
    state.fields().into_iter().map(of).collect()
}
