//! Who is signed in and for how long, staying so, and what a refusal means.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil::{Error, local_path};
use http::StatusCode;
use serde::Deserialize;

use super::super::fields::Fields;
use super::super::views::{Denied, page};
use super::super::visitor::{Here, Member, Visitor, Wants};
use super::{Way, held_back, see_other};

#[derive(Debug, Deserialize)]
pub(super) struct Why {
    reason: Option<String>,
}

/// `GET me`: for scripts, also of strangers. A look there is no activity.
pub(super) async fn me(visitor: Visitor) -> Result<Response, Error> {
    Ok(Json(visitor.me().await?).into_response())
}

/// `GET refresh`: on to where they were going. Behind a proxy that hands no cookie back with the app's answer, people are
/// sent through here when a new token is due; the session layer gives it to them.
pub(super) async fn bounce(_: Visitor, way: Result<Query<Way>, QueryRejection>) -> Response {
    let next = way.ok().and_then(|Query(way)| way.next);
    see_other(next.as_deref().and_then(local_path).unwrap_or("/"))
}

/// `POST refresh`: being asked for is the activity that keeps the session.
pub(super) async fn refresh(member: Member, Fields(way): Fields<Way>) -> Result<Response, Error> {
    let trial = match member.session.refresh_trial().await {
        Ok(trial) => trial,
        Err(error) => return held_back(&member, error),
    };
    let next = way.next.as_deref().and_then(local_path);
    Ok(trial.told(match member.wants {
        Wants::Page => see_other(next.unwrap_or("/")),
        Wants::Data => Json(member.me().await?).into_response(),
    }))
}

/// `GET denied`
pub(super) async fn denied(
    State(here): State<Here>,
    visitor: Visitor,
    why: Result<Query<Why>, QueryRejection>,
) -> Response {
    let asked = why.ok().and_then(|Query(why)| why.reason);
    let known = asked.as_deref().and_then(|asked| REASONS.iter().find(|(name, _)| *name == asked));
    let (reason, explanation) = known.map_or((None, UNKNOWN), |(name, text)| (Some(*name), *text));
    let origins: Vec<_> = here.site.app.policy.public_origins().iter().map(ToString::to_string).collect();
    page(StatusCode::OK, &Denied { frame: visitor.frame(), reason, explanation, origins: &origins })
}

const UNKNOWN: &str = "Your browser sent a request that did not verifiably come from a page of this app.";

/// By the stable name of the reason; only what is here is shown of what the address says.
const REASONS: &[(&str, &str)] = &[
    ("cross_site", "The request came from a page of another site."),
    ("same_site", "The request came from a neighbouring site, or from this one without https."),
    (
        "foreign_origin",
        "The request came from another address than this app's. Was the page open under another name of the same \
         machine, such as localhost instead of 127.0.0.1, or without https?",
    ),
    ("foreign_referer", "The request came from a page of another site."),
    (
        "null_origin_without_token",
        "Your browser did not say where the request came from, and the form carried no token of this session. That \
         happens in a frame with restrictions, and with a form that was opened before you signed in or out.",
    ),
    (
        "no_headers_without_token",
        "Your browser did not say where the request came from, and the form carried no token of this session. That \
         happens with very old browsers, with extensions that remove headers, and with a form that was opened before \
         you signed in or out.",
    ),
    (
        "sensitive_without_token",
        "The form carried no token of this session. It was probably opened before you signed in or out.",
    ),
    ("repeated_origin", "The request said twice where it came from. A proxy in between may be set up wrongly."),
    ("repeated_fetch_site", "The request said twice where it came from. A proxy in between may be set up wrongly."),
    ("repeated_referer", "The request said twice where it came from. A proxy in between may be set up wrongly."),
    ("trace", "The request used a method that no page uses."),
];

#[cfg(test)]
mod tests {
    use counterfoil::{DenyReason, NeedReason};

    use super::*;

    #[test]
    fn every_reason_is_explained() {
        use DenyReason::*;
        for reason in [
            Trace,
            RepeatedOrigin,
            RepeatedFetchSite,
            RepeatedReferer,
            ForeignOrigin,
            SameSite,
            CrossSite,
            ForeignReferer,
            NoToken(NeedReason::NullOrigin),
            NoToken(NeedReason::NoHeaders),
            NoToken(NeedReason::Sensitive),
        ] {
            assert!(REASONS.iter().any(|(name, _)| *name == reason.as_str()), "{}", reason.as_str());
        }
    }
}
