//! A gateway: it takes requests of clients to the instances that their HAIDs name.

use super::binding::Binding;
use super::config::GatewayConfig;
use super::haid::HaidText;
use super::message::{Answer, Message, Reply, Request, Verb};
use super::rules::UnnamedServer;
use super::view::View;
use super::{Output, Target};
use crate::chance::Chance;
use crate::id::Host;
use crate::machine::Machine;
use crate::time::Instant;
use alloc::vec::Vec;

/// What can happen to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayInput<'a> {
    /// A deadline passed, or the gateway was started.
    Timer,
    /// A message arrived.
    Message(&'a Message),
}

/// One gateway. It remembers nothing of a request: whoever answers says whose it was.
///
/// Units and clock: every [`Instant`] is microseconds on the gateway's own clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Gateway {
    #[cfg_attr(feature = "serde", serde(skip))]
    config: GatewayConfig,
    view: View,
    next_look: Instant,
    tag: u32,
    seen_tag: u32,
    #[cfg_attr(feature = "serde", serde(skip))]
    chance: Chance,
}

impl Gateway {
    /// A gateway that wants its first timer input at once, and knows no aliases yet.
    #[must_use]
    pub const fn new(config: GatewayConfig, entropy: u64) -> Self {
        let view = View::EMPTY;
        Self { config, view, next_look: Instant::ZERO, tag: 0, seen_tag: 0, chance: Chance::new(entropy) }
    }

    /// The aliases as it last saw them.
    #[must_use]
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// Where a request goes; nobody can be asked, or the request is refused.
    ///
    /// A creation goes to any instance that is held, with equal probability; the others go to the main instance if its
    /// alias resolves, which is no probe, else to the backup.
    fn route(&mut self, request: &Request) -> Result<Host, Answer> {
        match &request.verb {
            Verb::Create | Verb::Adopt { .. } => {
                let live = self.view.live();
                let which = self.chance.below(live.clone().count() as u64) as usize;
                live.map(|(_, row)| row.host).nth(which).ok_or(Answer::Unavailable)
            }
            Verb::Change { haid, .. } | Verb::Read { haid } => self.route_by(haid, request.avoid_main),
        }
    }

    fn route_by(&mut self, haid: &HaidText, avoid_main: bool) -> Result<Host, Answer> {
        let binding = Binding::decode(haid, self.config.rules.haid_grammar).ok_or(Answer::Refused)?;
        let [main, backup] = [binding.main, binding.backup].map(|alias| self.view.resolve(alias));
        let named = if avoid_main { backup.or(main) } else { main.or(backup) };
        match (named, self.config.rules.unnamed_server) {
            (Some(host), _) => Ok(host),
            (None, UnnamedServer::Serves) => Ok(Host(self.chance.below(u64::from(self.config.servers)) as u16)),
            (None, UnnamedServer::Refuses) => Err(Answer::Unavailable),
        }
    }
}

impl Machine for Gateway {
    type Input<'a> = GatewayInput<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: GatewayInput<'_>, outputs: &mut Vec<Output>) {
        match input {
            GatewayInput::Timer => {
                if now >= self.next_look {
                    self.next_look = now + self.config.refresh;
                    self.tag += 1;
                    outputs.push(Output::Send(Target::Store, Message::Look { tag: self.tag, alias: None }));
                }
            }
            GatewayInput::Message(Message::View { tag, view, .. }) => {
                // An answer that was overtaken is older than what is known.
                if *tag > self.seen_tag && *tag <= self.tag {
                    self.seen_tag = *tag;
                    self.view = *view;
                }
            }
            GatewayInput::Message(Message::Request(request)) => match self.route(request) {
                Ok(host) => {
                    let request = Request { gateway: self.config.gateway, ..*request };
                    outputs.push(Output::Send(Target::Server(host), Message::Request(request)));
                }
                Err(answer) => {
                    let reply = Reply { client: request.client, number: request.number, answer };
                    outputs.push(Output::Send(Target::Client(request.client), Message::Reply(reply)));
                }
            },
            GatewayInput::Message(Message::Reply(reply)) => {
                outputs.push(Output::Send(Target::Client(reply.client), Message::Reply(*reply)));
            }
            // These are not for a gateway.
            GatewayInput::Message(
                Message::Alias(_)
                | Message::Share(..)
                | Message::Look { .. }
                | Message::Operation(_)
                | Message::Outcome(_),
            ) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.next_look)
    }
}
