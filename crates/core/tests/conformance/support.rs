//! A runtime, a clock, and one call that runs the suite.

use counterfoil_core::conformance::{self, Factory, Report};
use counterfoil_core::store::BoxFuture;
use counterfoil_core::{FakeClock, Moment};

/// Runs the suite on four threads.
pub(crate) fn suite(factory: &impl Factory) -> std::io::Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build()?;
    let clock = FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
    let spawner = |work: BoxFuture<'static, ()>| drop(tokio::spawn(work));
    Ok(runtime.block_on(conformance::run(factory, &clock, spawner)))
}
