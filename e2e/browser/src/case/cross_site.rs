//! What other sites get done in a signed-in browser: nothing.

use std::{collections::BTreeSet, fmt::Write as _};

use counterfoil_browser::{
    devtools::{DevToolsError, Event},
    exchange::Exchange,
    tab::Tab,
};
use serde_json::Value;

use crate::{
    stranger::Served,
    verdict::{Failure, Shown, promise},
    world::Stage,
};

/// Forms of another site and of a sibling, with and without a valid token; and a sign-in nobody asked for.
pub(super) async fn form(stage: Stage) -> Shown {
    let (person, tab) = stage.member().await?;
    tab.go(&stage.site.at("/counter")).await?;
    let token = tab.read("(document.querySelector('input[name=csrf_token]') || {}).value").await?;
    let own = stage.site.cookie("id");
    let (mut tried, mut answers) = (0, BTreeSet::new());
    for (host, same_site) in hosts(&stage) {
        for token in ["", token.as_str()] {
            let sent = post(&stage, &tab, &host, &[("csrf_token", token)], "/counter").await?;
            tried += 1;
            answers.extend(sent.status);
            if !same_site {
                promise("the cookie is not sent on a cross-site POST", !sent.sent.contains(&own), || {
                    format!("a form at {host} was sent with {own}")
                })?;
            }
            still(&stage, &tab, &host).await?;
        }
    }
    login_by_stranger(&stage).await?;
    let link = link_from(&stage, &tab).await?;
    promise("a link from elsewhere still arrives signed in", link.sent.contains(&own), || {
        format!("a link brought along {:?}, withheld {:?}", link.sent, link.withheld)
    })?;
    person.leave().await?;
    Ok(format!(
        "{tried} foreign forms, answered {answers:?}, and a foreign sign-in changed nothing; a link arrives with {own}"
    ))
}

/// Requests by script from another site and from a sibling.
pub(super) async fn fetch(stage: Stage) -> Shown {
    let (person, tab) = stage.member().await?;
    let own = stage.site.cookie("id");
    let mut tried = 0;
    for (host, same_site) in hosts(&stage) {
        tab.go(&format!("https://{host}/")).await?;
        let mark = tab.mark();
        for script in REQUESTS {
            let script = script.replace("SITE", &stage.site.origin);
            let read = tab.read(&format!("({script}).catch(error => '')")).await?;
            promise("another site reads nothing of ours", read.is_empty(), || {
                format!("{host} read {} bytes", read.len())
            })?;
            tried += 1;
        }
        // A beacon leaves when it likes.
        let answered = |events: &[Event]| {
            let sent = Exchange::all(events).into_iter().filter(|sent| sent.url.starts_with(&stage.site.origin));
            let sent: Vec<_> = sent.filter(|sent| sent.status.is_some()).collect();
            (sent.len() >= REQUESTS.len()).then_some(sent)
        };
        let ours = tab.wait(mark, "the answers to all requests", answered).await?;
        if !same_site {
            let carried = ours.iter().any(|sent| sent.sent.contains(&own));
            promise("the cookie is not sent on a cross-site POST", !carried, || {
                format!("a script at {host} sent {own}")
            })?;
        }
        still(&stage, &tab, &host).await?;
    }
    person.leave().await?;
    Ok(format!("{tried} requests by foreign scripts read nothing and changed nothing"))
}

/// No other site shows ours in a frame.
pub(super) async fn framing(stage: Stage) -> Shown {
    let (person, tab) = stage.member().await?;
    let mut tried = 0;
    for (host, _) in hosts(&stage) {
        for path in ["/", "/login", "/transfer", "/style.css"] {
            let page = format!("<iframe src=\"{}\"></iframe>", stage.site.at(path));
            stage.world.stranger.put(&host, "/frame", Served::page(&page));
            let mark = tab.mark();
            tab.go(&format!("https://{host}/frame")).await?;
            // The page has loaded, so what became of its frame is known.
            let blocked = tab.wait(mark, "the frame", |events| Some(refused_frame(events))).await?;
            promise("no other site shows ours in a frame", blocked, || format!("{host} shows {path} in a frame"))?;
            tried += 1;
        }
    }
    person.leave().await?;
    Ok(format!("{tried} frames of other sites stayed empty"))
}

/// Whether what a frame asked for was refused because of its own answer.
fn refused_frame(events: &[Event]) -> bool {
    let failed = |event: &Event| event.name == "Network.loadingFailed" && event.text("/type") == "Document";
    events.iter().any(|event| failed(event) && event.text("/errorText") == "net::ERR_BLOCKED_BY_RESPONSE")
}

/// Another site, and a sibling below the same registered name: to cookies that is the same site.
fn hosts(stage: &Stage) -> [(String, bool); 2] {
    let (label, parent) = stage.site.host.split_once('.').unwrap_or_default();
    [(format!("attacker-of-{label}.test"), false), (format!("evil-to-{label}.{parent}"), true)]
}

/// Sends a form from a page at `host`, and says what went along.
async fn post(stage: &Stage, tab: &Tab, host: &str, fields: &[(&str, &str)], path: &str) -> Result<Exchange, Failure> {
    let target = stage.site.at(path);
    let mut page = format!("<form method=post action=\"{target}\">");
    for (name, value) in fields {
        // Writing to a string cannot fail.
        let _ = write!(page, "<input name={name} value=\"{value}\">");
    }
    stage.world.stranger.put(host, "/form", Served::page(&page));
    tab.go(&format!("https://{host}/form")).await?;
    let mark = tab.mark();
    tab.follow("document.forms[0].submit()").await?;
    sent_to(tab, mark, &target, "POST")
}

/// The counter has not moved, and whoever counts is still signed in.
async fn still(stage: &Stage, tab: &Tab, host: &str) -> Result<(), Failure> {
    tab.go(&stage.site.at("/")).await?;
    let answer = tab.ask("GET", "/counter", "").await?;
    let value = serde_json::from_str::<Value>(&answer.text).unwrap_or_default();
    let value = value.get("value").and_then(Value::as_u64);
    promise("another site changes nothing", value == Some(0), || {
        format!("after {host} the counter is {value:?}, status {}", answer.status)
    })
}

/// Somebody without any cookie is not signed in by another site (login CSRF).
async fn login_by_stranger(stage: &Stage) -> Result<(), Failure> {
    let person = stage.stranger().await?;
    let tab = person.tab().await?;
    let credentials = [("username", "grace"), ("password", "grace-demo-1")];
    for (host, _) in hosts(stage) {
        post(stage, &tab, &host, &credentials, "/login").await?;
        let signed_in = person.cookie(&stage.site.cookie("id")).await?.is_some();
        promise("another site signs nobody in", !signed_in, || format!("{host} did"))?;
    }
    Ok(person.leave().await?)
}

async fn link_from(stage: &Stage, tab: &Tab) -> Result<Exchange, Failure> {
    let target = stage.site.at("/devices");
    stage.world.stranger.put("links.test", "/link", Served::page(&format!("<a href=\"{target}\">here</a>")));
    tab.go("https://links.test/link").await?;
    let mark = tab.mark();
    tab.follow("document.querySelector('a').click()").await?;
    sent_to(tab, mark, &target, "GET")
}

fn sent_to(tab: &Tab, mark: usize, url: &str, method: &str) -> Result<Exchange, Failure> {
    let mut all = tab.exchanges(mark).into_iter();
    let found = all.find(|sent| sent.url == url && sent.method == method);
    Ok(found.ok_or_else(|| DevToolsError::Patience { what: format!("a {method} to {url}") })?)
}

/// Every way a script has to send something elsewhere. What it could read of the answer is its value.
const REQUESTS: [&str; 6] = [
    "fetch('SITE/counter', { method: 'POST', mode: 'no-cors', credentials: 'include' }).then(a => a.text())",
    "fetch('SITE/counter', { method: 'POST', credentials: 'include' }).then(a => a.text())",
    "fetch('SITE/counter', { method: 'POST', credentials: 'include', headers: { 'X-CSRF': '1' } }).then(a => a.text())",
    "fetch('SITE/me', { credentials: 'include' }).then(a => a.text())",
    "new Promise(done => { const r = new XMLHttpRequest(); r.open('POST', 'SITE/counter'); r.withCredentials = true; \
     r.setRequestHeader('Content-Type', 'text/plain'); r.onloadend = () => done(r.responseText); r.send('{}'); })",
    "Promise.resolve(navigator.sendBeacon('SITE/counter', new Blob(['a=1'], { type: 'text/plain' }))).then(() => '')",
];
