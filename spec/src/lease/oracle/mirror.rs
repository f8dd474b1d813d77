//! The contract once more, written in Rust for any number of actors, so that tables and oracle can be compared with it.
//!
//! Goal: the oracle, which looks at pairs, says of every step what the contract of the whole says. Method: first the
//! mirror is compared with the compiled tables on every pair of states; then random walks of up to six actors, legal and
//! illegal steps mixed, are judged by both.

use super::*;
use crate::lease::PairState;

/// The variables of `Lease.tla`, actors being indices.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Whole {
    owner: Option<usize>,
    works: Vec<bool>,
    doubted: Vec<bool>,
    token: Vec<Token>,
    stained: bool,
}

impl Whole {
    fn idle(actors: usize) -> Self {
        let (works, doubted) = (vec![false; actors], vec![false; actors]);
        Self { owner: None, works, doubted, token: vec![Token::None; actors], stained: false }
    }

    fn of_pair(state: PairState) -> Self {
        Self {
            owner: state.owner.map(|side| side as usize),
            works: state.works.to_vec(),
            doubted: state.doubted.to_vec(),
            token: state.token.to_vec(),
            stained: state.stained,
        }
    }

    fn others(&self, a: usize) -> impl Iterator<Item = usize> {
        (0..self.works.len()).filter(move |b| *b != a)
    }

    fn no_rivals(&self, a: usize) -> bool {
        self.others(a).all(|b| !self.works[b] || self.doubted[b])
    }

    fn none_open(&self, a: usize) -> bool {
        self.others(a).all(|b| self.token[b] != Token::Open)
    }

    /// Whether `action` of `a` leads to `next`. `kept` is the strict contract, otherwise the permissive one.
    fn is_step(&self, kept: bool, action: Action, a: usize, next: &Self) -> bool {
        let mut same = self.clone();
        // Tokens that only got fenced are taken over before the comparison, where an action may fence.
        let fenced: Vec<usize> = (0..self.token.len())
            .filter(|b| self.token[*b] == Token::Open && next.token[*b] == Token::Fenced)
            .collect();
        let fence = |same: &mut Self, but: Option<usize>| {
            for b in fenced.iter().filter(|b| Some(**b) != but) {
                same.token[*b] = Token::Fenced;
            }
        };
        let guard = match action {
            Action::Grant => {
                same.owner = Some(a);
                same.token[a] = if kept || next.token[a] != Token::Fenced { Token::Open } else { Token::Fenced };
                !kept || (!self.works[a] && self.no_rivals(a))
            }
            Action::Accept => {
                fence(&mut same, Some(a));
                same.stained |= self.token[a] == Token::Fenced;
                let may_fence = if self.owner == Some(a) {
                    self.others(a).all(|b| next.token[b] != Token::Open)
                } else {
                    self.owner.is_none_or(|owner| !fenced.contains(&owner))
                };
                !kept || (self.token[a] == Token::Open && may_fence)
            }
            Action::Elsewhere => {
                fence(&mut same, None);
                !fenced.is_empty() && (!kept || self.owner.is_none_or(|owner| !fenced.contains(&owner)))
            }
            Action::StepUp => {
                same.works[a] = true;
                let may_work = self.owner.is_none_or(|owner| owner == a)
                    && self.token[a] == Token::Open
                    && self.none_open(a)
                    && (!kept || self.no_rivals(a));
                let may_err = self.doubted[a] && self.token[a] != Token::None;
                !self.works[a] && (may_work || may_err || !kept)
            }
            Action::StepDown => {
                same.works[a] = false;
                self.works[a]
            }
            Action::Leave => {
                same.owner = None;
                self.owner.is_some()
            }
            Action::Retire => {
                same.token[a] = Token::None;
                !self.works[a] && !self.doubted[a] && self.owner != Some(a) && self.token[a] != Token::None
            }
            Action::Doubt => {
                same.doubted[a] = true;
                !self.doubted[a]
            }
            Action::Trust => {
                same.doubted[a] = false;
                let sealed = self.owner != Some(a) || self.none_open(a);
                self.doubted[a] && (!kept || !self.works[a] || (self.no_rivals(a) && sealed))
            }
        };
        guard && same == *next
    }
}

#[test]
fn mirror_and_tables_agree_on_every_pair_of_states() {
    for (kept, contract) in [(true, LeaseContract::strict()), (false, LeaseContract::permissive())] {
        for from in contract.states() {
            let before = Whole::of_pair(from.state());
            for to in PairCode::all() {
                let after = Whole::of_pair(to.state());
                let mut labels = Labels::NONE;
                for (action, side) in Labels::each() {
                    if before.is_step(kept, action, side as usize, &after) {
                        labels = labels.with(action.label(side));
                    }
                }
                assert_eq!(contract.labels(*from, to), labels, "from {} to {}", from.state(), to.state());
            }
        }
    }
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

/// What `action` of `a` usually leads to; often a step of the contract, often not.
fn attempt(chance: &mut Chance, whole: &Whole, action: Action, a: usize) -> Whole {
    let mut next = whole.clone();
    match action {
        Action::Grant => {
            next.owner = Some(a);
            next.token[a] = Token::Open;
        }
        Action::Accept | Action::Elsewhere => {
            let owns = whole.owner == Some(a);
            for b in 0..next.token.len() {
                let own = b == a && action == Action::Accept;
                if !own && next.token[b] == Token::Open && (owns || chance.one_in(2)) {
                    next.token[b] = Token::Fenced;
                }
            }
        }
        Action::StepUp => next.works[a] = true,
        Action::StepDown => next.works[a] = false,
        Action::Leave => next.owner = None,
        Action::Retire => next.token[a] = Token::None,
        Action::Doubt => next.doubted[a] = true,
        Action::Trust => next.doubted[a] = false,
    }
    if chance.one_in(8) {
        let b = chance.below(next.token.len());
        match chance.below(4) {
            0 => next.owner = if chance.one_in(3) { None } else { Some(b) },
            1 => next.token[b] = Token::ALL[chance.below(3)],
            2 if action.has_actor() => next.works[a] ^= true,
            3 if action.has_actor() => next.stained = true,
            _ => {}
        }
    }
    next
}

#[test]
fn judging_pairs_is_judging_the_whole() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut oracle = LeaseOracle::new();
    let mut findings = Vec::new();
    let (mut legal, mut illegal, mut after) = ([0; 9], [0; 9], [0; 9]);
    for actors in 1..=6 {
        for _ in 0..4_000 {
            oracle.reset();
            findings.clear();
            let mut whole = Whole::idle(actors);
            let mut stained = vec![false; actors];
            for at_us in 0..60 {
                let (action, a) = (Action::ALL[chance.below(9)], chance.below(actors));
                let next = attempt(&mut chance, &whole, action, a);
                let strict = oracle.is_strict();
                let is_step = whole.is_step(strict, action, a, &next);
                // Illegal attempts are many; most are skipped, so that walks get somewhere.
                if !is_step && !chance.one_in(12) {
                    continue;
                }
                stained[a] |=
                    next.stained && (!whole.stained || whole.token[a] == Token::Fenced && action == Action::Accept);
                let id = |at: usize| ActorId(at as u32);
                let tokens: Vec<_> =
                    (0..actors).filter(|b| whole.token[*b] != next.token[*b]).map(|b| (id(b), next.token[b])).collect();
                let change = Change {
                    owner: next.owner.map(id),
                    works: next.works[a],
                    doubted: next.doubted[a],
                    running: true,
                    stained: stained[a],
                    tokens: &tokens,
                };
                oracle.step(action, action.has_actor().then(|| id(a)), change, at_us, &mut findings);

                let story = || format!("{action:?} of {a} from {whole:?} to {next:?}: {findings:?}");
                let mapping = findings.iter().any(|finding| finding.property == Property::RefinementHolds);
                assert_eq!(whole.is_step(false, action, a, &next), !mapping, "{}", story());
                if strict {
                    assert_eq!(oracle.is_strict(), is_step, "{}", story());
                    assert_eq!(findings.is_empty(), is_step, "{}", story());
                }
                let tally = if !is_step {
                    &mut illegal
                } else if strict {
                    &mut legal
                } else {
                    &mut after
                };
                tally[action.index()] += 1;
                if mapping {
                    break;
                }
                whole = next;
            }
        }
    }
    assert!(legal.iter().all(|count| *count > 1_000), "every action is often legal: {legal:?}");
    assert!(illegal.iter().all(|count| *count > 300), "every action is often illegal: {illegal:?}");
    assert!(after.iter().all(|count| *count > 1_000), "every action often follows a finding: {after:?}");
}
