//! The pages. The templates escape what they show.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use counterfoil::{SessionId, Summary};

use crate::board::Notice;

#[derive(Template)]
#[template(path = "notices.html")]
pub(crate) struct Notices<'a> {
    pub(crate) signed_in: bool,
    pub(crate) notices: &'a [Notice],
}

#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct Account<'a> {
    pub(crate) user: &'a str,
}

#[derive(Template)]
#[template(path = "email.html")]
pub(crate) struct EmailForm {}

#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct Login<'a> {
    pub(crate) next: &'a str,
    pub(crate) wrong: bool,
}

#[derive(Template)]
#[template(path = "step_up.html")]
pub(crate) struct StepUp<'a> {
    pub(crate) next: &'a str,
    pub(crate) wrong: bool,
}

#[derive(Template)]
#[template(path = "devices.html")]
pub(crate) struct Devices<'a> {
    pub(crate) here: SessionId,
    pub(crate) sessions: &'a [Summary],
}

pub(crate) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
