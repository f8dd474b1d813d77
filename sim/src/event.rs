//! What can happen to an actor at one nominal time.

use crate::letters::Letter;

/// An actor's place in the cast: the store first, then the resource, then the others.
pub type ActorId = u16;

/// One event: small, because it is moved often. What it carries waits in the world until it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where it stands in the order, and so when it happens, to whom, and what.
    pub key: Key,
    /// Which start of the target it is for. An event for an earlier start is lost with that process.
    pub boot: u32,
    /// Which life of the source it comes from: known to the judge, not to the protocol.
    pub life: u32,
    /// What it carries; a timer carries nothing.
    pub letter: Letter,
}

/// What happens. At equal times this is the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The target's deadline passed while it stood still.
    Passed,
    /// The environment makes the target do something: start, resign, lose its tail.
    Command,
    /// A message arrives.
    Message,
    /// An operation that the target began earlier leaves it now.
    Effect,
    /// The target's deadline passed.
    Timer,
}

impl Event {
    /// Whether it is the target's deadline that passed: only then it carries nothing.
    #[must_use]
    pub const fn is_timer(&self) -> bool {
        self.letter.is_none()
    }
}

/// Where an event stands in the order: nominal time, target, kind, source, counter.
///
/// Shape: two words, so that comparing integers orders events. The first holds 48 bits of true time in microseconds and
/// 16 of target; the second holds 16 bits of kind, 16 of source and 32 of counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    when: u64,
    what: u64,
}

/// The last time that a key can name, beyond the end of every run.
const AT_US_MAX: u64 = (1 << 48) - 1;

impl Key {
    /// After every other one.
    pub const LAST: Self = Self { when: u64::MAX, what: u64::MAX };

    /// The source is the target itself for a timer. The counter numbers the events of one link, from 0; for a timer it is
    /// the arming that it belongs to.
    #[must_use]
    pub const fn new(at_us: u64, target: ActorId, kind: Kind, source: ActorId, counter: u32) -> Self {
        let what = (kind as u64) << 48 | (source as u64) << 32 | counter as u64;
        Self { when: when(at_us, target), what }
    }

    /// The same at another time.
    #[must_use]
    pub const fn at(self, at_us: u64) -> Self {
        Self { when: when(at_us, self.target()), what: self.what }
    }

    /// The same later, by a microsecond at least.
    #[must_use]
    pub const fn delayed(self, by_us: u64) -> Self {
        self.at(self.at_us() + if by_us > 0 { by_us } else { 1 })
    }

    /// The next one of its link.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { what: self.what + 1, ..self }
    }

    /// When, in true microseconds.
    #[must_use]
    pub const fn at_us(self) -> u64 {
        self.when >> 16
    }

    /// To whom.
    #[must_use]
    pub const fn target(self) -> ActorId {
        self.when as ActorId
    }

    /// What happens.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self.what >> 48 {
            0 => Kind::Passed,
            1 => Kind::Command,
            2 => Kind::Message,
            3 => Kind::Effect,
            _ => Kind::Timer,
        }
    }

    /// From whom.
    #[must_use]
    pub const fn source(self) -> ActorId {
        (self.what >> 32) as ActorId
    }

    /// Which one of its link, or of its arming.
    #[must_use]
    pub const fn counter(self) -> u32 {
        self.what as u32
    }

    /// The first word: time and target.
    #[must_use]
    pub const fn when(self) -> u64 {
        self.when
    }

    /// The second word: kind, source and counter. Its highest byte is zero.
    #[must_use]
    pub const fn what(self) -> u64 {
        self.what
    }
}

const fn when(at_us: u64, target: ActorId) -> u64 {
    let at_us = if at_us < AT_US_MAX { at_us } else { AT_US_MAX };
    at_us << 16 | target as u64
}
