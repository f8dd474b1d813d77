//! The timed modules and the machines of the core are the same graph: same states, same steps.
//!
//! Method: the small world of a model is searched by the real machines (`failproof explore`), each of its states is written
//! in the variables of the module, and the module's own state graph is explored by tla-checker. Then states and steps are
//! compared, in both directions. What is left out of a module is left out of the comparison, and said in its header.

mod distribution;
mod election;
mod routing;

use failproof::explore::{Bounds, Edge, Explored, Instance, Limits, Move, Outside, Search, Space, Visitor};
use failproof::models::{self, Checker, Graph, Model};
use failproof_core::Duration;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tla_checker::ast::Value;

/// The variables of a module in one state.
pub(crate) type Variables = BTreeMap<String, Value>;

/// What the machines of a protocol are in the words of its timed module.
pub(crate) trait Mapped: Explored {
    /// The variables of a state.
    fn variables(space: &Space<'_, Self>, state: &[u32]) -> Variables;
    /// Whether a state is one of the module's world.
    fn is_compared(_space: &Space<'_, Self>, _state: &[u32]) -> bool {
        true
    }
    /// Whether a move changes nothing that the module speaks of.
    fn is_left_out(_space: &Space<'_, Self>, _what: Move) -> bool {
        false
    }
    /// The action that a move is.
    fn action(space: &Space<'_, Self>, what: Move) -> &'static str;
}

/// States, and the steps between them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) states: BTreeSet<Variables>,
    pub(crate) steps: BTreeSet<(Variables, String, Variables)>,
}

impl<P: Mapped> Visitor<P> for Steps {
    fn state(&mut self, space: &Space<'_, P>, state: &[u32]) {
        if P::is_compared(space, state) {
            self.states.insert(P::variables(space, state));
        }
    }

    fn edge(&mut self, space: &Space<'_, P>, edge: Edge<'_>) {
        if !P::is_compared(space, edge.from) || !P::is_compared(space, edge.to) {
            return;
        }
        let (from, to) = (P::variables(space, edge.from), P::variables(space, edge.to));
        if P::is_left_out(space, edge.what) {
            assert_eq!(from, to, "what is left out changes nothing");
            return;
        }
        self.steps.insert((from, P::action(space, edge.what).to_owned(), to));
    }
}

/// The graph of the machines.
pub(crate) fn by_machines<P: Mapped>(instance: &Instance) -> Steps {
    let mut steps = Steps::default();
    let mut search = Search::<P>::new(instance, &[], Limits::default());
    search.walk(&mut steps, &Outside { stop: &AtomicBool::new(false), progress: &|_| () });
    steps
}

/// The graph of the module, without the steps of `idle`, which end a behaviour by design.
pub(crate) fn by_module(graph: &Graph, idle: &str) -> Steps {
    let named = |state: &Vec<Value>| -> Variables {
        graph.variables.iter().map(ToString::to_string).zip(state.iter().cloned()).collect()
    };
    let states: Vec<Variables> = graph.states.iter().map(named).collect();
    let steps = graph.steps.iter().filter(|(_, action, _)| action != idle);
    let steps = steps.map(|(from, action, to)| (states[*from].clone(), action.clone(), states[*to].clone())).collect();
    Steps { states: states.into_iter().collect(), steps }
}

/// A model of the manifest, with other constants if any are given, and its graph.
pub(crate) fn model(name: &str, constants: &[(&str, &str)]) -> (Model, Graph) {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/tla/manifest.toml");
    let (manifest, bench) = models::open(Some(&manifest), Checker::InProcess).expect("the manifest can be read");
    let mut model = manifest.models.into_iter().find(|model| model.name == name).expect("a model of this name");
    let other = constants.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    model.constants.extend(other);
    let graph = bench.graph(&model).unwrap_or_else(|failure| panic!("{name}: {failure}"));
    (model, graph)
}

/// A constant of a model, as it is written.
pub(crate) fn constant(model: &Model, name: &str) -> String {
    if let Some(value) = model.constants.get(name) {
        return value.clone();
    }
    let cfg = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/tla").join(&model.cfg);
    let cfg = std::fs::read_to_string(cfg).expect("a configuration");
    let sets = cfg.lines().filter_map(|line| line.split_once('='));
    let value = sets.filter(|(known, _)| known.trim() == name).map(|(_, value)| value.trim().to_owned()).next();
    value.unwrap_or_else(|| panic!("{}: no constant {name}", model.cfg))
}

/// The constants of a model as numbers and decisions.
pub(crate) struct Constants<'m>(pub(crate) &'m Model);

impl Constants<'_> {
    pub(crate) fn number(&self, name: &str) -> u64 {
        constant(self.0, name).parse().expect("a number")
    }

    pub(crate) fn small(&self, name: &str) -> u8 {
        u8::try_from(self.number(name)).expect("a small number")
    }

    /// In microseconds.
    pub(crate) fn span(&self, name: &str) -> Duration {
        Duration::from_micros(self.number(name))
    }

    /// Hardened rules, but for these switches, each with the constant that decides: `"NextTick"` is `next_tick`.
    pub(crate) fn rules(&self, mut hardened: Json, switches: &[(&str, &str)]) -> Json {
        for (switch, name) in switches {
            let mut decision = String::new();
            for letter in constant(self.0, name).trim_matches('"').chars() {
                if letter.is_uppercase() && !decision.is_empty() {
                    decision.push('_');
                }
                decision.extend(letter.to_lowercase());
            }
            hardened[*switch] = decision.into();
        }
        hardened
    }

    /// How large the world is, with so many wipes.
    pub(crate) fn bounds(&self, wipes: u8) -> Bounds {
        Bounds {
            quantum: self.span("Quantum"),
            horizon: self.small("Horizon"),
            delay: self.small("Delay"),
            crashes: self.small("Crashes"),
            pauses: self.small("Pauses"),
            wipes,
        }
    }
}

/// A state without the tokens of heartbeats, which have another shape in the module.
pub(crate) fn without_tokens(variables: &Variables) -> Variables {
    let mut variables = variables.clone();
    let Some(Value::Set(messages)) = variables.get("messages") else { panic!("a set of messages") };
    let messages = messages.iter().map(|message| {
        let Value::Record(fields) = message else { panic!("a message is a record") };
        let mut fields = (**fields).clone();
        if let Some(Value::Record(body)) = fields.get("body")
            && body.contains_key("token")
        {
            let mut body = (**body).clone();
            body.insert("token".into(), Value::Model("Nobody".into()));
            fields.insert("body".into(), Value::Record(body.into()));
        }
        Value::Record(fields.into())
    });
    let messages = set(messages);
    variables.insert("messages".to_owned(), messages);
    variables
}

/// Both graphs are equal; else the first difference is told, with the variables that differ from the nearest state.
pub(crate) fn assert_equal(machines: &Steps, module: &Steps, what: &str) {
    for (ours, theirs, who) in [(machines, module, "the machines"), (module, machines, "the module")] {
        if let Some((from, action, to)) = ours.steps.difference(&theirs.steps).next() {
            // A step from a common state tells where the two part.
            let parted = ours.steps.difference(&theirs.steps).find(|(from, ..)| theirs.states.contains(from));
            let (from, action, to) = parted.map_or((from, action, to), |(from, action, to)| (from, action, to));
            let near = theirs.steps.iter().filter(|(other, name, _)| (other, name) == (from, action));
            let near = near.map(|(.., to)| to).min_by_key(|other| differences(to, other).len());
            panic!(
                "{what}: only {who} take {action} from {from:#?} to {to:#?}; nearest: {:#?}",
                near.map(|other| differences(to, other))
            );
        }
    }
    assert_eq!((machines.states.len(), machines.steps.len()), (module.states.len(), module.steps.len()), "{what}");
    assert!(machines == module, "{what}");
}

fn differences<'v>(one: &'v Variables, other: &'v Variables) -> Vec<(&'v str, &'v Value, Option<&'v Value>)> {
    let differs = one.iter().filter(|(name, value)| other.get(*name) != Some(value));
    differs.map(|(name, value)| (name.as_str(), value, other.get(name))).collect()
}

/// Values as the module writes them.
pub(crate) fn int(value: impl TryInto<i64>) -> Value {
    Value::Int(value.try_into().ok().expect("a small number"))
}

pub(crate) fn text(value: &str) -> Value {
    Value::Str(Arc::from(value))
}

pub(crate) fn tuple(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Tuple(Arc::new(values.into_iter().collect()))
}

pub(crate) fn set(values: impl IntoIterator<Item = Value>) -> Value {
    Value::set(values.into_iter().collect())
}

pub(crate) fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Record(Arc::new(fields.into_iter().map(|(name, value)| (Arc::from(name), value)).collect()))
}
