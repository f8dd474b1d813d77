//! A service registry as light-controller's high availability describes it, and hardened.
//!
//! Several equal controllers append what they are asked for to one log, and each folds the whole log. All of it is
//! values, to which time is an argument:
//!
//! - An [`EventLog`] gives each [`Record`] an offset; a [`Position`] says how far somebody came, and in which epoch of
//!   it.
//! - A [`Catalog`] is the fold of the log: who is listed, and what checks came to. [`look_up`] reads it.
//! - A [`Check`] says when an instance is probed, and what follows from the outcome; its [`Health`] is in the log.
//! - A [`Subscription`] tells a subscriber what changes; the [`Cursor`] of its [`ListView`] says where to go on. A
//!   controller keeps them as [`Subscribers`].
//! - [`Rules`] says which of the published decisions, and which of the hardened ones, apply.
//!
//! Source: networknt/light-controller and its high availability design.

mod catalog;
mod check;
mod event;
mod identity;
mod log;
mod lookup;
mod position;
mod rules;
mod subscribers;
mod subscription;
#[cfg(test)]
mod tests;
mod view;

pub use catalog::{Became, Catalog, Change, Instance, Listing, Tombstone};
pub use check::{
    Check, CheckKind, CheckSpec, Failing, Failure, Health, Mode, Outcome, ScheduledStart, Step, Verdict, Witnesses,
};
pub use event::{Cause, Entry, Event, Record};
pub use identity::{Address, InstanceId, Names, Place, Protocol, ServiceKey, StartId, check_text, key_text};
pub use log::{AppendError, Appended, EventLog, PAGE_MAX, Page, ReadError};
pub use lookup::{Lookup, look_up};
pub use position::{Lineage, LogEpoch, LogId, Misplaced, Offset, Position};
pub use rules::{
    CheckOwner, CheckSource, CheckStart, CursorKind, Deltas, Expiry, Identity, Probes, Probing, Reading, Removal,
    Rules, Subscribing,
};
pub use subscribers::{SubscriberId, Subscribers};
pub use subscription::{Answer, Cursor, Reason, Subscription, Update, answer};
pub use view::{ListView, Taken};
