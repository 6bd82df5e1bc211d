//! The conformance suite, with room for everything in memory and with room for next to nothing.

use counterfoil_core::conformance::{self, Report};
use counterfoil_core::store::BoxFuture;
use counterfoil_core::{FakeClock, Moment};

use super::stage::{Folders, small};
use crate::embedded::Settings;

fn suite(settings: Settings) -> Report {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let clock = FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
    let spawner = |work: BoxFuture<'static, ()>| drop(tokio::spawn(work));
    let folders = Folders { settings, clock: clock.clone() };
    runtime.block_on(conformance::run(&folders, &clock, spawner))
}

#[test]
fn the_embedded_store_keeps_the_contract_and_leaves_no_case_out() {
    let report = suite(Settings::default());
    println!("{report}");
    report.assert();
    assert_eq!(report.not_applicable().collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn so_it_does_with_next_to_no_memory() {
    let report = suite(small());
    println!("{report}");
    report.assert();
}
