//! Signing in, stepping up, signing out, and the list of devices.

use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use counterfoil::{Amr, Error, Page, Session, SessionId, SignIn, SignedIn, Subject, local_path};
use serde::Deserialize;

use crate::pages::{Devices, Login, StepUp, page};
use crate::users;

/// Where to go afterwards.
#[derive(Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

impl Next {
    fn path(&self) -> &str {
        self.next.as_deref().and_then(local_path).unwrap_or("/")
    }
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    user: String,
    password: String,
    next: Option<String>,
}

pub(crate) async fn login_page(Query(next): Query<Next>) -> Response {
    page(&Login { next: next.path(), wrong: false })
}

pub(crate) async fn login(gate: SignIn, Form(form): Form<Credentials>) -> Result<Response, Error> {
    let next = Next { next: form.next };
    let mut attempt = gate.begin(Subject::new(&form.user)?).await?;
    if !users::verify(&form.user, form.password).await {
        return Ok(page(&Login { next: next.path(), wrong: true }));
    }
    attempt.factor(Amr::Pwd);
    Ok(attempt.complete().await?.redirect(next.path()).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Password {
    password: String,
    next: Option<String>,
}

pub(crate) async fn step_up_page(_: SignedIn, Query(next): Query<Next>) -> Response {
    page(&StepUp { next: next.path(), wrong: false })
}

pub(crate) async fn step_up(user: SignedIn, session: Session, Form(form): Form<Password>) -> Result<Response, Error> {
    let next = Next { next: form.next };
    if !users::verify(user.subject().as_str(), form.password).await {
        return Ok(page(&StepUp { next: next.path(), wrong: true }));
    }
    session.step_up(Amr::Pwd).await?;
    Ok(Redirect::to(next.path()).into_response())
}

pub(crate) async fn devices(user: SignedIn, session: Session) -> Result<Response, Error> {
    let sessions = session.devices(Page::FIRST).await?;
    Ok(page(&Devices { here: user.session_id(), sessions: &sessions }))
}

#[derive(Deserialize)]
pub(crate) struct Device {
    id: String,
}

pub(crate) async fn end_device(_: SignedIn, session: Session, Form(form): Form<Device>) -> Result<Redirect, Error> {
    if let Ok(id) = form.id.parse::<SessionId>() {
        session.end_device(id).await?;
    }
    Ok(Redirect::to("/devices"))
}

pub(crate) async fn logout(session: Session) -> Result<Redirect, Error> {
    session.sign_out().await?;
    Ok(Redirect::to("/"))
}
