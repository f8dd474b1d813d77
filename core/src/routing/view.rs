//! What is known of the aliases: whether each is held, by which machine, and how much it has to do.

use super::backup::Instance;
use super::message::Alias;
use crate::id::Host;
use crate::time::Duration;

/// One alias, as the store saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AliasRow {
    /// Whether somebody held it.
    pub live: bool,
    /// The machine that held it last.
    pub host: Host,
    /// How many contexts name it, as main or as backup.
    pub load: u32,
}

/// All aliases at one moment of the store. Its age is kept by whoever uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct View {
    rows: [AliasRow; Alias::MAX],
    count: u8,
}

impl View {
    /// Nothing known.
    pub const EMPTY: Self = Self { rows: [AliasRow { live: false, host: Host(0), load: 0 }; Alias::MAX], count: 0 };

    /// A view of these aliases, from 0. Those beyond [`Alias::MAX`] are left out.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = AliasRow>) -> Self {
        let mut view = Self::default();
        for (slot, row) in view.rows.iter_mut().zip(rows) {
            *slot = row;
            view.count += 1;
        }
        view
    }

    /// The row of an alias, if it is known.
    #[must_use]
    pub fn row(&self, alias: Alias) -> Option<&AliasRow> {
        self.rows[..usize::from(self.count)].get(usize::from(alias.0))
    }

    /// Whether an alias resolves to a machine.
    #[must_use]
    pub fn resolve(&self, alias: Alias) -> Option<Host> {
        self.row(alias).filter(|row| row.live).map(|row| row.host)
    }

    /// The aliases that are held, with their rows, in their order.
    pub fn live(&self) -> impl Iterator<Item = (Alias, &AliasRow)> + Clone {
        let rows = self.rows[..usize::from(self.count)].iter().enumerate();
        rows.filter(|(_, row)| row.live).map(|(alias, row)| (Alias(alias as u8), row))
    }

    /// The aliases that are held, as a choice among them sees them; `age` is that of this view. With how many there are.
    #[must_use]
    pub fn instances(&self, age: Duration) -> ([Instance<Alias>; Alias::MAX], usize) {
        let nobody = Instance { alias: Alias(0), load: 0, load_age: age, tenant: None };
        let mut instances = [nobody; Alias::MAX];
        let mut count = 0;
        for (slot, (alias, row)) in instances.iter_mut().zip(self.live()) {
            *slot = Instance { alias, load: row.load, ..nobody };
            count += 1;
        }
        (instances, count)
    }

    /// Counts one more context for an alias: what was chosen since the view was taken is part of the view.
    pub fn count_one(&mut self, alias: Alias) {
        if let Some(row) = self.rows.get_mut(usize::from(alias.0)) {
            row.load += 1;
        }
    }
}
