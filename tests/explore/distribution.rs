//! Job distribution: hardened rules hold up to small bounds, and published ones are broken in the fewest moves.
//!
//! The search begins when both servers are members, only one of them knows that, and a job is written down; moves are
//! counted from there.

use super::{breaks, folder, told};
use failproof_core::distribution::Rules;
use serde_json::Value;
use std::fs;

const DISTRIBUTION: &str = "--protocol distribution";

#[test]
fn hardened_rules_hold_up_to_the_bounds() {
    for (args, states) in [
        ("", 103_304),
        ("--servers 2 --jobs 1 --horizon 3", 3_407_009),
        ("--horizon 1 --delay 1", 3_017),
        ("--crashes 1", 2_658_147),
        ("--pauses 1", 623_352),
        ("--wipes 1", 567_511),
        ("--horizon 1 --jobs 2", 34_089),
        ("--horizon 1 --servers 3", 275_537),
    ] {
        let (code, told) = told(&format!("{DISTRIBUTION} {args}"));
        assert_eq!((code, &told["complete"], &told["violation"]), (0, &Value::Bool(true), &Value::Null), "{args}");
        assert_eq!(told["states"], states, "{args}");
    }
}

/// J4: two servers with different views of the members call the cluster for one job.
#[test]
fn published_rules_let_two_servers_call_for_one_job_after_7_moves() {
    breaks("two-executors", &format!("{DISTRIBUTION} --rules published"), "AtMostOneExecutorPerEpoch", 7);
    for property in ["AtMostOneLiveInstance", "StartedOnce"] {
        let args = format!("{DISTRIBUTION} --rules published --property {property}");
        breaks(property, &args, property, 11);
    }
}

#[test]
fn each_defence_that_small_bounds_miss_is_missed() {
    for (defence, decision, property, moves) in
        [("claiming", "none", "AtMostOneExecutorPerEpoch", 23), ("membership", "frozen", "ClaimWaitsForOwner", 25)]
    {
        let mut rules = serde_json::to_value(Rules::hardened()).expect("rules");
        assert!(rules.get(defence).is_some(), "{defence}");
        rules[defence] = decision.into();
        let file = folder(&format!("rules-of-jobs-{defence}")).join("rules.json");
        fs::write(&file, rules.to_string()).expect("a file");
        let args = format!("{DISTRIBUTION} --horizon 3 --rules {}", file.display());
        breaks(&format!("jobs-{defence}"), &args, property, moves);
    }
}

/// Published servers read the rows of one engine only, and what a job needs is drawn.
#[test]
fn a_job_that_nobody_reads_breaks_nothing() {
    for (seed, expected) in [(0, 1), (6, 0)] {
        let folder = folder(&format!("jobs-seed-{seed}"));
        let args = format!("{DISTRIBUTION} --rules published --horizon 1 --seed {seed} --out {}", folder.display());
        let (code, told) = told(&args);
        assert_eq!((code, told["violation"].is_null()), (expected, expected == 0), "{seed}");
    }
}
