//! The conformance suite: what every store must get right, as named cases.
//!
//! It holds every fault of session stores known to us from the field. A store's own tests make the store, call
//! [`run`] and assert the report.
//!
//! # Examples
//! ```
//! use counterfoil_core::store::BoxFuture;
//! use counterfoil_core::{FakeClock, MemoryStore, Moment, conformance};
//!
//! let runtime = tokio::runtime::Runtime::new()?;
//! let clock = FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
//! let spawner = |work: BoxFuture<'static, ()>| drop(tokio::spawn(work));
//! let report = runtime.block_on(conformance::run(&MemoryStore::new, &clock, spawner));
//! report.assert();
//! # Ok::<_, std::io::Error>(())
//! ```

mod bench;
mod browser;
mod cases;
mod failure;
mod model;
mod probe;
mod random;
mod records;
mod report;
mod secrets;
mod spawner;
mod stage;

use std::sync::Arc;

use self::bench::Bench;
pub use self::cases::CASES;
pub use self::failure::Failure;
pub use self::report::{Case, Outcome, Report};
pub use self::spawner::Spawner;
pub use self::stage::{Backup, Capability, Dump, Entry, Factory, Formats, Outage, Shared, Stage, Version};
use crate::moment::{Clock as _, FakeClock};

/// Runs every case, each against a fresh store with two nodes.
///
/// The suite moves `clock`; a store that needs the time of its own accord reads the same one. Each case begins at the
/// time the clock showed when the suite began.
pub async fn run(factory: &impl Factory, clock: &FakeClock, spawner: impl Spawner) -> Report {
    let (spawner, start): (Arc<dyn Spawner>, _) = (Arc::new(spawner), clock.now());
    let mut outcomes = Vec::with_capacity(CASES.len());
    for case in CASES {
        clock.set(start);
        outcomes.push((case, run_case(case, factory, clock, &spawner).await));
    }
    Report::new(outcomes)
}

async fn run_case(
    case: &'static Case,
    factory: &impl Factory,
    clock: &FakeClock,
    spawner: &Arc<dyn Spawner>,
) -> Outcome {
    let stage = match factory.make(Bench::NODES).await {
        Ok(stage) => stage,
        Err(error) => return Outcome::Failed(Failure::new(format!("no store could be made: {error}"))),
    };
    if let Some(missing) = case.needs.iter().find(|need| !need.is_of(&*stage)) {
        return Outcome::NotApplicable(*missing);
    }
    let work = match Bench::new(stage, clock.clone(), Arc::clone(spawner)) {
        Ok(bench) => spawner::begin(&**spawner, (case.run)(bench)),
        Err(failure) => return Outcome::Failed(failure),
    };
    match work.await {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Failed(failure),
    }
}
