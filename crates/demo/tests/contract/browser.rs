//! A demo in this process, and browsers that ask it: each with a jar, as scripts or as people.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use clap::{Args as _, Command, FromArgMatches as _};
use counterfoil::Limiter;
use counterfoil_demo::{
    app::{App, Beside},
    options::{DemoArgs, Mode, Plan},
    policy::{self, Written},
    routes,
};
use tower::ServiceExt as _;

/// A demo, started as by the command line; but where attempts are limited, no time passes that would allow more.
#[derive(Clone)]
pub(crate) struct Demo {
    pub(crate) router: Router,
    pub(crate) origin: String,
}

/// A jar, and how its owner asks.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) demo: Demo,
    pub(crate) jar: BTreeMap<String, String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Demo {
    pub(crate) fn start(line: &str) -> Self {
        let command = DemoArgs::augment_args(Command::new("demo").no_binary_name(true));
        let mut arguments = DemoArgs::from_arg_matches(&command.get_matches_from(line.split_whitespace())).unwrap();
        let Written { sessions: settings, limits, .. } = policy::read(&mut arguments).unwrap();
        let plan = Plan::try_from(arguments).unwrap();
        let origins = plan.origins(plan.listen).unwrap();
        let policy = policy::policy(&plan, &origins, settings).unwrap();
        let limiter = match plan.mode {
            Mode::Normal => Limiter::at_a_standstill(limits),
            Mode::Test => Limiter::off(),
        };
        let router = routes::service(App::with_limits(plan, policy, limiter).unwrap());
        Self { router, origin: origins[0].to_string() }
    }

    /// As [`start`](Self::start), with what the command line says of where sessions are kept.
    pub(crate) async fn keeping(line: &str) -> Self {
        let command = DemoArgs::augment_args(Command::new("demo").no_binary_name(true));
        let mut arguments = DemoArgs::from_arg_matches(&command.get_matches_from(line.split_whitespace())).unwrap();
        let Written { sessions: settings, limits, detector, .. } = policy::read(&mut arguments).unwrap();
        let plan = Plan::try_from(arguments).unwrap();
        let origins = plan.origins(plan.listen).unwrap();
        let policy = policy::policy(&plan, &origins, settings).unwrap();
        let kept = plan.keep.clone().open(policy.limits().absolute).await.unwrap();
        let detector = detector.map(|detector| detector.open().unwrap());
        let beside = Beside { detector, ..Beside::default() };
        Self {
            router: routes::service(App::keeping(plan, policy, limits, kept, beside).unwrap()),
            origin: origins[0].to_string(),
        }
    }

    /// With a cheap password hash and no limit on attempts.
    pub(crate) fn test() -> Self {
        Self::start("--test-mode")
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser { demo: self.clone(), jar: BTreeMap::new() }
    }

    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let reply = browser.sign_in(name).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        browser
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Reply {
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Reply { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }
}

impl Browser {
    /// As a script of our own pages.
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(self.script("GET", path).body(Body::empty()).unwrap()).await
    }

    /// As a script of our own pages, with a form.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(form(self.script("POST", path), fields)).await
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
        let password = format!("{name}-demo-1");
        self.post("/login", &[("username", name), ("password", &password)]).await
    }

    pub(crate) async fn step_up(&mut self, name: &str) {
        let reply = self.post("/step-up", &[("password", &format!("{name}-demo-1"))]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// The token that the pages of this session carry.
    pub(crate) async fn csrf_token(&mut self) -> String {
        let page = self.open("/").await;
        page.hidden_fields("/logout").into_iter().find(|(name, _)| name == "csrf_token").unwrap().1
    }

    pub(crate) fn script(&self, method: &str, path: &str) -> axum::http::request::Builder {
        self.request(method, path).header("sec-fetch-mode", "cors").header(header::ACCEPT, "*/*")
    }

    pub(crate) fn navigation(&self, method: &str, path: &str) -> axum::http::request::Builder {
        self.request(method, path).header("sec-fetch-mode", "navigate").header(header::ACCEPT, "text/html,*/*;q=0.8")
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let host = self.demo.origin.split_once("://").unwrap().1;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            .header("sec-fetch-site", "same-origin");
        if method != "GET" {
            request = request.header(header::ORIGIN, &self.demo.origin);
        }
        match self.cookies() {
            cookies if cookies.is_empty() => request,
            cookies => request.header(header::COOKIE, cookies),
        }
    }

    pub(crate) fn cookies(&self) -> String {
        self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Sends it and keeps the cookies of the answer.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Reply {
        let reply = self.demo.send(request).await;
        for line in reply.set_cookies() {
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

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// Names and values of the hidden fields in the form that goes to `action`.
    pub(crate) fn hidden_fields(&self, action: &str) -> Vec<(String, String)> {
        let start = format!("<form method=\"post\" action=\"{action}\"");
        let named = format!("action=\"{action}\"");
        let form = self.body.split("<form").find(|form| form.contains(&named));
        let form = form.unwrap_or_else(|| panic!("no {start} in {}", self.body)).split("</form>").next().unwrap();
        let hidden = form.split("<input type=\"hidden\"").skip(1);
        let attribute = |input: &str, name: &str| {
            let (_, rest) = input.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().replace("&#38;", "&")
        };
        hidden.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
    }
}

pub(crate) fn form(request: axum::http::request::Builder, fields: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body)).unwrap()
}
