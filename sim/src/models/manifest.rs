//! The manifest: which models there are, and what is expected of each.
//!
//! Paths in it are relative to its folder. Every complaint names the file and the line.

use super::expected::Expected;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use toml::Spanned;

/// All models, in the order of the file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The models. Names are unique.
    pub models: Vec<Model>,
    /// What nothing exercises, and why.
    pub vacuous: Vec<Vacuous>,
}

/// Why it is in order that something of a module is never exercised.
#[derive(Clone, Debug)]
pub struct Vacuous {
    /// Where the manifest speaks of it: file, and line from 1.
    pub place: String,
    /// The name of the module.
    pub module: String,
    /// What it is.
    pub what: Idle,
    /// The reason.
    pub why: String,
}

/// What of a module may be exercised by nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// An action that never fires: its name.
    Action(String),
    /// A conjunct that is never both true and false, as `Operator: conjunct`.
    Guard(String),
    /// A property that nothing falsifies: its name.
    Property(String),
    /// A kind of edge that no run takes: the action, and what it changes.
    Edge(String),
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(name) => write!(f, "action {name}"),
            Self::Guard(guard) => write!(f, "guard {guard}"),
            Self::Property(name) => write!(f, "property {name}"),
            Self::Edge(kind) => write!(f, "edge {kind}"),
        }
    }
}

/// One model: a module, bounded by a configuration, and what is expected of it.
#[derive(Clone, Debug)]
pub struct Model {
    /// What it is called; no other has this name.
    pub name: String,
    /// Where the manifest speaks of it: file, and line from 1.
    pub place: String,
    /// The module's file, below the manifest's folder.
    pub module: String,
    /// The configuration's file, below the manifest's folder.
    pub cfg: String,
    /// Constants that have other values than in the configuration, as they are written there.
    pub constants: BTreeMap<String, String>,
    /// Which refinement is checked besides the invariants.
    pub refines: Option<Refines>,
    /// What is expected.
    pub expect: Expected,
    /// Actions that never fire, each with the reason.
    pub never: BTreeMap<String, String>,
    /// Whether it is left out unless it is asked for.
    pub slow: bool,
    /// Whether it is left to TLC, unless it is named: in process it would take hours.
    pub left_to_tlc: bool,
}

/// A refinement, as the two checkers ask for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refines {
    /// The name of the `INSTANCE`, for tla-checker.
    pub alias: String,
    /// The name of the instance's specification, for TLC.
    pub property: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    model: Vec<Entry>,
    #[serde(default)]
    vacuous: Vec<Explanation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explanation {
    module: Spanned<String>,
    what: Explained,
    why: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Explained {
    One(Idle),
    /// Several, for one reason.
    Edges {
        edges: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    module: String,
    cfg: String,
    #[serde(default)]
    constants: BTreeMap<String, String>,
    refines: Option<Refines>,
    expect: Expected,
    #[serde(default)]
    never: BTreeMap<String, String>,
    #[serde(default)]
    slow: bool,
    #[serde(default)]
    left_to_tlc: bool,
}

impl Manifest {
    /// Reads the text of the manifest at `path`.
    ///
    /// # Errors
    /// Names the file, the line, and what was expected there.
    pub fn parse(text: &str, path: &Path) -> Result<Self, String> {
        let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let place = |at: usize| format!("{}:{}", path.display(), line(at));
        let file: File = toml::from_str(text)
            .map_err(|error| format!("{}: {}", place(error.span().map_or(0, |span| span.start)), error.message()))?;
        let mut names = BTreeSet::new();
        let mut models = Vec::new();
        for entry in file.model {
            let place = place(entry.name.span().start);
            let name = entry.name.into_inner();
            if !names.insert(name.clone()) {
                return Err(format!("{place}: two models are called `{name}`; expected another name"));
            }
            if !matches!(entry.expect, Expected::Holds { .. }) && !entry.never.is_empty() {
                return Err(format!("{place}: `never` is only known if the model holds; expected none"));
            }
            models.push(Model {
                name,
                place,
                module: entry.module,
                cfg: entry.cfg,
                constants: entry.constants,
                refines: entry.refines,
                expect: entry.expect,
                never: entry.never,
                slow: entry.slow,
                left_to_tlc: entry.left_to_tlc,
            });
        }
        let mut vacuous = Vec::new();
        for Explanation { module, what, why } in file.vacuous {
            let place = place(module.span().start);
            let module = module.into_inner();
            let all = match what {
                Explained::One(what) => vec![what],
                Explained::Edges { edges } => edges.into_iter().map(Idle::Edge).collect(),
            };
            let given = |what| Vacuous { place: place.clone(), module: module.clone(), what, why: why.clone() };
            vacuous.extend(all.into_iter().map(given));
        }
        Ok(Self { models, vacuous })
    }

    /// The models that are called so, or whose module is; all of them if nothing is asked for.
    ///
    /// # Errors
    /// Nothing is called so.
    pub fn chosen(&self, asked: &[String]) -> Result<Vec<&Model>, String> {
        let meant = |model: &Model, name: &String| model.name == *name || model.module_name() == name;
        for name in asked {
            if !self.models.iter().any(|model| meant(model, name)) {
                let names = self.models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(format!("no model and no module is called `{name}`; expected one of {names}"));
            }
        }
        Ok(self.models.iter().filter(|model| asked.is_empty() || asked.iter().any(|name| meant(model, name))).collect())
    }
}

impl Model {
    /// The name of the module, without folder and extension.
    #[must_use]
    pub fn module_name(&self) -> &str {
        let file = self.module.rsplit('/').next().unwrap_or_default();
        file.strip_suffix(".tla").unwrap_or(file)
    }

    /// The configuration `cfg` with the constants of this model; with one temporal property, if that is to fail.
    ///
    /// # Errors
    /// The configuration sets no such constant, or asks for no such property.
    pub(super) fn configured(&self, cfg: &str) -> Result<String, String> {
        let mut lines: Vec<String> = cfg.lines().map(str::to_owned).collect();
        for (constant, value) in &self.constants {
            let sets = |line: &&mut String| line.split_once('=').is_some_and(|(name, _)| name.trim() == constant);
            let line = lines.iter_mut().find(sets);
            let line = line.ok_or_else(|| {
                format!("{}: {} sets no constant `{constant}`; expected one that it sets", self.place, self.cfg)
            })?;
            *line = format!("  {constant} = {value}");
        }
        if let Expected::Loops { property, .. } = &self.expect {
            let asked = properties(&lines);
            if !asked.iter().any(|(_, name)| name == property) {
                let names = asked.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
                let expected =
                    if names.is_empty() { "PROPERTIES with it".to_owned() } else { format!("one of {names}") };
                return Err(format!(
                    "{}: {} asks for no temporal property `{property}`; expected {expected}",
                    self.place, self.cfg
                ));
            }
            for (at, _) in &asked {
                lines[*at].clear();
            }
            lines.push(format!("PROPERTY\n  {property}"));
        }
        Ok(lines.join("\n") + "\n")
    }
}

/// The temporal properties that a configuration asks for, each with the index of its line.
fn properties(lines: &[String]) -> Vec<(usize, String)> {
    let mut within = false;
    let mut properties = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        for word in words(line) {
            if word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') {
                within = matches!(word, "PROPERTY" | "PROPERTIES");
            }
            if within {
                properties.push((at, word.to_owned()));
            }
        }
    }
    properties
}

/// A complaint about a name that the configuration of `model` has and its module has not, with file and line; nothing,
/// if the configuration has no name that `said` mentions.
pub(super) fn misnamed(model: &Model, root: &Path, said: &str) -> Option<String> {
    let cfg = root.join(&model.cfg);
    let text = std::fs::read_to_string(&cfg).ok()?;
    let mut mentioned = said.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let (at, name) = mentioned.find_map(|name| {
        let at = text.lines().position(|line| words(line).any(|word| word == name && word != word.to_uppercase()))?;
        Some((at, name))
    })?;
    let module = model.module_name();
    Some(format!("{}:{}: `{name}`: {said}; expected a name that {module} defines", cfg.display(), at + 1))
}

/// The words of a line of a configuration, without its comment.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split("\\*").next().unwrap_or_default().split_whitespace()
}
