//! Sets of actions, as the edges of a table bear them that is about one server among others.

use core::fmt;
use core::marker::PhantomData;

use super::SeatAction;
use crate::contract::LabelSet;

/// A set of labels of an edge: an action of the server `a`, such as `Take(a)`, or one without a server.
///
/// Shape: one bit for each action, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatLabels<A>(u32, PhantomData<A>);

impl<A> SeatLabels<A> {
    /// The label of the action at this index.
    #[must_use]
    pub const fn of_index(index: usize) -> Self {
        Self(1 << index, PhantomData)
    }
}

impl<A: SeatAction> SeatLabels<A> {
    /// The actions in the set, in their order.
    pub fn iter(self) -> impl Iterator<Item = A> {
        A::ALL.iter().copied().filter(move |action| self.meets(Self::of_index(action.index())))
    }
}

impl<A: SeatAction> LabelSet for SeatLabels<A> {
    const NONE: Self = Self(0, PhantomData);
    const CANONICAL: Self = Self(u32::MAX, PhantomData);
    const UNSIDED: Self = Self::NONE;

    #[inline]
    fn bits(self) -> u32 {
        self.0
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0, PhantomData)
    }

    fn within(self, other: Self) -> Self {
        Self(self.0 & other.0, PhantomData)
    }

    fn mirrored(self) -> Self {
        self
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, has_server) = text.strip_suffix("(a)").map_or((text, false), |name| (name, true));
        A::ALL
            .iter()
            .find(|action| action.name() == name && action.has_server() == has_server)
            .map(|action| Self::of_index(action.index()))
    }

    fn singles() -> impl Iterator<Item = Self> {
        A::ALL.iter().map(|action| Self::of_index(action.index()))
    }
}

impl<A: SeatAction> fmt::Display for SeatLabels<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for action in self.iter() {
            write!(f, "{separator}{}", action.name())?;
            if action.has_server() {
                f.write_str("(a)")?;
            }
            separator = ",";
        }
        Ok(())
    }
}
