//! nginx as the proxy before an app. What it adds is added here; what the app decides is mended there.

#[rustfmt::skip]
pub(super) const WORDS: &[(&str, &str)] = &[
    ("cookie-not-secure",        "`proxy_cookie_flags ~ secure;`."),
    ("cookie-not-httponly",      "`proxy_cookie_flags ~ httponly;`, for the session's cookie by name if scripts need others."),
    ("cookie-samesite-missing",  "`proxy_cookie_flags ~ samesite=lax;`."),
    ("cookie-samesite-none",     "`proxy_cookie_flags ~ samesite=lax;`."),
    ("cookie-over-http",         "in the server of port 80 nothing but `return 308 https://$host$request_uri;`."),
    ("cached-set-cookie",        "`proxy_hide_header Cache-Control;` and `add_header Cache-Control no-store always;` in the location of the sign-in."),
    ("cached-private-page",      "`proxy_hide_header Cache-Control;` and `add_header Cache-Control no-store always;` in the locations for people who are signed in."),
    ("http-not-redirected",      "in the server of port 80 nothing but `return 308 https://$host$request_uri;`."),
    ("hsts-missing",             "`add_header Strict-Transport-Security \"max-age=31536000; includeSubDomains\" always;`, again in every block that has an `add_header` of its own."),
    ("csp-missing",              "`add_header Content-Security-Policy \"script-src 'self'; object-src 'none'; base-uri 'none'\" always;`; nonces are the app's to make."),
    ("frameable",                "`add_header Content-Security-Policy \"frame-ancestors 'none'\" always;`."),
    ("nosniff-missing",          "`add_header X-Content-Type-Options nosniff always;`."),
    ("referrer-leaks",           "`add_header Referrer-Policy strict-origin-when-cross-origin always;`."),
    ("isolation-missing",        "`add_header Cross-Origin-Opener-Policy same-origin always;` and `add_header Cross-Origin-Resource-Policy same-origin always;`."),
    ("cors-any-origin",          "`map $http_origin $allowed { default \"\"; \"https://app.example.org\" $http_origin; }` and `add_header Access-Control-Allow-Origin $allowed always;`; never `$http_origin` itself."),
    ("csrf-open",                "`map $http_sec_fetch_site $foreign { default 0; cross-site 1; same-site 1; }`, and for methods that change something `return 403;` where it is 1; the app's token remains."),
    ("websocket-cross-origin",   "`map $http_origin $ours { default 0; \"https://app.example.org\" 1; }` and `if ($ours = 0) { return 403; }` in the socket's location."),
];
