//! What a run of a campaign is called: by its seed, or, if guidance added it, by its block and its number there.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// How many seeds make a block. Guidance never looks beyond one, so blocks can be run anywhere.
pub const BLOCK: u64 = 1_000;

/// How many children follow each seed of a guided campaign. A child is some ten times as cheap, so together they take
/// some three times as long. Fewer find defects later, more find them no sooner.
pub const CHILDREN: u64 = 32;

/// One run of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RunId {
    /// A plan drawn from this seed: `17`.
    Seed(u64),
    /// A plan that guidance made from others: `0.17`.
    Child(ChildId),
}

/// The number of a child within its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChildId {
    /// Seeds `1000 * block` and the 999 after it make up the block.
    pub block: u64,
    /// Counts the children of a block, from 0.
    pub k: u32,
}

/// The block that a seed belongs to.
#[must_use]
pub const fn block_of(seed: u64) -> u64 {
    seed / BLOCK
}

/// The seeds of a block that lie within `seeds`.
#[must_use]
pub fn seeds_of(block: u64, seeds: &Range<u64>) -> Range<u64> {
    let first = block.saturating_mul(BLOCK);
    seeds.start.max(first)..seeds.end.min(first.saturating_add(BLOCK))
}

impl RunId {
    /// `seed 17`, `child 0.17`.
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Seed(seed) => format!("seed {seed}"),
            Self::Child(child) => format!("child {child}"),
        }
    }
}

/// Block by block; within one, each seed is followed by its children.
impl Ord for RunId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let place = |run: &Self| match *run {
            Self::Seed(seed) => (block_of(seed), seed % BLOCK, 0),
            Self::Child(ChildId { block, k }) => (block, u64::from(k) / CHILDREN, 1 + u64::from(k) % CHILDREN),
        };
        place(self).cmp(&place(other))
    }
}

impl PartialOrd for RunId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(seed) => write!(f, "{seed}"),
            Self::Child(child) => write!(f, "{child}"),
        }
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.block, self.k)
    }
}

impl FromStr for ChildId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('.').and_then(|(block, k)| Some((block.parse().ok()?, k.parse().ok()?)));
        let (block, k) = parts.ok_or_else(|| format!("`{text}` is no child; expected block.k, such as 0.17"))?;
        Ok(Self { block, k })
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(seed) => Ok(Self::Seed(seed)),
            Err(_) => {
                text.parse().map(Self::Child).map_err(|_| format!("`{text}` is no run; expected a seed or block.k"))
            }
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for ChildId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.to_string()
    }
}

impl From<ChildId> for String {
    fn from(child: ChildId) -> Self {
        child.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_ordered_by_block() {
        let names = ["0", "0.0", "0.31", "1", "0.32", "7", "999", "0.31999", "1000", "1.0", "2000"];
        let runs = names.map(|name| name.parse::<RunId>().unwrap());
        assert!(runs.is_sorted());
        assert_eq!(runs.map(|run| run.to_string()), names);
        assert!("1.".parse::<RunId>().is_err() && "x".parse::<RunId>().is_err());
    }

    #[test]
    fn blocks_lie_side_by_side() {
        let seeds = 1_500..3_200;
        let parts: Vec<_> =
            (block_of(seeds.start)..=block_of(seeds.end - 1)).map(|block| seeds_of(block, &seeds)).collect();
        assert_eq!(parts, [1_500..2_000, 2_000..3_000, 3_000..3_200]);
        assert_eq!(seeds_of(u64::MAX / BLOCK, &(0..u64::MAX)).end, u64::MAX);
        assert!(seeds_of(u64::MAX / BLOCK + 1, &(0..u64::MAX)).is_empty());
    }
}
