//! Whether there is reason to doubt an actor whose belief rests on a lease: from the true pauses and clocks, never from
//! the plan, and never from what the actor says of itself.
//!
//! | reason | begins | ends |
//! |---|---|---|
//! | it stood still | with the pause | when all that was due has happened after it |
//! | its clock is out of its bound | when it gets out | when it is back |
//! | what it believes was measured with a clock that changed | with the change | when its term rests on a request sent later |

use crate::protocol::Health;
use failproof_core::election::Refined;

/// What is known of one actor, over all of its lives. The store's clock, which concerns all of them, is for the judge to
/// remember.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grounds {
    /// Whether it believes that the entry is its own, working or about to.
    holds: bool,
    anchor_tag: u32,
    last_tag: u32,
    /// Requests from this one on were sent with a clock in order.
    clean_tag: u32,
    unsettled: bool,
    health: Health,
}

impl Grounds {
    /// Of a process that has not started, at a place of this health.
    pub(crate) fn fresh(health: Health) -> Self {
        Self { health, ..Self::default() }
    }

    /// Its machine took a step. `holds`: it believes now that the entry is its own, working or about to.
    #[inline(always)]
    pub(crate) const fn follow(&mut self, refined: &Refined, holds: bool) {
        self.anchor_tag = refined.anchor_tag;
        self.last_tag = refined.last_tag;
        self.holds = holds;
    }

    /// Its place changed.
    pub(crate) fn health_changed(&mut self, health: Health) {
        if self.health.clock_out != health.clock_out {
            self.clock_changed();
        }
        self.unsettled |= health.paused;
        self.health = health;
    }

    /// Its clock, or that of the store, stepped or runs at another rate: what was measured before is void.
    pub(crate) fn clock_changed(&mut self) {
        self.clean_tag = self.clean_tag.max(self.last_tag + 1);
    }

    /// The disturbance of its place is over, and all that was due has happened.
    pub(crate) const fn settled(&mut self) {
        self.unsettled = false;
    }

    /// Whether what it measures is to be doubted, pauses aside: what it sends then rests on a clock that it cannot check.
    pub(crate) const fn blame_clock(&self) -> bool {
        self.health.clock_out || (self.holds && self.anchor_tag < self.clean_tag)
    }

    /// Whether it is to be doubted, whatever the store's clock does.
    #[inline(always)]
    pub(crate) const fn suffice(&self) -> bool {
        self.unsettled || self.health.clock_out || (self.holds && self.anchor_tag < self.clean_tag)
    }

    /// What its place is like.
    pub(crate) const fn health(&self) -> Health {
        self.health
    }

    /// The number of its newest request.
    #[inline(always)]
    pub(crate) const fn last_tag(&self) -> u32 {
        self.last_tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Health = Health { down: false, paused: false, clock_out: false };

    /// Holds the entry by the acceptance of request 3, and has sent 5.
    fn holder() -> Grounds {
        let mut grounds = Grounds::fresh(WELL);
        grounds.follow(&Refined { life: 1, works: true, anchor_tag: 3, last_tag: 5 }, true);
        assert!(!grounds.suffice());
        grounds
    }

    #[test]
    fn a_pause_is_a_reason_until_what_was_due_has_happened() {
        let mut grounds = holder();
        grounds.health_changed(Health { paused: true, ..WELL });
        assert!(grounds.suffice());
        grounds.health_changed(WELL);
        assert!(grounds.suffice(), "it resumed, and has not yet seen what passed meanwhile");
        grounds.settled();
        assert!(!grounds.suffice());
    }

    #[test]
    fn a_clock_that_changed_is_a_reason_until_the_term_rests_on_a_later_request() {
        let mut grounds = holder();
        grounds.clock_changed();
        for (anchor_tag, doubted) in [(3, true), (5, true), (6, false)] {
            grounds.follow(&Refined { life: 1, works: true, anchor_tag, last_tag: 7 }, true);
            assert_eq!(grounds.suffice(), doubted, "anchored at request {anchor_tag}");
        }
        grounds.clock_changed();
        assert!(grounds.suffice());
        grounds.follow(&Refined { life: 1, works: false, anchor_tag: 6, last_tag: 7 }, false);
        assert!(!grounds.suffice(), "who holds nothing believes nothing");
    }

    #[test]
    fn a_clock_out_of_its_bound_is_a_reason_for_anybody_and_what_was_measured_with_it_stays_one() {
        let mut idle = Grounds::fresh(WELL);
        idle.health_changed(Health { clock_out: true, ..WELL });
        assert!(idle.suffice());
        idle.health_changed(WELL);
        assert!(!idle.suffice());
        let mut grounds = holder();
        grounds.health_changed(Health { clock_out: true, ..WELL });
        grounds.health_changed(WELL);
        assert!(grounds.suffice());
    }
}
