//! In: from a page of the app to the sign-in page and back, and what a signed-in browser has and tells.

use std::sync::Arc;

use counterfoil_browser::tab::Tab;

use crate::{
    verdict::{Failure, Shown, promise},
    world::{COOKIE, Stage, credentials, seen},
};

/// A stranger is sent to sign in, and comes to where they wanted to go, query and all; their form then reaches the app.
pub(super) async fn there_and_back(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.stranger().await?;
    let wanted = "/reports/2026?sort=newest&page=2";
    let landed = tab.go(&stage.at(wanted)).await?;
    promise("a stranger is sent to sign in", landed.path().starts_with("/.session/login?next="), || seen(&landed))?;
    promise("and the app hears nothing of it", stage.app.heard().is_empty(), || "it was asked".to_owned())?;
    let open = tab.go(&stage.at("/public/page")).await?;
    let text = tab.text().await?;
    promise("what is public is everybody's", open.status == 200 && text.contains("You are nobody"), || text.clone())?;

    tab.go(&stage.at(wanted)).await?;
    let landed = tab.follow(&credentials("ada", stage.house.password("ada"))).await?;
    promise("one comes to where one wanted to go", landed.path() == wanted && landed.status == 200, || seen(&landed))?;
    let text = tab.text().await?;
    promise("the app sees who it is", text.contains("You are ada"), || text.clone())?;
    stage.app.heard();
    let landed = tab.follow("document.querySelector('form[action=\"/note\"]').submit()").await?;
    promise("one's own form reaches the app", landed.path() == "/page?saved", || seen(&landed))?;
    let posts = stage.app.heard().iter().filter(|told| told.method == "POST" && told.target == "/note").count();
    promise("once", posts == 1, || format!("{posts} times"))?;
    person.leave().await?;
    Ok(format!("to {wanted} by way of the sign-in page"))
}

/// A wrong password and a name nobody has are answered in the same words, and sign nobody in.
pub(super) async fn wrong_password(stage: Arc<Stage>) -> Shown {
    let mut answers = Vec::new();
    for name in ["ada", "nobody-has-this-name"] {
        let (person, tab) = stage.stranger().await?;
        tab.go(&stage.at("/page")).await?;
        let landed = tab.follow(&credentials(name, "certainly not the password")).await?;
        let message = tab.read("document.querySelector('[role=alert]').innerText").await?;
        let (name_kept, password_kept) = (
            tab.read("document.querySelector('#username').value").await?,
            tab.read("document.querySelector('#password').value").await?,
        );
        promise(
            "the name need not be typed again, the password must",
            name_kept == name && password_kept.is_empty(),
            || format!("{name_kept:?}, and {} characters of a password", password_kept.len()),
        )?;
        let held = person.cookie(COOKIE).await?;
        promise("a wrong password signs nobody in", held.is_none(), || format!("the jar has {COOKIE}"))?;
        let page = tab.read("document.documentElement.outerHTML").await?;
        let page = page.replace(name, "NAME");
        answers.push((landed.status, message, without_tokens(&page)));
        person.leave().await?;
    }
    let [first, second] = answers.as_slice() else { return Ok(String::new()) };
    promise("nobody learns which names there are", first == second, || format!("{} and {}", first.2, second.2))?;
    promise("what is wrong is said", first.1.contains("password"), || first.1.clone())?;
    Ok(format!("{} for both: {:?}", first.0, first.1))
}

/// The cookie as the browser keeps it; no script reads it, and it does not go to the app.
pub(super) async fn cookie(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    let cookie = stage.cookie(&person).await?;
    let attributes = cookie.attributes();
    promise(
        "the cookie is for this host, https and no script",
        attributes == "Path=/; Secure; HttpOnly; SameSite=Lax",
        || attributes.clone(),
    )?;
    tab.run("document.cookie = 'theme=dark; path=/'").await?;
    let script = tab.read("document.cookie").await?;
    promise("no script reads it", script == "theme=dark", || format!("a script reads {} bytes", script.len()))?;
    stage.app.heard();
    tab.go(&stage.at("/page")).await?;
    let told = stage.app.heard();
    let [told] = told.as_slice() else {
        return Err(Failure::Broken { promise: "the app is asked once", seen: format!("{} times", told.len()) });
    };
    promise("the app gets its own cookies alone", told.header("cookie") == Some("theme=dark"), || {
        told.header("cookie").map_or("none".to_owned(), |text| format!("{} bytes", text.len()))
    })?;
    promise("the app is told who it is", told.header("counterfoil-subject") == Some("ada"), || "it is not".to_owned())?;
    let parts = told.header("counterfoil-assertion").map_or(0, |token| token.split('.').count());
    promise("with an assertion", parts == 3, || format!("of {parts} parts"))?;
    person.leave().await?;
    Ok(attributes)
}

/// Another tab is signed in as well, and stays so when the first is closed.
pub(super) async fn second_tab(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    let other = stage.tab(&person).await?;
    expect_ada(&stage, &other).await?;
    tab.call("Page.close", serde_json::json!({})).await?;
    expect_ada(&stage, &other).await?;
    person.leave().await?;
    Ok("both are ada".to_owned())
}

/// Who signs in on a browser where somebody else was is themselves, and the other's session is over.
pub(super) async fn another_person(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    let before = stage.cookie(&person).await?;
    tab.go(&stage.at("/.session/login?next=%2Fpage")).await?;
    let landed = tab.follow(&credentials("grace", stage.house.password("grace"))).await?;
    promise("another person may sign in", landed.path() == "/page", || seen(&landed))?;
    let who = stage.who(&tab).await?;
    promise("and is themselves", who.as_deref() == Some("grace"), || format!("{who:?}"))?;
    let thief = stage.stranger().await?;
    thief.0.plant(&stage.house.origin, &before).await?;
    let who = stage.who(&thief.1).await?;
    promise("the session before is over", who.is_none(), || format!("{who:?} is still signed in"))?;
    Ok("grace after ada".to_owned())
}

async fn expect_ada(stage: &Stage, tab: &Tab) -> Result<(), Failure> {
    let who = stage.who(tab).await?;
    promise("another tab is signed in as well", who.as_deref() == Some("ada"), || format!("{who:?}"))
}

/// A page without what differs from one to the next.
fn without_tokens(page: &str) -> String {
    let mut parts = page.split("name=\"csrf_token\" value=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |page, part| page + part.split_once('"').map_or("", |(_, rest)| rest))
}
