//! What the auditor says beside what is true, for one application.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::app::Which;
use crate::auditor::{Report, Verdict, audit, newcomer};
use crate::house::Failure;
use crate::truth::{self, Truth};

/// One application.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) which: Which,
    /// Whether the session's cookies were found, and no others.
    pub(crate) found: bool,
    /// Whether they were found too by a profile that was proposed; or why there was none.
    pub(crate) proposed: Result<bool, String>,
    pub(crate) compared: Vec<Compared>,
    pub(crate) requests: u32,
    pub(crate) seconds: f64,
    /// What is not as it was before the audit, and was not declared.
    pub(crate) changed: Vec<String>,
    cookies: String,
}

/// A rule about which both say something.
#[derive(Debug)]
pub(crate) struct Compared {
    truth: Truth,
    verdict: Verdict,
    said: String,
}

/// Audits it, then looks for ourselves.
pub(crate) fn one(which: Which, counterfoil: &Path) -> Result<Row, Failure> {
    let standing = which.stand()?;
    // Whatever is made at a first sign-in is there before.
    standing.member()?;
    let before = standing.state()?;
    let report = audit(&standing, counterfoil)?;
    let by_proposal = newcomer(&standing, counterfoil);
    let changed = before.difference(&standing.state()?);
    let truths = truth::of(&standing)?;
    let names = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
    let is_found = |report: &Report| names(&report.session_cookies) == names(&standing.session);
    let (found, proposed) = (is_found(&report), by_proposal.as_ref().map(is_found).map_err(ToString::to_string));
    let cookies = format!("{} (it says {})", standing.session.join(", "), report.session_cookies.join(", "));
    let compared = truths.into_iter().filter_map(|truth| Compared::of(truth, &report)).collect();
    #[expect(clippy::cast_precision_loss, reason = "nobody waits for so long")]
    let seconds = report.took_millis as f64 / 1000.0;
    Ok(Row { which, found, proposed, compared, requests: report.requests, seconds, changed, cookies })
}

impl Row {
    pub(crate) fn is_good(&self) -> bool {
        let fits = self.requests <= MOST_REQUESTS && self.seconds <= MOST_SECONDS;
        self.found
            && self.proposed == Ok(true)
            && fits
            && self.changed.is_empty()
            && self.compared.iter().all(|one| one.agrees() != Some(false))
    }

    /// How many verdicts say something, and how many of them what is true.
    pub(crate) fn agreed(&self) -> (usize, usize) {
        let said = || self.compared.iter().filter_map(Compared::agrees);
        (said().count(), said().filter(|agrees| *agrees).count())
    }

    pub(crate) fn told(&self, verbose: bool) -> String {
        let (compared, agreed) = self.agreed();
        let yes = |yes: bool| if yes { "yes" } else { "NO" };
        let mut text = format!(
            "{}: session found: {}, by a proposed profile: {}, verdicts {agreed} of {compared}, {} requests, {:.1} s, unchanged: {}\n",
            self.which.name(),
            yes(self.found),
            yes(self.proposed == Ok(true)),
            self.requests,
            self.seconds,
            yes(self.changed.is_empty())
        );
        if verbose || !self.found {
            text.extend(["  the session: ", &self.cookies, "\n"]);
        }
        if let Err(why) = &self.proposed {
            text.extend(["  no profile was proposed: ", why, "\n"]);
        }
        for one in self.compared.iter().filter(|one| verbose || one.agrees() == Some(false)) {
            one.tell(&mut text);
        }
        text.extend(self.changed.iter().map(|line| format!("  changed {line}\n")));
        text
    }
}

impl Compared {
    /// Nothing where the auditor has no such rule.
    fn of(truth: Truth, report: &Report) -> Option<Self> {
        let said = report.about(truth.rule)?;
        Some(Self { truth, verdict: said.verdict, said: said.seen.clone() })
    }

    /// Nothing where the auditor leaves it open.
    fn agrees(&self) -> Option<bool> {
        match self.verdict {
            Verdict::Flaw => Some(self.truth.wrong),
            Verdict::Sound => Some(!self.truth.wrong),
            Verdict::Inconclusive | Verdict::Skipped => None,
        }
    }

    fn tell(&self, text: &mut String) {
        let mark = match self.agrees() {
            Some(true) => "agrees",
            Some(false) => "DISAGREES",
            None => "open",
        };
        let truth = if self.truth.wrong { "wrong" } else { "sound" };
        let (Truth { rule, seen, .. }, said) = (&self.truth, &self.said);
        // Into a string: it cannot fail.
        let _ = writeln!(text, "  {mark:9} {rule:22} is {truth}: {seen}");
        let _ = writeln!(text, "  {:9} {:22} said {}: {said}", "", "", self.verdict.word());
    }
}

/// The budget an audit has unless told otherwise.
const MOST_REQUESTS: u32 = 300;
/// Without waiting for lifetimes.
const MOST_SECONDS: f64 = 60.0;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(verdict: Verdict, wrong: bool) -> Row {
        let truth = Truth { rule: "sign-out-replay", wrong, seen: "a copy".to_owned() };
        let compared = vec![Compared { truth, verdict, said: "it works".to_owned() }];
        let (found, proposed, cookies) = (true, Ok(true), "sid".to_owned());
        Row {
            which: Which::Django,
            found,
            proposed,
            compared,
            requests: 200,
            seconds: 5.0,
            changed: Vec::new(),
            cookies,
        }
    }

    #[test]
    fn a_verdict_agrees_with_what_is_true_or_leaves_it_open() {
        use Verdict::{Flaw, Inconclusive, Skipped, Sound};
        //  verdict       wrong  good   compared, agreed
        for (verdict, wrong, good, counts) in [
            (Flaw, true, true, (1, 1)),
            (Flaw, false, false, (1, 0)),
            (Sound, true, false, (1, 0)),
            (Sound, false, true, (1, 1)),
            (Inconclusive, true, true, (0, 0)),
            (Skipped, true, true, (0, 0)),
        ] {
            let row = row(verdict, wrong);
            assert_eq!((row.is_good(), row.agreed()), (good, counts), "{verdict:?} {wrong}");
        }
    }

    #[test]
    fn a_change_nobody_declared_too_many_requests_or_another_cookie_are_not_good() {
        let good = || row(Verdict::Flaw, true);
        assert!(!Row { changed: vec!["is: a row".to_owned()], ..good() }.is_good());
        assert!(!Row { requests: 301, ..good() }.is_good());
        assert!(!Row { seconds: 60.5, ..good() }.is_good());
        assert!(!Row { found: false, ..good() }.is_good());
        assert!(!Row { proposed: Ok(false), ..good() }.is_good());
        assert!(!Row { proposed: Err("no form".to_owned()), ..good() }.is_good());
    }

    #[test]
    fn a_disagreement_is_told_also_to_whoever_did_not_ask() {
        assert!(row(Verdict::Sound, true).told(false).contains("DISAGREES"));
        assert!(!row(Verdict::Flaw, true).told(false).contains("sign-out-replay"));
    }
}
