//! Stepping up, and changing the password.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil::accounts::Password;
use counterfoil::{Amr, Error, Trigger, local_path};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::super::fields::Fields;
use super::super::problem::Problem;
use super::super::views::{ChangePassword, StepUp, page};
use super::super::visitor::{Here, Member, Wants};
use super::{Way, held_back, refuse, see_other, unavailable};
use crate::accounts::{AccountName, CodeRefused, Pending, RULES, SelfServiceRefused, Verified};

#[derive(Deserialize)]
pub(super) struct Confirmation {
    password: Password,
    #[serde(default)]
    code: String,
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    current: Password,
    new: Password,
}

/// `GET step-up`
pub(super) async fn step_up_form(
    State(here): State<Here>,
    member: Member,
    way: Result<Query<Way>, QueryRejection>,
) -> Response {
    let next = way.ok().and_then(|Query(way)| way.next);
    show_step_up(&here, &member, StatusCode::OK, next.as_deref().and_then(local_path), None)
}

/// `POST step-up`: the same factors as at sign-in, else a step-up would be worth less than one.
pub(super) async fn step_up(
    State(here): State<Here>,
    member: Member,
    Fields(form): Fields<Confirmation>,
) -> Result<Response, Error> {
    let next = form.next.as_deref().and_then(local_path);
    let Some(name) = member.account() else {
        return Ok(refuse(&member, Problem::Conflict(NOT_LOCAL)));
    };
    let trial = match member.session.trial().await {
        Ok(trial) => trial,
        Err(error) => return held_back(&member, error),
    };
    let wrong = |problem: Problem<'static>, message: &'static str| match member.wants {
        Wants::Page => show_step_up(&here, &member, problem.status(), next, Some(message)),
        Wants::Data => refuse(&member, problem),
    };
    let amr = match here.local.accounts.verify(Some(&name), form.password).await {
        Ok(Verified::No) => return Ok(trial.told(wrong(Problem::WrongPassword, "That is not your password."))),
        Ok(Verified::Yes { takes_a_code: false, .. }) => Amr::Pwd,
        Ok(Verified::Yes { .. }) => {
            let of_code = match member.session.code_trial().await {
                Ok(trial) => trial,
                Err(error) => return held_back(&member, error),
            };
            match here.local.accounts.accepts_code(&name, form.code).await {
                Ok(true) => of_code.passed().await,
                Ok(false) => {
                    return Ok(of_code.told(wrong(Problem::WrongCode, WRONG_CODE)));
                }
                Err(error) => return Ok(no_code(&member, &error)),
            }
            Amr::Otp
        }
        Err(error) => return Ok(unavailable(&member, &error, "a password could not be checked")),
    };
    trial.passed().await;
    member.session.step_up(amr).await?;
    Ok(match member.wants {
        Wants::Page => see_other(here.onward(next)),
        Wants::Data => Json(member.me().await?).into_response(),
    })
}

fn no_code(member: &Member, error: &CodeRefused) -> Response {
    unavailable(member, error, "a code could not be checked")
}

fn show_step_up(
    here: &Here,
    member: &Member,
    status: StatusCode,
    next: Option<&str>,
    message: Option<&str>,
) -> Response {
    let takes_a_code = member.account().is_some_and(|name| here.local.accounts.takes_a_code(&name));
    let (frame, elevated) = (member.frame(), member.is_elevated());
    let next = next.map(|next| here.onward(Some(next)));
    page(status, &StepUp { frame, elevated, takes_a_code, next, message })
}

/// `GET password`
pub(super) async fn password_form(member: Member) -> Response {
    page(StatusCode::OK, &ChangePassword { frame: member.frame(), minimum: RULES.minimum(), message: None })
}

/// `POST password`
pub(super) async fn change_password(
    State(here): State<Here>,
    member: Member,
    Fields(form): Fields<NewPassword>,
) -> Result<Response, Error> {
    let Some(name) = member.account() else {
        return Ok(refuse(&member, Problem::Conflict(NOT_LOCAL)));
    };
    let trial = match member.session.trial().await {
        Ok(trial) => trial,
        Err(error) => return held_back(&member, error),
    };
    let changed = async move |here: Here, name: AccountName| {
        here.local.accounts.change_password(&name, form.current, form.new).await
    };
    let member = Arc::new(member);
    let done = told(here, Arc::clone(&member), name, Trigger::PasswordChanged, changed).await?;
    if !matches!(done, Err(SelfServiceRefused::WrongCurrent)) {
        trial.passed().await;
    }
    let refused = match done {
        Ok(()) if member.wants == Wants::Page => {
            return member
                .on_to("/.session/devices", "Your password is changed. Every other session of yours is over.")
                .await;
        }
        Ok(()) => return Ok(Json(json!({ "changed": true })).into_response()),
        Err(refused) => refused,
    };
    let text = refused.to_string();
    let problem = match &refused {
        SelfServiceRefused::WrongCurrent => Problem::WrongPassword,
        SelfServiceRefused::NewPassword(_) => Problem::Invalid(&text),
        other => return Ok(unavailable(&member, other, "a password could not be changed")),
    };
    Ok(match member.wants {
        Wants::Page => {
            let (frame, message) = (member.frame(), Some(text.as_str()));
            page(problem.status(), &ChangePassword { frame, minimum: RULES.minimum(), message })
        }
        Wants::Data => refuse(&member, problem),
    })
}

/// Makes a change of the account, then does to the sessions what the policy says (the others end, unless it says
/// otherwise) while nobody else can change it; both or neither. In a task of its own: a client that hangs up must not
/// leave a new password beside the old sessions.
pub(super) async fn told<F>(
    here: Here,
    member: Arc<Member>,
    name: AccountName,
    trigger: Trigger,
    change: impl FnOnce(Here, AccountName) -> F + Send + 'static,
) -> Result<Result<(), SelfServiceRefused>, Error>
where
    F: Future<Output = Result<Pending, SelfServiceRefused>> + Send + 'static,
{
    let task = async move {
        let pending = match change(here, name).await {
            Ok(pending) => pending,
            Err(refused) => return Ok(Err(refused)),
        };
        match member.session.trigger(trigger).await {
            Ok(_) => Ok(pending.done().await),
            Err(error) => {
                if let Err(kept) = pending.undo().await {
                    tracing::error!(
                        error = &kept as &dyn std::error::Error,
                        "a change could not be undone; all sessions of the account end"
                    );
                }
                Err(error)
            }
        }
    };
    match tokio::spawn(task).await {
        Ok(done) => done,
        Err(interrupted) => Ok(Err(SelfServiceRefused::Interrupted(interrupted))),
    }
}

pub(super) const NOT_LOCAL: &str = "This session belongs to no account of this gateway.";
const WRONG_CODE: &str = "That code is not right, or it was used before. Wait for the next one.";
