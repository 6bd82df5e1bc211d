//! The conformance suite, with two nodes and with one.

use counterfoil_core::conformance::{self, Report};
use counterfoil_core::store::BoxFuture;
use counterfoil_core::{FakeClock, Moment};

use super::stage::Schemas;

async fn suite(nodes: usize) -> Report {
    let clock = FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
    let spawner = |work: BoxFuture<'static, ()>| drop(tokio::spawn(work));
    let schemas = Schemas::start(clock.clone()).await.with_nodes(nodes);
    let report = conformance::run(&schemas, &clock, spawner).await;
    println!("{report}");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn two_nodes_keep_the_contract_and_leave_no_case_out() {
    let report = suite(2).await;
    report.assert();
    assert_eq!(report.not_applicable().collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn so_does_one() {
    suite(1).await.assert();
}
