//! Whether scripts of other origins may read what a signed-in person sees (Fetch, CORS check).

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::rule::{self, Severity};

use super::lines::Cookies;
use super::{CorsOrigin, CorsTry, Seen, place};

/// One verdict for each request that was tried.
pub(super) fn judge(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let rule = &rule::CORS_ANY_ORIGIN;
    let mut by_place: BTreeMap<String, Vec<&CorsTry<'_>>> = BTreeMap::new();
    for one in seen.cors {
        by_place.entry(place(one.exchange)).or_default().push(one);
    }
    if by_place.is_empty() {
        return vec![Finding::skipped(rule, seen.host(), "no signed-in request was sent from elsewhere")];
    }
    by_place.into_iter().map(|(at, tries)| verdict(&at, &tries, cookies.stay_home())).collect()
}

fn verdict(at: &str, tries: &[&CorsTry<'_>], stays_home: bool) -> Finding {
    let rule = &rule::CORS_ANY_ORIGIN;
    let open: Vec<_> = tries.iter().filter(|one| one.may_read()).collect();
    let Some(worst) = open.iter().map(|one| one.origin.severity(stays_home)).max() else {
        return if tries.iter().any(|one| one.readable) {
            Finding::sound(rule, at, format!("{} foreign origins may not read it", tries.len()))
        } else {
            Finding::inconclusive(rule, at, "none of the answers was a signed-in page, so there was nothing to read")
        };
    };
    let names: Vec<_> = open.iter().map(|one| one.origin.name()).collect();
    let home = if stays_home { "; SameSite keeps the session from requests of other sites" } else { "" };
    let what = format!("with credentials, it may be read by {}{home}", names.join(", "));
    let finding = Finding::flaw(rule, at, what).at_most(worst);
    open.iter().fold(finding, |finding, one| {
        finding.because(format!("says it comes from {}", one.origin.name()), one.exchange)
    })
}

impl CorsTry<'_> {
    /// A star is not enough with credentials, and every byte counts.
    fn may_read(&self) -> bool {
        let answer = &self.exchange.answer;
        let sent = self.exchange.sent.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("origin"));
        let one = |name| {
            let mut values = answer.all(name);
            // Two fields are one value with a comma, which is no origin.
            values.next().filter(|_| values.next().is_none())
        };
        self.readable
            && one("access-control-allow-credentials") == Some(b"true")
            && sent.is_some_and(|(_, origin)| one("access-control-allow-origin") == Some(origin.as_bytes()))
    }
}

impl CorsOrigin {
    fn name(self) -> &'static str {
        match self {
            Self::Foreign => "any other site",
            Self::Null => "pages without an origin",
            Self::LooksAlikeInFront => "sites whose name begins alike",
            Self::LooksAlikeAtEnd => "sites whose name ends alike",
            Self::PlainHttp => "the same host over plain http",
            Self::Sibling => "sibling hosts",
        }
    }

    /// Siblings and plain http are hard to come by, and yet the same site.
    fn severity(self, stays_home: bool) -> Severity {
        match self {
            Self::PlainHttp | Self::Sibling => Severity::Medium,
            _ if stays_home => Severity::Low,
            _ => Severity::High,
        }
    }
}
