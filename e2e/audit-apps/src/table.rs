//! What may be published of it: no product's weaknesses, only how well the auditor does.

use std::io;
use std::path::Path;

use crate::compare::Row;

/// Writes the table between the marks of a page.
pub(crate) fn write(page: &Path, rows: &[Row]) -> io::Result<()> {
    let text = std::fs::read_to_string(page)?;
    let parts = text.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.ok_or_else(|| io::Error::other("it has no marks for the table"))?;
    std::fs::write(page, format!("{head}{BEGIN}\n\n{}\n{END}{tail}", table(rows)))
}

fn table(rows: &[Row]) -> String {
    let mut text = HEAD.to_owned();
    for row in rows {
        let (compared, agreed) = row.agreed();
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        let (found, same) = (yes(row.found), yes(row.changed.is_empty()));
        let proposed = yes(row.proposed == Ok(true));
        let cells = format!("{agreed} of {compared} | {} | {:.1} | {same}", row.requests, row.seconds);
        text.extend(["| ", row.which.name(), " | ", found, " | ", proposed, " | ", &cells, " |\n"]);
    }
    text
}

const BEGIN: &str = "<!-- table: cargo xtask audit-apps --write docs/audit-applications.md -->";
const END: &str = "<!-- end of table -->";
const HEAD: &str = "| application | session cookie found | also by a proposed profile | verdicts that are right | requests | seconds | state unchanged |\n\
                    |---|---|---|---|---|---|---|\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auditor::Verdict;
    use crate::compare::tests::row;

    #[test]
    fn the_table_names_no_weakness() {
        let text = table(&[row(Verdict::Flaw, true)]);
        assert!(text.ends_with("| Django admin | yes | yes | 1 of 1 | 200 | 5.0 | yes |\n"), "{text}");
        assert!(!text.contains("sign-out"));
    }

    #[test]
    fn what_is_around_the_table_stays() {
        let page = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(page.path(), format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        write(page.path(), &[]).unwrap();
        let text = std::fs::read_to_string(page.path()).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("\nafter\n") && !text.contains("old"), "{text}");
    }

    #[test]
    fn a_page_without_marks_is_left_alone() {
        let page = tempfile::NamedTempFile::new().unwrap();
        assert!(write(page.path(), &[]).is_err());
        assert_eq!(std::fs::read_to_string(page.path()).unwrap(), "");
    }
}
