//! Models explored by TLC, the reference checker, for a second opinion.
//!
//! TLC runs on copies in a folder of its own, so that it leaves nothing beside the modules.

use super::expected::{DEADLOCK, Found, Step, Verdict};
use super::manifest::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

/// That TLC and Java are there.
///
/// # Errors
/// Says which of the two is not.
pub(super) fn find(jar: &Path) -> Result<(), String> {
    if !jar.is_file() {
        return Err(format!("--tlc: {} is no file; expected the path of tla2tools.jar", jar.display()));
    }
    let java = Command::new("java").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match java {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("--tlc: `java -version` ended with {status}; expected Java 11 or newer on the path")),
        Err(error) => Err(format!("--tlc: java cannot be run ({error}); expected Java 11 or newer on the path")),
    }
}

/// Explores a model whose configuration lies at `cfg`, in an empty `folder`.
///
/// # Errors
/// What TLC complains about.
pub(super) fn run(model: &Model, root: &Path, cfg: &Path, jar: &Path, folder: &Path) -> Result<Found, String> {
    let io = |path: &Path, error: &std::io::Error| format!("{}: {error}", path.display());
    let modules = root.join(&model.module);
    let modules = modules.parent().unwrap_or(root);
    for entry in std::fs::read_dir(modules).map_err(|error| io(modules, &error))?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "tla") {
            let copied = std::fs::copy(entry.path(), folder.join(entry.file_name()));
            copied.map_err(|error| io(&entry.path(), &error))?;
        }
    }
    let mut text = std::fs::read_to_string(cfg).map_err(|error| io(cfg, &error))?;
    if let Some(refines) = &model.refines {
        text += &format!("PROPERTY\n  {}\n", refines.property);
    }
    let cfg = folder.join("model.cfg");
    std::fs::write(&cfg, text).map_err(|error| io(&cfg, &error))?;
    let jar = std::path::absolute(jar).map_err(|error| io(jar, &error))?;
    let output = Command::new("java")
        .args(["-Xmx1g", "-XX:+UseParallelGC", "-cp"])
        .arg(jar)
        .args(["tlc2.TLC", "-workers", "1", "-coverage", "1", "-metadir"])
        .arg(folder.join("states"))
        .args(["-config", "model.cfg"])
        .arg(format!("{}.tla", model.module_name()))
        .current_dir(folder)
        .output()
        .map_err(|error| format!("java cannot be run: {error}"))?;
    read(model, &String::from_utf8_lossy(&output.stdout))
        .map_err(|why| format!("{}: {why}", root.join(&model.module).display()))
}

/// What TLC's output says.
fn read(model: &Model, output: &str) -> Result<Found, String> {
    let complaint = output.lines().find_map(|line| line.strip_prefix("Error: "));
    let violated = match complaint {
        None => None,
        Some("Deadlock reached.") => Some(DEADLOCK.to_owned()),
        Some(said) => match (said.strip_prefix("Invariant "), &model.refines) {
            (Some(rest), _) if said.contains("is violated") => rest.split_whitespace().next().map(str::to_owned),
            (None, Some(refines)) if said.contains("property") && said.contains("violated") => {
                Some(refines.alias.clone())
            }
            _ => return Err(complaints(output)),
        },
    };
    let number = |line: &str, after: &str| -> Option<usize> {
        let digits = line.split_once(after)?.1.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    let states = output.lines().rev().find_map(|line| number(line, "states generated,"));
    let depth = output.lines().find_map(|line| number(line, "depth of the complete state graph search is"));
    let states = states.ok_or_else(|| complaints(output))?;
    let Some(property) = violated else {
        let depth = depth.ok_or_else(|| complaints(output))?;
        return Ok(Found { verdict: Verdict::Holds, states, depth, never: never(model, output) });
    };
    let trace = trace(output);
    Ok(Found { states, depth: trace.len(), verdict: Verdict::Violates { property, trace }, never: None })
}

/// The actions that never fired, by the last coverage that TLC prints: `<Grant line 79, … of module Lease>: 8:164`, distinct
/// states and steps. TLC does not tell `Apply(Other)` from `Apply(s)`: of an action with arguments the manifest is believed.
fn never(model: &Model, output: &str) -> Option<BTreeSet<String>> {
    let (_, coverage) = output.rsplit_once("The coverage statistics at ")?;
    let mut steps: BTreeMap<&str, u64> = BTreeMap::new();
    for line in coverage.lines() {
        let action = line.strip_prefix('<').and_then(|line| line.split_once(">: "));
        let Some((head, (_, taken))) = action.and_then(|(head, counts)| Some((head, counts.split_once(':')?))) else {
            continue;
        };
        let name = head.split(' ').next().unwrap_or_default();
        *steps.entry(name).or_default() += taken.trim().parse::<u64>().ok()?;
    }
    steps.remove("Init");
    let dead = steps.into_iter().filter(|(_, taken)| *taken == 0).map(|(name, _)| name.to_owned());
    Some(dead.chain(model.never.keys().filter(|name| name.contains('(')).cloned()).collect())
}

/// The states that TLC prints after a violation: a head `State 2: <Grant line 1, …>`, then a conjunct a line.
fn trace(output: &str) -> Vec<Step> {
    let mut trace: Vec<Step> = Vec::new();
    let mut within = false;
    for line in output.lines() {
        if let Some((_, head)) = line.strip_prefix("State ").and_then(|rest| rest.split_once(": <")) {
            let action = head.split([' ', '>']).next().filter(|_| !trace.is_empty());
            trace.push(Step { action: action.map(str::to_owned), state: String::new() });
            within = true;
        } else if line.trim().is_empty() {
            within = false;
        } else if let Some(step) = trace.last_mut().filter(|_| within) {
            let separator = if step.state.is_empty() { "" } else { ", " };
            step.state += separator;
            step.state += line.trim_start_matches("/\\").trim();
        }
    }
    trace
}

/// What TLC complains about, in one line.
fn complaints(output: &str) -> String {
    let from = ["Error:", "***", "Parse Error", "Semantic error"];
    let said: Vec<&str> = output
        .lines()
        .map(str::trim)
        .skip_while(|line| !from.iter().any(|mark| line.contains(mark)))
        .filter(|line| !line.is_empty())
        .take(6)
        .collect();
    if said.is_empty() { "TLC ended without a result".to_owned() } else { format!("TLC says: {}", said.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Manifest;

    const OUTPUT: &str = "The coverage statistics at noon\n\
        <Grant line 79, col 1 to line 79, col 8 of module M>: 0:0\n\
        The coverage statistics at one\n\
        <Init line 56, col 1 to line 56, col 4 of module M>: 0:0\n\
        <Grant line 79, col 1 to line 79, col 8 of module M>: 8:164\n  line 80, col 6 to line 80, col 10 of module M: 0\n\
        <Apply line 90, col 1 to line 90, col 8 of module M>: 0:0\n\
        <Apply line 90, col 1 to line 90, col 8 of module M>: 0:3\n\
        <Leave line 99, col 1 to line 99, col 5 of module M>: 0:0\n\
        <TypeOK line 49, col 1 to line 49, col 6 of module M>\n";

    #[test]
    fn actions_that_never_fired_are_read_off_the_last_coverage() {
        let text = "[[model]]\nname = \"M\"\nmodule = \"M.tla\"\ncfg = \"M.cfg\"\n\
                    expect.holds = { states = 1, depth = 1 }\nnever.\"Apply(Other)\" = \"nobody else is there\"\n";
        let manifest = Manifest::parse(text, Path::new("m.toml")).expect("a manifest");
        let dead = never(&manifest.models[0], OUTPUT).expect("there is a coverage");
        assert_eq!(dead, ["Apply(Other)", "Leave"].map(str::to_owned).into());
        assert_eq!(never(&manifest.models[0], "no coverage"), None);
    }
}
