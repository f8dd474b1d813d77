//! Job distribution, as the high-availability design of Apache StreamPark describes it, and hardened.
//!
//! Equal servers take jobs from a table and start them on whichever of them is up. [`resources`] is where they find what a
//! job needs.
//!
//! Source: apache/streampark, high availability of the console.

pub mod resources;
