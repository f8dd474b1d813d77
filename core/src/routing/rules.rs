//! Every decision that separates published context routing from the hardened one, as data.
//!
//! Each field of [`Rules`] is one decision and defends against one defect (R1 to R10 in `spec/defences.toml`). The first
//! variant of each enum is what the published design does.

use super::haid::HaidGrammar;
use crate::decisions::decisions;

decisions! {
    /// R1: who may change a context.
    Ownership {
        /// Whoever is asked: the last writer wins, and each server believes its own cache for ever.
        LastWriter,
        /// The owner that the context's row names, in the row's epoch: writes are compare-and-set, each change counts
        /// once, a cache is believed only within the term in which it was filled, and the owner changes only when its
        /// heartbeat row has expired, or when it hands over.
        Epoch,
    }
    /// R2: how a backup learns that the main instance is gone.
    MainCheck {
        /// From its own view of the aliases, however old; a cold view knows nobody.
        Cache,
        /// From the main's heartbeat row, in the transaction that changes the owner.
        Transaction,
    }
    /// R3: whether a server that a context does not name serves it.
    UnnamedServer {
        /// When neither main nor backup can be resolved, any server is asked, and serves.
        Serves,
        /// It refuses, and names those that the context names.
        Refuses,
    }
    /// R4: what an alias stands for.
    AliasHolder {
        /// A role, as configured on a disk image: whoever has the role when it is free takes it.
        Role,
        /// One machine: nobody else gets it while a context refers to it.
        Instance,
    }
    /// R5: when an alias whose holder died can be taken again.
    AliasLock {
        /// Never, unless its holder gave it up.
        Forever,
        /// When the term of its holder is over.
        Lease,
    }
    /// R6: which owners count.
    OwnerSource {
        /// Those that the caller's HAID names.
        Caller,
        /// Those that the context's row names.
        Row,
    }
    /// R8: what becomes of a context without owners.
    Adoption {
        /// Whichever server handles it writes itself down as main.
        Overwrite,
        /// The first one does; the others answer with what it wrote down.
        InsertIfAbsent,
    }
    /// R9: what a repeated creation makes.
    CreateKey {
        /// Another context.
        None,
        /// The same context: the request's number is written down with the row.
        Request,
    }
    /// R10: which backup a new context gets.
    BackupRule {
        /// Any of the rest. One instance is its own backup for ever.
        Random,
        /// The least loaded of the rest, ties by alias; an instance that is its own backup gets another one as soon as
        /// there is one.
        LeastLoaded,
    }
}

/// The rules of context routing: one field per defence, named as in `spec/defences.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Rules {
    /// R1: who may change a context.
    pub ownership: Ownership,
    /// R2: how a backup learns that the main instance is gone.
    pub main_check: MainCheck,
    /// R3: whether a server that a context does not name serves it.
    pub unnamed_server: UnnamedServer,
    /// R4: what an alias stands for.
    pub alias_holder: AliasHolder,
    /// R5: when an alias whose holder died can be taken again.
    pub alias_lock: AliasLock,
    /// R6: which owners count.
    pub owner_source: OwnerSource,
    /// R7: which HAIDs are accepted.
    pub haid_grammar: HaidGrammar,
    /// R8: what becomes of a context without owners.
    pub adoption: Adoption,
    /// R9: what a repeated creation makes.
    pub create_key: CreateKey,
    /// R10: which backup a new context gets.
    pub backup_choice: BackupRule,
}

impl Rules {
    /// The design as published, and where its text is silent, what the original code does.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            ownership: Ownership::LastWriter,
            main_check: MainCheck::Cache,
            unnamed_server: UnnamedServer::Serves,
            alias_holder: AliasHolder::Role,
            alias_lock: AliasLock::Forever,
            owner_source: OwnerSource::Caller,
            haid_grammar: HaidGrammar::Lenient,
            adoption: Adoption::Overwrite,
            create_key: CreateKey::None,
            backup_choice: BackupRule::Random,
        }
    }

    /// The same protocol with every defence on.
    #[must_use]
    pub const fn hardened() -> Self {
        Self {
            ownership: Ownership::Epoch,
            main_check: MainCheck::Transaction,
            unnamed_server: UnnamedServer::Refuses,
            alias_holder: AliasHolder::Instance,
            alias_lock: AliasLock::Lease,
            owner_source: OwnerSource::Row,
            haid_grammar: HaidGrammar::Strict,
            adoption: Adoption::InsertIfAbsent,
            create_key: CreateKey::Request,
            backup_choice: BackupRule::LeastLoaded,
        }
    }

    /// The rule sets that have names.
    pub const NAMED: [(&'static str, Self); 2] = [("hardened", Self::hardened()), ("published", Self::published())];

    /// The name of these rules; `custom` if they have none.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, named)| *named == self).map_or("custom", |(name, _)| name)
    }

    /// Whether a server checks that a context names it.
    #[must_use]
    pub fn named_only(self) -> bool {
        self.unnamed_server == UnnamedServer::Refuses
    }

    /// Whether the row alone says whom a context names.
    #[must_use]
    pub fn row_names(self) -> bool {
        self.named_only() && self.owner_source == OwnerSource::Row
    }
}
