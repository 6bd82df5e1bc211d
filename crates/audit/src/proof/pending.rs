//! Half a flow must not be a sign-in.

use super::Proof;
use crate::finding::Finding;
use crate::profile::{Pending, PendingKind};
use crate::rule::{self, Rule};
use crate::site::{Site, State};
use crate::visitor::{From, Trouble, Values};

pub(super) static PROOF: Proof = Proof {
    rules: &[&rule::PENDING_SECOND_FACTOR, &rule::PENDING_RESET],
    repeats_itself: false,
    prove: |site, _| Box::pin(prove(site)),
};

async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let mut findings = Vec::new();
    for pending in &site.profile.pending {
        findings.push(one(site, pending).await?);
    }
    for (rule, kind) in
        [(&rule::PENDING_SECOND_FACTOR, PendingKind::SecondFactor), (&rule::PENDING_RESET, PendingKind::Reset)]
    {
        if site.profile.pending.iter().all(|one| one.kind != kind) {
            findings.push(Finding::skipped(rule, "", "the profile names no such flow; see `pending`"));
        }
    }
    Ok(findings)
}

async fn one(site: &Site, pending: &Pending) -> Result<Finding, Trouble> {
    let (rule, half): (&'static Rule, _) = match pending.kind {
        PendingKind::SecondFactor => (&rule::PENDING_SECOND_FACTOR, "the first of two factors"),
        PendingKind::Reset => (&rule::PENDING_RESET, "asking for a new password"),
    };
    let control = site.member().await?;
    let mut visitor = site.visitor();
    let mut values = Values::of(&site.profile.account);
    let mut last = None;
    for step in &pending.steps {
        last = Some(visitor.step(step, &values, From::Own).await?);
        values.next_secret();
    }
    let Some(last) = last else { return Ok(Finding::skipped(rule, "", "the flow has no step")) };
    let place = format!("{} {}", last.sent.method, last.sent.url.path());
    if last.answer.status >= 400 {
        let why = format!("the flow's last step was answered {}", last.answer.status);
        return Ok(Finding::inconclusive(rule, place, why).because("the last step", &last));
    }
    let seeing = site.who(&visitor).await?;
    let finding = match seeing.state {
        State::In => Finding::flaw(rule, place, format!("{half} is enough for a page that is for members")),
        State::Out => Finding::sound(rule, place, format!("{half} reaches nothing")),
        State::Unclear => Finding::inconclusive(rule, place, "the page that tells was not whole"),
    };
    Ok(finding
        .because("control: after the whole sign-in", &control.page)
        .because("the last step", &last)
        .because("the page afterwards", &seeing.page))
}
