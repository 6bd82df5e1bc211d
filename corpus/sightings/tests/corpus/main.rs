//! What holds of every sequence: its schema, what the schema cannot say, and how much of what there is.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod rules;
mod schema;
mod sequence;
mod shares;
mod sound;
