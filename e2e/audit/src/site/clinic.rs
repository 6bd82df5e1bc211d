//! Appointments for an app: tokens in the answer's body, none in cookies.

use serde_json::json;

use crate::house::{House, Session, random};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let session = ask.bearer().and_then(|token| house.find(token)).filter(|session| session.pending.is_none());
    let user = session.as_ref().and_then(|session| session.user.clone());
    let reply = match (ask.on(), session, user) {
        (("POST", "/api/login"), ..) => match (ask.member("username"), ask.member("password")) {
            (Some(user), Some(password)) if house.knows(&user, &password) => pair(house, &user, &random()),
            _ => Reply::json(&json!({ "error": "wrong name or password" })).status(401),
        },
        (("POST", "/api/token"), ..) => {
            let refresh = ask.member("refresh_token").and_then(|token| house.find(&token));
            match refresh.and_then(|session| Some((session.id, session.user?, session.pending?))) {
                Some((id, user, family)) => {
                    house.end(&id);
                    pair(house, &user, &family)
                }
                None => Reply::json(&json!({ "error": "invalid_grant" })).status(400),
            }
        }
        (("GET", "/api/me"), Some(_), Some(user)) => Reply::json(&json!({ "name": user, "notes": house.notes(&user) })),
        (("POST", "/api/notes"), Some(_), Some(user)) => {
            house.note(&user, &ask.member("text").unwrap_or_default());
            Reply::json(&json!({ "ok": true }))
        }
        (("DELETE", "/api/login"), Some(session), Some(user)) => {
            if !house.flawed {
                for one in house.sessions_of(&user).iter().filter(|one| one.csrf == session.csrf) {
                    house.end(&one.id);
                }
            }
            Reply::json(&json!({ "ok": true }))
        }
        _ => Reply::json(&json!({ "error": "unauthorized" })).status(401),
    };
    reply
        .without("Content-Security-Policy")
        .header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

/// An access and a refresh token of one family; what only refreshes is marked as pending.
fn pair(house: &House, user: &str, family: &str) -> Reply {
    let token = |refresh: bool| {
        let mut session = Session::new(random(), Some(user));
        family.clone_into(&mut session.csrf);
        session.pending = refresh.then(|| family.to_owned());
        house.save(&session);
        session.id
    };
    Reply::json(&json!({ "access_token": token(false), "refresh_token": token(true), "token_type": "Bearer" }))
}
