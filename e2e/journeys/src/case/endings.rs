//! Out: nothing of the session is left, not in the jar, another tab, the history or a copy.

use std::sync::Arc;

use counterfoil_browser::{jar::Cookie, tab::Tab, waiting::until};

use super::devices::expect_out;
use crate::{
    verdict::{Failure, Shown, promise},
    world::{COOKIE, Stage, seen},
};

pub(super) async fn sign_out(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    let cookie = stage.cookie(&person).await?;
    let other = stage.tab(&person).await?;
    tab.go(&stage.at("/private/salaries")).await?;
    tab.go(&stage.at("/.session/devices")).await?;
    let landed = tab.follow("document.querySelector('form[action=\"/.session/logout\"]').submit()").await?;
    promise("signing out leads to a page", landed.status < 500, || seen(&landed))?;
    let left = person.cookie(COOKIE).await?;
    promise("signing out removes the cookie", left.is_none(), || "the jar still has it".to_owned())?;
    expect_out(&stage, &other).await?;
    stage.app.heard();
    back_shows_nothing(&stage, &tab, "/.session/devices", "Where you are signed in").await?;
    back_shows_nothing(&stage, &tab, "/private/salaries", "You are ada").await?;
    of_copy(&stage, &cookie)?;
    let heard = stage.app.heard();
    promise("the app hears nothing of it", heard.is_empty(), || format!("{:?}", heard.first()))?;
    person.leave().await?;
    Ok("jar, another tab, two pages of the history and a copy: all over".to_owned())
}

/// One page back in the history.
async fn back_shows_nothing(stage: &Stage, tab: &Tab, path: &str, private: &str) -> Result<(), Failure> {
    let from = tab.read("location.href").await?;
    // The script ends with its page.
    let _ = tab.run("history.back()").await;
    let there = until("the page before", || async {
        let at = tab.run("document.readyState === 'complete' && location.href").await;
        let at = at.ok().and_then(|at| at.as_str().map(str::to_owned));
        Ok::<_, Failure>(at.filter(|at| *at != from))
    })
    .await?;
    let text = tab.text().await?;
    promise("going back shows nothing private", !text.contains(private) && !text.contains("ada"), || {
        format!("{there}, where {path} was, shows {text}")
    })?;
    promise("but asks to sign in", there.starts_with(&stage.at("/.session/login")), || there.clone())
}

/// Replays a copied cookie from outside any browser.
fn of_copy(stage: &Stage, cookie: &Cookie) -> Result<(), Failure> {
    let host = &stage.house.host;
    let request = format!(
        "GET /page HTTP/1.1\r\nHost: {host}\r\nCookie: {}={}\r\nSec-Fetch-Mode: navigate\r\nAccept: text/html\r\n\r\n",
        cookie.name,
        cookie.value.reveal()
    );
    let answer = stage.house.ask(request.as_bytes())?;
    let sent = answer.joined("location").contains("/.session/login?next=");
    promise("a copy of the cookie is worth nothing", answer.status() == 303 && sent, || answer.first.clone())
}
