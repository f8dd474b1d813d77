//! A timeline as one HTML page that needs nothing else: lanes, bars, arrows and a cursor, drawn by a small script from data
//! that the page carries along.
//!
//! A long run does not fit on a page. What matters least, and is farthest from what broke, is left out, and the page says
//! how much of it.

use super::Timeline;
use super::page::Page;

/// What the page looks like, and its script.
const TEMPLATE: &str = include_str!("page.html");

/// The page.
#[must_use]
pub fn html(timeline: &Timeline) -> String {
    // Numbers, strings and lists of them: nothing that JSON could refuse. No text ends the element that it stands in.
    let data = serde_json::to_string(&Page::new(timeline)).unwrap_or_default().replace('<', "\\u003c");
    let title = format!("failproof: {} {}", timeline.protocol, timeline.run);
    TEMPLATE.replace("{{title}}", &title).replace("{{data}}", &data)
}
