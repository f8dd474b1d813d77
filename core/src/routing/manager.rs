//! The context manager: it makes context ids, and converts between plain ids and HAIDs.
//!
//! One small trait, so that there can be several. [`PublishedManager`] is the original; [`HardenedManager`] believes no
//! owner that a caller names. Around it: the aliases that one server knows, the check of whom a HAID names, ids with their
//! owners, and the proxy that converts them on their way to the database and back.

mod alias;
mod checker;
mod context_id;
mod error;
mod proxy;
#[cfg(test)]
mod tests;

pub use alias::{AliasTable, Server};
pub use checker::{NotServed, Role, check_host};
pub use context_id::HaContextId;
pub use error::ManagerError;
pub use proxy::{Argument, Returned, after_call, before_call};

use super::backup::{BackupChoice, choose_backup};
use super::haid::java::is_numeric;
use super::haid::{Codec, Haid};
use alloc::string::String;

/// What the proxy around the persistence calls asks of a context manager. No call changes the manager.
///
/// Source: `AbstractContextHAManager`, with its checker and its generator.
pub trait ContextManager {
    /// New owners for a context: this server, and a backup that is chosen with `chance`. The id is left to the database.
    ///
    /// # Errors
    /// [`ManagerError::NoMain`], [`ManagerError::NoBackup`].
    fn generate(&self, chance: u64) -> Result<HaContextId, ManagerError>;

    /// Reads a HAID that is valid on this server; `None` if it is not.
    ///
    /// # Errors
    /// [`ManagerError::Haid`] where the original ends with an exception that nobody expected.
    fn parse<'a>(&self, haid: &'a str) -> Result<Option<Haid<'a>>, ManagerError>;

    /// The HAID of owners and id, `convertHAIDToHAKey` of the original.
    ///
    /// # Errors
    /// [`ManagerError::Incomplete`], [`ManagerError::InvalidId`], [`ManagerError::Haid`].
    fn to_haid(&self, id: &HaContextId) -> Result<String, ManagerError>;

    /// Turns a plain id into a HAID, a HAID into a plain id, and completes what is incomplete: `convertProxyHAID` of
    /// the original.
    ///
    /// # Errors
    /// [`ManagerError::NullId`], [`ManagerError::InvalidId`], and those of [`Self::generate`] and [`Self::to_haid`].
    fn convert(&self, id: Option<&HaContextId>, chance: u64) -> Result<HaContextId, ManagerError>;
}

/// The original.
#[derive(Clone, Debug)]
pub struct PublishedManager<C> {
    /// Address of this server.
    pub instance: String,
    /// What it knows of aliases.
    pub aliases: AliasTable,
    /// Whether a HAID is valid only where one of its instances is this server. The original leaves it off.
    pub strict_check: bool,
    /// How it chooses a backup.
    pub choice: C,
}

impl<C> PublishedManager<C> {
    /// R2: as strict as the original can be. That main is alive does not matter; that both aliases can be resolved does.
    fn serves(&self, haid: &Haid<'_>) -> bool {
        let resolved = [haid.main, haid.backup].iter().all(|alias| self.aliases.resolve(alias).is_some());
        let is_this = |alias| self.aliases.live_instance(alias) == Some(self.instance.as_str());
        !self.strict_check || (resolved && (is_this(haid.main) || is_this(haid.backup)))
    }
}

impl<C> ContextManager for PublishedManager<C>
where
    C: for<'v> BackupChoice<&'v str>,
{
    fn generate(&self, chance: u64) -> Result<HaContextId, ManagerError> {
        generate(&self.aliases, &self.instance, &self.choice, chance)
    }

    fn parse<'a>(&self, haid: &'a str) -> Result<Option<Haid<'a>>, ManagerError> {
        if !Codec::PUBLISHED.check(haid.as_bytes())? {
            return Ok(None);
        }
        let haid = Codec::PUBLISHED.decode(haid.as_bytes())?;
        Ok(self.serves(&haid).then_some(haid))
    }

    fn to_haid(&self, id: &HaContextId) -> Result<String, ManagerError> {
        let ((main, backup), id) = id.owners().zip(id.id()).ok_or(ManagerError::Incomplete)?;
        if is_numeric(id) {
            return Ok(Codec::PUBLISHED.encode(main, backup, id)?);
        }
        // R6: what the HAID says of its owners is not compared with what the caller says.
        self.parse(id)?.ok_or(ManagerError::InvalidId)?;
        Ok(id.into())
    }

    fn convert(&self, id: Option<&HaContextId>, chance: u64) -> Result<HaContextId, ManagerError> {
        let given = id.ok_or(ManagerError::NullId)?;
        let Some(id) = given.id() else { return self.generate(chance) };
        match (is_numeric(id), given.owners().is_some()) {
            (true, true) => Ok(HaContextId { id: Some(self.to_haid(given)?), ..given.clone() }),
            // R8: whoever is asked adopts it.
            (true, false) => Ok(HaContextId { id: Some(id.into()), ..self.generate(chance)? }),
            (false, complete) => {
                let haid = self.parse(id)?.ok_or(ManagerError::InvalidId)?;
                // R6: the caller's owners win over the HAID's.
                let named = if complete { given.clone() } else { haid.into() };
                Ok(HaContextId { id: Some(haid.id.into()), ..named })
            }
        }
    }
}

/// The same with the strict grammar, and with owners that only a HAID can name.
#[derive(Clone, Debug)]
pub struct HardenedManager<C> {
    /// Address of this server.
    pub instance: String,
    /// What it knows of aliases.
    pub aliases: AliasTable,
    /// Reads and writes HAIDs, with tags if it has keys.
    pub codec: Codec,
    /// How it chooses a backup.
    pub choice: C,
}

impl<C> ContextManager for HardenedManager<C>
where
    C: for<'v> BackupChoice<&'v str>,
{
    fn generate(&self, chance: u64) -> Result<HaContextId, ManagerError> {
        generate(&self.aliases, &self.instance, &self.choice, chance)
    }

    fn parse<'a>(&self, haid: &'a str) -> Result<Option<Haid<'a>>, ManagerError> {
        let (Ok(haid), Some(host)) = (self.codec.decode(haid.as_bytes()), self.aliases.alias_of(&self.instance)) else {
            return Ok(None);
        };
        let served = check_host(&haid, host, self.aliases.is_valid(haid.main)).is_ok();
        Ok(served.then_some(haid))
    }

    fn to_haid(&self, id: &HaContextId) -> Result<String, ManagerError> {
        let ((main, backup), id) = id.owners().zip(id.id()).ok_or(ManagerError::Incomplete)?;
        Ok(self.codec.encode(main, backup, id)?)
    }

    /// A plain id without owners is nobody's to adopt (R8), and owners beside a HAID have to be its own (R6).
    fn convert(&self, id: Option<&HaContextId>, chance: u64) -> Result<HaContextId, ManagerError> {
        let given = id.ok_or(ManagerError::NullId)?;
        let Some(id) = given.id() else { return self.generate(chance) };
        if is_numeric(id) {
            return Ok(HaContextId { id: Some(self.to_haid(given)?), ..given.clone() });
        }
        let haid = self.parse(id)?.ok_or(ManagerError::InvalidId)?;
        let differs = |given: &Option<String>, named: &str| given.as_deref().is_some_and(|given| given != named);
        if differs(&given.main, haid.main) || differs(&given.backup, haid.backup) {
            return Err(ManagerError::Relabelled);
        }
        Ok(haid.into())
    }
}

/// This server as the main one, and a backup. With one server, it is its own backup (R10).
fn generate(
    aliases: &AliasTable,
    instance: &str,
    choice: &impl for<'v> BackupChoice<&'v str>,
    chance: u64,
) -> Result<HaContextId, ManagerError> {
    let main = aliases.alias_of(instance).ok_or(ManagerError::NoMain)?;
    let view = aliases.view();
    let backup = choose_backup(choice, main, &view, chance).map_or(main, |backup| backup.alias);
    Ok(HaContextId { main: Some(main.into()), backup: Some(backup.into()), id: None })
}
