//! What was found against what is expected, and where to look when they differ.

use super::expected::{DEADLOCK, Expected, Found, Step, Verdict};
use super::manifest::Model;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Something that is not as the manifest says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where to look first: file and line.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// A shortest way to what is violated; empty if nothing is.
    pub trace: Vec<Step>,
}

/// All that is not as expected. `root` is where the modules lie, and is called `called`.
pub(super) fn problems(model: &Model, found: &Found, root: &Path, called: &Path) -> Vec<Problem> {
    let at_model = |message: String| Problem { place: model.place.clone(), message, trace: Vec::new() };
    let mut problems = Vec::new();
    match (&model.expect, &found.verdict) {
        (Expected::Holds { states, depth }, Verdict::Holds) => {
            for (what, expected, found) in [("distinct states", *states, found.states), ("depth", *depth, found.depth)]
            {
                if expected != found {
                    problems.push(at_model(format!("{what}: {found} found, {expected} expected")));
                }
            }
        }
        (Expected::Holds { .. }, Verdict::Violates { property, trace }) => problems.push(Problem {
            place: defined(model, property, root, called),
            message: format!("{property} is violated in {} states; {} expects that it holds", trace.len(), model.place),
            trace: trace.clone(),
        }),
        (Expected::Violates { property, states }, Verdict::Holds) => problems.push(Problem {
            place: defined(model, property, root, called),
            message: format!("{property} holds; {} expects that it is violated in {states} states", model.place),
            trace: Vec::new(),
        }),
        (Expected::Violates { property, states }, Verdict::Violates { property: other, trace }) => {
            if property != other || *states != trace.len() {
                problems.push(Problem {
                    place: defined(model, other, root, called),
                    message: format!(
                        "{other} is violated in {} states; {} expects {property}, in {states}",
                        trace.len(),
                        model.place
                    ),
                    trace: trace.clone(),
                });
            }
        }
    }
    for action in found.never.iter().flatten().filter(|action| !model.never.contains_key(*action)) {
        problems.push(Problem {
            place: defined(model, action, root, called),
            message: format!("{action} never fires; {} does not say why", model.place),
            trace: Vec::new(),
        });
    }
    if let Some(never) = &found.never {
        for action in model.never.keys().filter(|action| !never.contains(*action)) {
            problems.push(at_model(format!("{action} fires, or is no action; `never` says otherwise")));
        }
    }
    problems
}

/// File and line where a name is defined: in the module, or else in one beside it; the module's file if in none.
pub(super) fn defined(model: &Model, name: &str, root: &Path, called: &Path) -> String {
    let name = name.split('(').next().unwrap_or(name);
    let module = PathBuf::from(&model.module);
    let folder = module.parent().unwrap_or(Path::new(""));
    let mut files = vec![module.clone()];
    let mut beside: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| folder.join(entry.file_name()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "tla") && *file != module)
        .collect();
    beside.sort();
    files.append(&mut beside);
    for file in files.iter().filter(|_| name != DEADLOCK) {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        if let Some(line) = text.lines().position(|line| defines(line, name)) {
            return format!("{}:{}", called.join(file).display(), line + 1);
        }
    }
    called.join(module).display().to_string()
}

/// Whether a line begins the definition of `name`.
fn defines(line: &str, name: &str) -> bool {
    let head = line.split_once("==").map_or("", |(head, _)| head);
    head.split('(').next().is_some_and(|head| head.trim_end() == name)
}
