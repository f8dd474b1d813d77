//! Arithmetic of a lease before anything runs: given I, T and what is assumed of the world, may two primaries work at
//! once, what eats the time between them, and how long does a failover take?
//!
//! The terms are those of [`failproof_core::election::safe_term`] and its neighbours; nothing is simulated here.

use crate::duration::{parse_drift, parse_duration};
use failproof_core::Duration;
use failproof_core::election::{
    Bounds, Fencing, LeaseAnchor, Rules, StoreAge, crash_to_acceptance, no_false_step_down, observer_age, safe_term,
};
use serde::Serialize;
use std::fmt;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// I.
    pub heartbeat_interval: Duration,
    /// T.
    pub heartbeat_timeout: Duration,
    /// What is assumed of clocks, timers, network and store.
    pub bounds: Bounds,
    /// p: the longest pause of a process that is expected, in true time.
    pub pause: Duration,
    /// m: how many heartbeats in a row are expected to be lost.
    pub lost: u32,
    /// The decisions.
    pub rules: Rules,
}

/// The question as arguments of a command line. Defaults are those of [`crate::election::Options`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
#[command(about = None, long_about = None)]
pub struct MarginArgs {
    /// I: from one heartbeat to the next
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    pub interval: Duration,
    /// T: how long an entry names a primary; more than twice I
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// r: how far a clock's rate may be off; a share, per cent or ppm
    #[arg(long, value_name = "RATE", default_value = "0.001", value_parser = parse_drift)]
    pub drift: u32,
    /// d: the largest one-way latency
    #[arg(long, value_name = "DURATION", default_value = "50ms", value_parser = parse_duration)]
    pub latency: Duration,
    /// δ: how late a timer may fire
    #[arg(long, value_name = "DURATION", default_value = "10ms", value_parser = parse_duration)]
    pub timer_late: Duration,
    /// σ: how long a primary needs to stop its work
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse_duration)]
    pub stop: Duration,
    /// g: the step of the store's clock
    #[arg(long, value_name = "DURATION", default_value = "1ms", value_parser = parse_duration)]
    pub granularity: Duration,
    /// p: the longest pause of a process to expect
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse_duration)]
    pub pause: Duration,
    /// m: how many heartbeats in a row may be lost
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub lost: u32,
}

impl MarginArgs {
    /// The question about one set of rules.
    #[must_use]
    pub const fn query(&self, rules: Rules) -> Query {
        Query {
            heartbeat_interval: self.interval,
            heartbeat_timeout: self.timeout,
            bounds: Bounds {
                drift_ppm: self.drift,
                latency_us_max: self.latency,
                timer_late_us_max: self.timer_late,
                stop_us_max: self.stop,
                granularity_us: self.granularity,
            },
            pause: self.pause,
            lost: self.lost,
            rules,
        }
    }
}

/// Why there is no answer. Nothing was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarginError {
    /// A heartbeat interval of zero would never let time pass.
    #[error("the heartbeat interval is 0; expected more, for example 1s")]
    IntervalZero,
    /// A rate of zero or below.
    #[error("a drift of {ppm} ppm lets a clock stand still; expected less than 1000000 ppm, for example 0.001")]
    DriftTooLarge {
        /// r.
        ppm: u32,
    },
    /// A time so long that sums of it do not fit.
    #[error("{what} is {value}; expected at most 100 years")]
    TooLong {
        /// Which.
        what: &'static str,
        /// How long.
        value: Duration,
    },
}

/// One thing that takes a part of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// What.
    pub name: &'static str,
    /// How much of it, in microseconds.
    pub us: i64,
}

/// The answer.
///
/// Units and clock: microseconds; terms and ages on the clock of the node that waits for them, pauses and failover
/// times in true time. What can fall short is signed.
/// Invariant: `budget_us` less the sum of `eaten` is `left_us`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Margin {
    /// Which rules, if they have a name; else `custom`.
    pub rules: &'static str,
    /// I.
    pub heartbeat_interval_us: u64,
    /// T.
    pub heartbeat_timeout_us: u64,
    /// Two primaries never work at once while the assumptions hold, and the primary can renew at all.
    pub safe: bool,
    /// By how much; how much is missing if negative. Under heartbeat-anchored rules what the term has beyond one
    /// renewal; under read-anchored rules the negative of `overlap_us`.
    pub slack_us: i64,
    /// Why it is not safe.
    pub reasons: Vec<String>,
    /// What the answer relies on beside the bounds.
    pub assumptions: Vec<&'static str>,
    /// What there is to spend, from the acceptance of the last heartbeat: until a rival may be granted the lease
    /// (heartbeat-anchored), or works (read-anchored).
    pub budget_us: u64,
    /// What it is spent on.
    pub eaten: Vec<Share>,
    /// What is left of it after the expected losses and the expected pause.
    pub left_us: i64,
    /// How long a primary may work after the sending of an accepted heartbeat. Zero if nothing is left.
    pub safe_term_us: u64,
    /// How long it does work after the moment that its rules count from.
    pub trusted_us: u64,
    /// How long two primaries can work at once with perfect clocks and without a pause (supremum); zero if anchored on
    /// heartbeats.
    pub overlap_us: u64,
    /// m.
    pub lost: u32,
    /// The least term with which a primary survives that.
    pub no_false_step_down_us: u64,
    /// Whether it does, without a pause.
    pub survives_lost: bool,
    /// The largest m that it survives. `None`: it steps down even if none is lost.
    pub lost_max: Option<u32>,
    /// p.
    pub pause_us: u64,
    /// Whether it keeps the role over such a pause, together with m lost heartbeats.
    pub survives_pause: bool,
    /// The longest pause over which it does.
    pub pause_us_max: u64,
    /// F: from the crash of the primary until a rival knows that its heartbeat was accepted, at most.
    pub crash_to_acceptance_us: u64,
    /// From the crash of the primary until a rival works, at most.
    pub crash_to_working_us: u64,
    /// W: for how long a candidate that judges age on its own clock must have seen a version unchanged. It waits T.
    pub observer_age_us: u64,
    /// Whether T is as long as that.
    pub observer_age_fits: bool,
}

/// The longest time that may be asked about: 100 years.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Answers `query`.
///
/// # Errors
/// Values for which the question makes no sense; see [`MarginError`]. A `T` that is too short is an answer, not an error.
pub fn margin(query: &Query) -> Result<Margin, MarginError> {
    check(query)?;
    Ok(match query.rules.anchor {
        LeaseAnchor::Heartbeat => anchored_on_heartbeats(query),
        LeaseAnchor::Read => anchored_on_reads(query),
    })
}

fn check(query: &Query) -> Result<(), MarginError> {
    let bounds = &query.bounds;
    for (what, value) in [
        ("the heartbeat interval", query.heartbeat_interval),
        ("the heartbeat timeout", query.heartbeat_timeout),
        ("the latency", bounds.latency_us_max),
        ("the timer lateness", bounds.timer_late_us_max),
        ("the stop time", bounds.stop_us_max),
        ("the granularity", bounds.granularity_us),
        ("the pause", query.pause),
    ] {
        if value > LONGEST {
            return Err(MarginError::TooLong { what, value });
        }
    }
    if query.heartbeat_interval == Duration::ZERO {
        return Err(MarginError::IntervalZero);
    }
    if bounds.drift_ppm >= 1_000_000 {
        return Err(MarginError::DriftTooLarge { ppm: bounds.drift_ppm });
    }
    Ok(())
}

fn anchored_on_heartbeats(query: &Query) -> Margin {
    let bounds = &query.bounds;
    let timeout = query.heartbeat_timeout;
    let mut eaten = safety_shares(timeout, bounds);
    let term = us(timeout) - eaten.iter().map(|share| share.us).sum::<i64>();
    let renewal = no_false_step_down(query.heartbeat_interval, 0, bounds);
    let slack = term - us(renewal);
    let mut reasons = common_reasons(query);
    if term <= 0 {
        reasons.push(format!("nothing is left of T: the safe term is {}", signed(term)));
    } else if slack < 0 {
        reasons.push(format!(
            "the safe term ({}) ends before a renewal that takes {} is known: the primary steps down though nothing is wrong",
            signed(term),
            renewal
        ));
    }
    eaten.extend(renewal_shares(query));
    let mut margin = blank(query, term, eaten, timeout);
    margin.slack_us = slack;
    margin.trusted_us = margin.safe_term_us;
    if query.rules.age == StoreAge::Observer && !margin.observer_age_fits {
        reasons.push(format!(
            "a rival waits {timeout} for a version to change, but the term asks for {}",
            span(margin.observer_age_us)
        ));
    }
    margin.finish(reasons)
}

fn anchored_on_reads(query: &Query) -> Margin {
    let (interval, timeout) = (query.heartbeat_interval, query.heartbeat_timeout);
    let trust = timeout - interval;
    let lag = Duration::from_micros(trust.as_micros().div_ceil(interval.as_micros()) * interval.as_micros()) - trust;
    let eaten = vec![
        Share { name: "age of the entry at the last good read", us: us(timeout) },
        Share { name: "trust in that read, T − I", us: us(trust) },
        Share { name: "lag until the next tick", us: us(lag) },
    ];
    let mut reasons = common_reasons(query);
    let overlap = us(trust) + us(lag) - us(interval);
    if overlap > 0 {
        reasons.push(format!(
            "a read is trusted for {} although the entry may be nearly {timeout} old then, and a rival works {interval} after \
             it expired: two can work at once for up to {}",
            trust + lag,
            signed(overlap)
        ));
    }
    let mut margin = blank(query, us(trust), eaten, timeout + interval);
    margin.slack_us = -overlap;
    margin.trusted_us = (trust + lag).as_micros();
    margin.overlap_us = overlap.max(0).unsigned_abs();
    margin.finish(reasons)
}

/// What the safe term sets aside of T.
fn safety_shares(timeout: Duration, bounds: &Bounds) -> Vec<Share> {
    let granularity = bounds.granularity_us.max(Duration::from_micros(1));
    let rounding = Duration::from_micros(1);
    let immediate = Bounds { timer_late_us_max: Duration::ZERO, stop_us_max: Duration::ZERO, ..*bounds };
    let drift = (timeout - granularity) - safe_term(timeout, &immediate) - rounding;
    vec![
        Share { name: "granularity of the store's clock", us: us(granularity) },
        Share { name: "clock drift", us: us(drift) },
        Share { name: "timer lateness", us: us(bounds.timer_late_us_max) },
        Share { name: "stop time", us: us(bounds.stop_us_max) },
        Share { name: "rounding", us: us(rounding) },
    ]
}

/// What keeping the role takes of the term.
fn renewal_shares(query: &Query) -> [Share; 3] {
    let one = no_false_step_down(query.heartbeat_interval, 0, &query.bounds);
    let all = no_false_step_down(query.heartbeat_interval, query.lost, &query.bounds);
    [
        Share { name: "one renewal", us: us(one) },
        Share { name: "lost heartbeats", us: us(all - one) },
        Share { name: "pause", us: us(on_fastest_clock(query.pause, &query.bounds)) },
    ]
}

fn common_reasons(query: &Query) -> Vec<String> {
    let (interval, timeout) = (query.heartbeat_interval, query.heartbeat_timeout);
    let mut reasons = Vec::new();
    if timeout <= interval.times(2) {
        reasons.push(format!("T ({timeout}) must be more than twice I ({interval})"));
    }
    let answer = query.bounds.fastest(query.bounds.latency_us_max.times(2));
    if answer >= interval {
        reasons.push(format!(
            "an answer takes up to {answer} and is waited for only for I ({interval}): a candidate may never be elected"
        ));
    }
    let pause = query.pause;
    if query.rules.fencing == Fencing::None && pause > query.bounds.stop_us_max {
        reasons.push(format!(
            "without fencing, a primary that pauses for {pause} between its check and its operation can act after a rival"
        ));
    }
    reasons
}

/// An answer that lacks its verdict. `term` is what renewals must fit into.
fn blank(query: &Query, term: i64, eaten: Vec<Share>, budget: Duration) -> Margin {
    let (interval, timeout, bounds) = (query.heartbeat_interval, query.heartbeat_timeout, &query.bounds);
    let need = no_false_step_down(interval, query.lost, bounds);
    let spare = term - us(need);
    let acceptance = crash_to_acceptance(timeout, interval, bounds);
    let safe = safe_term(timeout, bounds);
    let observer_age = observer_age(safe, bounds);
    let left_us = us(budget) - eaten.iter().map(|share| share.us).sum::<i64>();
    Margin {
        rules: query.rules.name(),
        heartbeat_interval_us: interval.as_micros(),
        heartbeat_timeout_us: timeout.as_micros(),
        safe: false,
        slack_us: 0,
        reasons: Vec::new(),
        assumptions: assumptions(&query.rules),
        budget_us: budget.as_micros(),
        eaten,
        left_us,
        safe_term_us: safe.as_micros(),
        trusted_us: 0,
        overlap_us: 0,
        lost: query.lost,
        no_false_step_down_us: need.as_micros(),
        survives_lost: spare >= 0,
        lost_max: lost_max(interval, term, bounds),
        pause_us: query.pause.as_micros(),
        survives_pause: spare >= us(on_fastest_clock(query.pause, bounds)),
        pause_us_max: true_time(spare.max(0), bounds),
        crash_to_acceptance_us: acceptance.as_micros(),
        crash_to_working_us: (acceptance + confirmation(query)).as_micros(),
        observer_age_us: observer_age.as_micros(),
        observer_age_fits: observer_age <= timeout,
    }
}

/// The largest number of heartbeats lost in a row that a term survives.
fn lost_max(interval: Duration, term: i64, bounds: &Bounds) -> Option<u32> {
    let survives = |lost: u32| us(no_false_step_down(interval, lost, bounds)) <= term;
    if !survives(0) {
        return None;
    }
    // It grows with the number lost, so the search can halve.
    let (mut low, mut high) = (0, u32::MAX);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if survives(middle) { low = middle } else { high = middle - 1 }
    }
    Some(low)
}

/// From knowing that its heartbeat was accepted until a rival works: the confirming read, the seal.
fn confirmation(query: &Query) -> Duration {
    let bounds = &query.bounds;
    let round_trip = bounds.latency_us_max.times(2);
    let mut span = Duration::ZERO;
    if query.rules.anchor == LeaseAnchor::Read {
        span = span + bounds.slowest(query.heartbeat_interval + bounds.timer_late_us_max) + round_trip;
    }
    if query.rules.fencing == Fencing::Epoch {
        span = span + round_trip;
    }
    span
}

fn assumptions(rules: &Rules) -> Vec<&'static str> {
    let mut assumptions = Vec::new();
    if rules.age == StoreAge::Wall {
        assumptions.push("the store's wall clock never steps");
    }
    if rules.anchor == LeaseAnchor::Read {
        assumptions.push("clocks are perfect and messages take no time: anything else adds to the overlap");
    }
    assumptions
}

/// What a clock that runs fast shows of a span of true time, rounded up.
fn on_fastest_clock(span: Duration, bounds: &Bounds) -> Duration {
    let scaled = u128::from(span.as_micros()) * (1_000_000 + u128::from(bounds.drift_ppm));
    Duration::from_micros(u64::try_from(scaled.div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

/// The true time after which no clock shows more than `local`, rounded down.
fn true_time(local: i64, bounds: &Bounds) -> u64 {
    let scaled = u128::from(local.unsigned_abs()) * 1_000_000;
    u64::try_from(scaled / (1_000_000 + u128::from(bounds.drift_ppm))).unwrap_or(u64::MAX)
}

/// Signed microseconds. [`check`] has seen that sums of them fit.
fn us(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX / 8)
}

fn span(us: u64) -> Duration {
    Duration::from_micros(us)
}

/// Signed microseconds as seconds in a column.
fn column(us: i64) -> String {
    let sign = if us < 0 { "−" } else { "" };
    let seconds = format!("{sign}{}.{:06}", us.unsigned_abs() / 1_000_000, us.unsigned_abs() % 1_000_000);
    format!("{seconds:>16} s")
}

/// Signed microseconds in words.
fn signed(us: i64) -> String {
    let sign = if us < 0 { "−" } else { "" };
    format!("{sign}{}", span(us.unsigned_abs()))
}

impl Margin {
    /// Whether two primaries can never work at once within the assumptions, and the role can be kept. Decides the exit
    /// code: 0 if so, else 1.
    #[must_use]
    pub const fn is_safe(&self) -> bool {
        self.safe
    }

    fn finish(mut self, reasons: Vec<String>) -> Self {
        self.safe = reasons.is_empty();
        self.reasons = reasons;
        self
    }

    fn verdict(&self) -> String {
        match (self.safe, self.slack_us < 0) {
            (true, _) => format!("safe, with {} to spare", signed(self.slack_us)),
            (false, true) => format!("NOT SAFE, {} missing", signed(-self.slack_us)),
            (false, false) => "NOT SAFE".to_owned(),
        }
    }

    fn renewals(&self) -> String {
        let most = match self.lost_max {
            None => "steps down even if none is lost".to_owned(),
            Some(most) => format!("{most} at most"),
        };
        format!("{}: role {}; {most}", self.lost, kept(self.survives_lost))
    }
}

const fn kept(kept: bool) -> &'static str {
    if kept { "kept" } else { "lost" }
}

/// The answer as an aligned table.
impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: String| writeln!(f, "{name:<42}{value}");
        line("rules", self.rules.to_owned())?;
        line("I, T", format!("{}, {}", span(self.heartbeat_interval_us), span(self.heartbeat_timeout_us)))?;
        line("verdict", self.verdict())?;
        for reason in &self.reasons {
            line("  because", reason.clone())?;
        }
        for assumption in &self.assumptions {
            line("  provided that", (*assumption).to_owned())?;
        }
        line("time to spend", span(self.budget_us).to_string())?;
        for share in &self.eaten {
            line(&format!("  {}", share.name), column(share.us))?;
        }
        line("  left", column(self.left_us))?;
        line("safe term", span(self.safe_term_us).to_string())?;
        line("works after its anchor for up to", span(self.trusted_us).to_string())?;
        line("two at once for up to", span(self.overlap_us).to_string())?;
        line("heartbeats lost in a row", self.renewals())?;
        line("  and then a pause", format!("{}: role {}", span(self.pause_us), kept(self.survives_pause)))?;
        line("  longest pause that does not cost it", span(self.pause_us_max).to_string())?;
        line("crash to acceptance, at most", span(self.crash_to_acceptance_us).to_string())?;
        line("crash to working, at most", span(self.crash_to_working_us).to_string())?;
        let fits = if self.observer_age_fits { "T suffices" } else { "T is too short" };
        line("observer age", format!("{}; {fits}", span(self.observer_age_us)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn query(interval_ms: u64, timeout_ms: u64, latency_ms: u64, drift_ppm: u32) -> Query {
        Query {
            heartbeat_interval: ms(interval_ms),
            heartbeat_timeout: ms(timeout_ms),
            bounds: Bounds {
                drift_ppm,
                latency_us_max: ms(latency_ms),
                timer_late_us_max: ms(10),
                stop_us_max: Duration::ZERO,
                granularity_us: ms(1),
            },
            pause: Duration::ZERO,
            lost: 0,
            rules: Rules::hardened(),
        }
    }

    fn answer(query: &Query) -> Margin {
        margin(query).expect("the question makes sense")
    }

    /// The table of the election's page. Its rows differ in δ, σ and g too.
    #[test]
    fn safe_term_and_failover_are_those_of_the_table() {
        let rows = [
            // I, T, d, r, g, δ, σ: safe term, F
            ((1_000, 5_000, 50, 1_000), (1, 10, 0), "4.979", "6.3170"),
            ((1_000, 5_000, 400, 10_000), (1, 50, 200), "4.650", "8.5121"),
            ((200, 1_000, 20, 200), (1, 8, 0), "0.991", "1.3292"),
            ((2_000, 15_000, 100, 100), (1, 20, 1_000), "13.976", "17.6227"),
            ((1_000, 3_000, 200, 50_000), (20, 100, 0), "2.596", "5.5368"),
        ];
        for ((i, t, d, r), (g, late, stop), safe_term, failover) in rows {
            let mut query = query(i, t, d, r);
            query.bounds.granularity_us = ms(g);
            query.bounds.timer_late_us_max = ms(late);
            query.bounds.stop_us_max = ms(stop);
            let margin = answer(&query);
            assert_eq!(format!("{:.3}", margin.safe_term_us as f64 / 1e6), safe_term, "T = {t} ms");
            assert_eq!(format!("{:.4}", margin.crash_to_acceptance_us as f64 / 1e6), failover, "T = {t} ms");
            assert_eq!(margin.crash_to_working_us, margin.crash_to_acceptance_us + 2_000 * d);
        }
    }

    #[test]
    fn shares_add_up_to_the_budget() {
        for rules in [Rules::hardened(), Rules::published()] {
            let mut query = query(1_000, 5_000, 50, 1_000);
            query.lost = 2;
            query.pause = ms(300);
            query.rules = rules;
            let margin = answer(&query);
            let eaten: i64 = margin.eaten.iter().map(|share| share.us).sum();
            assert_eq!(eaten + margin.left_us, margin.budget_us as i64);
        }
    }

    #[test]
    fn defaults_of_the_hardened_rules_are_safe() {
        let margin = answer(&query(1_000, 5_000, 50, 1_000));
        assert!(margin.is_safe());
        assert_eq!(margin.slack_us, 4_979_010 - margin.no_false_step_down_us as i64);
        assert_eq!(margin.lost_max, Some(3));
        assert!(margin.observer_age_fits && margin.observer_age_us > 4_990_000);
    }

    /// I = 1, T = 2.05, r = 10⁻³, δ = 0.01, d = 0.05: a term of 2.035 s against 2.12 s.
    #[test]
    fn a_timeout_just_above_twice_the_interval_does_not_survive_one_loss() {
        let mut query = query(1_000, 2_050, 50, 1_000);
        query.lost = 1;
        let margin = answer(&query);
        assert!(margin.is_safe() && !margin.survives_lost);
        assert_eq!(margin.no_false_step_down_us / 1_000, 2_120);
        assert_eq!((margin.safe_term_us, margin.lost_max), (2_034_905, Some(0)));
    }

    #[test]
    fn a_term_that_is_eaten_up_or_too_short_to_renew_is_not_safe() {
        let mut eaten = query(1_000, 5_000, 50, 1_000);
        eaten.bounds.stop_us_max = ms(5_000);
        let margin = answer(&eaten);
        assert!(!margin.is_safe() && margin.slack_us < 0 && margin.safe_term_us == 0 && margin.lost_max.is_none());
        let mut slow = query(1_000, 2_100, 600, 1_000);
        let margin = answer(&slow);
        assert!(!margin.is_safe() && margin.reasons[0].contains("never be elected"), "{:?}", margin.reasons);
        assert!(margin.reasons[1].contains("renewal"), "{:?}", margin.reasons);
        slow.heartbeat_timeout = ms(2_000);
        assert!(answer(&slow).reasons[0].contains("twice"));
    }

    #[test]
    fn published_rules_overlap_by_the_supremum_of_the_sequential_loop() {
        for (i, t, overlap_ms) in
            [(1_000, 5_000, 3_000_i64), (1_000, 2_050, 1_000), (1_000, 3_500, 2_000), (300, 1_000, 600)]
        {
            let mut query = query(i, t, 0, 0);
            query.rules = Rules::published();
            let margin = answer(&query);
            assert!(!margin.is_safe());
            assert_eq!(margin.overlap_us, overlap_ms.unsigned_abs() * 1_000, "I = {i} ms, T = {t} ms");
            assert_eq!((margin.slack_us, margin.left_us), (-overlap_ms * 1_000, -overlap_ms * 1_000));
        }
    }

    #[test]
    fn published_rules_confirm_before_they_work() {
        let mut query = query(1_000, 5_000, 50, 1_000);
        query.rules = Rules::published();
        let margin = answer(&query);
        assert_eq!(margin.crash_to_working_us - margin.crash_to_acceptance_us, 1_011_012 + 100_000);
    }

    #[test]
    fn a_pause_is_survived_up_to_the_longest_one() {
        let mut query = query(1_000, 5_000, 50, 1_000);
        let longest = answer(&query).pause_us_max;
        query.pause = Duration::from_micros(longest);
        assert!(answer(&query).survives_pause);
        query.pause = Duration::from_micros(longest + 2);
        let margin = answer(&query);
        assert!(!margin.survives_pause && margin.left_us < 0 && margin.is_safe());
        query.rules.fencing = Fencing::None;
        assert!(!answer(&query).is_safe());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let sound = query(1_000, 5_000, 50, 1_000);
        let refused = |change: fn(&mut Query)| {
            let mut query = sound;
            change(&mut query);
            margin(&query).expect_err("refused").to_string()
        };
        assert!(refused(|query| query.heartbeat_interval = Duration::ZERO).contains("expected more"));
        assert!(refused(|query| query.bounds.drift_ppm = 1_000_000).contains("expected less"));
        assert!(refused(|query| query.pause = Duration::from_micros(u64::MAX)).contains("the pause"));
    }

    #[test]
    fn the_table_is_aligned_and_the_object_names_its_units() {
        let margin = answer(&query(1_000, 5_000, 50, 1_000));
        let table = margin.to_string();
        assert!(table.lines().all(|line| line.chars().nth(41) == Some(' ')), "{table}");
        let object = serde_json::to_value(&margin).expect("plain data");
        assert_eq!(object["safe"], true);
        assert_eq!(object["eaten"][1]["name"], "clock drift");
        assert_eq!(object["safe_term_us"], 4_979_010);
    }
}
