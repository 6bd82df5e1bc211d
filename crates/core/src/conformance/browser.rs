//! A small browser: a cookie jar fed by the effects of our responses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderValue, Method, header};

use super::bench::Bench;
use super::failure::{Failure, Verdict};
use super::secrets::Secrets;
use crate::cookie::{CookieKind, HeaderJoin, SetCookie};
use crate::engine::{Engine, Exchange, Identity, SignInOptions};
use crate::id::{SessionId, Subject};
use crate::rules::Amr;
use crate::seam::{Effects, RequestView, Route};
use crate::token::TokenKind;

/// A browser. A clone is a copy of its profile: same jar, but from then on a jar of its own.
#[derive(Clone)]
pub(super) struct Browser {
    jar: BTreeMap<&'static str, String>,
    address: IpAddr,
    secrets: Secrets,
}

impl Browser {
    /// A browser that was never here.
    pub(super) fn new(bench: &Bench) -> Self {
        Self {
            jar: BTreeMap::new(),
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
            secrets: bench.secrets().clone(),
        }
    }

    /// A browser in which `name` has signed in and looked at one page.
    pub(super) async fn signed_in(bench: &Bench, engine: &Engine, name: &str) -> Verdict<Self> {
        let mut browser = Self::new(bench);
        browser.sign_in(engine, name, SignInOptions::default()).await?;
        browser.visit_as(engine, name).await?;
        Ok(browser)
    }

    /// Sends a request of an ordinary route.
    pub(super) fn send(&self, engine: &Engine) -> Verdict<Exchange> {
        self.send_to(engine, Route::default())
    }

    /// Sends a request.
    pub(super) fn send_to(&self, engine: &Engine, route: Route) -> Verdict<Exchange> {
        let mut headers = HeaderMap::new();
        if !self.jar.is_empty() {
            let cookies: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.insert(header::COOKIE, HeaderValue::from_str(&cookies.join("; "))?);
        }
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let view = RequestView {
            method: &Method::GET,
            authority: Some("shop.example"),
            target: "/",
            headers: &headers,
            peer: Some(self.address),
            websocket: false,
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        Ok(engine.receive(&view, route))
    }

    /// Takes a response in.
    pub(super) fn receive(&mut self, effects: &Effects) {
        if let Some(cookie) = &effects.set_cookie {
            self.take(cookie);
        }
    }

    fn take(&mut self, cookie: &SetCookie) {
        let (pair, attributes) = cookie.as_str().split_once(';').unwrap_or_default();
        let value = pair.split_once('=').map_or("", |(_, value)| value);
        let name = cookie.name().as_str();
        if attributes.contains("Max-Age=0;") {
            self.jar.remove(name);
        } else {
            self.secrets.note(value);
            self.jar.insert(name, value.to_owned());
        }
    }

    /// One ordinary request and its response. Who was signed in or remembered by it.
    pub(super) async fn visit(&mut self, engine: &Engine) -> Verdict<Option<Identity>> {
        let exchange = self.send(engine)?;
        exchange.open().await?;
        let identity = exchange.identity().await?;
        self.receive(&exchange.conclude().await);
        Ok(identity)
    }

    /// One ordinary request, which must find `name`.
    pub(super) async fn visit_as(&mut self, engine: &Engine, name: &str) -> Verdict<Identity> {
        let found = self.visit(engine).await?;
        found
            .filter(|identity| identity.subject().as_str() == name)
            .ok_or_else(|| Failure::new(format!("{name} was signed in here, and is not any more")))
    }

    /// One ordinary request, which must find nobody.
    pub(super) async fn visit_as_nobody(&mut self, engine: &Engine) -> Verdict {
        match self.visit(engine).await? {
            None => Ok(()),
            Some(identity) => {
                Err(Failure::new(format!("a session that had ended was admitted, as {:?}", identity.assurance)))
            }
        }
    }

    /// Signs `name` in with a password. The new session is provisional until the next request.
    pub(super) async fn sign_in(&mut self, engine: &Engine, name: &str, options: SignInOptions) -> Verdict<SessionId> {
        let exchange = self.send(engine)?;
        let attempt = exchange.begin(Subject::new(name)?).await?;
        let attempt = exchange.verified(attempt, Amr::Pwd);
        let signed_in = exchange.complete(attempt, options).await?;
        self.receive(&exchange.conclude().await);
        Ok(signed_in.session)
    }

    /// Signs out.
    pub(super) async fn sign_out(&mut self, engine: &Engine) -> Verdict {
        let exchange = self.send(engine)?;
        exchange.sign_out().await?;
        self.receive(&exchange.conclude().await);
        Ok(())
    }

    /// Steps up with a password.
    pub(super) async fn step_up(&mut self, engine: &Engine) -> Verdict {
        let exchange = self.send(engine)?;
        exchange.step_up(Amr::Pwd).await?;
        self.receive(&exchange.conclude().await);
        Ok(())
    }

    /// Which session a token of this jar names.
    pub(super) fn session(&self, engine: &Engine, kind: TokenKind) -> Verdict<SessionId> {
        let (cookie, text) = match kind {
            TokenKind::Session => (CookieKind::Session, "session"),
            TokenKind::Visit => (CookieKind::Anonymous, "anonymous"),
            TokenKind::Elevated => (CookieKind::Elevated, "elevated"),
        };
        let token = self
            .jar
            .get(engine.policy().cookies().names().name(cookie).as_str())
            .and_then(|token| crate::token::Token::parse(kind, token, &engine.keys()).ok());
        token
            .map(|token| token.id())
            .ok_or_else(|| Failure::new(format!("the browser has no {text} cookie that is genuine")))
    }

    /// The value of a cookie, if the jar has it.
    pub(super) fn cookie(&self, engine: &Engine, kind: CookieKind) -> Option<&str> {
        let name = engine.policy().cookies().names().name(kind).as_str();
        self.jar.get(name).map(String::as_str)
    }

    /// Puts a cookie into the jar, as an attacker would.
    pub(super) fn plant(&mut self, engine: &Engine, kind: CookieKind, value: &str) {
        let name = engine.policy().cookies().names().name(kind).as_str();
        self.jar.insert(name, value.to_owned());
    }

    /// The same browser in another network.
    pub(super) fn moved_to(mut self, network: u8) -> Self {
        self.address = IpAddr::V4(Ipv4Addr::new(198, 51, network, 9));
        self
    }
}

/// Whether a response carries a cookie that could be used: any but a removal.
pub(super) fn carries_live_cookie(effects: &Effects) -> bool {
    let cookie = effects.set_cookie.as_ref();
    cookie.is_some_and(|cookie| !cookie.as_str().contains("Max-Age=0;"))
}

const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
