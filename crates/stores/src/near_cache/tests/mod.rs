//! The near cache: its rules as tables, its verbs, and the contract through it.

#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) mod cached;
mod conformance;
mod kept;
mod link;
mod records;
mod rules;
mod verbs;
