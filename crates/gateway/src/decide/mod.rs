//! The decision: what an app's rules demand, held against who is there. Whatever goes wrong denies.

mod refusal;
mod who;

use axum::body::Body;
use axum::response::Response;
use counterfoil_core::Exchange;
use counterfoil_core::cookie::SetCookie;
use counterfoil_core::csrf::{PassReason, RouteFlags};
use counterfoil_core::seam::{Care, Denial, Route};
use counterfoil_core::token::looks_like_token;
use http::header::{CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

pub(crate) use self::refusal::{Refusal, refuse};
pub(crate) use self::who::Who;
use crate::app::CookieReturn;
use crate::assertion::Claims;
use crate::gateway::{Gateway, Site};
use crate::ops;
use crate::owned::{self, ASSERTION, ASSURANCE, AUTH_TIME, EMPTY, SESSION, SUBJECT};
use crate::request::Original;
use crate::rules::Demands;

/// What a decision says, before a contract writes it down.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The request may go on, with these headers set on it; a `Set-Cookie` among them is for the browser.
    Pass(HeaderMap),
    /// It may not; this is what the browser should see. A [`Denial`] travels in its extensions.
    Refuse(Response),
}

/// Decides about a request.
///
/// A client that hangs up drops this wherever it waits. Each wait is for one verb of the store, which happens or does not;
/// a token that was renewed and never arrived is offered again.
pub(crate) async fn decide(gateway: &Gateway, site: &Site, original: &Original<'_>) -> Outcome {
    let demands = match site.app.rules.demands(original.target) {
        Ok(Some(demands)) => demands,
        Ok(None) => return refuse(Some(site), &Refusal::NoRule(original.path_to_tell())),
        Err(unreadable) => {
            return refuse(Some(site), &Refusal::Unreadable(unreadable, original.path_to_tell()));
        }
    };
    let cookie_returns = site.app.cookie_return == CookieReturn::One;
    let exchange = site.sessions.receive(&original.view(cookie_returns), route(&demands));
    // 403 wins over 401 and 503, and nothing is opened for it.
    let passed = match exchange.settle_csrf(csrf_token(&original.headers)).await {
        Ok(passed) => passed,
        Err(denial) => return deny(site, original, &exchange, denial, None).await,
    };
    let who = meet(&exchange, &demands).await;
    let bounces = !cookie_returns && who.is_ok() && may_bounce(original, &exchange) && exchange.is_rotation_due();
    let effects = exchange.conclude().await;
    match (effects.denial, who) {
        (Some(denial), _) | (None, Err(denial)) => deny(site, original, &exchange, denial, effects.set_cookie).await,
        (None, Ok(_)) if bounces && gateway.bounces_once(&exchange) => bounce(original),
        (None, Ok(who)) => pass(gateway, site, original, &exchange, passed, &who, effects.set_cookie),
    }
}

fn route(demands: &Demands) -> Route {
    let csrf = RouteFlags { changes_state: demands.changes_state, ..RouteFlags::default() };
    let care = if demands.sensitive { Care::Sensitive } else { Care::Usual };
    Route { csrf, public: demands.is_public(), quiet: demands.quiet, care }
}

/// The CSRF token of a request, from its header alone: a form's would be in a body.
fn csrf_token(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-csrf-token").and_then(|token| token.to_str().ok())
}

/// Who is there, if they meet what is demanded. A public path demands nobody, and does not fail with the store.
async fn meet(exchange: &Exchange, demands: &Demands) -> Result<Who, Denial> {
    if demands.is_public() {
        return Ok(Who::of(exchange.identity().await));
    }
    exchange.open().await.map_err(|error| {
        tracing::error!(error = %error, "the session could not be opened");
        Denial::Unavailable
    })?;
    let mut identity = exchange.require_signed_in().await?;
    if let Some(max_age) = demands.max_auth_age {
        identity = exchange.require_auth_age(max_age).await?;
    }
    if let Some(max_age) = demands.step_up {
        identity = exchange.require_recent(max_age).await?;
    }
    // Last: a request that is refused is no activity.
    if let Some(max_idle) = demands.max_idle {
        identity = exchange.require_active(max_idle).await?;
    }
    Ok(Who::Somebody(Box::new(identity)))
}

/// Lets a request through.
fn pass(
    gateway: &Gateway,
    site: &Site,
    original: &Original<'_>,
    exchange: &Exchange,
    passed: PassReason,
    who: &Who,
    cookie: Option<SetCookie>,
) -> Outcome {
    let claims = Claims { site, original, who, passed, verdict: exchange.csrf_verdict() };
    let assertion = match gateway.assertions().sign(&claims, site.sessions.engine().now()) {
        Ok(assertion) => assertion,
        Err(error) => return refuse(Some(site), &Refusal::Unsigned(error)),
    };
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(ASSERTION, assertion);
    let signed_in = who.signed_in();
    headers.insert(SUBJECT, signed_in.map_or(EMPTY, |identity| owned::visible(identity.subject().as_str())));
    headers.insert(SESSION, signed_in.map_or(EMPTY, |identity| owned::visible(&identity.session.to_string())));
    headers.insert(ASSURANCE, HeaderValue::from_static(who.assurance()));
    headers.insert(AUTH_TIME, signed_in.map_or(EMPTY, |identity| identity.auth_time().unix_seconds().into()));
    let names = site.app.policy.cookies().names();
    headers.insert(COOKIE, owned::cookies(&original.headers, names, original.join));
    headers.insert(CACHE_CONTROL, NO_STORE);
    set_cookie(&mut headers, cookie);
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > MAX_ANSWER {
        return refuse(Some(site), &Refusal::CookiesTooLong { bytes });
    }
    Outcome::Pass(headers)
}

/// Denies a request, with the cookie that leaves all the same.
async fn deny(
    site: &Site,
    original: &Original<'_>,
    exchange: &Exchange,
    denial: Denial,
    cookie: Option<SetCookie>,
) -> Outcome {
    let (rule, reason) = words(denial);
    tracing::info!(
        app = site.app.name.as_str(),
        rule,
        reason,
        path = original.path_to_tell(),
        session.id = exchange.presented().map(tracing::field::display),
        "a request is denied: {reason}"
    );
    let again = next(original).filter(|_| may_repeat(original, exchange));
    let mut response = site.sessions.deny(exchange, denial, again.as_ref()).await;
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        // Whatever the contract makes of the status.
        response.extensions_mut().insert(ops::Outcome::Limited);
    }
    set_cookie(response.headers_mut(), cookie);
    Outcome::Refuse(response)
}

/// Sends the browser by our own page, where its cookie can be renewed, and back.
fn bounce(original: &Original<'_>) -> Outcome {
    let next: String = url::form_urlencoded::byte_serialize(original.target.as_bytes()).collect();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(format!("{REFRESH}?next={next}")).ok().map(|to| (LOCATION, to)));
    headers.insert(CACHE_CONTROL, NO_STORE);
    Outcome::Refuse(response)
}

/// Only what a person waits for, and can be asked for again at the same address.
fn may_bounce(original: &Original<'_>, exchange: &Exchange) -> bool {
    may_repeat(original, exchange) && !original.websocket && next(original).is_some()
}

fn may_repeat(original: &Original<'_>, exchange: &Exchange) -> bool {
    exchange.is_navigation() && original.method == Method::GET
}

/// The way back. None for what has one of our tokens in it, and none that would make an answer too long.
fn next(original: &Original<'_>) -> Option<PathAndQuery> {
    let target = original.target;
    let fits = target.len() <= MAX_NEXT && !looks_like_token(target);
    fits.then(|| target.parse().ok()).flatten()
}

fn set_cookie(headers: &mut HeaderMap, cookie: Option<SetCookie>) {
    if let Some(mut value) = cookie.and_then(|cookie| HeaderValue::from_str(cookie.as_str()).ok()) {
        value.set_sensitive(true);
        headers.insert(SET_COOKIE, value);
    }
}

/// For the log.
const fn words(denial: Denial) -> (&'static str, &'static str) {
    match denial {
        Denial::Csrf(reason) => ("csrf", reason.as_str()),
        Denial::SignInRequired => ("signed-in", "nobody is signed in"),
        Denial::StepUpRequired { .. } => ("step-up", "a fresh step-up is needed"),
        Denial::SignInAgain { .. } => ("sign-in-again", "a more recent sign-in, or activity, is needed"),
        Denial::Ended => ("signed-in", "the session ended meanwhile"),
        Denial::Unavailable => ("store", "the store did not answer"),
        _ => ("store", "the session could not be stored"),
    }
}

pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// The most bytes of headers an answer has: nginx reads it into one page of 4 KiB, less the status line and what the
/// listener adds.
const MAX_ANSWER: usize = 4_096 - 256;
/// The longest way back; encoded it may be three times as long.
const MAX_NEXT: usize = 1_024;
/// Where a browser's cookie is renewed.
const REFRESH: &str = "/.session/refresh";

#[cfg(test)]
mod tests {
    use crate::rules::{Access, ChangesState, Rule, Rules};

    use super::*;

    #[test]
    fn what_a_rule_says_of_a_path_is_what_the_engine_is_told_of_the_request() {
        let plain = || Rule::new("/*".parse().unwrap(), Access::SignedIn);
        let acting = RouteFlags { changes_state: true, ..RouteFlags::default() };
        #[rustfmt::skip]
        let table = [
            (plain(),                                                  Route::default()),
            (Rule { access: Access::Public, ..plain() },               Route { public: true, ..Route::default() }),
            (Rule { quiet: true, ..plain() },                          Route { quiet: true, ..Route::default() }),
            (Rule { sensitive: true, ..plain() },                      Route { care: Care::Sensitive, ..Route::default() }),
            (Rule { changes_state: ChangesState::Always, ..plain() },  Route { csrf: acting, ..Route::default() }),
        ];
        for (rule, expected) in table {
            let demands = Rules::new(vec![rule.clone()]).demands("/page").unwrap().unwrap();
            assert_eq!(route(&demands), expected, "{rule:?}");
        }
    }
}
