//! One integration binary, so that everything links once: what the original systems answered, and what must hold
//! whatever is asked.

mod conformance;
mod contract;
#[path = "src/contract_compiler.rs"]
mod contract_compiler;
mod table_laws;
