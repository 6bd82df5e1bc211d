//! What other sites can cause.

use super::rules;

rules! {
    CSRF_OPEN: "csrf-open", Csrf, High, "WSTG-SESS-05", "3.5.1", 352,
        "Another site can change things in somebody's name",
        "Refuse requests that change something when Sec-Fetch-Site or Origin says another site, and demand a token otherwise.";

    CSRF_TOKEN_OPTIONAL: "csrf-token-optional", Csrf, High, "WSTG-SESS-05", "3.5.1", 352,
        "The token is checked only when there is one",
        "Refuse a request without a token as one with a wrong token.";

    CSRF_TOKEN_FOREIGN: "csrf-token-foreign", Csrf, High, "WSTG-SESS-05", "3.5.1", 352,
        "A token made for somebody else is taken",
        "Bind the token to the session, by a MAC over its id.";

    CSRF_TOKEN_UNCHECKED: "csrf-token-unchecked", Csrf, High, "WSTG-SESS-05", "3.5.1", 352,
        "Any token at all is taken",
        "Compare the token with the one made for the session, in constant time.";

    CSRF_TOKEN_OLD: "csrf-token-old", Csrf, Medium, "WSTG-SESS-05", "3.5.1", 352,
        "A token from before the sign-in is taken",
        "Bind the token to the session and its sign-in.";

    CSRF_GET_CHANGES: "csrf-get-changes", Csrf, High, "WSTG-SESS-05", "3.5.3", 352,
        "A link alone changes something",
        "Change things by POST, PUT, PATCH or DELETE alone.";

    CSRF_METHOD_OVERRIDE: "csrf-method-override", Csrf, High, "WSTG-SESS-05", "3.5.3", 352,
        "A method override gets around the check",
        "Resolve overrides before the check, and only in POST requests.";

    CSRF_CONTENT_TYPE: "csrf-content-type", Csrf, High, "WSTG-SESS-05", "3.5.2", 352,
        "The check does not apply when a form is declared as something else",
        "Check whatever the content type, and refuse types the route does not expect.";

    CSRF_ORIGIN_NULL: "csrf-origin-null", Csrf, High, "WSTG-SESS-05", "3.5.1", 346,
        "A page without an origin can change things",
        "Treat Origin: null as another site.";

    CSRF_ORIGIN_SIBLING: "csrf-origin-sibling", Csrf, Medium, "WSTG-SESS-05", "3.5.1", 346,
        "A sibling host can change things",
        "Compare origins whole; siblings are other sites.";

    CSRF_ORIGIN_LOOSE: "csrf-origin-loose", Csrf, High, "WSTG-SESS-05", "3.5.1", 346,
        "An origin that merely looks like the site's own can change things",
        "Compare origins whole, never by their beginning, their end or a part.";

    CSRF_REFERER_ABSENT: "csrf-referer-absent", Csrf, High, "WSTG-SESS-05", "3.5.1", 352,
        "Leaving the origin out gets around the check",
        "Where neither Sec-Fetch-Site, Origin nor Referer says where a request comes from, demand a token.";

    CSRF_SIGN_IN: "csrf-sign-in", Csrf, Medium, "WSTG-SESS-05", "3.5.1", 352,
        "Another site can sign its visitors in to an account of its own",
        "Check the sign-in request as every other that changes something.";

    CSRF_SIGN_OUT: "csrf-sign-out", Csrf, Low, "WSTG-SESS-05", "3.5.1", 352,
        "Another site can sign its visitors out",
        "Sign out by POST alone, and check it as every other request that changes something.";

    WEBSOCKET_CROSS_ORIGIN: "websocket-cross-origin", Csrf, High, "WSTG-CLNT-10", "4.4.2", 1385,
        "Another site can open a signed-in WebSocket",
        "Compare the Origin of every upgrade with the site's own.";
}
