//! The kept tables against the TLA+ they were compiled from.
//!
//! Goal: the judge reads what the contracts say, and what they say is worth judging by. Method: compile again and
//! compare; evaluate the formulas on pairs of states that no table was asked to contain; switch each assumption off and
//! see a safety property fall.
//!
//! `FAILPROOF_KEEP=1` writes the tables instead of comparing them; then read the difference and explain it.

mod context;
mod lease;

use std::path::Path;

use failproof_spec::context::{ContextLabels, SeatCode, SeatState};
use failproof_spec::contract::{Contract, LabelSet};
use failproof_spec::{ContextAction, Labels, PairCode};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::contract_compiler::{Model, Spelled, compile, refines};

/// A contract whose tables are kept.
trait Kept: Spelled {
    /// Its folder below `spec/tla`.
    const FOLDER: &str;
    /// Its module.
    const MODULE: &str;
    /// The properties that it keeps.
    const INVARIANTS: &[&str];

    fn strict() -> &'static Contract<Self>;

    fn permissive() -> &'static Contract<Self>;

    /// Changes at most one variable: `what` says which, `how` to what.
    fn perturbed(state: Self::State, what: usize, how: usize) -> Self::State;

    fn path(name: &str) -> String {
        format!("{}/../spec/tla/{}/{name}", env!("CARGO_MANIFEST_DIR"), Self::FOLDER)
    }

    fn text(name: &str) -> String {
        std::fs::read_to_string(Self::path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn module() -> String {
        Self::text(&format!("{}.tla", Self::MODULE))
    }

    /// The constants of the strict contract.
    fn strict_cfg() -> String {
        Self::text(&format!("{}.cfg", Self::MODULE))
    }

    /// The constants of the permissive contract.
    fn permissive_cfg() -> String {
        Self::text(&format!("{}Permissive.cfg", Self::MODULE))
    }

    fn model(cfg: &str) -> Model<Self> {
        Model::load(&Self::module(), cfg).expect("the contract can be read")
    }
}

#[test]
fn kept_tables_are_what_the_contract_of_the_lease_compiles_to() {
    compiled_as_kept::<PairCode>();
}

#[test]
fn kept_tables_are_what_the_contract_of_the_context_compiles_to() {
    compiled_as_kept::<SeatCode>();
}

fn compiled_as_kept<S: Kept>() {
    for (cfg, table) in [(S::strict_cfg(), "strict"), (S::permissive_cfg(), "permissive")] {
        let compiled = compile::<S>(&S::module(), &cfg).expect("the contract compiles");
        let table = format!("{}.{table}.table", S::MODULE);
        if std::env::var_os("FAILPROOF_KEEP").is_some() {
            std::fs::write(S::path(&table), compiled).expect("the table can be written");
        } else {
            assert!(
                compiled == S::text(&table),
                "{table} differs from its contract; keep it again with FAILPROOF_KEEP=1"
            );
        }
    }
}

#[test]
fn table_and_formula_agree_on_perturbed_steps_of_a_lease() {
    table_and_formula_agree::<PairCode>();
}

#[test]
fn table_and_formula_agree_on_perturbed_steps_of_a_context() {
    table_and_formula_agree::<SeatCode>();
}

fn table_and_formula_agree<S: Kept>() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (cfg, contract) in [(S::strict_cfg(), S::strict()), (S::permissive_cfg(), S::permissive())] {
        let model = S::model(&cfg);
        let edges: Vec<_> = contract.edges().collect();
        let (mut steps, mut refused) = (0, 0);
        for _ in 0..10_000 {
            let (from, to, _) = edges[random.next_u32() as usize % edges.len()];
            let from = from.state();
            let chance = random.next_u32() as usize;
            let to = [0, 8]
                .into_iter()
                .fold(to.state(), |to, shift| S::perturbed(to, chance >> shift & 0xff, chance >> (16 + shift) & 0xff));
            let said = contract.labels(S::of(from), S::of(to));
            let meant = model.labels(from, to).expect("the actions can be evaluated");
            assert_eq!(said, meant, "from {from} to {to}: the table says {said}, the formula {meant}");
            steps += usize::from(!said.is_empty());
            refused += usize::from(said.is_empty());
        }
        assert!(steps > 1_000 && refused > 1_000, "both answers are tried often: {steps} and {refused}");
    }
}

#[test]
fn strict_contracts_keep_their_invariants() {
    keeps_its_invariants::<PairCode>();
    keeps_its_invariants::<SeatCode>();
    let three = PairCode::strict_cfg().replace("{a, b}", "{a, b, c}");
    assert_eq!(PairCode::model(&three).check(), Ok(Ok(1_835)));
}

fn keeps_its_invariants<S: Kept>() {
    for (cfg, contract) in [(S::strict_cfg(), S::strict()), (S::permissive_cfg(), S::permissive())] {
        assert_eq!(S::model(&cfg).check(), Ok(Ok(contract.states().len())), "{}", S::MODULE);
    }
}

/// For each assumption, the states of a shortest way to break each invariant, none where it holds without it.
#[test]
fn every_assumption_of_the_lease_is_needed() {
    needs::<PairCode>("Waits", &[Some(6), None, Some(5)]);
    needs::<PairCode>("Fences", &[None, Some(3), Some(6)]);
    needs::<PairCode>("Owns", &[Some(3), None, Some(4)]);
}

/// The same. A takeover that does not wait harms neither writes nor reads here: who was main is fenced, and drops its
/// cache in time, which the contract leaves out. So it is wrong in itself.
#[test]
fn every_assumption_of_the_context_is_needed() {
    needs::<SeatCode>("Homes", &[Some(5), None, None, None, None]);
    needs::<SeatCode>("Names", &[None, None, None, Some(3), None]);
    needs::<SeatCode>("Waits", &[None, None, None, None, Some(3)]);
    needs::<SeatCode>("Owns", &[Some(3), None, None, None, None]);
    needs::<SeatCode>("Fresh", &[None, None, Some(6), None, None]);
    needs::<SeatCode>("Keeps", &[None, Some(2), None, None, None]);
}

fn needs<S: Kept>(assumption: &str, lengths: &[Option<usize>]) {
    let planted = S::strict_cfg().replace(&format!("{assumption} = TRUE"), &format!("{assumption} = FALSE"));
    let mut found = Vec::new();
    for invariant in S::INVARIANTS {
        let mut cfg = format!("{planted}\n");
        for other in S::INVARIANTS.iter().filter(|other| *other != invariant) {
            cfg = cfg.replace(&format!("  {other}\n"), "");
        }
        let broken = S::model(&cfg).check().expect("the search ends").err();
        assert!(broken.as_ref().is_none_or(|(name, _)| name == invariant), "{assumption}: {broken:?}");
        found.push(broken.map(|(_, length)| length));
    }
    assert_eq!(found, lengths, "{assumption}");
}

#[test]
fn two_actors_of_many_follow_the_contract_of_two() {
    assert_eq!(projection::<PairCode>("Pair"), Ok(Ok(1_835)));
}

#[test]
fn one_server_of_many_follows_the_contract_of_one() {
    assert_eq!(projection::<SeatCode>("Seat"), Ok(Ok(12_025)));
}

/// A whole in which takeovers do not wait, and a seat in which they do: the check must tell.
#[test]
fn a_projection_that_does_not_refine_is_refused() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("planted_projection");
    std::fs::create_dir_all(&folder).expect("a folder");
    let seat = SeatCode::text("Seat.tla").replace("Server <- P,", "Server <- P, Waits <- TRUE,");
    let cfg = SeatCode::text("Seat.cfg").replace("Waits = TRUE", "Waits = FALSE").replace("  TakeWaitsForExpiry\n", "");
    for (name, text) in [("Context.tla", SeatCode::module()), ("Seat.tla", seat), ("Seat.cfg", cfg)] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    let found = refines(&folder.join("Seat.tla"), &folder.join("Seat.cfg"), "C").expect("the search ends");
    assert!(found.is_err(), "{found:?}");
}

/// What the permissive contract of the context leaves out refuses nothing: whatever is a step with it is one without.
#[test]
fn what_is_not_followed_would_refuse_nothing() {
    let followed = SeatCode::permissive_cfg().replace("Follows = FALSE", "Follows = TRUE");
    let model = SeatCode::model(&followed);
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let permissive = SeatCode::permissive();
    let edges: Vec<_> = permissive.edges().collect();
    let mut steps = 0;
    for _ in 0..10_000 {
        let (from, to, _) = edges[random.next_u32() as usize % edges.len()];
        let mut change = |state| SeatCode::perturbed(state, random.next_u32() as usize, random.next_u32() as usize);
        let from = [(); 4].into_iter().fold(from.state(), |state, ()| change(state));
        let left_out = |to: SeatState| SeatState {
            expired: from.expired,
            doubted: from.doubted,
            wrote: from.wrote,
            split: from.split,
            ..to
        };
        let to = [(); 2].into_iter().fold(left_out(to.state()), |state, ()| change(state));
        let (seen_from, seen_to) = (from.unfollowed(), to.unfollowed());
        if !permissive.has_state(seen_from.code()) {
            continue;
        }
        let meant = model.labels(from, to).expect("the actions can be evaluated");
        let said = permissive.labels(seen_from.code(), seen_to.code());
        let unseen = if seen_from == seen_to { ContextAction::Elsewhere.label() } else { ContextLabels::NONE };
        assert_eq!(meant.within(said.with(unseen)), meant, "from {from} to {to}: {said} without what is left out");
        steps += usize::from(!meant.is_empty());
    }
    assert!(steps > 1_000, "steps are tried often: {steps}");
}

fn projection<S: Kept>(module: &str) -> Result<Result<usize, String>, String> {
    let path = |extension: &str| S::path(&format!("{module}.{extension}"));
    refines(Path::new(&path("tla")), Path::new(&path("cfg")), "C")
}

#[test]
fn labels_are_read_back_as_written() {
    for (action, side) in Labels::each() {
        let label = action.label(side);
        assert_eq!(Labels::parse(&label.to_string()), Some(label));
    }
    assert_eq!(Labels::parse("Leave(a)"), None);
    assert_eq!(Labels::parse("Grant"), None);
    for action in ContextAction::ALL {
        assert_eq!(ContextLabels::parse(&action.label().to_string()), Some(action.label()));
    }
    assert_eq!(ContextLabels::parse("Expire(a)"), None);
    assert_eq!(ContextLabels::parse("Take"), None);
}
