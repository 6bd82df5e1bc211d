//! Letters: signing out removes another cookie than the one that counts, and anybody may sign anybody in.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let manner =
        Manner { cookie: "__Host-mail", home: "/inbox", login: "/session/new", sign_out: "/session/end", ..PLAIN };
    let desk = Desk { house, ask, manner };
    match ask.on() {
        ("POST", "/session/new") if house.flawed => match desk.credentials() {
            Some(user) => desk.enter(&user).cookie("lang=en; Path=/; Secure; SameSite=Lax"),
            None => desk.login_page("Wrong name or password.").status(401),
        },
        ("POST", "/session/end") if house.flawed => {
            Reply::page("Good bye", "<p>You have left.</p>").cookie("lang=; Path=/; Max-Age=0")
        }
        _ => desk.usual(),
    }
}
