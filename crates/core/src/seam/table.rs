//! The seam table: requests with their answers, as data, for every transport to give the same.
//!
//! With the feature `testing` only. A transport implements [`Adapter`] and calls [`run`]; each row then goes through it
//! on a site of its own, so that no row depends on another.

#[rustfmt::skip] // One row is one line.
mod rows;
mod wardrobe;

use std::fmt;

use http::header::{CONTENT_TYPE, COOKIE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request};

pub use self::rows::ROWS;
use self::wardrobe::Wardrobe;
pub use self::wardrobe::Worn;
use super::{Denial, Route};
use crate::MemoryStore;
use crate::cookie::{CookieKind, CookieNames};
use crate::engine::Engine;
use crate::moment::{FakeClock, Moment};
use crate::policy::{Policy, PolicyError, PolicySettings};
use crate::rules::Assurance;
use crate::testing::{Fault, FaultyStore, Verb};

/// One request and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its number; stable, for people to refer to.
    pub number: u16,
    /// What it is about.
    pub name: &'static str,
    /// The request.
    pub asked: Asked,
    /// What the application declared about the route.
    pub route: Route,
    /// What the handler does.
    pub deed: Deed,
    /// What must come of it.
    pub answer: Answer,
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The method.
    pub method: &'static str,
    /// Path and query.
    pub target: &'static str,
    /// Cookies, by what they are worth. Those of one story belong to one session.
    pub cookies: &'static [Worn],
    /// Headers beside `Host` and `Cookie`.
    pub headers: &'static [(&'static str, &'static str)],
    /// The CSRF token it carries.
    pub csrf: CsrfSent,
    /// How the store is.
    pub store: StoreState,
}

/// The CSRF token of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsrfSent {
    /// None.
    Nothing,
    /// That of the session whose cookie is the first one, in `X-CSRF-Token`.
    InHeader,
    /// The same, in the field `csrf_token` of a form.
    InForm,
    /// One of another session, in `X-CSRF-Token`.
    OfAnother,
    /// Something of the right length that we did not make.
    Invented,
}

/// How the store is while the request runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    /// It answers.
    Up,
    /// It does not.
    Down,
    /// It answers, but writes fail.
    ReadOnly,
}

/// What the application's handler does, where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deed {
    /// Answers 200 without a look at the session.
    Answer,
    /// Looks who is there, and answers 200.
    Look,
    /// Needs somebody signed in.
    NeedSignedIn,
    /// Needs a step-up no longer ago than 300 seconds.
    NeedRecent,
    /// Sets one key.
    Set,
    /// Sets one key, then fails with a 500.
    SetAndFail,
    /// Sets one key; meanwhile an operator ends the session.
    SetWhileEnded,
    /// Signs in ada.
    SignIn,
    /// Signs out.
    SignOut,
    /// Grants a step-up.
    StepUp,
}

/// What must come of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status the client sees.
    pub status: u16,
    /// Whether the handler ran.
    pub ran: bool,
    /// What the handler may rely on, where it looked.
    pub assurance: Option<Assurance>,
    /// Which cookie of ours the response carries.
    pub cookie: CookieSent,
    /// Why the application was not the one to answer.
    pub denial: Option<Denial>,
    /// What caches are told.
    pub caching: Caching,
    /// Whether the store was asked anything.
    pub asks_store: bool,
}

/// Which cookie of ours a response carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieSent {
    /// None.
    Nothing,
    /// It sets one.
    Sets(CookieKind),
    /// It removes one.
    Removes(CookieKind),
}

/// What caches are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// `Cache-Control: no-store`.
    NoStore,
    /// `Vary: Cookie`.
    Varies,
}

/// What a transport's client saw, and what its handler noticed.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The status.
    pub status: u16,
    /// The response's headers.
    pub headers: HeaderMap,
    /// Why the application was not the one to answer.
    pub denial: Option<Denial>,
    /// Whether the handler ran.
    pub ran: bool,
    /// What it could rely on, where it looked.
    pub assurance: Option<Assurance>,
}

/// What an adapter builds its site from.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The policy, for [`ORIGIN`].
    pub policy: Policy,
    /// The store.
    pub store: FaultyStore<MemoryStore>,
    /// The clock.
    pub clock: FakeClock,
}

/// A transport, as the table sees it.
pub trait Adapter {
    /// The engine of its site.
    fn engine(&self) -> &Engine;

    /// Whether it can answer such a row at all; a gateway's decisions cannot set data, for example.
    fn can(&self, _row: &Row) -> bool {
        true
    }

    /// Sends the request to a route declared as `route`, whose handler does `deed`. Where people are sent is the
    /// adapter's: redirects are told by their status.
    fn ask(&self, request: Request<String>, route: Route, deed: Deed) -> impl Future<Output = Observed>;
}

/// The rows that were not answered as they must be.
#[derive(Debug)]
pub struct Differences(Vec<(Row, Vec<String>)>);

/// Where the table's site is.
pub const ORIGIN: &str = "https://shop.example";

/// Runs every row through an adapter that `start` makes. Says how many were run.
///
/// # Errors
/// [`Differences`], if an answer is not as it must be, or the table's own site could not be built.
pub async fn run<A: Adapter>(mut start: impl FnMut(Setup) -> A) -> Result<usize, Differences> {
    let (mut ran, mut differing) = (0, Vec::new());
    for row in ROWS {
        let Ok(setup) = setup() else {
            return Err(Differences(vec![(*row, vec!["the table's policy is not one".into()])]));
        };
        let adapter = start(setup.clone());
        if adapter.can(row) {
            ran += 1;
            let differences = row.try_through(&adapter, &setup).await;
            differing.extend((!differences.is_empty()).then_some((*row, differences)));
        }
    }
    if differing.is_empty() { Ok(ran) } else { Err(Differences(differing)) }
}

fn setup() -> Result<Setup, PolicyError> {
    let mut settings = PolicySettings::aal2(ORIGIN);
    settings.timeouts.remember_for = Some("30days".parse()?);
    settings.csrf.trusted_origins = vec!["https://idp.example".into()];
    Ok(Setup {
        policy: settings.try_into()?,
        store: FaultyStore::around(MemoryStore::new()),
        clock: FakeClock::at(NOW),
    })
}

impl Row {
    async fn try_through(&self, adapter: &impl Adapter, setup: &Setup) -> Vec<String> {
        let mut wardrobe = Wardrobe::new(adapter.engine(), &setup.clock);
        let request = match self.request(&mut wardrobe).await {
            Ok(request) => request,
            Err(error) => return vec![format!("the request could not be made: {error}")],
        };
        let faults = setup.store.faults();
        match self.asked.store {
            StoreState::Up => {}
            StoreState::Down => faults.on_all(Fault::Before),
            StoreState::ReadOnly => {
                for verb in [Verb::Insert, Verb::Replace, Verb::Commit, Verb::End] {
                    faults.on(verb, Fault::Before);
                }
            }
        }
        let before = faults.asked();
        let observed = adapter.ask(request, self.route, self.deed).await;
        self.answer.differences(&observed, faults.asked() > before)
    }

    async fn request(&self, wardrobe: &mut Wardrobe<'_>) -> Result<Request<String>, Box<dyn std::error::Error>> {
        let mut request = Request::builder().method(self.asked.method).uri(self.asked.target).header(HOST, HOST_NAME);
        let mut pairs = Vec::new();
        for worn in self.asked.cookies {
            pairs.push(format!("{}={}", CookieNames::https().name(worn.name()), wardrobe.text(*worn).await?));
        }
        if !pairs.is_empty() {
            request = request.header(COOKIE, pairs.join("; "));
        }
        let own = self.asked.cookies.first().copied();
        let csrf = match (self.asked.csrf, own) {
            (CsrfSent::InHeader | CsrfSent::InForm, Some(own)) => wardrobe.csrf_token(own).await?,
            (CsrfSent::OfAnother, _) => wardrobe.csrf_token(Worn::OfGrace).await?,
            (CsrfSent::Invented, _) => "A".repeat(86),
            _ => String::new(),
        };
        let mut body = String::new();
        match self.asked.csrf {
            CsrfSent::InForm => {
                request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                body = format!("amount=5&csrf_token={csrf}");
            }
            CsrfSent::Nothing => {}
            _ => request = request.header("x-csrf-token", csrf),
        }
        let mut request = request.body(body)?;
        for (name, value) in self.asked.headers {
            request.headers_mut().append(HeaderName::try_from(*name)?, HeaderValue::try_from(*value)?);
        }
        Ok(request)
    }
}

impl Answer {
    fn differences(&self, observed: &Observed, asked_store: bool) -> Vec<String> {
        let seen = Self {
            status: observed.status,
            ran: observed.ran,
            assurance: observed.assurance,
            cookie: CookieSent::read(&observed.headers),
            denial: observed.denial,
            caching: Caching::read(&observed.headers),
            asks_store: asked_store,
        };
        let mut differences = Vec::new();
        let mut compare = |what: &str, wanted: &dyn fmt::Debug, seen: &dyn fmt::Debug| {
            let (wanted, seen) = (format!("{wanted:?}"), format!("{seen:?}"));
            if wanted != seen {
                differences.push(format!("{what}: {seen} instead of {wanted}"));
            }
        };
        compare("status", &self.status, &seen.status);
        compare("handler ran", &self.ran, &seen.ran);
        compare("assurance", &self.assurance, &seen.assurance);
        compare("cookie", &self.cookie, &seen.cookie);
        compare("denial", &self.denial, &seen.denial);
        compare("caching", &self.caching, &seen.caching);
        compare("store asked", &self.asks_store, &seen.asks_store);
        if observed.headers.get_all(http::header::SET_COOKIE).iter().count() > 1 {
            differences.push("more than one Set-Cookie".into());
        }
        differences
    }
}

impl CookieSent {
    fn read(headers: &HeaderMap) -> Self {
        let Some(cookie) = headers.get(http::header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok()) else {
            return Self::Nothing;
        };
        let name = cookie.split('=').next().unwrap_or_default();
        let kind = CookieKind::ALL.into_iter().find(|kind| CookieNames::https().name(*kind).as_str() == name);
        match (kind, cookie.contains("Max-Age=0;")) {
            (None, _) => Self::Nothing,
            (Some(kind), false) => Self::Sets(kind),
            (Some(kind), true) => Self::Removes(kind),
        }
    }
}

impl Caching {
    /// Whatever else there is: nothing else keeps one person's answer from another.
    fn read(headers: &HeaderMap) -> Self {
        let no_store = |value: &HeaderValue| value.as_bytes() == b"no-store";
        if headers.get(http::header::CACHE_CONTROL).is_some_and(no_store) { Self::NoStore } else { Self::Varies }
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} rows of the seam table differ:", self.0.len())?;
        for (row, differences) in &self.0 {
            writeln!(out, "  {:>3} {}: {}", row.number, row.name, differences.join("; "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Differences {}

const HOST_NAME: &str = "shop.example";
/// When each request is sent; what its cookies went through lies before it.
const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_one_by_one_and_named_once() {
        let mut names = std::collections::BTreeSet::new();
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(usize::from(row.number), index + 1, "{}", row.name);
            assert!(names.insert(row.name), "{} is there twice", row.name);
        }
        assert!(ROWS.len() >= 60);
    }
}
