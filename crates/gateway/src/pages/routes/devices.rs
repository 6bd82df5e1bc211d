//! Where the subject is signed in, ending it from afar, and what happened lately.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil::{DeviceName, EndReason, Error, Moment, Page, Rfc3339, SessionId, Summary};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::super::fields::Fields;
use super::super::history::Line;
use super::super::problem::Problem;
use super::super::views::{Device, Devices, EventLine, Time, page};
use super::super::visitor::{Here, Member, Wants};
use super::refuse;

#[derive(Deserialize)]
pub(super) struct NewName {
    label: String,
}

/// `GET devices`
pub(super) async fn list(State(here): State<Here>, member: Member) -> Result<Response, Error> {
    show(&here, &member, StatusCode::OK, None).await
}

async fn show(here: &Here, member: &Member, status: StatusCode, message: Option<&str>) -> Result<Response, Error> {
    let mut sessions = member.session.devices(Page::FIRST).await?;
    let own = member.identity.session;
    // This one first; the others stay newest first.
    sessions.sort_by_key(|session| session.id != own);
    let lines = here.local.history.recent(member.identity.reference);
    if member.wants == Wants::Data {
        return Ok(Json(json!({
            "devices": sessions.iter().map(|session| device_data(session, own)).collect::<Vec<_>>(),
            "events": lines.iter().map(line_data).collect::<Vec<_>>(),
        }))
        .into_response());
    }
    let events: Vec<_> = lines.iter().map(|line| line_view(line, &sessions)).collect();
    let devices: Vec<_> = sessions.into_iter().map(|session| device_view(session, own)).collect();
    Ok(page(status, &Devices { frame: member.frame(), all: &devices, events: &events, message }))
}

/// `POST devices/{sid}/rename`: 404 as for ending one.
pub(super) async fn rename(
    State(here): State<Here>,
    member: Member,
    Path(sid): Path<String>,
    Fields(form): Fields<NewName>,
) -> Result<Response, Error> {
    let name = match DeviceName::new(&form.label) {
        Ok(name) => name,
        Err(bad) => {
            let text = bad.to_string();
            let problem = Problem::Invalid(&text);
            return match member.wants {
                Wants::Page => show(&here, &member, problem.status(), Some(&text)).await,
                Wants::Data => Ok(refuse(&member, problem)),
            };
        }
    };
    let renamed = match sid.parse::<SessionId>() {
        Ok(id) => member.session.rename_device(id, name).await?,
        Err(_) => false,
    };
    match (renamed, member.wants) {
        (false, _) => Ok(refuse(&member, Problem::NotFound)),
        (true, Wants::Page) => member.on_to(DEVICES, "The device has its new name.").await,
        (true, Wants::Data) => Ok(Json(json!({ "renamed": true })).into_response()),
    }
}

/// `POST devices/{sid}/end`: 404 for an id that is unknown or somebody else's; nobody learns which. One's own is a
/// sign-out.
pub(super) async fn end_one(member: Member, Path(sid): Path<String>) -> Result<Response, Error> {
    let ended = match sid.parse::<SessionId>() {
        Ok(id) if id == member.identity.session => return super::door::end_here(&member).await,
        Ok(id) => member.session.end_device(id).await?,
        Err(_) => false,
    };
    match (ended, member.wants) {
        (false, _) => Ok(refuse(&member, Problem::NotFound)),
        (true, Wants::Page) => member.on_to(DEVICES, "That device is signed out.").await,
        (true, Wants::Data) => Ok(Json(json!({ "ended": true })).into_response()),
    }
}

/// `POST devices/end-others`
pub(super) async fn end_others(member: Member) -> Result<Response, Error> {
    member.session.end_others(EndReason::EndedByUser).await?;
    match member.wants {
        Wants::Page => member.on_to(DEVICES, "Every other device is signed out.").await,
        Wants::Data => Ok(Json(json!({ "ended": true })).into_response()),
    }
}

fn device_view(session: Summary, own: SessionId) -> Device {
    Device {
        sid: session.id.to_string(),
        label: session.label.into(),
        current: session.id == own,
        created_at: time(session.created_at),
        last_seen: time(session.seen_at),
    }
}

fn device_data(session: &Summary, own: SessionId) -> serde_json::Value {
    json!({
        "session": session.id.to_string(),
        "label": session.label,
        "current": session.id == own,
        "created_at": session.created_at.unix_seconds(),
        "last_seen": session.seen_at.unix_seconds(),
    })
}

fn line_view(line: &Line, sessions: &[Summary]) -> EventLine {
    let device = sessions.iter().find(|session| Some(session.id) == line.session);
    let device =
        device.map_or_else(|| line.session.map(short).unwrap_or_default(), |session| session.label.to_string());
    EventLine { at: time(line.at), words: line.words(), device }
}

fn line_data(line: &Line) -> serde_json::Value {
    json!({
        "at": line.at.unix_seconds(),
        "event": line.kind.name(),
        "session": line.session.map(|id| id.to_string()),
        "words": line.words(),
    })
}

/// Enough of an id to tell a few apart.
fn short(id: SessionId) -> String {
    let text = id.to_string();
    let end = text.get(text.len().saturating_sub(6)..).unwrap_or_default();
    format!("an earlier session, …{end}")
}

/// Without seconds and in UTC: the page has no script that could ask for a time zone.
fn time(moment: Moment) -> Time {
    let machine = Rfc3339(moment).to_string();
    let shown = machine.get(..16).map(|text| text.replace('T', " ")).unwrap_or_default() + " UTC";
    Time { machine, shown }
}

const DEVICES: &str = "/.session/devices";
