//! A notice board behind the gateway, in axum.

mod counterfoil;
mod keys;

use std::collections::HashMap;
use std::env::var;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router, middleware};
use serde::Deserialize;

use counterfoil::{Claims, Verifier, only_through_the_gateway};
use keys::Keys;

type Notes = Arc<Mutex<HashMap<String, String>>>;

#[derive(Template)]
#[template(ext = "html", source = "<h1>Everybody may read this.</h1><p>You are {{ name }}.</p>")]
struct Public<'a> {
    name: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "<h1>You are {{ name }}.</h1><p>Your note: {{ note }}</p>\
              <form method=post action=/note><input name=text></form>"
)]
struct Own<'a> {
    name: &'a str,
    note: &'a str,
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let origins = var("COUNTERFOIL_ORIGINS")?;
    let origins: Vec<_> = origins.split_whitespace().collect();
    let keys = Keys::at(var("COUNTERFOIL_JWKS")?.parse()?);
    let verifier = Arc::new(Verifier::new(&var("COUNTERFOIL_APP")?, &origins, keys));
    let pages = Router::new()
        .route("/", get(public))
        .route("/me", get(me))
        .route("/note", post(note))
        .with_state(Notes::default())
        .layer(middleware::from_fn_with_state(verifier, only_through_the_gateway));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", var("PORT")?.parse()?)).await?;
    Ok(axum::serve(listener, pages).await?)
}

async fn public(Extension(claims): Extension<Claims>) -> Response {
    page(&Public { name: claims.sub.as_deref().unwrap_or("nobody") })
}

async fn me(State(notes): State<Notes>, Extension(claims): Extension<Claims>) -> Response {
    let Some(name) = claims.sub else { return nobody() };
    let notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    page(&Own { name: &name, note: notes.get(&name).map_or("", String::as_str) })
}

async fn note(State(notes): State<Notes>, Extension(claims): Extension<Claims>, Form(note): Form<Note>) -> Response {
    let Some(name) = claims.sub else { return nobody() };
    notes.lock().unwrap_or_else(PoisonError::into_inner).insert(name, note.text.chars().take(200).collect());
    Redirect::to("/me").into_response()
}

fn nobody() -> Response {
    (StatusCode::UNAUTHORIZED, "nobody is signed in\n").into_response()
}

fn page(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
