//! The conformance suite through near caches before the store, of one node and of three.

use counterfoil_core::{FakeClock, Moment};

use super::stage::{AtRedis, Nodes, On};
use crate::near_cache::tests::cached;

async fn suite(on: On, nodes: Nodes, caches: usize) -> Vec<&'static str> {
    let clock = FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
    let report = cached::suite(AtRedis::start(on, nodes, clock.clone()).await, caches, clock).await;
    report.not_applicable().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn one_node_keeps_the_contract_from_memory() {
    suite(On::Server, Nodes::One, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn so_do_three_that_share_a_server() {
    assert_eq!(suite(On::Server, Nodes::Each, 3).await, ["c20_a_restored_backup_admits_nobody"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn so_do_three_that_share_a_cluster() {
    assert_eq!(suite(On::Cluster, Nodes::Each, 3).await, ["c20_a_restored_backup_admits_nobody"]);
}
