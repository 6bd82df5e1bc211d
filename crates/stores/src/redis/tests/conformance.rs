//! The conformance suite, from one node and from two.

use counterfoil_core::conformance::{self, Report};
use counterfoil_core::store::BoxFuture;
use counterfoil_core::{FakeClock, Moment};

use super::stage::{AtRedis, Nodes, On};

fn suite(on: On, nodes: Nodes) -> Report {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let clock = FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
    let spawner = |work: BoxFuture<'static, ()>| drop(tokio::spawn(work));
    runtime.block_on(async {
        let factory = AtRedis::start(on, nodes, clock.clone()).await;
        conformance::run(&factory, &clock, spawner).await
    })
}

#[test]
#[ignore = "takes a Redis: run in the stage that installs it"]
fn one_node_keeps_the_contract() {
    let report = suite(On::Server, Nodes::One);
    println!("{report}");
    report.assert();
}

#[test]
#[ignore = "takes a Redis: run in the stage that installs it"]
fn so_do_two_that_share_a_server() {
    let report = suite(On::Server, Nodes::Each);
    println!("{report}");
    report.assert();
    assert_eq!(report.not_applicable().collect::<Vec<_>>(), ["c20_a_restored_backup_admits_nobody"]);
}

#[test]
#[ignore = "takes a Redis: run in the stage that installs it"]
fn so_do_two_on_a_cluster() {
    let report = suite(On::Cluster, Nodes::Each);
    println!("{report}");
    report.assert();
}
