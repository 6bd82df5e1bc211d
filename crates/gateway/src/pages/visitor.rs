//! Whoever asks: their session, what every page shows of it, and whether they want a page or data.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::response::{IntoResponse as _, Response};
use counterfoil::{Assurance, CsrfToken, Error, Flash, Identity, Recent, Session, SignedIn, Subject, is_navigation};
use counterfoil_core::origin::Origin;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Serialize;

use super::Local;
use super::views::Frame;
use crate::accounts::AccountName;
use crate::app_cookies;
use crate::gateway::{Site, authority_of};

/// The app whose pages these are, and what all apps share.
#[derive(Debug, Clone)]
pub(super) struct Here {
    pub(super) site: Arc<Site>,
    pub(super) local: Local,
}

/// What kind of answer the requester can use. Only its shape depends on this, never whether a request is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// A navigation: an HTML page, or a redirect to one.
    Page,
    /// Everything else: JSON, or `application/problem+json`.
    Data,
}

/// Whoever asks, signed in or not.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) session: Session,
    pub(super) wants: Wants,
    identity: Option<Identity>,
    csrf: CsrfToken,
    flash: Flash,
    /// What the request before said, where this one is for a page.
    said: Vec<String>,
    place: Place,
    /// What ends the app's own session in this browser.
    app_endings: Arc<[HeaderValue]>,
}

/// Somebody who is signed in. For anybody else the handler does not run.
#[derive(Clone)]
pub(super) struct Member {
    visitor: Visitor,
    pub(super) identity: Identity,
}

/// Somebody who stepped up, for as long as the policy lets that count. A fresh sign-in is not enough.
#[derive(Clone)]
pub(super) struct SteppedUp(Member);

/// Where people are: every page says it, so that they see where they sign in.
#[derive(Debug, Clone)]
pub(super) struct Place {
    app: String,
    host: String,
    secure: bool,
}

/// What `me` says.
#[derive(Clone, Serialize)]
pub(super) struct Me {
    signed_in: bool,
    assurance: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    who: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

#[derive(Clone, Serialize)]
struct Who {
    subject: String,
    session: String,
    /// Authentication method references (RFC 8176).
    factors: Vec<&'static str>,
    /// Unix seconds.
    auth_time: u64,
    /// Unix seconds.
    created_at: u64,
    /// Seconds, if nobody is active.
    expires_in: u64,
    /// Seconds, whatever anybody does.
    ends_in: u64,
}

impl Here {
    /// The frame of an answer that opens no session.
    pub(super) fn frame_of(&self, request: &Request) -> Place {
        self.place(request.uri().authority().map(http::uri::Authority::as_str), request.headers())
    }

    /// Where a page of ours sends a browser on to: where it wanted to go, unless a `GET` there changes something. Our own
    /// redirect would make another site's link one of this site's.
    pub(super) fn onward<'a>(&self, next: Option<&'a str>) -> &'a str {
        let next = next.unwrap_or("/");
        let without_query = next.split('?').next().unwrap_or(next);
        let changes = |path: &&str| {
            self.site.app.rules.demands(path).is_ok_and(|demands| demands.is_some_and(|demands| demands.changes_state))
        };
        [next, without_query].into_iter().find(|path| !changes(path)).unwrap_or("/")
    }

    fn place(&self, target: Option<&str>, headers: &HeaderMap) -> Place {
        let host = || headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let origin = target.or_else(host).and_then(|authority| self.site.origin_at(authority));
        // As it is configured, not as it was asked for: no case and no trailing dot to wonder about.
        let secure = origin.is_some_and(Origin::is_https);
        let host = origin.map_or("", authority_of);
        Place { app: self.site.app.name.as_str().to_owned(), host: host.to_owned(), secure }
    }
}

impl Wants {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if is_navigation(headers) { Self::Page } else { Self::Data }
    }
}

impl Place {
    pub(super) fn borrowed(&self) -> Frame<'_> {
        Frame { app: &self.app, host: &self.host, ..Frame::default() }
    }

    /// The host without its port.
    pub(super) fn issuer(&self) -> &str {
        self.host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(
            // An address of IPv6 has colons of its own, which an authenticator app would not take.
            self.host.as_str(),
            |(name, _)| name,
        )
    }

    pub(super) fn app(&self) -> &str {
        &self.app
    }
}

impl Visitor {
    /// What every page shows around its content.
    pub(super) fn frame(&self) -> Frame<'_> {
        let (subject, remembered) = (self.subject().map(Subject::as_str), self.remembered());
        Frame { subject, remembered, csrf: self.csrf.value(), flash: &self.said, ..self.place.borrowed() }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// On to a page of this site, which then says `words`.
    pub(super) async fn on_to(&self, path: &str, words: &str) -> Result<Response, Error> {
        Ok(self.flash.redirect(path, words).await?.into_response())
    }

    /// Who is signed in, if anybody.
    pub(super) fn subject(&self) -> Option<&Subject> {
        self.identity.as_ref().filter(|identity| is_signed_in(identity)).map(Identity::subject)
    }

    /// Whom this browser is known by, if they are not signed in any more. Good for a greeting.
    pub(super) fn remembered(&self) -> Option<&str> {
        self.identity.as_ref().filter(|identity| !is_signed_in(identity)).map(|identity| identity.subject().as_str())
    }

    /// An answer that ends also what the app itself keeps of whoever was here.
    pub(super) fn without_app_cookies(&self, mut answer: Response) -> Response {
        app_cookies::end(&self.app_endings, answer.headers_mut());
        answer
    }

    /// What `me` says by now: after a sign-in or a step-up, other than at the start of the request.
    pub(super) async fn me(&self) -> Result<Me, Error> {
        let identity = self.session.identity().await?;
        let csrf_token = self.session.exchange().csrf_token().await?;
        Ok(Me {
            signed_in: identity.as_ref().is_some_and(is_signed_in),
            assurance: identity.as_ref().map_or(Assurance::Anonymous, |identity| identity.assurance).as_str(),
            who: identity.map(Who::from),
            csrf_token,
        })
    }
}

impl Member {
    /// Their account. `None` for a session whose subject no account could have: another identity provider's.
    pub(super) fn account(&self) -> Option<AccountName> {
        self.identity.subject().as_str().parse().ok()
    }

    /// Whether a step-up is in force.
    pub(super) fn is_elevated(&self) -> bool {
        self.identity.elevated_at.is_some()
    }
}

fn is_signed_in(identity: &Identity) -> bool {
    identity.assurance >= Assurance::Authenticated
}

impl From<Identity> for Who {
    fn from(identity: Identity) -> Self {
        Self {
            subject: identity.subject().as_str().to_owned(),
            session: identity.session.to_string(),
            factors: identity.factors().iter().map(|factor| factor.amr.as_str()).collect(),
            auth_time: identity.auth_time().unix_seconds(),
            created_at: identity.created_at.unix_seconds(),
            expires_in: identity.expires_in.as_secs(),
            ends_in: identity.ends_in.as_secs(),
        }
    }
}

impl Deref for Member {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl Deref for SteppedUp {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.0
    }
}

impl FromRequestParts<Here> for Wants {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Here) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl FromRequestParts<Here> for Visitor {
    type Rejection = Response;

    /// On public routes a store that does not answer leaves a stranger, so that the page still appears.
    async fn from_request_parts(parts: &mut Parts, here: &Here) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, here).await?;
        let public = session.exchange().route().public;
        let identity = match session.identity().await {
            Ok(identity) => identity,
            Err(_) if public => None,
            Err(error) => return Err(error.into_response()),
        };
        let csrf = CsrfToken::from_request_parts(parts, here).await?;
        let flash = Flash::from_request_parts(parts, here).await?;
        let wants = Wants::of(&parts.headers);
        let said = match wants {
            Wants::Page if parts.method == Method::GET => match flash.take().await {
                Ok(said) => said,
                Err(_) if public => Vec::new(),
                Err(error) => return Err(error.into_response()),
            },
            _ => Vec::new(),
        };
        let place = here.place(parts.uri.authority().map(http::uri::Authority::as_str), &parts.headers);
        let secure = place.secure;
        let app_endings = here.site.app.app_cookies.endings(&parts.headers, secure).into();
        Ok(Self { session, wants, identity, csrf, flash, said, place, app_endings })
    }
}

impl FromRequestParts<Here> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, here: &Here) -> Result<Self, Response> {
        let signed_in = <SignedIn as FromRequestParts<Here>>::from_request_parts(parts, here).await?;
        let visitor = Visitor::from_request_parts(parts, here).await?;
        Ok(Self { visitor, identity: Identity::clone(&signed_in) })
    }
}

impl FromRequestParts<Here> for SteppedUp {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, here: &Here) -> Result<Self, Response> {
        Recent::<AS_LONG_AS_THE_POLICY_SAYS>::from_request_parts(parts, here).await?;
        Member::from_request_parts(parts, here).await.map(Self)
    }
}

const AS_LONG_AS_THE_POLICY_SAYS: u64 = u64::MAX;
