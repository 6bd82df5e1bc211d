//! The tables, as Markdown.

use std::fmt::Write as _;

use super::{Results, Section};
use crate::plan::{Group, RuleName};
use crate::tally::Tally;

/// All tables.
pub fn tables(results: &Results) -> Vec<Section> {
    let section = |name, text| Section { name, text };
    vec![
        section("run", whole(results)),
        section("bar", bar(results)),
        section("crashes", honest(results, Group::Crashes, "after a crash")),
        section("loss", honest(results, Group::Loss, "messages lost, each way")),
        section("tabs", honest(results, Group::Tabs, "tabs")),
        section("late", honest(results, Group::Late, "messages 10–60 s late, each way")),
        section("refusals", refusals(results)),
        section("thieves", thieves(results)),
        section("thieves-elsewhere", compared(results)),
        section("followers", followers(results)),
    ]
}

fn whole(results: &Results) -> String {
    let sum = |of: fn(&Tally) -> u64| grouped(results.all.iter().map(|(_, tally)| of(tally)).sum());
    let (days, requests) = (sum(|tally| tally.histories), sum(|tally| tally.requests));
    format!("These are {days} simulated days with {requests} requests.\n")
}

fn bar(results: &Results) -> String {
    let mut text = head(&["", "days", "requests", "rotations", "honest sessions ended", "per 1,000 days"]);
    for (experiment, tally) in results.rows(Group::Bar).iter().flat_map(|(_, cells)| cells) {
        let Tally { histories, requests, rotations, .. } = tally;
        let cells = [
            experiment.rule.name().to_owned(),
            grouped(*histories),
            grouped(*requests),
            grouped(*rotations),
            grouped(tally.ended()),
            per_thousand(tally),
        ];
        line(&mut text, &cells);
    }
    text
}

/// Honest sessions ended in a thousand days, under each rule.
fn honest(results: &Results, group: Group, axis: &str) -> String {
    let mut columns = vec![axis];
    columns.extend(RuleName::ALL.map(RuleName::name));
    let mut text = head(&columns);
    for (name, cells) in results.rows(group) {
        let mut row = vec![name.to_owned()];
        row.extend(cells.iter().map(|(_, tally)| per_thousand(tally)));
        line(&mut text, &row);
    }
    text
}

/// Where honest sessions of ours ended, and by what.
fn refusals(results: &Results) -> String {
    let mut text = head(&["", "days", "crashes", "ended", "by requests that were late by"]);
    let ours = results.all.iter().filter(|(experiment, _)| experiment.rule == RuleName::Counterfoil);
    for (experiment, tally) in ours.filter(|(_, tally)| tally.ended() > 0) {
        let late = || tally.refusals.iter().map(|(_, refusal)| refusal.late);
        let (least, most) = (late().min().unwrap_or_default(), late().max().unwrap_or_default());
        let cells = [
            format!("{}: {}", axis(experiment.group), experiment.row),
            grouped(tally.histories),
            grouped(tally.crashes),
            grouped(tally.ended()),
            format!("{} – {} s", tenths(least), tenths(most)),
        ];
        line(&mut text, &cells);
    }
    text
}

fn thieves(results: &Results) -> String {
    let mut text = head(&[
        "uses its copy every",
        "thieves",
        "found",
        "half within",
        "95 % within",
        "half within, in time of use",
        "from elsewhere: found",
        "half within",
        "95 % within",
        "in time of use",
    ]);
    let elsewhere = results.rows(Group::OtherThieves);
    for ((name, alike), (_, other)) in results.rows(Group::AlikeThieves).iter().zip(&elsewhere) {
        let (Some((_, alike)), Some((_, other))) = (alike.first(), other.first()) else { continue };
        let mut row = vec![(*name).to_owned(), grouped(alike.thieves().0)];
        for tally in [alike, other] {
            row.push(found(tally));
            row.extend([tally.within(50), tally.within(95), tally.within_use(50)].map(span));
        }
        line(&mut text, &row);
    }
    text
}

/// Thieves from elsewhere, under each rule.
fn compared(results: &Results) -> String {
    let mut columns = vec!["uses its copy every"];
    columns.extend(RuleName::ALL.map(RuleName::name));
    let mut text = head(&columns);
    for (name, cells) in results.rows(Group::OtherThieves) {
        let mut row = vec![name.to_owned()];
        row.extend(cells.iter().map(|(_, tally)| format!("{}; {}", found(tally), span(tally.within(50)))));
        line(&mut text, &row);
    }
    text
}

fn followers(results: &Results) -> String {
    let mut columns = vec!["the thief"];
    columns.extend(RuleName::ALL.map(RuleName::name));
    let mut text = head(&columns);
    for (name, cells) in results.rows(Group::Followers) {
        let mut row = vec![name.to_owned()];
        row.extend(cells.iter().map(|(_, tally)| {
            let median = tally.within(50).map_or_else(String::new, |delay| format!("; {}", span(Some(delay))));
            format!("{}{median}", found(tally))
        }));
        line(&mut text, &row);
    }
    text
}

fn head(columns: &[&str]) -> String {
    let mut text = String::new();
    line(&mut text, columns);
    line(&mut text, &columns.iter().map(|_| "---").collect::<Vec<_>>());
    text
}

fn line(text: &mut String, cells: &[impl AsRef<str>]) {
    for cell in cells {
        let _ = write!(text, "| {} ", cell.as_ref());
    }
    text.push_str("|\n");
}

/// "0 (< 0.03)" where none was seen: what the true figure is below with 95 % confidence.
fn per_thousand(tally: &Tally) -> String {
    if tally.ended() == 0 {
        let below = tally.below_per_thousand();
        return if below < 0.1 { format!("0 (< {below:.2})") } else { format!("0 (< {below:.1})") };
    }
    format!("{:.2}", tally.ended_per_thousand())
}

fn found(tally: &Tally) -> String {
    match tally.thieves() {
        (0, _) => "–".to_owned(),
        (thieves, found) if thieves == found => "all".to_owned(),
        (thieves, found) => format!("{:.1} %", share(found, thieves) * 100.0),
    }
}

fn span(millis: Option<u64>) -> String {
    millis.map_or("–".to_owned(), |millis| match millis.div_ceil(60_000) {
        minutes @ 0..=119 => format!("{minutes} min"),
        minutes => format!("{} h {} min", minutes / 60, minutes % 60),
    })
}

/// Seconds with a tenth.
fn tenths(millis: u64) -> String {
    format!("{}.{}", millis / 1_000, millis % 1_000 / 100)
}

const fn axis(group: Group) -> &'static str {
    match group {
        Group::Bar => "all of it",
        Group::Crashes => "after a crash",
        Group::Loss => "by loss",
        Group::Tabs => "by tabs",
        Group::Late => "by lateness",
        Group::AlikeThieves | Group::OtherThieves => "before the theft",
        Group::Followers => "before the theft, followers",
    }
}

fn share(part: u64, whole: u64) -> f64 {
    let exact = |count: u64| u32::try_from(count).map_or(f64::NAN, f64::from);
    if whole == 0 { 0.0 } else { exact(part) / exact(whole) }
}

/// 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let rows = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in rows {
            assert_eq!(grouped(number), text);
        }
        let rows = [(None, "–"), (Some(1), "1 min"), (Some(60_001), "2 min"), (Some(7_200_000), "2 h 0 min")];
        for (millis, text) in rows {
            assert_eq!(span(millis), text);
        }
    }

    #[test]
    fn not_one_in_so_many_is_not_never() {
        let none = Tally { histories: 100_000, ..Tally::default() };
        assert_eq!(per_thousand(&none), "0 (< 0.03)");
    }
}
