//! A runtime, a clock, and one call that runs the suite.

use counterfoil_core::conformance::{self, Factory, Report};
use counterfoil_core::store::BoxFuture;
use counterfoil_core::{FakeClock, Moment};

/// Runs the suite on four threads.
pub(crate) fn suite(factory: &impl Factory) -> Report {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build();
    let clock = FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
    let spawner = |work: BoxFuture<'static, ()>| drop(tokio::spawn(work));
    #[expect(clippy::unwrap_used, reason = "a test cannot go on without threads")]
    let runtime = runtime.unwrap();
    runtime.block_on(conformance::run(factory, &clock, spawner))
}

/// Runs the suite on a broken store: each case in `red` must fail.
pub(crate) fn seen_red(factory: &impl Factory, red: &[&str]) {
    let report = suite(factory);
    let failed: Vec<_> = report.failed().collect();
    let missed: Vec<_> = red.iter().filter(|name| !failed.contains(name)).collect();
    assert!(missed.is_empty(), "{missed:?} did not catch the broken store\n{report}");
}
