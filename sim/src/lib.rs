//! Deterministic simulation of failover protocols under faults, judged by their TLA+ contracts.
#![forbid(unsafe_code)]

mod calm;
pub mod campaign;
pub mod chance;
pub mod cli;
pub mod clock;
pub mod defence;
mod digest;
pub mod distribution;
mod doubt;
pub mod duration;
pub mod election;
pub mod engine;
pub mod event;
pub mod explore;
pub mod fault;
mod findings;
pub mod generate;
mod holder;
pub mod letters;
pub mod margin;
pub mod models;
pub mod mutate;
pub mod network;
pub mod note;
pub mod options;
pub mod output;
mod place;
pub mod plan;
pub mod prevented;
pub mod protocol;
pub mod protocols;
pub mod queue;
pub mod report;
pub mod routing;
pub mod run_id;
pub mod shrink;
pub mod simulation;
pub mod timeline;
pub mod trace;
pub mod verdict;
pub mod visits;
pub mod world;

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
