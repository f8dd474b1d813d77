//! The manifest and its modules as they were when failproof was built, for a process that runs outside the checkout.

use super::scratch;
use std::path::Path;

/// The manifest.
pub(super) const MANIFEST: &str = include_str!("../../../spec/tla/manifest.toml");

macro_rules! copies {
    ($($file:literal),* $(,)?) => {
        /// Each file below the manifest's folder, with its text.
        const FILES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../../../spec/tla/", $file)))),*];
    };
}

copies!(
    "distribution/Job.cfg",
    "distribution/Job.tla",
    "distribution/JobPermissive.cfg",
    "distribution/JobSeat.cfg",
    "distribution/JobSeat.tla",
    "distribution/LiveJob.cfg",
    "distribution/LiveJob.tla",
    "distribution/MCJob.cfg",
    "distribution/MCJob.tla",
    "distribution/MCTimedJob.cfg",
    "distribution/MCTimedJob.tla",
    "distribution/MCTimedJobHandsOver.cfg",
    "distribution/MCTimedJobPublished.cfg",
    "distribution/MCTimedJobStartsTwice.cfg",
    "distribution/MCTimedJobTakesOver.cfg",
    "distribution/TimedJob.tla",
    "election/Hpcha.cfg",
    "election/Hpcha.tla",
    "election/HpchaStops.cfg",
    "election/Lease.cfg",
    "election/Lease.tla",
    "election/LeasePermissive.cfg",
    "election/LiveHpcha.cfg",
    "election/LiveHpcha.tla",
    "election/LiveLease.cfg",
    "election/LiveLease.tla",
    "election/MCTimedLease.cfg",
    "election/MCTimedLease.tla",
    "election/MCTimedLeaseEffect.cfg",
    "election/MCTimedLeasePublished.cfg",
    "election/Pair.cfg",
    "election/Pair.tla",
    "election/TimedLease.tla",
    "routing/Context.cfg",
    "routing/Context.tla",
    "routing/ContextPermissive.cfg",
    "routing/LiveContext.cfg",
    "routing/LiveContext.tla",
    "routing/MCTimedContext.cfg",
    "routing/MCTimedContext.tla",
    "routing/MCTimedContextLong.cfg",
    "routing/MCTimedContextPublished.cfg",
    "routing/MCTimedContextReaches.cfg",
    "routing/Seat.cfg",
    "routing/Seat.tla",
    "routing/TimedContext.tla",
);

/// Writes all of them below `folder`.
pub(super) fn write_to(folder: &Path) -> Result<(), String> {
    FILES.iter().try_for_each(|(file, text)| scratch::write(&folder.join(file), text))
}
