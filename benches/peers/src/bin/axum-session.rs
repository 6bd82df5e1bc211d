//! The route behind `axum_session`, its store in memory, all else as it comes.

use std::process::ExitCode;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_session::{SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use counterfoil_peers::server::serve_made;
use counterfoil_peers::{BODY, Who};

type Session = axum_session::Session<SessionNullPool>;

fn main() -> ExitCode {
    serve_made(async || {
        let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default()).await?;
        let routes = Router::new().route("/signed-in", get(read)).route("/login", post(login));
        Ok(routes.layer(SessionLayer::new(store)))
    })
}

async fn read(session: Session) -> Result<&'static str, StatusCode> {
    session.get::<String>("user").map(|_| BODY).ok_or(StatusCode::UNAUTHORIZED)
}

async fn login(session: Session, Form(who): Form<Who>) -> StatusCode {
    session.set("user", who.user);
    StatusCode::NO_CONTENT
}
