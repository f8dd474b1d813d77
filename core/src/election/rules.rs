//! Every decision that separates the published election from the hardened one, as data.
//!
//! Each field of [`Rules`] is one decision and defends against one defect (E1 to E14 in `spec/defences.toml`). Each is
//! matched in one function of the core. The first variant of each enum is what the published design does.

use crate::decisions::decisions;

decisions! {
    /// E1: from which moment a primary's term counts.
    LeaseAnchor {
        /// From the sending of the last read that named it, for `T − I`. The entry may already be nearly `T` old then.
        Read,
        /// From the first sending of a heartbeat that is known to have been accepted, for the safe term.
        Heartbeat,
    }
    /// E2: whether the resource refuses operations of an older epoch.
    Fencing {
        /// It takes any operation.
        None,
        /// It refuses lower epochs; a new primary seals it with its own epoch before it works.
        Epoch,
    }
    /// E3: when a primary acts on an answer that names somebody else.
    Recheck {
        /// At its next tick, up to `I` later.
        NextTick,
        /// At once.
        OnReply,
    }
    /// E4: on which clock the age of an entry is measured.
    StoreAge {
        /// The store's wall clock, which can step.
        Wall,
        /// The store's steady clock.
        Steady,
        /// The candidate's own clock: it may take over a version that it has seen unchanged for `W`.
        Observer,
    }
    /// E5: where an incarnation comes from.
    IdentitySource {
        /// From the disk image or client object, which a restart keeps and a clone copies.
        Reused,
        /// From an input of each start.
        Fresh,
    }
    /// E6: what an empty answer means for the epoch that it was given about.
    EmptyAnswer {
        /// Nothing: a late heartbeat revives the entry.
        Renewable,
        /// That epoch is never renewed.
        Final,
    }
    /// E7: which heartbeats renew an entry.
    RenewalMatch {
        /// Those whose token equals the stored entry exactly.
        ExactEntry,
        /// Those of the same incarnation with a larger sequence number.
        Sequence,
    }
    /// E8, E11: what a store grants right after it may have forgotten something.
    Grace {
        /// Whatever is asked for.
        None,
        /// Nothing, for the longest term ever promised; and epochs continue above all former ones.
        LongestTerm,
    }
    /// E9: whose timeout a primary's term comes from.
    TermSource {
        /// Its own configuration.
        Local,
        /// The entry: fixed at acceptance and returned with it.
        Row,
    }
    /// E10: how affinity is checked.
    AffinityCheck {
        /// By the client, from reads of its own.
        ClientRead,
        /// By the store, in the transaction that accepts the heartbeat; the term ends no later than the other's.
        Transaction,
    }
    /// E12: which clock of its machine a candidate reads.
    NodeClock {
        /// One that stands still while the machine is suspended, as Linux `CLOCK_MONOTONIC` does.
        Monotonic,
        /// One that counts suspended time, as Linux `CLOCK_BOOTTIME` does.
        Boottime,
    }
    /// E13: which entry a resignation deletes.
    ResignMatch {
        /// Whatever stands there.
        Any,
        /// Only the one of the resigning incarnation and epoch.
        Epoch,
    }
    /// E14: whether an answer is checked before it is believed.
    ReplyCheck {
        /// It is believed.
        Trust,
        /// Its digest must match; otherwise it counts as no answer.
        Validate,
    }
}

/// The rules of one election: one field per defence, named as in `spec/defences.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Rules {
    /// E1: from which moment a primary's term counts.
    pub anchor: LeaseAnchor,
    /// E2: whether the resource refuses operations of an older epoch.
    pub fencing: Fencing,
    /// E3: when a primary acts on an answer that names somebody else.
    pub recheck_on_reply: Recheck,
    /// E4: on which clock the age of an entry is measured.
    pub age: StoreAge,
    /// E5: where an incarnation comes from.
    pub fresh_incarnation: IdentitySource,
    /// E6: what an empty answer means for the epoch that it was given about.
    pub empty_is_final: EmptyAnswer,
    /// E7: which heartbeats renew an entry.
    pub renew_by_seq: RenewalMatch,
    /// E8: what a store grants after it restarted.
    pub grace: Grace,
    /// E9: whose timeout a primary's term comes from.
    pub term_in_row: TermSource,
    /// E10: how affinity is checked.
    pub affinity_in_transaction: AffinityCheck,
    /// E11: what a store grants after a replica was promoted.
    pub grace_on_promotion: Grace,
    /// E12: which clock of its machine a candidate reads.
    pub suspend_aware_clock: NodeClock,
    /// E13: which entry a resignation deletes.
    pub resign_by_epoch: ResignMatch,
    /// E14: whether an answer is checked before it is believed.
    pub validate_reply: ReplyCheck,
}

impl Rules {
    /// The design as published, and where its text is silent, what the original code does.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            anchor: LeaseAnchor::Read,
            fencing: Fencing::None,
            recheck_on_reply: Recheck::NextTick,
            age: StoreAge::Wall,
            fresh_incarnation: IdentitySource::Reused,
            empty_is_final: EmptyAnswer::Renewable,
            renew_by_seq: RenewalMatch::ExactEntry,
            grace: Grace::None,
            term_in_row: TermSource::Local,
            affinity_in_transaction: AffinityCheck::ClientRead,
            grace_on_promotion: Grace::None,
            suspend_aware_clock: NodeClock::Monotonic,
            resign_by_epoch: ResignMatch::Any,
            validate_reply: ReplyCheck::Trust,
        }
    }

    /// The same protocol with every defence on.
    #[must_use]
    pub const fn hardened() -> Self {
        Self {
            anchor: LeaseAnchor::Heartbeat,
            fencing: Fencing::Epoch,
            recheck_on_reply: Recheck::OnReply,
            age: StoreAge::Steady,
            fresh_incarnation: IdentitySource::Fresh,
            empty_is_final: EmptyAnswer::Final,
            renew_by_seq: RenewalMatch::Sequence,
            grace: Grace::LongestTerm,
            term_in_row: TermSource::Row,
            affinity_in_transaction: AffinityCheck::Transaction,
            grace_on_promotion: Grace::LongestTerm,
            suspend_aware_clock: NodeClock::Boottime,
            resign_by_epoch: ResignMatch::Epoch,
            validate_reply: ReplyCheck::Validate,
        }
    }

    /// The rule sets that have names.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("hardened", Self::hardened()),
        ("published", Self::published()),
        ("client_go", Self::client_go()),
        ("shedlock", Self::shedlock()),
    ];

    /// The name of these rules; `custom` if they have none.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, named)| *named == self).map_or("custom", |(name, _)| name)
    }

    /// As Kubernetes' client-go leader election documents itself: takeover by observation on the candidate's own clock,
    /// renewal by compare-and-set on the object's version, a fresh identity per process, no fencing.
    #[must_use]
    pub const fn client_go() -> Self {
        Self {
            anchor: LeaseAnchor::Heartbeat,
            recheck_on_reply: Recheck::OnReply,
            age: StoreAge::Observer,
            fresh_incarnation: IdentitySource::Fresh,
            resign_by_epoch: ResignMatch::Epoch,
            ..Self::published()
        }
    }

    /// As ShedLock documents itself: a row with `lock_until` written by the store's clock, extended and released only
    /// by its holder and only before it ran out, no fencing.
    #[must_use]
    pub const fn shedlock() -> Self {
        Self {
            anchor: LeaseAnchor::Heartbeat,
            fresh_incarnation: IdentitySource::Fresh,
            empty_is_final: EmptyAnswer::Final,
            renew_by_seq: RenewalMatch::Sequence,
            term_in_row: TermSource::Row,
            resign_by_epoch: ResignMatch::Epoch,
            ..Self::published()
        }
    }
}
