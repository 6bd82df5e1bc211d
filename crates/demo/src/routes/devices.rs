//! Where the subject is signed in, and ending it from afar.

use axum::{
    Json,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use counterfoil::DeviceName;
use serde::Deserialize;
use serde_json::json;

use super::{refuse, see_other};
use crate::{
    fields::Fields,
    negotiate::Wants,
    pages::{Device, Devices, page},
    problem::Problem,
    session::{EndReason, Error, Member},
};

#[derive(Debug, Deserialize)]
pub(super) struct NewName {
    label: String,
}

/// `GET /devices`
pub(super) async fn list(member: Member) -> Result<Response, Error> {
    show(&member, StatusCode::OK, None).await
}

async fn show(member: &Member, status: StatusCode, message: Option<&str>) -> Result<Response, Error> {
    let devices = member.devices().await?;
    Ok(match member.wants {
        Wants::Page => {
            let devices: Vec<Device> = devices.into_iter().map(Into::into).collect();
            page(status, &Devices { frame: member.frame(), devices: &devices, message })
        }
        Wants::Data => Json(json!({ "devices": devices })).into_response(),
    })
}

/// `POST /devices/{sid}/rename`: 404 as for ending one.
pub(super) async fn rename(
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
                Wants::Page => show(&member, problem.status(), Some(&text)).await,
                Wants::Data => Ok(refuse(&member, problem)),
            };
        }
    };
    if !member.rename_device(&sid, name).await? {
        return Ok(refuse(&member, Problem::NotFound));
    }
    match member.wants {
        Wants::Page => member.on_to("/devices", "The device has its new name.").await,
        Wants::Data => Ok(Json(json!({ "renamed": true })).into_response()),
    }
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
