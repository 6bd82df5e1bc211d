//! Where the subject is signed in, and ending it from afar.

use axum::{
    Json,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{refuse, see_other};
use crate::{
    negotiate::Wants,
    pages::{Device, Devices, page},
    problem::Problem,
    session::{EndReason, Error, Member},
};

/// `GET /devices`
pub(super) async fn list(member: Member) -> Result<Response, Error> {
    let devices = member.devices().await?;
    Ok(match member.wants {
        Wants::Page => {
            let devices: Vec<Device> = devices.into_iter().map(Into::into).collect();
            page(StatusCode::OK, &Devices { frame: member.frame(), devices: &devices })
        }
        Wants::Data => Json(json!({ "devices": devices })).into_response(),
    })
}

/// `POST /devices/{sid}/end`: 404 for an id that is unknown or somebody else's; nobody learns which.
pub(super) async fn end_one(member: Member, Path(sid): Path<String>) -> Result<Response, Error> {
    if member.end_device(&sid).await? { Ok(ended(&member)) } else { Ok(refuse(&member, Problem::NotFound)) }
}

/// `POST /devices/end-others`
pub(super) async fn end_others(member: Member) -> Result<Response, Error> {
    member.end_others(EndReason::EndedByUser).await?;
    Ok(ended(&member))
}

fn ended(member: &Member) -> Response {
    match member.wants {
        Wants::Page => see_other("/devices"),
        Wants::Data => Json(json!({ "ended": true })).into_response(),
    }
}
