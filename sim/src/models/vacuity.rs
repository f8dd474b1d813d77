//! What nothing exercises: actions that no model fires, guards that are never both true and false, properties that nothing
//! falsifies, and kinds of contract edges that no run takes. Whatever is idle, the manifest must explain.

#[cfg(feature = "check")]
use super::compare;
use super::manifest::{Idle, Manifest, Model};
use super::{Bench, Expected, Failure};
use crate::defence;
use crate::visits::Visits;
use failproof_spec::Property;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Something that is idle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Where to look: file and line, as far as they are known.
    pub place: String,
    /// The name of the module.
    pub module: String,
    /// What is idle.
    pub what: Idle,
    /// What was seen of it.
    pub seen: String,
    /// Why that is in order, as the manifest says.
    pub why: Option<String>,
}

/// An explanation of something that is not idle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// Where the manifest gives it: file and line.
    pub place: String,
    /// The name of the module.
    pub module: String,
    /// What it explains.
    pub what: Idle,
}

/// What was looked at of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// The name of the module.
    pub module: String,
    /// In how many states.
    pub states: usize,
    /// In how many models.
    pub models: usize,
    /// Whether all their states were.
    pub all: bool,
    /// How many actions it has.
    pub actions: usize,
    /// How many guards it has.
    pub guards: usize,
}

/// What was looked at of a contract by the campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Toured {
    /// The contract.
    pub contract: &'static str,
    /// How many runs were made.
    pub runs: u64,
    /// How many steps of its table were judged, of how many.
    pub steps: (usize, usize),
    /// How many kinds of them were, of how many.
    pub kinds: (usize, usize),
}

/// What nothing exercises.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Vacuity {
    /// What was looked at by models.
    pub modules: Vec<Looked>,
    /// What was looked at by runs.
    pub contracts: Vec<Toured>,
    /// What is idle.
    pub idle: Vec<Entry>,
    /// What is explained in vain.
    pub stale: Vec<Stale>,
}

impl Vacuity {
    /// What is idle and not explained.
    pub fn unexplained(&self) -> impl Iterator<Item = &Entry> {
        self.idle.iter().filter(|entry| entry.why.is_none())
    }

    /// Whether everything idle is explained, and nothing else is.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        self.stale.is_empty() && self.unexplained().next().is_none()
    }
}

/// In how many states of a model guards are evaluated.
#[cfg(feature = "check")]
const STATES_MAX: usize = 1_600;

/// What is looked at: the modules of the models that were chosen, and what the runs of each contract did.
///
/// Of a module, the models that hold are walked through in the order of the manifest, until everything in it has moved, or
/// in as many states as there is time for. What an action does only where something is planted does not count.
///
/// # Errors
/// A model cannot be understood.
pub fn vacuity(manifest: &Manifest, bench: &Bench, chosen: &[&Model], visits: &[Visits]) -> Result<Vacuity, Failure> {
    let mut found = Vacuity::default();
    // What an explanation of a module can be about.
    let mut looked_at: BTreeSet<String> = BTreeSet::new();
    look_at_models(manifest, bench, chosen, &mut found, &mut looked_at)?;
    for visits in visits {
        look_at_visits(manifest, visits, &mut found);
        looked_at.insert(visits.contract.name().to_owned());
    }
    explain(manifest, chosen, &mut found);
    let by_models: BTreeSet<&str> = found.modules.iter().map(|looked| looked.module.as_str()).collect();
    let by_runs: BTreeSet<&str> = found.contracts.iter().map(|toured| toured.contract).collect();
    for given in manifest.vacuous.iter().filter(|given| looked_at.contains(&given.module)) {
        let module = given.module.as_str();
        let told = match given.what {
            Idle::Edge(_) => by_runs.contains(module),
            Idle::Action(_) | Idle::Guard(_) => by_models.contains(module),
            Idle::Property(_) => true,
        };
        let means = |entry: &Entry| entry.module == module && given.what == entry.what;
        if told && !found.idle.iter().any(means) {
            let (place, module, what) = (given.place.clone(), given.module.clone(), given.what.clone());
            found.stale.push(Stale { place, module, what });
        }
    }
    Ok(found)
}

#[cfg(feature = "check")]
fn look_at_models(
    manifest: &Manifest,
    bench: &Bench,
    chosen: &[&Model],
    found: &mut Vacuity,
    looked_at: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    let place_of = |model: &Model, name: &str| compare::defined(model, name, &bench.root, &bench.called);
    let falsified: BTreeSet<String> = manifest
        .models
        .iter()
        .filter_map(|model| match &model.expect {
            Expected::Violates { property, .. } | Expected::Loops { property, .. } => Some(place_of(model, property)),
            Expected::Holds { .. } => None,
        })
        .collect();
    let mut modules: Vec<&str> = Vec::new();
    for model in chosen {
        if !modules.contains(&model.module.as_str()) {
            modules.push(&model.module);
        }
    }
    let mut told = BTreeSet::new();
    for module in modules {
        let models: Vec<&Model> = chosen
            .iter()
            .copied()
            .filter(|model| model.module == module && matches!(model.expect, Expected::Holds { .. }))
            .collect();
        let Some(first) = models.first() else { continue };
        let (walked, count) = bench.walk(&models, STATES_MAX)?;
        let name = first.module_name().to_owned();
        let within = if walked.cut { "the first " } else { "" };
        let states = format!("{within}{} states", walked.states);
        let mut add = |place, module: &str, what, seen| {
            found.idle.push(Entry { place, module: module.to_owned(), what, seen, why: None });
        };
        for action in walked.actions.difference(&walked.fired) {
            add(place_of(first, action), &name, Idle::Action(action.clone()), format!("never fires in {states}"));
        }
        for (guard, seen) in walked.guards.iter().filter(|(_, seen)| **seen != [true; 2]) {
            let said = match seen {
                [false, true] => "never false",
                [true, false] => "never true",
                _ => "never evaluated",
            };
            let operator = guard.split(':').next().unwrap_or_default();
            add(place_of(first, operator), &name, Idle::Guard(guard.clone()), format!("{said} in {states}"));
        }
        for property in &walked.properties {
            let place = place_of(first, property);
            let of = module_at(&place).unwrap_or(&name).to_owned();
            looked_at.insert(of.clone());
            if told.insert(place.clone()) && !falsified.contains(&place) {
                add(place, &of, Idle::Property(property.clone()), "no model violates it".to_owned());
            }
        }
        looked_at.insert(name.clone());
        found.modules.push(Looked {
            module: name,
            states: walked.states,
            models: count,
            all: !walked.cut,
            actions: walked.actions.len(),
            guards: walked.guards.len(),
        });
    }
    Ok(())
}

#[cfg(not(feature = "check"))]
fn look_at_models(
    _: &Manifest,
    _: &Bench,
    _: &[&Model],
    _: &mut Vacuity,
    _: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    Err(Failure::Unreadable("there is no checker".to_owned()))
}

/// The module in whose file a place is.
#[cfg(feature = "check")]
fn module_at(place: &str) -> Option<&str> {
    let file = place.rsplit('/').next()?;
    file.split_once(".tla").map(|(module, _)| module)
}

fn look_at_visits(manifest: &Manifest, visits: &Visits, found: &mut Vacuity) {
    let module = visits.contract.name().to_owned();
    let mut add = |what, seen: String| {
        found.idle.push(Entry { place: format!("contract {module}"), module: module.clone(), what, seen, why: None });
    };
    let by_row = |property: &str| defence::all().iter().any(|row| row.property == property);
    let by_model = |name: &str| {
        manifest
            .models
            .iter()
            .any(|model| matches!(&model.expect, Expected::Violates { property, .. } if property == name))
    };
    for property in Property::of(visits.contract).map(Property::name) {
        if !by_row(property) && !by_model(property) && !visits.broken.contains(property) {
            add(Idle::Property(property.to_owned()), "no defence, no model and no run is about it".to_owned());
        }
    }
    for (kind, times) in visits.kinds.iter().filter(|(_, times)| times.visited == 0) {
        add(Idle::Edge(kind.clone()), format!("no run takes one of {}", times.total));
    }
    let (mut steps, mut kinds) = ((0, 0), (0, visits.kinds.len()));
    for times in visits.kinds.values() {
        steps = (steps.0 + times.visited, steps.1 + times.total);
        kinds.0 += usize::from(times.visited > 0);
    }
    found.contracts.push(Toured { contract: visits.contract.name(), runs: visits.runs, steps, kinds });
}

/// Gives each entry its reason: that of the manifest's section, or that of `never` in each model that says so.
fn explain(manifest: &Manifest, chosen: &[&Model], found: &mut Vacuity) {
    let mut never: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for model in chosen {
        never.extend(model.never.iter().map(|(name, why)| ((model.module_name(), name.as_str()), why.as_str())));
    }
    for entry in &mut found.idle {
        let given = manifest.vacuous.iter().find(|given| given.module == entry.module && given.what == entry.what);
        let by_model = match &entry.what {
            Idle::Action(name) => never.get(&(entry.module.as_str(), name.as_str())).copied(),
            _ => None,
        };
        entry.why = given.map(|given| given.why.as_str()).or(by_model).map(str::to_owned);
    }
}
