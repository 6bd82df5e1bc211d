//! Signing in and out.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil::accounts::Password;
use counterfoil::{Amr, Error, SignIn, SignInError, SigningIn, local_path};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::super::fields::Fields;
use super::super::problem::Problem;
use super::super::views::{Code, Login, Logout, page};
use super::super::visitor::{Here, Visitor, Wants};
use super::{Way, held_back, refuse, see_other, unavailable, with_next};
use crate::accounts::{AccountName, Verified};

#[derive(Deserialize)]
pub(super) struct Credentials {
    username: String,
    password: Password,
    #[serde(default)]
    remember: Remember,
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CodeFields {
    code: String,
    next: Option<String>,
}

/// Whether who signs in asked to be known on this browser afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "Ticked")]
enum Remember {
    Yes,
    #[default]
    No,
}

/// What forms and scripts send for it. Anything else is a no.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ticked {
    Flag(bool),
    Text(String),
}

/// `GET login`: also for somebody who is signed in, whom a route may have asked to sign in anew.
pub(super) async fn form(
    State(here): State<Here>,
    visitor: Visitor,
    way: Result<Query<Way>, QueryRejection>,
) -> Response {
    let next = way.ok().and_then(|Query(way)| way.next);
    let next = next.as_deref().and_then(local_path);
    let known = visitor.subject().map(counterfoil::Subject::as_str).or(visitor.remembered()).unwrap_or_default();
    show(&here, &visitor, StatusCode::OK, |form| Login { username: known, next, ..form })
}

/// `POST login`
///
/// # Security
/// The limit first, then one hash whoever is meant, then one answer for a wrong password, an unknown name and a disabled
/// account alike. The subject's epoch is noted before anybody looks at the password, so that a change in between wins.
pub(super) async fn sign_in(
    State(here): State<Here>,
    visitor: Visitor,
    gate: SignIn,
    Fields(form): Fields<Credentials>,
) -> Result<Response, Error> {
    let Credentials { username, password, remember, next } = form;
    let next = next.as_deref().and_then(local_path);
    let name = AccountName::typed(&username);
    // By the name that is meant: other spellings of it are the same account.
    let counted = name.as_ref().map_or(username.as_str(), AccountName::as_str);
    let trial = match gate.trial(counted).await {
        Ok(trial) => trial,
        Err(error) => return held_back(&visitor, error),
    };
    let attempt = match name.as_ref().and_then(AccountName::subject) {
        Some(subject) => Some(gate.begin(subject).await?),
        // No account has such a name; it costs what any other wrong one costs.
        None => None,
    };
    let verified = match here.local.accounts.verify(name.as_ref(), password).await {
        Ok(verified) => verified,
        Err(error) => return Ok(unavailable(&visitor, &error, "a password could not be checked")),
    };
    match (attempt, verified) {
        (Some(mut attempt), Verified::Yes { takes_a_code, .. }) => {
            attempt.factor(Amr::Pwd);
            if remember == Remember::Yes {
                attempt.remember();
            }
            if takes_a_code {
                trial.passed().await;
                ask_for_code(&visitor, attempt, next).await
            } else {
                trial.succeeded().await;
                complete(&here, &visitor, attempt, next).await
            }
        }
        _ if visitor.wants == Wants::Data => Ok(trial.told(refuse(&visitor, Problem::WrongPassword))),
        _ => {
            let (problem, ticked) = (Problem::WrongPassword, remember == Remember::Yes);
            let (username, message) = (shortened(&username), Some(problem.explanation()));
            let filled_in = |form| Login { username, next, ticked, message, ..form };
            Ok(trial.told(show(&here, &visitor, problem.status(), filled_in)))
        }
    }
}

async fn ask_for_code(visitor: &Visitor, attempt: SigningIn, next: Option<&str>) -> Result<Response, Error> {
    attempt.hold().await?;
    Ok(match visitor.wants {
        Wants::Data => (StatusCode::ACCEPTED, Json(json!({ "wanted": "otp", "at": CODE }))).into_response(),
        Wants::Page => see_other(&with_next(CODE, next)),
    })
}

async fn complete(here: &Here, visitor: &Visitor, attempt: SigningIn, next: Option<&str>) -> Result<Response, Error> {
    match attempt.complete().await {
        Ok(_) => {}
        Err(Error::SignIn(refusal @ (SignInError::SubjectMoved | SignInError::OverLimit | SignInError::Refused))) => {
            return Ok(refuse(visitor, Problem::Conflict(&refusal.to_string())));
        }
        Err(error) => return Err(error),
    }
    Ok(visitor.without_app_cookies(match visitor.wants {
        Wants::Page => see_other(here.onward(next)),
        Wants::Data => Json(visitor.me().await?).into_response(),
    }))
}

/// `GET login/code`
pub(super) async fn code_form(
    visitor: Visitor,
    gate: SignIn,
    way: Result<Query<Way>, QueryRejection>,
) -> Result<Response, Error> {
    let next = way.ok().and_then(|Query(way)| way.next);
    let next = next.as_deref().and_then(local_path);
    if gate.resume().await?.is_none() {
        return Ok(see_other(&with_next(super::super::SIGN_IN, next)));
    }
    Ok(page(StatusCode::OK, &Code { frame: visitor.frame(), next, message: None }))
}

/// `POST login/code`
pub(super) async fn check_code(
    State(here): State<Here>,
    visitor: Visitor,
    gate: SignIn,
    Fields(form): Fields<CodeFields>,
) -> Result<Response, Error> {
    let next = form.next.as_deref().and_then(local_path);
    let Some(mut attempt) = gate.resume().await? else {
        return Ok(match visitor.wants {
            Wants::Page => see_other(&with_next(super::super::SIGN_IN, next)),
            Wants::Data => refuse(&visitor, Problem::Conflict("No sign-in waits for a code; begin with the password.")),
        });
    };
    let name = attempt.subject().as_str().to_owned();
    let trial = match gate.code_trial(&name).await {
        Ok(trial) => trial,
        Err(error) => return held_back(&visitor, error),
    };
    let right = match AccountName::typed(&name) {
        Some(name) => here.local.accounts.accepts_code(&name, form.code).await,
        None => Ok(false),
    };
    match right {
        Ok(true) => {
            trial.succeeded().await;
            attempt.factor(Amr::Otp);
            complete(&here, &visitor, attempt, next).await
        }
        Ok(false) => {
            let problem = Problem::WrongCode;
            let message = Some(problem.explanation());
            Ok(trial.told(match visitor.wants {
                Wants::Page => page(problem.status(), &Code { frame: visitor.frame(), next, message }),
                Wants::Data => refuse(&visitor, problem),
            }))
        }
        Err(error) => Ok(unavailable(&visitor, &error, "a code could not be checked")),
    }
}

/// `GET logout`: a button, because following a link must not sign anybody out.
pub(super) async fn sign_out_form(visitor: Visitor) -> Response {
    page(StatusCode::OK, &Logout { frame: visitor.frame() })
}

/// `POST logout`: fine where nobody is signed in.
pub(super) async fn sign_out(visitor: Visitor) -> Result<Response, Error> {
    end_here(&visitor).await
}

/// Ends the session of whoever asks, and the app's own in this browser.
pub(super) async fn end_here(visitor: &Visitor) -> Result<Response, Error> {
    visitor.session.sign_out().await?;
    Ok(visitor.without_app_cookies(match visitor.wants {
        Wants::Page => see_other("/.session/logout"),
        Wants::Data => Json(json!({ "signed_out": true })).into_response(),
    }))
}

fn show<'a>(
    here: &Here,
    visitor: &'a Visitor,
    status: StatusCode,
    fill_in: impl FnOnce(Login<'a>) -> Login<'a>,
) -> Response {
    let remember_for = here.site.app.policy.limits().remember_for;
    let remember_for = remember_for.map(in_words);
    let form = fill_in(Login {
        frame: visitor.frame(),
        username: "",
        next: None,
        remember_for: None,
        ticked: false,
        accounts: !here.local.accounts.is_empty(),
        message: None,
    });
    // Also where it is a link: a click on our page counts as one of this site's.
    let next = form.next.map(|next| here.onward(Some(next)));
    page(status, &Login { remember_for: remember_for.as_deref(), next, ..form })
}

/// Days, where it is whole days: so it is written in policies.
fn in_words(time: Duration) -> String {
    match (time.as_secs() / A_DAY, time.as_secs() % A_DAY) {
        (1, 0) => "a day".to_owned(),
        (days, 0) => format!("{days} days"),
        _ => humantime::format_duration(time).to_string(),
    }
}

/// What is shown again of what was typed: no more than a name can have.
fn shortened(typed: &str) -> &str {
    typed.char_indices().nth(AccountName::MAX_BYTES).map_or(typed, |(end, _)| typed.get(..end).unwrap_or_default())
}

impl From<Ticked> for Remember {
    fn from(ticked: Ticked) -> Self {
        match ticked {
            Ticked::Flag(true) => Self::Yes,
            Ticked::Text(text) if ["on", "true", "1"].contains(&text.as_str()) => Self::Yes,
            _ => Self::No,
        }
    }
}

const A_DAY: u64 = 24 * 60 * 60;
const CODE: &str = "/.session/login/code";
