//! The table of the design, row by row; then what must hold for every combination; then hostile headers.

mod hostile;
mod table;
mod total;

use crate::csrf::*;
use crate::origin::{Origin, PublicOrigins, TrustedOrigins};

const SELF: HeaderCount<'static> = HeaderCount::One(b"https://shop.example");
const PARTNER: HeaderCount<'static> = HeaderCount::One(b"https://idp.example");
const EVIL: HeaderCount<'static> = HeaderCount::One(b"https://evil.example");
const NULL: HeaderCount<'static> = HeaderCount::One(b"null");
const SAME_ORIGIN: HeaderCount<'static> = HeaderCount::One(b"same-origin");
const SAME_SITE: HeaderCount<'static> = HeaderCount::One(b"same-site");
const CROSS_SITE: HeaderCount<'static> = HeaderCount::One(b"cross-site");
const NONE: HeaderCount<'static> = HeaderCount::One(b"none");

/// A POST that bears our cookie and says nothing else.
const POST: CsrfFacts<'static> = CsrfFacts {
    method: MethodKind::Unsafe,
    route: RouteFlags { changes_state: false, sign_in: false, sensitive: false },
    cookie_bearing: true,
    authorization_present: false,
    origin: HeaderCount::Absent,
    sec_fetch_site: HeaderCount::Absent,
    referer: HeaderCount::Absent,
    x_csrf_is_1: false,
};

fn judged(facts: &CsrfFacts<'_>) -> CsrfVerdict {
    let public = PublicOrigins::new([Origin::parse("https://shop.example").unwrap()]).unwrap();
    let trusted = TrustedOrigins::new([Origin::parse("https://idp.example").unwrap()]);
    decide(facts, &public, &trusted)
}
