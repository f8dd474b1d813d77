//! Models explored in this process, breadth first, by tla-checker.
//!
//! Before the search `Next` is taken apart into its actions (`actions.rs`), so that each edge bears the name of the action
//! that it is, not of a group such as `System`, and every action is known, fired or not.

mod actions;
pub(super) mod graph;
mod guards;
mod text;
pub(super) mod walk;

use super::expected::{DEADLOCK, Found, Step, Verdict};
use super::manifest::{Model, misnamed};
use actions::actions;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tla_checker::Source;
use tla_checker::ast::{Expr, Spec, State};
use tla_checker::checker::{CheckResult, PrepareSpecError, check, format_eval_error, format_value, prepare_spec};
use tla_checker::config::parse_cfg;
use tla_checker::eval::{EvalError, make_primed_names, next_states};
use tla_checker::load::{PrepareError, Prepared, prepare_from_path};

/// More states than any model has that can be waited for.
const STATES_MAX: usize = 5_000_000;
const DEPTH_MAX: usize = 100_000;

/// Explores a model whose configuration lies at `cfg`.
///
/// # Errors
/// Says which file, and where it is known which line, cannot be understood; or what kept the search from ending.
pub(super) fn search(model: &Model, root: &Path, cfg: &Path) -> Result<Found, String> {
    let Read { module, source, prepared, named, .. } = read(model, root, cfg)?;
    let spec = &prepared.spec;
    let steps = |trace: &[State], actions: &[Option<Arc<str>>]| steps(spec, trace, actions);
    // Positions of the evaluator say not in which file; they are of use where there is one only.
    let alone = !spec.extends.iter().any(|name| module.with_file_name(format!("{name}.tla")).exists());
    let evaluated = |error: &EvalError| match error.span().filter(|_| alone) {
        Some(span) => at(&source, span.start, &format_eval_error(error)),
        None => format!("{}: {}", source.name(), format_eval_error(error)),
    };
    let (verdict, stats) = match check(spec, &prepared.domains, &prepared.checker_config) {
        CheckResult::Ok(stats) => (Verdict::Holds, stats),
        CheckResult::InvariantViolation(example, stats) => {
            let property = spec.invariant_names.get(example.violated_invariant).cloned().flatten();
            let property = property.as_deref().unwrap_or("an invariant").to_owned();
            (Verdict::Violates { property, trace: steps(&example.trace, &example.actions) }, stats)
        }
        CheckResult::RefinementViolation(example, stats) => {
            let trace = steps(&example.trace, &example.actions);
            (Verdict::Violates { property: example.alias.to_string(), trace }, stats)
        }
        CheckResult::PropertyViolation(example, stats) => {
            let trace = steps(&example.trace, &example.actions);
            (Verdict::Violates { property: example.property.to_string(), trace }, stats)
        }
        CheckResult::Deadlock(trace, actions, stats) => {
            (Verdict::Violates { property: DEADLOCK.to_owned(), trace: steps(&trace, &actions) }, stats)
        }
        CheckResult::InitError(error) => return Err(evaluated(&error)),
        CheckResult::NextError(error, ..) | CheckResult::InvariantError(error, ..) => return Err(evaluated(&error)),
        CheckResult::NoInitialStates => return Err(format!("{}: Init allows no state", source.name())),
        CheckResult::PrepareError(error) => return Err(format!("{}: {}", source.name(), in_words(&error))),
        CheckResult::LivenessViolation(lasso, stats) => {
            let (states, back_to) = unrolled(lasso.prefix, lasso.cycle);
            let actions = fired(&prepared, &states);
            let property = lasso.property;
            (Verdict::Loops { property, trace: steps(&states, &actions), back_to }, stats)
        }
        CheckResult::LivenessError(error, _) => return Err(evaluated(&error.error)),
        CheckResult::MaxStatesExceeded(stats)
        | CheckResult::MaxDepthExceeded(stats)
        | CheckResult::MaxTimeExceeded(stats) => {
            return Err(format!("{}: the search did not end within {} states", source.name(), stats.states_explored));
        }
    };
    let never = matches!(verdict, Verdict::Holds).then(|| {
        let fired: BTreeSet<&str> = stats.transitions_by_action.keys().flatten().map(AsRef::as_ref).collect();
        named.into_iter().filter(|name| !fired.contains(name.as_str())).collect()
    });
    Ok(Found { verdict, states: stats.states_explored, depth: stats.max_depth_reached, never })
}

/// A model as it is explored.
struct Read {
    module: PathBuf,
    source: Source,
    prepared: Prepared,
    /// The actions, by name.
    named: BTreeSet<String>,
    /// The next-state relation as it was, before its actions were named.
    next: Expr,
}

/// Reads a model, and names its actions.
fn read(model: &Model, root: &Path, cfg: &Path) -> Result<Read, String> {
    let module = root.join(&model.module);
    let text =
        std::fs::read_to_string(&module).map_err(|error| format!("{}: cannot be read: {error}", module.display()))?;
    let source = Source::new(module.display().to_string(), text);
    let mut prepared = prepare_from_path(&module, Some(cfg), &[]).map_err(|error| match error {
        PrepareError::Io(why) => why,
        PrepareError::Parse { message, span: Some(span) } => at(&source, span.start, &message),
        PrepareError::Parse { message, span: None } => format!("{}: {message}", module.display()),
        PrepareError::Config(why) => {
            misnamed(model, root, &why).unwrap_or_else(|| format!("{}: {why}", root.join(&model.cfg).display()))
        }
    })?;
    if let Some(unparsed) = prepared.spec.definitions.values().find_map(|(_, body)| match body.as_ref() {
        Expr::Unparsed(unparsed) => Some(unparsed),
        _ => None,
    }) {
        let file = unparsed.file.as_deref().unwrap_or(source.name());
        return Err(format!("{file}:{}: {}: {}", unparsed.line, unparsed.name, unparsed.message));
    }
    let config = &mut prepared.checker_config;
    config.max_states = STATES_MAX;
    config.max_depth = DEPTH_MAX;
    config.check_refinement = model.refines.as_ref().map(|refines| Arc::from(refines.alias.as_str()));
    let next = next_of(cfg)?;
    let named = name_actions(&mut prepared.spec, &next).map_err(|why| format!("{}: {why}", source.name()))?;
    let next = prepared.spec.definitions[next.as_str()].1.as_ref().clone();
    Ok(Read { module, source, prepared, named, next })
}

/// What the configuration calls the next-state relation.
fn next_of(cfg: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(cfg).map_err(|error| format!("{}: cannot be read: {error}", cfg.display()))?;
    let next = parse_cfg(&text)?.next;
    Ok(next.map_or_else(|| "Next".to_owned(), |name| name.to_string()))
}

fn at(source: &Source, offset: u32, message: &str) -> String {
    format!("{}:{}: {message}", source.name(), source.line_col(offset).0)
}

fn in_words(error: &PrepareSpecError) -> String {
    match error {
        PrepareSpecError::InstanceError(error) => format_eval_error(error),
        PrepareSpecError::ModuleParse(why)
        | PrepareSpecError::RefinementConfigError(why)
        | PrepareSpecError::LivenessProperty(why)
        | PrepareSpecError::ConstantSubstitution(why) => why.clone(),
        PrepareSpecError::MissingConstants(names) => format!("no value for the constants {}", names.join(", ")),
        PrepareSpecError::AssumeViolation(at) => format!("assumption {} of the module does not hold", at + 1),
        PrepareSpecError::AssumeError(at, error) => {
            format!("assumption {} of the module: {}", at + 1, format_eval_error(error))
        }
        PrepareSpecError::NonModelValueSymmetry(name, _) => format!("{name} is no set of model values"),
    }
}

/// A lasso as one trace without idle steps, and the state, from 1, with which it goes on at its end.
fn unrolled(prefix: Vec<State>, cycle: Vec<State>) -> (Vec<State>, usize) {
    let mut states = prefix;
    states.dedup();
    let back_to = states.len();
    states.extend(cycle);
    states.dedup();
    if states.len() > back_to && states.last() == states.get(back_to - 1) {
        states.pop();
    }
    (states, back_to)
}

/// The action between each state and the one before it, as in a trace; of several that fit, one.
fn fired(prepared: &Prepared, trace: &[State]) -> Vec<Option<Arc<str>>> {
    let spec = &prepared.spec;
    let Ok((mut env, definitions)) = prepare_spec(spec, &prepared.domains, None, true) else {
        return Vec::new();
    };
    let primed = make_primed_names(&spec.vars);
    let mut between = |pair: &[State]| {
        let next = spec.next.as_ref()?;
        let steps = next_states(next, &pair[0], &spec.vars, &primed, &mut env, &definitions).ok()?;
        steps.into_iter().find(|step| step.state == pair[1]).and_then(|step| step.action)
    };
    std::iter::once(None).chain(trace.windows(2).map(&mut between)).collect()
}

fn steps(spec: &Spec, trace: &[State], actions: &[Option<Arc<str>>]) -> Vec<Step> {
    let step = |(at, state): (usize, &State)| {
        let action = actions.get(at).cloned().flatten().filter(|_| at > 0);
        let values =
            spec.vars.iter().zip(&state.values).map(|(name, value)| format!("{name} = {}", format_value(value)));
        Step { action: action.map(|name| name.to_string()), state: values.collect::<Vec<_>>().join(", ") }
    };
    trace.iter().enumerate().map(step).collect()
}

/// Takes the next-state relation apart, gives each action its name, and returns the names.
///
/// # Errors
/// There is no such definition.
fn name_actions(spec: &mut Spec, next: &str) -> Result<BTreeSet<String>, String> {
    let Some((_, next)) = spec.definitions.get(next) else {
        return Err(format!("no definition of {next}; expected Spec == Init /\\ [][Next]_vars"));
    };
    let actions = actions(next, &spec.definitions);
    let named = actions.iter().map(|(name, _)| name.clone()).collect();
    let all = actions.into_iter().map(|(_, action)| action);
    spec.next = all.reduce(|left, right| Expr::Or(Box::new(left), Box::new(right)));
    Ok(named)
}
