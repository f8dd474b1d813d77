//! Formulas as text, so that a guard can be named where it stands.
//!
//! What an operator stands for is written as its call. Rare constructs are written as the parser names them.

use super::actions::Call;
use tla_checker::ast::{DefinitionMap, Expr};
use tla_checker::checker::format_value;

/// A formula in one line.
pub(super) fn text(formula: &Expr, definitions: &DefinitionMap) -> String {
    if !matches!(formula, Expr::Var(_) | Expr::Lit(_))
        && let Some(call) = Call::read(formula, definitions)
    {
        return call_text(call.name, &call.arguments, definitions);
    }
    let text = |formula: &Expr| text(formula, definitions);
    let within = |formula: &Expr| match formula {
        Expr::And(..) | Expr::Or(..) | Expr::Implies(..) | Expr::Equiv(..) | Expr::If(..)
            if Call::read(formula, definitions).is_none() =>
        {
            format!("({})", text(formula))
        }
        _ => text(formula),
    };
    let two = |left: &Expr, sign: &str, right: &Expr| format!("{} {sign} {}", within(left), within(right));
    let list = |all: &[Expr]| all.iter().map(text).collect::<Vec<_>>().join(", ");
    match formula {
        Expr::Lit(value) => format_value(value),
        Expr::Var(name) => name.to_string(),
        Expr::Prime(name) => format!("{name}'"),
        Expr::And(left, right) => two(left, "/\\", right),
        Expr::Or(left, right) => two(left, "\\/", right),
        Expr::Implies(left, right) => two(left, "=>", right),
        Expr::Equiv(left, right) => two(left, "<=>", right),
        Expr::Not(inner) => format!("~{}", within(inner)),
        Expr::Eq(left, right) => two(left, "=", right),
        Expr::Neq(left, right) => two(left, "#", right),
        Expr::In(left, right) => two(left, "\\in", right),
        Expr::NotIn(left, right) => two(left, "\\notin", right),
        Expr::Subset(left, right) => two(left, "\\subseteq", right),
        Expr::Union(left, right) => two(left, "\\cup", right),
        Expr::Intersect(left, right) => two(left, "\\cap", right),
        Expr::SetMinus(left, right) => two(left, "\\", right),
        Expr::Lt(left, right) => two(left, "<", right),
        Expr::Le(left, right) => two(left, "<=", right),
        Expr::Gt(left, right) => two(left, ">", right),
        Expr::Ge(left, right) => two(left, ">=", right),
        Expr::Add(left, right) => two(left, "+", right),
        Expr::Sub(left, right) => two(left, "-", right),
        Expr::Mul(left, right) => two(left, "*", right),
        Expr::Div(left, right) => two(left, "\\div", right),
        Expr::Mod(left, right) => two(left, "%", right),
        Expr::SetRange(left, right) => two(left, "..", right),
        Expr::SetEnum(members) => format!("{{{}}}", list(members)),
        Expr::TupleLit(members) => format!("<<{}>>", list(members)),
        Expr::SetFilter(name, domain, body) => format!("{{{name} \\in {} : {}}}", text(domain), text(body)),
        Expr::SetMap(name, domain, body) => format!("{{{} : {name} \\in {}}}", text(body), text(domain)),
        Expr::Exists(name, domain, body) => format!("\\E {name} \\in {} : {}", text(domain), text(body)),
        Expr::Forall(name, domain, body) => format!("\\A {name} \\in {} : {}", text(domain), text(body)),
        Expr::Cardinality(set) => format!("Cardinality({})", text(set)),
        Expr::Domain(function) => format!("DOMAIN {}", within(function)),
        Expr::FnApp(function, argument) => format!("{}[{}]", within(function), text(argument)),
        Expr::FnCall(name, arguments) => call_text(name, arguments, definitions),
        Expr::RecordAccess(record, field) => format!("{}.{field}", within(record)),
        Expr::If(condition, then, otherwise) => {
            format!("IF {} THEN {} ELSE {}", text(condition), text(then), text(otherwise))
        }
        Expr::Let(name, value, body) => format!("LET {name} == {} IN {}", text(value), text(body)),
        Expr::LabeledAction(_, body) => text(body),
        other => format!("{other:?}"),
    }
}

fn call_text(name: &str, arguments: &[Expr], definitions: &DefinitionMap) -> String {
    if arguments.is_empty() {
        return name.to_owned();
    }
    let arguments: Vec<_> = arguments.iter().map(|argument| text(argument, definitions)).collect();
    format!("{name}({})", arguments.join(", "))
}
