//! Every address below `/.session/`, and what is said where there is none.

mod account;
mod devices;
mod door;
mod second_factor;
mod stay;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::map_request;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use counterfoil::Error;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::fields;
use super::problem::Problem;
use super::visitor::{Here, Visitor, Wants};

/// The pages of one app, with its sessions and our security headers around them.
pub(super) fn service(here: Here) -> Router {
    let sessions = &here.site.sessions;
    let public = Router::new().route("/.session/denied", get(stay::denied));
    let doors = Router::new()
        .route("/.session/login", get(door::form).post(door::sign_in))
        .route("/.session/login/code", get(door::code_form).post(door::check_code));
    let private = Router::new()
        .route("/.session/refresh", get(stay::bounce).post(stay::refresh))
        .route("/.session/password", get(account::password_form).post(account::change_password))
        .route("/.session/devices", get(devices::list))
        .route("/.session/devices/{sid}/end", post(devices::end_one))
        .route("/.session/devices/{sid}/rename", post(devices::rename))
        .route("/.session/devices/end-others", post(devices::end_others))
        .route("/.session/totp", get(second_factor::show))
        .route("/.session/totp/qr.svg", get(second_factor::picture));
    let proving = Router::new()
        .route("/.session/logout", get(door::sign_out_form).post(door::sign_out))
        .route("/.session/step-up", get(account::step_up_form).post(account::step_up));
    let quiet = Router::new().route("/.session/me", get(stay::me));
    let sensitive = Router::new()
        .route("/.session/totp/begin", post(second_factor::begin))
        .route("/.session/totp/cancel", post(second_factor::cancel))
        .route("/.session/totp/confirm", post(second_factor::confirm))
        .route("/.session/totp/remove", post(second_factor::remove));
    Router::new()
        .route("/.session/style.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/.session/icon.svg", get(async || asset("image/svg+xml", ICON)))
        .route("/.session/", get(async || see_other("/.session/devices")))
        .merge(public.layer(sessions.sessions().public()))
        .merge(doors.layer(sessions.sessions().public().sign_in()))
        .merge(private.layer(sessions.sessions()))
        .merge(proving.layer(sessions.sessions().step_up()))
        .merge(quiet.layer(sessions.sessions().quiet()))
        .merge(sensitive.layer(sessions.sessions().sensitive()))
        .merge(sessions.csp_reports())
        .method_not_allowed_fallback(not_allowed)
        .fallback(not_found)
        .layer(fields::body_limit())
        .layer(map_request(fields::in_time))
        .layer(sessions.headers())
        .with_state(here)
}

/// Where to go afterwards. Whatever is no path of this site counts as nothing.
#[derive(Debug, Default, Deserialize)]
struct Way {
    next: Option<String>,
}

/// Without a session: these answers do not open one, so they do not know whose it is.
async fn not_found(State(here): State<Here>, request: Request) -> Response {
    refuse_stranger(&here, &request, Problem::NotFound)
}

async fn not_allowed(State(here): State<Here>, request: Request) -> Response {
    refuse_stranger(&here, &request, Problem::MethodNotAllowed)
}

fn refuse_stranger(here: &Here, request: &Request, problem: Problem<'_>) -> Response {
    let headers: &HeaderMap = request.headers();
    let mut response = problem.answer(Wants::of(headers), here.frame_of(request).borrowed());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to a problem of somebody whose session is known.
fn refuse(visitor: &Visitor, problem: Problem<'_>) -> Response {
    problem.answer(visitor.wants, visitor.frame())
}

/// The answer to an error before anything was looked at: a page or data where it was tried too often, else the error's own.
fn held_back(visitor: &Visitor, error: Error) -> Result<Response, Error> {
    match error {
        Error::TriedTooOften(refusal) => Ok(refuse(visitor, Problem::TriedTooOften(refusal))),
        other => Err(other),
    }
}

/// What to answer where something other than the session failed: its cause goes to the log, and no further.
fn unavailable(visitor: &Visitor, error: &(dyn std::error::Error + 'static), what: &'static str) -> Response {
    tracing::error!(error, what);
    refuse(visitor, Problem::Unavailable)
}

/// On to a page of this site, by GET: a reload does not post again.
fn see_other(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// `path?next=…`
fn with_next(path: &str, next: Option<&str>) -> String {
    next.map_or(path.to_owned(), |next| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        format!("{path}?{query}")
    })
}

fn asset(kind: &'static str, body: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (StatusCode::OK, headers, body).into_response()
}

const STYLE: &str = include_str!("../../../templates/pages/style.css");
const ICON: &str = include_str!("../../../templates/pages/icon.svg");
