//! The formulas of the lease against 100,000 random trials in the simulator: none is ever crossed, and each is reached
//! within one per cent, so that none is loose.
//!
//! Every trial draws I, T and all bounds, puts the clocks at the corners of what is assumed most of the time, and does
//! to the primary what the formula speaks of.

use failproof::chance::{Concern, Stream};
use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::{Direction, FaultKind, Place};
use failproof::options::ClockOptions;
use failproof::plan::{Fate, Plan};
use failproof::report::RunReport;
use failproof::trace::Record;
use failproof_core::Duration;
use failproof_core::election::{
    Bounds, Rules, StoreAge, Work, crash_to_acceptance, no_false_step_down, observer_age, safe_term,
};
use failproof_spec::Action;
use std::sync::Arc;

/// Four formulas, each with this many trials.
const TRIALS: u32 = 25_000;
/// Where all chance of this file starts.
const SEED: u64 = 20_260_115;
const OLD: Place = Place::Node(0);
const RIVAL: Place = Place::Node(1);
/// The two nodes in the cast, after the store and the resource.
const OLD_ACTOR: u16 = 2;
const RIVAL_ACTOR: u16 = 3;

fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

/// One trial's world.
#[derive(Clone, Debug)]
struct Setting {
    interval: Duration,
    timeout: Duration,
    bounds: Bounds,
    /// Beside true time, in parts per million: the store, the old primary, the rival.
    ppm: [i32; 3],
    latency_us_min: u64,
    timer_late_us_max: u64,
    noise_seed: u64,
}

impl Setting {
    /// Draws everything but T. Messages are answered within I, or nothing would ever be known in time.
    fn draw(chance: &mut Stream) -> Self {
        let interval_us = chance.between(50_000, 2_000_000);
        let drift_ppm = chance.pick(&[0_u32, 100, 1_000, 10_000, 50_000]);
        let latency_us_max = match chance.chance(300_000) {
            true => 1,
            false => chance.between(1, interval_us * 2 / 5),
        };
        let timer_late_us_max = chance.pick(&[0, interval_us / 1_000, interval_us / 100, interval_us / 10]);
        let stop_us_max = match chance.chance(500_000) {
            true => 0,
            false => chance.between(1, interval_us),
        };
        let granularity_us = chance.pick(&[1, 1_000, interval_us / 20]);
        let ppm = [0; 3].map(|_| corner(chance, drift_ppm));
        Self {
            interval: us(interval_us),
            timeout: Duration::ZERO,
            bounds: Bounds {
                drift_ppm,
                latency_us_max: us(latency_us_max),
                timer_late_us_max: us(timer_late_us_max),
                stop_us_max: us(stop_us_max),
                granularity_us: us(granularity_us),
            },
            ppm,
            latency_us_min: chance.pick(&[1, latency_us_max]),
            timer_late_us_max,
            noise_seed: chance.word(),
        }
    }

    /// The least T with a safe term of `term` or more.
    fn with_term(mut self, term: Duration) -> Self {
        let bounds = &self.bounds;
        let (mut low, mut high) = (0, term.as_micros() * 4 + self.interval.as_micros() * 8);
        while low < high {
            let middle = (low + high) / 2;
            if safe_term(us(middle), bounds) >= term { high = middle } else { low = middle + 1 }
        }
        self.timeout = us(low.max(2 * self.interval.as_micros() + 1));
        self
    }

    /// T between what survives without a loss and twenty intervals more.
    fn with_some_term(self, chance: &mut Stream) -> Self {
        let interval_us = self.interval.as_micros();
        let least = no_false_step_down(self.interval, 0, &self.bounds);
        let intervals = chance.pick(&[2, 20, 60]);
        let more = chance.between(interval_us / 8, interval_us * intervals);
        self.with_term(least + us(more))
    }

    fn term(&self) -> Duration {
        safe_term(self.timeout, &self.bounds)
    }

    /// A calm plan: the old primary alone is there from the start.
    fn plan(&self, rules: Rules, nodes: u16, time_us: u64) -> Plan {
        let places = [Place::Store, OLD, RIVAL];
        let clocks = places.iter().zip(self.ppm).take(usize::from(nodes) + 1);
        let options = Options {
            nodes,
            time_us,
            heartbeat_interval_us: self.interval,
            heartbeat_timeout_us: self.timeout,
            longest_term_us: self.timeout,
            bounds: self.bounds,
            rules,
            clocks: clocks.map(|(node, ppm)| ClockOptions { node: *node, ahead_us: 0, ppm }).collect(),
            work: Work { every_us: Duration::ZERO, takes_us: Duration::ZERO },
            ..Options::default()
        };
        let mut plan = Plan::calm(options).noise_seed(self.noise_seed);
        plan.noise.latency_us_min = self.latency_us_min;
        plan.noise.timer_late_us_max = self.timer_late_us_max;
        plan
    }

    /// When the old primary works for certain: it asks, claims, seals or confirms, and then some.
    fn settled_us(&self) -> u64 {
        (self.interval.times(3) + self.bounds.timer_late_us_max.times(3) + self.bounds.latency_us_max.times(8))
            .as_micros()
    }

    /// A plan in which the old primary is settled, a rival started after it with a phase of its own, and `kind` hits
    /// the old primary for the rest of the run. Returns when that is.
    fn struck(&self, rules: Rules, kind: FaultKind, chance: &mut Stream) -> (Plan, u64) {
        let interval_us = self.interval.as_micros();
        let rival_us = self.interval.as_micros() + chance.below(interval_us);
        let struck_us = self.settled_us() + chance.below(2 * interval_us);
        let wait = crash_to_acceptance(self.timeout, self.interval.times(3), &self.bounds);
        let end_us = struck_us + (wait + self.interval.times(3)).as_micros();
        let plan = self
            .plan(rules, 2, end_us)
            .fault(FaultKind::Crash { node: RIVAL, durable: true }, 0, rival_us)
            .fault(kind, struck_us, end_us);
        (plan, struck_us)
    }
}

/// A rate within the bounds; at one of the two corners in nine of ten cases.
fn corner(chance: &mut Stream, drift_ppm: u32) -> i32 {
    let drift = drift_ppm as i32;
    let inner = chance.below(2 * u64::from(drift_ppm) + 1) as i32 - drift;
    match chance.below(20) {
        0..9 => -drift,
        9..18 => drift,
        _ => inner,
    }
}

fn run(plan: &Plan, record: bool) -> (RunReport, Vec<Record>) {
    plan.check().expect("a sound plan");
    Engine::Fast.run(&Arc::new(plan.clone()), record).expect("no panic")
}

fn step_downs(report: &RunReport) -> u64 {
    report.coverage.as_ref().map_or(0, |coverage| coverage.count(Action::StepDown.name()))
}

/// What the trials of one formula came to.
#[derive(Debug, Default)]
struct Tally {
    trials: u32,
    /// How close a trial that kept the formula came to it, at most; one is reached.
    worst: f64,
    crossed: Vec<String>,
}

impl Tally {
    fn close(&mut self, ratio: f64) {
        self.worst = self.worst.max(ratio);
    }

    fn cross(&mut self, what: &str, plan: &Plan) {
        self.crossed.push(format!("{what}: {}", serde_json::to_string(plan).expect("plain data")));
    }

    fn verdict(&self, formula: &str) {
        println!("{formula}: {} trials, {} crossed, worst ratio {:.5}", self.trials, self.crossed.len(), self.worst);
        if let Some(first) = self.crossed.first() {
            panic!("{formula} was crossed {} times, first: {first}", self.crossed.len());
        }
        assert!(self.worst > 0.99, "{formula} is loose, or the trials are: worst ratio {}", self.worst);
    }
}

/// The store grants to a rival only after the old primary has stopped.
#[test]
fn safe_term_ends_before_the_grant() {
    let mut chance = Stream::new(SEED, Concern::Plan, 1, 0);
    let mut tally = Tally::default();
    for _ in 0..TRIALS {
        let setting = Setting::draw(&mut chance).with_some_term(&mut chance);
        let kind = match chance.below(3) {
            0 => FaultKind::Isolate { node: OLD, direction: Direction::In },
            1 => FaultKind::Isolate { node: OLD, direction: Direction::Out },
            _ => FaultKind::Isolate { node: OLD, direction: Direction::Both },
        };
        let (plan, _) = setting.struck(Rules::hardened(), kind, &mut chance);
        let (report, _) = run(&plan, false);
        tally.trials += 1;
        assert_eq!(report.doubted_us, 0, "all clocks are within the bounds");
        if let Some(violation) = report.violations.first() {
            tally.cross(&format!("{violation:?}"), &plan);
        }
        // The margin counts from the end of the term, which is the end of the work if stopping takes no time.
        if let (Some(margin_us), Duration::ZERO) = (report.margin_smallest_us, setting.bounds.stop_us_max) {
            tally.close(1.0 - margin_us as f64 / setting.timeout.as_micros() as f64);
        }
    }
    tally.verdict("safe term");
}

/// Whether the old primary works and owns the entry at `at_us`: only then it is the primary that crashes. Published
/// rules can lose it before.
fn works_as_owner(records: &[Record], at_us: u64) -> bool {
    let before = || records.iter().rev().filter(|record| record.true_us <= at_us);
    let works = before().find(|record| record.actor == Some(OLD_ACTOR) && record.action.is_some());
    let owner = before().find(|record| record.action == Some("Grant"));
    works.is_some_and(|record| record.action == Some("StepUp"))
        && owner.is_some_and(|record| record.state.to_string().contains("owner=n0"))
}

/// From the crash of the primary, a rival is accepted, and works, within the bound.
#[test]
fn crash_to_acceptance_and_work_is_bounded() {
    let mut chance = Stream::new(SEED, Concern::Plan, 2, 0);
    let names = ["hardened acceptance", "hardened work", "published acceptance", "published work"];
    let mut tallies = [(); 4].map(|()| Tally::default());
    let mut trials = 0;
    while trials < TRIALS {
        let setting = Setting::draw(&mut chance).with_some_term(&mut chance);
        let published = trials % 2 == 1;
        let rules = if published { Rules::published() } else { Rules::hardened() };
        let kind = FaultKind::Crash { node: OLD, durable: true };
        let (plan, struck_us) = setting.struck(rules, kind, &mut chance);
        let (_, records) = run(&plan, true);
        if !works_as_owner(&records, struck_us) {
            continue;
        }
        trials += 1;
        let rival = || records.iter().filter(|record| record.true_us > struck_us && record.actor == Some(RIVAL_ACTOR));
        let known = rival().find(|record| record.outputs.iter().any(|output| output.contains("HeartbeatAnswered")));
        let works = rival().find(|record| record.action == Some("StepUp"));
        let bounds = &setting.bounds;
        let acceptance = crash_to_acceptance(setting.timeout, setting.interval, bounds);
        let confirmation = match published {
            true => bounds.slowest(setting.interval + bounds.timer_late_us_max),
            false => Duration::ZERO,
        };
        let working = acceptance + confirmation + bounds.latency_us_max.times(2);
        for (which, record, bound) in [(0, known, acceptance), (1, works, working)] {
            let tally = &mut tallies[which + 2 * usize::from(published)];
            tally.trials += 1;
            match record {
                Some(record) if record.true_us - struck_us <= bound.as_micros() => {
                    tally.close((record.true_us - struck_us) as f64 / bound.as_micros() as f64);
                }
                Some(record) => {
                    tally.cross(&format!("after {} us of {}", record.true_us - struck_us, bound.as_micros()), &plan)
                }
                None => tally.cross("never", &plan),
            }
        }
    }
    for (name, tally) in names.iter().zip(&tallies) {
        tally.verdict(name);
    }
}

/// A primary that loses no more heartbeats in a row than its term allows for keeps its role; with a term that is a
/// little shorter, it need not.
#[test]
fn lost_heartbeats_within_the_term_cost_no_role() {
    let mut chance = Stream::new(SEED, Concern::Plan, 3, 0);
    let mut tally = Tally::default();
    for trial in 0..TRIALS {
        let setting = Setting::draw(&mut chance);
        let lost = chance.between(1, 3) as u32;
        let need = no_false_step_down(setting.interval, lost, &setting.bounds);
        let short_ppm = if trial % 2 == 0 { 0 } else { chance.between(1_000, 30_000) };
        let setting = setting.with_term(us(need.as_micros() - need.as_micros() * short_ppm / 1_000_000));
        let time_us = setting.settled_us() + setting.interval.times(16).as_micros();
        let mut plan = setting.plan(Rules::hardened(), 1, time_us);
        // The first two messages are the query and the claim; then all are heartbeats.
        let phase = chance.below(u64::from(lost) + 1) as u32;
        for which in (2..20).filter(|which| !(which + phase).is_multiple_of(lost + 1)) {
            plan.fates.push(Fate { from: OLD, to: Place::Store, which, delay_us: None, again_us: None });
        }
        let (report, _) = run(&plan, false);
        tally.trials += 1;
        assert!(report.trusted_us > 0, "it worked");
        match (step_downs(&report) > 0, setting.term() < need) {
            (true, false) => tally.cross(&format!("{lost} lost, needs {need}, term {}", setting.term()), &plan),
            (true, true) => tally.close(setting.term().as_micros() as f64 / need.as_micros() as f64),
            (false, _) => {}
        }
    }
    tally.verdict("no false step-down");
}

/// A candidate that has seen a version unchanged for the observer age may take over; with a little less, it may not.
#[test]
fn observer_age_outlasts_the_term() {
    let mut chance = Stream::new(SEED, Concern::Plan, 4, 0);
    let rules = Rules { age: StoreAge::Observer, ..Rules::hardened() };
    let mut tally = Tally::default();
    for trial in 0..TRIALS {
        let setting = Setting::draw(&mut chance).with_some_term(&mut chance);
        let age = observer_age(setting.term(), &setting.bounds).as_micros();
        let short_ppm = if trial % 2 == 0 { 0 } else { chance.between(1_000, 30_000) };
        let waits_us = age - age * short_ppm / 1_000_000;
        let kind = FaultKind::Isolate { node: OLD, direction: Direction::Both };
        let (plan, _) = setting.struck(rules, kind, &mut chance);
        let end_us = plan.options.time_us();
        let plan = plan.fault(FaultKind::Retune { node: RIVAL, timeout_us: waits_us }, 0, end_us + 1);
        let (report, _) = run(&plan, false);
        tally.trials += 1;
        assert_eq!(report.doubted_us, 0, "all clocks are within the bounds");
        match (report.violations.first(), short_ppm > 0) {
            (Some(violation), false) => tally.cross(&format!("{violation:?}"), &plan),
            (Some(_), true) => tally.close(waits_us as f64 / age as f64),
            (None, _) => {}
        }
    }
    tally.verdict("observer age");
}
