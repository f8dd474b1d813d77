//! The kept tables against the TLA+ they were compiled from.
//!
//! Goal: the judge reads what `Lease.tla` says, and what it says is worth judging by. Method: compile again and compare;
//! evaluate the formulas on pairs of states that no table was asked to contain; switch each assumption off and see a
//! safety property fall.
//!
//! `FAILPROOF_KEEP=1` writes the tables instead of comparing them; then read the difference and explain it.

use failproof_spec::contract::Contract;
use failproof_spec::{Labels, PairCode, PairState, Token};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::contract_compiler::{Model, compile, refines};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/tla/election/");

fn read(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn model(cfg: &str) -> Model {
    Model::load(&read("Lease.tla"), cfg).expect("the contract can be read")
}

#[test]
fn kept_tables_are_what_the_contract_compiles_to() {
    for (cfg, table) in [("Lease.cfg", "Lease.strict.table"), ("LeasePermissive.cfg", "Lease.permissive.table")] {
        let compiled = compile(&read("Lease.tla"), &read(cfg)).expect("the contract compiles");
        if std::env::var_os("FAILPROOF_KEEP").is_some() {
            std::fs::write(format!("{FOLDER}{table}"), compiled).expect("the table can be written");
        } else {
            assert!(compiled == read(table), "{table} differs from its contract; keep it again with FAILPROOF_KEEP=1");
        }
    }
}

#[test]
fn table_and_formula_agree_on_perturbed_steps() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (cfg, contract) in [("Lease.cfg", Contract::strict()), ("LeasePermissive.cfg", Contract::permissive())] {
        let model = model(&read(cfg));
        let edges: Vec<_> = contract.edges().collect();
        let (mut steps, mut refused) = (0, 0);
        for _ in 0..10_000 {
            let (from, to, _) = edges[random.next_u32() as usize % edges.len()];
            let to = perturbed(to.state(), random.next_u32());
            let said = contract.labels(from, to.code());
            let meant = model.labels(from.state(), to).expect("the actions can be evaluated");
            assert_eq!(said, meant, "from {} to {to}: the table says {said}, the formula {meant}", from.state());
            steps += usize::from(!said.is_empty());
            refused += usize::from(said.is_empty());
        }
        assert!(steps > 1_000 && refused > 1_000, "both answers are tried often: {steps} and {refused}");
    }
}

/// Changes none, one or two variables of a state.
fn perturbed(mut state: PairState, random: u32) -> PairState {
    for shift in [0, 8] {
        let (what, how) = (random >> shift & 0xff, random >> (16 + shift) & 0xff);
        match what % 12 {
            0 | 1 => state.works[what as usize % 2] ^= true,
            2 | 3 => state.doubted[what as usize % 2] ^= true,
            4 | 5 => state.token[what as usize % 2] = Token::ALL[how as usize % 3],
            6 => state.stained ^= true,
            7 => state.owner = PairCode::all().nth(how as usize % 3 * 288).and_then(|code| code.state().owner),
            _ => {}
        }
    }
    state
}

#[test]
fn strict_contract_keeps_its_invariants() {
    assert_eq!(model(&read("Lease.cfg")).check(), Ok(Ok(Contract::strict().states().len())));
    let three = read("Lease.cfg").replace("{a, b}", "{a, b, c}");
    assert_eq!(model(&three).check(), Ok(Ok(1_835)));
    assert_eq!(model(&read("LeasePermissive.cfg")).check(), Ok(Ok(Contract::permissive().states().len())));
}

#[test]
fn every_assumption_is_needed() {
    const INVARIANTS: [&str; 3] = ["AtMostOneWorkingPrimary", "NoStaleEffect", "SealedBeforeWork"];
    // For each assumption: the states of a shortest way to break each invariant, none where it holds without it.
    for (assumption, lengths) in
        [("Waits", [Some(6), None, Some(5)]), ("Fences", [None, Some(3), Some(6)]), ("Owns", [Some(3), None, Some(4)])]
    {
        let planted = read("Lease.cfg").replace(&format!("{assumption} = TRUE"), &format!("{assumption} = FALSE"));
        for (invariant, length) in INVARIANTS.into_iter().zip(lengths) {
            let mut cfg = planted.clone();
            for other in INVARIANTS.into_iter().filter(|other| *other != invariant) {
                cfg = cfg.replace(&format!("  {other}\n"), "");
            }
            let broken = model(&cfg).check().expect("the search ends").err();
            assert_eq!(broken, length.map(|length| (invariant.to_string(), length)), "{assumption}");
        }
    }
}

#[test]
fn two_actors_of_many_follow_the_contract_of_two() {
    let pair = std::path::Path::new(FOLDER);
    assert_eq!(refines(&pair.join("Pair.tla"), &pair.join("Pair.cfg"), "C"), Ok(Ok(1_835)));
}

#[test]
fn labels_are_read_back_as_written() {
    for (action, side) in Labels::each() {
        let label = action.label(side);
        assert_eq!(Labels::parse(&label.to_string()), Some(label));
    }
    assert_eq!(Labels::parse("Leave(a)"), None);
    assert_eq!(Labels::parse("Grant"), None);
}
