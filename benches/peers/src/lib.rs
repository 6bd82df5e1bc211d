//! What the peers' servers share with ours: how they serve, and what they answer.

#[path = "../../src/server.rs"]
pub mod server;

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
