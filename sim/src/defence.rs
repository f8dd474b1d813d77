//! The table of defences: which switch keeps which property, and what shows it. Tests, ablation, README and reports all
//! read `spec/defences.toml`.

use crate::options::Options;
use serde::Deserialize;
use std::sync::OnceLock;

/// One row of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defence {
    /// The protocol that it belongs to.
    pub protocol: String,
    /// The defect's name: `E1`. No other row has it, of whatever protocol.
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

/// All rows of all protocols, in their order.
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

/// The rows of a protocol, in their order.
pub fn of(protocol: &str) -> impl Iterator<Item = &'static Defence> {
    all().iter().filter(move |row| row.protocol == protocol)
}

impl Defence {
    /// The options with this defence on, and all that it requires.
    #[must_use]
    pub fn added_to(&self, options: impl Into<Options>) -> Options {
        let on = with(options, &self.switch, true);
        self.requires.iter().fold(on, |options, switch| with(options, switch, true))
    }

    /// The options with this defence off, and all that require it.
    #[must_use]
    pub fn removed_from(&self, options: impl Into<Options>) -> Options {
        let off = with(options, &self.switch, false);
        let dependents = of(&self.protocol).filter(|other| other.requires.contains(&self.switch));
        dependents.fold(off, |options, other| with(options, &other.switch, false))
    }
}

/// The options with one decision of their rules as hardened, or as published.
///
/// # Panics
/// When there is no such decision.
#[must_use]
pub fn with(options: impl Into<Options>, switch: &str, hardened: bool) -> Options {
    let mut options = options.into();
    let source = options.clone().decided_by(if hardened { "hardened" } else { "published" }).rules();
    let decision = source.get(switch).unwrap_or_else(|| panic!("the rules have no decision `{switch}`"));
    let mut rules = options.rules();
    rules[switch] = decision.clone();
    options.set_rules(rules).unwrap_or_else(|error| panic!("rules with `{switch}`: {error}"));
    options
}
