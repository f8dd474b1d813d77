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
    /// A shortest way to what is violated, or a behaviour that ends in a loop; empty if nothing is.
    pub trace: Vec<Step>,
    /// Of a behaviour that ends in a loop, the state, from 1, with which it goes on.
    pub back_to: Option<usize>,
}

/// All that is not as expected. `root` is where the modules lie, and is called `called`.
pub(super) fn problems(model: &Model, found: &Found, root: &Path, called: &Path) -> Vec<Problem> {
    let at_model = |message: String| Problem { place: model.place.clone(), message, trace: Vec::new(), back_to: None };
    let counts = |counts: &[(&str, usize, usize)]| -> Vec<Problem> {
        let differ = counts.iter().filter(|(_, expected, found)| expected != found);
        differ.map(|(what, expected, found)| at_model(format!("{what}: {found} found, {expected} expected"))).collect()
    };
    let mut problems = match (&model.expect, &found.verdict) {
        (Expected::Holds { states, depth }, Verdict::Holds) => {
            counts(&[("distinct states", *states, found.states), ("depth", *depth, found.depth)])
        }
        (Expected::Violates { property, states }, Verdict::Violates { property: other, trace })
            if property == other && *states == trace.len() =>
        {
            Vec::new()
        }
        (Expected::Loops { property, states }, Verdict::Loops { property: other, .. }) if property == other => {
            counts(&[("distinct states", *states, found.states)])
        }
        (expected, verdict) => {
            let (said, property) = said(expected, verdict);
            let (trace, back_to) = match verdict {
                Verdict::Holds => (Vec::new(), None),
                Verdict::Violates { trace, .. } => (trace.clone(), None),
                Verdict::Loops { trace, back_to, .. } => (trace.clone(), Some(*back_to)),
            };
            let message = format!("{said}; {} expects {}", model.place, wanted(expected));
            vec![Problem { place: defined(model, property, root, called), message, trace, back_to }]
        }
    };
    for action in found.never.iter().flatten().filter(|action| !model.never.contains_key(*action)) {
        problems.push(Problem {
            place: defined(model, action, root, called),
            message: format!("{action} never fires; {} does not say why", model.place),
            trace: Vec::new(),
            back_to: None,
        });
    }
    if let Some(never) = &found.never {
        for action in model.never.keys().filter(|action| !never.contains(*action)) {
            problems.push(at_model(format!("{action} fires, or is no action; `never` says otherwise")));
        }
    }
    problems
}

/// What was found other than expected, and the property that it is about.
fn said<'a>(expected: &'a Expected, verdict: &'a Verdict) -> (String, &'a str) {
    match (expected, verdict) {
        (_, Verdict::Violates { property, trace }) => {
            (format!("{property} is violated in {} states", trace.len()), property)
        }
        (_, Verdict::Loops { property, trace, back_to }) if *back_to == trace.len() => {
            (format!("{property} fails where nothing happens after state {back_to}"), property)
        }
        (_, Verdict::Loops { property, back_to, .. }) => {
            (format!("{property} fails in a loop that begins at state {back_to}"), property)
        }
        (Expected::Violates { property, .. } | Expected::Loops { property, .. }, Verdict::Holds) => {
            (format!("{property} holds"), property)
        }
        (Expected::Holds { .. }, Verdict::Holds) => ("all properties hold".to_owned(), ""),
    }
}

/// What is expected, after "expects".
fn wanted(expected: &Expected) -> String {
    match expected {
        Expected::Holds { .. } => "that it holds".to_owned(),
        Expected::Violates { property, states } => format!("that {property} is violated in {states} states"),
        Expected::Loops { property, .. } => format!("that {property} fails in a loop"),
    }
}

/// File and line where a name is defined: in the module, in one that it extends, or else in one beside it; the module's file if
/// in none.
pub(super) fn defined(model: &Model, name: &str, root: &Path, called: &Path) -> String {
    let name = name.split('(').next().unwrap_or(name);
    let module = PathBuf::from(&model.module);
    let folder = module.parent().unwrap_or(Path::new(""));
    let mut files = extended(&module, root);
    let mut beside: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| folder.join(entry.file_name()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "tla") && !files.contains(file))
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

/// A module, and those beside it that it extends, at whatever remove.
fn extended(module: &Path, root: &Path) -> Vec<PathBuf> {
    let mut files = vec![module.to_path_buf()];
    let mut at = 0;
    while let Some(file) = files.get(at) {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        let lists = text.lines().filter_map(|line| line.trim().strip_prefix("EXTENDS "));
        let names: Vec<_> = lists.flat_map(|list| list.split(',')).map(|name| name.trim().to_owned()).collect();
        let beside = names.into_iter().map(|name| module.with_file_name(name + ".tla"));
        let new: Vec<_> = beside.filter(|file| !files.contains(file) && root.join(file).is_file()).collect();
        files.extend(new);
        at += 1;
    }
    files
}

/// Whether a line begins the definition of `name`.
fn defines(line: &str, name: &str) -> bool {
    let head = line.split_once("==").map_or("", |(head, _)| head);
    head.split('(').next().is_some_and(|head| head.trim_end() == name)
}
