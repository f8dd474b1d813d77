//! What a report is about: what was asked for, and how long it took.

use crate::engine::Engine;
use crate::options::Options;
use failproof_core::election::Rules;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The protocol.
    pub protocol: String,
    /// The rules, by the name or file they were asked for with.
    pub rules: String,
    /// The fault classes, as they were asked for.
    pub faults: String,
    /// How time passed.
    pub engine: Engine,
    /// The first seed.
    pub first_seed: u64,
    /// Sizes and times.
    pub options: Options,
    /// How long it took, in seconds of the wall clock.
    pub wall_seconds: f64,
}

/// The rule sets that have names.
pub const RULE_SETS: [(&str, Rules); 4] = [
    ("hardened", Rules::hardened()),
    ("published", Rules::published()),
    ("client_go", Rules::client_go()),
    ("shedlock", Rules::shedlock()),
];

/// The name of a rule set; `custom` if it has none.
#[must_use]
pub fn name_of(rules: Rules) -> &'static str {
    RULE_SETS.iter().find(|(_, named)| *named == rules).map_or("custom", |(name, _)| name)
}
