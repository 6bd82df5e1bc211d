//! What the peers share with ours: how servers serve and what they answer, how storage engines are asked to write.

#[path = "../../src/server.rs"]
pub mod server;
#[path = "../../src/waiting.rs"]
pub mod waiting;

/// As in `counterfoil_benches`; the load looks at it in every answer.
pub const BODY: &str = "one route, the same body, nothing else";

/// As in `counterfoil_benches`.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The form that signs somebody in.
#[derive(Debug, serde::Deserialize)]
pub struct Who {
    /// Who it is.
    pub user: String,
}
