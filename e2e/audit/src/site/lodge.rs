//! Rooms for a year: a cookie remembers people when the session is gone, and signing out leaves it good.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, Session, random};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-room", home: "/room", ..PLAIN } };
    let remembered =
        ask.cookie("__Host-remember").and_then(|id| house.find(id)).filter(|session| session.pending.is_some());
    let line = |value: &str, age: u64| {
        format!("__Host-remember={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}")
    };
    if let (None, Some(known)) = (desk.me(), &remembered)
        && ask.on() == ("GET", "/room")
    {
        let session = house.open(known.pending.as_deref());
        return desk.home_of(known.pending.as_deref().unwrap_or_default(), &session.csrf).cookie(desk.set(&session.id));
    }
    let signing_out = ask.on() == ("POST", "/logout") && desk.session().is_some_and(|session| desk.has_token(&session));
    let reply = desk.usual();
    match (ask.on(), desk.credentials()) {
        (("POST", "/login"), Some(user)) if reply.status == 303 => {
            house.end(&remembered.map(|session| session.id).unwrap_or_default());
            let mut session = Session::new(random(), None);
            session.pending = Some(user);
            house.save(&session);
            reply.cookie(line(&session.id, if house.flawed { 31_536_000 } else { 604_800 }))
        }
        (("POST", "/logout"), _) if signing_out => {
            if let (Some(session), false) = (remembered, house.flawed) {
                house.end(&session.id);
            }
            reply.cookie(line("", 0))
        }
        _ => reply,
    }
}
