//! A timeline as a sequence diagram in the language of Mermaid: the same moments as the text, the messages that led to
//! them as arrows, everyday work as notes that say how much.

use super::{Moment, Sort, Timeline, seconds};
use crate::fault::Place;
use crate::report::human::plural;
use std::fmt::{self, Display};

/// A timeline, to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct TimelineMermaid<'a>(pub &'a Timeline);

impl Display for TimelineMermaid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(timeline) = self;
        let shown = shown(timeline);
        writeln!(f, "sequenceDiagram")?;
        for place in &shown {
            writeln!(f, "    participant {place}")?;
        }
        let over = match shown.as_slice() {
            [] => return writeln!(f, "    %% nothing happened"),
            [only] => only.to_string(),
            [first, .., last] => format!("{first},{last}"),
        };
        writeln!(f, "    Note over {over}: {}", text(&format!("{} {}", timeline.protocol, timeline.run)))?;
        let mut arrow = None;
        for moment in &timeline.moments {
            folded(f, &over, moment.folded, moment.folded_lost)?;
            // One message can lead to several moments.
            let this = (moment.at_us, moment.from, moment.place);
            if moment.to.is_none() && arrow != Some(this) {
                arrow = Some(this);
                arrival(f, moment)?;
            }
            tell(f, moment, &over)?;
        }
        folded(f, &over, timeline.folded_at_end, 0)?;
        for cause in &timeline.causes {
            let lines: Vec<_> =
                cause.lines().into_iter().map(|(label, words)| text(format!("{label} {words}").trim())).collect();
            let title = text(&format!("why {} broke at {} s", cause.property, seconds(cause.at_us)));
            writeln!(f, "    Note over {over}: {title}<br/>{}", lines.join("<br/>"))?;
        }
        Ok(())
    }
}

/// The places that anything is told of, the store first.
fn shown(timeline: &Timeline) -> Vec<Place> {
    let of = |moment: &Moment| [moment.place, moment.from, moment.to];
    let told = |place: &Place| timeline.moments.iter().any(|moment| of(moment).contains(&Some(*place)));
    timeline.lanes.iter().map(|lane| lane.place).filter(told).collect()
}

/// The message that made it happen.
fn arrival(f: &mut fmt::Formatter<'_>, moment: &Moment) -> fmt::Result {
    match (moment.from, moment.place, &moment.by) {
        (Some(from), Some(place), Some(by)) => {
            let word = by.split(" from ").next().unwrap_or_default();
            writeln!(f, "    {from}->>{place}: {}", text(word))
        }
        _ => Ok(()),
    }
}

fn tell(f: &mut fmt::Formatter<'_>, moment: &Moment, over: &str) -> fmt::Result {
    let words = text(&format!("{} s: {}", seconds(moment.at_us), moment.words));
    let at = moment.place.map_or_else(|| over.to_owned(), |place| place.to_string());
    match (moment.sort, moment.place, moment.to) {
        // One that the store did not serve is told where it arrived.
        (Sort::Message, Some(place), Some(to)) if place != to => {
            let arrow = if moment.words.contains("is lost") { "-x" } else { "-)" };
            writeln!(f, "    {place}{arrow}{to}: {words}")
        }
        (Sort::Broken, ..) => writeln!(f, "    rect rgb(255, 210, 210)\n    Note over {at}: {words}\n    end"),
        _ => writeln!(f, "    Note over {at}: {words}"),
    }
}

fn folded(f: &mut fmt::Formatter<'_>, over: &str, events: u64, lost: u64) -> fmt::Result {
    if events == 0 && lost == 0 {
        return Ok(());
    }
    let lost = if lost > 0 { format!(", {} lost or late as before", plural(lost, "message")) } else { String::new() };
    writeln!(f, "    Note over {over}: … {} of everyday work{lost}", plural(events, "event"))
}

/// Words in which nothing means anything to Mermaid: it ends a statement at a semicolon, and takes a hash for an entity.
fn text(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '#' => text.push_str("#35;"),
            ';' => text.push_str("#59;"),
            '<' => text.push_str("#lt;"),
            '>' => text.push_str("#gt;"),
            '\n' => text.push_str("<br/>"),
            c => text.push(c),
        }
    }
    text
}
