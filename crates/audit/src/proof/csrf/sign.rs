//! Signing visitors in and out from another site.

use http::Method;

use super::attacks::bare;
use crate::cookie::SameSite;
use crate::finding::Finding;
use crate::rule::{self, Severity};
use crate::site::{Site, State};
use crate::visitor::{Body, From, Ready, Trouble, Values, Visitor};

/// The attacker's credentials, sent by the victim's browser from the attacker's page.
pub(super) async fn sign_in(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::CSRF_SIGN_IN;
    let [step] = site.profile.sign_in.steps.as_slice() else {
        let why = match site.profile.sign_in.script {
            Some(_) => "the page's own scripts write the sign-in request",
            None => "the sign-in has more than one step",
        };
        return Ok(vec![Finding::skipped(rule, "", why)]);
    };
    if site.ways().session.is_empty() {
        return Ok(vec![Finding::skipped(rule, "", "no cookie signs anybody in")]);
    }
    let values = Values::of(&site.profile.account);
    let mut attacker = site.visitor();
    let theirs = attacker.prepare(step, &values).await?;
    let place = format!("{} {}", theirs.method, theirs.url.path());
    if !crossing(&theirs) {
        return Ok(vec![Finding::sound(
            rule,
            place,
            "browsers ask the site before they send such a request from elsewhere",
        )]);
    }
    let token = theirs.token_value();
    let with_token = token.as_deref().map(|token| bare(&theirs).with_token(Some(token)));
    for attack in [Some(bare(&theirs)), with_token].into_iter().flatten() {
        let mut victim = site.visitor();
        if let Some(page) = &step.page {
            victim.get(page, From::Address).await?;
        }
        let answer = victim.send(&attack, From::Foreign).await?;
        let answer = if site.ways().follow { victim.follow(answer).await? } else { answer };
        let seeing = site.who(&victim).await?;
        if seeing.state == State::In {
            let finding =
                Finding::flaw(rule, place, "a form on another site signed the browser in to the attacker's account");
            return Ok(vec![
                finding.because("from another site", &answer).because("the browser afterwards", &seeing.page),
            ]);
        }
    }
    Ok(vec![Finding::sound(rule, place, "a form on another site does not sign the browser in")])
}

/// Sign-out, sent from another site: as declared, and as a link.
pub(super) async fn sign_out(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::CSRF_SIGN_OUT;
    let Some(step) = site.profile.sign_out.as_ref().filter(|_| !site.ways().session.is_empty()) else {
        return Ok(vec![Finding::skipped(rule, "", "the profile does not say how to sign out; see `sign_out`")]);
    };
    let mut victim = site.member().await?.visitor;
    let ready = victim.prepare(step, &Values::of(&site.profile.account)).await?;
    let place = format!("{} {}", ready.method, ready.url.path());
    let mut link = bare(&ready);
    (link.method, link.body) = (Method::GET, Body::Empty);
    let mut held = None;
    let declared = Some(bare(&ready)).filter(|_| crossing(&ready));
    for attack in declared.into_iter().chain([link]) {
        if site.who(&victim).await?.state != State::In {
            victim = site.member().await?.visitor;
        }
        let stays = stays_at_home(&victim, &attack.method);
        let answer = victim.send(&attack, From::Foreign).await?;
        let seeing = site.who(&victim).await?;
        if seeing.state == State::Out {
            let finding = if stays {
                Finding::flaw(rule, place.clone(), "only SameSite keeps other sites from signing visitors out")
                    .at_most(Severity::Info)
            } else {
                Finding::flaw(rule, place.clone(), "a page of another site signed the visitor out")
            };
            let finding =
                finding.because("sign-out, from another site", &answer).because("the visitor afterwards", &seeing.page);
            if !stays {
                return Ok(vec![finding]);
            }
            held = Some(finding);
        }
    }
    Ok(vec![held.unwrap_or_else(|| Finding::sound(rule, place, "another site cannot sign visitors out"))])
}

/// Whether a browser leaves the session's cookie at home when another site sends this.
fn stays_at_home(victim: &Visitor<'_>, method: &Method) -> bool {
    let names = &victim.site().ways().session;
    victim.jar.iter().filter(|kept| names.contains(&kept.name)).any(|kept| match kept.same_site {
        Some(SameSite::Strict) => true,
        Some(SameSite::Lax) => method != Method::GET,
        _ => false,
    })
}

/// Whether a page of another site can send it at all: by GET or POST, as a form or as text.
fn crossing(ready: &Ready) -> bool {
    let simple = matches!(ready.method, Method::GET | Method::POST);
    let own_headers = ready.headers.iter().any(|(name, _)| !name.eq_ignore_ascii_case("accept"));
    simple && !(own_headers && matches!(ready.body, Body::Json(_)) && ready.token.is_none())
}
