//! The context table: a pure value beside the heartbeat table, which says who holds which alias.

use super::message::{Alias, Content, ContextId, KEYS, Operation, Outcome, RowView, Verdict, What};
use super::rules::{Adoption, AliasHolder, AliasLock, CreateKey, MainCheck, Ownership, Rules};
use super::view::{AliasRow, View};
use crate::election::{Claim, HeartbeatTable, Query, StoreNow};
use crate::id::{Epoch, Host, Incarnation};
use crate::time::{Duration, Instant};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// The row of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Row {
    /// Main and backup; `None` before somebody adopted it.
    pub owners: Option<(Alias, Alias)>,
    /// The term of the alias in which ownership was granted last; [`Epoch::NONE`] if it waits for a grant.
    pub holder: Epoch,
    /// Raised whenever ownership is granted anew.
    pub epoch: u32,
    /// Raised whenever main or backup change.
    pub generation: u32,
    /// What it holds.
    pub content: Content,
    /// Counts the changes of the content.
    pub version: u32,
}

/// What an operation did, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Nothing.
    None,
    /// A row appeared. Spec: `Create`.
    Created,
    /// Owners were written down for a row; `before` are those that it had. Spec: `Create`.
    Adopted {
        /// Main and backup before.
        before: Option<(Alias, Alias)>,
    },
    /// The present main was granted ownership. Spec: `Grant`.
    Granted,
    /// The owner changed; `from` was main. Spec: `Take`.
    Taken {
        /// The main before.
        from: Alias,
        /// Whether its heartbeat row had expired.
        expired: bool,
    },
    /// The content changed. Spec: `Apply`.
    Written {
        /// Whether the heartbeat row of the main had expired.
        expired: bool,
    },
    /// Main and backup changed places. Spec: `Give`.
    Given,
    /// Another backup was named. Spec: `Repair`.
    Repaired,
}

/// The rows of all contexts, and to which machine each alias belongs.
///
/// Invariant: an operation that is not carried out changes nothing; epochs, generations and versions of a row never
/// decrease; with [`Ownership::Epoch`] a write is accepted in the epoch of its writer only, and counts once.
/// Spec: `Context.tla`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ContextTable {
    #[cfg_attr(feature = "serde", serde(skip))]
    rules: Rules,
    rows: Vec<Row>,
    #[cfg_attr(feature = "serde", serde(skip))]
    /// Which row each request created.
    created: BTreeMap<(u16, u32), ContextId>,
    aliases: Vec<Named>,
    changes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Named {
    host: Option<Host>,
    load: u32,
    /// How many contexts name it as main and as backup.
    alone: u32,
}

impl ContextTable {
    /// A table for `aliases` aliases, with `unowned` contexts that have no owners yet. It holds `capacity` rows without
    /// growing.
    #[must_use]
    pub fn new(rules: Rules, aliases: usize, unowned: usize, capacity: usize) -> Self {
        let mut rows = Vec::with_capacity(capacity);
        rows.resize(unowned, Row::new());
        let created = BTreeMap::new();
        Self { rules, rows, created, aliases: vec![Named::default(); aliases], changes: 0 }
    }

    /// The decisions.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
            + self.created.len() * size_of::<((u16, u32), ContextId)>()
            + self.aliases.capacity() * size_of::<Named>()
    }

    /// The row of a context.
    #[must_use]
    pub fn row(&self, id: ContextId) -> Option<&Row> {
        self.rows.get(id.0 as usize)
    }

    /// All rows, by context.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Counts what was changed in any row.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// How many contexts name an alias.
    #[must_use]
    pub fn load(&self, alias: Alias) -> u32 {
        self.aliases.get(usize::from(alias.0)).map_or(0, |named| named.load)
    }

    /// The machine that an alias belongs to: who held it while contexts named it.
    #[must_use]
    pub fn machine_of(&self, alias: Alias) -> Option<Host> {
        self.aliases.get(usize::from(alias.0)).and_then(|named| named.host)
    }

    /// The aliases at `now`.
    #[must_use]
    pub fn view(&self, table: &HeartbeatTable, now: StoreNow) -> View {
        View::new(self.aliases.iter().enumerate().map(|(alias, named)| AliasRow {
            live: table.is_valid(Alias(alias as u8).utype(), now),
            host: table.entry(Alias(alias as u8).utype()).map_or(Host::default(), |entry| entry.host),
            load: named.load,
        }))
    }

    /// A context that names `alias` as main and as backup, while another alias is held.
    #[must_use]
    pub fn degraded(&self, alias: Alias, view: &View) -> Option<ContextId> {
        let alone = self.aliases.get(usize::from(alias.0)).is_some_and(|named| named.alone > 0);
        if !alone || !view.live().any(|(other, _)| other != alias) {
            return None;
        }
        let own = |row: &Row| row.owners == Some((alias, alias));
        self.rows.iter().position(own).map(|at| ContextId(at as u32))
    }

    /// Whether the heartbeat table may decide about a claim of an alias; if not, the claim is to be refused.
    #[must_use]
    pub fn admits(&self, claim: &Claim, table: &HeartbeatTable) -> bool {
        let lock = match (self.rules.alias_lock, table.entry(claim.utype)) {
            (AliasLock::Lease, _) | (_, None) => true,
            (AliasLock::Forever, Some(entry)) => entry.incarnation == claim.incarnation || entry.term == Duration::ZERO,
        };
        let alias = Alias::of(claim.utype);
        let machine = match self.rules.alias_holder {
            AliasHolder::Role => true,
            AliasHolder::Instance => {
                self.load(alias) == 0 || self.machine_of(alias).is_none_or(|host| host == claim.host)
            }
        };
        lock && machine
    }

    /// Takes note that the heartbeat table granted an alias to a machine.
    pub fn granted(&mut self, alias: Alias, host: Host) {
        if let Some(named) = self.aliases.get_mut(usize::from(alias.0))
            && (named.load == 0 || named.host.is_none())
        {
            named.host = Some(host);
        }
    }

    /// Carries an operation out, if it may be, and says what it did. `table` says who holds which alias at `now`.
    pub fn operate(&mut self, operation: &Operation, table: &mut HeartbeatTable, now: StoreNow) -> (Outcome, Change) {
        let holds = table
            .entry(operation.alias.utype())
            .is_some_and(|entry| entry.epoch == operation.term && table.is_valid(operation.alias.utype(), now));
        let guarded = self.rules.ownership == Ownership::Epoch;
        let (id, verdict, change) = if guarded && !holds && !matches!(operation.what, What::Write { .. }) {
            (operation.what.id(), Verdict::NotHolder, Change::None)
        } else {
            self.decide(operation, table, now)
        };
        self.changes += u64::from(change != Change::None);
        let row = id.and_then(|id| Some((id, self.row(id)?))).and_then(|(id, row)| row.show(id));
        (Outcome { tag: operation.tag, term: operation.term, verdict, row }, change)
    }

    fn decide(
        &mut self,
        operation: &Operation,
        table: &mut HeartbeatTable,
        now: StoreNow,
    ) -> (Option<ContextId>, Verdict, Change) {
        let Operation { alias, term, .. } = *operation;
        match operation.what {
            What::Create { request, backup } => {
                let known = match self.rules.create_key {
                    CreateKey::None => None,
                    CreateKey::Request => self.created.get(&request),
                };
                if let Some(id) = known {
                    return (Some(*id), Verdict::Done, Change::None);
                }
                let id = ContextId(self.rows.len() as u32);
                self.rows.push(Row::new());
                self.created.insert(request, id);
                self.name(id, alias, backup, term);
                (Some(id), Verdict::Done, Change::Created)
            }
            What::Adopt { id, backup } => {
                let Some(row) = self.row(id) else { return (Some(id), Verdict::Missing, Change::None) };
                let before = row.owners;
                if before.is_some() && self.rules.adoption == Adoption::InsertIfAbsent {
                    return (Some(id), Verdict::Done, Change::None);
                }
                self.name(id, alias, backup, term);
                (Some(id), Verdict::Done, Change::Adopted { before })
            }
            What::Load { id, main_gone, after } => {
                let (verdict, change) = self.load_row(id, (alias, term), main_gone, after, table, now);
                (Some(id), verdict, change)
            }
            What::Write { id, epoch, key, seq, content } => {
                let expired = self.main_is_over(id, table, now);
                let (verdict, change) = self.write(id, alias, epoch, (key, seq), content, expired);
                (Some(id), verdict, change)
            }
            What::Give { id, epoch } => {
                let (verdict, change) = self.give(id, alias, epoch);
                (Some(id), verdict, change)
            }
            What::Repair { id, backup } => {
                let own = self.row(id).is_some_and(|row| {
                    let granted = row.holder == term || self.rules.ownership == Ownership::LastWriter;
                    granted && row.owners == Some((alias, alias))
                });
                if own && backup != alias {
                    self.rename(id, alias, backup);
                    (Some(id), Verdict::Done, Change::Repaired)
                } else {
                    (Some(id), Verdict::NotOwner, Change::None)
                }
            }
        }
    }

    fn main_is_over(&self, id: ContextId, table: &HeartbeatTable, now: StoreNow) -> bool {
        self.row(id).and_then(|row| row.owners).is_some_and(|(main, _)| is_over(main, table, now))
    }

    fn load_row(
        &mut self,
        id: ContextId,
        (alias, term): (Alias, Epoch),
        main_gone: bool,
        after: u32,
        table: &mut HeartbeatTable,
        now: StoreNow,
    ) -> (Verdict, Change) {
        let Some(row) = self.row(id) else { return (Verdict::Missing, Change::None) };
        let Some((main, backup)) = row.owners else { return (Verdict::Missing, Change::None) };
        if self.rules.ownership == Ownership::LastWriter {
            let named = !self.rules.row_names() || alias == main || alias == backup;
            return (if named { Verdict::Done } else { Verdict::NotOwner }, Change::None);
        }
        if main == alias {
            let again = row.holder == term && row.epoch > after;
            if !again {
                self.grant(id, term);
            }
            return (Verdict::Done, if again { Change::None } else { Change::Granted });
        }
        if alias != backup && self.rules.row_names() {
            return (Verdict::NotOwner, Change::None);
        }
        let expired = is_over(main, table, now);
        let gone = match self.rules.main_check {
            MainCheck::Cache => main_gone,
            MainCheck::Transaction => ends(main, table, now),
        };
        if !gone {
            return (Verdict::NotOwner, Change::None);
        }
        self.rename(id, alias, main);
        self.grant(id, term);
        (Verdict::Done, Change::Taken { from: main, expired })
    }

    fn write(
        &mut self,
        id: ContextId,
        alias: Alias,
        epoch: u32,
        (key, seq): (u8, u32),
        content: Content,
        expired: bool,
    ) -> (Verdict, Change) {
        let Some(row) = self.rows.get_mut(id.0 as usize) else { return (Verdict::Missing, Change::None) };
        let key = usize::from(key) % KEYS;
        match self.rules.ownership {
            Ownership::LastWriter => row.content = content,
            Ownership::Epoch => {
                if row.epoch != epoch || row.owners.is_none_or(|(main, _)| main != alias) {
                    return (Verdict::NotOwner, Change::None);
                }
                // A change that is in the row already counts as done, but for the owner only: if anybody else told so, the
                // owner might go on without it, when the answer to its own write was lost.
                if row.content[key] >= seq {
                    return (Verdict::Done, Change::None);
                }
                row.content[key] = seq;
            }
        }
        row.version += 1;
        (Verdict::Done, Change::Written { expired })
    }

    fn give(&mut self, id: ContextId, alias: Alias, epoch: u32) -> (Verdict, Change) {
        let Some(row) = self.row(id) else { return (Verdict::Missing, Change::None) };
        let Some((main, backup)) = row.owners else { return (Verdict::Missing, Change::None) };
        let owns = main == alias && (self.rules.ownership == Ownership::LastWriter || row.epoch == epoch);
        if !owns || main == backup {
            return (Verdict::NotOwner, Change::None);
        }
        self.rename(id, backup, main);
        self.grant(id, Epoch::NONE);
        (Verdict::Done, Change::Given)
    }

    /// Writes first owners down.
    fn name(&mut self, id: ContextId, main: Alias, backup: Alias, term: Epoch) {
        self.rename(id, main, backup);
        if self.rules.ownership == Ownership::Epoch {
            self.grant(id, term);
        }
    }

    fn rename(&mut self, id: ContextId, main: Alias, backup: Alias) {
        let counted = self.rules.ownership == Ownership::Epoch;
        let row = &mut self.rows[id.0 as usize];
        let before = row.owners.replace((main, backup));
        row.generation += u32::from(counted);
        for (owners, more) in [(before, false), (row.owners, true)] {
            for alias in owners.into_iter().flat_map(|(main, backup)| [Some(main), (main != backup).then_some(backup)])
            {
                if let Some(named) = alias.and_then(|alias| self.aliases.get_mut(usize::from(alias.0))) {
                    named.load = if more { named.load + 1 } else { named.load - 1 };
                    let alone = u32::from(owners.is_some_and(|(main, backup)| main == backup));
                    named.alone = if more { named.alone + alone } else { named.alone - alone };
                }
            }
        }
    }

    fn grant(&mut self, id: ContextId, term: Epoch) {
        if self.rules.ownership == Ownership::Epoch {
            let row = &mut self.rows[id.0 as usize];
            row.epoch += 1;
            row.holder = term;
        }
    }
}

impl Row {
    const fn new() -> Self {
        Self { owners: None, holder: Epoch::NONE, epoch: 0, generation: 0, content: [0; KEYS], version: 0 }
    }

    /// As an outcome shows it, once it has owners.
    fn show(&self, id: ContextId) -> Option<RowView> {
        let (main, backup) = self.owners?;
        let Self { epoch, generation, content, version, .. } = *self;
        Some(RowView { id, main, backup, epoch, generation, content, version })
    }
}

impl What {
    /// The context that it is about; a creation is about none yet.
    #[must_use]
    pub const fn id(&self) -> Option<ContextId> {
        match *self {
            Self::Create { .. } => None,
            Self::Adopt { id, .. }
            | Self::Load { id, .. }
            | Self::Write { id, .. }
            | Self::Give { id, .. }
            | Self::Repair { id, .. } => Some(id),
        }
    }
}

/// Whether the term of whoever held an alias is over.
fn is_over(alias: Alias, table: &HeartbeatTable, now: StoreNow) -> bool {
    !table.is_valid(alias.utype(), now) && !table.in_grace(now)
}

/// The same for good: an entry that was found expired is never renewed, because asking is an answer.
fn ends(alias: Alias, table: &mut HeartbeatTable, now: StoreNow) -> bool {
    let query = Query { utype: alias.utype(), asker: Incarnation::default(), tag: 0, sent_at: Instant::ZERO };
    is_over(alias, table, now) && table.query(&query, now).row.incarnation.is_none()
}
