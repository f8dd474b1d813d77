//! Promises that no compiler keeps: names agree across TLA+, Rust and tables, and every plan is used.

use failproof::defence;
use failproof_spec::{ContractName, Property};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn actions_and_invariants_bear_the_same_names_in_tla_and_rust() {
    let lease = [Property::AtMostOneWorkingPrimary, Property::NoStaleEffect, Property::SealedBeforeWork];
    let context = [
        Property::OneOwnerPerEpoch,
        Property::NoLostAcknowledgedWrite,
        Property::NoStaleRead,
        Property::OnlyNamedServersServe,
        Property::TakeWaitsForExpiry,
    ];
    let job = [
        Property::StartedOnce,
        Property::AtMostOneExecutorPerEpoch,
        Property::NoStaleEffect,
        Property::DoneIsQuiet,
        Property::NoLostJob,
        Property::StartsOnlyWithResources,
        Property::ClaimWaitsForOwner,
    ];
    for (module, contract, invariants) in [
        ("spec/tla/election/Lease.tla", ContractName::Lease, &lease[..]),
        ("spec/tla/routing/Context.tla", ContractName::Context, &context[..]),
        ("spec/tla/distribution/Job.tla", ContractName::Job, &job[..]),
    ] {
        let text = text(module);
        for name in contract.actions() {
            let heads = ["", "(a)", "(m)", "(s)"].map(|parameter| format!("{name}{parameter} =="));
            let defined = text.lines().any(|line| heads.iter().any(|head| line.starts_with(head)));
            assert!(defined, "{module} defines no action {name}");
        }
        for property in invariants {
            assert!(text.contains(&format!("{property} ==")), "{module} defines no invariant {property}");
        }
    }
}

#[test]
fn each_defence_names_a_property_a_plan_and_known_switches() {
    for row in defence::all() {
        let switches: Vec<_> = defence::of(&row.protocol).map(|row| row.switch.as_str()).collect();
        assert!(Property::from_name(&row.property).is_some(), "{}: unknown property {}", row.id, row.property);
        assert!(root().join("tests/plans").join(&row.plan).exists(), "{}: no plan {}", row.id, row.plan);
        for required in &row.requires {
            assert!(switches.contains(&required.as_str()), "{}: requires unknown {required}", row.id);
        }
        let class_names = ["process", "network", "store", "clock"];
        assert!(
            row.faults.iter().all(|class| class_names.contains(&class.as_str())),
            "{}: unknown fault class",
            row.id
        );
    }
}

#[test]
fn readme_lists_each_defence_and_each_property() {
    let readme = text("README.md");
    for row in defence::all() {
        assert!(
            readme.contains(&format!("| {} |", row.id)) && readme.contains(&row.switch),
            "README misses {}",
            row.id
        );
    }
    for property in Property::ALL {
        assert!(readme.contains(property.name()), "README misses the property {property}");
    }
}

#[test]
fn each_plan_belongs_to_a_defence() {
    for entry in std::fs::read_dir(root().join("tests/plans")).expect("tests/plans") {
        let entry = entry.expect("an entry");
        // `found` holds what the harness found under hardened rules: no defect of the published ones.
        if entry.path().is_dir() {
            continue;
        }
        let name = entry.file_name().into_string().expect("a name in Unicode");
        assert!(defence::all().iter().any(|row| row.plan == name), "tests/plans/{name} belongs to no defence");
    }
}

#[test]
fn each_configuration_is_in_the_manifest_and_each_module_is_compiled_in() {
    let (manifest, copies) = (text("spec/tla/manifest.toml"), text("sim/src/models/copies.rs"));
    let mut checked = 0;
    for folder in ["election", "routing", "distribution"] {
        for entry in std::fs::read_dir(root().join("spec/tla").join(folder)).expect("a folder of modules") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name in Unicode");
            let file = format!("\"{folder}/{name}\"");
            if name.ends_with(".tla") || name.ends_with(".cfg") {
                assert!(copies.contains(&file), "{file} is not compiled in");
                // A module may be there under the name of the one that bounds it.
                let bounded = format!("\"{folder}/MC{name}\"");
                let known = manifest.contains(&file) || manifest.contains(&bounded);
                assert!(known, "{file} is in no model of the manifest");
                checked += 1;
            }
        }
    }
    assert!(checked > 10, "only {checked} files were found");
}

#[test]
fn each_module_opens_with_its_promise() {
    let mut checked = 0;
    for folder in ["core/src", "spec/src", "sim/src", "tests", "benches"] {
        visit(&root().join(folder), &mut |path| {
            let content = std::fs::read_to_string(path).expect("a readable file");
            let exempt = path.file_name().is_some_and(|name| name == "tests.rs" || name == "mirror.rs");
            assert!(exempt || content.starts_with("//!"), "{} does not open with what it promises", path.display());
            checked += 1;
        });
    }
    assert!(checked > 50, "only {checked} files were found");
}

/// Every option that a document gives to a command of failproof is one that this command has.
#[test]
fn documents_use_options_that_exist() {
    let mut checked = 0;
    for document in
        ["README.md", "docs/README.md", "docs/kubernetes-job.yaml", "docs/slurm-array.sh", "docs/ci-matrix.yml"]
    {
        let content = text(document);
        for line in content.lines() {
            let Some((_, command)) = line.split_once("failproof run ").or_else(|| line.split_once("failproof merge "))
            else {
                continue;
            };
            let name = if line.contains("failproof run ") { "run" } else { "merge" };
            let (mut help, mut err) = (Vec::new(), Vec::new());
            let args = ["failproof", name, "--help"].map(std::ffi::OsString::from);
            assert_eq!(failproof::cli::main_with(args, &mut help, &mut err), 0);
            let help = String::from_utf8(help).expect("text");
            for option in command.split_whitespace().filter(|word| word.starts_with("--")) {
                let option = option.trim_end_matches(|c: char| !c.is_alphanumeric());
                assert!(
                    help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
                    "{document}: {line}"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 15, "only {checked} options were found");
}

fn visit(folder: &Path, check: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            visit(&path, check);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            check(&path);
        }
    }
}
