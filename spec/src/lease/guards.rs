//! Which guard a refused step failed.
//!
//! The table says *that* a step is no strict edge; this module reads the two states again and says *why*, in the order
//! in which `Lease.tla` writes its guards. It is asked only after the table has refused a step, so it convicts nobody.

use super::action::Action;
use super::pair::{PairState, Side};
use crate::finding::{Charge, NO_ACTION};
use crate::property::Property;
use crate::token::Token;

/// The invariant about belief.
pub const AT_MOST_ONE: Charge =
    (Property::AtMostOneWorkingPrimary, "at most one actor that is trusted works as primary");

/// The invariant about effect.
pub const NO_STALE: Charge =
    (Property::NoStaleEffect, "no operation of an older epoch is accepted after one of a newer epoch");

/// The invariant about sealing.
pub const SEALED: Charge =
    (Property::SealedBeforeWork, "while a trusted owner works, no token of another actor is open");

/// The guard that the actor on [`Side::A`] failed, or the outsider when the step was seen from outside.
///
/// Answers [`NO_ACTION`] when every guard that can be named holds.
#[must_use]
pub fn failed(action: Action, outside: bool, before: PairState, after: PairState) -> Charge {
    let [works, _] = before.works;
    let [doubted, _] = before.doubted;
    let rival_works = before.works[1] && !before.doubted[1];
    let is_owner = before.owner == Some(Side::A);
    let fenced = |side: Side| before.token[side as usize] == Token::Open && after.token[side as usize] == Token::Fenced;
    let owner_fenced = before.owner.is_some_and(fenced);
    let charges: &[(bool, Charge)] = match (outside, action) {
        (true, _) => &[(
            owner_fenced,
            (
                Property::GrantIsNewest,
                "an operation of somebody else does not fence the owner: the owner has the newest epoch",
            ),
        )],
        (false, Action::Grant) => &[
            (works, (Property::GrantWaitsForRivals, "who is granted the lease does not work already")),
            (
                rival_works,
                (Property::GrantWaitsForRivals, "the store names a new owner only while no trusted rival works"),
            ),
            (
                after.token[0] != Token::Open,
                (Property::GrantIsNewest, "the granted epoch is above all that the resource has seen"),
            ),
        ],
        (false, Action::Accept) => &[
            (
                before.token[0] == Token::Fenced,
                (Property::NoStaleEffect, "the resource refuses an operation whose epoch is fenced"),
            ),
            (
                before.token[0] == Token::None,
                (Property::OnlyPrimariesIssue, "an operation bears an epoch that was granted to its sender"),
            ),
            (
                is_owner && after.token[1] == Token::Open,
                (Property::SealedBeforeWork, "an accepted operation of the owner fences every other token"),
            ),
            (
                owner_fenced,
                (
                    Property::GrantIsNewest,
                    "an operation of a rival does not fence the owner: the owner has the newest epoch",
                ),
            ),
        ],
        (false, Action::StepUp) => &[
            (doubted, (Property::OnlyOwnersStepUp, "a doubted actor errs only about a lease that it once held")),
            (!is_owner, (Property::OnlyOwnersStepUp, "only the owner that the store names steps up")),
            (before.token[0] != Token::Open, (Property::OnlyOwnersStepUp, "the owner steps up with an open token")),
            (rival_works, (Property::AtMostOneWorkingPrimary, "the owner steps up only while no trusted rival works")),
            (
                before.token[1] == Token::Open,
                (Property::SealedBeforeWork, "the owner steps up only after every other token is fenced"),
            ),
        ],
        (false, Action::Trust) => &[
            (
                works && rival_works,
                (Property::AtMostOneWorkingPrimary, "who works is trusted again only while no trusted rival works"),
            ),
            (
                works && is_owner && before.token[1] == Token::Open,
                (
                    Property::SealedBeforeWork,
                    "an owner that works is trusted again only after every other token is fenced",
                ),
            ),
        ],
        (false, Action::Elsewhere | Action::StepDown | Action::Leave | Action::Retire | Action::Doubt) => &[],
    };
    charges.iter().find(|(holds, _)| *holds).map_or(NO_ACTION, |(_, charge)| *charge)
}
