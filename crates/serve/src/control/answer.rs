//! What is answered.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event as ServerSent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Page, StoreError};
use counterfoil_core::{SessionId, Subject};
use counterfoil_telemetry::{Only, Told};
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Operated;
use super::shown::{Ended, Entry, Found, Problem, Reached};

/// Which sessions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    subject: Option<String>,
    #[serde(default)]
    everybody: bool,
    #[serde(default)]
    skip: usize,
    take: Option<usize>,
}

/// Which events: patterns, with commas between them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    only: Option<String>,
}

pub(super) fn router(operated: Operated) -> Router {
    Router::new()
        .route("/sessions", get(list).delete(end_several))
        .route("/sessions/{id}", get(show).delete(end))
        .route("/events", get(events))
        .fallback(|| async { Refused::unknown("there is nothing of this name") })
        .with_state(operated)
}

type Answer<T> = Result<Json<T>, Refused>;

async fn list(State(operated): State<Operated>, Query(which): Query<Which>) -> Answer<Vec<Entry>> {
    let subject = which.subject.ok_or_else(|| Refused::wrong("whose? Name a subject"))?;
    let page = Page { skip: which.skip, take: which.take.unwrap_or(Page::FIRST.take).min(MOST_AT_ONCE) };
    let found = (operated.engine)().sessions_of(&named(subject)?, page).await?;
    Ok(Json(found.iter().map(Entry::from).collect()))
}

async fn show(State(operated): State<Operated>, Path(id): Path<String>) -> Answer<Found> {
    Ok(Json((operated.engine)().inspect(called(&id)?).await?.into()))
}

async fn end(State(operated): State<Operated>, Path(id): Path<String>) -> Answer<Ended> {
    Ok(Json(Ended { ended: (operated.engine)().end_by_id(called(&id)?, EndReason::Admin).await? }))
}

async fn end_several(State(operated): State<Operated>, Query(which): Query<Which>) -> Answer<Reached> {
    let engine = (operated.engine)();
    match (which.subject, which.everybody) {
        (Some(subject), false) => {
            let subject = named(subject)?;
            engine.end_subject(&subject, EndReason::Admin).await?;
            Ok(Json(Reached::Subject(engine.reference(&subject).to_string())))
        }
        (None, true) => {
            engine.end_all(EndReason::Admin).await?;
            Ok(Json(Reached::Everybody))
        }
        _ => Err(Refused::wrong("whose? Name a subject, or everybody, and not both")),
    }
}

async fn events(State(operated): State<Operated>, Query(wanted): Query<Wanted>) -> Result<Response, Refused> {
    let only = match &wanted.only {
        None => Only::default(),
        Some(patterns) => Only::new(patterns.split(',')).map_err(|error| Refused::wrong(error.to_string()))?,
    };
    let stream = following(operated.telemetry.follow(), only);
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(BETWEEN_SIGNS_OF_LIFE)).into_response())
}

/// Each event that is wanted, and how many passed whenever the reader was too slow.
fn following(
    receiver: Receiver<Told>,
    only: Only,
) -> impl Stream<Item = Result<ServerSent, Infallible>> + Send + 'static {
    unfold((receiver, only), |(mut receiver, only)| async move {
        loop {
            let next = match receiver.recv().await {
                Ok(told) if only.means(&told) => {
                    ServerSent::default().id(told.id.to_string()).event(told.event.kind.name()).data(&**told.json())
                }
                Ok(_) => continue,
                Err(RecvError::Lagged(missed)) => ServerSent::default().event("missed").data(missed.to_string()),
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(next), (receiver, only)));
        }
    })
}

fn named(subject: String) -> Result<Subject, Refused> {
    Subject::new(subject).map_err(|error| Refused::wrong(error.to_string()))
}

fn called(id: &str) -> Result<SessionId, Refused> {
    id.parse().map_err(|error: counterfoil_core::NotASessionId| Refused::wrong(error.to_string()))
}

/// Why there is no answer.
struct Refused(Problem);

impl Refused {
    fn wrong(title: impl Into<String>) -> Self {
        Self(Problem { status: StatusCode::BAD_REQUEST.as_u16(), title: title.into() })
    }

    fn unknown(title: &str) -> Self {
        Self(Problem { status: StatusCode::NOT_FOUND.as_u16(), title: title.to_owned() })
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let title = format!("{error}: it may or may not have been done; try again");
        Self(Problem { status: StatusCode::SERVICE_UNAVAILABLE.as_u16(), title })
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

/// Some 200 kB of answer.
const MOST_AT_ONCE: usize = 1_000;
/// So that a reader knows that nothing happened, and not that nobody is there.
const BETWEEN_SIGNS_OF_LIFE: Duration = Duration::from_secs(15);
