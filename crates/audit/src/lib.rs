//! Proves from outside what is wrong with a site's session handling.
//!
//! Depends on no other crate of Counterfoil: what judges must not inherit the blind spots of what it judges.

pub mod baseline;
mod bound;
pub mod browser;
pub mod command;
pub mod cookie;
pub mod discover;
pub mod exchange;
pub mod finding;
pub mod fix;
#[cfg(test)]
mod fixture;
pub mod framework;
mod gather;
pub mod html;
pub mod mask;
pub mod outcome;
pub mod passive;
pub mod predict;
pub mod profile;
pub mod proof;
pub mod report;
pub mod rule;
pub mod run;
mod shape;
pub mod site;
pub mod token;
pub mod visitor;
pub mod wire;
