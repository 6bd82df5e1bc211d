//! What is wrong with transport and headers, and with where the session is kept.

use super::rules;

rules! {
    HTTP_NOT_REDIRECTED: "http-not-redirected", Transport, Medium, "WSTG-CRYP-03", "12.2.1", 319,
        "Plain http answers instead of leading to https",
        "Redirect every plain http request to https, or do not answer it.";

    HSTS_MISSING: "hsts-missing", Transport, Low, "WSTG-CONF-07", "3.4.1", 319,
        "Browsers are not told to stay on https",
        "Send Strict-Transport-Security with max-age of at least a year.";

    CSP_MISSING: "csp-missing", Transport, Low, "WSTG-CONF-12", "3.4.3", 693,
        "Nothing limits which scripts a signed-in page runs",
        "Send a Content-Security-Policy with a nonce per response, object-src 'none' and base-uri 'none'.";

    CSP_WEAK: "csp-weak", Transport, Low, "WSTG-CONF-12", "3.4.3", 693,
        "The content security policy lets any script run",
        "Leave out 'unsafe-inline', 'unsafe-eval', data: and wildcards from what scripts may come from; use nonces.";

    FRAMEABLE: "frameable", Transport, Medium, "WSTG-CLNT-09", "3.4.6", 1021,
        "Other sites can put signed-in pages into a frame",
        "Send Content-Security-Policy: frame-ancestors 'none', or 'self'.";

    NOSNIFF_MISSING: "nosniff-missing", Transport, Low, "WSTG-CONF-14", "3.4.4", 693,
        "Browsers may take a response for another type than it says",
        "Send X-Content-Type-Options: nosniff.";

    REFERRER_LEAKS: "referrer-leaks", Transport, Low, "WSTG-CONF-14", "3.4.5", 200,
        "Other sites are told the whole address of signed-in pages",
        "Send Referrer-Policy: strict-origin-when-cross-origin or stricter.";

    CORS_ANY_ORIGIN: "cors-any-origin", Transport, High, "WSTG-CLNT-07", "3.4.2", 942,
        "Scripts of other sites may read what signed-in people see",
        "Allow credentials only for origins compared whole with a list; never reflect an origin or allow null.";

    ISOLATION_MISSING: "isolation-missing", Transport, Info, "WSTG-CONF-14", "3.4.8", 346,
        "Other sites may hold on to this site's windows",
        "Send Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Resource-Policy: same-origin.";

    SESSION_NOT_A_COOKIE: "session-not-a-cookie", Role, Info, "WSTG-SESS-01", "7.2.1", 565,
        "No cookie carries the session",
        "Nothing to mend where a header carries it; otherwise see whether the profile's marker is right.";

    SESSION_IN_STORAGE: "session-in-storage", Role, Info, "WSTG-SESS-01", "7.2.1", 565,
        "More than one cookie has to be there for a session",
        "Let one cookie alone decide who somebody is.";
}
