//! What the doctor found, for people.

use std::fmt;

/// All findings about a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whose.
    pub site: String,
    /// The app there, and its proxy.
    pub app: String,
    /// As the gateway knows it.
    pub proxy: String,
    /// One for each thing that was tried.
    pub findings: Vec<Finding>,
}

/// What came of one attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried, as a promise.
    pub promise: &'static str,
    /// Whether it is kept.
    pub verdict: Verdict,
    /// What to change where it is not.
    pub fix: Option<&'static str>,
}

/// Whether a promise is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is. What was seen, where that is worth a word.
    Kept(String),
    /// It is not. What was seen.
    Broken(String),
    /// Nothing could be told. Why.
    Unknown(String),
}

impl Report {
    /// How many promises are broken.
    pub fn broken(&self) -> usize {
        self.findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Broken(_))).count()
    }

    /// How many could not be told.
    pub fn unknown(&self) -> usize {
        self.findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Unknown(_))).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}: app `{}` behind {}\n", self.site, self.app, self.proxy)?;
        for finding in &self.findings {
            let (word, seen) = match &finding.verdict {
                Verdict::Kept(seen) => ("pass", seen),
                Verdict::Broken(seen) => ("FAIL", seen),
                Verdict::Unknown(seen) => ("????", seen),
            };
            writeln!(out, "{word}  {}", finding.promise)?;
            if word != "pass" {
                writeln!(out, "      seen: {seen}")?;
            }
            if let (Verdict::Broken(_), Some(fix)) = (&finding.verdict, finding.fix) {
                writeln!(out, "      fix:  {}", fix.replace('\n', "\n            "))?;
            }
        }
        let (broken, unknown) = (self.broken(), self.unknown());
        let kept = self.findings.len() - broken - unknown;
        write!(out, "\n{kept} kept, {broken} broken, {unknown} not told")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_comes_with_its_fix_and_what_is_kept_in_one_line() {
        let finding = |promise, verdict, fix| Finding { promise, verdict, fix };
        let report = Report {
            site: "https://wiki.example".to_owned(),
            app: "wiki".to_owned(),
            proxy: "nginx".to_owned(),
            findings: vec![
                finding("one holds", Verdict::Kept("refused with 403".to_owned()), None),
                finding("another does not", Verdict::Broken("two".to_owned()), Some("say `three;`")),
                finding("nobody knows", Verdict::Unknown("silence".to_owned()), None),
            ],
        };
        let text = "https://wiki.example: app `wiki` behind nginx\n\n\
            pass  one holds\n\
            FAIL  another does not\n      seen: two\n      fix:  say `three;`\n\
            ????  nobody knows\n      seen: silence\n\n\
            1 kept, 1 broken, 1 not told";
        assert_eq!(report.to_string(), text);
    }
}
