//! The knobs of a run of job distribution: sizes, times, rules and what is assumed of the world.

use super::Distribution;
use crate::options::{self, ClockOptions, ProtocolOptions};
use crate::plan::{Plan, PlanError, invalid};
use crate::protocol::Protocol;
use failproof_core::distribution::resources::{self, CenterConfig, FetchConfig, Limits};
use failproof_core::distribution::{Rules, ServerConfig, SubmitterConfig, SuppliesConfig, TaskKey};
use failproof_core::election::{self, Bounds, Fencing, Work};
use failproof_core::{Duration, Host, Utype};
use serde::{Deserialize, Serialize};
use std::num::{NonZeroU8, NonZeroU32};

/// The options of job distribution.
///
/// [`Options::default`] is five servers, four submitters and 500 jobs, I = 1 s, T = 5 s, ten minutes, hardened rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How many servers there are; at least 1, at most 1,024.
    pub servers: u16,
    /// How many submitters there are: the clients; at least 1, at most 1,000.
    pub clients: u16,
    /// How many jobs are submitted in all; at most 1,000,000.
    pub jobs: u32,
    /// How many points each server has in the ring.
    pub vnodes_per_node: NonZeroU32,
    /// How long the run is, in true microseconds.
    pub time_us: u64,
    /// I: from one heartbeat of a server to the next.
    pub heartbeat_interval_us: Duration,
    /// T of the sessions; more than twice I.
    pub heartbeat_timeout_us: Duration,
    /// The longest T that a fault may configure; at least T.
    pub longest_term_us: Duration,
    /// From one job of a submitter to its next.
    pub every_us: Duration,
    /// The longest time that an instance runs.
    pub runs_us_max: Duration,
    /// How often a server looks for work, and for changes of the members.
    pub poll_us: Duration,
    /// How long the ring must have stood still before a server releases what is no longer its own.
    pub calm_us: Duration,
    /// How long it takes from the decision to call the cluster to the call.
    pub takes_us: Duration,
    /// How long servers and submitters wait before they ask again.
    pub patience_us: Duration,
    /// How many attempts an action has.
    pub attempts_max: u8,
    /// The longest resource that a job is made of, in bytes; at most 1,000, and 0 if no job needs any.
    pub content_max: u32,
    /// The longest one that a server fetches; a job that is made of more fails.
    pub fetch_max: u32,
    /// How long the resource center keeps what no job refers to; longer than it takes from an upload to the reference.
    pub grace_us: Duration,
    /// What is assumed; belief is owed within.
    pub bounds: Bounds,
    /// The decisions.
    pub rules: Rules,
    /// Those of the version that the task `upgrade` installs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Rules>,
    /// The decisions of the resource center.
    #[serde(default = "resources::Rules::hardened")]
    pub resources: resources::Rules,
    /// Clocks that are not perfect from the start.
    #[serde(default)]
    pub clocks: Vec<ClockOptions>,
}

impl Default for Options {
    fn default() -> Self {
        let election = crate::election::Options::default();
        Self {
            servers: 5,
            clients: 4,
            jobs: 500,
            vnodes_per_node: NonZeroU32::new(64).expect("not zero"),
            time_us: election.time_us,
            heartbeat_interval_us: election.heartbeat_interval_us,
            heartbeat_timeout_us: election.heartbeat_timeout_us,
            longest_term_us: election.longest_term_us,
            every_us: Duration::from_secs(4),
            runs_us_max: Duration::from_secs(20),
            poll_us: Duration::from_millis(500),
            calm_us: Duration::from_secs(1),
            takes_us: Duration::from_millis(20),
            patience_us: Duration::from_secs(1),
            attempts_max: 3,
            content_max: 100,
            fetch_max: 100,
            grace_us: Duration::from_secs(60),
            bounds: election.bounds,
            rules: Rules::hardened(),
            upgrade: None,
            resources: resources::Rules::hardened(),
            clocks: Vec::new(),
        }
    }
}

const CLIENTS_MAX: u32 = 1_000;
const JOBS_MAX: u32 = 1_000_000;
const VNODES_MAX: u32 = 2 << 16;
const CONTENT_MAX: u32 = 1_000;
/// How many bytes the resource center stores in all: more than the jobs of the default options need at once.
const CAPACITY: u64 = 1 << 20;
/// How many bytes of a resource travel in one message.
const CHUNK: NonZeroU8 = NonZeroU8::new(32).expect("not zero");
/// How many resources a server fetches at a time.
pub(super) const FETCHES_MAX: NonZeroU8 = NonZeroU8::new(16).expect("not zero");
/// How many a server keeps.
const KEPT_MAX: u8 = 8;

impl Options {
    /// The rules by which sessions are held: those of the hardened election. No resource is behind a session, so nothing is
    /// sealed; rows have epochs of their own.
    pub(super) fn election_rules() -> election::Rules {
        election::Rules { fencing: Fencing::None, ..election::Rules::hardened() }
    }

    /// The decisions of a process, by whether it starts as the version that was installed later.
    pub(super) fn rules_of(&self, upgraded: bool) -> Rules {
        self.upgrade.filter(|_| upgraded).unwrap_or(self.rules)
    }

    fn candidate(&self, server: u16) -> election::Config {
        election::Config {
            utype: Utype(server),
            host: Host(server),
            heartbeat_interval: self.heartbeat_interval_us,
            heartbeat_timeout: self.heartbeat_timeout_us,
            bounds: self.bounds,
            rules: Self::election_rules(),
            affinity: None,
            work: Work { every_us: Duration::ZERO, takes_us: Duration::ZERO },
        }
    }

    /// Makes a world small enough to be searched exhaustively. Servers look for work once in an interval I, wait for answers
    /// and for a calm ring for `wait`, a little less, and call the cluster at once. Jobs need no resource, and run for longer
    /// than most such worlds last.
    pub fn shorten(&mut self, interval: Duration, wait: Duration) {
        (self.poll_us, self.every_us, self.patience_us, self.calm_us) = (interval, wait, wait, wait);
        self.takes_us = Duration::ZERO;
        self.runs_us_max = interval.times(64);
        self.vnodes_per_node = NonZeroU32::MIN;
        (self.content_max, self.fetch_max) = (0, 0);
        // The center does not look for what nobody wants before the longest such world ends.
        self.grace_us = interval.times(4 * (u64::from(crate::explore::HORIZON_MAX) + 1));
    }

    /// What each server is called. Each second one is called as the one before it, with a 1 behind; from the tenth such pair
    /// on, numbers are of one width, so that no two servers have one name.
    #[must_use]
    pub fn names(&self) -> Vec<Box<str>> {
        let name = |n: u16| {
            let (pair, second) = (n / 2 + 1, if n.is_multiple_of(2) { "" } else { "1" });
            if pair < 10 { format!("node{pair}{second}") } else { format!("node{pair:04}{second}") }
        };
        (0..self.servers).map(|n| name(n).into()).collect()
    }

    /// The parameters of a server.
    pub(super) fn server(&self, server: u16) -> ServerConfig {
        ServerConfig {
            candidate: self.candidate(server),
            names: self.names().into(),
            vnodes_per_node: self.vnodes_per_node,
            rings: super::rings::SHARED,
            poll: self.poll_us,
            watch: self.poll_us.times(4),
            patience: self.patience_us,
            calm: self.calm_us,
            takes: self.takes_us,
            supplies: SuppliesConfig {
                fetch: FetchConfig {
                    size_max: self.fetch_max,
                    limits: self.transfer(),
                    verification: self.resources.verification,
                },
                fetches_max: FETCHES_MAX,
                kept_max: KEPT_MAX,
            },
            rules: self.rules,
        }
    }

    /// The parameters of the resource center.
    pub(super) fn center(&self) -> CenterConfig {
        CenterConfig { size_max: self.content_max, capacity: CAPACITY, grace: self.grace_us, rules: self.resources }
    }

    const fn transfer(&self) -> Limits {
        let (asks_max, attempts_max) = (NonZeroU32::new(3).expect("not zero"), NonZeroU32::new(2).expect("not zero"));
        Limits { chunk: CHUNK, patience: self.patience_us, asks_max, attempts_max }
    }

    /// How many chunks the longest resource has.
    pub(super) fn chunks_max(&self) -> u32 {
        self.content_max.div_ceil(CHUNK.get().into())
    }

    /// The parameters of a submitter; jobs are dealt out one by one.
    pub(super) fn submitter(&self, submitter: u16) -> SubmitterConfig {
        let (all, first) = (u32::from(self.clients), u32::from(submitter));
        SubmitterConfig {
            submitter,
            submitters: self.clients,
            servers: self.servers,
            jobs: self.jobs / all + u32::from(first < self.jobs % all),
            every: self.every_us,
            runs_max: self.runs_us_max,
            content_max: self.content_max,
            upload: self.transfer(),
            patience: self.patience_us,
        }
    }
}

impl From<Options> for crate::options::Options {
    fn from(options: Options) -> Self {
        Self::Distribution(options)
    }
}

impl Plan {
    /// The options of job distribution.
    ///
    /// # Panics
    /// When it is the plan of another protocol.
    #[must_use]
    pub fn distribution(&self) -> &Options {
        self.options.own()
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// When it is the plan of another protocol.
    #[must_use]
    pub fn distribution_mut(&mut self) -> &mut Options {
        self.options.own_mut()
    }
}

impl ProtocolOptions for Options {
    crate::options::of_every_protocol!("distribution", Rules);

    fn set_size(&mut self, name: &str, size: u32) -> bool {
        let short = u16::try_from(size).unwrap_or(u16::MAX);
        match name {
            "servers" => self.servers = short,
            "clients" => self.clients = short,
            "jobs" => self.jobs = size,
            _ => return false,
        }
        true
    }

    fn sizes(&self) -> Vec<(u64, &'static str)> {
        vec![(self.servers.into(), "server"), (self.clients.into(), "client"), (self.jobs.into(), "job")]
    }

    fn check(&self) -> Result<(), PlanError> {
        let sizes = [
            ("options.servers", self.servers.into(), 1, Utype::MAX as u32),
            ("options.clients", self.clients.into(), 1, CLIENTS_MAX),
            ("options.jobs", self.jobs, 1, JOBS_MAX),
            ("options.vnodes_per_node", self.vnodes_per_node.get(), 1, VNODES_MAX),
            ("options.content_max", self.content_max, 0, CONTENT_MAX),
            ("options.fetch_max", self.fetch_max, 0, CONTENT_MAX),
            ("options.attempts_max", self.attempts_max.into(), 1, u32::from(u8::MAX) - 1),
        ];
        for (field, size, least, most) in sizes {
            if !(least..=most).contains(&size) {
                return Err(invalid(field, format!("{size}; expected {least} to {most}")));
            }
        }
        options::check_time(self)?;
        let spans = [
            self.every_us,
            self.runs_us_max,
            self.poll_us,
            self.calm_us,
            self.takes_us,
            self.patience_us,
            self.grace_us,
        ];
        options::check_spans(self, &spans)?;
        for (field, span) in [
            ("options.runs_us_max", self.runs_us_max),
            ("options.poll_us", self.poll_us),
            ("options.grace_us", self.grace_us),
        ] {
            if span == Duration::ZERO {
                return Err(invalid(field, "expected more than 0"));
            }
        }
        let round_trip = options::round_trip(&self.bounds);
        if round_trip >= self.patience_us {
            let problem = format!(
                "an answer takes up to {round_trip}, and is waited for only for {}: it might never be seen; lower \
                 options.bounds.latency_us_max or wait longer",
                self.patience_us
            );
            return Err(invalid("options.patience_us", problem));
        }
        for server in 0..self.servers {
            self.candidate(server).checked().map_err(|error| invalid("options", error.to_string()))?;
        }
        if self.upgrade.is_some_and(|to| (self.rules.task_key, to.task_key) == (TaskKey::Job, TaskKey::Task)) {
            return Err(invalid("options.upgrade.task_key", "task; rows of jobs do not become rows of tasks again"));
        }
        options::check_longest_term(self)?;
        options::check_clocks(self)?;
        let places = Distribution::places(self);
        match self.clocks.iter().find(|clock| !places.contains(&clock.node)) {
            Some(ClockOptions { node, .. }) => {
                Err(invalid("options.clocks", format!("names {node}, which is no place")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_servers_have_one_name() {
        let names = Options { servers: Utype::MAX as u16, ..Options::default() }.names();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), Utype::MAX);
        assert_eq!(names[..4].join(" "), "node1 node11 node2 node21");
    }
}
