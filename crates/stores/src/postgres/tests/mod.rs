//! The store at a real PostgreSQL: the conformance suite, what it costs, and what goes wrong.

mod conformance;
mod costs;
mod failures;
mod formats;
mod listening;
#[cfg(feature = "near-cache")]
mod near_cache;
mod opening;
mod records;
mod reference;
mod stage;
