//! The same world under madsim.

use crate::plan::Plan;
use crate::protocol::Protocol;
use crate::report::RunReport;
use crate::trace::Record;
use std::sync::Arc;

/// Runs `plan`, which has been checked, to its end.
#[must_use]
pub fn run<P: Protocol>(plan: Arc<Plan>, record: bool) -> (RunReport, Vec<Record>) {
    super::fast::run::<P>(plan, record)
}
