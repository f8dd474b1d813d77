//! Makes a timeline from the records of a run: once over them for the ways to what broke, once for all the rest.

use super::cause::{self, Cause, Way};
use super::{ClockChange, FaultSpan, Lane, Message, MessageFate, Moment, Row, Sort, Span, SpanKind, Timeline};
use crate::campaign::Finding;
use crate::fault::Place;
use crate::note::{Action, Condition, Note, State, Who};
use crate::plan::Plan;
use crate::protocol::{Actor, Tale};
use crate::trace::{Record, Sent};
use std::collections::{BTreeMap, BTreeSet};

/// A message by its link, and its number there: source, target, number.
type MessageKey = (u16, u16, u32);

/// What is known so far.
#[derive(Debug)]
pub(super) struct Builder {
    tale: &'static Tale,
    /// The place of each actor, as a lane.
    lane_of: Vec<usize>,
    lanes: Vec<Lane>,
    standings: Vec<Standing>,
    /// What lasts: since when, by lane, kind and kind of leader.
    open: BTreeMap<(usize, SpanKind, u16), u64>,
    latency_us_max: u64,
    messages: Vec<Message>,
    under_way: BTreeMap<MessageKey, usize>,
    faults: Vec<FaultSpan>,
    open_faults: BTreeMap<u32, usize>,
    rows: Vec<Row>,
    open_rows: BTreeMap<String, usize>,
    states: BTreeMap<u32, State>,
    /// Losses that were told since a fault began or ended.
    told: BTreeSet<(usize, usize, &'static str, MessageFate)>,
    moments: Vec<Moment>,
    folded: u64,
    folded_lost: u64,
    /// The steps that led to a violation.
    led: BTreeSet<u64>,
}

/// A place as it is now.
#[derive(Clone, Debug, Default)]
struct Standing {
    condition: Condition,
    /// By kind of leader: whether it believes, and is doubted.
    beliefs: BTreeMap<u16, (bool, bool)>,
}

impl Builder {
    pub(super) fn new(plan: &Plan, places: Vec<Place>, cast: Vec<Actor>, tale: &'static Tale) -> Self {
        let lanes: Vec<_> =
            places.into_iter().map(|place| Lane { place, spans: Vec::new(), clocks: Vec::new() }).collect();
        let at = |place: Place| lanes.iter().position(|lane| lane.place == place).unwrap_or_default();
        Self {
            tale,
            lane_of: cast.iter().map(|actor| at(actor.place)).collect(),
            standings: vec![Standing::default(); lanes.len()],
            lanes,
            open: BTreeMap::new(),
            latency_us_max: plan.noise.latency_us_max,
            messages: Vec::new(),
            under_way: BTreeMap::new(),
            faults: Vec::new(),
            open_faults: BTreeMap::new(),
            rows: Vec::new(),
            open_rows: BTreeMap::new(),
            states: BTreeMap::new(),
            told: BTreeSet::new(),
            moments: Vec::new(),
            folded: 0,
            folded_lost: 0,
            led: BTreeSet::new(),
        }
    }

    pub(super) fn build(&mut self, plan: &Plan, records: &[Record], findings: &[&Finding]) -> Timeline {
        let ways = cause::ways(records, &|record| self.by(record));
        self.led = ways.iter().flat_map(|way| way.path.iter().map(|step| step.step)).collect();
        records.iter().for_each(|record| self.record(record));
        let end_us = plan.options.time_us().max(records.last().map_or(0, |record| record.true_us));
        self.close(end_us);
        Timeline {
            protocol: plan.protocol.clone(),
            run: plan.run_id().in_words(),
            tale: self.tale,
            end_us,
            events: records.len() as u64,
            causes: self.causes(ways, findings, end_us),
            lanes: std::mem::take(&mut self.lanes),
            messages: std::mem::take(&mut self.messages),
            rows: std::mem::take(&mut self.rows),
            faults: std::mem::take(&mut self.faults),
            moments: std::mem::take(&mut self.moments),
            folded_at_end: self.folded,
        }
    }

    /// What made a step happen, in few words.
    fn by(&self, record: &Record) -> String {
        match (&record.received, record.actor) {
            (Some(received), _) => {
                let fate = received.fate.map_or_else(String::new, |fate| format!(", {fate}"));
                format!("{} from {}{fate}", received.word, self.place_of(received.source))
            }
            (None, Some(_)) => record.cause.split(['(', '{', ':']).next().unwrap_or_default().trim().to_lowercase(),
            (None, None) => record.cause.clone(),
        }
    }

    fn place_of(&self, actor: u16) -> Place {
        self.lanes[self.lane_of[usize::from(actor)]].place
    }

    fn lane(&self, place: Place) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.place == place)
    }

    fn record(&mut self, record: &Record) {
        let mut told: Vec<(Sort, String, Option<Place>)> = Vec::new();
        self.notes(record, &mut told);
        self.arrival(record, &mut told);
        for sent in &record.sent {
            self.sent(record, sent, &mut told);
        }
        if told.is_empty() {
            self.folded += 1;
            return;
        }
        if let Some(at) = self.received(record) {
            self.messages[at].matters = true;
        }
        let place = record.actor.map(|actor| self.place_of(actor)).or_else(|| record.node.parse().ok());
        for (sort, words, to) in told {
            let moment = Moment {
                at_us: record.true_us,
                place,
                node_us: place.map(|_| record.node_us),
                store_us: record.store_us,
                works: self.who_works(),
                sort,
                words,
                by: matches!(sort, Sort::Action | Sort::Belief).then(|| self.by(record)),
                from: record.received.as_ref().map(|received| self.place_of(received.source)),
                to,
                led: self.led.contains(&record.step) && sort != Sort::Message,
                folded: std::mem::take(&mut self.folded),
                folded_lost: std::mem::take(&mut self.folded_lost),
            };
            self.moments.push(moment);
        }
    }

    fn notes(&mut self, record: &Record, told: &mut Vec<(Sort, String, Option<Place>)>) {
        let at_us = record.true_us;
        let by_action = record.notes.iter().any(|note| match note {
            Note::Action(action) => ["StepUp", "StepDown"].contains(&action.name),
            _ => false,
        });
        for note in &record.notes {
            match note {
                Note::Action(action) => self.action(record, action, told),
                Note::Broken(broken) => {
                    let who = broken.who.map_or_else(String::new, |who| format!(" by {who}"));
                    let rival = broken.rival.map_or_else(String::new, |rival| format!(" against {rival}"));
                    let words = format!("{} broken{who}{rival}: {}", broken.property, broken.guard);
                    told.push((Sort::Broken, words, None));
                }
                Note::Belief { place, utype, believes, doubted } => {
                    let Some(lane) = self.lane(*place) else { continue };
                    let now = (*believes, *doubted);
                    let before = self.standings[lane].beliefs.insert(*utype, now).unwrap_or_default();
                    self.refresh(lane, at_us);
                    if before.0 != now.0 && !by_action {
                        let works = self.tale.works;
                        let words =
                            if now.0 { format!("{place} {works}") } else { format!("{place} no longer {works}") };
                        told.push((Sort::Belief, words, None));
                    }
                }
                Note::Condition { place, condition } => {
                    let Some(lane) = self.lane(*place) else { continue };
                    self.standings[lane].condition = *condition;
                    self.refresh(lane, at_us);
                }
                Note::Clock { place, shows_us, rate, wall_us, wall_rate } => {
                    let Some(lane) = self.lane(*place) else { continue };
                    let clocks = &mut self.lanes[lane].clocks;
                    let change = ClockChange {
                        // The first one is noted with the first step, but of the beginning.
                        at_us: if clocks.is_empty() { 0 } else { at_us },
                        shows_us: *shows_us,
                        rate: *rate,
                        wall_us: *wall_us,
                        wall_rate: *wall_rate,
                    };
                    clocks.push(change);
                }
                Note::Fault { id, begins, what, places } => {
                    self.told.clear();
                    if *begins {
                        self.open_faults.insert(*id, self.faults.len());
                        let (what, places) = (what.clone(), places.clone());
                        self.faults.push(FaultSpan { id: *id, what, places, from_us: at_us, until_us: u64::MAX });
                    } else if let Some(at) = self.open_faults.remove(id) {
                        self.faults[at].until_us = at_us;
                    }
                    told.push((Sort::Fault, record.cause.clone(), None));
                }
                Note::Task { .. } => told.push((Sort::Task, record.cause.clone(), None)),
            }
        }
    }

    /// An action is told if it is no everyday work, or if it led to a violation.
    fn action(&mut self, record: &Record, action: &Action, told: &mut Vec<(Sort, String, Option<Place>)>) {
        let before = self.states.insert(action.subject, action.state.clone());
        self.row(record.true_us, action);
        let changes = before.map(|before| cause::changed(before.fields(), action.state.fields()));
        let everyday = self.tale.everyday.contains(&action.name) || changes.as_ref().is_some_and(Vec::is_empty);
        if everyday && !self.led.contains(&record.step) {
            return;
        }
        let who = action.who.map_or_else(String::new, |who| format!(" {who}"));
        let now = match changes {
            Some(changes) => changes.iter().map(|(name, _, is)| format!("{name} {is}")).collect(),
            None => action.state.owner().map(|owner| format!("owner {owner}")).into_iter().collect::<Vec<_>>(),
        };
        let now = if now.is_empty() { String::new() } else { format!(": {}", now.join(", ")) };
        let subject = match action.state {
            State::Lease(_) if self.states.len() == 1 => String::new(),
            _ => format!(" of {}", action.state.subject(action.subject)),
        };
        let words = format!("{}{who}{subject}{now}", action.name);
        // A context takes a step with each of its keys, and a server with each of its contexts.
        let head = format!("{}{who}", action.name);
        let same = told.iter_mut().rev().find(|(sort, words, _)| *sort == Sort::Action && words.starts_with(&head));
        match same {
            None => told.push((Sort::Action, words, None)),
            Some((_, told, _)) if *told == words || told.ends_with(" and others") => {}
            Some((_, told, _)) if told.contains(&subject) => {}
            Some((_, told, _)) => told.push_str(" and others"),
        }
    }

    /// Whom the row names.
    fn row(&mut self, at_us: u64, action: &Action) {
        let (row, owner) = (action.state.subject(action.subject), action.state.owner());
        let named: Option<Who> = self.open_rows.get(&row).map(|at| self.rows[*at].owner);
        if named == owner {
            return;
        }
        if let Some(at) = self.open_rows.remove(&row) {
            self.rows[at].until_us = at_us;
        }
        if let Some(owner) = owner {
            self.open_rows.insert(row.clone(), self.rows.len());
            self.rows.push(Row { row, owner, from_us: at_us, until_us: u64::MAX });
        }
    }

    /// The spans of a place begin and end as its condition and its beliefs say.
    fn refresh(&mut self, lane: usize, at_us: u64) {
        let Standing { condition, beliefs } = self.standings[lane].clone();
        let mut now: Vec<(SpanKind, u16, bool)> = vec![
            (SpanKind::Down, 0, condition.down),
            (SpanKind::Suspended, 0, condition.suspended),
            (SpanKind::Paused, 0, condition.paused && !condition.suspended),
        ];
        let still = condition.paused || condition.down;
        for (utype, (believes, doubted)) in beliefs {
            now.push((SpanKind::Works, utype, believes && !doubted && !still));
            now.push((SpanKind::Believes, utype, believes && (doubted || still)));
            now.push((SpanKind::Doubted, utype, doubted));
        }
        for (kind, utype, is) in now {
            let key = (lane, kind, utype);
            match (self.open.get(&key).copied(), is) {
                (None, true) => {
                    self.open.insert(key, at_us);
                }
                (Some(from_us), false) => {
                    self.open.remove(&key);
                    self.span(key, from_us, at_us);
                }
                _ => {}
            }
        }
    }

    fn span(&mut self, (lane, kind, utype): (usize, SpanKind, u16), from_us: u64, until_us: u64) {
        if from_us < until_us {
            self.lanes[lane].spans.push(Span { kind, utype, from_us, until_us });
        }
    }

    fn who_works(&self) -> String {
        let mut names = Vec::new();
        for (lane, standing) in self.lanes.iter().zip(&self.standings) {
            if let Some((_, doubted)) = standing.beliefs.values().find(|(believes, _)| *believes) {
                names.push(format!("{}{}", lane.place, if *doubted { "?" } else { "" }));
            }
        }
        if names.is_empty() { "-".to_owned() } else { names.join(" ") }
    }

    /// Which message a record received.
    fn received(&self, record: &Record) -> Option<usize> {
        let (received, target) = (record.received.as_ref()?, record.actor?);
        let key = (received.source, target, received.number & !1);
        self.under_way.get(&key).copied()
    }

    fn arrival(&mut self, record: &Record, told: &mut Vec<(Sort, String, Option<Place>)>) {
        let (Some(at), Some(received)) = (self.received(record), &record.received) else { return };
        let message = &mut self.messages[at];
        let first = message.arrived_us.is_none();
        message.arrived_us.get_or_insert(record.true_us);
        if message.fate == MessageFate::UnderWay {
            message.fate = MessageFate::Arrived;
        }
        if let Some(word) = received.fate {
            message.fate = MessageFate::Store(store_words(word));
        } else if !first {
            message.fate = MessageFate::Twice;
        }
        if !message.fate.is_usual() && message.fate != MessageFate::Late {
            let message = *message;
            self.tell(&message, told);
        }
    }

    fn sent(&mut self, record: &Record, sent: &Sent, told: &mut Vec<(Sort, String, Option<Place>)>) {
        let Some(source) = record.actor else { return };
        let (from, to) = (self.lane_of[usize::from(source)], self.lane_of[usize::from(sent.target)]);
        let late_us = sent.arrives_us.map(|arrives_us| arrives_us - record.true_us);
        let fate = match late_us {
            None if sent.cut => MessageFate::Cut,
            None => MessageFate::Lost,
            Some(late_us) if late_us > self.latency_us_max => MessageFate::Late,
            Some(_) => MessageFate::UnderWay,
        };
        let message = Message {
            sent_us: record.true_us,
            from,
            to,
            word: sent.word,
            // Until it arrives, when it should.
            arrived_us: None,
            fate,
            matters: !fate.is_usual(),
        };
        if sent.arrives_us.is_some() {
            self.under_way.insert((source, sent.target, sent.number), self.messages.len());
        }
        self.messages.push(message);
        if !fate.is_usual() {
            self.tell(&message, told);
        }
    }

    /// Tells of a message that did not arrive as it should, unless one like it was told of since a fault began or ended.
    fn tell(&mut self, message: &Message, told: &mut Vec<(Sort, String, Option<Place>)>) {
        let Message { from, to, word, fate, .. } = *message;
        if !self.told.insert((from, to, word, fate)) {
            self.folded_lost += 1;
            return;
        }
        let (from, to) = (self.lanes[from].place, self.lanes[to].place);
        told.push((Sort::Message, format!("{word} {from} to {to} {}", fate.words()), Some(to)));
    }

    /// The run is over: what lasts ends, and what did not arrive is lost.
    fn close(&mut self, end_us: u64) {
        for (key, from_us) in std::mem::take(&mut self.open) {
            self.span(key, from_us, end_us);
        }
        self.faults.iter_mut().for_each(|fault| fault.until_us = fault.until_us.min(end_us));
        self.rows.iter_mut().for_each(|row| row.until_us = row.until_us.min(end_us));
        let longest_us = self.latency_us_max;
        for message in self.messages.iter_mut().filter(|message| message.arrived_us.is_none()) {
            // What is late by more than the bound may still be under way.
            if message.fate == MessageFate::UnderWay && message.sent_us + longest_us < end_us {
                message.fate = MessageFate::Nobody;
            }
        }
    }

    fn causes(&self, ways: Vec<Way<'_>>, findings: &[&Finding], end_us: u64) -> Vec<Cause> {
        let prevented_by = |property: &str| {
            let finding = findings.iter().find(|finding| finding.property == property)?;
            let defences = finding.prevented_by.as_ref()?;
            Some(defences.iter().map(|defence| format!("{} ({})", defence.switch, defence.id)).collect())
        };
        let known: BTreeSet<&str> = ways.iter().map(|way| way.broken.property).collect();
        let others = findings.iter().filter(|finding| !known.contains(finding.property));
        // What is found when the run is over, such as that nobody came back, has no step that broke it.
        let others: Vec<_> = others.map(|finding| told_only(finding, prevented_by(finding.property))).collect();
        let broken = ways.into_iter().map(|way| {
            let prevented_by = prevented_by(way.broken.property);
            way.cause(&self.lanes, &self.messages, self.tale.exclusive, end_us, prevented_by)
        });
        broken.chain(others).collect()
    }
}

fn told_only(finding: &Finding, prevented_by: Option<Vec<String>>) -> Cause {
    Cause {
        property: finding.property.to_owned(),
        at_us: finding.at_us,
        who: None,
        rival: None,
        action: None,
        guard: finding.story.clone(),
        subject: None,
        intervals: Vec::new(),
        overlap_us: None,
        heard: Vec::new(),
        clocks: Vec::new(),
        agreed_us: None,
        changed: Vec::new(),
        path: Vec::new(),
        prevented_by,
    }
}

/// What the store did about an operation, continuing a sentence.
fn store_words(word: &'static str) -> &'static str {
    match word {
        "refused" => "is not carried out",
        "stale" => "is answered from an older state",
        "corrupt" => "is answered with damage",
        "answer lost" => "is carried out, and its answer lost",
        other => other,
    }
}
