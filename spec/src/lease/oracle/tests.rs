//! Shows that the judge acquits a calm failover and convicts each planted mistake. Method: sequences of steps written
//! by hand, each with the state that a world would have seen after it.

use super::*;

const A: ActorId = ActorId(1);
const B: ActorId = ActorId(2);
const C: ActorId = ActorId(3);

/// A world of one line per step, in which nothing happens by itself.
#[derive(Default)]
struct Story {
    oracle: LeaseOracle,
    findings: Vec<Finding>,
    actors: [Option<Change<'static>>; 8],
    owner: Option<ActorId>,
}

impl Story {
    /// Takes a step after editing what is true of the actor.
    fn step(
        &mut self,
        at_us: u64,
        action: Action,
        id: ActorId,
        tokens: &[(ActorId, Token)],
        edit: fn(&mut Change<'_>),
    ) {
        let mut change = self.actors[id.0 as usize].unwrap_or(Change::idle(None));
        edit(&mut change);
        self.actors[id.0 as usize] = Some(change);
        if action == Action::Grant {
            self.owner = Some(id);
        }
        let change = Change { owner: self.owner, tokens, ..change };
        self.oracle.step(action, Some(id), change, at_us, &mut self.findings);
    }

    fn grant(&mut self, at_us: u64, id: ActorId) {
        self.step(at_us, Action::Grant, id, &[(id, Token::Open)], |_| {});
    }

    fn accept(&mut self, at_us: u64, id: ActorId, fences: &[(ActorId, Token)]) {
        self.step(at_us, Action::Accept, id, fences, |_| {});
    }

    fn step_up(&mut self, at_us: u64, id: ActorId) {
        self.step(at_us, Action::StepUp, id, &[], |change| change.works = true);
    }

    fn step_down(&mut self, at_us: u64, id: ActorId) {
        self.step(at_us, Action::StepDown, id, &[], |change| change.works = false);
    }

    fn doubt(&mut self, at_us: u64, id: ActorId) {
        self.step(at_us, Action::Doubt, id, &[], |change| change.doubted = true);
    }

    fn trust(&mut self, at_us: u64, id: ActorId) {
        self.step(at_us, Action::Trust, id, &[], |change| change.doubted = false);
    }

    /// A step without an actor.
    fn outside(&mut self, at_us: u64, action: Action, owner: Option<ActorId>, tokens: &[(ActorId, Token)]) {
        self.owner = owner;
        let change = Change { tokens, ..Change::idle(owner) };
        self.oracle.step(action, None, change, at_us, &mut self.findings);
    }

    /// `id` is granted the lease, seals, and works.
    fn works(&mut self, at_us: u64, id: ActorId) {
        self.grant(at_us, id);
        self.accept(at_us, id, &[]);
        self.step_up(at_us, id);
    }

    fn broken(&self) -> Vec<Property> {
        self.findings.iter().map(|finding| finding.property).collect()
    }
}

#[test]
fn calm_failover_is_strict() {
    let mut story = Story::default();
    story.works(0, A);
    story.accept(1, A, &[]);
    story.step_down(2, A);
    story.outside(3, Action::Leave, None, &[]);
    story.grant(4, B);
    story.accept(5, B, &[(A, Token::Fenced)]);
    story.step_up(6, B);
    story.step(7, Action::Retire, A, &[(A, Token::None)], |_| {});
    assert_eq!(story.findings, []);
    assert!(story.oracle.is_strict());
    assert_eq!(story.oracle.active(), 1, "nothing of the first primary is left");
    assert_eq!(story.oracle.coverage().count("Accept"), 3);
    assert_eq!(story.oracle.longest_overlap_us(), 0);
}

#[test]
fn a_paused_primary_may_be_replaced_while_it_is_doubted() {
    let mut story = Story::default();
    story.works(0, A);
    story.step(10, Action::Doubt, A, &[], |change| (change.doubted, change.running) = (true, false));
    story.grant(20, B);
    story.accept(20, B, &[(A, Token::Fenced)]);
    story.step_up(20, B);
    story.actors[1].as_mut().unwrap().running = true;
    story.oracle.set_running(A, true, 30);
    story.step_down(37, A);
    story.trust(40, A);
    story.oracle.finish(100);
    assert_eq!(story.findings, []);
    assert_eq!(story.oracle.longest_exposure_us(), 7, "from the resume to the step down");
    assert_eq!(story.oracle.exposures(), 1);
    assert_eq!(story.oracle.longest_overlap_us(), 0);
    assert_eq!(story.oracle.overlap().trusted_primary_us(), 10 + 80);
    assert_eq!(story.oracle.overlap().doubted_primary_us(), 27);
}

#[test]
fn a_grant_that_does_not_wait_is_found_and_the_overlap_is_measured() {
    let mut story = Story::default();
    story.works(100, A);
    story.grant(200, B);
    assert_eq!(story.broken(), [Property::GrantWaitsForRivals]);
    assert_eq!(
        story.findings[0].to_string(),
        "GrantWaitsForRivals at 200 us: Grant of actor 2 against actor 1: the store names a new owner only while no \
         trusted rival works"
    );
    story.accept(300, B, &[(A, Token::Fenced)]);
    story.step_up(400, B);
    story.step_down(455, A);
    story.oracle.finish(500);
    assert_eq!(story.broken(), [Property::GrantWaitsForRivals, Property::AtMostOneWorkingPrimary]);
    assert_eq!((story.findings[1].actor, story.findings[1].rival), (Some(B), Some(A)));
    assert!(!story.oracle.is_strict());
    assert_eq!(story.oracle.longest_overlap_us(), 55);
    assert_eq!(story.oracle.longest_exposure_us(), 0);
}

#[test]
fn one_finding_for_each_property() {
    let mut story = Story::default();
    story.works(0, A);
    story.grant(1, B);
    story.grant(2, C);
    story.grant(3, B);
    assert_eq!(story.broken(), [Property::GrantWaitsForRivals]);
}

#[test]
fn a_stale_operation_is_found_also_after_another_finding() {
    for broken_before in [false, true] {
        let mut story = Story::default();
        story.works(0, A);
        if broken_before {
            story.grant(1, B);
            story.step_down(2, A);
        } else {
            story.step_down(1, A);
            story.grant(2, B);
        }
        story.accept(3, B, &[(A, Token::Fenced)]);
        story.step(4, Action::Accept, A, &[], |change| change.stained = true);
        assert_eq!(story.broken().last(), Some(&Property::NoStaleEffect));
        assert_eq!(story.broken().len(), 1 + usize::from(broken_before));
        assert!(!story.broken().contains(&Property::RefinementHolds));
    }
}

#[test]
fn an_operation_of_nobody_is_found() {
    let mut story = Story::default();
    story.works(0, A);
    story.accept(1, B, &[]);
    assert_eq!(story.broken(), [Property::OnlyPrimariesIssue]);
}

#[test]
fn stepping_up_without_the_lease_is_found() {
    let mut story = Story::default();
    story.grant(0, A);
    story.step_up(1, B);
    assert_eq!(story.broken(), [Property::OnlyOwnersStepUp]);
}

#[test]
fn stepping_up_before_sealing_is_found_as_guard_and_not_twice() {
    let mut story = Story::default();
    story.works(0, A);
    story.step_down(1, A);
    story.grant(2, B);
    story.step_up(3, B);
    assert_eq!(story.broken(), [Property::SealedBeforeWork]);
    assert_eq!(story.findings[0].guard, "the owner steps up only after every other token is fenced");
}

#[test]
fn sealing_is_an_invariant_too() {
    let mut story = Story::default();
    story.works(0, A);
    story.grant(1, B);
    story.grant(2, A);
    assert_eq!(story.broken(), [Property::GrantWaitsForRivals, Property::SealedBeforeWork]);
    assert_eq!(story.findings[1].guard, guards::SEALED.1);
}

#[test]
fn trust_beside_a_working_rival_is_found() {
    let mut story = Story::default();
    story.works(0, A);
    story.doubt(1, A);
    story.grant(2, B);
    story.accept(3, B, &[(A, Token::Fenced)]);
    story.step_up(4, B);
    story.trust(5, A);
    assert_eq!(story.broken(), [Property::AtMostOneWorkingPrimary]);
    assert_eq!(story.findings[0].guard, "who works is trusted again only while no trusted rival works");
}

#[test]
fn an_old_epoch_granted_by_a_rolled_back_store_is_found() {
    let mut story = Story::default();
    story.works(0, A);
    story.step_down(1, A);
    story.step(2, Action::Grant, B, &[(B, Token::Fenced)], |_| {});
    assert_eq!(story.broken(), [Property::GrantIsNewest]);
}

#[test]
fn steps_that_change_bystanders_are_judged() {
    // C fences the owner A from outside the pair (A, B): no strict step of that pair, though (C, A) is refused as well.
    let mut story = Story::default();
    story.works(0, A);
    story.step_down(1, A);
    story.grant(2, C);
    story.grant(3, A);
    story.doubt(4, B);
    story.accept(5, C, &[(A, Token::Fenced)]);
    assert_eq!(story.broken(), [Property::GrantIsNewest]);

    // The grant to C also fences B: the pair (C, A) sees nothing of it, the pairs of B do.
    let mut story = Story::default();
    story.works(0, A);
    story.step_down(1, A);
    story.grant(2, B);
    story.step(3, Action::Grant, C, &[(C, Token::Open), (B, Token::Fenced)], |_| {});
    assert_eq!(story.broken(), [Property::RefinementHolds]);

    // Nobody in particular fences the owner A: only the pair without a mover can tell.
    let mut story = Story::default();
    story.grant(0, A);
    story.outside(1, Action::Elsewhere, Some(A), &[(A, Token::Fenced)]);
    assert_eq!(story.broken(), [Property::GrantIsNewest]);

    // A legal one: the owner left for C, and C's operation fenced both.
    let mut story = Story::default();
    story.works(0, A);
    story.step_down(1, A);
    story.grant(2, B);
    story.grant(3, C);
    story.accept(4, C, &[(A, Token::Fenced), (B, Token::Fenced)]);
    story.step_up(5, C);
    assert_eq!(story.findings, []);
}

#[test]
fn pairs_without_the_mover_are_counted_as_covered() {
    let mut story = Story::default();
    story.works(0, A);
    story.step_down(1, A);
    story.grant(2, B);
    let before = story.oracle.coverage().edges().visited;
    story.grant(3, C);
    let after = story.oracle.coverage().edges().visited;
    assert_eq!(after - before, 2, "Grant beside one that is not owner any more, and Leave in the pair of the others");
}

#[test]
fn a_step_that_the_name_does_not_explain_accuses_the_mapping() {
    let mut story = Story::default();
    story.grant(0, A);
    story.step(1, Action::StepDown, A, &[], |change| change.works = true);
    assert_eq!(story.broken(), [Property::RefinementHolds]);

    let mut story = Story::default();
    story.outside(0, Action::Leave, None, &[]);
    assert_eq!(story.broken(), [Property::RefinementHolds], "nobody left");

    let mut story = Story::default();
    story.outside(0, Action::StepUp, None, &[]);
    assert_eq!(story.broken(), [Property::RefinementHolds], "nobody stepped up");
}

#[test]
fn coverage_counts_steps_once_and_merges() {
    let mut story = Story::default();
    story.works(0, A);
    for at_us in 1..10 {
        story.accept(at_us, A, &[]);
    }
    let once = story.oracle.coverage().clone();
    assert_eq!(once.edges().visited, 4, "Grant, Accept before and after StepUp, StepUp");
    assert_eq!(once.edges().total, LeaseContract::strict().step_count());
    story.oracle.reset();
    assert_eq!(story.oracle.coverage().edges().visited, 0);
    let mut other = Story { oracle: story.oracle, ..Story::default() };
    other.grant(0, B);
    other.grant(1, C);
    let mut both = once.clone();
    both.merge(other.oracle.coverage());
    assert_eq!(both.edges().visited, 5, "the first Grant is the same for every actor");
    assert_eq!(both.count("Grant"), 3);
}

#[test]
fn a_repeated_accept_takes_the_short_way() {
    let mut story = Story::default();
    story.works(0, A);
    assert!(!story.oracle.accept_again(A), "the last step was StepUp");
    story.accept(1, A, &[]);
    assert!(story.oracle.accept_again(A));
    assert!(!story.oracle.accept_again(B));
    assert_eq!(story.oracle.coverage().count("Accept"), 3);
    story.doubt(2, A);
    assert!(!story.oracle.accept_again(A));
}

#[test]
fn a_thousand_retired_incarnations_leave_nothing_behind() {
    let mut oracle = LeaseOracle::new();
    let mut findings = Vec::new();
    for round in 0..1_000 {
        let (id, at_us) = (ActorId(round), u64::from(round) * 10);
        let idle = Change::idle(Some(id));
        let last = ActorId(round.saturating_sub(1));
        let fenced = [(last, Token::Fenced)];
        let fences = if round > 0 { &fenced[..] } else { &[] };
        oracle.step(Action::Grant, Some(id), Change { tokens: &[(id, Token::Open)], ..idle }, at_us, &mut findings);
        oracle.step(Action::Accept, Some(id), Change { tokens: fences, ..idle }, at_us + 1, &mut findings);
        oracle.step(Action::StepUp, Some(id), Change { works: true, ..idle }, at_us + 2, &mut findings);
        if round > 0 {
            oracle.step(
                Action::Retire,
                Some(last),
                Change { tokens: &[(last, Token::None)], ..idle },
                at_us + 3,
                &mut findings,
            );
        }
        oracle.step(Action::StepDown, Some(id), idle, at_us + 9, &mut findings);
    }
    assert_eq!(findings, []);
    assert_eq!(oracle.active(), 1);
    assert_eq!(oracle.overlap().trusted_primary_us(), 7_000);
}
