//! A gateway without a network: decision requests as each proxy makes them, and what the browser and the app then see.

use std::sync::Arc;

use axum::body::Body;
use counterfoil::{Counterfoil, FakeClock, GeneratedKeys, Limiter, MemoryStore, Moment, Policy, Subject};
use counterfoil_core::keys::SharedRing;
use counterfoil_core::seam::Denial;
use counterfoil_core::store::DynStore;
use counterfoil_core::testing::{Faults, FaultyStore, Jar, sign_in};
use counterfoil_gateway::app::{Algorithm, AppConfig, CookieReturn, Proxy};
use counterfoil_gateway::authz::Decisions;
use counterfoil_gateway::gateway::Gateway;
use counterfoil_gateway::owned::ANSWERED;
use counterfoil_gateway::rules::{Access, Rule, Rules};
use counterfoil_serve::detector::CalledOut;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use tower::ServiceExt as _;

pub(crate) const ORIGIN: &str = "https://shop.example";
pub(crate) const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);

/// Every contract this build has.
pub(crate) const CONTRACTS: &[Proxy] = &[
    Proxy::Nginx,
    Proxy::Traefik,
    Proxy::Caddy,
    Proxy::Haproxy,
    Proxy::Envoy,
    #[cfg(feature = "grpc")]
    Proxy::EnvoyGrpc,
];

/// A gateway, and what it stands on.
pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    /// The same sessions, without a gateway.
    pub(crate) sessions: Counterfoil,
    pub(crate) clock: FakeClock,
    pub(crate) faults: Faults,
    proxy: Proxy,
    decisions: Decisions,
}

/// What the browser asks for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) scheme: &'static str,
    pub(crate) host: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    /// Where the proxy saw it come from.
    pub(crate) address: &'static str,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The status of the contract; 0 and 7 of the gRPC one.
    pub(crate) status: u16,
    /// What the browser sees; 200 where the app answers.
    pub(crate) seen: u16,
    /// All headers of the answer.
    pub(crate) headers: HeaderMap,
    /// Taken out of the request before ours are set.
    pub(crate) removed: Vec<String>,
    pub(crate) denial: Option<Denial>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn app(proxy: Proxy, access: Access) -> AppConfig {
    AppConfig {
        name: "shop".parse().unwrap(),
        proxy,
        policy: Policy::aal2(ORIGIN).unwrap(),
        rules: Rules::new(vec![Rule::new("/*".parse().unwrap(), access)]),
        cookie_return: CookieReturn::One,
        assertion: Algorithm::Es256,
        app_cookies: counterfoil_gateway::app_cookies::AppCookies::default(),
        upstream: None,
    }
}

/// An app of which `/` is public, `/members/` for members, `/admin/` for those who stepped up, and nothing else there.
pub(crate) fn shop(proxy: Proxy) -> AppConfig {
    let rule = |path: &str, access| Rule::new(path.parse().unwrap(), access);
    AppConfig {
        rules: Rules::new(vec![
            rule("/", Access::Public),
            rule("/members/*", Access::SignedIn),
            rule("/admin/*", Access::StepUp(std::time::Duration::from_mins(5))),
        ]),
        ..app(proxy, Access::Public)
    }
}

impl Site {
    pub(crate) fn new(app: AppConfig) -> Self {
        Self::on(app, FaultyStore::around(MemoryStore::new()), FakeClock::at(NOW))
    }

    pub(crate) fn on(app: AppConfig, store: FaultyStore<MemoryStore>, clock: FakeClock) -> Self {
        Self::made(app, store, clock, None, Limiter::off())
    }

    pub(crate) fn limited(app: AppConfig, limiter: Limiter) -> Self {
        Self::made(app, FaultyStore::around(MemoryStore::new()), FakeClock::at(NOW), None, limiter)
    }

    pub(crate) fn asking(app: AppConfig, detector: CalledOut) -> Self {
        let store = FaultyStore::around(MemoryStore::new());
        Self::made(app, store, FakeClock::at(NOW), Some(detector), Limiter::off())
    }

    fn made(
        app: AppConfig,
        store: FaultyStore<MemoryStore>,
        clock: FakeClock,
        detector: Option<CalledOut>,
        limiter: Limiter,
    ) -> Self {
        let (faults, ring) = (store.faults().clone(), SharedRing::from_source(&GeneratedKeys).unwrap());
        let store: Arc<dyn DynStore> = Arc::new(store);
        let sessions = Counterfoil::sharing(app.policy.clone(), ring.clone(), Arc::clone(&store)).unwrap();
        let sessions = sessions.clock(clock.clone()).events(()).build();
        let proxy = app.proxy;
        let gateway = Gateway::builder(ring, store).clock(clock.clone()).events(()).detector(detector).limits(limiter);
        let gateway = gateway.build(&[app]).unwrap();
        let decisions = Decisions::of(gateway.clone());
        Self { gateway, sessions, clock, faults, proxy, decisions }
    }

    /// The cookies of somebody who signed in just now.
    pub(crate) async fn signed_in(&self, name: &str) -> Jar {
        let mut jar = Jar::default();
        sign_in(self.sessions.engine(), &mut jar, &Subject::new(name).unwrap()).await.unwrap();
        jar
    }

    pub(crate) async fn ask(&self, asked: &Asked) -> Answered {
        self.send(asked.through(self.proxy)).await
    }

    /// Sends a decision request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.decisions.clone().oneshot(request).await.unwrap();
        Answered::read(self.proxy, response).await
    }
}

impl Asked {
    pub(crate) fn get(target: &str) -> Self {
        Self {
            method: "GET".into(),
            scheme: "https",
            host: "shop.example".into(),
            target: target.into(),
            headers: HeaderMap::new(),
            address: "198.51.100.7",
        }
    }

    pub(crate) fn method(self, method: &str) -> Self {
        Self { method: method.into(), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    pub(crate) fn cookies(self, jar: &Jar) -> Self {
        match jar.header(NOW) {
            Some(cookies) => self.header("cookie", cookies.to_str().unwrap()),
            None => self,
        }
    }

    /// From a page of the app's own.
    pub(crate) fn own(self) -> Self {
        self.header("origin", ORIGIN).header("sec-fetch-site", "same-origin").header("sec-fetch-mode", "cors")
    }

    pub(crate) fn navigation(self) -> Self {
        self.header("sec-fetch-mode", "navigate").header("sec-fetch-site", "none")
    }

    /// The decision request that a proxy makes of it.
    pub(crate) fn through(&self, proxy: Proxy) -> Request<Body> {
        match proxy {
            Proxy::Nginx => self.through_nginx(),
            Proxy::Envoy => self.through_envoy(),
            #[cfg(feature = "grpc")]
            Proxy::EnvoyGrpc => crate::contracts::grpc::call(self, "shop"),
            _ => self.through_forward_auth(),
        }
    }

    fn through_nginx(&self) -> Request<Body> {
        let name = self.host.split(':').next().unwrap().to_ascii_lowercase();
        self.told(
            Request::get("/authz/auth-request/shop"),
            &[
                ("x-counterfoil-method", &self.method),
                ("x-counterfoil-target", &self.target),
                ("x-counterfoil-host", &self.host),
                ("x-counterfoil-server", &name),
                ("x-counterfoil-scheme", self.scheme),
            ],
        )
    }

    fn through_forward_auth(&self) -> Request<Body> {
        self.told(
            Request::get("/authz/forward-auth/shop"),
            &[
                ("x-forwarded-method", &self.method),
                ("x-forwarded-uri", &self.target),
                ("x-forwarded-host", &self.host),
                ("x-forwarded-proto", self.scheme),
            ],
        )
    }

    fn through_envoy(&self) -> Request<Body> {
        let address = format!("/authz/ext-authz/shop{}", self.target);
        let request = Request::builder().method(self.method.as_str()).uri(address);
        self.told(request, &[("host", &self.host), ("x-forwarded-proto", self.scheme)])
    }

    fn told(&self, request: http::request::Builder, told: &[(&'static str, &str)]) -> Request<Body> {
        let mut request = request.body(Body::empty()).unwrap();
        *request.headers_mut() = self.arriving();
        // What a proxy tells replaces what the browser sent under that name.
        for (name, value) in told {
            request.headers_mut().insert(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        request
    }

    /// The browser's headers as proxies pass them on: `Upgrade` and `Connection` concern their own connection.
    pub(crate) fn arriving(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        let upgrades = headers.remove("upgrade").is_some_and(|upgrade| upgrade == "websocket");
        headers.remove("connection");
        if upgrades {
            headers.insert("sec-websocket-version", HeaderValue::from_static("13"));
        }
        headers.append("x-forwarded-for", HeaderValue::from_static(self.address));
        headers
    }
}

impl Answered {
    async fn read(proxy: Proxy, response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let (status, headers) = (parts.status, parts.headers);
        #[cfg(feature = "grpc")]
        if proxy == Proxy::EnvoyGrpc {
            return crate::contracts::grpc::answered(&parts.extensions, &body);
        }
        let told: Option<u16> = headers.get("counterfoil-status").map(|told| told.to_str().unwrap().parse().unwrap());
        let seen = match (proxy, status) {
            (_, StatusCode::OK | StatusCode::NO_CONTENT) => 200,
            // As the configuration we print has it: a 401 with an address is a redirect there, and the rest as told.
            (Proxy::Nginx, _) => told.unwrap(),
            (_, status) => status.as_u16(),
        };
        let removed = headers.get("x-envoy-auth-headers-to-remove").map_or("", |names| names.to_str().unwrap());
        let removed = removed.split(',').map(str::to_owned).collect();
        let denial = parts.extensions.get().copied();
        Self { status: status.as_u16(), seen, headers, removed, denial, body: body.to_vec() }
    }

    pub(crate) fn passes(&self) -> bool {
        self.seen == 200
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The headers the app sees, of what the browser sent and the gateway answered.
    pub(crate) fn at_the_app(&self, sent: &HeaderMap) -> HeaderMap {
        let mut headers = sent.clone();
        for name in ANSWERED {
            if let Some(value) = self.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        for name in self.removed.iter().filter(|name| !name.is_empty()) {
            headers.remove(name.as_str());
        }
        headers
    }
}
