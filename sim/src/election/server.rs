//! The heartbeat table as a server: the pure table, its clocks, its disk and its replicas.

use crate::fault::FaultKind;
use crate::plan::Plan;
use crate::protocol::{Boot, StoreFate};
use failproof_core::election::{
    Answer, Claim, HeartbeatTable, Message, Outcome, Output, Query, Row, StoreNow, TableConfig, Target,
};
use failproof_core::{Duration, Epoch, Incarnation, Instant, Utype};
use std::collections::VecDeque;

/// What the server did with its last input, for the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableServer {
    table: HeartbeatTable,
    granularity: Granularity,
    /// Former states with the steady time from which they held, if the plan ever asks for one.
    former: VecDeque<(Instant, HeartbeatTable)>,
    former_span: Option<Duration>,
    served: Served,
}

/// An output that carries an answer to whoever asked.
pub(crate) trait Respond {
    /// The output.
    fn respond(answer: Answer) -> Self;
}

impl Respond for Output {
    /// Inlined like the making of the answer, so that it is written where it stays: each copy would wait for the one
    /// before.
    #[inline(always)]
    fn respond(answer: Answer) -> Self {
        Self::Send(Target::Asker, Message::Answer(answer))
    }
}

/// How far back the faults of a plan ask for former states, if they do.
pub(crate) fn former_span(plan: &Plan) -> Option<Duration> {
    let span = |kind: &FaultKind| match kind {
        FaultKind::Rollback { by_us } | FaultKind::StaleRead { by_us, .. } => Some(Duration::from_micros(*by_us)),
        _ => None,
    };
    plan.faults.iter().filter_map(|fault| span(&fault.kind)).max()
}

impl TableServer {
    /// Starts it with what its disk kept. Its clocks move in steps of `granularity`, and it remembers its states of the
    /// last `former_span`.
    ///
    /// # Panics
    /// When no table can be made from `config`; those of a checked plan are in order.
    pub(crate) fn start<D>(
        config: TableConfig,
        granularity: Duration,
        former_span: Option<Duration>,
        kept: Option<HeartbeatTable>,
        boot: &Boot<D>,
    ) -> Self {
        let granularity = Granularity::new(granularity);
        let now = granularity.clocks(boot.now, boot.wall);
        let fresh = HeartbeatTable::new(config).unwrap_or_else(|error| panic!("table of a checked plan: {error}"));
        let table = match kept {
            _ if boot.first => fresh,
            Some(mut kept) => {
                kept.set_timeout(boot.timeout);
                kept.restart(now);
                kept
            }
            None => {
                let mut empty = fresh;
                empty.restart_empty(now, boot.generation);
                empty
            }
        };
        Self { table, granularity, former: VecDeque::new(), former_span, served: Served::Nothing }
    }

    /// The table.
    pub(crate) const fn table(&self) -> &HeartbeatTable {
        &self.table
    }

    /// What was done with the last input.
    pub(crate) const fn served(&self) -> Served {
        self.served
    }

    /// The same, to be asked what an answer may change.
    pub(crate) const fn table_mut(&mut self) -> &mut HeartbeatTable {
        &mut self.table
    }

    /// The clocks as the store reads them.
    pub(crate) fn clocks(&self, steady: Instant, wall: Instant) -> StoreNow {
        self.granularity.clocks(steady, wall)
    }

    /// Nothing happens that concerns the table.
    pub(crate) const fn rest(&mut self) {
        self.served = Served::Nothing;
    }

    /// Uses another T from now on.
    pub(crate) fn retune(&mut self, timeout: Duration) {
        self.served = Served::Nothing;
        self.table.set_timeout(timeout);
    }

    /// The state of `by` ago comes back, in a new generation.
    pub(crate) fn roll_back(&mut self, steady: Instant, wall: Instant, by: Duration, generation: u32) {
        let now = self.granularity.clocks(steady, wall);
        let former = self.at(steady, by).clone();
        self.table.promote(former, now, generation);
        self.served = Served::RolledBack;
        self.remember(steady);
    }

    /// A message arrives.
    #[inline(always)]
    pub(crate) fn handle<O: Respond>(
        &mut self,
        steady: Instant,
        wall: Instant,
        fate: StoreFate,
        message: &Message,
        outputs: &mut Vec<O>,
    ) {
        let now = self.granularity.clocks(steady, wall);
        self.served = Served::Nothing;
        self.serve(message, now, fate, outputs);
        if !matches!(self.served, Served::Nothing | Served::ReadEmpty { .. }) {
            self.remember(steady);
        }
    }

    #[inline(always)]
    fn serve<O: Respond>(&mut self, message: &Message, now: StoreNow, fate: StoreFate, outputs: &mut Vec<O>) {
        match (message, fate) {
            (Message::Query(query), StoreFate::Serve) => outputs.push(O::respond(self.query(query, now))),
            (Message::Query(query), StoreFate::ReadAt(by)) => {
                outputs.push(O::respond(self.at(now.steady, by).clone().query(query, now)));
            }
            (Message::Query(query), StoreFate::Corrupt) => {
                let answer = self.query(query, now);
                outputs.push(O::respond(self.damaged(answer, query.asker)));
            }
            (Message::Heartbeat(claim), StoreFate::Corrupt) => outputs.push(O::respond(self.refuse_damaged(claim))),
            (Message::Heartbeat(claim), _) => outputs.push(O::respond(self.heartbeat(claim, now))),
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
    pub(crate) fn at(&self, steady: Instant, by: Duration) -> &HeartbeatTable {
        let then = Instant::from_micros(steady.as_micros().saturating_sub(by.as_micros()));
        let held = self.former.iter().rev().find(|(from, _)| *from <= then);
        held.or(self.former.front()).map_or(&self.table, |(_, table)| table)
    }
}

/// The step of the store's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
