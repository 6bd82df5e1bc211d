//! Where a token may live in a browser, and where it may not.
//!
//! | place | who can read it there | verdict |
//! |---|---|---|
//! | a cookie with `__Host-Http-`, `Secure`, `HttpOnly` | the browser alone, for this host over https | **the place**: what this library uses |
//! | a cookie that scripts can read | any script in the page | no: an injected script takes it away and uses it elsewhere |
//! | `localStorage`, `sessionStorage`, `indexedDB` | any script in the page; the first and the last also tomorrow | no |
//! | a variable of a script | any script in the page | no: what can use it can take it |
//! | a URL: path, query, fragment | history, logs, `Referer`, whoever gets the link | never |
//! | a form's field | the page, and whatever was injected into it | never for a session token; this is the place of the CSRF token |
//!
//! So a session token is read from its cookie and from nowhere else: a genuine token in a query, a path, a form or an
//! `Authorization` header signs nobody in. One that is seen in a query or a path raises the event `token.misplaced`.
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use axum::{Router, routing::get};
//! use counterfoil::{SignedIn, testing::Site};
//! use http::StatusCode;
//!
//! let site = Site::new();
//! let app = Router::new().route("/me", get(async |_: SignedIn| "hello")).layer(site.sessions());
//! let ada = site.browser(&app).with(site.signed_in("ada").await);
//! let token = ada.cookie("__Host-Http-id").unwrap();
//!
//! let stranger = site.browser(&app);
//! site.take_events();
//! assert_eq!(stranger.get(&format!("/me?token={token}")).await.status(), StatusCode::UNAUTHORIZED);
//! assert!(site.take_events().contains(&"token.misplaced"));
//! let bearer = stranger.with_header("authorization", &format!("Bearer {token}"));
//! assert_eq!(bearer.get("/me").await.status(), StatusCode::UNAUTHORIZED);
//! # });
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! # What `HttpOnly` does not do
//!
//! A script injected into the page cannot read the cookie, but it can send requests, and the browser adds the cookie to
//! them. The token stays; its use does not need it to leave. Against that stand a content security policy that lets no
//! foreign script run, and [`Recent`](crate::Recent) in front of what matters.
//!
//! # Scripts of your own
//!
//! They need no session token: `fetch` from the same origin carries the cookie. Where the browser's headers do not say
//! where a request comes from, a script sends the CSRF token, from a `<meta>` tag, as `X-CSRF-Token`
//! (see [`CsrfToken`](crate::CsrfToken)). That token is worth nothing without the cookie.
//!
//! # Several cookies
//!
//! | cookie | for | lives |
//! |---|---|---|
//! | `__Host-Http-id` | a session | until the session's absolute limit |
//! | `__Host-Http-el` | a step-up; it counts only beside a live token of the same session | as long as the step-up |
//! | `__Host-Http-an` | a visitor for whom something was stored; ignored beside a session | until that session's limit |
//!
//! Each token counts only in the cookie of its kind. No cookie is ever removed because a dead token came in: such a
//! response can overtake the one that sets the new cookie. Only signing out removes one.
