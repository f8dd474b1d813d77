//! What walks of one context do.

use failproof_spec::context::SeatCode;
use failproof_spec::{Cache, ContextAction, ContextState, Token, Write};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use std::collections::BTreeSet;
use tla_checker::ast::Value;

use super::seat_walks::{Event, SERVERS, Walked, place};
use crate::contract_compiler::string;

/// What the history keeps of a step.
pub(super) struct Did {
    /// Whether it began another epoch.
    renews: bool,
    /// Whether an accepted write covered one that a client was told of, or a client was told of one that is gone.
    loses: bool,
    /// Whether the write that was accepted is the marked one from then on.
    marks: bool,
}

impl Walked for SeatCode {
    type Did = Did;

    const SEED: u64 = 4;

    fn attempt(random: &mut ChaCha8Rng, action: ContextAction, server: u8, from: &ContextState) -> ContextState {
        let mut below = |bound: usize| random.next_u32() as usize % bound;
        let mut to = *from;
        let (name, at) = (Some(server), usize::from(server));
        let fence = |to: &mut ContextState| {
            to.seats.iter_mut().filter(|seat| seat.token == Token::Open).for_each(|seat| seat.token = Token::Fenced);
            to.wrote = None;
        };
        match action {
            ContextAction::Create | ContextAction::Take => {
                (to.main, to.backup) = (name, Some(below(2) as u8));
                to.expired = below(4) == 0;
                if action == ContextAction::Take {
                    fence(&mut to);
                }
                to.seats[at].token = Token::Open;
            }
            ContextAction::Grant if below(4) == 0 => {}
            ContextAction::Grant => {
                fence(&mut to);
                to.seats[at].token = Token::Open;
            }
            ContextAction::Give => {
                (to.main, to.backup) = (from.backup, name);
                fence(&mut to);
            }
            ContextAction::Repair => to.backup = Some(below(2) as u8),
            ContextAction::Load => to.seats[at].cache = Cache::ALL[1 + usize::from(below(4) == 0)],
            ContextAction::Apply => {
                to.write = [Write::Applied, from.write, Write::ALL[below(4)]][below(3)];
                to.wrote = from.wrote.or(name);
                to.split |= to.wrote != name;
            }
            ContextAction::Ack => {
                let told = matches!(from.write, Write::Applied | Write::Acked);
                to.write = if told { Write::Acked } else { Write::Lost };
                for (at, seat) in to.seats.iter_mut().enumerate().filter(|(_, seat)| seat.cache == Cache::Current) {
                    let owns = from.main == Some(at as u8) && seat.token == Token::Open;
                    if !owns || below(2) == 0 {
                        seat.cache = Cache::Stale;
                    }
                }
                to.seats[at].cache = Cache::ALL[below(3)];
            }
            ContextAction::Forget => to.seats[at].cache = Cache::None,
            ContextAction::Doubt => to.seats[at].doubted = true,
            ContextAction::Trust => to.seats[at].doubted = false,
            ContextAction::Expire => to.expired = true,
            ContextAction::Renew => to.expired = false,
            ContextAction::Read | ContextAction::Elsewhere => {}
        }
        if below(6) == 0 {
            let other = below(2);
            match below(7) {
                0 if from.main.is_some() => to.main = Some(other as u8),
                1 if from.main.is_some() => to.backup = Some(other as u8),
                2 => to.seats[other].token = Token::ALL[below(3)],
                3 => to.seats[other].cache = Cache::ALL[below(3)],
                4 => to.seats[other].doubted ^= true,
                5 => to.expired ^= true,
                _ => to.write = Write::ALL[below(4)],
            }
        }
        to
    }

    fn wrong(action: ContextAction, server: u8, from: &ContextState) -> BTreeSet<&'static str> {
        let seat = &from.seats[usize::from(server)];
        let stranger = ![from.main, from.backup].contains(&Some(server));
        let (reads, takes) = (action == ContextAction::Read && !seat.doubted, action == ContextAction::Take);
        let wrongs = [
            (reads && seat.cache == Cache::Stale, "stale"),
            ((reads || takes) && stranger, "stranger"),
            (takes && !from.expired, "haste"),
        ];
        wrongs.into_iter().filter(|(done, _)| *done).map(|(_, what)| what).collect()
    }

    fn did(action: ContextAction, _: u8, from: &ContextState, to: &ContextState) -> Did {
        let renews = match action {
            // Who is granted it once more may keep its epoch.
            ContextAction::Grant => from != to,
            ContextAction::Take | ContextAction::Give => true,
            _ => false,
        };
        let loses = from.write != Write::Lost && to.write == Write::Lost;
        Did { renews, loses, marks: action == ContextAction::Apply && to.write == Write::Applied }
    }

    fn said(history: &[Event<Self>], _: &ContextState) -> Vec<bool> {
        let wrong = |what: &str| history.iter().any(|event| event.is_wrong(what));
        let lost =
            history.iter().rev().find(|event| event.did.loses || event.did.marks).is_some_and(|event| event.did.loses);
        vec![is_split(history), lost, wrong("stale"), wrong("stranger"), wrong("haste")]
    }

    fn value(state: &ContextState, variable: &str) -> Value {
        let seats = || (0..SERVERS).map(|at| (place(Some(at)), &state.seats[usize::from(at)]));
        match variable {
            "main" => place(state.main),
            "backup" => place(state.backup),
            "expired" => Value::Bool(state.expired),
            "token" => Value::func(seats().map(|(name, seat)| (name, string(seat.token.name()))).collect()),
            "cache" => Value::func(seats().map(|(name, seat)| (name, string(seat.cache.name()))).collect()),
            "doubted" => Value::set(seats().filter(|(_, seat)| seat.doubted).map(|(name, _)| name).collect()),
            "write" => string(state.write.name()),
            "wrote" => place(state.wrote),
            "split" => Value::Bool(state.split),
            other => panic!("Context.tla has no variable {other}"),
        }
    }
}

/// Whether writes of two servers were accepted, and no epoch began between them.
fn is_split(history: &[Event<SeatCode>]) -> bool {
    let writes = |event: &Event<SeatCode>| event.action == ContextAction::Apply;
    history.iter().enumerate().filter(|(_, event)| writes(event)).any(|(at, first)| {
        let same_epoch = history[at + 1..].iter().take_while(|event| !event.did.renews);
        same_epoch.filter(|event| writes(event)).any(|second| second.server != first.server)
    })
}
