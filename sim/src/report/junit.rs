//! Reports for CI: JUnit XML with a test case for each property.

use super::human::{moment, plural};
use super::setting::Setting;
use super::text::repeat_by;
use crate::campaign::{CampaignReport, ENGINES_AGREE, EVENTUALLY_PRIMARY, Ending, Findings, NEVER_PANICS};
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

/// The report as the text of a JUnit XML file. The same campaign gives the same text.
///
/// # Errors
/// As the XML writer does.
pub fn junit(setting: &Setting, report: &CampaignReport) -> io::Result<String> {
    let others = [EVENTUALLY_PRIMARY, NEVER_PANICS, ENGINES_AGREE];
    let tell = |property: &'static str| {
        let told = match report.found().find(|(broken, _)| *broken == property) {
            Some((_, findings)) => Told::Broken(findings),
            None if matches!(report.ending, Ending::Complete | Ending::TimeUp) => Told::Held,
            None => Told::Untold,
        };
        (property, told)
    };
    let cases: Vec<_> = Property::ALL.into_iter().map(Property::name).chain(others).map(tell).collect();
    let count = |wanted: fn(&Told<'_>) -> bool| cases.iter().filter(|(_, told)| wanted(told)).count().to_string();
    let failures = count(|told| matches!(told, Told::Broken(_)));
    let skipped = count(|told| matches!(told, Told::Untold));
    let suite = format!("failproof.{}", setting.protocol);
    let what = format!("rules {}, faults {}, {}", setting.rules, setting.faults, plural(report.runs, "run"));

    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("testsuites").write_inner_content(|writer| {
        let suite_element = writer.create_element("testsuite").with_attributes([
            ("name", suite.as_str()),
            ("tests", &cases.len().to_string()),
            ("failures", &failures),
            ("skipped", &skipped),
        ]);
        suite_element.write_inner_content(|writer| {
            writer.create_element("properties").write_inner_content(|writer| {
                let property = writer.create_element("property").with_attribute(("name", "campaign"));
                property.with_attribute(("value", what.as_str())).write_empty().map(drop)
            })?;
            cases.iter().try_for_each(|(property, told)| case(writer, &suite, property, told))
        })?;
        Ok(())
    })?;
    writer.get_mut().push(b'\n');
    String::from_utf8(writer.into_inner()).map_err(io::Error::other)
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
            failure.write_text_content(BytesText::new(&stories(findings))).map(drop)
        }),
    }
    .map(drop)
}

/// Each kept finding in three lines.
fn stories(findings: &Findings) -> String {
    let mut text = String::new();
    for finding in findings.kept() {
        text += &format!("{} at {}\n  {}\n", finding.run.in_words(), moment(finding.at_us), finding.story);
        if let Some(line) = repeat_by(finding) {
            text += &format!("  repeat by: {line}\n");
        }
    }
    text
}
