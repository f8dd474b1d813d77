//! What was asked for: what a report is about, and what makes parts of one campaign belong together.

use crate::engine::Engine;
use crate::options::Options;
use crate::protocols;
use serde::{Deserialize, Deserializer, Serialize};
use std::ops::Range;

/// What was asked for. A campaign that was run in parts has the same setting everywhere, but for `seeds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting<O = Options> {
    /// The protocol.
    pub protocol: String,
    /// The rules, by the name or file they were asked for with.
    pub rules: String,
    /// The fault classes, as they were asked for.
    pub faults: String,
    /// How time passed.
    pub engine: Engine,
    /// Whether guidance added children.
    pub guided: bool,
    /// The seeds of the whole campaign.
    pub campaign: Range<u64>,
    /// The seeds of this part of it.
    pub seeds: Range<u64>,
    /// Sizes and times.
    pub options: O,
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Setting::<serde_json::Value>::deserialize(deserializer)?;
        let known = protocols::named(&written.protocol).map_err(serde::de::Error::custom)?;
        let Setting { protocol, rules, faults, engine, guided, campaign, seeds, options } = written;
        let options = known.options(options).map_err(serde::de::Error::custom)?;
        Ok(Self { protocol, rules, faults, engine, guided, campaign, seeds, options })
    }
}

impl Setting {
    /// What keeps two settings from being parts of one campaign, in words. Rules are compared by what they say, not by the
    /// file that said it.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let pairs = [
            ("protocol", [&self.protocol, &other.protocol].map(String::clone)),
            ("faults", [&self.faults, &other.faults].map(String::clone)),
            ("engine", [self, other].map(|setting| setting.engine.to_string())),
            ("guided", [self, other].map(|setting| setting.guided.to_string())),
            ("seeds", [self, other].map(|setting| format!("{:?}", setting.campaign))),
        ];
        let differs = pairs.iter().find(|(_, [one, other])| one != other);
        let named = differs.map(|(what, [one, other])| format!("{what} {one} and {other}"));
        named.or_else(|| (self.options != other.options).then(|| "their rules or other options differ".to_owned()))
    }

    /// Whether it is about the same part of the same campaign.
    #[must_use]
    pub fn is_same_part(&self, other: &Self) -> bool {
        self.difference(other).is_none() && self.seeds == other.seeds
    }
}
