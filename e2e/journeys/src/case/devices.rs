//! The page of devices: what one does there happens there.

use std::sync::Arc;

use counterfoil_browser::tab::Tab;

use crate::{
    verdict::{Failure, Shown, promise},
    world::{COOKIE, Stage, seen},
};

/// A device gets a name, and keeps it.
pub(super) async fn rename(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    tab.go(&stage.at(DEVICES)).await?;
    let name = "Büro <b>links</b>";
    let script = format!(
        "{{ const form = document.querySelector('form[action$=\"/rename\"]'); form.elements.label.value = {}; form.submit(); }}",
        serde_json::Value::from(name)
    );
    let landed = tab.follow(&script).await?;
    promise("one comes back to the page", landed.path() == DEVICES && landed.status == 200, || seen(&landed))?;
    for _ in 0..2 {
        let shown = tab.read("document.querySelector('.cards h2').innerText").await?;
        promise("a device keeps its name", shown.starts_with(name), || shown.clone())?;
        tab.reload().await?;
    }
    person.leave().await?;
    Ok(format!("is called {name}"))
}

/// Signing another browser out: it is out at its next click, wherever that leads, and this one is not.
pub(super) async fn end_one(stage: Arc<Stage>) -> Shown {
    let (other, lost) = stage.member("ada").await?;
    let (person, tab) = stage.member("ada").await?;
    tab.go(&stage.at(DEVICES)).await?;
    expect_cards(&tab, 2).await?;
    // The one that is not tagged as this device.
    tab.follow(
        "{ const card = [...document.querySelectorAll('.cards > li')].find(card => !card.querySelector('.tag')); \
         card.querySelector('form[action$=\"/end\"]').submit(); }",
    )
    .await?;
    expect_cards(&tab, 1).await?;
    // Its page is still open; the next click is on a link in it.
    let landed = lost.follow("document.querySelector('a[href=\"/page\"]').click()").await?;
    promise("who was signed out is out at the next click", landed.path().starts_with("/.session/login"), || {
        seen(&landed)
    })?;
    let left = other.cookie(COOKIE).await?;
    promise("and its cookie is taken away", left.is_none(), || "the jar still has it".to_owned())?;
    expect_out(&stage, &lost).await?;
    expect_in(&stage, &tab).await?;
    person.leave().await?;
    Ok("the other is out, this one is in".to_owned())
}

/// Signing out everywhere else.
pub(super) async fn end_others(stage: Arc<Stage>) -> Shown {
    let (_, one) = stage.member("ada").await?;
    let (_, another) = stage.member("ada").await?;
    let (_, somebody_else) = stage.member("grace").await?;
    let (_, tab) = stage.member("ada").await?;
    tab.go(&stage.at(DEVICES)).await?;
    expect_cards(&tab, 3).await?;
    tab.follow("document.querySelector('form[action$=\"/end-others\"]').submit()").await?;
    expect_cards(&tab, 1).await?;
    for tab in [&one, &another] {
        expect_out(&stage, tab).await?;
    }
    expect_in(&stage, &tab).await?;
    let who = stage.who(&somebody_else).await?;
    promise("somebody else stays signed in", who.as_deref() == Some("grace"), || format!("{who:?}"))?;
    Ok("two are out, this one and grace's are in".to_owned())
}

async fn expect_cards(tab: &Tab, expected: u64) -> Result<(), Failure> {
    let cards = tab.run("document.querySelectorAll('.cards > li').length").await?.as_u64();
    promise("the page lists all devices", cards == Some(expected), || format!("{cards:?} instead of {expected}"))
}

pub(super) async fn expect_out(stage: &Stage, tab: &Tab) -> Result<(), Failure> {
    let who = stage.who(tab).await?;
    promise("a session that was ended is over", who.is_none(), || format!("{who:?} is still signed in"))
}

pub(super) async fn expect_in(stage: &Stage, tab: &Tab) -> Result<(), Failure> {
    let who = stage.who(tab).await?;
    promise("one's own session goes on", who.as_deref() == Some("ada"), || format!("{who:?}"))
}

pub(super) const DEVICES: &str = "/.session/devices";
