//! The contract of one lease, `Lease.tla`: its words in Rust, and the oracle that judges a run by it.
//!
//! | Module | Holds |
//! |---|---|
//! | [`action`] | the actions, and their labels in a pair of actors |
//! | [`pair`] | the state of one lease seen through two actors, packed in a small integer |
//! | [`guards`] | which guard a refused step failed |
//! | [`overlap`] | how long primaries worked side by side |
//! | [`oracle`] | the oracle of one lease |

pub mod action;
pub mod guards;
pub mod oracle;
pub mod overlap;
pub mod pair;

use std::sync::LazyLock;

use crate::contract::{Contract, Subject};

pub use action::{Action, Labels};
pub use oracle::{Change, LeaseOracle};
pub use pair::{PairCode, PairState, Side};

/// The strict contract as text.
pub const STRICT_TABLE: &str = include_str!("../tla/election/Lease.strict.table");

/// The permissive contract as text.
pub const PERMISSIVE_TABLE: &str = include_str!("../tla/election/Lease.permissive.table");

/// A contract of one lease, seen through two actors.
pub type LeaseContract = Contract<PairCode>;

impl LeaseContract {
    /// The contract that is owed: `Waits`, `Fences` and `Owns` hold.
    #[must_use]
    pub fn strict() -> &'static Self {
        static TABLE: LazyLock<LeaseContract> =
            LazyLock::new(|| Contract::parse(STRICT_TABLE).expect("the kept table is checked by a test"));
        &TABLE
    }

    /// The contract of a broken world, in which a run is judged after its first finding.
    #[must_use]
    pub fn permissive() -> &'static Self {
        static TABLE: LazyLock<LeaseContract> =
            LazyLock::new(|| Contract::parse(PERMISSIVE_TABLE).expect("the kept table is checked by a test"));
        &TABLE
    }
}

impl Subject for PairCode {
    type State = PairState;

    const COUNT: usize = Self::COUNT;

    fn of(state: PairState) -> Self {
        state.code()
    }

    fn state(self) -> PairState {
        self.state()
    }

    #[inline]
    fn index(self) -> usize {
        self.index()
    }

    fn mirrored(self) -> Self {
        self.state().mirrored().code()
    }

    type Labels = Labels;
}
