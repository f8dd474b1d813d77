//! The first line of a trace: of which run it is, and by which rules and constants it was made.

use crate::plan::Plan;
use crate::protocols;
use failproof_core::Duration;
use failproof_core::election::Bounds;
use serde::Serialize;
use serde_json::Value;

/// The version of the format of traces.
pub const FORMAT: u32 = 1;

/// What a reader has to know before the first record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of failproof that wrote it.
    pub version: &'static str,
    /// The name of the protocol.
    pub protocol: String,
    /// The contract that its actions and variables are of: `Lease`.
    pub contract: &'static str,
    /// The decisions of the protocol, each by the name of its switch.
    pub rules: Value,
    /// What the times of the protocol and the assumptions about the world are.
    pub constants: Constants,
    /// The seed that the plan was generated from.
    pub seed: u64,
}

/// Times and assumptions, in microseconds where a name ends so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Constants {
    /// All places of the run, the store first.
    pub places: Vec<String>,
    /// How long the run is.
    pub time_us: u64,
    /// I.
    pub heartbeat_interval_us: Duration,
    /// T.
    pub heartbeat_timeout_us: Duration,
    /// What belief is owed within.
    pub bounds: Bounds,
}

impl Header {
    /// That of a run of `plan`.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let known = protocols::of(&plan.options);
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            protocol: plan.protocol.clone(),
            contract: known.contract().name(),
            rules: plan.options.rules(),
            constants: Constants {
                places: known.places(plan).iter().map(ToString::to_string).collect(),
                time_us: plan.options.time_us(),
                heartbeat_interval_us: plan.options.heartbeat_interval(),
                heartbeat_timeout_us: plan.options.heartbeat_timeout(),
                bounds: *plan.options.bounds(),
            },
            seed: plan.seed,
        }
    }
}
