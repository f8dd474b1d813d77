//! Every decision that separates the published ring from the hardened one, as data.

use crate::decisions::decisions;

decisions! {
    /// J7: what a server's points on the ring are called before they are hashed.
    PointNames {
        /// The server's name and a decimal number: `node1` and `1x` is `node11` and `x`.
        Concatenated,
        /// The length of the server's name, the name, and a number of fixed width: no two points have one name.
        LengthPrefixed,
    }
    /// J7: whose a point is that two servers have.
    SharedPoint {
        /// Whoever was inserted last has it, and whoever leaves first takes it along.
        LastInserted,
        /// Both have it, and the lower identity comes first.
        LowestIdentity,
    }
}

/// The rules of a ring: one field per decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct RingRules {
    /// What a server's points are called.
    pub point_names: PointNames,
    /// Whose a point is that two servers have.
    pub shared_point: SharedPoint,
}

impl RingRules {
    /// What the original does.
    #[must_use]
    pub const fn published() -> Self {
        Self { point_names: PointNames::Concatenated, shared_point: SharedPoint::LastInserted }
    }

    /// The owners are a function of the members, whoever came first.
    #[must_use]
    pub const fn hardened() -> Self {
        Self { point_names: PointNames::LengthPrefixed, shared_point: SharedPoint::LowestIdentity }
    }
}
