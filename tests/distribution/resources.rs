//! Resources of jobs, from the submitter to the start at the cluster.
//!
//! Method: one server, one submitter and one job that is made of several chunks are simulated. A calm run shows when each
//! message was sent; then one thing goes wrong in exactly that place. What is judged is what left the server and what the
//! reports count. What the judge must convict is planted below.

use failproof::distribution::Options;
use failproof::engine::Engine;
use failproof::fault::{Access, FaultKind, Place};
use failproof::plan::{Fate, Plan};
use failproof::report::RunReport;
use failproof::simulation::Simulation;
use failproof::trace::Record;
use failproof_core::Duration;
use failproof_core::distribution::resources::{Collection, Rules, Verification};
use std::sync::Arc;

/// The actors in their order: the database, the resource center, the cluster, the server, the submitter.
const CENTER: u16 = 1;
const CLUSTER: u16 = 2;
const SERVER: u16 = 3;
/// How many chunks the job is made of.
const CHUNKS: usize = 4;
const ATTEMPTS: u64 = 3;
const MINUTE_US: u64 = 60_000_000;

/// A run with its records.
struct Run {
    report: RunReport,
    records: Vec<Record>,
}

impl Run {
    fn of(plan: &Plan) -> Self {
        plan.check().unwrap_or_else(|error| panic!("{error}"));
        let (report, records) = Engine::Fast.run(&Arc::new(plan.clone()), true).expect("no panic");
        Self { report, records }
    }

    fn counted(&self, name: &str) -> u64 {
        self.report.counters[name]
    }

    /// When each message of this kind was sent to an actor, in true microseconds.
    fn sent(&self, target: u16, word: &str) -> Vec<u64> {
        let sends = |record: &&Record| record.sent.iter().any(|sent| sent.target == target && sent.word == word);
        self.records.iter().filter(sends).map(|record| record.true_us).collect()
    }

    /// When each message of this kind arrived at an actor.
    fn arrived(&self, target: u16, word: &str) -> Vec<u64> {
        let is = |record: &&Record| {
            record.actor == Some(target) && record.received.as_ref().is_some_and(|received| received.word == word)
        };
        self.records.iter().filter(is).map(|record| record.true_us).collect()
    }

    /// The job was not started, was reported as failed, and each of its attempts ended as is counted by this name.
    fn failed_as(&self, name: &str) {
        assert!(self.sent(CLUSTER, "start").is_empty(), "nothing is started without its resource");
        assert_eq!(self.report.violations, []);
        let counts = ["instances started", "resources fetched", "actions failed", name].map(|name| self.counted(name));
        assert_eq!(counts, [0, 0, 1, ATTEMPTS], "{:?}", self.report.counters);
    }
}

/// One job that is made of four chunks, is started once and ends well when nothing goes wrong.
fn plan() -> Plan {
    let options = Options {
        servers: 1,
        clients: 1,
        jobs: 1,
        time_us: MINUTE_US,
        attempts_max: ATTEMPTS as u8,
        content_max: 128,
        fetch_max: 128,
        ..Options::default()
    };
    let suits = |run: &Run| {
        run.counted("actions done") == 1
            && run.counted("instances started") == 1
            && run.sent(CENTER, "read chunk").len() == CHUNKS
    };
    (0..1_000)
        .map(|seed| Plan { seed, ..Plan::calm(options.clone()).noise_seed(seed) })
        .find(|plan| suits(&Run::of(plan)))
        .expect("one of them")
}

fn only(times: &[u64]) -> u64 {
    assert_eq!(times.len(), 1, "once: {times:?}");
    times[0]
}

/// Upload, reference, submission, fetch, intention, start: in this order, nothing of it twice but the submission.
#[test]
fn resource_retrieval_and_job_start_from_the_resource_center() {
    let run = Run::of(&plan());
    let mut way = run.sent(CENTER, "begin upload");
    way.extend(run.sent(CENTER, "put chunk"));
    way.push(only(&run.arrived(CENTER, "refer")));
    // The server holds no session yet when it is asked first.
    let submitted = run.sent(SERVER, "submit");
    way.extend(&submitted);
    way.extend(run.sent(CENTER, "read chunk"));
    way.push(only(&run.sent(0, "row starting")));
    way.push(only(&run.arrived(CLUSTER, "start")));
    way.push(only(&run.sent(0, "row over")));
    way.push(only(&run.sent(CENTER, "release resource")));
    assert!(way.is_sorted(), "{way:?}");
    assert_eq!(way.len(), 1 + CHUNKS + 1 + submitted.len() + CHUNKS + 4);
    assert_eq!(run.counted("resources fetched"), 1);
    assert_eq!(run.report.violations, []);
}

/// Each answer of the center to the server is the last one for ten minutes. Each attempt is cut off, and says so; what
/// came before is not enough to start the job. Nothing is lost before the submission, so the job is there.
#[test]
fn a_transfer_that_is_cut_at_any_chunk_starts_nothing() {
    for answers in 0..CHUNKS as u32 {
        let mut plan = plan();
        let lost = |which| Fate { from: Place::Center, to: Place::Server(0), which, delay_us: None, again_us: None };
        plan.fates = (answers..answers + 100).map(lost).collect();
        Run::of(&plan).failed_as("fetches that were cut");
    }
}

/// The same, but only the first attempt is cut off: the next one fetches all of it and starts the job.
#[test]
fn a_transfer_that_is_cut_once_is_made_again() {
    for answers in 0..CHUNKS as u32 {
        let mut plan = plan();
        let lost = |which| Fate { from: Place::Center, to: Place::Server(0), which, delay_us: None, again_us: None };
        plan.fates = (answers..answers + 3).map(lost).collect();
        let run = Run::of(&plan);
        let counts = ["fetches that were cut", "resources fetched", "instances started", "actions done"];
        assert_eq!(counts.map(|name| run.counted(name)), [1; 4], "after {answers} chunks: {:?}", run.report.counters);
        assert_eq!(run.report.violations, []);
    }
}

/// A replica of the center that lags by an hour has nothing yet.
#[test]
fn a_resource_that_is_missing_starts_nothing() {
    let stale = FaultKind::StaleRead { node: Some(Place::Server(0)), by_us: 60 * MINUTE_US };
    let from_us = Run::of(&plan()).sent(CENTER, "read chunk")[0];
    // A session that is read from the past is none: it ends before the server would lose it.
    let run = Run::of(&plan().fault(stale, from_us, 3_000_000));
    run.failed_as("fetches of a missing resource");
}

/// All chunks that come for three seconds are damaged.
#[test]
fn a_resource_that_is_corrupt_starts_nothing() {
    let (damage, from_us) = damage();
    let run = Run::of(&plan().fault(damage, from_us, 3_000_000));
    run.failed_as("fetches of a corrupt resource");
}

/// One damaged chunk, at each place: the digest tells, and all is fetched again.
#[test]
fn one_damaged_chunk_is_found_wherever_it_is() {
    let (damage, _) = damage();
    for at_us in Run::of(&plan()).arrived(CENTER, "read chunk") {
        let run = Run::of(&plan().fault(damage.clone(), at_us, 1));
        assert_eq!(run.sent(CENTER, "read chunk").len(), 2 * CHUNKS, "it starts over");
        assert_eq!(["resources fetched", "actions done"].map(|name| run.counted(name)), [1, 1]);
        assert_eq!(run.report.violations, []);
    }
}

/// What the center stores may be more than a server takes.
#[test]
fn a_resource_that_is_too_large_starts_nothing() {
    let mut plan = plan();
    plan.distribution_mut().fetch_max = 32;
    Run::of(&plan).failed_as("fetches of a resource that is too large");
}

/// The server that took the job over in the middle of its start fetches the resource before it starts it.
#[test]
fn a_job_whose_server_crashed_is_started_by_one_that_fetches_again() {
    let calm = Run::of(&plan());
    for times in [calm.sent(CENTER, "read chunk"), calm.sent(0, "row starting"), calm.arrived(SERVER, "outcome")] {
        for at_us in times {
            let crash = FaultKind::Crash { node: Place::Server(0), durable: true };
            let run = Run::of(&plan().fault(crash, at_us + 1, 1_000_000));
            assert_eq!(run.report.violations, []);
            assert_eq!(run.counted("actions done"), 1, "crashed at {at_us}: {:?}", run.report.counters);
        }
    }
}

/// While no server runs, the center collects what is old: by hardened rules not what a job refers to, by published ones
/// that too.
#[test]
fn a_resource_that_a_job_refers_to_is_there_when_it_is_needed() {
    let run = |collection| {
        let mut plan = plan();
        plan.distribution_mut().grace_us = Duration::from_secs(1);
        plan.distribution_mut().resources.collection = collection;
        let accepted_us = only(&Run::of(&plan).arrived(SERVER + 1, "accepted"));
        Run::of(&plan.fault(FaultKind::Crash { node: Place::Server(0), durable: true }, accepted_us, 8_000_000))
    };
    let hardened = run(Collection::Unreferenced);
    assert_eq!(["resources fetched", "actions done"].map(|name| hardened.counted(name)), [1, 1]);
    run(Collection::ByAge).failed_as("fetches of a missing resource");
}

/// A planted bug: a server that believes what comes. It says of itself that it has the resource; its bytes say otherwise.
#[test]
fn a_server_that_verifies_nothing_is_convicted_by_the_bytes_it_has() {
    let (damage, from_us) = damage();
    let mut plan = plan().fault(damage, from_us, 3_000_000);
    plan.distribution_mut().resources.verification = Verification::None;
    let run = Run::of(&plan);
    assert_eq!(run.counted("resources fetched"), 1);
    let broken: Vec<_> = run.report.violations.iter().map(|violation| violation.property).collect();
    assert_eq!(broken, ["StartsOnlyWithResources"]);
    plan.distribution_mut().resources = Rules::hardened();
    assert_eq!(Run::of(&plan).report.violations, []);
}

/// Damage of what the server reads, and when it reads the first chunk.
fn damage() -> (FaultKind, u64) {
    let damage = FaultKind::Corrupt { node: Some(Place::Server(0)), access: Access::Read };
    (damage, Run::of(&plan()).sent(CENTER, "read chunk")[0])
}

/// 40 seeds of each class of faults and of all of them: no violation, and jobs get what they are made of.
#[test]
fn jobs_get_what_they_are_made_of_under_all_faults() {
    for faults in ["process", "network", "store", "clock", "swarm"] {
        let outcome = Simulation::seeds(Options::default(), faults, 0..40).run();
        outcome.assert_safe().assert_converged();
        let fetched: u64 = outcome.reports().map(|report| report.counters["resources fetched"]).sum();
        assert!(fetched > 4_000, "only {fetched} under {faults} faults");
    }
}
