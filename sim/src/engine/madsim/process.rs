//! The process of one actor: a task with a socket, that owns the machine.

use super::dial::{Dial, Nap};
use super::mail::{Shared, Ticket, lock};
use crate::event::{ActorId, Event};
use crate::protocol::Protocol;
use failproof_core::{Env, Instant, drive};
use madsim::net::UdpSocket;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

type Receive = Pin<Box<dyn Future<Output = Ticket> + Send>>;

/// The environment of one machine.
pub(super) struct Process<P: Protocol> {
    actor: ActorId,
    durable: bool,
    shared: Shared<P>,
    addresses: Arc<Vec<SocketAddr>>,
    dial: Dial,
    socket: Arc<UdpSocket>,
    /// The one receive under way. It is never dropped before it is done: it may hold a datagram already.
    receive: Receive,
    outbox: Vec<(ActorId, Ticket)>,
    /// The slot it is in, or was in last.
    now_us: Option<u64>,
}

impl<P: Protocol> Process<P> {
    /// Runs `machine` until its node is killed.
    pub(super) async fn run(
        actor: ActorId,
        mut machine: P::Machine,
        durable: bool,
        shared: Shared<P>,
        addresses: Arc<Vec<SocketAddr>>,
        dial: Dial,
    ) {
        let address = addresses[usize::from(actor)];
        let socket = UdpSocket::bind(address).await.unwrap_or_else(|error| panic!("bind {address}: {error}"));
        let socket = Arc::new(socket);
        let receive = receive(Arc::clone(&socket));
        let outbox = Vec::new();
        let mut process = Self { actor, durable, shared, addresses, dial, socket, receive, outbox, now_us: None };
        process.write_disk(&machine);
        drive(&mut machine, &mut process).await;
    }

    fn write_disk(&self, machine: &P::Machine) {
        if self.durable {
            lock(&self.shared).write_disk(self.actor, P::disk(machine));
        }
    }

    async fn send(&mut self) {
        for (target, ticket) in self.outbox.drain(..) {
            let address = self.addresses[usize::from(target)];
            let sent = self.socket.send_to(address, &ticket.to_le_bytes()).await;
            sent.unwrap_or_else(|error| panic!("send to {address}: {error}"));
        }
    }

    /// Waits for the next slot in which there is something to do, and says when that is. Datagrams are received
    /// meanwhile, and may change which slot it is.
    async fn wait(&mut self) -> u64 {
        loop {
            let slot = lock(&self.shared).plan_actor(self.actor);
            let mut nap = Nap::until(slot, self.dial);
            let reached = poll_fn(|cx| {
                while let Poll::Ready(ticket) = self.receive.as_mut().poll(cx) {
                    lock(&self.shared).arrive(self.actor, ticket, self.now_us);
                    self.receive = receive(Arc::clone(&self.socket));
                }
                if lock(&self.shared).seat(self.actor).alarm.changed(cx) {
                    return Poll::Ready(None);
                }
                if nap.is_over(cx) { Poll::Ready(slot) } else { Poll::Pending }
            });
            if let Some(slot) = reached.await {
                assert!(self.dial.is_in(slot), "actor {} missed its slot at {} µs", self.actor, slot.at_us);
                return slot.at_us;
            }
        }
    }
}

impl<P: Protocol> Env<P::Machine> for Process<P> {
    type Wake = Event;

    /// The deadline has been told to the world, which sets timers by the clock of the place.
    async fn next(&mut self, _: Option<Instant>) -> Option<Event> {
        loop {
            let due = self.now_us.and_then(|now_us| lock(&self.shared).due(self.actor, now_us));
            if due.is_some() {
                return due;
            }
            self.send().await;
            self.now_us = Some(self.wait().await);
        }
    }

    /// Sends nothing yet: nothing may happen between two steps of one slot.
    async fn step(&mut self, machine: &mut P::Machine, event: Event) {
        lock(&self.shared).step(machine, &event, &mut self.outbox);
        self.write_disk(machine);
    }
}

fn receive(socket: Arc<UdpSocket>) -> Receive {
    Box::pin(async move {
        let mut bytes = Ticket::MAX.to_le_bytes();
        let received = socket.recv_from(&mut bytes).await;
        received.unwrap_or_else(|error| panic!("receive: {error}"));
        Ticket::from_le_bytes(bytes)
    })
}
