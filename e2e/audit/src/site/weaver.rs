//! Cloth: the token is in a cookie scripts read and comes back in the form; methods can be overridden.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-loom", token: "_csrf", ..PLAIN } };
    let effective = if ask.method == "POST" { ask.field("_method").or_else(|| ask.param("_method")) } else { None };
    let effective = effective.filter(|_| house.flawed).unwrap_or_else(|| ask.method.clone());
    let doubled = ask.cookie("XSRF-TOKEN").is_some_and(|cookie| {
        let own = desk.session().is_some_and(|session| session.csrf == cookie);
        own && desk.token().or_else(|| ask.header("x-xsrf-token").map(str::to_owned)).as_deref() == Some(cookie)
    });
    if matches!(effective.as_str(), "POST" | "PUT" | "DELETE" | "PATCH") && !doubled {
        return Reply::no(403, "Cookie and form differ.");
    }
    let reply = match (ask.on(), desk.me()) {
        (("POST", "/notes"), Some((_, user))) => desk.noted(&user, ask.field("text")),
        (("GET", "/login"), _) => {
            let session = desk.session().unwrap_or_else(|| house.open(None));
            let page = desk.login_form("", &session.csrf).cookie(desk.set(&session.id));
            return page.cookie(token_line(&session.csrf));
        }
        _ => desk.usual(),
    };
    match desk.session() {
        Some(session) if ask.method == "GET" => reply.cookie(token_line(&session.csrf)),
        _ => reply,
    }
}

fn token_line(token: &str) -> String {
    format!("XSRF-TOKEN={token}; Path=/; Secure; SameSite=Lax")
}
