//! The pages. The templates escape what they show.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::board::Notice;

#[derive(Template)]
#[template(path = "notices.html")]
pub(crate) struct Notices<'a> {
    pub(crate) notices: &'a [Notice],
}

#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct Account {}

pub(crate) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
