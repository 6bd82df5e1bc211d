//! The second factor: asked for at sign-in, set up, and removed.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use counterfoil::{Clock as _, SystemClock, local_path};
use serde::Deserialize;
use serde_json::json;

use super::{
    account::{Way, inside},
    held_back, refuse, see_other,
};
use crate::{
    app::App,
    fields::Fields,
    negotiate::Wants,
    pages::{ConfirmSecondFactor, LoginCode, SecondFactor, page},
    problem::Problem,
    session::{Error, HalfWay, Member, SignIn, SignInRefused, SteppedUp, Trigger, Visitor},
};

#[derive(Debug, Deserialize)]
pub(super) struct Code {
    code: String,
    next: Option<String>,
}

/// The answer to a right password where a code is wanted as well: nobody is signed in yet.
pub(super) fn ask_for_code(visitor: &Visitor, next: Option<&str>) -> Response {
    match (visitor.wants, next) {
        (Wants::Data, _) => {
            (StatusCode::ACCEPTED, Json(json!({ "wanted": "otp", "at": "/login/code" }))).into_response()
        }
        (Wants::Page, None) => see_other("/login/code"),
        (Wants::Page, Some(next)) => {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            see_other(&format!("/login/code?{query}"))
        }
    }
}

/// `GET /login/code`
pub(super) async fn code_form(
    visitor: Visitor,
    gate: SignIn,
    way: Result<Query<Way>, QueryRejection>,
) -> Result<Response, Error> {
    let next = way.ok().and_then(|Query(way)| way.next);
    let next = next.as_deref().and_then(local_path);
    if gate.resume().await?.is_none() {
        return Ok(see_other("/login"));
    }
    Ok(page(StatusCode::OK, &LoginCode { frame: visitor.frame(), next, message: None }))
}

/// `POST /login/code`
pub(super) async fn check_code(
    State(app): State<App>,
    visitor: Visitor,
    gate: SignIn,
    Fields(form): Fields<Code>,
) -> Result<Response, Error> {
    let next = form.next.as_deref().and_then(local_path);
    let half_way = match HalfWay::of(&gate).await {
        Ok(Some(half_way)) => half_way,
        Ok(None) if visitor.wants == Wants::Page => return Ok(see_other("/login")),
        Ok(None) => {
            return Ok(refuse(&visitor, Problem::Conflict("no sign-in waits for a code; begin with the password")));
        }
        Err(refused) => return refused_as(&visitor, refused),
    };
    let trial = match gate.code_trial(half_way.name()).await {
        Ok(trial) => trial,
        Err(error) => return held_back(&visitor, error),
    };
    if !app.second_factors.verify(half_way.name(), &form.code, SystemClock.now()) {
        let problem = Problem::WrongCode;
        let message = Some(problem.explanation());
        return Ok(trial.told(match visitor.wants {
            Wants::Page => page(problem.status(), &LoginCode { frame: visitor.frame(), next, message }),
            Wants::Data => refuse(&visitor, problem),
        }));
    }
    trial.succeeded().await;
    match half_way.complete().await {
        Ok(()) => inside(&visitor, next).await,
        Err(refused) => refused_as(&visitor, refused),
    }
}

fn refused_as(visitor: &Visitor, refused: SignInRefused) -> Result<Response, Error> {
    match refused {
        SignInRefused::Session(error) => Err(error),
        other => Ok(refuse(visitor, Problem::Conflict(&other.to_string()))),
    }
}

/// `GET /totp`
pub(super) async fn show(State(app): State<App>, member: Member) -> Response {
    let enrolled = app.second_factors.is_enrolled(member.name());
    match member.wants {
        Wants::Page => {
            let (frame, elevated) = (member.frame(), member.is_elevated());
            page(StatusCode::OK, &SecondFactor { frame, enrolled, elevated })
        }
        Wants::Data => Json(json!({ "enrolled": enrolled })).into_response(),
    }
}

/// `POST /totp/begin`: the secret, in this answer and in no other.
pub(super) async fn begin(State(app): State<App>, member: SteppedUp) -> Response {
    if app.second_factors.is_enrolled(member.name()) {
        return refuse(&member, Problem::Conflict("there is a second factor; remove it first"));
    }
    match app.second_factors.offer(member.name()) {
        Ok(offer) => match member.wants {
            Wants::Page => {
                let view = ConfirmSecondFactor { frame: member.frame(), offer: Some(&offer), message: None };
                page(StatusCode::OK, &view)
            }
            Wants::Data => Json(json!({ "address": offer.address, "secret": offer.secret })).into_response(),
        },
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "no second factor could be offered");
            refuse(&member, Problem::Unavailable)
        }
    }
}

/// `POST /totp/confirm`
pub(super) async fn confirm(
    State(app): State<App>,
    member: SteppedUp,
    Fields(form): Fields<Code>,
) -> Result<Response, Error> {
    let trial = match member.code_trial().await {
        Ok(trial) => trial,
        Err(error) => return held_back(&member, error),
    };
    if !app.second_factors.confirm(member.name(), &form.code, SystemClock.now()) {
        let problem = Problem::Invalid("that code is not right, or nothing waits to be confirmed");
        let message = Some(problem.explanation());
        return Ok(match member.wants {
            Wants::Page => page(problem.status(), &ConfirmSecondFactor { frame: member.frame(), offer: None, message }),
            Wants::Data => refuse(&member, problem),
        });
    }
    trial.passed().await;
    if let Err(error) = member.trigger(Trigger::MfaChanged).await {
        drop(app.second_factors.remove(member.name()));
        return Err(error);
    }
    changed(&member, "Your second factor is set up.").await
}

/// `POST /totp/remove`
pub(super) async fn remove(State(app): State<App>, member: SteppedUp) -> Result<Response, Error> {
    let removed = app.second_factors.remove(member.name());
    if let Err(error) = member.trigger(Trigger::MfaChanged).await {
        app.second_factors.put_back(member.name(), removed);
        return Err(error);
    }
    changed(&member, "Your second factor is removed.").await
}

async fn changed(member: &Member, words: &str) -> Result<Response, Error> {
    match member.wants {
        Wants::Page => member.on_to("/totp", words).await,
        Wants::Data => Ok(Json(json!({ "changed": true })).into_response()),
    }
}
