//! Configurations with one thing wrong: what many a deployment has.

use counterfoil_proxies::kind::Kind;

/// One thing wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spoil {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    /// Text of the generated files, and what stands there instead.
    pub(super) edits: &'static [(&'static str, &'static str)],
    /// The promise that the doctor must find broken.
    pub(super) promise: &'static str,
    /// What must be among the words of its fix.
    pub(super) fix: &'static str,
}

/// Those of one proxy.
pub(crate) fn of(kind: Kind) -> impl Iterator<Item = &'static Spoil> {
    ALL.iter().filter(move |spoil| spoil.kind == kind)
}

const TOLD: &str = "the app is told what the decision says";
const COOKIES: &str = "the app gets the decision's cookies";
const SPELLING: &str = "no spelling of our headers";
const CONNECTION: &str = "Connection takes none";
const SPOOFED: &str = "what the browser says of itself";
const CHURN: &str = "decisions share connections";
const SET_COOKIE: &str = "session cookies come back";
const OUTSIDE: &str = "nobody asks for decisions";
const DECIDED: &str = "a request is decided about";

#[rustfmt::skip]
const ALL: [Spoil; 17] = [
    spoil(Kind::Nginx, "underscores", SPELLING, "underscores_in_headers off",
        &[("underscores_in_headers off;", "underscores_in_headers on;")]),
    spoil(Kind::Nginx, "churn", CHURN, "proxy_set_header Connection",
        &[("        # This list stands alone, so it begins with what keeps the connection open.\n        proxy_set_header Connection \"\";\n", "")]),
    spoil(Kind::Nginx, "own-cookie", COOKIES, "proxy_set_header Cookie",
        &[("    proxy_set_header Cookie $counterfoil_app_cookie;\n", "")]),
    spoil(Kind::Nginx, "no-set-cookie", SET_COOKIE, "add_header Set-Cookie",
        &[("    add_header Set-Cookie $counterfoil_app_set_cookie always;\n    add_header Cache", "    add_header Cache")]),
    spoil(Kind::Nginx, "forwarded-for", SPOOFED, "$remote_addr",
        &[("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for")]),
    spoil(Kind::Nginx, "open-decisions", OUTSIDE, "location ^~ /authz/",
        &[("{ auth_request off; return 404; }", "{ auth_request off; proxy_pass http://counterfoil_app_decision; proxy_set_header X-Forwarded-For $remote_addr; }")]),
    spoil(Kind::Nginx, "no-decision", DECIDED, "auth_request",
        &[("    auth_request /.counterfoil-decision;\n", "")]),
    spoil(Kind::Traefik, "own-cookie", COOKIES, "authResponseHeaders",
        &[("        authResponseHeaders: [Cookie]\n", "")]),
    spoil(Kind::Traefik, "no-set-cookie", SET_COOKIE, "addAuthCookiesToResponse",
        &[("        addAuthCookiesToResponse", "        #")]),
    spoil(Kind::Traefik, "not-told", TOLD, "authResponseHeadersRegex",
        &[("authResponseHeadersRegex: \"(?i)^counterfoil\"", "authResponseHeadersRegex: \"(?i)^counterfoil-subject$\"")]),
    spoil(Kind::Caddy, "underscores", SPELLING, "request_header -Counterfoil*",
        &[("\t\trequest_header -Counterfoil*\n", "")]),
    spoil(Kind::Caddy, "own-cookie", COOKIES, "request_header Cookie",
        &[("\t\t\t\t\t\trequest_header Cookie {rp.header.Cookie}\n", "")]),
    spoil(Kind::Caddy, "connection", CONNECTION, "@tricked",
        &[("\t\trespond @tricked \"Connection names a header that may not be removed.\" 400\n", "")]),
    spoil(Kind::Haproxy, "underscores", SPELLING, "del-header counterfoil -m beg",
        &[("    http-request del-header counterfoil -m beg\n", ""), ]),
    spoil(Kind::Haproxy, "no-set-cookie", SET_COOKIE, "http-after-response",
        &[("    http-after-response add-header set-cookie %[var(txn.counterfoil_set_cookie)] if { var(txn.counterfoil_set_cookie) -m found }\n", "")]),
    spoil(Kind::Envoy, "own-cookie", COOKIES, "exact: cookie",
        &[("                    - exact: cookie\n", "")]),
    spoil(Kind::Envoy, "spellings", SPELLING, "remove_on_match",
        &[("              - remove_on_match: { key_matcher: { prefix: counterfoil, ignore_case: true } }\n", "")]),
];

const fn spoil(
    kind: Kind,
    name: &'static str,
    promise: &'static str,
    fix: &'static str,
    edits: &'static [(&'static str, &'static str)],
) -> Spoil {
    Spoil { kind, name, edits, promise, fix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proxy_has_two_wrong_configurations_at_least() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.speaks_http()) {
            assert!(of(kind).count() >= 2, "{kind}");
        }
    }
}
