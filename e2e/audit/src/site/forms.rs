//! Forms with tokens: seven sites that check them, each but for one case.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, Session, random};
use crate::web::{Ask, Reply};

/// What a vulnerable twin makes of the token of a note's form.
pub(super) type Lenient = fn(&Ask, Option<&str>, &Session) -> bool;

pub(super) fn answer(house: &House, ask: &Ask, manner: Manner, lenient: Lenient) -> Reply {
    let desk = Desk { house, ask, manner };
    match (ask.on(), desk.me()) {
        (("POST" | "GET", "/notes"), Some((session, user))) if house.flawed => {
            let token = desk.token();
            let text = ask.field("text").or_else(|| ask.param("text"));
            if lenient(ask, token.as_deref(), &session) {
                desk.noted(&user, text)
            } else {
                Reply::no(403, "The form is too old.")
            }
        }
        _ => desk.usual(),
    }
}

/// Only forms as browsers send them are checked; what is declared as something else is read all the same.
pub(super) fn brewery(ask: &Ask, token: Option<&str>, session: &Session) -> bool {
    ask.method == "POST" && (!ask.is("application/x-www-form-urlencoded") || token == Some(&session.csrf))
}

/// A link may say that it is a form.
pub(super) fn mason(ask: &Ask, token: Option<&str>, session: &Session) -> bool {
    let posts = ask.param("_method").as_deref() == Some("POST");
    if ask.method == "GET" { posts } else { token == Some(&session.csrf) }
}

/// There has to be a token.
pub(super) fn printer(ask: &Ask, token: Option<&str>, _session: &Session) -> bool {
    ask.method == "POST" && token.is_some_and(|token| !token.is_empty())
}

/// There has to be nothing.
pub(super) fn farm(ask: &Ask, _token: Option<&str>, _session: &Session) -> bool {
    ask.method == "POST"
}

/// Everything is as it should be, at sign-in and sign-out too, where nothing is checked at the farm.
pub(super) fn farmed(house: &House, ask: &Ask) -> Reply {
    let manner = Manner { cookie: "__Host-farm", ..PLAIN };
    let desk = Desk { house, ask, manner };
    match (ask.on(), desk.session()) {
        (("POST", "/login"), _) if house.flawed => match desk.credentials() {
            Some(user) => desk.enter(&user),
            None => desk.login_page("Wrong name or password.").status(401),
        },
        (("POST", "/logout"), Some(session)) if house.flawed => {
            house.end(&session.id);
            Reply::to("/").cookie(desk.unset())
        }
        _ => answer(house, ask, manner, farm),
    }
}

/// Who is signed in already and signs in again keeps the id; the token of the forms is new.
pub(super) fn signal(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-flag", ..PLAIN } };
    match (ask.on(), desk.me(), desk.credentials()) {
        (("POST", "/login"), Some((mut session, _)), Some(user)) if house.flawed && desk.has_token(&session) => {
            (session.user, session.csrf) = (Some(user), random());
            house.save(&session);
            Reply::to("/").cookie(desk.set(&session.id))
        }
        _ => desk.usual(),
    }
}

/// The token of before the sign-in is the one of after it, though the id is new.
pub(super) fn chapel(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-pew", token: "nonce", ..PLAIN } };
    let before = desk.session();
    match (ask.on(), before, desk.credentials()) {
        (("POST", "/login"), Some(before), Some(user)) if house.flawed && desk.has_token(&before) => {
            house.end(&before.id);
            let mut session = house.open(Some(&user));
            session.csrf = before.csrf;
            house.save(&session);
            Reply::to("/").cookie(desk.set(&session.id))
        }
        _ => desk.usual(),
    }
}
