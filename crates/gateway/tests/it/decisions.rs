//! What is decided, whichever proxy asks: rules, cross-site requests, the way to our pages, rotation, and what is logged.

use std::future::Future as _;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use counterfoil::{PolicySettings, Subject};
use counterfoil_core::cookie::{CookieKind, CookieNames};
use counterfoil_core::seam::Denial;
use counterfoil_core::testing::{Fault, Jar, Request, sign_in, step_up};
use counterfoil_gateway::app::{AppConfig, CookieReturn, Proxy};
use counterfoil_gateway::rules::{Access, ChangesState, Rule, Rules};
use parking_lot::Mutex;

use crate::assertions::verified;
use crate::harness::{Asked, CONTRACTS, ORIGIN, Site, app, shop};

const PROXY: Proxy = Proxy::Caddy;

#[tokio::test]
async fn whoever_must_sign_in_or_step_up_is_sent_there_and_back() {
    let site = Site::new(shop(PROXY));
    let ada = site.signed_in("ada").await;
    #[rustfmt::skip]
    let rows = [
        ("a fetch",              Asked::get("/members/a?b=c").cookies(&Jar::default()),            401, None),
        ("a navigation",         Asked::get("/members/a?b=c").navigation(),                        303, Some("/.session/login?next=%2Fmembers%2Fa%3Fb%3Dc")),
        ("one of another site",  Asked::get("/members//evil.example").navigation(),                303, Some("/.session/login?next=%2Fmembers%2F%2Fevil.example")),
        ("a form",               Asked::get("/members/").method("POST").header("origin", ORIGIN).navigation(), 303, Some("/.session/login")),
        ("one with a token",     Asked::get("/members/?t=cfoil1_gen_AAAA").navigation(),           303, Some("/.session/login")),
        ("not stepped up",       Asked::get("/admin/x").cookies(&ada).navigation(),                303, Some("/.session/step-up?next=%2Fadmin%2Fx")),
        ("not stepped up, a fetch", Asked::get("/admin/x").cookies(&ada),                          401, None),
        ("cross-site",           Asked::get("/").method("POST").cookies(&ada).header("origin", "https://evil.example").header("sec-fetch-mode", "navigate"), 303, Some("/.session/denied?reason=foreign_origin")),
    ];
    for (name, asked, status, location) in rows {
        let answered = site.ask(&asked).await;
        assert_eq!((answered.seen, answered.header("location")), (status, location), "{name}");
    }
}

#[tokio::test]
async fn fetches_are_told_in_a_problem_what_would_do() {
    let site = Site::new(shop(PROXY));
    let ada = site.signed_in("ada").await;
    let answered = site.ask(&Asked::get("/admin/").cookies(&ada)).await;
    assert_eq!(answered.header("content-type"), Some("application/problem+json"));
    assert!(answered.header("www-authenticate").unwrap().contains("max_age=\"300\""), "RFC 9470");
    let problem: serde_json::Value = serde_json::from_slice(&answered.body).unwrap();
    assert_eq!((&problem["type"], &problem["status"]), (&"urn:counterfoil:step-up-required".into(), &401.into()));
    let answered = site.ask(&Asked::get("/nowhere")).await;
    let problem: serde_json::Value = serde_json::from_slice(&answered.body).unwrap();
    assert_eq!((&problem["type"], &problem["status"]), (&"urn:counterfoil:no-rule".into(), &403.into()));
}

#[tokio::test]
async fn a_link_from_elsewhere_reaches_a_page_and_not_what_its_query_would_do() {
    let rule = Rule { changes_state: ChangesState::WithQuery, ..Rule::new("/*".parse().unwrap(), Access::SignedIn) };
    let site = Site::new(AppConfig { rules: Rules::new(vec![rule]), ..app(PROXY, Access::SignedIn) });
    let ada = site.signed_in("ada").await;
    #[rustfmt::skip]
    let rows = [
        // where the link is   the page  what its query does
        (Some("cross-site"),   200,      303),
        (Some("same-site"),    200,      303),
        (Some("same-origin"),  200,      200),
        (Some("none"),         200,      200),
        (None,                 200,      303),
    ];
    for (from, page, query) in rows {
        let seen = ["/start", "/start?do=logout"].map(|target| {
            let asked = Asked::get(target).cookies(&ada).header("sec-fetch-mode", "navigate");
            from.map_or(asked.clone(), |from| asked.header("sec-fetch-site", from))
        });
        let [first, second] = [site.ask(&seen[0]).await, site.ask(&seen[1]).await];
        assert_eq!((first.seen, second.seen), (page, query), "{from:?}");
        let refused = second.header("location").is_none_or(|location| location.starts_with("/.session/denied?"));
        assert!(refused, "{from:?}: {:?}", second.header("location"));
    }
}

#[tokio::test]
async fn limits_of_a_rule_hold_and_a_refused_request_is_no_activity() {
    let rule = Rule::new("/*".parse().unwrap(), Access::SignedIn);
    let idle = Rule { max_idle: Some(Duration::from_mins(5)), ..rule.clone() };
    let age = Rule { max_auth_age: Some(Duration::from_mins(30)), ..rule };
    #[rustfmt::skip]
    let rows = [
        // minutes since the last request, and whether it passes
        ("activity",        idle, &[(0, true), (4, true), (4, true), (6, false), (1, false)][..]),
        ("a recent sign-in", age, &[(0, true), (14, true), (14, true), (1, true), (1, false), (1, false)][..]),
    ];
    for (name, rule, requests) in rows {
        let site = Site::new(AppConfig { rules: Rules::new(vec![rule]), ..app(PROXY, Access::SignedIn) });
        let mut ada = site.signed_in("ada").await;
        for (at, (minutes, passes)) in requests.iter().enumerate() {
            site.clock.advance(Duration::from_mins(*minutes));
            let answered = site.ask(&Asked::get("/").cookies(&ada)).await;
            for cookie in answered.headers.get_all("set-cookie") {
                ada.take(cookie.to_str().unwrap(), crate::harness::NOW).unwrap();
            }
            assert_eq!(answered.denial.is_none(), *passes, "{name}: request {at}");
            if !passes {
                assert!(matches!(answered.denial, Some(Denial::SignInAgain { .. })), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_public_path_does_not_fail_with_the_store_and_says_that_it_does_not_know() {
    for proxy in CONTRACTS {
        let site = Site::new(shop(*proxy));
        let ada = site.signed_in("ada").await;
        site.faults.on_all(Fault::Before);
        let answered = site.ask(&Asked::get("/").cookies(&ada)).await;
        assert!(answered.passes(), "{}", proxy.as_str());
        let claims = verified(&site, answered.header("counterfoil-assertion").unwrap());
        assert_eq!((&claims["acr"], claims.get("sub"), claims.get("sid")), (&"unknown".into(), None, None));
        assert_eq!(answered.header("set-cookie"), None);
        // Nobody is told a session ended that did not.
        site.faults.heal();
        let answered = site.ask(&Asked::get("/").cookies(&ada)).await;
        assert_eq!(verified(&site, answered.header("counterfoil-assertion").unwrap())["sub"], "ada");
    }
}

#[tokio::test]
async fn a_remembered_user_is_not_signed_in_to_the_app() {
    let mut settings = PolicySettings::aal2(ORIGIN);
    settings.timeouts.remember_for = Some("30days".parse().unwrap());
    let site = Site::new(AppConfig { policy: settings.try_into().unwrap(), ..shop(PROXY) });
    let mut ada = Jar::default();
    let options = counterfoil::SignInOptions { remember: true, ..Default::default() };
    let subject = Subject::new("ada").unwrap();
    counterfoil_core::testing::sign_in_with(site.sessions.engine(), &mut ada, &subject, options).await.unwrap();
    Request::new(site.sessions.engine(), &mut ada).send(async |exchange| exchange.open().await).await.unwrap();
    site.clock.advance(Duration::from_hours(2));
    let answered = site.ask(&Asked::get("/").cookies(&ada)).await;
    let claims = verified(&site, answered.header("counterfoil-assertion").unwrap());
    assert_eq!((&claims["acr"], claims.get("sub"), claims.get("sid")), (&"remembered".into(), None, None));
    assert_eq!(
        (answered.header("counterfoil-subject"), answered.header("counterfoil-assurance")),
        (Some(""), Some("remembered"))
    );
    assert_eq!(site.ask(&Asked::get("/members/").cookies(&ada)).await.seen, 401);
}

#[tokio::test]
async fn a_csrf_token_counts_in_its_header_and_a_form_is_not_read() {
    for proxy in CONTRACTS {
        let site = Site::new(shop(*proxy));
        let mut ada = site.signed_in("ada").await;
        let token = Request::new(site.sessions.engine(), &mut ada).send(async |exchange| exchange.csrf_token().await);
        let token = token.await.unwrap().unwrap();
        let bare = Asked::get("/members/").method("POST").cookies(&ada);
        assert_eq!(site.ask(&bare).await.seen, 403, "{}", proxy.as_str());
        let answered = site.ask(&bare.clone().header("x-csrf-token", &token)).await;
        assert!(answered.passes(), "{}: {answered:?}", proxy.as_str());
        let claims = verified(&site, answered.header("counterfoil-assertion").unwrap());
        assert_eq!((&claims["csrf"], &claims["csrf_reason"]), (&"ok".into(), &"valid_token".into()));
        if *proxy != Proxy::EnvoyGrpc {
            let mut request = bare.header("content-type", "application/x-www-form-urlencoded").through(*proxy);
            *request.body_mut() = format!("csrf_token={token}").into();
            assert_eq!(site.send(request).await.seen, 403, "{}", proxy.as_str());
        }
    }
}

#[tokio::test]
async fn where_cookies_are_lost_a_due_rotation_sends_people_by_our_page_once() {
    for proxy in CONTRACTS {
        let site = Site::new(AppConfig { cookie_return: CookieReturn::None, ..shop(*proxy) });
        let mut ada = site.signed_in("ada").await;
        let page = |ada: &Jar| Asked::get("/members/a?b=c").cookies(ada).navigation();
        assert!(site.ask(&page(&ada)).await.passes(), "{}: not due", proxy.as_str());
        site.clock.advance(Duration::from_mins(20));
        // Only what a person waits for, and only where it can be asked for again.
        for other in [
            Asked::get("/members/").cookies(&ada),
            page(&ada).method("HEAD"),
            Asked::get("/members/").method("POST").cookies(&ada).own(),
            page(&ada).header("sec-purpose", "prefetch"),
            page(&ada).header("sec-websocket-version", "13").header("origin", ORIGIN),
        ] {
            assert!(site.ask(&other).await.passes(), "{}: {other:?}", proxy.as_str());
        }
        let stranger = page(&Jar::default());
        assert_eq!(site.ask(&stranger).await.header("location"), Some("/.session/login?next=%2Fmembers%2Fa%3Fb%3Dc"));
        let sent = site.ask(&page(&ada)).await;
        assert_eq!(sent.seen, 307, "{}", proxy.as_str());
        assert_eq!(sent.header("location"), Some("/.session/refresh?next=%2Fmembers%2Fa%3Fb%3Dc"));
        assert_eq!(sent.header("set-cookie"), None);
        // The cookie did not get through there either: nobody goes in circles.
        assert!(site.ask(&page(&ada)).await.passes(), "{}: again", proxy.as_str());
        site.clock.advance(Duration::from_mins(2));
        assert_eq!(site.ask(&page(&ada)).await.seen, 307, "{}: later it is tried again", proxy.as_str());
        // It did: what our page does.
        Request::new(site.sessions.engine(), &mut ada).send(async |exchange| exchange.open().await).await.unwrap();
        site.clock.advance(Duration::from_mins(2));
        assert!(site.ask(&page(&ada)).await.passes(), "{}: renewed", proxy.as_str());
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_nothing_half_done() {
    let site = Site::new(shop(PROXY));
    let ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_mins(20));
    let asked = Asked::get("/members/").cookies(&ada);
    for verb in [counterfoil_core::testing::Verb::Load, counterfoil_core::testing::Verb::Commit] {
        site.faults.hold(verb);
        let mut decision = Box::pin(site.ask(&asked));
        let mut context = Context::from_waker(Waker::noop());
        assert!(decision.as_mut().poll(&mut context).is_pending(), "{verb:?} waits");
        drop(decision);
        site.faults.heal();
    }
    // Rotation was under way, and whoever asks again gets its cookie.
    let answered = site.ask(&asked).await;
    assert!(answered.passes() && answered.header("set-cookie").unwrap().starts_with("__Host-Http-id="), "{answered:?}");
}

#[tokio::test]
async fn a_session_that_ends_is_denied_with_the_next_request_whatever_was_signed_for_it() {
    for proxy in CONTRACTS {
        let site = Site::new(shop(*proxy));
        let mut ada = site.signed_in("ada").await;
        let asked = Asked::get("/members/").cookies(&ada);
        assert!(site.ask(&asked).await.passes());
        Request::new(site.sessions.engine(), &mut ada).send(async |exchange| exchange.sign_out().await).await.unwrap();
        let answered = site.ask(&asked).await;
        assert_eq!((answered.seen, answered.denial), (401, Some(Denial::SignInRequired)), "{}", proxy.as_str());
    }
}

#[tokio::test]
async fn a_step_up_is_an_elevated_assertion() {
    let site = Site::new(shop(PROXY));
    let mut ada = site.signed_in("ada").await;
    step_up(site.sessions.engine(), &mut ada).await.unwrap();
    let answered = site.ask(&Asked::get("/admin/").cookies(&ada)).await;
    assert_eq!(verified(&site, answered.header("counterfoil-assertion").unwrap())["acr"], "elevated");
}

/// Lines of the log, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_denial_is_one_line_with_rule_app_and_reason_and_never_a_cookie() {
    let site = Site::new(shop(PROXY));
    let mut ada = site.signed_in("ada").await;
    step_up(site.sessions.engine(), &mut ada).await.unwrap();
    let names = CookieNames::https();
    let secrets: Vec<String> = [CookieKind::Session, CookieKind::Elevated]
        .map(|kind| ada.value(names.name(kind).as_str()).unwrap().to_owned())
        .into();
    let token = &secrets[0];
    let other = Subject::new("grace").unwrap();
    let mut grace = Jar::default();
    sign_in(site.sessions.engine(), &mut grace, &other).await.unwrap();
    #[rustfmt::skip]
    let rows = [
        ("signed-in",    Asked::get("/members/")),
        ("signed-in",    Asked::get(&format!("/members/{token}")).navigation()),
        ("step-up",      Asked::get("/admin/").cookies(&grace)),
        ("csrf",         Asked::get("/").method("POST").cookies(&ada)),
        ("no-rule",      Asked::get("/nowhere").cookies(&ada)),
        ("no-rule",      Asked::get(&format!("/nowhere/{token}")).cookies(&ada)),
        ("path",         Asked::get(&format!("/../{token}?{token}")).cookies(&ada)),
        ("metadata",     Asked { host: "evil.example".into(), ..Asked::get("/").cookies(&ada) }),
        ("metadata",     Asked { host: token.clone(), ..Asked::get("/").cookies(&ada) }),
        ("owned-header", Asked::get("/").cookies(&ada).header("counterfoil_subject", token)),
        ("too-large",    Asked::get("/").cookies(&ada).header("cookie", &"x=".repeat(3_000))),
    ];
    for (rule, asked) in rows {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let answered = {
            let _guard = tracing::subscriber::set_default(subscriber);
            site.ask(&asked).await
        };
        assert!(!answered.passes(), "{rule}");
        let text = String::from_utf8(log.0.lock().clone()).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| line.contains("a request is denied")).collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert!(lines[0].contains(&format!("rule=\"{rule}\"")) && lines[0].contains("app=\"shop\""), "{text}");
        assert!(lines[0].contains("reason="), "{text}");
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{rule}: a token is in the log");
        }
    }
}
