//! Moving away from another session layer without signing anybody out.
//!
//! A closure reads an old session cookie and says whose session it is. Counterfoil then signs them in, once, and the old
//! cookie goes. Nobody notices; when the last old session has run out, the closure goes too.
//!
//! # Examples
//! ```
//! use counterfoil::adopt::{Adopt, Adopted, OldCookie};
//! use counterfoil::{Amr, Counterfoil, GeneratedKeys, MemoryStore, Moment, Policy, Subject};
//! # #[derive(Clone)] struct OldStore;
//! # struct OldSession { user: String, signed_in_at: u64 }
//! # impl OldStore {
//! #     async fn load(&self, _: &str) -> Result<Option<OldSession>, std::io::Error> { Ok(None) }
//! #     async fn delete(&self, _: &str) -> Result<(), std::io::Error> { Ok(()) }
//! # }
//! # let old_store = OldStore;
//!
//! let adopt = Adopt::from_cookie("sid", move |cookie: OldCookie| {
//!     let old_store = old_store.clone();
//!     async move {
//!         let Some(session) = old_store.load(cookie.value()).await? else { return Ok(None) };
//!         let end_old = async move { Ok(old_store.delete(cookie.value()).await?) };
//!         let signed_in_at = Moment::from_unix_seconds(session.signed_in_at);
//!         Ok(Some(Adopted::new(Subject::new(session.user)?, signed_in_at, end_old).factor(Amr::Pwd)))
//!     }
//! })?;
//! let site = Counterfoil::builder(Policy::aal1("https://shop.example")?, &GeneratedKeys, MemoryStore::new())?
//!     .adopt(adopt.until(Moment::from_unix_seconds(1_830_000_000)))
//!     .build();
//! # let _ = site;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # When it runs
//! When somebody looks for a session, the request carries no genuine token of ours, and the old cookie is there: on
//! private routes before the handler, on public ones when the handler looks. Not before the CSRF decision, and not where
//! that needed a token; not for a frame, image or script of another site, whose response cannot set our cookie; not for
//! a WebSocket handshake. A prefetched page that asks whose it is gets 503, so that the browser asks again when somebody
//! wants to see it.
//!
//! # What one gets by it
//! A session as after a sign-in, with a new id and a token of its own, never stepped up. `auth_time` is the old sign-in,
//! and the absolute limit counts from it: an old session older than that is not adopted, so choose a policy that fits
//! what your users are used to ([`Policy::aal1`](crate::Policy::aal1) allows 30 days). The idle limit counts from the
//! adoption. Without [`Adopted::factor`] the session says [`Amr::Fed`]: somebody else vouched for it.
//!
//! # Once
//! Id and first token of the new session are derived from the old cookie, so parallel tabs, a repeated request after a
//! lost answer and two nodes all come to the same session. The old one ends only when the new one is stored: an outage of
//! either store is 503 and changes nothing. From the moment the new token is used, and a minute has passed, the old
//! cookie opens nothing: a copy of it is told as `session.adoption_refused`.
//!
//! # Security
//! * An old cookie is worth what it was worth to the layer before. Whoever stole one may come first; whoever can plant one
//!   in somebody's browser (a sibling domain, where its name has no `__Host-` prefix) can have them signed in as the
//!   planter. Two different values in one request adopt nobody. An end date bounds both.
//! * An invented old cookie costs a look into both stores, where one of ours would be refused without any (law 7): bound
//!   it by the end date, and by the rate limit that stands before the application.
//! * While old sessions are adopted, whatever ends all sessions of a person must end their old ones in the old store too.
//!   Whoever signs out their other devices here has also refused their old sessions, as long as they have a session here.
//! * Signing in and signing out remove the old cookie as well.

use std::sync::atomic::{AtomicBool, Ordering};

pub use counterfoil_core::cookie::{BadForeignCookie, ForeignCookie, OldCookie};
use counterfoil_core::engine::{Entry, OldSession, Predecessor};
use counterfoil_core::rules::Amr;
use counterfoil_core::store::{BoxError, BoxFuture};
use counterfoil_core::{Moment, Subject};

use crate::handle::to_the_end;

/// How sessions of the layer before are found. See [the module](self).
#[must_use = "give it to `Builder::adopt`"]
pub struct Adopt {
    cookie: ForeignCookie,
    find: Box<Find>,
    until: Option<Moment>,
    told_that_it_is_over: AtomicBool,
}

/// A session of the layer before, as the closure found it.
#[must_use = "return it from the closure"]
pub struct Adopted(OldSession);

/// What a closure answers: a session, none, or that the old store does not answer.
pub type Found = Result<Option<Adopted>, Box<dyn std::error::Error + Send + Sync>>;

type Find = dyn Fn(OldCookie) -> BoxFuture<'static, Result<Option<OldSession>, BoxError>> + Send + Sync;

impl Adopt {
    /// Sessions whose cookie has this name, set with `Path=/` and without `Domain`. `find` looks one up and ends nothing;
    /// `Ok(None)` where there is none or nobody is signed in by it, an error where the old store does not answer.
    ///
    /// # Errors
    /// [`BadForeignCookie`] if it is no cookie name, or one of ours.
    pub fn from_cookie<F, Fut>(name: &str, find: F) -> Result<Self, BadForeignCookie>
    where
        F: Fn(OldCookie) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Found> + Send + 'static,
    {
        let find = move |cookie| -> BoxFuture<'static, Result<Option<OldSession>, BoxError>> {
            let found = find(cookie);
            Box::pin(async move { Ok(found.await?.map(|Adopted(old)| old)) })
        };
        let (cookie, find) = (ForeignCookie::named(name)?, Box::new(find));
        Ok(Self { cookie, find, until: None, told_that_it_is_over: AtomicBool::new(false) })
    }

    /// The old cookie was set with this `Path`. Without it, browsers do not remove it.
    pub fn path(self, path: &str) -> Self {
        Self { cookie: self.cookie.path(path), ..self }
    }

    /// The old cookie was set with this `Domain`. Without it, browsers do not remove it.
    pub fn domain(self, domain: &str) -> Self {
        Self { cookie: self.cookie.domain(domain), ..self }
    }

    /// From this moment on nothing is adopted any more, and the log says that it can be removed. Choose the day on which
    /// the last old session runs out.
    pub fn until(self, moment: Moment) -> Self {
        Self { until: Some(moment), ..self }
    }

    pub(crate) fn tell_at_start(&self, now: Moment) {
        let cookie = self.cookie.name();
        match self.until {
            None => tracing::warn!(rule = "adopt", cookie, "old sessions are adopted, with no end date: set `until`"),
            Some(until) if now < until => {
                tracing::info!(rule = "adopt", cookie, until = until.unix_seconds(), "old sessions are adopted");
            }
            Some(_) => self.tell_that_it_is_over(),
        }
    }

    fn tell_that_it_is_over(&self) {
        if !self.told_that_it_is_over.swap(true, Ordering::Relaxed) {
            let cookie = self.cookie.name();
            tracing::warn!(rule = "adopt", cookie, "old sessions are adopted no more: take `Builder::adopt` out");
        }
    }
}

impl Adopted {
    /// The session of `subject`, who signed in then. `end_old` ends it in the old store; it runs once the new session is
    /// stored, and where it fails that is logged.
    ///
    /// # Security
    /// Where old sessions lie in their cookies and cannot be ended, pass `async { Ok(()) }`. Then our store alone keeps an
    /// old cookie from being adopted again: a store that forgets its tombstones (the memory store, at a restart) forgets
    /// that as well. Set [`Adopt::until`].
    pub fn new(
        subject: Subject,
        signed_in_at: Moment,
        end_old: impl Future<Output = Result<(), BoxError>> + Send + 'static,
    ) -> Self {
        let end = Box::pin(async move {
            if let Err(error) = end_old.await {
                tracing::warn!(rule = "adopt", error = %error, "an adopted session could not be ended in the old store");
            }
        });
        Self(OldSession { subject, signed_in_at, factors: Vec::new(), end })
    }

    /// How they signed in, if that is known.
    pub fn factor(mut self, amr: Amr) -> Self {
        self.0.factors.retain(|known| *known != amr);
        self.0.factors.push(amr);
        self
    }
}

impl Predecessor for Adopt {
    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    fn is_open(&self, now: Moment) -> bool {
        let open = self.until.is_none_or(|until| now < until);
        if !open {
            self.tell_that_it_is_over();
        }
        open
    }

    fn find(&self, cookie: OldCookie) -> BoxFuture<'static, Result<Option<OldSession>, BoxError>> {
        (self.find)(cookie)
    }

    fn to_the_end(&self, entry: BoxFuture<'static, Entry>) -> BoxFuture<'static, Entry> {
        Box::pin(to_the_end(entry))
    }
}

impl std::fmt::Debug for Adopt {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Adopt").field("cookie", &self.cookie).field("until", &self.until).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Adopted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Adopted").field(&self.0).finish()
    }
}
