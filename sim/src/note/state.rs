//! The states of the contracts, as records show them: every variable by its name in TLA+.

use super::Who;
use crate::fault::Place;
use failproof_core::Host;
use failproof_core::distribution::Name;
use failproof_core::routing::KEYS;
use failproof_spec::job::JobState;
use failproof_spec::{ContextState, Token};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// The state of one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Of `Lease.tla`.
    Lease(LeaseState),
    /// Of `Context.tla`, but for `wrongs`, which says what else was done wrong, and so is a finding here.
    Context {
        /// The variables.
        state: ContextState,
        /// How many servers there are.
        servers: u8,
    },
    /// Of `Job.tla`, but for `wrongs`, likewise.
    Job {
        /// The attempt.
        name: Name,
        /// The variables.
        state: Box<JobState>,
        /// Who sits where.
        seats: [Option<Host>; JobState::SERVERS],
    },
}

/// The variables of `Lease.tla`. Actors of which nothing is left are not listed: they do not work, are not doubted, and
/// hold no token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseState {
    /// Whom the store names.
    pub owner: Option<Who>,
    /// Who works as primary.
    pub works: Vec<Who>,
    /// Whose time is disturbed.
    pub doubted: Vec<Who>,
    /// The epoch of each, relative to the resource.
    pub token: Vec<(Who, Token)>,
    /// Whether an older epoch was accepted after a newer one.
    pub stained: bool,
}

/// What a variable is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A word: a name, or one of a few.
    Word(String),
    /// A set of names, in order.
    Set(Vec<String>),
    /// A function from names to words, in order.
    Map(BTreeMap<String, String>),
}

/// A variable, and what it is worth.
pub type Field = (&'static str, Value);

/// What nobody is called.
const NOBODY: &str = "Nobody";

impl State {
    /// All variables, in the order of the specification.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let word = |text: &str| Value::Word(text.to_owned());
        match self {
            Self::Lease(LeaseState { owner, works, doubted, token, stained }) => vec![
                ("owner", owner.map_or_else(|| word(NOBODY), |who| Value::Word(who.to_string()))),
                ("works", names(works)),
                ("doubted", names(doubted)),
                (
                    "token",
                    Value::Map(token.iter().map(|(who, token)| (who.to_string(), token.name().into())).collect()),
                ),
                ("stained", Value::Flag(*stained)),
            ],
            Self::Context { state, servers } => {
                let seats = || state.seats.iter().zip(0..u16::from(*servers)).map(|(seat, at)| (name_of(at), seat));
                let named =
                    |seat: Option<u8>| seat.map_or_else(|| word(NOBODY), |seat| Value::Word(name_of(seat.into())));
                vec![
                    ("main", named(state.main)),
                    ("backup", named(state.backup)),
                    ("expired", Value::Flag(state.expired)),
                    ("token", Value::Map(seats().map(|(name, seat)| (name, seat.token.name().to_owned())).collect())),
                    ("cache", Value::Map(seats().map(|(name, seat)| (name, seat.cache.name().to_owned())).collect())),
                    ("doubted", Value::Set(seats().filter(|(_, seat)| seat.doubted).map(|(name, _)| name).collect())),
                    ("write", word(state.write.name())),
                    ("wrote", named(state.wrote)),
                    ("split", Value::Flag(state.split)),
                ]
            }
            Self::Job { state, seats: hosts, .. } => {
                let sits = |(seat, host): (_, &Option<Host>)| host.map(|host| (name_of(host.0), seat));
                let seats = || state.seats.iter().zip(hosts).filter_map(sits);
                let owner = state.owner.and_then(|seat| hosts[usize::from(seat)]);
                let owner = owner.map_or_else(|| word(NOBODY), |host| Value::Word(name_of(host.0)));
                vec![
                    ("owner", owner),
                    ("row", word(state.row.name())),
                    ("expired", Value::Flag(state.expired)),
                    ("token", Value::Map(seats().map(|(name, seat)| (name, seat.token.name().to_owned())).collect())),
                    ("flight", Value::Map(seats().map(|(name, seat)| (name, seat.flight.name().to_owned())).collect())),
                    ("ready", Value::Set(seats().filter(|(_, seat)| seat.ready).map(|(name, _)| name).collect())),
                    ("cancel", Value::Flag(state.cancel)),
                    ("doubted", Value::Set(seats().filter(|(_, seat)| seat.doubted).map(|(name, _)| name).collect())),
                    ("used", Value::Flag(state.instance.used)),
                    ("starts", Value::Number(state.instance.starts.into())),
                    ("live", Value::Number(state.instance.live.into())),
                    ("stale", Value::Flag(state.stale)),
                ]
            }
        }
    }

    /// What the contract is about, in words.
    #[must_use]
    pub fn subject(&self, subject: u32) -> String {
        match self {
            Self::Lease(_) => format!("leader {subject}"),
            Self::Context { .. } => format!("context {}", subject / KEYS as u32),
            Self::Job { name, .. } => {
                let Name { job, action, attempt } = name;
                format!("job {}, attempt {attempt} of action {action}", job.0)
            }
        }
    }

    /// Whom the row names.
    #[must_use]
    pub fn owner(&self) -> Option<Who> {
        match self {
            Self::Lease(state) => state.owner,
            Self::Context { state, .. } => state.main.map(|main| seat(main.into())),
            Self::Job { state, seats, .. } => {
                state.owner.and_then(|owner| seats[usize::from(owner)]).map(|host| seat(host.0))
            }
        }
    }

    /// Whether those who act are those whom the row names: nobody else believes or may do what the owner does, and what
    /// was done is in order.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        match self {
            Self::Lease(state) => !state.stained && state.works.iter().all(|who| Some(*who) == state.owner),
            Self::Context { state, .. } => {
                use failproof_spec::{Cache, Write};
                let mut seats = state.seats.iter().zip(0..);
                !state.split
                    && state.write != Write::Lost
                    && seats.all(|(seat, at)| {
                        seat.cache != Cache::Stale && (state.main == Some(at) || seat.cache == Cache::None)
                    })
            }
            Self::Job { state, .. } => {
                use failproof_spec::job::Flight;
                let mut seats = state.seats.iter().zip(0..);
                !state.stale
                    && state.instance.live <= 1
                    && seats.all(|(seat, at)| state.owner == Some(at) || seat.flight == Flight::None)
            }
        }
    }
}

/// A seat of the contract of a context, or of an attempt: the server that is configured for it.
#[must_use]
pub const fn seat(at: u16) -> Who {
    Who { place: Place::Server(at), life: None }
}

fn name_of(at: u16) -> String {
    seat(at).to_string()
}

fn names(of: &[Who]) -> Value {
    Value::Set(of.iter().map(ToString::to_string).collect())
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => word.fmt(f),
            Self::Set(names) => write!(f, "{{{}}}", names.join(", ")),
            Self::Map(map) => {
                let pairs: Vec<_> = map.iter().map(|(name, word)| format!("{name} {word}")).collect();
                write!(f, "[{}]", pairs.join(", "))
            }
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => flag.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Word(word) => word.serialize(serializer),
            Self::Set(names) => names.serialize(serializer),
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

/// An object with a field for each variable.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map_of(&self.fields(), serializer)
    }
}

/// An object of these fields, in their order.
pub(crate) fn map_of<S: Serializer>(fields: &[Field], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(fields.len()))?;
    for (name, value) in fields {
        map.serialize_entry(name, value)?;
    }
    map.end()
}
