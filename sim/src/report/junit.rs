//! Reports for CI: JUnit XML with a test case for each property of the protocol.

use super::human::{moment, plural};
use super::text::{repeat_by, replay};
use crate::campaign::{CampaignReport, ENGINES_AGREE, Ending, Findings, NEVER_PANICS, Setting};
use crate::protocols::{contract, words};
use failproof_spec::Property;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;

/// What became of a property.
enum Told<'a> {
    Held,
    Broken(&'a Findings),
    /// The campaign ended too early to tell.
    Untold,
}

/// Reports as the text of a JUnit XML file, with a suite for each. The same campaigns give the same text.
///
/// # Errors
/// As the XML writer does.
pub fn junit(reports: &[(&Setting, &CampaignReport)]) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("testsuites").write_inner_content(|writer| {
        reports.iter().try_for_each(|(setting, report)| suite(writer, setting, report))
    })?;
    writer.get_mut().push(b'\n');
    String::from_utf8(writer.into_inner()).map_err(io::Error::other)
}

fn suite(writer: &mut Writer<Vec<u8>>, setting: &Setting, report: &CampaignReport) -> io::Result<()> {
    let words = words(&setting.options);
    let others = [words.comes_back, NEVER_PANICS, ENGINES_AGREE];
    let tell = |property: &'static str| {
        let told = match report.found(words).find(|(broken, _)| *broken == property) {
            Some((_, findings)) => Told::Broken(findings),
            None if report.runs > 0 && matches!(report.ending, Ending::Complete | Ending::TimeUp) => Told::Held,
            None => Told::Untold,
        };
        (property, told)
    };
    let cases: Vec<_> = Property::of(contract(&setting.options)).map(Property::name).chain(others).map(tell).collect();
    let count = |wanted: fn(&Told<'_>) -> bool| cases.iter().filter(|(_, told)| wanted(told)).count().to_string();
    let failures = count(|told| matches!(told, Told::Broken(_)));
    let skipped = count(|told| matches!(told, Told::Untold));
    let suite = format!("failproof.{}", setting.protocol);
    let what = clean(&format!("rules {}, faults {}, {}", setting.rules, setting.faults, plural(report.runs, "run")));
    let element = writer.create_element("testsuite").with_attributes([
        ("name", suite.as_str()),
        ("tests", &cases.len().to_string()),
        ("failures", &failures),
        ("skipped", &skipped),
    ]);
    element
        .write_inner_content(|writer| {
            writer.create_element("properties").write_inner_content(|writer| {
                let property = writer.create_element("property").with_attribute(("name", "campaign"));
                property.with_attribute(("value", what.as_str())).write_empty().map(drop)
            })?;
            cases.iter().try_for_each(|(property, told)| case(writer, &suite, property, told))
        })
        .map(drop)
}

fn case(writer: &mut Writer<Vec<u8>>, suite: &str, property: &str, told: &Told<'_>) -> io::Result<()> {
    let element = writer.create_element("testcase").with_attributes([("classname", suite), ("name", property)]);
    match told {
        Told::Held => element.write_empty(),
        Told::Untold => element.write_inner_content(|writer| {
            writer
                .create_element("skipped")
                .with_attribute(("message", "the campaign ended early"))
                .write_empty()
                .map(drop)
        }),
        Told::Broken(findings) => element.write_inner_content(|writer| {
            let message = format!("broken in {}", plural(findings.count(), "run"));
            let failure = writer.create_element("failure").with_attribute(("message", message.as_str()));
            failure.write_text_content(BytesText::new(&clean(&stories(findings)))).map(drop)
        }),
    }
    .map(drop)
}

/// Without the characters that XML has no way to write: what a panic says, or how a file is called, may hold them.
fn clean(text: &str) -> String {
    text.replace(|c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}'), "\u{fffd}")
}

/// Each kept finding in three lines, and one more if it was shrunk.
fn stories(findings: &Findings) -> String {
    let mut text = String::new();
    for finding in findings.kept() {
        text += &format!("{} at {}\n  {}\n", finding.run.in_words(), moment(finding.at_us), finding.story);
        if let Some(line) = repeat_by(finding) {
            text += &format!("  repeat by: {line}\n");
        }
        if let Some(small) = finding.shrunk.as_ref().and_then(|shrunk| shrunk.file.as_deref()) {
            text += &format!("  made small, repeat by: {}\n", replay(small));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::election::Options;
    use crate::engine::Engine;
    use crate::plan::Plan;
    use crate::report::{RunReport, Violation};
    use failproof_spec::ContractName;
    use quick_xml::Reader;
    use std::sync::Arc;

    fn setting() -> Setting {
        Setting {
            protocol: "election".to_owned(),
            rules: "a <rules> & \"more\"\u{1}.json".to_owned(),
            faults: "swarm".to_owned(),
            engine: Engine::Fast,
            guided: true,
            campaign: 0..3,
            seeds: 0..3,
            options: Options::default().into(),
        }
    }

    fn report(ending: Ending) -> CampaignReport {
        let plan = Arc::new(Plan::calm(Options::default()));
        let story = "n1 <works> & \u{7} goes on".to_owned();
        let violation = Violation { property: "NoStaleEffect", at_us: 7, story };
        let mut report = CampaignReport { ending, ..CampaignReport::default() };
        report.add(&plan, &Ok(RunReport { violations: vec![violation], ..RunReport::default() }));
        report
    }

    /// The elements by name, as often as they occur.
    fn elements(text: &str) -> Vec<String> {
        let mut reader = Reader::from_str(text);
        let mut names = Vec::new();
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
                Event::Start(element) | Event::Empty(element) => {
                    assert!(element.attributes().all(|attribute| attribute.is_ok()), "{text}");
                    names.push(element.name().as_ref().to_owned());
                }
                Event::Eof => return names,
                _ => {}
            }
        }
    }

    #[test]
    fn each_property_is_a_test_case_and_the_text_is_xml() {
        let count = |ending, name: &str| {
            let text = junit(&[(&setting(), &report(ending))]).unwrap();
            assert!(!text.contains(['\u{1}', '\u{7}']), "XML has no such characters");
            assert!(text.contains("a &lt;rules&gt; &amp; &quot;more&quot;\u{fffd}.json"), "{text}");
            elements(&text).iter().filter(|element| *element == name).count()
        };
        let cases = Property::of(ContractName::Lease).count() + 3;
        for ending in [Ending::Complete, Ending::TimeUp] {
            assert_eq!(["testcase", "failure", "skipped"].map(|name| count(ending, name)), [cases, 1, 0]);
        }
        for ending in [Ending::Interrupted, Ending::Found, Ending::Incomplete, Ending::Unwritable] {
            assert_eq!(["testcase", "failure", "skipped"].map(|name| count(ending, name)), [cases, 1, cases - 1]);
        }
    }
}
