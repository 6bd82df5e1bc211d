//! The table: rows by applications and proxies.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use counterfoil_proxies::kind::Kind;

use crate::app::Which;
use crate::notes::Notes;
use crate::verdict::Failure;
use crate::{attack, everyday};

/// All that was tried.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Column>);

/// One application behind one proxy.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) app: Which,
    pub(crate) kind: Kind,
    pub(crate) notes: Notes,
}

impl Table {
    pub(crate) fn add(&mut self, column: Column) {
        self.0.push(column);
    }

    /// 0 if every row of every column is green, 1 if a promise was broken, 2 if something was not shown.
    pub(crate) fn worst(&self) -> u8 {
        let cells = || self.0.iter().flat_map(|column| rows().map(|row| column.notes.of(row)));
        match () {
            () if cells().flatten().any(|shown| shown.as_ref().is_err_and(Failure::is_broken_promise)) => 1,
            () if self.0.is_empty() || cells().any(|cell| cell.is_none_or(Result::is_err)) => 2,
            () => 0,
        }
    }

    /// For whoever ran it.
    pub(crate) fn show(&self) -> String {
        let mut text = format!("\n{:<34}", "");
        // Writing to a string cannot fail.
        for column in &self.0 {
            let _ = write!(text, "{:<22}", format!("{}, {}", column.app, column.kind));
        }
        for row in rows() {
            let _ = write!(text, "\n{row:<34}");
            for column in &self.0 {
                let _ = write!(text, "{:<22}", column.word(row));
            }
        }
        let all = self.0.len() * rows().count();
        let green = self.0.iter().flat_map(|column| rows().map(|row| column.notes.of(row)));
        let green = green.flatten().filter(|shown| shown.is_ok()).count();
        format!("{text}\n\n{green} of {all} as they must be\n")
    }

    /// Puts the same, in words, between the marks of a page.
    ///
    /// # Errors
    /// If the page cannot be read or written, or has no such marks.
    pub(crate) fn write(&self, page: &Path, head: &str) -> io::Result<()> {
        let text = std::fs::read_to_string(page)?;
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) =
            parts.ok_or_else(|| io::Error::other(format!("{} lacks {BEGIN} and {END}", page.display())))?;
        std::fs::write(page, format!("{before}{BEGIN}\n{head}\n{}{END}{after}", self.markdown()))
    }

    fn markdown(&self) -> String {
        let mut text = String::new();
        for (title, names) in [("Normal use", &everyday::STEPS[..]), ("Attacks", &attack::ROWS[..])] {
            let _ = write!(text, "\n| {title} |");
            for column in &self.0 {
                let _ = write!(text, " {}, {} |", column.app, column.kind);
            }
            let _ = writeln!(text, "\n|---|{}", "---|".repeat(self.0.len()));
            for row in names {
                let _ = write!(text, "| {row} |");
                for column in &self.0 {
                    let _ = write!(text, " {} |", column.seen(row).replace('|', "\\|"));
                }
                text.push('\n');
            }
        }
        text + "\n"
    }
}

impl Column {
    fn word(&self, row: &str) -> &'static str {
        match self.notes.of(row) {
            Some(Ok(_)) => "as it must be",
            Some(Err(failure)) if failure.is_broken_promise() => "BROKEN",
            _ => "NOT SHOWN",
        }
    }

    fn seen(&self, row: &str) -> String {
        match self.notes.of(row) {
            Some(Ok(seen)) => seen.clone(),
            _ => self.word(row).to_owned(),
        }
    }
}

fn rows() -> impl Iterator<Item = &'static str> {
    everyday::STEPS.into_iter().chain(attack::ROWS)
}

const BEGIN: &str = "<!-- measured -->";
const END: &str = "<!-- end -->";

#[cfg(test)]
mod tests {
    use super::*;

    fn table(spoil: Option<Failure>, without: usize) -> Table {
        let mut notes = Notes::default();
        let mut spoil = spoil;
        for row in rows().skip(without) {
            notes.note(row, spoil.take().map_or(Ok("seen".to_owned()), Err));
        }
        let mut table = Table::default();
        table.add(Column { app: Which::Dokuwiki, kind: Kind::Nginx, notes });
        table
    }

    #[test]
    fn one_broken_promise_is_red_and_what_was_not_tried_is_not_green() {
        let broken = Failure::Broken { promise: "it is refused", seen: "200".to_owned() };
        assert_eq!(table(None, 0).worst(), 0);
        assert_eq!(table(None, 1).worst(), 2);
        assert_eq!(table(Some(broken), 1).worst(), 1);
        assert_eq!(table(Some(Failure::Missing("x".into())), 0).worst(), 2);
        assert_eq!(Table::default().worst(), 2);
    }

    #[test]
    fn a_page_keeps_what_stands_around_the_marks() {
        let page = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(page.path(), format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        table(None, 0).write(page.path(), "a head").unwrap();
        let text = std::fs::read_to_string(page.path()).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("\nafter\n") && !text.contains("old"), "{text}");
        assert!(text.contains("| read | seen |") && text.contains("a head"), "{text}");
        std::fs::write(page.path(), "no marks").unwrap();
        assert!(table(None, 0).write(page.path(), "").is_err());
    }
}
