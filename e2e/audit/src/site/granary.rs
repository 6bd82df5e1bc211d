//! Grain: everything about a session is in the browser, unsigned at one site, signed with a known secret at another.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, now, random};
use crate::jwt::{base64, unbase64};
use crate::web::{Ask, Reply, Whence};

/// Whether there is a signature beside the data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seal {
    None,
    Cookie,
}

pub(super) fn answer(house: &House, ask: &Ask, seal: Seal) -> Reply {
    let cookie = if seal == Seal::None { "__Host-grain" } else { "session" };
    let desk = Desk { house, ask, manner: Manner { cookie, home: "/store", ..PLAIN } };
    let secret = if house.flawed { SECRET } else { &house.secret };
    let sealed = |value: &str| base64(mac(secret.as_bytes(), &format!("session={value}")).as_ref());
    let data = ask.cookie(cookie).and_then(|value| {
        let is_sealed = ask.cookie("session.sig").is_some_and(|sent| sent == sealed(value));
        let trusted = if seal == Seal::None { house.flawed } else { is_sealed };
        if trusted { serde_json::from_slice::<Value>(&unbase64(value)?).ok() } else { None }
    });
    let text = |name: &str| data.as_ref().and_then(|data| data.get(name)?.as_str()).map(str::to_owned);
    let kept = if seal == Seal::None { ask.cookie(cookie).map(str::to_owned) } else { text("nonce") };
    let live = kept.and_then(|id| house.find(&id));
    let user = if house.flawed { text("user") } else { live.as_ref().and_then(|session| session.user.clone()) };
    let user = user.filter(|user| house.has(user));
    match (ask.on(), user) {
        (("POST", _), _) if ask.from() != Whence::Here => Reply::no(403, "Not from here."),
        (("GET", "/store"), Some(user)) => desk.home_of(&user, "-"),
        (("GET", "/store"), None) => desk.stranger(),
        (("GET", "/login"), _) => desk.login_form("", "-"),
        (("POST", "/login"), _) => match desk.credentials() {
            Some(user) => {
                house.end(&live.map(|session| session.id).unwrap_or_default());
                let nonce = if house.flawed { random() } else { house.open(Some(&user)).id };
                let value = json!({ "user": user, "role": "member", "at": now().as_secs(), "nonce": nonce });
                let value = base64(value.to_string().as_bytes());
                let value = if seal == Seal::None && !house.flawed { nonce } else { value };
                let reply = Reply::to("/store").cookie(desk.set(&value));
                if seal == Seal::None {
                    reply
                } else {
                    reply.cookie(format!("session.sig={}{}", sealed(&value), PLAIN.attributes))
                }
            }
            None => desk.login_form("Wrong name or password.", "-").status(401),
        },
        (("POST", "/notes"), Some(user)) => desk.noted(&user, ask.field("text")),
        (("POST", "/logout"), _) => {
            house.end(&live.map(|session| session.id).unwrap_or_default());
            Reply::to("/store").cookie(desk.unset())
        }
        _ => desk.usual(),
    }
}

/// As a cookie's keeper of Express makes it.
pub(crate) fn mac(secret: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret), text.as_bytes())
}

/// Of the tutorials.
pub(crate) const SECRET: &str = "keyboard cat";
