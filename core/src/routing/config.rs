//! The parameters of servers, gateways and clients.

use super::message::ContextId;
use super::rules::Rules;
use crate::election;
use crate::time::Duration;

/// The parameters of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServerConfig {
    /// Those of the election of its alias; its kind is the alias, and it needs no resource.
    pub candidate: election::Config,
    /// How many contexts it has room for from the start.
    pub contexts: usize,
    /// How long an operation is waited for.
    pub patience: Duration,
    /// The decisions.
    pub rules: Rules,
}

/// The parameters of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GatewayConfig {
    /// Its number.
    pub gateway: u16,
    /// How many servers there are.
    pub servers: u16,
    /// How often it looks at the aliases.
    pub refresh: Duration,
    /// The decisions.
    pub rules: Rules,
}

/// The parameters of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientConfig {
    /// Its number.
    pub client: u16,
    /// How many gateways there are.
    pub gateways: u16,
    /// With whom it shares its contexts, if there is anybody: then each of them writes one key, else it writes both.
    pub partner: Option<u16>,
    /// How many contexts it creates.
    pub creates: u32,
    /// The contexts without owners that it works with.
    pub adopts: Adopts,
    /// From one request to the next.
    pub every: Duration,
    /// How long an answer is waited for.
    pub patience: Duration,
}

/// Every `step`th context from `first` on, `count` of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Adopts {
    /// The first.
    pub first: u32,
    /// From one to the next.
    pub step: u32,
    /// How many.
    pub count: u32,
}

impl Adopts {
    /// The contexts.
    pub fn iter(self) -> impl Iterator<Item = ContextId> {
        (0..self.count).map(move |n| ContextId(self.first + n * self.step))
    }
}
