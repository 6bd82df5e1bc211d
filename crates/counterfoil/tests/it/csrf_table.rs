//! Every row of the design's CSRF table through the layer: what is denied does not reach the handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use counterfoil::layer::SessionLayer;
use counterfoil::testing::{Browser, Cookies, Reply, Site};
use counterfoil::{Denial, DenyReason as D, EventKind, NeedReason as N, PassReason as P, Policy, PolicySettings};
use counterfoil_core::policy::CsrfWeakening;
use http::header::{CONTENT_TYPE, LOCATION, VARY};
use http::{Method, Request, StatusCode};

type Headers = &'static [(&'static str, &'static str)];

/// A route whose runs are counted, and somebody who is signed in.
struct Guarded {
    site: Site,
    app: Router,
    runs: Arc<AtomicUsize>,
    cookies: Cookies,
    token: String,
}

/// What a request carries beside its headers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carries {
    Nothing,
    Cookie,
    CookieAndToken,
}

/// What came of a request.
struct Outcome {
    reply: Reply,
    handler_ran: bool,
    body_was_read: bool,
}

impl Guarded {
    async fn new(policy: PolicySettings, declare: fn(SessionLayer) -> SessionLayer) -> Self {
        let site = Site::built(Policy::try_from(policy).unwrap(), |builder| builder.denied_page("/denied"));
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let handler = any(async move |body: Bytes| {
            counted.fetch_add(1, Ordering::SeqCst);
            body
        });
        let app =
            Router::new().route("/buy", handler).layer(declare(site.sessions())).layer(DefaultBodyLimit::disable());
        let cookies = site.signed_in("ada").await;
        let token = site.csrf_token(&cookies).await;
        Self { site, app, runs, cookies, token }
    }

    async fn send(&self, method: Method, headers: Headers, carries: Carries) -> Outcome {
        let form = match carries {
            Carries::CookieAndToken => format!("item=tea&csrf_token={}", self.token),
            _ => "item=tea".to_owned(),
        };
        self.send_body(method, headers, carries, FORM, form).await
    }

    async fn send_body(
        &self,
        method: Method,
        headers: Headers,
        carries: Carries,
        content_type: &str,
        text: String,
    ) -> Outcome {
        let read = Arc::new(AtomicBool::new(false));
        let noticed = Arc::clone(&read);
        let body = Body::from_stream(futures_util::stream::once(async move {
            noticed.store(true, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from(text))
        }));
        let mut request = Request::builder().method(method).uri("/buy").header(CONTENT_TYPE, content_type);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let before = self.runs.load(Ordering::SeqCst);
        let reply = self.browser(carries).send(request.body(body).unwrap()).await;
        Outcome {
            reply,
            handler_ran: self.runs.load(Ordering::SeqCst) > before,
            body_was_read: read.load(Ordering::SeqCst),
        }
    }

    fn browser(&self, carries: Carries) -> Browser {
        let browser = self.site.browser(&self.app);
        if carries == Carries::Nothing { browser } else { browser.with(self.cookies.clone()) }
    }
}

fn settings() -> PolicySettings {
    let mut settings = PolicySettings::aal2(Site::ORIGIN);
    settings.csrf.trusted_origins = vec!["https://idp.example".into()];
    settings
}

fn as_it_is(layer: SessionLayer) -> SessionLayer {
    layer
}

const FORM: &str = "application/x-www-form-urlencoded";
const SELF: (&str, &str) = ("origin", Site::ORIGIN);
const NULL: (&str, &str) = ("origin", "null");
const EVIL: (&str, &str) = ("origin", "https://evil.example");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
const SAME_SITE: (&str, &str) = ("sec-fetch-site", "same-site");
const CROSS_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
const NONE: (&str, &str) = ("sec-fetch-site", "none");
const UPGRADE: (&str, &str) = ("upgrade", "websocket");

type Row = (&'static str, Method, Headers, Carries, Result<P, D>);

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    use Carries::{Cookie, CookieAndToken, Nothing};
    let (post, get) = (Method::POST, Method::GET);
    vec![
        //  request                                                  method         headers                                              carries         verdict
        ("01 same-origin, Origin present",                           post.clone(),  &[SELF, SAME_ORIGIN],                                 Cookie,         Ok(P::SameOrigin)),
        ("02 same-origin, Origin absent",                            post.clone(),  &[SAME_ORIGIN],                                       Cookie,         Ok(P::SameOrigin)),
        ("03 cross-site form",                                       post.clone(),  &[EVIL, CROSS_SITE],                                  Cookie,         Err(D::ForeignOrigin)),
        ("04 cross-site form, Origin absent",                        post.clone(),  &[CROSS_SITE],                                        Cookie,         Err(D::CrossSite)),
        ("05 cross-site form with a valid token",                    post.clone(),  &[EVIL, CROSS_SITE],                                  CookieAndToken, Err(D::ForeignOrigin)),
        ("06 cross-site form with a valid token, Origin absent",     post.clone(),  &[CROSS_SITE],                                        CookieAndToken, Err(D::CrossSite)),
        ("07 sibling subdomain, Origin present",                     post.clone(),  &[("origin", "https://blog.test.example"), SAME_SITE], Cookie,        Err(D::ForeignOrigin)),
        ("08 sibling subdomain, Origin absent",                      post.clone(),  &[SAME_SITE],                                         Cookie,         Err(D::SameSite)),
        ("09 http:// of the same host to https",                     post.clone(),  &[("origin", "http://test.example"), CROSS_SITE],     Cookie,         Err(D::ForeignOrigin)),
        ("10 the same with Sec-Fetch stripped",                      post.clone(),  &[("origin", "http://test.example")],                 Cookie,         Err(D::ForeignOrigin)),
        ("11 old browser, cross-site",                               post.clone(),  &[EVIL],                                              Cookie,         Err(D::ForeignOrigin)),
        ("12 old browser, cross-site, only a Referer",               post.clone(),  &[("referer", "https://evil.example/page")],          Cookie,         Err(D::ForeignReferer)),
        ("13 old browser, sandboxed null",                           post.clone(),  &[NULL],                                              Cookie,         Err(D::NoToken(N::NullOrigin))),
        ("14 sandboxed null with a token it cannot have, cross-site", post.clone(), &[NULL, CROSS_SITE],                                  CookieAndToken, Err(D::CrossSite)),
        ("15 cross-site WebSocket handshake",                        get.clone(),   &[UPGRADE, EVIL, CROSS_SITE],                         Cookie,         Err(D::ForeignOrigin)),
        ("16 cross-site WebSocket handshake, Sec-Fetch stripped",    get.clone(),   &[UPGRADE, EVIL],                                     Cookie,         Err(D::ForeignOrigin)),
        ("17 one's own WebSocket handshake",                         get.clone(),   &[UPGRADE, SELF, SAME_ORIGIN],                        Cookie,         Ok(P::SameOrigin)),
        ("18 unknown Sec-Fetch-Site, Origin = self",                 post.clone(),  &[SELF, ("sec-fetch-site", "same-planet")],           Cookie,         Ok(P::PublicOrigin)),
        ("19 trusted partner's form_post",                           post.clone(),  &[("origin", "https://idp.example"), CROSS_SITE],     Cookie,         Ok(P::TrustedOrigin)),
        ("20 a reload that claims same-origin, Origin foreign",      post.clone(),  &[EVIL, SAME_ORIGIN],                                 CookieAndToken, Err(D::ForeignOrigin)),
        ("21 the same, Origin null, no token",                       post.clone(),  &[NULL, SAME_ORIGIN],                                 Cookie,         Err(D::NoToken(N::NullOrigin))),
        ("22 own page with no-referrer (Origin null) + token",       post.clone(),  &[NULL, SAME_ORIGIN],                                 CookieAndToken, Ok(P::ValidToken)),
        ("23 none, no Origin",                                       post.clone(),  &[NONE],                                              Cookie,         Ok(P::UserInitiated)),
        ("24 none, Origin null",                                     post.clone(),  &[NONE, NULL],                                        Cookie,         Err(D::NoToken(N::NullOrigin))),
        ("25 headers stripped, Origin = self",                       post.clone(),  &[SELF],                                              Cookie,         Ok(P::PublicOrigin)),
        ("26 headers stripped, own Referer",                         post.clone(),  &[("referer", "https://test.example/cart")],          Cookie,         Ok(P::PublicReferer)),
        ("27 cookie, no headers at all",                             post.clone(),  &[],                                                  Cookie,         Err(D::NoToken(N::NoHeaders))),
        ("28 the same with a token",                                 post.clone(),  &[],                                                  CookieAndToken, Ok(P::ValidToken)),
        ("29 the same + X-CSRF: 1",                                  post.clone(),  &[("x-csrf", "1")],                                   Cookie,         Ok(P::CustomHeader)),
        ("30 the same + X-CSRF: yes",                                post.clone(),  &[("x-csrf", "yes")],                                 Cookie,         Err(D::NoToken(N::NoHeaders))),
        ("31 bearer, no cookie",                                     post.clone(),  &[("authorization", "Bearer abc"), EVIL, CROSS_SITE], Nothing,        Ok(P::NoCookie)),
        ("32 bearer beside a cookie",                                post.clone(),  &[("authorization", "Bearer abc"), EVIL, CROSS_SITE], Cookie,         Err(D::ForeignOrigin)),
        ("33 a password the browser remembers, no cookie",           post.clone(),  &[("authorization", "Basic YTpi"), EVIL, CROSS_SITE], Nothing,        Err(D::ForeignOrigin)),
        ("34 no cookie, no headers at all",                          post.clone(),  &[],                                                  Nothing,        Ok(P::NothingToMisuse)),
        ("35 repeated Origin",                                       post.clone(),  &[SELF, SELF, SAME_ORIGIN],                           Cookie,         Err(D::RepeatedOrigin)),
        ("36 repeated Sec-Fetch-Site",                               post.clone(),  &[SELF, SAME_ORIGIN, SAME_ORIGIN],                    Cookie,         Err(D::RepeatedFetchSite)),
        ("37 cross-site GET",                                        get.clone(),   &[CROSS_SITE],                                        Cookie,         Ok(P::SafeMethod)),
        ("38 cross-site GET with an override",                       get,           &[("x-http-method-override", "POST"), CROSS_SITE],    Cookie,         Err(D::CrossSite)),
        ("39 TRACE of one's own",                                    Method::TRACE, &[SELF, SAME_ORIGIN],                                 CookieAndToken, Err(D::Trace)),
        ("40 a method nobody knows",                                 Method::from_bytes(b"BREW").unwrap(), &[EVIL, CROSS_SITE],           Cookie,         Err(D::ForeignOrigin)),
        ("41 a trailing dot",                                        post.clone(),  &[("origin", "https://test.example.")],               Cookie,         Err(D::ForeignOrigin)),
        ("42 another port",                                          post.clone(),  &[("origin", "https://test.example:8443"), SAME_SITE], Cookie,        Err(D::ForeignOrigin)),
        ("43 a host that begins like ours",                          post,          &[("origin", "https://test.example.evil.example")],   Cookie,         Err(D::ForeignOrigin)),
    ]
}

/// The reason as the answer carries it: where the method is safe, nothing was judged.
fn told(reason: P) -> Option<P> {
    (reason != P::SafeMethod).then_some(reason)
}

#[tokio::test]
async fn every_row_of_the_design_by_fetch() {
    let guarded = Guarded::new(settings(), as_it_is).await;
    for (name, method, headers, carries, verdict) in rows() {
        let Outcome { reply, handler_ran, body_was_read } = guarded.send(method, headers, carries).await;
        match verdict {
            Ok(reason) => {
                assert_eq!((reply.status(), reply.passed()), (StatusCode::OK, told(reason)), "{name}");
                assert!(handler_ran && body_was_read && reply.text().starts_with("item=tea"), "{name}");
            }
            Err(reason) => {
                assert_eq!(
                    (reply.status(), reply.denial()),
                    (StatusCode::FORBIDDEN, Some(Denial::Csrf(reason))),
                    "{name}"
                );
                assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{name}");
                assert_eq!(reply.headers().get(VARY).unwrap(), "Origin, Sec-Fetch-Site", "{name}");
                assert!(!handler_ran, "{name}: the handler ran");
                // Only a form that may hold the token is read before the decision.
                assert_eq!(body_was_read, matches!(reason, D::NoToken(_)), "{name}: the body");
            }
        }
    }
}

#[tokio::test]
async fn a_navigation_that_is_denied_leads_to_the_page_that_explains() {
    let guarded = Guarded::new(settings(), as_it_is).await;
    for (name, method, headers, carries, verdict) in rows() {
        let Err(reason) = verdict else { continue };
        let browser = guarded.browser(carries).with_header("sec-fetch-mode", "navigate");
        let mut request = Request::builder().method(method).uri("/buy").header("sec-fetch-mode", "navigate");
        for (header, value) in headers {
            request = request.header(*header, *value);
        }
        let reply = browser.send(request.body("item=tea".into()).unwrap()).await;
        assert_eq!(reply.status(), StatusCode::SEE_OTHER, "{name}");
        assert_eq!(reply.headers()[LOCATION], format!("/denied?reason={}", reason.as_str()), "{name}");
        assert_eq!(reply.headers()[VARY], "Origin, Sec-Fetch-Site", "{name}");
    }
    assert_eq!(guarded.runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_token_is_looked_for_in_the_header_and_in_forms_only() {
    let guarded = Guarded::new(settings(), as_it_is).await;
    let form = format!("csrf_token={}", guarded.token);
    let json = format!(r#"{{"csrf_token":"{}"}}"#, guarded.token);
    for (name, content_type, body, passes) in [
        ("in a form", FORM, form.clone(), true),
        ("in a form with a charset", "application/x-www-form-urlencoded; charset=utf-8", form.clone(), true),
        ("in a form that calls itself text", "text/plain", form.clone(), false),
        ("in JSON", "application/json", json, false),
        ("twice in a form", FORM, format!("{form}&{form}"), false),
        ("cut by a character", FORM, form[..form.len() - 1].to_owned(), false),
        ("in a form whose bytes are no UTF-8", FORM, format!("a=%FF&{form}"), true),
    ] {
        let outcome = guarded.send_body(Method::POST, &[], Carries::Cookie, content_type, body).await;
        assert_eq!(outcome.handler_ran, passes, "{name}");
        assert_eq!(outcome.body_was_read, content_type.starts_with(FORM), "{name}: the body");
    }
}

#[tokio::test]
async fn a_form_too_large_to_look_into_does_not_reach_the_handler() {
    let guarded = Guarded::new(settings(), as_it_is).await;
    let form = format!("csrf_token={}&padding={}", guarded.token, "a".repeat(2 * 1024 * 1024));
    let outcome = guarded.send_body(Method::POST, &[], Carries::Cookie, FORM, form).await;
    assert_eq!((outcome.reply.status(), outcome.handler_ran), (StatusCode::PAYLOAD_TOO_LARGE, false));
}

#[tokio::test]
async fn a_token_belongs_to_one_session_survives_rotation_and_dies_at_sign_in() {
    let guarded = Guarded::new(settings(), as_it_is).await;
    let ada = guarded.browser(Carries::Cookie);
    let post = async |browser: &Browser, token: &str| {
        browser.send(Request::post("/buy").header("x-csrf-token", token).body(Body::empty()).unwrap()).await.status()
    };
    let grace = guarded.site.csrf_token(&guarded.site.signed_in("grace").await).await;
    assert_eq!(post(&ada, &grace).await, StatusCode::FORBIDDEN, "of another session");

    guarded.site.clock().advance(std::time::Duration::from_mins(20));
    let before = ada.cookie(crate::app::ID);
    assert_eq!(post(&ada, &guarded.token).await, StatusCode::OK);
    assert_ne!(ada.cookie(crate::app::ID), before, "the session's token rotated");
    assert_eq!(post(&ada, &guarded.token).await, StatusCode::OK, "survives rotation");

    let anew = guarded.site.browser(&guarded.app).with(guarded.site.signed_in("ada").await);
    assert_eq!(post(&anew, &guarded.token).await, StatusCode::FORBIDDEN, "dies at sign-in");
}

#[tokio::test]
async fn another_site_cannot_sign_somebody_in() {
    let guarded = Guarded::new(settings(), |layer| layer.public().sign_in()).await;
    #[rustfmt::skip]
    let rows: [(&str, Headers, Result<P, D>); 6] = [
        ("one's own page",                        &[SELF, SAME_ORIGIN],          Ok(P::SameOrigin)),
        ("an old browser on one's own page",      &[SELF],                       Ok(P::PublicOrigin)),
        ("another site",                          &[EVIL, CROSS_SITE],           Err(D::ForeignOrigin)),
        ("a sibling domain",                      &[SAME_SITE],                  Err(D::SameSite)),
        ("with a bearer that would pass elsewhere", &[("authorization", "Bearer abc"), EVIL], Err(D::ForeignOrigin)),
        ("a client that says nothing",            &[],                           Err(D::NoToken(N::NoHeaders))),
    ];
    for (name, headers, verdict) in rows {
        let outcome = guarded.send(Method::POST, headers, Carries::Nothing).await;
        assert_eq!(outcome.handler_ran, verdict.is_ok(), "{name}");
        assert_eq!(outcome.reply.denial(), verdict.err().map(Denial::Csrf), "{name}");
    }
}

#[tokio::test]
async fn a_sensitive_route_needs_the_token_as_well() {
    let guarded = Guarded::new(settings(), SessionLayer::sensitive).await;
    #[rustfmt::skip]
    let rows: [(&str, Headers, Carries, Result<P, D>); 6] = [
        ("one's own page without a token",  &[SELF, SAME_ORIGIN],                             Carries::Cookie,         Err(D::NoToken(N::Sensitive))),
        ("one's own page with a token",     &[SELF, SAME_ORIGIN],                             Carries::CookieAndToken, Ok(P::ValidToken)),
        ("a partner without a token",       &[("origin", "https://idp.example"), CROSS_SITE], Carries::Cookie,         Err(D::NoToken(N::Sensitive))),
        ("X-CSRF: 1",                       &[("x-csrf", "1")],                               Carries::Cookie,         Err(D::NoToken(N::Sensitive))),
        ("another site with a token",       &[EVIL, CROSS_SITE],                              Carries::CookieAndToken, Err(D::ForeignOrigin)),
        ("a bearer, no cookie",             &[("authorization", "Bearer abc")],               Carries::Nothing,        Err(D::NoToken(N::Sensitive))),
    ];
    for (name, headers, carries, verdict) in rows {
        let outcome = guarded.send(Method::POST, headers, carries).await;
        assert_eq!(outcome.handler_ran, verdict.is_ok(), "{name}");
        assert_eq!(outcome.reply.denial(), verdict.err().map(Denial::Csrf), "{name}");
    }
}

#[tokio::test]
async fn a_get_that_changes_something_is_judged_where_it_is_declared() {
    let guarded = Guarded::new(settings(), SessionLayer::changes_state).await;
    let outcome = guarded.send(Method::GET, &[CROSS_SITE], Carries::Cookie).await;
    assert_eq!((outcome.reply.denial(), outcome.handler_ran), (Some(Denial::Csrf(D::CrossSite)), false));
    assert!(guarded.send(Method::GET, &[SAME_ORIGIN], Carries::Cookie).await.handler_ran);
}

#[tokio::test]
async fn report_mode_tells_and_denies_nothing() {
    let mut reporting = settings();
    reporting.danger.csrf = Some(CsrfWeakening::Report);
    let guarded = Guarded::new(reporting, as_it_is).await;
    for (name, method, headers, carries, verdict) in rows() {
        guarded.site.take_events();
        let outcome = guarded.send(method, headers, carries).await;
        let expected = told(verdict.unwrap_or(P::ReportOnly));
        assert_eq!((outcome.handler_ran, outcome.reply.passed()), (true, expected), "{name}");
        // That there are many of them is told, too.
        let told = guarded.site.events().into_iter().map(|event| event.kind).filter(|kind| kind.signal().is_none());
        let told: Vec<_> = told.collect();
        let wanted: Vec<_> = verdict.err().map(|reason| denied(reason, false)).into_iter().collect();
        assert_eq!(told, wanted, "{name}");
    }
}

#[tokio::test]
async fn report_mode_lets_even_a_form_pass_that_is_too_large_to_look_into() {
    let mut reporting = settings();
    reporting.danger.csrf = Some(CsrfWeakening::Report);
    let guarded = Guarded::new(reporting, as_it_is).await;
    let form = format!("padding={}", "a".repeat(2 * 1024 * 1024));
    let outcome = guarded.send_body(Method::POST, &[], Carries::Cookie, FORM, form.clone()).await;
    assert_eq!(outcome.reply.passed(), Some(P::ReportOnly), "{}", outcome.reply.status());
    assert!(outcome.reply.text() == form, "the handler reads the whole form");
}

#[tokio::test]
async fn report_mode_needs_no_store_on_public_routes() {
    let mut reporting = settings();
    reporting.danger.csrf = Some(CsrfWeakening::Report);
    let guarded = Guarded::new(reporting, SessionLayer::public).await;
    guarded.site.store_fails(true);
    let outcome = guarded.send(Method::POST, &[], Carries::CookieAndToken).await;
    assert!(outcome.handler_ran, "{}", outcome.reply.status());
}

#[tokio::test]
async fn a_denial_is_told_with_its_reason_and_session() {
    let guarded = Guarded::new(settings(), as_it_is).await;
    guarded.site.take_events();
    guarded.send(Method::POST, &[EVIL, CROSS_SITE], Carries::Cookie).await;
    let events = guarded.site.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, denied(D::ForeignOrigin, true));
    assert!(events[0].session.is_some());
}

fn denied(reason: D, enforced: bool) -> EventKind {
    EventKind::CsrfDenied { reason: reason.as_str(), enforced }
}
