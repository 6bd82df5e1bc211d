//! Limiter on trying: passwords, codes, stepping up, making sessions, staying signed in, forging requests.
//!
//! They are on unless a program says otherwise, with the rates of [`LimitSettings`]. What a site does by itself: it holds
//! back who is refused as cross-site again and again. What its handlers do, because only they know whether a try failed:
//! [`SignIn::trial`](crate::SignIn::trial) before a password or a code is looked at, [`Session::trial`](crate::Session::trial)
//! before whoever is signed in proves it again, [`Session::refresh_trial`](crate::Session::refresh_trial) on a route that only
//! keeps people signed in.
//!
//! # Security
//! See [`counterfoil_core::limits`]: nobody can lock an account out by failing at it from elsewhere, and nobody waits
//! longer than one step. Memory is bounded, about 8 MB when a million addresses try at once. Times are the process's
//! monotonic ones: no change of the system's clock moves them. Where nodes count together
//! ([`shared`](Limiter::shared)) and what they share does not answer, each goes by its own count and says so in the log: an
//! outage there never keeps people from signing in, and never lets them try without a limit.
//!
//! # Examples
//! ```
//! use axum::{Form, response::{IntoResponse, Redirect, Response}};
//! use counterfoil::{Amr, Error, SignIn, Subject};
//! # #[derive(serde::Deserialize)] struct Credentials { user: String, password: String }
//! # async fn verify(_: &Credentials) -> bool { true }
//!
//! async fn login(gate: SignIn, Form(form): Form<Credentials>) -> Result<Response, Error> {
//!     let trial = gate.trial(&form.user).await?; // 429 with `Retry-After`, if it was tried too often
//!     let mut attempt = gate.begin(Subject::new(&form.user)?).await?;
//!     if !verify(&form).await {
//!         return Ok(trial.told(Redirect::to("/login?wrong").into_response()));
//!     }
//!     trial.succeeded().await; // nothing was used up, and the account is known here from now on
//!     attempt.factor(Amr::Pwd);
//!     Ok(attempt.complete().await?.redirect("/").into_response())
//! }
//! ```

mod fields;
mod keys;
mod refusal;
mod stopwatch;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::response::Response;
use counterfoil_core::SessionId;
use counterfoil_core::keys::SharedRing;
pub use counterfoil_core::limits::{
    Act, AddressRates, Asker, CodeRates, LimitSettings, NotARate, Per, Rate, SessionRates, SharedLimits, SignInRates,
};
use counterfoil_core::limits::{Answer, Ask, Granted, Ledger};
use counterfoil_core::store::StoreError;
use parking_lot::Mutex;

use self::keys::Keys;
pub use self::refusal::TriedTooOften;
use self::stopwatch::Stopwatch;

/// The limits of one site, or of all sites of a program. Cheap to clone: clones count together.
#[derive(Clone)]
pub struct Limiter(Option<Arc<Parts>>);

struct Parts {
    settings: LimitSettings,
    keys: Keys,
    ledger: Mutex<Ledger>,
    clock: Stopwatch,
    shared: Option<Arc<dyn SharedLimits>>,
    /// Until then this node goes by its own count without asking; zero while others answer.
    alone_until: AtomicU64,
    alone: AtomicU64,
}

/// A try that may be made. It counts as failed unless somebody says otherwise.
#[must_use = "say `passed` or `succeeded`, or it counts as failed"]
#[derive(Clone)]
pub struct Trial {
    open: Option<Open>,
    failure: Option<Arc<Failure>>,
}

/// What is to be done once the last who could say that it did not fail is gone.
struct Failure {
    settled: AtomicBool,
    then: Box<dyn Fn() + Send + Sync>,
}

#[derive(Clone)]
struct Open {
    limits: Arc<Parts>,
    ask: Ask,
    granted: Granted,
    counted: Counted,
}

/// Who admitted it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Here,
    Together,
}

impl Limiter {
    /// These limits, counted in this process.
    pub fn new(settings: LimitSettings) -> Self {
        Self::with_clock(settings, Stopwatch::running())
    }

    /// Limiter for which no time passes, so that a slow machine gets no further than a fast one: for tests.
    pub fn at_a_standstill(settings: LimitSettings) -> Self {
        Self::with_clock(settings, Stopwatch::standing())
    }

    /// Never refuses: for tests that are not about it.
    pub const fn off() -> Self {
        Self(None)
    }

    fn with_clock(settings: LimitSettings, clock: Stopwatch) -> Self {
        Self(Some(Arc::new(Parts {
            settings,
            keys: Keys::own(),
            ledger: Mutex::new(Ledger::of(MOST_KEYS)),
            clock,
            shared: None,
            alone_until: AtomicU64::new(0),
            alone: AtomicU64::new(0),
        })))
    }

    /// Counts together with other nodes that have the same keys. Call it before the limits are cloned.
    #[must_use]
    pub fn shared(self, shared: Arc<dyn SharedLimits>, ring: SharedRing) -> Self {
        Self(self.0.map(|parts| {
            Arc::new(Parts {
                settings: parts.settings.clone(),
                keys: Keys::Ring(ring),
                ledger: Mutex::new(Ledger::of(MOST_KEYS)),
                clock: parts.clock.clone(),
                shared: Some(shared),
                alone_until: AtomicU64::new(0),
                alone: AtomicU64::new(0),
            })
        }))
    }

    /// The rates in force; none where everything is allowed.
    pub fn settings(&self) -> Option<&LimitSettings> {
        self.0.as_ref().map(|parts| &parts.settings)
    }

    /// How often this node went by its own count because what nodes share did not answer.
    pub fn counted_alone(&self) -> u64 {
        self.0.as_ref().map_or(0, |parts| parts.alone.load(Ordering::Relaxed))
    }

    /// A try at the password of `subject`: its name, in one spelling.
    ///
    /// # Errors
    /// [`TriedTooOften`]; do not look at the password then.
    pub async fn sign_in(&self, asker: Asker, subject: &str) -> Result<Trial, TriedTooOften> {
        self.ask(|parts| parts.settings.sign_in(&parts.keys, asker, subject)).await
    }

    /// A try at a one-time code of `subject`, whose password was right.
    ///
    /// # Errors
    /// [`TriedTooOften`]; do not look at the code then.
    pub async fn code(&self, asker: Asker, subject: &str) -> Result<Trial, TriedTooOften> {
        self.ask(|parts| parts.settings.code(&parts.keys, asker, subject)).await
    }

    /// A try, in this session, at what only its user knows.
    ///
    /// # Errors
    /// [`TriedTooOften`].
    pub async fn step_up(&self, session: SessionId) -> Result<Trial, TriedTooOften> {
        self.ask(|parts| parts.settings.step_up(&parts.keys, session)).await
    }

    /// Asking, in this session, to stay signed in. It counts whether or not anything fails.
    ///
    /// # Errors
    /// [`TriedTooOften`].
    pub async fn refresh(&self, session: SessionId) -> Result<Trial, TriedTooOften> {
        self.ask(|parts| parts.settings.refresh(&parts.keys, session)).await
    }

    /// A new session for whoever is at this address.
    ///
    /// # Errors
    /// [`TriedTooOften`]: make none.
    pub async fn session_creation(&self, client: IpAddr) -> Result<Trial, TriedTooOften> {
        self.ask(|parts| parts.settings.session_creation(&parts.keys, client)).await
    }

    /// A request that was refused as cross-site.
    ///
    /// # Errors
    /// [`TriedTooOften`]: say so instead.
    pub async fn csrf_failure(&self, client: IpAddr) -> Result<Trial, TriedTooOften> {
        self.ask(|parts| parts.settings.csrf_failure(&parts.keys, client)).await
    }

    async fn ask(&self, ask: impl FnOnce(&Parts) -> Ask + Send) -> Result<Trial, TriedTooOften> {
        let Some(parts) = &self.0 else { return Ok(Trial::of(None)) };
        let ask = ask(parts);
        let (answer, counted) = match parts.ask_together(&ask).await {
            Some(answer) => (answer, Counted::Together),
            None => (parts.ledger.lock().ask(&ask, parts.clock.now()), Counted::Here),
        };
        match answer {
            Answer::Granted(granted) => Ok(Trial::of(Some(Open { limits: Arc::clone(parts), ask, granted, counted }))),
            Answer::Refused(refused) => {
                let news = parts.ledger.lock().is_news(&refused, parts.clock.now());
                Err(TriedTooOften { refused, news })
            }
        }
    }
}

impl Parts {
    /// What all nodes say; `None` where there are no others, or they cannot be asked at this moment.
    async fn ask_together(&self, ask: &Ask) -> Option<Answer> {
        let shared = self.shared.as_ref()?;
        let answer = self.within(|| shared.ask(ask)).await?;
        if let Answer::Granted(granted) = answer {
            // So that this node knows what it needs on the day it is alone.
            let (mut ledger, now) = (self.ledger.lock(), self.clock.now());
            ledger.note(ask, granted.familiar, now);
            if granted.familiar {
                ledger.learn(ask, now);
            }
        }
        Some(answer)
    }

    /// What the others answer, if they do in time. Where they did not a moment ago nobody waits for them again.
    async fn within<'a, T, F>(&'a self, asking: impl FnOnce() -> F + Send) -> Option<T>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'a,
    {
        let before = self.alone_until.load(Ordering::Relaxed);
        let answer =
            if before > self.clock.now() { None } else { Some(tokio::time::timeout(PATIENCE, asking()).await) };
        match answer {
            Some(Ok(Ok(answer))) => {
                if self.alone_until.swap(0, Ordering::Relaxed) != 0 {
                    tracing::info!(rule = "limits", "limits are counted together with other nodes again");
                }
                return Some(answer);
            }
            Some(Ok(Err(error))) => self.stand_alone(before, &error.to_string()),
            Some(Err(_)) => self.stand_alone(before, "no answer in time"),
            None => {}
        }
        self.alone.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn stand_alone(&self, before: u64, why: &str) {
        self.alone_until.store(self.clock.now().saturating_add(REST_MILLIS), Ordering::Relaxed);
        if before == 0 {
            tracing::warn!(rule = "limits", why, "limits are counted by this node alone until others answer again");
        }
    }
}

impl Trial {
    const fn of(open: Option<Open>) -> Self {
        Self { open, failure: None }
    }

    /// The same; and if it fails, `then` is called.
    pub(crate) fn or_else(self, then: impl Fn() + Send + Sync + 'static) -> Self {
        Self { failure: Some(Arc::new(Failure { settled: AtomicBool::new(false), then: Box::new(then) })), ..self }
    }

    /// It did not fail, and is not counted. Where more is wanted before somebody is signed in, such as a code, that is all.
    pub async fn passed(self) {
        self.settle(false).await;
    }

    /// It did not fail, is not counted, and was the last thing wanted: from now on the account is known where this came from,
    /// and failures elsewhere cannot keep its owner out there.
    pub async fn succeeded(self) {
        self.settle(true).await;
    }

    async fn settle(self, learn: bool) {
        if let Some(failure) = &self.failure {
            failure.settled.store(true, Ordering::Relaxed);
        }
        let Some(Open { limits, ask, granted, counted }) = self.open else { return };
        {
            let (mut ledger, now) = (limits.ledger.lock(), limits.clock.now());
            ledger.give_back(&ask, granted.familiar, now);
            if learn {
                ledger.learn(&ask, now);
            }
        }
        if let (Some(shared), Counted::Together) = (&limits.shared, counted) {
            let _ = limits.within(|| shared.give_back(&ask, granted.familiar, learn)).await;
        }
    }

    /// The answer, with how often more (`RateLimit`, `RateLimit-Policy`), as far as that is the asker's own business.
    #[must_use]
    pub fn told(&self, mut answer: Response) -> Response {
        if let Some((open, (per, pace, left))) = self.open.as_ref().and_then(|open| Some((open, open.granted.left?))) {
            let full_in = pace.every().saturating_mul(pace.at_once().get().saturating_sub(left));
            fields::write(answer.headers_mut(), (open.ask.act, per), pace, left, full_in);
        }
        answer
    }
}

impl Drop for Failure {
    fn drop(&mut self) {
        if !self.settled.load(Ordering::Relaxed) {
            (self.then)();
        }
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new(LimitSettings::default())
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Limiter").field("settings", &self.settings()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Trial").field("granted", &self.open.as_ref().map(|open| open.granted)).finish_non_exhaustive()
    }
}

/// Of each kind of budget; 16 bytes each.
const MOST_KEYS: usize = 65_536;
/// What nodes share answers within a millisecond or two; somebody waits to sign in.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long nobody asks again what did not answer.
const REST_MILLIS: u64 = 1_000;
