//! Context routing: hardened rules hold up to small bounds, and published ones are broken in the fewest moves.
//!
//! The search begins when both servers hold their aliases and the client's context exists; moves are counted from there.

use super::{breaks, folder, told};
use failproof_core::routing::Rules;
use serde_json::Value;
use std::fs;

const ROUTING: &str = "--protocol routing";

/// A property is broken after `moves` moves. None of its shortest ways needs to replay.
fn is_broken(name: &str, args: &str, property: &str, moves: u64) {
    let (code, told) = told(&format!("{args} --out {}", folder(name).display()));
    let violation = &told["violation"];
    assert_eq!((code, violation["property"].as_str()), (1, Some(property)), "{name}");
    let all = violation["moves"].as_array().map_or(0, Vec::len) as u64;
    assert_eq!(violation["opening"].as_u64().map(|opening| all - opening), Some(moves), "{name}");
}

#[test]
fn hardened_rules_hold_up_to_the_bounds() {
    for (args, states) in [
        ("", 2_020_923),
        ("--horizon 1 --delay 1", 11_489),
        ("--horizon 1 --crashes 1", 482_424),
        ("--horizon 1 --pauses 1", 68_934),
        ("--horizon 1 --wipes 1", 90_709),
        ("--horizon 1 --clients 2", 220_729),
        ("--horizon 1 --servers 3", 214_529),
    ] {
        let (code, told) = told(&format!("{ROUTING} {args}"));
        assert_eq!((code, &told["complete"], &told["violation"]), (0, &Value::Bool(true), &Value::Null), "{args}");
        assert_eq!(told["states"], states, "{args}");
    }
}

/// R1: the main writes, its answer is lost, and the client asks the backup, which writes too.
#[test]
fn published_rules_let_two_write_in_one_epoch_after_17_moves() {
    let r1 = format!("{ROUTING} --rules published --property OneOwnerPerEpoch");
    breaks("two-writers", &r1, "OneOwnerPerEpoch", 17);
}

/// The backup writes while the main is alive, as soon as a request to the main is lost.
#[test]
fn published_rules_let_the_backup_write_beside_the_main() {
    breaks("beside", &format!("{ROUTING} --rules published"), "TakeWaitsForExpiry", 12);
}

#[test]
fn hardened_rules_without_owners_let_two_write_in_one_epoch() {
    let mut rules = serde_json::to_value(Rules::hardened()).expect("rules");
    rules["ownership"] = "last_writer".into();
    let file = folder("rules-ownership").join("rules.json");
    fs::write(&file, rules.to_string()).expect("a file");
    let args = format!("{ROUTING} --rules {} --property OneOwnerPerEpoch", file.display());
    is_broken("ownership", &args, "OneOwnerPerEpoch", 19);
}

/// R3: a gateway that restarts knows no alias yet, and asks a server that the context does not name.
#[test]
fn published_rules_let_a_stranger_write_after_9_moves() {
    let r3 =
        format!("{ROUTING} --rules published --servers 3 --crashes 1 --horizon 1 --property OnlyNamedServersServe");
    is_broken("stranger", &r3, "OnlyNamedServersServe", 9);
}

/// What clients wish is drawn, and another seed draws something else.
#[test]
fn a_client_that_reads_first_breaks_nothing_so_soon() {
    let (code, told) = told(&format!("{ROUTING} --rules published --property OneOwnerPerEpoch --seed 2"));
    assert_eq!((code, &told["complete"], &told["violation"]), (0, &Value::Bool(true), &Value::Null));
}
