//! What `counterfoil demo` runs: a small app with real sign-in that anyone can attack.

pub mod accounts;
pub mod bank;
pub mod feed;
pub mod fields;
pub mod limit;
pub mod negotiate;
pub mod options;
pub mod pages;
pub mod problem;
pub mod routes;
