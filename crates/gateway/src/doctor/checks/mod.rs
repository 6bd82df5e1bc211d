//! What the doctor tries.

mod answers;
mod asked;
mod told;

use super::door::Recorded;
use super::fix::About;
use super::probe::Probe;
use super::report::Verdict;

/// One thing to try.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    /// What must hold.
    pub(super) promise: &'static str,
    /// What a fix would be about.
    pub(super) about: About,
    pub(super) try_it: fn(&Probe, &Recorded) -> Verdict,
    /// Whether all others rest on it.
    pub(super) is_first: bool,
}

/// All of them, in their order.
#[rustfmt::skip]
pub(super) const ALL: [Check; 20] = [
    Check { is_first: true, ..check("a request is decided about, then passed on", About::Echo, told::passes) },
    check("the app is told what the decision says",                 About::Told,       told::all_is_told),
    check("the app gets the decision's cookies, not the browser's", About::Cookie,     told::cookies_are_replaced),
    check("empty headers leave nothing of the browser's",           About::Told,       told::empty_is_nothing),
    check("no spelling of our headers comes from a browser",        About::Spelling,   told::no_spelling_passes),
    check("Connection takes none of our headers away",              About::Connection, told::connection_takes_nothing),
    check("the app gets the path that was judged",                  About::Path,       told::the_path_is_the_judged_one),
    check("the decision is told method, host, scheme and path as they are", About::Asked, asked::as_they_are),
    check("what the browser says of itself is not told",            About::Spoofed,    asked::not_the_browsers_word),
    check("the query is no parameter of the decision",              About::Query,      asked::no_parameter),
    check("a body goes to the app alone",                           About::Body,       asked::no_body),
    check("another host in the request line is not followed",       About::Host,       asked::no_other_host),
    check("the decision knows a WebSocket from a page",             About::WebSocket,  asked::a_websocket_is_known),
    check("decisions share connections",                            About::Churn,      asked::connections_are_shared),
    check("a refusal reaches the browser, and nothing the app",     About::Refused,    answers::refused),
    check("a navigation is sent to the sign-in page",               About::SignIn,     answers::sign_in),
    check("session cookies come back as configured",                About::SetCookie,  answers::cookies_come_back),
    check("no cookie is made up",                                   About::SetCookie,  answers::no_cookie_is_made_up),
    check("nobody asks for decisions from outside",                 About::Outside,    answers::no_decisions_outside),
    check("the echo is shut for who has no ticket",                 About::Outside,    answers::no_echo_without_ticket),
];

const fn check(promise: &'static str, about: About, try_it: fn(&Probe, &Recorded) -> Verdict) -> Check {
    Check { promise, about, try_it, is_first: false }
}

/// Kept if `holds`, else broken with what was seen.
fn verdict(holds: bool, seen: impl FnOnce() -> String) -> Verdict {
    if holds { Verdict::Kept(String::new()) } else { Verdict::Broken(seen()) }
}
