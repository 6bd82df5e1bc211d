//! Nodes of one site on one real server, with clocks that disagree.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::keys::SharedRing;
use counterfoil::stores::near_cache::{NearCache, Settings as NearSettings};
use counterfoil::stores::postgres::{PostgresStore, Sealer, Settings as PostgresSettings};
use counterfoil::stores::redis::{RedisStore, Settings as RedisSettings};
use counterfoil::testing::Site;
use counterfoil::{
    Clock, ClockRefused, Counterfoil, GeneratedKeys, Moment, Policy, Store, StoreTime, Subject, SystemClock, Trigger,
};
use counterfoil_core::store::StoreError;
use counterfoil_core::testing::{Jar, Request, sign_in};
use counterfoil_servers::{Postgres, Redis};

/// The system's clock, set wrong by so many milliseconds.
#[derive(Clone, Copy)]
struct Wrong(i64);

impl Clock for Wrong {
    fn now(&self) -> Moment {
        Moment::from_unix_millis(SystemClock.now().unix_millis().saturating_add_signed(self.0))
    }
}

/// One node of the site: the store as a program opens it, and its time.
struct Node {
    site: Counterfoil,
    time: StoreTime,
}

impl Node {
    fn new(ring: &SharedRing, store: impl Store, clock: Wrong) -> Self {
        let spawn = |task| drop(tokio::spawn(task));
        let store = NearCache::new(store, clock, NearSettings::default(), spawn).unwrap();
        let time = StoreTime::of(Arc::new(store), clock);
        let policy = Policy::aal2(Site::ORIGIN).unwrap();
        let builder = Counterfoil::sharing(policy, ring.clone(), time.store()).unwrap();
        Self { site: builder.clock(time.clone()).events(()).build(), time }
    }

    async fn who(&self, jar: &mut Jar) -> Result<Option<String>, StoreError> {
        let look = async |exchange: &counterfoil_core::Exchange| exchange.identity().await;
        let found = Request::new(self.site.engine(), jar).send(look).await?;
        Ok(found.map(|identity| identity.subject().as_str().to_owned()))
    }
}

/// The right one serves, also beside the wrong ones; one that is 30 s off neither admits nor ends anybody; one that is 4 s
/// off is corrected.
async fn disagree(nodes: [Node; 4]) {
    let [right, ahead, behind, slightly] = nodes;
    let (ada, mut jar) = (Subject::new("ada").unwrap(), Jar::default());
    sign_in(right.site.engine(), &mut jar, &ada).await.unwrap();
    for (wrong, is_ahead) in [(&ahead, true), (&behind, false)] {
        let refused = wrong.who(&mut jar).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        let (by, said_ahead) = match wrong.time.refusal() {
            Some(ClockRefused::Ahead { by }) => (by, true),
            Some(ClockRefused::Behind { by }) => (by, false),
            other => panic!("{other:?}"),
        };
        assert_eq!(said_ahead, is_ahead);
        assert!(by.abs_diff(Duration::from_secs(30)) < Duration::from_millis(600), "{by:?}");
        let ended = wrong.site.trigger(&ada, Trigger::PasswordChanged).await;
        assert!(ended.is_err(), "a node that judges by a wrong time ended sessions");
    }
    for good in [&right, &slightly] {
        assert_eq!(good.who(&mut jar).await.unwrap().as_deref(), Some("ada"));
        assert_eq!(good.time.refusal(), None);
    }
    let apart = slightly.time.now().unix_millis().abs_diff(right.time.now().unix_millis());
    assert!(apart < 2_000, "{apart} ms apart after correction");
}

/// What each node's clock shows wrongly, in milliseconds.
const CLOCKS: [Wrong; 4] = [Wrong(0), Wrong(30_000), Wrong(-30_000), Wrong(4_000)];

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_node_thirty_seconds_off_refuses_and_the_others_serve_on_redis() {
    let server = Redis::start().await.unwrap();
    let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
    let url = server.url();
    let open = async |clock| {
        let opening = RedisStore::open(&url, Sealer::new(ring.clone()), clock, RedisSettings::default());
        Node::new(&ring, opening.await.unwrap(), clock)
    };
    let [right, ahead, behind, slightly] = CLOCKS;
    disagree([open(right).await, open(ahead).await, open(behind).await, open(slightly).await]).await;
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_node_thirty_seconds_off_refuses_and_the_others_serve_on_postgresql() {
    let server = Postgres::start().await.unwrap();
    let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
    let url = server.url();
    let open = async |clock| {
        let opening = PostgresStore::open(&url, Sealer::new(ring.clone()), clock, PostgresSettings::default());
        Node::new(&ring, opening.await.unwrap(), clock)
    };
    let [right, ahead, behind, slightly] = CLOCKS;
    disagree([open(right).await, open(ahead).await, open(behind).await, open(slightly).await]).await;
}
