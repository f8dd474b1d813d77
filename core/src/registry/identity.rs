//! Who is meant: services, places and starts as `Copy` integers, and the texts that they are interned from.
//!
//! The texts are joined as [`Identity`] says. The published way is ambiguous: a `|` or `:` within a name reads like a
//! separator, and an IPv6 address is all separators. The hardened way escapes them, so equal texts mean equal parts.

use super::rules::Identity;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt::Write;

/// A service, or a service with a tag: what lookups and subscriptions ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ServiceKey(pub u32);

/// A network address, without its port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Address(pub u32);

/// What an instance speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Protocol {
    /// Plain.
    #[default]
    Http,
    /// Over TLS.
    Https,
}

impl Protocol {
    /// As it stands in a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Where an instance is reached. At one place, a service has at most one instance at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Place {
    /// What it speaks.
    pub protocol: Protocol,
    /// Its address.
    pub address: Address,
    /// Its port.
    pub port: u16,
}

impl Place {
    /// The least place and the greatest.
    pub(super) const BOUNDS: (Self, Self) = (
        Self { protocol: Protocol::Http, address: Address(0), port: 0 },
        Self { protocol: Protocol::Https, address: Address(u32::MAX), port: u16::MAX },
    );
}

/// One start of an instance: chosen by the instance itself, another one each time that it starts. Not ordered: which of
/// two starts came first only the log says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct StartId(pub u64);

/// An instance of a service, as registrations, checks and deregistrations name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InstanceId {
    /// Its service.
    pub key: ServiceKey,
    /// Where it is reached.
    pub place: Place,
    /// Which of the starts at that place it is.
    pub start: StartId,
}

/// The key's text: `service`, or `service|tag`.
#[must_use]
pub fn key_text(identity: Identity, service: &str, tag: Option<&str>) -> String {
    let mut text = String::new();
    part(&mut text, identity, service);
    if let Some(tag) = tag {
        text.push('|');
        part(&mut text, identity, tag);
    }
    text
}

/// The text of a check: `service[|tag]:protocol:address:port`; hardened, `#` and the start id in hexadecimal follow.
#[must_use]
pub fn check_text(
    identity: Identity,
    key: &str,
    protocol: Protocol,
    address: &str,
    port: u16,
    start: StartId,
) -> String {
    let mut text = String::from(key);
    text.push(':');
    text.push_str(protocol.name());
    text.push(':');
    part(&mut text, identity, address);
    // Writing to a text does not fail.
    let _ = write!(text, ":{port}");
    if identity == Identity::Full {
        let _ = write!(text, "#{:x}", start.0);
    }
    text
}

fn part(text: &mut String, identity: Identity, name: &str) {
    for symbol in name.chars() {
        match symbol {
            '%' | '|' | ':' | '#' if identity == Identity::Full => {
                let _ = write!(text, "%{:02x}", u32::from(symbol));
            }
            _ => text.push(symbol),
        }
    }
}

/// Turns names into numbers, in order of arrival, and back: the border between texts and machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    identity: Identity,
    keys: BTreeMap<String, ServiceKey>,
    addresses: BTreeMap<String, Address>,
}

impl Names {
    /// Names that are joined in this way.
    #[must_use]
    pub const fn new(identity: Identity) -> Self {
        Self { identity, keys: BTreeMap::new(), addresses: BTreeMap::new() }
    }

    /// The number of a service, or of a service with a tag.
    pub fn key(&mut self, service: &str, tag: Option<&str>) -> ServiceKey {
        let next = ServiceKey(self.keys.len() as u32);
        *self.keys.entry(key_text(self.identity, service, tag)).or_insert(next)
    }

    /// The number of an address.
    pub fn address(&mut self, address: &str) -> Address {
        let next = Address(self.addresses.len() as u32);
        *self.addresses.entry(String::from(address)).or_insert(next)
    }
}
