//! The limiter as handlers use it: races, nodes that share, and what becomes of it while others do not answer.

use std::sync::atomic::{AtomicBool, AtomicUsize};

use axum::response::IntoResponse as _;
use counterfoil_core::EventKind;
use counterfoil_core::limits::Keying;
use counterfoil_core::store::BoxFuture;

use super::*;

fn limiter() -> (Limiter, Arc<AtomicU64>) {
    let now = Arc::new(AtomicU64::new(1_000));
    (Limiter::with_clock(LimitSettings::default(), Stopwatch::Set(Arc::clone(&now))), now)
}

fn at(address: [u8; 4]) -> Asker {
    Asker { client: Some(address.into()), ..Asker::default() }
}

async fn fails(limiter: &Limiter, asker: Asker, name: &str) -> bool {
    limiter.sign_in(asker, name).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_64_at_once_as_many_are_admitted_as_the_limit_says_and_not_one_more() {
    for _ in 0..50 {
        let limiter = Limiter::at_a_standstill(LimitSettings::default());
        let begin = Arc::new(tokio::sync::Barrier::new(64));
        let tries = (0..64_u8).map(|n| {
            let (limiter, begin) = (limiter.clone(), Arc::clone(&begin));
            tokio::spawn(async move {
                begin.wait().await;
                // Half of them from one address at many accounts, half from many addresses at one account.
                match n % 2 {
                    0 => (fails(&limiter, at([192, 0, 2, 1]), &format!("name-{n}")).await, false),
                    _ => (false, fails(&limiter, at([198, 51, 100, n]), "ada").await),
                }
            })
        });
        let (mut from_one, mut at_one) = (0, 0);
        for tried in tries.collect::<Vec<_>>() {
            let (from, at) = tried.await.unwrap();
            (from_one, at_one) = (from_one + u32::from(from), at_one + u32::from(at));
        }
        assert_eq!((from_one, at_one), (10, 20));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_64_threads_that_succeed_and_fail_nothing_is_lost_and_nothing_is_won() {
    let limiter = Limiter::at_a_standstill(LimitSettings::default());
    let threads = (0..64_u8).map(|n| {
        let limiter = limiter.clone();
        tokio::spawn(async move {
            for round in 0..20 {
                // Its own account, from an address that it shares with seven others: whoever is early may be refused.
                if let Ok(trial) = limiter.sign_in(at([192, 0, 2, n / 8]), &format!("{n}-{round}")).await {
                    trial.succeeded().await;
                }
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.await.unwrap();
    }
    for n in 0..8_u8 {
        let mut left = 0;
        while fails(&limiter, at([192, 0, 2, n]), &format!("stranger-{left}")).await {
            left += 1;
        }
        assert_eq!(left, 10, "all was given back, and no more than that");
    }
}

#[tokio::test]
async fn a_try_that_is_dropped_counts_as_failed() {
    let (limiter, _) = limiter();
    for _ in 0..10 {
        drop(limiter.sign_in(at([192, 0, 2, 1]), "ada").await.unwrap());
    }
    assert!(limiter.sign_in(at([192, 0, 2, 1]), "ada").await.is_err());
}

#[tokio::test]
async fn who_passed_one_factor_is_not_known_there_before_the_last() {
    let (limiter, _) = limiter();
    let home = at([192, 0, 2, 1]);
    for (n, last) in [(0, false), (1, true)] {
        let name = format!("ada-{n}");
        limiter.sign_in(home, &name).await.unwrap().passed().await;
        let code = limiter.code(home, &name).await.unwrap();
        if last {
            code.succeeded().await;
        }
        for n in 0..20 {
            fails(&limiter, at([198, 51, 100, n]), &name).await;
        }
        assert_eq!(limiter.sign_in(home, &name).await.is_ok(), last);
    }
}

#[tokio::test]
async fn a_refusal_says_when_and_what_and_is_told_once() {
    let (limiter, now) = limiter();
    let home = at([192, 0, 2, 1]);
    for n in 0..10 {
        assert!(fails(&limiter, home, &format!("name-{n}")).await);
    }
    let refusal = limiter.sign_in(home, "ada").await.unwrap_err();
    assert_eq!(refusal.event(), Some(EventKind::LimitHit { act: Act::SignIn, per: Per::Address }));
    assert_eq!(limiter.sign_in(home, "ada").await.unwrap_err().event(), None);
    let response = refusal.into_response();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(response.status(), 429);
    assert_eq!(header("retry-after"), "6");
    assert_eq!(header("ratelimit-policy"), r#""sign_in.address";q=10;w=60"#);
    assert_eq!(header("ratelimit"), r#""sign_in.address";r=0;t=6"#);
    assert_eq!(header("content-type"), "application/problem+json");
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["status"], &body["violated-policies"][0]), (&429.into(), &"sign_in.address".into()));
    now.fetch_add(5_001, Ordering::Relaxed);
    assert_eq!(limiter.sign_in(home, "ada").await.unwrap_err().retry_after_seconds(), 1, "rounded up");
}

#[tokio::test]
async fn an_answer_says_what_is_left_to_whoever_asks() {
    let (limiter, _) = limiter();
    let session = SessionId::from_bytes([7; 18]);
    for (left, full) in [(59, 1), (58, 2)] {
        let trial = limiter.refresh(session).await.unwrap();
        let answer = trial.told(Response::default());
        let expected = format!(r#""refresh.session";r={left};t={full}"#);
        assert_eq!(answer.headers()["ratelimit"].to_str().unwrap(), expected);
        assert_eq!(answer.headers()["ratelimit-policy"].to_str().unwrap(), r#""refresh.session";q=60;w=60"#);
    }
}

/// A count that answers, fails or hangs as it is told.
struct Others {
    ledger: Mutex<Ledger>,
    broken: AtomicBool,
    hangs: AtomicBool,
    asked: AtomicUsize,
}

impl Others {
    fn new() -> Arc<Self> {
        let ledger = Mutex::new(Ledger::of(1_024));
        let [broken, hangs] = [false; 2].map(AtomicBool::new);
        Arc::new(Self { ledger, broken, hangs, asked: AtomicUsize::new(0) })
    }

    async fn answer(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.broken.load(Ordering::Relaxed) { Err(StoreError::Unavailable("gone".into())) } else { Ok(()) }
    }
}

impl SharedLimits for Others {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            self.answer().await?;
            Ok(self.ledger.lock().ask(ask, 1_000))
        })
    }

    fn give_back<'a>(&'a self, ask: &'a Ask, familiar: bool, learn: bool) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.answer().await?;
            let mut ledger = self.ledger.lock();
            ledger.give_back(ask, familiar, 1_000);
            if learn {
                ledger.learn(ask, 1_000);
            }
            Ok(())
        })
    }
}

fn nodes(others: &Arc<Others>) -> [(Limiter, Arc<AtomicU64>); 3] {
    use counterfoil_core::keys::GeneratedKeys;
    let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
    std::array::from_fn(|_| {
        let (limiter, now) = limiter();
        (limiter.shared(Arc::clone(others) as Arc<dyn SharedLimits>, ring.clone()), now)
    })
}

#[tokio::test]
async fn nodes_count_together_and_what_one_learns_all_know() {
    let nodes = nodes(&Others::new()).map(|(limiter, _)| limiter);
    let home = at([203, 0, 113, 1]);
    nodes[0].sign_in(home, "ada").await.unwrap().succeeded().await;
    let mut admitted = 0;
    for n in 0..100_u8 {
        admitted += u32::from(fails(&nodes[usize::from(n % 3)], at([198, 51, 100, n]), "ada").await);
    }
    assert_eq!(admitted, 20);
    for node in &nodes {
        assert!(node.sign_in(home, "ada").await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_others_are_gone_or_slow_each_node_counts_alone_and_nobody_is_kept_out() {
    for slow in [false, true] {
        let others = Others::new();
        let [(node, now), ..] = nodes(&others);
        let home = at([203, 0, 113, 1]);
        node.sign_in(home, "ada").await.unwrap().succeeded().await;
        for n in 0..20 {
            assert!(fails(&node, at([198, 51, 100, n]), "ada").await);
        }
        others.broken.store(!slow, Ordering::Relaxed);
        others.hangs.store(slow, Ordering::Relaxed);
        let asked = others.asked.load(Ordering::Relaxed);

        let begin = tokio::time::Instant::now();
        assert!(node.sign_in(home, "ada").await.is_ok(), "what was learned together is known alone");
        assert!(begin.elapsed() <= PATIENCE, "nobody waits longer than that");
        assert!(!fails(&node, at([198, 51, 100, 99]), "ada").await, "what was admitted together counts alone");
        assert!(fails(&node, at([198, 51, 100, 99]), "grace").await);
        assert_eq!(others.asked.load(Ordering::Relaxed) - asked, 1, "and is asked again after a while");
        assert_eq!(node.counted_alone(), 3);

        others.broken.store(false, Ordering::Relaxed);
        others.hangs.store(false, Ordering::Relaxed);
        now.fetch_add(REST_MILLIS, Ordering::Relaxed);
        assert!(fails(&node, at([198, 51, 100, 98]), "grace").await);
        assert_eq!((node.counted_alone(), others.asked.load(Ordering::Relaxed) - asked), (3, 2));
    }
}

#[tokio::test]
async fn where_they_are_off_nothing_is_refused_and_nothing_told() {
    let limiter = Limiter::off();
    for _ in 0..1_000 {
        assert!(fails(&limiter, at([192, 0, 2, 1]), "ada").await);
    }
    let trial = limiter.sign_in(at([192, 0, 2, 1]), "ada").await.unwrap();
    assert!(trial.told(Response::default()).headers().is_empty());
}

#[test]
fn keys_of_a_process_are_its_own_and_parts_have_boundaries() {
    let (ours, theirs) = (Keys::own(), Keys::own());
    assert_eq!(ours.key(&[b"ada"]), ours.key(&[b"ada"]));
    assert_ne!(ours.key(&[b"ada"]), theirs.key(&[b"ada"]));
    assert_ne!(ours.key(&[b"ab", b"c"]), ours.key(&[b"a", b"bc"]));
}

mod at_a_site {
    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::routing::{get, post};
    use axum::{Form, Router};
    use counterfoil_core::MemoryStore;
    use counterfoil_core::keys::GeneratedKeys;
    use counterfoil_core::policy::Policy;
    use counterfoil_core::rules::Signal;
    use http::Request;
    use std::net::{IpAddr, SocketAddr};
    use tower::ServiceExt as _;

    use super::*;
    use crate::data::Key;
    use crate::{Counterfoil, Error, Session, SignIn};

    const SEEN: Key<u64> = Key::new("seen");

    fn site(events: &Arc<Mutex<Vec<EventKind>>>) -> Router {
        let settings = LimitSettings {
            session_creation: AddressRates { address: "3 per minute".parse().unwrap(), network: None },
            ..LimitSettings::default()
        };
        let told = Arc::clone(events);
        let site =
            Counterfoil::builder(Policy::aal2("https://shop.example").unwrap(), &GeneratedKeys, MemoryStore::new())
                .unwrap()
                .limits(Limiter::at_a_standstill(settings))
                .events(move |event: &counterfoil_core::Event| told.lock().push(event.kind))
                .build();
        let login = |gate: SignIn, Form(name): Form<Vec<(String, String)>>| async move {
            let trial = gate.trial(&name[0].1).await?;
            if name[0].1.starts_with("good") {
                trial.clone().passed().await;
            }
            Ok::<_, Error>(trial.told(http::StatusCode::UNAUTHORIZED.into_response()))
        };
        Router::new()
            .route("/set", get(|session: Session| async move { session.set(SEEN, &1) }))
            .route("/read", get(|session: Session| async move { session.get(SEEN).await.map(drop) }))
            .route("/post", post(|| async {}))
            .layer(site.sessions().public())
            .merge(Router::new().route("/login", post(login)).layer(site.sessions().public().sign_in()))
    }

    async fn ask(site: &Router, method: &str, path: &str, client: &str, from: &str) -> Response {
        say(site, (method, path, "user=ada"), client, from).await
    }

    async fn say(site: &Router, (method, path, body): (&str, &str, &str), client: &str, from: &str) -> Response {
        let client = SocketAddr::from((client.parse::<IpAddr>().unwrap(), 1));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "shop.example")
            .header("sec-fetch-site", from)
            .header("sec-fetch-mode", "cors")
            .header("origin", if from == "cross-site" { "https://evil.example" } else { "https://shop.example" })
            .header("content-type", "application/x-www-form-urlencoded")
            .extension(ConnectInfo(client));
        site.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn sessions_are_made_as_often_as_may_be_and_asking_for_none_is_free() {
        let events = Arc::default();
        let site = site(&events);
        let stranger = "203.0.113.1";
        for _ in 0..10 {
            assert_eq!(ask(&site, "GET", "/read", stranger, "same-origin").await.status(), 200);
        }
        for n in 0..6 {
            let answer = ask(&site, "GET", "/set", stranger, "same-origin").await;
            let made = answer.headers().contains_key("set-cookie");
            assert_eq!((answer.status().as_u16(), made), if n < 3 { (200, true) } else { (429, false) }, "{n}");
        }
        assert_eq!(ask(&site, "GET", "/set", "203.0.113.2", "same-origin").await.status(), 200);
        for _ in 0..10 {
            let behind_an_unknown_proxy = ask(&site, "GET", "/set", "10.0.0.1", "same-origin").await;
            assert_eq!(behind_an_unknown_proxy.status(), 200);
        }
        let hit = EventKind::LimitHit { act: Act::SessionCreation, per: Per::Address };
        assert_eq!(events.lock().iter().filter(|kind| **kind == hit).count(), 1);
    }

    #[tokio::test]
    async fn who_is_refused_as_cross_site_again_and_again_is_told_so_and_nobody_else_is_held_back() {
        let site = site(&Arc::default());
        let victim = "203.0.113.1";
        for n in 0..62 {
            let answer = ask(&site, "POST", "/post", victim, "cross-site").await;
            assert_eq!(answer.status(), if n < 60 { 403 } else { 429 }, "{n}");
        }
        assert_eq!(ask(&site, "POST", "/post", victim, "same-origin").await.status(), 200, "its own requests are good");
    }

    #[tokio::test]
    async fn a_handler_that_asks_first_answers_with_everything_there_is_to_say() {
        let events = Arc::default();
        let site = site(&events);
        let mut last = Response::default();
        for n in 0..11 {
            last = ask(&site, "POST", "/login", "203.0.113.1", "same-origin").await;
            assert_eq!(last.status(), if n < 10 { 401 } else { 429 });
        }
        let header = |name: &str| last.headers()[name].to_str().unwrap();
        assert_eq!(header("content-type"), "application/problem+json");
        assert_eq!(header("retry-after"), "360");
        assert_eq!(header("ratelimit"), r#""sign_in.place";r=0;t=360"#);
        assert_eq!(*events.lock(), [EventKind::LimitHit { act: Act::SignIn, per: Per::Place }]);
    }

    #[tokio::test]
    async fn to_fail_at_many_accounts_from_one_network_is_a_signal_and_to_succeed_at_them_is_none() {
        let events = Arc::default();
        let site = site(&events);
        for (who, spray) in [("good", 0), ("bad", 1)] {
            for n in 1..=10 {
                let (name, client) = (format!("user={who}{n}"), format!("203.0.113.{n}"));
                say(&site, ("POST", "/login", &name), &client, "same-origin").await;
            }
            let told = events.lock().iter().filter(|kind| kind.signal() == Some(Signal::AddressSpray)).count();
            assert_eq!(told, spray, "{who}");
        }
    }
}
