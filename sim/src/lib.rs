//! Deterministic simulation of failover protocols under faults, judged by their TLA+ contracts.
#![forbid(unsafe_code)]

pub mod chance;
pub mod clock;
pub mod defence;
pub mod election;
pub mod engine;
pub mod event;
pub mod fault;
pub mod network;
pub mod options;
mod place;
pub mod plan;
pub mod protocol;
pub mod queue;
pub mod report;
pub mod trace;
pub mod world;
