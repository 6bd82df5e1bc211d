//! Ten tabs come back after the idle limit has passed, with remember-me on: all of them greet, and none undoes another.

use std::{path::Path, time::Duration};

use counterfoil_browser::{
    jar::Secret,
    tab::{Person, Tab},
};
use futures_util::future::try_join_all;
use tokio::time::sleep;

use crate::{
    verdict::{Failure, Shown, promise},
    world::{Stage, until},
};

/// The browser is closed with ten tabs open and started again when the session is idle.
pub(super) async fn ten_tabs(stage: Stage) -> Shown {
    let profile = tempfile::tempdir()?;
    let before = left_open(&stage, profile.path()).await?;
    sleep(IDLE).await;

    let browser = stage.world.launch.start_with(profile.path(), &["--restore-last-session"]).await?;
    let person = Person::of_the_profile(browser.devtools(), stage.opened.clone());
    let back = || async { Ok(person.tabs(&stage.site.origin, TABS).await?) };
    let tabs = until("ten tabs to come back", back).await?;
    greeted(&tabs, "restored tabs still know who was there").await?;
    try_join_all(tabs.iter().map(Tab::reload)).await?;
    greeted(&tabs, "restored tabs still know who was there").await?;
    let held = stage.session_cookie(&person).await?.value;
    let first = tabs.first().ok_or_else(|| std::io::Error::other("no tab"))?;
    let who = stage.who(first).await?;
    promise("who is only remembered is not signed in", who.is_none(), || format!("{who:?} is"))?;

    sign_in(&stage, first).await?;
    try_join_all(tabs.iter().map(Tab::reload)).await?;
    for tab in &tabs {
        let who = stage.who(tab).await?;
        promise("signing in anew is for every tab", who.as_deref() == Some("ada"), || "one is left out".to_owned())?;
    }
    first.go(&stage.site.at("/events")).await?;
    let reused = first.text().await?.contains("token.reused");
    promise("tabs that come back are no thieves", !reused, || "a reuse was seen".to_owned())?;
    let rotated = if held == before { "without" } else { "with" };
    browser.close().await?;
    Ok(format!(
        "{} tabs greeted after {IDLE:?}, {rotated} a rotation on the way; one sign-in served them all",
        tabs.len()
    ))
}

/// Signs in with remember-me and leaves ten tabs open.
async fn left_open(stage: &Stage, profile: &Path) -> Result<Secret, Failure> {
    let browser = stage.world.launch.start(profile).await?;
    let person = Person::of_the_profile(browser.devtools(), stage.opened.clone());
    let tab = person.tab().await?;
    sign_in(stage, &tab).await?;
    for _ in 1..TABS {
        person.tab().await?.go(&stage.site.at("/")).await?;
    }
    let cookie = stage.session_cookie(&person).await?;
    browser.close().await?;
    Ok(cookie.value)
}

async fn sign_in(stage: &Stage, tab: &Tab) -> Result<(), Failure> {
    tab.go(&stage.site.at("/login")).await?;
    let landed = tab.follow(SIGN_IN_AND_BE_REMEMBERED).await?;
    promise("a right password signs in", landed.path() == "/", || format!("it led to {}", landed.path()))
}

async fn greeted(tabs: &[Tab], what: &'static str) -> Result<(), Failure> {
    for (number, tab) in tabs.iter().enumerate() {
        let text = until("the tab's page", || async {
            let text = tab.text().await?;
            Ok((!text.is_empty()).then_some(text))
        })
        .await?;
        promise(what, text.contains("Welcome back, ada"), || format!("tab {number} of {} does not", tabs.len()))?;
    }
    Ok(())
}

const SIGN_IN_AND_BE_REMEMBERED: &str = "{ const form = document.querySelector('form[action=\"/login\"]');
    form.elements.username.value = 'ada'; form.elements.password.value = 'ada-demo-1';
    form.elements.remember.checked = true; form.submit(); }";
const TABS: usize = 10;
/// Longer than the demo was told.
const IDLE: Duration = Duration::from_secs(5);
