//! The job table: what each operation does, and what it refuses.

use super::*;

/// The table with its sessions and members, as the store has them. Servers A, B and C hold sessions from 0 on.
#[derive(Clone)]
struct Store {
    jobs: Jobs,
    sessions: HeartbeatTable,
    members: Members,
    owners: [Owner; 3],
    ms: u64,
}

impl Store {
    fn new(rules: Rules) -> Self {
        let (mut sessions, mut members) = (sessions(), Members::default());
        let owners = [A, B, C].map(|server| grant(&mut sessions, server, 0));
        for server in [A, B, C] {
            members.change(MemberChange::Joined(server));
        }
        let jobs = Jobs::new(JobsConfig { rules, attempts_max: 2 });
        Self { jobs, sessions, members, owners, ms: 0 }
    }

    fn hardened() -> Self {
        Self::new(Rules::hardened())
    }

    /// Carries an operation out for whoever knows the present members.
    fn ask(&mut self, by: Owner, what: What) -> (Result, Effect) {
        self.ask_with(by, self.members.version(), what)
    }

    fn ask_with(&mut self, by: Owner, members: u32, what: What) -> (Result, Effect) {
        let before = self.jobs.clone();
        let operation = Operation { by, tag: 4, members, what };
        let now = store_at(self.ms);
        let (outcome, effect) = self.jobs.operate(&operation, &mut self.sessions, &self.members, now);
        assert_eq!((outcome.to, outcome.tag), (by, 4));
        let same = before == self.jobs;
        assert_eq!(same, effect == Effect::None, "{what:?}: {effect:?}");
        assert!(same || outcome.result == Result::Done, "{what:?} was refused: {:?}", outcome.result);
        (outcome.result, effect)
    }

    fn insert(&mut self, action: Action, home: Host) -> Result {
        self.ask(self.owners[0], What::Insert { action, home }).0
    }

    fn claim(&mut self, by: Owner, job: u32) -> (Result, Effect) {
        let version = self.row(job).version;
        self.ask(by, What::Claim { row: RowId(job), version })
    }

    fn change(&mut self, by: Owner, job: u32, change: Change) -> (Result, Effect) {
        let RowView { epoch, version, .. } = self.row(job);
        self.ask(by, What::Change { row: RowId(job), epoch, version, change })
    }

    fn row(&self, job: u32) -> RowView {
        *self.jobs.row(RowId(job)).expect("it was written down").view()
    }

    /// A job that A owns and whose first instance was seen.
    fn running(rules: Rules) -> Self {
        let mut store = Self::new(rules);
        let a = store.owners[0];
        assert_eq!(store.insert(action(1, 1, Kind::Start), A), Result::Done);
        assert_eq!(store.claim(a, 1), (Result::Done, Effect::Claimed { from: None, expired: false }));
        for change in [Change::Intend, Change::Run] {
            assert_eq!(store.change(a, 1, change), (Result::Done, Effect::Changed(change)));
        }
        store
    }

    /// The rows of a scope, page by page.
    fn list(&self, by: Host, scope: Scope) -> Vec<u32> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.jobs.list(by, scope, after);
            all.extend(page.iter().flatten().map(|row| row.job.0));
            match page[ROWS_MAX - 1] {
                Some(last) => after = Some((last.hash, last.id)),
                None => return all,
            }
        }
    }

    fn orphans(&self) -> Vec<u32> {
        self.list(A, Scope::Orphans { first: i64::MIN, last: i64::MAX })
    }

    /// A server leaves: its session is over by now.
    fn leave(&mut self, server: Host) {
        assert!(self.members.change(MemberChange::Left(server)));
        self.jobs.left(server);
    }
}

#[test]
fn actions_are_written_down_in_order_and_once() {
    let mut store = Store::hardened();
    assert_eq!(store.insert(action(1, 2, Kind::Cancel), A), Result::NotYet, "the first one is missing");
    assert_eq!(store.insert(action(1, 1, Kind::Start), A), Result::Done);
    assert_eq!(store.insert(action(1, 3, Kind::Cancel), A), Result::NotYet, "a gap");
    assert_eq!(store.insert(action(1, 2, Kind::Cancel), A), Result::Done);
    let before = store.jobs.clone();
    for number in [1, 2] {
        assert_eq!(store.insert(action(1, number, Kind::Restart), B), Result::Done, "again");
    }
    assert_eq!(store.jobs, before, "what is written down stays as it is");
    let RowView { action, kind, waiting, home, .. } = store.row(1);
    assert_eq!((action, kind, waiting, home), (1, Kind::Start, 1, A));
    assert_eq!(store.jobs.row_of(JobId(1), 2), Some(RowId(1)));
    assert_eq!(store.jobs.row_of(JobId(1), 3), None);
}

#[test]
fn only_so_many_actions_wait() {
    let mut store = Store::hardened();
    for number in 1..=WAITING_MAX as u16 + 1 {
        assert_eq!(store.insert(action(1, number, Kind::Start), A), Result::Done);
    }
    let more = action(1, WAITING_MAX as u16 + 2, Kind::Start);
    assert_eq!(store.insert(more, A), Result::NotYet);
    assert_eq!(store.insert(action(1, 2, Kind::Start), A), Result::Done, "those that wait are known");
    let a = store.owners[0];
    store.claim(a, 1);
    store.change(a, 1, Change::End(Verdict::Cancelled));
    assert_eq!(store.insert(more, A), Result::Done, "there is room again");
}

#[test]
fn an_action_of_whoever_knows_older_members_is_not_written_down() {
    let mut store = Store::hardened();
    let insert = |number| What::Insert { action: action(1, number, Kind::Start), home: A };
    let (a, version) = (store.owners[0], store.members.version());
    assert_eq!(store.ask_with(a, version - 1, insert(1)).0, Result::OldMembers);
    assert_eq!(store.ask_with(a, version, insert(1)).0, Result::Done);
    assert_eq!(store.ask_with(a, version - 1, insert(1)).0, Result::Done, "it was before");
    let mut frozen = Store::new(Rules { membership: Membership::Frozen, ..Rules::hardened() });
    assert_eq!(frozen.ask_with(a, version - 1, insert(1)).0, Result::Done);
}

/// J2: each action is a row of its own, so nothing keeps their order.
#[test]
fn tasks_are_rows_of_their_own() {
    let mut store = Store::new(Rules { task_key: TaskKey::Task, ..Rules::hardened() });
    for (number, row) in [(2, 0), (1, 1)] {
        assert_eq!(store.insert(action(7, number, Kind::Start), A), Result::Done);
        assert_eq!(store.jobs.row_of(JobId(7), number), Some(RowId(row)));
    }
    assert_eq!(store.insert(action(7, 2, Kind::Start), A), Result::Done);
    assert_eq!(store.jobs.rows().count(), 2);
    assert_ne!(store.row(0).hash, store.row(1).hash, "two servers may take them");
}

#[test]
fn a_claim_raises_the_epoch_and_is_told_again() {
    let mut store = Store::hardened();
    store.insert(action(1, 1, Kind::Start), A);
    let [_, b, _] = store.owners;
    let version = store.row(1).version;
    let claim = What::Claim { row: RowId(1), version };
    assert_eq!(store.ask(b, claim), (Result::Done, Effect::Claimed { from: None, expired: false }));
    let row = store.row(1);
    assert_eq!((row.owner, row.epoch, row.version, row.home), (Some(b), 1, version + 1, B));
    assert_eq!(store.ask(b, claim), (Result::Done, Effect::None), "the answer was lost");
    assert_eq!(store.row(1), row);
}

#[test]
fn claims_are_refused_for_these_reasons() {
    let mut store = Store::hardened();
    let [a, b, c] = store.owners;
    assert_eq!(store.ask(a, What::Claim { row: RowId(1), version: 1 }).0, Result::Missing);
    store.insert(action(1, 1, Kind::Start), A);
    let claim = What::Claim { row: RowId(1), version: 1 };
    let (former, later) = (owner(A, 0), Owner { term: Epoch { counter: 9, ..a.term }, ..a });
    for stranger in [former, later, owner(Host(3), 1)] {
        assert_eq!(store.ask(stranger, claim).0, Result::NoSession, "{stranger:?}");
    }
    let version = store.members.version();
    for other in [version - 1, version + 1] {
        assert_eq!(store.ask_with(a, other, claim).0, Result::OldMembers);
    }
    for other in [0, 2] {
        assert_eq!(store.ask(a, What::Claim { row: RowId(1), version: other }).0, Result::Changed);
    }
    assert_eq!(store.claim(b, 1).0, Result::Done);
    assert_eq!(store.claim(c, 1).0, Result::Owned, "its owner lives");
    store.change(b, 1, Change::End(Verdict::Cancelled));
    assert_eq!(store.claim(c, 1).0, Result::Changed, "it is over");
    store.ms = 5_001;
    store.insert(action(2, 1, Kind::Start), A);
    assert_eq!(store.claim(c, 2).0, Result::NoSession, "its session has run out");
}

/// The owner's session is found over in the transaction that gives its row away: after that it is never renewed.
#[test]
fn a_row_is_taken_over_from_a_session_that_is_over() {
    let mut store = Store::running(Rules::hardened());
    let a = store.owners[0];
    store.ms = 5_000;
    let new_b = grant(&mut store.sessions, B, 5_000);
    let claimed = store.claim(new_b, 1);
    assert_eq!(claimed, (Result::Done, Effect::Claimed { from: Some(a), expired: true }));
    let renewal = Claim {
        utype: seat(A),
        incarnation: Incarnation { mint: 1, life: 1 },
        host: A,
        seq: 2,
        sent_at: Instant::ZERO,
        epoch: a.term,
        token: None,
    };
    assert_eq!(store.sessions.heartbeat(&renewal, store_at(5_000)).0, Accepted::Refused);
    let row = store.row(1);
    assert_eq!((row.owner, row.epoch, row.phase), (Some(new_b), 2, Phase::Running), "the instance goes on");
    assert_eq!(store.change(a, 1, Change::Retry).0, Result::Changed, "it is no longer its own");
}

#[test]
fn a_row_is_taken_over_from_an_earlier_session_of_the_same_server() {
    let mut store = Store::running(Rules::hardened());
    let a = store.owners[0];
    store.ms = 6_000;
    let again = grant(&mut store.sessions, A, 6_000);
    assert_ne!(again.term, a.term);
    assert_eq!(store.claim(again, 1), (Result::Done, Effect::Claimed { from: Some(a), expired: true }));
}

/// J9: a row is taken while its owner lives.
#[test]
fn only_release_first_waits_for_the_owner() {
    let mut store = Store::running(Rules { handover: Handover::AtOnce, ..Rules::hardened() });
    let [a, b, _] = store.owners;
    assert_eq!(store.claim(b, 1), (Result::Done, Effect::Claimed { from: Some(a), expired: false }));
}

#[test]
fn a_row_changes_only_in_the_epoch_of_its_owner() {
    for claiming in [Claiming::CompareAndSet, Claiming::None] {
        let mut store = Store::running(Rules { claiming, ..Rules::hardened() });
        let [a, b, _] = store.owners;
        let RowView { epoch, version, .. } = store.row(1);
        let retry = |epoch, version| What::Change { row: RowId(1), epoch, version, change: Change::Retry };
        assert_eq!(store.ask(a, retry(epoch, version - 1)).0, Result::Changed, "another version");
        let missing = What::Change { row: RowId(9), epoch, version, change: Change::Retry };
        assert_eq!(store.ask(a, missing).0, Result::Missing);
        let expected = if claiming == Claiming::None { Result::Done } else { Result::Changed };
        for (by, epoch) in [(b, epoch), (a, epoch - 1), (a, epoch + 1), (owner(A, 77), epoch)] {
            let mut store = store.clone();
            assert_eq!(store.ask(by, retry(epoch, version)).0, expected, "{by:?} in {epoch}");
        }
        assert_eq!(store.ask(a, retry(epoch, version)).0, Result::Done);
    }
}

/// Which changes follow from where a row stands.
#[test]
fn changes_are_legal_by_this_table() {
    let verdicts = [Verdict::Done, Verdict::Failed, Verdict::Cancelled];
    let always = [Change::Retry, Change::Release { home: B }];
    let always: Vec<Change> = always.into_iter().chain(verdicts.map(Change::End)).collect();
    let rest = [Change::Intend, Change::Run, Change::Advance, Change::Delete];
    let mut store = Store::hardened();
    let a = store.owners[0];
    store.insert(action(1, 1, Kind::Start), A);
    store.claim(a, 1);
    let legal = |store: &Store| -> Vec<Change> {
        let all = always.iter().chain(&rest).copied();
        all.filter(|change| store.clone().change(a, 1, *change).0 == Result::Done).collect()
    };
    let with = |some: &[Change]| -> Vec<Change> { always.iter().chain(some).copied().collect() };
    assert_eq!(legal(&store), with(&[Change::Intend]));
    store.change(a, 1, Change::Intend);
    assert_eq!(legal(&store), with(&[Change::Run]));
    store.change(a, 1, Change::Run);
    assert_eq!(legal(&store), always);
    store.insert(action(1, 2, Kind::Revoke), A);
    assert_eq!(legal(&store), with(&[Change::Advance]));
    store.change(a, 1, Change::Advance);
    assert_eq!(legal(&store), with(&[Change::Run]), "what runs is not revoked");
    store.change(a, 1, Change::End(Verdict::Cancelled));
    assert_eq!(legal(&store), []);

    let mut store = Store::hardened();
    store.insert(action(1, 1, Kind::Revoke), A);
    store.claim(a, 1);
    assert_eq!(legal(&store), always, "nothing was started");
    let mut store = Store::running(Rules { progress: Progress::DeleteAfterRun, ..Rules::hardened() });
    assert_eq!(store.change(a, 1, Change::Delete).0, Result::Done);
    assert_eq!((store.jobs.rows().count(), store.list(A, Scope::All)), (0, Vec::new()));
}

#[test]
fn attempts_are_counted_to_the_cap() {
    let mut store = Store::running(Rules::hardened());
    let a = store.owners[0];
    assert_eq!(store.row(1).last, Some(name(1, 1, 1)));
    store.change(a, 1, Change::Retry);
    assert_eq!((store.row(1).attempt, store.row(1).phase), (2, Phase::Pending));
    store.change(a, 1, Change::Intend);
    assert_eq!(store.row(1).last, Some(name(1, 1, 2)), "another attempt is another instance");
    assert_eq!(store.change(a, 1, Change::Retry), (Result::Done, Effect::GivenUp));
    let row = store.row(1);
    assert_eq!((row.phase, row.owner, row.attempt), (Phase::Failed, None, 2));
    store.insert(action(1, 2, Kind::Restart), B);
    let row = store.row(1);
    assert_eq!((row.phase, row.action, row.attempt, row.home), (Phase::Pending, 2, 1, B), "the next action is new");
}

#[test]
fn what_waits_begins_when_the_action_is_over() {
    let mut store = Store::running(Rules::hardened());
    let a = store.owners[0];
    store.insert(action(1, 2, Kind::Restart), B);
    store.insert(action(1, 3, Kind::Cancel), C);
    store.change(a, 1, Change::End(Verdict::Done));
    let row = store.row(1);
    assert_eq!((row.owner, row.action, row.kind, row.waiting), (Some(a), 2, Kind::Restart, 1), "by the same owner");
    assert_eq!((row.phase, row.attempt, row.last), (Phase::Pending, 1, Some(name(1, 1, 1))));
    store.change(a, 1, Change::End(Verdict::Failed));
    store.change(a, 1, Change::End(Verdict::Cancelled));
    let row = store.row(1);
    assert_eq!((row.owner, row.action, row.phase), (None, 3, Phase::Cancelled));
}

#[test]
fn a_released_row_is_for_its_new_home() {
    let mut store = Store::running(Rules::hardened());
    let [a, b, _] = store.owners;
    let RowView { epoch, version, .. } = store.row(1);
    let release = What::Change { row: RowId(1), epoch, version, change: Change::Release { home: B } };
    assert_eq!(store.ask_with(a, 2, release).0, Result::OldMembers);
    assert_eq!(store.ask(a, release).0, Result::Done);
    let row = store.row(1);
    assert_eq!((row.owner, row.home, row.phase, row.epoch), (None, B, Phase::Running, epoch));
    assert_eq!((store.list(A, Scope::Home), store.list(B, Scope::Home)), (Vec::new(), [1].to_vec()));
    assert_eq!(store.claim(b, 1), (Result::Done, Effect::Claimed { from: None, expired: false }));
    assert_eq!((store.row(1).epoch, store.list(B, Scope::Home)), (epoch + 1, Vec::new()), "nobody else is needed");
}

#[test]
fn a_row_of_nobody_can_be_forwarded_by_anybody() {
    let mut store = Store::hardened();
    store.insert(action(1, 1, Kind::Start), A);
    let [a, b, c] = store.owners;
    let version = store.row(1).version;
    let forward = What::Change { row: RowId(1), epoch: 0, version, change: Change::Forward { home: B } };
    assert_eq!(store.ask_with(c, 2, forward).0, Result::OldMembers);
    assert_eq!(store.ask(c, forward).0, Result::Done);
    assert_eq!((store.list(A, Scope::Home), store.list(B, Scope::Home)), (Vec::new(), [1].to_vec()));
    store.claim(b, 1);
    for by in [a, b, c] {
        assert_eq!(store.change(by, 1, Change::Forward { home: C }).0, Result::Changed, "it has an owner");
    }
}

/// What a server that leaves was to take, and what it owned, is found by those who look for it; a row that is over is not.
#[test]
fn what_a_server_leaves_behind_is_found() {
    let mut store = Store::running(Rules::hardened());
    let [a, b, c] = store.owners;
    store.insert(action(2, 1, Kind::Start), A);
    store.insert(action(3, 1, Kind::Start), A);
    store.claim(a, 3);
    store.change(a, 3, Change::End(Verdict::Cancelled));
    store.insert(action(4, 1, Kind::Start), B);
    store.leave(A);
    let found = store.orphans();
    assert_eq!((found.len(), found.contains(&1), found.contains(&2)), (2, true, true), "{found:?}");
    let hashes: Vec<i64> = found.iter().map(|job| store.row(*job).hash).collect();
    assert!(hashes.is_sorted());
    assert_eq!((store.list(A, Scope::Home), store.list(B, Scope::Home)), (Vec::new(), [4].to_vec()));

    assert_eq!(store.change(b, 2, Change::Forward { home: C }).0, Result::Done);
    assert_eq!(store.change(b, 1, Change::Forward { home: C }).0, Result::Done, "its owner has left");
    assert_eq!((store.orphans(), store.list(C, Scope::Home).len()), (Vec::new(), 2));
    assert_eq!(store.claim(c, 1).0, Result::Owned, "the session has not run out by itself");
    store.ms = 5_001;
    let again = grant(&mut store.sessions, C, 5_001);
    assert_eq!(store.claim(again, 1).0, Result::Done);
    assert_eq!(store.list(C, Scope::Home), [2]);
    store.leave(C);
    assert_eq!(store.orphans().len(), 2, "both are without anybody again");
}

/// The one who takes an action down for a row that is over says whose it is now.
#[test]
fn a_row_that_was_over_is_for_whom_its_next_action_names() {
    let mut store = Store::running(Rules::hardened());
    let a = store.owners[0];
    store.leave(A);
    store.change(a, 1, Change::End(Verdict::Done));
    assert_eq!(store.orphans(), [], "nothing is left to do");
    store.insert(action(1, 2, Kind::Restart), B);
    assert_eq!((store.orphans(), store.list(B, Scope::Home)), (Vec::new(), [1].to_vec()));
}

#[test]
fn lists_come_in_pages_by_hash_within_their_part() {
    let mut store = Store::hardened();
    for job in 1..=7 {
        store.insert(action(job, 1, Kind::Start), A);
    }
    let mut by_hash: Vec<u32> = (1..=7).collect();
    by_hash.sort_by_key(|job| hash64_of_number(i64::from(*job)));
    assert_eq!(store.list(A, Scope::Home), by_hash);
    assert_eq!(store.list(B, Scope::Home), []);
    assert_eq!(store.orphans(), []);
    assert_eq!(store.list(B, Scope::All).len(), 7);
    store.leave(A);
    let hash = |at: usize| hash64_of_number(i64::from(by_hash[at]));
    let part = |first, last| store.list(B, Scope::Orphans { first, last });
    assert_eq!(part(hash(2), hash(4)), by_hash[2..=4], "both ends are included");
    assert_eq!(part(hash(2) + 1, hash(4) - 1), by_hash[3..=3]);
    assert_eq!(part(hash(4), hash(2)), [], "there is no part that ends before it begins");
    assert_eq!(part(i64::MIN, i64::MAX), by_hash);
}

/// A place in a list that no list has shown is an odd question, and has an answer.
#[test]
fn a_list_continues_after_any_place() {
    let mut store = Store::hardened();
    let last = u32::MAX;
    store.insert(action(last, 1, Kind::Start), A);
    let row = store.row(last);
    let places = [(row.hash, row.id), (i64::MAX, RowId(last)), (i64::MIN, RowId(0))];
    for (place, shown) in places.into_iter().zip([false, false, true]) {
        assert_eq!(store.jobs.list(A, Scope::Home, Some(place))[0].is_some(), shown, "{place:?}");
    }
    assert_eq!(store.jobs.list(A, Scope::All, Some((0, RowId(last)))), [None; ROWS_MAX]);
    store.leave(A);
    let part = Scope::Orphans { first: row.hash, last: row.hash };
    for (place, shown) in [((row.hash - 1, RowId(last)), true), ((row.hash + 1, RowId(0)), false)] {
        assert_eq!(store.jobs.list(B, part, Some(place))[0].is_some(), shown, "{place:?}");
    }
}

/// Where rows are deleted, a job may be written down again. Its epochs go on: the cluster has seen those before.
#[test]
fn a_row_that_was_deleted_goes_on_counting_its_epochs() {
    let mut store = Store::running(Rules { progress: Progress::DeleteAfterRun, ..Rules::hardened() });
    let [a, b, _] = store.owners;
    assert_eq!(store.change(a, 1, Change::Delete).0, Result::Done);
    assert!(store.jobs.row(RowId(1)).is_none());
    assert_eq!(store.insert(action(1, 2, Kind::Start), B), Result::Done);
    assert_eq!((store.row(1).epoch, store.row(1).owner), (1, None));
    store.claim(b, 1);
    assert_eq!(store.row(1).epoch, 2);
}
