//! The contract once more, written in Rust for any number of servers, so that tables and oracle can be compared with it.
//!
//! Goal: the oracle, which looks at seats, says of every step what the contract of the whole says. Method: random walks
//! of up to four servers, legal and illegal steps mixed, are judged by both. Nobody is outside, so a whole has no
//! `Elsewhere`.

use super::*;
use crate::context::{Cache, Seat};
use crate::property::Property;
use crate::seat::SeatAction;
use crate::token::Token;

/// Whether `action` of `m` leads from `s` to `t`. `kept` is the strict contract, otherwise the permissive one, which
/// looks only at what it follows.
fn is_step(kept: bool, action: ContextAction, m: usize, s: &ContextState, t: &ContextState) -> bool {
    // Also where what changes is not followed.
    let happens = !action.changes_something() || s != t;
    let (s, t) = if kept { (*s, *t) } else { (unfollowed(*s), unfollowed(*t)) };
    let name = Some(m as u8);
    let owns = s.main == name && s.seats[m].token == Token::Open;
    let doubted = s.seats[m].doubted;
    let named = s.main == name || s.backup == name;
    // Everything that the action leaves alone is taken over from `s`; what it may choose is taken over from `t`.
    let mut same = s;
    let fence = |same: &mut ContextState| {
        same.seats.iter_mut().filter(|seat| seat.token == Token::Open).for_each(|seat| seat.token = Token::Fenced);
    };
    let grant = |same: &mut ContextState| {
        fence(same);
        same.seats[m].token = Token::Open;
        same.wrote = None;
    };
    let guard = match action {
        ContextAction::Create => {
            (same.main, same.backup, same.expired) = (name, t.backup, t.expired);
            same.seats[m].token = Token::Open;
            t.backup.is_some() && (!kept || s.main.is_none())
        }
        ContextAction::Grant => {
            let again = owns && s == t;
            if !again {
                grant(&mut same);
            }
            s.main.is_some() && (!kept || s.main == name)
        }
        ContextAction::Take => {
            (same.main, same.backup, same.expired) = (name, t.backup, t.expired);
            grant(&mut same);
            let may = s.backup == name && s.main != name && s.expired && t.backup != name;
            s.main.is_some() && t.backup.is_some() && (!kept || may)
        }
        ContextAction::Give => {
            (same.main, same.backup, same.expired) = (s.backup, name, t.expired);
            fence(&mut same);
            same.wrote = None;
            s.main == name && s.backup != name && (!kept || owns && s.seats[m].cache == Cache::None)
        }
        ContextAction::Repair => {
            same.backup = t.backup;
            s.main.is_some() && t.backup.is_some() && (!kept || owns && (t.backup != name || s.backup == name))
        }
        ContextAction::Load => {
            same.seats[m].cache = t.seats[m].cache;
            let filled = t.seats[m].cache != Cache::None;
            filled && (!kept || doubted || owns && t.seats[m].cache == Cache::Current)
        }
        ContextAction::Apply => {
            same.write = t.write;
            same.wrote = if kept { s.wrote.or(name) } else { None };
            same.split |= s.wrote.is_some_and(|wrote| Some(wrote) != name);
            let write = match (s.write, t.write) {
                (_, Write::Applied) | (Write::Applied, Write::None) => true,
                (Write::Acked, Write::Lost) => !kept,
                (before, after) => before == after,
            };
            write && (!kept || owns)
        }
        ContextAction::Ack => {
            let told = matches!(s.write, Write::Applied | Write::Acked);
            same.write = if told { Write::Acked } else { Write::Lost };
            let (own_before, own) = (s.seats[m].cache, t.seats[m].cache);
            same.seats[m].cache = own;
            let may_keep = match own {
                Cache::None => true,
                Cache::Current => owns || doubted || (s.write == Write::Acked && own_before == Cache::Current),
                Cache::Stale => own_before != Cache::None,
            };
            let mut all_told = true;
            for at in (0..s.seats.len()).filter(|at| *at != m && s.seats[*at].cache == Cache::Current) {
                let lacks = t.seats[at].cache == Cache::Stale;
                if lacks {
                    same.seats[at].cache = Cache::Stale;
                }
                let owns = s.main == Some(at as u8) && s.seats[at].token == Token::Open;
                all_told &= lacks || owns || s.seats[at].doubted || s.write == Write::Acked;
            }
            !kept || told && may_keep && all_told
        }
        ContextAction::Read => {
            let may = doubted || named && s.seats[m].cache == Cache::Current;
            s.seats[m].cache != Cache::None && (!kept || may)
        }
        ContextAction::Forget => {
            same.seats[m].cache = Cache::None;
            true
        }
        ContextAction::Doubt => {
            same.seats[m].doubted = kept;
            !doubted
        }
        ContextAction::Trust => {
            same.seats[m].doubted = false;
            !kept || doubted && s.seats[m].cache != Cache::Stale
        }
        ContextAction::Expire => {
            same.expired = kept;
            s.main.is_some() && !s.expired
        }
        ContextAction::Renew => {
            same.expired = false;
            s.main.is_some() && (!kept || s.expired)
        }
        ContextAction::Elsewhere => false,
    };
    happens && guard && same == t
}

fn unfollowed(state: ContextState) -> ContextState {
    let seats = state.seats.map(|seat| Seat { doubted: false, ..seat });
    ContextState { expired: false, wrote: None, split: false, seats, ..state }
}

/// A small generator of chance for tests (xorshift), so that the crate depends on nothing.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// What `action` of `m` usually leads to; often a step of the contract, often not.
fn attempt(chance: &mut Chance, servers: usize, action: ContextAction, m: usize, s: &ContextState) -> ContextState {
    let mut t = *s;
    let name = Some(m as u8);
    let fence = |t: &mut ContextState| {
        t.seats.iter_mut().filter(|seat| seat.token == Token::Open).for_each(|seat| seat.token = Token::Fenced);
    };
    match action {
        ContextAction::Create | ContextAction::Take => {
            (t.main, t.backup) = (name, Some(chance.below(servers) as u8));
            t.expired = chance.one_in(4);
            if action == ContextAction::Take {
                fence(&mut t);
                t.wrote = None;
            }
            t.seats[m].token = Token::Open;
        }
        ContextAction::Grant if chance.one_in(4) => {}
        ContextAction::Grant => {
            fence(&mut t);
            t.seats[m].token = Token::Open;
            t.wrote = None;
        }
        ContextAction::Give => {
            (t.main, t.backup, t.wrote) = (s.backup, name, None);
            fence(&mut t);
        }
        ContextAction::Repair => t.backup = Some(chance.below(servers) as u8),
        ContextAction::Load => t.seats[m].cache = Cache::ALL[1 + usize::from(chance.one_in(4))],
        ContextAction::Apply => {
            t.write = Write::ALL[[1, 1, s.write as usize, chance.below(4)][chance.below(4)]];
            t.wrote = s.wrote.or(name);
            t.split |= t.wrote != name;
        }
        ContextAction::Ack => {
            t.write = if matches!(s.write, Write::Applied | Write::Acked) { Write::Acked } else { Write::Lost };
            for (at, seat) in t.seats.iter_mut().enumerate().filter(|(_, seat)| seat.cache == Cache::Current) {
                let owns = s.main == Some(at as u8) && seat.token == Token::Open;
                if !owns || chance.one_in(2) {
                    seat.cache = Cache::Stale;
                }
            }
            t.seats[m].cache = Cache::ALL[chance.below(3)];
        }
        ContextAction::Forget => t.seats[m].cache = Cache::None,
        ContextAction::Doubt => t.seats[m].doubted = true,
        ContextAction::Trust => t.seats[m].doubted = false,
        ContextAction::Expire => t.expired = true,
        ContextAction::Renew => t.expired = false,
        ContextAction::Read | ContextAction::Elsewhere => {}
    }
    if chance.one_in(8) {
        let b = chance.below(servers);
        match chance.below(5) {
            0 if s.main.is_some() => t.main = Some(b as u8),
            1 if s.main.is_some() => t.backup = Some(b as u8),
            2 => t.seats[b].token = Token::ALL[chance.below(3)],
            3 => t.seats[b].cache = Cache::ALL[chance.below(3)],
            _ => t.write = Write::ALL[chance.below(4)],
        }
    }
    t
}

#[test]
fn judging_seats_is_judging_the_whole() {
    const ACTIONS: usize = ContextAction::ALL.len() - 1;
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut findings = Vec::new();
    let (mut legal, mut illegal, mut after) = ([0; ACTIONS], [0; ACTIONS], [0; ACTIONS]);
    for servers in 1..=4 {
        let mut oracle = ContextOracle::new(1, servers);
        for _ in 0..6_000 {
            oracle.reset();
            findings.clear();
            let mut whole = ContextState::default();
            for at_us in 0..60 {
                let (action, m) = (ContextAction::ALL[chance.below(ACTIONS)], chance.below(servers));
                let next = attempt(&mut chance, servers, action, m, &whole);
                let strict = oracle.is_strict(0);
                let is_step = is_step(strict, action, m, &whole, &next);
                // Illegal attempts are many; most are skipped, so that walks get somewhere.
                if !is_step && !chance.one_in(12) {
                    continue;
                }
                let server = action.has_server().then_some(m as u8);
                oracle.step(action, 0, server, next, at_us, &mut findings);
                let story = || format!("{action:?} of {m} from {whole:?} to {next:?}: {findings:?}");
                let mapping = findings.iter().any(|finding| finding.property == Property::RefinementHolds);
                if strict {
                    assert_eq!(oracle.is_strict(0), is_step, "{}", story());
                    assert_eq!(findings.is_empty(), is_step, "{}", story());
                }
                // Seats see less than the whole: what one of them cannot tell from a legal step is none of a step that
                // broke something already.
                let permitted = self::is_step(false, action, m, &whole, &next);
                assert!(permitted || mapping || !is_step, "{}", story());
                assert!(!permitted || !mapping, "{}", story());
                let tally = if !is_step {
                    &mut illegal
                } else if strict {
                    &mut legal
                } else {
                    &mut after
                };
                tally[action.index()] += 1;
                if mapping || !permitted {
                    break;
                }
                whole = next;
            }
        }
    }
    assert!(legal.iter().all(|count| *count > 500), "every action is often legal: {legal:?}");
    assert!(illegal.iter().all(|count| *count > 100), "every action is often illegal: {illegal:?}");
    assert!(after.iter().all(|count| *count > 1_000), "every action often follows a finding: {after:?}");
}
