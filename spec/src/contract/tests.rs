//! Shows that the kept tables can be read, that the strict one is within the permissive one, and that a damaged table
//! is refused with its line.

use super::*;
use crate::lease::{Action, LeaseContract, PairState, Side};
use crate::token::Token;

#[test]
fn kept_tables_have_the_known_size() {
    let (strict, permissive) = (LeaseContract::strict(), LeaseContract::permissive());
    assert_eq!((strict.states().len(), strict.edge_count()), (166, 1036));
    // An owner holds a token; that is the only bound: (1 * 9 + 2 * 6) tokens, 16 sets, stained or not.
    assert_eq!((permissive.states().len(), permissive.edge_count()), (672, 6912));
    assert_eq!(permissive.states().len(), (9 + 12) * 16 * 2);
}

#[test]
fn every_strict_edge_is_permissive() {
    for (from, to, labels) in LeaseContract::strict().edges() {
        assert_eq!(labels.within(LeaseContract::permissive().labels(from, to)), labels);
    }
}

#[test]
fn strict_states_keep_the_invariants() {
    for state in LeaseContract::strict().states().iter().map(|code| code.state()) {
        let trusted = [0, 1].map(|at| state.works[at] && !state.doubted[at]);
        assert_ne!(trusted, [true, true], "{state}");
        assert!(!state.stained, "{state}");
        for (side, other) in [(Side::A, 1), (Side::B, 0)] {
            let works = state.owner == Some(side) && trusted[side as usize];
            assert!(!works || state.token[other] != Token::Open, "{state}");
        }
    }
}

#[test]
fn anybody_who_does_not_work_may_step_up_permissively() {
    for code in LeaseContract::permissive().states() {
        let from = code.state();
        if !from.works[0] {
            let to = PairState { works: [true, from.works[1]], ..from };
            assert!(LeaseContract::permissive().labels(*code, to.code()).meets(Action::StepUp.label(Side::A)));
        }
    }
}

#[test]
fn damage_is_named_with_its_line() {
    let error = |text: &str| LeaseContract::parse(text).expect_err("damaged");
    assert_eq!(error("contract Lease\nstates x\n"), TableError { line: 2, expected: "the number of states" });
    let one = "states 1\n0 owner=- works=- doubted=- token=none,none stained=no\n";
    assert_eq!(
        error(&one.replace("none,none", "none,gone")).to_string(),
        "line 2 of the contract table: expected token= with two of none, open, fenced"
    );
    assert_eq!(error(&format!("{one}edges 1\n0 0 Fly(a)\n")), TableError { line: 4, expected: "labels of actions" });
    assert_eq!(
        error(&format!("{one}edges 1\n0 1 Leave\n")),
        TableError { line: 4, expected: "states that were listed" }
    );
    assert_eq!(error(&format!("{one}edges 1\n0 0 Accept(a)\n")).expected, "each edge to have a mirror image");
    assert_eq!(
        error(&format!("{one}edges 2\n0 0 Leave\n")),
        TableError { line: 5, expected: "as many edges as announced" }
    );
    assert!(LeaseContract::parse(&format!("{one}edges 1\n0 0 Accept(a),Accept(b)\n")).is_ok());
}
