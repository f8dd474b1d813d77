//! The actions of `Lease.tla`, and their labels in a pair of actors.

use core::fmt;

use super::pair::Side;
use crate::contract::LabelSet;

/// One action of `Lease.tla`. A record of a run bears at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The store names a new owner.
    Grant,
    /// The resource accepts an operation.
    Accept,
    /// The resource accepted an operation of somebody whom the run does not follow.
    Elsewhere,
    /// An actor begins to work as primary.
    StepUp,
    /// An actor stops, or crashes.
    StepDown,
    /// The row is lost or given up.
    Leave,
    /// Nothing of an incarnation is left.
    Retire,
    /// A pause begins, or a clock leaves its bound.
    Doubt,
    /// The disturbance and the error it excused are over.
    Trust,
}

impl Action {
    /// Every action, in the order of their indices.
    pub const ALL: [Self; 9] = [
        Self::Grant,
        Self::Accept,
        Self::Elsewhere,
        Self::StepUp,
        Self::StepDown,
        Self::Leave,
        Self::Retire,
        Self::Doubt,
        Self::Trust,
    ];

    /// The name in TLA+, traces and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grant => "Grant",
            Self::Accept => "Accept",
            Self::Elsewhere => "Elsewhere",
            Self::StepUp => "StepUp",
            Self::StepDown => "StepDown",
            Self::Leave => "Leave",
            Self::Retire => "Retire",
            Self::Doubt => "Doubt",
            Self::Trust => "Trust",
        }
    }

    /// The place in [`Action::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether the action has an actor as its parameter in TLA+.
    #[must_use]
    pub const fn has_actor(self) -> bool {
        !matches!(self, Self::Elsewhere | Self::Leave)
    }

    /// The label of the action, taken by the actor on `side` of a pair. [`Action::Leave`] and [`Action::Elsewhere`] have
    /// one label whatever the side.
    #[must_use]
    pub const fn label(self, side: Side) -> Labels {
        let actor = match self {
            Self::Grant => 0,
            Self::Accept => 1,
            Self::StepUp => 2,
            Self::StepDown => 3,
            Self::Retire => 4,
            Self::Doubt => 5,
            Self::Trust => 6,
            Self::Elsewhere => return Labels(1 << 14),
            Self::Leave => return Labels(1 << 15),
        };
        match side {
            Side::A => Labels(1 << actor),
            Side::B => Labels(1 << (actor + 7)),
        }
    }

    /// What the step looks like to a pair that does not include its actor, when it changes that pair at all.
    #[must_use]
    pub const fn as_seen_from_outside(self) -> Option<Self> {
        match self {
            Self::Grant | Self::Leave => Some(Self::Leave),
            Self::Accept | Self::Elsewhere => Some(Self::Elsewhere),
            Self::StepUp | Self::StepDown | Self::Retire | Self::Doubt | Self::Trust => None,
        }
    }

    /// The label of that.
    #[must_use]
    pub const fn seen_from_outside(self) -> Labels {
        match self {
            Self::Grant | Self::Leave => Self::Leave.label(Side::A),
            Self::Accept | Self::Elsewhere => Self::Elsewhere.label(Side::A),
            Self::StepUp | Self::StepDown | Self::Retire | Self::Doubt | Self::Trust => Labels::NONE,
        }
    }
}

/// A set of labels of an edge: an action with its parameter, such as `Grant(a)`.
///
/// Shape: sixteen bits. Seven actions of actor a, the same seven of actor b, `Elsewhere`, `Leave`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(u16);

impl Labels {
    /// No label.
    pub const NONE: Self = Self(0);

    /// The labels without an actor.
    const WITHOUT_ACTOR: Self = Self(0b1100_0000_0000_0000);

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is a label in both sets.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no label is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many labels are in the set.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The same labels after the actors changed sides.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        let of_a = self.0 & 0x7f;
        let of_b = (self.0 >> 7) & 0x7f;
        Self((self.0 & Self::WITHOUT_ACTOR.0) | (of_a << 7) | of_b)
    }

    /// Each label that exists, as (action, side). The side of `Elsewhere` and `Leave` is [`Side::A`].
    pub fn each() -> impl Iterator<Item = (Action, Side)> {
        Action::ALL.into_iter().flat_map(|action| {
            let sides: &'static [Side] = if action.has_actor() { &[Side::A, Side::B] } else { &[Side::A] };
            sides.iter().map(move |side| (action, *side))
        })
    }

    /// Reads one label, as [`Labels`] prints it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::each().map(|(action, side)| action.label(side)).find(|label| label.is_written_as(text))
    }

    fn is_written_as(self, text: &str) -> bool {
        Self::each().any(|(action, side)| {
            action.label(side) == self
                && match text.strip_prefix(action.name()) {
                    Some("") => !action.has_actor(),
                    Some("(a)") => action.has_actor() && side == Side::A,
                    Some("(b)") => action.has_actor() && side == Side::B,
                    _ => false,
                }
        })
    }
}

impl LabelSet for Labels {
    const NONE: Self = Self::NONE;
    /// Those of actor a, and those without an actor.
    const CANONICAL: Self = Self(0b1100_0000_0111_1111);
    const UNSIDED: Self = Self::WITHOUT_ACTOR;

    #[inline]
    fn bits(self) -> u32 {
        self.0.into()
    }

    #[inline]
    fn with(self, other: Self) -> Self {
        self.with(other)
    }

    #[inline]
    fn within(self, other: Self) -> Self {
        self.within(other)
    }

    fn mirrored(self) -> Self {
        self.mirrored()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn singles() -> impl Iterator<Item = Self> {
        Self::each().map(|(action, side)| action.label(side))
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (action, side) in Self::each() {
            if self.meets(action.label(side)) {
                write!(f, "{separator}{}", action.name())?;
                if action.has_actor() {
                    write!(f, "({side})")?;
                }
                separator = ",";
            }
        }
        Ok(())
    }
}
