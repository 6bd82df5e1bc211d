//! Reports of what a content security policy stopped: told as events, and nobody is served by sending made-up ones.

use axum::Router;
use axum::body::Body;
use counterfoil::testing::Site;
use counterfoil::{CSP_REPORT_PATH, EventKind, REPORTS_PER_MINUTE};
use http::{Request, StatusCode};
use tower::ServiceExt as _;

const REPORT: &str = r#"{"csp-report":{"effective-directive":"script-src-elem","blocked-uri":"inline"}}"#;
const SINGLE: (&str, &str) = ("content-type", "application/csp-report");
const OURS: (&str, &str) = ("origin", Site::ORIGIN);

async fn send(site: &Site, headers: &[(&str, &str)], body: impl Into<Body>) -> StatusCode {
    let app: Router = site.csp_reports();
    let mut request = Request::post(CSP_REPORT_PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.oneshot(request.body(body.into()).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn a_report_is_told_with_the_session_it_came_from() {
    let site = Site::new();
    let cookies = site.signed_in("ada").await;
    let session = site.events().iter().find_map(|event| event.session);
    site.take_events();
    let cookie = ("cookie", cookies.header().to_str().unwrap());
    site.store_fails(true);
    assert_eq!(send(&site, &[OURS, SINGLE, cookie], REPORT).await, StatusCode::NO_CONTENT, "no store is asked");
    let events = site.events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let kind = EventKind::CspViolated { directive: "script-src-elem", blocked: "inline", enforced: true };
    assert_eq!((event.kind, event.session), (kind, session));
    assert_eq!((event.kind.name(), event.kind.reason()), ("csp.violated", Some("script-src-elem")));
}

#[tokio::test]
async fn what_is_no_report_of_ours_is_refused_and_tells_nothing() {
    let site = Site::new();
    let long = "x".repeat(17 * 1024);
    #[rustfmt::skip]
    let rows = [
        ("from another site",  vec![("origin", "https://evil.example"), SINGLE],     REPORT, 403),
        ("of another site",    vec![("sec-fetch-site", "cross-site"), SINGLE],       REPORT, 403),
        ("of another type",    vec![OURS, ("content-type", "text/plain")],           REPORT, 415),
        ("of no type",         vec![OURS],                                           REPORT, 415),
        ("not JSON",           vec![OURS, SINGLE],                                   "{",    400),
        ("too long",           vec![OURS, SINGLE],                                   &long,  413),
    ];
    for (name, headers, body, status) in rows {
        assert_eq!(send(&site, &headers, body.to_owned()).await.as_u16(), status, "{name}");
        assert!(site.take_events().iter().all(|event| *event == "csrf.denied"), "{name}");
    }
    let answer = site.csp_reports::<()>().oneshot(Request::get(CSP_REPORT_PATH).body(Body::empty()).unwrap());
    assert_eq!(answer.await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_never_ends_is_not_waited_for() {
    let endless = Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>());
    assert_eq!(send(&Site::new(), &[OURS, SINGLE], endless).await, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_flood_of_reports_is_told_up_to_its_ration() {
    let site = Site::new();
    let ration = usize::try_from(REPORTS_PER_MINUTE).unwrap();
    for _ in 0..ration + 50 {
        assert_eq!(send(&site, &[OURS, SINGLE], REPORT).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(site.take_events().len(), ration);
    site.clock().advance(std::time::Duration::from_mins(1));
    send(&site, &[OURS, SINGLE], REPORT).await;
    assert_eq!(site.take_events(), ["csp.violated"]);
}
