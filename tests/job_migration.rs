//! Servers that come, go and come back, by plans that are written by hand: who is a member when, whose each job is, and that
//! what runs goes on while it changes hands.
//!
//! Method: runs are watched. After the first step of the store at each given time the tables are looked at, and compared
//! with a ring that is built here from the names of the members.

use failproof::distribution::{Distribution, Options, Part};
use failproof::engine::fast;
use failproof::fault::{FaultKind, Place};
use failproof::plan::{Plan, Task, TaskKind};
use failproof::report::RunReport;
use failproof_core::distribution::{Cluster, HashRing, JobId, Name, Phase, RingRules, RowView};
use failproof_core::{Duration, Host};
use std::collections::BTreeMap;
use std::sync::Arc;

const SECOND: u64 = 1_000_000;

/// What is seen at one time.
#[derive(Clone, Debug, Default)]
struct Sight {
    version: u32,
    members: Vec<Host>,
    rows: Vec<RowView>,
    /// Of each server that is up: the version that it knows, its members, and whether it holds a session.
    views: BTreeMap<Host, (u32, Vec<Host>, bool)>,
    cluster: Option<Cluster>,
}

impl Sight {
    /// Jobs that are not over, and whose they are.
    fn owners(&self) -> BTreeMap<JobId, Option<Host>> {
        let rows = self.rows.iter().filter(|row| !row.phase.is_over());
        rows.map(|row| (row.job, row.owner.map(|owner| owner.server))).collect()
    }

    /// The same jobs, and whose they are to be with these members.
    fn homes(&self, options: &Options, members: &[u16]) -> BTreeMap<JobId, Option<Host>> {
        let names = options.names();
        let named = members.iter().map(|n| (Host(*n), names[usize::from(*n)].as_bytes()));
        let ring = HashRing::with_members(RingRules::hardened(), options.vnodes_per_node, named).expect("names differ");
        let rows = self.rows.iter().filter(|row| !row.phase.is_over());
        rows.map(|row| (row.job, ring.owner_of(row.hash))).collect()
    }

    /// Jobs that run, by the table and at the cluster, and the one instance that runs of each.
    fn running(&self) -> BTreeMap<JobId, Name> {
        let lives = |name: &Name| self.cluster.as_ref().is_some_and(|cluster| cluster.count(*name) == (1, 1));
        let rows = self.rows.iter().filter(|row| row.phase == Phase::Running);
        rows.filter_map(|row| Some((row.job, row.last.filter(lives)?))).collect()
    }
}

fn hosts(servers: &[u16]) -> Vec<Host> {
    servers.iter().copied().map(Host).collect()
}

/// Runs a plan that breaks nothing; what is seen at each of these seconds.
fn seen(plan: &Plan, seconds: &[u64]) -> (RunReport, Vec<Sight>) {
    plan.check().unwrap_or_else(|error| panic!("{error}"));
    let (mut sights, mut sight, mut due) = (Vec::new(), Sight::default(), seconds.iter());
    let mut next = due.next();
    let (report, _) =
        fast::watch::<Distribution>(Arc::new(plan.clone()), false, |at_us, machine| match machine.part() {
            Part::Store(store) => {
                while next.is_some_and(|second| *second * SECOND <= at_us) {
                    sight.version = store.members().version();
                    sight.members = store.members().iter().collect();
                    sight.rows = store.jobs().rows().map(|row| *row.view()).collect();
                    sights.push(sight.clone());
                    next = due.next();
                }
            }
            Part::Server(server) => {
                let view = server.view();
                let members = view.ring().members().map(|(server, _)| server).collect();
                sight.views.insert(server.me().server, (view.version(), members, server.believes()));
            }
            Part::Cluster(cluster) => sight.cluster = Some(Cluster::clone(cluster)),
            Part::Submitter(_) | Part::Center(_) => {}
        });
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    assert!(report.convergence.is_some_and(|convergence| convergence.told && !convergence.is_late()));
    assert_eq!(sights.len(), seconds.len(), "the run is too short");
    (report, sights)
}

/// Five servers: the fourth and the fifth join late, the second crashes and comes back, the third gives its seat up.
#[test]
fn server_registration_and_discovery() {
    let options = Options { jobs: 40, time_us: 240 * SECOND, ..Options::default() };
    let down = |n| FaultKind::Crash { node: Place::Server(n), durable: false };
    let mut plan = Plan::calm(options).fault(down(3), 0, 20 * SECOND).fault(down(4), 0, 40 * SECOND).fault(
        down(1),
        60 * SECOND,
        20 * SECOND,
    );
    plan.workload.push(Task { at_us: 100 * SECOND, node: Place::Server(2), utype: 0, what: TaskKind::Resign });
    let expected: [(u64, &[u16]); 9] = [
        (1, &[0, 1, 2]),
        (19, &[0, 1, 2]),
        (25, &[0, 1, 2, 3]),
        (39, &[0, 1, 2, 3]),
        (45, &[0, 1, 2, 3, 4]),
        // Crashed, but the session has not run out: a member until then.
        (63, &[0, 1, 2, 3, 4]),
        (70, &[0, 2, 3, 4]),
        (90, &[0, 1, 2, 3, 4]),
        (120, &[0, 1, 2, 3, 4]),
    ];
    let (_, sights) = seen(&plan, &expected.map(|(second, _)| second));
    for ((second, members), sight) in expected.into_iter().zip(&sights) {
        assert_eq!(sight.members, hosts(members), "at {second} s");
        // A second suffices to hear of a change: each poll asks, and some of these times are right after one.
        let told = members.iter().filter(|n| second != 63 || **n != 1).map(|n| &sight.views[&Host(*n)]);
        for (version, ring, holds) in told.filter(|_| second != 1) {
            assert_eq!((*version, ring, *holds), (sight.version, &sight.members, true), "at {second} s");
        }
    }
    // Three at first, two late, one that left and came back, one that gave up and came back.
    let versions: Vec<u32> = sights.iter().map(|sight| sight.version).collect();
    assert_eq!(versions[1..], [3, 4, 4, 5, 5, 6, 7, 9], "each change is counted, and nothing else");
}

/// Long jobs on five servers, of which the fifth joins when all others are at work, and the first crashes and comes back.
#[test]
fn distribution_and_migration_under_failure_and_expansion() {
    let usual = Options::default();
    let options = Options {
        jobs: 120,
        time_us: 400 * SECOND,
        every_us: Duration::from_secs(1),
        runs_us_max: Duration::from_secs(2_000),
        ..usual
    };
    let down = |n| FaultKind::Crash { node: Place::Server(n), durable: false };
    let plan = Plan::calm(options.clone()).fault(down(4), 0, 60 * SECOND).fault(down(0), 120 * SECOND, 60 * SECOND);
    let (report, sights) = seen(&plan, &[59, 80, 119, 122, 140, 179, 200]);
    let [before, expanded, still, crashed, failed_over, alone, back] = &sights[..] else { unreachable!("seven times") };
    let on_ring = |sight: &Sight, members: &[u16]| {
        assert_eq!(sight.members, hosts(members));
        let owners = sight.owners();
        assert!(owners.len() > 60, "{} jobs are left", owners.len());
        assert_eq!(owners, sight.homes(&options, members));
    };
    on_ring(before, &[0, 1, 2, 3]);
    on_ring(expanded, &[0, 1, 2, 3, 4]);
    on_ring(still, &[0, 1, 2, 3, 4]);
    // The session of a server that crashed runs on for a while: its jobs are nobody else's yet.
    on_ring(crashed, &[0, 1, 2, 3, 4]);
    on_ring(failed_over, &[1, 2, 3, 4]);
    on_ring(alone, &[1, 2, 3, 4]);
    on_ring(back, &[0, 1, 2, 3, 4]);

    for (one, other, server) in [(before, expanded, 4), (crashed, failed_over, 0), (alone, back, 0)] {
        let (was, is) = (one.owners(), other.owners());
        let moved: Vec<_> = was.iter().filter(|(job, owner)| is.get(job).is_some_and(|now| now != *owner)).collect();
        assert!(moved.len() >= 5, "a server takes, or leaves, its share: {moved:?}");
        for (job, owner) in moved {
            let ends = [*owner, is[job]];
            assert!(ends.contains(&Some(Host(server))), "{job:?} moved between {ends:?}, not to or from {server}");
        }
        // What ran before and still runs is the same instance: it was adopted, not started anew.
        let (ran, runs) = (one.running(), other.running());
        let same = ran.iter().filter(|(job, name)| runs.get(job) == Some(name)).count();
        let anew = ran.iter().filter(|(job, name)| runs.get(job).is_some_and(|now| now != *name)).count();
        println!("server {server}: {same} instances went on, {anew} were followed by others");
        assert!(same > 50 && anew <= 5, "{same} of {} went on, {anew} are others", ran.len());
    }
    println!("{:?} {:?}", report.convergence, report.counters);
    assert!(report.counters["rows released"] >= 10, "the first five servers hand over to who joins");
    assert!(report.counters["rows taken over"] >= 5, "those of the first one are taken over");
}

/// What is asserted above would be seen: with a ring of other members, and with rules that never hand over.
#[test]
fn a_run_without_handover_is_told_from_one_with() {
    let mut options =
        Options { jobs: 60, time_us: 150 * SECOND, every_us: Duration::from_secs(1), ..Options::default() };
    options.runs_us_max = Duration::from_secs(2_000);
    options.calm_us = Duration::from_secs(3_600);
    let late = FaultKind::Crash { node: Place::Server(4), durable: false };
    let plan = Plan::calm(options.clone()).fault(late, 0, 60 * SECOND);
    let mut sight = Vec::new();
    let (report, _) = fast::watch::<Distribution>(Arc::new(plan), false, |_, machine| {
        if let Part::Store(store) = machine.part() {
            sight = store.jobs().rows().map(|row| *row.view()).collect();
        }
    });
    let sight = Sight { rows: sight, ..Sight::default() };
    assert_eq!(sight.owners(), sight.homes(&options, &[0, 1, 2, 3]), "nobody gave anything away");
    assert_ne!(sight.owners(), sight.homes(&options, &[0, 1, 2, 3, 4]));
    let convergence = report.convergence.expect("it is reported");
    assert!(convergence.after_us.is_none() || !convergence.told, "{convergence:?}");
}
