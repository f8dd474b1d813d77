//! The judge of failproof: transition tables compiled from finite TLA+ contracts, and the oracles that walk them.
//!
//! This crate never touches a protocol. It knows neither the machines nor the world that runs them: it receives the
//! refined state before and after each step, with the name that the step was given, and says which of its contracts
//! the step breaks. So the judge cannot inherit a mistake from the accused. It opens no file, reads no clock, draws no
//! chance, and allocates nothing once a run is warm.
//!
//! | Module | Holds |
//! |---|---|
//! | [`contract`] | the transition table: states, edges, labels |
//! | [`coverage`] | which edges and actions the runs have taken |
//! | [`property`] | what can be broken |
//! | [`finding`] | what is said of a step that broke it |
//! | [`landmark`] | what a run reached, as guidance counts it |
//! | [`token`] | what an epoch is worth to whoever was granted it |
//! | [`trace_hash`] | one number for a run, one for a campaign |
//! | [`lease`] | the contract of one lease, and its oracle |
//! | [`seat`] | what contracts have in common that are judged seat by seat |
//! | [`context`] | the contract of one context and its marked write, and its oracle |
//! | [`job`] | the contract of one attempt of one job, and its oracle |
#![forbid(unsafe_code)]

pub mod context;
pub mod contract;
pub mod coverage;
pub mod finding;
pub mod job;
pub mod landmark;
pub mod lease;
pub mod property;
pub mod seat;
pub mod token;
pub mod trace_hash;

pub use context::{Cache, ContextAction, ContextContract, ContextOracle, ContextState, Seat, Write};
pub use contract::Contract;
pub use coverage::{ContractName, Coverage, Taken};
pub use finding::{ActorId, Finding};
pub use job::{Flight, Instance, JobAction, JobContract, JobOracle, JobSeat, JobState, JobToken, Row};
pub use landmark::{Landmark, Mark, Marks};
pub use lease::{Action, Change, Labels, LeaseContract, LeaseOracle, PairCode, PairState, Side};
pub use property::{Property, PropertySet};
pub use token::Token;
pub use trace_hash::{CampaignHash, TraceHash};
