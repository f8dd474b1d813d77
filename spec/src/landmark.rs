//! What a run reached, as guidance counts it: contract edges, refined states, and how close it came to the limit.
//!
//! A landmark is a number that means the same in every run, so that runs can be compared; a mark adds when a run came
//! there first.

/// Something that a run can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Landmark(u64);

/// A landmark, and when the run reached it first.
///
/// Units and clock: `at_us` is true time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// What was reached.
    pub landmark: Landmark,
    /// When.
    pub at_us: u64,
}

/// The landmarks of one run.
///
/// Shape: at most one mark for each landmark, the earliest one, sorted by landmark. Allocates for a landmark that is new,
/// never for one that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks(Vec<Mark>);

/// What sort of landmark it is: the uppermost byte.
const EDGE: u64 = 1 << 56;
const STATE: u64 = 2 << 56;
const CLOSENESS: u64 = 3 << 56;

impl Landmark {
    /// A step of the strict contract: an edge, of which there are less than 2^24, with one of its labels as a bit.
    pub(crate) const fn edge(index: u32, label: u32) -> Self {
        Self(EDGE | (index as u64) << 32 | label as u64)
    }

    /// A state of the refinement. `digest` is the same for states that differ only in who is who.
    pub(crate) const fn state(digest: u64) -> Self {
        Self(STATE | digest >> 8)
    }

    /// How close a run came to the limit: the power of two just above the margin.
    #[must_use]
    pub const fn closeness(margin_us: u64) -> Self {
        Self(CLOSENESS | (u64::BITS - margin_us.leading_zeros()) as u64)
    }

    /// The bin of closeness that it is, if it is one: the smaller, the closer.
    #[must_use]
    pub const fn as_closeness(self) -> Option<u32> {
        if self.0 >> 56 == CLOSENESS >> 56 { Some(self.0 as u32) } else { None }
    }
}

/// Spreads a code over all bits, for sums that do not depend on order.
pub(crate) const fn mix(code: u64) -> u64 {
    (code + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

impl Marks {
    /// Marks that `landmark` was reached at `at_us`, unless it was before.
    pub fn reach(&mut self, landmark: Landmark, at_us: u64) {
        match self.0.binary_search_by_key(&landmark, |mark| mark.landmark) {
            Ok(at) => self.0[at].at_us = self.0[at].at_us.min(at_us),
            Err(at) => self.0.insert(at, Mark { landmark, at_us }),
        }
    }

    /// Adds other marks of the same run.
    pub fn merge(&mut self, other: &Self) {
        other.iter().for_each(|mark| self.reach(mark.landmark, mark.at_us));
    }

    /// All marks, by landmark.
    pub fn iter(&self) -> impl Iterator<Item = Mark> + '_ {
        self.0.iter().copied()
    }

    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_counts_whatever_the_order() {
        let [near, far] = [Landmark::closeness(3), Landmark::closeness(3_000_000)];
        let mut marks = Marks::default();
        for (landmark, at_us) in [(far, 9), (near, 7), (far, 4), (near, 8)] {
            marks.reach(landmark, at_us);
        }
        let mut merged = Marks::default();
        merged.reach(near, 6);
        merged.merge(&marks);
        assert_eq!(
            marks.iter().collect::<Vec<_>>(),
            [Mark { landmark: near, at_us: 7 }, Mark { landmark: far, at_us: 4 }]
        );
        assert_eq!(merged.iter().map(|mark| mark.at_us).collect::<Vec<_>>(), [6, 4]);
    }

    #[test]
    fn closer_runs_have_smaller_bins_and_sorts_do_not_mix() {
        let bins = [0, 1, 900, 1_100, 5_000_000].map(|us| Landmark::closeness(us).as_closeness());
        assert!(bins.is_sorted() && bins[0] == Some(0), "{bins:?}");
        assert_eq!(Landmark::closeness(1_025), Landmark::closeness(2_047));
        assert_eq!(Landmark::state(u64::MAX).as_closeness(), None);
        assert_ne!(Landmark::edge(0, 0), Landmark::closeness(0));
    }
}
