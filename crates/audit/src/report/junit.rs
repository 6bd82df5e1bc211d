//! A report as `JUnit` XML: a case for each rule and place, a suite for each group.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Entry, Judged};
use crate::finding::Verdict;
use crate::rule::Group;

/// As written to files.
pub fn written(judged: &Judged<'_>) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Nothing can fail that is written to memory.
    let _ = whole(judged, &mut xml);
    String::from_utf8(xml.into_inner()).map(|text| text + "\n").unwrap_or_default()
}

type Xml = Writer<Vec<u8>>;

fn whole(judged: &Judged<'_>, xml: &mut Xml) -> std::io::Result<()> {
    let report = judged.report;
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let [tests, failures, skipped] = counts(judged, &report.findings.iter().collect::<Vec<_>>());
    let seconds = format!("{}.{:03}", report.took_millis / 1000, report.took_millis % 1000);
    let root = xml.create_element("testsuites").with_attributes([
        ("name", format!("counterfoil audit of {}", report.site).as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("skipped", &skipped),
        ("errors", "0"),
        ("time", &seconds),
    ]);
    root.write_inner_content(|xml| {
        for group in Group::ALL {
            let entries: Vec<_> = report.findings.iter().filter(|entry| entry.group == group).collect();
            if !entries.is_empty() {
                suite(judged, group, &entries, xml)?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

fn suite(judged: &Judged<'_>, group: Group, entries: &[&Entry], xml: &mut Xml) -> std::io::Result<()> {
    let [tests, failures, skipped] = counts(judged, entries);
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", group.name()),
        ("timestamp", judged.report.began.as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("skipped", &skipped),
        ("errors", "0"),
    ]);
    suite.write_inner_content(|xml| entries.iter().try_for_each(|entry| case(judged, entry, xml)))?;
    Ok(())
}

fn case(judged: &Judged<'_>, entry: &Entry, xml: &mut Xml) -> std::io::Result<()> {
    let class = format!("counterfoil-audit.{}", entry.group.name().replace(' ', "-"));
    let name = format!("{}: {}", entry.rule, entry.place);
    let case = xml.create_element("testcase").with_attributes([("classname", class.as_str()), ("name", &name)]);
    case.write_inner_content(|xml| {
        match entry.verdict {
            Verdict::Flaw if judged.fails(entry) => {
                let failure = xml.create_element("failure");
                let failure = failure.with_attributes([("type", entry.severity.name()), ("message", &entry.title)]);
                failure.write_text_content(BytesText::new(&told(entry)))?;
            }
            // Below what fails a run, or known before: told, but not a failure.
            Verdict::Flaw => {
                let text = format!("{} ({})\n{}", entry.title, entry.severity, told(entry));
                xml.create_element("system-out").write_text_content(BytesText::new(&text))?;
            }
            Verdict::Inconclusive | Verdict::Skipped => {
                let message = format!("{}: {}", entry.verdict.name(), entry.seen);
                xml.create_element("skipped").with_attribute(("message", message.as_str())).write_empty()?;
            }
            Verdict::Sound => {}
        }
        Ok(())
    })?;
    Ok(())
}

fn told(entry: &Entry) -> String {
    let mut lines = vec![entry.seen.clone()];
    lines.extend(entry.evidence.iter().map(|shown| format!("  {} ({})", shown.line(), shown.note)));
    lines.push(format!("fix: {}", entry.fix));
    lines.push(entry.sources());
    lines.join("\n")
}

fn counts(judged: &Judged<'_>, entries: &[&Entry]) -> [String; 3] {
    let failures = entries.iter().filter(|entry| entry.verdict == Verdict::Flaw && judged.fails(entry)).count();
    let skipped =
        entries.iter().filter(|entry| matches!(entry.verdict, Verdict::Inconclusive | Verdict::Skipped)).count();
    [entries.len().to_string(), failures.to_string(), skipped.to_string()]
}
