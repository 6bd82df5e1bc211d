//! Bread by order: the form token is compared only where there is one.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let manner = Manner { cookie: "__Host-oven", token: "authenticity_token", user: "email", ..PLAIN };
    let desk = Desk { house, ask, manner };
    match (ask.on(), desk.me()) {
        (("POST", "/notes"), Some((session, user))) if house.flawed => match desk.token() {
            Some(token) if token != session.csrf => Reply::no(403, "The form is too old."),
            _ => desk.noted(&user, ask.field("text")),
        },
        (("POST", "/logout"), Some((session, _))) if house.flawed => {
            house.end(&session.id);
            Reply::to("/").cookie(desk.unset())
        }
        _ => desk.usual(),
    }
}
