//! A report for people at a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSplitter};

use super::{Entry, Judged, Report};
use crate::baseline::{Drift, State};
use crate::finding::Verdict;
use crate::rule::{Group, Severity};

/// What is printed on.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// In columns.
    pub width: usize,
    /// Whether what reads it understands colours.
    pub colours: bool,
    /// Whether what holds is told as fully as what does not.
    pub verbose: bool,
}

/// How wide the terminal is that standard output goes to; 80 where it goes elsewhere.
pub fn width() -> usize {
    textwrap::termwidth()
}

/// As printed, ending with a line's end: everything, or what is different since the baseline.
pub fn written(judged: &Judged<'_>, page: Page) -> String {
    let mut print = Print::on(page);
    print.summary(judged.report);
    match &judged.drift {
        Some(drift) => print.drift(judged, drift),
        None => print.groups(judged.report),
    }
    print.out
}

/// Lines, as they come to be.
struct Print {
    page: Page,
    out: String,
}

impl Print {
    fn on(page: Page) -> Self {
        Self { page: Page { width: page.width.clamp(NARROWEST, WIDEST), ..page }, out: String::new() }
    }

    fn summary(&mut self, report: &Report) {
        let site = self.painted(BOLD, &report.site);
        let _ = writeln!(self.out, "{site}");
        self.lines(0, &format!("{}, {} requests in {}", counts(report), report.requests, seconds(report.took_millis)));
        let cookies =
            (!report.session_cookies.is_empty()).then(|| format!("session: {}", report.session_cookies.join(", ")));
        let framework = report.framework.as_ref().map(|name| format!("framework: {name}"));
        let known: Vec<_> = cookies.into_iter().chain(framework).collect();
        if !known.is_empty() {
            self.lines(0, &known.join("; "));
        }
    }

    fn groups(&mut self, report: &Report) {
        let mut untried: Vec<(Vec<&str>, &str)> = Vec::new();
        for group in Group::ALL {
            let entries: Vec<_> = report.findings.iter().filter(|entry| entry.group == group).collect();
            match self.only_reason(&entries) {
                Some(reason) => match untried.iter_mut().find(|(_, known)| *known == reason) {
                    Some((groups, _)) => groups.push(group.name()),
                    None => untried.push((vec![group.name()], reason)),
                },
                None if !entries.is_empty() => self.group(group, &entries),
                None => {}
            }
        }
        self.heading("not tried", untried.len());
        for (groups, reason) in untried {
            self.row("skipped", DIM, &format!("{}: {reason}", groups.join(", ")));
        }
    }

    /// Why nothing of a group was tried, where that is one reason and brevity is wanted.
    fn only_reason<'a>(&self, entries: &[&'a Entry]) -> Option<&'a str> {
        let [first, ..] = entries else { return None };
        let same = entries.iter().all(|entry| entry.verdict == Verdict::Skipped && entry.seen == first.seen);
        (same && !self.page.verbose).then_some(first.seen.as_str())
    }

    fn drift(&mut self, judged: &Judged<'_>, drift: &Drift<'_>) {
        let since = format!("since {} ({})", drift.since.began, drift.since.site);
        let (new, known) = (judged.of_state(State::New), judged.of_state(State::Known));
        let changed: Vec<_> =
            [State::Worse, State::Milder].into_iter().flat_map(|state| judged.of_state(state)).collect();
        let (gone, unjudged) = (drift.gone.len(), drift.unjudged.len());
        self.lines(
            0,
            &format!(
                "{since}: {} new, {} changed, {gone} gone, {unjudged} not judged again, {} as before",
                new.len(),
                changed.len(),
                known.len()
            ),
        );
        self.heading("new", new.len());
        for flaw in new {
            self.flaw(flaw);
        }
        self.heading("changed", changed.len());
        for flaw in changed {
            self.flaw(flaw);
            let before = drift.severity_before(flaw).map_or("", Severity::name);
            self.lines(INDENT, &format!("before: {before}"));
        }
        self.heading("gone", gone);
        drift
            .gone
            .iter()
            .for_each(|flaw| self.row("gone", GREEN, &format!("{} ({}): {}", flaw.rule, flaw.place, flaw.title)));
        self.heading("not judged again", unjudged);
        drift
            .unjudged
            .iter()
            .for_each(|flaw| self.row(flaw.severity.name(), DIM, &format!("{} ({})", flaw.rule, flaw.place)));
    }

    fn heading(&mut self, words: &str, count: usize) {
        if count > 0 {
            let heading = self.painted(BOLD, words);
            let _ = writeln!(self.out, "\n{heading}");
        }
    }

    fn group(&mut self, group: Group, entries: &[&Entry]) {
        self.heading(group.name(), 1);
        for entry in of(entries, Verdict::Flaw) {
            self.flaw(entry);
        }
        for entry in of(entries, Verdict::Inconclusive) {
            self.row("unclear", DIM, &format!("{}: {}", entry.place, entry.title));
            self.lines(INDENT, &format!("missing: {}", entry.seen));
            if self.page.verbose {
                self.evidence(entry);
            }
        }
        self.sound(&of(entries, Verdict::Sound));
        self.skipped(&of(entries, Verdict::Skipped));
    }

    fn flaw(&mut self, entry: &Entry) {
        self.row(entry.severity.name(), colour(entry.severity), &entry.title);
        self.lines(INDENT, &format!("{}: {}", entry.place, entry.seen));
        self.evidence(entry);
        self.lines(INDENT, &format!("fix: {}", entry.fix));
        self.lines(INDENT, &format!("{} ({})", entry.rule, entry.sources()));
    }

    fn evidence(&mut self, entry: &Entry) {
        for shown in &entry.evidence {
            let note = if shown.note.is_empty() { String::new() } else { format!(" ({})", shown.note) };
            self.lines(INDENT + 2, &format!("{}{note}", shown.line()));
        }
    }

    fn sound(&mut self, entries: &[&Entry]) {
        if self.page.verbose {
            for entry in entries {
                self.row("sound", GREEN, &format!("{} ({}): {}", entry.rule, entry.place, entry.seen));
                self.evidence(entry);
            }
        } else if !entries.is_empty() {
            let mut rules: Vec<_> = entries.iter().map(|entry| entry.rule.as_str()).collect();
            rules.dedup();
            self.row("sound", GREEN, &rules.join(", "));
        }
    }

    fn skipped(&mut self, entries: &[&Entry]) {
        for (rules, reason) in by_reason(entries) {
            self.row("skipped", DIM, &format!("{}: {reason}", rules.join(", ")));
        }
    }

    /// A word in the first column, text in the second; below each other where there is no room.
    fn row(&mut self, word: &str, style: Style, text: &str) {
        let painted = self.painted(style, word);
        if self.indent(INDENT) < INDENT {
            let _ = writeln!(self.out, "  {painted}");
            return self.lines(INDENT, text);
        }
        let blanks = " ".repeat(INDENT.saturating_sub(word.len() + 2));
        let mut lines = self.wrapped(INDENT, text).into_iter();
        let _ = writeln!(self.out, "  {painted}{blanks}{}", lines.next().unwrap_or_default().trim_start());
        lines.for_each(|line| self.line(&line));
    }

    fn lines(&mut self, indent: usize, text: &str) {
        for line in self.wrapped(indent, text) {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Blanks and line ends of the site's own would tear the table.
    fn wrapped(&self, indent: usize, text: &str) -> Vec<String> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("→ ", "→\u{a0}");
        let blanks = " ".repeat(self.indent(indent));
        let options = Options::new(self.page.width).initial_indent(&blanks).subsequent_indent(&blanks);
        // The ids of rules have hyphens of their own.
        let options = options.word_splitter(WordSplitter::NoHyphenation);
        textwrap::wrap(&text, options).into_iter().map(|line| line.replace('\u{a0}', " ")).collect()
    }

    fn indent(&self, indent: usize) -> usize {
        if self.page.width < 60 { indent.min(4) } else { indent }
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.page.colours { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// `2 flaws (1 high, 1 low), 1 inconclusive, 30 sound, 4 skipped`
fn counts(report: &Report) -> String {
    let flaws = report.of_verdict(Verdict::Flaw).count();
    let each = Severity::ALL.into_iter().rev().filter_map(|severity| {
        let count = report.flaws(severity).filter(|entry| entry.severity == severity).count();
        (count > 0).then(|| format!("{count} {severity}"))
    });
    let each: Vec<_> = each.collect();
    let mut all = vec![match flaws {
        0 => "no flaw".to_owned(),
        1 => format!("1 flaw ({})", each.join(", ")),
        _ => format!("{flaws} flaws ({})", each.join(", ")),
    }];
    for verdict in [Verdict::Inconclusive, Verdict::Sound, Verdict::Skipped] {
        let count = report.of_verdict(verdict).count();
        if count > 0 {
            all.push(format!("{count} {}", verdict.name()));
        }
    }
    all.join(", ")
}

/// `12.4 s`
pub(super) fn seconds(millis: u64) -> String {
    format!("{}.{} s", millis / 1000, millis / 100 % 10)
}

/// Rules with one reason are told in one breath.
pub(super) fn by_reason<'a>(entries: &[&'a Entry]) -> Vec<(Vec<&'a str>, &'a str)> {
    let mut reasons: Vec<(Vec<&str>, &str)> = Vec::new();
    for entry in entries {
        match reasons.iter_mut().find(|(_, reason)| *reason == entry.seen) {
            Some((rules, _)) if rules.contains(&entry.rule.as_str()) => {}
            Some((rules, _)) => rules.push(&entry.rule),
            None => reasons.push((vec![&entry.rule], &entry.seen)),
        }
    }
    reasons
}

fn of<'a>(entries: &[&'a Entry], verdict: Verdict) -> Vec<&'a Entry> {
    let mut found: Vec<_> = entries.iter().copied().filter(|entry| entry.verdict == verdict).collect();
    if verdict == Verdict::Flaw {
        found.sort_by_key(|entry| std::cmp::Reverse(entry.severity));
    }
    found
}

fn colour(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::BrightWhite.on(AnsiColor::Red).bold(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default().bold(),
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Info => AnsiColor::Blue.on_default(),
    }
}

const GREEN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
/// Where the second column begins: after the longest word of the first.
const INDENT: usize = 12;
const NARROWEST: usize = 30;
/// Longer lines are hard to read.
const WIDEST: usize = 110;
