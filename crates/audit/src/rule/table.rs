//! The rules themselves: data, one to a screen of its own report.

use super::{Group, Rule, Severity};

/// A session cookie is sent over plain http as well.
pub static COOKIE_NOT_SECURE: Rule = Rule {
    id: "cookie-not-secure",
    group: Group::Attributes,
    severity: Severity::High,
    title: "A session cookie is sent over plain http as well",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.1",
    cwe: 614,
    fix: "Set the Secure attribute, or a name that begins with __Host-.",
};

/// A script can read the session cookie.
pub static COOKIE_NOT_HTTPONLY: Rule = Rule {
    id: "cookie-not-httponly",
    group: Group::Attributes,
    severity: Severity::Medium,
    title: "A script can read the session cookie",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.4",
    cwe: 1004,
    fix: "Set the HttpOnly attribute: whatever script needs to know does not need the token.",
};

/// The session cookie does not say whether other sites may cause it to be sent.
pub static COOKIE_SAMESITE_MISSING: Rule = Rule {
    id: "cookie-samesite-missing",
    group: Group::Attributes,
    severity: Severity::Low,
    title: "The session cookie does not say whether other sites may cause it to be sent",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.2",
    cwe: 1275,
    fix: "Set SameSite=Lax, or Strict where no other site links to signed-in pages.",
};

/// Every site may cause the session cookie to be sent.
pub static COOKIE_SAMESITE_NONE: Rule = Rule {
    id: "cookie-samesite-none",
    group: Group::Attributes,
    severity: Severity::Medium,
    title: "Every site may cause the session cookie to be sent",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.2",
    cwe: 1275,
    fix: "Set SameSite=Lax; None is for what is embedded in other sites.",
};

/// A sibling host or plain http can plant a cookie of the session's name.
pub static COOKIE_NO_PREFIX: Rule = Rule {
    id: "cookie-no-prefix",
    group: Group::Attributes,
    severity: Severity::Low,
    title: "A sibling host or plain http can plant a cookie of the session's name",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.3",
    cwe: 1275,
    fix: "Give the cookie a name that begins with __Host-.",
};

/// The cookie's prefix demands what its attributes do not keep, so browsers drop it.
pub static COOKIE_PREFIX_BROKEN: Rule = Rule {
    id: "cookie-prefix-broken",
    group: Group::Attributes,
    severity: Severity::Medium,
    title: "The cookie's prefix demands what its attributes do not keep, so browsers drop it",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.1",
    cwe: 565,
    fix: "Set Secure and Path=/ and no Domain with __Host-, Secure with __Secure-.",
};

/// The session cookie goes to every host below the domain.
pub static COOKIE_DOMAIN_WIDE: Rule = Rule {
    id: "cookie-domain-wide",
    group: Group::Attributes,
    severity: Severity::Medium,
    title: "The session cookie goes to every host below the domain",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.3",
    cwe: 1275,
    fix: "Leave the Domain attribute out.",
};

/// The cookie names a domain that browsers refuse.
pub static COOKIE_DOMAIN_REFUSED: Rule = Rule {
    id: "cookie-domain-refused",
    group: Group::Attributes,
    severity: Severity::Medium,
    title: "The cookie names a domain that browsers refuse",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.3",
    cwe: 565,
    fix: "Leave the Domain attribute out.",
};

/// The session cookie outlives the browser for longer than the site states, or than 30 days.
pub static COOKIE_LIVES_LONG: Rule = Rule {
    id: "cookie-lives-long",
    group: Group::Attributes,
    severity: Severity::Low,
    title: "The session cookie outlives the browser for longer than the site states, or than 30 days",
    wstg: "WSTG-SESS-07",
    asvs: "7.3.2",
    cwe: 539,
    fix: "Let Max-Age be what remains of the session's absolute lifetime.",
};

/// The cookie is larger than browsers keep.
pub static COOKIE_TOO_LARGE: Rule = Rule {
    id: "cookie-too-large",
    group: Group::Attributes,
    severity: Severity::Medium,
    title: "The cookie is larger than browsers keep",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.5",
    cwe: 565,
    fix: "Keep name and value within 4096 bytes and each attribute within 1024; keep data on the server.",
};

/// One response sets the same cookie twice.
pub static COOKIE_DUPLICATED: Rule = Rule {
    id: "cookie-duplicated",
    group: Group::Attributes,
    severity: Severity::Low,
    title: "One response sets the same cookie twice",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.1",
    cwe: 694,
    fix: "Set each cookie once in a response.",
};

/// Clients read the Set-Cookie line differently.
pub static COOKIE_MALFORMED: Rule = Rule {
    id: "cookie-malformed",
    group: Group::Attributes,
    severity: Severity::Low,
    title: "Clients read the Set-Cookie line differently",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.1",
    cwe: 565,
    fix: "Write name, value and attributes as RFC 6265bis section 4.1.1 has them.",
};

/// The cookie's name tells what the site runs on.
pub static COOKIE_TELLS_PRODUCT: Rule = Rule {
    id: "cookie-tells-product",
    group: Group::Attributes,
    severity: Severity::Info,
    title: "The cookie's name tells what the site runs on",
    wstg: "WSTG-SESS-01",
    asvs: "13.4.6",
    cwe: 200,
    fix: "Give the cookie a name of your own.",
};

/// The session cookie is set over plain http.
pub static COOKIE_OVER_HTTP: Rule = Rule {
    id: "cookie-over-http",
    group: Group::Attributes,
    severity: Severity::High,
    title: "The session cookie is set over plain http",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.1",
    cwe: 319,
    fix: "Answer plain http with a redirect to https alone, and set no cookie there.",
};

/// A response that sets the session cookie may be stored by shared caches.
pub static CACHED_SET_COOKIE: Rule = Rule {
    id: "cached-set-cookie",
    group: Group::Attributes,
    severity: Severity::Medium,
    title: "A response that sets the session cookie may be stored by shared caches",
    wstg: "WSTG-SESS-04",
    asvs: "14.2.2",
    cwe: 525,
    fix: "Send Cache-Control: no-store with every response that sets a session.",
};

/// A page for somebody who is signed in may be stored.
pub static CACHED_PRIVATE_PAGE: Rule = Rule {
    id: "cached-private-page",
    group: Group::Attributes,
    severity: Severity::Medium,
    title: "A page for somebody who is signed in may be stored",
    wstg: "WSTG-SESS-04",
    asvs: "14.3.2",
    cwe: 525,
    fix: "Send Cache-Control: no-store with what is for one person alone.",
};

/// The session token is in an address.
pub static TOKEN_IN_URL: Rule = Rule {
    id: "token-in-url",
    group: Group::Attributes,
    severity: Severity::High,
    title: "The session token is in an address",
    wstg: "WSTG-SESS-04",
    asvs: "14.2.1",
    cwe: 598,
    fix: "Keep the token in a cookie, never in an address: addresses are logged, shared and sent along as the referrer.",
};

/// Plain http answers instead of leading to https.
pub static HTTP_NOT_REDIRECTED: Rule = Rule {
    id: "http-not-redirected",
    group: Group::Transport,
    severity: Severity::Medium,
    title: "Plain http answers instead of leading to https",
    wstg: "WSTG-CRYP-03",
    asvs: "12.2.1",
    cwe: 319,
    fix: "Redirect every plain http request to https, or do not answer it.",
};

/// Browsers are not told to stay on https.
pub static HSTS_MISSING: Rule = Rule {
    id: "hsts-missing",
    group: Group::Transport,
    severity: Severity::Low,
    title: "Browsers are not told to stay on https",
    wstg: "WSTG-CONF-07",
    asvs: "3.4.1",
    cwe: 319,
    fix: "Send Strict-Transport-Security with max-age of at least a year.",
};

/// Nothing limits which scripts a signed-in page runs.
pub static CSP_MISSING: Rule = Rule {
    id: "csp-missing",
    group: Group::Transport,
    severity: Severity::Low,
    title: "Nothing limits which scripts a signed-in page runs",
    wstg: "WSTG-CONF-12",
    asvs: "3.4.3",
    cwe: 693,
    fix: "Send a Content-Security-Policy with a nonce per response, object-src 'none' and base-uri 'none'.",
};

/// The content security policy lets any script run.
pub static CSP_WEAK: Rule = Rule {
    id: "csp-weak",
    group: Group::Transport,
    severity: Severity::Low,
    title: "The content security policy lets any script run",
    wstg: "WSTG-CONF-12",
    asvs: "3.4.3",
    cwe: 693,
    fix: "Leave out 'unsafe-inline', 'unsafe-eval', data: and wildcards from what scripts may come from; use nonces.",
};

/// Other sites can put signed-in pages into a frame.
pub static FRAMEABLE: Rule = Rule {
    id: "frameable",
    group: Group::Transport,
    severity: Severity::Medium,
    title: "Other sites can put signed-in pages into a frame",
    wstg: "WSTG-CLNT-09",
    asvs: "3.4.6",
    cwe: 1021,
    fix: "Send Content-Security-Policy: frame-ancestors 'none', or 'self'.",
};

/// Browsers may take a response for another type than it says.
pub static NOSNIFF_MISSING: Rule = Rule {
    id: "nosniff-missing",
    group: Group::Transport,
    severity: Severity::Low,
    title: "Browsers may take a response for another type than it says",
    wstg: "WSTG-CONF-14",
    asvs: "3.4.4",
    cwe: 693,
    fix: "Send X-Content-Type-Options: nosniff.",
};

/// Other sites are told the whole address of signed-in pages.
pub static REFERRER_LEAKS: Rule = Rule {
    id: "referrer-leaks",
    group: Group::Transport,
    severity: Severity::Low,
    title: "Other sites are told the whole address of signed-in pages",
    wstg: "WSTG-CONF-14",
    asvs: "3.4.5",
    cwe: 200,
    fix: "Send Referrer-Policy: strict-origin-when-cross-origin or stricter.",
};

/// Scripts of other sites may read what signed-in people see.
pub static CORS_ANY_ORIGIN: Rule = Rule {
    id: "cors-any-origin",
    group: Group::Transport,
    severity: Severity::High,
    title: "Scripts of other sites may read what signed-in people see",
    wstg: "WSTG-CLNT-07",
    asvs: "3.4.2",
    cwe: 942,
    fix: "Allow credentials only for origins compared whole with a list; never reflect an origin or allow null.",
};

/// Other sites may hold on to this site's windows.
pub static ISOLATION_MISSING: Rule = Rule {
    id: "isolation-missing",
    group: Group::Transport,
    severity: Severity::Info,
    title: "Other sites may hold on to this site's windows",
    wstg: "WSTG-CONF-14",
    asvs: "3.4.8",
    cwe: 346,
    fix: "Send Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Resource-Policy: same-origin.",
};

/// No cookie carries the session.
pub static SESSION_NOT_A_COOKIE: Rule = Rule {
    id: "session-not-a-cookie",
    group: Group::Role,
    severity: Severity::Info,
    title: "No cookie carries the session",
    wstg: "WSTG-SESS-01",
    asvs: "7.2.1",
    cwe: 565,
    fix: "Nothing to mend where a header carries it; otherwise see whether the profile's marker is right.",
};

/// More than one cookie has to be there for a session.
pub static SESSION_IN_STORAGE: Rule = Rule {
    id: "session-in-storage",
    group: Group::Role,
    severity: Severity::Info,
    title: "More than one cookie has to be there for a session",
    wstg: "WSTG-SESS-01",
    asvs: "7.2.1",
    cwe: 565,
    fix: "Let one cookie alone decide who somebody is.",
};

/// The session somebody had before signing in is the session they are signed in with.
pub static FIXATION_KEPT: Rule = Rule {
    id: "fixation-kept",
    group: Group::Fixation,
    severity: Severity::High,
    title: "The session somebody had before signing in is the session they are signed in with",
    wstg: "WSTG-SESS-03",
    asvs: "7.2.4",
    cwe: 384,
    fix: "Make a new session at sign-in and end the old one; carry over data, never the id.",
};

/// A session id the site never made is taken on at sign-in.
pub static FIXATION_ADOPTED: Rule = Rule {
    id: "fixation-adopted",
    group: Group::Fixation,
    severity: Severity::High,
    title: "A session id the site never made is taken on at sign-in",
    wstg: "WSTG-SESS-03",
    asvs: "7.2.4",
    cwe: 384,
    fix: "Refuse ids that the server did not make, and make a new one at sign-in.",
};

/// A session id from an address is taken on.
pub static FIXATION_URL: Rule = Rule {
    id: "fixation-url",
    group: Group::Fixation,
    severity: Severity::High,
    title: "A session id from an address is taken on",
    wstg: "WSTG-SESS-03",
    asvs: "7.2.4",
    cwe: 384,
    fix: "Read the session id from the cookie alone.",
};

/// A session id from a form field is taken on.
pub static FIXATION_FORM: Rule = Rule {
    id: "fixation-form",
    group: Group::Fixation,
    severity: Severity::High,
    title: "A session id from a form field is taken on",
    wstg: "WSTG-SESS-03",
    asvs: "7.2.4",
    cwe: 384,
    fix: "Read the session id from the cookie alone.",
};

/// Signing in again leaves the token as it was.
pub static ROTATION_NONE: Rule = Rule {
    id: "rotation-none",
    group: Group::Rotation,
    severity: Severity::Medium,
    title: "Signing in again leaves the token as it was",
    wstg: "WSTG-SESS-03",
    asvs: "7.2.4",
    cwe: 384,
    fix: "Make a new token whenever somebody proves who they are.",
};

/// The token from before signing in again still works.
pub static ROTATION_OLD_ALIVE: Rule = Rule {
    id: "rotation-old-alive",
    group: Group::Rotation,
    severity: Severity::Medium,
    title: "The token from before signing in again still works",
    wstg: "WSTG-SESS-03",
    asvs: "7.2.4",
    cwe: 613,
    fix: "End the old token when the new one is made.",
};

/// More rights come without a new token.
pub static ROTATION_RAISE_NONE: Rule = Rule {
    id: "rotation-raise-none",
    group: Group::Rotation,
    severity: Severity::Medium,
    title: "More rights come without a new token",
    wstg: "WSTG-SESS-03",
    asvs: "7.2.4",
    cwe: 384,
    fix: "Make a new token at step-up and at every change of privilege, and end the old one.",
};

/// The token from before a step-up has the rights of after it.
pub static ROTATION_RAISE_OLD_ALIVE: Rule = Rule {
    id: "rotation-raise-old-alive",
    group: Group::Rotation,
    severity: Severity::High,
    title: "The token from before a step-up has the rights of after it",
    wstg: "WSTG-SESS-03",
    asvs: "7.2.4",
    cwe: 613,
    fix: "End the old token when the new one is made.",
};

/// Whoever signed out is still signed in.
pub static SIGN_OUT_NO_EFFECT: Rule = Rule {
    id: "sign-out-no-effect",
    group: Group::SignOut,
    severity: Severity::High,
    title: "Whoever signed out is still signed in",
    wstg: "WSTG-SESS-06",
    asvs: "7.4.1",
    cwe: 613,
    fix: "End the session on the server and remove the cookie.",
};

/// A copy of the cookie works after sign-out.
pub static SIGN_OUT_REPLAY: Rule = Rule {
    id: "sign-out-replay",
    group: Group::SignOut,
    severity: Severity::High,
    title: "A copy of the cookie works after sign-out",
    wstg: "WSTG-SESS-06",
    asvs: "7.4.1",
    cwe: 613,
    fix: "End the session on the server; removing the cookie only asks one browser to forget it.",
};

/// The access token works after sign-out.
pub static SIGN_OUT_BEARER_ALIVE: Rule = Rule {
    id: "sign-out-bearer-alive",
    group: Group::SignOut,
    severity: Severity::High,
    title: "The access token works after sign-out",
    wstg: "WSTG-SESS-06",
    asvs: "7.4.1",
    cwe: 613,
    fix: "Let the access token's validity depend on the session, or keep a list of ended ones for as long as they would live.",
};

/// The refresh token gives new access tokens after sign-out.
pub static SIGN_OUT_REFRESH_ALIVE: Rule = Rule {
    id: "sign-out-refresh-alive",
    group: Group::SignOut,
    severity: Severity::High,
    title: "The refresh token gives new access tokens after sign-out",
    wstg: "WSTG-SESS-06",
    asvs: "7.4.1",
    cwe: 613,
    fix: "End the whole chain of refresh tokens at sign-out.",
};

/// A request under way brings the session back after sign-out.
pub static SIGN_OUT_REVIVED: Rule = Rule {
    id: "sign-out-revived",
    group: Group::SignOut,
    severity: Severity::High,
    title: "A request under way brings the session back after sign-out",
    wstg: "WSTG-SESS-06",
    asvs: "7.4.1",
    cwe: 362,
    fix: "Let nothing write a session that is no longer there: create, update and end are different operations.",
};

/// Signed-in pages show no way out.
pub static SIGN_OUT_MISSING: Rule = Rule {
    id: "sign-out-missing",
    group: Group::SignOut,
    severity: Severity::Medium,
    title: "Signed-in pages show no way out",
    wstg: "WSTG-SESS-06",
    asvs: "7.4.4",
    cwe: 613,
    fix: "Show a way to sign out on every page for signed-in people.",
};

/// A session that nobody uses outlives the stated limit.
pub static IDLE_NOT_ENFORCED: Rule = Rule {
    id: "idle-not-enforced",
    group: Group::Expiry,
    severity: Severity::Medium,
    title: "A session that nobody uses outlives the stated limit",
    wstg: "WSTG-SESS-07",
    asvs: "7.3.1",
    cwe: 613,
    fix: "Keep on the server when a session was last used, and judge by it at every request.",
};

/// A session that is used outlives the stated limit.
pub static ABSOLUTE_NOT_ENFORCED: Rule = Rule {
    id: "absolute-not-enforced",
    group: Group::Expiry,
    severity: Severity::Medium,
    title: "A session that is used outlives the stated limit",
    wstg: "WSTG-SESS-07",
    asvs: "7.3.2",
    cwe: 613,
    fix: "Keep on the server when somebody signed in, and judge by it at every request.",
};

/// The client can say itself how old its session is.
pub static EXPIRY_CLIENT_CLOCK: Rule = Rule {
    id: "expiry-client-clock",
    group: Group::Expiry,
    severity: Severity::High,
    title: "The client can say itself how old its session is",
    wstg: "WSTG-SESS-07",
    asvs: "7.3.2",
    cwe: 302,
    fix: "Keep times on the server, or below a signature.",
};

/// Another site can change things in somebody's name.
pub static CSRF_OPEN: Rule = Rule {
    id: "csrf-open",
    group: Group::Csrf,
    severity: Severity::High,
    title: "Another site can change things in somebody's name",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Refuse requests that change something when Sec-Fetch-Site or Origin says another site, and demand a token otherwise.",
};

/// The token is checked only when there is one.
pub static CSRF_TOKEN_OPTIONAL: Rule = Rule {
    id: "csrf-token-optional",
    group: Group::Csrf,
    severity: Severity::High,
    title: "The token is checked only when there is one",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Refuse a request without a token as one with a wrong token.",
};

/// A token made for somebody else is taken.
pub static CSRF_TOKEN_FOREIGN: Rule = Rule {
    id: "csrf-token-foreign",
    group: Group::Csrf,
    severity: Severity::High,
    title: "A token made for somebody else is taken",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Bind the token to the session, by a MAC over its id.",
};

/// Any token at all is taken.
pub static CSRF_TOKEN_UNCHECKED: Rule = Rule {
    id: "csrf-token-unchecked",
    group: Group::Csrf,
    severity: Severity::High,
    title: "Any token at all is taken",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Compare the token with the one made for the session, in constant time.",
};

/// A token from before the sign-in is taken.
pub static CSRF_TOKEN_OLD: Rule = Rule {
    id: "csrf-token-old",
    group: Group::Csrf,
    severity: Severity::Medium,
    title: "A token from before the sign-in is taken",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Bind the token to the session and its sign-in.",
};

/// A link alone changes something.
pub static CSRF_GET_CHANGES: Rule = Rule {
    id: "csrf-get-changes",
    group: Group::Csrf,
    severity: Severity::High,
    title: "A link alone changes something",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.3",
    cwe: 352,
    fix: "Change things by POST, PUT, PATCH or DELETE alone.",
};

/// A method override gets around the check.
pub static CSRF_METHOD_OVERRIDE: Rule = Rule {
    id: "csrf-method-override",
    group: Group::Csrf,
    severity: Severity::High,
    title: "A method override gets around the check",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.3",
    cwe: 352,
    fix: "Resolve overrides before the check, and only in POST requests.",
};

/// The check does not apply when a form is declared as something else.
pub static CSRF_CONTENT_TYPE: Rule = Rule {
    id: "csrf-content-type",
    group: Group::Csrf,
    severity: Severity::High,
    title: "The check does not apply when a form is declared as something else",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.2",
    cwe: 352,
    fix: "Check whatever the content type, and refuse types the route does not expect.",
};

/// A page without an origin can change things.
pub static CSRF_ORIGIN_NULL: Rule = Rule {
    id: "csrf-origin-null",
    group: Group::Csrf,
    severity: Severity::High,
    title: "A page without an origin can change things",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 346,
    fix: "Treat Origin: null as another site.",
};

/// A sibling host can change things.
pub static CSRF_ORIGIN_SIBLING: Rule = Rule {
    id: "csrf-origin-sibling",
    group: Group::Csrf,
    severity: Severity::Medium,
    title: "A sibling host can change things",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 346,
    fix: "Compare origins whole; siblings are other sites.",
};

/// An origin that merely looks like the site's own can change things.
pub static CSRF_ORIGIN_LOOSE: Rule = Rule {
    id: "csrf-origin-loose",
    group: Group::Csrf,
    severity: Severity::High,
    title: "An origin that merely looks like the site's own can change things",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 346,
    fix: "Compare origins whole, never by their beginning, their end or a part.",
};

/// Leaving the origin out gets around the check.
pub static CSRF_REFERER_ABSENT: Rule = Rule {
    id: "csrf-referer-absent",
    group: Group::Csrf,
    severity: Severity::High,
    title: "Leaving the origin out gets around the check",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Where neither Sec-Fetch-Site, Origin nor Referer says where a request comes from, demand a token.",
};

/// Another site can sign its visitors in to an account of its own.
pub static CSRF_SIGN_IN: Rule = Rule {
    id: "csrf-sign-in",
    group: Group::Csrf,
    severity: Severity::Medium,
    title: "Another site can sign its visitors in to an account of its own",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Check the sign-in request as every other that changes something.",
};

/// Another site can sign its visitors out.
pub static CSRF_SIGN_OUT: Rule = Rule {
    id: "csrf-sign-out",
    group: Group::Csrf,
    severity: Severity::Low,
    title: "Another site can sign its visitors out",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Sign out by POST alone, and check it as every other request that changes something.",
};

/// Another site can open a signed-in WebSocket.
pub static WEBSOCKET_CROSS_ORIGIN: Rule = Rule {
    id: "websocket-cross-origin",
    group: Group::Csrf,
    severity: Severity::High,
    title: "Another site can open a signed-in WebSocket",
    wstg: "WSTG-CLNT-10",
    asvs: "4.4.2",
    cwe: 1385,
    fix: "Compare the Origin of every upgrade with the site's own.",
};

/// Session tokens can be computed from earlier ones, the time or the user.
pub static TOKEN_PREDICTABLE: Rule = Rule {
    id: "token-predictable",
    group: Group::Tokens,
    severity: Severity::Critical,
    title: "Session tokens can be computed from earlier ones, the time or the user",
    wstg: "WSTG-SESS-01",
    asvs: "7.2.3",
    cwe: 340,
    fix: "Take at least 128 bits from the operating system's generator.",
};

/// Session tokens have fewer bits than can be guessed.
pub static TOKEN_SHORT: Rule = Rule {
    id: "token-short",
    group: Group::Tokens,
    severity: Severity::High,
    title: "Session tokens have fewer bits than can be guessed",
    wstg: "WSTG-SESS-01",
    asvs: "7.2.3",
    cwe: 331,
    fix: "Take at least 128 bits from the operating system's generator.",
};

/// Everybody who signs in to an account gets the same token.
pub static TOKEN_STATIC: Rule = Rule {
    id: "token-static",
    group: Group::Tokens,
    severity: Severity::High,
    title: "Everybody who signs in to an account gets the same token",
    wstg: "WSTG-SESS-01",
    asvs: "7.2.2",
    cwe: 330,
    fix: "Make a new random token at each sign-in.",
};

/// The token says who somebody is and nothing proves it.
pub static TOKEN_UNSIGNED: Rule = Rule {
    id: "token-unsigned",
    group: Group::Tokens,
    severity: Severity::Critical,
    title: "The token says who somebody is and nothing proves it",
    wstg: "WSTG-SESS-10",
    asvs: "9.1.1",
    cwe: 345,
    fix: "Sign the token, and check the signature before anything in it is read; better, keep the data on the server.",
};

/// A token that says it is unsigned is taken.
pub static TOKEN_ALG_NONE: Rule = Rule {
    id: "token-alg-none",
    group: Group::Tokens,
    severity: Severity::Critical,
    title: "A token that says it is unsigned is taken",
    wstg: "WSTG-SESS-10",
    asvs: "9.1.2",
    cwe: 347,
    fix: "Allow one list of algorithms, from the configuration, never from the token.",
};

/// A public key is taken for a shared secret.
pub static TOKEN_ALG_CONFUSED: Rule = Rule {
    id: "token-alg-confused",
    group: Group::Tokens,
    severity: Severity::Critical,
    title: "A public key is taken for a shared secret",
    wstg: "WSTG-SESS-10",
    asvs: "9.1.2",
    cwe: 347,
    fix: "Let each key have one algorithm.",
};

/// A token with a broken signature is taken.
pub static TOKEN_SIGNATURE_IGNORED: Rule = Rule {
    id: "token-signature-ignored",
    group: Group::Tokens,
    severity: Severity::Critical,
    title: "A token with a broken signature is taken",
    wstg: "WSTG-SESS-10",
    asvs: "9.1.1",
    cwe: 347,
    fix: "Check the signature before anything in the token is read.",
};

/// The token is signed with a secret everybody knows.
pub static TOKEN_KNOWN_SECRET: Rule = Rule {
    id: "token-known-secret",
    group: Group::Tokens,
    severity: Severity::Critical,
    title: "The token is signed with a secret everybody knows",
    wstg: "WSTG-SESS-10",
    asvs: "13.3.1",
    cwe: 1394,
    fix: "Make a secret of at least 256 bits and keep it out of the source.",
};

/// An expired token is taken.
pub static TOKEN_EXPIRY_IGNORED: Rule = Rule {
    id: "token-expiry-ignored",
    group: Group::Tokens,
    severity: Severity::High,
    title: "An expired token is taken",
    wstg: "WSTG-SESS-10",
    asvs: "9.2.1",
    cwe: 613,
    fix: "Check exp and nbf of every token.",
};

/// The token tells whoever holds it what the site knows about somebody.
pub static TOKEN_TELLS: Rule = Rule {
    id: "token-tells",
    group: Group::Tokens,
    severity: Severity::Low,
    title: "The token tells whoever holds it what the site knows about somebody",
    wstg: "WSTG-SESS-04",
    asvs: "14.2.6",
    cwe: 315,
    fix: "Keep data on the server, or encrypt the token.",
};

/// A token of one kind is taken for another.
pub static TOKEN_CROSS_USE: Rule = Rule {
    id: "token-cross-use",
    group: Group::Tokens,
    severity: Severity::High,
    title: "A token of one kind is taken for another",
    wstg: "WSTG-SESS-10",
    asvs: "9.2.2",
    cwe: 345,
    fix: "Check typ and aud of every token.",
};

/// People do not see where they are signed in.
pub static SESSIONS_UNSEEN: Rule = Rule {
    id: "sessions-unseen",
    group: Group::Concurrency,
    severity: Severity::Low,
    title: "People do not see where they are signed in",
    wstg: "WSTG-SESS-11",
    asvs: "7.5.2",
    cwe: 778,
    fix: "Show every session, and let people end each.",
};

/// One account can have any number of sessions at once.
pub static SESSIONS_UNLIMITED: Rule = Rule {
    id: "sessions-unlimited",
    group: Group::Concurrency,
    severity: Severity::Info,
    title: "One account can have any number of sessions at once",
    wstg: "WSTG-SESS-11",
    asvs: "7.1.2",
    cwe: 770,
    fix: "State how many sessions there may be and what happens beyond.",
};

/// Other sessions outlive a change of the password.
pub static PASSWORD_CHANGE_KEEPS: Rule = Rule {
    id: "password-change-keeps",
    group: Group::Concurrency,
    severity: Severity::High,
    title: "Other sessions outlive a change of the password",
    wstg: "WSTG-SESS-11",
    asvs: "7.4.3",
    cwe: 613,
    fix: "End all other sessions when a factor changes.",
};

/// A copied cookie works from another client.
pub static REPLAY_ELSEWHERE: Rule = Rule {
    id: "replay-elsewhere",
    group: Group::Concurrency,
    severity: Severity::Info,
    title: "A copied cookie works from another client",
    wstg: "WSTG-SESS-09",
    asvs: "7.2.1",
    cwe: 294,
    fix: "Bind the session to a key of the device, or watch for changes of client and network.",
};

/// One of two factors is enough.
pub static PENDING_SECOND_FACTOR: Rule = Rule {
    id: "pending-second-factor",
    group: Group::Pending,
    severity: Severity::Critical,
    title: "One of two factors is enough",
    wstg: "WSTG-ATHN-11",
    asvs: "6.3.3",
    cwe: 304,
    fix: "Let a session that has done one factor reach nothing but the second.",
};

/// Asking for a new password is enough to be signed in.
pub static PENDING_RESET: Rule = Rule {
    id: "pending-reset",
    group: Group::Pending,
    severity: Severity::Critical,
    title: "Asking for a new password is enough to be signed in",
    wstg: "WSTG-SESS-08",
    asvs: "6.4.3",
    cwe: 640,
    fix: "Let a reset flow's session reach nothing but the reset.",
};

/// A device's key is registered by a proof that does not answer the site's challenge.
pub static BOUND_CHALLENGE_UNCHECKED: Rule = Rule {
    id: "bound-challenge-unchecked",
    group: Group::DeviceBound,
    severity: Severity::Medium,
    title: "A device's key is registered by a proof that does not answer the site's challenge",
    wstg: "WSTG-SESS-09",
    asvs: "6.7.2",
    cwe: 345,
    fix: "Register a key only where `jti` is the challenge that was given to this session, minutes ago at most.",
};

/// A challenge that was answered registers another key.
pub static BOUND_CHALLENGE_REUSED: Rule = Rule {
    id: "bound-challenge-reused",
    group: Group::DeviceBound,
    severity: Severity::Medium,
    title: "A challenge that was answered registers another key",
    wstg: "WSTG-SESS-09",
    asvs: "6.7.2",
    cwe: 294,
    fix: "Consume the challenge with the registration, and refuse a second key for a session that is bound.",
};

/// The bound cookie is not set with the attributes the site tells browsers to expect.
pub static BOUND_ATTRIBUTES_DIFFER: Rule = Rule {
    id: "bound-attributes-differ",
    group: Group::DeviceBound,
    severity: Severity::Low,
    title: "The bound cookie is not set with the attributes the site tells browsers to expect",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.1",
    cwe: 436,
    fix: "Write `attributes` of the session instructions and the Set-Cookie line from one source: otherwise browsers refresh \
          before every request.",
};

/// A proof that was used refreshes the bound cookie again.
pub static BOUND_REFRESH_REPLAYED: Rule = Rule {
    id: "bound-refresh-replayed",
    group: Group::DeviceBound,
    severity: Severity::Medium,
    title: "A proof that was used refreshes the bound cookie again",
    wstg: "WSTG-SESS-09",
    asvs: "6.7.2",
    cwe: 294,
    fix: "Give a new challenge with every refresh, and take each once.",
};

/// The bound cookie is refreshed without a signature.
pub static BOUND_REFRESH_UNSIGNED: Rule = Rule {
    id: "bound-refresh-unsigned",
    group: Group::DeviceBound,
    severity: Severity::Medium,
    title: "The bound cookie is refreshed without a signature",
    wstg: "WSTG-SESS-10",
    asvs: "9.1.2",
    cwe: 347,
    fix: "Verify each proof with the registered key and its algorithm, whatever the proof says of itself; answer 403 and a \
          challenge where there is none.",
};

/// The bound cookie is refreshed by a key that was never registered.
pub static BOUND_REFRESH_FOREIGN_KEY: Rule = Rule {
    id: "bound-refresh-foreign-key",
    group: Group::DeviceBound,
    severity: Severity::Medium,
    title: "The bound cookie is refreshed by a key that was never registered",
    wstg: "WSTG-SESS-10",
    asvs: "9.1.3",
    cwe: 347,
    fix: "Verify each proof with the key that was registered for the session; a key in the proof itself counts for nothing.",
};

/// A bound session is signed in without the bound cookie.
pub static BOUND_COOKIE_NOT_NEEDED: Rule = Rule {
    id: "bound-cookie-not-needed",
    group: Group::DeviceBound,
    severity: Severity::Medium,
    title: "A bound session is signed in without the bound cookie",
    wstg: "WSTG-SESS-09",
    asvs: "7.2.1",
    cwe: 693,
    fix: "Once a session has a key, refuse requests that come without a valid short-lived cookie.",
};

/// The bound cookie lives for more than an hour, and so does a copy of it.
pub static BOUND_COOKIE_LIVES_LONG: Rule = Rule {
    id: "bound-cookie-lives-long",
    group: Group::DeviceBound,
    severity: Severity::Low,
    title: "The bound cookie lives for more than an hour, and so does a copy of it",
    wstg: "WSTG-SESS-07",
    asvs: "7.3.2",
    cwe: 613,
    fix: "Let Max-Age be minutes, such as 600, and refuse the value after that.",
};

/// A script of the site's pages reads the session cookie in a browser.
pub static BROWSER_COOKIE_READABLE: Rule = Rule {
    id: "browser-cookie-readable",
    group: Group::Browser,
    severity: Severity::Medium,
    title: "In a browser, scripts of the site's pages read the session cookie",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.4",
    cwe: 1004,
    fix: "Set the HttpOnly attribute: whatever script needs to know does not need the token.",
};

/// A browser sends the session cookie over plain http.
pub static BROWSER_COOKIE_PLAIN: Rule = Rule {
    id: "browser-cookie-plain",
    group: Group::Browser,
    severity: Severity::High,
    title: "A browser sends the session cookie over plain http",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.1",
    cwe: 614,
    fix: "Set the Secure attribute, or a name that begins with __Host-.",
};

/// A browser sends the session cookie along with requests that other sites cause.
pub static BROWSER_COOKIE_CROSS_SITE: Rule = Rule {
    id: "browser-cookie-cross-site",
    group: Group::Browser,
    severity: Severity::Medium,
    title: "A browser sends the session cookie along with requests that other sites cause",
    wstg: "WSTG-SESS-02",
    asvs: "3.3.2",
    cwe: 1275,
    fix: "Set SameSite=Lax, or Strict where no other site links to signed-in pages.",
};

/// In a browser, a form on another site changes things in somebody's name.
pub static BROWSER_CHANGE_CROSS_SITE: Rule = Rule {
    id: "browser-change-cross-site",
    group: Group::Browser,
    severity: Severity::High,
    title: "In a browser, a form on another site changes things in somebody's name",
    wstg: "WSTG-SESS-05",
    asvs: "3.5.1",
    cwe: 352,
    fix: "Refuse requests that change something when Sec-Fetch-Site or Origin says another site, and demand a token otherwise.",
};

/// Every rule, in the order of reports.
pub static ALL: &[&Rule] = &[
    &COOKIE_NOT_SECURE,
    &COOKIE_NOT_HTTPONLY,
    &COOKIE_SAMESITE_MISSING,
    &COOKIE_SAMESITE_NONE,
    &COOKIE_NO_PREFIX,
    &COOKIE_PREFIX_BROKEN,
    &COOKIE_DOMAIN_WIDE,
    &COOKIE_DOMAIN_REFUSED,
    &COOKIE_LIVES_LONG,
    &COOKIE_TOO_LARGE,
    &COOKIE_DUPLICATED,
    &COOKIE_MALFORMED,
    &COOKIE_TELLS_PRODUCT,
    &COOKIE_OVER_HTTP,
    &CACHED_SET_COOKIE,
    &CACHED_PRIVATE_PAGE,
    &TOKEN_IN_URL,
    &HTTP_NOT_REDIRECTED,
    &HSTS_MISSING,
    &CSP_MISSING,
    &CSP_WEAK,
    &FRAMEABLE,
    &NOSNIFF_MISSING,
    &REFERRER_LEAKS,
    &CORS_ANY_ORIGIN,
    &ISOLATION_MISSING,
    &SESSION_NOT_A_COOKIE,
    &SESSION_IN_STORAGE,
    &FIXATION_KEPT,
    &FIXATION_ADOPTED,
    &FIXATION_URL,
    &FIXATION_FORM,
    &ROTATION_NONE,
    &ROTATION_OLD_ALIVE,
    &ROTATION_RAISE_NONE,
    &ROTATION_RAISE_OLD_ALIVE,
    &SIGN_OUT_NO_EFFECT,
    &SIGN_OUT_REPLAY,
    &SIGN_OUT_BEARER_ALIVE,
    &SIGN_OUT_REFRESH_ALIVE,
    &SIGN_OUT_REVIVED,
    &SIGN_OUT_MISSING,
    &IDLE_NOT_ENFORCED,
    &ABSOLUTE_NOT_ENFORCED,
    &EXPIRY_CLIENT_CLOCK,
    &CSRF_OPEN,
    &CSRF_TOKEN_OPTIONAL,
    &CSRF_TOKEN_FOREIGN,
    &CSRF_TOKEN_UNCHECKED,
    &CSRF_TOKEN_OLD,
    &CSRF_GET_CHANGES,
    &CSRF_METHOD_OVERRIDE,
    &CSRF_CONTENT_TYPE,
    &CSRF_ORIGIN_NULL,
    &CSRF_ORIGIN_SIBLING,
    &CSRF_ORIGIN_LOOSE,
    &CSRF_REFERER_ABSENT,
    &CSRF_SIGN_IN,
    &CSRF_SIGN_OUT,
    &WEBSOCKET_CROSS_ORIGIN,
    &TOKEN_PREDICTABLE,
    &TOKEN_SHORT,
    &TOKEN_STATIC,
    &TOKEN_UNSIGNED,
    &TOKEN_ALG_NONE,
    &TOKEN_ALG_CONFUSED,
    &TOKEN_SIGNATURE_IGNORED,
    &TOKEN_KNOWN_SECRET,
    &TOKEN_EXPIRY_IGNORED,
    &TOKEN_TELLS,
    &TOKEN_CROSS_USE,
    &SESSIONS_UNSEEN,
    &SESSIONS_UNLIMITED,
    &PASSWORD_CHANGE_KEEPS,
    &REPLAY_ELSEWHERE,
    &PENDING_SECOND_FACTOR,
    &PENDING_RESET,
    &BOUND_CHALLENGE_UNCHECKED,
    &BOUND_CHALLENGE_REUSED,
    &BOUND_ATTRIBUTES_DIFFER,
    &BOUND_REFRESH_REPLAYED,
    &BOUND_REFRESH_UNSIGNED,
    &BOUND_REFRESH_FOREIGN_KEY,
    &BOUND_COOKIE_NOT_NEEDED,
    &BOUND_COOKIE_LIVES_LONG,
    &BROWSER_COOKIE_READABLE,
    &BROWSER_COOKIE_PLAIN,
    &BROWSER_COOKIE_CROSS_SITE,
    &BROWSER_CHANGE_CROSS_SITE,
];
