//! A client: it creates contexts, then changes and reads them and those of its partner, one request at a time, and asks
//! again until it is answered.

use super::binding::Binding;
use super::config::ClientConfig;
use super::haid::HaidText;
use super::message::{Answer, Content, ContextId, Current, KEYS, Message, Request, Verb};
use super::{Output, Target};
use crate::chance::Chance;
use crate::machine::Machine;
use crate::time::Instant;
use alloc::vec::Vec;

/// What can happen to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientInput<'a> {
    /// A deadline passed, or the client was started.
    Timer,
    /// A message arrived.
    Message(&'a Message),
    /// Once, it presents a HAID that it relabelled: an instance that the HAID does not name takes the place of main.
    Forge {
        /// How many aliases there are.
        servers: u16,
    },
    /// Once, it presents a HAID that it spells in another way.
    Respell,
}

/// A context that a client works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Known {
    id: Option<ContextId>,
    haid: Option<HaidText>,
    generation: u32,
    sent: Content,
}

/// The request that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Pending {
    at: usize,
    what: Wish,
    number: u32,
    attempts: u32,
    /// Whether the main instance is believed not to be available.
    avoid_main: bool,
    /// Whether it was sent at once to where it was told, since it was last sent by the clock.
    followed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
enum Wish {
    /// The HAID of a context that is new, or known by its number only.
    Context,
    Change {
        key: u8,
    },
    Read,
}

/// How a HAID is presented next, if not as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Trick {
    None,
    Forge { servers: u16 },
    Respell,
}

/// One client.
///
/// Units and clock: every [`Instant`] is microseconds on the client's own clock. A request keeps its number however often
/// it is repeated; every other repetition asks for the backup, and each one another gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Client {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: ClientConfig,
    known: Vec<Known>,
    pending: Option<Pending>,
    number: u32,
    due: Instant,
    #[cfg_attr(feature = "serde", serde(skip))]
    trick: Trick,
    #[cfg_attr(feature = "serde", serde(skip))]
    chance: Chance,
}

impl Client {
    /// A client that wants its first timer input at once.
    #[must_use]
    pub fn new(config: ClientConfig, entropy: u64) -> Self {
        let fresh = |id| Known { id, haid: None, generation: 0, sent: [0; KEYS] };
        let adopts = config.adopts.iter().map(|id| fresh(Some(id)));
        let creates = (0..config.creates).map(|_| fresh(None));
        Self {
            known: adopts.chain(creates).collect(),
            pending: None,
            number: 0,
            due: Instant::ZERO,
            trick: Trick::None,
            chance: Chance::new(entropy),
            config,
        }
    }

    /// A client that starts again with what its workflows remember: contexts, HAIDs, and the request under way.
    #[must_use]
    pub fn restarted(mut self) -> Self {
        self.due = Instant::ZERO;
        self
    }

    /// What it keeps elsewhere, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.known.capacity() * size_of::<Known>()
    }

    /// The number of the request that it waits for, if it waits for one.
    #[must_use]
    pub fn waits_for(&self) -> Option<u32> {
        self.pending.map(|pending| pending.number)
    }

    /// Contexts first, then any of them, a change as often as a read.
    fn begin(&mut self) {
        let Some(at) = self.next() else { return };
        self.number += 1;
        let what = match self.known[at].haid {
            None => Wish::Context,
            Some(_) if self.chance.below(2) == 0 => Wish::Read,
            Some(_) => {
                let any = self.chance.below(KEYS as u64);
                let own = u64::from(self.config.client) % KEYS as u64;
                let key = if self.config.partner.is_some() { own } else { any } as u8;
                self.known[at].sent[usize::from(key)] += 1;
                Wish::Change { key }
            }
        };
        self.pending = Some(Pending { at, what, number: self.number, attempts: 0, avoid_main: false, followed: false });
    }

    fn next(&mut self) -> Option<usize> {
        if let Some(at) = self.known.iter().position(|known| known.haid.is_none()) {
            return Some(at);
        }
        let which = self.chance.below(self.known.len() as u64) as usize;
        (!self.known.is_empty()).then_some(which)
    }

    fn attempt(&mut self, outputs: &mut Vec<Output>) {
        let Some(pending) = &mut self.pending else { return };
        let attempt = pending.attempts;
        pending.attempts += 1;
        let Pending { at, what, number, avoid_main, .. } = *pending;
        let known = self.known[at];
        let verb = match (what, known.haid, known.id) {
            (Wish::Change { key }, Some(haid), _) => {
                let seq = known.sent[usize::from(key)];
                Verb::Change { haid: self.present(haid), key, seq }
            }
            (Wish::Read, Some(haid), _) => Verb::Read { haid: self.present(haid) },
            (_, _, Some(id)) => Verb::Adopt { id },
            (_, _, None) => Verb::Create,
        };
        let gateway = ((u64::from(number) + u64::from(attempt)) % u64::from(self.config.gateways.max(1))) as u16;
        let client = self.config.client;
        let request = Request { client, number, verb, avoid_main, gateway };
        outputs.push(Output::Send(Target::Gateway(gateway), Message::Request(request)));
    }

    /// The HAID as it is sent.
    fn present(&mut self, haid: HaidText) -> HaidText {
        match core::mem::replace(&mut self.trick, Trick::None) {
            Trick::None => haid,
            Trick::Forge { servers } => Binding::relabelled(&haid, servers).unwrap_or(haid),
            Trick::Respell => Binding::respelled(&haid).unwrap_or(haid),
        }
    }

    fn on_answer(&mut self, now: Instant, number: u32, answer: &Answer, outputs: &mut Vec<Output>) {
        let Some(pending) = self.pending.as_mut().filter(|pending| pending.number == number) else { return };
        let known = &mut self.known[pending.at];
        match answer {
            Answer::Context(current)
            | Answer::Changed(current)
            | Answer::Value(current, _)
            | Answer::Moved(current) => {
                if known.haid.is_none() || current.generation >= known.generation {
                    known.id = Some(current.id);
                    known.haid = Some(current.haid);
                    known.generation = current.generation;
                }
            }
            // It waits until its patience is over, and asks again.
            Answer::Unavailable | Answer::Refused => return,
        }
        if matches!(answer, Answer::Moved(_)) {
            // Once at once, then by the clock: two servers may point at each other for a while.
            if !core::mem::replace(&mut pending.followed, true) {
                pending.avoid_main = false;
                self.attempt(outputs);
                self.due = now + self.config.patience;
            }
            return;
        }
        if let (Answer::Context(current), Some(partner)) = (answer, self.config.partner) {
            outputs.push(Output::Send(Target::Client(partner), Message::Share(*current)));
        }
        self.pending = None;
        self.due = now + self.config.every;
    }

    /// The partner was given a context. One that is known already brings no news: this one may have moved since.
    fn on_share(&mut self, current: &Current) {
        if self.known.iter().all(|known| known.id != Some(current.id)) {
            let Current { id, haid, generation, .. } = *current;
            self.known.push(Known { id: Some(id), haid: Some(haid), generation, sent: [0; KEYS] });
        }
    }
}

impl Machine for Client {
    type Input<'a> = ClientInput<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: ClientInput<'_>, outputs: &mut Vec<Output>) {
        match input {
            ClientInput::Timer => {
                if now >= self.due {
                    match &mut self.pending {
                        Some(pending) => {
                            pending.avoid_main = !pending.avoid_main;
                            pending.followed = false;
                        }
                        None => self.begin(),
                    }
                    self.attempt(outputs);
                    self.due = now + self.config.patience;
                }
            }
            ClientInput::Message(Message::Reply(reply)) => self.on_answer(now, reply.number, &reply.answer, outputs),
            ClientInput::Message(Message::Share(current)) => self.on_share(current),
            ClientInput::Message(_) => {}
            ClientInput::Forge { servers } => self.trick = Trick::Forge { servers },
            ClientInput::Respell => self.trick = Trick::Respell,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.due)
    }
}
