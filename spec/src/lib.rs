//! The judge of failproof: transition tables compiled from finite TLA+ contracts, and the oracles that walk them.
//!
//! This crate never touches a protocol. It knows neither the machines nor the world that runs them: it receives the
//! refined state before and after each step, with the name that the step was given, and says which of its contracts
//! the step breaks. So the judge cannot inherit a mistake from the accused. It opens no file, reads no clock, draws no
//! chance, and allocates nothing once a run is warm.
//!
//! | Module | Holds |
//! |---|---|
//! | [`action`] | the actions of `Lease.tla`, and their labels in a pair |
//! | [`pair`] | the state of one lease seen through two actors, packed in a small integer |
//! | [`contract`] | the transition table: states, edges, labels |
//! | [`coverage`] | which edges and actions the runs have taken |
//! | [`property`] | what can be broken, and the finding that says so |
//! | [`guards`] | which guard a refused step failed |
//! | [`overlap`] | how long primaries worked side by side |
//! | [`landmark`] | what a run reached, as guidance counts it |
//! | [`lease`] | the oracle of one lease |
//! | [`trace_hash`] | one number for a run, one for a campaign |
#![forbid(unsafe_code)]

pub mod action;
pub mod contract;
pub mod coverage;
pub mod guards;
pub mod landmark;
pub mod lease;
pub mod overlap;
pub mod pair;
pub mod property;
pub mod trace_hash;

pub use action::{Action, Labels};
pub use contract::Contract;
pub use coverage::Coverage;
pub use landmark::{Landmark, Mark, Marks};
pub use lease::{ActorId, Change, LeaseOracle};
pub use pair::{PairCode, PairState, Side, Token};
pub use property::{Finding, Property};
pub use trace_hash::{CampaignHash, TraceHash};
