//! Which edges and actions of a contract the runs have taken.

use core::fmt;

use crate::context::{ContextAction, ContextContract};
use crate::contract::{Contract, Edge, LabelSet, Subject};
use crate::job::{JobAction, JobContract};
use crate::landmark::Landmark;
use crate::lease::{Action, LeaseContract};

/// The contracts that runs are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ContractName {
    /// `Lease.tla`, of the election.
    Lease,
    /// `Context.tla`, of the routing.
    Context,
    /// `Job.tla`, of the distribution.
    Job,
}

/// What has been visited of a strict contract, in one run or in many.
///
/// A step is an edge with one of its labels. Where actors are interchangeable, a step and its mirror image are one.
/// Shape: one set of labels, as bits, for each edge; one counter for each action, in the order of the actions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coverage {
    contract: ContractName,
    visited: Vec<u32>,
    actions: Vec<u64>,
    total: u32,
}

/// A step of a strict contract, as its table writes it. Of a step and its mirror image, one is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Taken {
    /// The action, with its parameter.
    pub label: String,
    /// The state before it.
    pub from: String,
    /// The state after it.
    pub to: String,
}

/// How much of something finite was visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// How many were.
    pub visited: u32,
    /// How many there are.
    pub total: u32,
}

impl ContractName {
    /// The name of the TLA+ module.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lease => "Lease",
            Self::Context => "Context",
            Self::Job => "Job",
        }
    }

    /// The names of its actions, in their order.
    pub fn actions(self) -> impl ExactSizeIterator<Item = &'static str> {
        let (count, name): (usize, fn(usize) -> &'static str) = match self {
            Self::Lease => (Action::ALL.len(), |at| Action::ALL[at].name()),
            Self::Context => (ContextAction::ALL.len(), |at| ContextAction::ALL[at].name()),
            Self::Job => (JobAction::ALL.len(), |at| JobAction::ALL[at].name()),
        };
        (0..count).map(name)
    }

    /// Actions that no run tells, because nobody can see them happen: that the owner of a job is heard of again before
    /// anybody found its session over.
    #[must_use]
    pub const fn unseen(self) -> &'static [&'static str] {
        match self {
            Self::Lease | Self::Context => &[],
            Self::Job => &["Renew"],
        }
    }

    /// How many edges and how many steps its strict table has.
    fn size(self) -> (usize, u32) {
        fn of<S: Subject>(table: &Contract<S>) -> (usize, u32) {
            (table.edge_count(), table.step_count())
        }
        match self {
            Self::Lease => of(LeaseContract::strict()),
            Self::Context => of(ContextContract::strict()),
            Self::Job => of(JobContract::strict()),
        }
    }
}

impl fmt::Display for ContractName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Coverage {
    /// Nothing visited yet.
    #[must_use]
    pub fn new(contract: ContractName) -> Self {
        let (edges, total) = contract.size();
        Self { contract, visited: vec![0; edges], actions: vec![0; contract.actions().len()], total }
    }

    /// Which contract it is about.
    #[must_use]
    pub const fn contract(&self) -> ContractName {
        self.contract
    }

    /// How many different steps were judged, of how many the contract has.
    #[must_use]
    pub fn edges(&self) -> Visited {
        Visited { visited: self.visited.iter().map(|labels| labels.count_ones()).sum(), total: self.total }
    }

    /// How often each action was judged, in the order of the contract's actions.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = (&'static str, u64)> + '_ {
        self.contract.actions().zip(self.actions.iter().copied())
    }

    /// How often the action with this name was judged; never, if the contract has no such action.
    #[must_use]
    pub fn count(&self, action: &str) -> u64 {
        self.actions().find(|(name, _)| *name == action).map_or(0, |(_, count)| count)
    }

    /// Every step of the contract, in the order of its table, and whether it was judged.
    #[must_use]
    pub fn steps(&self) -> Vec<(Taken, bool)> {
        match self.contract {
            ContractName::Lease => self.steps_of(LeaseContract::strict()),
            ContractName::Context => self.steps_of(ContextContract::strict()),
            ContractName::Job => self.steps_of(JobContract::strict()),
        }
    }

    fn steps_of<S: Subject>(&self, contract: &Contract<S>) -> Vec<(Taken, bool)> {
        let mut steps = Vec::with_capacity(self.total as usize);
        for (at, (from, to, labels)) in contract.edges().enumerate() {
            let stands_for_both = contract.representative(at as u32) as usize == at;
            for label in S::Labels::singles().filter(|label| labels.meets(label.within(S::Labels::CANONICAL))) {
                if stands_for_both || !label.meets(S::Labels::UNSIDED) {
                    let step =
                        Taken { label: label.to_string(), from: from.state().to_string(), to: to.state().to_string() };
                    steps.push((step, self.visited[at] & label.bits() != 0));
                }
            }
        }
        steps
    }

    /// Whether it is about this contract, and has its size. One that was read from a file may not.
    #[must_use]
    pub fn fits(&self, contract: ContractName) -> bool {
        self.contract == contract
            && (self.visited.len(), self.total) == contract.size()
            && self.actions.len() == contract.actions().len()
    }

    /// Adds what other runs visited.
    ///
    /// # Panics
    /// When the other ones were judged by another contract.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.contract, other.contract, "runs of one campaign are judged by one contract");
        for (mine, theirs) in self.visited.iter_mut().zip(&other.visited) {
            *mine |= *theirs;
        }
        for (mine, theirs) in self.actions.iter_mut().zip(&other.actions) {
            *mine += theirs;
        }
    }

    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.visited.fill(0);
        self.actions.fill(0);
    }

    /// Counts an action, by its place among the contract's actions.
    #[inline]
    pub(crate) fn count_action(&mut self, index: usize) {
        self.actions[index] += 1;
    }

    /// Marks a step that bears a canonical label. Returns it if it is visited for the first time.
    #[inline]
    pub(crate) fn visit<S: Subject>(
        &mut self,
        contract: &Contract<S>,
        edge: Edge<S::Labels>,
        label: S::Labels,
    ) -> Option<Landmark> {
        let edge = if label.meets(S::Labels::UNSIDED) { contract.representative(edge.index) } else { edge.index };
        let labels = &mut self.visited[edge as usize];
        let known = *labels & label.bits() != 0;
        *labels |= label.bits();
        (!known).then_some(Landmark::edge(edge, label.bits()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_fits_its_own_contract_only() {
        for (contract, other) in [
            (ContractName::Lease, ContractName::Context),
            (ContractName::Context, ContractName::Job),
            (ContractName::Job, ContractName::Lease),
        ] {
            let coverage = Coverage::new(contract);
            assert!(coverage.fits(contract) && !coverage.fits(other));
            assert!(coverage.actions().all(|(_, count)| count == 0));
            for damaged in [
                Coverage { contract: other, ..coverage.clone() },
                Coverage { visited: vec![0], ..coverage.clone() },
                Coverage { actions: vec![0], ..coverage.clone() },
                Coverage { total: 1, ..coverage.clone() },
            ] {
                assert!(!damaged.fits(contract) && !damaged.fits(other), "{:?}", damaged.contract);
            }
        }
    }

    #[test]
    fn steps_are_as_many_as_the_contract_has() {
        for contract in [ContractName::Lease, ContractName::Context, ContractName::Job] {
            let mut coverage = Coverage::new(contract);
            let steps = coverage.steps();
            assert_eq!(steps.len(), coverage.edges().total as usize);
            assert!(steps.iter().all(|(_, visited)| !visited));
            coverage.visited.fill(u32::MAX);
            assert!(coverage.steps().iter().all(|(_, visited)| *visited));
        }
    }

    #[test]
    fn counts_are_asked_for_by_name() {
        let mut coverage = Coverage::new(ContractName::Lease);
        coverage.count_action(Action::Accept.index());
        assert_eq!((coverage.count("Accept"), coverage.count("Grant"), coverage.count("Take")), (1, 0, 0));
    }

    #[test]
    #[should_panic(expected = "one contract")]
    fn coverage_of_two_contracts_is_not_added_up() {
        Coverage::new(ContractName::Lease).merge(&Coverage::new(ContractName::Context));
    }
}
