//! Whatever a client sends: nothing panics, nothing we did not issue reaches the store, nothing changes state.

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use counterfoil::testing::{Browser, Site, Verb};
use counterfoil::{Policy, PolicySettings, Session};
use counterfoil_core::address::AddressSource;
use http::{HeaderValue, Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::app::{ELEVATED, ID, VISITOR, app};

const STRANGER: &str = "who are you?";

/// Ada, signed in and stepped up, and a browser that is nobody's.
struct Scene {
    site: Site,
    ada: Browser,
    nobody: Browser,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        let site = Site::new();
        let app = app(&site);
        let ada = site.browser(&app).with(site.stepped_up("ada").await);
        let token = ada.cookie(ID).unwrap();
        let nobody = site.browser(&app);
        Self { site, ada, nobody, token }
    }

    /// Sends a cookie header; nobody is signed in by it, the store is not asked, and nothing is there afterwards that
    /// was not there before.
    async fn refuses(&self, cookies: &[u8], what: &str) {
        let (asked, records) = (self.site.faults().asked(), self.site.records());
        let header = HeaderValue::from_bytes(cookies).unwrap();
        let request = Request::get("/greet").header("cookie", header).body(Body::empty()).unwrap();
        let reply = self.nobody.send(request).await;
        assert_eq!((reply.status(), reply.text()), (StatusCode::OK, STRANGER), "{what}");
        assert_eq!(reply.header("set-cookie"), None, "{what}");
        assert_eq!(self.site.faults().asked(), asked, "{what}: the store was asked");
        assert_eq!(self.site.records(), records, "{what}");
    }

    async fn assert_nothing_happened(&self) {
        assert_eq!(self.ada.get("/me").await.text(), "ada (elevated) by pwd, otp");
    }
}

fn cookie(name: &str, value: &str) -> Vec<u8> {
    format!("{name}={value}").into_bytes()
}

#[tokio::test]
async fn a_token_that_is_not_ours_to_the_last_bit_never_reaches_the_store() {
    let scene = Scene::new().await;
    let token = scene.token.clone();
    for end in 0..token.len() {
        scene.refuses(&cookie(ID, &token[..end]), "cut").await;
    }
    for (at, c) in token.char_indices() {
        let other = if c == 'A' { "B" } else { "A" };
        let flipped = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        // The last character holds 2 bits that no byte uses: base64 with any of them set is refused as well.
        scene.refuses(&cookie(ID, &flipped), "one character changed").await;
    }
    for extension in ["A", "AAAA", "=", "_", "-", "%00", " x", "\"", ",", "/"] {
        scene.refuses(&cookie(ID, &format!("{token}{extension}")), "extended").await;
    }
    scene.refuses(&cookie(ID, &format!("\"{token}\"")), "quoted").await;
    scene.refuses(&cookie(ID, &token.to_uppercase()), "in capitals").await;
    scene.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_token_of_another_key_session_or_kind_never_reaches_the_store() {
    let scene = Scene::new().await;
    let other_site = Site::new();
    let others = other_site.browser(&app(&other_site)).with(other_site.signed_in("ada").await).cookie(ID).unwrap();
    scene.refuses(&cookie(ID, &others), "another site's").await;
    let grace = scene.ada.clone().with(scene.site.signed_in("grace").await).cookie(ID).unwrap();
    let cut = scene.token.len() - 22;
    scene.refuses(&cookie(ID, &format!("{}{}", &scene.token[..cut], &grace[cut..])), "another's tag").await;
    let elevated = scene.ada.cookie(ELEVATED).unwrap();
    scene.refuses(&cookie(ID, &elevated), "a step-up as a session").await;
    scene.refuses(&cookie(VISITOR, &scene.token), "a session as a visitor").await;
    scene.refuses(&cookie(VISITOR, &elevated), "a step-up as a visitor").await;
    scene.refuses(&cookie(ELEVATED, &elevated), "a step-up without its session").await;
    scene.refuses(&cookie(&ID.to_lowercase(), &scene.token), "the name in lower case").await;
    scene.refuses(&cookie("id", &scene.token), "the name without its prefix").await;
    scene.refuses(format!("{ID}={}; {ID}={grace}", scene.token).as_bytes(), "two sessions' tokens").await;
    scene.assert_nothing_happened().await;
}

#[tokio::test]
async fn cookie_headers_of_any_size_and_any_bytes_are_passed_over() {
    let scene = Scene::new().await;
    scene.refuses(&vec![b'a'; 64 * 1024], "64 kB without a cookie").await;
    scene.refuses(&cookie(ID, &"A".repeat(64 * 1024)), "64 kB in ours").await;
    scene.refuses(&format!("{ID}=cfoil1_gen_AAAA; ").repeat(2_000).into_bytes(), "2000 of our name").await;
    let many: Vec<String> = (0..500).map(|number| format!("c{number}={}", "v".repeat(50))).collect();
    scene.refuses(many.join("; ").as_bytes(), "500 cookies").await;
    scene.refuses(&[b"x=\xff\xfe; ", &*cookie(ID, "\u{e9}")].concat(), "no UTF-8").await;
    let bytes: Vec<u8> = (0..=255).filter(|byte| *byte == b'\t' || (*byte >= 32 && *byte != 127)).collect();
    scene.refuses(&[&*cookie(ID, ""), &*bytes].concat(), "every byte a header may hold").await;
    for odd in [
        "",
        ";",
        "=",
        "; ; ;",
        "=;=",
        "__Host-Http-id",
        "__Host-Http-id;",
        "__Host-Http-id=",
        ";;=;__Host-Http-id==",
        "\t=\t",
    ] {
        scene.refuses(odd.as_bytes(), odd).await;
    }
    scene.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_genuine_cookie_is_found_among_the_rubbish() {
    let scene = Scene::new().await;
    let rubbish: Vec<String> = (0..500).map(|number| format!("c{number}=v")).collect();
    let among = format!("{}; {ID}={}; \u{e9}=\u{e9}; {ID}=cfoil1_gen_AAAA", rubbish.join("; "), scene.token);
    let header = HeaderValue::from_bytes(among.as_bytes()).unwrap();
    let reply = scene.nobody.send(Request::get("/greet").header("cookie", header).body(Body::empty()).unwrap()).await;
    assert_eq!(reply.text(), "ada (authenticated)");
}

#[tokio::test]
async fn duplicated_headers_are_all_read() {
    let scene = Scene::new().await;
    let request = Request::get("/greet").header("cookie", "a=b").header("cookie", format!("{ID}={}", scene.token));
    assert_eq!(scene.nobody.send(request.body(Body::empty()).unwrap()).await.text(), "ada (authenticated)");
    let twice = format!("{ID}={0}; {ID}={0}", scene.token);
    let request = Request::get("/greet").header("cookie", twice).body(Body::empty()).unwrap();
    assert_eq!(scene.nobody.send(request).await.text(), "ada (authenticated)", "the same one twice is one");
}

#[tokio::test]
async fn a_token_anywhere_but_in_its_cookie_signs_nobody_in() {
    let scene = Scene::new().await;
    let token = &scene.token;
    scene.site.take_events();
    let asked = scene.site.faults().asked();
    for (what, request, told) in [
        ("query", Request::get(format!("/greet?{ID}={token}")), true),
        ("query, under any name", Request::get(format!("/greet?a=b&x={token}&c")), true),
        ("path", Request::get(format!("/any/{token}")), true),
        ("bearer", Request::get("/greet").header("authorization", format!("Bearer {token}")), false),
        ("a header of our cookie's name", Request::get("/greet").header(ID, token), false),
        ("X-CSRF-Token", Request::get("/greet").header("x-csrf-token", token), false),
    ] {
        let reply = scene.nobody.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((reply.text(), reply.header("set-cookie")), (STRANGER, None), "{what}");
        assert_eq!(scene.site.take_events().contains(&"token.misplaced"), told, "{what}");
    }
    assert_eq!(scene.site.faults().asked(), asked, "the store was asked");
    let form = format!("{ID}={token}&session={token}&value=x");
    let request = Request::post("/any/form").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(scene.nobody.send(request.body(Body::from(form)).unwrap()).await.text(), STRANGER, "form");
    scene.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_genuine_misplaced_token_names_its_session_for_the_operator() {
    let scene = Scene::new().await;
    scene.site.take_events();
    scene.nobody.get(&format!("/greet?t={}", scene.token)).await;
    scene.nobody.get("/greet?t=cfoil1_gen_AAAA").await;
    let sessions: Vec<bool> = scene.site.events().iter().map(|event| event.session.is_some()).collect();
    assert_eq!(sessions, [true, false]);
}

#[tokio::test]
async fn an_invented_session_id_is_never_adopted() {
    let scene = Scene::new().await;
    for name in [ID, VISITOR, ELEVATED] {
        scene
            .nobody
            .put_cookie(name, "cfoil1_gen_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    }
    assert_eq!(scene.nobody.post_form("/count", &[]).await.text(), "1");
    let visitor = scene.nobody.cookie(VISITOR).unwrap();
    assert!(visitor.starts_with("cfoil1_gen_") && !visitor.contains("AAAAAAAAAAAAAAAAAAAAAAAA"), "a new one, by us");
}

#[tokio::test]
async fn strangers_cost_nothing() {
    let scene = Scene::new().await;
    let (asked, records) = (scene.site.faults().asked(), scene.site.records());
    for _ in 0..1_000 {
        let reply = scene.nobody.get("/greet").await;
        assert_eq!(reply.header("set-cookie"), None);
    }
    assert_eq!((scene.site.faults().asked(), scene.site.records()), (asked, records));
}

#[tokio::test]
async fn origins_are_exact() {
    let scene = Scene::new().await;
    #[rustfmt::skip]
    let rows = [
        ("https://test.example",             StatusCode::OK),
        ("https://test.example:443",         StatusCode::OK), // the same origin, in more words
        ("https://TEST.example",             StatusCode::OK),
        ("https://test.example.",            StatusCode::FORBIDDEN),
        ("https://test.example/",            StatusCode::FORBIDDEN),
        ("https://test.example:8443",        StatusCode::FORBIDDEN),
        ("http://test.example",              StatusCode::FORBIDDEN),
        ("https://xn--tst-bma.example",      StatusCode::FORBIDDEN),
        ("https://user@test.example",        StatusCode::FORBIDDEN),
        ("https://test.example https://evil.example", StatusCode::FORBIDDEN),
        ("test.example",                     StatusCode::FORBIDDEN),
        ("null",                             StatusCode::FORBIDDEN),
        ("",                                 StatusCode::FORBIDDEN),
    ];
    for (origin, status) in rows {
        let request = Request::post("/me").header("origin", origin).body(Body::empty()).unwrap();
        assert_eq!(scene.ada.send(request).await.status(), status, "{origin:?}");
    }
    let bytes = HeaderValue::from_bytes(b"https://t\xe9st.example").unwrap();
    let request = Request::post("/me").header("origin", bytes).body(Body::empty()).unwrap();
    assert_eq!(scene.ada.send(request).await.status(), StatusCode::FORBIDDEN, "no UTF-8");
}

#[tokio::test]
async fn a_foreign_host_decides_nothing() {
    let scene = Scene::new().await;
    for host in ["evil.example", "", "test.example:99999", "[::1", "a b"] {
        let request = Request::get("/me").header("host", host).header("sec-fetch-mode", "navigate");
        let reply = scene.nobody.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.header("location"), Some("/login?next=%2Fme"), "{host:?}");
    }
}

#[tokio::test]
async fn the_way_back_leads_nowhere_else() {
    let site = Site::new();
    // A fallback answers whatever the path: `//evil.example` is a path to a router.
    let app = Router::new().fallback(any(async |_: counterfoil::SignedIn| ())).layer(site.sessions());
    for (path, next) in
        [("//evil.example/x", "%2F%2Fevil.example%2Fx"), ("/a?b=c&d=%0d%0a", "%2Fa%3Fb%3Dc%26d%3D%250d%250a")]
    {
        let reply = site.browser(&app).navigate(path).await;
        assert_eq!(reply.header("location"), Some(&*format!("/login?next={next}")));
    }
    assert_eq!(counterfoil::local_path("//evil.example/x"), None, "and a sign-in refuses to go there");
}

#[tokio::test]
async fn forged_forwarded_headers_change_no_address() {
    let mut settings = PolicySettings::aal2(Site::ORIGIN);
    settings.address.trusted_proxies = vec!["10.0.0.0/8".into()];
    settings.address.header = Some(AddressSource::XForwardedFor);
    let believing = Site::with(Policy::try_from(settings).unwrap());
    let plain = Site::new();
    let hops = vec!["203.0.113.9"; 1_000].join(", ");
    for (what, forwarded) in [
        ("empty", ""),
        ("commas", ",,,,"),
        ("IPv6 with a zone", "fe80::1%eth0"),
        ("in brackets, with a port", "[2001:db8::1]:443"),
        ("an obfuscated name", "_hidden, unknown"),
        ("a thousand hops", &hops),
        ("something long", &"9".repeat(60_000)),
        ("a script", "<script>alert(1)</script>"),
    ] {
        for (site, peer) in [(&plain, Ipv4Addr::new(198, 51, 100, 7)), (&believing, Ipv4Addr::new(198, 51, 100, 7))] {
            let browser =
                site.browser(&addressed(site)).at_address(IpAddr::V4(peer)).with_header("x-forwarded-for", forwarded);
            let browser = browser.with_header("forwarded", forwarded).with_header("x-real-ip", forwarded);
            assert_eq!(browser.get("/").await.text(), "198.51.100.7", "{what}: a peer that is no proxy of ours");
        }
        let proxied = believing.browser(&addressed(&believing)).at_address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
        let reply = proxied.with_header("x-forwarded-for", forwarded).get("/").await;
        assert_eq!(reply.status(), StatusCode::OK, "{what}");
        assert!(
            ["10.0.0.1", "203.0.113.9", "2001:db8::1", "fe80::1"].contains(&reply.text()),
            "{what}: {}",
            reply.text()
        );
    }
}

fn addressed(site: &Site) -> Router {
    let handler = any(async |session: Session| {
        session.exchange().client_address().map(|address| address.to_string()).unwrap_or_default()
    });
    Router::new().route("/", handler).layer(site.sessions())
}

/// What the `http` types cannot hold comes over a wire.
#[tokio::test]
async fn raw_bytes_over_a_connection_do_no_harm() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = Site::with(Policy::aal2(&format!("http://{address}")).unwrap());
    let cookies = site.signed_in("ada").await;
    let app = app(&site);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let (records, loads) = (site.records(), site.faults().asked_for(Verb::Load));
    for cookie in [&b"dev-id=\x00\x01\x02"[..], b"dev-id=a\x7fb", b"dev-id=\xff\xff", b"dev-id=a\x0bb", b"\x1b[2J"] {
        let reply = exchange(&address.to_string(), cookie).await;
        assert!(reply.starts_with("HTTP/1.1 400") || reply.starts_with("HTTP/1.1 401"), "{cookie:?}: {reply}");
        assert!(!reply.contains("set-cookie"), "{cookie:?}");
    }
    assert_eq!((site.records(), site.faults().asked_for(Verb::Load)), (records, loads));
    let reply = exchange(&address.to_string(), cookies.header().as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "the server still serves: {reply}");
}

async fn exchange(address: &str, cookie: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /me HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncookie: ");
    stream.write_all(&[head.as_bytes(), cookie, b"\r\n\r\n"].concat()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    String::from_utf8_lossy(&reply).into_owned()
}
