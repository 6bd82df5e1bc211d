//! Several demos that share a store: who signs in at one is known at the other, and who signs out at one is out at both.

use counterfoil_servers::{Postgres, Redis};

use crate::browser::{Browser, Demo};

/// Who is there, by the session the browser has.
async fn who(browser: &mut Browser) -> u16 {
    browser.get("/me").await.status.as_u16()
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_session_in_redis_is_the_same_at_every_node_and_its_end_too() {
    let server = Redis::start().await.unwrap();
    the_same_everywhere(&server.url()).await;
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn so_is_one_in_postgres() {
    let server = Postgres::start().await.unwrap();
    the_same_everywhere(&server.url()).await;
}

async fn the_same_everywhere(store: &str) {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("--test-mode --store {store} --data {}", folder.path().display());
    let (one, other) = (Demo::keeping(&line).await, Demo::keeping(&line).await);
    let mut here = one.signed_in("ada").await;
    let mut there = Browser { demo: other.clone(), ..here.clone() };
    assert_eq!((who(&mut here).await, who(&mut there).await), (200, 200));
    // The same after both were started again.
    let again = Demo::keeping(&line).await;
    assert_eq!(who(&mut Browser { demo: again.clone(), ..here.clone() }).await, 200);
    assert!(there.post("/logout", &[]).await.status.is_success());
    assert_eq!(who(&mut there).await, 401, "the node that ended it, at once");
    for mut node in [Browser { demo: again, ..here.clone() }, here] {
        // The others within milliseconds; this never ends if they do not hear of it, for somebody asks all the time.
        while who(&mut node).await != 401 {
            tokio::task::yield_now().await;
        }
    }
}
