//! A read-only client that asks who is primary: "name resolving" in the HPC Pack HA module.

use super::candidate::{Input, Output, Target};
use super::message::{Message, Query, Row};
use super::rules::{ReplyCheck, Rules};
use crate::id::{Host, Incarnation, Utype};
use crate::machine::Machine;
use crate::time::{Duration, Instant};
use alloc::vec::Vec;

/// Asks every `heartbeat_interval` who is primary and remembers the newest answer. It never writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resolver {
    utype: Utype,
    heartbeat_interval: Duration,
    rules: Rules,
    tag: u32,
    seen: Option<(u32, Instant, Row)>,
    next_tick: Instant,
}

impl Resolver {
    /// A resolver that wants its first timer input at once.
    #[must_use]
    pub const fn new(utype: Utype, heartbeat_interval: Duration, rules: Rules) -> Self {
        Self { utype, heartbeat_interval, rules, tag: 0, seen: None, next_tick: Instant::ZERO }
    }

    /// The host of the primary, if the newest answer is at most `age_max` old at `now` and names one. It may have
    /// stopped since: a resolver knows who *was* primary when the table answered.
    #[must_use]
    pub fn primary(&self, now: Instant, age_max: Duration) -> Option<Host> {
        let (_, asked_at, row) = self.seen?;
        (row.incarnation.is_some() && now.since(asked_at) <= age_max).then_some(row.host)
    }
}

impl Machine for Resolver {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input<'_>, outputs: &mut Vec<Output>) {
        match input {
            Input::Timer if now >= self.next_tick => {
                self.tag += 1;
                let query = Query { utype: self.utype, asker: Incarnation::default(), tag: self.tag, sent_at: now };
                outputs.push(Output::Send(Target::Table, Message::Query(query)));
                self.next_tick = now + self.heartbeat_interval;
            }
            Input::Message(Message::Answer(answer)) => {
                let damaged =
                    self.rules.validate_reply == ReplyCheck::Validate && answer.digest != answer.expected_digest();
                let asked = answer.tag <= self.tag;
                let newer = self.seen.is_none_or(|(tag, ..)| answer.tag > tag);
                if asked && !damaged && newer && answer.utype == self.utype {
                    self.seen = Some((answer.tag, answer.sent_at, answer.row));
                }
            }
            Input::Timer | Input::Message(_) | Input::Resign => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.next_tick)
    }
}
