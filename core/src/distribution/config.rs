//! The parameters of servers and submitters.

use super::resources::UploadConfig;
use super::rings::RingSource;
use super::rules::Rules;
use super::supplies::SuppliesConfig;
use crate::election;
use crate::time::Duration;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::num::NonZeroU32;

/// The parameters of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerConfig {
    /// Those of the election of its seat; its kind is its machine's number, and it needs no resource.
    pub candidate: election::Config,
    /// What each server is called in the ring, by the number of its machine.
    pub names: Arc<[Box<str>]>,
    /// How many points each server has in the ring.
    pub vnodes_per_node: NonZeroU32,
    /// Where its rings come from.
    pub rings: RingSource,
    /// How often it looks for work, and for changes of the members.
    pub poll: Duration,
    /// How often it asks after an instance that runs.
    pub watch: Duration,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// How long the ring must have stood still before it releases what is no longer its own.
    pub calm: Duration,
    /// How long it takes from the decision to call the cluster to the call.
    pub takes: Duration,
    /// How it fetches resources, and how many it keeps.
    pub supplies: SuppliesConfig,
    /// The decisions.
    pub rules: Rules,
}

/// The parameters of a submitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubmitterConfig {
    /// Its number.
    pub submitter: u16,
    /// How many of them there are.
    pub submitters: u16,
    /// How many servers there are.
    pub servers: u16,
    /// How many jobs it submits.
    pub jobs: u32,
    /// From one job to the next.
    pub every: Duration,
    /// The longest time that an instance runs.
    pub runs_max: Duration,
    /// The longest content that a job is made of, in bytes; 0 if no job needs any.
    pub content_max: u32,
    /// How it uploads.
    pub upload: UploadConfig,
    /// How long an answer is waited for.
    pub patience: Duration,
}
