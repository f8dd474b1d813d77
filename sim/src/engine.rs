//! Two ways to let time pass over the same world: a plain event loop, which is the reference, and madsim.

pub mod fast;
#[cfg(madsim)]
pub mod madsim;

use crate::plan::Plan;
use crate::protocols;
use crate::report::RunReport;
use crate::trace::Record;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::Arc;

/// A way to let time pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// A plain discrete-event loop: the reference.
    #[default]
    Fast,
    /// Real asynchronous tasks, timers and sockets under madsim.
    Madsim,
}

/// A machine or the harness panicked. The run is over; other runs are not touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// What it said.
    pub message: String,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fast => "fast",
            Self::Madsim => "madsim",
        })
    }
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fast" => Ok(Self::Fast),
            "madsim" if cfg!(madsim) => Ok(Self::Madsim),
            "madsim" => Err("this build has no madsim engine; build with RUSTFLAGS=\"--cfg madsim\", or in the \
                             failproof workspace, whose .cargo/config.toml sets it, without RUSTFLAGS"
                .to_owned()),
            _ => Err(format!("unknown engine `{text}`; expected fast or madsim")),
        }
    }
}

impl Engine {
    /// The other one, if this build has it.
    #[must_use]
    pub const fn other(self) -> Option<Self> {
        match self {
            Self::Fast if cfg!(madsim) => Some(Self::Madsim),
            Self::Fast => None,
            Self::Madsim => Some(Self::Fast),
        }
    }

    /// Runs a plan that has been checked. `record` keeps the records of the trace.
    ///
    /// # Errors
    /// [`Panicked`] when a machine or the harness panicked.
    pub fn run(self, plan: &Arc<Plan>, record: bool) -> Result<(RunReport, Vec<Record>), Panicked> {
        let (plan, known) = (Arc::clone(plan), protocols::of(&plan.options));
        let run = move || match self {
            Self::Fast => known.fast(plan, record),
            #[cfg(madsim)]
            Self::Madsim => known.madsim(plan, record),
            #[cfg(not(madsim))]
            Self::Madsim => panic!("this build has no madsim engine"),
        };
        catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
            let message = payload
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "a panic without a message".to_owned());
            Panicked { message }
        })
    }
}
