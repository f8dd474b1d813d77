//! What is known of every context, and how it is told to the oracle: one object for each key.
//!
//! A seat is an alias: whichever process holds it acts from there.

use crate::note::state::seat as who_at;
use crate::note::{self, Note, Notes, State};
use failproof_core::routing::{Alias, Content, ContextId, KEYS};
use failproof_spec::context::{Cache, ContextAction, ContextOracle, ContextState, Write};
use failproof_spec::{Coverage, Finding, Marks, Token};

/// What is known of one key.
#[derive(Clone, Copy, Debug, Default)]
struct Key {
    /// The newest change that the row took.
    applied: u32,
    /// The newest one that a client was told about.
    acked: u32,
}

/// What is known of a context.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    content: Content,
    keys: [Key; KEYS],
    /// How often ownership was granted, or given up.
    epoch: u32,
    /// What is served of it from each seat.
    cached: [Option<Content>; ContextState::SERVERS],
}

/// All contexts of a run.
#[derive(Debug)]
pub(super) struct Contexts {
    seats: u8,
    doubted: [bool; ContextState::SERVERS],
    contexts: Vec<Context>,
    /// Key by key.
    states: Vec<ContextState>,
    oracle: ContextOracle,
    findings: Vec<Finding>,
    excused: u64,
    /// Of what the oracle is told.
    pub(super) notes: Notes,
}

impl Contexts {
    /// None of so many contexts has a row yet.
    pub(super) fn new(contexts: usize, seats: u16) -> Self {
        Self {
            seats: seats as u8,
            doubted: [false; ContextState::SERVERS],
            contexts: vec![Context::default(); contexts],
            states: vec![ContextState::default(); contexts * KEYS],
            oracle: ContextOracle::new(contexts * KEYS, seats.into()),
            findings: Vec::with_capacity(4),
            excused: 0,
            notes: Notes::default(),
        }
    }

    /// What the steps since the last call broke. An actor is a seat here.
    pub(super) fn findings(&mut self) -> std::vec::Drain<'_, Finding> {
        self.findings.drain(..)
    }

    pub(super) const fn coverage(&self) -> &Coverage {
        self.oracle.coverage()
    }

    pub(super) const fn marks(&self) -> &Marks {
        self.oracle.marks()
    }

    /// How many stale answers a clock out of its bound excuses.
    pub(super) const fn excused(&self) -> u64 {
        self.excused
    }

    /// The epoch of a context, as it was counted here.
    pub(super) fn epoch(&self, id: ContextId) -> u32 {
        self.contexts[id.0 as usize].epoch
    }

    /// Who is main of the first context that has one.
    pub(super) fn first_main(&self) -> Option<u8> {
        self.states.iter().find_map(|state| state.main)
    }

    /// How many contexts have one instance only.
    pub(super) fn degraded(&self) -> u64 {
        let first_keys = self.states.iter().step_by(KEYS);
        first_keys.filter(|state| state.main.is_some() && state.main == state.backup).count() as u64
    }

    /// How many contexts are served from a seat's cache.
    pub(super) fn cached_at(&self, seat: u8) -> usize {
        self.contexts.iter().filter(|context| context.cached[usize::from(seat)].is_some()).count()
    }

    /// Every context, known or expected.
    pub(super) fn ids(&self) -> impl Iterator<Item = ContextId> + use<> {
        (0..self.contexts.len() as u32).map(ContextId)
    }

    /// Takes a context in that was not expected.
    pub(super) fn know(&mut self, id: ContextId, at_us: u64) {
        let known = self.contexts.len();
        let contexts = id.0 as usize + 1;
        if contexts <= known {
            return;
        }
        self.contexts.resize(contexts, Context::default());
        self.states.resize(contexts * KEYS, ContextState::default());
        self.oracle.grow(contexts * KEYS);
        for id in (known..contexts).map(|id| ContextId(id as u32)) {
            let doubted = self.doubted;
            for seat in (0..self.seats).filter(|seat| doubted[usize::from(*seat)]) {
                self.tell_all(ContextAction::Doubt, id, Some(seat), at_us, |state| {
                    state.seats[usize::from(seat)].doubted = true;
                });
            }
        }
    }

    /// Tells the oracle of a step on one key; its refined state is already the one after the step.
    fn tell(&mut self, action: ContextAction, id: ContextId, key: usize, seat: Option<u8>, at_us: u64) {
        let object = id.0 as usize * KEYS + key;
        self.oracle.step(action, object, seat, self.states[object], at_us, &mut self.findings);
        let (state, servers) = (self.states[object], self.seats);
        self.notes.add(|| {
            let (who, state) = (seat.map(|seat| who_at(seat.into())), State::Context { state, servers });
            Note::Action(note::Action { name: action.name(), subject: object as u32, who, state })
        });
    }

    /// Tells the oracle of a step on the whole context, after `change` was made to each of its keys.
    fn tell_all(
        &mut self,
        action: ContextAction,
        id: ContextId,
        seat: Option<u8>,
        at_us: u64,
        change: impl Fn(&mut ContextState),
    ) {
        for key in 0..KEYS {
            change(&mut self.states[id.0 as usize * KEYS + key]);
            self.tell(action, id, key, seat, at_us);
        }
    }

    /// A seat serves `content` of a context from now on, or nothing.
    pub(super) fn serves(
        &mut self,
        id: ContextId,
        seat: u8,
        content: Option<Content>,
        at_us: u64,
    ) -> Option<ContextAction> {
        let cached = &mut self.contexts[id.0 as usize].cached[usize::from(seat)];
        if *cached == content {
            return None;
        }
        *cached = content;
        let action = if content.is_some() { ContextAction::Load } else { ContextAction::Forget };
        for key in 0..KEYS {
            self.states[id.0 as usize * KEYS + key].seats[usize::from(seat)].cache = self.cache(id, key, seat);
            self.tell(action, id, key, Some(seat), at_us);
        }
        Some(action)
    }

    /// What a seat has of one key, beside what clients were told.
    fn cache(&self, id: ContextId, key: usize, seat: u8) -> Cache {
        let context = &self.contexts[id.0 as usize];
        match context.cached[usize::from(seat)] {
            None => Cache::None,
            Some(content) if content[key] < context.keys[key].acked => Cache::Stale,
            Some(_) => Cache::Current,
        }
    }

    /// A client was answered from a seat's cache. Whether the answer lacked a write that a client had been told about,
    /// although no clock excuses it: to the contract a pause is a doubt too, but what is answered after it is owed.
    pub(super) fn read(&mut self, id: ContextId, seat: u8, clock_in_order: bool, at_us: u64) -> bool {
        let keys = id.0 as usize * KEYS..(id.0 as usize + 1) * KEYS;
        let stale = self.states[keys].iter().any(|state| state.seats[usize::from(seat)].cache == Cache::Stale);
        self.excused += u64::from(stale && !clock_in_order);
        self.tell_all(ContextAction::Read, id, Some(seat), at_us, |_| ());
        stale && clock_in_order
    }

    /// A client was told that change `seq` of a key is in the row.
    pub(super) fn acknowledged(&mut self, id: ContextId, (key, seq): (u8, u32), seat: u8, at_us: u64) -> ContextAction {
        let (object, key) = (id.0 as usize * KEYS + usize::from(key), usize::from(key));
        let context = &mut self.contexts[id.0 as usize];
        context.keys[key].acked = context.keys[key].acked.max(seq);
        self.states[object].write = if context.content[key] >= seq { Write::Acked } else { Write::Lost };
        for other in 0..self.seats {
            self.states[object].seats[usize::from(other)].cache = self.cache(id, key, other);
        }
        self.tell(ContextAction::Ack, id, key, Some(seat), at_us);
        ContextAction::Ack
    }

    /// The row takes a write. Whether it covers one that a client had been told about.
    pub(super) fn written(&mut self, id: ContextId, seat: u8, content: Content, at_us: u64) -> bool {
        let before = std::mem::replace(&mut self.contexts[id.0 as usize].content, content);
        let mut covers = false;
        for key in 0..KEYS {
            let known = &mut self.contexts[id.0 as usize].keys[key];
            let state = &mut self.states[id.0 as usize * KEYS + key];
            match state.wrote {
                None => state.wrote = Some(seat),
                Some(other) => state.split |= other != seat,
            }
            if content[key] > known.applied || (content[key] == known.applied && before[key] < content[key]) {
                known.applied = content[key];
                state.write = Write::Applied;
            } else if content[key] < known.applied {
                state.write = match state.write {
                    Write::Acked | Write::Lost => Write::Lost,
                    Write::Applied | Write::None => Write::None,
                };
            }
            covers |= content[key] < known.acked;
            self.tell(ContextAction::Apply, id, key, Some(seat), at_us);
        }
        covers
    }

    /// A row names its first owners, or others in their place.
    pub(super) fn created(&mut self, id: ContextId, owners: (Alias, Alias), at_us: u64) -> ContextAction {
        let seat = owners.0.0;
        self.contexts[id.0 as usize].epoch += 1;
        self.tell_all(ContextAction::Create, id, Some(seat), at_us, |state| {
            name(state, owners);
            state.seats[usize::from(seat)].token = Token::Open;
        });
        ContextAction::Create
    }

    /// The present main is granted a new epoch.
    pub(super) fn granted(&mut self, id: ContextId, seat: u8, at_us: u64) -> ContextAction {
        self.contexts[id.0 as usize].epoch += 1;
        self.tell_all(ContextAction::Grant, id, Some(seat), at_us, |state| begin_epoch(state, Some(seat)));
        ContextAction::Grant
    }

    /// A seat takes a context over; `expired`: the heartbeat row of main had.
    pub(super) fn taken(&mut self, id: ContextId, owners: (Alias, Alias), expired: bool, at_us: u64) -> ContextAction {
        if self.states[id.0 as usize * KEYS].expired != expired {
            let action = if expired { ContextAction::Expire } else { ContextAction::Renew };
            self.tell_all(action, id, None, at_us, |state| state.expired = expired);
        }
        let seat = owners.0.0;
        self.contexts[id.0 as usize].epoch += 1;
        self.tell_all(ContextAction::Take, id, Some(seat), at_us, |state| {
            begin_epoch(state, Some(seat));
            name(state, owners);
            state.expired = false;
        });
        ContextAction::Take
    }

    /// A seat hands a context over.
    pub(super) fn given(&mut self, id: ContextId, seat: u8, owners: (Alias, Alias), at_us: u64) -> ContextAction {
        self.contexts[id.0 as usize].epoch += 1;
        self.tell_all(ContextAction::Give, id, Some(seat), at_us, |state| {
            begin_epoch(state, None);
            name(state, owners);
        });
        ContextAction::Give
    }

    /// A seat names another backup.
    pub(super) fn repaired(&mut self, id: ContextId, seat: u8, owners: (Alias, Alias), at_us: u64) -> ContextAction {
        self.tell_all(ContextAction::Repair, id, Some(seat), at_us, |state| name(state, owners));
        ContextAction::Repair
    }

    /// An alias was granted anew: the term before was over, and now it is held again.
    pub(super) fn heard_again(&mut self, seat: u8, at_us: u64) {
        for id in self.ids() {
            if self.states[id.0 as usize * KEYS].main == Some(seat) {
                if !self.states[id.0 as usize * KEYS].expired {
                    self.tell_all(ContextAction::Expire, id, None, at_us, |state| state.expired = true);
                }
                self.tell_all(ContextAction::Renew, id, None, at_us, |state| state.expired = false);
            }
        }
    }

    /// Doubt about a seat begins or ends.
    pub(super) fn doubt(&mut self, seat: u8, doubted: bool, at_us: u64) {
        if std::mem::replace(&mut self.doubted[usize::from(seat)], doubted) == doubted {
            return;
        }
        let action = if doubted { ContextAction::Doubt } else { ContextAction::Trust };
        for id in self.ids() {
            self.tell_all(action, id, Some(seat), at_us, |state| state.seats[usize::from(seat)].doubted = doubted);
        }
    }
}

fn name(state: &mut ContextState, (main, backup): (Alias, Alias)) {
    (state.main, state.backup) = (Some(main.0), Some(backup.0));
}

/// A new epoch, granted to a seat or to nobody yet.
fn begin_epoch(state: &mut ContextState, granted: Option<u8>) {
    for (seat, at) in state.seats.iter_mut().zip(0..) {
        if granted == Some(at) {
            seat.token = Token::Open;
        } else if seat.token == Token::Open {
            seat.token = Token::Fenced;
        }
    }
    state.wrote = None;
}
