//! Context routing by HAID, as the Apache Linkis Context Service describes it, and hardened.
//!
//! A HAID names the main server of a context, its backup and the context's id in one line of text. A [`Codec`] reads
//! and writes it, a [`BackupChoice`] picks the backup, and a [`ContextManager`] converts between HAIDs, which clients
//! speak, and plain ids, which the database assigns. All of them are values; time and chance are arguments.
//!
//! Source: apache/linkis, module linkis-cs-server, package `highavailable`.

mod alias;
mod backup;
mod checker;
mod codec;
mod context_id;
mod error;
mod grammar;
mod haid;
mod haid_text;
pub mod java;
mod lenient;
mod manager;
mod proxy;
mod strict;
mod tag;
#[cfg(test)]
mod tests;

pub use alias::{AliasTable, Server};
pub use backup::{BackupChoice, Instance, LeastLoaded, Tenant, TenantAware, UniformBackup, choose_backup};
pub use checker::{NotServed, Role, check_host};
pub use codec::Codec;
pub use context_id::HaContextId;
pub use error::{ErrorCode, HaidError, ManagerError};
pub use grammar::HaidGrammar;
pub use haid::Haid;
pub use haid_text::HaidText;
pub use manager::{ContextManager, HardenedManager, PublishedManager};
pub use proxy::{Argument, Returned, after_call, before_call};
pub use strict::{ALIAS_LENGTH_MAX, HAID_LENGTH_MAX, ID_LENGTH_MAX};
pub use tag::{Key, KeyError, Keyring};
