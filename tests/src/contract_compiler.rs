//! Compiles a finite contract to the transition table that the judge reads.
//!
//! The states and edges come from tla-checker, which enumerates successors; the labels of an edge come from evaluating
//! each action, with each parameter, on the two states. The two ways must agree: an edge that no action explains is an
//! error, and so is an action that holds on no edge. Nothing here is known to the judge; it reads the text only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use failproof_spec::contract::{LabelSet, Subject};
use tla_checker::ast::{Env, Expr, Spec, State, Value};
use tla_checker::checker::{CheckResult, CheckerConfig, check, prepare_spec};
use tla_checker::config::{apply_config, parse_cfg};
use tla_checker::eval::{Definitions, eval, init_states, make_primed_names, next_states};
use tla_checker::load::prepare_from_path;
use tla_checker::parser::parse;

/// How the words of a contract are spelled in its module.
pub(crate) trait Spelled: Subject {
    /// Each label that exists, as the action is called.
    fn calls() -> Vec<Call<Self::Labels>>;

    /// The state that the variables stand for.
    ///
    /// # Errors
    /// Names the variable that holds something else.
    fn read(variables: &Variables<'_>) -> Result<Self::State, String>;

    /// The value of a variable.
    fn write(state: Self::State, variable: &str) -> Value;
}

/// An action as a formula is asked for: its name, and who takes it.
pub(crate) struct Call<L> {
    pub(crate) label: L,
    pub(crate) name: &'static str,
    pub(crate) actor: Option<Value>,
}

/// The variables of a state, by name.
pub(crate) struct Variables<'a> {
    names: &'a [Arc<str>],
    values: &'a [Value],
}

impl<'a> Variables<'a> {
    /// The value of a variable.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn value(&self, name: &str) -> Result<&'a Value, String> {
        let at = self.names.iter().position(|var| var.as_ref() == name);
        at.and_then(|at| self.values.get(at)).ok_or_else(|| format!("no variable {name}"))
    }

    /// Whether a variable, which holds a set, holds `member` there.
    ///
    /// # Errors
    /// It holds no set.
    pub(crate) fn holds(&self, name: &str, member: &Value) -> Result<bool, String> {
        match self.value(name)? {
            Value::Set(members) => Ok(members.contains(member)),
            other => Err(format!("{name} is no set: {other:?}")),
        }
    }

    /// Whether a variable is true.
    ///
    /// # Errors
    /// It holds no truth value.
    pub(crate) fn is_true(&self, name: &str) -> Result<bool, String> {
        match self.value(name)? {
            Value::Bool(holds) => Ok(*holds),
            other => Err(format!("{name} is neither true nor false: {other:?}")),
        }
    }

    /// Which of `all` a variable names, by `spelled`; at `argument`, if it holds a function.
    ///
    /// # Errors
    /// It names something else.
    pub(crate) fn one_of<T: Copy>(
        &self,
        name: &str,
        argument: Option<&Value>,
        all: &[T],
        spelled: impl Fn(T) -> Value,
    ) -> Result<T, String> {
        let value = match (self.value(name)?, argument) {
            (Value::Fn(values), Some(argument)) => values.get(argument),
            (value, None) => Some(value),
            _ => None,
        };
        let found = all.iter().copied().find(|one| value == Some(&spelled(*one)));
        found.ok_or_else(|| format!("{name} holds something else: {value:?}"))
    }
}

/// A value that has only a name.
pub(crate) fn model_value(name: &str) -> Value {
    Value::Model(Arc::from(name))
}

/// A string.
pub(crate) fn string(text: &str) -> Value {
    Value::Str(Arc::from(text))
}

/// The text of the table of `module` with the constants of `cfg`.
///
/// Shape: a header; the states, one a line, in the order of their codes; the edges, one a line, as
/// `from to label[,label]`, in order. Equal input gives equal bytes.
///
/// # Errors
/// Says in words what could not be read, evaluated or explained.
pub(crate) fn compile<S: Spelled>(module: &str, cfg: &str) -> Result<String, String> {
    let model = Model::<S>::load(module, cfg)?;
    let edges = model.edges()?;
    let states: BTreeSet<S> = edges.keys().flat_map(|(from, to)| [*from, *to]).collect();
    let number: BTreeMap<S, usize> = states.iter().enumerate().map(|(at, code)| (*code, at)).collect();
    let mut lines: BTreeMap<(usize, usize), S::Labels> = BTreeMap::new();
    let mut fired = S::Labels::NONE;
    for ((from, to), labels) in &edges {
        lines.insert((number[from], number[to]), *labels);
        fired = fired.with(*labels);
    }
    if let Some(call) = S::calls().into_iter().find(|call| !fired.meets(call.label)) {
        return Err(format!("{} never happens", call.label));
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
    for (at, code) in states.iter().enumerate() {
        write(&mut text, format_args!("{at} {}", code.state()))?;
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
pub(crate) struct Model<S: Subject> {
    name: String,
    constants: Vec<String>,
    spec: Spec,
    config: CheckerConfig,
    /// The constants as the configuration gives them.
    domains: Env,
    /// The same with what the standard modules bring.
    env: Env,
    definitions: Definitions,
    calls: Vec<(Expr, LabelOf<S>)>,
}

type LabelOf<S> = <S as Subject>::Labels;

impl<S: Spelled> Model<S> {
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
        let calls = S::calls().into_iter().map(|call| {
            let name = Arc::from(call.name);
            let formula =
                call.actor.map_or(Expr::Var(Arc::clone(&name)), |actor| Expr::FnCall(name, vec![Expr::Lit(actor)]));
            (formula, call.label)
        });
        Ok(Self { name, constants, spec, config, domains, env, definitions, calls: calls.collect() })
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
    pub(crate) fn edges(&self) -> Result<BTreeMap<(S, S), S::Labels>, String> {
        let (Some(init), Some(next)) = (&self.spec.init, &self.spec.next) else {
            return Err("expected Init and Next".into());
        };
        let primed = make_primed_names(&self.spec.vars);
        let mut env = self.env.clone();
        let initial =
            init_states(init, &self.spec.vars, &env, &self.definitions).map_err(|error| format!("{error:?}"))?;
        let mut known: BTreeSet<S> = BTreeSet::new();
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
                let labels = self.labels(from.state(), to.state())?;
                if labels.is_empty() {
                    return Err(format!("no action explains the step from {} to {}", from.state(), to.state()));
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
    pub(crate) fn labels(&self, from: S::State, to: S::State) -> Result<S::Labels, String> {
        let mut env = self.env.clone();
        for var in &self.spec.vars {
            env.insert(var.clone(), S::write(from, var));
            env.insert(tla_checker::intern::primed_name(var), S::write(to, var));
        }
        let mut found = S::Labels::NONE;
        for (formula, label) in &self.calls {
            match eval(formula, &mut env, &self.definitions) {
                Ok(Value::Bool(true)) => found = found.with(*label),
                Ok(Value::Bool(false)) => {}
                other => return Err(format!("{label} gave {other:?}")),
            }
        }
        Ok(found)
    }

    /// Whether a formula, such as an action or an invariant, holds of two states whose variables are given by name. With
    /// more actors than the contract has, this asks about what no table can hold.
    ///
    /// # Errors
    /// It cannot be evaluated.
    pub(crate) fn holds(
        &self,
        name: &str,
        actor: Option<Value>,
        from: &dyn Fn(&str) -> Value,
        to: &dyn Fn(&str) -> Value,
    ) -> Result<bool, String> {
        let mut env = self.env.clone();
        for var in &self.spec.vars {
            env.insert(var.clone(), from(var));
            env.insert(tla_checker::intern::primed_name(var), to(var));
        }
        let name = Arc::from(name);
        let formula =
            actor.map_or(Expr::Var(Arc::clone(&name)), |actor| Expr::FnCall(Arc::clone(&name), vec![Expr::Lit(actor)]));
        match eval(&formula, &mut env, &self.definitions) {
            Ok(Value::Bool(holds)) => Ok(holds),
            other => Err(format!("{name} gave {other:?}")),
        }
    }

    fn read(&self, state: &State) -> Result<S, String> {
        S::read(&Variables { names: &self.spec.vars, values: &state.values }).map(S::of)
    }
}
