//! The shop: four routes with sessions.

use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use counterfoil::adopt::{Adopt, Adopted, Found, OldCookie};
use counterfoil::{Amr, Counterfoil, Error, GeneratedKeys, Moment, Policy, Session, SignIn, SignedIn, Subject};
use serde::Deserialize;
use tower_sessions::{MemoryStore, SessionStore};

use crate::{User, verify};

/// What the sign-in form sends.
#[derive(Debug, Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

/// The shop's routes.
pub fn app(old: MemoryStore) -> Result<Router, Box<dyn std::error::Error>> {
    let adopt = Adopt::from_cookie("id", move |cookie| find(old.clone(), cookie))?;
    let policy = Policy::aal1("http://127.0.0.1:3000")?;
    let site = Counterfoil::builder(policy, &GeneratedKeys, counterfoil::MemoryStore::new())?.adopt(adopt).build();
    Ok(Router::new()
        .route("/", get(home))
        .route("/account", get(account))
        .route("/login", get(login_page).post(login))
        .route("/logout", post(logout))
        .layer(site.sessions().public().sign_in()))
}

async fn find(old: MemoryStore, cookie: OldCookie) -> Found {
    let Ok(id) = cookie.value().parse() else { return Ok(None) };
    let Some(session) = old.load(&id).await? else { return Ok(None) };
    let Some(user) = session.data.get("user").and_then(|user| User::deserialize(user).ok()) else { return Ok(None) };
    let end_old = async move { Ok(old.delete(&id).await?) };
    Ok(Some(Adopted::new(Subject::new(user.name)?, Moment::from_unix_seconds(user.signed_in_at), end_old)))
}

async fn home(session: Session) -> Result<String, Error> {
    let user = session.identity().await?.map(|user| user.subject().to_string());
    Ok(format!("hello {}\n", user.unwrap_or("stranger".into())))
}

async fn account(user: SignedIn) -> Result<Response, Error> {
    Ok(format!("account of {}\n", user.subject()).into_response())
}

async fn login_page() -> &'static str {
    "post `user` and `password` here\n"
}

async fn login(gate: SignIn, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
    let mut attempt = gate.begin(Subject::new(&form.user)?).await?;
    if !verify(&form.user, &form.password) {
        return Ok(Redirect::to("/login?wrong"));
    }
    attempt.factor(Amr::Pwd);
    Ok(attempt.complete().await?.redirect("/account"))
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.sign_out().await?;
    Ok(Redirect::to("/"))
}
