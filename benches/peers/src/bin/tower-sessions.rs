//! The route behind `tower-sessions`, its store in memory, all else as it comes.

use std::process::ExitCode;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Form, Router};
use counterfoil_peers::server::serve;
use counterfoil_peers::{BODY, Who};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

fn main() -> ExitCode {
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    serve(Router::new().route("/signed-in", get(read)).route("/login", post(login)).layer(sessions))
}

async fn read(session: Session) -> Result<&'static str, StatusCode> {
    match session.get::<String>("user").await {
        Ok(Some(_)) => Ok(BODY),
        Ok(None) => Err(StatusCode::UNAUTHORIZED),
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

async fn login(session: Session, Form(who): Form<Who>) -> StatusCode {
    match session.insert("user", who.user).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
