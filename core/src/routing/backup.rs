//! R10: who becomes the backup of a context.
//!
//! A choice is a function of the view that it is given and of one word of chance; it draws nothing and keeps nothing. Who
//! judges a choice has to judge it by the same view, since loads are known from messages and therefore old.

use crate::time::Duration;

/// Who the contexts of a server belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(pub u32);

/// One live server as the chooser sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance<A> {
    /// Its alias: a text, or whatever stands for one. Its order decides ties.
    pub alias: A,
    /// How many contexts it serves, when that was last heard.
    pub load: u32,
    /// How long ago that was, on the chooser's clock.
    pub load_age: Duration,
    /// The tenant that it serves; `None` if nobody has it to himself.
    pub tenant: Option<Tenant>,
}

/// A way to choose a backup.
///
/// Source: `BackupInstanceGenerator`, and the reserved `MultiTenantBackupInstanceGenerator`.
pub trait BackupChoice<A: Copy + Ord> {
    /// The backup among the eligible servers of the view; `None` only if no server is eligible. `chance` is uniform over
    /// all words.
    fn choose<'v>(
        &self,
        view: &'v [Instance<A>],
        eligible: &dyn Fn(&Instance<A>) -> bool,
        chance: u64,
    ) -> Option<&'v Instance<A>>;
}

/// The backup of a context whose main server is `main`: somebody else, if there is anybody else.
pub fn choose_backup<'v, A: Copy + Ord>(
    choice: &(impl BackupChoice<A> + ?Sized),
    main: A,
    view: &'v [Instance<A>],
    chance: u64,
) -> Option<&'v Instance<A>> {
    choice.choose(view, &|instance| instance.alias != main, chance)
}

/// Each with equal probability: what the original does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UniformBackup;

impl<A: Copy + Ord> BackupChoice<A> for UniformBackup {
    fn choose<'v>(
        &self,
        view: &'v [Instance<A>],
        eligible: &dyn Fn(&Instance<A>) -> bool,
        chance: u64,
    ) -> Option<&'v Instance<A>> {
        let count = view.iter().filter(|instance| eligible(instance)).count() as u128;
        // The high word of the product is below `count`.
        let index = ((u128::from(chance) * count) >> 64) as usize;
        view.iter().filter(|instance| eligible(instance)).nth(index)
    }
}

/// The one with the lowest load, ties by alias.
///
/// Loads that are older than `load_age_max` are not believed: whoever created many contexts on one old view would give all of
/// them the same backup. If all loads are too old, the choice is uniform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastLoaded {
    /// How old a load may be. A very long one believes any.
    pub load_age_max: Duration,
}

impl<A: Copy + Ord> BackupChoice<A> for LeastLoaded {
    fn choose<'v>(
        &self,
        view: &'v [Instance<A>],
        eligible: &dyn Fn(&Instance<A>) -> bool,
        chance: u64,
    ) -> Option<&'v Instance<A>> {
        view.iter()
            .filter(|instance| eligible(instance) && instance.load_age <= self.load_age_max)
            .min_by_key(|instance| (instance.load, instance.alias))
            .or_else(|| UniformBackup.choose(view, eligible, chance))
    }
}

/// Another choice, among servers that are not another tenant's as long as there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantAware<C> {
    /// Whose context it is.
    pub tenant: Tenant,
    /// How to choose among them.
    pub among: C,
}

impl<A: Copy + Ord, C: BackupChoice<A>> BackupChoice<A> for TenantAware<C> {
    fn choose<'v>(
        &self,
        view: &'v [Instance<A>],
        eligible: &dyn Fn(&Instance<A>) -> bool,
        chance: u64,
    ) -> Option<&'v Instance<A>> {
        let ours =
            |instance: &Instance<A>| eligible(instance) && instance.tenant.is_none_or(|tenant| tenant == self.tenant);
        self.among.choose(view, &ours, chance).or_else(|| self.among.choose(view, eligible, chance))
    }
}
