//! Leader election over a heartbeat table, as the HPC Pack HA module describes it, and hardened.
//!
//! One shared [`HeartbeatTable`] holds at most one entry per kind of leader. A [`Candidate`] reads it every
//! `heartbeat_interval`, claims the entry when it reads empty, and keeps it alive by heartbeats. A [`Resource`] stands
//! for what a primary writes to. [`Rules`] says which of the published decisions, and which of the hardened ones, apply.
//!
//! Source: Azure/hpcpack-high-availability, README and `hpcha.tla`; Gray and Cheriton 1989 for the term of a lease.

mod affinity;
mod candidate;
mod config;
mod error;
mod message;
mod resolver;
mod resource;
mod rules;
mod seat;
mod statistics;
mod table;
mod term;
#[cfg(test)]
mod tests;

pub use affinity::Affinity;
pub use candidate::{Candidate, Event, Input, Output, Phase, Refined, Start, Target};
pub use config::{Config, Work};
pub use error::ConfigError;
pub use message::{Answer, Claim, Message, Query, Resign, Row, Token};
pub use resolver::Resolver;
pub use resource::{Landing, Resource};
pub use rules::{
    AffinityCheck, EmptyAnswer, Fencing, Grace, IdentitySource, LeaseAnchor, NodeClock, Recheck, RenewalMatch,
    ReplyCheck, ResignMatch, Rules, StoreAge, TermSource,
};
pub use seat::{Asked, Belief, Seat};
pub use statistics::LatencyStatistics;
pub use table::{Dialect, Entry, HeartbeatTable, Outcome, StoreNow, TableConfig};
pub use term::{Bounds, crash_to_acceptance, no_false_step_down, observer_age, safe_term};
