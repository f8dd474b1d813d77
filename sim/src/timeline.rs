//! What a run looked like: who worked when, what was sent, what went wrong, which moments matter, and why it broke.
//!
//! A timeline is made from the records of a run and from nothing else, so that it shows what happened and not what the
//! plan asked for. It is told as [`text`], as a [`mermaid`] sequence diagram, or as an [`html`] page.

mod builder;
pub mod cause;
pub mod html;
pub mod mermaid;
mod page;
pub mod text;

use crate::campaign::Finding;
use crate::fault::Place;
use crate::note::Who;
use crate::plan::Plan;
use crate::protocol::Tale;
use crate::protocols;
use crate::trace::Record;
use builder::Builder;
pub use cause::Cause;
use std::fmt;
use std::str::FromStr;

/// How a timeline is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lines of text, with why it broke below.
    Text,
    /// A sequence diagram in the language of Mermaid.
    Mermaid,
    /// One page that needs nothing else.
    Html,
}

/// What a run looked like.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The name of the protocol.
    pub protocol: String,
    /// What the run is called: `seed 17`.
    pub run: String,
    /// What to call what it does.
    pub tale: &'static Tale,
    /// How long it was, in true microseconds.
    pub end_us: u64,
    /// How many records it was made from.
    pub events: u64,
    /// The places, the store first.
    pub lanes: Vec<Lane>,
    /// All messages, in the order in which they were sent.
    pub messages: Vec<Message>,
    /// Whom the rows of the store named, in the order of their beginnings.
    pub rows: Vec<Row>,
    /// Faults, in the order of their beginnings.
    pub faults: Vec<FaultSpan>,
    /// What matters, in order.
    pub moments: Vec<Moment>,
    /// How many events of everyday work came after the last moment.
    pub folded_at_end: u64,
    /// Why it broke: one for each property, in the order in which they broke.
    pub causes: Vec<Cause>,
}

/// A place over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Where.
    pub place: Place,
    /// What it was like, in the order of the ends.
    pub spans: Vec<Span>,
    /// Its clock: between two of these it runs at one rate.
    pub clocks: Vec<ClockChange>,
}

/// A time in which something was so at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What.
    pub kind: SpanKind,
    /// Of which kind of leader, if it is about one.
    pub utype: u16,
    /// From when, in true microseconds.
    pub from_us: u64,
    /// Until when.
    pub until_us: u64,
}

/// What can be so at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanKind {
    /// It works, and may be trusted.
    Works,
    /// It believes that it works, but it is doubted, or stands still.
    Believes,
    /// There is reason to doubt what it believes.
    Doubted,
    /// Its processes stand still.
    Paused,
    /// The machine sleeps.
    Suspended,
    /// Its processes do not run.
    Down,
}

/// A clock from some time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockChange {
    /// From when, in true microseconds.
    pub at_us: u64,
    /// What the clock shows then that machines read there.
    pub shows_us: u64,
    /// How many microseconds it counts in a million true ones.
    pub rate: u64,
    /// What the wall clock shows then.
    pub wall_us: u64,
    /// How many microseconds that one counts in a million true ones.
    pub wall_rate: u64,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was sent, in true microseconds.
    pub sent_us: u64,
    /// The lane of its sender.
    pub from: usize,
    /// The lane that it was for.
    pub to: usize,
    /// What kind of message it is.
    pub word: &'static str,
    /// When it, or its first copy, arrived, if it did.
    pub arrived_us: Option<u64>,
    /// What became of it.
    pub fate: MessageFate,
    /// Whether it led to a moment.
    pub matters: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageFate {
    /// It arrived, within the bound of the latency.
    Arrived,
    /// It arrived later than that.
    Late,
    /// It arrived twice.
    Twice,
    /// It was still under way when the run ended.
    UnderWay,
    /// No way led there.
    Cut,
    /// It was lost by chance, or because the plan says so.
    Lost,
    /// Nobody was there when it arrived.
    Nobody,
    /// It arrived, and the store did not do as asked; the word says what it did.
    Store(&'static str),
}

/// Whom a row of the store named for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which row: `leader 0`.
    pub row: String,
    /// Whom.
    pub owner: Who,
    /// From when, in true microseconds.
    pub from_us: u64,
    /// Until when.
    pub until_us: u64,
}

/// A fault while it lasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSpan {
    /// Its number in the plan.
    pub id: u32,
    /// What it is, with its values.
    pub what: String,
    /// Where it strikes, if it names places.
    pub places: Vec<Place>,
    /// From when, in true microseconds.
    pub from_us: u64,
    /// Until when.
    pub until_us: u64,
}

/// Something that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When, in true microseconds.
    pub at_us: u64,
    /// Where; nowhere in particular if the environment did it.
    pub place: Option<Place>,
    /// What the clock there showed.
    pub node_us: Option<u64>,
    /// What the store's clock showed.
    pub store_us: u64,
    /// Who works after it; a question mark follows who is doubted.
    pub works: String,
    /// What sort of thing it is.
    pub sort: Sort,
    /// What happened.
    pub words: String,
    /// What made it happen.
    pub by: Option<String>,
    /// From where the message came that made it happen.
    pub from: Option<Place>,
    /// To whom, if it is a message that did not arrive as it should.
    pub to: Option<Place>,
    /// Whether it led to a violation.
    pub led: bool,
    /// How many events of everyday work came before it, since the last moment.
    pub folded: u64,
    /// How many messages like those told before were lost among them.
    pub folded_lost: u64,
}

/// What sort of moment it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A property broke.
    Broken,
    /// An action of the contract.
    Action,
    /// A fault began or ended.
    Fault,
    /// An operator acted.
    Task,
    /// Somebody began to believe to be the one that works, or ceased to.
    Belief,
    /// A message did not arrive as it should.
    Message,
}

impl Timeline {
    /// That of a run of `plan`, from its records. `findings` are what it broke, with what would have prevented it.
    #[must_use]
    pub fn new<'a>(plan: &Plan, records: &[Record], findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let known = protocols::of(&plan.options);
        let mut builder = Builder::new(plan, known.places(plan), known.cast(plan), known.tale());
        let findings: Vec<_> = findings.into_iter().collect();
        builder.build(plan, records, &findings)
    }

    /// The lane of a place.
    #[must_use]
    pub fn lane_of(&self, place: Place) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.place == place)
    }

    /// How many events of everyday work are told by their number only.
    #[must_use]
    pub fn folded(&self) -> u64 {
        self.folded_at_end + self.moments.iter().map(|moment| moment.folded).sum::<u64>()
    }
}

impl Lane {
    /// What the clock that machines read here shows at a time.
    #[must_use]
    pub fn clock_at(&self, at_us: u64) -> u64 {
        let change = self.clocks.iter().rev().find(|change| change.at_us <= at_us);
        change.map_or(at_us, |change| {
            change.shows_us + ((at_us - change.at_us) as u128 * u128::from(change.rate) / 1_000_000) as u64
        })
    }
}

impl SpanKind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Believes => "believes",
            Self::Doubted => "doubted",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Down => "down",
        }
    }
}

impl MessageFate {
    /// What became of it, continuing a sentence: `heartbeat n0 to store`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Arrived => "arrives",
            Self::Late => "arrives late",
            Self::Twice => "arrives twice",
            Self::UnderWay => "is under way when the run ends",
            Self::Cut => "is lost: no way leads there",
            Self::Lost => "is lost",
            Self::Nobody => "is lost: nobody is there",
            Self::Store(word) => word,
        }
    }

    /// Whether nothing about it is out of order.
    #[must_use]
    pub const fn is_usual(self) -> bool {
        matches!(self, Self::Arrived | Self::UnderWay)
    }
}

impl Sort {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Action => "action",
            Self::Fault => "fault",
            Self::Task => "task",
            Self::Belief => "belief",
            Self::Message => "message",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Mermaid => "mermaid",
            Self::Html => "html",
        })
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = [Self::Text, Self::Mermaid, Self::Html];
        let known = kinds.into_iter().find(|kind| kind.to_string() == text);
        known.ok_or_else(|| format!("unknown timeline `{text}`; expected text, mermaid or html"))
    }
}

/// A time in seconds, as columns show it: `8.000010`.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}
