//! What verdicts are worth against the truth. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::corpus::{Corpus, Pair};
use crate::judge::{Finding, Report};

/// One look at one twin.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) pair: Pair,
    pub(crate) fixed: bool,
    pub(crate) report: Report,
    /// As the site counted them.
    pub(crate) requests: u64,
    /// Whether the site was afterwards as before.
    pub(crate) harmless: bool,
}

/// What a look came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    pub(crate) found: Vec<String>,
    pub(crate) missed: Vec<String>,
    /// Flaws that are none.
    pub(crate) false_ones: Vec<Finding>,
    /// Verdicts that something holds, of rules that were planted there.
    pub(crate) overlooked: Vec<String>,
}

/// What all looks came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) looks: usize,
    pub(crate) planted: usize,
    pub(crate) found: usize,
    pub(crate) stateful_found: usize,
    pub(crate) stateful_false: usize,
    pub(crate) false_ones: usize,
    pub(crate) grave_false: usize,
    pub(crate) harmful: usize,
    pub(crate) unjudged: usize,
    pub(crate) most_requests: u64,
    pub(crate) all_requests: u64,
    pub(crate) longest: Duration,
    pub(crate) whole: Duration,
    /// The share of verdicts that are the same in every run; none after a single one.
    pub(crate) agreement: Option<f64>,
}

impl Look {
    /// What was found, missed and made up.
    pub(crate) fn marks(&self, corpus: &Corpus) -> Marks {
        let flaws: BTreeMap<_, _> =
            self.report.findings.iter().filter(|one| one.is_flaw()).map(|one| (one.rule.as_str(), one)).collect();
        let planted: &[String] = if self.fixed { &[] } else { &self.pair.planted };
        let (found, missed) = planted.iter().cloned().partition::<Vec<_>, _>(|rule| flaws.contains_key(rule.as_str()));
        let is_false = |one: &&&Finding| !corpus.holds(&self.pair, self.fixed, &one.rule);
        let said_sound =
            |rule: &&String| self.report.findings.iter().any(|one| one.rule == **rule && one.verdict == "sound");
        let overlooked = missed.iter().filter(said_sound).cloned().collect();
        let false_ones = flaws.values().filter(is_false).map(|one| (*one).clone()).collect();
        Marks { found, missed, false_ones, overlooked }
    }

    /// Whether time and requests count: what waits for sessions to end takes as long as they last.
    fn is_timed(&self) -> bool {
        !self.pair.waits()
    }
}

impl Totals {
    /// Over every look of every run.
    pub(crate) fn of(corpus: &Corpus, runs: &[Vec<Look>]) -> Self {
        let mut totals = Self { agreement: agreement(runs), ..Self::default() };
        for look in runs.iter().flatten() {
            totals.add(corpus, look);
        }
        totals
    }

    fn add(&mut self, corpus: &Corpus, look: &Look) {
        let marks = look.marks(corpus);
        let stateful = |rule: &str| !corpus.passive.iter().any(|passive| passive == rule);
        self.looks += 1;
        self.planted += marks.found.len() + marks.missed.len();
        self.found += marks.found.len();
        self.stateful_found += marks.found.iter().filter(|rule| stateful(rule)).count();
        self.stateful_false += marks.false_ones.iter().filter(|one| stateful(&one.rule)).count();
        self.false_ones += marks.false_ones.len();
        self.grave_false += marks.false_ones.iter().filter(|one| one.is_grave()).count();
        self.harmful += usize::from(!look.harmless);
        self.unjudged += usize::from(!matches!(look.report.status, Some(0 | 1)));
        self.most_requests = self.most_requests.max(look.requests);
        self.all_requests += look.requests;
        self.whole += look.report.took;
        if look.is_timed() {
            self.longest = self.longest.max(look.report.took);
        }
    }

    /// Planted flaws that were found.
    pub(crate) fn recall(&self) -> f64 {
        share(self.found, self.planted)
    }

    /// Flaws of stateful groups that are flaws.
    pub(crate) fn precision(&self) -> f64 {
        share(self.stateful_found, self.stateful_found + self.stateful_false)
    }

    /// What falls short of what has to be shown.
    pub(crate) fn shortfalls(&self) -> Vec<String> {
        let agreement = self.agreement.unwrap_or(0.0);
        #[rustfmt::skip]
        let all = [
            (self.recall() < 0.95,                        format!("recall {:.3} < 0.95", self.recall())),
            (self.precision() < 0.98,                     format!("precision {:.3} < 0.98", self.precision())),
            (self.grave_false > 0,                        format!("{} false at high or above", self.grave_false)),
            (agreement < 0.99,                            format!("agreement {agreement:.3} < 0.99 (more than one run is needed)")),
            (self.most_requests > 300,                    format!("{} requests > 300", self.most_requests)),
            (self.longest > Duration::from_mins(1),       format!("{:.0} s > 60 s", self.longest.as_secs_f64())),
            (self.harmful > 0,                            format!("{} sites were changed", self.harmful)),
            (self.unjudged > 0,                           format!("{} sites were not judged", self.unjudged)),
        ];
        all.into_iter().filter(|(short, _)| *short).map(|(_, words)| words).collect()
    }
}

/// Pair, twin, rule and place.
type Key = (String, bool, String, String);

/// How many of all verdicts about a rule at a twin are the same in every run.
fn agreement(runs: &[Vec<Look>]) -> Option<f64> {
    if runs.len() < 2 {
        return None;
    }
    let mut verdicts: BTreeMap<Key, Vec<(usize, String)>> = BTreeMap::new();
    for (run, looks) in runs.iter().enumerate() {
        for look in looks {
            for one in &look.report.findings {
                let key = (look.pair.name.clone(), look.fixed, one.rule.clone(), one.place.clone());
                verdicts.entry(key).or_default().push((run, one.verdict.clone()));
            }
        }
    }
    let same = |all: &&Vec<(usize, String)>| {
        let of_run =
            |run: usize| all.iter().filter(|(of, _)| *of == run).map(|(_, verdict)| verdict).collect::<BTreeSet<_>>();
        (1..runs.len()).all(|run| of_run(run) == of_run(0))
    };
    Some(share(verdicts.values().filter(same).count(), verdicts.len()))
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 { 1.0 } else { number(part) / number(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(fixed: bool, flaws: &[(&str, &str)]) -> Look {
        let finding = |(rule, severity): &(&str, &str)| Finding {
            rule: (*rule).to_owned(),
            verdict: "flaw".to_owned(),
            severity: (*severity).to_owned(),
            place: String::new(),
        };
        let report = Report { findings: flaws.iter().map(finding).collect(), status: Some(1), ..Report::default() };
        let pair = Corpus::read().unwrap().pair("ledger").unwrap().clone();
        Look { pair, fixed, report, requests: 7, harmless: true }
    }

    #[test]
    fn what_is_planted_is_found_or_missed_and_what_follows_is_neither() {
        let corpus = Corpus::read().unwrap();
        let look = look(false, &[("fixation-kept", "high"), ("csrf-open", "high"), ("hsts-missing", "low")]);
        let marks = look.marks(&corpus);
        let (found, missed): (Vec<_>, Vec<_>) = look.pair.planted.iter().partition(|rule| *rule == "fixation-kept");
        assert_eq!((marks.found.iter().collect::<Vec<_>>(), marks.missed.iter().collect::<Vec<_>>()), (found, missed));
        assert_eq!(marks.false_ones.iter().map(|one| one.rule.as_str()).collect::<Vec<_>>(), ["csrf-open"]);
    }

    #[test]
    fn on_the_fixed_twin_every_flaw_is_false() {
        let corpus = Corpus::read().unwrap();
        let run = || vec![look(true, &[("fixation-kept", "high"), ("cookie-no-prefix", "low")])];
        let totals = Totals::of(&corpus, &[run(), run()]);
        assert_eq!((totals.planted, totals.false_ones, totals.stateful_false, totals.grave_false), (0, 4, 2, 2));
        assert_eq!(totals.agreement, Some(1.0));
        assert_eq!(totals.shortfalls().len(), 2);
    }

    #[test]
    fn runs_that_differ_do_not_agree() {
        let runs = [vec![look(true, &[("fixation-kept", "high")])], vec![look(true, &[])]];
        assert_eq!(Totals::of(&Corpus::read().unwrap(), &runs).agreement, Some(0.0));
        assert_eq!(Totals::of(&Corpus::read().unwrap(), &runs[..1]).agreement, None);
    }
}
