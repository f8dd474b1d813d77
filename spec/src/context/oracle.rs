//! The oracle of all contexts of a run: what it asks of the contract.
//!
//! A seat is enough because each guard of `Context.tla` speaks about the row and the server that moves, and the contract
//! of many servers, seen by one of them, is the contract of one (`Seat.tla`).

use super::ContextContract;
use super::action::ContextAction;
use super::guards;
use super::seat::{SeatCode, SeatState};
use super::state::{ContextState, Write};
use crate::contract::Contract;
use crate::coverage::ContractName;
use crate::finding::Charge;
use crate::seat::{SeatOracle, Seated};

/// Judges all contexts of one run.
///
/// Spec: `Context.tla`, for each context strict until the first step that is no strict edge, permissive from then on.
pub type ContextOracle = SeatOracle<SeatCode>;

impl Seated for SeatCode {
    type Action = ContextAction;
    type Whole = ContextState;

    const CONTRACT: ContractName = ContractName::Context;
    const SERVERS: usize = ContextState::SERVERS;

    fn strict() -> &'static Contract<Self> {
        ContextContract::strict()
    }

    fn permissive() -> &'static Contract<Self> {
        ContextContract::permissive()
    }

    #[inline]
    fn seen_by(whole: &ContextState, server: u8) -> SeatState {
        whole.seen_by(server)
    }

    fn unfollowed(state: SeatState) -> SeatState {
        state.unfollowed()
    }

    fn digest(whole: &ContextState) -> u64 {
        whole.digest()
    }

    /// A step that is said to leave the row alone does not rename it behind the back of the one that takes it.
    fn may_happen(action: ContextAction, _: Option<u8>, before: &ContextState, after: &ContextState) -> bool {
        (before.main, before.backup) == (after.main, after.backup) || action.may_rename()
    }

    fn failed(action: ContextAction, before: SeatState, after: SeatState) -> Charge {
        guards::failed(action, before, after)
    }

    fn failed_elsewhere(before: SeatState, after: SeatState) -> Charge {
        guards::failed_elsewhere(before, after)
    }

    fn wrongs(action: ContextAction, before: SeatState) -> impl Iterator<Item = Charge> {
        guards::wrongs(action, before)
    }

    fn invariants(whole: &ContextState) -> impl Iterator<Item = (Charge, Option<u8>)> {
        let split = whole.split.then_some((guards::ONE_OWNER, whole.wrote));
        let lost = (whole.write == Write::Lost).then_some((guards::NO_LOST_WRITE, None));
        split.into_iter().chain(lost)
    }
}

#[cfg(test)]
mod mirror;
#[cfg(test)]
mod tests;
