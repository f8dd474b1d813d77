//! A candidate: the client side of the election, from standby to primary and back.

use super::config::Config;
use super::message::{Answer, Claim, Message, Query, Resign, Row};
use super::rules::{AffinityCheck, Fencing, IdentitySource, LeaseAnchor, Recheck, ReplyCheck, StoreAge, TermSource};
use super::term::safe_term;
use crate::id::{Epoch, Incarnation, Utype};
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::vec::Vec;

/// What a start of a candidate brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Start {
    /// Chance from outside: what a fresh identity is minted from.
    pub entropy: u64,
    /// What the disk image or client object remembers, and a clone copies: what a reused identity is minted from.
    pub image: u64,
}

/// What can happen to a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input<'a> {
    /// A deadline passed, or the candidate was started.
    Timer,
    /// A message arrived.
    Message(&'a Message),
    /// The operator asks it to give the primary role up.
    Resign,
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The heartbeat table.
    Table,
    /// The resource that primaries write to.
    Resource,
    /// Whoever asked: how the table and the resource answer.
    Asker,
}

/// What a candidate asks of its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Send a message now.
    Send(Target, Message),
    /// Carry out an operation: the term was checked now, the message leaves `after` later, whatever happens meanwhile.
    Effect {
        /// The operation.
        message: Message,
        /// How long it takes until the message leaves.
        after: Duration,
    },
    /// Tell the application.
    Event(Event),
}

/// What a candidate tells its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// It works as primary from now on.
    SteppedUp(Epoch),
    /// It stopped working because its term ended or could not be renewed.
    TermEnded,
    /// It stopped working because an answer named somebody else, or nobody.
    Deposed,
    /// It stopped working because it was asked to.
    Resigned,
    /// A heartbeat was answered after this long. Feed it to [`LatencyStatistics`](super::LatencyStatistics).
    HeartbeatAnswered(Duration),
    /// A heartbeat was not answered in time.
    HeartbeatMissed,
}

/// Where a candidate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Phase {
    /// Somebody else is primary, or nobody.
    Standby,
    /// Its heartbeat is accepted; it waits until the resource refuses older epochs.
    Sealing,
    /// It works.
    Primary,
    /// It stops working, which takes its time.
    Stopping,
}

/// What the spec sees of a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refined {
    /// Which start of the candidate this is, counted from 1, whatever its incarnation says. An actor of the spec.
    pub life: u32,
    /// Whether it works as primary. Spec: membership in `works`.
    pub works: bool,
    /// The number of the request on whose acceptance its belief rests.
    pub anchor_tag: u32,
    /// The number of its newest request.
    pub last_tag: u32,
}

/// No deadline: later than any other.
const NEVER: Instant = Instant::from_micros(u64::MAX);
/// How many unproven heartbeats are remembered. Older ones can no longer be proven, which only shortens a term.
const PROOFS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
enum Awaiting {
    Nothing,
    Query,
    Claim,
}

/// The newest answer about one kind of leader, by the sending time of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Seen {
    row: Row,
    tag: u32,
    queried_at: Instant,
    known: bool,
}

impl Seen {
    const NOTHING: Self = Self {
        row: Row {
            incarnation: None,
            host: crate::id::Host(0),
            epoch: Epoch::NONE,
            seq: 0,
            version: 0,
            stamp: Instant::ZERO,
            term: Duration::ZERO,
        },
        tag: 0,
        queried_at: Instant::ZERO,
        known: false,
    };
}

/// One candidate for one kind of leader.
///
/// Units and clock: every [`Instant`] is microseconds on the candidate's own clock, the one that
/// [`NodeClock`](super::NodeClock) names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Candidate {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: Config,
    start: Start,
    life: u32,
    phase: Phase,
    tag: u32,
    awaiting: Awaiting,
    awaited_tag: u32,
    seen: Seen,
    seen_other: Seen,
    unchanged_since: Instant,
    epoch: Epoch,
    proofs: [(u32, Instant); PROOFS],
    anchor_tag: u32,
    heartbeat_unanswered: bool,
    resigning: bool,
    operations: u32,
    next_tick: Instant,
    reply_due: Instant,
    lease_until: Instant,
    stop_due: Instant,
    work_due: Instant,
}

impl Candidate {
    /// A candidate that wants its first timer input at once. `config` comes from [`Config::checked`].
    #[must_use]
    pub fn new(config: Config, start: Start) -> Self {
        Self {
            config,
            start,
            life: 1,
            phase: Phase::Standby,
            tag: 0,
            awaiting: Awaiting::Nothing,
            awaited_tag: 0,
            seen: Seen::NOTHING,
            seen_other: Seen::NOTHING,
            unchanged_since: Instant::ZERO,
            epoch: Epoch::NONE,
            proofs: [(0, Instant::ZERO); PROOFS],
            anchor_tag: 0,
            heartbeat_unanswered: false,
            resigning: false,
            operations: 0,
            next_tick: Instant::ZERO,
            reply_due: NEVER,
            lease_until: NEVER,
            stop_due: NEVER,
            work_due: NEVER,
        }
    }

    /// Who it says it is.
    #[must_use]
    pub const fn incarnation(&self) -> Incarnation {
        match self.config.rules.fresh_incarnation {
            IdentitySource::Reused => Incarnation { mint: self.start.image, life: 1 },
            IdentitySource::Fresh => Incarnation { mint: self.start.entropy, life: self.life },
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Its parameters.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The epoch of the entry that it holds or last saw as its own.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Changes T while the candidate runs, as an operator would: the next decision uses it.
    pub fn set_timeout(&mut self, heartbeat_timeout: Duration) {
        self.config.heartbeat_timeout = heartbeat_timeout;
    }

    /// The state in words of the spec.
    #[must_use]
    pub const fn refined(&self) -> Refined {
        Refined {
            life: self.life,
            works: matches!(self.phase, Phase::Primary | Phase::Stopping),
            anchor_tag: self.anchor_tag,
            last_tag: self.tag,
        }
    }

    /// Decides whether this candidate may act as primary at `now`.
    ///
    /// Under [`LeaseAnchor::Heartbeat`] the term counts from the moment the accepted heartbeat was first *sent*, which can
    /// only shorten it: an answer delayed in the network never extends a primary's term. Under [`LeaseAnchor::Read`] it
    /// counts from the sending of the last read that named it, for `T − I`.
    ///
    /// Source: Gray and Cheriton 1989; step 5a of the HPC Pack HA README (defect E1).
    #[must_use]
    pub fn may_act(&self, now: Instant) -> bool {
        match self.config.rules.anchor {
            LeaseAnchor::Heartbeat => self.lease_until != NEVER && now < self.lease_until,
            LeaseAnchor::Read => self.read_names_me(now),
        }
    }

    fn read_names_me(&self, now: Instant) -> bool {
        let trust = self.timeout() - self.config.heartbeat_interval;
        self.seen.known
            && self.seen.row.incarnation == Some(self.incarnation())
            && now.since(self.seen.queried_at) < trust
            && self.affinity_seen(now)
    }

    /// Whether the kind it follows was last seen on its own host, under the published check.
    fn affinity_seen(&self, now: Instant) -> bool {
        match (self.config.rules.affinity_in_transaction, self.config.affinity) {
            (AffinityCheck::Transaction, _) | (_, None) => true,
            (AffinityCheck::ClientRead, Some(_)) => {
                let seen = &self.seen_other;
                let trust = self.timeout() - self.config.heartbeat_interval;
                seen.known
                    && seen.row.incarnation.is_some()
                    && seen.row.host == self.config.host
                    && now.since(seen.queried_at) < trust
            }
        }
    }

    /// T as it applies to this candidate's own term.
    fn timeout(&self) -> Duration {
        match self.config.rules.term_in_row {
            TermSource::Local => self.config.heartbeat_timeout,
            TermSource::Row if self.seen.row.incarnation.is_some() => self.seen.row.term,
            TermSource::Row => self.config.heartbeat_timeout,
        }
    }

    #[inline(always)]
    fn on_timer(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        if now >= self.lease_until {
            self.lose(now, Event::TermEnded, outputs);
        }
        if now >= self.stop_due {
            self.stopped(now, outputs);
        }
        if now >= self.reply_due {
            self.awaiting = Awaiting::Nothing;
            self.reply_due = NEVER;
            self.next_tick = now + self.config.heartbeat_interval;
        }
        if now >= self.next_tick {
            self.on_tick(now, outputs);
        }
        if now >= self.work_due {
            self.operate(now, outputs);
        }
    }

    #[inline(always)]
    fn on_tick(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        match self.phase {
            Phase::Standby => {
                self.query(now, outputs);
                self.awaiting = Awaiting::Query;
                self.awaited_tag = self.tag;
                self.reply_due = now + self.config.heartbeat_interval;
                self.next_tick = NEVER;
            }
            Phase::Sealing | Phase::Primary => {
                if self.config.rules.anchor == LeaseAnchor::Read && !self.read_names_me(now) {
                    let reason = match self.seen.row.incarnation == Some(self.incarnation()) {
                        true => Event::TermEnded,
                        false => Event::Deposed,
                    };
                    self.lose(now, reason, outputs);
                    return;
                }
                if self.heartbeat_unanswered {
                    outputs.push(Output::Event(Event::HeartbeatMissed));
                }
                self.heartbeat(now, self.epoch, outputs);
                self.heartbeat_unanswered = true;
                if self.config.rules.anchor == LeaseAnchor::Read {
                    self.query(now, outputs);
                }
                if self.phase == Phase::Sealing {
                    self.seal(outputs);
                }
                self.next_tick = now + self.config.heartbeat_interval;
            }
            Phase::Stopping => self.next_tick = NEVER,
        }
    }

    /// Asks who is primary, of its own kind and, under the published check, of the kind it follows.
    #[inline(always)]
    fn query(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        if let (AffinityCheck::ClientRead, Some(other)) =
            (self.config.rules.affinity_in_transaction, self.config.affinity)
        {
            self.ask(other, now, outputs);
        }
        self.ask(self.config.utype, now, outputs);
    }

    #[inline(always)]
    fn ask(&mut self, utype: Utype, now: Instant, outputs: &mut Vec<Output>) {
        self.tag += 1;
        let query = Query { utype, asker: self.incarnation(), tag: self.tag, sent_at: now };
        outputs.push(Output::Send(Target::Table, Message::Query(query)));
    }

    fn heartbeat(&mut self, now: Instant, epoch: Epoch, outputs: &mut Vec<Output>) {
        self.tag += 1;
        self.proofs[self.tag as usize % PROOFS] = (self.tag, now);
        let claim = Claim {
            utype: self.config.utype,
            incarnation: self.incarnation(),
            host: self.config.host,
            seq: self.tag,
            sent_at: now,
            epoch,
            token: self.seen.known.then(|| self.seen.row.token()),
        };
        outputs.push(Output::Send(Target::Table, Message::Heartbeat(claim)));
    }

    fn seal(&self, outputs: &mut Vec<Output>) {
        let seal = Message::Seal { utype: self.config.utype, epoch: self.epoch };
        outputs.push(Output::Send(Target::Resource, seal));
    }

    fn operate(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        if self.phase != Phase::Primary {
            self.work_due = NEVER;
            return;
        }
        self.operations += 1;
        let message = Message::Operate { utype: self.config.utype, epoch: self.epoch, number: self.operations };
        outputs.push(Output::Effect { message, after: self.config.work.takes_us });
        self.work_due = now + self.config.work.every_us;
    }

    #[inline(always)]
    fn on_answer(&mut self, now: Instant, answer: &Answer, outputs: &mut Vec<Output>) {
        if self.config.rules.validate_reply == ReplyCheck::Validate && answer.digest != answer.expected_digest() {
            return;
        }
        // An answer to a request that this process never made was meant for an earlier one.
        if answer.tag > self.tag {
            return;
        }
        if answer.utype != self.config.utype {
            remember(&mut self.seen_other, answer);
            return;
        }
        if answer.to_heartbeat {
            self.heartbeat_unanswered = false;
            outputs.push(Output::Event(Event::HeartbeatAnswered(now.since(answer.sent_at))));
        }
        // A published client learns nothing from the answer to a heartbeat.
        let readable = !answer.to_heartbeat || self.config.rules.anchor == LeaseAnchor::Heartbeat;
        let news = readable && self.note(now, answer);
        let awaited = self.awaiting != Awaiting::Nothing && answer.tag == self.awaited_tag;
        let asked = self.awaiting;
        if awaited {
            self.awaiting = Awaiting::Nothing;
            self.reply_due = NEVER;
            self.next_tick = now + self.config.heartbeat_interval;
        }
        if news {
            self.judge(now, outputs);
        }
        if awaited && asked == Awaiting::Query && self.phase == Phase::Standby && self.reads_empty(now) {
            self.claim(now, outputs);
        }
    }

    /// Takes note of an answer, unless a newer one is known. Returns whether it did.
    fn note(&mut self, now: Instant, answer: &Answer) -> bool {
        let former = (self.seen.known, self.seen.row.version);
        if !remember(&mut self.seen, answer) {
            return false;
        }
        if former != (true, self.seen.row.version) {
            self.unchanged_since = now;
        }
        true
    }

    /// Draws the consequences of the newest answer.
    #[inline(always)]
    fn judge(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        let mine = self.seen.row.incarnation == Some(self.incarnation());
        match (self.phase, self.config.rules.anchor) {
            (Phase::Standby | Phase::Sealing | Phase::Primary, LeaseAnchor::Heartbeat) if mine => {
                self.prove(outputs, now);
            }
            (Phase::Standby, LeaseAnchor::Read) if self.read_names_me(now) => {
                self.anchor_tag = self.seen.tag;
                self.win(now, outputs);
            }
            (Phase::Sealing | Phase::Primary, LeaseAnchor::Read) if mine => self.anchor_tag = self.seen.tag,
            (Phase::Sealing | Phase::Primary, _) if !mine => match self.config.rules.recheck_on_reply {
                Recheck::OnReply => self.lose(now, Event::Deposed, outputs),
                Recheck::NextTick if self.config.rules.anchor == LeaseAnchor::Heartbeat => {
                    // Told, but it looks only at its next tick.
                    self.lease_until = self.lease_until.min(self.next_tick);
                }
                Recheck::NextTick => {}
            },
            _ => {}
        }
    }

    /// The answer shows heartbeat `seq` of this incarnation accepted: the term runs from the sending of the newest
    /// remembered heartbeat up to it.
    fn prove(&mut self, outputs: &mut Vec<Output>, now: Instant) {
        let seq = self.seen.row.seq;
        let Some((tag, sent_at)) = self.newest_proof(seq) else { return };
        if tag < self.anchor_tag {
            return;
        }
        let until = sent_at + safe_term(self.timeout(), &self.config.bounds);
        if now >= until {
            return;
        }
        self.anchor_tag = tag;
        self.lease_until = until;
        if self.phase == Phase::Standby {
            self.win(now, outputs);
            // As between any two heartbeats: the first renewal must not wait for the claim's round trip too.
            self.next_tick = sent_at + self.config.heartbeat_interval;
        }
    }

    /// The newest remembered heartbeat up to `seq`: nearly always that one itself.
    fn newest_proof(&self, seq: u32) -> Option<(u32, Instant)> {
        let exact = self.proofs[seq as usize % PROOFS];
        if exact.0 == seq && seq > 0 {
            return Some(exact);
        }
        self.proofs.iter().filter(|(tag, _)| *tag > 0 && *tag <= seq).max_by_key(|(tag, _)| *tag).copied()
    }

    /// The entry is its own: seal, or work at once.
    fn win(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        self.epoch = self.seen.row.epoch;
        self.awaiting = Awaiting::Nothing;
        self.reply_due = NEVER;
        self.next_tick = now + self.config.heartbeat_interval;
        match self.config.rules.fencing {
            Fencing::None => self.step_up(now, outputs),
            Fencing::Epoch => {
                self.phase = Phase::Sealing;
                self.seal(outputs);
            }
        }
    }

    fn step_up(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        self.phase = Phase::Primary;
        self.work_due = match self.config.work.every_us {
            Duration::ZERO => NEVER,
            every => now + every,
        };
        outputs.push(Output::Event(Event::SteppedUp(self.epoch)));
    }

    /// Whether the newest answer allows a claim.
    fn reads_empty(&self, now: Instant) -> bool {
        let Seen { row, known, .. } = &self.seen;
        let nobody = match (self.config.rules.age, row.incarnation) {
            (_, None) => *known,
            (StoreAge::Observer, Some(_)) => now.since(self.unchanged_since) >= self.config.heartbeat_timeout,
            (StoreAge::Wall | StoreAge::Steady, Some(_)) => false,
        };
        nobody && self.affinity_seen(now)
    }

    fn claim(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        self.heartbeat(now, Epoch::NONE, outputs);
        self.awaiting = Awaiting::Claim;
        self.awaited_tag = self.tag;
        self.reply_due = now + self.config.heartbeat_interval;
        self.next_tick = NEVER;
    }

    /// Begins to stop. Work goes on for the stop time, which the safe term has set aside. The lateness of the timer that
    /// saw the term end is not added to that of the timer that ends the work: the safe term sets only one aside.
    fn lose(&mut self, now: Instant, reason: Event, outputs: &mut Vec<Output>) {
        let ended = now.min(self.lease_until);
        self.lease_until = NEVER;
        self.work_due = NEVER;
        match self.phase {
            Phase::Primary => {
                outputs.push(Output::Event(reason));
                self.phase = Phase::Stopping;
                self.next_tick = NEVER;
                let bounds = &self.config.bounds;
                let learnt_late = now + (bounds.stop_us_max - bounds.timer_late_us_max);
                self.stop_due = learnt_late.max(ended + bounds.stop_us_max);
                if self.stop_due <= now {
                    self.stopped(now, outputs);
                }
            }
            Phase::Sealing | Phase::Standby => self.start_over(now),
            Phase::Stopping => {}
        }
    }

    fn stopped(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        self.stop_due = NEVER;
        if self.resigning {
            let resign = Resign { utype: self.config.utype, incarnation: self.incarnation(), epoch: self.epoch };
            outputs.push(Output::Send(Target::Table, Message::Resign(resign)));
        }
        let wait = match self.resigning {
            // The others get the first chance.
            true => self.config.heartbeat_interval.times(3),
            false => self.config.heartbeat_interval,
        };
        self.start_over(now);
        self.next_tick = now + wait;
    }

    /// Exit and restart, as step 5 of the published client asks: everything remembered is forgotten.
    fn start_over(&mut self, now: Instant) {
        self.life += 1;
        self.phase = Phase::Standby;
        self.awaiting = Awaiting::Nothing;
        self.seen = Seen::NOTHING;
        self.seen_other = Seen::NOTHING;
        self.epoch = Epoch::NONE;
        self.proofs = [(0, Instant::ZERO); PROOFS];
        self.heartbeat_unanswered = false;
        self.resigning = false;
        self.reply_due = NEVER;
        self.lease_until = NEVER;
        self.work_due = NEVER;
        self.next_tick = now + self.config.heartbeat_interval;
    }

    fn on_sealed(&mut self, now: Instant, epoch: Epoch, outputs: &mut Vec<Output>) {
        if self.phase == Phase::Sealing && epoch == self.epoch && self.may_act(now) {
            self.step_up(now, outputs);
        }
    }

    fn on_resign(&mut self, now: Instant, outputs: &mut Vec<Output>) {
        if self.phase == Phase::Primary {
            self.resigning = true;
            self.lose(now, Event::Resigned, outputs);
        }
    }
}

/// Keeps `answer` unless the one kept was asked for later.
fn remember(seen: &mut Seen, answer: &Answer) -> bool {
    if seen.known && answer.tag < seen.tag {
        return false;
    }
    *seen = Seen { row: answer.row, tag: answer.tag, queried_at: answer.sent_at, known: true };
    true
}

impl Machine for Candidate {
    type Input<'a> = Input<'a>;
    type Output = Output;

    #[inline(always)]
    fn handle(&mut self, now: Instant, input: Input<'_>, outputs: &mut Vec<Output>) {
        match input {
            Input::Timer => self.on_timer(now, outputs),
            Input::Resign => self.on_resign(now, outputs),
            Input::Message(Message::Answer(answer)) => self.on_answer(now, answer, outputs),
            Input::Message(Message::Sealed { epoch, .. }) => self.on_sealed(now, *epoch, outputs),
            Input::Message(Message::Refused { epoch, .. }) => {
                if *epoch == self.epoch && matches!(self.phase, Phase::Sealing | Phase::Primary) {
                    self.lose(now, Event::Deposed, outputs);
                }
            }
            // Requests are not for a candidate.
            Input::Message(
                Message::Query(_)
                | Message::Heartbeat(_)
                | Message::Resign(_)
                | Message::Seal { .. }
                | Message::Operate { .. },
            ) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let next = self.next_tick.min(self.reply_due).min(self.lease_until).min(self.stop_due).min(self.work_due);
        (next != NEVER).then_some(next)
    }
}
