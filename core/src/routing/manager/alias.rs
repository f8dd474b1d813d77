//! Aliases: which instance each of them names, and which instances are alive.

use crate::routing::backup::{Instance, Tenant};
use crate::time::Duration;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// One live server as the registry lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address. Addresses that differ only in case are one instance.
    pub instance: String,
    /// How many contexts it serves, when that was last heard.
    pub load: u32,
    /// How long ago that was.
    pub load_age: Duration,
    /// The tenant that it serves, if only one.
    pub tenant: Option<Tenant>,
}

/// What one server knows of aliases and instances.
///
/// R2: an alias stays known as long as it is cached, also when the server that it named is gone; without the cache it is not.
/// Source: `InstanceAliasManagerImpl` and the alias converter below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AliasTable {
    /// Instances by alias, as they were read before. Never forgotten.
    pub cached: BTreeMap<String, String>,
    /// Instances by alias, as their rows say now.
    pub rows: BTreeMap<String, String>,
    /// Servers that are alive, in the order in which the registry lists them.
    pub live: Vec<Server>,
}

impl AliasTable {
    /// The instance that an alias names, alive or not.
    #[must_use]
    pub fn resolve(&self, alias: &str) -> Option<&str> {
        self.cached.get(alias).or_else(|| self.rows.get(alias)).map(String::as_str)
    }

    /// The live instance that an alias names.
    #[must_use]
    pub fn live_instance(&self, alias: &str) -> Option<&str> {
        let instance = self.resolve(alias)?;
        self.live.iter().map(|server| server.instance.as_str()).find(|live| live.eq_ignore_ascii_case(instance))
    }

    /// Whether an alias names a live instance.
    #[must_use]
    pub fn is_valid(&self, alias: &str) -> bool {
        self.live_instance(alias).is_some()
    }

    /// The alias of an instance: the first one, if several aliases name it.
    #[must_use]
    pub fn alias_of(&self, instance: &str) -> Option<&str> {
        let names_it = |(_, named): &(&String, &String)| named.eq_ignore_ascii_case(instance);
        self.rows.iter().chain(&self.cached).find(names_it).map(|(alias, _)| alias.as_str())
    }

    /// The live instances that have an alias, as a backup is chosen from them.
    #[must_use]
    pub fn view(&self) -> Vec<Instance<&str>> {
        let seen = |server: &'_ Server| {
            let &Server { load, load_age, tenant, .. } = server;
            self.alias_of(&server.instance).map(|alias| Instance { alias, load, load_age, tenant })
        };
        self.live.iter().filter_map(seen).collect()
    }
}
