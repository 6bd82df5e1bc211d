//! Wine: passwords can be changed, and people see where they are signed in.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk {
        house,
        ask,
        manner: Manner { cookie: "__Host-cork", sign_out: "/signout", hello: "Welcome back,", ..PLAIN },
    };
    match (ask.on(), desk.me()) {
        (("GET", "/password"), Some((session, _))) => Reply::page(
            "New password",
            &format!(
                "<form method=\"post\" action=\"/password\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
                 <input type=\"password\" name=\"old\"><input type=\"password\" name=\"new\"><button>Change</button></form>",
                session.csrf
            ),
        ),
        (("POST", "/password"), Some((session, user))) if desk.has_token(&session) => {
            if !house.knows(&user, &ask.field("old").unwrap_or_default()) {
                return Reply::no(403, "That is not your password.");
            }
            house.set_password(&user, &ask.field("new").unwrap_or_default());
            if !house.flawed {
                house.end_others(&user, "");
            }
            let next = house.open(Some(&user));
            house.end(&session.id);
            Reply::to("/").cookie(desk.set(&next.id))
        }
        (("GET", "/sessions"), Some((_, user))) => {
            let rows: Vec<_> =
                house.sessions_of(&user).iter().map(|_| "<li class=\"session\">A browser</li>").collect();
            Reply::page("Where you are signed in", &format!("<ul>{}</ul>", rows.join("\n")))
        }
        _ => desk.usual(),
    }
}
