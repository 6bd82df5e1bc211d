//! Somebody at the site: a browser's cookies, and requests as a browser would send them.

mod from;
mod ready;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::Method;
use url::Url;

pub use self::from::From;
pub use self::ready::{Body, Ready, TokenPlace, Values};
pub(crate) use self::ready::{random, telling, urlencoded};

use crate::bound::Offer;
use crate::browser::BrowserError;
use crate::cookie::Jar;
use crate::exchange::{Exchange, Sent};
use crate::profile::{Step, Tokens};
use crate::site::Site;
use crate::wire::{WireError, authority, now_millis};

/// A browser with a jar of its own. A clone is a thief's copy.
#[derive(Clone, Debug)]
pub struct Visitor<'a> {
    site: &'a Site,
    /// Its cookies.
    pub jar: Jar,
    /// Sent as `Authorization: Bearer`.
    pub bearer: Option<Bearer>,
    /// What the site last offered for binding the session to a key.
    pub(crate) offer: Option<Offer>,
    agent: &'static str,
}

/// A bearer token, which is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer(pub String);

/// Why a proof cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The profile has no step where it must have one.
    #[error("{0} has no step")]
    NoSteps(&'static str),
    /// The page has no form, and the profile does not say where to send.
    #[error("{page} has no form that fits (status {status}); say in `request` where to send")]
    NoForm {
        /// Which page.
        page: String,
        /// What it answered.
        status: u16,
    },
    /// `{csrf}` is demanded and nowhere to be found.
    #[error(
        "{page} has no CSRF token to send: neither a hidden field, a meta element, a JSON field nor a cookie is one"
    )]
    NoToken {
        /// Which page.
        page: String,
    },
    /// The sign-in ran, and the marker does not show.
    #[error("the sign-in did not sign in: {} answered {} without the marker", .page.sent.url.path(), .page.answer.status)]
    NotIn {
        /// The page that should show it.
        page: Box<Exchange>,
    },
    /// The browser.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// Something a proof needs did not happen.
    #[error("{0}")]
    Control(String),
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(site: &'a Site) -> Self {
        Self { site, jar: Jar::default(), bearer: None, offer: None, agent: AGENT }
    }

    /// The same, by another program.
    pub fn with_agent(mut self, agent: &'static str) -> Self {
        self.agent = agent;
        self
    }

    /// With these of its cookies alone, and no bearer token.
    pub fn only(&self, names: &[String]) -> Self {
        let mut copy = self.clone();
        copy.bearer = None;
        for name in self.jar.names().iter().filter(|name| !names.contains(name)) {
            copy.jar.remove(name);
        }
        copy
    }

    /// With its bearer token alone.
    pub fn bearer_alone(&self) -> Self {
        Self { jar: Jar::default(), ..self.clone() }
    }

    /// The values of what signs it in.
    pub fn credential(&self) -> Vec<Option<&str>> {
        self.site.ways().session.iter().map(|name| self.jar.get(name)).collect()
    }

    /// What it calls itself.
    pub(crate) fn agent(&self) -> &'static str {
        self.agent
    }

    /// The site they are at.
    pub fn site(&self) -> &'a Site {
        self.site
    }

    /// Reads a page, and keeps its cookies.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn get(&mut self, path: &str, from: From) -> Result<Exchange, Trouble> {
        self.send(&Ready::get(self.site.url(path)), from).await
    }

    /// Makes a step of the profile ready: reads its page, fills in its form and its values.
    ///
    /// # Errors
    ///
    /// There is no answer, no form, or no token.
    pub async fn prepare(&mut self, step: &Step, values: &Values) -> Result<Ready, Trouble> {
        let page = match &step.page {
            Some(path) => {
                let page = self.get(path, From::Address).await?;
                Some(self.follow(page).await?)
            }
            None => None,
        };
        ready::fill(self, step, values, page)
    }

    /// Prepares and sends a step.
    ///
    /// # Errors
    ///
    /// As of [`Visitor::prepare`] and [`Visitor::send`].
    pub async fn step(&mut self, step: &Step, values: &Values, from: From) -> Result<Exchange, Trouble> {
        let ready = self.prepare(step, values).await?;
        self.send(&ready, from).await
    }

    /// Sends what is ready, with the cookies of the jar, and keeps those that come.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn send(&mut self, ready: &Ready, from: From) -> Result<Exchange, Trouble> {
        self.send_to(ready, ready.url.clone(), from).await
    }

    /// The same at another address.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn send_to(&mut self, ready: &Ready, url: Url, from: From) -> Result<Exchange, Trouble> {
        let (kind, body) = ready.encoded();
        let mut headers = self.headers(&url, from, ready.method == Method::GET);
        headers.extend(kind.map(|kind| ("Content-Type".to_owned(), kind)));
        headers.extend(ready.headers.iter().cloned());
        let sent = Sent { method: ready.method.clone(), url, headers, body: Bytes::from(body) };
        self.exchange(sent).await
    }

    /// Sends a request as it is: nothing is added, and the cookies that come are kept.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn exchange(&mut self, sent: Sent) -> Result<Exchange, Trouble> {
        let exchange = self.site.wire().send(sent).await?;
        self.keep(&exchange);
        self.site.note(&exchange);
        Ok(exchange)
    }

    /// Goes where redirects lead, as long as that is the site.
    ///
    /// # Errors
    ///
    /// There is no answer, or no end.
    pub async fn follow(&mut self, mut last: Exchange) -> Result<Exchange, Trouble> {
        for _ in 0..MOST_REDIRECTS {
            let target = last.answer.first("location").filter(|_| last.answer.redirects());
            let Some(url) = target.and_then(|target| last.sent.url.join(&target).ok()) else { return Ok(last) };
            if !self.site.wire().reaches(&url) {
                return Ok(last);
            }
            last = self.send(&Ready::get(url), From::Own).await?;
        }
        Err(Trouble::Control(format!("{} redirects without end", last.sent.url.path())))
    }

    /// Opens the profile's `WebSocket` from `from`.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn socket(
        &self,
        socket: &crate::profile::Socket,
        from: From,
    ) -> Result<crate::wire::SocketAnswer, Trouble> {
        let url = self.site.url(&socket.url);
        let mut headers: Vec<_> = from.of_socket(&url).into_iter().collect();
        headers.extend(self.credentials(&url));
        headers.push(("User-Agent".to_owned(), self.agent.to_owned()));
        let (send, expects) = (socket.send.as_deref(), socket.expects.as_deref());
        let expects = expects.map(|words| words.replace("{user}", &self.site.profile.account.user));
        Ok(self.site.wire().socket(&url, &headers, send, expects.as_deref()).await?)
    }

    /// Everything that says who this is.
    fn credentials(&self, url: &Url) -> Vec<(String, String)> {
        let cookies = self.jar.header(url, now_millis()).map(|value| ("Cookie".to_owned(), value));
        let bearer = self.bearer.as_ref().map(|Bearer(token)| ("Authorization".to_owned(), format!("Bearer {token}")));
        cookies.into_iter().chain(bearer).collect()
    }

    fn headers(&self, url: &Url, from: From, read: bool) -> Vec<(String, String)> {
        let mut headers = vec![
            ("Host".to_owned(), authority(url)),
            ("User-Agent".to_owned(), self.agent.to_owned()),
            ("Accept".to_owned(), ACCEPT.to_owned()),
            ("Accept-Language".to_owned(), "en".to_owned()),
        ];
        headers.extend(from.headers(url, read));
        headers.extend(self.credentials(url));
        headers
    }

    fn keep(&mut self, exchange: &Exchange) {
        let lines: Vec<_> = exchange.answer.all("set-cookie").collect();
        self.jar.take(&exchange.sent.url, lines, exchange.answer.at_millis);
        for kept in &self.jar {
            self.site.keep_secret(&kept.value);
        }
        self.hear(exchange);
    }

    /// Takes note of an offer to bind the session.
    pub(crate) fn hear(&mut self, exchange: &Exchange) {
        if let Some(offer) = Offer::of(exchange) {
            for secret in offer.challenge.iter().chain(&offer.authorization) {
                self.site.keep_secret(secret);
            }
            self.offer = Some(offer);
        }
    }

    /// Takes up the access token of an answer; the refresh token, if any, is returned.
    pub(crate) fn take_tokens(&mut self, answer: &Exchange, tokens: &Tokens) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&answer.answer.body).ok()?;
        let field = |name: &str| {
            let value = name.split('.').try_fold(&body, |value, part| value.get(part));
            value.and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        let access = field(&tokens.access_field)?;
        self.site.keep_secret(&access);
        self.bearer = Some(Bearer(access));
        let refresh = tokens.refresh_field.as_deref().and_then(field);
        if let Some(refresh) = &refresh {
            self.site.keep_secret(refresh);
        }
        refresh
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Bearer(redacted)")
    }
}

/// Says what it is to whoever reads the site's log.
const AGENT: &str = concat!("Mozilla/5.0 (compatible; counterfoil-audit/", env!("CARGO_PKG_VERSION"), ")");

const ACCEPT: &str = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8";

const MOST_REDIRECTS: usize = 5;
