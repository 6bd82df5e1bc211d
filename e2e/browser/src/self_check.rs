//! Proof that the suite can fail: sites that are broken in one way each, and the promise each must be seen to break.

use std::collections::BTreeSet;

use crate::{
    case::{self, Case},
    imitation::Defect,
    verdict::Shown,
};

/// A case at a site with a defect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trial {
    pub(crate) case: Case,
    pub(crate) defect: Defect,
    /// The promise that must be reported as broken, and no other.
    pub(crate) expected: &'static str,
}

/// All trials.
pub(crate) fn trials() -> Vec<Trial> {
    let named = |name: &str| case::ALL.into_iter().find(|case| case.name == name);
    let trial = |(name, defect, expected)| Some(Trial { case: named(name)?, defect, expected });
    TRIALS.into_iter().filter_map(trial).collect()
}

/// The cases that no trial covers.
pub(crate) fn untried() -> Vec<&'static str> {
    let tried: BTreeSet<_> = trials().iter().map(|trial| trial.case.name).collect();
    case::ALL
        .iter()
        .map(|case| case.name)
        .filter(|name| !tried.contains(name) && !NOT_OF_SITES.contains(name))
        .collect()
}

impl Trial {
    /// Whether the case found what it had to find.
    pub(crate) fn holds(&self, shown: &Shown) -> bool {
        shown.as_ref().err().and_then(crate::verdict::Failure::promise) == Some(self.expected)
    }
}

#[rustfmt::skip]
const TRIALS: [(&str, Defect, &str); 18] = [
    ("idle",               Defect::Endless,     "an idle session ends"),
    ("killed-at-once",     Defect::SingleUse,   "a crash signs nobody out"),
    ("restored-tabs",      Defect::SingleUse,   "restored tabs still know who was there"),
    ("tabs-in-rotation",   Defect::SingleUse,   "parallel tabs stay signed in"),
    ("expiry",             Defect::Outliving,   "a copy of an expired cookie is worth nothing"),
    ("sign-out",           Defect::CookieOnly,  "sign-out is final for a copy too"),
    ("script-cannot-read", Defect::Readable,    "script cannot read the cookie"),
    ("not-over-http",      Defect::Insecure,    "the cookie is not sent over http"),
    ("cross-site-form",    Defect::Promiscuous, "the cookie is not sent on a cross-site POST"),
    ("cross-site-form",    Defect::LaxAlone,    "another site changes nothing"),
    ("cross-site-fetch",   Defect::Promiscuous, "the cookie is not sent on a cross-site POST"),
    ("framing",            Defect::Framable,    "no other site shows ours in a frame"),
    ("accepted",           Defect::Misdirected, "every cookie we set is accepted"),
    ("markup",             Defect::Unescaped,   "posted markup does not run"),
    ("keyboard",           Defect::ScriptOnly,  "pages work without scripts"),
    ("pages",              Defect::Wide,        "no page is wider than its window"),
    ("csp-reports",        Defect::NoPolicy,    "injected script does not run"),
    ("csp-reports",        Defect::NoReports,   "violations are reported"),
];
/// Of a browser, or of what an operator has beside a site, or the same case at a demo with other settings.
const NOT_OF_SITES: [&str; 9] = [
    "stolen-session",
    "demo-restarts",
    "killed-later",
    "malformed",
    "accepted-strict",
    "accepted-embedded",
    "accepted-partitioned",
    "accepted-until-closed",
    "accepted-http",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_tried_on_something_broken() {
        assert_eq!(trials().len(), TRIALS.len(), "a trial names a case that there is not");
        assert_eq!(untried(), Vec::<&str>::new());
    }
}
