//! Silence behind two doors: a password, then a code. Many cookies, of which one counts.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, random};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-cell", home: "/cell", hello: "Brother", ..PLAIN } };
    let reply = match (ask.on(), desk.session()) {
        (("POST", "/login"), Some(session)) if desk.has_token(&session) => match desk.credentials() {
            Some(user) => {
                house.end(&session.id);
                let mut next = house.open(None);
                next.pending = Some(user.clone());
                next.user = house.flawed.then_some(user);
                house.save(&next);
                Reply::to("/code").cookie(desk.set(&next.id))
            }
            None => desk.login_page("Wrong name or password.").status(401),
        },
        (("GET", "/code"), Some(session)) if session.pending.is_some() => Reply::page(
            "Your code, please",
            &format!(
                "<form method=\"post\" action=\"/code\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
                 <input name=\"code\" autocomplete=\"one-time-code\"><button>Go on</button></form>",
                session.csrf
            ),
        ),
        (("POST", "/code"), Some(session)) if desk.has_token(&session) => match session.pending.clone() {
            Some(user) if ask.field("code").as_deref() == Some("314159") => desk.enter(&user),
            _ => Reply::no(401, "That is not the code."),
        },
        _ => desk.usual(),
    };
    if ask.cookie("_ga").is_some() {
        return reply;
    }
    let decoys = [format!("_ga=GA1.1.{}", random()), "consent=%7B%22all%22%3Atrue%7D".to_owned(), "lang=en".to_owned()];
    decoys
        .iter()
        .fold(reply, |reply, pair| reply.cookie(format!("{pair}; Path=/; Secure; SameSite=Lax; Max-Age=86400")))
}
