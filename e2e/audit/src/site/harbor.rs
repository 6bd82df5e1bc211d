//! Berths: a signed token in a cookie, with a secret out of a tutorial and nothing that could end it.

use serde_json::json;

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, Session, now, random};
use crate::jwt::{Jwt, signed};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-jwt", home: "/berths", hello: "Captain", ..PLAIN } };
    let secret = if house.flawed { "secret" } else { &house.secret };
    let token = ask.cookie("__Host-jwt").and_then(Jwt::read).filter(|token| token.is_signed(secret.as_bytes()));
    let token = token.filter(|token| {
        house.flawed || (token.is_fresh() && house.find(token.says("jti").unwrap_or_default()).is_some())
    });
    let user = token.as_ref().and_then(|token| token.says("sub")).filter(|user| house.has(user)).unwrap_or_default();
    let form = token.as_ref().and_then(|token| token.says("form")).unwrap_or_default();
    let own_form = desk.token().is_some_and(|sent| !form.is_empty() && sent == form);
    match ask.on() {
        ("GET", "/berths") if !user.is_empty() => desk.home_of(user, form),
        ("GET", "/berths") => desk.stranger(),
        ("GET", "/login") if !form.is_empty() => desk.login_form("", form),
        ("GET", "/login") => {
            let token = made(secret, "", &house.open(None).id, &random());
            let form = Jwt::read(&token).and_then(|token| token.says("form").map(str::to_owned));
            desk.login_form("", &form.unwrap_or_default()).cookie(desk.set(&token))
        }
        ("POST", "/login") => match desk.credentials() {
            Some(user) if own_form => enter(house, &desk, secret, &user, token.as_ref()),
            _ => desk.login_form("Wrong name or password.", form).status(401),
        },
        ("POST", "/logout") if own_form => {
            house.end(token.as_ref().and_then(|token| token.says("jti")).unwrap_or_default());
            Reply::to("/berths").cookie(desk.unset())
        }
        ("POST", "/notes") if own_form && !user.is_empty() => desk.noted(user, ask.field("text")),
        ("POST", _) => Reply::no(403, "The form is too old."),
        _ => desk.usual(),
    }
}

fn enter(house: &House, desk: &Desk<'_>, secret: &str, user: &str, before: Option<&Jwt>) -> Reply {
    house.end(before.and_then(|token| token.says("jti")).unwrap_or_default());
    let id = random();
    house.save(&Session::new(id.clone(), Some(user)));
    Reply::to("/berths").cookie(desk.set(&made(secret, user, &id, &random())))
}

fn made(secret: &str, user: &str, id: &str, form: &str) -> String {
    let claims = json!({ "sub": user, "jti": id, "form": form, "exp": now().as_secs() + 3600 });
    signed(secret.as_bytes(), &claims)
}
