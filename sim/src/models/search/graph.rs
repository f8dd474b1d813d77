//! The whole state graph of a model.

use super::{Read, read};
use crate::models::manifest::Model;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use tla_checker::ast::{State, Value};
use tla_checker::checker::{format_eval_error, prepare_spec};
use tla_checker::eval::{EvalError, init_states, make_primed_names, next_states};

/// The reachable states of a model, and the steps between them.
///
/// Shape: a state has a value for each variable, in the order of `variables`; steps name states by their places.
#[derive(Debug)]
pub struct Graph {
    /// The variables of the module.
    pub variables: Vec<Arc<str>>,
    /// The states, breadth first.
    pub states: Vec<Vec<Value>>,
    /// From where, by which action, to where.
    pub steps: BTreeSet<(usize, String, usize)>,
}

/// Explores a model whose configuration lies at `cfg`; its properties are not looked at.
///
/// # Errors
/// Says which file cannot be understood, or which formula cannot be evaluated.
pub(in crate::models) fn graph(model: &Model, root: &Path, cfg: &Path) -> Result<Graph, String> {
    let Read { module, source, prepared, .. } = read(model, root, cfg)?;
    let spec = &prepared.spec;
    let said = |error: &EvalError| format!("{}: {}", source.name(), format_eval_error(error));
    let (mut env, definitions) = prepare_spec(spec, &prepared.domains, Some(&module), true)
        .map_err(|error| format!("{}: {}", source.name(), super::in_words(&error)))?;
    let (Some(init), Some(next)) = (&spec.init, &spec.next) else {
        return Err(format!("{}: expected Init and Next", source.name()));
    };
    let primed = make_primed_names(&spec.vars);
    let mut number: BTreeMap<Vec<Value>, usize> = BTreeMap::new();
    let mut waiting = VecDeque::new();
    let (mut states, mut edges) = (Vec::new(), BTreeSet::new());
    let mut enter = |state: State, waiting: &mut VecDeque<(usize, State)>| {
        let next = number.len();
        *number.entry(state.values.to_vec()).or_insert_with_key(|values| {
            states.push(values.clone());
            waiting.push_back((next, state));
            next
        })
    };
    for state in init_states(init, &spec.vars, &env, &definitions).map_err(|error| said(&error))? {
        enter(state, &mut waiting);
    }
    while let Some((from, state)) = waiting.pop_front() {
        let steps = next_states(next, &state, &spec.vars, &primed, &mut env, &definitions);
        for step in steps.map_err(|error| said(&error))? {
            let action = step.action.map(|name| name.to_string()).unwrap_or_default();
            let to = enter(step.state, &mut waiting);
            edges.insert((from, action, to));
        }
    }
    Ok(Graph { variables: spec.vars.clone(), states, steps: edges })
}
