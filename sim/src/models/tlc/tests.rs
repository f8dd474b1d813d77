//! What TLC prints is read as it is meant: outputs as TLC 2.15 prints them, shortened.

use super::{Found, Verdict, never, placed, read};
use crate::models::expected::Expected;
use crate::models::manifest::{Manifest, Model};
use std::collections::BTreeMap;
use std::path::Path;

/// A model that is to fail in a loop, of the module and configuration of the lease.
fn model() -> Model {
    Model {
        name: "Lease".to_owned(),
        place: "manifest.toml:2".to_owned(),
        module: "election/Lease.tla".to_owned(),
        cfg: "election/Lease.cfg".to_owned(),
        constants: BTreeMap::new(),
        refines: None,
        expect: Expected::Loops { property: "EventuallyPrimary".to_owned(), states: 166 },
        never: BTreeMap::new(),
        slow: false,
        left_to_tlc: false,
    }
}

/// The output of a behaviour that ends in a loop, with these lines at the end of its last state.
fn output(end: &str) -> String {
    format!(
        "Progress(10) at 2020-01-01 00:00:00: 1,158 states generated, 166 distinct states found, 0 states left on queue.\n\
         Error: Temporal properties were violated.\n\n\
         Error: The following behavior constitutes a counter-example:\n\n\
         State 1: <Initial predicate>\n/\\ owner = Nobody\n/\\ works = {{}}\n\n\
         State 2: <Grant line 80, col 3 to line 86, col 23 of module Lease>\n/\\ owner = a\n/\\ works = {{}}\n\n\
         {end}\
         Finished checking temporal properties in 00s at 2020-01-01 00:00:00\n\
         1158 states generated, 166 distinct states found, 0 states left on queue.\n"
    )
}

fn lasso(end: &str) -> (Vec<String>, usize) {
    let found: Found = read(&model(), &output(end)).expect("a result");
    assert_eq!(found.states, 166);
    let Verdict::Loops { property, trace, back_to } = found.verdict else {
        panic!("{:?}", found.verdict);
    };
    assert_eq!(property, "EventuallyPrimary");
    (trace.iter().map(ToString::to_string).collect(), back_to)
}

#[test]
fn loops_are_read_with_the_state_that_they_go_back_to() {
    let states = ["Init: owner = Nobody, works = {}", "Grant: owner = a, works = {}"];
    let back = "Back to state 1: <Leave line 113, col 3 to line 118, col 23 of module Lease>\n\n";
    assert_eq!(lasso(back), (states.map(str::to_owned).to_vec(), 1));
    assert_eq!(lasso("State 3: Stuttering\n"), (states.map(str::to_owned).to_vec(), 2));
}

/// TLC does not say which temporal property failed, and none is made up where none was to fail.
#[test]
fn temporal_property_is_not_named_where_several_were_asked_for() {
    let holds = Model { expect: Expected::Holds { states: 166, depth: 10 }, ..model() };
    let found = read(&holds, &output("State 3: Stuttering\n")).expect("a result");
    assert!(matches!(found.verdict, Verdict::Loops { property, .. } if property == "a temporal property"));
}

#[test]
fn complaints_are_told_with_file_and_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/tla");
    let said = |output: &str| placed(&model(), &root, output).expect("a place");
    let unparsed = "***Parse Error***\nEncountered \"Beginning of definition\" at line 69, column 1 and token \"}\" \n\
                    Could not parse module Lease from file Lease.tla\n\n\nError: Parsing or semantic analysis failed.\n";
    assert!(said(unparsed).contains("Lease.tla:69: TLC says: ***Parse Error***"), "{}", said(unparsed));
    let unknown = "Semantic errors:\n\n*** Errors: 1\n\nline 143, col 12 to line 143, col 16 of module Lease\n\n\
                   Unknown operator: `worke'.\n";
    assert!(said(unknown).contains("Lease.tla:143: TLC says: Semantic errors"), "{}", said(unknown));
    let misspelt = "Error: The invariant NoStaleEffect specified in the configuration file\n\
                    is not defined in the specification.\nFinished in 00s at (2020-01-01 00:00:00)\n";
    let text = std::fs::read_to_string(root.join("election/Lease.cfg")).expect("the configuration");
    let line = text.lines().position(|line| line.trim() == "NoStaleEffect").expect("the invariant") + 1;
    assert!(said(misspelt).contains(&format!("Lease.cfg:{line}: `NoStaleEffect`: ")), "{}", said(misspelt));
    assert!(read(&model(), "").is_err_and(|said| said.is_none()), "no result is no complaint");
}

const COVERAGE: &str = "The coverage statistics at noon\n\
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
                expect.holds = { states = 1, depth = 1 }\nnever.\"Apply(Other)\" = \"nobody else is there\"\n\
                never.Deliver = \"it is part of another action\"\n";
    let manifest = Manifest::parse(text, Path::new("m.toml")).expect("a manifest");
    let dead = never(&manifest.models[0], COVERAGE).expect("there is a coverage");
    assert_eq!(dead, ["Apply(Other)", "Deliver", "Leave"].map(str::to_owned).into());
    assert_eq!(never(&manifest.models[0], "no coverage"), None);
}
