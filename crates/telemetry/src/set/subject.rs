//! Whom a token is about: the members of its complex subject (SSF 1.0, section 3.3).

use counterfoil_core::{Event, EventKind, SubjectRef};
use serde_json::{Map, Value, json};

use super::{EventType, Names};
use crate::told::Told;

/// The `sub_id`. All of its members hold at once: a user and an application is that user's sessions there.
///
/// A session that was spared is not what an event about its user is about, so it does not stand here.
pub(super) fn of(told: &Told, event_type: EventType, issuer: &str, names: Option<&Names>) -> Option<Value> {
    let Event { session, subject, kind, .. } = told.event;
    let of_the_user = event_type.is_about_a_user() || matches!(kind, EventKind::SubjectEnded { .. });
    let session = session.filter(|_| !of_the_user).map(|id| opaque(&id.to_string()));
    let user = subject.map(|subject| user(subject, issuer, names));
    if of_the_user && user.is_none() {
        return None;
    }
    let everybody = matches!(kind, EventKind::AllEnded { .. });
    let site = told.site.as_deref().map(opaque).or_else(|| everybody.then(|| opaque(issuer)));
    let members: Map<_, _> = [("session", session), ("user", user), ("application", site)]
        .into_iter()
        .filter_map(|(name, member)| Some((name.to_owned(), member?)))
        .collect();
    // Without any, it would be about everybody.
    (!members.is_empty()).then(|| {
        let mut about = members;
        about.insert("format".to_owned(), json!("complex"));
        about.into()
    })
}

fn user(subject: SubjectRef, issuer: &str, names: Option<&Names>) -> Value {
    match names.and_then(|names| names(subject)) {
        Some(name) => json!({ "format": "iss_sub", "iss": issuer, "sub": name }),
        None => opaque(&subject.to_string()),
    }
}

fn opaque(id: &str) -> Value {
    json!({ "format": "opaque", "id": id })
}
