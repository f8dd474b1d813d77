//! Which guard a refused step failed.
//!
//! The table says *that* a step is no strict edge; this module reads the two states of a seat again and says *why*, in
//! the order in which `Job.tla` writes its guards. It is asked only after the table has refused a step, so it convicts
//! nobody.

use super::action::JobAction;
use super::seat::JobSeatState;
use super::state::{JobState, JobToken, Row};
use crate::finding::{Charge, NO_ACTION};
use crate::property::Property;
use crate::seat::Who;

const STARTED_ONCE: Charge = (Property::StartedOnce, "the cluster starts a name once, and never after it was stopped");

const ONE_LIVE: Charge = (Property::AtMostOneLiveInstance, "one instance of an attempt lives");

const ONE_EXECUTOR: Charge =
    (Property::AtMostOneExecutorPerEpoch, "in an epoch of the row, one server alone calls the cluster: its owner");

const NO_STALE: Charge =
    (Property::NoStaleEffect, "no effect of an older epoch follows after the cluster saw a newer one of the job");

const QUIET: Charge =
    (Property::DoneIsQuiet, "an attempt is over only when its instance is not alive, and cannot start any more");

const WRITTEN_FIRST: Charge =
    (Property::NoLostJob, "the row tells of a start before anybody calls the cluster, or a crash loses it");

const STARTED_BEFORE_RUNNING: Charge =
    (Property::NoLostJob, "the row says running only after the cluster has started the instance");

const STOP_IS_ASKED: Charge = (Property::NoLostJob, "an instance is told to stop only after somebody asked for it");

const RESOURCES: Charge =
    (Property::StartsOnlyWithResources, "the row tells of a start only after its owner has verified the resource");

const HASTE: Charge =
    (Property::ClaimWaitsForOwner, "a row is claimed only when nobody owns it, or its owner's session is over");

const OWNER_CHANGES_ROW: Charge =
    (Property::AtMostOneExecutorPerEpoch, "only its owner changes a row, in the epoch of its claim");

const OWNER_CALLS: Charge = (
    Property::AtMostOneExecutorPerEpoch,
    "a trusted server calls the cluster only while it owns the row and its session runs",
);

/// What a step does wrong, whatever was done before.
///
/// Spec: what the step adds to `wrongs` in `Job.tla`.
pub fn wrongs(action: JobAction, before: JobSeatState) -> impl Iterator<Item = Charge> {
    let wrongs = [
        (action == JobAction::Claim && !before.is_free(), HASTE),
        (action == JobAction::Intend && !before.ready, RESOURCES),
        (action == JobAction::SendStop && !before.is_stop_asked(), STOP_IS_ASKED),
    ];
    wrongs.into_iter().filter(|(done, _)| *done).map(|(_, charge)| charge)
}

/// The invariants that do not hold of a state, each with a server that has to do with it.
///
/// Spec: the invariants of `Job.tla`, without what is in `wrongs`.
pub fn invariants(whole: &JobState) -> impl Iterator<Item = (Charge, Option<u8>)> {
    let JobState { owner, row, instance, stale, .. } = *whole;
    let over = row == Row::Over;
    let sends = whole.seats.iter().any(|seat| seat.flight != super::Flight::None);
    // One who is not the owner, where there is one; else the second one.
    let stranger = if over {
        None
    } else if let Some(owner) = owner {
        whole.executors().find(|executor| *executor != owner)
    } else {
        whole.executors().nth(1)
    };
    let broken = [
        (instance.starts > 1, STARTED_ONCE, None),
        (instance.live > 1, ONE_LIVE, None),
        (stranger.is_some(), ONE_EXECUTOR, stranger),
        (stale, NO_STALE, None),
        (over && instance.live > 0, QUIET, None),
        (sends && !whole.is_intended(), WRITTEN_FIRST, None),
        (row == Row::Running && instance.starts == 0, STARTED_BEFORE_RUNNING, None),
    ];
    broken.into_iter().filter(|(broken, ..)| *broken).map(|(_, charge, server)| (charge, server))
}

/// The guard that the server failed which took the step, in its own seat.
///
/// Answers [`NO_ACTION`] when every guard that can be named holds.
#[must_use]
pub fn failed(action: JobAction, before: JobSeatState, after: JobSeatState) -> Charge {
    let owns = before.is_owner();
    let charges: &[(bool, Charge)] = match action {
        JobAction::Claim => &[
            (!before.is_free(), HASTE),
            (after.expired, (Property::ClaimWaitsForOwner, "a row is claimed only by a server whose own session runs")),
        ],
        JobAction::Release => &[(!owns, OWNER_CHANGES_ROW)],
        JobAction::Intend => &[(!owns, OWNER_CHANGES_ROW), (!before.ready, RESOURCES)],
        JobAction::Adopt => &[(!owns, OWNER_CHANGES_ROW), (before.instance.starts == 0, STARTED_BEFORE_RUNNING)],
        JobAction::Close => &[(!owns, OWNER_CHANGES_ROW), (!before.is_quiet(), QUIET)],
        JobAction::Ask => &[(
            before.token == JobToken::None,
            (Property::AtMostOneExecutorPerEpoch, "a server asks the cluster only after it claimed the row"),
        )],
        JobAction::Land => &[
            (before.token == JobToken::Fenced && before.instance != after.instance, NO_STALE),
            (is_started_again(before, after), STARTED_ONCE),
        ],
        JobAction::SendStart => &[(!before.may_call(), OWNER_CALLS), (!before.is_intended(), WRITTEN_FIRST)],
        JobAction::SendStop => &[
            (!before.may_call() && before.row != Row::Over, OWNER_CALLS),
            (!before.is_intended(), WRITTEN_FIRST),
            (!before.is_stop_asked(), STOP_IS_ASKED),
        ],
        JobAction::Fetch
        | JobAction::Doubt
        | JobAction::Trust
        | JobAction::Expire
        | JobAction::Renew
        | JobAction::Cancel
        | JobAction::Exit
        | JobAction::Elsewhere => &[],
    };
    first(charges)
}

/// The guard that a step of somebody else failed, in the seat of one that sees it.
///
/// Answers [`NO_ACTION`] when every guard that can be named holds.
#[must_use]
pub fn failed_elsewhere(before: JobSeatState, after: JobSeatState) -> Charge {
    let claimed = before.owner != after.owner && after.owner == Who::Other;
    first(&[
        (!before.stale && after.stale, NO_STALE),
        (is_started_again(before, after), STARTED_ONCE),
        (claimed && !before.is_free(), HASTE),
        (
            claimed && after.token == JobToken::Current,
            (Property::AtMostOneExecutorPerEpoch, "a claim brings a new epoch, in which no former owner acts"),
        ),
        (before.instance != after.instance && !before.is_intended(), WRITTEN_FIRST),
        (before.row != Row::Over && after.row == Row::Over && !before.is_quiet(), QUIET),
        (
            before.row != Row::Running && after.row == Row::Running && before.instance.starts == 0,
            STARTED_BEFORE_RUNNING,
        ),
    ])
}

/// The cluster starts a name that is used up.
const fn is_started_again(before: JobSeatState, after: JobSeatState) -> bool {
    before.instance.used && after.instance.starts > before.instance.starts
}

fn first(charges: &[(bool, Charge)]) -> Charge {
    charges.iter().find(|(failed, _)| *failed).map_or(NO_ACTION, |(_, charge)| *charge)
}
