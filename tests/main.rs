//! One integration binary, so that everything links once: what the original systems answered, and what must hold
//! whatever is asked.

mod allocations;
mod campaigns;
mod clock_laws;
mod commands;
mod conformance;
mod context_laws;
mod contract;
#[path = "src/contract_compiler.rs"]
mod contract_compiler;
mod defences;
mod determinism;
mod distribution;
mod e1_supremum;
#[cfg(madsim)]
mod engines;
mod explore;
mod formulas;
mod haid;
#[path = "src/haid_laws.rs"]
mod haid_laws;
mod job_fleets;
mod job_laws;
mod job_load;
mod job_migration;
mod models;
mod plan_laws;
mod refined;
mod registry_laws;
mod regressions;
mod resource_laws;
mod ring_laws;
mod routing_load;
mod settings;
mod shrinking;
mod simulations;
mod snapshots;
mod table_laws;
mod tidy;
mod timelines;
mod upgrade;
mod vacuity;
mod vectors;
