//! The heartbeat table: a pure value whose clocks are passed in.

use super::affinity::Affinity;
use super::error::ConfigError;
use super::message::{Answer, Claim, Query, Resign, Row, Token};
use super::rules::{AffinityCheck, EmptyAnswer, Grace, RenewalMatch, ResignMatch, Rules, StoreAge, TermSource};
use crate::id::{Epoch, Host, Incarnation, Utype};
use crate::time::{Duration, Instant};
use alloc::vec;
use alloc::vec::Vec;

/// Which published table decides about validity and takeover. They differ exactly at `age = T` and in the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Dialect {
    /// The README: valid at `age <= T`, takeover at `age > T`, no token.
    DesignText,
    /// The in-memory server: valid at `age < T`, takeover with a token that named nobody.
    InMemory,
    /// The SQL server: as in memory, and the token's timestamp must be the stored one; an entry further
    /// from now than T, both by the minute hand and T rounded up, is not valid.
    Sql,
}

/// The parameters of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableConfig {
    /// How many kinds of leader it serves.
    pub utypes: usize,
    /// T, as the table is configured now.
    pub heartbeat_timeout: Duration,
    /// The longest T that was ever configured: what a grace waits for.
    pub longest_term: Duration,
    /// The decisions.
    pub rules: Rules,
    /// Which published table decides where `rules` leave it open.
    pub dialect: Dialect,
    /// Which kinds follow which.
    pub affinity: Affinity,
}

/// The store's clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreNow {
    /// `ha_time`: the store's wall clock, which can step.
    pub wall: Instant,
    /// The store's steady clock, which cannot; it may start anew when the store restarts.
    pub steady: Instant,
}

/// A stored heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Entry {
    /// Who was accepted: `uuid`.
    pub incarnation: Incarnation,
    /// Its machine: `uname`.
    pub host: Host,
    /// Its fencing token.
    pub epoch: Epoch,
    /// The number of its last accepted heartbeat.
    pub seq: u32,
    /// The term promised at acceptance.
    pub term: Duration,
    /// When it was accepted, on the wall clock: `timestamp`.
    pub stamp: Instant,
    /// When it was accepted, on the steady clock.
    pub accepted_at: Instant,
    /// The table's acceptance count at that time.
    pub version: u64,
    /// Whether a read has answered empty about it.
    pub answered_empty: bool,
}

/// What became of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A new owner, in a new epoch. Spec: `Grant` in `Lease.tla`.
    Granted(Epoch),
    /// The owner again, in its epoch.
    Renewed(Epoch),
    /// Nothing changed.
    Refused,
}

/// The table: at most one entry per kind of leader.
///
/// Invariant: an entry is never valid and open to takeover at once; epochs of one kind never repeat or decrease within
/// a store that remembers its generation; a refused heartbeat changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct HeartbeatTable {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: TableConfig,
    entries: Vec<Option<Entry>>,
    epochs: Vec<Epoch>,
    versions: u64,
    generation: u32,
    grace_until: Option<Instant>,
}

/// SQL Server's smallest `datetime`, which the in-memory table returns for an expired entry, stands at the clock's zero.
const NEVER: Instant = Instant::ZERO;

impl HeartbeatTable {
    /// An empty table of the first generation.
    ///
    /// # Errors
    /// [`ConfigError::LongestTermTooShort`] when a grace would be shorter than a promised term,
    /// [`ConfigError::UtypeOutOfRange`] for more kinds than a table serves.
    pub fn new(config: TableConfig) -> Result<Self, ConfigError> {
        if config.longest_term < config.heartbeat_timeout {
            return Err(ConfigError::LongestTermTooShort {
                longest: config.longest_term,
                timeout: config.heartbeat_timeout,
            });
        }
        if config.utypes > Utype::MAX {
            return Err(ConfigError::UtypeOutOfRange { utype: Utype(Utype::MAX as u16), kinds: Utype::MAX });
        }
        Ok(Self {
            entries: vec![None; config.utypes],
            epochs: vec![Epoch::NONE; config.utypes],
            versions: 0,
            generation: 0,
            grace_until: None,
            config,
        })
    }

    /// The stored entry, expired or not.
    #[must_use]
    pub fn entry(&self, utype: Utype) -> Option<&Entry> {
        self.entries[utype.index()].as_ref()
    }

    /// The parameters in force.
    #[must_use]
    pub const fn config(&self) -> &TableConfig {
        &self.config
    }

    /// Puts an entry in place as it is, as a test or a migration would.
    pub fn put(&mut self, utype: Utype, entry: Option<Entry>) {
        if let Some(entry) = &entry {
            self.versions = self.versions.max(entry.version.saturating_sub(self.generation_base()));
            self.epochs[utype.index()] = self.epochs[utype.index()].max(entry.epoch);
        }
        self.entries[utype.index()] = entry;
    }

    /// Changes T while the table runs. Entries accepted under [`TermSource::Row`] keep their term.
    pub fn set_timeout(&mut self, heartbeat_timeout: Duration) {
        self.config.heartbeat_timeout = heartbeat_timeout.min(self.config.longest_term);
    }

    /// Answers a query. Under [`EmptyAnswer::Final`] an empty answer is remembered with the entry.
    #[inline(always)]
    pub fn query(&mut self, query: &Query, now: StoreNow) -> Answer {
        let row = self.show(query.utype, now);
        self.answer(query.utype, false, query.tag, query.sent_at, row)
    }

    /// Decides about a heartbeat and answers with the entry as it then is.
    pub fn heartbeat(&mut self, claim: &Claim, now: StoreNow) -> (Outcome, Answer) {
        let outcome = self.decide(claim, now);
        match outcome {
            Outcome::Granted(epoch) | Outcome::Renewed(epoch) => self.accept(claim, epoch, now),
            Outcome::Refused => {}
        }
        let row = self.show(claim.utype, now);
        (outcome, self.answer(claim.utype, true, claim.seq, claim.sent_at, row))
    }

    /// Refuses a heartbeat for reasons of the store's own, and answers with the entry as it is.
    pub fn refuse(&mut self, claim: &Claim, now: StoreNow) -> Answer {
        let row = self.show(claim.utype, now);
        self.answer(claim.utype, true, claim.seq, claim.sent_at, row)
    }

    /// Deletes the entry that a resignation names. Returns whether one was deleted.
    ///
    /// Under [`EmptyAnswer::Final`] the entry stays, without a term and as if it had been answered empty: what is left of
    /// it tells claims that were sent before from those that were sent after.
    pub fn resign(&mut self, resign: &Resign) -> bool {
        let slot = &mut self.entries[resign.utype.index()];
        let matches = slot.as_ref().is_some_and(|entry| match self.config.rules.resign_by_epoch {
            ResignMatch::Any => true,
            ResignMatch::Epoch => entry.incarnation == resign.incarnation && entry.epoch == resign.epoch,
        });
        match (slot.as_mut().filter(|_| matches), self.config.rules.empty_is_final) {
            (Some(entry), EmptyAnswer::Final) => {
                entry.term = Duration::ZERO;
                entry.answered_empty = true;
            }
            (Some(_), EmptyAnswer::Renewable) => *slot = None,
            (None, _) => {}
        }
        matches
    }

    /// Starts anew with what the disk kept. The steady clock may have started anew too, so each remaining entry gets
    /// the longest term from now on.
    pub fn restart(&mut self, now: StoreNow) {
        let longest = self.config.longest_term;
        for entry in self.entries.iter_mut().flatten() {
            entry.accepted_at = now.steady;
            if self.config.rules.age == StoreAge::Steady {
                entry.term = longest;
            }
        }
        if self.grace_until.is_some() || self.config.rules.grace == Grace::LongestTerm {
            self.grace_until = Some(now.steady + longest);
        }
    }

    /// Starts anew with nothing. `generation` is what the cluster around the store counts.
    pub fn restart_empty(&mut self, now: StoreNow, generation: u32) {
        self.entries.fill(None);
        match self.config.rules.grace {
            Grace::None => self.forget_epochs(),
            Grace::LongestTerm => self.begin_generation(generation, now),
        }
    }

    /// Takes over from a leader whose last changes may be missing here: `former` is the state that was replicated.
    pub fn promote(&mut self, former: Self, now: StoreNow, generation: u32) {
        let config = self.config;
        *self = former;
        self.config = config;
        match self.config.rules.grace_on_promotion {
            Grace::None => {}
            Grace::LongestTerm => {
                self.entries.fill(None);
                self.begin_generation(generation, now);
            }
        }
    }

    fn forget_epochs(&mut self) {
        self.epochs.fill(Epoch::NONE);
        self.versions = 0;
    }

    fn begin_generation(&mut self, generation: u32, now: StoreNow) {
        self.generation = generation;
        self.grace_until = Some(now.steady + self.config.longest_term);
    }

    /// What this generation's versions start above.
    fn generation_base(&self) -> u64 {
        u64::from(self.generation) << 32
    }

    /// Whether the entry of `utype` names a primary at `now`.
    #[must_use]
    #[inline(always)]
    pub fn is_valid(&self, utype: Utype, now: StoreNow) -> bool {
        self.entries[utype.index()].as_ref().is_some_and(|entry| self.valid(entry, now))
    }

    /// Whether a claim with a fitting token would be granted at `now`: the entry is missing or no longer valid.
    #[must_use]
    pub fn is_open(&self, utype: Utype, now: StoreNow) -> bool {
        let Some(entry) = &self.entries[utype.index()] else { return true };
        match self.config.rules.age {
            StoreAge::Observer => true,
            StoreAge::Wall | StoreAge::Steady => !self.valid(entry, now),
        }
    }

    /// When the entry of `utype` stops naming a primary on the store's steady clock, unless it is renewed or given up; the
    /// end of the grace, if that comes later. Only the hardened table can tell: [`StoreAge::Steady`] and
    /// [`TermSource::Row`].
    #[must_use]
    pub fn ends(&self, utype: Utype) -> Instant {
        let end = self.entry(utype).map_or(Instant::ZERO, |entry| entry.accepted_at + entry.term);
        self.grace_until.map_or(end, |grace| grace.max(end))
    }

    /// Whether the table may have forgotten an entry whose term is not over yet.
    #[must_use]
    pub fn in_grace(&self, now: StoreNow) -> bool {
        self.grace_until.is_some_and(|until| now.steady < until)
    }

    fn valid(&self, entry: &Entry, now: StoreNow) -> bool {
        // Once answered empty, no clock brings it back: readers and rivals must agree.
        if self.config.rules.empty_is_final == EmptyAnswer::Final && entry.answered_empty {
            return false;
        }
        let term = match self.config.rules.term_in_row {
            TermSource::Local => self.config.heartbeat_timeout,
            TermSource::Row => entry.term,
        };
        match self.config.rules.age {
            StoreAge::Observer => true,
            StoreAge::Steady => now.steady < entry.accepted_at + term,
            StoreAge::Wall => {
                let in_future = now.wall < entry.stamp;
                let age = now.wall.since(entry.stamp);
                match self.config.dialect {
                    Dialect::DesignText => in_future || age <= term,
                    Dialect::InMemory => in_future || age < term,
                    Dialect::Sql => (in_future || age < term) && minutes_apart(now.wall, entry.stamp) <= minutes(term),
                }
            }
        }
    }

    /// Whether a read has answered empty about the entry that stands there.
    #[must_use]
    pub fn answered_empty(&self, utype: Utype) -> bool {
        self.entry(utype).is_some_and(|entry| entry.answered_empty)
    }

    fn decide(&self, claim: &Claim, now: StoreNow) -> Outcome {
        if !self.affinity_allows(claim, now) {
            return Outcome::Refused;
        }
        let utype = claim.utype.index();
        let next = Epoch { generation: self.generation, counter: self.epochs[utype].counter + 1 };
        let grants_nothing = self.in_grace(now) || self.renews_only(claim) || !self.followers_allow(claim, now);
        let Some(entry) = &self.entries[utype] else {
            let refused = grants_nothing || !self.knows_vacancy(claim);
            return if refused { Outcome::Refused } else { Outcome::Granted(next) };
        };
        if entry.incarnation == claim.incarnation && self.renews(entry, claim) {
            return Outcome::Renewed(entry.epoch);
        }
        if grants_nothing || !self.takes_over(entry, claim, now) {
            return Outcome::Refused;
        }
        let own = entry.incarnation == claim.incarnation;
        if own && self.config.rules.renew_by_seq == RenewalMatch::ExactEntry && !self.is_final(entry) {
            return Outcome::Renewed(entry.epoch);
        }
        Outcome::Granted(next)
    }

    /// Whether a claim of a missing entry was sent on the strength of this generation's answer. One from before the store
    /// forgot may be late by any time: its sender is gone, or works.
    fn knows_vacancy(&self, claim: &Claim) -> bool {
        match self.config.rules.renew_by_seq {
            RenewalMatch::Sequence => claim.token.is_some_and(|token| token.version == self.generation_base()),
            RenewalMatch::ExactEntry => true,
        }
    }

    /// A heartbeat that holds an epoch asks for no other one.
    fn renews_only(&self, claim: &Claim) -> bool {
        self.config.rules.renew_by_seq == RenewalMatch::Sequence && claim.epoch != Epoch::NONE
    }

    /// Whether the entry's epoch is over, whoever asks.
    fn is_final(&self, entry: &Entry) -> bool {
        self.config.rules.empty_is_final == EmptyAnswer::Final && entry.answered_empty
    }

    fn renews(&self, entry: &Entry, claim: &Claim) -> bool {
        if self.is_final(entry) {
            return false;
        }
        match self.config.rules.renew_by_seq {
            RenewalMatch::Sequence => {
                claim.seq > entry.seq && (claim.epoch == Epoch::NONE || claim.epoch == entry.epoch)
            }
            RenewalMatch::ExactEntry => match (self.config.rules.age, self.config.dialect) {
                (StoreAge::Observer, _) => claim.token.is_some_and(|token| token.version == entry.version),
                (_, Dialect::DesignText) => true,
                (_, Dialect::InMemory | Dialect::Sql) => claim
                    .token
                    .is_some_and(|token| token.incarnation == Some(entry.incarnation) && token.stamp == entry.stamp),
            },
        }
    }

    fn takes_over(&self, entry: &Entry, claim: &Claim, now: StoreNow) -> bool {
        let same_version = claim.token.is_some_and(|token| token.version == entry.version);
        if self.config.rules.age == StoreAge::Observer {
            return same_version;
        }
        if self.valid(entry, now) {
            return false;
        }
        match (self.config.rules.renew_by_seq, self.config.dialect) {
            (RenewalMatch::Sequence, _) => same_version,
            (RenewalMatch::ExactEntry, Dialect::DesignText) => true,
            (RenewalMatch::ExactEntry, Dialect::InMemory) => {
                claim.token.is_some_and(|token| token.incarnation.is_none())
            }
            (RenewalMatch::ExactEntry, Dialect::Sql) => {
                claim.token.is_some_and(|token| token.incarnation.is_none() && token.stamp == entry.stamp)
            }
        }
    }

    fn affinity_allows(&self, claim: &Claim, now: StoreNow) -> bool {
        match (self.config.rules.affinity_in_transaction, self.config.affinity.of(claim.utype)) {
            (AffinityCheck::ClientRead, _) => true,
            (AffinityCheck::Transaction, other) => {
                let runs_here =
                    |other| self.entry(other).is_some_and(|entry| entry.host == claim.host && self.valid(entry, now));
                other.is_none_or(runs_here)
            }
        }
    }

    /// Whether no kind that follows this one still has a term on another host: its primary could not know that the one
    /// it follows resigned and moved.
    fn followers_allow(&self, claim: &Claim, now: StoreNow) -> bool {
        if self.config.rules.affinity_in_transaction == AffinityCheck::ClientRead {
            return true;
        }
        !self.config.affinity.followers(claim.utype).any(|kind| {
            let entry = self.entries.get(kind.index()).and_then(Option::as_ref);
            entry.is_some_and(|entry| entry.host != claim.host && self.promised(entry, now))
        })
    }

    /// Whether the term promised with `entry` may still be trusted by its primary, whatever readers are told.
    fn promised(&self, entry: &Entry, now: StoreNow) -> bool {
        now.steady < entry.accepted_at + entry.term
    }

    fn accept(&mut self, claim: &Claim, epoch: Epoch, now: StoreNow) {
        let mut term = self.config.heartbeat_timeout;
        if self.config.rules.term_in_row == TermSource::Row
            && let Some(entry) = self.entry(claim.utype)
            && (entry.incarnation, entry.epoch) == (claim.incarnation, epoch)
        {
            // The owner may trust the longer term that it was promised, if the answer with the shorter one is lost.
            term = term.max((entry.accepted_at + entry.term).since(now.steady)).min(self.config.longest_term);
        }
        if self.config.rules.affinity_in_transaction == AffinityCheck::Transaction
            && let Some(other) = self.config.affinity.of(claim.utype)
            && let Some(entry) = self.entry(other)
        {
            term = term.min((entry.accepted_at + entry.term).since(now.steady));
        }
        self.versions += 1;
        let utype = claim.utype.index();
        self.epochs[utype] = self.epochs[utype].max(epoch);
        self.entries[utype] = Some(Entry {
            incarnation: claim.incarnation,
            host: claim.host,
            epoch,
            seq: claim.seq,
            term,
            stamp: now.wall,
            accepted_at: now.steady,
            version: self.generation_base() + self.versions,
            answered_empty: false,
        });
    }

    /// The entry as an answer shows it at `now`.
    #[inline(always)]
    fn show(&mut self, utype: Utype, now: StoreNow) -> Row {
        let valid = self.is_valid(utype, now);
        let vacant = Row { version: self.generation_base(), ..Row::default() };
        let Some(entry) = &mut self.entries[utype.index()] else { return vacant };
        entry.answered_empty |= !valid;
        let stamp = match self.config.dialect {
            Dialect::InMemory if !valid => NEVER,
            _ => entry.stamp,
        };
        Row {
            incarnation: valid.then_some(entry.incarnation),
            host: entry.host,
            epoch: entry.epoch,
            seq: entry.seq,
            version: entry.version,
            stamp,
            term: entry.term,
        }
    }

    #[inline(always)]
    fn answer(&self, utype: Utype, to_heartbeat: bool, tag: u32, sent_at: Instant, row: Row) -> Answer {
        let mut answer = Answer { utype, to_heartbeat, tag, sent_at, row, digest: 0 };
        answer.digest = answer.expected_digest();
        answer
    }
}

/// The token of a client that has never seen an entry, as the SQL client sends it.
impl Default for Token {
    fn default() -> Self {
        Self { incarnation: None, stamp: NEVER, version: 0 }
    }
}

const MINUTE_US: u64 = 60_000_000;

/// Minutes begun in `span`.
fn minutes(span: Duration) -> u64 {
    span.as_micros().div_ceil(MINUTE_US)
}

/// How often the minute hand moves between two times.
fn minutes_apart(a: Instant, b: Instant) -> u64 {
    (a.as_micros() / MINUTE_US).abs_diff(b.as_micros() / MINUTE_US)
}
