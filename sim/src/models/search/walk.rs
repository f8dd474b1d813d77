//! The reachable states of a model, breadth first, up to a limit: which actions fire there, and what its guards are.

use super::guards::{Guards, Seen};
use super::{Read, read};
use crate::models::manifest::Model;
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use tla_checker::ast::Value;
use tla_checker::checker::{format_eval_error, prepare_spec};
use tla_checker::eval::{EvalError, init_states, make_primed_names, next_states};

/// What was seen of a module, in one model or in several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::models) struct Walked {
    /// Its actions.
    pub(in crate::models) actions: BTreeSet<String>,
    /// Those that fired.
    pub(in crate::models) fired: BTreeSet<String>,
    /// Its guards.
    pub(in crate::models) guards: Seen,
    /// In how many states that was looked at.
    pub(in crate::models) states: usize,
    /// Whether there are more.
    pub(in crate::models) cut: bool,
    /// The invariants of the models, and the refined instances.
    pub(in crate::models) properties: BTreeSet<String>,
}

impl Walked {
    /// Whether every action fired, and every guard was both true and false.
    pub(in crate::models) fn is_lively(&self) -> bool {
        self.actions == self.fired && self.guards.values().all(|seen| *seen == [true; 2])
    }
}

/// Adds what is seen of a model in at most `states_max` states, whose configuration lies at `cfg`.
///
/// # Errors
/// Says which file cannot be understood, or which formula cannot be evaluated.
pub(in crate::models) fn walk(
    model: &Model,
    root: &Path,
    cfg: &Path,
    states_max: usize,
    walked: &mut Walked,
) -> Result<(), String> {
    let Read { module, source, prepared, named, next } = read(model, root, cfg)?;
    let spec = &prepared.spec;
    let said = |error: &EvalError| format!("{}: {}", source.name(), format_eval_error(error));
    let (mut env, definitions) = prepare_spec(spec, &prepared.domains, Some(&module), true)
        .map_err(|error| format!("{}: {}", source.name(), super::in_words(&error)))?;
    let (Some(init), Some(labelled)) = (&spec.init, &spec.next) else {
        return Err(format!("{}: expected Init and Next", source.name()));
    };
    let guards = Guards::of(&next, &spec.vars, &definitions);
    guards.enter(&mut walked.guards);
    walked.actions.extend(named);
    walked.properties.extend(spec.invariant_names.iter().flatten().map(ToString::to_string));
    walked.properties.extend(model.refines.iter().map(|refines| refines.alias.clone()));
    let primed = make_primed_names(&spec.vars);
    let initial = init_states(init, &spec.vars, &env, &definitions).map_err(|error| said(&error))?;
    let mut known: BTreeSet<Vec<Value>> = initial.iter().map(|state| state.values.clone()).collect();
    let mut waiting = VecDeque::from(initial);
    let mut left = states_max;
    while let Some(state) = waiting.pop_front() {
        if left == 0 {
            walked.cut = true;
            break;
        }
        left -= 1;
        walked.states += 1;
        for (name, value) in spec.vars.iter().zip(&state.values) {
            env.insert(name.clone(), value.clone());
        }
        guards.look(&mut env, &definitions, &mut walked.guards);
        let steps = next_states(labelled, &state, &spec.vars, &primed, &mut env, &definitions);
        for step in steps.map_err(|error| said(&error))? {
            walked.fired.extend(step.action.iter().map(ToString::to_string));
            if known.insert(step.state.values.clone()) {
                waiting.push_back(step.state);
            }
        }
    }
    Ok(())
}
