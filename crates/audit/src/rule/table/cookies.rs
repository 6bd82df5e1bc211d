//! What is wrong with how cookies are set, and with what may keep a copy of them.

use super::rules;

rules! {
    COOKIE_NOT_SECURE: "cookie-not-secure", Attributes, High, "WSTG-SESS-02", "3.3.1", 614,
        "A session cookie is sent over plain http as well",
        "Set the Secure attribute, or a name that begins with __Host-.";

    COOKIE_NOT_HTTPONLY: "cookie-not-httponly", Attributes, Medium, "WSTG-SESS-02", "3.3.4", 1004,
        "A script can read the session cookie",
        "Set the HttpOnly attribute: whatever script needs to know does not need the token.";

    COOKIE_SAMESITE_MISSING: "cookie-samesite-missing", Attributes, Low, "WSTG-SESS-02", "3.3.2", 1275,
        "The session cookie does not say whether other sites may cause it to be sent",
        "Set SameSite=Lax, or Strict where no other site links to signed-in pages.";

    COOKIE_SAMESITE_NONE: "cookie-samesite-none", Attributes, Medium, "WSTG-SESS-02", "3.3.2", 1275,
        "Every site may cause the session cookie to be sent",
        "Set SameSite=Lax; None is for what is embedded in other sites.";

    COOKIE_NO_PREFIX: "cookie-no-prefix", Attributes, Low, "WSTG-SESS-02", "3.3.3", 1275,
        "A sibling host or plain http can plant a cookie of the session's name",
        "Give the cookie a name that begins with __Host-.";

    COOKIE_PREFIX_BROKEN: "cookie-prefix-broken", Attributes, Medium, "WSTG-SESS-02", "3.3.1", 565,
        "The cookie's prefix demands what its attributes do not keep, so browsers drop it",
        "Set Secure and Path=/ and no Domain with __Host-, Secure with __Secure-.";

    COOKIE_DOMAIN_WIDE: "cookie-domain-wide", Attributes, Medium, "WSTG-SESS-02", "3.3.3", 1275,
        "The session cookie goes to every host below the domain",
        "Leave the Domain attribute out.";

    COOKIE_DOMAIN_REFUSED: "cookie-domain-refused", Attributes, Medium, "WSTG-SESS-02", "3.3.3", 565,
        "The cookie names a domain that browsers refuse",
        "Leave the Domain attribute out.";

    COOKIE_LIVES_LONG: "cookie-lives-long", Attributes, Low, "WSTG-SESS-07", "7.3.2", 539,
        "The session cookie outlives the browser for longer than the site states, or than 30 days",
        "Let Max-Age be what remains of the session's absolute lifetime.";

    COOKIE_TOO_LARGE: "cookie-too-large", Attributes, Medium, "WSTG-SESS-02", "3.3.5", 565,
        "The cookie is larger than browsers keep",
        "Keep name and value within 4096 bytes and each attribute within 1024; keep data on the server.";

    COOKIE_DUPLICATED: "cookie-duplicated", Attributes, Low, "WSTG-SESS-02", "3.3.1", 694,
        "One response sets the same cookie twice",
        "Set each cookie once in a response.";

    COOKIE_MALFORMED: "cookie-malformed", Attributes, Low, "WSTG-SESS-02", "3.3.1", 565,
        "Clients read the Set-Cookie line differently",
        "Write name, value and attributes as RFC 6265bis section 4.1.1 has them.";

    COOKIE_TELLS_PRODUCT: "cookie-tells-product", Attributes, Info, "WSTG-SESS-01", "13.4.6", 200,
        "The cookie's name tells what the site runs on",
        "Give the cookie a name of your own.";

    COOKIE_OVER_HTTP: "cookie-over-http", Attributes, High, "WSTG-SESS-02", "3.3.1", 319,
        "The session cookie is set over plain http",
        "Answer plain http with a redirect to https alone, and set no cookie there.";

    CACHED_SET_COOKIE: "cached-set-cookie", Attributes, Medium, "WSTG-SESS-04", "14.2.2", 525,
        "A response that sets the session cookie may be stored by shared caches",
        "Send Cache-Control: no-store with every response that sets a session.";

    CACHED_PRIVATE_PAGE: "cached-private-page", Attributes, Medium, "WSTG-SESS-04", "14.3.2", 525,
        "A page for somebody who is signed in may be stored",
        "Send Cache-Control: no-store with what is for one person alone.";

    TOKEN_IN_URL: "token-in-url", Attributes, High, "WSTG-SESS-04", "14.2.1", 598,
        "The session token is in an address",
        "Keep the token in a cookie, never in an address: addresses are logged, shared and sent along as the referrer.";
}
