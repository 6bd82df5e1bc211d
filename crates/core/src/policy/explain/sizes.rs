//! The limits on sizes that no setting changes, in words.

use super::{Statement, span};
use crate::address::MAX_HOPS;
use crate::cookie::{CookieLifetime, MAX_CANDIDATES, MAX_COOKIE_BYTES};
use crate::device::DeviceName;
use crate::headers::CspViolation;
use crate::id::Subject;
use crate::policy::Policy;
use crate::rules::{Bursts, History, Limits};

/// How large anything from outside may be, and how long anything unfinished may last, whatever the policy says.
pub fn sizes() -> Vec<Statement> {
    [of_requests(), of_what_is_kept()].concat()
}

fn of_requests() -> Vec<Statement> {
    vec![
        Statement::new(
            "sizes.cookie",
            bytes(MAX_COOKIE_BYTES),
            "Name and value of a cookie together. One that is longer is not written.",
        )
        .about(&["ASVS 3.3.5", "RFC 6265bis"]),
        Statement::new(
            "sizes.cookie_lifetime",
            span(CookieLifetime::LONGEST),
            "The longest a browser is asked to keep a cookie.",
        )
        .about(&["RFC 6265bis"]),
        Statement::new(
            "sizes.session_cookies",
            MAX_CANDIDATES.to_string(),
            "Cookies of one of our names that are looked at in a request. An honest browser sends one.",
        ),
        Statement::new(
            "sizes.user_agent",
            bytes(crate::agent::LONGEST),
            "How much of a User-Agent is read. The rest is not looked at.",
        ),
        Statement::new(
            "sizes.forwarded",
            MAX_HOPS.to_string(),
            "Addresses that are looked at in a forwarding header, from the right.",
        )
        .about(&["ASVS 4.1.3"]),
        Statement::new(
            "sizes.report",
            bytes(CspViolation::MAX_BODY),
            "A browser's report that a page broke its content policy.",
        ),
    ]
}

fn of_what_is_kept() -> Vec<Statement> {
    vec![
        Statement::new(
            "sizes.session_data",
            bytes(Policy::MAX_DATA_BYTES),
            "What an application may keep in a session.",
        ),
        Statement::new("sizes.account_name", bytes(Subject::MAX_BYTES), "The application's name for an account."),
        Statement::new(
            "sizes.device_name",
            format!("{} characters", DeviceName::LONGEST),
            "A name that somebody gives a device.",
        ),
        Statement::new("sizes.places", History::MOST.to_string(), "Places and clients that a session remembers."),
        Statement::new(
            "sizes.bursts",
            Bursts::MOST.to_string(),
            "Networks, sessions and accounts at which failures are counted.",
        ),
        Statement::new(
            "sizes.half_done",
            span(Policy::PENDING_FOR),
            "How long a sign-in may wait for its second factor.",
        ),
        Statement::new(
            "sizes.unused",
            span(Limits::UNUSED),
            "How long a new session waits for its first request before it ends.",
        ),
    ]
}

fn bytes(count: usize) -> String {
    if count.is_multiple_of(1024) { format!("{} KiB", count / 1024) } else { format!("{count} bytes") }
}
