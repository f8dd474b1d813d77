//! Compiles a finite contract of two actors to the transition table that the judge reads.
//!
//! The states and edges come from tla-checker, which enumerates successors; the labels of an edge come from evaluating
//! each action, with each parameter, on the two states. The two ways must agree: an edge that no action explains is an
//! error, and so is an action that holds on no edge. Nothing here is known to the judge; it reads the text only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use failproof_spec::{Labels, PairState, Side, Token};
use tla_checker::ast::{Env, Expr, Spec, State, Value};
use tla_checker::checker::{CheckResult, CheckerConfig, check, prepare_spec};
use tla_checker::config::{apply_config, parse_cfg};
use tla_checker::eval::{Definitions, eval, init_states, make_primed_names, next_states};
use tla_checker::load::prepare_from_path;
use tla_checker::parser::parse;

/// The text of the table of `module` with the constants of `cfg`.
///
/// Shape: a header; the states, one a line, in the order of their pair codes; the edges, one a line, as
/// `from to label[,label]`, in order. Equal input gives equal bytes.
///
/// # Errors
/// Says in words what could not be read, evaluated or explained.
pub(crate) fn compile(module: &str, cfg: &str) -> Result<String, String> {
    let model = Model::load(module, cfg)?;
    let edges = model.edges()?;
    let mut states: BTreeMap<usize, PairState> = BTreeMap::new();
    for (from, to) in edges.keys() {
        for state in [from, to] {
            states.insert(state.code().index(), *state);
        }
    }
    let number: BTreeMap<usize, usize> = states.keys().enumerate().map(|(at, code)| (*code, at)).collect();
    let mut lines: BTreeMap<(usize, usize), Labels> = BTreeMap::new();
    let mut fired = Labels::NONE;
    for ((from, to), labels) in &edges {
        lines.insert((number[&from.code().index()], number[&to.code().index()]), *labels);
        fired = fired.with(*labels);
    }
    if let Some((action, side)) = Labels::each().find(|(action, side)| !fired.meets(action.label(*side))) {
        return Err(format!("{} of actor {side} never happens", action.name()));
    }
    let mut text = String::new();
    let constants: Vec<&String> = model.constants.iter().collect();
    let write =
        |text: &mut String, line: std::fmt::Arguments<'_>| writeln!(text, "{line}").map_err(|error| error.to_string());
    write(&mut text, format_args!("# Compiled from the TLA+ module by a test; change the module, never this file."))?;
    write(&mut text, format_args!("contract {}", model.name))?;
    for constant in constants {
        write(&mut text, format_args!("constant {constant}"))?;
    }
    write(&mut text, format_args!("states {}", states.len()))?;
    for (at, state) in states.values().enumerate() {
        write(&mut text, format_args!("{at} {state}"))?;
    }
    write(&mut text, format_args!("edges {}", lines.len()))?;
    for ((from, to), labels) in &lines {
        write(&mut text, format_args!("{from} {to} {labels}"))?;
    }
    Ok(text)
}

/// Whether the module refines the one behind its `INSTANCE` named `alias`. Gives the number of distinct states, or the
/// first step that does not refine.
///
/// # Errors
/// Says what kept the search from ending.
pub(crate) fn refines(module: &Path, cfg: &Path, alias: &str) -> Result<Result<usize, String>, String> {
    let mut prepared = prepare_from_path(module, Some(cfg), &[]).map_err(|error| error.to_string())?;
    prepared.checker_config.check_refinement = Some(Arc::from(alias));
    match check(&prepared.spec, &prepared.domains, &prepared.checker_config) {
        CheckResult::Ok(stats) => Ok(Ok(stats.states_explored)),
        CheckResult::RefinementViolation(violation, _) => Ok(Err(format!("{violation:?}"))),
        other => Err(format!("the search did not end: {other:?}")),
    }
}

/// A contract, ready to be evaluated. Its state is tied to the thread that loaded it.
pub(crate) struct Model {
    name: String,
    constants: Vec<String>,
    spec: Spec,
    config: CheckerConfig,
    /// The constants as the configuration gives them.
    domains: Env,
    /// The same with what the standard modules bring.
    env: Env,
    definitions: Definitions,
}

impl Model {
    /// Reads a module and its configuration.
    ///
    /// # Errors
    /// Says in words what could not be read.
    pub(crate) fn load(module: &str, cfg: &str) -> Result<Self, String> {
        let mut spec = parse(module).map_err(|error| format!("module: {}", error.message))?;
        let name = module
            .split_once("MODULE ")
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .ok_or("module: expected MODULE and a name")?
            .to_string();
        let cfg = parse_cfg(cfg).map_err(|error| format!("configuration: {error}"))?;
        let mut domains = Env::new();
        let mut config =
            CheckerConfig { max_states: 200_000, max_depth: 1_000, quiet: true, ..CheckerConfig::default() };
        apply_config(&cfg, &mut spec, &mut domains, &mut config, &[], &[], false)
            .map_err(|error| format!("configuration: {error}"))?;
        let (env, definitions) = prepare_spec(&spec, &domains, None, true).map_err(|error| format!("{error:?}"))?;
        let constants = spec
            .constants
            .iter()
            .filter_map(|name| {
                let value = domains.iter().find(|(key, _)| *key == name)?.1;
                Some(format!("{name} = {}", tla_checker::checker::format_value(value)))
            })
            .collect();
        Ok(Self { name, constants, spec, config, domains, env, definitions })
    }

    /// Explores all states, with every invariant of the configuration. Gives the number of distinct states, or the
    /// name of the invariant that fails and the number of states of a shortest way there.
    ///
    /// # Errors
    /// Says what kept the search from ending.
    pub(crate) fn check(&self) -> Result<Result<usize, (String, usize)>, String> {
        match check(&self.spec, &self.domains, &self.config) {
            CheckResult::Ok(stats) => Ok(Ok(stats.states_explored)),
            CheckResult::InvariantViolation(example, _) => {
                let name = self.spec.invariant_names[example.violated_invariant].as_deref().unwrap_or("?");
                Ok(Err((name.to_string(), example.trace.len())))
            }
            other => Err(format!("the search did not end: {other:?}")),
        }
    }

    /// Every edge between reachable states, with the labels that explain it.
    ///
    /// # Errors
    /// A step that no action explains, or a formula that cannot be evaluated.
    pub(crate) fn edges(&self) -> Result<BTreeMap<(PairState, PairState), Labels>, String> {
        let (Some(init), Some(next)) = (&self.spec.init, &self.spec.next) else {
            return Err("expected Init and Next".into());
        };
        let primed = make_primed_names(&self.spec.vars);
        let mut env = self.env.clone();
        let initial =
            init_states(init, &self.spec.vars, &env, &self.definitions).map_err(|error| format!("{error:?}"))?;
        let mut known: BTreeSet<PairState> = BTreeSet::new();
        let mut waiting: Vec<State> = initial;
        let mut edges = BTreeMap::new();
        while let Some(state) = waiting.pop() {
            let from = self.read(&state)?;
            if !known.insert(from) {
                continue;
            }
            let steps = next_states(next, &state, &self.spec.vars, &primed, &mut env, &self.definitions)
                .map_err(|error| format!("{error:?}"))?;
            for step in steps {
                let to = self.read(&step.state)?;
                if edges.contains_key(&(from, to)) {
                    continue;
                }
                let labels = self.labels(from, to)?;
                if labels.is_empty() {
                    return Err(format!("no action explains the step from {from} to {to}"));
                }
                edges.insert((from, to), labels);
                waiting.push(step.state);
            }
        }
        Ok(edges)
    }

    /// The labels whose action holds between two states, which need not be reachable.
    ///
    /// # Errors
    /// A formula that cannot be evaluated.
    pub(crate) fn labels(&self, from: PairState, to: PairState) -> Result<Labels, String> {
        let mut env = self.env.clone();
        let (from, to) = (self.write(from), self.write(to));
        for (at, var) in self.spec.vars.iter().enumerate() {
            env.insert(var.clone(), from.values[at].clone());
            env.insert(tla_checker::intern::primed_name(var), to.values[at].clone());
        }
        let mut found = Labels::NONE;
        for (action, side) in Labels::each() {
            let arguments = if action.has_actor() { vec![Expr::Lit(actor(side))] } else { Vec::new() };
            let call = if action.has_actor() {
                Expr::FnCall(Arc::from(action.name()), arguments)
            } else {
                Expr::Var(Arc::from(action.name()))
            };
            match eval(&call, &mut env, &self.definitions) {
                Ok(Value::Bool(true)) => found = found.with(action.label(side)),
                Ok(Value::Bool(false)) => {}
                other => return Err(format!("{} gave {other:?}", action.name())),
            }
        }
        Ok(found)
    }

    fn read(&self, state: &State) -> Result<PairState, String> {
        let value = |name: &str| {
            let at = self.spec.vars.iter().position(|var| var.as_ref() == name);
            at.and_then(|at| state.values.get(at)).ok_or_else(|| format!("no variable {name}"))
        };
        let set = |name: &str| match value(name)? {
            Value::Set(members) => Ok([Side::A, Side::B].map(|side| members.contains(&actor(side)))),
            other => Err(format!("{name} is no set: {other:?}")),
        };
        let owner = value("owner")?;
        let Value::Fn(tokens) = value("token")? else {
            return Err("token is no function".into());
        };
        let token = |side| match tokens.get(&actor(side)) {
            Some(Value::Str(name)) => Token::ALL.into_iter().find(|token| token.name() == name.as_ref()),
            _ => None,
        };
        let (Some(token_a), Some(token_b)) = (token(Side::A), token(Side::B)) else {
            return Err(format!("token holds something else: {tokens:?}"));
        };
        Ok(PairState {
            owner: [Side::A, Side::B].into_iter().find(|side| actor(*side) == *owner),
            works: set("works")?,
            doubted: set("doubted")?,
            token: [token_a, token_b],
            stained: *value("stained")? == Value::Bool(true),
        })
    }

    fn write(&self, state: PairState) -> State {
        let set = |members: [bool; 2]| {
            Value::set([Side::A, Side::B].into_iter().filter(|side| members[*side as usize]).map(actor).collect())
        };
        let values = self.spec.vars.iter().map(|var| match var.as_ref() {
            "owner" => state.owner.map_or(Value::Model(Arc::from("Nobody")), actor),
            "works" => set(state.works),
            "doubted" => set(state.doubted),
            "token" => Value::func(
                [Side::A, Side::B]
                    .into_iter()
                    .map(|side| (actor(side), Value::Str(Arc::from(state.token[side as usize].name()))))
                    .collect(),
            ),
            _ => Value::Bool(state.stained),
        });
        State { values: values.collect() }
    }
}

/// The model value that stands for an actor.
fn actor(side: Side) -> Value {
    Value::Model(Arc::from(side.to_string()))
}
