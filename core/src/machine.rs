//! The one interface of every protocol: a value that is fed inputs and says when it wants to be woken.

use crate::time::Instant;
use alloc::vec::Vec;

/// A protocol value: a pure function of `(state, now, input)`.
pub trait Machine {
    /// What can happen to it. Borrowed, because messages are large and a step only reads them.
    type Input<'a>;
    /// What it asks of its environment.
    type Output;

    /// Takes one input and appends the answers to `outputs`, in the order in which they are to be carried out.
    ///
    /// Units and clock: `now` is the time of the input on the clock that the machine's rules name.
    fn handle(&mut self, now: Instant, input: Self::Input<'_>, outputs: &mut Vec<Self::Output>);

    /// When the machine wants its timer input at the latest, on the same clock; `None` if it only waits for messages.
    /// Being woken early is harmless.
    fn deadline(&self) -> Option<Instant>;
}
