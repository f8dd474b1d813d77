//! The heartbeat table as a server: the pure table, its clocks, its disk and its replicas.

use crate::fault::FaultKind;
use crate::plan::Plan;
use crate::protocol::{Boot, Cause, StoreFate};
use failproof_core::election::{
    Answer, Claim, HeartbeatTable, Message, Outcome, Output, Query, Row, StoreNow, TableConfig, Target,
};
use failproof_core::{Duration, Epoch, Incarnation, Instant, Utype};
use std::collections::VecDeque;

use super::{Command, Disk};

/// What the server did with its last input, for the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// Nothing that the contract speaks of.
    Nothing,
    /// A heartbeat was decided. `starved`: it was the owner's own, newer than any accepted, on a valid entry, and was
    /// refused all the same.
    Heartbeat { utype: Utype, outcome: Outcome, starved: bool },
    /// An entry was deleted by a resignation.
    Deleted { utype: Utype },
    /// The state of a while ago came back.
    RolledBack,
    /// The leader's copy answered empty about the entry of this version.
    ReadEmpty { utype: Utype, version: u64 },
}

/// The table behind its server.
#[derive(Debug)]
pub struct TableServer {
    table: HeartbeatTable,
    granularity: Granularity,
    /// Former states with the steady time from which they held, if the plan ever asks for one.
    former: VecDeque<(Instant, HeartbeatTable)>,
    former_span: Option<Duration>,
    served: Served,
}

impl TableServer {
    pub(crate) fn start(plan: &Plan, boot: Boot<Disk>) -> Self {
        let options = plan.election();
        let config = TableConfig {
            utypes: usize::from(options.utypes),
            heartbeat_timeout: boot.timeout,
            longest_term: options.longest_term_us,
            rules: options.rules,
            dialect: options.dialect,
            affinity: options.affinity_map(),
        };
        let span = |kind: &FaultKind| match kind {
            FaultKind::Rollback { by_us } | FaultKind::StaleRead { by_us, .. } => Some(Duration::from_micros(*by_us)),
            _ => None,
        };
        let granularity = Granularity::new(options.bounds.granularity_us);
        let now = granularity.clocks(boot.now, boot.wall);
        // The plan was checked, so this cannot fail; a table that were wrong would be seen at once.
        let fresh = HeartbeatTable::new(config).unwrap_or_else(|error| panic!("table of a checked plan: {error}"));
        let table = match boot.disk {
            _ if boot.first => fresh,
            Some(Disk::Table(mut kept)) => {
                kept.set_timeout(boot.timeout);
                kept.restart(now);
                kept
            }
            _ => {
                let mut empty = fresh;
                empty.restart_empty(now, boot.generation);
                empty
            }
        };
        Self {
            table,
            granularity,
            former: VecDeque::new(),
            former_span: plan.faults.iter().filter_map(|fault| span(&fault.kind)).max(),
            served: Served::Nothing,
        }
    }

    /// The table.
    pub(crate) const fn table(&self) -> &HeartbeatTable {
        &self.table
    }

    /// What was done with the last input.
    pub(crate) const fn served(&self) -> Served {
        self.served
    }

    #[inline(always)]
    pub(crate) fn handle(
        &mut self,
        steady: Instant,
        wall: Instant,
        fate: StoreFate,
        cause: Cause<'_, Message, Command>,
        outputs: &mut Vec<Output>,
    ) {
        let now = self.granularity.clocks(steady, wall);
        self.served = Served::Nothing;
        match cause {
            Cause::Message(message) => self.serve(message, now, fate, outputs),
            Cause::Command(Command::Retune(timeout)) => self.table.set_timeout(timeout),
            Cause::Command(Command::Rollback { by, generation }) => {
                let former = self.at(steady, by).clone();
                self.table.promote(former, now, generation);
                self.served = Served::RolledBack;
            }
            Cause::Command(Command::Resign) | Cause::Timer => {}
        }
        if !matches!(self.served, Served::Nothing | Served::ReadEmpty { .. }) {
            self.remember(steady);
        }
    }

    #[inline(always)]
    fn serve(&mut self, message: &Message, now: StoreNow, fate: StoreFate, outputs: &mut Vec<Output>) {
        match (message, fate) {
            (Message::Query(query), StoreFate::Serve) => respond(self.query(query, now), outputs),
            (Message::Query(query), StoreFate::ReadAt(by)) => {
                respond(self.at(now.steady, by).clone().query(query, now), outputs);
            }
            (Message::Query(query), StoreFate::Corrupt) => {
                let answer = self.query(query, now);
                respond(self.damaged(answer, query.asker), outputs);
            }
            (Message::Heartbeat(claim), StoreFate::Corrupt) => respond(self.refuse_damaged(claim), outputs),
            (Message::Heartbeat(claim), _) => respond(self.heartbeat(claim, now), outputs),
            (Message::Resign(resign), StoreFate::Serve) if self.table.resign(resign) => {
                self.served = Served::Deleted { utype: resign.utype };
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn query(&mut self, query: &Query, now: StoreNow) -> Answer {
        let answer = self.table.query(query, now);
        if answer.row.incarnation.is_none() && answer.row.version > 0 {
            self.served = Served::ReadEmpty { utype: query.utype, version: answer.row.version };
        }
        answer
    }

    fn heartbeat(&mut self, claim: &Claim, now: StoreNow) -> Answer {
        let own_and_newer = self.table.entry(claim.utype).is_some_and(|entry| {
            let this_epoch = claim.epoch == Epoch::NONE || claim.epoch == entry.epoch;
            entry.incarnation == claim.incarnation && this_epoch && claim.seq > entry.seq
        });
        let valid = self.table.is_valid(claim.utype, now);
        let (outcome, answer) = self.table.heartbeat(claim, now);
        // A kind that follows another one is refused where that one does not run; that is no starvation.
        let free = self.table.config().affinity.of(claim.utype).is_none();
        let starved = outcome == Outcome::Refused && valid && own_and_newer && free;
        self.served = Served::Heartbeat { utype: claim.utype, outcome, starved };
        answer
    }

    /// Carries nothing out, and answers with damage.
    fn refuse_damaged(&self, claim: &Claim) -> Answer {
        let epoch = self.table.entry(claim.utype).map(|entry| entry.epoch).unwrap_or_default();
        let answer = Answer {
            utype: claim.utype,
            to_heartbeat: true,
            tag: claim.seq,
            sent_at: claim.sent_at,
            row: Row { epoch, ..Row::default() },
            digest: 0,
        };
        self.damaged(answer, claim.incarnation)
    }

    /// A damaged answer names the asker: the worst that a flipped field can say. Its digest does not match.
    #[cold]
    fn damaged(&self, mut answer: Answer, asker: Incarnation) -> Answer {
        answer.row.incarnation = Some(asker);
        answer.row.seq = answer.tag;
        answer.row.version += 1;
        answer.row.term = self.table.config().heartbeat_timeout;
        answer.digest = answer.expected_digest() ^ 1;
        answer
    }

    fn remember(&mut self, steady: Instant) {
        let Some(span) = self.former_span else { return };
        self.former.push_back((steady, self.table.clone()));
        // The newest state that is old enough must stay.
        while self.former.len() > 1 && self.former[1].0 + span < steady {
            self.former.pop_front();
        }
    }

    /// The table as it was `by` ago; as far back as is known.
    fn at(&self, steady: Instant, by: Duration) -> &HeartbeatTable {
        let then = Instant::from_micros(steady.as_micros().saturating_sub(by.as_micros()));
        let held = self.former.iter().rev().find(|(from, _)| *from <= then);
        held.or(self.former.front()).map_or(&self.table, |(_, table)| table)
    }
}

/// Inlined like the making of the answer, so that it is written where it stays: each copy would wait for the one before.
#[inline(always)]
fn respond(answer: Answer, outputs: &mut Vec<Output>) {
    outputs.push(Output::Send(Target::Asker, Message::Answer(answer)));
}

/// The step of the store's clocks.
#[derive(Clone, Copy, Debug)]
struct Granularity {
    step_us: u64,
    /// How often the step goes into 2^64 - 1: a product with it is nearly the quotient, without a division for each reading.
    steps: u64,
}

impl Granularity {
    fn new(step: Duration) -> Self {
        let step_us = step.as_micros().max(1);
        Self { step_us, steps: u64::MAX / step_us }
    }

    /// The store's clocks as it reads them.
    fn clocks(self, steady: Instant, wall: Instant) -> StoreNow {
        StoreNow { wall: self.coarse(wall), steady: self.coarse(steady) }
    }

    fn coarse(self, clock: Instant) -> Instant {
        let us = clock.as_micros();
        // The quotient or one less, so that the rest is below two steps.
        let quotient = ((u128::from(us) * u128::from(self.steps)) >> 64) as u64;
        let rest = us - quotient * self.step_us;
        let rest = if rest < self.step_us { rest } else { rest - self.step_us };
        Instant::from_micros(us - rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a coarse clock shows whole steps. Method: compare with a division, about multiples and at the ends.
    #[test]
    fn a_coarse_clock_shows_whole_steps() {
        for step_us in [1, 2, 3, 7, 1_000, 3_333, 1_000_000, u64::MAX / 2, u64::MAX] {
            let granularity = Granularity::new(Duration::from_micros(step_us));
            for near in [0, step_us, step_us.wrapping_mul(5), step_us.wrapping_mul(1 << 40), u64::MAX] {
                for us in [near.wrapping_sub(1), near, near.wrapping_add(1)] {
                    let shown = granularity.coarse(Instant::from_micros(us));
                    assert_eq!(shown.as_micros(), us / step_us * step_us, "{us} in steps of {step_us}");
                }
            }
        }
    }
}
