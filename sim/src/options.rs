//! The knobs of a run: each protocol has its own, and all of them have these in common.
//!
//! Which protocol a plan is of is said by the variant of [`Options`]. A protocol is added here as one variant, one arm of
//! each `match`, and in `protocols.rs` as one line.

use crate::distribution;
use crate::election;
use crate::fault::Place;
use crate::plan::{PlanError, invalid};
use crate::protocols;
use crate::routing;
use failproof_core::Duration;
use failproof_core::election::Bounds;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::any::Any;
use std::fmt::Debug;
use std::ops::{Deref, DerefMut};

/// The options of any protocol. They are written as those of the protocol itself, whose name stands beside them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Options {
    /// Of an election.
    Election(election::Options),
    /// Of context routing.
    Routing(routing::Options),
    /// Of job distribution.
    Distribution(distribution::Options),
}

/// What the options of every protocol say.
pub trait ProtocolOptions: Any + Debug + Send + Sync {
    /// The name of the protocol.
    fn protocol(&self) -> &'static str;
    /// How long the run is, in true microseconds.
    fn time_us(&self) -> u64;
    /// Lets the run be as long as this, in true microseconds.
    fn set_time_us(&mut self, time_us: u64);
    /// Sets one of its sizes by the name that its option has on the command line, such as `nodes`; false if there is none.
    /// One that is too large for its field becomes the largest, which is refused when the options are checked.
    fn set_size(&mut self, name: &str, size: u32) -> bool;
    /// Sets I and T, the latter as the longest too, and what is assumed.
    fn set_limits(&mut self, interval: Duration, timeout: Duration, bounds: Bounds);
    /// I.
    fn heartbeat_interval(&self) -> Duration;
    /// T, as every place is configured at first.
    fn heartbeat_timeout(&self) -> Duration;
    /// The longest T that a fault may configure.
    fn longest_term(&self) -> Duration;
    /// What is assumed; belief is owed within.
    fn bounds(&self) -> &Bounds;
    /// Clocks that are not perfect from the start.
    fn clocks(&self) -> &[ClockOptions];
    /// How much there is of what, each with its word in the singular: five, `node`.
    fn sizes(&self) -> Vec<(u64, &'static str)>;
    /// How much else there is that a run could do without.
    fn extras(&self) -> u64 {
        0
    }
    /// The same options without it.
    fn plain(&self) -> Option<Options> {
        None
    }
    /// The decisions, by switch.
    fn rules(&self) -> Value;
    /// Lets these decide.
    ///
    /// # Errors
    /// As `serde_json` does, unless they are a decision for every switch and for no other; nothing changes then.
    fn set_rules(&mut self, rules: Value) -> serde_json::Result<()>;
    /// Lets the decisions of this text decide.
    ///
    /// # Errors
    /// As [`ProtocolOptions::set_rules`], with line and column.
    fn read_rules(&mut self, text: &str) -> serde_json::Result<()>;
    /// The rules that have names; `hardened` and `published` are among them.
    fn named_rules(&self) -> Vec<(&'static str, Value)>;
    /// Checks every relation that a run relies on.
    ///
    /// # Errors
    /// [`PlanError::Invalid`], naming the field and what was expected.
    fn check(&self) -> Result<(), PlanError>;
}

/// What [`ProtocolOptions`] asks of every protocol's options, read from the fields that all of them have.
macro_rules! of_every_protocol {
    ($protocol:literal, $rules:ty) => {
        fn protocol(&self) -> &'static str {
            $protocol
        }

        fn time_us(&self) -> u64 {
            self.time_us
        }

        fn set_time_us(&mut self, time_us: u64) {
            self.time_us = time_us;
        }

        fn set_limits(
            &mut self,
            interval: failproof_core::Duration,
            timeout: failproof_core::Duration,
            bounds: failproof_core::election::Bounds,
        ) {
            self.heartbeat_interval_us = interval;
            self.heartbeat_timeout_us = timeout;
            self.longest_term_us = timeout;
            self.bounds = bounds;
        }

        fn heartbeat_interval(&self) -> failproof_core::Duration {
            self.heartbeat_interval_us
        }

        fn heartbeat_timeout(&self) -> failproof_core::Duration {
            self.heartbeat_timeout_us
        }

        fn longest_term(&self) -> failproof_core::Duration {
            self.longest_term_us
        }

        fn bounds(&self) -> &failproof_core::election::Bounds {
            &self.bounds
        }

        fn clocks(&self) -> &[$crate::options::ClockOptions] {
            &self.clocks
        }

        fn rules(&self) -> serde_json::Value {
            $crate::options::to_value(&self.rules)
        }

        fn set_rules(&mut self, rules: serde_json::Value) -> serde_json::Result<()> {
            self.rules = serde_json::from_value(rules)?;
            Ok(())
        }

        fn read_rules(&mut self, text: &str) -> serde_json::Result<()> {
            self.rules = serde_json::from_str(text)?;
            Ok(())
        }

        fn named_rules(&self) -> Vec<(&'static str, serde_json::Value)> {
            <$rules>::NAMED.iter().map(|(name, rules)| (*name, $crate::options::to_value(rules))).collect()
        }
    };
}
pub(crate) use of_every_protocol;

/// A clock that is ahead or runs fast, within or outside the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockOptions {
    /// Whose.
    pub node: Place,
    /// How far ahead it starts.
    pub ahead_us: u64,
    /// Parts per million beside true time.
    pub ppm: i32,
}

impl Deref for Options {
    type Target = dyn ProtocolOptions;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Election(options) => options,
            Self::Routing(options) => options,
            Self::Distribution(options) => options,
        }
    }
}

impl DerefMut for Options {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Election(options) => options,
            Self::Routing(options) => options,
            Self::Distribution(options) => options,
        }
    }
}

impl Options {
    /// Those of the protocol of this name as they usually are: a few places, ten minutes, hardened rules.
    ///
    /// # Errors
    /// A sentence that says which protocols there are.
    pub fn usual(protocol: &str) -> Result<Self, String> {
        protocols::named(protocol).map(|known| known.usual())
    }

    /// The same under the rules of this name.
    ///
    /// # Panics
    /// When no rules have it.
    #[must_use]
    pub fn decided_by(mut self, name: &str) -> Self {
        let rules = self.rules_named(name).unwrap_or_else(|| panic!("{} has no rules `{name}`", self.protocol()));
        self.set_rules(rules).unwrap_or_else(|error| panic!("rules `{name}`: {error}"));
        self
    }

    /// The options of the protocol that has options of this type.
    ///
    /// # Panics
    /// When they are of another protocol.
    #[must_use]
    pub fn own<O: ProtocolOptions>(&self) -> &O {
        let any: &dyn Any = &**self;
        any.downcast_ref().unwrap_or_else(|| panic!("these are options of protocol `{}`", self.protocol()))
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// When they are of another protocol.
    #[must_use]
    pub fn own_mut<O: ProtocolOptions>(&mut self) -> &mut O {
        let protocol = self.protocol();
        let any: &mut dyn Any = &mut **self;
        any.downcast_mut().unwrap_or_else(|| panic!("these are options of protocol `{protocol}`"))
    }

    /// The name of the rules; `custom` if they have none.
    #[must_use]
    pub fn rules_name(&self) -> &'static str {
        let rules = self.rules();
        self.named_rules().into_iter().find(|(_, named)| *named == rules).map_or("custom", |(name, _)| name)
    }

    /// The rules that have this name.
    #[must_use]
    pub fn rules_named(&self, name: &str) -> Option<Value> {
        self.named_rules().into_iter().find_map(|(known, rules)| (known == name).then_some(rules))
    }
}

/// The most actors that a run may have: judges number their lives within 32 bits.
pub(crate) const ACTORS_MAX: usize = 1 << 12;

/// Plain data as JSON.
pub(crate) fn to_value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_else(|error| panic!("plain data cannot be written: {error}"))
}

/// The longest time from a request to its answer, on the fastest clock.
pub(crate) fn round_trip(bounds: &Bounds) -> Duration {
    bounds.fastest(bounds.latency_us_max.times(2))
}

/// The run has a length, and one that clocks can count.
pub(crate) fn check_time(options: &dyn ProtocolOptions) -> Result<(), PlanError> {
    match options.time_us() {
        1..=crate::clock::RUN_US_MAX => Ok(()),
        _ => Err(invalid("options.time_us", "expected more than 0 and at most 2000 hours")),
    }
}

/// The store's clock has a step, and no time, `others` included, is longer than the longest run.
pub(crate) fn check_spans(options: &dyn ProtocolOptions, others: &[Duration]) -> Result<(), PlanError> {
    let bounds = options.bounds();
    if bounds.granularity_us == Duration::ZERO {
        return Err(invalid("options.bounds.granularity_us", "expected at least 1"));
    }
    let spans = [
        options.heartbeat_interval(),
        options.heartbeat_timeout(),
        options.longest_term(),
        bounds.latency_us_max,
        bounds.timer_late_us_max,
        bounds.stop_us_max,
        bounds.granularity_us,
    ];
    if spans.iter().chain(others).any(|span| span.as_micros() > crate::clock::RUN_US_MAX) {
        return Err(invalid("options", "a time is longer than the longest run, 2000 hours"));
    }
    Ok(())
}

/// No fault may configure less than T at most.
pub(crate) fn check_longest_term(options: &dyn ProtocolOptions) -> Result<(), PlanError> {
    if options.longest_term() < options.heartbeat_timeout() {
        return Err(invalid("options.longest_term_us", "expected at least heartbeat_timeout_us"));
    }
    Ok(())
}

/// Clocks go forward, at less than twice the speed, and start within the longest run.
pub(crate) fn check_clocks(options: &dyn ProtocolOptions) -> Result<(), PlanError> {
    for clock in options.clocks() {
        if !(-500_000..=1_000_000).contains(&clock.ppm) {
            return Err(invalid("options.clocks", format!("ppm is {}; expected -500000 to 1000000", clock.ppm)));
        }
        if clock.ahead_us > crate::clock::RUN_US_MAX {
            return Err(invalid("options.clocks", "ahead_us is more than 2000 hours"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_any_protocol_are_read_and_changed_by_name() {
        for protocol in protocols::names() {
            let usual = Options::usual(protocol).unwrap();
            assert_eq!(usual.protocol(), protocol);
            assert_eq!(usual.rules_name(), "hardened");
            assert_eq!(usual.clone().decided_by("published").rules_name(), "published");
            let mut other = usual.clone();
            assert!(!other.set_size("moons", 7) && other == usual, "{protocol} has no moons");
            assert!(other.set_rules(Value::Null).is_err() && other.read_rules("{").is_err() && other == usual);
            let again = protocols::of(&usual).options(to_value(&usual)).unwrap();
            assert_eq!(again, usual, "they survive being written");
        }
        assert!(Options::usual("paxos").unwrap_err().contains("expected election"));
    }

    #[test]
    fn sizes_are_set_by_the_names_of_their_options() {
        let mut options = Options::from(election::Options::default());
        assert!(options.set_size("nodes", 3) && options.set_size("utypes", 100_000));
        let own: &election::Options = options.own();
        assert_eq!((own.nodes, own.utypes), (3, u16::MAX), "too many to be accepted");
        assert!(options.check().is_err());
    }
}
