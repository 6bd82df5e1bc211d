//! Every way a session ends while a browser is open.

use std::time::{Duration, SystemTime};

use counterfoil_browser::jar::Cookie;
use tokio::time::{Instant, sleep};

use crate::{
    verdict::{Failure, Shown, promise},
    world::{Stage, until},
};

/// Activity keeps a session, and without any it ends, although the browser still has the cookie.
pub(super) async fn idle(stage: Stage) -> Shown {
    let (person, tab) = stage.member().await?;
    let begun = Instant::now();
    while begun.elapsed() < IDLE + Duration::from_secs(3) {
        let who = stage.who(&tab).await?;
        promise("activity keeps a session", who.as_deref() == Some("ada"), || {
            format!("it was over after {:.1} s of activity", begun.elapsed().as_secs_f64())
        })?;
        sleep(Duration::from_secs(1)).await;
    }
    sleep(IDLE).await;
    let has_cookie = person.cookie(&stage.site.cookie("id")).await?.is_some();
    promise("the browser still has the cookie", has_cookie, || "it is gone".to_owned())?;
    let who = stage.who(&tab).await?;
    promise("an idle session ends", who.is_none(), || format!("{who:?} is still signed in after {IDLE:?}"))?;
    let text = tab.text().await?;
    promise("who was idle is asked to sign in", text.contains("Sign in"), || "the page says otherwise".to_owned())?;
    person.leave().await?;
    Ok(format!("kept for {:?} of activity, over after {IDLE:?} without", IDLE + Duration::from_secs(3)))
}

/// At the absolute limit the browser drops the cookie by itself, and a copy that it did not drop is worth nothing.
pub(super) async fn expiry(stage: Stage) -> Shown {
    let (person, tab) = stage.member().await?;
    let cookie = stage.session_cookie(&person).await?;
    let age = cookie.expires.unwrap_or_default() - now();
    promise(
        "the cookie lasts as long as the session may",
        (0.5..=ABSOLUTE.as_secs_f64() + 0.5).contains(&age),
        || format!("it lasts {age:.1} s"),
    )?;
    let name = stage.site.cookie("id");
    until("the cookie to expire", || async { Ok(person.cookie(&name).await?.is_none().then_some(())) }).await?;
    let who = stage.who(&tab).await?;
    promise("an expired session is over", who.is_none(), || format!("{who:?} is still signed in"))?;
    let copy = of_copy(&stage, &cookie).await?;
    promise("a copy of an expired cookie is worth nothing", copy.is_none(), || format!("it signs {copy:?} in"))?;
    person.leave().await?;
    Ok(format!("the browser dropped the cookie at its {ABSOLUTE:?}; put back, it signed nobody in"))
}

/// After signing out, nothing of it is left: not in the jar, not in another tab, not in the history, not in a copy.
pub(super) async fn sign_out(stage: Stage) -> Shown {
    let (person, tab) = stage.member().await?;
    let cookie = stage.session_cookie(&person).await?;
    let other = person.tab().await?;
    other.ignore_policy().await?;
    other.go(&stage.site.at("/devices")).await?;
    other.run(LISTEN).await?;
    tab.go(&stage.site.at("/devices")).await?;
    tab.follow("document.querySelector('form[action=\"/logout\"]').submit()").await?;

    let left = person.cookie(&stage.site.cookie("id")).await?;
    promise("signing out removes the cookie", left.is_none(), || "the jar still has it".to_owned())?;
    until("the other tab's live events to end", || async {
        Ok(other.run("window.streamEnded === true").await?.as_bool().filter(|ended| *ended))
    })
    .await?;
    let landed = other.reload().await?;
    promise("another tab is signed out as well", landed.path().starts_with("/login"), || {
        format!("its reload led to {} with status {}", landed.path(), landed.status)
    })?;
    tab.run("history.back()").await?;
    let back = until("the page before", || async {
        let path =
            tab.run("document.readyState === 'complete' && location.pathname !== '/' && location.pathname").await;
        Ok(path.ok().and_then(|path| path.as_str().map(str::to_owned)))
    })
    .await?;
    let text = tab.text().await?;
    promise("going back shows nothing private", !text.contains("Signed in as"), || {
        format!("{back} shows who was there")
    })?;
    let copy = of_copy(&stage, &cookie).await?;
    promise("sign-out is final for a copy too", copy.is_none(), || format!("a copy still signs {copy:?} in"))?;
    person.leave().await?;
    Ok(format!("jar, other tab, live events, history ({back}) and a copy: all over"))
}

/// Whom a copied cookie signs in, in a browser of its own.
async fn of_copy(stage: &Stage, cookie: &Cookie) -> Result<Option<String>, Failure> {
    let thief = stage.stranger().await?;
    let tab = thief.tab().await?;
    thief.plant(&stage.site.origin, cookie).await?;
    let planted = thief.cookie(&cookie.name).await?.map(|planted| planted.value);
    promise("the copy is in place", planted.as_ref() == Some(&cookie.value), || "it is not".to_owned())?;
    let who = stage.who(&tab).await?;
    thief.leave().await?;
    Ok(who)
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Reads the live events to their end.
const LISTEN: &str = "fetch('/events', { headers: { Accept: 'text/event-stream' } }).then(answer => {
    answer.text().catch(() => 0).then(() => { window.streamEnded = true; });
    return answer.status;
})";
/// As the demo was told.
const IDLE: Duration = Duration::from_secs(8);
const ABSOLUTE: Duration = Duration::from_secs(6);
