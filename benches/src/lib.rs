//! What Counterfoil costs, measured beside the same server without it.

pub mod instructions;
pub mod load;
pub mod machine;
pub mod measure;
pub mod modes;
pub mod page;
pub mod peers;
pub mod pieces;
pub mod profile;
pub mod server;
pub mod site;

/// What every server here answers.
pub const BODY: &str = "one route, the same body, nothing else";

/// Any error, for programs that can only say what went wrong.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;
