//! Shows that the kept tables can be read, that the strict one is within the permissive one, and what each of them
//! knows of every state.

use super::*;
use crate::contract::LabelSet;
use crate::token::Token;

#[test]
fn kept_tables_have_the_known_size() {
    let (strict, permissive) = (ContextContract::strict(), ContextContract::permissive());
    assert_eq!((strict.states().len(), strict.edge_count()), (509, 4_831));
    assert_eq!((permissive.states().len(), permissive.edge_count()), (156, 1_677));
    assert_eq!((strict.name(), permissive.name()), ("Context", "Context"));
}

#[test]
fn every_strict_edge_is_permissive() {
    for (from, to, labels) in ContextContract::strict().edges() {
        let [from, to] = [from, to].map(|code| code.state().unfollowed());
        let permitted = ContextContract::permissive().labels(from.code(), to.code());
        // What others change may be all in what is left out.
        let seen = if from == to { labels.bits() & !ContextAction::Elsewhere.label().bits() } else { labels.bits() };
        assert_eq!(seen & permitted.bits(), seen, "from {from} to {to}: {labels}, of which {permitted}");
    }
}

#[test]
fn strict_states_keep_the_invariants() {
    for state in ContextContract::strict().states().iter().map(|code| code.state()) {
        assert!(!state.split && state.write != Write::Lost, "{state}");
        assert!(state.token != Token::Open || state.main == Who::Seat, "only the main's epoch is the row's: {state}");
        assert!(state.wrote != Who::Seat || state.is_owner(), "only the owner wrote: {state}");
    }
}

#[test]
fn permissively_anybody_may_do_anything() {
    let permissive = ContextContract::permissive();
    for code in permissive.states() {
        let from = code.state();
        let may = |action: ContextAction, to: SeatState| permissive.labels(*code, to.code()).meets(action.label());
        for cache in [Cache::Current, Cache::Stale] {
            assert!(may(ContextAction::Load, SeatState { cache, ..from }), "{from}");
        }
        assert!(may(ContextAction::Apply, SeatState { write: Write::Applied, ..from }), "{from}");
        assert!(from.cache == Cache::None || may(ContextAction::Read, from), "{from}");
        for backup in [Who::Seat, Who::Other] {
            let to = SeatState { main: Who::Seat, backup, token: Token::Open, ..from };
            assert!(may(ContextAction::Create, to), "{from}");
            assert!(from.main == Who::Nobody || may(ContextAction::Take, to), "{from}");
        }
    }
}
