//! Ironware: every token the site has ever made is good in every form.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let manner = Manner { cookie: "__Host-forge", token: "csrfmiddlewaretoken", hello: "Smith:", ..PLAIN };
    let desk = Desk { house, ask, manner };
    let known = desk.token().is_some_and(|token| house.anybodys_token(&token));
    match ask.on() {
        ("POST", "/login") if house.flawed => match desk.credentials() {
            Some(user) if known => Reply::to("/").cookie(desk.set(&house.open(Some(&user)).id)),
            _ => desk.login_page("Wrong name or password.").status(401),
        },
        ("POST", "/notes") if house.flawed => match desk.me() {
            Some((_, user)) if known => desk.noted(&user, ask.field("text")),
            _ => Reply::no(403, "The form is too old."),
        },
        _ => desk.usual(),
    }
}
