//! The contract of one attempt of one job, `Job.tla`: its words in Rust, and the oracle that judges a run by it.
//!
//! | Module | Holds |
//! |---|---|
//! | [`action`] | the actions, and sets of them |
//! | [`state`] | the refined state of one attempt, as the world sees it |
//! | [`seat`] | the same seen by one server, packed in a small integer |
//! | [`guards`] | which guard a refused step failed |
//! | [`oracle`] | the oracle of all attempts of a run |

pub mod action;
pub mod guards;
pub mod oracle;
pub mod seat;
pub mod state;

use std::sync::LazyLock;

use crate::contract::{Contract, Subject};

pub use action::{JobAction, JobLabels};
pub use oracle::JobOracle;
pub use seat::{JobSeatCode, JobSeatState};
pub use state::{Flight, Instance, JobSeat, JobState, JobToken, Row};

/// The strict contract as text.
pub const STRICT_TABLE: &str = include_str!("../tla/distribution/Job.strict.table");

/// The permissive contract as text.
pub const PERMISSIVE_TABLE: &str = include_str!("../tla/distribution/Job.permissive.table");

/// A contract of one attempt, seen by one server.
pub type JobContract = Contract<JobSeatCode>;

impl JobContract {
    /// The contract that is owed: nothing is planted.
    #[must_use]
    pub fn strict() -> &'static Self {
        static TABLE: LazyLock<JobContract> =
            LazyLock::new(|| Contract::parse(STRICT_TABLE).expect("the kept table is checked by a test"));
        &TABLE
    }

    /// The contract of a broken world, in which a run is judged after its first finding. It follows less than the strict
    /// one: ask it about [`JobSeatState::unfollowed`].
    #[must_use]
    pub fn permissive() -> &'static Self {
        static TABLE: LazyLock<JobContract> =
            LazyLock::new(|| Contract::parse(PERMISSIVE_TABLE).expect("the kept table is checked by a test"));
        &TABLE
    }
}

impl Subject for JobSeatCode {
    type State = JobSeatState;
    type Labels = JobLabels;

    const COUNT: usize = Self::COUNT;

    fn of(state: JobSeatState) -> Self {
        state.code()
    }

    fn state(self) -> JobSeatState {
        self.state()
    }

    #[inline]
    fn index(self) -> usize {
        self.index()
    }

    /// One server alone has nobody to change sides with.
    fn mirrored(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests;
