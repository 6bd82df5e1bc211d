//! The notice board of `../plain_axum`, with sign-in, a step-up before the e-mail address changes, and a page of devices.

mod board;
mod pages;
mod sessions;
#[cfg(test)]
mod tests;
mod users;

use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use counterfoil::{Counterfoil, GeneratedKeys, MemoryStore, Policy, Recent, SignedIn};
use serde::Deserialize;

use board::Board;
use pages::{Account, EmailForm, Notices, page};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    let site = Counterfoil::new(Policy::aal2("http://127.0.0.1:3000")?, &GeneratedKeys, MemoryStore::new())?;
    println!("a notice board on http://127.0.0.1:3000; users: ada / ada-plain-1, grace / grace-plain-1");
    Ok(axum::serve(listener, app(&site, Board::default())).await?)
}

fn app(site: &Counterfoil, board: Board) -> Router {
    let public = Router::new().route("/", get(notices)).layer(site.sessions().public());
    let door = Router::new()
        .route("/login", get(sessions::login_page).post(sessions::login))
        .layer(site.sessions().public().sign_in());
    let private = Router::new()
        .route("/notices", post(post_notice))
        .route("/account", get(account))
        .route("/account/email", get(email_form).post(change_email))
        .route("/devices", get(sessions::devices))
        .route("/devices/end", post(sessions::end_device))
        .layer(site.sessions());
    // Also for whoever waits for a step-up.
    let proving = Router::new()
        .route("/step-up", get(sessions::step_up_page).post(sessions::step_up))
        .route("/logout", post(sessions::logout))
        .layer(site.sessions().step_up());
    public.merge(door).merge(private).merge(proving).layer(site.headers()).with_state(board)
}

async fn notices(user: Option<SignedIn>, State(board): State<Board>) -> Response {
    page(&Notices { signed_in: user.is_some(), notices: &board.notices() })
}

#[derive(Deserialize)]
struct NewNotice {
    text: String,
}

async fn post_notice(user: SignedIn, State(board): State<Board>, Form(form): Form<NewNotice>) -> Redirect {
    board.post(user.subject().as_str(), &form.text);
    Redirect::to("/")
}

async fn account(user: SignedIn) -> Response {
    page(&Account { user: user.subject().as_str() })
}

/// Steps up before anything is typed: a refused form would be lost.
async fn email_form(_: Recent<300>) -> Response {
    page(&EmailForm {})
}

#[derive(Deserialize)]
struct NewEmail {
    email: String,
}

async fn change_email(user: Recent<300>, State(board): State<Board>, Form(form): Form<NewEmail>) -> Redirect {
    board.change_email(user.subject().as_str(), &form.email);
    Redirect::to("/account")
}
