//! The near cache: its rules as tables, its verbs, and the contract through it.

mod conformance;
mod link;
mod records;
mod rules;
mod verbs;
