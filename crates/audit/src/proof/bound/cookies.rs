//! Whether the short-lived cookie is what the site says it is, short-lived, and needed.

use super::{Binding, COOKIES, binding, not_offered};
use crate::finding::Finding;
use crate::rule;
use crate::site::{Site, State};
use crate::visitor::Trouble;

pub(super) async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    if let Some(skipped) = not_offered(site, COOKIES.rules) {
        return Ok(skipped);
    }
    let binding = binding(site).await?;
    Ok(vec![needed(site, &binding).await?, alike(&binding), short(&binding)])
}

/// Looked at after a refresh: by then the site knows that the browser has the cookie.
async fn needed(site: &Site, binding: &Binding<'_>) -> Result<Finding, Trouble> {
    let rule = &rule::BOUND_COOKIE_NOT_NEEDED;
    let place = names(binding);
    let control = site.who(&binding.visitor).await?;
    if control.state != State::In {
        let why = "whoever registered and refreshed a key is not signed in";
        return Ok(Finding::inconclusive(rule, place, why).because("the page with the bound cookie", &control.page));
    }
    let seeing = site.who(&binding.bound.without(&binding.visitor)).await?;
    let finding = match seeing.state {
        State::In => Finding::flaw(rule, place, "a bound session is signed in without the bound cookie"),
        State::Out => Finding::sound(rule, place, "without it a bound session reaches nothing"),
        State::Unclear => Finding::inconclusive(rule, place, "the page that tells was not whole"),
    };
    Ok(finding
        .because("control: the page with the bound cookie", &control.page)
        .because("the page without it", &seeing.page))
}

fn alike(binding: &Binding<'_>) -> Finding {
    let rule = &rule::BOUND_ATTRIBUTES_DIFFER;
    let url = &binding.bound.registered.sent.url;
    let jar = &binding.visitor.jar;
    let differing = binding.bound.instructions.credentials.iter().flat_map(|one| one.differs(url, jar));
    let differing: Vec<_> = differing.collect();
    let finding = if differing.is_empty() {
        Finding::sound(rule, names(binding), "it is set as the instructions say")
    } else {
        Finding::flaw(rule, names(binding), differing.join("; "))
    };
    finding.because("the instructions, and the cookie", &binding.bound.registered)
}

fn short(binding: &Binding<'_>) -> Finding {
    let rule = &rule::BOUND_COOKIE_LIVES_LONG;
    let answer = &binding.refreshed.exchange;
    let mut longest = Some(0);
    for cookie in binding.bound.instructions.given(answer) {
        let by_date = cookie.expires.map(|at| at - i64::try_from(answer.answer.at_millis / 1000).unwrap_or(0));
        longest = longest.zip(cookie.max_age.or(by_date)).map(|(most, age)| most.max(age));
    }
    let finding = match longest {
        None => {
            let seen = "it has no end, so that browsers never have to sign again";
            Finding::flaw(rule, names(binding), seen)
        }
        Some(seconds) if seconds > MOST_SECONDS => {
            Finding::flaw(rule, names(binding), format!("it lives for {seconds} s; a copy of it lives as long"))
        }
        Some(seconds) => Finding::sound(rule, names(binding), format!("it lives for {seconds} s")),
    };
    finding.because("the refresh that set it", answer)
}

fn names(binding: &Binding<'_>) -> String {
    let names: Vec<_> = binding.bound.instructions.credentials.iter().map(|one| one.name.as_str()).collect();
    names.join(" and ")
}

/// An hour: a copied cookie works for as long as it lives, which is all that binding takes away. The sites that use it
/// renew every few minutes; what lives for more than an hour outlasts most thefts.
const MOST_SECONDS: i64 = 3600;
