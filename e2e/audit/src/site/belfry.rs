//! Bells: the vault asks for the password again, and what that does to the token differs.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

/// What proving oneself again does, wrongly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Raising {
    /// The session is raised under the token it has.
    SameToken,
    /// There is a new token, and the old one is raised with it.
    OldToo,
}

pub(super) fn answer(house: &House, ask: &Ask, raising: Raising) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-bell", ..PLAIN } };
    match (ask.on(), desk.me()) {
        (("GET", "/vault"), Some((session, user))) if session.raised => {
            Reply::page("Vault", &format!("<p>The gold of {user}.</p>"))
        }
        (("GET", "/vault" | "/sudo"), Some((session, _))) => Reply::page(
            "Your password, please",
            &format!(
                "<form method=\"post\" action=\"/sudo\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
                 <input type=\"password\" name=\"password\"><button>Open</button></form>",
                session.csrf
            ),
        ),
        (("POST", "/sudo"), Some((mut session, user))) if desk.has_token(&session) => {
            if !house.knows(&user, &ask.field("password").unwrap_or_default()) {
                return Reply::no(403, "That is not your password.");
            }
            session.raised = true;
            if house.flawed {
                house.save(&session);
            } else {
                house.end(&session.id);
            }
            if house.flawed && raising == Raising::SameToken {
                return Reply::to("/vault");
            }
            let mut next = house.open(Some(&user));
            next.raised = true;
            house.save(&next);
            Reply::to("/vault").cookie(desk.set(&next.id))
        }
        _ => desk.usual(),
    }
}
