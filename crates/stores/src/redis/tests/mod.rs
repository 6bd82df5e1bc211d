//! The store at a real Redis: the conformance suite, what it costs, and what goes wrong.

mod changes;
mod conformance;
mod costs;
mod drills;
mod failures;
mod formats;
mod guarded;
mod limit;
#[cfg(feature = "near-cache")]
mod near_cache;
mod near_cache_costs;
mod notices;
mod opening;
mod records;
mod stage;
