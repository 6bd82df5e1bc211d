//! How many commands requests take through the engine and a near cache, by the server's own count.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::data::Key;
use counterfoil_core::engine::{Engine, Exchange, SignInOptions};
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::policy::PolicySettings;
use counterfoil_core::rules::Amr;
use counterfoil_core::seal::Sealer;
use counterfoil_core::seam::{RequestView, Route};
use counterfoil_core::store::{Notice, Store as _};
use counterfoil_core::testing::Jar;
use counterfoil_core::{FakeClock, Policy, Subject};
use counterfoil_servers::Redis;
use futures_util::StreamExt as _;
use futures_util::future::ready;
use http::{HeaderMap, Method, header};

use super::costs::calls;
use super::records::{NOW, settings};
use crate::near_cache::{NearCache, Settings};
use crate::redis::RedisStore;
use crate::redis::line::Line;

const CART: Key<u64> = Key::new("shop.cart");

/// One node with a near cache, and one browser.
struct Shop {
    engine: Engine,
    near: Arc<NearCache<RedisStore>>,
    connection: Line,
    jar: Jar,
}

impl Shop {
    async fn open(server: &Redis) -> Self {
        let (clock, ring) = (FakeClock::at(NOW), SharedRing::from_source(&GeneratedKeys).unwrap());
        let store =
            RedisStore::open(&server.url(), Sealer::new(ring.clone()), clock.clone(), settings()).await.unwrap();
        let connection = store.link.line().await.unwrap();
        let near = NearCache::new(store, clock.clone(), Settings::default(), |task| drop(tokio::spawn(task)));
        let near = Arc::new(near.unwrap());
        let policy = Policy::try_from(PolicySettings::aal2("https://shop.example")).unwrap();
        let engine = Engine::new(policy, ring, near.clone(), clock, ());
        while near.figures().lag.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { engine, near, connection, jar: Jar::default() }
    }

    /// One request, and how many commands it took.
    async fn request(&mut self, serve: impl AsyncFnOnce(&Exchange)) -> u64 {
        let headers: HeaderMap = self.jar.header(NOW).map(|cookies| (header::COOKIE, cookies)).into_iter().collect();
        let view = RequestView {
            method: &Method::GET,
            authority: None,
            target: "/",
            headers: &headers,
            peer: None,
            websocket: false,
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        calls(&mut self.connection).await;
        let exchange = self.engine.receive(&view, Route::default());
        serve(&exchange).await;
        if let Some(cookie) = exchange.conclude().await.set_cookie {
            self.jar.take(cookie.as_str(), NOW).unwrap();
        }
        calls(&mut self.connection).await
    }

    async fn sign_in(&mut self) {
        let ada = Subject::new("ada").unwrap();
        self.request(async |exchange| {
            let attempt = exchange.begin(ada).await.unwrap();
            let attempt = exchange.verified(attempt, Amr::Pwd);
            exchange.complete(attempt, SignInOptions::default()).await.unwrap();
        })
        .await;
    }

    /// Reads what lies in the cart.
    async fn reads(&mut self, expected: Option<u64>) -> u64 {
        self.request(async |exchange| assert_eq!(exchange.get(CART).await.unwrap(), expected)).await
    }

    async fn sets(&mut self, number: u64) -> u64 {
        self.request(async |exchange| exchange.set(CART, &number).unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_change_of_what_is_in_memory_is_one_command_and_the_read_after_it_none() {
    let server = Redis::start().await.unwrap();
    let mut shop = Shop::open(&server).await;
    let notices = shop.near.watch();
    let mut changes = notices.filter(|notice| ready(matches!(notice, Notice::Changed(..))));
    shop.sign_in().await;
    // Has the server know the scripts; and the first use is a change, too.
    shop.reads(None).await;
    shop.sets(0).await;
    let _heard: Vec<_> = changes.by_ref().take(2).collect().await;
    let kept = shop.near.figures().kept;
    for number in 1..=20 {
        assert_eq!(shop.sets(number).await, 1, "change {number}");
        assert_eq!(shop.reads(Some(number)).await, 0, "the read after change {number}");
        // Its notice comes before the next change, or after it: both must be so.
        if number % 2 == 0 {
            let _heard: Vec<_> = changes.by_ref().take(2).collect().await;
            assert_eq!(shop.reads(Some(number)).await, 0, "the read after the notice of change {number}");
        }
    }
    assert_eq!(shop.near.figures().kept - kept, 20);
}
