//! A small shop before and after its move to Counterfoil. `diff src/before.rs src/after.rs` is the move.

#[expect(clippy::missing_errors_doc, reason = "what is shown here is the fewest lines")]
pub mod after;
pub mod before;

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// Who is signed in, as the shop kept it before.
#[derive(Debug, Serialize, Deserialize)]
pub struct User {
    /// Who.
    pub name: String,
    /// Seconds since 1970.
    pub signed_in_at: u64,
}

impl User {
    /// Somebody who signed in just now.
    pub fn signed_in_now(name: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { name: name.to_owned(), signed_in_at: now.as_secs() }
    }
}

/// Whether this is the user's password. A real application asks its password hashes.
pub fn verify(user: &str, password: &str) -> bool {
    [("ada", "ada-moved-1"), ("grace", "grace-moved-1")].contains(&(user, password))
}

/// What the shop answered with before when a session failed.
#[derive(Debug)]
pub struct Failed;

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        eprintln!("{error}");
        Self
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
