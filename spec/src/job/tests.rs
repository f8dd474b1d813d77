//! Shows that the kept tables can be read, that the strict one is within the permissive one, and what each of them
//! knows of every state.

use super::*;
use crate::contract::LabelSet;
use crate::seat::Who;

#[test]
fn kept_tables_have_the_known_size() {
    let (strict, permissive) = (JobContract::strict(), JobContract::permissive());
    assert_eq!((strict.states().len(), strict.edge_count()), (640, 4_312));
    assert_eq!((permissive.states().len(), permissive.edge_count()), (196, 1_294));
    assert_eq!((strict.name(), permissive.name()), ("Job", "Job"));
}

#[test]
fn every_strict_edge_is_permissive() {
    for (from, to, labels) in JobContract::strict().edges() {
        let [from, to] = [from, to].map(|code| code.state().unfollowed());
        let permitted = JobContract::permissive().labels(from.code(), to.code());
        // What others change may be all in what is left out.
        let seen = if from == to { labels.bits() & !JobAction::Elsewhere.label().bits() } else { labels.bits() };
        assert_eq!(seen & permitted.bits(), seen, "from {from} to {to}: {labels}, of which {permitted}");
    }
}

#[test]
fn strict_states_keep_the_invariants() {
    for state in JobContract::strict().states().iter().map(|code| code.state()) {
        let Instance { starts, live, .. } = state.instance;
        assert!(starts <= 1 && !state.stale, "{state}");
        assert!(state.row != Row::Over || live == 0, "what is over is quiet: {state}");
        assert!(state.row != Row::Running || starts == 1, "what runs was started: {state}");
        assert!(state.flight == Flight::None || state.is_intended(), "what is under way is written down: {state}");
        assert!(state.owner != Who::Seat || state.is_owner(), "the owner holds the row's epoch: {state}");
        assert!(state.owner != Who::Other || state.token != JobToken::Current, "and nobody else does: {state}");
        assert!(state.row != Row::Over || state.owner == Who::Nobody && state.token == JobToken::None, "{state}");
    }
}

#[test]
fn permissively_anybody_may_do_anything() {
    let permissive = JobContract::permissive();
    for code in permissive.states().iter().filter(|code| code.state().row != Row::Over) {
        let from = code.state();
        let may = |action: JobAction, to: JobSeatState| permissive.labels(*code, to.code()).meets(action.label());
        for action in [JobAction::SendStart, JobAction::SendStop, JobAction::Ask, JobAction::Fetch] {
            assert!(may(action, from), "{from}: {action:?}");
        }
        let row = if from.row == Row::Pending { Row::Claimed } else { from.row };
        let claimed = JobSeatState { owner: Who::Seat, row, token: JobToken::Current, ..from };
        assert!(may(JobAction::Claim, claimed), "{from}");
        let closed = JobSeatState { owner: Who::Nobody, row: Row::Over, token: JobToken::None, ..from };
        assert!(may(JobAction::Close, closed), "{from}");
        let Instance { starts, live, .. } = from.instance;
        if starts < 2 {
            let instance = Instance { used: true, starts: starts + 1, live: live + 1 };
            assert!(may(JobAction::Land, JobSeatState { instance, ..from }), "{from}");
        }
    }
}
