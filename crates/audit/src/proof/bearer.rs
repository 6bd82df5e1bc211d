//! Bearer and refresh tokens after sign-out.

use super::Proof;
use super::sign_out::sign_out;
use crate::finding::Finding;
use crate::profile::Tokens;
use crate::rule;
use crate::site::{Member, Site, State};
use crate::visitor::{From, Trouble, Values, Visitor};

pub(super) static PROOF: Proof = Proof {
    rules: &[&rule::SIGN_OUT_BEARER_ALIVE, &rule::SIGN_OUT_REFRESH_ALIVE],
    repeats_itself: false,
    prove: |site, _| Box::pin(prove(site)),
};

async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let (access, refreshing) = (&rule::SIGN_OUT_BEARER_ALIVE, &rule::SIGN_OUT_REFRESH_ALIVE);
    let (Some(tokens), Some(step)) = (site.tokens(), &site.profile.sign_out) else {
        let why = "the profile names no tokens, or no way to sign out";
        return Ok([access, refreshing].map(|rule| Finding::skipped(rule, "", why)).into());
    };
    let Member { mut visitor, entered, .. } = site.member().await?;
    let alone = visitor.bearer_alone();
    let positive = site.who(&alone).await?;
    let copy = entered.refresh.clone();
    // A chain of its own shows that refreshing works at all, and is not the one that is tried afterwards.
    let works = works(site, tokens).await?;
    let answer = sign_out(&mut visitor, step).await?;
    let place = format!("{} {}", answer.sent.method, answer.sent.url.path());
    let mut findings = Vec::new();
    if positive.state == State::In {
        let after = site.who(&alone).await?;
        let finding = match after.state {
            State::In if answer.answer.status >= 400 => {
                Finding::inconclusive(access, place.clone(), "the site did not take the sign-out")
            }
            State::In => Finding::flaw(access, place.clone(), "the access token signs in after sign-out"),
            State::Out => Finding::sound(access, place.clone(), "the access token is dead after sign-out"),
            State::Unclear => Finding::inconclusive(access, place.clone(), "the page that tells was not whole"),
        };
        findings.push(
            finding
                .because("control: the token before sign-out", &positive.page)
                .because("sign-out", &answer)
                .because("the token afterwards", &after.page),
        );
    }
    if let (Some(refresh), Some(true)) = (copy, works) {
        let finding = match refreshed(site, tokens, &refresh).await? {
            Some(_) if answer.answer.status >= 400 => {
                Finding::inconclusive(refreshing, place, "the site did not take the sign-out")
            }
            Some(State::In) => Finding::flaw(
                refreshing,
                place,
                "the refresh token gave a new access token after sign-out, and that signs in",
            ),
            _ => Finding::sound(refreshing, place, "the refresh token gives nothing after sign-out"),
        };
        findings.push(finding.because("sign-out", &answer));
    }
    Ok(findings)
}

/// Whether refreshing works for somebody who is signed in; none where the profile does not say how to.
async fn works(site: &Site, tokens: &Tokens) -> Result<Option<bool>, Trouble> {
    let Some(refresh) = site.member().await?.entered.refresh else { return Ok(None) };
    Ok(Some(refreshed(site, tokens, &refresh).await? == Some(State::In)))
}

/// What a new access token signs in to; none where there is none.
async fn refreshed(site: &Site, tokens: &Tokens, refresh: &str) -> Result<Option<State>, Trouble> {
    let Some(step) = &tokens.refresh else { return Ok(None) };
    let mut client: Visitor<'_> = site.visitor();
    let values = Values::of(&site.profile.account).with("refresh", refresh);
    let answer = client.step(step, &values, From::Own).await?;
    if answer.answer.status >= 300 {
        return Ok(None);
    }
    client.take_tokens(&answer, tokens);
    if client.bearer.is_none() && client.jar.is_empty() {
        return Ok(None);
    }
    Ok(Some(site.who(&client).await?.state))
}
