//! Freight: two cookies are needed, one quoted and one with escapes; signing out forgets them and ends nothing.

use crate::desk::{Desk, Manner, PLAIN, SOUND};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let mut whole = ask.clone();
    let key = ask.cookie("__Host-key").map(|value| value.trim_matches('"').to_owned());
    let known = key.as_ref().and_then(|key| house.find(key));
    let name = ask.cookie("__Host-who").unwrap_or_default();
    let agrees = known.as_ref().is_some_and(|session| match &session.user {
        Some(user) => name == who(user),
        None => true,
    });
    whole.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("cookie"));
    if let Some(key) = key.filter(|_| agrees) {
        whole.headers.push(("Cookie".to_owned(), format!("__Host-key={key}")));
    }
    let desk =
        Desk { house, ask: &whole, manner: Manner { cookie: "__Host-key", home: "/dock", hello: "Shipper", ..PLAIN } };
    let mut reply = match (ask.on(), desk.session()) {
        (("POST", "/logout"), Some(session)) if house.flawed && desk.has_token(&session) => {
            Reply::to("/dock").cookie(desk.unset())
        }
        _ => desk.usual(),
    };
    for (_, line) in reply.headers.iter_mut().filter(|(name, _)| name == "Set-Cookie") {
        if let Some((value, rest)) = line.strip_prefix("__Host-key=").and_then(|line| line.split_once(';')) {
            *line =
                if value.is_empty() { format!("__Host-key=;{rest}") } else { format!("__Host-key=\"{value}\";{rest}") };
        }
    }
    match (ask.on(), desk.credentials()) {
        (("POST", "/login"), Some(user)) if reply.status == 303 => {
            reply.cookie(format!("__Host-who={}{SOUND}", who(&user)))
        }
        (("POST", "/logout"), _) if reply.status == 303 => reply.cookie(format!("__Host-who={SOUND}; Max-Age=0")),
        _ => reply,
    }
}

fn who(user: &str) -> String {
    format!("%7B%22name%22%3A%22{user}%22%7D")
}
