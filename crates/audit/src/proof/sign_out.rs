//! Sign-out is final: for the one who signs out, for a copy of their cookies, and for what was still under way.

use super::Proof;
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::html::Page;
use crate::profile::Step;
use crate::rule;
use crate::site::{Member, Seeing, Site, State};
use crate::visitor::{From, Trouble, Values, Visitor};

pub(super) static PROOF: Proof = Proof {
    rules: &[&rule::SIGN_OUT_NO_EFFECT, &rule::SIGN_OUT_REPLAY, &rule::SIGN_OUT_MISSING],
    repeats_itself: false,
    prove: |site, _| Box::pin(prove(site)),
};

pub(super) static REVIVED: Proof =
    Proof { rules: &[&rule::SIGN_OUT_REVIVED], repeats_itself: false, prove: |site, _| Box::pin(revived(site)) };

/// Signs out; what the site answered must not be a refusal.
pub(super) async fn sign_out(visitor: &mut Visitor<'_>, step: &Step) -> Result<Exchange, Trouble> {
    let values = Values::of(&visitor.site().profile.account);
    let answer = visitor.step(step, &values, From::Own).await?;
    Ok(answer)
}

async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let Member { mut visitor, page, entered } = site.member().await?;
    let mut findings = vec![shown(site, &page, &entered.last)];
    let Some(step) = &site.profile.sign_out else {
        let why = "the profile does not say how to sign out; see `sign_out`";
        findings
            .extend([&rule::SIGN_OUT_NO_EFFECT, &rule::SIGN_OUT_REPLAY].map(|rule| Finding::skipped(rule, "", why)));
        return Ok(findings);
    };
    let copy = visitor.clone();
    let control = site.who(&copy).await?;
    let answer = sign_out(&mut visitor, step).await?;
    let place = format!("{} {}", answer.sent.method, answer.sent.url.path());
    let (own, copied) = (site.who(&visitor).await?, site.who(&copy).await?);
    findings.push(if site.ways().bearer {
        let why = "a bearer token signs in, which the client itself has to forget: see sign-out-bearer-alive";
        Finding::skipped(&rule::SIGN_OUT_NO_EFFECT, place.clone(), why)
    } else {
        own_verdict(&place, &own, &answer)
    });
    if !site.ways().session.is_empty() {
        findings.push(
            copy_verdict(&place, &own, &copied, &answer).because("control: the copy before sign-out", &control.page),
        );
    }
    Ok(findings)
}

fn own_verdict(place: &str, own: &Seeing, answer: &Exchange) -> Finding {
    let rule = &rule::SIGN_OUT_NO_EFFECT;
    let finding = match own.state {
        State::In if answer.answer.status >= 400 => {
            let why = format!("sign-out was answered {}: the site did not take it", answer.answer.status);
            Finding::inconclusive(rule, place, why)
        }
        State::In => Finding::flaw(rule, place, "after sign-out the same client is signed in"),
        State::Out => Finding::sound(rule, place, "after sign-out the same client is a stranger"),
        State::Unclear => Finding::inconclusive(rule, place, "the page that tells was not whole after sign-out"),
    };
    finding.because("sign-out", answer).because("the same client afterwards", &own.page)
}

fn copy_verdict(place: &str, own: &Seeing, copied: &Seeing, answer: &Exchange) -> Finding {
    let rule = &rule::SIGN_OUT_REPLAY;
    let finding = match (own.state, copied.state) {
        (State::In, _) => return Finding::skipped(rule, place, "sign-out has no effect on the client itself"),
        (State::Out, State::In) if answer.answer.status >= 400 => {
            let why = format!("sign-out was answered {}: the site did not take it", answer.answer.status);
            Finding::inconclusive(rule, place, why)
        }
        (State::Out, State::In) => {
            Finding::flaw(rule, place, "a copy of the cookies made before sign-out is signed in after it")
        }
        (State::Out, State::Out) => Finding::sound(rule, place, "a copy of the cookies is a stranger after sign-out"),
        (State::Unclear, _) | (_, State::Unclear) => {
            Finding::inconclusive(rule, place, "the page that tells was not whole after sign-out")
        }
    };
    finding.because("sign-out", answer).because("the copy afterwards", &copied.page)
}

/// A way out on the pages that members see.
fn shown(site: &Site, page: &Exchange, landing: &Exchange) -> Finding {
    let rule = &rule::SIGN_OUT_MISSING;
    let pages = [page, landing].map(|one| (one.sent.url.path().to_owned(), one.answer.text()));
    let looks_like_html = |text: &str| text.contains("<html") || text.contains("<body") || text.contains("<!doctype");
    let place = page.sent.url.path();
    if !pages.iter().any(|(_, text)| looks_like_html(&text.to_ascii_lowercase())) {
        return Finding::skipped(rule, place, "the page is not for people");
    }
    let target = site.profile.sign_out.as_ref().and_then(|step| step.request.as_ref()).map(|(_, path)| path.as_str());
    let offers = |text: &str| target.is_some_and(|path| path.len() > 1 && text.contains(path)) || offers_sign_out(text);
    if pages.iter().any(|(_, text)| offers(text)) {
        Finding::sound(rule, place, "it offers a way to sign out")
    } else if pages.iter().any(|(_, text)| text.contains("<script")) {
        Finding::inconclusive(rule, place, "no way out is in the page itself; a script may add one")
    } else {
        Finding::flaw(rule, place, "neither link, form nor button on it signs out").because("the page", page)
    }
}

/// By the words of its links, its forms and their buttons, or where they lead.
fn offers_sign_out(text: &str) -> bool {
    let page = Page::read(text);
    let links = page.links.iter().flat_map(|link| [link.text.as_str(), link.to.as_str()]);
    let forms = page.forms.iter().flat_map(|form| [form.words.as_str(), form.action.as_deref().unwrap_or_default()]);
    let fields =
        page.forms.iter().flat_map(|form| &form.fields).flat_map(|field| [field.value.as_str(), field.words.as_str()]);
    let mut words = links.chain(forms).chain(fields);
    words.any(|word| {
        let plain: String = word.to_lowercase().chars().filter(|one| one.is_alphabetic()).collect();
        WAYS_OUT.iter().any(|out| plain.contains(out))
    })
}

async fn revived(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::SIGN_OUT_REVIVED;
    let (Some(slow), Some(step)) = (&site.profile.slow, &site.profile.sign_out) else {
        let why = "the profile names no request that takes long; see `slow`";
        return Ok(vec![Finding::skipped(rule, "", why)]);
    };
    let mut visitor = site.member().await?.visitor;
    let (copy, mut tab) = (visitor.clone(), visitor.clone());
    let values = Values::of(&site.profile.account);
    let late = tab.prepare(slow, &values).await?;
    let leaving = visitor.prepare(step, &values).await?;
    let place = format!("{} {}", late.method, late.url.path());
    // Polled in this order: the slow request is on its way before sign-out is.
    let (late, left) = tokio::join!(tab.send(&late, From::Own), async {
        tokio::time::sleep(HEAD_START).await;
        visitor.send(&leaving, From::Own).await
    });
    let (late, left) = (late?, left?);
    let (by_copy, by_tab) = (site.who(&copy).await?, site.who(&tab).await?);
    let overlapped = late.answer.at_millis >= left.answer.at_millis;
    let revived = [&by_copy, &by_tab].into_iter().find(|one| one.state == State::In);
    let finding = if site.who(&visitor).await?.state == State::In && by_copy.state != State::In {
        Finding::inconclusive(rule, place, "sign-out has no effect on the client itself")
    } else if !overlapped {
        Finding::inconclusive(rule, place, "the slow request was over before sign-out was")
    } else if revived.is_some() && outlives(site, step).await? {
        Finding::skipped(rule, place, "a copy of the cookies outlives sign-out also when nothing is under way")
    } else if let Some(page) = revived {
        Finding::flaw(rule, place, "a request that was under way during sign-out brought the session back")
            .because("sign-out", &left)
            .because("the request that ended after it", &late)
            .because("the session afterwards", &page.page)
    } else {
        Finding::sound(rule, place, "a request under way during sign-out does not bring the session back")
    };
    Ok(vec![finding])
}

/// Whether a copy works after sign-out when nothing was under way: then nothing had to be brought back.
async fn outlives(site: &Site, step: &Step) -> Result<bool, Trouble> {
    let mut visitor = site.member().await?.visitor;
    let copy = visitor.clone();
    sign_out(&mut visitor, step).await?;
    Ok(site.who(&copy).await?.state == State::In)
}

/// In words that sites use, blanks and dashes left out.
const WAYS_OUT: [&str; 9] = [
    "signout",
    "logout",
    "logoff",
    "abmelden",
    "déconnexion",
    "deconnexion",
    "cerrarsesión",
    "cerrarsesion",
    "uitloggen",
];

/// That the slow request has reached the site when sign-out does.
const HEAD_START: std::time::Duration = std::time::Duration::from_millis(150);
