//! What the cluster does with names, epochs and exits.

use super::*;

fn request(epoch: u32, name: Name, verb: Verb) -> Request {
    Request { by: B, tag: 9, epoch, name, verb }
}

const START: Verb = Verb::Start { runs: Duration::from_secs(3), fails: false };
const START_FAILING: Verb = Verb::Start { runs: Duration::from_secs(3), fails: true };

/// Asks, and says what was answered.
fn ask(cluster: &mut Cluster, ms: u64, epoch: u32, name: Name, verb: Verb) -> InstanceState {
    let request = request(epoch, name, verb);
    let mut outputs = Vec::new();
    cluster.handle(at(ms), ClusterInput::Message(&Message::Request(request)), &mut outputs);
    match outputs[..] {
        [Output::Send(Target::Server(B), Message::Said(said))] => {
            assert_eq!((said.to, said.tag, said.epoch, said.name), (B, 9, epoch, name));
            said.state
        }
        ref other => panic!("no answer: {other:?}"),
    }
}

fn fire(cluster: &mut Cluster, ms: u64) -> Option<Name> {
    let mut outputs = Vec::new();
    cluster.handle(at(ms), ClusterInput::Timer, &mut outputs);
    assert_eq!(outputs, []);
    cluster.exited()
}

#[test]
fn a_name_starts_once_for_ever() {
    let mut cluster = Cluster::new(Rules::hardened());
    let name = name(1, 1, 1);
    assert_eq!(ask(&mut cluster, 0, 1, name, Verb::Ask), InstanceState::Never);
    for ms in [0, 10, 2_999] {
        assert_eq!(ask(&mut cluster, ms, 1, name, START), InstanceState::Running);
    }
    assert_eq!((cluster.count(name).0, cluster.live(JobId(1)), cluster.deadline()), (1, 1, Some(at(3_000))));
    assert_eq!(fire(&mut cluster, 2_999), None);
    assert_eq!(fire(&mut cluster, 3_000), Some(name));
    assert_eq!(ask(&mut cluster, 3_001, 2, name, START), InstanceState::Succeeded);
    assert_eq!((cluster.count(name).0, cluster.live(JobId(1)), cluster.deadline()), (1, 0, None));
}

/// Calls that bear no name start one more each: what the published rules do.
#[test]
fn without_names_each_call_starts_one_more() {
    let mut cluster = Cluster::new(Rules { progress: Progress::DeleteAfterRun, ..Rules::hardened() });
    let name = name(1, 1, 1);
    (0..3).for_each(|ms| assert_eq!(ask(&mut cluster, ms, 1, name, START), InstanceState::Running));
    assert_eq!((cluster.count(name).0, cluster.live(JobId(1))), (3, 3));
    assert_eq!((fire(&mut cluster, 5_000), cluster.live(JobId(1))), (Some(name), 2));
    assert_eq!(cluster.state(name), InstanceState::Running, "two of them run");
    assert_eq!(ask(&mut cluster, 5_001, 1, name, Verb::StopAll), InstanceState::Stopped);
    assert_eq!((cluster.live(JobId(1)), cluster.deadline()), (0, None));
}

#[test]
fn a_stop_uses_the_name_up() {
    let mut cluster = Cluster::new(Rules::hardened());
    let (first, second) = (name(1, 1, 1), name(1, 1, 2));
    assert_eq!(ask(&mut cluster, 0, 1, first, Verb::Stop), InstanceState::Stopped);
    assert_eq!(ask(&mut cluster, 1, 1, first, START), InstanceState::Stopped);
    assert_eq!((cluster.count(first).0, cluster.live(JobId(1))), (0, 0));
    assert_eq!(ask(&mut cluster, 2, 1, second, START), InstanceState::Running, "another attempt has another name");
    assert_eq!(ask(&mut cluster, 3, 1, second, Verb::Stop), InstanceState::Stopped);
    assert_eq!((cluster.live(JobId(1)), cluster.deadline()), (0, None), "what was stopped does not exit any more");
}

#[test]
fn what_is_over_stays_as_it_is() {
    for (verb, state) in [(START, InstanceState::Succeeded), (START_FAILING, InstanceState::Failed)] {
        let mut cluster = Cluster::new(Rules::hardened());
        let name = name(1, 1, 1);
        ask(&mut cluster, 0, 1, name, verb);
        assert_eq!(fire(&mut cluster, 3_000), Some(name));
        assert_eq!(ask(&mut cluster, 3_001, 1, name, Verb::Stop), state);
    }
}

#[test]
fn instances_exit_one_by_one_in_order() {
    let mut cluster = Cluster::new(Rules::hardened());
    for job in [2, 1] {
        ask(&mut cluster, 0, 1, name(job, 1, 1), START);
    }
    let exits = [0; 3].map(|_| fire(&mut cluster, 9_000));
    assert_eq!(exits, [Some(name(1, 1, 1)), Some(name(2, 1, 1)), None]);
    ask(&mut cluster, 9_001, 1, name(1, 1, 1), Verb::Ask);
    assert_eq!(cluster.exited(), None);
}

/// J8: a request of a former owner changes nothing; without fences it does.
#[test]
fn only_fences_refuse_a_former_owner() {
    for (fencing, expected) in [(Fencing::Epoch, InstanceState::Refused), (Fencing::None, InstanceState::Running)] {
        let mut cluster = Cluster::new(Rules { fencing, ..Rules::hardened() });
        assert_eq!(ask(&mut cluster, 0, 5, name(1, 1, 1), Verb::Ask), InstanceState::Never, "asking shows the epoch");
        assert_eq!(cluster.epoch(name(1, 1, 1)), 5);
        let before = cluster.clone();
        assert_eq!(ask(&mut cluster, 1, 4, name(1, 1, 1), START), expected);
        assert_eq!(cluster == before, fencing == Fencing::Epoch);
        assert_eq!(cluster.epoch(name(1, 1, 1)), 5, "an older epoch is not remembered");
        assert_eq!(ask(&mut cluster, 2, 4, name(2, 1, 1), START), InstanceState::Running, "epochs are those of a job");
    }
}

/// Where each action has a row of its own, it has owners of its own, and the epochs of two rows say nothing of each other.
#[test]
fn a_fence_is_that_of_a_row() {
    for (task_key, expected) in [(TaskKey::Job, InstanceState::Refused), (TaskKey::Task, InstanceState::Running)] {
        let rules = Rules { task_key, ..Rules::hardened() };
        let mut cluster = Cluster::new(rules);
        ask(&mut cluster, 0, 5, name(1, 1, 1), Verb::Ask);
        assert_eq!(ask(&mut cluster, 1, 4, name(1, 2, 1), START), expected, "{task_key:?}");
        assert_eq!(ask(&mut cluster, 2, 4, name(1, 1, 2), START), InstanceState::Refused);
        cluster.upgrade(Rules::hardened());
        assert_eq!((cluster.epoch(name(1, 1, 1)), cluster.epoch(name(1, 7, 1))), (5, 5), "rows are put together");
    }
}

#[test]
fn a_fence_refuses_every_verb() {
    for verb in [Verb::Ask, START, Verb::Stop, Verb::StopAll] {
        let mut cluster = Cluster::new(Rules::hardened());
        ask(&mut cluster, 0, 2, name(1, 1, 1), START);
        let before = cluster.clone();
        assert_eq!(ask(&mut cluster, 1, 1, name(1, 1, 1), verb), InstanceState::Refused);
        assert_eq!(cluster, before, "{verb:?}");
    }
}

#[test]
fn what_is_not_for_the_cluster_is_ignored() {
    let mut cluster = Cluster::new(Rules::hardened());
    let (before, mut outputs) = (cluster.clone(), Vec::new());
    cluster.handle(at(0), ClusterInput::Message(&Message::Accepted(JobId(1), 1)), &mut outputs);
    assert_eq!((cluster, outputs), (before, Vec::new()));
}
