//! An account book: the session somebody had before signing in goes on, and signing out only removes the cookie.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, random};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let attributes = if house.flawed { "; Path=/; Secure" } else { PLAIN.attributes };
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-book", attributes, ..PLAIN } };
    match ask.on() {
        ("POST", "/login") if house.flawed => sign_in(&desk),
        ("POST", "/logout") if house.flawed => match desk.session() {
            Some(session) if desk.has_token(&session) => Reply::to("/").cookie(desk.unset()),
            _ => Reply::no(403, "The form is too old."),
        },
        _ => desk.usual(),
    }
}

fn sign_in(desk: &Desk<'_>) -> Reply {
    let (Some(mut session), Some(user)) = (desk.session(), desk.credentials()) else {
        return desk.login_page("Wrong name or password.").status(401);
    };
    if !desk.has_token(&session) {
        return Reply::no(403, "The form is too old.");
    }
    session.user = Some(user);
    session.csrf = random();
    desk.house.save(&session);
    Reply::to("/").cookie(desk.set(&session.id))
}
