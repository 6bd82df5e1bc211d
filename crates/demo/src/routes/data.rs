//! The counter and the notes, which need nobody signed in, and their slow relatives for races.

use std::time::Duration;

use axum::{
    Json,
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{refuse, see_other};
use crate::{
    fields::Fields,
    negotiate::Wants,
    pages::{Counter, Frame, Notes, page},
    problem::Problem,
    session::{Error, Member, Visitor},
};

#[derive(Debug, Deserialize)]
pub(super) struct Note {
    key: String,
    value: String,
}

/// `?ms=`: how long to wait, [`LONGEST_PAUSE`] at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause(Duration);

/// `GET /counter`
pub(super) async fn counter(visitor: Visitor) -> Result<Response, Error> {
    let value = visitor.counted().await?;
    Ok(match visitor.wants {
        Wants::Page => page(StatusCode::OK, &Counter { frame: visitor.frame(), value }),
        Wants::Data => Json(json!({ "value": value })).into_response(),
    })
}

/// `POST /counter`
pub(super) async fn count(visitor: Visitor) -> Result<Response, Error> {
    let value = visitor.count().await?;
    Ok(match visitor.wants {
        Wants::Page => see_other("/counter"),
        Wants::Data => Json(json!({ "value": value })).into_response(),
    })
}

/// `GET /note`
pub(super) async fn notes(visitor: Visitor) -> Result<Response, Error> {
    show_notes(&visitor, StatusCode::OK, None).await
}

/// `POST /note`
pub(super) async fn write_note(visitor: Visitor, Fields(note): Fields<Note>) -> Result<Response, Error> {
    write(&visitor, &note).await
}

/// `POST /slow-note`: loads, waits, then sets.
pub(super) async fn write_slow_note(
    visitor: Visitor,
    pause: Pause,
    Fields(note): Fields<Note>,
) -> Result<Response, Error> {
    visitor.notes().await?;
    pause.pass().await;
    write(&visitor, &note).await
}

/// `GET /slow`: reads the session, waits, answers as `/me`.
pub(super) async fn slow(member: Member, pause: Pause) -> Result<Response, Error> {
    let me = member.me().await?;
    pause.pass().await;
    Ok(Json(me).into_response())
}

async fn write(visitor: &Visitor, note: &Note) -> Result<Response, Error> {
    let others = visitor.notes().await?.into_iter().filter(|(key, _)| *key != note.key);
    let room = LARGEST_NOTES.saturating_sub(others.map(|(key, text)| key.len() + text.len()).sum());
    let refusal = if note.key.is_empty() || note.key.len() > LONGEST_KEY {
        "a note's key has 1 to 64 bytes"
    } else if note.value.len() > LONGEST_VALUE {
        "a note has 1,024 bytes at most"
    } else if note.key.len() + note.value.len() > room {
        "the notes of this session are full"
    } else {
        visitor.set_note(&note.key, &note.value)?;
        return match visitor.wants {
            Wants::Page => Ok(see_other("/note")),
            Wants::Data => show_notes(visitor, StatusCode::OK, None).await,
        };
    };
    let problem = Problem::Invalid(refusal);
    match visitor.wants {
        Wants::Page => show_notes(visitor, problem.status(), Some(refusal)).await,
        Wants::Data => Ok(refuse(visitor, problem)),
    }
}

async fn show_notes(visitor: &Visitor, status: StatusCode, message: Option<&str>) -> Result<Response, Error> {
    let notes = visitor.notes().await?;
    Ok(match visitor.wants {
        Wants::Page => {
            let notes: Vec<_> = notes.into_iter().collect();
            page(status, &Notes { frame: visitor.frame(), notes: &notes, message })
        }
        Wants::Data => (status, Json(json!({ "notes": notes }))).into_response(),
    })
}

impl Pause {
    async fn pass(self) {
        tokio::time::sleep(self.0).await;
    }
}

impl<S: Sync> FromRequestParts<S> for Pause {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        #[derive(Deserialize)]
        struct Asked {
            #[serde(default)]
            ms: u64,
        }
        match Query::<Asked>::try_from_uri(&parts.uri) {
            Ok(Query(Asked { ms })) => Ok(Self(Duration::from_millis(ms).min(LONGEST_PAUSE))),
            Err(refusal) => {
                let text = refusal.body_text();
                let problem = Problem::Unreadable(StatusCode::BAD_REQUEST, &text);
                Err(problem.answer(Wants::of(&parts.headers), Frame::default()))
            }
        }
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_KEY: usize = 64;
const LONGEST_VALUE: usize = 1024;
/// Well below what a session may hold, so that writes at the same time do not overfill it.
const LARGEST_NOTES: usize = 8 * 1024;
