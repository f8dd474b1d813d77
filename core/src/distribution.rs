//! Job distribution among equal servers, as Apache StreamPark's high availability describes it, and hardened.
//!
//! Servers do not talk to each other. Each knows who is there and computes from that, by a [`HashRing`], whose job is whose.
//! Jobs and servers are put on the ring by [`hash64`]. [`resources`] is where servers find what a job needs.
//!
//! Source: apache/streampark, `ConsistentHash.java` and `Murmur3Hash.java`.

mod hash;
pub mod resources;
mod ring;

pub use hash::{hash64, hash64_of_number};
pub use ring::{HashRing, Moved, PointNames, RingError, RingRules, SharedPoint, VNODES_PER_NODE};
