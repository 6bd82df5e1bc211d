//! Several sessions of one account: seen, limited, and ended when the password changes.

use super::{Proof, Reach};
use crate::finding::Finding;
use crate::profile::{Account, Step};
use crate::rule;
use crate::site::{Site, State};
use crate::visitor::{From, Trouble, Values, Visitor};

pub(super) static SEEN: Proof = Proof {
    rules: &[&rule::SESSIONS_UNSEEN, &rule::SESSIONS_UNLIMITED],
    repeats_itself: false,
    prove: |site, _| Box::pin(seen(site)),
};

pub(super) static ELSEWHERE: Proof =
    Proof { rules: &[&rule::REPLAY_ELSEWHERE], repeats_itself: true, prove: |site, _| Box::pin(elsewhere(site)) };

pub(super) static PASSWORD: Proof = Proof {
    rules: &[&rule::PASSWORD_CHANGE_KEEPS],
    repeats_itself: true,
    prove: |site, reach| Box::pin(password(site, reach)),
};

/// Whether one more session is one more line on the page that lists them.
async fn seen(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let mut findings = vec![limited(site).await?];
    let rule = &rule::SESSIONS_UNSEEN;
    let Some(page) = &site.profile.sessions else {
        findings.push(Finding::skipped(rule, "", "the profile names no page that lists sessions; see `sessions`"));
        return Ok(findings);
    };
    let mut first = site.member().await?.visitor;
    let before = first.get(&page.url, From::Address).await?;
    let _second = site.member().await?;
    let after = first.get(&page.url, From::Address).await?;
    let count = |text: &str| page.each.as_ref().map(|each| text.matches(each.as_str()).count());
    let (was, is) = (count(&before.answer.text()), count(&after.answer.text()));
    let finding = if after.answer.status >= 400 {
        Finding::inconclusive(rule, page.url.clone(), format!("it answers {}", after.answer.status))
    } else if was.is_none() {
        let why = "the profile does not say what is on it once for every session; see `sessions.each`";
        Finding::skipped(rule, page.url.clone(), why)
    } else if is > was && was > Some(0) {
        Finding::sound(rule, page.url.clone(), "one more session is one more line")
    } else {
        Finding::flaw(rule, page.url.clone(), "one more session shows nowhere on it")
    };
    findings.push(finding.because("before another sign-in", &before).because("after it", &after));
    Ok(findings)
}

/// Where the site states how many sessions there may be.
async fn limited(site: &Site) -> Result<Finding, Trouble> {
    let rule = &rule::SESSIONS_UNLIMITED;
    let Some(most) = site.profile.limits.sessions.filter(|most| *most <= MOST_SESSIONS) else {
        return Ok(Finding::skipped(rule, "", "the profile states no limit of sessions; see `limits.sessions`"));
    };
    let mut all = Vec::new();
    for _ in 0..=most {
        all.push(site.member().await?.visitor);
    }
    let mut alive = 0;
    for one in &all {
        alive += u32::from(site.who(one).await?.state == State::In);
    }
    let seen = format!("{alive} of {} sessions are alive; the site states {most}", all.len());
    Ok(if alive > most { Finding::flaw(rule, "", seen) } else { Finding::sound(rule, "", seen) })
}

/// A copy in the hands of another program. Nearly every site lets it in; the report says so.
async fn elsewhere(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::REPLAY_ELSEWHERE;
    let member = site.member().await?;
    let place = site.ways().session.join(" and ");
    let thief = member.visitor.clone().with_agent("counterfoil-audit/another-client");
    let seeing = site.who(&thief).await?;
    let finding = match seeing.state {
        State::In => Finding::flaw(rule, place, "a copy of the cookies is signed in from another program"),
        State::Out => Finding::sound(rule, place, "a copy of the cookies is a stranger from another program"),
        State::Unclear => Finding::inconclusive(rule, place, "the page that tells was not whole"),
    };
    Ok(vec![finding.because("control: the client itself", &member.page).because("the copy", &seeing.page)])
}

/// Changes the password, looks at another session, and changes it back.
async fn password(site: &Site, reach: Reach) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::PASSWORD_CHANGE_KEEPS;
    let Some(steps) = &site.profile.password_change else {
        let why = "the profile does not say how to change the password; see `password_change`";
        return Ok(vec![Finding::skipped(rule, "", why)]);
    };
    if !reach.change_account {
        let why = "it changes the account, and back; allow it with --yes";
        return Ok(vec![Finding::skipped(rule, "", why)]);
    }
    let account = &site.profile.account;
    let new = Account { user: account.user.clone(), password: format!("{}{SUFFIX}", account.password) };
    site.keep_secret(&new.password);
    let other = site.member().await?;
    let mut own = site.member().await?.visitor;
    let place = change(&mut own, steps, account, &new).await?;
    let seeing = site.who(&other.visitor).await;
    let changed = site.member_as(&new).await;
    // Whatever was seen, the account gets its password back first.
    let back = match changed {
        Ok(mut member) => change(&mut member.visitor, steps, &new, account).await.map(|_| ()),
        Err(Trouble::NotIn { .. }) => Ok(()),
        Err(other) => Err(other),
    };
    let restored = site.member().await;
    if back.is_err() || restored.is_err() {
        let why = format!("the password could not be changed back: it is the old one with {SUFFIX} after it");
        return Ok(vec![Finding::inconclusive(rule, place, why)]);
    }
    let seeing = seeing?;
    let unchanged = "with the new password nobody is signed in, so it was not changed";
    let finding = match seeing.state {
        _ if site.member_as(&new).await.is_ok() => Finding::inconclusive(rule, place, "both passwords sign in"),
        State::In => Finding::flaw(rule, place, "another session of the account outlived the change of its password"),
        State::Out => Finding::sound(rule, place, "other sessions end when the password changes"),
        State::Unclear => Finding::inconclusive(rule, place, unchanged),
    };
    Ok(vec![finding.because("control: the other session before", &other.page).because("afterwards", &seeing.page)])
}

async fn change(visitor: &mut Visitor<'_>, steps: &[Step], old: &Account, new: &Account) -> Result<String, Trouble> {
    let values = Values::of(old).with("new_password", &new.password);
    let mut place = String::new();
    for step in steps {
        let answer = visitor.step(step, &values, From::Own).await?;
        place = format!("{} {}", answer.sent.method, answer.sent.url.path());
    }
    Ok(place)
}

/// Long enough for every rule about passwords, and known to whoever has to change it back by hand.
const SUFFIX: &str = "-Cf7!audit";

/// More would cost too many requests.
const MOST_SESSIONS: u32 = 10;
