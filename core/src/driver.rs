//! The one loop that joins a machine to an environment. It knows no runtime: simulated tasks and real processes bring
//! their own [`Env`].

use crate::machine::Machine;
use crate::time::Instant;
use core::future::Future;

/// An environment: it delivers inputs in order, carries out outputs, and sees each step before and after.
pub trait Env<M: Machine> {
    /// What wakes a machine: an input and its time, in the environment's own words. The passing of a deadline is one
    /// like any other.
    type Wake: Send;

    /// Waits for the next input, or for `deadline` to pass. `None` ends the loop.
    fn next(&mut self, deadline: Option<Instant>) -> impl Future<Output = Option<Self::Wake>> + Send;

    /// Lets the machine take the step. An environment that records or judges does so around `machine.handle`.
    fn step(&mut self, machine: &mut M, wake: Self::Wake) -> impl Future<Output = ()> + Send;
}

/// Runs `machine` in `env` until the environment ends the loop.
pub async fn drive<M: Machine, E: Env<M>>(machine: &mut M, env: &mut E) {
    while let Some(wake) = env.next(machine.deadline()).await {
        env.step(machine, wake).await;
    }
}
