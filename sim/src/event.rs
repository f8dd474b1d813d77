//! What can happen to an actor at one nominal time.

use crate::queue::Key;

/// An actor's place in the cast: the store first, then the resource, then the others.
pub type ActorId = u16;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<M, C> {
    /// When, in true microseconds.
    pub at_us: u64,
    /// To whom.
    pub target: ActorId,
    /// From whom; the target itself for a timer.
    pub source: ActorId,
    /// Numbers the events of one link, from 0; for a timer the arming that it belongs to.
    pub counter: u32,
    /// Which start of the target it is for. An event for an earlier start is lost with that process.
    pub boot: u32,
    /// Which life of the source it comes from: known to the judge, not to the protocol.
    pub life: u32,
    /// What happens.
    pub body: Body<M, C>,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<M, C> {
    /// The environment makes the target do something: start, resign, lose its tail.
    Command(C),
    /// A message arrives.
    Message(M),
    /// An operation that the target began earlier leaves it now.
    Effect(M),
    /// The target's deadline passed.
    Timer {
        /// It had passed while the target stood still.
        resumed: bool,
    },
}

impl<M, C> Event<M, C> {
    /// Its place in the order.
    #[must_use]
    pub const fn key(&self) -> Key {
        Key::new(self.at_us, self.target, self.kind(), self.source, self.counter)
    }

    /// At equal times timers that passed during a pause come first, then commands, then messages, then operations that leave, then timers.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        // Apart from the rest, so that the rest is a look-up and not a jump that nobody can foresee.
        if let Body::Timer { resumed: true } = self.body {
            return 0;
        }
        match self.body {
            Body::Command(_) => 1,
            Body::Message(_) => 2,
            Body::Effect(_) => 3,
            Body::Timer { .. } => 4,
        }
    }
}
