//! Failover protocols as plain state machines.
//!
//! A protocol here is a value that receives `(now, input)` and answers with outputs. It opens no socket, reads no clock
//! and rolls no dice: time and chance arrive as arguments, so a behaviour is a function of its inputs and any run can
//! be repeated. The crate is `no_std` and forbids unsafe code; after construction a machine does not allocate. What
//! machines share (tables, the log of the [`registry`] and its folds) grows with what it holds.
//!
//! Protocols: leader election ([`election`]), context routing ([`routing`]), job distribution ([`distribution`]); of a
//! service registry ([`registry`]) the parts that are no machines.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod chance;
mod decisions;
pub mod distribution;
pub mod driver;
pub mod election;
pub mod id;
pub mod machine;
pub mod registry;
pub mod routing;
pub mod time;

pub use driver::{Env, drive};
pub use id::{Epoch, Host, Incarnation, Utype};
pub use machine::Machine;
pub use time::{Duration, Instant};
