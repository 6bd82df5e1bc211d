//! Whether a key is registered by a proof that answers nothing the site asked.

use super::{Binding, Offered, REGISTRATION, binding, not_offered, offered, place_of};
use crate::bound::{Bound, register};
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::rule;
use crate::shape::invented;
use crate::site::Site;
use crate::visitor::{Trouble, Visitor};

pub(super) async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    if let Some(skipped) = not_offered(site, REGISTRATION.rules) {
        return Ok(skipped);
    }
    let control = binding(site).await?;
    Ok(vec![unchecked(site, &control).await?, reused(&control).await?])
}

/// Both in one session: what was refused registered nothing.
async fn unchecked(site: &Site, control: &Binding<'_>) -> Result<Finding, Trouble> {
    let rule = &rule::BOUND_CHALLENGE_UNCHECKED;
    let Offered { mut visitor, offer } = offered(site).await?;
    let Some(challenge) = &offer.challenge else {
        return Ok(Finding::flaw(rule, offer.url.path(), "the site gives no challenge to be repeated"));
    };
    let (answer, bound) = register(&mut visitor, &offer, Some(&invented(challenge))).await?;
    if let Some(bound) = bound {
        let flaw = Finding::flaw(rule, place_of(&answer), "a key was registered with a challenge nobody made");
        return judged(flaw, visitor, bound, control, &answer).await;
    }
    let (answer, bound) = register(&mut visitor, &offer, None).await?;
    if let Some(bound) = bound {
        let flaw = Finding::flaw(rule, place_of(&answer), "a key was registered without a challenge");
        return judged(flaw, visitor, bound, control, &answer).await;
    }
    let sound = Finding::sound(rule, place_of(&answer), "no key is registered without the right challenge");
    Ok(on(sound, control, &answer))
}

/// The challenge of a session's own key, once more, for another key.
async fn reused(control: &Binding<'_>) -> Result<Finding, Trouble> {
    let rule = &rule::BOUND_CHALLENGE_REUSED;
    let offer = control.offer.clone();
    let mut visitor = control.visitor.clone();
    let (answer, bound) = register(&mut visitor, &offer, offer.challenge.as_deref()).await?;
    let place = place_of(&answer);
    let Some(bound) = bound else {
        let sound = Finding::sound(rule, place, "a challenge that was answered registers no second key");
        return Ok(on(sound, control, &answer));
    };
    let flaw = Finding::flaw(rule, place, "a second key was registered with a challenge that had been answered");
    judged(flaw, visitor, bound, control, &answer).await
}

/// Instructions alone prove nothing: the key must be good for a new cookie as well.
async fn judged(
    flaw: Finding,
    mut visitor: Visitor<'_>,
    mut bound: Bound,
    control: &Binding<'_>,
    answer: &Exchange,
) -> Result<Finding, Trouble> {
    let refreshed = bound.refresh(&mut visitor).await?.exchange;
    if !bound.gives(&refreshed) {
        let why = "the site answered as if it took the key, which then refreshes nothing";
        return Ok(on(Finding::sound(flaw.rule, flaw.place, why), control, answer));
    }
    Ok(on(flaw, control, answer).because("a refresh signed by that key", &refreshed))
}

fn on(finding: Finding, control: &Binding<'_>, answer: &Exchange) -> Finding {
    finding.because("control: a registration as it should be", &control.bound.registered).because("the other", answer)
}
