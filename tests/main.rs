//! One integration binary, so that everything links once: what the original systems answered, and what must hold
//! whatever is asked.

mod clock_laws;
mod commands;
mod conformance;
mod contract;
#[path = "src/contract_compiler.rs"]
mod contract_compiler;
mod defences;
mod determinism;
#[cfg(madsim)]
mod engines;
mod e1_supremum;
mod formulas;
mod simulations;
mod snapshots;
mod table_laws;
