//! Every address of the demo, and what is said where there is none.

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::map_request,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};

use crate::{
    app::App,
    fields,
    negotiate::Wants,
    pages::Frame,
    problem::Problem,
    session::{self, Error, Routes, Visitor},
};

mod account;
mod data;
mod devices;
mod money;
mod second_factor;
mod watch;

/// The whole demo: every route, with sessions and security headers around them.
pub fn service(app: App) -> Router {
    let routes = Routes {
        public: Router::new()
            .route("/", get(watch::home))
            .route("/try", get(watch::try_it))
            .route("/denied", get(watch::denied)),
        doors: Router::new()
            .route("/login", get(account::login_form).post(account::login))
            .route("/login/code", get(second_factor::code_form).post(second_factor::check_code)),
        private: Router::new()
            .route("/me", get(account::me))
            .route("/password", get(account::password_form).post(account::change_password))
            .route("/counter", get(data::counter).post(data::count))
            .route("/note", get(data::notes).post(data::write_note))
            .route("/slow", get(data::slow))
            .route("/slow-note", post(data::write_slow_note))
            .route("/devices", get(devices::list))
            .route("/devices/{sid}/end", post(devices::end_one))
            .route("/devices/{sid}/rename", post(devices::rename))
            .route("/stay", post(account::stay))
            .route("/totp", get(second_factor::show))
            .route("/devices/end-others", post(devices::end_others))
            .route("/events", get(watch::events)),
        quiet: Router::new().route("/session", get(account::this_session)),
        proving: Router::new()
            .route("/logout", post(account::logout))
            .route("/step-up", get(account::step_up_form).post(account::step_up)),
        sensitive: Router::new()
            .route("/transfer", get(money::balance).post(money::transfer))
            .route("/totp/begin", post(second_factor::begin))
            .route("/totp/confirm", post(second_factor::confirm))
            .route("/totp/remove", post(second_factor::remove)),
    };
    let headers = app.site.headers();
    router(session::guarded(&app.site, routes)).layer(map_request(in_time)).layer(headers).with_state(app)
}

async fn in_time(request: Request) -> Request {
    fields::in_time(request)
}

/// Stylesheet and icon; 404 and 405 as pages or problem documents; a limit on bodies.
///
/// The routes with sessions come in here, so that the fallbacks and limits hold for them too.
fn router<S: Clone + Send + Sync + 'static>(session_routes: Router<S>) -> Router<S> {
    Router::new()
        .route("/style.css", get(|| async { asset("text/css; charset=utf-8", include_str!("../templates/style.css")) }))
        .route("/favicon.svg", get(|| async { asset("image/svg+xml", include_str!("../templates/favicon.svg")) }))
        .route("/favicon.ico", get(StatusCode::NO_CONTENT))
        .merge(session_routes)
        .method_not_allowed_fallback(async |headers: HeaderMap| refuse_stranger(Problem::MethodNotAllowed, &headers))
        .fallback(async |headers: HeaderMap| refuse_stranger(Problem::NotFound, &headers))
        .layer(fields::body_limit())
}

/// Without a frame: these answers do not open a session, so they do not know whose it is.
fn refuse_stranger(problem: Problem<'_>, headers: &HeaderMap) -> Response {
    problem.answer(Wants::of(headers), Frame::default())
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

/// On to a page of this site, by GET: a reload does not post again.
fn see_other(path: &str) -> Response {
    Redirect::to(path).into_response()
}

fn asset(kind: &'static str, body: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request, routing::post};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn known_and_unknown_addresses_get_the_answer_that_fits() {
        const PAGE: &str = "text/html; charset=utf-8";
        const DATA: &str = "application/problem+json";
        #[rustfmt::skip]
        let table = [
            // method    path            accept        status type                      allow
            ("GET",    "/style.css",   "*/*",        200, "text/css; charset=utf-8",  ""),
            ("HEAD",   "/style.css",   "*/*",        200, "text/css; charset=utf-8",  ""),
            ("GET",    "/favicon.svg", "*/*",        200, "image/svg+xml",            ""),
            ("GET",    "/favicon.ico", "*/*",        204, "",                         ""),
            ("GET",    "/nowhere",     "text/html",  404, PAGE,                       ""),
            ("POST",   "/nowhere",     "*/*",        404, DATA,                       ""),
            ("POST",   "/style.css",   "text/html",  405, PAGE,                       "GET,HEAD"),
            ("DELETE", "/style.css",   "*/*",        405, DATA,                       "GET,HEAD"),
            ("GET",    "/logout",      "text/html",  405, PAGE,                       "POST"),
            ("TRACE",  "/logout",      "*/*",        405, DATA,                       "POST"),
            ("GET",    "/../etc",      "*/*",        404, DATA,                       ""),
            ("GET",    "/%2e%2e/%00",  "*/*",        404, DATA,                       ""),
        ];
        let app: Router = router(Router::new().route("/logout", post(StatusCode::OK)));
        for (method, path, accept, status, kind, allow) in table {
            let request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
            let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
            let seen = (response.status().as_u16(), header(header::CONTENT_TYPE), header(header::ALLOW));
            assert_eq!(seen, (status, kind, allow), "{method} {path}");
        }
    }
}
