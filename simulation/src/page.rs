//! The published page: what stands between its markers is written by a run, the rest by hand.

mod plots;
mod tables;

use std::fmt;

pub use self::plots::{delays, losses};
pub use self::tables::tables;
use crate::plan::{Experiment, Group, RuleName};
use crate::tally::Tally;

/// What a run came to, in the order of its plan.
#[derive(Debug)]
pub struct Results {
    /// Each experiment and its sums.
    pub all: Vec<(Experiment, Tally)>,
}

/// A part of the page between markers.
#[derive(Debug)]
pub struct Section {
    /// The name in its markers.
    pub name: &'static str,
    /// What stands between them.
    pub text: String,
}

impl Results {
    /// What is wrong with it by our own measure, in words; nothing if all is well.
    ///
    /// Without crashes no honest session may end by a request that grace covers, and no thief who goes on with its copy may
    /// stay unfound.
    pub fn faults(&self) -> Vec<String> {
        let ours = self.all.iter().filter(|(experiment, _)| experiment.rule == RuleName::Counterfoil);
        ours.filter_map(|(experiment, tally)| {
            let (wrong, what) = match experiment.group {
                Group::Crashes | Group::Followers => return None,
                Group::AlikeThieves | Group::OtherThieves => (tally.missed, "thieves were not found"),
                Group::Bar | Group::Loss | Group::Tabs | Group::Late => {
                    (tally.ended_within(COVERED), "honest sessions ended")
                }
            };
            let Experiment { group, row, .. } = experiment;
            (wrong > 0).then(|| format!("{group:?}, {row}: {wrong} of {} {what}", tally.histories))
        })
        .collect()
    }

    /// Rows of a group, in order, and under each the rules.
    fn rows(&self, group: Group) -> Vec<(&str, Vec<(&Experiment, &Tally)>)> {
        let mut rows: Vec<(&str, Vec<_>)> = Vec::new();
        for (experiment, tally) in self.all.iter().filter(|(experiment, _)| experiment.group == group) {
            match rows.iter_mut().find(|(name, _)| *name == experiment.row) {
                Some((_, cells)) => cells.push((experiment, tally)),
                None => rows.push((&experiment.row, vec![(experiment, tally)])),
            }
        }
        rows
    }
}

/// The page with new sections.
///
/// # Errors
/// [`NoSuchSection`] if a section's markers are not on the page: put them where it shall stand.
pub fn rewritten(page: &str, sections: &[Section]) -> Result<String, NoSuchSection> {
    let mut page = page.to_owned();
    for Section { name, text } in sections {
        let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
        let found = page.split_once(&begin).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(&end)?;
            Some(format!("{before}{begin}{text}{end}{after}"))
        });
        page = found.ok_or(NoSuchSection { name })?;
    }
    Ok(page)
}

/// What a late request has: grace, less what the nodes' clocks may be apart; in milliseconds.
const COVERED: u64 = 63_000;

/// The page lacks the markers of a section.
#[derive(Debug, PartialEq, Eq)]
pub struct NoSuchSection {
    name: &'static str,
}

impl fmt::Display for NoSuchSection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        write!(out, "the page lacks `<!-- begin {name} -->` and `<!-- end {name} -->`: put them where that shall stand")
    }
}

impl std::error::Error for NoSuchSection {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = "before\n<!-- begin a -->\nold\n<!-- end a -->\nafter\n";
        let section = |name| Section { name, text: "new\n".to_owned() };
        let new = rewritten(page, &[section("a")]).unwrap();
        assert_eq!(new, "before\n<!-- begin a -->\nnew\n<!-- end a -->\nafter\n");
        assert_eq!(rewritten(&new, &[section("a")]).unwrap(), new);
        let missing = rewritten(page, &[section("b")]).unwrap_err().to_string();
        assert!(missing.contains("<!-- begin b -->"), "{missing}");
    }
}
