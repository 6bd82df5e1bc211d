//! A reading room from the time of servlets: the id is in every address, for browsers without cookies.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, random};
use crate::web::{Ask, Body, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let manner = Manner { cookie: "JSESSIONID", home: "/catalogue", hello: "Reader:", token: "_token", ..PLAIN };
    if !house.flawed {
        return Desk { house, ask, manner }.usual();
    }
    let mut plain = ask.clone();
    if let Some((path, id)) = ask.path.split_once(";jsessionid=") {
        path.clone_into(&mut plain.path);
        plain.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("cookie"));
        plain.headers.push(("Cookie".to_owned(), format!("JSESSIONID={id}")));
    }
    let desk = Desk { house, ask: &plain, manner };
    let reply = match plain.on() {
        ("POST", "/login") => sign_in(&desk),
        _ => desk.usual(),
    };
    let id = desk.session().map(|session| session.id).unwrap_or_default();
    addressed(reply, &id).header("Referrer-Policy", "unsafe-url")
}

fn sign_in(desk: &Desk<'_>) -> Reply {
    match (desk.session(), desk.credentials()) {
        (Some(mut session), Some(user)) if desk.has_token(&session) => {
            (session.user, session.csrf) = (Some(user), random());
            desk.house.save(&session);
            Reply::to(desk.manner.home).cookie(desk.set(&session.id))
        }
        _ => desk.login_page("Wrong name or password.").status(401),
    }
}

/// Every link and form target with the id in it.
fn addressed(reply: Reply, id: &str) -> Reply {
    let Body::Bytes(bytes) = &reply.body else { return reply };
    if id.is_empty() {
        return reply;
    }
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for attribute in ["href=\"", "action=\""] {
        let parts: Vec<_> = text.split(attribute).map(str::to_owned).collect();
        let with = |(index, part): (usize, &String)| match part.split_once('"') {
            Some((target, rest)) if index > 0 => format!("{target};jsessionid={id}\"{rest}"),
            _ => part.clone(),
        };
        text = parts.iter().enumerate().map(with).collect::<Vec<_>>().join(attribute);
    }
    Reply { body: Body::Bytes(text.into_bytes()), ..reply }
}
