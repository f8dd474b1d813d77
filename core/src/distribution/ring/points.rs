//! The points of a ring and their owners, in order of the hash space.

use super::rules::SharedPoint;
use crate::id::Host;
use alloc::vec::Vec;

/// How many points an average bucket holds at least, as a power of two.
const BUCKET_BITS: u32 = 3;

/// Shape: two lists of equal length, so that a search touches nothing but points; ordered by point, then by owner. Under
/// [`SharedPoint::LastInserted`] no point is there twice, under [`SharedPoint::LowestIdentity`] no point with its owner.
///
/// Hashes are spread evenly, so the first bits of a place almost tell the index of its point: buckets of about ten points
/// are searched instead of all. A million points lie in many pages of memory, and a search through all of them waits for one
/// after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Points {
    points: Vec<i64>,
    owners: Vec<Host>,
    /// Where each bucket starts in the two lists, and at last where they end: at most one word for eight points.
    buckets: Vec<usize>,
    /// How many bits of a place lie below the number of its bucket.
    shift: u32,
}

impl Default for Points {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new())
    }
}

impl Points {
    /// From lists in order.
    fn new(points: Vec<i64>, owners: Vec<Host>) -> Self {
        let bits = points.len().checked_ilog2().unwrap_or(0).saturating_sub(BUCKET_BITS).max(1);
        let shift = i64::BITS - bits;
        let count = 1 << bits;
        let mut buckets = Vec::with_capacity(count + 1);
        for (index, point) in points.iter().enumerate() {
            let bucket = bucket_of(*point, shift);
            while buckets.len() <= bucket {
                buckets.push(index);
            }
        }
        buckets.resize(count + 1, points.len());
        Self { points, owners, buckets, shift }
    }

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
        Self::new(points, owners)
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
        let bucket = bucket_of(place, self.shift);
        let (start, end) = (self.buckets[bucket], self.buckets[bucket + 1]);
        start + self.points[start..end].partition_point(|point| *point < place)
    }

    /// The last point before `place`.
    pub(super) fn last_before(&self, place: i64) -> Option<i64> {
        self.first_from(place).checked_sub(1).map(|index| self.points[index])
    }

    /// The same with points put in or taken out.
    ///
    /// One pass that copies what lies between two changed points as a whole. `changed` is in order, each point once for an
    /// owner; under [`SharedPoint::LastInserted`] there is one owner only.
    pub(super) fn spliced(&self, changed: &[(i64, Host, Splice)], shared_point: SharedPoint) -> Self {
        let length = self.len() + changed.iter().filter(|(_, _, splice)| *splice == Splice::Insert).count();
        let (mut points, mut owners) = (Vec::with_capacity(length), Vec::with_capacity(length));
        let mut copied = 0;
        for &(point, owner, splice) in changed {
            let mut index = self.first_from(point);
            if shared_point == SharedPoint::LowestIdentity {
                while self.points.get(index) == Some(&point) && self.owners[index] < owner {
                    index += 1;
                }
            }
            points.extend_from_slice(&self.points[copied..index]);
            owners.extend_from_slice(&self.owners[copied..index]);
            let found = self.points.get(index) == Some(&point)
                && (shared_point == SharedPoint::LastInserted || self.owners[index] == owner);
            copied = index + usize::from(found);
            if splice == Splice::Insert {
                points.push(point);
                owners.push(owner);
            }
        }
        points.extend_from_slice(&self.points[copied..]);
        owners.extend_from_slice(&self.owners[copied..]);
        Self::new(points, owners)
    }
}

/// The bucket of a place: its first bits, counted from the least place.
const fn bucket_of(place: i64, shift: u32) -> usize {
    ((place.cast_unsigned() ^ (1 << 63)) >> shift) as usize
}

/// What becomes of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Splice {
    Insert,
    Remove,
}
