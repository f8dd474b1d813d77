//! The kept tables against the TLA+ they were compiled from.
//!
//! Goal: the judge reads what the contracts say, and what they say is worth judging by. Method: compile again and
//! compare; evaluate the formulas on pairs of states that no table was asked to contain; switch each assumption off and
//! see a safety property fall.
//!
//! `FAILPROOF_KEEP=1` writes the tables instead of comparing them; then read the difference and explain it.

mod context;
mod context_walks;
mod job;
mod job_walks;
mod lease;
mod lease_walks;
mod seat_walks;

use std::collections::BTreeMap;
use std::path::Path;

use failproof_spec::context::{ContextLabels, SeatCode, SeatState};
use failproof_spec::contract::{Contract, LabelSet};
use failproof_spec::job::{JobLabels, JobSeatCode, JobSeatState};
use failproof_spec::seat::{SeatAction, SeatLabels, Seated};
use failproof_spec::{ContextAction, JobAction, Labels, PairCode, Side};
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

#[test]
fn kept_tables_are_what_the_contract_of_the_job_compiles_to() {
    compiled_as_kept::<JobSeatCode>();
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

#[test]
fn table_and_formula_agree_on_perturbed_steps_of_a_job() {
    table_and_formula_agree::<JobSeatCode>();
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

/// A hundred and fifty thousand steps, true and perturbed ones: the tables, the formulas, the oracles and what the history of the
/// walk says never disagree.
#[test]
fn tables_formulas_and_histories_agree_on_perturbed_walks() {
    let mut asked = 0;
    for strict in [true, false] {
        let lease = lease_walks::walk(&Tables::kept(), strict, ASKED, &|_| true).unwrap_or_else(|why| panic!("{why}"));
        let context =
            seat_walks::walk::<SeatCode>(&Tables::kept(), strict, ASKED).unwrap_or_else(|why| panic!("{why}"));
        let job = seat_walks::walk::<JobSeatCode>(&Tables::kept(), strict, ASKED).unwrap_or_else(|why| panic!("{why}"));
        for tally in [lease, context, job] {
            assert_eq!(tally.asked, ASKED);
            assert!(tally.taken > ASKED / 8 && tally.taken < ASKED * 7 / 8, "both answers are often given: {tally:?}");
            assert_eq!(tally.convicted == 0, strict, "who keeps the contract is not convicted: {tally:?}");
            assert!(strict || tally.convicted > ASKED / 50, "convictions are tried often: {tally:?}");
            asked += tally.asked;
        }
    }
    assert_eq!(asked, 150_000);
}

/// One edge too few, one label in place of another, an actor that a history overlooks: each is noticed.
#[test]
fn planted_disagreements_are_noticed() {
    let (dropped, swapped) = (
        |line: &str| (!line.contains("Doubt(")).then(|| line.to_owned()),
        |line: &str| Some(line.replace("Doubt(", "Trust(")),
    );
    let all = |_: Option<Side>| true;
    let noticed = [
        lease_walks::walk(&Tables::changed(dropped), true, ASKED, &all),
        lease_walks::walk(&Tables::changed(swapped), true, ASKED, &all),
        seat_walks::walk::<SeatCode>(&Tables::changed(dropped), true, ASKED),
        seat_walks::walk::<SeatCode>(&Tables::changed(swapped), true, ASKED),
        seat_walks::walk::<JobSeatCode>(&Tables::changed(dropped), true, ASKED),
        seat_walks::walk::<JobSeatCode>(&Tables::changed(swapped), true, ASKED),
    ];
    for (noticed, said) in noticed.into_iter().zip(["``", "`Trust("].into_iter().cycle()) {
        let why = noticed.expect_err("table and formula disagree");
        assert!(why.contains(&format!("the table says {said}")) && why.contains("Doubt("), "{why}");
    }
    let forgets = lease_walks::walk(&Tables::kept(), false, ASKED, &|side| side != Some(Side::B));
    let why = forgets.expect_err("history and invariants disagree");
    assert!(why.contains("the history says"), "{why}");
}

#[test]
fn strict_contracts_keep_their_invariants() {
    keeps_its_invariants::<PairCode>();
    keeps_its_invariants::<SeatCode>();
    keeps_its_invariants::<JobSeatCode>();
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

/// The same. What is refused may be so for two reasons: a start by somebody who owns nothing is not written down either.
#[test]
fn every_assumption_of_the_job_is_needed() {
    needs::<JobSeatCode>("Waits", &[None, None, None, None, None, None, Some(3)]);
    needs::<JobSeatCode>("Raises", &[None, Some(6), None, None, None, None, None]);
    needs::<JobSeatCode>("Owns", &[None, Some(4), None, None, None, None, None]);
    needs::<JobSeatCode>("Fetches", &[None, None, None, None, None, Some(3), None]);
    needs::<JobSeatCode>("Persists", &[None, None, None, Some(4), Some(3), None, None]);
    needs::<JobSeatCode>("Named", &[Some(5), None, None, Some(7), None, None, None]);
    needs::<JobSeatCode>("Fences", &[None, None, Some(4), None, None, None, None]);
    needs::<JobSeatCode>("Looks", &[None, None, None, None, Some(4), None, None]);
    needs::<JobSeatCode>("Ends", &[None, None, None, Some(5), Some(5), None, None]);
    needs::<JobSeatCode>("Asked", &[None, None, None, None, Some(4), None, None]);
}

fn needs<S: Kept>(assumption: &str, lengths: &[Option<usize>]) {
    let planted = S::strict_cfg().replace(&format!("{assumption} = TRUE"), &format!("{assumption} = FALSE"));
    let first_broken_of = |invariants: &[&str]| {
        let mut cfg = format!("{planted}\n");
        for other in S::INVARIANTS.iter().filter(|other| !invariants.contains(other)) {
            cfg = cfg.replace(&format!("  {other}\n"), "");
        }
        S::model(&cfg).check().expect("the search ends").err()
    };
    let mut kept = Vec::new();
    for (invariant, length) in S::INVARIANTS.iter().zip(lengths) {
        match length {
            None => kept.push(*invariant),
            Some(length) => {
                let expected = Some((invariant.to_string(), *length));
                assert_eq!(first_broken_of(&[*invariant]), expected, "{assumption}");
            }
        }
    }
    // Those that hold without it can be asked for all at once.
    assert_eq!(first_broken_of(&kept), None, "{assumption}");
}

#[test]
fn two_actors_of_many_follow_the_contract_of_two() {
    assert_eq!(projection::<PairCode>("Pair"), Ok(Ok(1_835)));
}

#[test]
fn one_server_of_many_follows_the_contract_of_one() {
    assert_eq!(projection::<SeatCode>("Seat"), Ok(Ok(12_025)));
    assert_eq!(projection::<JobSeatCode>("JobSeat"), Ok(Ok(9_784)));
}

/// A whole in which nobody waits, and a seat in which everybody does: the check must tell.
#[test]
fn a_projection_that_does_not_refine_is_refused() {
    planted_projection::<SeatCode>("Seat", "TakeWaitsForExpiry");
    planted_projection::<JobSeatCode>("JobSeat", "ClaimWaitsForOwner");
}

fn planted_projection<S: Kept>(module: &str, property: &str) {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("planted_projection");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = |extension: &str| format!("{module}.{extension}");
    let seat = S::text(&file("tla")).replace("Server <- P,", "Server <- P, Waits <- TRUE,");
    let cfg = S::text(&file("cfg")).replace("Waits = TRUE", "Waits = FALSE").replace(&format!("  {property}\n"), "");
    for (name, text) in [(format!("{}.tla", S::MODULE), S::module()), (file("tla"), seat), (file("cfg"), cfg)] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    let found = refines(&folder.join(file("tla")), &folder.join(file("cfg")), "C").expect("the search ends");
    assert!(found.is_err(), "{found:?}");
}

/// What the permissive contracts leave out refuses nothing: whatever is a step with it is one without.
#[test]
fn what_is_not_followed_would_refuse_nothing() {
    refuses_nothing::<SeatCode>(|from, to| SeatState {
        expired: from.expired,
        doubted: from.doubted,
        wrote: from.wrote,
        split: from.split,
        ..to
    });
    refuses_nothing::<JobSeatCode>(|from, to| JobSeatState {
        expired: from.expired,
        flight: from.flight,
        ready: from.ready,
        cancel: from.cancel,
        doubted: from.doubted,
        stale: from.stale,
        ..to
    });
}

/// `left_out` takes over from the first state what the permissive contract leaves out.
fn refuses_nothing<S: Kept + Seated>(left_out: impl Fn(S::State, S::State) -> S::State) {
    let followed = S::permissive_cfg().replace("Follows = FALSE", "Follows = TRUE");
    let model = S::model(&followed);
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let permissive = <S as Kept>::permissive();
    let edges: Vec<_> = permissive.edges().collect();
    let mut steps = 0;
    for _ in 0..10_000 {
        let (from, to, _) = edges[random.next_u32() as usize % edges.len()];
        let mut change = |state| S::perturbed(state, random.next_u32() as usize, random.next_u32() as usize);
        let from = [(); 4].into_iter().fold(from.state(), |state, ()| change(state));
        let to = [(); 2].into_iter().fold(left_out(from, to.state()), |state, ()| change(state));
        let (seen_from, seen_to) = (S::of(S::unfollowed(from)), S::of(S::unfollowed(to)));
        if !permissive.has_state(seen_from) {
            continue;
        }
        let meant = model.labels(from, to).expect("the actions can be evaluated");
        let said = permissive.labels(seen_from, seen_to);
        let elsewhere = SeatLabels::of_index(S::Action::ELSEWHERE.index());
        let unseen = if seen_from == seen_to { elsewhere } else { SeatLabels::NONE };
        assert_eq!(meant.within(said.with(unseen)), meant, "from {from} to {to}: {said} without what is left out");
        steps += usize::from(!meant.is_empty());
    }
    assert!(steps > 1_000, "steps are tried often: {steps}");
}

/// The two tables of a contract, as a judge reads them.
struct Tables<S: Kept> {
    strict: Contract<S>,
    permissive: Contract<S>,
}

impl<S: Kept> Tables<S> {
    fn kept() -> Self {
        Self { strict: S::strict().clone(), permissive: S::permissive().clone() }
    }

    /// The kept ones, but each line of the strict one that is an edge out of the initial state is as `change` makes it,
    /// or missing.
    fn changed(change: impl Fn(&str) -> Option<String>) -> Self {
        let text = S::text(&format!("{}.strict.table", S::MODULE));
        let (head, edges) = text.split_once("\nedges ").expect("edges");
        let edges = edges.lines().skip(1);
        let lines: Vec<String> = edges
            .filter_map(|line| if line.starts_with("0 ") { change(line) } else { Some(line.to_owned()) })
            .collect();
        let text = format!("{head}\nedges {}\n{}\n", lines.len(), lines.join("\n"));
        let strict = Contract::parse(&text).expect("a table");
        assert!(strict != *S::strict(), "something is changed");
        Self { strict, permissive: S::permissive().clone() }
    }
}

/// What the formulas of a contract say, remembered.
struct Formulas<S: Kept> {
    strict: Model<S>,
    permissive: Model<S>,
    known: BTreeMap<(bool, S, S), S::Labels>,
}

impl<S: Kept> Formulas<S> {
    fn load() -> Self {
        Self { strict: S::model(&S::strict_cfg()), permissive: S::model(&S::permissive_cfg()), known: BTreeMap::new() }
    }

    fn labels(&mut self, strict: bool, from: S, to: S) -> S::Labels {
        let model = if strict { &self.strict } else { &self.permissive };
        let meant = || model.labels(from.state(), to.state()).expect("the actions can be evaluated");
        *self.known.entry((strict, from, to)).or_insert_with(meant)
    }

    /// What both say of a step, the strict and the permissive one; none of a state that a contract does not have.
    ///
    /// # Errors
    /// Table and formula disagree.
    fn agreed(&mut self, tables: &Tables<S>, strict: (S, S), permissive: (S, S)) -> Result<[S::Labels; 2], String> {
        let mut said = [S::Labels::NONE; 2];
        for (at, (table, (from, to))) in
            [(&tables.strict, strict), (&tables.permissive, permissive)].into_iter().enumerate()
        {
            if !table.has_state(from) {
                continue;
            }
            said[at] = table.labels(from, to);
            let meant = self.labels(at == 0, from, to);
            if said[at] != meant {
                let (from, to, said) = (from.state(), to.state(), said[at]);
                return Err(format!("from {from} to {to}: the table says `{said}`, the formula `{meant}`"));
            }
        }
        Ok(said)
    }
}

/// How often steps were asked about.
#[derive(Debug, Default)]
struct Tally {
    /// All of them.
    asked: usize,
    /// Those that the contract allows, and that were taken.
    taken: usize,
    /// Those that the history of the walk convicts, after the step.
    convicted: usize,
}

/// Of each contract as many, half of them in walks that keep it and half in walks that break it.
const ASKED: usize = 25_000;

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
    for action in JobAction::ALL {
        assert_eq!(JobLabels::parse(&action.label().to_string()), Some(action.label()));
    }
    assert_eq!(JobLabels::parse("Exit(a)"), None);
    assert_eq!(JobLabels::parse("Claim"), None);
    assert_eq!(ContextLabels::parse("Expire(a)"), None);
    assert_eq!(ContextLabels::parse("Take"), None);
}
