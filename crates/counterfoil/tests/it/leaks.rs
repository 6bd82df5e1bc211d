//! No token is ever written anywhere but into its cookie: not in logs, events, `Debug`, errors or bodies.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use counterfoil::testing::{Browser, Fault, Site, Verb};
use counterfoil::{Counterfoil, FakeClock, GeneratedKeys, MemoryStore, Moment, Policy, Session};
use http::Request;
use http::header::SET_COOKIE;
use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;

use crate::app::{ID, app};

/// Everything that was written, by anybody.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A browser that shows each response by `Debug`, and collects the secrets it was given.
struct Watched {
    browser: Browser,
    written: Written,
    secrets: Arc<Mutex<BTreeSet<String>>>,
}

impl Watched {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let mut request = Request::builder().method(method).uri(path).header("origin", Site::ORIGIN);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.browser.open(request.body(body.to_owned().into()).unwrap()).await;
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.note(cookie.to_str().unwrap());
        }
        writeln!(self.written.clone(), "{response:?}").unwrap();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        writeln!(self.written.clone(), "{}", String::from_utf8_lossy(&body)).unwrap();
    }

    async fn post(&self, path: &str, form: &str) {
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], form).await;
    }

    /// The token of a cookie, and its secret part by itself: a leak may cut the prefix off.
    fn note(&self, cookie: &str) {
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
        if let Some((_, body)) = value.strip_prefix("cfoil1_").and_then(|rest| rest.split_once('_')) {
            // The first 24 characters are the public session id, the last 21 the tag.
            self.secrets.lock().extend([value.to_owned(), body.to_owned(), body.get(30..70).unwrap().to_owned()]);
        }
    }
}

#[tokio::test]
async fn a_busy_day_leaks_no_token() {
    let written = Written::default();
    let log = tracing_subscriber::fmt().with_writer(written.clone()).with_max_level(tracing::Level::TRACE).finish();
    // For all threads: other tests log as well, and none of them may leak either.
    tracing::subscriber::set_global_default(log).unwrap();

    let site = Site::new();
    let app = app(&site).layer(site.headers());
    let secrets = Arc::default();
    let ada = Watched { browser: site.browser(&app), written: written.clone(), secrets: Arc::clone(&secrets) };
    live_a_busy_day(&site, &ada).await;
    log_events_of_an_attack(&ada.browser).await;
    writeln!(written.clone(), "{site:?} {:?} {:?}", ada.browser, site.events()).unwrap();
    writeln!(written.clone(), "{:?} {:?}", site.signed_in("ada").await, site.faults()).unwrap();

    let text = String::from_utf8(written.0.lock().clone()).unwrap();
    let secrets = secrets.lock();
    assert!(secrets.len() >= 15, "tokens were made: {}", secrets.len());
    assert!(text.contains("a session operation failed"), "errors were logged");
    assert!(text.contains("token.misplaced"), "events were logged");
    assert!(text.contains("set-cookie"), "responses were shown");
    for secret in &*secrets {
        assert!(!text.contains(secret.as_str()), "a token was written somewhere");
    }
    assert!(!text.contains("cfoil1_"), "nothing that looks like a token either");
}

async fn live_a_busy_day(site: &Site, ada: &Watched) {
    ada.post("/count", "").await;
    ada.post("/login", "user=ada").await;
    let thief = ada.browser.stolen();
    ada.send("GET", "/me", &[], "").await;
    ada.post("/note", "value=x").await;
    ada.post("/step-up", "").await;
    ada.post("/transfer", "").await;
    ada.send("GET", "/devices", &[], "").await;
    // A token where none may be.
    let token = ada.browser.cookie(ID).unwrap();
    ada.send("GET", &format!("/any/thing?token={token}"), &[], "").await;
    ada.send("GET", &format!("/any/{token}"), &[], "").await;
    ada.send("POST", "/me", &[("x-csrf-token", &token), ("origin", "null")], "").await;
    ada.send("GET", "/me", &[("authorization", &format!("Bearer {token}"))], "").await;
    // Outages, verb by verb.
    for verb in [Verb::Load, Verb::Commit, Verb::Replace, Verb::End, Verb::Epochs, Verb::EndSubject, Verb::List] {
        site.faults().on(verb, Fault::Before);
        for path in ["/note", "/login", "/logout", "/step-up", "/end-others"] {
            ada.post(path, "user=ada&value=x").await;
        }
        ada.send("GET", "/devices", &[], "").await;
        site.faults().heal();
    }
    ada.post("/overtaken", "").await;
    ada.post("/login", "user=ada").await;
    // Rotation, and a thief.
    for pause in [900, 0, 66, 66] {
        site.clock().advance(Duration::from_secs(pause));
        ada.send("GET", "/me", &[], "").await;
    }
    thief.get("/me").await;
    ada.post("/logout", "").await;
}

/// The events of the library's own log, which `Site` replaces.
async fn log_events_of_an_attack(victim: &Browser) {
    let builder =
        Counterfoil::builder(Policy::aal2(Site::ORIGIN).unwrap(), &GeneratedKeys, MemoryStore::new()).unwrap();
    let site = builder.clock(FakeClock::at(Moment::from_unix_seconds(1_800_000_000))).build();
    let look = get(async |session: Session| session.identity().await.map(|_| ()));
    let app = Router::new().route("/", look).layer(site.sessions());
    let stolen = victim.cookie(ID).unwrap_or("cfoil1_gen_AAAA".into());
    for request in [
        Request::get(format!("/?t={stolen}")),
        Request::get("/").header("cookie", format!("{ID}={stolen}")),
        Request::post("/").header("cookie", format!("{ID}={stolen}")),
    ] {
        let _ = tower::ServiceExt::oneshot(app.clone(), request.body(axum::body::Body::empty()).unwrap()).await;
    }
}

#[tokio::test]
async fn errors_say_what_happened_and_nothing_secret() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    let token = ada.cookie(ID).unwrap();
    site.store_fails(true);
    for path in ["/me", "/note", "/devices"] {
        assert!(!ada.get(path).await.text().contains(&token));
    }
}

/// Whoever logs an identity logs whose session it is, and nothing else that is known of them.
#[tokio::test]
async fn an_identity_is_shown_by_ids_alone() {
    let site = Site::new();
    let shown = get(async |session: Session| session.identity().await.map(|identity| format!("{identity:?}")));
    let pages = app(&site).merge(Router::new().route("/shown", shown).layer(site.sessions()));
    let ada = site.browser(&pages).with_header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0");
    ada.post_form("/login", &[("user", "ada.lovelace")]).await;
    assert!(ada.get("/labels").await.text().contains("Firefox"), "the device is known");
    let (shown, sid) = (ada.get("/shown").await, ada.get("/sid").await);
    assert!(shown.text().contains(sid.text()), "{}", shown.text());
    for secret in ["Firefox", "lovelace"] {
        assert!(!shown.text().contains(secret), "{}", shown.text());
    }
}
