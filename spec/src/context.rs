//! The contract of one context and its marked write, `Context.tla`: its words in Rust, and the oracle that judges a run
//! by it.
//!
//! | Module | Holds |
//! |---|---|
//! | [`action`] | the actions, and sets of them |
//! | [`state`] | the refined state of one context, as the world sees it |
//! | [`seat`] | the same seen by one server, packed in a small integer |
//! | [`guards`] | which guard a refused step failed |
//! | [`oracle`] | the oracle of all contexts of a run |

pub mod action;
pub mod guards;
pub mod oracle;
pub mod seat;
pub mod state;

use std::sync::LazyLock;

use crate::contract::{Contract, Subject};

pub use action::{ContextAction, ContextLabels};
pub use oracle::ContextOracle;
pub use seat::{SeatCode, SeatState, Who};
pub use state::{Cache, ContextState, Seat, Write};

/// The strict contract as text.
pub const STRICT_TABLE: &str = include_str!("../tla/routing/Context.strict.table");

/// The permissive contract as text.
pub const PERMISSIVE_TABLE: &str = include_str!("../tla/routing/Context.permissive.table");

/// A contract of one context, seen by one server.
pub type ContextContract = Contract<SeatCode>;

impl ContextContract {
    /// The contract that is owed: nothing is planted.
    #[must_use]
    pub fn strict() -> &'static Self {
        static TABLE: LazyLock<ContextContract> =
            LazyLock::new(|| Contract::parse(STRICT_TABLE).expect("the kept table is checked by a test"));
        &TABLE
    }

    /// The contract of a broken world, in which a run is judged after its first finding. It follows less than the strict
    /// one: ask it about [`SeatState::unfollowed`].
    #[must_use]
    pub fn permissive() -> &'static Self {
        static TABLE: LazyLock<ContextContract> =
            LazyLock::new(|| Contract::parse(PERMISSIVE_TABLE).expect("the kept table is checked by a test"));
        &TABLE
    }
}

impl Subject for SeatCode {
    type State = SeatState;
    type Labels = ContextLabels;

    const COUNT: usize = Self::COUNT;

    fn of(state: SeatState) -> Self {
        state.code()
    }

    fn state(self) -> SeatState {
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
