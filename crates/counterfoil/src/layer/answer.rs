//! What leaves with an answer: the cookie, and who may keep the answer.

use axum::response::Response;
use counterfoil_core::seam::Effects;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};

use crate::reply::{self, Asked, Denied, HeldBack, NO_STORE};
use crate::site::Site;

/// The answer with what the request's end adds to it; another one where it was denied.
pub(super) fn write(effects: &Effects, response: Response, asked: &Asked, site: &Site) -> Response {
    let denied = response.extensions().get::<Denied>().map(|Denied(denial)| *denial);
    let mut response = match effects.denial.or(denied) {
        Some(denial) => reply::write(denial, asked, &site.pages),
        None => match response.extensions().get::<HeldBack>() {
            Some(HeldBack(refusal)) if asked.navigation => reply::tried_too_often(refusal, true),
            _ => response,
        },
    };
    let removal = effects.remove_old.as_ref().and_then(|removal| HeaderValue::from_str(removal).ok());
    let removes_old = removal.map(|removal| response.headers_mut().append(SET_COOKIE, removal)).is_some();
    if let Some(cookie) = &effects.set_cookie
        && let Ok(mut value) = HeaderValue::from_str(cookie.as_str())
    {
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    } else if removes_old {
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    } else if !effects.uses_session || is_cached_by(&response, b"private") {
        // Also what only a browser's own cache may keep: the next person there is another one.
        response.headers_mut().append(VARY, VARY_ON_COOKIE);
    } else if !is_cached_by(&response, b"no-store") {
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    }
    response
}

/// Whether the response's `Cache-Control` has this directive, unqualified.
fn is_cached_by(response: &Response, wanted: &[u8]) -> bool {
    response.headers().get_all(CACHE_CONTROL).iter().any(|value| {
        let mut directives = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        directives.any(|directive| directive.eq_ignore_ascii_case(wanted))
    })
}

const VARY_ON_COOKIE: HeaderValue = HeaderValue::from_static("Cookie");
