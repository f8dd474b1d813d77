//! Context routing by HAID, as the Apache Linkis Context Service describes it, and hardened.
//!
//! A HAID names the main server of a context, its backup and the context's id in one line of text. There are three groups,
//! all of them values, to which time and chance are arguments:
//!
//! - `haid`, the text. A [`Codec`] reads and writes a [`Haid`] by the published or by the strict grammar.
//! - `manager`, the components of a server as the original cuts them. A [`ContextManager`] converts between HAIDs, which
//!   clients speak, and plain ids, which the database assigns, by what an [`AliasTable`] knows.
//! - The machines that are simulated. A [`Gateway`] takes requests of a [`Client`] to the instances that HAIDs name; a
//!   [`ContextServer`] holds its alias by the election of [`crate::election`], owns contexts by their rows in the
//!   [`ContextTable`], and serves them from a cache. A [`Binding`] is a HAID in the numbers that machines use, a [`View`]
//!   what they know of the aliases. [`Rules`] says which of the published decisions, and which of the hardened ones, apply.
//!
//! The managers and the machines choose backups alike: by a [`BackupChoice`].
//!
//! Source: apache/linkis, module linkis-cs-server, package `highavailable`.

mod backup;
mod binding;
mod client;
mod config;
mod gateway;
mod haid;
mod manager;
mod message;
mod rules;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod view;

pub use backup::{BackupChoice, Instance, LeastLoaded, Tenant, TenantAware, UniformBackup, choose_backup};
pub use binding::Binding;
pub use client::{Client, ClientInput};
pub use config::{Adopts, ClientConfig, GatewayConfig, ServerConfig};
pub use gateway::{Gateway, GatewayInput};
pub use haid::{
    ALIAS_LENGTH_MAX, Codec, ErrorCode, HAID_LENGTH_MAX, Haid, HaidError, HaidGrammar, HaidText, ID_LENGTH_MAX, Key,
    KeyError, Keyring, java,
};
pub use manager::{
    AliasTable, Argument, ContextManager, HaContextId, HardenedManager, ManagerError, NotServed, PublishedManager,
    Returned, Role, Server, after_call, before_call, check_host,
};
pub use message::{
    Alias, Answer, Content, ContextId, Current, KEYS, Message, Operation, Outcome, Reply, Request, RowView, Verb,
    Verdict, What,
};
pub use rules::{
    Adoption, AliasHolder, AliasLock, BackupRule, CreateKey, MainCheck, OwnerSource, Ownership, Rules, UnnamedServer,
};
pub use server::{Cached, ContextServer, ServerInput};
pub use table::{Change, ContextTable, Row};
pub use view::{AliasRow, View};

use crate::election::Event;
use crate::id::Host;

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The database: heartbeat table and context table.
    Store,
    /// The server on this machine.
    Server(Host),
    /// The gateway with this number.
    Gateway(u16),
    /// The client with this number.
    Client(u16),
    /// Whoever asked: how the store answers.
    Asker,
}

/// What a machine asks of its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Send a message now.
    Send(Target, Message),
    /// Tell what became of the alias.
    Event(Event),
    /// Tell that a backup was chosen.
    Chose {
        /// The backup.
        backup: Alias,
        /// The view that was used.
        view: View,
    },
}
