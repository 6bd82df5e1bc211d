//! The browser dies and comes back on the same profile: what its cookie store lost, and that nobody is signed out by it.

use std::{path::Path, time::Duration};

use counterfoil_browser::{
    chromium::Chromium,
    jar::{Cookie, Secret},
    tab::Person,
};
use tokio::time::{Instant, sleep};

use crate::{
    verdict::{Failure, Shown, promise},
    world::{Stage, until},
};

/// Killed right after a new token came: the old one comes back from disk, and the session survives that.
pub(super) async fn killed_at_once(stage: Stage) -> Shown {
    let crash = crash(&stage, Duration::ZERO).await?;
    let events = crash.events.contains("token.rolled_back");
    promise("an old token after a crash is told as such", events || crash.kept, || "no event says so".to_owned())?;
    Ok(crash.told())
}

/// Killed when the new token must be on disk: that time is the floor of the policy's grace.
pub(super) async fn killed_later(stage: Stage) -> Shown {
    let crash = crash(&stage, GRACE_FLOOR).await?;
    promise("a cookie is on disk within the floor of grace", crash.kept, || crash.told())?;
    Ok(crash.told())
}

/// What a crash did.
struct Crash {
    after: Duration,
    kept: bool,
    events: String,
}

impl Crash {
    fn told(&self) -> String {
        let what =
            if self.kept { "had kept the new token" } else { "had lost the new token and held the one before it" };
        format!("killed {:.1} s after a rotation, the cookie store {what}; still signed in", self.after.as_secs_f64())
    }
}

async fn crash(stage: &Stage, wait: Duration) -> Result<Crash, Failure> {
    let profile = tempfile::tempdir()?;
    let before = signed_in_and_closed(stage, profile.path()).await?;
    let browser = stage.world.launch.start(profile.path()).await?;
    let (new, came) = rotated(stage, &browser, &before).await?;
    sleep(wait).await;
    let after = came.elapsed();
    browser.kill().await?;
    // Until the grace is over, so that nothing but the rule for crashes lets the old token in.
    sleep((GRACE * 2).saturating_sub(came.elapsed())).await;

    let browser = stage.world.launch.start(profile.path()).await?;
    let person = Person::of_the_profile(browser.devtools(), stage.opened.clone());
    let held = stage.session_cookie(&person).await?.value;
    promise("the profile holds one of the two tokens", held == new || held == before, || format!("it holds {held}"))?;
    let tab = person.tab().await?;
    let who = stage.who(&tab).await?;
    let kept = held == new;
    promise("a crash signs nobody out", who.as_deref() == Some("ada"), || {
        format!("killed {:.1} s after the rotation, token kept: {kept}, then {who:?}", after.as_secs_f64())
    })?;
    tab.go(&stage.site.at("/events")).await?;
    let events = tab.text().await?;
    browser.close().await?;
    Ok(Crash { after, kept, events })
}

/// Signs in and closes the browser as one does, so that the first token is on disk.
async fn signed_in_and_closed(stage: &Stage, profile: &Path) -> Result<Secret, Failure> {
    let browser = stage.world.launch.start(profile).await?;
    let person = Person::of_the_profile(browser.devtools(), stage.opened.clone());
    let tab = person.tab().await?;
    stage.sign_in(&tab).await?;
    let Cookie { value, .. } = stage.session_cookie(&person).await?;
    browser.close().await?;
    Ok(value)
}

/// Uses the session until it gets a new token, then uses that once.
async fn rotated(stage: &Stage, browser: &Chromium, before: &Secret) -> Result<(Secret, Instant), Failure> {
    let person = Person::of_the_profile(browser.devtools(), stage.opened.clone());
    let tab = person.tab().await?;
    let new = until("a new token", || async {
        let who = stage.who(&tab).await?;
        promise("a restart signs nobody out", who.as_deref() == Some("ada"), || format!("it left {who:?}"))?;
        let now = stage.session_cookie(&person).await?.value;
        Ok(Some(now).filter(|now| now != before))
    })
    .await?;
    let came = Instant::now();
    stage.who(&tab).await?;
    Ok((new, came))
}

/// As the demo was told.
const GRACE: Duration = Duration::from_secs(1);
/// What the policy allows at least.
const GRACE_FLOOR: Duration = Duration::from_secs(35);
