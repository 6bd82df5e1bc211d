//! What no longer works once the gateway stands before an application. Each row also shows that the same thing done by
//! the genuine user passes: else nothing would be shown.

use std::sync::Arc;

use counterfoil_browser::devtools::DevToolsError;
use counterfoil_browser::exchange::Exchange;
use counterfoil_browser::jar::{Cookie, Secret};
use counterfoil_browser::tab::Tab;
use counterfoil_proxies::wire::Message;
use serde_json::{Value, json};

use crate::app::{MARKER, Program};
use crate::notes::Notes;
use crate::stage::{Someone, Stage};
use crate::verdict::{Failure, Shown, promise};

/// The rows, in their order.
pub(crate) const ROWS: [&str; 10] = [
    "stranger",
    "application's cookie alone",
    "planted id of ours",
    "planted id of the application's",
    "form from elsewhere",
    "script from elsewhere",
    "link from elsewhere",
    "WebSocket from elsewhere",
    "headers of ours",
    "replay after sign-out",
];

/// All of them. Only what needs somebody signed in stops where nobody can.
pub(crate) async fn all<P: Program>(stage: &Arc<Stage>, notes: &mut Notes) -> Option<()> {
    notes.note(ROWS[0], stranger::<P>(stage).await);
    let ada = notes.open(ROWS[1], stage.someone("ada").await)?;
    notes.open(ROWS[1], ada.signs_in::<P>(stage).await)?;
    notes.note(ROWS[1], alone::<P>(stage, &ada).await);
    notes.note(ROWS[2], planted_ours(stage).await);
    notes.note(ROWS[3], planted_theirs::<P>(stage).await);
    notes.note(ROWS[4], form::<P>(stage, &ada).await);
    notes.note(ROWS[5], script::<P>(stage, &ada).await);
    notes.note(ROWS[6], link::<P>(stage, &ada).await);
    notes.note(ROWS[7], socket::<P>(stage, &ada).await);
    notes.note(ROWS[8], headers::<P>(stage, &ada).await);
    notes.note(ROWS[9], replay::<P>(stage, &ada).await)
}

async fn stranger<P: Program>(stage: &Arc<Stage>) -> Shown {
    let answer = stage.raw(P::PAGE, &[], NAVIGATION).await?;
    let to = answer.joined("location");
    promise("a stranger is sent to sign in", shut::<P>(&answer) && to.starts_with("/.session/login"), || {
        seen(&answer)
    })?;
    Ok(format!("sent to sign in, {}", answer.status()))
}

async fn alone<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Shown {
    let (ours, theirs) = ada.cookies().await?;
    promise(
        "the application set its cookie",
        theirs.iter().any(|cookie| cookie.name == P::session_cookie(&stage.house.host)),
        || format!("{:?}", theirs.iter().map(|cookie| &cookie.name).collect::<Vec<_>>()),
    )?;
    both_pass::<P>(stage, &ours, &theirs).await?;
    let answer = stage.raw(P::PAGE, &theirs.iter().collect::<Vec<_>>(), NAVIGATION).await?;
    promise("without ours it reaches nothing", shut::<P>(&answer), || seen(&answer))?;
    Ok(format!("reaches nothing, {}", answer.status()))
}

/// Of two kinds: invented, and one with which somebody else is signed in.
async fn planted_ours(stage: &Arc<Stage>) -> Shown {
    let mallory = stage.someone("mallory").await?;
    mallory.tab.go(&stage.at("/.session/login")).await?;
    stage.pass_the_gate(&mallory.tab, mallory.name).await?;
    let genuine = session(&mallory).await?;
    let invented = Cookie { value: Secret::new("cfoil1_gen_invented-by-somebody-else-0123456789"), ..genuine.clone() };
    for planted in [&invented, &genuine] {
        let ada = stage.someone("ada").await?;
        ada.person.plant(&stage.house.origin, planted).await?;
        promise("it is there", session(&ada).await?.value == planted.value, || "it is not".to_owned())?;
        ada.tab.go(&stage.at("/.session/login")).await?;
        stage.pass_the_gate(&ada.tab, ada.name).await?;
        let after = session(&ada).await?;
        promise("signing in makes another", after.value != planted.value, || "it was kept".to_owned())?;
        let (theirs, hers) = (whose(stage, planted).await?, whose(stage, &after).await?);
        promise("nobody is signed in with what was planted", theirs.is_empty(), || theirs.clone())?;
        promise("and she is with hers", hers == "ada", || hers.clone())?;
        ada.person.leave().await?;
    }
    Ok("an invented one and another's: neither is kept, neither signs in".to_owned())
}

async fn planted_theirs<P: Program>(stage: &Arc<Stage>) -> Shown {
    let ada = stage.someone("ada").await?;
    let name = P::session_cookie(&stage.house.host);
    let planted = Cookie::read(&json!({ "name": name, "value": "attackerchosen1234567890", "path": "/" }));
    ada.person.plant(&stage.house.origin, &planted).await?;
    ada.tab.go(&stage.at(P::PAGE)).await?;
    stage.pass_the_gate(&ada.tab, ada.name).await?;
    P::sign_in(stage, &ada.tab, ada.name).await?;
    let who = P::who(stage, &ada.tab).await?;
    promise("signing in works all the same", P::is(ada.name, &who), || who.clone())?;
    let after = ada.person.cookie(&name).await?;
    promise("it is not kept across sign-in", after.is_some_and(|after| after.value != planted.value), || {
        format!("{name} is what it was, or is gone")
    })?;
    let answer = stage.raw(P::PAGE, &[&planted], NAVIGATION).await?;
    promise("nobody gets anywhere with it", shut::<P>(&answer), || seen(&answer))?;
    ada.person.leave().await?;
    Ok("dropped at sign-in; who planted it gets nowhere".to_owned())
}

async fn form<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Shown {
    let (path, fields) = P::FORM;
    let inputs: String =
        fields.iter().flat_map(|(name, value)| ["<input name=\"", name, "\" value=\"", value, "\">"]).collect();
    let page = format!("<form method=post action=\"{}\">{inputs}</form>", stage.at(path));
    stage.go_elsewhere(&ada.tab, &page).await?;
    let landed = ada.tab.follow("document.forms[0].submit()").await?;
    promise("it is refused", landed.path().starts_with("/.session/denied"), || landed.url.clone())?;
    unchanged::<P>(stage, ada).await?;
    Ok("refused, nothing changed".to_owned())
}

async fn script<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Shown {
    let (path, fields) = P::FORM;
    let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (target, body) = (json!(stage.at(path)), json!(body.join("&")));
    let mut scripts = vec![
        format!(
            "fetch({target}, {{ method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams({body}) }})"
        ),
        format!("fetch({target}, {{ method: 'POST', mode: 'no-cors', credentials: 'include', body: {body} }})"),
    ];
    for link in P::LINKS {
        let link = json!(stage.at(link));
        scripts.push(format!("fetch({link}, {{ mode: 'no-cors', credentials: 'include' }})"));
        scripts.push(format!(
            "new Promise(done => {{ const i = new Image(); i.onload = i.onerror = done; i.src = {link}; }})"
        ));
    }
    stage.go_elsewhere(&ada.tab, "").await?;
    let mark = ada.tab.mark();
    for script in &scripts {
        ada.tab.run(&format!("({script}).then(() => null, () => null)")).await?;
    }
    let arrived = |events: &[counterfoil_browser::devtools::Event]| {
        let ours = Exchange::all(events).into_iter().filter(|sent| sent.url.starts_with(&stage.house.origin));
        let all: Vec<_> = ours.filter(|sent| sent.status.is_some()).collect();
        (all.len() >= scripts.len()).then_some(all)
    };
    let all = ada.tab.wait(mark, "an answer to each", arrived).await?;
    let through: Vec<_> =
        all.iter().filter(|sent| sent.status.is_some_and(|status| status < 300)).map(|sent| &sent.url).collect();
    promise("none of them is let through", through.iter().all(|url| url.contains("/.session/")), || {
        format!("{through:?}")
    })?;
    unchanged::<P>(stage, ada).await?;
    Ok(format!("{} requests, nothing changed", scripts.len()))
}

async fn link<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Shown {
    for link in P::LINKS {
        let landed = from_elsewhere(stage, &ada.tab, link).await?;
        promise("it is refused", landed.starts_with("/.session/denied"), || format!("{link} led to {landed}"))?;
        unchanged::<P>(stage, ada).await?;
    }
    let landed = from_elsewhere(stage, &ada.tab, P::PAGE).await?;
    promise("a link to a page still arrives", landed == P::PAGE, || landed.clone())?;
    own::<P>(stage, ada).await?;
    Ok(format!(
        "{} that would act are refused, one to a page arrives; the application's own pages may do both",
        P::LINKS.len()
    ))
}

/// From the application's own pages, and typed, all of this does what it says.
async fn own<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Result<(), Failure> {
    ada.tab.go(&stage.at(P::PAGE)).await?;
    let status =
        ada.tab.run(&format!("{}.then(answer => answer.status)", P::OWN_WRITE.replace("MARKER", MARKER))).await?;
    let done = status.as_u64().is_some_and(|status| (200..300).contains(&status));
    promise("its own page writes it", done && stage.keeps_marker()?, || format!("status {status}"))?;
    let grace = stage.someone("grace").await?;
    grace.signs_in::<P>(stage).await?;
    let before = P::who(stage, &grace.tab).await?;
    // Of the first link the effect is seen by who it is.
    let other = P::LINKS
        .iter()
        .find(|link| link.contains("logout"))
        .map_or("/doku.php/start?do=login&u=ada&p=ada-of-the-application-1", |link| link);
    grace.tab.go(&stage.at(other)).await?;
    let after = P::who(stage, &grace.tab).await?;
    promise("typed, such a link acts", before != after, || format!("{other}: still {after:?}"))?;
    Ok(grace.person.leave().await?)
}

async fn socket<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Shown {
    let Some(target) = P::SOCKET else { return Ok("the application has none".to_owned()) };
    let all = everything(ada).await?;
    let own = handshake(stage, target, &all, &stage.house.origin).await?;
    promise("its own page's opens", own == 101, || format!("status {own}"))?;
    let foreign = handshake(stage, target, &all, "http://elsewhere.test").await?;
    promise("another site's does not", REFUSED.contains(&foreign), || format!("status {foreign}"))?;
    Ok(format!("{foreign}; its own opens"))
}

async fn headers<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Shown {
    let all = everything(ada).await?;
    let all: Vec<_> = all.iter().collect();
    let none = stage.raw(P::PAGE, &all, NAVIGATION).await?;
    promise("without them the page is hers", none.status() == 200 && says::<P>(&none), || seen(&none))?;
    let mut statuses = Vec::new();
    for lines in SPOOFED {
        let signed_in = stage.raw(P::PAGE, &all, &format!("{NAVIGATION}{lines}")).await?;
        let stranger = stage.raw(P::PAGE, &[], &format!("{NAVIGATION}{lines}")).await?;
        // A proxy may take them out; then it is the page as without them.
        let harmless = matches!(signed_in.status(), 400 | 403) || (signed_in.status() == 200 && says::<P>(&signed_in));
        promise("they are refused, or gone", harmless, || format!("{lines:?}: {}", seen(&signed_in)))?;
        let nobody = (stranger.status() == 400 || REFUSED.contains(&stranger.status())) && !says::<P>(&stranger);
        promise("and make nobody somebody", nobody, || format!("{lines:?}: {}", seen(&stranger)))?;
        statuses.push(signed_in.status().to_string());
    }
    Ok(format!("{} spellings: {}", SPOOFED.len(), statuses.join(" ")))
}

async fn replay<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Shown {
    let (ours, theirs) = ada.cookies().await?;
    both_pass::<P>(stage, &ours, &theirs).await?;
    let all: Vec<_> = ours.iter().chain(&theirs).collect();
    ada.signs_out(stage).await?;
    let answer = stage.raw(P::PAGE, &all, NAVIGATION).await?;
    promise("copies of all cookies are worth nothing afterwards", shut::<P>(&answer), || seen(&answer))?;
    if let Some(target) = P::SOCKET {
        let copies: Vec<_> = all.iter().map(|cookie| (*cookie).clone()).collect();
        let status = handshake(stage, target, &copies, &stage.house.origin).await?;
        promise("neither for a WebSocket", REFUSED.contains(&status), || format!("status {status}"))?;
    }
    let (_, left) = ada.cookies().await?;
    let name = P::session_cookie(&stage.house.host);
    promise("the application's is gone from the browser too", left.iter().all(|cookie| cookie.name != name), || {
        name.clone()
    })?;
    Ok(format!("copies of all {} cookies: {}", all.len(), answer.status()))
}

/// What makes the rows about copies mean something.
async fn both_pass<P: Program>(stage: &Arc<Stage>, ours: &[Cookie], theirs: &[Cookie]) -> Result<(), Failure> {
    let both: Vec<_> = ours.iter().chain(theirs).collect();
    let answer = stage.raw(P::PAGE, &both, NAVIGATION).await?;
    promise("both together pass", answer.status() == 200 && says::<P>(&answer), || seen(&answer))
}

/// Still ada at the application, and nothing from elsewhere in its data.
async fn unchanged<P: Program>(stage: &Arc<Stage>, ada: &Someone) -> Result<(), Failure> {
    promise("nothing of it is kept", !stage.keeps_marker()?, || format!("{MARKER} is in the data"))?;
    let who = P::who(stage, &ada.tab).await?;
    promise("whoever was signed in still is", P::is(ada.name, &who), || format!("it shows {who:?}"))
}

/// Clicks a link on another site; where it leads.
async fn from_elsewhere(stage: &Arc<Stage>, tab: &Tab, path: &str) -> Result<String, Failure> {
    let page = format!("<a href=\"{}\">here</a>", stage.at(path).replace('&', "&amp;"));
    stage.go_elsewhere(tab, &page).await?;
    Ok(tab.follow("document.querySelector('a').click()").await?.path().to_owned())
}

async fn handshake(stage: &Arc<Stage>, target: &str, cookies: &[Cookie], origin: &str) -> Result<u16, Failure> {
    let lines = format!(
        "Origin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    Ok(stage.raw(target, &cookies.iter().collect::<Vec<_>>(), &lines).await?.status())
}

async fn everything(someone: &Someone) -> Result<Vec<Cookie>, DevToolsError> {
    someone.person.jar().await
}

/// The cookie of our session.
async fn session(someone: &Someone) -> Result<Cookie, Failure> {
    let (ours, _) = someone.cookies().await?;
    let found = ours.into_iter().find(|cookie| cookie.name == "__Host-Http-id");
    found.ok_or(Failure::Broken { promise: "a browser has the session cookie", seen: "it has none".to_owned() })
}

/// Whom the gateway takes the bearer of a cookie for; empty for nobody.
async fn whose(stage: &Arc<Stage>, cookie: &Cookie) -> Result<String, Failure> {
    let answer = stage.raw("/.session/me", &[cookie], "").await?;
    let me: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(me.get("subject").and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn says<P: Program>(answer: &Message) -> bool {
    String::from_utf8_lossy(&answer.body).contains(P::MARK)
}

/// Nothing of the application came through.
fn shut<P: Program>(answer: &Message) -> bool {
    REFUSED.contains(&answer.status()) && !says::<P>(answer)
}

/// For the report: never a cookie.
fn seen(answer: &Message) -> String {
    format!("{}, to {:?}, {} bytes", answer.first, answer.joined("location"), answer.body.len())
}

const NAVIGATION: &str = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\n";
/// By a redirect to a page of ours where the requester may be a person.
const REFUSED: [u16; 3] = [303, 401, 403];
const SPOOFED: [&str; 5] = [
    "Counterfoil-Subject: grace\r\n",
    "counterfoil_subject: grace\r\n",
    "Counterfoil.Subject: grace\r\n",
    "Counterfoil-Assertion: eyJhbGciOiJub25lIn0.eyJzdWIiOiJncmFjZSJ9.\r\n",
    "Connection: close, Counterfoil-Assertion, Cookie\r\n",
];
