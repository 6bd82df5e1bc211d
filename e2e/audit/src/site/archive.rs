//! Papers: who forgets the password asks for another, and the flow's session is somebody's already.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-file", hello: "Archivist", ..PLAIN } };
    match ask.on() {
        ("GET", "/reset") => {
            let known = desk.session();
            let session = known.clone().unwrap_or_else(|| house.open(None));
            let page = Reply::page(
                "A new password",
                &format!(
                    "<form method=\"post\" action=\"/reset\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
                     <input name=\"user\"><button>Send me a letter</button></form>",
                    session.csrf
                ),
            );
            if known.is_some() { page } else { page.cookie(desk.set(&session.id)) }
        }
        ("POST", "/reset") => match desk.session() {
            Some(mut session) if desk.has_token(&session) => {
                let user = ask.field("user").filter(|user| house.has(user));
                session.pending.clone_from(&user);
                if house.flawed {
                    session.user = user;
                }
                house.save(&session);
                Reply::page("Sent", "<p>If there is such an account, a letter is under way.</p>")
            }
            _ => Reply::no(403, "The form is too old."),
        },
        _ => desk.usual(),
    }
}
