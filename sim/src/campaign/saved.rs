//! A report as a file: what a part of a campaign leaves for the others to be merged with.

use super::{CampaignReport, ENGINES_AGREE, Ending, Findings, NEVER_PANICS, Setting};
use crate::protocols;
use failproof_spec::Property;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The version of the file.
const REPORT_FORMAT: u32 = 1;

/// The name of the file in a campaign's directory.
pub const REPORT_FILE: &str = "report.json";

/// What was asked for, and what was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedReport {
    /// The version of the file.
    pub format: u32,
    /// The version of failproof.
    pub version: String,
    /// What was asked for.
    pub setting: Setting,
    /// What was found.
    pub report: CampaignReport,
}

/// Why a report cannot be read. The message names the file and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; expected a directory that `failproof run --out` wrote")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no report.
    #[error("{path} is no report: {source}; expected the file that `failproof run --out` wrote")]
    Malformed {
        /// The file.
        path: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The values do not fit each other.
    #[error("{path}: {problem} does not fit the rest; expected the file as `failproof run --out` wrote it")]
    Wrong {
        /// The file.
        path: String,
        /// What.
        problem: &'static str,
    },
    /// It was written by another version.
    #[error("{path} was written by failproof {version}, and this is {}; expected the same version", env!("CARGO_PKG_VERSION"))]
    Version {
        /// The file.
        path: String,
        /// The version of the file.
        version: String,
    },
}

impl SavedReport {
    /// What is to be saved.
    #[must_use]
    pub fn new(setting: Setting, report: CampaignReport) -> Self {
        let mut saved = Self { format: REPORT_FORMAT, version: env!("CARGO_PKG_VERSION").to_owned(), setting, report };
        saved.leave_home();
        saved
    }

    /// Forgets in which directory plans lie: that is no part of a report.
    pub(crate) fn leave_home(&mut self) {
        self.report.kept_mut().for_each(|finding| finding.at_home(Path::new("")));
    }

    /// Whether `old` is about the same campaign, was stopped before its end, and tells of no more runs; or tells the same,
    /// and less of it was shrunk.
    #[must_use]
    pub fn completes(&self, old: &Self) -> bool {
        let unfinished = old.report.ending != Ending::Complete && old.report.runs <= self.report.runs;
        unfinished && old.setting.is_same_part(&self.setting) || self.is_shrunk_further_than(old)
    }

    /// Whether it tells the same as `other`, but for the plans that were shrunk, and took more runs for those.
    #[must_use]
    pub fn is_shrunk_further_than(&self, other: &Self) -> bool {
        let runs =
            |saved: &Self| saved.report.kept().filter_map(|found| Some(found.shrunk.as_ref()?.runs)).sum::<u64>();
        let rest = |saved: &Self| {
            let mut rest = saved.clone();
            rest.report.kept_mut().for_each(|finding| finding.shrunk = None);
            rest.text().ok()
        };
        runs(self) > runs(other) && rest(self) == rest(other)
    }

    /// The text of the file: one line, the same for the same campaign.
    ///
    /// # Errors
    /// As `serde_json` does.
    pub fn text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// Reads the report in `folder`.
    ///
    /// # Errors
    /// See [`SavedError`].
    pub fn read(folder: &Path) -> Result<Self, SavedError> {
        let path = folder.join(REPORT_FILE);
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(&path).map_err(|source| SavedError::Unreadable { path: name.clone(), source })?;
        let malformed = |source| SavedError::Malformed { path: name.clone(), source };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(malformed)?;
        let version = value.get("version").and_then(serde_json::Value::as_str).unwrap_or_default();
        let format = value.get("format").and_then(serde_json::Value::as_u64);
        if format.is_some() && (format, version) != (Some(REPORT_FORMAT.into()), env!("CARGO_PKG_VERSION")) {
            return Err(SavedError::Version { version: version.to_owned(), path: name });
        }
        // From the text again: its errors name line and column.
        let saved: Self = serde_json::from_str(&text).map_err(malformed)?;
        saved.check().map_err(|problem| SavedError::Wrong { path: name, problem })?;
        Ok(saved)
    }

    /// Checks what adding up relies on.
    fn check(&self) -> Result<(), &'static str> {
        let Setting { seeds, campaign, options, .. } = &self.setting;
        let report = &self.report;
        let contract = protocols::contract(options);
        let is_owed = |name: &str| Property::of(contract).any(|property| property.name() == name);
        let asked = seeds.end.saturating_sub(seeds.start);
        let facts = [
            (seeds.start < seeds.end && campaign.start <= seeds.start && seeds.end <= campaign.end, "setting.seeds"),
            (report.asked == asked, "report.asked"),
            (report.seeds <= report.runs && report.seeds <= asked, "report.seeds"),
            (report.ending != Ending::Complete || report.seeds == asked, "report.ending"),
            (report.coverage.as_ref().is_none_or(|coverage| coverage.fits(contract)), "report.coverage"),
            (report.returns.after.is_sound(), "report.returns.after"),
            (report.violations.keys().all(|name| is_owed(name)), "report.violations"),
            (report.all().all(Findings::is_sound), "the kept findings"),
        ];
        facts.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, problem)| Err(problem))
    }
}

/// The name of a property as it is known here.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    let mut others = protocols::convergence_properties().chain([NEVER_PANICS, ENGINES_AGREE]);
    Property::from_name(name).map(Property::name).or_else(|| others.find(|other| *other == name))
}

fn expected<'de, D: Deserializer<'de>>(name: &str) -> Result<&'static str, D::Error> {
    known(name).ok_or_else(|| serde::de::Error::custom(format!("unknown property `{name}`")))
}

pub(super) fn property<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    expected::<D>(&String::deserialize(deserializer)?)
}

pub(super) fn by_property<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<&'static str, Findings>, D::Error> {
    let named = BTreeMap::<String, Findings>::deserialize(deserializer)?;
    named.into_iter().map(|(name, findings)| Ok((expected::<D>(&name)?, findings))).collect()
}

/// A hash as hex digits.
pub(super) mod hash {
    use crate::campaign::hex;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::campaign) fn serialize<S: Serializer>(hash: &Option<u128>, serializer: S) -> Result<S::Ok, S::Error> {
        hash.map(hex).serialize(serializer)
    }

    pub(in crate::campaign) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u128>, D::Error> {
        let parse = |text: String| u128::from_str_radix(&text, 16).map_err(serde::de::Error::custom);
        Option::<String>::deserialize(deserializer)?.map(parse).transpose()
    }
}

/// The hash of a campaign as hex digits.
pub(super) mod campaign_hash {
    use failproof_spec::CampaignHash;
    use serde::{Deserializer, Serializer};

    pub(in crate::campaign) fn serialize<S: Serializer>(hash: &CampaignHash, serializer: S) -> Result<S::Ok, S::Error> {
        super::hash::serialize(&Some(hash.finish()), serializer)
    }

    pub(in crate::campaign) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<CampaignHash, D::Error> {
        super::hash::deserialize(deserializer).map(|sum| CampaignHash::resumed(sum.unwrap_or_default()))
    }
}

/// Defences by their ids.
pub(super) mod defences {
    use crate::defence::{self, Defence};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    type Defences = Option<Vec<&'static Defence>>;

    pub(in crate::campaign) fn serialize<S: Serializer>(defences: &Defences, serializer: S) -> Result<S::Ok, S::Error> {
        let ids = defences.as_ref().map(|defences| defences.iter().map(|row| row.id.as_str()).collect::<Vec<_>>());
        ids.serialize(serializer)
    }

    pub(in crate::campaign) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Defences, D::Error> {
        let find = |id: String| {
            let row = defence::all().iter().find(|row| row.id == id);
            row.ok_or_else(|| serde::de::Error::custom(format!("unknown defence `{id}`")))
        };
        let ids = Option::<Vec<String>>::deserialize(deserializer)?;
        ids.map(|ids| ids.into_iter().map(find).collect()).transpose()
    }
}
