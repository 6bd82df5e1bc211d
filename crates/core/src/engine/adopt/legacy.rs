//! Whether a request may take over a session of the layer before. Pure: headers and verdicts in, a decision out.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::cookie::{Brought, ForeignCookie, OldCookie};
use crate::csrf::CsrfVerdict;
use crate::seam::{RequestView, SEC_FETCH_MODE};

/// What of the layer before a request brings.
#[derive(Debug)]
pub(in crate::engine) enum Legacy {
    /// Nothing, or nothing that counts in this request.
    Nothing,
    /// Its cookie.
    Cookie(OldCookie),
    /// Its cookie, in a request that nobody may ever look at. Whose it is stays open: neither somebody's nor nobody's.
    NotNow,
}

impl Legacy {
    /// The cookie, as far as the headers of its request go. Only the top-level request of another site may adopt: from
    /// its frames, images and scripts, browsers keep the removal and drop the new cookie.
    pub(in crate::engine) fn of(
        cookie: &ForeignCookie,
        view: &RequestView<'_>,
        prefetch: bool,
    ) -> Result<Self, Tossed> {
        let headers = view.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
        match cookie.find(headers) {
            Brought::Several => Err(Tossed),
            Brought::One(_) if prefetch => Ok(Self::NotNow),
            Brought::One(found) => Ok(Self::Cookie(found)),
            Brought::Nothing => Ok(Self::Nothing),
        }
    }

    /// Whether the request carries the cookie, whatever else is true of it: then it bears cookies, for CSRF.
    pub(in crate::engine) const fn is_present(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// What is left of it: taking a session over is a sign-in, so the CSRF decision comes first, by headers alone; and
    /// the new cookie must be able to leave.
    pub(in crate::engine) fn admit(self, view: &RequestView<'_>, csrf: CsrfVerdict) -> Self {
        let passes = matches!(csrf, CsrfVerdict::Pass(_));
        let lands = view.may_set_cookie && !view.websocket && lands_in_the_jar(view.headers);
        if passes && lands { self } else { Self::Nothing }
    }
}

/// Several values under the old cookie's name.
#[derive(Debug)]
pub(in crate::engine) struct Tossed;

/// Repeated headers count for the worse.
fn lands_in_the_jar(headers: &HeaderMap) -> bool {
    let cross_site = headers.get_all(&SEC_FETCH_SITE).iter().any(|site| site == "cross-site");
    let is = |name: &HeaderName, value: &str| {
        headers.contains_key(name) && headers.get_all(name).iter().all(|found| found == value)
    };
    !cross_site || (is(&SEC_FETCH_MODE, "navigate") && is(&SEC_FETCH_DEST, "document"))
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
