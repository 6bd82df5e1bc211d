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

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_is_tried_at_three_nodes_counts_together() {
    let server = Redis::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, "[limits.sign_in]\naddress = \"6 per day\"").unwrap();
    let (store, data) = (server.url(), folder.path().join("data"));
    let line = format!("--policy {} --store {store} --data {}", policy.display(), data.display());
    let mut tries = Vec::new();
    for node in 0..3 {
        let demo = Demo::keeping(&line).await;
        for n in 0..10 {
            let mut browser = demo.browser();
            let name = format!("nobody-{node}-{n}");
            tries.push(tokio::spawn(async move {
                browser.post("/login", &[("username", &name), ("password", "wrong")]).await.status.as_u16()
            }));
        }
    }
    let mut statuses = Vec::new();
    for tried in tries {
        statuses.push(tried.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[401; 6].as_slice(), &[429; 24]].concat());
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
