//! What an HTML page is given: numbers in microseconds of true time, lanes by their index, and words by theirs.

use super::{Cause, Moment, Sort, Span, SpanKind, Timeline};
use crate::fault::Place;
use crate::report::human::plural;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many moments a page has at most, how many messages, how many spans of each lane, and how many lanes.
const MOMENTS_MAX: usize = 4_000;
const MESSAGES_MAX: usize = 12_000;
const SPANS_MAX: usize = 2_000;
const ROWS_MAX: usize = 4_000;
const LANES_MAX: usize = 40;
/// How much is shown at first before and after what broke, in microseconds.
const BEFORE_US: u64 = 20_000_000;
const AFTER_US: u64 = 10_000_000;

/// All kinds of span, in the order in which they are drawn: what covers others comes first.
const KINDS: [SpanKind; 6] =
    [SpanKind::Down, SpanKind::Suspended, SpanKind::Paused, SpanKind::Believes, SpanKind::Works, SpanKind::Doubted];

/// When it was sent, from where, to where, its word, when it arrived, what became of it, and whether it matters.
type PageMessage = (u64, usize, usize, usize, Option<u64>, usize, u8);

#[derive(Debug, Serialize)]
pub(super) struct Page<'a> {
    protocol: &'a str,
    run: &'a str,
    tale: &'static str,
    end_us: u64,
    events: u64,
    folded: String,
    view: [u64; 2],
    kinds: Vec<&'static str>,
    lanes: Vec<PageLane>,
    faults: Vec<PageFault<'a>>,
    rows: Vec<(&'a str, String, u64, u64)>,
    words: Vec<&'static str>,
    fates: Vec<&'static str>,
    messages: Vec<PageMessage>,
    moments: Vec<PageMoment>,
    overlaps: Vec<(u64, u64)>,
    causes: Vec<PageCause<'a>>,
}

#[derive(Debug, Serialize)]
struct PageLane {
    place: String,
    spans: Vec<(usize, u16, u64, u64)>,
    clocks: Vec<(u64, u64, u64, u64, u64)>,
}

#[derive(Debug, Serialize)]
struct PageFault<'a> {
    id: u32,
    what: &'a str,
    /// Where it strikes; everywhere if it names no place.
    lanes: Vec<usize>,
    from: u64,
    until: u64,
}

#[derive(Debug, Serialize)]
struct PageMoment {
    at: u64,
    lane: Option<usize>,
    place: String,
    works: String,
    sort: &'static str,
    words: String,
    led: bool,
    /// What was folded before it, in words.
    folded: String,
}

#[derive(Debug, Serialize)]
struct PageCause<'a> {
    property: &'a str,
    at: u64,
    lines: Vec<(&'static str, String)>,
}

/// The words of a page, each once.
#[derive(Debug, Default)]
struct Words {
    known: BTreeMap<&'static str, usize>,
    list: Vec<&'static str>,
}

impl Words {
    fn at(&mut self, word: &'static str) -> usize {
        *self.known.entry(word).or_insert_with(|| {
            self.list.push(word);
            self.list.len() - 1
        })
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(timeline: &'a Timeline) -> Self {
        // What is near to something that broke is kept first; where nothing did, what is near to the middle.
        let mut broken: Vec<u64> = timeline.causes.iter().map(|cause| cause.at_us).collect();
        if broken.is_empty() {
            broken.push(timeline.end_us / 2);
        }
        let distance = |at_us: u64| broken.iter().map(|broken| broken.abs_diff(at_us)).min();
        let shown = lanes(timeline);
        let lane = |place: Option<Place>| {
            place.and_then(|place| shown.iter().position(|at| timeline.lanes[*at].place == place))
        };
        let mut left_out = Vec::new();

        let (moments, without) = nearest(&timeline.moments, MOMENTS_MAX, |moment| {
            let told_first = match moment.sort {
                Sort::Broken => 0,
                _ if moment.led => 0,
                Sort::Fault | Sort::Task | Sort::Belief => 1,
                Sort::Action | Sort::Message => 2,
            };
            (told_first, distance(moment.at_us))
        });
        note(&mut left_out, without, "moment");
        let on_page = |at: usize| shown.iter().position(|shown| *shown == at);
        let all: Vec<_> = timeline.messages.iter().collect();
        let visible: Vec<_> =
            all.iter().filter(|message| on_page(message.from).is_some() && on_page(message.to).is_some()).collect();
        let (messages, without) =
            nearest(&visible, MESSAGES_MAX, |message| (u8::from(!message.matters), distance(message.sent_us)));
        note(&mut left_out, without + all.len() - visible.len(), "message");
        let (rows, without) = nearest(&timeline.rows, ROWS_MAX, |row| distance(row.from_us));
        note(&mut left_out, without, "row");

        let mut without_spans = 0;
        let page_lanes = shown.iter().map(|at| {
            let lane = &timeline.lanes[*at];
            let (spans, without) = nearest(&lane.spans, SPANS_MAX, |span| u64::MAX - (span.until_us - span.from_us));
            let (clocks, without_clocks) = nearest(&lane.clocks, SPANS_MAX, |change| change.at_us);
            without_spans += without + without_clocks;
            let mut spans: Vec<_> = spans
                .into_iter()
                .map(|Span { kind, utype, from_us, until_us }| (kind_at(*kind), *utype, *from_us, *until_us))
                .collect();
            spans.sort_unstable_by_key(|(kind, _, from_us, _)| (*kind, *from_us));
            let clocks = clocks.into_iter().map(|c| (c.at_us, c.shows_us, c.rate, c.wall_us, c.wall_rate)).collect();
            PageLane { place: lane.place.to_string(), spans, clocks }
        });
        let lanes_shown: Vec<_> = page_lanes.collect();
        note(&mut left_out, without_spans, "interval");
        note(&mut left_out, timeline.lanes.len() - shown.len(), "lane");

        let (mut words, mut fates) = (Words::default(), Words::default());
        let messages = messages
            .into_iter()
            .filter_map(|message| {
                let (from, to) = (on_page(message.from)?, on_page(message.to)?);
                let (word, fate) = (words.at(message.word), fates.at(message.fate.words()));
                Some((message.sent_us, from, to, word, message.arrived_us, fate, u8::from(message.matters)))
            })
            .collect();
        let faults = timeline.faults.iter().map(|fault| PageFault {
            id: fault.id,
            what: &fault.what,
            lanes: match fault.places.is_empty() {
                true => (0..shown.len()).collect(),
                false => fault.places.iter().filter_map(|place| lane(Some(*place))).collect(),
            },
            from: fault.from_us,
            until: fault.until_us,
        });
        let told = moments.into_iter().map(|moment| PageMoment {
            at: moment.at_us,
            lane: lane(moment.place),
            place: moment.place.map_or("world".to_owned(), |place| place.to_string()),
            works: moment.works.clone(),
            sort: moment.sort.name(),
            words: words_of(moment),
            led: moment.led,
            folded: folded(moment),
        });
        let mut all = format!("{} of everyday work folded", plural(timeline.folded(), "event"));
        if !left_out.is_empty() {
            all.push_str(&format!("; not shown: {}", left_out.join(", ")));
        }
        Self {
            protocol: &timeline.protocol,
            run: &timeline.run,
            tale: timeline.tale.works,
            end_us: timeline.end_us,
            events: timeline.events,
            folded: all,
            view: view(timeline),
            kinds: KINDS.iter().map(|kind| kind.name()).collect(),
            faults: faults.collect(),
            rows: rows
                .into_iter()
                .map(|row| (row.row.as_str(), row.owner.to_string(), row.from_us, row.until_us))
                .collect(),
            messages,
            words: words.list,
            fates: fates.list,
            moments: told.collect(),
            overlaps: timeline
                .causes
                .iter()
                .filter_map(Cause::overlap)
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect(),
            causes: timeline
                .causes
                .iter()
                .map(|cause| PageCause { property: &cause.property, at: cause.at_us, lines: cause.lines() })
                .collect(),
            lanes: lanes_shown,
        }
    }
}

/// What is shown at first: what is around the violations of a long run, else all.
fn view(timeline: &Timeline) -> [u64; 2] {
    let at = || timeline.causes.iter().map(|cause| cause.at_us);
    match (at().min(), at().max()) {
        (Some(first), Some(last)) if timeline.end_us > 2 * (last - first + BEFORE_US + AFTER_US) => {
            [first.saturating_sub(BEFORE_US), (last + AFTER_US).min(timeline.end_us)]
        }
        _ => [0, timeline.end_us],
    }
}

/// The lanes on which there is anything to see: the store, then those with spans, faults or moments.
fn lanes(timeline: &Timeline) -> Vec<usize> {
    let told = |place: Place| {
        let of = |moment: &Moment| [moment.place, moment.to, moment.from].contains(&Some(place));
        timeline.moments.iter().any(of) || timeline.faults.iter().any(|fault| fault.places.contains(&place))
    };
    let seen = |at: &usize| *at == 0 || !timeline.lanes[*at].spans.is_empty() || told(timeline.lanes[*at].place);
    (0..timeline.lanes.len()).filter(seen).take(LANES_MAX).collect()
}

/// At most `most` of all, those with the least keys, in their order; and how many are left out.
fn nearest<T, K: Ord>(all: &[T], most: usize, key: impl Fn(&T) -> K) -> (Vec<&T>, usize) {
    if all.len() <= most {
        return (all.iter().collect(), 0);
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| key(&all[*at]));
    order.truncate(most);
    order.sort_unstable();
    (order.into_iter().map(|at| &all[at]).collect(), all.len() - most)
}

fn note(left_out: &mut Vec<String>, number: usize, noun: &str) {
    if number > 0 {
        left_out.push(plural(number as u64, noun));
    }
}

fn kind_at(kind: SpanKind) -> usize {
    KINDS.iter().position(|other| *other == kind).unwrap_or_default()
}

fn words_of(moment: &Moment) -> String {
    let by = moment.by.as_ref().map_or_else(String::new, |by| format!(" (by {by})"));
    format!("{}{by}", moment.words)
}

fn folded(moment: &Moment) -> String {
    if moment.folded == 0 {
        return String::new();
    }
    let lost = match moment.folded_lost {
        0 => String::new(),
        lost => format!(", {} lost or late as before", plural(lost, "message")),
    };
    format!("… {} of everyday work{lost}", plural(moment.folded, "event"))
}
