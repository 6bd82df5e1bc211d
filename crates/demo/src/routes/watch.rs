//! What people look at: the home page, stealing one's own session, events, and why a request was refused.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response, Sse, sse::KeepAlive},
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;

use crate::{
    accounts::SEEDED,
    app::App,
    negotiate::Wants,
    options::Transport,
    pages::{Denied, Events, Home, Try, page},
    session::{Member, Visitor, cookie_name},
};

#[derive(Debug, Deserialize)]
pub(super) struct Why {
    reason: Option<String>,
}

/// `GET /`: a page, or for who asks for JSON by name whom this browser is known by, and how surely.
pub(super) async fn home(visitor: Visitor, headers: HeaderMap) -> Response {
    if visitor.wants == Wants::Data && accepts(&headers, "application/json") {
        let subject = visitor.subject().or(visitor.remembered());
        return Json(json!({ "subject": subject, "assurance": visitor.assurance().as_str() })).into_response();
    }
    page(StatusCode::OK, &Home { frame: visitor.frame(), accounts: &SEEDED })
}

/// `GET /try`
pub(super) async fn try_it(State(app): State<App>, visitor: Visitor) -> Response {
    let policy = app.site.engine().policy();
    let events = visitor.subject().map(|subject| app.feed.recent(subject)).unwrap_or_default();
    let try_page = Try {
        frame: visitor.frame(),
        cookie: cookie_name(&app.site),
        origin: app.origins().next().map_or("", |origin| origin.as_str()),
        insecure: app.plan.transport == Transport::SelfMadeTls,
        rotate_every: &humantime::format_duration(policy.rotate_every()).to_string(),
        grace: &humantime::format_duration(policy.grace()).to_string(),
        events: &events,
    };
    page(StatusCode::OK, &try_page)
}

/// `GET /events`: a page, a live stream for who accepts one, or the lines so far.
pub(super) async fn events(State(app): State<App>, member: Member, headers: HeaderMap) -> Response {
    match member.wants {
        Wants::Page => page(StatusCode::OK, &Events { frame: member.frame(), events: &app.feed.recent(member.name()) }),
        Wants::Data if accepts(&headers, "text/event-stream") => {
            let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok()).unwrap_or_default();
            let lines = app.feed.server_sent_events(member.name(), after);
            Sse::new(lines.take_until(member.ended())).keep_alive(KeepAlive::default()).into_response()
        }
        Wants::Data => Json(json!({ "events": app.feed.recent(member.name()) })).into_response(),
    }
}

/// `GET /denied`: where a navigation lands whose form was refused.
pub(super) async fn denied(visitor: Visitor, why: Result<Query<Why>, QueryRejection>) -> Response {
    let reason = why.ok().and_then(|Query(why)| why.reason);
    // The names of reasons, and nothing that somebody else would like to have shown here.
    let is_name = |text: &&str| text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let reason = reason.as_deref().filter(is_name);
    page(StatusCode::FORBIDDEN, &Denied { frame: visitor.frame(), reason })
}

/// Whether `Accept` names this media type.
fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut ranges = lines.flat_map(|line| line.split(','));
    ranges.any(|range| range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind))
}
