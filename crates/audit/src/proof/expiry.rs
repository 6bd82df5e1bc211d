//! The end by the clock: sessions side by side, each looked at once, since looking is using.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Proof, Reach};
use crate::finding::Finding;
use crate::rule::{self, Rule};
use crate::site::{Site, State};
use crate::visitor::{From, Trouble, Visitor};

pub(super) static PROOF: Proof = Proof {
    rules: &[&rule::IDLE_NOT_ENFORCED, &rule::ABSOLUTE_NOT_ENFORCED],
    // A flaw has its controls in the same run, and a repetition would wait as long again.
    repeats_itself: true,
    prove: |site, reach| Box::pin(prove(site, reach)),
};

async fn prove(site: &Site, reach: Reach) -> Result<Vec<Finding>, Trouble> {
    let limits = site.profile.limits;
    let (idle, absolute) = tokio::join!(
        checked(&rule::IDLE_NOT_ENFORCED, limits.idle_seconds, reach, |limit| unused(site, limit)),
        checked(&rule::ABSOLUTE_NOT_ENFORCED, limits.absolute_seconds, reach, |limit| used(site, limit)),
    );
    Ok(vec![idle?, absolute?])
}

async fn checked(
    rule: &'static Rule,
    limit: Option<u64>,
    reach: Reach,
    prove: impl AsyncFnOnce(Duration) -> Result<Finding, Trouble>,
) -> Result<Finding, Trouble> {
    let Some(limit) = limit.map(Duration::from_secs) else {
        return Ok(Finding::skipped(rule, "", "the profile states no such limit; see `limits`"));
    };
    let needed = limit + margin(limit);
    match reach.wait {
        Some(most) if most >= needed => prove(limit).await,
        _ => {
            let why = format!("it takes {} s of waiting; allow it with --wait", needed.as_secs());
            Ok(Finding::skipped(rule, "", why))
        }
    }
}

/// Two sessions that nobody uses: one is looked at shortly before the limit, one after it.
async fn unused(site: &Site, limit: Duration) -> Result<Finding, Trouble> {
    let rule = &rule::IDLE_NOT_ENFORCED;
    let (before, after) = (site.member().await?.visitor, site.member().await?.visitor);
    let began = Instant::now();
    sleep_until(began + limit / 2).await;
    let control = site.who(&before).await?;
    sleep_until(began + limit + margin(limit)).await;
    let seeing = site.who(&after).await?;
    let stated = format!("stated limit {} s without use", limit.as_secs());
    let finding = match (control.state, seeing.state) {
        (State::In, State::In) => Finding::flaw(rule, stated, "a session nobody used is alive after it"),
        (State::In, State::Out) => Finding::sound(rule, stated, "a session nobody used is over after it"),
        (State::Out, _) => Finding::inconclusive(rule, stated, "a session was over before half of it"),
        _ => Finding::inconclusive(rule, stated, "the page that tells was not whole"),
    };
    Ok(finding.because("control: at half of it", &control.page).because("after it", &seeing.page))
}

/// A session in use until after the limit; that it was in use is the control.
async fn used(site: &Site, limit: Duration) -> Result<Finding, Trouble> {
    let rule = &rule::ABSOLUTE_NOT_ENFORCED;
    let mut visitor = site.member().await?.visitor;
    let began = Instant::now();
    let end = began + limit;
    let idle = site.profile.limits.idle_seconds.map_or(limit, Duration::from_secs);
    let pause = (idle / 3).min(limit / 4).max(Duration::from_millis(500));
    let stated = format!("stated limit {} s in all", limit.as_secs());
    let mut next = began + pause;
    while next < end {
        sleep_until(next).await;
        if use_once(site, &mut visitor).await? == State::Out && Instant::now() + pause < end {
            return Ok(Finding::inconclusive(rule, stated, "a session in use was over before it"));
        }
        next += pause;
    }
    sleep_until(end + margin(limit)).await;
    let seeing = site.who(&visitor).await?;
    let finding = match seeing.state {
        State::In => Finding::flaw(rule, stated, "a session in use is alive after it"),
        State::Out => Finding::sound(rule, stated, "a session in use is over after it"),
        State::Unclear => Finding::inconclusive(rule, stated, "the page that tells was not whole"),
    };
    Ok(finding.because("after it", &seeing.page))
}

/// As a browser uses it: with whatever cookies come back.
async fn use_once(site: &Site, visitor: &mut Visitor<'_>) -> Result<State, Trouble> {
    let page = visitor.get(site.marker_at(), From::Address).await?;
    Ok(site.read(&page, &site.profile.account))
}

/// Clocks differ, and sweeps run late.
fn margin(limit: Duration) -> Duration {
    (limit / 10).clamp(Duration::from_secs(1), Duration::from_mins(2))
}
