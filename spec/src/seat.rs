//! What contracts have in common that are judged seat by seat: one server at a time, among others.
//!
//! A seat is enough where each guard of a contract speaks about a row and the server that moves, and where the contract of
//! many servers, seen by one of them, is the contract of one. A model of each such contract shows the latter.
//!
//! | Module | Holds |
//! |---|---|
//! | [`labels`] | sets of actions, as edges of a table bear them |
//! | [`oracle`] | the oracle of all objects of a run |
//! | [`who`] | whom a row names, as one server sees it |

pub mod labels;
pub mod oracle;
pub mod who;

use core::fmt;

use crate::contract::{Contract, Subject};
use crate::coverage::ContractName;
use crate::finding::Charge;

pub use labels::SeatLabels;
pub use oracle::SeatOracle;
pub use who::Who;

/// One action of a contract that is judged seat by seat. A record of a run bears at most one.
///
/// Invariant: fewer than 32, and each one is in `ALL` at its index.
pub trait SeatAction: Copy + Eq + Ord + core::hash::Hash + fmt::Debug + 'static {
    /// Every action, in the order of their indices.
    const ALL: &'static [Self];

    /// What a step of another server looks like to one that does not take it.
    const ELSEWHERE: Self;

    /// The name in TLA+, traces and reports.
    fn name(self) -> &'static str;

    /// The place in [`SeatAction::ALL`].
    fn index(self) -> usize;

    /// Whether the action has a server as its parameter in TLA+.
    fn has_server(self) -> bool;

    /// Whether other servers may see something of it.
    fn is_seen_by_others(self) -> bool;

    /// Whether a step that changes nothing is none of this action.
    fn changes_something(self) -> bool;
}

/// A contract that is judged seat by seat: its table is about one server among others.
pub trait Seated: Subject<Labels = SeatLabels<Self::Action>> {
    /// The actions of the contract.
    type Action: SeatAction;

    /// The state of one object, as the world sees it: all servers, numbered from zero.
    type Whole: Copy + Eq + Default + fmt::Debug;

    /// The contract.
    const CONTRACT: ContractName;

    /// How many servers there can be.
    const SERVERS: usize;

    /// The contract that is owed.
    fn strict() -> &'static Contract<Self>;

    /// The contract of a broken world.
    fn permissive() -> &'static Contract<Self>;

    /// The state as the server sees it that sits at `server`.
    fn seen_by(whole: &Self::Whole, server: u8) -> Self::State;

    /// The state without what the permissive contract leaves out.
    fn unfollowed(state: Self::State) -> Self::State;

    /// A number that is the same for states that differ only in who is who.
    fn digest(whole: &Self::Whole) -> u64;

    /// Whether the action may do what no seat can tell alone, such as to name a server that is not the one that takes it.
    fn may_happen(action: Self::Action, server: Option<u8>, before: &Self::Whole, after: &Self::Whole) -> bool;

    /// The guard that the server failed which took the step, in its own seat.
    fn failed(action: Self::Action, before: Self::State, after: Self::State) -> Charge;

    /// The guard that a step of somebody else failed, in the seat of one that sees it.
    fn failed_elsewhere(before: Self::State, after: Self::State) -> Charge;

    /// What a step does wrong, whatever was done before.
    fn wrongs(action: Self::Action, before: Self::State) -> impl Iterator<Item = Charge>;

    /// The invariants that do not hold of a state, each with a server that has to do with it.
    fn invariants(whole: &Self::Whole) -> impl Iterator<Item = (Charge, Option<u8>)>;
}
