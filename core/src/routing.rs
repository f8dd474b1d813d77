//! Context routing by HAID, as the Apache Linkis Context Service describes it, and hardened.
//!
//! A HAID names the main server of a context, its backup and the context's id in one line of text. A [`Codec`] reads
//! and writes it, a [`BackupChoice`] picks the backup, and a [`ContextManager`] converts between HAIDs, which clients
//! speak, and plain ids, which the database assigns. All of them are values; time and chance are arguments.
//!
//! A [`Gateway`] takes requests of a [`Client`] to the instances that HAIDs name; a [`ContextServer`] holds its alias by
//! the election of [`crate::election`], owns contexts by their rows in the [`ContextTable`], and serves them from a cache.
//! [`Rules`] says which of the published decisions, and which of the hardened ones, apply.
//!
//! Source: apache/linkis, module linkis-cs-server, package `highavailable`.

mod alias;
mod backup;
mod binding;
mod checker;
mod client;
mod codec;
mod config;
mod context_id;
mod error;
mod gateway;
mod grammar;
mod haid;
mod haid_text;
pub mod java;
mod lenient;
mod manager;
mod message;
mod proxy;
mod rules;
mod server;
mod strict;
mod table;
mod tag;
#[cfg(test)]
mod tests;
mod view;

pub use alias::{AliasTable, Server};
pub use backup::{BackupChoice, Instance, LeastLoaded, Tenant, TenantAware, UniformBackup, choose_backup};
pub use binding::Binding;
pub use checker::{NotServed, Role, check_host};
pub use client::{Client, ClientInput};
pub use codec::Codec;
pub use config::{Adopts, ClientConfig, GatewayConfig, ServerConfig};
pub use context_id::HaContextId;
pub use error::{ErrorCode, HaidError, ManagerError};
pub use gateway::{Gateway, GatewayInput};
pub use grammar::HaidGrammar;
pub use haid::Haid;
pub use haid_text::HaidText;
pub use manager::{ContextManager, HardenedManager, PublishedManager};
pub use message::{
    Alias, Answer, Content, ContextId, Current, KEYS, Message, Operation, Outcome, Reply, Request, RowView, Verb,
    Verdict, What,
};
pub use proxy::{Argument, Returned, after_call, before_call};
pub use rules::{
    Adoption, AliasHolder, AliasLock, BackupRule, CreateKey, MainCheck, OwnerSource, Ownership, Rules, UnnamedServer,
};
pub use server::{Cached, ContextServer, ServerInput};
pub use strict::{ALIAS_LENGTH_MAX, HAID_LENGTH_MAX, ID_LENGTH_MAX};
pub use table::{Change, ContextTable, Row};
pub use tag::{Key, KeyError, Keyring};
pub use view::{AliasRow, View};

use crate::election::Event;
use crate::id::Host;

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
