//! The knobs of an election: sizes, times, rules and what is assumed of the world.

use crate::fault::Place;
use crate::options::{self, ClockOptions, ProtocolOptions};
use crate::plan::{Plan, PlanError, invalid};
use failproof_core::election::{Affinity, Bounds, Config, Dialect, Rules, Work};
use failproof_core::{Duration, Host, Utype};
use serde::{Deserialize, Serialize};

/// The options of an election.
///
/// [`Options::default`] is five nodes, one kind of leader, I = 1 s, T = 5 s, ten minutes, hardened rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How many nodes run candidates; at least 1, at most 2,000.
    pub nodes: u16,
    /// How many of them also run a read-only resolver.
    pub resolvers: u16,
    /// How many kinds of leader there are; each node has a candidate for each.
    pub utypes: u16,
    /// Which kind follows which, as pairs.
    pub affinity: Vec<(u16, u16)>,
    /// How long the run is, in true microseconds.
    pub time_us: u64,
    /// I.
    pub heartbeat_interval_us: Duration,
    /// T; more than twice I.
    pub heartbeat_timeout_us: Duration,
    /// The longest T that a fault may configure; at least T.
    pub longest_term_us: Duration,
    /// What is assumed; belief is owed within.
    pub bounds: Bounds,
    /// What primaries do.
    pub work: Work,
    /// Which published table decides where the rules leave it open.
    pub dialect: Dialect,
    /// The decisions.
    pub rules: Rules,
    /// Clocks that are not perfect from the start.
    #[serde(default)]
    pub clocks: Vec<ClockOptions>,
}

impl Default for Options {
    fn default() -> Self {
        let timeout = Duration::from_secs(5);
        Self {
            nodes: 5,
            resolvers: 0,
            utypes: 1,
            affinity: Vec::new(),
            time_us: 600_000_000,
            heartbeat_interval_us: Duration::from_secs(1),
            heartbeat_timeout_us: timeout,
            longest_term_us: timeout,
            bounds: Bounds {
                drift_ppm: 1_000,
                latency_us_max: Duration::from_millis(50),
                timer_late_us_max: Duration::from_millis(10),
                stop_us_max: Duration::ZERO,
                granularity_us: Duration::from_millis(1),
            },
            work: Work { every_us: Duration::from_secs(1), takes_us: Duration::from_millis(20) },
            dialect: Dialect::Sql,
            rules: Rules::hardened(),
            clocks: Vec::new(),
        }
    }
}

/// The most nodes that a run may have.
const NODES_MAX: u16 = 2_000;

impl Options {
    /// The parameters of one candidate.
    pub(crate) fn candidate(&self, utype: Utype, host: Host) -> Config {
        Config {
            utype,
            host,
            heartbeat_interval: self.heartbeat_interval_us,
            heartbeat_timeout: self.heartbeat_timeout_us,
            bounds: self.bounds,
            rules: self.rules,
            affinity: self.affinity.iter().find(|(from, _)| *from == utype.0).map(|(_, to)| Utype(*to)),
            work: self.work,
        }
    }

    /// Which kinds follow which. [`Options::check`] has seen that it can be built.
    pub(crate) fn affinity_map(&self) -> Affinity {
        let links: Vec<_> = self.affinity.iter().map(|(from, to)| (Utype(*from), Utype(*to))).collect();
        Affinity::new(&links).unwrap_or_default()
    }
}

impl From<Options> for options::Options {
    fn from(options: Options) -> Self {
        Self::Election(options)
    }
}

impl Plan {
    /// The options of an election.
    ///
    /// # Panics
    /// When it is the plan of another protocol.
    #[must_use]
    pub fn election(&self) -> &Options {
        self.options.own()
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// When it is the plan of another protocol.
    #[must_use]
    pub fn election_mut(&mut self) -> &mut Options {
        self.options.own_mut()
    }
}

impl ProtocolOptions for Options {
    crate::options::of_every_protocol!("election", Rules);

    fn set_size(&mut self, name: &str, size: u32) -> bool {
        match name {
            "nodes" => self.nodes = u16::try_from(size).unwrap_or(u16::MAX),
            "utypes" => self.utypes = u16::try_from(size).unwrap_or(u16::MAX),
            _ => return false,
        }
        true
    }

    fn sizes(&self) -> Vec<(u64, &'static str)> {
        vec![(u64::from(self.nodes), "node")]
    }

    /// Resolvers, further kinds of leader, and who follows whom.
    fn extras(&self) -> u64 {
        u64::from(self.resolvers) + u64::from(self.utypes) - 1 + self.affinity.len() as u64
    }

    fn plain(&self) -> Option<options::Options> {
        Some(Self { resolvers: 0, utypes: 1, affinity: Vec::new(), ..self.clone() }.into())
    }

    fn check(&self) -> Result<(), PlanError> {
        if self.nodes == 0 || self.nodes > NODES_MAX {
            return Err(invalid("options.nodes", format!("{} nodes; expected 1 to {NODES_MAX}", self.nodes)));
        }
        if self.resolvers > self.nodes {
            return Err(invalid("options.resolvers", "expected at most as many as nodes"));
        }
        if self.utypes == 0 || usize::from(self.utypes) > Affinity::KINDS {
            return Err(invalid("options.utypes", format!("{} kinds; expected 1 to {}", self.utypes, Affinity::KINDS)));
        }
        options::check_time(self)?;
        let actors = 2 + usize::from(self.nodes) * usize::from(self.utypes) + usize::from(self.resolvers);
        if actors > options::ACTORS_MAX {
            let most = options::ACTORS_MAX;
            return Err(invalid("options.utypes", format!("{actors} actors in all; expected at most {most}")));
        }
        options::check_spans(self, &[self.work.every_us, self.work.takes_us])?;
        let round_trip = options::round_trip(&self.bounds);
        if round_trip >= self.heartbeat_interval_us {
            let problem = format!(
                "an answer takes up to {round_trip}, and a candidate waits for it only for heartbeat_interval ({}): it \
                 might never be elected; lower the bound or raise the interval",
                self.heartbeat_interval_us
            );
            return Err(invalid("options.bounds.latency_us_max", problem));
        }
        let links: Vec<_> = self.affinity.iter().map(|(from, to)| (Utype(*from), Utype(*to))).collect();
        if links.iter().any(|(from, to)| from.0.max(to.0) >= self.utypes) {
            return Err(invalid("options.affinity", format!("names a kind beyond the {} there are", self.utypes)));
        }
        Affinity::new(&links).map_err(|error| invalid("options.affinity", error.to_string()))?;
        for utype in 0..self.utypes {
            let config = self.candidate(Utype(utype), Host(0));
            config.checked().map_err(|error| invalid("options", error.to_string()))?;
        }
        options::check_longest_term(self)?;
        options::check_clocks(self)?;
        let beyond = |clock: &&ClockOptions| matches!(clock.node, Place::Node(n) if n >= self.nodes);
        match self.clocks.iter().find(beyond) {
            Some(ClockOptions { node, .. }) => {
                Err(invalid("options.clocks", format!("names node {node}, but there are only {}", self.nodes)))
            }
            None => Ok(()),
        }
    }
}
