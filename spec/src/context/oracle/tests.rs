//! Shows that the judge acquits a calm failover and convicts each planted mistake. Method: sequences of steps written
//! by hand, each with the state that a world would have seen after it.

use super::*;
use crate::context::{Cache, Seat};
use crate::finding::{ActorId, Finding};
use crate::property::Property;
use crate::token::Token;

use ContextAction::{
    Ack, Apply, Create, Doubt, Elsewhere, Expire, Forget, Give, Grant, Load, Read, Renew, Repair, Take, Trust,
};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// A world of one line for each step, in which nothing happens by itself. Three servers, one context.
struct Story {
    oracle: ContextOracle,
    findings: Vec<Finding>,
    at_us: u64,
}

impl Story {
    fn new() -> Self {
        Self { oracle: ContextOracle::new(1, 3), findings: Vec::new(), at_us: 0 }
    }

    fn step(&mut self, action: ContextAction, server: Option<usize>, edit: impl FnOnce(&mut ContextState)) {
        let mut after = *self.oracle.state(0);
        edit(&mut after);
        self.at_us += 1;
        self.oracle.step(action, 0, server.map(|server| server as u8), after, self.at_us, &mut self.findings);
    }

    /// `server` owns a new context, with `backup` behind it.
    fn create(&mut self, server: usize, backup: usize) {
        self.step(Create, Some(server), |state| {
            (state.main, state.backup) = (Some(server as u8), Some(backup as u8));
            state.seats[server].token = Token::Open;
        });
    }

    fn load(&mut self, server: usize, cache: Cache) {
        self.step(Load, Some(server), |state| state.seats[server].cache = cache);
    }

    fn apply(&mut self, server: usize) {
        self.step(Apply, Some(server), |state| {
            state.write = Write::Applied;
            state.split |= state.wrote.is_some_and(|wrote| usize::from(wrote) != server);
            state.wrote = state.wrote.or(Some(server as u8));
        });
    }

    /// The caches that are current become stale, but for the server's own.
    fn ack(&mut self, server: usize, own: Cache) {
        self.step(Ack, Some(server), |state| {
            state.write = Write::Acked;
            for seat in state.seats.iter_mut().filter(|seat| seat.cache == Cache::Current) {
                seat.cache = Cache::Stale;
            }
            state.seats[server].cache = own;
        });
    }

    fn read(&mut self, server: usize) {
        self.step(Read, Some(server), |_| {});
    }

    fn forget(&mut self, server: usize) {
        self.step(Forget, Some(server), |state| state.seats[server].cache = Cache::None);
    }

    fn expire(&mut self) {
        self.step(Expire, None, |state| state.expired = true);
    }

    fn take(&mut self, server: usize) {
        self.step(Take, Some(server), |state| {
            (state.main, state.backup) = (Some(server as u8), state.main);
            fence(&mut state.seats);
            state.seats[server].token = Token::Open;
            (state.wrote, state.expired) = (None, false);
        });
    }

    fn doubt(&mut self, server: usize, doubted: bool) {
        let action = if doubted { Doubt } else { Trust };
        self.step(action, Some(server), |state| state.seats[server].doubted = doubted);
    }

    fn broken(&self) -> Vec<Property> {
        self.findings.iter().map(|finding| finding.property).collect()
    }
}

fn fence(seats: &mut [Seat]) {
    seats.iter_mut().filter(|seat| seat.token == Token::Open).for_each(|seat| seat.token = Token::Fenced);
}

/// A owns a context with backup B, and has acknowledged a write.
fn at_work() -> Story {
    let mut story = Story::new();
    story.create(A, B);
    story.load(A, Cache::Current);
    story.apply(A);
    story.ack(A, Cache::Current);
    story.read(A);
    assert_eq!(story.findings, []);
    story
}

#[test]
fn calm_failover_is_strict() {
    let mut story = at_work();
    story.forget(A);
    story.expire();
    story.take(B);
    story.load(B, Cache::Current);
    story.apply(B);
    story.ack(B, Cache::Current);
    story.read(B);
    assert_eq!(story.findings, []);
    assert!(story.oracle.is_strict(0));
    let coverage = story.oracle.coverage();
    assert_eq!((coverage.count("Apply"), coverage.count("Take"), coverage.count("Renew")), (2, 1, 0));
    assert!(coverage.count("Elsewhere") > 0 && coverage.edges().visited > 10);
    assert_eq!(story.oracle.state(0).main, Some(1));
}

#[test]
fn handing_over_repairing_and_restarting_are_strict() {
    let mut story = at_work();
    story.step(Repair, Some(A), |state| state.backup = Some(C as u8));
    story.forget(A);
    story.step(Give, Some(A), |state| {
        (state.main, state.backup) = (state.backup, state.main);
        fence(&mut state.seats);
        state.wrote = None;
    });
    story.step(Grant, Some(C), |state| state.seats[C].token = Token::Open);
    story.expire();
    story.step(Renew, None, |state| state.expired = false);
    story.step(Grant, Some(C), |_| {});
    story.load(C, Cache::Current);
    story.read(C);
    assert_eq!(story.findings, []);
}

#[test]
fn a_late_acknowledgement_of_a_former_owner_is_strict() {
    let mut story = Story::new();
    story.create(A, B);
    story.apply(A);
    story.expire();
    story.take(B);
    story.load(B, Cache::Current);
    // The row that B has read holds the write, so its cache stays what it is.
    story.step(Ack, Some(A), |state| state.write = Write::Acked);
    story.read(B);
    assert_eq!(story.findings, []);
    story.step(Ack, Some(A), |state| state.seats[A].cache = Cache::Current);
    assert_eq!(story.broken(), [Property::NoStaleRead], "A cannot know what B has written since");
}

#[test]
fn what_a_doubted_server_reads_is_excused_until_it_is_trusted() {
    let mut story = at_work();
    story.doubt(A, true);
    story.expire();
    story.take(B);
    story.apply(B);
    story.ack(B, Cache::Current);
    story.read(A);
    assert_eq!(story.findings, []);
    story.doubt(A, false);
    assert_eq!(story.broken(), [Property::NoStaleRead]);
    assert_eq!(
        story.findings[0].to_string(),
        "NoStaleRead at 12 us: Trust of actor 0: a server is trusted again only after it has dropped what is stale"
    );
}

#[test]
fn writes_of_two_servers_in_one_epoch_are_found_before_and_when_they_split_it() {
    let mut story = at_work();
    story.apply(B);
    assert_eq!(story.broken(), [Property::OneOwnerPerEpoch]);
    assert_eq!(story.findings[0].guard, "the store accepts writes only from the owner of the row's epoch");
    assert!(story.oracle.state(0).split && !story.oracle.is_strict(0));

    // The first write of an epoch, by a server that is not owner.
    let mut story = Story::new();
    story.create(A, B);
    story.apply(B);
    assert_eq!(story.broken(), [Property::OneOwnerPerEpoch]);

    // The owner is replaced without a new epoch.
    let mut story = at_work();
    story.create(C, B);
    assert_eq!(story.broken(), [Property::OneOwnerPerEpoch]);
}

#[test]
fn a_stale_read_of_a_trusted_server_is_found_also_after_another_finding() {
    let mut story = at_work();
    story.apply(B);
    story.ack(B, Cache::Current);
    assert_eq!(story.oracle.state(0).seats[A].cache, Cache::Stale);
    story.read(A);
    assert_eq!(story.broken(), [Property::OneOwnerPerEpoch, Property::NoStaleRead]);
}

#[test]
fn servers_that_the_row_does_not_name_are_found() {
    let mut story = at_work();
    story.load(C, Cache::Current);
    assert_eq!(story.broken(), [Property::OnlyNamedServersServe]);

    let mut story = at_work();
    story.expire();
    story.take(C);
    assert_eq!(story.broken(), [Property::OnlyNamedServersServe]);

    let mut story = at_work();
    story.step(Grant, Some(B), |state| state.seats[B].token = Token::Open);
    assert_eq!(story.broken(), [Property::OnlyNamedServersServe]);
}

#[test]
fn a_takeover_that_does_not_wait_is_found() {
    let mut story = at_work();
    story.take(B);
    assert_eq!(story.broken(), [Property::TakeWaitsForExpiry]);
    assert_eq!((story.findings[0].actor, story.findings[0].rival), (Some(ActorId(1)), None));
}

#[test]
fn a_takeover_that_fences_nobody_is_found_in_the_seat_of_the_former_main() {
    let mut story = at_work();
    story.expire();
    story.step(Take, Some(B), |state| {
        (state.main, state.backup) = (Some(B as u8), Some(A as u8));
        state.seats[B].token = Token::Open;
        (state.wrote, state.expired) = (None, false);
    });
    assert_eq!(story.broken(), [Property::OneOwnerPerEpoch]);
    assert_eq!(story.findings[0].rival, Some(ActorId(0)));
}

#[test]
fn an_older_state_over_an_acknowledged_write_is_found() {
    let mut story = at_work();
    story.step(Apply, Some(A), |state| state.write = Write::Lost);
    assert_eq!(story.broken(), [Property::NoLostAcknowledgedWrite]);

    let mut story = at_work();
    story.apply(B);
    story.ack(B, Cache::None);
    story.step(Apply, Some(A), |state| state.write = Write::Lost);
    assert_eq!(story.broken(), [Property::OneOwnerPerEpoch, Property::NoLostAcknowledgedWrite]);
    story.apply(B);
    assert_eq!(story.findings.len(), 2, "a new write may follow");

    let mut story = Story::new();
    story.create(A, B);
    story.step(Ack, Some(A), |state| state.write = Write::Lost);
    assert_eq!(story.broken(), [Property::NoLostAcknowledgedWrite], "the write is not in the row");
}

#[test]
fn only_owners_give_repair_and_load() {
    let mut story = at_work();
    story.step(Repair, Some(B), |state| state.backup = Some(C as u8));
    assert_eq!(story.broken(), [Property::OneOwnerPerEpoch]);

    let mut story = at_work();
    story.load(B, Cache::Current);
    assert_eq!(story.broken(), [Property::NoStaleRead]);

    let mut story = at_work();
    story.load(A, Cache::Stale);
    assert_eq!(story.broken(), [Property::NoStaleRead]);
}

#[test]
fn a_step_that_the_name_does_not_explain_accuses_the_mapping() {
    let accused = |edit: &dyn Fn(&mut Story)| {
        let mut story = at_work();
        edit(&mut story);
        assert_eq!(story.broken(), [Property::RefinementHolds]);
    };
    accused(&|story| story.step(Read, Some(A), |state| state.main = Some(C as u8)));
    accused(&|story| story.step(Read, Some(B), |_| {}));
    accused(&|story| story.step(Read, None, |_| {}));
    accused(&|story| story.step(Renew, None, |_| {}));
    accused(&|story| story.step(Elsewhere, None, |_| {}));
    accused(&|story| story.step(Forget, Some(A), |state| state.seats[B].doubted = true));
    accused(&|story| story.step(Ack, Some(C), |state| (state.main, state.backup) = (Some(1), Some(0))));
    accused(&|story| story.step(Load, Some(A), |state| state.write = Write::Applied));
}

#[test]
fn contexts_are_judged_apart_and_findings_are_of_the_run() {
    let mut oracle = ContextOracle::new(2, 3);
    let mut findings = Vec::new();
    let mut after = ContextState::default();
    for object in [0, 1] {
        (after.main, after.backup) = (Some(0), Some(1));
        after.seats[A].token = Token::Open;
        oracle.step(Create, object, Some(0), after, 1, &mut findings);
    }
    let visited = oracle.coverage().edges().visited;
    after.write = Write::Applied;
    after.wrote = Some(1);
    oracle.step(Apply, 0, Some(1), after, 2, &mut findings);
    assert_eq!((oracle.is_strict(0), oracle.is_strict(1)), (false, true));
    oracle.step(Apply, 1, Some(1), after, 3, &mut findings);
    assert_eq!((oracle.is_strict(1), findings.len()), (false, 1));
    assert!(oracle.coverage().edges().visited >= visited);
    oracle.reset();
    assert!(oracle.is_strict(0) && oracle.marks().iter().count() == 0);
    assert_eq!(*oracle.state(1), ContextState::default());
}

#[test]
fn states_are_marked_whoever_is_who() {
    let marks = |main, backup| {
        let mut story = Story::new();
        story.create(main, backup);
        story.load(main, Cache::Current);
        story.apply(main);
        story.oracle.marks().clone()
    };
    assert_eq!(marks(A, B), marks(C, A));
    assert_ne!(marks(A, B), marks(A, A));
}
