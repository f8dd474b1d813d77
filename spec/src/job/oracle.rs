//! The oracle of all attempts of a run: what it asks of the contract.
//!
//! A seat is enough because each guard of `Job.tla` speaks about the row, the cluster and the server that moves, and the
//! contract of many servers, seen by one of them, is the contract of one (`JobSeat.tla`).

use super::JobContract;
use super::action::JobAction;
use super::guards;
use super::seat::{JobSeatCode, JobSeatState};
use super::state::{JobState, JobToken};
use crate::contract::Contract;
use crate::coverage::ContractName;
use crate::finding::Charge;
use crate::seat::{SeatOracle, Seated};

/// Judges all attempts of one run. An attempt that is not the first one of its job begins where the one before it ended:
/// [`SeatOracle::begin`].
///
/// Spec: `Job.tla`, for each attempt strict until the first step that is no strict edge, permissive from then on.
pub type JobOracle = SeatOracle<JobSeatCode>;

impl Seated for JobSeatCode {
    type Action = JobAction;
    type Whole = JobState;

    const CONTRACT: ContractName = ContractName::Job;
    const SERVERS: usize = JobState::SERVERS;

    fn strict() -> &'static Contract<Self> {
        JobContract::strict()
    }

    fn permissive() -> &'static Contract<Self> {
        JobContract::permissive()
    }

    #[inline]
    fn seen_by(whole: &JobState, server: u8) -> JobSeatState {
        whole.seen_by(server)
    }

    fn unfollowed(state: JobSeatState) -> JobSeatState {
        state.unfollowed()
    }

    fn digest(whole: &JobState) -> u64 {
        whole.digest()
    }

    /// A step that is said to leave the row alone does not rename it behind the back of the one that takes it. When the
    /// cluster sees the newest epoch, all older ones are fenced, and none is when it sees one that is fenced itself.
    fn may_happen(action: JobAction, server: Option<u8>, before: &JobState, after: &JobState) -> bool {
        if before.owner != after.owner && !action.may_rename() {
            return false;
        }
        let Some(server) = server.map(usize::from).filter(|_| action.is_seen_by_cluster()) else { return true };
        let others = || before.seats.iter().zip(&after.seats).enumerate().filter(|(at, _)| *at != server);
        match before.seats[server].token {
            JobToken::Current => others().all(|(_, (_, after))| after.token != JobToken::Old),
            JobToken::Fenced => others().all(|(_, (before, after))| before.token == after.token),
            JobToken::Old | JobToken::None => true,
        }
    }

    fn failed(action: JobAction, before: JobSeatState, after: JobSeatState) -> Charge {
        guards::failed(action, before, after)
    }

    fn failed_elsewhere(before: JobSeatState, after: JobSeatState) -> Charge {
        guards::failed_elsewhere(before, after)
    }

    fn wrongs(action: JobAction, before: JobSeatState) -> impl Iterator<Item = Charge> {
        guards::wrongs(action, before)
    }

    fn invariants(whole: &JobState) -> impl Iterator<Item = (Charge, Option<u8>)> {
        guards::invariants(whole)
    }
}

#[cfg(test)]
mod tests;
