//! The points of a ring and their owners, in order of the hash space.

use super::rules::SharedPoint;
use crate::id::Host;
use alloc::vec::Vec;

/// Shape: two lists of equal length, so that a search touches nothing but points; ordered by point, then by owner. Under
/// [`SharedPoint::LastInserted`] no point is there twice, under [`SharedPoint::LowestIdentity`] no point with its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Points {
    points: Vec<i64>,
    owners: Vec<Host>,
}

impl Points {
    /// From pairs in the order of insertion.
    pub(super) fn collect(mut pairs: Vec<(i64, Host)>, shared_point: SharedPoint) -> Self {
        match shared_point {
            SharedPoint::LastInserted => {
                // A stable sort: of pairs with one point, the last is the one inserted last.
                pairs.sort_by_key(|(point, _)| *point);
                pairs.dedup_by(|later, kept| {
                    let same = later.0 == kept.0;
                    if same {
                        kept.1 = later.1;
                    }
                    same
                });
            }
            SharedPoint::LowestIdentity => {
                pairs.sort_unstable();
                pairs.dedup();
            }
        }
        let (points, owners) = pairs.into_iter().unzip();
        Self { points, owners }
    }

    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    /// The owner of a place in the hash space: whose point comes first from there on, around the end if need be.
    pub(super) fn owner_of(&self, place: i64) -> Option<Host> {
        self.owners.get(self.first_from(place)).or(self.owners.first()).copied()
    }

    /// The number of points before `place`.
    pub(super) fn first_from(&self, place: i64) -> usize {
        self.points.partition_point(|point| *point < place)
    }

    /// The last point before `place`.
    pub(super) fn last_before(&self, place: i64) -> Option<i64> {
        self.first_from(place).checked_sub(1).map(|index| self.points[index])
    }

    /// The same with `changed` put in for `owner`, or taken out.
    ///
    /// One pass that copies what lies between two changed points as a whole. `changed` is in order, each point once.
    pub(super) fn spliced(&self, changed: &[i64], owner: Host, shared_point: SharedPoint, splice: Splice) -> Self {
        let mut result = Self::default();
        let length = self.len() + if splice == Splice::Insert { changed.len() } else { 0 };
        result.points.reserve_exact(length);
        result.owners.reserve_exact(length);
        let mut copied = 0;
        for &point in changed {
            let mut index = self.first_from(point);
            if shared_point == SharedPoint::LowestIdentity {
                while self.points.get(index) == Some(&point) && self.owners[index] < owner {
                    index += 1;
                }
            }
            result.append(self, copied, index);
            let found = self.points.get(index) == Some(&point)
                && (shared_point == SharedPoint::LastInserted || self.owners[index] == owner);
            copied = index + usize::from(found);
            if splice == Splice::Insert {
                result.points.push(point);
                result.owners.push(owner);
            }
        }
        result.append(self, copied, self.len());
        result
    }

    fn append(&mut self, other: &Self, from: usize, to: usize) {
        self.points.extend_from_slice(&other.points[from..to]);
        self.owners.extend_from_slice(&other.owners[from..to]);
    }
}

/// What becomes of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Splice {
    Insert,
    Remove,
}
