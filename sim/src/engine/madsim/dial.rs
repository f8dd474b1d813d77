//! From nominal time to madsim's time: slots, and sleeping until one begins.

use crate::event::ActorId;
use madsim::time::{Duration, Instant, Sleep, sleep_until};
use std::pin::Pin;
use std::task::Context;

/// A turn: the environment's or an actor's, in one nominal microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) at_us: u64,
    turn: u32,
}

impl Slot {
    /// Beyond every run.
    pub(super) const NEVER: Self = Self { at_us: u64::MAX, turn: 0 };

    /// The environment comes first.
    pub(super) const fn environment(at_us: u64) -> Self {
        Self { at_us, turn: 0 }
    }

    /// Then the actors come, in the order of the cast.
    pub(super) const fn actor(at_us: u64, actor: ActorId) -> Self {
        Self { at_us, turn: actor as u32 + 1 }
    }
}

/// How nominal time is stretched.
///
/// ```text
/// nominal t                                                                                       t + 1
/// | environment | start, drain of resumed sockets | actor 0 | actor 1 | … | datagrams leave, arrive |
///               <------------- GAP -------------->                        <--------- GAP --------->
/// ```
///
/// Units: madsim takes 1 ms for each datagram sent and for each received, so a gap is good for 400,000 of them. A run of
/// 2,000 hours with 30,000 actors still ends before madsim's clock does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dial {
    base: Instant,
    microsecond: Duration,
}

/// Between the environment and the first actor, and after the last one.
const GAP: Duration = Duration::from_secs(400);
/// From one actor to the next. A turn itself takes no time but what madsim adds for running a task.
const TURN: Duration = Duration::from_millis(10);

impl Dial {
    /// Nominal zero is a moment from now.
    pub(super) fn new(actors: usize) -> Self {
        let microsecond = GAP + TURN * actors as u32 + GAP;
        Self { base: Instant::now() + GAP, microsecond: Duration::from_secs(microsecond.as_secs() + 1) }
    }

    /// When a slot begins.
    fn at(self, slot: Slot) -> Instant {
        let before = Duration::from_secs(self.microsecond.as_secs() * slot.at_us);
        let turn = if slot.turn == 0 { Duration::ZERO } else { GAP + TURN * slot.turn };
        self.base + before + turn
    }

    /// Whether a slot has begun and the next one has not.
    pub(super) fn is_in(self, slot: Slot) -> bool {
        let begin = self.at(slot);
        (begin..begin + TURN).contains(&Instant::now())
    }
}

/// A sleep until a slot begins.
pub(super) struct Nap(Option<(Sleep, bool)>);

impl Nap {
    /// Forever without a slot.
    pub(super) fn until(slot: Option<Slot>, dial: Dial) -> Self {
        Self(slot.map(|slot| (sleep_until(dial.at(slot)), false)))
    }

    /// Whether it is over; if not, the task is woken when it is.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.0 {
            None => false,
            // Each poll of madsim's sleep leaves a timer that cannot be taken back: one is enough.
            Some((sleep, true)) => sleep.is_elapsed(),
            Some((sleep, armed)) => {
                *armed = true;
                Pin::new(sleep).poll(cx).is_ready()
            }
        }
    }
}
