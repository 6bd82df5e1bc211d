//! A shop with a cart and a sign-in, in one file. `cargo run --example quickstart`, then open <http://127.0.0.1:3000>.

use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use counterfoil::data::SessionData;
use counterfoil::{Amr, Counterfoil, Error, GeneratedKeys, MemoryStore, Policy, Session, SignIn, SignedIn, Subject};

/// Each field is one key of the session.
#[derive(SessionData, Default)]
struct Shop {
    cart: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

async fn add(session: Session<Shop>, item: String) -> Result<String, Error> {
    let add = |shop: &mut Shop| {
        shop.cart.push(item.clone());
        shop.cart.len()
    };
    Ok(format!("{} in the cart", session.update(add).await?))
}

async fn login(gate: SignIn, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
    // Before the password is checked: a reset in between wins.
    let mut attempt = gate.begin(Subject::new(&form.user)?).await?;
    if form.password != "correct horse battery staple" {
        return Ok(Redirect::to("/login?wrong"));
    }
    attempt.factor(Amr::Pwd);
    Ok(attempt.complete().await?.redirect("/me"))
}

async fn me(user: SignedIn) -> String {
    format!("Hello {}", user.subject())
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.sign_out().await.map(|()| Redirect::to("/"))
}

pub(crate) fn app() -> Result<Router, Box<dyn std::error::Error>> {
    let site = Counterfoil::new(Policy::aal2("http://127.0.0.1:3000")?, &GeneratedKeys, MemoryStore::new())?;
    let public =
        Router::new().route("/", get(|| async { "a shop" })).route("/cart", post(add)).layer(site.sessions().public());
    let door = Router::new().route("/login", post(login)).layer(site.sessions().public().sign_in());
    let private = Router::new().route("/me", get(me)).route("/logout", post(logout)).layer(site.sessions());
    Ok(public.merge(door).merge(private).layer(site.headers()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app()?).await?)
}
