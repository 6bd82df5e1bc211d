//! The library as applications see it, one module for each thing it promises.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod seam_table;
