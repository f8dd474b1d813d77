//! The knobs of a run of context routing: sizes, times, rules and what is assumed of the world.

use super::Routing;
use crate::options::{self, ClockOptions, ProtocolOptions};
use crate::plan::{Plan, PlanError, invalid};
use crate::protocol::Protocol;
use failproof_core::election::{self, Bounds, Fencing, Work};
use failproof_core::routing::{Adopts, Alias, ClientConfig, GatewayConfig, Rules, ServerConfig};
use failproof_core::{Duration, Host, Utype};
use serde::{Deserialize, Serialize};

/// The options of context routing.
///
/// [`Options::default`] is three gateways, five servers, 20 clients and 200 contexts, I = 1 s, T = 5 s, ten minutes,
/// hardened rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How many gateways there are; at least 1, at most 64.
    pub gateways: u16,
    /// How many context servers there are, each with an alias of its own; at least 1, at most 8.
    pub servers: u16,
    /// How many clients there are; at least 1, at most 1,000.
    pub clients: u16,
    /// How many contexts there are in the end; at most 1,000,000. Two clients share it, if there are two.
    pub contexts: u32,
    /// How many of them exist from the start, without owners.
    pub unowned: u32,
    /// How long the run is, in true microseconds.
    pub time_us: u64,
    /// I: from one heartbeat of a server to the next, and from one look at the aliases to the next.
    pub heartbeat_interval_us: Duration,
    /// T of the aliases; more than twice I.
    pub heartbeat_timeout_us: Duration,
    /// The longest T that a fault may configure; at least T.
    pub longest_term_us: Duration,
    /// From one request of a client to the next.
    pub every_us: Duration,
    /// How long a client waits before it asks again.
    pub patience_us: Duration,
    /// What is assumed; belief is owed within.
    pub bounds: Bounds,
    /// The decisions.
    pub rules: Rules,
    /// Clocks that are not perfect from the start.
    #[serde(default)]
    pub clocks: Vec<ClockOptions>,
}

impl Default for Options {
    fn default() -> Self {
        let election = crate::election::Options::default();
        Self {
            gateways: 3,
            servers: 5,
            clients: 20,
            contexts: 200,
            unowned: 0,
            time_us: election.time_us,
            heartbeat_interval_us: election.heartbeat_interval_us,
            heartbeat_timeout_us: election.heartbeat_timeout_us,
            longest_term_us: election.longest_term_us,
            every_us: Duration::from_secs(1),
            patience_us: Duration::from_secs(1),
            bounds: election.bounds,
            rules: Rules::hardened(),
            clocks: Vec::new(),
        }
    }
}

/// How many hops a request takes at most: to a gateway, a server, twice to the store and back, and home.
pub(super) const HOPS: u64 = 8;

const GATEWAYS_MAX: u32 = 64;
const CLIENTS_MAX: u32 = 1_000;
const CONTEXTS_MAX: u32 = 1_000_000;

impl Options {
    /// The rules by which aliases are held: those of the hardened election. No resource is behind an alias, so nothing
    /// is sealed; contexts have epochs of their own.
    pub(super) fn election_rules() -> election::Rules {
        election::Rules { fencing: Fencing::None, ..election::Rules::hardened() }
    }

    fn candidate(&self, alias: u16, host: u16) -> election::Config {
        election::Config {
            utype: Utype(alias),
            host: Host(host),
            heartbeat_interval: self.heartbeat_interval_us,
            heartbeat_timeout: self.heartbeat_timeout_us,
            bounds: self.bounds,
            rules: Self::election_rules(),
            affinity: None,
            work: Work { every_us: Duration::ZERO, takes_us: Duration::ZERO },
        }
    }

    /// The parameters of the server on machine `host`, which is configured for `alias`.
    pub(super) fn server(&self, alias: u16, host: u16) -> ServerConfig {
        ServerConfig {
            candidate: self.candidate(alias, host),
            contexts: self.contexts as usize,
            patience: self.patience_us,
            rules: self.rules,
        }
    }

    pub(super) const fn gateway(&self, gateway: u16) -> GatewayConfig {
        GatewayConfig { gateway, servers: self.servers, refresh: self.heartbeat_interval_us, rules: self.rules }
    }

    /// The contexts without owners are dealt out one by one, and so are those that are to be created.
    pub(super) fn client(&self, client: u16) -> ClientConfig {
        let (clients, first) = (u32::from(self.clients), u32::from(client));
        let share = |all: u32| all / clients + u32::from(first < all % clients);
        ClientConfig {
            client,
            gateways: self.gateways,
            partner: Some(client ^ 1).filter(|partner| *partner < self.clients),
            creates: share(self.contexts - self.unowned),
            adopts: Adopts { first, step: clients, count: share(self.unowned) },
            every: self.every_us,
            patience: self.patience_us,
        }
    }
}

impl From<Options> for crate::options::Options {
    fn from(options: Options) -> Self {
        Self::Routing(options)
    }
}

impl Plan {
    /// The options of context routing.
    ///
    /// # Panics
    /// When it is the plan of another protocol.
    #[must_use]
    pub fn routing(&self) -> &Options {
        self.options.own()
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// When it is the plan of another protocol.
    #[must_use]
    pub fn routing_mut(&mut self) -> &mut Options {
        self.options.own_mut()
    }
}

impl ProtocolOptions for Options {
    crate::options::of_every_protocol!("routing", Rules);

    fn set_size(&mut self, name: &str, size: u32) -> bool {
        let short = u16::try_from(size).unwrap_or(u16::MAX);
        match name {
            "gateways" => self.gateways = short,
            "servers" => self.servers = short,
            "clients" => self.clients = short,
            "contexts" => self.contexts = size,
            _ => return false,
        }
        true
    }

    fn sizes(&self) -> Vec<(u64, &'static str)> {
        vec![
            (self.gateways.into(), "gateway"),
            (self.servers.into(), "server"),
            (self.clients.into(), "client"),
            (self.contexts.into(), "context"),
        ]
    }

    fn check(&self) -> Result<(), PlanError> {
        let sizes = [
            ("options.gateways", self.gateways.into(), 1, GATEWAYS_MAX),
            ("options.servers", self.servers.into(), 1, Alias::MAX as u32),
            ("options.clients", self.clients.into(), 1, CLIENTS_MAX),
            ("options.contexts", self.contexts, 1, CONTEXTS_MAX),
            ("options.unowned", self.unowned, 0, self.contexts),
        ];
        for (field, size, least, most) in sizes {
            if !(least..=most).contains(&size) {
                return Err(invalid(field, format!("{size}; expected {least} to {most}")));
            }
        }
        options::check_time(self)?;
        options::check_spans(self, &[self.every_us, self.patience_us])?;
        let path = self.bounds.fastest(self.bounds.latency_us_max.times(HOPS));
        if path >= self.patience_us {
            let problem = format!(
                "a request takes up to {path}, and a client waits for it only for {}: it might never be answered; \
                 lower options.bounds.latency_us_max or wait longer",
                self.patience_us
            );
            return Err(invalid("options.patience_us", problem));
        }
        for alias in 0..self.servers {
            self.candidate(alias, 0).checked().map_err(|error| invalid("options", error.to_string()))?;
        }
        options::check_longest_term(self)?;
        options::check_clocks(self)?;
        let places = Routing::places(self);
        match self.clocks.iter().find(|clock| !places.contains(&clock.node)) {
            Some(ClockOptions { node, .. }) => {
                Err(invalid("options.clocks", format!("names {node}, which is no place")))
            }
            None => Ok(()),
        }
    }
}
