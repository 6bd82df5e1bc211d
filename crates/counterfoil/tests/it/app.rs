//! The application of these tests: one route for each thing an application does with a session.

use axum::middleware::from_extractor;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get, post};
use axum::{Form, Router};
use counterfoil::data::{Key, SessionData};
use counterfoil::{
    ActiveWithin, Amr, Counterfoil, CsrfToken, DeviceName, EndReason, Error, Flash, Page, Recent, Session, SignIn,
    SignedIn, SignedInWithin, Subject, Trigger,
};
use http::StatusCode;
use serde::Deserialize;

/// What the application keeps.
#[derive(SessionData, Debug, Default, PartialEq, Eq)]
#[session(prefix = "app")]
pub(crate) struct Kept {
    pub(crate) count: u32,
    #[session(portable)]
    pub(crate) theme: String,
}

pub(crate) const NOTE: Key<String> = Key::new("app.note");
/// The cookie of somebody signed in.
pub(crate) const ID: &str = "__Host-Http-id";
/// The cookie of a step-up.
pub(crate) const ELEVATED: &str = "__Host-Http-el";
/// The cookie of a visitor.
pub(crate) const VISITOR: &str = "__Host-Http-an";

#[derive(Deserialize)]
struct Credentials {
    user: String,
    #[serde(default)]
    remember: bool,
}

#[derive(Deserialize)]
struct Value {
    value: String,
}

async fn greet(session: Session) -> Result<String, Error> {
    let identity = session.identity().await?;
    Ok(identity
        .map_or("who are you?".into(), |user| format!("{} ({})", user.subject().as_str(), user.assurance.as_str())))
}

async fn login(gate: SignIn, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
    let mut attempt = gate.begin(Subject::new(&form.user)?).await?;
    attempt.factor(Amr::Pwd);
    if form.remember {
        attempt.remember();
    }
    Ok(attempt.complete().await?.redirect("/me"))
}

async fn half_login(gate: SignIn, Form(form): Form<Credentials>) -> Result<StatusCode, Error> {
    let mut attempt = gate.begin(Subject::new(&form.user)?).await?;
    attempt.factor(Amr::Pwd);
    if form.remember {
        attempt.remember();
    }
    attempt.hold().await?;
    Ok(StatusCode::ACCEPTED)
}

async fn other_half(gate: SignIn) -> Result<StatusCode, Error> {
    let Some(mut attempt) = gate.resume().await? else { return Ok(StatusCode::GONE) };
    attempt.factor(Amr::Otp);
    attempt.complete().await?;
    Ok(StatusCode::OK)
}

async fn me(user: SignedIn) -> String {
    let factors: Vec<&str> = user.factors().iter().map(|factor| factor.amr.as_str()).collect();
    format!("{} ({}) by {}", user.subject(), user.assurance.as_str(), factors.join(", "))
}

async fn count(session: Session<Kept>) -> Result<String, Error> {
    let next = |kept: &mut Kept| {
        kept.count += 1;
        kept.count
    };
    Ok(session.update(next).await?.to_string())
}

async fn note(session: Session, Form(form): Form<Value>) -> Result<(), Error> {
    session.set(NOTE, &form.value)
}

async fn notes(session: Session) -> Result<String, Error> {
    Ok(session.get(NOTE).await?.unwrap_or_default())
}

async fn theme(session: Session<Kept>, Form(form): Form<Value>) -> Result<(), Error> {
    session.set(Kept::THEME, &form.value)
}

async fn kept(session: Session<Kept>) -> Result<String, Error> {
    let Kept { count, theme } = session.read().await?;
    Ok(format!("{count} {theme}"))
}

async fn devices(session: Session) -> Result<String, Error> {
    Ok(session.devices(Page::FIRST).await?.len().to_string())
}

/// Sets something while the session is ended from elsewhere.
async fn overtaken(session: Session, engine: counterfoil_core::Engine) -> Result<(), Error> {
    session.set(NOTE, &"lost".to_owned())?;
    if let Some(identity) = session.identity().await? {
        engine.end(identity.session, EndReason::Admin).await?;
    }
    Ok(())
}

pub(crate) fn app(site: &Counterfoil) -> Router {
    let engine = site.engine().clone();
    let public = Router::new()
        .route("/", get(async || "welcome"))
        .route("/greet", get(greet))
        .route("/form", get(async |csrf: CsrfToken| csrf.field()))
        .route("/count", post(count))
        .route("/note", get(notes).post(note))
        .route("/theme", post(theme))
        .route("/kept", get(kept))
        .route("/say", post(say))
        .route("/heard", get(async |flash: Flash| flash.take().await.map(|words| words.join("|"))))
        .route("/any/{*rest}", any(greet))
        .layer(site.sessions().public());
    let door = Router::new()
        .route("/login", post(login))
        .route("/login/1", post(half_login))
        .route("/login/2", post(other_half))
        .layer(site.sessions().public().sign_in());
    let private = Router::new()
        .route("/me", get(me).post(me))
        .route("/devices", get(devices))
        .route("/labels", get(labels))
        .route("/logout", post(async |session: Session| session.sign_out().await.map(|()| Redirect::to("/"))))
        .route("/step-up", post(async |session: Session| session.step_up(Amr::Otp).await))
        .route("/rename", post(rename))
        .route("/trigger", post(pull))
        .route("/sid", get(async |user: SignedIn| user.session_id().to_string()))
        .route("/end-others", post(async |session: Session| session.end_others(EndReason::EndedByUser).await))
        .route("/transfer", get(transfer).post(transfer))
        .route("/settings", get(async |_: SignedInWithin<600>| "settings"))
        .route("/records", get(async |_: ActiveWithin<600>| "records"))
        .route("/records/old", get(async |_: ActiveWithin<600>| "old records"))
        .route("/ledger", get(async |_: ActiveWithin<60>| "ledger"))
        .route("/pin", get(async |_: Recent<60>| "recent"))
        .route("/fail", post(fail))
        .route("/overtaken", post(move |session: Session| overtaken(session, engine.clone())))
        .layer(site.sessions());
    let polling = Router::new()
        .route("/poll", get(me))
        .route("/records/poll", get(async |_: ActiveWithin<600>| "records"))
        .layer(site.sessions().quiet());
    let archive = Router::new()
        .route("/archive", get(async || "archive"))
        .layer(from_extractor::<ActiveWithin<600>>())
        .layer(site.sessions());
    public.merge(door).merge(private).merge(polling).merge(archive)
}

#[derive(Deserialize)]
struct Pulled {
    trigger: String,
    note: Option<String>,
}

/// Pulls a trigger by its name, with something set before it.
async fn pull(session: Session, Form(form): Form<Pulled>) -> Result<&'static str, Error> {
    if let Some(note) = form.note {
        session.set(NOTE, &note)?;
    }
    let trigger = Trigger::ALL.into_iter().find(|trigger| trigger.as_str() == form.trigger).unwrap();
    Ok(session.trigger(trigger).await?.as_str())
}

#[derive(Deserialize)]
struct Said {
    value: String,
    to: String,
    first: Option<String>,
}

async fn say(session: Session, flash: Flash, Form(form): Form<Said>) -> Result<Redirect, Error> {
    if form.first.is_some() {
        session.sign_out().await?;
    }
    flash.redirect(&form.to, &form.value).await
}

#[derive(Deserialize)]
struct Renamed {
    sid: String,
    label: String,
}

async fn labels(session: Session) -> Result<String, Error> {
    let labels: Vec<String> =
        session.devices(Page::FIRST).await?.into_iter().map(|device| device.label.into()).collect();
    Ok(labels.join(", "))
}

async fn rename(session: Session, Form(form): Form<Renamed>) -> Result<String, Error> {
    let name = DeviceName::new(&form.label).unwrap();
    let renamed = session.rename_device(form.sid.parse().unwrap(), name).await?;
    Ok(format!("{renamed}: {}", labels(session).await?))
}

async fn transfer(user: Recent<300>) -> String {
    format!("transferred by {}", user.subject())
}

async fn fail(session: Session) -> Result<impl IntoResponse, Error> {
    session.set(NOTE, &"kept".to_owned())?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}
