//! What to change, in the words of each proxy's configuration.

/// What a broken promise is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Echo,
    Told,
    Cookie,
    Spelling,
    Connection,
    Path,
    Asked,
    Spoofed,
    Query,
    Body,
    Host,
    WebSocket,
    Churn,
    Refused,
    SignIn,
    SetCookie,
    Outside,
}

/// The change for one proxy; none for one we write no configuration for.
pub(super) fn fix(about: About, proxy: &str) -> Option<&'static str> {
    match proxy {
        "nginx" => Some(nginx(about)),
        "traefik" => Some(traefik(about)),
        "caddy" => Some(caddy(about)),
        "haproxy" => Some(haproxy(about)),
        "envoy" | "envoy-grpc" => Some(envoy(about)),
        _ => None,
    }
}

const fn nginx(about: About) -> &'static str {
    match about {
        About::Echo => {
            "`location = /.session/doctor/echo { proxy_pass http://…_public; }` in the app's server, without auth_request off and \
             without a proxy_set_header of its own; and `auth_request /.counterfoil-decision;` in the server"
        }
        About::Told => {
            "for each header `auth_request_set $… $upstream_http_…;` and `proxy_set_header Counterfoil-… $…;` in the server. A \
             location with one proxy_set_header of its own has lost them all: repeat them there"
        }
        About::Cookie => {
            "`auth_request_set $counterfoil_APP_cookie $upstream_http_cookie;` and `proxy_set_header Cookie $counterfoil_APP_cookie;`"
        }
        About::Spelling => {
            "`underscores_in_headers off;` and `ignore_invalid_headers on;` in the server, and in the default server of the same port: \
             its word counts"
        }
        About::Connection => {
            "`proxy_set_header Connection $counterfoil_APP_connection;` with the map that goes with it, not $http_connection"
        }
        About::Path => "`proxy_pass http://…_app;` with nothing after the name, and no `rewrite` before it",
        About::Asked => {
            "in the decision's location: `proxy_set_header X-Counterfoil-Method $request_method;`, `-Target $request_uri;`, `-Host \
             $http_host;`, `-Server $host;`, `-Scheme $scheme;`"
        }
        About::Spoofed => {
            "in the decision's location: all five `proxy_set_header X-Counterfoil-…`, and `proxy_set_header X-Forwarded-For \
             $remote_addr;` instead of $proxy_add_x_forwarded_for"
        }
        About::Query => "the decision's `proxy_pass …/authz/auth-request/APP;` without $is_args$args",
        About::Body => {
            "in the decision's location: `proxy_pass_request_body off; proxy_set_header Content-Length \"\"; proxy_set_header \
             Transfer-Encoding \"\";`"
        }
        About::Host => {
            "`proxy_set_header X-Counterfoil-Server $host;` in the decision's location, beside `X-Counterfoil-Host $http_host`"
        }
        About::WebSocket => "do not take Sec-WebSocket-… away in the decision's location",
        About::Churn => {
            "`keepalive 64;` in the decision's upstream, and in its location `proxy_http_version 1.1; proxy_set_header Connection \"\";`: \
             a location with its own proxy_set_header does not have the server's"
        }
        About::Refused | About::SignIn => {
            "`error_page 401 = @counterfoil_sign_in; error_page 403 = @counterfoil_refused;` in the server, and both locations"
        }
        About::SetCookie => {
            "`auth_request_set $counterfoil_APP_set_cookie $upstream_http_set_cookie;` and `add_header Set-Cookie \
             $counterfoil_APP_set_cookie always;` where answers come from; with cookie_return = \"none\" neither. A location with one \
             add_header of its own has lost it"
        }
        About::Outside => {
            "no location leads to the decision listener but the internal one: `location ^~ /authz/ { return 404; }`"
        }
    }
}

const fn traefik(about: About) -> &'static str {
    match about {
        About::Echo => {
            "a router for Path(`/.session/doctor/echo`) with the app's middlewares and the pages' service, of a higher priority than \
             the pages' router"
        }
        About::Told | About::Spelling => "`authResponseHeadersRegex: \"(?i)^counterfoil\"` in forwardAuth",
        About::Cookie => "`authResponseHeaders: [Cookie]` in forwardAuth",
        About::Connection => "the router `counterfoil-APP-tricked`, which refuses a Connection that names our headers",
        About::Path => "no middleware that changes the path (stripPrefix, replacePath, addPrefix) after forwardAuth",
        About::Asked | About::Spoofed => {
            "`trustForwardHeader: false` in forwardAuth, and no `forwardedHeaders.insecure` at the entry point: only trustedIPs"
        }
        About::Query => "`address` of forwardAuth ends in the app's name: no query",
        About::Body => "`forwardBody: false` in forwardAuth",
        About::Host => "routers by Host(…), and no passHostHeader: false",
        About::WebSocket => "no `authRequestHeaders` in forwardAuth, or with Sec-WebSocket-Key among them",
        About::Churn => "one address for the decision, by IP, not by a name behind a balancer that closes connections",
        About::Refused => "forwardAuth is among the router's middlewares, and no `errors` middleware stands before it",
        About::SignIn => "`preserveLocationHeader: true` in forwardAuth",
        About::SetCookie => {
            "`addAuthCookiesToResponse: [__Host-Http-id, __Host-Http-el, __Host-Http-an]` in forwardAuth; with cookie_return = \"none\" \
             not at all"
        }
        About::Outside => {
            "the router `counterfoil-APP-nowhere` for PathPrefix(`/authz/`), and no service that is the decision listener"
        }
    }
}

const fn caddy(about: About) -> &'static str {
    match about {
        About::Echo => {
            "`not path /.session/doctor/echo` in @pages, and `handle @echo` with reverse_proxy to the public listener after the decision"
        }
        About::Told => {
            "`request_header Counterfoil-… {rp.header.Counterfoil-…}` for each, in both handle_response blocks"
        }
        About::Cookie => {
            "`request_header Cookie {rp.header.Cookie}` in both handle_response blocks; `copy_headers` of forward_auth does not set what is \
             empty"
        }
        About::Spelling => "`request_header -Counterfoil*` before the decision, at the beginning of route",
        About::Connection => {
            "`@tricked header_regexp Connection (?i)(counterfoil|cookie|forwarded|host)` with `respond @tricked 400` at the beginning of route"
        }
        About::Path => "no `rewrite`, `uri` or `handle_path` between the decision and reverse_proxy to the app",
        About::Asked => {
            "`header_up X-Forwarded-Method {method}` and `header_up X-Forwarded-Uri {uri}` in the decision's reverse_proxy"
        }
        About::Spoofed => "no header_up of X-Forwarded-For, -Host or -Proto, and no `trusted_proxies` but real ones",
        About::Query => "`rewrite /authz/forward-auth/APP?` in the decision's reverse_proxy, with the `?`",
        About::Body => "`method GET` in the decision's reverse_proxy",
        About::Host => "a site of the app's own address, not `:443`",
        About::WebSocket => "no header_up that takes Sec-WebSocket-… away from the decision",
        About::Churn => "no `keepalive off` in the transport of the decision's reverse_proxy",
        About::Refused | About::SignIn => "no handle_response for statuses other than 2xx",
        About::SetCookie => {
            "`handle_response @renewed` with `header +Set-Cookie {rp.header.Set-Cookie}` before `handle_response @allowed`; with \
             cookie_return = \"none\" not at all"
        }
        About::Outside => {
            "`respond @decisions 404` for /authz/*, and no reverse_proxy to the decision listener but the one in route"
        }
    }
}

const fn haproxy(about: About) -> &'static str {
    match about {
        About::Echo => {
            "`acl counterfoil-echo path /.session/doctor/echo`, which is asked about and then goes to the pages' backend"
        }
        About::Told | About::Cookie => {
            "the action counterfoil-APP.lua as it is written: it sets each header of TOLD, Cookie among them"
        }
        About::Spelling => "`http-request del-header counterfoil -m beg` before the action",
        About::Connection => {
            "`http-request deny deny_status 400 if { req.hdr(connection) -m sub -i counterfoil cookie forwarded host }`"
        }
        About::Path => "no set-path, replace-path or set-uri after `http-request lua.counterfoil_APP`",
        About::Asked => {
            "the action counterfoil-APP.lua as it is written, and no `http-request set-method` or `set-header host` before it"
        }
        About::Spoofed => {
            "`http-request del-header x-forwarded- -m beg` before `set-header x-forwarded-for %[src]`, and the action as it is written"
        }
        About::Query => "DECISION in counterfoil-APP.lua ends in the app's name",
        About::Body => "LEFT_OUT in counterfoil-APP.lua names content-length and transfer-encoding",
        About::Host => "`http-request return status 421 if !{ req.fhdr(host),lower -m str … }`",
        About::WebSocket => "LEFT_OUT in counterfoil-APP.lua does not name sec-websocket-key",
        About::Churn => "no `httpclient.…` or `http-reuse never` setting that closes connections",
        About::Refused | About::SignIn => {
            "`http-request return status 503 if … !{ var(txn.counterfoil_allowed) -m bool }`, and the action as it is written"
        }
        About::SetCookie => {
            "`http-after-response add-header set-cookie %[var(txn.counterfoil_set_cookie)] if { var(txn.counterfoil_set_cookie) -m found \
             }`; with cookie_return = \"none\" not at all"
        }
        About::Outside => {
            "`http-request return status 404 if { path_beg /authz/ }`, and no backend that is the decision listener"
        }
    }
}

const fn envoy(about: About) -> &'static str {
    match about {
        About::Echo => {
            "a route for path /.session/doctor/echo to counterfoil-public before the others, without ExtAuthzPerRoute disabled"
        }
        About::Told => "`allowed_upstream_headers` names all five and cookie",
        About::Cookie => "`- exact: cookie` in allowed_upstream_headers",
        About::Spelling => {
            "`headers_with_underscores_action: DROP_HEADER`, and in early_header_mutation_extensions `remove_on_match: { key_matcher: { \
             prefix: counterfoil, ignore_case: true } }`"
        }
        About::Connection => "no filter that takes what Connection names out of the request after ext_authz",
        About::Path => "no prefix_rewrite or regex_rewrite in the app's route",
        About::Asked => "`path_prefix: /authz/ext-authz/APP` in http_service, and x-forwarded-proto in allowed_headers",
        About::Spoofed => {
            "in early_header_mutation_extensions x-forwarded-for with OVERWRITE_IF_EXISTS_OR_ADD, and `use_remote_address: true`"
        }
        About::Query => "`path_prefix` has no query",
        About::Body => "no `with_request_body` in ext_authz",
        About::Host => "`domains` names the app's hosts, not \"*\"",
        About::WebSocket => "upgrade and sec-websocket-key in allowed_headers",
        About::Churn => "no `max_requests_per_connection` in the cluster counterfoil-decision",
        About::Refused | About::SignIn => {
            "no `allowed_client_headers` in authorization_response, or with location among them"
        }
        About::SetCookie => {
            "`allowed_client_headers_on_success: { patterns: [{ exact: set-cookie }] }`; with cookie_return = \"none\" not at all"
        }
        About::Outside => {
            "`- match: { prefix: /authz/ }` with direct_response 404, and no route to counterfoil-decision"
        }
    }
}
