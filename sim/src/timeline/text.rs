//! A timeline as lines of text: a line for each moment, everyday work folded into lines that say how much, and why it
//! broke below.

use super::{Moment, Sort, Timeline, seconds};
use crate::report::human::plural;
use std::fmt::{self, Display};

/// A timeline, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct TimelineText<'a>(pub &'a Timeline);

/// How many columns a time takes: those of 2,000 hours.
const TIME: usize = 14;

impl Display for TimelineText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(timeline) = self;
        let works = timeline.tale.who_works;
        let width = timeline.moments.iter().map(|moment| moment.works.len()).chain([works.len()]).max().unwrap_or(0);
        writeln!(
            f,
            "{} {}: {}, {} s",
            timeline.protocol,
            timeline.run,
            plural(timeline.events, "event"),
            seconds(timeline.end_us)
        )?;
        writeln!(f)?;
        writeln!(f, "{:>TIME$}{:>TIME$}{:>TIME$}   {works:<width$}  where     what", "true s", "node s", "store s")?;
        for moment in &timeline.moments {
            folded(f, moment.folded, moment.folded_lost, width)?;
            line(f, moment, width)?;
        }
        folded(f, timeline.folded_at_end, 0, width)?;
        for cause in &timeline.causes {
            write!(f, "\n{cause}")?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, moment: &Moment, width: usize) -> fmt::Result {
    let place = moment.place.map_or_else(|| "world".to_owned(), |place| place.to_string());
    let node = moment.node_us.map_or_else(|| "-".to_owned(), seconds);
    let (at, store) = (seconds(moment.at_us), seconds(moment.store_us));
    let mark = match moment.sort {
        Sort::Broken => '!',
        _ if moment.led => '>',
        _ => ' ',
    };
    write!(f, "{at:>TIME$}{node:>TIME$}{store:>TIME$} {mark} {:<width$}  {place:<9} {}", moment.works, moment.words)?;
    if let Some(by) = &moment.by {
        write!(f, " (by {by})")?;
    }
    writeln!(f)
}

/// How much everyday work there was, if there was any.
fn folded(f: &mut fmt::Formatter<'_>, events: u64, lost: u64, width: usize) -> fmt::Result {
    if events == 0 && lost == 0 {
        return Ok(());
    }
    write!(f, "{:>at$}  ", "", at = 3 * TIME + 3 + width)?;
    write!(f, "… {} of everyday work", plural(events, "event"))?;
    if lost > 0 {
        write!(f, ", {} lost or late as before", plural(lost, "message"))?;
    }
    writeln!(f)
}
