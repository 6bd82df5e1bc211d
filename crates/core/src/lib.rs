//! The rules of a web session, and the engine that applies them. No I/O, no clock, no framework.

pub mod address;
pub mod agent;
pub mod cookie;
pub mod csrf;
pub mod headers;
pub mod origin;
