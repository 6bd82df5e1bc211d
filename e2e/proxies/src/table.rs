//! What came of every case with every proxy, as a table.

use std::fmt::Write as _;

use crate::case::Case;
use counterfoil_proxies::kind::Kind;

/// Cases by proxies.
#[derive(Debug)]
pub(crate) struct Table {
    kinds: Vec<Kind>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    case: Case,
    cells: Vec<(Kind, Cell)>,
}

/// What came of one case with one proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// It held. What was seen.
    Kept(String),
    /// It did not. What was seen.
    Broken(String),
    /// The proxy cannot be configured to. Why.
    Inexpressible(String),
    /// Nothing was shown, and why.
    Unknown(String),
}

impl Table {
    pub(crate) fn new(cases: &[Case], kinds: &[Kind]) -> Self {
        let rows = cases.iter().map(|case| Row { case: *case, cells: Vec::new() }).collect();
        Self { kinds: kinds.to_vec(), rows }
    }

    pub(crate) fn note(&mut self, case: &str, kind: Kind, cell: Cell) {
        let row = self.rows.iter_mut().find(|row| row.case.name == case);
        if let Some(row) = row {
            row.cells.push((kind, cell));
        }
    }

    /// 0 if all held, 1 if one did not, 2 if something was not shown.
    pub(crate) fn worst(&self) -> u8 {
        let cells = || self.rows.iter().flat_map(|row| &row.cells).map(|(_, cell)| cell);
        let missing = cells().count() < self.rows.len() * self.kinds.len();
        match () {
            () if cells().any(|cell| matches!(cell, Cell::Broken(_))) => 1,
            () if missing || cells().any(|cell| matches!(cell, Cell::Unknown(_))) => 2,
            () => 0,
        }
    }

    /// The table, and below it what did not hold; where `verbose`, also what did.
    pub(crate) fn show(&self, verbose: bool) -> String {
        let mut text = String::new();
        let mut details = String::new();
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{:<28}", "invariant");
        for kind in &self.kinds {
            let _ = write!(text, "{kind:<10}");
        }
        for row in &self.rows {
            let _ = write!(text, "\n{:>2}  {:<24}", row.case.invariant, row.case.name);
            for kind in &self.kinds {
                let cell = row.cells.iter().find(|(other, _)| other == kind).map(|(_, cell)| cell);
                let _ = write!(text, "{:<10}", cell.map_or("-", Cell::word));
                let said = cell.and_then(|cell| cell.said(verbose));
                if let Some(said) = said {
                    let _ = writeln!(details, "{} {}, {kind}: {said}", cell.map_or("", Cell::word), row.case.name);
                }
            }
        }
        let all = self.rows.len() * self.kinds.len();
        let cells = self.rows.iter().flat_map(|row| &row.cells).map(|(_, cell)| cell);
        let kept = cells.clone().filter(|cell| matches!(cell, Cell::Kept(_))).count();
        let without = cells.filter(|cell| matches!(cell, Cell::Inexpressible(_))).count();
        format!("{text}\n\n{details}{kept} of {all} held; {without} have no words in that proxy's configuration\n")
    }
}

impl Cell {
    const fn word(&self) -> &'static str {
        match self {
            Self::Kept(_) => "held",
            Self::Broken(_) => "BROKEN",
            Self::Inexpressible(_) => "no words",
            Self::Unknown(_) => "NOT SHOWN",
        }
    }

    fn said(&self, verbose: bool) -> Option<&str> {
        match self {
            Self::Kept(seen) => verbose.then_some(seen),
            Self::Broken(seen) | Self::Inexpressible(seen) | Self::Unknown(seen) => Some(seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::ALL;

    #[test]
    fn one_broken_promise_makes_the_run_red_and_a_missing_one_is_not_green() {
        let run = |cells: &[Cell]| {
            let mut table = Table::new(ALL.get(..2).unwrap(), &[Kind::Caddy]);
            for (case, cell) in ALL.iter().zip(cells) {
                table.note(case.name, Kind::Caddy, cell.clone());
            }
            (table.worst(), table.show(false))
        };
        let (kept, broken, unknown) =
            (Cell::Kept("a".into()), Cell::Broken("seen".into()), Cell::Unknown("why".into()));
        assert_eq!(run(&[kept.clone(), kept.clone()]).0, 0);
        assert_eq!(run(&[unknown.clone(), broken]).0, 1);
        assert_eq!(run(&[kept.clone(), unknown]).0, 2);
        assert_eq!(run(&[kept.clone(), Cell::Inexpressible("why".into())]).0, 0);
        assert_eq!(run(&[kept]).0, 2);
        assert!(run(&[Cell::Broken("seen".into())]).1.contains("BROKEN told, caddy: seen"));
    }
}
