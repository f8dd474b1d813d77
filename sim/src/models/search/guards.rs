//! The guards of a next-state relation, and which of their values were seen.
//!
//! A guard is a conjunct without primed variables: of an action, of a choice or branch within it, or of an operator that
//! one of these names, such as `MayWork(a)`. It is told by the operator that it stands in and by its text, whatever the
//! parameters are. A conjunct that cannot be evaluated in a state, because one before it is false, says nothing there.

use super::actions::Call;
use super::text::text;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tla_checker::ast::{DefinitionMap, Env, Expr, Value};
use tla_checker::eval::{Definitions, eval};
use tla_checker::level::{Level, LevelAnalysis};

/// What was seen of each guard: whether it was false, and whether it was true. By `Operator: conjunct`.
pub(in crate::models) type Seen = BTreeMap<String, [bool; 2]>;

/// The guards of a formula, as they stand below what is chosen and passed on around them.
pub(super) struct Guards(Vec<Node>);

enum Node {
    /// A guard, and what the operators that it names consist of.
    Guard { name: String, formula: Expr, within: Vec<Node> },
    /// Below a choice: `\E variable \in domain`.
    Choice { variable: Arc<str>, domain: Expr, within: Vec<Node> },
    /// Below values that are passed on, as parameters or by `LET`.
    Values { values: Vec<(Arc<str>, Expr)>, within: Vec<Node> },
}

impl Guards {
    /// Those of the next-state relation `next`.
    pub(super) fn of(next: &Expr, vars: &[Arc<str>], definitions: &DefinitionMap) -> Self {
        let mut finder =
            Finder { definitions, levels: LevelAnalysis::new(vars, definitions), entered: BTreeSet::new() };
        Self(finder.action(next, "Next"))
    }

    /// Each of them, not seen yet.
    pub(super) fn enter(&self, seen: &mut Seen) {
        enter(&self.0, seen);
    }

    /// Evaluates each of them in the state whose variables `env` holds, for each choice.
    pub(super) fn look(&self, env: &mut Env, definitions: &Definitions, seen: &mut Seen) {
        look(&self.0, env, definitions, seen);
    }
}

fn enter(nodes: &[Node], seen: &mut Seen) {
    for node in nodes {
        let (Node::Guard { within, .. } | Node::Choice { within, .. } | Node::Values { within, .. }) = node;
        if let Node::Guard { name, .. } = node {
            seen.entry(name.clone()).or_default();
        }
        enter(within, seen);
    }
}

fn look(nodes: &[Node], env: &mut Env, definitions: &Definitions, seen: &mut Seen) {
    for node in nodes {
        match node {
            Node::Guard { name, formula, within } => {
                if let Ok(Value::Bool(holds)) = eval(formula, env, definitions)
                    && let Some(seen) = seen.get_mut(name)
                {
                    seen[usize::from(holds)] = true;
                }
                look(within, env, definitions, seen);
            }
            Node::Choice { variable, domain, within } => {
                let Ok(Value::Set(members)) = eval(domain, env, definitions) else { continue };
                let outer = env.get(variable).cloned();
                for member in members.iter() {
                    env.insert(Arc::clone(variable), member.clone());
                    look(within, env, definitions, seen);
                }
                restore(env, variable, outer);
            }
            Node::Values { values, within } => {
                let found: Result<Vec<_>, _> = values.iter().map(|(_, value)| eval(value, env, definitions)).collect();
                let Ok(found) = found else { continue };
                let outer: Vec<_> = values.iter().map(|(name, _)| env.get(name).cloned()).collect();
                for ((name, _), value) in values.iter().zip(found) {
                    env.insert(Arc::clone(name), value);
                }
                look(within, env, definitions, seen);
                for ((name, _), outer) in values.iter().zip(outer) {
                    restore(env, name, outer);
                }
            }
        }
    }
}

fn restore(env: &mut Env, name: &Arc<str>, outer: Option<Value>) {
    match outer {
        Some(value) => env.insert(Arc::clone(name), value),
        None => env.remove(name),
    };
}

struct Finder<'a> {
    definitions: &'a DefinitionMap,
    levels: LevelAnalysis<'a>,
    /// The operators that the search is in, so that a recursive one is entered once.
    entered: BTreeSet<String>,
}

impl Finder<'_> {
    /// The guards in a formula with primed variables, which stands in `operator`.
    fn action(&mut self, formula: &Expr, operator: &str) -> Vec<Node> {
        if let Some(nodes) = self.call(formula, Self::action) {
            return nodes;
        }
        match formula {
            Expr::LabeledAction(_, body) => self.action(body, operator),
            Expr::Or(left, right) => {
                let mut nodes = self.action(left, operator);
                nodes.append(&mut self.action(right, operator));
                nodes
            }
            Expr::And(left, right) => {
                let mut nodes = self.conjunct(left, operator);
                nodes.append(&mut self.conjunct(right, operator));
                nodes
            }
            Expr::Exists(variable, domain, body) => {
                let within = self.action(body, operator);
                let choice = Node::Choice { variable: Arc::clone(variable), domain: domain.as_ref().clone(), within };
                filled(choice)
            }
            Expr::Let(name, value, body) => {
                let within = self.action(body, operator);
                filled(Node::Values { values: vec![(Arc::clone(name), value.as_ref().clone())], within })
            }
            Expr::If(condition, then, otherwise) => {
                let mut nodes = self.conjunct(condition, operator);
                nodes.append(&mut self.action(then, operator));
                nodes.append(&mut self.action(otherwise, operator));
                nodes
            }
            _ => Vec::new(),
        }
    }

    /// A conjunct that stands in `operator`.
    fn conjunct(&mut self, formula: &Expr, operator: &str) -> Vec<Node> {
        if self.levels.levels(formula).exact > Level::State {
            return self.action(formula, operator);
        }
        // A list of conjuncts is none; each of them is.
        if let Expr::And(left, right) = formula
            && Call::read(formula, self.definitions).is_none()
        {
            let mut nodes = self.conjunct(left, operator);
            nodes.append(&mut self.conjunct(right, operator));
            return nodes;
        }
        let name = format!("{operator}: {}", text(formula, self.definitions));
        let within = self.named(formula);
        vec![Node::Guard { name, formula: formula.clone(), within }]
    }

    /// The conjuncts of the operators that a guard names.
    fn named(&mut self, formula: &Expr) -> Vec<Node> {
        let is_list = |call: &Call<'_>| matches!(call.body, Expr::And(..));
        if let Some(call) = Call::read(formula, self.definitions) {
            let list = is_list(&call);
            let enter =
                if list { Self::conjunct } else { |finder: &mut Self, body: &Expr, _: &str| finder.named(body) };
            return self.call(formula, enter).unwrap_or_default();
        }
        match formula {
            Expr::And(left, right) | Expr::Or(left, right) | Expr::Implies(left, right) | Expr::Equiv(left, right) => {
                let mut nodes = self.named(left);
                nodes.append(&mut self.named(right));
                nodes
            }
            Expr::Not(inner) => self.named(inner),
            _ => Vec::new(),
        }
    }

    /// What `enter` finds in the body of an operator, if the formula is a call of one.
    fn call(&mut self, formula: &Expr, enter: impl Fn(&mut Self, &Expr, &str) -> Vec<Node>) -> Option<Vec<Node>> {
        let call = Call::read(formula, self.definitions)?;
        let values: Vec<_> = call.parameters.iter().cloned().zip(call.arguments.iter().cloned()).collect();
        let (name, body) = (call.name.to_owned(), call.body.clone());
        if !self.entered.insert(name.clone()) {
            // A body without parameters looks like a call of itself; a name is a recursive one.
            return matches!(formula, Expr::Var(_) | Expr::FnCall(..)).then(Vec::new);
        }
        // A list of conjuncts of an operator stands in it, not in a call of the same body.
        let within = match &body {
            Expr::And(left, right) if self.levels.levels(&body).exact <= Level::State => {
                let mut nodes = enter(self, left, &name);
                nodes.append(&mut enter(self, right, &name));
                nodes
            }
            _ => enter(self, &body, &name),
        };
        self.entered.remove(&name);
        Some(if values.is_empty() { within } else { filled(Node::Values { values, within }) })
    }
}

/// The node, unless nothing is below it.
fn filled(node: Node) -> Vec<Node> {
    let (Node::Guard { within, .. } | Node::Choice { within, .. } | Node::Values { within, .. }) = &node;
    if within.is_empty() { Vec::new() } else { vec![node] }
}
