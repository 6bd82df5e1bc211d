//! The library as applications see it, one module for each thing it promises.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod adopt;
mod app;
#[cfg(feature = "near-cache")]
mod asks_store;
mod at_once;
mod bad_input;
#[cfg(all(feature = "near-cache", feature = "postgres", feature = "redis"))]
mod clocks;
mod csp_report;
mod csrf_layer;
mod csrf_table;
mod derive;
mod devices;
#[cfg(feature = "embedded")]
mod durable;
mod ended;
mod flash;
mod freshness;
mod keys;
mod leaks;
mod lifetimes;
mod outage;
mod remembered;
mod responses;
mod seam_table;
mod sign_in;
#[cfg(feature = "embedded")]
mod stolen;
mod store_time;
mod streams;
mod trigger_costs;
mod triggers;
