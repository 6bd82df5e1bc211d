//! A pub's guest list: ids nobody made are taken on, and links alone change things.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, Session, random};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let manner =
        Manner { cookie: "__Host-guest", home: "/bar", login: "/enter", sign_out: "/leave", hello: "Cheers,", ..PLAIN };
    let desk = Desk { house, ask, manner };
    if !house.flawed {
        return desk.usual();
    }
    if let Some(id) = ask.cookie(manner.cookie)
        && house.find(id).is_none()
    {
        house.save(&Session::new(id.to_owned(), None));
    }
    match ask.on() {
        ("POST", "/enter") => match (desk.session(), desk.credentials()) {
            (Some(mut session), Some(user)) if desk.has_token(&session) => {
                (session.user, session.csrf) = (Some(user), random());
                house.save(&session);
                Reply::to("/bar").cookie(desk.set(&session.id))
            }
            _ => desk.login_page("Wrong name or password.").status(401),
        },
        ("GET", "/notes") => match desk.me() {
            Some((_, user)) => desk.noted(&user, ask.param("text")),
            None => Reply::to("/enter"),
        },
        ("GET", "/leave") => {
            house.end(ask.cookie(manner.cookie).unwrap_or_default());
            Reply::to("/bar").cookie(desk.unset())
        }
        _ => desk.usual(),
    }
}
