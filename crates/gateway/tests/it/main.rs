//! The gateway as proxies and apps see it, one module for each thing it promises.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod assertions;
mod contracts;
mod decisions;
mod detectors;
mod harness;
#[path = "../judge/mod.rs"]
mod judge;
mod limits;
mod properties;
mod seam_table;
