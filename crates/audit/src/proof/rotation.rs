//! A new token wherever assurance changes, and the old one dead.

use super::Proof;
use crate::finding::Finding;
use crate::html;
use crate::profile::{Marker, Raise};
use crate::rule;
use crate::site::{Member, Site, State};
use crate::visitor::{From, Trouble, Values, Visitor};

pub(super) static SIGN_IN: Proof = Proof {
    rules: &[&rule::ROTATION_NONE, &rule::ROTATION_OLD_ALIVE],
    repeats_itself: false,
    prove: |site, _| Box::pin(sign_in(site)),
};

pub(super) static RAISE: Proof = Proof {
    rules: &[&rule::ROTATION_RAISE_NONE, &rule::ROTATION_RAISE_OLD_ALIVE],
    repeats_itself: false,
    prove: |site, _| Box::pin(raises(site)),
};

/// Signs in once more, as somebody else where there is somebody else: then it shows whether that did anything.
async fn sign_in(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let (none, old) = (&rule::ROTATION_NONE, &rule::ROTATION_OLD_ALIVE);
    if site.ways().session.is_empty() {
        return Ok(Vec::new());
    }
    let place = site.ways().session.join(" and ");
    let Member { mut visitor, entered: first, .. } = site.member().await?;
    let before = visitor.clone();
    let other = site.profile.second_account.as_ref().unwrap_or(&site.profile.account);
    let again = match site.sign_in(&mut visitor, other).await {
        Ok(again) => again,
        Err(Trouble::NoForm { .. }) => {
            let why = "whoever is signed in is shown no form to sign in by";
            return Ok([none, old].map(|rule| Finding::sound(rule, place.clone(), why)).into());
        }
        Err(other) => return Err(other),
    };
    let now = site.whether(&visitor, other).await?;
    let alike = again.last.answer.status == first.last.answer.status
        && again.last.answer.first("location") == first.last.answer.first("location")
        && again.sent.page.as_ref().is_none_or(|page| has_password(&page.answer.text()));
    if now.state != State::In || (site.profile.second_account.is_none() && !alike) {
        let why = "signing in once more does nothing while somebody is signed in";
        return Ok([none, old].map(|rule| Finding::sound(rule, place.clone(), why)).into());
    }
    if visitor.credential() == before.credential() {
        let flaw = Finding::flaw(none, place.clone(), "signing in once more left the token as it was");
        let skipped = Finding::skipped(old, place, "the token did not change");
        return Ok(vec![flaw.because("after signing in once more", &now.page), skipped]);
    }
    let sound = Finding::sound(none, place.clone(), "signing in once more made a new token");
    let seeing = site.who(&before).await?;
    let verdict = match seeing.state {
        State::In => Finding::flaw(old, place, "the token from before signing in once more still signs in"),
        State::Out => Finding::sound(old, place, "the token from before is dead"),
        State::Unclear => Finding::inconclusive(old, place, "the page that tells was not whole for the old token"),
    };
    Ok(vec![sound, verdict.because("control: the new token", &now.page).because("the token from before", &seeing.page)])
}

async fn raises(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let mut findings = Vec::new();
    for raise in &site.profile.raises {
        findings.extend(one_raise(site, raise).await?);
    }
    if findings.is_empty() {
        let why = "the profile names no step-up; see `raises`";
        findings.extend(RAISE.rules.iter().map(|rule| Finding::skipped(rule, "", why)));
    }
    Ok(findings)
}

async fn one_raise(site: &Site, raise: &Raise) -> Result<Vec<Finding>, Trouble> {
    let (none, old) = (&rule::ROTATION_RAISE_NONE, &rule::ROTATION_RAISE_OLD_ALIVE);
    let mut visitor = site.member().await?.visitor;
    let before = visitor.clone();
    let (was, _) = reaches(&before, &raise.reaches).await?;
    let ready = visitor.prepare(&raise.step, &Values::of(&site.profile.account)).await?;
    let place = format!("{} {}", ready.method, ready.url.path());
    visitor.send(&ready, From::Own).await?;
    let (is, page) = reaches(&visitor, &raise.reaches).await?;
    if was || !is {
        let missing = if was { "its page is reached without it" } else { "its page is not reached after it" };
        let why = format!("the step-up shows no effect: {missing}");
        return Ok([none, old].map(|rule| Finding::inconclusive(rule, place.clone(), why.clone())).into());
    }
    let same = visitor.credential() == before.credential();
    let (alive, old_page) = reaches(&before, &raise.reaches).await?;
    let (flaw, sound) = if same { (none, old) } else { (old, none) };
    let verdict = if alive {
        Finding::flaw(flaw, place.clone(), "the cookies from before the step-up reach what only a raised session may")
    } else {
        Finding::sound(flaw, place.clone(), "the cookies from before the step-up do not reach the raised page")
    };
    let other = match (same, alive) {
        (true, true) => Finding::skipped(sound, place, "the token did not change"),
        _ => Finding::sound(sound, place, "the step-up made a new token"),
    };
    Ok(vec![verdict.because("control: the cookies of now", &page).because("those from before", &old_page), other])
}

/// Whether somebody gets a page with its words.
async fn reaches(visitor: &Visitor<'_>, marker: &Marker) -> Result<(bool, crate::exchange::Exchange), Trouble> {
    let page = visitor.clone().get(&marker.url, From::Address).await?;
    let words = marker.marker.replace("{user}", &visitor.site().profile.account.user);
    Ok((page.answer.status < 300 && page.answer.text().contains(&words), page))
}

fn has_password(text: &str) -> bool {
    let forms = html::forms(text);
    forms.is_empty() || forms.iter().flat_map(|form| &form.fields).any(|field| field.kind == "password")
}
