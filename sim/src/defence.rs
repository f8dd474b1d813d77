//! The table of defences: which switch keeps which property, and what shows it. Tests, ablation, README and reports all
//! read `spec/defences.toml`.

use failproof_core::election::Rules;
use serde::Deserialize;
use std::sync::OnceLock;

/// One row of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defence {
    /// The defect's name: `E1`.
    pub id: String,
    /// The field of the rules that decides.
    pub switch: String,
    /// What goes wrong without it, in one sentence.
    pub defect: String,
    /// The fault classes that show it.
    pub faults: Vec<String>,
    /// The property that breaks without it.
    pub property: String,
    /// The plan that shows it, below `tests/plans`.
    pub plan: String,
    /// Switches without which this one does not help.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Another defence that keeps the property when this one alone is off, if there is one.
    #[serde(default)]
    pub covered_by: Option<String>,
    /// What `covered_by` means here, or what else there is to know.
    #[serde(default)]
    pub note: Option<String>,
}

#[derive(Deserialize)]
struct Table {
    defence: Vec<Defence>,
}

/// All rows, in their order.
///
/// # Panics
/// When the table that was compiled in is malformed; a test reads it.
#[must_use]
pub fn all() -> &'static [Defence] {
    static TABLE: OnceLock<Vec<Defence>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let table: Table = toml::from_str(include_str!("../../spec/defences.toml"))
            .unwrap_or_else(|error| panic!("spec/defences.toml: {error}"));
        table.defence
    })
}

impl Defence {
    /// `rules` with this defence on, and all that it requires.
    #[must_use]
    pub fn added_to(&self, rules: Rules) -> Rules {
        self.requires.iter().fold(with(rules, &self.switch, true), |rules, switch| with(rules, switch, true))
    }

    /// `rules` with this defence off, and all that require it.
    #[must_use]
    pub fn removed_from(&self, rules: Rules) -> Rules {
        let dependents = all().iter().filter(|other| other.requires.contains(&self.switch));
        dependents.fold(with(rules, &self.switch, false), |rules, other| with(rules, &other.switch, false))
    }
}

/// `rules` with one decision as hardened, or as published.
///
/// # Panics
/// When there is no such decision.
#[must_use]
pub fn with(rules: Rules, switch: &str, hardened: bool) -> Rules {
    let source = if hardened { Rules::hardened() } else { Rules::published() };
    let mut value = as_object(rules);
    let decision = as_object(source).remove(switch).unwrap_or_else(|| panic!("the rules have no decision `{switch}`"));
    value.insert(switch.to_owned(), decision);
    serde_json::from_value(value.into()).unwrap_or_else(|error| panic!("rules with `{switch}`: {error}"))
}

fn as_object(rules: Rules) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(rules) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => unreachable!("rules are a struct of enums"),
    }
}
