//! Which edges and actions of a contract the runs have taken.

use crate::action::{Action, Labels};
use crate::contract::{Contract, Edge};
use crate::landmark::Landmark;

/// What has been visited of the strict contract, in one run or in many.
///
/// A step is an edge with one of its labels. Actors are interchangeable, so a step and its mirror image are one.
/// Shape: one set of labels for each edge; one counter for each action.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coverage {
    visited: Vec<Labels>,
    actions: [u64; Action::ALL.len()],
    total: u32,
}

/// How much of something finite was visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// How many were.
    pub visited: u32,
    /// How many there are.
    pub total: u32,
}

impl Coverage {
    /// Nothing visited yet.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        Self {
            visited: vec![Labels::NONE; contract.edge_count()],
            actions: [0; Action::ALL.len()],
            total: contract.step_count(),
        }
    }

    /// How many different steps were judged, of how many the contract has.
    #[must_use]
    pub fn edges(&self) -> Visited {
        Visited { visited: self.visited.iter().map(|labels| labels.len()).sum(), total: self.total }
    }

    /// How often an action was judged.
    #[must_use]
    pub const fn count(&self, action: Action) -> u64 {
        self.actions[action.index()]
    }

    /// Whether it is about this contract. One that was read from a file may not be.
    #[must_use]
    pub fn fits(&self, contract: &Contract) -> bool {
        self.visited.len() == contract.edge_count() && self.total == contract.step_count()
    }

    /// Adds what other runs visited.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.visited.iter_mut().zip(&other.visited) {
            *mine = mine.with(*theirs);
        }
        for (mine, theirs) in self.actions.iter_mut().zip(other.actions) {
            *mine += theirs;
        }
    }

    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.visited.fill(Labels::NONE);
        self.actions.fill(0);
    }

    #[inline]
    pub(crate) fn count_action(&mut self, action: Action) {
        self.actions[action.index()] += 1;
    }

    /// Marks a step whose label is of actor a, or of nobody. Returns it if it is visited for the first time.
    #[inline]
    pub(crate) fn visit(&mut self, contract: &Contract, edge: Edge, label: Labels) -> Option<Landmark> {
        let edge = if label.meets(Labels::WITHOUT_ACTOR) { contract.representative(edge.index) } else { edge.index };
        let labels = &mut self.visited[edge as usize];
        let known = labels.meets(label);
        *labels = labels.with(label);
        (!known).then_some(Landmark::edge(edge, label))
    }
}
