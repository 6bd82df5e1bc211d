//! The shop: four routes with sessions.

use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use crate::Failed as Error;
use crate::{User, verify};

/// What the sign-in form sends.
#[derive(Debug, Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

/// The shop's routes.
pub fn app(old: MemoryStore) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/account", get(account))
        .route("/login", get(login_page).post(login))
        .route("/logout", post(logout))
        .layer(SessionManagerLayer::new(old))
}

async fn home(session: Session) -> Result<String, Error> {
    let user = session.get::<User>("user").await?.map(|user| user.name);
    Ok(format!("hello {}\n", user.unwrap_or("stranger".into())))
}

async fn account(session: Session) -> Result<Response, Error> {
    let Some(user) = session.get::<User>("user").await? else { return Ok(Redirect::to("/login").into_response()) };
    Ok(format!("account of {}\n", user.name).into_response())
}

async fn login_page() -> &'static str {
    "post `user` and `password` here\n"
}

async fn login(session: Session, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
    if !verify(&form.user, &form.password) {
        return Ok(Redirect::to("/login?wrong"));
    }
    session.cycle_id().await?;
    session.insert("user", User::signed_in_now(&form.user)).await?;
    Ok(Redirect::to("/account"))
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.flush().await?;
    Ok(Redirect::to("/"))
}
