//! Which guard a refused step failed.
//!
//! The table says *that* a step is no strict edge; this module reads the two states of a seat again and says *why*, in
//! the order in which `Context.tla` writes its guards. It is asked only after the table has refused a step, so it
//! convicts nobody.

use super::action::ContextAction;
use super::seat::{SeatState, Who};
use super::state::{Cache, Write};
use crate::finding::{Charge, NO_ACTION};
use crate::property::Property;
use crate::token::Token;

/// The invariant about epochs.
pub const ONE_OWNER: Charge =
    (Property::OneOwnerPerEpoch, "in an epoch of the context, writes of one server alone are accepted");

/// The invariant about writes.
pub const NO_LOST_WRITE: Charge =
    (Property::NoLostAcknowledgedWrite, "a write that a client was told of stays in the row");

/// The invariant about reads.
const STALE_READ: Charge =
    (Property::NoStaleRead, "a read that a trusted server answers shows every acknowledged write");

/// The invariant about who serves, of reads.
const STRANGER_READS: Charge =
    (Property::OnlyNamedServersServe, "a trusted server answers only for contexts whose row names it");

/// The same, of takeovers.
const STRANGER_TAKES: Charge = (Property::OnlyNamedServersServe, "only the backup that the row names takes over");

/// The invariant about takeovers.
const HASTE: Charge =
    (Property::TakeWaitsForExpiry, "the backup takes over only after the main's heartbeat row has expired");

/// The guard about backups.
const OWN_BACKUP: Charge =
    (Property::BackupIsLeastLoaded, "the backup is one of the rest: not the main, when there is somebody else");

/// What a step does wrong, whatever was done before.
///
/// Spec: what the step adds to `wrongs` in `Context.tla`.
pub fn wrongs(action: ContextAction, before: SeatState) -> impl Iterator<Item = Charge> {
    let (read, take) = (action == ContextAction::Read && !before.doubted, action == ContextAction::Take);
    let wrongs = [
        (read && before.cache == Cache::Stale, STALE_READ),
        (read && !before.is_named(), STRANGER_READS),
        (take && !before.is_named(), STRANGER_TAKES),
        (take && !before.expired, HASTE),
    ];
    wrongs.into_iter().filter(|(done, _)| *done).map(|(_, charge)| charge)
}

/// The guard that the server failed which took the step, in its own seat.
///
/// Answers [`NO_ACTION`] when every guard that can be named holds.
#[must_use]
pub fn failed(action: ContextAction, before: SeatState, after: SeatState) -> Charge {
    let SeatState { doubted, .. } = before;
    let owns = before.is_owner();
    let charges: &[(bool, Charge)] = match action {
        ContextAction::Create => &[(
            before.main != Who::Nobody,
            (Property::OneOwnerPerEpoch, "a row that exists is not created again: its owner stays what it is"),
        )],
        ContextAction::Grant => &[(
            before.main != Who::Seat,
            (Property::OnlyNamedServersServe, "the store grants ownership only to the main that the row names"),
        )],
        ContextAction::Take => &[
            (before.backup != Who::Seat || before.main == Who::Seat, STRANGER_TAKES),
            (!before.expired, HASTE),
            (after.backup == Who::Seat, OWN_BACKUP),
        ],
        ContextAction::Give => &[
            (!owns, (Property::OneOwnerPerEpoch, "only the owner hands its context over to the backup")),
            (
                before.cache != Cache::None,
                (Property::NoStaleRead, "who hands a context over keeps nothing of it in its cache"),
            ),
        ],
        ContextAction::Repair => &[
            (!owns, (Property::OneOwnerPerEpoch, "only the owner names another backup")),
            (after.backup == Who::Seat, OWN_BACKUP),
        ],
        ContextAction::Load => &[
            (
                !doubted && !before.is_named(),
                (Property::OnlyNamedServersServe, "a server that the row does not name keeps nothing of the context"),
            ),
            (
                !doubted && !owns,
                (Property::NoStaleRead, "only the owner fills its cache: nobody tells others of later writes"),
            ),
            (
                !doubted && after.cache == Cache::Stale,
                (Property::NoStaleRead, "what a trusted owner reads from the row holds every acknowledged write"),
            ),
        ],
        ContextAction::Apply => &[
            (!owns, (Property::OneOwnerPerEpoch, "the store accepts writes only from the owner of the row's epoch")),
            (
                before.write == Write::Acked && !matches!(after.write, Write::Acked | Write::Applied),
                (Property::NoLostAcknowledgedWrite, "an accepted write covers no acknowledged one with an older state"),
            ),
        ],
        ContextAction::Ack => &[
            (
                !matches!(before.write, Write::Applied | Write::Acked),
                (Property::NoLostAcknowledgedWrite, "a client is told of a write only while it is in the row"),
            ),
            (
                after.cache == Cache::Current,
                (Property::NoStaleRead, "a server that lost ownership does not take its late answer for the newest"),
            ),
            (
                after.cache == Cache::Stale,
                (Property::NoStaleRead, "a server fills its cache with nothing that lacks the write of which it tells"),
            ),
        ],
        ContextAction::Read => {
            &[(before.cache == Cache::Stale && !doubted, STALE_READ), (!before.is_named() && !doubted, STRANGER_READS)]
        }
        ContextAction::Trust => &[(
            before.cache == Cache::Stale,
            (Property::NoStaleRead, "a server is trusted again only after it has dropped what is stale"),
        )],
        ContextAction::Forget
        | ContextAction::Doubt
        | ContextAction::Expire
        | ContextAction::Renew
        | ContextAction::Elsewhere => &[],
    };
    first(charges)
}

/// The guard that a step of somebody else failed, in the seat of one that sees it.
///
/// Answers [`NO_ACTION`] when every guard that can be named holds.
#[must_use]
pub fn failed_elsewhere(before: SeatState, after: SeatState) -> Charge {
    let renamed = before.main != after.main;
    first(&[
        (
            renamed && after.main != Who::Seat && after.token == Token::Open,
            (Property::OneOwnerPerEpoch, "a new main fences the token of the one before it"),
        ),
        (before.main == Who::Seat && after.main == Who::Other && before.backup == Who::Seat, STRANGER_TAKES),
        (before.main == Who::Seat && after.main == Who::Other && !before.expired, HASTE),
        (
            before.write == Write::Acked && matches!(after.write, Write::None | Write::Lost),
            (Property::NoLostAcknowledgedWrite, "an accepted write covers no acknowledged one with an older state"),
        ),
        (
            before.write == Write::Applied && after.write == Write::Acked && after.cache == Cache::Current,
            (Property::NoStaleRead, "a server that owns nothing keeps no cache while others acknowledge writes"),
        ),
        (
            before.wrote == Who::Seat && !before.split && after.split,
            (Property::OneOwnerPerEpoch, "the store accepts writes only from the owner of the row's epoch"),
        ),
    ])
}

fn first(charges: &[(bool, Charge)]) -> Charge {
    charges.iter().find(|(failed, _)| *failed).map_or(NO_ACTION, |(_, charge)| *charge)
}
