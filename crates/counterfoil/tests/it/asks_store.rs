//! Routes that ask the store itself, on a node that does not hear what the others end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Router, http};
use counterfoil::stores::near_cache::{NearCache, Settings};
use counterfoil::testing::Site;
use counterfoil::{
    Clock as _, Counterfoil, EndReason, FakeClock, GeneratedKeys, MemoryStore, Moment, Policy, Recent, SignedIn,
    Subject,
};
use counterfoil_core::keys::SharedRing;
use counterfoil_core::rules::Amr;
use counterfoil_core::store::{Notice, Notices, Watch};
use counterfoil_core::testing::{Hook, Hooked, Jar, Request, sign_in};
use tower::ServiceExt as _;

/// A store that never tells what happened, and says all the same that it told everything, when it is made to.
struct Cut(Arc<Notices>);

impl Hook for Cut {
    fn watch(&self, _: Watch) -> Watch {
        self.0.watch()
    }
}

/// Two nodes on one store: one that ends sessions, and one that does not hear of it.
struct World {
    clock: FakeClock,
    here: Counterfoil,
    app: Router,
    there: Counterfoil,
    says: Arc<Notices>,
    jar: Jar,
}

impl World {
    async fn new() -> Self {
        let clock = FakeClock::at(Moment::from_unix_seconds(1_795_000_000));
        let (store, says) = (Arc::new(MemoryStore::new()), Arc::new(Notices::default()));
        let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
        let site = |store| {
            let builder = Counterfoil::sharing(Policy::aal2(Site::ORIGIN).unwrap(), ring.clone(), store);
            builder.unwrap().clock(clock.clone()).events(()).build()
        };
        let hooked = Hooked::new(Arc::clone(&store), Cut(Arc::clone(&says)));
        let spawn = |task| drop(tokio::spawn(task));
        let here = site(Arc::new(NearCache::new(hooked, clock.clone(), Settings::default(), spawn).unwrap()));
        let there = site(store);
        let mut world = Self { app: app(&here), clock, here, there, says, jar: Jar::default() };
        world.hears().await;
        let ada = Subject::new("ada").unwrap();
        sign_in(world.there.engine(), &mut world.jar, &ada).await.unwrap();
        let step_up = async |exchange: &counterfoil_core::Exchange| exchange.step_up(Amr::Otp).await;
        Request::new(world.there.engine(), &mut world.jar).send(step_up).await.unwrap();
        // A step-up hastens the next token, and while that is due each request writes.
        for _ in 0..2 {
            Request::new(world.there.engine(), &mut world.jar)
                .send(async |exchange| exchange.open().await)
                .await
                .unwrap();
        }
        world
    }

    /// The same, once the session is in memory here and was ended there.
    async fn deaf() -> Self {
        let world = Self::new().await;
        for path in ["/plain", "/asks", "/sensitive", "/recent", "/plain"] {
            assert_eq!(world.status(path).await, 200, "{path}");
        }
        world.there.engine().end_subject(&Subject::new("ada").unwrap(), EndReason::Admin).await.unwrap();
        world
    }

    /// The node is told that it has heard everything.
    async fn hears(&self) {
        self.says.tell(Notice::UpTo(self.clock.now()));
        // Its listener takes it in.
        tokio::task::yield_now().await;
    }

    async fn status(&self, path: &str) -> u16 {
        let (name, value) = (http::header::COOKIE, self.jar.header(self.clock.now()).unwrap());
        let request = http::Request::builder().uri(path).header(name, value).body(Body::empty()).unwrap();
        self.app.clone().oneshot(request).await.unwrap().status().as_u16()
    }
}

fn app(site: &Counterfoil) -> Router {
    let me = || get(|user: SignedIn| async move { user.subject().to_string() });
    let recent = get(|user: Recent<300>| async move { user.subject().to_string() });
    let plain = Router::new().route("/plain", me()).route("/recent", recent).layer(site.sessions());
    let asks = Router::new().route("/asks", me()).layer(site.sessions().asks_store());
    let sensitive = Router::new().route("/sensitive", me()).layer(site.sessions().sensitive());
    plain.merge(asks).merge(sensitive)
}

#[tokio::test]
async fn what_was_ended_elsewhere_and_not_heard_of_is_refused_at_once_where_the_store_is_asked() {
    let world = World::deaf().await;
    // In this order: what asked the store found out for the others too.
    assert_eq!(world.status("/plain").await, 200, "within the bound, by memory");
    assert_eq!(world.status("/recent").await, 401, "what wants a step-up looks at the store");
    assert_eq!(world.status("/plain").await, 401, "what was found out counts for all");
    for path in ["/asks", "/sensitive"] {
        let world = World::deaf().await;
        for _ in 0..2 {
            assert_eq!(world.status("/plain").await, 200, "by memory, again and again");
        }
        assert_eq!(world.status(path).await, 401, "{path}");
    }
    let world = World::deaf().await;
    world.clock.advance(Settings::default().bound + Duration::from_millis(1));
    assert_eq!(world.status("/plain").await, 401, "beyond the bound nobody is admitted by memory");
}

#[tokio::test]
async fn a_step_up_that_memory_grants_is_gone_with_the_session_in_the_same_request() {
    let mut world = World::deaf().await;
    let both = async |exchange: &counterfoil_core::Exchange| {
        let before = exchange.identity().await.unwrap().is_some();
        let stepped_up = exchange.require_recent(Duration::from_mins(5)).await.is_ok();
        (before, stepped_up, exchange.identity().await.unwrap().is_some())
    };
    let found = Request::new(world.here.engine(), &mut world.jar).send(both).await;
    assert_eq!(found, (true, false, false));
}
