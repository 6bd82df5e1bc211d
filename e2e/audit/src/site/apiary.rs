//! Honey by JSON: sign-in, notes by PUT and sign-out by DELETE; a header carries a token from the page.

use serde_json::json;

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply, Whence};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-hive", ..PLAIN } };
    let me = desk.me();
    let by_script = ask.is("application/json") && ask.from() == Whence::Here;
    let sent = ask.header("x-csrf-token").unwrap_or_default();
    let tokened = |csrf: &str| if house.flawed { sent.len() == csrf.len() } else { sent == csrf };
    match (ask.on(), me) {
        (("GET", "/"), me) => {
            let csrf = me.map(|(session, _)| session.csrf).unwrap_or_default();
            let meta = format!("<meta name=\"csrf-token\" content=\"{csrf}\">");
            Reply::page("Hive", &format!("{meta}<div id=\"app\"></div><script src=\"/app.js\"></script> Sign out"))
        }
        (("POST", "/api/session"), _) if by_script => match (ask.member("name"), ask.member("password")) {
            (Some(user), Some(password)) if house.knows(&user, &password) => {
                let reply = desk.enter(&user);
                let cookies = reply.headers.into_iter().filter(|(name, _)| name == "Set-Cookie");
                cookies.fold(Reply::json(&json!({ "ok": true })), |reply, (_, line)| reply.cookie(line))
            }
            _ => Reply::json(&json!({ "ok": false })).status(401),
        },
        (("GET", "/api/me"), Some((_, user))) => Reply::json(&json!({ "user": user, "notes": house.notes(&user) })),
        (("PUT", "/api/notes"), Some((session, user))) if tokened(&session.csrf) => {
            house.note(&user, &ask.member("text").unwrap_or_default());
            Reply::json(&json!({ "ok": true }))
        }
        (("DELETE", "/api/session"), Some((session, _))) if session.csrf == sent => {
            if !house.flawed {
                house.end(&session.id);
            }
            Reply::json(&json!({ "ok": true })).cookie(desk.unset())
        }
        (("GET" | "PUT" | "DELETE", path), None) if path.starts_with("/api/") => {
            Reply::json(&json!({ "error": "nobody is signed in" })).status(401)
        }
        (("POST" | "PUT" | "DELETE", _), _) => Reply::json(&json!({ "error": "not from here" })).status(403),
        _ => Reply::no(404, "There is nothing here."),
    }
}
