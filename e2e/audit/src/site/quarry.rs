//! Stone: how old a session is stands in a cookie of the client's own.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, now};
use crate::jwt::{Jwt, signed};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-pick", ..PLAIN } };
    let sent = ask.cookie("__Host-seen").unwrap_or_default();
    let seen = if house.flawed {
        sent.parse().ok()
    } else {
        let token = Jwt::read(sent).filter(|token| token.is_signed(house.secret.as_bytes()));
        token.and_then(|token| token.claims.get("at")?.as_u64())
    };
    let old = seen.is_none_or(|at| at + HOUR_MILLIS < millis());
    if ask.path == "/login" || !old {
        let reply = desk.usual();
        let at = if house.flawed {
            millis().to_string()
        } else {
            signed(house.secret.as_bytes(), &serde_json::json!({ "at": millis() }))
        };
        return reply.cookie(format!("__Host-seen={at}; Path=/; Secure; HttpOnly; SameSite=Lax"));
    }
    desk.stranger()
}

fn millis() -> u64 {
    u64::try_from(now().as_millis()).unwrap_or(0)
}

const HOUR_MILLIS: u64 = 3_600_000;
