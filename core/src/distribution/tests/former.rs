//! A table of tasks that becomes a table of jobs: what becomes of its rows, and who finds nothing there any more.

use super::*;

/// A published table: A holds a session.
struct Former {
    jobs: Jobs,
    sessions: HeartbeatTable,
    members: Members,
    a: Owner,
}

impl Former {
    fn new() -> Self {
        let (mut sessions, mut members) = (sessions(), Members::default());
        let a = grant(&mut sessions, A, 0);
        members.change(joined(0));
        let jobs = Jobs::new(JobsConfig { rules: Rules::published(), attempts_max: 2 });
        Self { jobs, sessions, members, a }
    }

    fn ask(&mut self, what: What) -> Outcome {
        let operation = Operation { by: self.a, tag: 1, members: self.members.version(), what };
        self.jobs.operate(&operation, &mut self.sessions, &self.members, store_at(0)).0
    }

    fn insert(&mut self, job: u32, number: u16, kind: Kind) -> RowView {
        let outcome = self.ask(What::Insert { action: action(job, number, kind), home: A });
        assert_eq!(outcome.result, Result::Done);
        outcome.row.expect("it was written down")
    }

    /// As a server does that has called the cluster.
    fn delete(&mut self, row: RowView) -> Outcome {
        self.ask(What::Change { row: row.id, epoch: 0, version: row.version, change: Change::Delete })
    }

    fn upgraded(mut self) -> Self {
        self.jobs.upgrade(Rules::hardened());
        self
    }

    fn row(&self, job: u32) -> RowView {
        *self.jobs.row(RowId(job)).expect("it is there").view()
    }
}

#[test]
fn a_first_start_counts_as_about_to_be_started_and_the_next_action_waits() {
    let mut former = Former::new();
    former.insert(8, 1, Kind::Start);
    former.insert(7, 1, Kind::Start);
    former.insert(7, 2, Kind::Cancel);
    let table = former.upgraded();
    let seven = table.row(7);
    assert_eq!((seven.id, seven.hash), (RowId(7), hash64_of_number(7)));
    assert_eq!((seven.phase, seven.last, seven.waiting), (Phase::Starting, Some(name(7, 1, 1)), 1));
    assert_eq!((seven.owner, seven.epoch), (None, 0));
    let eight = table.row(8);
    assert_eq!((eight.phase, eight.last, eight.waiting), (Phase::Starting, Some(name(8, 1, 1)), 0));
    let orphans: Vec<_> = table.jobs.due().map(|(home, _, row)| (home, row)).collect();
    assert_eq!(orphans.len(), 2, "{orphans:?}");
    assert!(orphans.iter().all(|(home, _)| home.is_none()), "whoever comes first takes them: {orphans:?}");
}

#[test]
fn a_later_action_stops_what_the_one_before_it_started() {
    let mut former = Former::new();
    let start = former.insert(7, 1, Kind::Start);
    assert_eq!(former.delete(start).result, Result::Done);
    former.insert(7, 2, Kind::Restart);
    let table = former.upgraded();
    let row = table.row(7);
    assert_eq!((row.phase, row.action, row.last), (Phase::Pending, 2, Some(name(7, 1, 1))));
}

#[test]
fn an_action_that_was_overtaken_is_not_done_any_more() {
    let mut former = Former::new();
    former.insert(7, 1, Kind::Start);
    let restart = former.insert(7, 2, Kind::Restart);
    assert_eq!(former.delete(restart).result, Result::Done);
    let table = former.upgraded();
    assert_eq!(table.jobs.row(RowId(7)), None);
}

#[test]
fn an_action_whose_job_is_only_remembered_is_written_down_behind_it() {
    let mut former = Former::new();
    let start = former.insert(7, 1, Kind::Start);
    assert_eq!(former.delete(start).result, Result::Done);
    let mut table = former.upgraded();
    // The first one again: it was done, and is not written down once more.
    assert_eq!(table.ask(What::Insert { action: action(7, 1, Kind::Start), home: A }).result, Result::Done);
    assert_eq!(table.jobs.row(RowId(7)), None);
    let cancel = table.insert(7, 2, Kind::Cancel);
    assert_eq!((cancel.phase, cancel.kind, cancel.last), (Phase::Pending, Kind::Cancel, Some(name(7, 1, 1))));
    // Of a job that nobody knows, the second action comes too early.
    assert_eq!(table.ask(What::Insert { action: action(9, 2, Kind::Cancel), home: A }).result, Result::NotYet);
}

/// A row of a task may have the number of another job: who deletes it must not hit that one.
#[test]
fn whoever_asks_for_the_former_table_finds_nothing() {
    let mut former = Former::new();
    let task = former.insert(7, 1, Kind::Start);
    former.insert(0, 1, Kind::Start);
    assert_eq!(task.id, RowId(0));
    let mut table = former.upgraded();
    let zero = table.row(0);
    assert_eq!(table.jobs.list(A, Scope::All, None), [None; ROWS_MAX]);
    for change in [Change::Delete, Change::Retry] {
        let outcome = table.ask(What::Change { row: task.id, epoch: 0, version: zero.version, change });
        assert_eq!((outcome.result, outcome.row), (Result::Missing, None));
    }
    assert_eq!(table.row(0), zero);
}

#[test]
fn a_cluster_that_is_upgraded_knows_what_it_started_before() {
    let mut cluster = Cluster::new(Rules::published());
    let verb = Verb::Start { runs: Duration::from_secs(9), fails: false };
    let request = |epoch| Message::Request(Request { by: A, tag: 1, epoch, name: name(7, 1, 1), verb });
    let mut outputs = Vec::new();
    cluster.handle(at(0), ClusterInput::Message(&request(0)), &mut outputs);
    cluster.upgrade(Rules::hardened());
    cluster.handle(at(1), ClusterInput::Message(&request(1)), &mut outputs);
    assert_eq!(cluster.count(name(7, 1, 1)), (1, 1), "a name is started once");
    cluster.handle(at(2), ClusterInput::Message(&request(0)), &mut outputs);
    let refused =
        matches!(outputs.last(), Some(Output::Send(_, Message::Said(said))) if said.state == InstanceState::Refused);
    assert!(refused, "who names no epoch is older than everybody: {outputs:?}");
}
