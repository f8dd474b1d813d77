//! A next-state relation, taken apart into its actions.
//!
//! The parser puts the body of an operator where it is called, as `LET parameter == argument IN body`; the name is found
//! again by the body. An action with arguments that are no bound variables is called with them: `Apply(Other)`.

use std::sync::Arc;
use tla_checker::ast::{DefinitionMap, Expr};
use tla_checker::checker::format_value;
use tla_checker::substitution::substitute_expr;

/// The actions of a formula, each with its name, which it bears as a label too. Together they are the formula.
pub(super) fn actions(formula: &Expr, definitions: &DefinitionMap) -> Vec<(String, Expr)> {
    taken_apart(formula, definitions, &mut Vec::new())
}

/// The same, with the variables that are bound around the formula.
fn taken_apart(formula: &Expr, definitions: &DefinitionMap, bound: &mut Vec<Arc<str>>) -> Vec<(String, Expr)> {
    if let Some(call) = Call::read(formula, definitions) {
        let values: Vec<_> = call.parameters.iter().cloned().zip(call.arguments.iter().cloned()).collect();
        let body = substitute_expr(call.body, &values);
        if is_choice(call.body, definitions) {
            return parts(&body, definitions, bound);
        }
        return vec![labelled(call.written(bound), body)];
    }
    parts(formula, definitions, bound)
}

/// The actions of the parts of a formula, which is called nothing itself.
fn parts(formula: &Expr, definitions: &DefinitionMap, bound: &mut Vec<Arc<str>>) -> Vec<(String, Expr)> {
    match formula {
        Expr::Or(left, right) => {
            let mut all = taken_apart(left, definitions, bound);
            all.append(&mut taken_apart(right, definitions, bound));
            all
        }
        Expr::Exists(variable, domain, body) => {
            bound.push(Arc::clone(variable));
            let within = taken_apart(body, definitions, bound);
            bound.pop();
            let exists = |body| Expr::Exists(Arc::clone(variable), domain.clone(), Box::new(body));
            within.into_iter().map(|(name, action)| (name, exists(action))).collect()
        }
        _ => vec![labelled("Next".to_owned(), formula.clone())],
    }
}

fn labelled(name: String, action: Expr) -> (String, Expr) {
    let action = Expr::LabeledAction(Arc::from(name.as_str()), Box::new(action));
    (name, action)
}

/// Whether the body of a definition is nothing but a choice between named actions.
fn is_choice(body: &Expr, definitions: &DefinitionMap) -> bool {
    let named = |formula: &Expr| Call::read(formula, definitions).is_some() || is_choice(formula, definitions);
    match body {
        Expr::Or(left, right) => named(left) && named(right),
        Expr::Exists(_, _, body) => named(body),
        _ => false,
    }
}

/// A definition where it is used.
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    pub(super) parameters: &'a [Arc<str>],
    pub(super) body: &'a Expr,
    /// In the order of the parameters.
    pub(super) arguments: Vec<Expr>,
}

impl<'a> Call<'a> {
    pub(super) fn read(formula: &Expr, definitions: &'a DefinitionMap) -> Option<Self> {
        let of = |name: &str, arguments: &[Expr]| {
            let (name, (parameters, body)) = definitions.get_key_value(name)?;
            let fits = parameters.len() == arguments.len();
            fits.then(|| Self { name, parameters, body, arguments: arguments.to_vec() })
        };
        match formula {
            Expr::Var(name) => of(name, &[]),
            Expr::FnCall(name, arguments) => of(name, arguments),
            _ => {
                let (mut values, mut inner) = (Vec::new(), formula);
                while let Expr::Let(name, value, body) = inner {
                    values.push((name, value.as_ref()));
                    inner = body;
                }
                let value_of = |parameter: &Arc<str>| values.iter().find(|(name, _)| *name == parameter);
                definitions.iter().find_map(|(name, (parameters, body))| {
                    let fits = parameters.len() == values.len() && body.as_ref() == inner;
                    let arguments: Option<Vec<Expr>> =
                        parameters.iter().map(|parameter| Some(value_of(parameter)?.1.clone())).collect();
                    Some(Self { name, parameters, body, arguments: arguments.filter(|_| fits)? })
                })
            }
        }
    }

    fn written(&self, bound: &[Arc<str>]) -> String {
        let fixed: Option<Vec<String>> = self.arguments.iter().map(|argument| fixed(argument, bound)).collect();
        match fixed {
            Some(fixed) if !fixed.is_empty() => format!("{}({})", self.name, fixed.join(", ")),
            _ => self.name.to_owned(),
        }
    }
}

/// How an argument is written that is a constant.
fn fixed(argument: &Expr, bound: &[Arc<str>]) -> Option<String> {
    match argument {
        Expr::Var(name) if !bound.contains(name) => Some(name.to_string()),
        Expr::Lit(value) => Some(format_value(value)),
        _ => None,
    }
}
