//! The store at a real Redis: the conformance suite, what it costs, and what goes wrong.

mod conformance;
mod costs;
mod drills;
mod failures;
mod formats;
mod guarded;
mod limit;
#[cfg(feature = "near-cache")]
mod near_cache;
mod notices;
mod opening;
mod records;
mod stage;
