//! A seat of a heartbeat table: what a server of another protocol holds by election, and by what it may act.

use super::candidate::{Candidate, Event, Input, Output, Start, Target};
use super::config::Config;
use super::message::Message;
use crate::id::Epoch;
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::vec::Vec;

/// How long a grant is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Belief {
    /// While the term runs, by the candidate's own clock.
    Term,
    /// Once granted, until it is given up: a lock that is believed to have no end.
    Forever,
}

/// What a seat asks of the machine that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Send this to the heartbeat table.
    Send(Message),
    /// Tell the application.
    Tell(Event),
}

/// A seat, as the server sees it that is a candidate for it. No resource is behind it: what it guards has epochs of its own.
///
/// Units and clock: every [`Instant`] is microseconds on the server's own clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Seat {
    candidate: Candidate,
    #[cfg_attr(feature = "serde", serde(skip))]
    belief: Belief,
    life: u32,
    /// The last grant, until it is given up.
    granted: Epoch,
    /// What the candidate asked for in this step.
    #[cfg_attr(feature = "serde", serde(skip))]
    asked: Vec<Output>,
}

impl Seat {
    /// A seat that nobody has granted; it wants its first timer input at once.
    #[must_use]
    pub fn new(config: Config, start: Start, belief: Belief) -> Self {
        let (candidate, asked) = (Candidate::new(config, start), Vec::with_capacity(4));
        Self { candidate, belief, life: 1, granted: Epoch::NONE, asked }
    }

    /// The candidate for it.
    #[must_use]
    pub const fn candidate(&self) -> &Candidate {
        &self.candidate
    }

    /// The epoch in which it is held, or was last.
    #[must_use]
    pub fn term(&self) -> Epoch {
        match self.belief {
            Belief::Term => self.candidate.epoch(),
            Belief::Forever => self.granted,
        }
    }

    /// Whether its server believes that it holds it, the present term taken as it is.
    #[must_use]
    pub fn is_believed(&self) -> bool {
        match self.belief {
            Belief::Term => self.candidate.refined().works,
            Belief::Forever => self.granted != Epoch::NONE,
        }
    }

    /// Whether its server believes at `now` that it holds it.
    #[must_use]
    pub fn is_held(&self, now: Instant) -> bool {
        self.is_believed() && (self.belief == Belief::Forever || self.candidate.may_act(now))
    }

    /// Changes T while it runs.
    pub fn set_timeout(&mut self, heartbeat_timeout: Duration) {
        self.candidate.set_timeout(heartbeat_timeout);
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.asked.capacity() * size_of::<Output>()
    }

    /// Feeds the candidate, and hands on what it asks for. Whether it started over: what its server did by the seat is over
    /// with that, if it believes in terms.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, mut ask: impl FnMut(Asked)) -> bool {
        let mut outputs = core::mem::take(&mut self.asked);
        self.candidate.handle(now, input, &mut outputs);
        for output in outputs.drain(..) {
            match output {
                Output::Send(Target::Table, message) => {
                    if matches!(message, Message::Resign(_)) {
                        self.granted = Epoch::NONE;
                    }
                    ask(Asked::Send(message));
                }
                Output::Event(event) => {
                    if let Event::SteppedUp(epoch) = event {
                        self.granted = epoch;
                    }
                    ask(Asked::Tell(event));
                }
                // It neither seals nor operates on a resource.
                Output::Send(..) | Output::Effect { .. } => {}
            }
        }
        self.asked = outputs;
        let life = self.candidate.refined().life;
        core::mem::replace(&mut self.life, life) != life
    }
}
