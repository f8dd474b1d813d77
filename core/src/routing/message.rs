//! What clients, gateways, servers and the store say to each other.

use super::haid::HaidText;
use super::view::View;
use crate::election;
use crate::id::{Epoch, Host, Utype};

/// A context, as the database numbers it from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ContextId(pub u32);

/// An alias: what a HAID names an instance by. Also the kind of leader that its holder is elected as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Alias(pub u8);

impl Alias {
    /// How many aliases there can be.
    pub const MAX: usize = 8;

    /// The alias whose holder is elected as this kind of leader.
    #[must_use]
    pub const fn of(utype: Utype) -> Self {
        Self(utype.0 as u8)
    }

    /// The kind of leader that its holder is elected as.
    #[must_use]
    pub const fn utype(self) -> Utype {
        Utype(self.0 as u16)
    }
}

/// How many keys a context holds. Each is written by one client in the order of its changes.
pub const KEYS: usize = 2;

/// What a context holds: the number of the last change of each key.
pub type Content = [u32; KEYS];

/// One request of a client; a retry is the same request with another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Request {
    /// Who asks.
    pub client: u16,
    /// The client's number for it.
    pub number: u32,
    /// What is asked.
    pub verb: Verb,
    /// Whether the client believes that the main instance is not available.
    pub avoid_main: bool,
    /// Through which gateway it came.
    pub gateway: u16,
}

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Verb {
    /// A context for a new workflow.
    Create,
    /// The HAID of a context that is known by its number only.
    Adopt {
        /// Which.
        id: ContextId,
    },
    /// Sets a key to the number of this change.
    Change {
        /// The context.
        haid: HaidText,
        /// Which key.
        key: u8,
        /// The number of the change, larger with each of this key.
        seq: u32,
    },
    /// Reads all keys.
    Read {
        /// The context.
        haid: HaidText,
    },
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Reply {
    /// Whose request it was.
    pub client: u16,
    /// Which.
    pub number: u32,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Answer {
    /// A context exists, and this is its HAID now.
    Context(Current),
    /// The change is in the row.
    Changed(Current),
    /// What the context holds.
    Value(Current, Content),
    /// The server that was asked does not own the context; this is its HAID now.
    Moved(Current),
    /// Nobody could be asked, or who was asked holds no alias now. Nothing was changed, as far as is known.
    Unavailable,
    /// The HAID, or the context it names, is refused. Nothing was changed.
    Refused,
}

/// The HAID of a context, as its row says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Current {
    /// The context.
    pub id: ContextId,
    /// Its HAID.
    pub haid: HaidText,
    /// Counts the changes of main and backup. An older HAID is accepted, and answered with this one.
    pub generation: u32,
    /// Whether main and backup are one instance.
    pub degraded: bool,
}

/// What a server asks of the context table, in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Operation {
    /// Under which alias the server acts.
    pub alias: Alias,
    /// Its machine.
    pub host: Host,
    /// The epoch in which it holds that alias.
    pub term: Epoch,
    /// The server's number for it.
    pub tag: u32,
    /// What.
    pub what: What,
}

/// The operations of the context table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum What {
    /// Inserts a row that names the asker as main.
    Create {
        /// The client's request: the idempotency key.
        request: (u16, u32),
        /// The backup.
        backup: Alias,
    },
    /// Names the asker as main of a context that has no owners.
    Adopt {
        /// Which.
        id: ContextId,
        /// The backup.
        backup: Alias,
    },
    /// Reads a row, and asks to own it.
    Load {
        /// Which.
        id: ContextId,
        /// Whether the asker believes that the main instance is gone.
        main_gone: bool,
        /// The last epoch that the asker gave up: it wants a later one, whatever becomes of what it sent before.
        after: u32,
    },
    /// Writes a change.
    Write {
        /// Which context.
        id: ContextId,
        /// The epoch of the context in which it was granted.
        epoch: u32,
        /// Which key.
        key: u8,
        /// The number of the change.
        seq: u32,
        /// All keys, as the writer's cache has them with the change.
        content: Content,
    },
    /// Hands the context over to the backup.
    Give {
        /// Which.
        id: ContextId,
        /// The epoch of the context.
        epoch: u32,
    },
    /// Names another backup where main and backup are one instance.
    Repair {
        /// Which.
        id: ContextId,
        /// The new backup.
        backup: Alias,
    },
}

/// A row as an outcome shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RowView {
    /// The context.
    pub id: ContextId,
    /// The main instance.
    pub main: Alias,
    /// The backup.
    pub backup: Alias,
    /// Raised whenever ownership is granted anew.
    pub epoch: u32,
    /// Raised whenever main or backup change.
    pub generation: u32,
    /// What it holds.
    pub content: Content,
    /// Counts the changes of the content.
    pub version: u32,
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Outcome {
    /// The operation's number.
    pub tag: u32,
    /// The epoch of the alias in which it was asked.
    pub term: Epoch,
    /// Whether it was carried out.
    pub verdict: Verdict,
    /// The row after it; `None` if there is no such context, or it has no owners.
    pub row: Option<RowView>,
}

/// Whether an operation was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Verdict {
    /// It was, now or before.
    Done,
    /// The asker does not own the context, or not in this epoch. Nothing was changed.
    NotOwner,
    /// The asker does not hold its alias. Nothing was changed.
    NotHolder,
    /// There is no such context. Nothing was changed.
    Missing,
}

/// All that travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Message {
    /// A client to a gateway, a gateway to a server.
    Request(Request),
    /// A server to a gateway, a gateway to a client.
    Reply(Reply),
    /// A client to the one that it shares its contexts with: a context that it was given.
    Share(Current),
    /// The election of alias holders: a server to the store, and back.
    Alias(election::Message),
    /// To the store: the aliases, as they stand.
    Look {
        /// The asker's number for it.
        tag: u32,
        /// Under which alias it acts, if it is a server.
        alias: Option<Alias>,
    },
    /// From the store.
    View {
        /// The number of the request.
        tag: u32,
        /// The aliases.
        view: View,
        /// A context of the asker that has one instance only, while there are several.
        degraded: Option<ContextId>,
    },
    /// A server to the store.
    Operation(Operation),
    /// From the store.
    Outcome(Outcome),
}
