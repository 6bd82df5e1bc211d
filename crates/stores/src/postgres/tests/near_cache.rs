//! The conformance suite through near caches before the store, of one node and of three.

use counterfoil_core::{FakeClock, Moment};

use super::stage::Schemas;
use crate::near_cache::tests::cached;

async fn suite(nodes: usize) -> Vec<&'static str> {
    let clock = FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
    let schemas = Schemas::start(clock.clone()).await.with_nodes(nodes);
    cached::suite(schemas, nodes, clock).await.not_applicable().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn one_node_keeps_the_contract_from_memory() {
    suite(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn three_nodes_keep_the_contract_and_leave_no_case_out() {
    assert_eq!(suite(3).await, [""; 0]);
}
