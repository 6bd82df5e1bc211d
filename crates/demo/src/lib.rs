//! What `counterfoil demo` runs: a small app with real sign-in that anyone can attack.

pub mod accounts;
pub mod bank;
pub mod feed;
pub mod limit;
pub mod options;
