//! Why it broke: the guard that failed, the two sides of it in numbers, the way there from the last state in which all
//! agreed, and what would have prevented it.

use super::{Lane, Message, Span, SpanKind, seconds};
use crate::fault::Place;
use crate::note::{Action, Broken, Field, Note, Value, Who};
use crate::report::human::span;
use crate::trace::Record;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

/// Why one property broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The property.
    pub property: String,
    /// When, in true microseconds.
    pub at_us: u64,
    /// Who moved.
    pub who: Option<Who>,
    /// Against whom.
    pub rival: Option<Who>,
    /// By which action of the contract, if it was one.
    pub action: Option<&'static str>,
    /// The guard or invariant that did not hold, or what was not reached.
    pub guard: String,
    /// About what: `leader 0`.
    pub subject: Option<String>,
    /// When the two believed to be the one that works.
    pub intervals: Vec<Interval>,
    /// For how long both did, in true microseconds.
    pub overlap_us: Option<u64>,
    /// The last messages that arrived between each of the two and the store.
    pub heard: Vec<Heard>,
    /// What the clocks of the two and of the store showed, in microseconds.
    pub clocks: Vec<(Place, u64)>,
    /// When all agreed last, in true microseconds; the contract's variables that are others since.
    pub agreed_us: Option<u64>,
    /// Each variable that changed since, with what it was and what it is.
    pub changed: Vec<(&'static str, Value, Value)>,
    /// The actions of the two, and of nobody in particular, since then.
    pub path: Vec<PathStep>,
    /// Each of these switches alone would have prevented it, with the name of its defect; absent if that is not known.
    pub prevented_by: Option<Vec<String>>,
}

/// When somebody believed to be the one that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Where.
    pub place: Place,
    /// From when, in true microseconds.
    pub from_us: u64,
    /// Until when.
    pub until_us: u64,
}

/// The last message of its kind that arrived before it broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// From where.
    pub from: Place,
    /// To where.
    pub to: Place,
    /// What kind of message it was.
    pub word: &'static str,
    /// When it arrived, in true microseconds.
    pub arrived_us: u64,
}

/// An action on the way to a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// The number of its record.
    pub step: u64,
    /// When, in true microseconds.
    pub at_us: u64,
    /// Where the step was taken.
    pub node: String,
    /// The action, with who took it.
    pub words: String,
    /// What made it happen.
    pub by: String,
}

/// A finding in the notes, with the way there.
#[derive(Debug)]
pub(super) struct Way<'a> {
    pub(super) record: &'a Record,
    pub(super) broken: &'a Broken,
    pub(super) subject: Option<String>,
    pub(super) agreed_us: Option<u64>,
    pub(super) changed: Vec<(&'static str, Value, Value)>,
    pub(super) path: Vec<PathStep>,
}

/// The longest way that is kept: of a longer one, the end is.
const PATH_MAX: usize = 12;

/// What was noted as broken, in order, each with the way there.
pub(super) fn ways<'a>(records: &'a [Record], by: &impl Fn(&Record) -> String) -> Vec<Way<'a>> {
    // Of each subject: all of its actions so far since it was agreed on, behind the one that led there.
    let mut recent: BTreeMap<u32, Vec<(&Record, &Action)>> = BTreeMap::new();
    let mut last = None;
    let mut ways = Vec::new();
    for record in records {
        for note in &record.notes {
            match note {
                Note::Action(action) => {
                    last = Some(action.subject);
                    let recent = recent.entry(action.subject).or_default();
                    // Two in a row in which all agree leave only the later one to begin from.
                    if recent.last().is_some_and(|(_, before)| before.state.is_agreed()) {
                        let keep = recent.len() - 1;
                        recent.drain(..keep);
                    }
                    recent.push((record, action));
                }
                Note::Broken(broken) => {
                    let subject = broken.subject.or(last);
                    let recent = subject.and_then(|subject| recent.get(&subject)).map_or(&[][..], Vec::as_slice);
                    ways.push(way(record, broken, recent, by));
                }
                _ => {}
            }
        }
    }
    ways
}

fn way<'a>(
    record: &'a Record,
    broken: &'a Broken,
    recent: &[(&Record, &Action)],
    by: &impl Fn(&Record) -> String,
) -> Way<'a> {
    // The step that broke it is none to have agreed after.
    let before = |first: &Record| recent.len() > 1 || first.step != record.step;
    let agreed = recent.first().filter(|(first, action)| action.state.is_agreed() && before(first));
    let fields = |at: Option<&(&Record, &Action)>| at.map(|(_, action)| action.state.fields()).unwrap_or_default();
    let concerned = |who: Option<Who>| {
        let pair = [broken.who, broken.rival];
        // Without a second one, anybody may be the other side.
        pair.contains(&None) || who.is_none_or(|who| pair.contains(&Some(who)))
    };
    let steps = recent.iter().skip(usize::from(agreed.is_some())).filter(|(_, action)| concerned(action.who));
    let mut path: Vec<PathStep> = Vec::new();
    for (record, action) in steps {
        let who = action.who.map_or_else(String::new, |who| format!(" {who}"));
        let step = PathStep {
            step: record.step,
            at_us: record.true_us,
            node: record.node.clone(),
            words: format!("{}{who}", action.name),
            by: by(record),
        };
        // A context takes a step with each of its keys.
        if path.last() != Some(&step) {
            path.push(step);
        }
    }
    path.drain(..path.len().saturating_sub(PATH_MAX));
    Way {
        record,
        broken,
        subject: recent.last().map(|(_, action)| action.state.subject(action.subject)),
        agreed_us: agreed.map(|(record, _)| record.true_us),
        changed: agreed.map(|_| changed(fields(recent.first()), fields(recent.last()))).unwrap_or_default(),
        path,
    }
}

/// The variables that are not what they were.
pub(super) fn changed(before: Vec<Field>, after: Vec<Field>) -> Vec<(&'static str, Value, Value)> {
    let mut changed = Vec::new();
    for ((name, was), (_, is)) in before.into_iter().zip(after) {
        match (was, is) {
            (was, is) if was == is => {}
            // Of a function only where it differs.
            (Value::Map(mut was), Value::Map(mut is)) => {
                // Of whom nothing is left, the state says nothing.
                let nothing = || "none".to_owned();
                let names: BTreeSet<_> = was.keys().chain(is.keys()).cloned().collect();
                for name in names {
                    let (before, after) =
                        (was.entry(name.clone()).or_insert_with(nothing).clone(), is.entry(name.clone()));
                    if *after.or_insert_with(nothing) == before {
                        was.remove(&name);
                        is.remove(&name);
                    }
                }
                if !is.is_empty() {
                    changed.push((name, Value::Map(was), Value::Map(is)));
                }
            }
            (was, is) => changed.push((name, was, is)),
        }
    }
    changed
}

impl Way<'_> {
    /// With what the lanes say about the two.
    pub(super) fn cause(
        self,
        lanes: &[Lane],
        messages: &[Message],
        exclusive: bool,
        end_us: u64,
        prevented_by: Option<Vec<String>>,
    ) -> Cause {
        let Self { record, broken, subject, agreed_us, changed, path } = self;
        let at_us = record.true_us;
        let mut pair: Vec<Place> = [broken.who, broken.rival].into_iter().flatten().map(|who| who.place).collect();
        // Two lives of one node never believe at once.
        pair.dedup();
        let lane = |place: &Place| lanes.iter().find(|lane| lane.place == *place);
        let intervals: Vec<_> =
            pair.iter().filter_map(|place| Some((*place, held(lane(place)?, at_us, end_us)?))).collect();
        let intervals: Vec<_> =
            intervals.into_iter().map(|(place, (from_us, until_us))| Interval { place, from_us, until_us }).collect();
        let overlap_us = match intervals.as_slice() {
            [one, other] if exclusive => {
                let both = one.until_us.min(other.until_us).saturating_sub(one.from_us.max(other.from_us));
                Some(both).filter(|both| *both > 0)
            }
            _ => None,
        };
        let heard = pair.iter().flat_map(|place| heard(lanes, messages, *place, at_us)).collect();
        let mut places = pair;
        places.push(Place::Store);
        places.dedup();
        Cause {
            property: broken.property.to_owned(),
            at_us,
            who: broken.who,
            rival: broken.rival,
            action: Some(broken.action),
            guard: broken.guard.to_owned(),
            subject,
            intervals,
            overlap_us,
            heard,
            clocks: places.iter().filter_map(|place| Some((*place, lane(place)?.clock_at(at_us)))).collect(),
            agreed_us,
            changed,
            path,
            prevented_by,
        }
    }
}

/// The last message of each kind between a place and the store that arrived before `at_us`.
fn heard(lanes: &[Lane], messages: &[Message], place: Place, at_us: u64) -> Vec<Heard> {
    let mut last: BTreeMap<(bool, &'static str), Heard> = BTreeMap::new();
    for message in messages {
        let (from, to) = (lanes[message.from].place, lanes[message.to].place);
        let Some(arrived_us) = message.arrived_us.filter(|arrived_us| *arrived_us <= at_us) else { continue };
        let between = [(place, Place::Store), (Place::Store, place)].contains(&(from, to));
        if !between || matches!(message.fate, super::MessageFate::Store("is not carried out")) {
            continue;
        }
        let this = Heard { from, to, word: message.word, arrived_us };
        let known = last.entry((from == Place::Store, message.word)).or_insert_with(|| this.clone());
        if known.arrived_us <= arrived_us {
            *known = this;
        }
    }
    last.into_values().collect()
}

/// The time around `at_us` in which a place believed, without a break, whether it was to be trusted or not.
fn held(lane: &Lane, at_us: u64, end_us: u64) -> Option<(u64, u64)> {
    let beliefs = lane.spans.iter().filter(|span| matches!(span.kind, SpanKind::Works | SpanKind::Believes));
    let beliefs: Vec<Span> = beliefs.copied().collect();
    let here =
        beliefs.iter().find(|span| span.from_us <= at_us && (at_us < span.until_us || span.until_us == end_us))?;
    let (mut from_us, mut until_us) = (here.from_us, here.until_us);
    // In the order of their ends: forwards what follows is met in order, backwards what came before.
    for span in &beliefs {
        if span.from_us == until_us {
            until_us = span.until_us;
        }
    }
    for span in beliefs.iter().rev() {
        if span.until_us == from_us {
            from_us = span.from_us;
        }
    }
    Some((from_us, until_us))
}

/// Told in lines, each with a label.
impl Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "why {} broke at {} s", self.property, seconds(self.at_us))?;
        for (label, words) in self.lines() {
            writeln!(f, "  {label:<14}{words}")?;
        }
        Ok(())
    }
}

impl Cause {
    /// From when to when both believed to be the one that works, if they did.
    #[must_use]
    pub fn overlap(&self) -> Option<(u64, u64)> {
        let from_us = self.intervals.iter().map(|interval| interval.from_us).max()?;
        self.overlap_us.map(|overlap_us| (from_us, from_us + overlap_us))
    }

    /// What there is to say, each line with its label; a line that goes on has none.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("guard", self.guard.clone())];
        if let Some(action) = self.action {
            let who = self.who.map_or_else(String::new, |who| format!(" of {who}"));
            let rival = self.rival.map_or_else(String::new, |rival| format!(" against {rival}"));
            let subject = self.subject.as_ref().map_or_else(String::new, |subject| format!(", {subject}"));
            lines.push(("failed at", format!("{action}{who}{rival}{subject}")));
        }
        for (i, interval) in self.intervals.iter().enumerate() {
            let Interval { place, from_us, until_us } = interval;
            let words = format!(
                "{place} from {} s to {} s ({})",
                seconds(*from_us),
                seconds(*until_us),
                span(until_us - from_us)
            );
            lines.push((if i == 0 { "believed" } else { "" }, words));
        }
        if let Some((from_us, until_us)) = self.overlap() {
            let words =
                format!("both from {} s to {} s: {}", seconds(from_us), seconds(until_us), span(until_us - from_us));
            lines.push(("overlap", words));
        }
        let routes = self.heard.chunk_by(|one, other| (one.from, one.to) == (other.from, other.to));
        for (i, route) in routes.enumerate() {
            let arrival = |heard: &Heard| {
                let (at, before) = (seconds(heard.arrived_us), span(self.at_us - heard.arrived_us));
                format!("{} at {at} s ({before} before)", heard.word)
            };
            let arrivals: Vec<_> = route.iter().map(arrival).collect();
            let words = format!("{} to {}: {}", route[0].from, route[0].to, arrivals.join(", "));
            lines.push((if i == 0 { "last arrivals" } else { "" }, words));
        }
        let clocks: Vec<_> =
            self.clocks.iter().map(|(place, us)| format!("{place} shows {} s", seconds(*us))).collect();
        if !clocks.is_empty() {
            lines.push(("clocks", clocks.join(", ")));
        }
        if let Some(agreed_us) = self.agreed_us {
            lines.push(("last agreed", format!("at {} s", seconds(agreed_us))));
        }
        for (i, (name, was, is)) in self.changed.iter().enumerate() {
            lines.push((if i == 0 { "since then" } else { "" }, format!("{name} {was}, now {is}")));
        }
        for (i, step) in self.path.iter().enumerate() {
            let words = format!("{} s  {:<8} {} (by {})", seconds(step.at_us), step.node, step.words, step.by);
            lines.push((if i == 0 { "the way there" } else { "" }, words));
        }
        if let Some(defences) = &self.prevented_by {
            let words = if defences.is_empty() { "no single defence".to_owned() } else { defences.join(", ") };
            lines.push(("prevented by", words));
        }
        lines
    }
}
