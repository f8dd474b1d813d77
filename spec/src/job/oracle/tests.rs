//! Shows that the judge acquits a calm failover and convicts each planted mistake. Method: sequences of steps written
//! by hand, each with the state that a world would have seen after it.

use super::*;
use crate::finding::{ActorId, Finding};
use crate::job::{Flight, Instance, Row};
use crate::property::Property;

use JobAction::{
    Adopt, Ask, Cancel, Claim, Close, Doubt, Elsewhere, Exit, Expire, Fetch, Intend, Land, Release, Renew, SendStart,
    SendStop, Trust,
};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// A world of one line for each step, in which nothing happens by itself. Three servers, one attempt.
struct Story {
    oracle: JobOracle,
    findings: Vec<Finding>,
    at_us: u64,
}

impl Story {
    fn new() -> Self {
        Self { oracle: JobOracle::new(1, 3), findings: Vec::new(), at_us: 0 }
    }

    fn step(&mut self, action: JobAction, server: Option<usize>, edit: impl FnOnce(&mut JobState)) {
        let mut after = *self.oracle.state(0);
        edit(&mut after);
        self.at_us += 1;
        self.oracle.step(action, 0, server.map(|server| server as u8), after, self.at_us, &mut self.findings);
    }

    fn claim(&mut self, server: usize) {
        self.step(Claim, Some(server), |state| {
            (state.owner, state.expired) = (Some(server as u8), false);
            state.row = if state.row == Row::Pending { Row::Claimed } else { state.row };
            for seat in state.seats.iter_mut().filter(|seat| seat.token == JobToken::Current) {
                seat.token = JobToken::Old;
            }
            state.seats.iter_mut().for_each(|seat| seat.ready = false);
            (state.seats[server].token, state.seats[server].flight) = (JobToken::Current, Flight::None);
        });
    }

    fn release(&mut self, server: usize) {
        self.step(Release, Some(server), |state| {
            (state.owner, state.expired) = (None, false);
            state.row = if state.row == Row::Claimed { Row::Pending } else { state.row };
            state.seats.iter_mut().for_each(|seat| seat.ready = false);
        });
    }

    fn fetch(&mut self, server: usize) {
        self.step(Fetch, Some(server), |state| state.seats[server].ready = true);
    }

    fn intend(&mut self, server: usize) {
        self.step(Intend, Some(server), |state| {
            state.row = Row::Starting;
            state.seats.iter_mut().for_each(|seat| seat.ready = false);
        });
    }

    fn send(&mut self, server: usize, flight: Flight) {
        let action = if flight == Flight::Stop { SendStop } else { SendStart };
        self.step(action, Some(server), |state| {
            state.seats[server].flight = state.seats[server].flight.max(flight);
        });
    }

    /// What a server sent arrives, and makes of the instance what `instance` says.
    fn land(&mut self, server: usize, instance: Instance) {
        self.step(Land, Some(server), |state| {
            see(state, server);
            state.stale |= state.seats[server].token == JobToken::Fenced && state.instance != instance;
            state.instance = instance;
        });
    }

    fn ask(&mut self, server: usize) {
        self.step(Ask, Some(server), |state| see(state, server));
    }

    fn adopt(&mut self, server: usize) {
        self.step(Adopt, Some(server), |state| state.row = Row::Running);
    }

    fn close(&mut self, server: usize) {
        self.step(Close, Some(server), |state| {
            (state.owner, state.expired, state.row, state.cancel) = (None, false, Row::Over, false);
            state.seats.iter_mut().for_each(|seat| (seat.token, seat.ready) = (JobToken::None, false));
        });
    }

    fn expire(&mut self) {
        self.step(Expire, None, |state| state.expired = true);
    }

    fn cancel(&mut self) {
        self.step(Cancel, None, |state| state.cancel = true);
    }

    fn exit(&mut self) {
        self.step(Exit, None, |state| state.instance.live -= 1);
    }

    fn doubt(&mut self, server: usize, doubted: bool) {
        let action = if doubted { Doubt } else { Trust };
        self.step(action, Some(server), |state| state.seats[server].doubted = doubted);
    }

    fn broken(&self) -> Vec<Property> {
        self.findings.iter().map(|finding| finding.property).collect()
    }
}

/// The cluster sees the epoch of a server, of which no other one has an old claim that it has not seen.
fn see(state: &mut JobState, server: usize) {
    if state.seats[server].token == JobToken::Current {
        for seat in state.seats.iter_mut().filter(|seat| seat.token == JobToken::Old) {
            seat.token = JobToken::Fenced;
        }
    }
}

const UNUSED: Instance = Instance { used: true, starts: 0, live: 0 };
const LIVE: Instance = Instance { used: true, starts: 1, live: 1 };
const ENDED: Instance = Instance { used: true, starts: 1, live: 0 };
const TWICE: Instance = Instance { used: true, starts: 2, live: 2 };

/// A is about to start the instance, and has sent the start.
fn starting() -> Story {
    let mut story = Story::new();
    story.claim(A);
    story.fetch(A);
    story.intend(A);
    story.send(A, Flight::Start);
    assert_eq!(story.findings, []);
    story
}

#[test]
fn a_job_that_runs_to_its_end_is_strict() {
    let mut story = starting();
    story.land(A, LIVE);
    story.adopt(A);
    story.send(A, Flight::Start);
    story.land(A, LIVE);
    story.exit();
    story.ask(A);
    story.close(A);
    story.ask(A);
    story.land(A, ENDED);
    assert_eq!(story.findings, []);
    assert!(story.oracle.is_strict(0));
    let coverage = story.oracle.coverage();
    assert_eq!((coverage.count("Land"), coverage.count("Close"), coverage.count("Renew")), (3, 1, 0));
    assert!(coverage.count("Elsewhere") > 0 && coverage.edges().visited > 10);
}

#[test]
fn a_takeover_while_a_start_is_under_way_is_strict() {
    // The start lands before the new owner asks: it adopts the instance.
    let mut story = starting();
    story.expire();
    story.claim(B);
    story.land(A, LIVE);
    story.ask(B);
    story.adopt(B);
    assert_eq!(story.findings, []);

    // It lands afterwards, and is refused: the new owner starts the name itself.
    let mut story = starting();
    story.expire();
    story.claim(B);
    story.ask(B);
    assert_eq!(story.oracle.state(0).seats[A].token, JobToken::Fenced);
    story.land(A, Instance::default());
    story.send(B, Flight::Start);
    story.land(B, LIVE);
    story.adopt(B);
    assert_eq!(story.findings, []);
}

#[test]
fn hand_over_cancel_and_giving_up_are_strict() {
    let mut story = starting();
    story.land(A, LIVE);
    story.adopt(A);
    story.release(A);
    story.claim(C);
    story.cancel();
    story.send(C, Flight::Stop);
    story.land(C, LIVE);
    story.land(C, ENDED);
    story.close(C);
    // Whoever takes the next attempt makes sure that this one is over.
    story.send(C, Flight::Stop);
    story.land(C, ENDED);
    assert_eq!(story.findings, []);

    // A stop before the start uses the name up.
    let mut story = starting();
    story.cancel();
    story.expire();
    story.step(Renew, None, |state| state.expired = false);
    story.send(A, Flight::Stop);
    story.land(A, UNUSED);
    story.land(A, UNUSED);
    story.close(A);
    assert_eq!(story.findings, []);

    let mut story = Story::new();
    story.claim(A);
    story.close(A);
    assert_eq!(story.findings, []);
}

#[test]
fn what_a_doubted_server_sends_is_excused_and_what_the_cluster_does_is_not() {
    let mut story = starting();
    story.doubt(A, true);
    story.expire();
    story.claim(B);
    story.send(A, Flight::Start);
    story.ask(B);
    story.send(A, Flight::Start);
    assert_eq!(story.findings, []);
    story.land(A, LIVE);
    assert_eq!(story.broken(), [Property::NoStaleEffect]);
    assert_eq!(
        story.findings[0].to_string(),
        "NoStaleEffect at 11 us: Land of actor 0: no effect of an older epoch follows after the cluster saw a newer one of \
         the job"
    );
    story.doubt(A, false);
    story.send(A, Flight::Start);
    assert_eq!(story.broken(), [Property::NoStaleEffect], "the rest of a broken attempt is judged by its invariants");
}

#[test]
fn an_effect_of_an_earlier_claim_is_stale_too() {
    let mut story = starting();
    story.release(A);
    story.claim(B);
    story.ask(B);
    story.release(B);
    story.claim(A);
    story.step(Elsewhere, None, |state| {
        state.instance = LIVE;
        state.stale = true;
    });
    assert_eq!(story.broken(), [Property::NoStaleEffect]);
    assert_eq!(story.findings[0].actor, None);

    // Where the cluster saw nothing newer, it may arrive.
    let mut story = starting();
    story.release(A);
    story.claim(A);
    story.step(Elsewhere, None, |state| state.instance = LIVE);
    assert_eq!(story.findings, []);
}

#[test]
fn calls_by_who_does_not_own_the_row_are_found() {
    let mut story = starting();
    story.send(B, Flight::Start);
    assert_eq!(story.broken(), [Property::AtMostOneExecutorPerEpoch]);
    assert_eq!(story.findings[0].actor, Some(ActorId(1)));

    // Its session is over, and it is trusted: its term was too long.
    let mut story = starting();
    story.expire();
    story.send(A, Flight::Start);
    assert_eq!(story.broken(), [Property::AtMostOneExecutorPerEpoch]);

    let mut story = starting();
    story.ask(B);
    assert_eq!(story.broken(), [Property::AtMostOneExecutorPerEpoch]);

    let mut story = starting();
    story.land(A, LIVE);
    story.step(Adopt, Some(B), |state| state.row = Row::Running);
    assert_eq!(story.broken(), [Property::AtMostOneExecutorPerEpoch]);
}

#[test]
fn a_claim_without_a_new_epoch_is_found_in_the_seat_of_the_former_owner() {
    let mut story = starting();
    story.expire();
    story.step(Claim, Some(B), |state| {
        (state.owner, state.expired) = (Some(B as u8), false);
        state.seats[B].token = JobToken::Current;
    });
    assert_eq!(story.broken(), [Property::AtMostOneExecutorPerEpoch]);
    assert_eq!(story.findings[0].rival, Some(ActorId(0)));
}

#[test]
fn a_claim_that_does_not_wait_is_found() {
    let mut story = starting();
    story.claim(B);
    assert_eq!(story.broken(), [Property::ClaimWaitsForOwner]);
    assert_eq!((story.findings[0].actor, story.findings[0].rival), (Some(ActorId(1)), None));
}

#[test]
fn a_start_without_resource_or_row_is_found() {
    let mut story = Story::new();
    story.claim(A);
    story.intend(A);
    assert_eq!(story.broken(), [Property::StartsOnlyWithResources]);

    let mut story = Story::new();
    story.claim(A);
    story.fetch(A);
    story.send(A, Flight::Start);
    assert_eq!(story.broken(), [Property::NoLostJob]);
    assert_eq!(
        story.findings[0].guard,
        "the row tells of a start before anybody calls the cluster, or a crash loses it"
    );

    let mut story = starting();
    story.adopt(A);
    assert_eq!(story.broken(), [Property::NoLostJob]);
}

#[test]
fn a_stop_that_nobody_asked_for_is_found() {
    let mut story = starting();
    story.land(A, LIVE);
    story.send(A, Flight::Stop);
    assert_eq!(story.broken(), [Property::NoLostJob]);
}

#[test]
fn a_name_that_is_started_again_is_found() {
    let mut story = starting();
    story.land(A, LIVE);
    story.land(A, TWICE);
    assert_eq!(story.broken(), [Property::StartedOnce, Property::AtMostOneLiveInstance]);

    // It was stopped before it was started.
    let mut story = starting();
    story.cancel();
    story.send(A, Flight::Stop);
    story.land(A, UNUSED);
    story.land(A, LIVE);
    assert_eq!(story.broken(), [Property::StartedOnce]);
}

#[test]
fn an_attempt_that_is_over_too_early_is_found() {
    let mut story = starting();
    story.land(A, LIVE);
    story.close(A);
    assert_eq!(story.broken(), [Property::DoneIsQuiet]);

    // It may still start: the start is under way.
    let mut story = starting();
    story.close(A);
    assert_eq!(story.broken(), [Property::DoneIsQuiet, Property::NoLostJob]);
    story.land(A, LIVE);
    assert_eq!(story.findings.len(), 2);
}

#[test]
fn published_rules_are_judged_to_the_end() {
    // Two servers whose views differ run the job, and the row is deleted by the first.
    let mut story = Story::new();
    story.send(A, Flight::Start);
    story.send(B, Flight::Start);
    story.land(A, LIVE);
    story.step(Close, Some(A), |state| state.row = Row::Over);
    story.land(B, TWICE);
    let expected = [
        Property::AtMostOneExecutorPerEpoch,
        Property::NoLostJob,
        Property::DoneIsQuiet,
        Property::StartedOnce,
        Property::AtMostOneLiveInstance,
    ];
    assert_eq!(story.broken(), expected);
}

#[test]
fn a_step_that_the_name_does_not_explain_accuses_the_mapping() {
    let accused = |edit: &dyn Fn(&mut Story)| {
        let mut story = starting();
        edit(&mut story);
        // What is so renamed may break an invariant besides.
        assert_eq!(story.broken()[0], Property::RefinementHolds);
    };
    accused(&|story| story.step(Ask, Some(A), |state| state.owner = Some(C as u8)));
    accused(&|story| story.step(Ask, None, |_| {}));
    accused(&|story| story.step(Renew, None, |_| {}));
    accused(&|story| story.step(Elsewhere, None, |_| {}));
    accused(&|story| story.step(Land, Some(B), |_| {}));
    accused(&|story| story.step(SendStart, Some(A), |state| state.seats[B].doubted = true));
    accused(&|story| story.step(Release, Some(A), |state| state.owner = Some(1)));
    accused(&|story| story.step(Fetch, Some(A), |state| state.seats[A].ready = true));
    // The cluster saw the newest epoch, and an older one is not fenced; or a fenced one fences another.
    accused(&|story| {
        story.release(A);
        story.claim(B);
        story.step(Ask, Some(B), |_| {});
    });
    accused(&|story| {
        story.release(A);
        story.claim(B);
        story.ask(B);
        story.release(B);
        story.claim(C);
        story.step(Ask, Some(A), |state| state.seats[B].token = JobToken::Fenced);
    });
}

#[test]
fn the_next_attempt_begins_where_the_one_before_it_ended() {
    let mut oracle = JobOracle::new(2, 3);
    let mut findings = Vec::new();
    let mut state = JobState { owner: Some(1), row: Row::Claimed, ..JobState::default() };
    state.seats[A].token = JobToken::Fenced;
    (state.seats[B].token, state.seats[B].ready) = (JobToken::Current, true);
    oracle.begin(1, state);
    assert!(oracle.is_strict(1));
    (state.row, state.seats[B].ready) = (Row::Starting, false);
    oracle.step(Intend, 1, Some(1), state, 1, &mut findings);
    assert_eq!(findings, []);
    assert_eq!(*oracle.state(0), JobState::default());

    // Two who own it: what follows is judged as after a finding.
    state.seats[A].token = JobToken::Current;
    oracle.begin(1, state);
    assert!(!oracle.is_strict(1));
}

#[test]
fn states_are_marked_whoever_is_who() {
    let marks = |owner, other| {
        let mut story = Story::new();
        story.claim(owner);
        story.expire();
        story.claim(other);
        story.fetch(other);
        story.oracle.marks().clone()
    };
    assert_eq!(marks(A, B), marks(C, A));
    assert_ne!(marks(A, B), marks(A, A));
}
