//! The rows. Their numbers are stable; new ones go to the end of the last section that fits and renumber nothing.

use std::time::Duration;

use super::CookieSent::{Nothing, Removes, Sets};
use super::{Answer, Asked, Caching, CsrfSent, Deed, Row, StoreState, Worn as W};
use crate::cookie::CookieKind;
use crate::seam::Care;
use crate::csrf::{DenyReason as D, NeedReason as N, RouteFlags};
use crate::rules::Assurance as A;
use crate::seam::{Denial, Route};

/// Every row of the table.
pub const ROWS: &[Row] = &[
    // Strangers cost nothing.
    row(  1, "a stranger at a public page", GET, PUBLIC, Deed::Answer, Answer { caching: Caching::Varies, asks_store: false, ..OK }),
    row(  2, "a stranger at a public page that looks", GET, PUBLIC, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row(  3, "a stranger at a private page without a guard", GET, PRIVATE, Deed::Answer, Answer { asks_store: false, ..OK }),
    row(  4, "a stranger at a guarded route", GET, PRIVATE, Deed::NeedSignedIn, Answer { asks_store: false, ..SIGN_IN }),
    row(  5, "a stranger who navigates to a guarded route", Asked { headers: NAVIGATE, ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { status: 303, asks_store: false, ..SIGN_IN }),
    row(  6, "a stranger with an old browser at a guarded route", Asked { headers: HTML, ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { status: 303, asks_store: false, ..SIGN_IN }),
    row(  7, "a stranger at a route that needs a step-up", GET, PRIVATE, Deed::NeedRecent, Answer { asks_store: false, ..SIGN_IN }),
    row(  8, "a stranger for whom something is stored", POST, PUBLIC, Deed::Set, Answer { cookie: Sets(CookieKind::Anonymous), ..OK }),
    row(  9, "a stranger for whom something is stored before a 500", POST, PUBLIC, Deed::SetAndFail, Answer { status: 500, cookie: Sets(CookieKind::Anonymous), ..OK }),
    row( 10, "a stranger who signs out", POST, PRIVATE, Deed::SignOut, Answer { asks_store: false, ..OK }),
    // Sessions and their tokens.
    row( 11, "a session at a public page that does not look", Asked { cookies: &[W::Session], ..GET }, PUBLIC, Deed::Answer, Answer { caching: Caching::Varies, asks_store: false, ..OK }),
    row( 12, "a session at a public page that looks", Asked { cookies: &[W::Session], ..GET }, PUBLIC, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 13, "a session at a private page", Asked { cookies: &[W::Session], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 14, "a session at a guarded route", Asked { cookies: &[W::Session], ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 15, "a session at a quiet route", Asked { cookies: &[W::Session], ..GET }, QUIET, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 16, "a session presented for the first time", Asked { cookies: &[W::Unpresented], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 17, "rotation is due", Asked { cookies: &[W::Due], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), cookie: Sets(CookieKind::Session), ..OK }),
    row( 18, "rotation is due, but nobody looks", Asked { cookies: &[W::Due], ..GET }, PUBLIC, Deed::Answer, Answer { caching: Caching::Varies, asks_store: false, ..OK }),
    row( 19, "rotation is due, but it is a prefetch", Asked { cookies: &[W::Due], headers: PREFETCH, ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 20, "the reply with the successor was lost", Asked { cookies: &[W::Predecessor], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), cookie: Sets(CookieKind::Session), ..OK }),
    row( 21, "the successor arrives", Asked { cookies: &[W::Successor], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 22, "two cookies of one session, the older first", Asked { cookies: &[W::Predecessor, W::Successor], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 23, "two cookies of one session, the newer first", Asked { cookies: &[W::Successor, W::Predecessor], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 24, "the predecessor within grace", Asked { cookies: &[W::InGrace], headers: FIREFOX, ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 25, "a browser that crashed", Asked { cookies: &[W::RolledBack], headers: FIREFOX, ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), cookie: Sets(CookieKind::Session), ..OK }),
    row( 26, "the same token from another platform", Asked { cookies: &[W::RolledBack], headers: ELSEWHERE, ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 27, "a superseded token", Asked { cookies: &[W::Superseded], headers: FIREFOX, ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 28, "a superseded token at a guarded route", Asked { cookies: &[W::Superseded], headers: FIREFOX, ..GET }, PRIVATE, Deed::NeedSignedIn, SIGN_IN),
    // Sessions that are over: no session, and no cookie is cleared.
    row( 29, "a session idle for too long", Asked { cookies: &[W::Idle], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 30, "a session older than its absolute limit", Asked { cookies: &[W::TooOld], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 31, "a session never presented in time", Asked { cookies: &[W::NeverUsed], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 32, "a session signed out", Asked { cookies: &[W::SignedOut], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 33, "a session ended with all of its subject's", Asked { cookies: &[W::SubjectEnded], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 34, "a session ended with all others", Asked { cookies: &[W::AllEnded], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 35, "a session signed out, at a guarded route", Asked { cookies: &[W::SignedOut], ..GET }, PRIVATE, Deed::NeedSignedIn, SIGN_IN),
    row( 36, "a session signed out, navigating to a guarded route", Asked { cookies: &[W::SignedOut], headers: NAVIGATE, ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { status: 303, ..SIGN_IN }),
    // Remembered is not signed in. It is the same family, and rotates as ever.
    row( 37, "a remembered user is greeted", Asked { cookies: &[W::Remembered], ..GET }, PRIVATE, Deed::Look, Answer { cookie: Sets(CookieKind::Session), assurance: Some(A::Remembered), ..OK }),
    row( 38, "a remembered user at a guarded route", Asked { cookies: &[W::Remembered], ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { cookie: Sets(CookieKind::Session), ..SIGN_IN }),
    row( 39, "a remembered user navigates to a guarded route", Asked { cookies: &[W::Remembered], headers: NAVIGATE, ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { cookie: Sets(CookieKind::Session), status: 303, ..SIGN_IN }),
    row( 40, "a remembered user cannot step up", Asked { cookies: &[W::Remembered], ..POST }, PRIVATE, Deed::StepUp, Answer { cookie: Sets(CookieKind::Session), ran: true, ..SIGN_IN }),
    // Step-up.
    row( 41, "being signed in is not enough", Asked { cookies: &[W::Session], ..GET }, PRIVATE, Deed::NeedRecent, STEP_UP),
    row( 42, "a sign-in of a moment ago is not enough", Asked { cookies: &[W::Unpresented], ..GET }, PRIVATE, Deed::NeedRecent, STEP_UP),
    row( 43, "being signed in is not enough, navigating", Asked { cookies: &[W::Session], headers: NAVIGATE, ..GET }, PRIVATE, Deed::NeedRecent, Answer { status: 303, ..STEP_UP }),
    row( 44, "stepped up, and rotation is due by that", Asked { cookies: &[W::Raised, W::Elevated], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Elevated), cookie: Sets(CookieKind::Session), ..OK }),
    row( 45, "stepped up at a route that needs it", Asked { cookies: &[W::Raised, W::Elevated], ..GET }, PRIVATE, Deed::NeedRecent, Answer { assurance: Some(A::Elevated), cookie: Sets(CookieKind::Session), ..OK }),
    row( 46, "a new step-up beside an old one", Asked { cookies: &[W::Raised, W::ElevatedLongAgo, W::Elevated], ..GET }, PRIVATE, Deed::NeedRecent, Answer { assurance: Some(A::Elevated), cookie: Sets(CookieKind::Session), ..OK }),
    row( 47, "a step-up that is over", Asked { cookies: &[W::Raised, W::ElevatedLongAgo], ..GET }, PRIVATE, Deed::NeedRecent, Answer { cookie: Sets(CookieKind::Session), ..STEP_UP }),
    row( 48, "somebody else's step-up", Asked { cookies: &[W::Raised, W::ElevatedOfGrace], ..GET }, PRIVATE, Deed::NeedRecent, Answer { cookie: Sets(CookieKind::Session), ..STEP_UP }),
    row( 49, "a step-up without its session", Asked { cookies: &[W::Elevated], ..GET }, PRIVATE, Deed::NeedRecent, Answer { asks_store: false, ..SIGN_IN }),
    row( 50, "a session's token as a step-up", Asked { cookies: &[W::Session, W::SessionAsElevated], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    // What we did not issue never reaches the store.
    row( 51, "garbage", Asked { cookies: &[W::Garbage], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 52, "an empty cookie", Asked { cookies: &[W::Empty], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 53, "a cookie longer than any may be", Asked { cookies: &[W::Huge], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 54, "a token in quotes", Asked { cookies: &[W::Quoted], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 55, "a token with one character changed", Asked { cookies: &[W::Flipped], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 56, "a token cut short", Asked { cookies: &[W::Cut], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 57, "a token with something appended", Asked { cookies: &[W::Extended], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 58, "a token with another's tag", Asked { cookies: &[W::Spliced], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 59, "a token of another site's key", Asked { cookies: &[W::OfAnotherKey], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 60, "a token of an unknown key", Asked { cookies: &[W::OfUnknownKey], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 61, "a visitor's token as a session's", Asked { cookies: &[W::VisitorAsSession], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 62, "a session's token as a visitor's", Asked { cookies: &[W::SessionAsVisitor], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 63, "garbage before a genuine token", Asked { cookies: &[W::Garbage, W::Session], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 64, "a genuine token before garbage", Asked { cookies: &[W::Session, W::Flipped], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 65, "a cookie tossed in beside the session's", Asked { cookies: &[W::Session, W::OfGrace], ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { asks_store: false, ..SIGN_IN }),
    row( 66, "something like a token in the query", Asked { target: "/?token=cfoil1_gen_AAAAAAAA", ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    row( 67, "something like a token as a bearer", Asked { headers: BEARER_TOKEN, ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), asks_store: false, ..OK }),
    // Visitors.
    row( 68, "a visitor comes back", Asked { cookies: &[W::Visitor], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 69, "a visitor at a guarded route", Asked { cookies: &[W::Visitor], ..GET }, PRIVATE, Deed::NeedSignedIn, SIGN_IN),
    row( 70, "a visitor who was away too long", Asked { cookies: &[W::IdleVisitor], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Anonymous), ..OK }),
    row( 71, "a visitor's cookie beside a session's", Asked { cookies: &[W::Session, W::Visitor], ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row( 72, "a visitor's data is set again", Asked { cookies: &[W::Visitor], ..POST }, PUBLIC, Deed::Set, OK),
    row( 73, "a visitor signs in", Asked { cookies: &[W::Visitor], ..POST }, DOOR, Deed::SignIn, Answer { cookie: Sets(CookieKind::Session), ..OK }),
    // What handlers do.
    row( 74, "a stranger signs in", POST, DOOR, Deed::SignIn, Answer { cookie: Sets(CookieKind::Session), ..OK }),
    row( 75, "somebody signs in anew", Asked { cookies: &[W::Session], ..POST }, DOOR, Deed::SignIn, Answer { cookie: Sets(CookieKind::Session), ..OK }),
    row( 76, "somebody signs out", Asked { cookies: &[W::Session], ..POST }, PRIVATE, Deed::SignOut, Answer { cookie: Removes(CookieKind::Session), ..OK }),
    row( 77, "somebody signs out who has been signed out", Asked { cookies: &[W::SignedOut], ..POST }, PRIVATE, Deed::SignOut, Answer { cookie: Removes(CookieKind::Session), ..OK }),
    row( 78, "somebody steps up", Asked { cookies: &[W::Session], ..POST }, PRIVATE, Deed::StepUp, Answer { cookie: Sets(CookieKind::Elevated), ..OK }),
    row( 79, "a stranger cannot step up", POST, PRIVATE, Deed::StepUp, Answer { ran: true, asks_store: false, ..SIGN_IN }),
    row( 80, "data is set", Asked { cookies: &[W::Session], ..POST }, PRIVATE, Deed::Set, OK),
    row( 81, "data is set beside a visitor's cookie", Asked { cookies: &[W::Session, W::Visitor], ..POST }, PRIVATE, Deed::Set, OK),
    row( 82, "data is set before a 500", Asked { cookies: &[W::Session], ..POST }, PRIVATE, Deed::SetAndFail, Answer { status: 500, ..OK }),
    row( 83, "rotation leaves with a 500", Asked { cookies: &[W::Due], ..POST }, PRIVATE, Deed::SetAndFail, Answer { status: 500, cookie: Sets(CookieKind::Session), ..OK }),
    row( 84, "the session ends while its data is set", Asked { cookies: &[W::Session], ..POST }, PRIVATE, Deed::SetWhileEnded, ENDED),
    row( 85, "the session ends while rotation is due", Asked { cookies: &[W::Due], ..POST }, PRIVATE, Deed::SetWhileEnded, ENDED),
    row( 86, "the session ends while a person waits for a page", Asked { cookies: &[W::Session], headers: OWN_NAVIGATION, ..POST }, PRIVATE, Deed::SetWhileEnded, Answer { status: 303, ..ENDED }),
    // Cross-site requests.
    row( 87, "one's own page", Asked { cookies: &[W::Session], headers: OWN, ..BARE }, PRIVATE, Deed::Answer, OK),
    row( 88, "one's own page, Origin absent", Asked { cookies: &[W::Session], headers: SAME_ORIGIN, ..BARE }, PRIVATE, Deed::Answer, OK),
    row( 89, "a cross-site form", Asked { cookies: &[W::Session], headers: EVIL, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row( 90, "a cross-site form with a valid token", Asked { cookies: &[W::Session], headers: EVIL, csrf: CsrfSent::InForm, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row( 91, "a cross-site form, navigating", Asked { cookies: &[W::Session], headers: EVIL_NAVIGATION, ..BARE }, PRIVATE, Deed::Answer, Answer { status: 303, asks_store: false, ..csrf(D::ForeignOrigin) }),
    row( 92, "a sibling domain", Asked { cookies: &[W::Session], headers: SIBLING, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row( 93, "a sibling domain, Origin absent", Asked { cookies: &[W::Session], headers: SAME_SITE, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::SameSite) }),
    row( 94, "plain http of the same host", Asked { cookies: &[W::Session], headers: PLAIN, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row( 95, "a reload that claims same-origin", Asked { cookies: &[W::Session], headers: RELOADED, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row( 96, "an Origin given twice", Asked { cookies: &[W::Session], headers: TWICE, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::RepeatedOrigin) }),
    row( 97, "a cookie and no headers at all", Asked { cookies: &[W::Session], ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::NoToken(N::NoHeaders)) }),
    row( 98, "no headers, but X-CSRF: 1", Asked { cookies: &[W::Session], headers: X_CSRF, ..BARE }, PRIVATE, Deed::Answer, OK),
    row( 99, "no headers, but the token in a header", Asked { cookies: &[W::Session], csrf: CsrfSent::InHeader, ..BARE }, PRIVATE, Deed::Answer, OK),
    row(100, "no headers, but the token in a form", Asked { cookies: &[W::Session], csrf: CsrfSent::InForm, ..BARE }, PRIVATE, Deed::Answer, OK),
    row(101, "no headers, but a visitor's token in a form", Asked { cookies: &[W::Visitor], csrf: CsrfSent::InForm, ..BARE }, PRIVATE, Deed::Answer, OK),
    row(102, "no headers, and somebody else's token", Asked { cookies: &[W::Session], csrf: CsrfSent::OfAnother, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: true, ..csrf(D::NoToken(N::NoHeaders)) }),
    row(103, "no headers, and an invented token", Asked { cookies: &[W::Session], csrf: CsrfSent::Invented, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: true, ..csrf(D::NoToken(N::NoHeaders)) }),
    row(104, "one's own page with no-referrer, no token", Asked { cookies: &[W::Session], headers: NULL, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::NoToken(N::NullOrigin)) }),
    row(105, "one's own page with no-referrer, token", Asked { cookies: &[W::Session], headers: NULL, csrf: CsrfSent::InForm, ..BARE }, PRIVATE, Deed::Answer, OK),
    row(106, "a sandboxed frame with a token", Asked { cookies: &[W::Session], headers: SANDBOX, csrf: CsrfSent::InForm, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::CrossSite) }),
    row(107, "a trusted partner's form_post", Asked { cookies: &[W::Session], headers: PARTNER, ..BARE }, PRIVATE, Deed::Answer, OK),
    row(108, "a bearer and no cookie", Asked { headers: BEARER, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..OK }),
    row(109, "a bearer beside a cookie, cross-site", Asked { cookies: &[W::Session], headers: BEARER_EVIL, ..BARE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row(110, "login CSRF", Asked { headers: EVIL, ..BARE }, DOOR, Deed::SignIn, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row(111, "login CSRF by a client that says nothing", BARE, DOOR, Deed::SignIn, Answer { asks_store: false, ..csrf(D::NoToken(N::NoHeaders)) }),
    row(112, "a cross-site GET", Asked { cookies: &[W::Session], headers: EVIL, ..GET }, PRIVATE, Deed::Answer, OK),
    row(113, "a cross-site GET that changes something", Asked { cookies: &[W::Session], headers: CROSS_SITE, ..GET }, CHANGING, Deed::Answer, Answer { asks_store: false, ..csrf(D::CrossSite) }),
    row(114, "a GET with an override", Asked { cookies: &[W::Session], headers: OVERRIDE, ..GET }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::CrossSite) }),
    row(115, "a GET with a second override that is unsafe", Asked { cookies: &[W::Session], headers: OVERRIDES, ..GET }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::CrossSite) }),
    row(116, "a sensitive route without a token", Asked { cookies: &[W::Session], headers: OWN, ..BARE }, SENSITIVE, Deed::Answer, Answer { asks_store: false, ..csrf(D::NoToken(N::Sensitive)) }),
    row(117, "a sensitive route with a token", Asked { cookies: &[W::Session], headers: OWN, csrf: CsrfSent::InHeader, ..BARE }, SENSITIVE, Deed::Answer, OK),
    row(118, "a cross-site WebSocket handshake", Asked { cookies: &[W::Session], headers: WEBSOCKET_EVIL, ..GET }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row(119, "one's own WebSocket handshake", Asked { cookies: &[W::Session], headers: WEBSOCKET_OWN, ..GET }, PRIVATE, Deed::Answer, OK),
    row(120, "TRACE", Asked { cookies: &[W::Session], headers: OWN, ..TRACE }, PRIVATE, Deed::Answer, Answer { asks_store: false, ..csrf(D::Trace) }),
    row(121, "403 wins over 401", Asked { headers: EVIL, ..BARE }, PRIVATE, Deed::NeedSignedIn, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    // A store that does not answer.
    row(122, "a session, while the store is down", Asked { cookies: &[W::Session], store: StoreState::Down, ..GET }, PRIVATE, Deed::Look, DOWN),
    row(123, "a session, navigating, while the store is down", Asked { cookies: &[W::Session], headers: NAVIGATE, store: StoreState::Down, ..GET }, PRIVATE, Deed::Look, DOWN),
    row(124, "a visitor, while the store is down", Asked { cookies: &[W::Visitor], store: StoreState::Down, ..GET }, PRIVATE, Deed::Look, DOWN),
    row(125, "a stranger at a guarded route, while the store is down", Asked { store: StoreState::Down, ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { asks_store: false, ..SIGN_IN }),
    row(126, "a forged token, while the store is down", Asked { cookies: &[W::Flipped], store: StoreState::Down, ..GET }, PRIVATE, Deed::NeedSignedIn, Answer { asks_store: false, ..SIGN_IN }),
    row(127, "a public page, while the store is down", Asked { cookies: &[W::Session], store: StoreState::Down, ..GET }, PUBLIC, Deed::Answer, Answer { caching: Caching::Varies, asks_store: false, ..OK }),
    row(128, "a public page that looks, while the store is down", Asked { cookies: &[W::Session], store: StoreState::Down, ..GET }, PUBLIC, Deed::Look, Answer { ran: true, ..DOWN }),
    row(129, "a cross-site form, while the store is down", Asked { cookies: &[W::Session], headers: EVIL, store: StoreState::Down, ..BARE }, PRIVATE, Deed::Look, Answer { asks_store: false, ..csrf(D::ForeignOrigin) }),
    row(130, "signing in, while the store is down", Asked { store: StoreState::Down, ..POST }, DOOR, Deed::SignIn, Answer { ran: true, ..DOWN }),
    row(131, "signing in, while nothing can be written", Asked { cookies: &[W::Visitor], store: StoreState::ReadOnly, ..POST }, DOOR, Deed::SignIn, Answer { ran: true, ..DOWN }),
    row(132, "signing out, while nothing can be written", Asked { cookies: &[W::Session], store: StoreState::ReadOnly, ..POST }, PRIVATE, Deed::SignOut, Answer { ran: true, ..DOWN }),
    row(133, "stepping up, while nothing can be written", Asked { cookies: &[W::Session], store: StoreState::ReadOnly, ..POST }, PRIVATE, Deed::StepUp, Answer { ran: true, ..DOWN }),
    row(134, "data, while nothing can be written", Asked { cookies: &[W::Session], store: StoreState::ReadOnly, ..POST }, PRIVATE, Deed::Set, Answer { ran: true, ..DOWN }),
    row(135, "rotation, while nothing can be written", Asked { cookies: &[W::Due], store: StoreState::ReadOnly, ..GET }, PRIVATE, Deed::Look, Answer { assurance: Some(A::Authenticated), ..OK }),
    row(136, "a first use, while nothing can be written", Asked { cookies: &[W::Unpresented], store: StoreState::ReadOnly, ..GET }, PRIVATE, Deed::Look, DOWN),
];

const fn row(number: u16, name: &'static str, asked: Asked, route: Route, deed: Deed, answer: Answer) -> Row {
    Row { number, name, asked, route, deed, answer }
}

// Requests. POST is one of our own page's; BARE says nothing about where it comes from.
const GET: Asked = Asked { method: "GET", target: "/", cookies: &[], headers: &[], csrf: CsrfSent::Nothing, store: StoreState::Up };
const BARE: Asked = Asked { method: "POST", ..GET };
const POST: Asked = Asked { headers: OWN, ..BARE };
const TRACE: Asked = Asked { method: "TRACE", ..GET };

// Routes.
const PRIVATE: Route = Route { csrf: RouteFlags { changes_state: false, sign_in: false, sensitive: false }, public: false, quiet: false, care: Care::Usual };
const PUBLIC: Route = Route { public: true, ..PRIVATE };
const QUIET: Route = Route { quiet: true, ..PRIVATE };
const DOOR: Route = Route { csrf: RouteFlags { sign_in: true, ..PRIVATE.csrf }, ..PUBLIC };
const CHANGING: Route = Route { csrf: RouteFlags { changes_state: true, ..PRIVATE.csrf }, ..PRIVATE };
const SENSITIVE: Route = Route { csrf: RouteFlags { sensitive: true, ..PRIVATE.csrf }, ..PRIVATE };

// Answers. Each is 200 or what its denial says, without a cookie, not to be stored, after a look into the store.
const OK: Answer = Answer { status: 200, ran: true, assurance: None, cookie: Nothing, denial: None, caching: Caching::NoStore, asks_store: true };
const SIGN_IN: Answer = Answer { status: 401, ran: false, denial: Some(Denial::SignInRequired), ..OK };
const STEP_UP: Answer = Answer { status: 401, ran: false, denial: Some(Denial::StepUpRequired { max_age: Duration::from_mins(5) }), ..OK };
const ENDED: Answer = Answer { status: 401, denial: Some(Denial::Ended), ..OK };
const DOWN: Answer = Answer { status: 503, ran: false, denial: Some(Denial::Unavailable), ..OK };

const fn csrf(reason: D) -> Answer {
    Answer { status: 403, ran: false, denial: Some(Denial::Csrf(reason)), ..OK }
}

// Headers.
type Headers = &'static [(&'static str, &'static str)];
const NAVIGATE: Headers = &[("sec-fetch-mode", "navigate"), ("sec-fetch-site", "none")];
const HTML: Headers = &[("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];
const PREFETCH: Headers = &[("sec-purpose", "prefetch")];
const FIREFOX: Headers = &[("user-agent", super::wardrobe::AGENT)];
const ELSEWHERE: Headers = &[("user-agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0")];
const OWN: Headers = &[("origin", super::ORIGIN), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")];
const OWN_NAVIGATION: Headers = &[("origin", super::ORIGIN), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")];
const SAME_ORIGIN: Headers = &[("sec-fetch-site", "same-origin")];
const EVIL: Headers = &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
const EVIL_NAVIGATION: Headers = &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
const CROSS_SITE: Headers = &[("sec-fetch-site", "cross-site")];
const SIBLING: Headers = &[("origin", "https://blog.shop.example"), ("sec-fetch-site", "same-site")];
const SAME_SITE: Headers = &[("sec-fetch-site", "same-site")];
const PLAIN: Headers = &[("origin", "http://shop.example"), ("sec-fetch-site", "cross-site")];
const RELOADED: Headers = &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")];
const TWICE: Headers = &[("origin", super::ORIGIN), ("origin", super::ORIGIN), ("sec-fetch-site", "same-origin")];
const X_CSRF: Headers = &[("x-csrf", "1")];
const NULL: Headers = &[("origin", "null"), ("sec-fetch-site", "same-origin")];
const SANDBOX: Headers = &[("origin", "null"), ("sec-fetch-site", "cross-site")];
const PARTNER: Headers = &[("origin", "https://idp.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
const BEARER: Headers = &[("authorization", "Bearer abc")];
const BEARER_TOKEN: Headers = &[("authorization", "Bearer cfoil1_gen_AAAAAAAA")];
const BEARER_EVIL: Headers = &[("authorization", "Bearer abc"), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
const OVERRIDE: Headers = &[("x-http-method-override", "DELETE"), ("sec-fetch-site", "cross-site")];
const OVERRIDES: Headers = &[("x-http-method-override", "GET"), ("x-http-method-override", "DELETE"), ("sec-fetch-site", "cross-site")];
const WEBSOCKET_EVIL: Headers = &[("upgrade", "websocket"), ("connection", "upgrade"), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
const WEBSOCKET_OWN: Headers = &[("upgrade", "websocket"), ("connection", "upgrade"), ("origin", super::ORIGIN), ("sec-fetch-site", "same-origin")];
