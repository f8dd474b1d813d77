//! Models explored by TLC, the reference checker, for a second opinion.
//!
//! TLC runs on copies in a folder of its own, so that it leaves nothing beside the modules.

use super::expected::{DEADLOCK, Expected, Found, Step, Verdict};
use super::manifest::{Model, misnamed};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

/// The class in which TLC begins. A jar lists its files uncompressed.
const MAIN: &[u8] = b"tlc2/TLC.class";

/// That TLC and Java are there.
///
/// # Errors
/// Says which of the two is not.
pub(super) fn find(jar: &Path, java: &Path) -> Result<(), String> {
    let called = jar.display();
    if !jar.is_file() {
        return Err(format!("--tlc: {called} is no file; expected the path of tla2tools.jar"));
    }
    let bytes = std::fs::read(jar).map_err(|error| format!("--tlc: {called}: cannot be read: {error}"))?;
    if !bytes.starts_with(b"PK") {
        return Err(format!("--tlc: {called} is no jar; expected tla2tools.jar"));
    }
    if !bytes.windows(MAIN.len()).any(|bytes| bytes == MAIN) {
        return Err(format!("--tlc: {called} holds no TLC; expected tla2tools.jar"));
    }
    let called = java.display();
    let java = Command::new(java).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match java {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(format!("--tlc: `{called} -version` ended with {status}; expected Java 11 or newer on the path"))
        }
        Err(error) => Err(format!("--tlc: {called} cannot be run ({error}); expected Java 11 or newer on the path")),
    }
}

/// Explores a model whose configuration lies at `cfg`, in an empty `folder`.
///
/// # Errors
/// What TLC complains about.
pub(super) fn run(
    model: &Model,
    root: &Path,
    cfg: &Path,
    (jar, java): (&Path, &Path),
    folder: &Path,
) -> Result<Found, String> {
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
    let output = Command::new(java)
        // Models are small: starting counts for more than what a better compiler and a parallel collector would gain.
        .args(["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        // TLC unpacks the standard modules there, and removes them at its end: two that share it take them from each
        // other.
        .arg("-Djava.io.tmpdir=.")
        .arg("-cp")
        .arg(jar)
        .args(["tlc2.TLC", "-workers", "1", "-coverage", "1", "-metadir"])
        .arg(folder.join("states"))
        // All states first, so that their number does not depend on when temporal properties are looked at.
        .args(["-lncheck", "final"])
        .args(["-config", "model.cfg"])
        .arg(format!("{}.tla", model.module_name()))
        .current_dir(folder)
        .output()
        .map_err(|error| format!("{} cannot be run: {error}", java.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    read(model, &said).map_err(|why| match (why, placed(model, root, &said)) {
        (_, Some(placed)) => placed,
        (Some(why), None) => format!("{}: TLC says: {why}", root.join(&model.module).display()),
        (None, None) => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            let complaint = complaint.lines().next().unwrap_or("nothing").to_owned();
            format!("{}: TLC ended without a result, and said: {complaint}", root.join(&model.module).display())
        }
    })
}

/// What TLC complains about in a module or a configuration, with file and line, if it tells the line.
fn placed(model: &Model, root: &Path, output: &str) -> Option<String> {
    let said = complaints(output)?;
    if said.contains("configuration file") {
        return misnamed(model, root, &said);
    }
    // Semantic errors name the module after the line; errors of the parser tell it below.
    let (_, rest) = output.split_once("Parse Error").or_else(|| output.split_once("Semantic error"))?;
    let line: String = rest.split_once("line ")?.1.chars().take_while(char::is_ascii_digit).collect();
    let module = rest.split_once("of module ").or_else(|| rest.split_once("Could not parse module "))?.1;
    let module: String = module.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let file = root.join(&model.module).with_file_name(format!("{module}.tla"));
    Some(format!("{}:{line}: TLC says: {said}", file.display()))
}

/// What TLC's output says.
///
/// # Errors
/// What it complains about; nothing, if it came to no result.
fn read(model: &Model, output: &str) -> Result<Found, Option<String>> {
    let complaint = output.lines().find_map(|line| line.strip_prefix("Error: "));
    let violated = match complaint {
        None => None,
        Some("Deadlock reached.") => Some(DEADLOCK.to_owned()),
        Some(LOOPS) => Some(temporal(model)),
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
    let depth = trace.len();
    let verdict = if complaint == Some(LOOPS) {
        let back = output.lines().find_map(|line| number(line, "Back to state "));
        Verdict::Loops { property, back_to: back.unwrap_or(depth), trace }
    } else {
        Verdict::Violates { property, trace }
    };
    Ok(Found { states, depth, verdict, never: None })
}

/// How TLC says that a temporal property fails; it does not say which.
const LOOPS: &str = "Temporal properties were violated.";

/// The temporal property that failed: the one that was asked for, if it was one.
fn temporal(model: &Model) -> String {
    match &model.expect {
        Expected::Loops { property, .. } => property.clone(),
        Expected::Holds { .. } | Expected::Violates { .. } => "a temporal property".to_owned(),
    }
}

/// The actions that never fired, by the last coverage that TLC prints: `<Grant line 79, … of module Lease>: 8:164`, distinct
/// states and steps. TLC does not tell `Apply(Other)` from `Apply(s)`, and takes a choice within `\E m \in messages` for one
/// action: of an action with arguments, and of one that TLC does not list, the manifest is believed.
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
    let unlisted = model.never.keys().filter(|name| name.contains('(') || !steps.contains_key(name.as_str()));
    let dead = steps.iter().filter(|(_, taken)| **taken == 0).map(|(name, _)| (*name).to_owned());
    Some(dead.chain(unlisted.cloned()).collect())
}

/// The states that TLC prints after a violation: a head `State 2: <Grant line 1, …>`, then a conjunct a line. Where
/// nothing happens any more, the last head is `State 3: Stuttering`, and the state is the one before.
fn trace(output: &str) -> Vec<Step> {
    let mut trace: Vec<Step> = Vec::new();
    let mut within = false;
    for line in output.lines() {
        if let Some((_, head)) = line.strip_prefix("State ").and_then(|rest| rest.split_once(": <")) {
            let action = head.split([' ', '>']).next().filter(|_| !trace.is_empty());
            trace.push(Step { action: action.map(str::to_owned), state: String::new() });
            within = true;
        } else if line.trim().is_empty() || line.starts_with("State ") || line.starts_with("Back to state ") {
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
fn complaints(output: &str) -> Option<String> {
    let from = ["Error:", "***", "Parse Error", "Semantic error"];
    let said: Vec<&str> = output
        .lines()
        .map(str::trim)
        .skip_while(|line| !from.iter().any(|mark| line.contains(mark)))
        .filter(|line| !line.is_empty() && !line.starts_with("Finished in"))
        .take(6)
        .collect();
    (!said.is_empty()).then(|| said.join(" "))
}

#[cfg(test)]
mod tests;
