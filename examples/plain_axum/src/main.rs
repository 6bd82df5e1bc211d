//! A notice board without sessions: whoever changes something sends name and password along.

mod board;
mod pages;
#[cfg(test)]
mod tests;
mod users;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;

use board::Board;
use pages::{Account, Notices, page};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("a notice board on http://127.0.0.1:3000; users: ada / ada-plain-1, grace / grace-plain-1");
    Ok(axum::serve(listener, app(Board::default())).await?)
}

fn app(board: Board) -> Router {
    Router::new()
        .route("/", get(notices))
        .route("/notices", post(post_notice))
        .route("/account", get(account))
        .route("/account/email", post(change_email))
        .with_state(board)
}

async fn notices(State(board): State<Board>) -> Response {
    page(&Notices { notices: &board.notices() })
}

#[derive(Deserialize)]
struct NewNotice {
    user: String,
    password: String,
    text: String,
}

async fn post_notice(State(board): State<Board>, Form(form): Form<NewNotice>) -> Response {
    if !users::verify(&form.user, form.password).await {
        return refused();
    }
    board.post(&form.user, &form.text);
    Redirect::to("/").into_response()
}

async fn account() -> Response {
    page(&Account {})
}

#[derive(Deserialize)]
struct NewEmail {
    user: String,
    password: String,
    email: String,
}

async fn change_email(State(board): State<Board>, Form(form): Form<NewEmail>) -> Response {
    if !users::verify(&form.user, form.password).await {
        return refused();
    }
    board.change_email(&form.user, &form.email);
    Redirect::to("/account").into_response()
}

fn refused() -> Response {
    (StatusCode::FORBIDDEN, "wrong name or password\n").into_response()
}
