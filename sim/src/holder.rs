//! Who holds which seat of a heartbeat table, by each server's own belief, how long, and whom there is reason to doubt.
//!
//! An alias of context routing is such a seat, and so is the session of a job server.

use crate::doubt::Grounds;
use crate::fault::Place;
use crate::note::{Note, Notes};
use crate::protocol::Health;
use crate::report::RunReport;
use failproof_core::election::{Candidate, Phase};
use std::ops::Index;

/// What is known of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holder {
    grounds: Grounds,
    /// Which life of the server it is; 0 while its process does not run.
    pub(crate) life: u32,
    /// Whether it believes that it holds its seat, and which that is.
    pub(crate) holds: bool,
    /// The seat.
    pub(crate) seat: u16,
    /// Whether there is reason to doubt it.
    pub(crate) doubted: bool,
    /// Whether its clock is a reason: only that excuses what it answers.
    pub(crate) clock_doubted: bool,
    /// When its term ended last, while it was trusted, in true microseconds.
    pub(crate) term_ended_us: Option<u64>,
    /// Since when `holds` and `doubted` are as they are.
    since_us: u64,
}

/// All servers, with the times that they held their seats.
#[derive(Debug)]
pub(crate) struct Holders {
    all: Vec<Holder>,
    store_clock_out: bool,
    trusted_us: u64,
    doubted_us: u64,
    unheld_us: u64,
    false_ends: u64,
    margin_smallest_us: Option<u64>,
}

impl Holder {
    /// Whether it is one of those that a seat must not have two of.
    pub(crate) const fn is_trusted(&self) -> bool {
        self.holds && !self.doubted
    }
}

impl Index<usize> for Holders {
    type Output = Holder;

    fn index(&self, server: usize) -> &Holder {
        &self.all[server]
    }
}

impl Holders {
    /// So many servers, each configured for the seat of its own number.
    pub(crate) fn new(servers: u16) -> Self {
        Self {
            all: (0..servers).map(|server| Holder { seat: server, ..Holder::default() }).collect(),
            store_clock_out: false,
            trusted_us: 0,
            doubted_us: 0,
            unheld_us: 0,
            false_ends: 0,
            margin_smallest_us: None,
        }
    }

    /// All of them, by number.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Holder> {
        self.all.iter()
    }

    /// The machine of a server took a step; its seat is that of its candidate.
    pub(crate) fn follow(&mut self, server: usize, life: u32, candidate: &Candidate) {
        let holder = &mut self.all[server];
        holder.life = life;
        holder.seat = candidate.config().utype.0;
        holder.grounds.follow(&candidate.refined(), candidate.phase() != Phase::Standby);
    }

    /// A server believes now that it holds its seat, or it does not.
    pub(crate) fn believe(&mut self, server: usize, holds: bool, at_us: u64) {
        self.account(server, at_us);
        self.all[server].holds = holds;
    }

    /// The term of a server ended by itself.
    pub(crate) fn term_ended(&mut self, server: usize, was_doubted: bool, is_calm: bool, at_us: u64) {
        self.false_ends += u64::from(is_calm);
        if !was_doubted {
            self.all[server].term_ended_us = Some(at_us);
        }
    }

    /// A place changed. Says which server's process ended with that, and forgets what it held.
    pub(crate) fn place_changed(&mut self, place: Place, health: Health, at_us: u64) -> Option<usize> {
        match place {
            Place::Store if self.store_clock_out != health.clock_out => {
                self.store_clock_out = health.clock_out;
                self.all.iter_mut().for_each(|holder| holder.grounds.clock_changed());
                None
            }
            Place::Server(n) => {
                let server = usize::from(n);
                let crashed = health.down && !self.all[server].grounds.health().down;
                if crashed {
                    self.believe(server, false, at_us);
                    self.all[server].life = 0;
                    self.all[server].grounds = Grounds::fresh(health);
                }
                self.all[server].grounds.health_changed(health);
                crashed.then_some(server)
            }
            _ => None,
        }
    }

    /// The clock of a place stepped.
    pub(crate) fn clock_stepped(&mut self, place: Place) {
        if let Place::Server(n) = place {
            self.all[usize::from(n)].grounds.clock_changed();
        }
    }

    /// The disturbance of a place is over and all that was due has happened.
    pub(crate) fn settled(&mut self, place: Place) {
        if let Place::Server(n) = place {
            self.all[usize::from(n)].grounds.settled();
        }
    }

    /// Doubt begins or ends as the world's knowledge of pauses and clocks says. Says whether it did.
    pub(crate) fn update_doubt(&mut self, server: usize, at_us: u64) -> bool {
        let holder = &self.all[server];
        let doubted = holder.grounds.suffice() || self.store_clock_out;
        let clock_doubted = holder.grounds.blame_clock() || self.store_clock_out;
        if (doubted, clock_doubted) == (holder.doubted, holder.clock_doubted) {
            return false;
        }
        self.account(server, at_us);
        (self.all[server].doubted, self.all[server].clock_doubted) = (doubted, clock_doubted);
        true
    }

    /// What was guarded by the session of `seat` changes hands now: whether a trusted server holds that session still. Takes
    /// note of how long ago the last one ended, and returns it.
    pub(crate) fn came_close(&mut self, seat: u16, at_us: u64) -> (bool, Option<u64>) {
        let former = || self.all.iter().filter(|holder| holder.seat == seat);
        let ended_us = former().filter_map(|holder| holder.term_ended_us).max();
        let held = former().any(Holder::is_trusted);
        let margin_us = if held { Some(0) } else { ended_us.map(|ended_us| at_us - ended_us) };
        self.margin_smallest_us = self.margin_smallest_us.into_iter().chain(margin_us).min();
        (held, margin_us)
    }

    /// Writes down what a server believes.
    pub(crate) fn note(&self, server: usize, notes: &mut Notes) {
        let Holder { holds: believes, doubted, .. } = self.all[server];
        let place = Place::Server(server as u16);
        notes.add(|| Note::Belief { place, utype: 0, believes, doubted });
    }

    /// The run is over.
    pub(crate) fn finish(&mut self, at_us: u64, report: &mut RunReport) {
        (0..self.all.len()).for_each(|server| self.account(server, at_us));
        report.trusted_us = self.trusted_us;
        report.doubted_us = self.doubted_us;
        report.without_primary_us = self.unheld_us;
        report.led_us = at_us * self.all.len() as u64;
        report.false_step_downs = self.false_ends;
        report.margin_smallest_us = self.margin_smallest_us;
    }

    /// Counts the time in which a server's hold on its seat stayed as it was.
    fn account(&mut self, server: usize, at_us: u64) {
        let holder = &mut self.all[server];
        let passed_us = at_us - std::mem::replace(&mut holder.since_us, at_us);
        let sum = match (holder.holds, holder.doubted) {
            (false, _) => &mut self.unheld_us,
            (true, false) => &mut self.trusted_us,
            (true, true) => &mut self.doubted_us,
        };
        *sum += passed_us;
    }
}
