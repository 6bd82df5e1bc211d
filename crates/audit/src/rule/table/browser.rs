//! Keys that never leave the machine, and what a real browser lets happen.

use super::rules;

rules! {
    BOUND_CHALLENGE_UNCHECKED: "bound-challenge-unchecked", DeviceBound, Medium, "WSTG-SESS-09", "6.7.2", 345,
        "A device's key is registered by a proof that does not answer the site's challenge",
        "Register a key only where `jti` is the challenge that was given to this session, minutes ago at most.";

    BOUND_CHALLENGE_REUSED: "bound-challenge-reused", DeviceBound, Medium, "WSTG-SESS-09", "6.7.2", 294,
        "A challenge that was answered registers another key",
        "Consume the challenge with the registration, and refuse a second key for a session that is bound.";

    BOUND_ATTRIBUTES_DIFFER: "bound-attributes-differ", DeviceBound, Low, "WSTG-SESS-02", "3.3.1", 436,
        "The bound cookie is not set with the attributes the site tells browsers to expect",
        "Write `attributes` of the session instructions and the Set-Cookie line from one source: otherwise browsers refresh \
          before every request.";

    BOUND_REFRESH_REPLAYED: "bound-refresh-replayed", DeviceBound, Medium, "WSTG-SESS-09", "6.7.2", 294,
        "A proof that was used refreshes the bound cookie again",
        "Give a new challenge with every refresh, and take each once.";

    BOUND_REFRESH_UNSIGNED: "bound-refresh-unsigned", DeviceBound, Medium, "WSTG-SESS-10", "9.1.2", 347,
        "The bound cookie is refreshed without a signature",
        "Verify each proof with the registered key and its algorithm, whatever the proof says of itself; answer 403 and a \
          challenge where there is none.";

    BOUND_REFRESH_FOREIGN_KEY: "bound-refresh-foreign-key", DeviceBound, Medium, "WSTG-SESS-10", "9.1.3", 347,
        "The bound cookie is refreshed by a key that was never registered",
        "Verify each proof with the key that was registered for the session; a key in the proof itself counts for nothing.";

    BOUND_COOKIE_NOT_NEEDED: "bound-cookie-not-needed", DeviceBound, Medium, "WSTG-SESS-09", "7.2.1", 693,
        "A bound session is signed in without the bound cookie",
        "Once a session has a key, refuse requests that come without a valid short-lived cookie.";

    BOUND_COOKIE_LIVES_LONG: "bound-cookie-lives-long", DeviceBound, Low, "WSTG-SESS-07", "7.3.2", 613,
        "The bound cookie lives for more than an hour, and so does a copy of it",
        "Let Max-Age be minutes, such as 600, and refuse the value after that.";

    BROWSER_COOKIE_READABLE: "browser-cookie-readable", Browser, Medium, "WSTG-SESS-02", "3.3.4", 1004,
        "In a browser, scripts of the site's pages read the session cookie",
        "Set the HttpOnly attribute: whatever script needs to know does not need the token.";

    BROWSER_COOKIE_PLAIN: "browser-cookie-plain", Browser, High, "WSTG-SESS-02", "3.3.1", 614,
        "A browser sends the session cookie over plain http",
        "Set the Secure attribute, or a name that begins with __Host-.";

    BROWSER_COOKIE_CROSS_SITE: "browser-cookie-cross-site", Browser, Medium, "WSTG-SESS-02", "3.3.2", 1275,
        "A browser sends the session cookie along with requests that other sites cause",
        "Set SameSite=Lax, or Strict where no other site links to signed-in pages.";

    BROWSER_CHANGE_CROSS_SITE: "browser-change-cross-site", Browser, High, "WSTG-SESS-05", "3.5.1", 352,
        "In a browser, a form on another site changes things in somebody's name",
        "Refuse requests that change something when Sec-Fetch-Site or Origin says another site, and demand a token otherwise.";
}
