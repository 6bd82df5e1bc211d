//! Signing in beside other things in one request.

use axum::routing::{get, post};
use axum::{Json, Router};
use counterfoil::data::Key;
use counterfoil::testing::Site;
use counterfoil::{Amr, Error, Session, SignIn, SignedIn, Subject};
use http::StatusCode;

use crate::app::{ELEVATED, ID};

const NOTE: Key<String> = Key::new("app.note");

/// Notes something, then signs somebody in, in one request.
async fn note_and_switch(session: Session, gate: SignIn, Json(whom): Json<String>) -> Result<(), Error> {
    session.set(NOTE, &"the first one's".to_owned())?;
    let mut attempt = gate.begin(Subject::new(&whom)?).await?;
    attempt.factor(Amr::Pwd);
    attempt.complete().await.map(drop)
}

async fn note(_: SignedIn, session: Session) -> Result<String, Error> {
    Ok(session.get(NOTE).await?.unwrap_or_default())
}

/// Signs in and steps up, in one request.
async fn both(session: Session, gate: SignIn) -> Result<(), Error> {
    let mut attempt = gate.begin(Subject::new("ada")?).await?;
    attempt.factor(Amr::Pwd);
    attempt.complete().await?;
    session.step_up(Amr::Otp).await
}

fn app(site: &Site) -> Router {
    let routes =
        Router::new().route("/switch", post(note_and_switch)).route("/note", get(note)).route("/both", post(both));
    routes.layer(site.sessions())
}

#[tokio::test]
async fn what_one_person_set_is_not_written_into_the_session_of_the_next() {
    let site = Site::new();
    for (whom, kept) in [("ada", "the first one's"), ("grace", "")] {
        let browser = site.browser(&app(&site)).with(site.signed_in("ada").await);
        assert_eq!(browser.post_json("/switch", &whom).await.status(), StatusCode::OK);
        assert_eq!(browser.get("/note").await.text(), kept, "from ada to {whom}");
    }
}

#[tokio::test]
async fn a_step_up_never_takes_the_place_of_the_sign_in_it_needs() {
    let site = Site::new();
    let browser = site.browser(&app(&site));
    assert_eq!(browser.post_json("/both", &()).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(browser.cookie(ID).is_some() && browser.cookie(ELEVATED).is_none(), "the sign-in stands");
    assert_eq!(browser.get("/note").await.status(), StatusCode::OK);
}
