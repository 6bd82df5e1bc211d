//! What answers say of limits: `Retry-After`, `RateLimit-Policy` and `RateLimit`, the last two structured fields
//! (draft-ietf-httpapi-ratelimit-headers-10).

use std::time::Duration;

use counterfoil_core::limits::{Act, Per, Refused};
use counterfoil_core::rules::Pace;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The name of a limit, as in settings.
pub(super) fn name(act: Act, per: Per) -> String {
    // A browser that is known has the same rate as a place.
    let per = if per == Per::Device { Per::Place } else { per };
    format!("{}.{}", act.as_str(), per.as_str())
}

/// How much there is, how much is left, and when all of it will be there again.
pub(super) fn write(headers: &mut HeaderMap, (act, per): (Act, Per), pace: Pace, left: u32, full_in: Duration) {
    let (name, window) = (name(act, per), seconds(pace.window()));
    let policy = format!("\"{name}\";q={};w={window}", pace.at_once());
    let now = format!("\"{name}\";r={left};t={}", seconds(full_in));
    for (field, text) in [(POLICY, policy), (LIMIT, now)] {
        headers.extend(HeaderValue::try_from(text).ok().map(|value| (field, value)));
    }
}

/// The same of a refusal: nothing is left, and one more will be after `retry_after`.
pub(super) fn refuse(headers: &mut HeaderMap, refused: &Refused, retry_after: u64) {
    write(headers, (refused.act, refused.per), refused.pace, 0, Duration::from_secs(retry_after));
    headers.insert(RETRY_AFTER, retry_after.into());
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
