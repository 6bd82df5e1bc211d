//! Signing in and out, stepping up, and changing the password.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use counterfoil::local_path;
use serde::Deserialize;
use serde_json::json;

use super::{held_back, refuse, second_factor, see_other};
use crate::{
    accounts::{ChangeRefused, Password, RULES, Verified},
    app::App,
    fields::Fields,
    negotiate::Wants,
    pages::{ChangePassword, Login, StepUp, ThisSession, page},
    problem::Problem,
    session::{Entered, Error, Member, Remember, SignIn, SignInRefused, Trigger, Visitor, sign_in},
};

/// Where to go afterwards. Whatever is no path of this site counts as nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Way {
    pub(super) next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Credentials {
    username: String,
    password: Password,
    #[serde(default)]
    remember: Remember,
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Confirmation {
    password: Password,
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NewPassword {
    current: Password,
    new: Password,
}

/// `GET /me`
pub(super) async fn me(member: Member) -> Result<Response, Error> {
    Ok(Json(member.me().await?).into_response())
}

/// `GET /login`
pub(super) async fn login_form(
    State(app): State<App>,
    visitor: Visitor,
    way: Result<Query<Way>, QueryRejection>,
) -> Response {
    let next = way.ok().and_then(|Query(way)| way.next);
    let next = next.as_deref().and_then(local_path);
    let username = visitor.remembered().unwrap_or_default();
    show_login(&app, &visitor, StatusCode::OK, |form| Login { username, next, ..form })
}

/// `POST /login`
pub(super) async fn login(
    State(app): State<App>,
    visitor: Visitor,
    gate: SignIn,
    Fields(form): Fields<Credentials>,
) -> Result<Response, Error> {
    let Credentials { username, password, remember, next } = form;
    let next = next.as_deref().and_then(local_path);
    let trial = match gate.trial(&username).await {
        Ok(trial) => trial,
        Err(error) => return held_back(&visitor, error),
    };
    let (verified, takes_a_code) =
        (app.accounts.verify(&username, password), |name: &str| app.second_factors.is_enrolled(name));
    let problem = match sign_in(gate, &username, remember, verified, takes_a_code).await {
        Ok(Entered::Inside) => {
            trial.succeeded().await;
            return inside(&visitor, next).await;
        }
        Ok(Entered::HalfWay) => {
            trial.passed().await;
            return Ok(second_factor::ask_for_code(&visitor, next));
        }
        Err(SignInRefused::WrongPassword) => Problem::WrongPassword,
        Err(other) => {
            // The password was right, or nobody looked at it.
            trial.passed().await;
            return match other {
                SignInRefused::Hashing(error) => Ok(refuse(&visitor, unavailable(&error))),
                SignInRefused::Session(error) => Err(error),
                other => Ok(refuse(&visitor, Problem::Conflict(&other.to_string()))),
            };
        }
    };
    if visitor.wants == Wants::Page && problem == Problem::WrongPassword {
        let (message, ticked) = (Some(problem.explanation()), remember == Remember::Yes);
        let username = username.as_str();
        let filled_in = |form| Login { username, next, ticked, message, ..form };
        return Ok(trial.told(show_login(&app, &visitor, problem.status(), filled_in)));
    }
    Ok(trial.told(refuse(&visitor, problem)))
}

/// The answer to who is signed in now.
pub(super) async fn inside(visitor: &Visitor, next: Option<&str>) -> Result<Response, Error> {
    Ok(match visitor.wants {
        Wants::Page => see_other(next.unwrap_or("/")),
        Wants::Data => Json(visitor.me().await?).into_response(),
    })
}

fn show_login<'a>(
    app: &App,
    visitor: &'a Visitor,
    status: StatusCode,
    fill_in: impl FnOnce(Login<'a>) -> Login<'a>,
) -> Response {
    let remember_for = app.site.engine().policy().limits().remember_for;
    let remember_for = remember_for.map(|time| humantime::format_duration(time).to_string());
    let empty =
        Login { frame: visitor.frame(), username: "", next: None, remember_for: None, ticked: false, message: None };
    let form = fill_in(empty);
    page(status, &Login { remember_for: remember_for.as_deref(), ..form })
}

/// `POST /logout`
pub(super) async fn logout(visitor: Visitor) -> Result<Response, Error> {
    visitor.sign_out().await?;
    Ok(match visitor.wants {
        Wants::Page => see_other("/"),
        Wants::Data => Json(json!({ "signed_out": true })).into_response(),
    })
}

/// `GET /session`: the time left, and a look at it is no activity.
pub(super) async fn this_session(member: Member) -> Result<Response, Error> {
    if member.wants == Wants::Data {
        return Ok(Json(member.me().await?).into_response());
    }
    let (frame, identity) = (member.frame(), member.identity());
    let [expires_in, ends_in] = [identity.expires_in, identity.ends_in]
        .map(|time| humantime::format_duration(Duration::from_secs(time.as_secs())).to_string());
    let (sid, assurance) = (identity.session.to_string(), identity.assurance.as_str());
    let view = ThisSession { frame, sid: &sid, assurance, expires_in: &expires_in, ends_in: &ends_in };
    Ok(page(StatusCode::OK, &view))
}

/// `POST /stay`: being asked for is the activity that keeps the session.
pub(super) async fn stay(member: Member, Fields(way): Fields<Way>) -> Result<Response, Error> {
    let trial = match member.refresh_trial().await {
        Ok(trial) => trial,
        Err(error) => return held_back(&member, error),
    };
    Ok(trial.told(match member.wants {
        Wants::Page => {
            let next = way.next.as_deref().and_then(local_path);
            member.on_to(next.unwrap_or("/"), "You stay signed in.").await?
        }
        Wants::Data => Json(member.me().await?).into_response(),
    }))
}

/// `GET /step-up`
pub(super) async fn step_up_form(member: Member, way: Result<Query<Way>, QueryRejection>) -> Response {
    let next = way.ok().and_then(|Query(way)| way.next);
    let next = next.as_deref().and_then(local_path);
    let (frame, elevated) = (member.frame(), member.is_elevated());
    page(StatusCode::OK, &StepUp { frame, elevated, next, message: None })
}

/// `POST /step-up`
pub(super) async fn step_up(
    State(app): State<App>,
    member: Member,
    Fields(form): Fields<Confirmation>,
) -> Result<Response, Error> {
    let next = form.next.as_deref().and_then(local_path);
    let trial = match member.trial().await {
        Ok(trial) => trial,
        Err(error) => return held_back(&member, error),
    };
    match app.accounts.verify(member.name(), form.password).await {
        Ok(Verified::Yes) => trial.passed().await,
        Ok(Verified::No) if member.wants == Wants::Page => {
            let (frame, elevated) = (member.frame(), member.is_elevated());
            let message = Some("That is not your password.");
            let view = StepUp { frame, elevated, next, message };
            return Ok(trial.told(page(Problem::WrongPassword.status(), &view)));
        }
        Ok(Verified::No) => return Ok(trial.told(refuse(&member, Problem::WrongPassword))),
        Err(error) => return Ok(refuse(&member, unavailable(&error))),
    }
    member.step_up().await?;
    Ok(match member.wants {
        Wants::Page => see_other(next.unwrap_or("/transfer")),
        Wants::Data => Json(member.me().await?).into_response(),
    })
}

/// `GET /password`
pub(super) async fn password_form(member: Member) -> Response {
    page(StatusCode::OK, &ChangePassword { frame: member.frame(), minimum: RULES.minimum(), message: None })
}

/// `POST /password`
pub(super) async fn change_password(
    State(app): State<App>,
    member: Member,
    Fields(form): Fields<NewPassword>,
) -> Result<Response, Error> {
    let trial = match member.trial().await {
        Ok(trial) => trial,
        Err(error) => return held_back(&member, error),
    };
    // In a task of its own: a client that hangs up must not leave a new password beside the old sessions.
    let member = Arc::new(member);
    let replaced = tokio::spawn(replace_password(app, Arc::clone(&member), form)).await;
    if !matches!(replaced, Ok(Ok(Err(ChangeRefused::WrongCurrent)))) {
        trial.passed().await;
    }
    let refused = match replaced {
        Ok(replaced) => match replaced? {
            Ok(()) if member.wants == Wants::Page => {
                return member.on_to("/devices", "Your password is changed.").await;
            }
            Ok(()) => return Ok(Json(json!({ "changed": true })).into_response()),
            Err(refused) => refused,
        },
        Err(error) => return Ok(refuse(&member, unavailable(&error))),
    };
    let text = refused.to_string();
    let problem = match &refused {
        ChangeRefused::WrongCurrent => Problem::WrongPassword,
        ChangeRefused::NewPassword(_) => Problem::Invalid(&text),
        ChangeRefused::Hashing(error) => return Ok(refuse(&member, unavailable(error))),
    };
    Ok(match member.wants {
        Wants::Page => {
            let (frame, message) = (member.frame(), Some(text.as_str()));
            page(problem.status(), &ChangePassword { frame, minimum: RULES.minimum(), message })
        }
        Wants::Data => refuse(&member, problem),
    })
}

/// Stores the new password, then does to the sessions what the policy says (the others end, unless it says otherwise)
/// while nobody else can change it; both or neither.
async fn replace_password(
    app: App,
    member: Arc<Member>,
    form: NewPassword,
) -> Result<Result<(), ChangeRefused>, Error> {
    let changed = match app.accounts.change_password(member.name(), form.current, form.new).await {
        Ok(changed) => changed,
        Err(refused) => return Ok(Err(refused)),
    };
    match member.trigger(Trigger::PasswordChanged).await {
        Ok(_) => Ok(Ok(())),
        Err(error) => {
            changed.undo();
            Err(error)
        }
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Problem<'static> {
    tracing::error!(error, "a password could not be checked");
    Problem::Unavailable
}
