//! A gateway in this process with two apps and two accounts, and browsers that ask it: each with a jar, as scripts or as
//! people.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use counterfoil::accounts::{Cost, Hasher, Password};
use counterfoil::keys::SharedRing;
use counterfoil::{
    Clock as _, Event, EventSink as _, FakeClock, GeneratedKeys, Limiter, Moment, Policy, PolicySettings, SystemClock,
};
use counterfoil_core::MemoryStore;
use counterfoil_core::seal::Sealer;
use counterfoil_core::testing::{Fault, FaultyStore};
use counterfoil_gateway::accounts::{AccountName, Accounts, Folder, settle};
use counterfoil_gateway::app::{Algorithm, AppConfig, CookieReturn, Proxy};
use counterfoil_gateway::app_cookies::AppCookies;
use counterfoil_gateway::gateway::Gateway;
use counterfoil_gateway::pages::{self, History, Local};
use counterfoil_gateway::rules::{Access, ChangesState, Rule, Rules};
use counterfoil_serve::detector::CalledOut;
use http::{HeaderMap, Request, StatusCode, header};
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const WIKI: &str = "https://wiki.example";
/// It remembers people, and has a port.
pub(crate) const SHOP: &str = "http://127.0.0.1:8080";

pub(crate) fn password(name: &str) -> String {
    format!("{name} has a long password")
}

/// A gateway. No time passes that would allow more attempts.
pub(crate) struct Gate {
    pub(crate) router: Router,
    pub(crate) accounts: Accounts,
    pub(crate) gateway: Gateway,
    pub(crate) folder: TempDir,
    /// That of sessions; codes go by the machine's.
    pub(crate) clock: FakeClock,
    store: FaultyStore<MemoryStore>,
}

/// A jar, and how its owner asks.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    pub(crate) origin: &'static str,
    pub(crate) jar: BTreeMap<String, String>,
    pub(crate) address: [u8; 4],
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) fn app(name: &str, origin: &str) -> AppConfig {
    let mut settings = PolicySettings { origins: vec![origin.to_owned()], ..PolicySettings::default() };
    if name == "shop" {
        settings.timeouts.remember_for = Some(Duration::from_hours(24 * 30).into());
    }
    // The shop acts on links, as apps do that were not written with other sites in mind.
    let acts = |path: &str, changes_state| Rule { changes_state, ..Rule::new(path.parse().unwrap(), Access::SignedIn) };
    let rules = match name {
        "shop" => vec![acts("/buy", ChangesState::Always), acts("/*", ChangesState::WithQuery)],
        _ => Vec::new(),
    };
    AppConfig {
        name: name.parse().unwrap(),
        proxy: Proxy::Nginx,
        policy: Policy::try_from(settings).unwrap(),
        rules: Rules::new(rules),
        cookie_return: CookieReturn::One,
        assertion: Algorithm::Es256,
        app_cookies: AppCookies::new(vec!["app-session".parse().unwrap(), "APP*".parse().unwrap()]),
        upstream: None,
    }
}

impl Gate {
    /// With `ada` and `grace`, and no limit on attempts.
    pub(crate) fn open() -> Self {
        Self::with(Limiter::off())
    }

    pub(crate) fn with(limiter: Limiter) -> Self {
        Self::made(limiter, None)
    }

    /// As [`open`](Self::open), with this asked about requests.
    pub(crate) fn asking(detector: CalledOut) -> Self {
        Self::made(Limiter::off(), Some(detector))
    }

    fn made(limiter: Limiter, detector: Option<CalledOut>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hasher = Hasher::new(Cost::Test).unwrap();
        for name in ["ada", "grace"] {
            let hash = hasher.hash_now(&Password::new(&password(name))).unwrap();
            let add = |book: &mut counterfoil_gateway::accounts::Book| {
                book.add(name.parse().unwrap(), hash, Moment::from_unix_seconds(1))
            };
            Folder::at(folder.path()).change(None, add).unwrap();
        }
        let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
        let store = FaultyStore::around(MemoryStore::new());
        let history = Arc::new(History::default());
        let told = Arc::clone(&history);
        let apps = [app("wiki", WIKI), app("shop", SHOP)];
        let gateway = Gateway::builder(ring.clone(), Arc::new(store.clone())).limits(limiter).detector(detector);
        let clock = FakeClock::at(SystemClock.now());
        let gateway = gateway.events(move |event: &Event| told.emit(event)).clock(clock.clone()).build(&apps).unwrap();
        let accounts = Accounts::open(Folder::at(folder.path()), Sealer::new(ring), Cost::Test).unwrap();
        let local = Local { accounts: accounts.clone(), history };
        Self { router: pages::router(gateway.clone(), local), accounts, gateway, folder, clock, store }
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::at(self.folder.path())
    }

    /// As the running gateway does every two seconds.
    pub(crate) async fn settle(&self) -> usize {
        settle(&self.accounts, &self.gateway).await.unwrap()
    }

    pub(crate) fn store_fails(&self, fails: bool) {
        if fails { self.store.faults().on_all(Fault::Before) } else { self.store.faults().heal() }
    }

    pub(crate) fn browser(&self) -> Browser {
        self.browser_at(WIKI)
    }

    pub(crate) fn browser_at(&self, origin: &'static str) -> Browser {
        Browser { router: self.router.clone(), origin, jar: BTreeMap::new(), address: [192, 0, 2, 1] }
    }

    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let reply = browser.sign_in(name).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        // Presented once, so that the session is listed.
        browser.get("/.session/me").await;
        browser
    }

    pub(crate) async fn stepped_up(&self, name: &str) -> Browser {
        let mut browser = self.signed_in(name).await;
        let reply = browser.post("/.session/step-up", &[("password", &password(name))]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        browser
    }
}

impl Browser {
    /// As a script of our own pages.
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(self.script("GET", path).body(Body::empty()).unwrap()).await
    }

    /// As a script of our own pages, with a form.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = if path.contains("/totp/") { self.csrf_token().await } else { None };
        let request = self.script("POST", path);
        let request = token.into_iter().fold(request, |request, token| request.header("x-csrf-token", token));
        self.send(form(request, fields)).await
    }

    /// As somebody who follows a link of ours.
    pub(crate) async fn open(&mut self, path: &str) -> Reply {
        self.send(self.navigation("GET", path).body(Body::empty()).unwrap()).await
    }

    /// As somebody who opens the page at `page`, fills in the form that goes to `action`, and sends it.
    pub(crate) async fn fill_in(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
        let shown = self.open(page).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        let mut all = shown.hidden_fields(action);
        all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let all: Vec<_> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send(form(self.navigation("POST", action), &all)).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str) -> Reply {
        self.post("/.session/login", &[("username", name), ("password", &password(name))]).await
    }

    async fn csrf_token(&mut self) -> Option<String> {
        self.get("/.session/me").await.json()["csrf_token"].as_str().map(str::to_owned)
    }

    pub(crate) fn script(&self, method: &str, path: &str) -> http::request::Builder {
        self.request(method, path).header("sec-fetch-mode", "cors").header(header::ACCEPT, "*/*")
    }

    pub(crate) fn navigation(&self, method: &str, path: &str) -> http::request::Builder {
        self.request(method, path).header("sec-fetch-mode", "navigate").header(header::ACCEPT, "text/html,*/*;q=0.8")
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let host = self.origin.split_once("://").unwrap().1;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            .header("sec-fetch-site", "same-origin");
        if method != "GET" {
            request = request.header(header::ORIGIN, self.origin);
        }
        match self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ") {
            cookies if cookies.is_empty() => request,
            cookies => request.header(header::COOKIE, cookies),
        }
    }

    /// Sends it and keeps the cookies of the answer.
    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> Reply {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((self.address, 50_000))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let reply = Reply { status, headers, body: String::from_utf8(body.to_vec()).unwrap() };
        for line in reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()) {
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What a browser would show, and where it would go.
    pub(crate) fn seen(&self) -> (u16, String) {
        (self.status.as_u16(), self.header("location").to_owned())
    }

    /// Names and values of the hidden fields in the form that goes to `action`.
    pub(crate) fn hidden_fields(&self, action: &str) -> Vec<(String, String)> {
        let named = format!("action=\"{action}\"");
        let form = self.body.split("<form").filter(|form| form.contains(&named)).last();
        let form =
            form.unwrap_or_else(|| panic!("no form to {action} in {}", self.body)).split("</form>").next().unwrap();
        let hidden = form.split("<input type=\"hidden\"").skip(1);
        let attribute = |input: &str, name: &str| {
            let (_, rest) = input.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().replace("&#38;", "&")
        };
        hidden.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
    }
}

pub(crate) fn form(request: http::request::Builder, fields: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body)).unwrap()
}

pub(crate) fn named(name: &str) -> AccountName {
    name.parse().unwrap()
}
